//! A delta: what turns the sections of one shard of a version into those of another.
//!
//! ```text
//! offset  size  content                                              all little-endian
//!      0    16  label, "segue-delta" and zero bytes
//!     16     4  format version, 1
//!     20     4  shard
//!     24     8  state of the shard that it is applied to
//!     32     8  state of the shard that it makes
//!     40     8  XXH64 of what the shard that it makes holds
//!     48     …  the changes, in the range code of [`crate::codec::range`]
//! ```
//!
//! The state of a shard is a digest of its sections as they would be sent, kind by kind: XXH64 of each kind's number and
//! of XXH64 of its bytes, seeded with that of the kind before it. The `cells` section, which belongs to all shards, is no
//! part of it, and none of a delta.
//!
//! The changes come by section, in the order of [`SectionKind::ALL`], each as one that is there or not (one raw bit; `ids`
//! and `factors` always are) and then whole or told from the one before (one raw bit). Whole: its length as 32 raw bits
//! and its bytes as raw words. Told from the one before:
//!
//! | section | how | needs |
//! |---|---|---|
//! | `ids` | which fingerprints are gone, and the gaps between new ones ([`map`]) | as many bits a bucket |
//! | `factors` | XXH64 of the section, then rows of codes ([`table`]) | the same steps |
//! | `neighbours`, `transitions` | classes, then the pairs of each row ([`graph`]) | the same weights |
//! | `text` | what is new or has changed ([`text`]) | – |
//! | `finished` | the lists of clusters of which more than the rows' numbers changed ([`lists`]) | as many lists, of one scale |
//! | all others | bytes, and columns of bytes, as they differ ([`plain`]) | the same length but for columns |
//!
//! What a section's rows were before is told by the `ids` of both versions. Reader and writer are one function for each
//! section, generic over the direction.
//!
//! Any bytes give a shard or an error, never a panic; a shard of other content than the writer saw is an error. Cost:
//! O(n·d) for rows of the shard, whatever changes, but only what changed is decoded.

mod graph;
mod lists;
mod map;
mod plain;
mod table;
mod text;

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::{error::Error, fmt};
use xxhash_rust::xxh64::{Xxh64, xxh64};

use super::{
    Factors, FactorsDigest, Finished, Ids, Model, ModelError, Neighbours, SectionId, SectionKind,
    Shape, factors, ids, neighbours,
    part::{Part, Sections},
};
use crate::{
    bytes::Aligned,
    codec::{
        golomb::Golomb,
        range::{Called, Coder, Decoder, Encoder},
    },
    words::{decimal, sentence},
};
use map::{Map, NONE};

/// The format version that this code reads and writes.
pub const FORMAT: u32 = 1;
/// What every delta starts with.
pub const LABEL: [u8; 16] = *b"segue-delta\0\0\0\0\0";
const HEADER: usize = 48;

/// Why a delta is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeltaError {
    /// The label is not there, or the bytes end before the changes.
    NotADelta,
    /// Written by another version of the format.
    Format(u32),
    /// It is applied to other content than it was made for.
    Base(u8),
    /// The changes are damaged.
    Damaged(SectionKind),
    /// There is no memory for a section.
    Memory(SectionKind),
    /// What it makes is not what its writer saw.
    Digest(u8),
    /// What it makes is not a model.
    Model(ModelError),
}

impl DeltaError {
    /// What is wrong and what to do, as a person reads it.
    pub fn message(&self) -> String {
        match self {
            Self::NotADelta => "not a segue delta: it does not start with a delta's label".into(),
            Self::Format(found) => sentence(&[
                "the delta has format version ",
                &decimal((*found).into()),
                ", this build reads version ",
                &decimal(FORMAT.into()),
                ": update segue",
            ]),
            Self::Base(shard) => sentence(&[
                "the delta is for another version of shard ",
                &decimal((*shard).into()),
                " than the one that is here: fetch its sections whole",
            ]),
            Self::Damaged(kind) => sentence(&[
                "the delta's part for section `",
                kind.name(),
                "` is damaged: fetch it again",
            ]),
            Self::Memory(kind) => sentence(&["no memory for section `", kind.name(), "`"]),
            Self::Digest(shard) => sentence(&[
                "the delta makes another shard ",
                &decimal((*shard).into()),
                " than it should: fetch its sections whole",
            ]),
            Self::Model(error) => {
                sentence(&["what the delta makes is refused: ", &error.message()])
            }
        }
    }
}

