//! What a section holds, whose it is, and what most of them start with.

use core::ops::RangeInclusive;

use bytemuck::{Pod, Zeroable};

use super::{MAX_REAL, ModelError, ids::IdsDigest};
use crate::bytes::Reader;

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum SectionKind {
    /// Track fingerprints.
    Ids = 1,
    /// Item factors.
    Factors = 2,
    /// The listener side of the ridge system.
    Taste = 3,
    /// Taste clusters.
    Clusters = 4,
    /// Titles and names.
    Text = 5,
    /// The shards of a catalogue that was split.
    Shards = 6,
    /// The cell of each track beside the head.
    Cells = 7,
    /// Tracks that go with each track.
    Neighbours = 8,
    /// Tracks that follow each track.
    Transitions = 9,
    /// What the listeners of each cluster finish.
    Finished = 10,
    /// What listeners say to each track.
    Rates = 11,
    /// What foretells a yes.
    Ranker = 12,
    /// Which tracks of an artist are of one album.
    Albums = 13,
    /// What tracks are said to be.
    Tags = 14,
    /// What a context tells.
    Context = 15,
}

impl SectionKind {
    /// Every kind, in the order of a model file.
    pub const ALL: [Self; 15] = [
        Self::Ids,
        Self::Factors,
        Self::Taste,
        Self::Clusters,
        Self::Text,
        Self::Shards,
        Self::Cells,
        Self::Neighbours,
        Self::Transitions,
        Self::Finished,
        Self::Rates,
        Self::Ranker,
        Self::Albums,
        Self::Tags,
        Self::Context,
    ];

    /// The name used in manifests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ids => "ids",
            Self::Factors => "factors",
            Self::Taste => "taste",
            Self::Clusters => "clusters",
            Self::Text => "text",
            Self::Shards => "shards",
            Self::Cells => "cells",
            Self::Neighbours => "neighbours",
            Self::Transitions => "transitions",
            Self::Finished => "finished",
            Self::Rates => "rates",
            Self::Ranker => "ranker",
            Self::Albums => "albums",
            Self::Tags => "tags",
            Self::Context => "context",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Where it is in [`Self::ALL`].
    pub(super) const fn place(self) -> usize {
        self as usize - 1
    }

    pub(super) fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u32 == code)
    }
}

impl core::fmt::Display for SectionKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// The first 16 bytes of a section with one entry a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Prefix {
    /// Entries.
    pub rows: u32,
    /// Dimensions, clusters or artists, as the section has it.
    pub width: u32,
    /// XXH64 of the fingerprints.
    pub ids: u64,
}

/// Which section: what it holds, and of which shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SectionId {
    /// The shard; 0 is the head, all there is of a catalogue that was not split.
    pub shard: u8,
    /// What it holds.
    pub kind: SectionKind,
}

impl From<SectionKind> for SectionId {
    fn from(kind: SectionKind) -> Self {
        Self { shard: 0, kind }
    }
}

/// What every section must agree on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub rows: usize,
    pub dim: usize,
    pub ids: IdsDigest,
}

pub(super) fn prefix_of<'a>(
    kind: SectionKind,
    reader: &mut Reader<'a>,
) -> Result<&'a Prefix, ModelError> {
    reader.one().ok_or(ModelError::Shape(kind))
}

/// Takes the prefix of a section with one entry a track and checks whose it is.
pub(super) fn prefix<'a>(
    kind: SectionKind,
    bytes: &'a [u8],
    shape: Shape,
    widths: RangeInclusive<usize>,
) -> Result<(usize, Reader<'a>), ModelError> {
    let mut reader = Reader::new(bytes);
    let prefix = prefix_of(kind, &mut reader)?;
    if prefix.ids != shape.ids.0 || prefix.rows as usize != shape.rows {
        return Err(ModelError::Mixed(kind));
    }
    let width = prefix.width as usize;
    if widths.contains(&width) { Ok((width, reader)) } else { Err(ModelError::Limit(kind)) }
}

/// Whether no number is below the one before it. The slice's own way is unrolled, to ten times the code.
pub(super) fn ascends(numbers: &[u32]) -> bool {
    numbers.is_sorted_by(|a, b| a <= b)
}

/// Whether all numbers are finite and within the format's range.
pub(super) fn in_range(values: &[f32]) -> bool {
    values.iter().all(|x| x.abs() <= MAX_REAL)
}
