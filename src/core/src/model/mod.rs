//! The model: sections of bytes, validated once; the factors are decoded, the rest read in place.
//!
//! | section | holds | bytes |
//! |---|---|---|
//! | `ids` | fingerprints of the tracks, ascending | 4.3 a track |
//! | `factors` | item factors, entropy-coded | 5 to 15 a track |
//! | `taste` | what fold-in needs: prior, ridge, worth of each kind of evidence | 4d + … |
//! | `clusters` | centroids and each track's cluster | 2 a track |
//! | `text` | titles, artists, durations, names of clusters | as the names are |
//!
//! The first three are required. Each section that has one entry a track starts with a prefix
//! that names the `ids` section it belongs to, so that sections of different versions are never
//! read together.
//!
//! **Invariant:** a [`Model`] exists only if every section passed validation; no accessor of a
//! model can fail or panic, whatever bytes it was made from.

mod clusters;
pub mod container;
mod factors;
mod ids;
mod taste;
mod text;

use alloc::vec::Vec;
use bytemuck::{Pod, Zeroable};

pub use clusters::Clusters;
pub use factors::{Factors, FactorsDigest, fine_steps, quantise};
pub use ids::{Ids, IdsDigest, Stem};
pub use taste::{Loss, Response, Responses, Taste, TasteParts};
pub use text::Text;

use crate::{
    bytes::{Aligned, Reader},
    ids::{Row, fingerprint},
};

/// Most tracks in one model.
pub const MAX_ROWS: usize = 1 << 24;
/// Most components of a factor. The 32-bit score of an int8 row cannot overflow below it.
pub const MAX_DIM: usize = 256;
/// Most clusters in one model.
pub const MAX_CLUSTERS: usize = 4096;
/// Largest magnitude of any real number in a model, so that no sum of a session can overflow.
pub const MAX_REAL: f32 = 1e6;

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
}

impl SectionKind {
    /// Every kind, in the order of a model file.
    pub const ALL: [Self; 5] = [Self::Ids, Self::Factors, Self::Taste, Self::Clusters, Self::Text];

    /// The name used in manifests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ids => "ids",
            Self::Factors => "factors",
            Self::Taste => "taste",
            Self::Clusters => "clusters",
            Self::Text => "text",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u32 == code)
    }

    const fn index(self) -> usize {
        self as usize - 1
    }
}

