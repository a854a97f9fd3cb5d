//! The `finished` section: what the listeners of each taste cluster finish more than others do.
//!
//! `[prefix][scale f32, entries u32, zero u32 × 2][end of each list u32 × k][entries u32]`
//!
//! An entry is the place of a track of the head in its lower 24 bits, and a level of 1 to 255 in the upper
//! 8, which counts so many times the scale. Entries are sums over several listeners, never one's.

use bytemuck::{Pod, Zeroable};

use super::{
    MAX_CLUSTERS, ModelError, Prefix, SectionKind, Shape, ascends, ids::IdsDigest, prefix,
};
use crate::{
    bytes::{Aligned, Reader, Writer},
    ids::Row,
};

const KIND: SectionKind = SectionKind::Finished;

#[derive(Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
struct Head {
    scale: f32,
    entries: u32,
    zeros: [u32; 2],
}

/// A track of a list, and its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct Entry(u32);

impl Entry {
    /// `level` for a row of the head.
    pub const fn new(row: Row, level: u8) -> Self {
        Self(Row::new(level, row.index() as u32).0)
    }

    /// The row, of the head.
    pub const fn row(self) -> Row {
        Row(self.0).of(0)
    }

    /// The level.
    pub const fn level(self) -> u8 {
        Row(self.0).shard()
    }
}

/// The lists, read in place.
#[derive(Clone, Copy, Debug)]
pub struct Finished<'a> {
    tracks: usize,
    scale: f32,
    ends: &'a [u32],
    entries: &'a [Entry],
}

impl<'a> Finished<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let Prefix { rows, width, .. } = *reader.one()?;
        let Head { scale, entries, .. } = *reader.one()?;
        let ends = reader.array(width as usize)?;
        let entries = reader.array(entries as usize)?;
        reader.is_empty().then_some(Self { tracks: rows as usize, scale, ends, entries })
    }

    /// Number of tracks of the head.
    pub const fn tracks(&self) -> usize {
        self.tracks
    }

    /// Number of lists.
    pub(super) const fn lists(&self) -> usize {
        self.ends.len()
    }

    /// Number of entries in all lists.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether all lists are empty.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What a level of one stands for.
    pub const fn scale(&self) -> f32 {
        self.scale
    }

    /// The list of a cluster; empty where there is none.
    pub fn of(&self, cluster: usize) -> &'a [Entry] {
        let start = cluster.checked_sub(1).and_then(|before| self.ends.get(before));
        let end = self.ends.get(cluster).copied().unwrap_or_default();
        let start = start.copied().unwrap_or_default();
        self.entries.get(start as usize..end as usize).unwrap_or_default()
    }
}

pub(super) fn encode(ids: IdsDigest, tracks: usize, scale: f32, lists: &[&[Entry]]) -> Aligned {
    let entries = lists.concat();
    let end = |end: &mut usize, list: &&[Entry]| {
        *end += list.len();
        Some(*end as u32)
    };
    let ends: alloc::vec::Vec<u32> = lists.iter().scan(0, end).collect();
    lay_out(ids, tracks, scale, &ends, &entries)
}

/// Lays out lists that lie end to end.
pub(super) fn lay_out(
    ids: IdsDigest,
    tracks: usize,
    scale: f32,
    ends: &[u32],
    entries: &[Entry],
) -> Aligned {
    let head = Head { scale, entries: entries.len() as u32, ..Head::default() };
    let mut writer = Writer::default();
    writer.array(&[Prefix { rows: tracks as u32, width: ends.len() as u32, ids: ids.0 }]);
    writer.array(&[head]).array(ends).array(entries);
    writer.finish()
}

pub(super) fn validate(bytes: &[u8], shape: Shape) -> Result<(), ModelError> {
    prefix(KIND, bytes, shape, 1..=MAX_CLUSTERS)?;
    let lists = Finished::new(bytes).ok_or(ModelError::Shape(KIND))?;
    let whole = lists.ends.last().is_some_and(|&end| end as usize == lists.len());
    let inside = lists.entries.iter().all(|entry| entry.row().index() < shape.rows);
    let sound = whole && inside && ascends(lists.ends) && super::in_range(&[lists.scale]);
    if sound { Ok(()) } else { Err(ModelError::value(KIND, "a list is out of range")) }
}