impl fmt::Display for DeltaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl Error for DeltaError {}

impl From<ModelError> for DeltaError {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

/// Why a section cannot be coded.
enum Fault {
    Damaged,
    Memory,
    Model(ModelError),
}

impl Fault {
    fn at(self, kind: SectionKind) -> DeltaError {
        match self {
            Self::Damaged => DeltaError::Damaged(kind),
            Self::Memory => DeltaError::Memory(kind),
            Self::Model(error) => DeltaError::Model(error),
        }
    }
}

impl From<ModelError> for Fault {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

fn filled<T: Clone>(value: T, len: usize) -> Result<Vec<T>, Fault> {
    let mut filled = Vec::new();
    filled.try_reserve_exact(len).map_err(|_| Fault::Memory)?;
    filled.resize(len, value);
    Ok(filled)
}

/// The rows of both versions, and of which tracks something was seen to change.
struct Rows<'a> {
    map: &'a Map,
    touched: Vec<bool>,
}

/// Which rows change where few do: for each that does, how many before it do not. Rows of new tracks are not counted, nor
/// are, where the caller tells more of those, rows of tracks of which something else changed.
#[derive(Default)]
struct Gaps {
    length: Golomb<25>,
    /// Rows until the next that changes; `None` where that is still to be coded.
    left: Option<u32>,
}

impl Gaps {
    /// Whether the next row changes; `ahead` counts those from it on that do not, up to one that does.
    fn changed<C: Coder>(&mut self, coder: &mut C, ahead: impl FnOnce() -> usize) -> bool {
        let left = self
            .left
            .unwrap_or_else(|| self.length.code(coder, if C::WRITES { ahead() as u32 } else { 0 }));
        self.left = left.checked_sub(1);
        self.left.is_none()
    }
}

impl Rows<'_> {
    /// How many rows from `row` on are, as `gaps` has it, of tracks that lay one behind the other before and do not differ;
    /// where `untouched`, of which nothing else changed either. They are passed over.
    #[inline(never)]
    fn pass(&self, gaps: &mut Gaps, row: usize, untouched: bool) -> usize {
        let Some(left) = gaps.left.filter(|&left| left > 0) else { return 0 };
        let first = self.map.from[row];
        let most = self.map.from.len().min(row + left as usize);
        let lie = |at: usize| {
            self.map.from[at] == first.wrapping_add((at - row) as u32)
                && !(untouched && self.touched[at])
        };
        let run = (row..most).take_while(|&at| lie(at)).count();
        gaps.left = Some(left - run as u32);
        run
    }

    /// How many rows from `row` on are of tracks that were there and do not differ, up to one that does.
    fn ahead(&self, row: usize, differs: impl Fn(usize, usize) -> bool) -> usize {
        let kept = (row..).zip(&self.map.from[row..]).filter(|(_, from)| **from != NONE);
        kept.take_while(|(row, from)| !differs(*row, **from as usize)).count()
    }

    /// The same of rows of which nothing else changed.
    fn ahead_untouched(&self, row: usize, differs: impl Fn(usize, usize) -> bool) -> usize {
        let rows = (row..).zip(&self.map.from[row..]).zip(&self.touched[row..]);
        let kept = rows.filter(|((_, from), touched)| **from != NONE && !**touched);
        kept.take_while(|((row, from), _)| !differs(*row, **from as usize)).count()
    }
}

/// Codes what turns a shard of `old` into that of `new`; `None` where one of them has not got it, or has more to be told
/// than a delta may hold. O(n·d).
pub fn between(old: &Model, new: &Model, shard: u8) -> Option<Vec<u8>> {
    let (old, next) = (old.part_of(shard)?, new.part_of(shard)?);
    let mut coder = Called(Encoder::default());
    let (from, to) = (old.state()?, next.state()?);
    let made = part(&mut coder, old, Some(next)).ok()?;
    let mut delta = Vec::from(LABEL);
    [FORMAT, shard.into()].iter().for_each(|word| delta.extend(word.to_le_bytes()));
    [from, to, made.check()].iter().for_each(|word| delta.extend(word.to_le_bytes()));
    delta.extend(coder.0.finish());
    Some(delta)
}

