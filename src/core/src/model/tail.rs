//! The rest of a catalogue that was split: the `shards` and `cells` sections, and the shards that
//! are here.
//!
//! A large catalogue is split by popularity and taste. The most popular tracks are the head, shard
//! 0, and every taste cluster c has its other tracks in shard c + 1. Those of one cluster that are
//! about as popular as each other are a cell. A page needs the head to start, and then the shards
//! near its listener; a track whose shard is not here is placed by the mean factor of its cell.
//!
//! `shards`: which shards there are and what stands for them. It names the sections of each by
//! digest, so that those of another version are refused.
//!
//! ```text
//! [prefix: shards, cells, XXH64 of the head's fingerprints]
//! [unit u32, shift u32, zero u32 × 2]
//! [tracks u32, zero u32, XXH64 of the fingerprints u64, XXH64 of the factors section u64 × shards]
//! [shard of each cell u8 × cells]
//! [a factors section: the mean factor of each cell to whole steps, then what is left of each in
//!  steps of 1/128]
//! ```
//!
//! A shard without tracks has no sections. The few tracks of the head are so much larger than the many
//! others that one byte would not hold both in the same steps: a code of the head counts 2^shift of the
//! steps of the shards and of the means.
//!
//! `cells`: the cell of each track of the tail, by the fingerprint of its id, as a
//! [`crate::retrieval`] structure.
//!
//! ```text
//! [prefix: tracks, cells, XXH64 of the `shards` section]
//! [seed u64, bits of a segment u32, starts u32, bits of a value u32, zero u32 × 3]
//! [slots u64 × words]
//! ```
//!
//! The low bits of a value are the cell; the others check the fingerprint, so that with c of them a
//! string outside the catalogue is taken for an absent track with probability 2⁻ᶜ; once the shard is
//! here its own fingerprints decide.

use alloc::vec::Vec;
use bytemuck::{Pod, Zeroable};
use xxhash_rust::xxh64::xxh64;

use super::{
    Factors, FactorsDigest, IdsDigest, MAX_CELLS, MAX_SHARDS, ModelError, Prefix, SectionKind,
    Shape, encode_factors, factors,
    part::{Part, Sections},
    prefix,
};
use crate::{
    bytes::{Aligned, Reader, Writer},
    ids::{ABSENT, Row},
    kernel::MAX_SHIFT,
    retrieval::{self, Layout, Retrieval, mix},
};

/// What one shard is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
struct Entry {
    tracks: u32,
    zero: u32,
    ids: u64,
    factors: u64,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Limits {
    /// Largest unit of the sketches of any part.
    unit: u32,
    /// A code of the head counts 2 to this of the others' steps.
    shift: u32,
    zeros: [u32; 2],
}

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct Function {
    seed: u64,
    segment_bits: u32,
    starts: u32,
    bits: u32,
    zeros: [u32; 3],
}

impl Function {
    const fn layout(&self) -> Layout {
        Layout { segment_bits: self.segment_bits, starts: self.starts, bits: self.bits }
    }
}

/// What there is beside the head, and as much of it as is here.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    entries: Vec<Entry>,
    /// The shard of each cell, from 1.
    shard_of: Vec<u8>,
    /// Two rows a cell: see [`Tail::mean`].
    means: Factors,
    unit: u16,
    shift: u32,
    /// XXH64 of the `shards` section.
    digest: u64,
    /// The `cells` section, once it is here.
    cells: Option<Aligned>,
    /// Shard s is at s − 1, once it is here.
    parts: Vec<Option<Part>>,
}

impl Tail {
    /// Reads the `shards` section that goes with `head`.
    pub fn read(bytes: &[u8], head: &Part) -> Result<Self, ModelError> {
        const KIND: SectionKind = SectionKind::Shards;
        let mut reader = Reader::new(bytes);
        let Prefix { rows, width, ids } = *super::prefix_of(KIND, &mut reader)?;
        let (shards, cells) = (rows as usize, width as usize);
        if ids != head.shape.ids.0 {
            return Err(ModelError::Mixed(KIND));
        }
        if !(1..=MAX_SHARDS).contains(&shards) || !(1..=MAX_CELLS).contains(&cells) {
            return Err(ModelError::Limit(KIND));
        }
        let limits: Limits = *reader.one().ok_or(ModelError::Shape(KIND))?;
        let entries: &[Entry] = reader.array(shards).ok_or(ModelError::Shape(KIND))?;
        let shard_of: &[u8] = reader.array(cells).ok_or(ModelError::Shape(KIND))?;
        if shard_of.iter().any(|&shard| shard == 0 || usize::from(shard) > shards) {
            return Err(ModelError::value(KIND, "a cell is in a shard that does not exist"));
        }
        let shape = Shape { rows: 2 * cells, dim: head.shape.dim, ids: head.shape.ids };
        let means = factors::read(reader.rest(), shape)?;
        let Limits { unit, shift, .. } = limits;
        let count = if shift > MAX_SHIFT { 0.0 } else { (1 << shift) as f32 };
        if !head.factors().steps().iter().zip(means.steps()).all(|(h, step)| *h == step * count) {
            return Err(ModelError::value(KIND, "the steps are not the head's"));
        }
        let unit = u16::try_from(unit).unwrap_or(u16::MAX);
        // 127 · 16 is the length of 241 codes of 127, the longest rest of a row.
        if unit > 16 || head.factors().sketch().unit() > unit {
            return Err(ModelError::value(KIND, "a row is longer than the longest"));
        }
        Ok(Self {
            entries: entries.to_vec(),
            shard_of: shard_of.to_vec(),
            means,
            unit,
            shift,
            digest: xxh64(bytes, 0),
            cells: None,
            parts: core::iter::repeat_with(|| None).take(shards).collect(),
        })
    }