impl core::fmt::Display for SectionKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// Why bytes are not a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The label is not there.
    #[error("not a segue model: the file does not start with its label")]
    NotAModel,
    /// Written by another version of the format.
    #[error(
        "the model has format version {0}, this build reads version {ours}: \
         update segue, or train the model again with this one",
        ours = container::FORMAT
    )]
    Format(u32),
    /// The bytes end too soon.
    #[error("the model is truncated: fetch or train it again")]
    Truncated,
    /// The header or its table is damaged.
    #[error("the model's header is damaged: fetch or train it again")]
    Header,
    /// A section does not match its checksum.
    #[error("section `{0}` does not match its checksum: fetch or train the model again")]
    Checksum(SectionKind),
    /// Bytes after the last section.
    #[error("{0} bytes follow the last section")]
    Trailing(usize),
    /// A required section is absent.
    #[error("section `{0}` is missing")]
    Missing(SectionKind),
    /// A section is given twice.
    #[error("section `{0}` is given twice")]
    Duplicate(SectionKind),
    /// A section's length does not fit what it claims to hold.
    #[error("section `{0}` does not have the length that its prefix implies")]
    Shape(SectionKind),
    /// A section claims more than the format allows.
    #[error("section `{0}` claims a size beyond the format's limits")]
    Limit(SectionKind),
    /// A section belongs to another version.
    #[error("section `{0}` belongs to another version than the rest: fetch all of them again")]
    Mixed(SectionKind),
    /// There is no memory for a section.
    #[error("no memory for section `{0}`")]
    Memory(SectionKind),
    /// A value is outside its range.
    #[error("section `{section}` holds an invalid value: {what}")]
    Value {
        /// Which section.
        section: SectionKind,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl ModelError {
    const fn value(section: SectionKind, what: &'static str) -> Self {
        Self::Value { section, what }
    }
}

/// The first 16 bytes of a section with one entry a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
struct Prefix {
    /// Entries.
    rows: u32,
    /// Dimensions, clusters or artists, as the section has it.
    width: u32,
    /// XXH64 of the fingerprints.
    ids: u64,
}

/// A validated model.
#[derive(Clone, Debug)]
pub struct Model {
    /// As they came.
    sections: [Option<Aligned>; SectionKind::ALL.len()],
    shape: Shape,
    directory: ids::Directory,
    factors: Factors,
    /// Empty where the `taste` section has its own.
    gram: Vec<f32>,
}

/// What every section must agree on.
#[derive(Clone, Copy, Debug)]
struct Shape {
    rows: usize,
    dim: usize,
    ids: IdsDigest,
}

impl Model {
    /// Reads a whole model file. Cost: a copy, a pass, and decoding the factors.
    pub fn from_file(file: &[u8]) -> Result<Self, ModelError> {
        Self::from_sections(container::load(file)?)
    }

    /// Takes sections that arrived one by one. They are validated in the order of
    /// [`SectionKind::ALL`], whatever order they come in.
    pub fn from_sections(
        sections: impl IntoIterator<Item = (SectionKind, Aligned)>,
    ) -> Result<Self, ModelError> {
        let mut slots: [Option<Aligned>; SectionKind::ALL.len()] = Default::default();
        for (kind, bytes) in sections {
            if slots[kind.index()].replace(bytes).is_some() {
                return Err(ModelError::Duplicate(kind));
            }
        }
        let get = |kind: SectionKind| slots[kind.index()].as_ref().map(Aligned::as_slice);
        let require = |kind| get(kind).ok_or(ModelError::Missing(kind));

        let (rows, ids, directory) = ids::validate(require(SectionKind::Ids)?)?;
        let coded = require(SectionKind::Factors)?;
        let factors = factors::read(coded, Shape { rows, dim: 0, ids })?;
        let shape = Shape { rows, dim: factors.dim(), ids };
        let taste = require(SectionKind::Taste)?;
        let gram = if Taste::has_gram(taste, shape.dim) { Vec::new() } else { factors.gram() };
        Taste::read(taste, shape.dim, &gram, FactorsDigest::of(coded))?;
        if let Some(bytes) = get(SectionKind::Clusters) {
            clusters::validate(bytes, shape)?;
        }
        if let Some(bytes) = get(SectionKind::Text) {
            text::validate(bytes, shape)?;
        }
        Ok(Self { sections: slots, shape, directory, factors, gram })
    }

    /// The model as one file.
    pub fn to_file(&self) -> Vec<u8> {
        container::join(&self.sections().collect::<Vec<_>>())
    }

    /// The sections that are here, in file order.
    pub fn sections(&self) -> impl Iterator<Item = (SectionKind, &[u8])> {
        SectionKind::ALL.into_iter().filter_map(|kind| {
            self.sections[kind.index()].as_ref().map(|bytes| (kind, bytes.as_slice()))
        })
    }

    /// Number of tracks.
    pub const fn len(&self) -> usize {
        self.shape.rows
    }

    /// Whether the catalogue is empty; it never is.
    pub const fn is_empty(&self) -> bool {
        self.shape.rows == 0
    }

    /// Number of components of a factor.
    pub const fn dim(&self) -> usize {
        self.shape.dim
    }

    /// The fingerprints of the tracks.
    pub fn ids(&self) -> Ids<'_> {
        Ids::new(self.section(SectionKind::Ids), &self.directory)
    }

    /// The row of the caller's track id, if the model knows it. O(1).
    pub fn row(&self, track: &str) -> Option<Row> {
        self.ids().find(fingerprint(track))
    }

    /// The item factors.
    pub const fn factors(&self) -> &Factors {
        &self.factors
    }

    /// The listener side of the ridge system.
    pub fn taste(&self) -> Taste<'_> {
        Taste::new(self.section(SectionKind::Taste), self.shape.dim, &self.gram).unwrap_or_default()
    }

    /// Taste clusters, where the model has them.
    pub fn clusters(&self) -> Option<Clusters<'_>> {
        let bytes = self.sections[SectionKind::Clusters.index()].as_ref()?;
        Some(Clusters::new(bytes.as_slice(), self.shape.rows, self.shape.dim))
    }

    /// Names to show, where the model has them.
    pub fn text(&self) -> Option<Text<'_>> {
        let bytes = self.sections[SectionKind::Text.index()].as_ref()?;
        Text::new(bytes.as_slice())
    }

    fn section(&self, kind: SectionKind) -> &[u8] {
        self.sections[kind.index()].as_ref().map_or(&[], Aligned::as_slice)
    }
}

