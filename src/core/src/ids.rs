//! Track ids: the caller's strings outside, dense rows inside, fingerprints between them.
//!
//! A model never holds an id, only the first bits of its fingerprint ([`crate::model::Ids`] says how
//! many). Rows are numbered in ascending order of fingerprint.

use xxhash_rust::xxh64::xxh64;

/// A track's place in the model, dense from 0.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, bytemuck::Pod, bytemuck::Zeroable,
)]
#[repr(transparent)]
pub struct Row(pub u32);

impl Row {
    /// For indexing.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The fingerprint of a caller's track id: XXH64 of its UTF-8 bytes with seed 0.
pub fn fingerprint(id: &str) -> u64 {
    xxh64(id.as_bytes(), 0)
}