    /// Takes in the `cells` section.
    pub fn add_cells(&mut self, bytes: Aligned) -> Result<(), ModelError> {
        const KIND: SectionKind = SectionKind::Cells;
        if self.cells.is_some() {
            return Err(ModelError::Duplicate(KIND));
        }
        let ids = IdsDigest(self.digest);
        let shape = Shape { rows: self.tracks(), dim: 0, ids };
        let cells = self.shard_of.len();
        let (_, mut reader) = prefix(KIND, bytes.as_slice(), shape, cells..=cells)?;
        let function: Function = *reader.one().ok_or(ModelError::Shape(KIND))?;
        let words = function.layout().words().ok_or(ModelError::Limit(KIND))?;
        let slots: Option<&[u64]> = reader.array(words);
        if slots.is_none() || !reader.is_empty() {
            return Err(ModelError::Shape(KIND));
        }
        if function.bits < cell_bits(cells) {
            return Err(ModelError::Limit(KIND));
        }
        self.cells = Some(bytes);
        Ok(())
    }

    /// Takes in shard `number`, whose sections must be the ones that the `shards` section names.
    pub fn add(&mut self, number: u8, sections: Sections) -> Result<(), ModelError> {
        let at = usize::from(number).wrapping_sub(1);
        if at >= self.entries.len() {
            return Err(ModelError::Limit(SectionKind::Shards));
        }
        if self.cells.is_none() {
            return Err(ModelError::Missing(SectionKind::Cells));
        }
        if self.parts[at].is_some() {
            return Err(ModelError::Duplicate(SectionKind::Ids));
        }
        self.put(number, Part::read(sections)?)
    }

    /// Takes in shard `number`, which must be the one that the `shards` section names.
    pub fn put(&mut self, number: u8, part: Part) -> Result<(), ModelError> {
        let at = usize::from(number).wrapping_sub(1);
        let entry = *self.entries.get(at).ok_or(ModelError::Limit(SectionKind::Shards))?;
        let found = Entry {
            tracks: part.shape.rows as u32,
            zero: 0,
            ids: part.shape.ids.0,
            factors: part.factors().section().0,
        };
        if found.ids != entry.ids || found.tracks != entry.tracks {
            return Err(ModelError::Mixed(SectionKind::Ids));
        }
        if found != entry || part.factors().steps() != self.means.steps() {
            return Err(ModelError::Mixed(SectionKind::Factors));
        }
        if part.factors().sketch().unit() > self.unit {
            return Err(ModelError::value(
                SectionKind::Factors,
                "a row is longer than the longest",
            ));
        }
        self.parts[at] = Some(part);
        Ok(())
    }

    /// Tracks beside the head, here or not.
    pub fn tracks(&self) -> usize {
        self.entries.iter().map(|entry| entry.tracks as usize).sum()
    }

    /// A shard that is here.
    pub fn part(&self, number: u8) -> Option<&Part> {
        self.parts.get(usize::from(number).wrapping_sub(1))?.as_ref()
    }

    /// The shards that are here, with their numbers.
    pub fn parts(&self) -> impl Iterator<Item = (u8, &Part)> {
        (1..).zip(&self.parts).filter_map(|(number, part)| Some((number, part.as_ref()?)))
    }

    /// Whether shard `number` has tracks that are not here.
    pub fn is_absent(&self, number: u8) -> bool {
        let entry = self.entries.get(usize::from(number).wrapping_sub(1));
        entry.is_some_and(|entry| entry.tracks > 0) && self.part(number).is_none()
    }

    /// Takes a shard's text or clusters in after the rest.
    pub fn part_mut(&mut self, number: u8) -> Option<&mut Part> {
        self.parts.get_mut(usize::from(number).wrapping_sub(1))?.as_mut()
    }

    /// The codes of the mean factor of a cell, in whole steps, and of what is left of it, in steps of
    /// 2⁻⁷; `None` where there is no such cell.
    pub fn mean(&self, cell: usize) -> Option<[&[i8]; 2]> {
        let rows = [cell, cell + self.shard_of.len()];
        (cell < self.shard_of.len()).then(|| rows.map(|row| self.means.row(Row(row as u32))))
    }

    /// The shard of each cell.
    pub fn shard_of(&self) -> &[u8] {
        &self.shard_of
    }