/// Lays out the `ids` section. `fingerprints` must ascend strictly.
pub fn encode_ids(fingerprints: &[u64]) -> (Aligned, IdsDigest) {
    ids::encode(fingerprints)
}

/// Lays out the `factors` section: `steps.len()` codes a row.
pub fn encode_factors(ids: IdsDigest, steps: &[f32], codes: &[i8]) -> Aligned {
    factors::encode(ids, steps, codes)
}

/// Lays out the `taste` section that belongs to the section `factors`.
pub fn encode_taste(parts: &TasteParts, factors: FactorsDigest) -> Aligned {
    taste::encode(parts, factors)
}

/// Lays out the three sections that ranking needs, the smallest model that works, and says what
/// further sections are to be numbered by. `fingerprints` ascend strictly; a row has `steps.len()`
/// `codes`.
pub fn encode_ranking(
    fingerprints: &[u64],
    steps: &[f32],
    codes: &[i8],
    taste: &TasteParts,
) -> (IdsDigest, Vec<(SectionKind, Aligned)>) {
    let (ids, digest) = encode_ids(fingerprints);
    let factors = encode_factors(digest, steps, codes);
    let taste = encode_taste(taste, FactorsDigest::of(factors.as_slice()));
    let sections =
        [(SectionKind::Ids, ids), (SectionKind::Factors, factors), (SectionKind::Taste, taste)];
    (digest, sections.into())
}

/// Lays out the `clusters` section: `centroids` holds `dim` reals a cluster, `assignment` one
/// cluster a row.
pub fn encode_clusters(
    ids: IdsDigest,
    dim: usize,
    centroids: &[f32],
    assignment: &[u16],
) -> Aligned {
    clusters::encode(ids, dim, centroids, assignment)
}

/// Lays out the `text` section. `tracks` yields title, artist and duration in milliseconds (0
/// where unknown) in row order; `clusters` one name a cluster.
pub fn encode_text<'a>(
    ids: IdsDigest,
    tracks: impl Iterator<Item = (&'a str, &'a str, u32)>,
    clusters: &[alloc::string::String],
) -> Aligned {
    text::encode(ids, tracks, clusters)
}

fn prefix_of<'a>(kind: SectionKind, reader: &mut Reader<'a>) -> Result<&'a Prefix, ModelError> {
    reader.one().ok_or(ModelError::Shape(kind))
}

/// Takes the prefix of a section with one entry a track and checks whose it is.
fn prefix<'a>(
    kind: SectionKind,
    bytes: &'a [u8],
    shape: Shape,
    widths: core::ops::RangeInclusive<usize>,
) -> Result<(usize, Reader<'a>), ModelError> {
    let mut reader = Reader::new(bytes);
    let prefix = prefix_of(kind, &mut reader)?;
    if prefix.ids != shape.ids.0 || prefix.rows as usize != shape.rows {
        return Err(ModelError::Mixed(kind));
    }
    let width = prefix.width as usize;
    if widths.contains(&width) { Ok((width, reader)) } else { Err(ModelError::Limit(kind)) }
}

/// Whether all numbers are finite and within the format's range.
fn in_range(values: &[f32]) -> bool {
    values.iter().all(|x| x.abs() <= MAX_REAL)
}