/// A delta that was looked at, but not applied.
struct Delta<'a> {
    shard: u8,
    from: u64,
    to: u64,
    check: u64,
    changes: &'a [u8],
}

impl<'a> Delta<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, DeltaError> {
        let (header, changes) = bytes.split_at_checked(HEADER).ok_or(DeltaError::NotADelta)?;
        let (label, words) = header.split_at(LABEL.len());
        if label != LABEL {
            return Err(DeltaError::NotADelta);
        }
        let word = |at: usize| bytemuck::pod_read_unaligned::<u32>(&words[4 * at..][..4]);
        let pair = |at: usize| u64::from(word(at)) | u64::from(word(at + 1)) << u32::BITS;
        if word(0) != FORMAT {
            return Err(DeltaError::Format(word(0)));
        }
        let shard = u8::try_from(word(1)).map_err(|_| DeltaError::NotADelta)?;
        Ok(Self { shard, from: pair(2), to: pair(4), check: pair(6), changes })
    }
}

impl Model {
    /// The digest of what is here of a shard, by which a delta knows what it is for; `None` where it is not here, or where
    /// something came to it after it was made by a delta. O(bytes), and O(1) once a delta made it.
    pub fn state(&self, shard: u8) -> Option<u64> {
        self.part_of(shard)?.state()
    }

    /// The model of the next version, made of this one's shards by `deltas`, one each at most, and of `sections` for
    /// what they do not make. This one stays as it is. O(n·d).
    pub fn patched<S: Into<SectionId>>(
        &self,
        deltas: &[&[u8]],
        sections: impl IntoIterator<Item = (S, Aligned)>,
    ) -> Result<Self, DeltaError> {
        let mut made = Vec::new();
        for bytes in deltas {
            let delta = Delta::read(bytes)?;
            let part = self.part_of(delta.shard).ok_or(DeltaError::Base(delta.shard))?;
            made.push((delta.shard, apply(part, &delta)?));
        }
        Ok(Self::of_parts(made, sections)?)
    }
}

/// Inline, like what else is not generic here, so that it is built where it is called, which in the module is for size.
#[inline]
fn apply(old: &Part, delta: &Delta<'_>) -> Result<Part, DeltaError> {
    if old.state() != Some(delta.from) {
        return Err(DeltaError::Base(delta.shard));
    }
    let mut coder = Called(Decoder::new(delta.changes));
    let mut made = part(&mut coder, old, None)?;
    if !coder.0.is_at_end() {
        return Err(DeltaError::Damaged(SectionKind::Ids));
    }
    if made.check() != delta.check {
        return Err(DeltaError::Digest(delta.shard));
    }
    made.seal(delta.to);
    Ok(made)
}

/// Codes what turns the sections of `old` into those of `next`, and makes them.
#[inline(never)]
fn part<C: Coder>(coder: &mut C, old: &Part, next: Option<&Part>) -> Result<Part, DeltaError> {
    let kind = SectionKind::Ids;
    let mut sections = Sections::default();
    let bytes = fingerprints(coder, old, next).map_err(|fault| fault.at(kind))?;
    let (len, ids, directory) = ids::validate(bytes.as_slice())?;
    let map = Map::between(&old.ids(), &Ids::new(bytes.as_slice(), &directory));
    let map = map.map_err(|fault| fault.at(kind))?;
    sections.put(kind, bytes)?;
    let touched = filled(false, len).map_err(|fault| fault.at(kind))?;
    let mut rows = Rows { map: &map, touched };

    let kind = SectionKind::Factors;
    let shape = Shape { rows: len, dim: 0, ids };
    let (factors, bytes) =
        factor_rows(coder, old, next, shape, &mut rows).map_err(|fault| fault.at(kind))?;
    bytes.map_or(Ok(()), |bytes| sections.put(kind, bytes))?;
    let shape = Shape { dim: factors.dim(), ..shape };

    let mut graphs = [None, None];
    for kind in SectionKind::ALL {
        if matches!(kind, SectionKind::Ids | SectionKind::Factors | SectionKind::Cells)
            || coder.raw(next.is_some_and(|next| next.has(kind)).into(), 1) == 0
        {
            continue;
        }
        let made = match kind {
            SectionKind::Neighbours | SectionKind::Transitions => {
                let graph = &mut graphs[usize::from(kind == SectionKind::Transitions)];
                pairs(coder, kind, (old, next), shape, &mut rows).map(|(read, bytes)| {
                    *graph = Some(read);
                    bytes
                })
            }
            _ => in_place(coder, kind, (old, next), shape, &mut rows).map(Some),
        };
        let bytes = made.map_err(|fault| fault.at(kind))?;
        bytes.map_or(Ok(()), |bytes| sections.put(kind, bytes))?;
    }
    Ok(Part::of(sections, shape, directory, factors, graphs)?)
}

