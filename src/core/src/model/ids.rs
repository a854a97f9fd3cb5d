//! The `ids` section: a fingerprint for each track, in about 34 bits.
//!
//! `[prefix][low word of each fingerprint u32 × n][buckets in unary u64 × ⌈(n + 2ᵏ)/64⌉]`
//!
//! A track's fingerprint here is the first 32 + k bits of the 64 of [`crate::ids::fingerprint`],
//! k ≥ ⌈log₂ n⌉, and rows go by it, ascending. Its first k bits are its bucket, of which there are
//! thus about as many as tracks; for each bucket in order there is a one bit for each of its tracks
//! and then a zero bit, lowest bits of a word first (Elias, "Efficient Storage and Retrieval by
//! Content and Address of Static Files", 1974; Fano, 1971). k is the prefix's width.
//!
//! A string that is not in the catalogue is mistaken for one that is with probability n·2⁻³²⁻ᵏ, at
//! most 2⁻³². Looking one up takes constant time: the section is read in place, with a directory
//! of half a bit a track beside it.

use alloc::vec::Vec;

use super::{MAX_ROWS, ModelError, Prefix, SectionKind, prefix_of};
use crate::{
    bytes::{Aligned, Reader, Writer},
    ids::Row,
};

const KIND: SectionKind = SectionKind::Ids;
/// Buckets from one entry of the directory to the next.
const STRIDE: usize = 64;
/// Most bits of a bucket's number: with the low word they are all 64 of a fingerprint.
const MAX_BITS: u32 = 32;
/// Bits beyond ⌈log₂ n⌉, at most: each of them halves the odds that two tracks look alike.
const SPARE_BITS: u32 = 8;

/// Which `ids` section the rows of another section are numbered by: XXH64 of its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdsDigest(pub(super) u64);

/// For every 64th bucket the number of tracks before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory(Vec<u32>);

/// Fingerprints, read in place.
#[derive(Clone, Copy, Debug)]
pub struct Ids<'a> {
    bits: u32,
    low: &'a [u32],
    unary: &'a [u64],
    directory: &'a [u32],
}

/// A fingerprint's first bits, at the upper end of the word, and how many they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stem {
    value: u64,
    bits: u32,
}

impl Stem {
    /// The first 32 bits, which every stem has.
    pub const fn first(self) -> u32 {
        (self.value >> u32::BITS) as u32
    }
}

impl<'a> Ids<'a> {
    /// Reads a section that was validated.
    pub(super) fn new(bytes: &'a [u8], directory: &'a Directory) -> Self {
        let mut reader = Reader::new(bytes);
        let (rows, bits) = reader.one().map_or((0, 0), |p: &Prefix| (p.rows as usize, p.width));
        let (low, unary) = arrays(&mut reader, rows, bits).unwrap_or_default();
        Self { bits, low, unary, directory: &directory.0 }
    }

    /// Number of tracks.
    pub const fn len(&self) -> usize {
        self.low.len()
    }

    /// Whether there are none; there always is one.
    pub const fn is_empty(&self) -> bool {
        self.low.is_empty()
    }

    /// The row of a fingerprint of 64 bits. O(1).
    pub fn find(&self, fingerprint: u64) -> Option<Row> {
        let short = fingerprint >> (MAX_BITS - self.bits);
        let bucket = self.bucket((short >> u32::BITS) as usize);
        let found = self.low[bucket.clone()].binary_search(&(short as u32));
        found.ok().map(|at| Row((bucket.start + at) as u32))
    }

    /// The row of the only fingerprint that agrees with `stem` in the bits that both have; none
    /// where there are several.
    pub fn find_stem(&self, stem: Stem) -> Option<Row> {
        let bits = (self.bits + u32::BITS).min(stem.bits);
        let wanted = stem.value >> (u64::BITS - bits);
        // Fewer bits than a bucket's number has name several buckets; all but their low words
        // agree with the stem.
        let missing = self.bits + u32::BITS - bits;
        let first = wanted << missing;
        let last = first | !(u64::MAX << missing);
        let from = self.lower_bound(first);
        let to = match last.checked_add(1) {
            Some(end) if end >> u32::BITS < 1 << self.bits => self.lower_bound(end),
            _ => self.len(),
        };
        (to == from + 1).then_some(Row(from as u32))
    }

