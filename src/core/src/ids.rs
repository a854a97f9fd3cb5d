//! Track ids: the caller's strings outside, rows inside, fingerprints between them.
//!
//! A model never holds an id, only the first bits of its fingerprint ([`crate::model::Ids`] says how
//! many). The rows of a shard are numbered in ascending order of fingerprint.

use xxhash_rust::xxh64::xxh64;

/// The number of the shard in which rows stand for all tracks of a cell, which are not here
/// themselves.
pub const ABSENT: u8 = u8::MAX;

/// Bits of a row that say its place in its shard.
const PLACE_BITS: u32 = 24;

/// A track's place in the model: its shard in the upper 8 bits, its place there, dense from 0, in
/// the other 24. A model that was not split has but one shard, 0, and its rows are plain numbers.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, bytemuck::Pod, bytemuck::Zeroable,
)]
#[repr(transparent)]
pub struct Row(pub u32);

impl Row {
    /// The row at `place`, below 2²⁴, of a shard.
    pub const fn new(shard: u8, place: u32) -> Self {
        Self((shard as u32) << PLACE_BITS | place)
    }

    /// Its shard; [`ABSENT`] where it stands for a cell.
    pub const fn shard(self) -> u8 {
        (self.0 >> PLACE_BITS) as u8
    }

    /// Its place in the shard, for indexing.
    pub const fn index(self) -> usize {
        (self.0 & ((1 << PLACE_BITS) - 1)) as usize
    }

    /// The same place in a shard of which it is to be a row.
    pub const fn of(self, shard: u8) -> Self {
        Self::new(shard, self.index() as u32)
    }

    /// Whether it stands for all absent tracks of a cell.
    pub const fn is_estimate(self) -> bool {
        self.shard() == ABSENT
    }
}

/// The fingerprint of a caller's track id: XXH64 of its UTF-8 bytes with seed 0.
pub fn fingerprint(id: &str) -> u64 {
    xxh64(id.as_bytes(), 0)
}
