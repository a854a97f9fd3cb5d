//! Track ids: the caller's strings outside, dense rows inside, fingerprints between them.
//!
//! A model never holds an id, only its 64-bit fingerprint (XXH64, seed 0). Rows are numbered in
//! ascending order of fingerprint. The chance that a string which is not in a catalogue of `n`
//! tracks is taken for one that is, is n·2⁻⁶⁴: 2⁻⁴⁴ for a million tracks.

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

/// The row of `fingerprint` in `sorted`. Interpolation search: fingerprints are uniform, so the
/// expected cost is O(log log n), and bisection bounds the worst case.
pub fn find(sorted: &[u64], fingerprint: u64) -> Option<Row> {
    let (mut low, mut high) = (0, sorted.len());
    let mut guess = scale(fingerprint, sorted.len());
    // Each probe moves at most this far from the bracket's edge before bisection takes over.
    let mut step = 8;
    while low < high {
        let probe = guess.clamp(low, high - 1);
        match sorted[probe].cmp(&fingerprint) {
            core::cmp::Ordering::Equal => return u32::try_from(probe).ok().map(Row),
            core::cmp::Ordering::Less => {
                low = probe + 1;
                guess = probe.saturating_add(step).min(low + (high - low) / 2);
            }
            core::cmp::Ordering::Greater => {
                high = probe;
                guess = probe.saturating_sub(step).max(low + (high - low) / 2);
            }
        }
        step = step.saturating_mul(8);
    }
    None
}

/// Where a uniform 64-bit number falls among `len` places.
fn scale(value: u64, len: usize) -> usize {
    ((u128::from(value) * len as u128) >> 64) as usize
}