    /// What is held of the fingerprint of `row`; of the last row where there is no such row.
    pub fn stem(&self, row: Row) -> Stem {
        let row = row.index().min(self.len() - 1);
        let entry = self.directory.partition_point(|&before| before as usize <= row) - 1;
        let (mut bucket, mut at) = (entry * STRIDE, self.directory[entry] as usize);
        while self.end_of(bucket, at) <= row {
            at = self.end_of(bucket, at);
            bucket += 1;
        }
        let bits = self.bits + u32::BITS;
        let value = (bucket as u64) << u32::BITS | u64::from(self.low[row]);
        Stem { value: value << (u64::BITS - bits), bits }
    }

    /// Bits of a bucket's number, k.
    pub(crate) const fn bits(&self) -> u32 {
        self.bits
    }

    /// The first 32 + k bits of every fingerprint, ascending. O(n).
    pub(crate) fn short(&self) -> impl Iterator<Item = u64> {
        let mut bucket = 0_usize;
        let mut end = self.end_of(0, 0);
        (0..self.len()).map(move |row| {
            while end <= row {
                bucket += 1;
                end = self.end_of(bucket, end);
            }
            (bucket as u64) << u32::BITS | u64::from(self.low[row])
        })
    }

    /// Tracks whose fingerprints, of 32 + k bits, are below `fingerprint`.
    fn lower_bound(&self, fingerprint: u64) -> usize {
        let bucket = self.bucket((fingerprint >> u32::BITS) as usize);
        let low = fingerprint as u32;
        bucket.start + self.low[bucket].partition_point(|&other| other < low)
    }

    /// The rows of a bucket.
    fn bucket(&self, bucket: usize) -> core::ops::Range<usize> {
        let start = self.start_of(bucket);
        start..self.end_of(bucket, start)
    }

    /// The first row of a bucket: the ones before the end of the bucket before it.
    fn start_of(&self, bucket: usize) -> usize {
        let entry = bucket / STRIDE;
        let before = self.directory[entry] as usize;
        let mut zeros = bucket - entry * STRIDE;
        let mut at = before + entry * STRIDE;
        while zeros > 0 {
            // Zeros of the rest of this word, as ones.
            let word = !self.unary[at / 64] >> (at % 64);
            let rest = 64 - at % 64;
            let word = if rest < 64 { word & !(u64::MAX << rest) } else { word };
            let count = word.count_ones() as usize;
            if count >= zeros {
                at += select(word, zeros - 1) + 1;
                break;
            }
            zeros -= count;
            at += rest;
        }
        at - bucket
    }

    /// One beyond the last row of a bucket that starts at row `start`.
    fn end_of(&self, bucket: usize, start: usize) -> usize {
        let mut at = start + bucket;
        loop {
            let ones = (self.unary[at / 64] >> (at % 64)).trailing_ones() as usize;
            let rest = 64 - at % 64;
            at += ones.min(rest);
            if ones < rest {
                return at - bucket;
            }
        }
    }
}

/// The place of the one bit of `word` that has `before` one bits below it.
fn select(mut word: u64, before: usize) -> usize {
    for _ in 0..before {
        word &= word - 1;
    }
    word.trailing_zeros() as usize
}

fn arrays<'a>(reader: &mut Reader<'a>, rows: usize, bits: u32) -> Option<(&'a [u32], &'a [u64])> {
    let low = reader.array(rows)?;
    let buckets = 1_usize.checked_shl(bits)?;
    Some((low, reader.array(rows.checked_add(buckets)?.div_ceil(64))?))
}

/// [`encode`] with k bits as `beside` them, where these are enough: fingerprints then stay as they are.
pub(super) fn encode_beside(fingerprints: &[u64], beside: u32) -> (Aligned, IdsDigest) {
    let least = fingerprints.len().next_power_of_two().ilog2();
    encode(fingerprints, beside.saturating_sub(least).min(SPARE_BITS))
}