    /// Largest unit of the sketches of any part.
    pub const fn unit(&self) -> u16 {
        self.unit
    }

    /// The steps that codes count here.
    pub fn steps(&self) -> &[f32] {
        self.means.steps()
    }

    /// A code of the head counts 2 to this of them.
    pub const fn shift(&self) -> u32 {
        self.shift
    }

    /// The `cells` section, where it is here.
    pub fn cells(&self) -> Option<&[u8]> {
        self.cells.as_ref().map(Aligned::as_slice)
    }

    /// The row of a fingerprint that the head does not have: a track's own where its shard is here,
    /// else that of its cell. `None` where there is no such track, or the `cells` are not here.
    pub fn row(&self, fingerprint: u64) -> Option<Row> {
        let mut reader = Reader::new(self.cells()?);
        let _: &Prefix = reader.one()?;
        let function: Function = *reader.one()?;
        let words = reader.array(function.layout().words()?)?;
        let value = Retrieval::new(function.layout(), function.seed, words)?.get(fingerprint);
        let bits = cell_bits(self.shard_of.len());
        let cell = value & ((1 << bits) - 1);
        let shard = *self.shard_of.get(cell as usize)?;
        if value >> bits != check(fingerprint, function.bits - bits) {
            return None;
        }
        match self.part(shard) {
            Some(part) => part.ids().find(fingerprint).map(|row| row.of(shard)),
            None => Some(Row::new(ABSENT, cell)),
        }
    }
}

/// Bits that tell so many cells apart.
const fn cell_bits(cells: usize) -> u32 {
    usize::BITS - (cells - 1).leading_zeros()
}

/// `bits` bits of a fingerprint that have nothing to do with where its slots are.
const fn check(fingerprint: u64, bits: u32) -> u32 {
    (mix(fingerprint, u64::MAX >> 1) >> u32::BITS) as u32 & (((1_u64 << bits) - 1) as u32)
}

/// A code of what is left of a cell's mean counts 2⁻⁷ steps.
pub const FINE_BITS: u32 = 7;

/// A shard as the `shards` section names it: its number of tracks, its ids and its `factors` section;
/// `None` stands for one without tracks.
pub(super) type Named = Option<(usize, IdsDigest, FactorsDigest)>;

/// Lays out the `shards` section. Cell c belongs to shard `shard_of[c]`, from 1, and has the mean factor `means[c]`,
/// `steps.len()` reals; `unit` is the largest of any sketch, and a code of the head counts 2^`shift`
/// steps.
pub(super) fn encode_shards(
    head: IdsDigest,
    steps: &[f32],
    shards: &[Named],
    shard_of: &[u8],
    means: &[f32],
    unit: u16,
    shift: u32,
) -> Aligned {
    let entry = |named: &Named| {
        named.map_or(Entry::zeroed(), |(tracks, ids, factors)| Entry {
            tracks: tracks as u32,
            zero: 0,
            ids: ids.0,
            factors: factors.0,
        })
    };
    let entries: Vec<Entry> = shards.iter().map(entry).collect();
    let whole = factors::quantise(means, steps);
    let left = means.iter().zip(&whole).enumerate().map(|(at, (mean, &code))| {
        (mean - f32::from(code) * steps[at % steps.len()]) * (1 << FINE_BITS) as f32
    });
    let left = factors::quantise(&left.collect::<Vec<_>>(), steps);
    let means = encode_factors(head, steps, &[whole, left].concat());
    let mut writer = Writer::default();
    writer.array(&[Prefix {
        rows: shards.len() as u32,
        width: shard_of.len() as u32,
        ids: head.0,
    }]);
    writer.array(&[Limits { unit: unit.into(), shift, zeros: [0; 2] }]);
    writer.array(&entries).array(shard_of).array(means.as_slice());
    writer.finish()
}

/// Lays out the `cells` section that goes with the section `shards`: the cell of each fingerprint of
/// the tail, with `check_bits` bits that check it. `None` where a fingerprint is there twice.
pub(super) fn encode_cells(
    shards: &[u8],
    cells: usize,
    fingerprints: &[u64],
    cell_of: &[u32],
    check_bits: u32,
) -> Option<Aligned> {
    let bits = cell_bits(cells);
    let layout = Layout::of(fingerprints.len(), bits + check_bits);
    let value = |(&fingerprint, &cell): (&u64, &u32)| cell | check(fingerprint, check_bits) << bits;
    let values: Vec<u32> = fingerprints.iter().zip(cell_of).map(value).collect();
    let (seed, slots) = retrieval::build(layout, fingerprints, &values)?;
    let Layout { segment_bits, starts, bits } = layout;
    let mut writer = Writer::default();
    let rows = fingerprints.len() as u32;
    writer.array(&[Prefix { rows, width: cells as u32, ids: xxh64(shards, 0) }]);
    writer.array(&[Function { seed, segment_bits, starts, bits, zeros: [0; 3] }]);
    writer.array(&slots);
    Some(writer.finish())
}