/// Whether a section comes whole, and where it does, its bytes.
#[inline(never)]
fn whole<C: Coder>(
    coder: &mut C,
    kind: SectionKind,
    next: Option<&Part>,
    told: bool,
) -> Result<Option<Aligned>, Fault> {
    if coder.raw((!told).into(), 1) == 0 {
        return Ok(None);
    }
    let bytes = if C::WRITES { next.and_then(|next| next.encoded(kind)) } else { None };
    let bytes = bytes.unwrap_or_default();
    let len = coder.raw(bytes.len() as u32, u32::BITS) as usize;
    let mut section = Vec::new();
    for at in (0..len).step_by(4) {
        let mut word = [0; 4];
        bytes.iter().skip(at).zip(&mut word).for_each(|(byte, to)| *to = *byte);
        section.try_reserve(4).map_err(|_| Fault::Memory)?;
        section.extend(coder.raw(u32::from_le_bytes(word), u32::BITS).to_le_bytes());
        if coder.is_past_end() {
            return Err(Fault::Damaged);
        }
    }
    let mut aligned = Aligned::try_zeroed(len).ok_or(Fault::Memory)?;
    aligned.as_mut_slice().copy_from_slice(&section[..len]);
    Ok(Some(aligned))
}

#[inline(never)]
fn fingerprints<C: Coder>(
    coder: &mut C,
    old: &Part,
    next: Option<&Part>,
) -> Result<Aligned, Fault> {
    let before = old.ids();
    let told = next.is_none_or(|next| next.ids().bits() == before.bits());
    if let Some(bytes) = whole(coder, SectionKind::Ids, next, told)? {
        return Ok(bytes);
    }
    let next = next.map(Part::ids);
    let prints = map::prints(coder, &before, next.as_ref())?;
    Ok(ids::lay_out(before.bits(), &prints).0)
}

#[inline(never)]
fn factor_rows<C: Coder>(
    coder: &mut C,
    old: &Part,
    next: Option<&Part>,
    shape: Shape,
    rows: &mut Rows<'_>,
) -> Result<(Factors, Option<Aligned>), Fault> {
    let before = old.factors();
    let told = next.is_none_or(|next| next.factors().steps() == before.steps());
    if let Some(bytes) = whole(coder, SectionKind::Factors, next, told)? {
        rows.touched.fill(true);
        return Ok((factors::read(bytes.as_slice(), shape)?, Some(bytes)));
    }
    let [low, high] = next.map_or([0; 2], |next| next.factors().section().words());
    let [low, high] = [low, high].map(|word| u64::from(coder.raw(word, u32::BITS)));
    let next = next.map(|next| next.factors().table());
    let (made, sums) = table::table(coder, before.dim(), before.table(), next, rows)?;
    let section = FactorsDigest(low | high << u32::BITS);
    let made = before.changed(made, &sums, section).ok_or(Fault::Memory)?;
    Ok((made, None))
}