/// Lays out the section for `fingerprints`, which must ascend strictly. k is the smallest number
/// of bits that tells them apart, or `spare` more than it takes at the least.
pub(super) fn encode(fingerprints: &[u64], spare: u32) -> (Aligned, IdsDigest) {
    let least = fingerprints.len().next_power_of_two().ilog2() + spare;
    let told_apart = |&bits: &u32| {
        let cut = MAX_BITS - bits;
        fingerprints.is_sorted_by(|a, b| a >> cut < b >> cut)
    };
    let bits = (least..=least + SPARE_BITS - spare).find(told_apart).unwrap_or(least);
    let short: Vec<u64> = fingerprints.iter().map(|print| print >> (MAX_BITS - bits)).collect();
    lay_out(bits, &short)
}

/// Lays out the section for the first 32 + `bits` bits of fingerprints, which ascend strictly.
pub(crate) fn lay_out(bits: u32, short: &[u64]) -> (Aligned, IdsDigest) {
    let low: Vec<u32> = short.iter().map(|&fingerprint| fingerprint as u32).collect();
    let mut unary = alloc::vec![0_u64; (low.len() + (1 << bits)).div_ceil(64)];
    for (row, fingerprint) in short.iter().enumerate() {
        let at = row + (fingerprint >> u32::BITS) as usize;
        unary[at / 64] |= 1 << (at % 64);
    }
    let digest = digest(&low, &unary);
    let mut writer = Writer::default();
    writer.array(&[Prefix { rows: low.len() as u32, width: bits, ids: digest }]);
    writer.array(&low).array(&unary);
    (writer.finish(), IdsDigest(digest))
}

fn digest(low: &[u32], unary: &[u64]) -> u64 {
    use xxhash_rust::xxh64::xxh64;
    xxh64(bytemuck::cast_slice(unary), xxh64(bytemuck::cast_slice(low), 0))
}

/// Checks the section and makes its directory. O(n).
pub(super) fn validate(bytes: &[u8]) -> Result<(usize, IdsDigest, Directory), ModelError> {
    let mut reader = Reader::new(bytes);
    let Prefix { rows, width: bits, ids } = *prefix_of(KIND, &mut reader)?;
    let rows = rows as usize;
    let least = rows.next_power_of_two().ilog2();
    if !(1..=MAX_ROWS).contains(&rows) || !(least..=least + SPARE_BITS).contains(&bits) {
        return Err(ModelError::Limit(KIND));
    }
    let (low, unary) = arrays(&mut reader, rows, bits).ok_or(ModelError::Shape(KIND))?;
    if !reader.is_empty() {
        return Err(ModelError::Shape(KIND));
    }
    if digest(low, unary) != ids {
        return Err(ModelError::Checksum(KIND));
    }
    let directory =
        walk(low, unary, 1 << bits).ok_or(ModelError::value(KIND, "fingerprints do not ascend"))?;
    Ok((rows, IdsDigest(ids), directory))
}

/// Goes through all buckets once. `None` unless there are just as many as there ought to be, with
/// as many tracks, ascending in each, and nothing after them.
fn walk(low: &[u32], unary: &[u64], buckets: usize) -> Option<Directory> {
    let mut directory = Vec::with_capacity(buckets.div_ceil(STRIDE));
    let (mut bucket, mut row) = (0, 0);
    let mut ascends = true;
    for (index, &word) in unary.iter().enumerate() {
        let mut at = 0;
        while at < 64 && bucket < buckets {
            if bucket == directory.len() * STRIDE {
                directory.push(row as u32);
            }
            let ones = ((word >> at).trailing_ones() as usize).min(64 - at);
            // The first of these stands in its bucket alone or goes on where the last word ended.
            let from =
                if at == 0 && index > 0 && unary[index - 1] >> 63 == 1 { row - 1 } else { row };
            let run = low.get(from..row + ones)?;
            ascends &= run.is_sorted_by(|a, b| a < b);
            row += ones;
            at += ones;
            if at < 64 {
                bucket += 1;
                at += 1;
            }
        }
        if at < 64 && word >> at != 0 {
            return None;
        }
    }
    (ascends && bucket == buckets && row == low.len()).then_some(Directory(directory))
}