#[inline(never)]
fn pairs<C: Coder>(
    coder: &mut C,
    kind: SectionKind,
    (old, next): (&Part, Option<&Part>),
    shape: Shape,
    rows: &mut Rows<'_>,
) -> Result<(Neighbours, Option<Aligned>), Fault> {
    let before = old.graph(kind);
    let after = next.and_then(|next| next.graph(kind));
    let told = match (before, after) {
        (Some(before), Some(after)) => before.weights() == after.weights(),
        (before, _) => before.is_some(),
    };
    if let Some(bytes) = whole(coder, kind, next, told)? {
        return Ok((neighbours::read(kind, bytes.as_slice(), shape)?, Some(bytes)));
    }
    let before = before.ok_or(Fault::Damaged)?;
    Ok((graph::graph(coder, before, after, rows)?, None))
}

/// A section that is read in place.
#[inline(never)]
fn in_place<C: Coder>(
    coder: &mut C,
    kind: SectionKind,
    (old, next): (&Part, Option<&Part>),
    shape: Shape,
    rows: &mut Rows<'_>,
) -> Result<Aligned, Fault> {
    let before = old.sections.get(kind);
    let after = next.and_then(|next| next.sections.get(kind));
    let lens = [rows.map.to.len(), shape.rows];
    let told = match (before, after) {
        (Some(before), Some(after)) if kind == SectionKind::Finished => {
            Finished::new(before).zip(Finished::new(after)).is_some_and(|(before, after)| {
                before.lists() == after.lists() && before.scale() == after.scale()
            })
        }
        (Some(_), Some(_)) if kind == SectionKind::Text => true,
        (Some(before), Some(after)) => plain::is_alike(kind, lens, [before.len(), after.len()]),
        (before, _) => before.is_some(),
    };
    if let Some(bytes) = whole(coder, kind, next, told)? {
        return Ok(bytes);
    }
    let before = before.ok_or(Fault::Damaged)?;
    match kind {
        SectionKind::Text => {
            let before = old.text().ok_or(Fault::Damaged)?;
            let after = next.and_then(Part::text);
            text::names(coder, shape.ids, &before, after.as_ref(), rows)
        }
        SectionKind::Finished => {
            let before = Finished::new(before).ok_or(Fault::Damaged)?;
            let after = after.and_then(Finished::new);
            lists::lists(coder, shape.ids, &before, after.as_ref(), rows)
        }
        _ => plain::section(coder, kind, before, after, rows),
    }
}

impl Part {
    fn has(&self, kind: SectionKind) -> bool {
        self.sections.get(kind).is_some() || self.graph(kind).is_some()
    }

    /// The bytes of a section, coded anew where a delta made it.
    pub(super) fn encoded(&self, kind: SectionKind) -> Option<Cow<'_, [u8]>> {
        if let Some(bytes) = self.sections.get(kind) {
            return Some(Cow::Borrowed(bytes));
        }
        let anew = match kind {
            SectionKind::Factors => Some(self.factors().encoded(self.shape.ids)),
            // None of the others is decoded.
            _ => neighbours::encode_again(self.shape.ids, self.graph(kind)?),
        };
        Some(Cow::Owned(anew?.as_slice().to_vec()))
    }

    /// See [`Model::state`].
    #[inline]
    fn state(&self) -> Option<u64> {
        let known = self.sealed;
        known.or_else(|| self.coded_are_here().then(|| state(self.sections.iter())))
    }

    /// XXH64 of what is here, whether as it was sent or as a delta made it.
    #[inline]
    fn check(&self) -> u64 {
        let mut digest = Xxh64::new(0);
        for kind in SectionKind::ALL {
            match kind {
                SectionKind::Factors => digest.update(&self.factors().digest().to_le_bytes()),
                _ => match (self.graph(kind), self.sections.get(kind)) {
                    (Some(graph), _) => graph.digest(&mut digest),
                    (None, Some(bytes)) => digest.update(bytes),
                    (None, None) => {}
                },
            }
        }
        digest.digest()
    }
}

fn state<'a>(sections: impl Iterator<Item = (SectionKind, &'a [u8])>) -> u64 {
    sections.fold(0, |state, (kind, bytes)| {
        let words = [kind as u64, xxh64(bytes, 0)];
        xxh64(bytemuck::bytes_of(&words), state)
    })
}
