//! A static function: from keys to values of a few bits, without the keys.
//!
//! Each key names four slots, and its value is what these hold, exclusive-or'ed together; the slots
//! were chosen so when the function was made, for all keys at once (the binary fuse construction of
//! Graf and Lemire, "Binary Fuse Filters: Fast and Smaller Than Xor Filters", 2022, used as the
//! retrieval structure of Dietzfelbinger and Pagh, 2008). It costs 1.08 slots a key where keys are
//! many. A key that it was not made of gets a value all the same.

use alloc::{vec, vec::Vec};

/// Slots that a key names.
const ARITY: usize = 4;
/// Widest value, in bits: two words hold any of them wherever it starts.
pub const MAX_BITS: u32 = 32;
/// Largest segment, so that three places in one fit the low bits of a hash.
const MAX_SEGMENT_BITS: u32 = 14;
/// Seeds that are tried. One fails by chance for less than one set of keys in two.
const SEEDS: u64 = 64;

/// How the slots are laid out: in segments of equal length, of which a key names one slot in each
/// of four that follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Base-2 logarithm of the length of a segment, at most 14.
    pub segment_bits: u32,
    /// In how many segments the first slot of a key may lie, at least 1.
    pub starts: u32,
    /// Bits of a value, 1 to 32.
    pub bits: u32,
}

impl Layout {
    /// The layout for so many keys.
    pub fn of(keys: usize, bits: u32) -> Self {
        let n = keys.max(2) as f64;
        let segment_bits = libm::floor(libm::log(n) / libm::log(2.91) - 0.5).max(0.0) as u32;
        let segment_bits = segment_bits.min(MAX_SEGMENT_BITS);
        let room = (0.77 + 0.305 * libm::log(600_000.0) / libm::log(n)).max(1.075);
        let segments = libm::ceil(n * room / f64::from(1_u32 << segment_bits)) as u32;
        Self { segment_bits, starts: segments.saturating_sub(ARITY as u32 - 1).max(1), bits }
    }

    /// Number of slots; `None` where the layout is none.
    fn slots(self) -> Option<usize> {
        let sound = self.segment_bits <= MAX_SEGMENT_BITS
            && (1..=MAX_BITS).contains(&self.bits)
            && self.starts > 0;
        let segments = (self.starts as usize).checked_add(ARITY - 1)?;
        sound.then_some(segments)?.checked_mul(1 << self.segment_bits)
    }

    /// Number of words that hold them; `None` where the layout is none.
    pub fn words(self) -> Option<usize> {
        // One more, so that two words can be read wherever a slot starts.
        self.slots()?.checked_mul(self.bits as usize)?.div_ceil(64).checked_add(1)
    }

    /// The slots that a key names.
    fn slots_of(self, hash: u64) -> [usize; ARITY] {
        let mask = (1_u64 << self.segment_bits) - 1;
        let range = u64::from(self.starts) << self.segment_bits;
        // The upper word picks the first slot, the lower bits the places in the segments after it.
        let first = ((hash >> u32::BITS) * range) >> u32::BITS;
        let mut slots = [first as usize; ARITY];
        for (at, slot) in slots.iter_mut().enumerate().skip(1) {
            let start = ((first >> self.segment_bits) + at as u64) << self.segment_bits;
            let within = (first ^ (hash >> (MAX_SEGMENT_BITS * (at as u32 - 1)))) & mask;
            *slot = (start | within) as usize;
        }
        slots
    }
}

/// A function that was made, read in place.
#[derive(Clone, Copy, Debug)]
pub struct Retrieval<'a> {
    layout: Layout,
    seed: u64,
    words: &'a [u64],
}

impl<'a> Retrieval<'a> {
    /// Reads `words`, of which there must be as many as the layout has.
    pub fn new(layout: Layout, seed: u64, words: &'a [u64]) -> Option<Self> {
        (layout.words()? == words.len()).then_some(Self { layout, seed, words })
    }

    /// The value of a key; any value where the function was not made of it. O(1).
    pub fn get(&self, key: u64) -> u32 {
        let slots = self.layout.slots_of(mix(key, self.seed));
        slots.into_iter().fold(0, |value, slot| value ^ self.slot(slot))
    }

    fn slot(&self, slot: usize) -> u32 {
        let at = slot * self.layout.bits as usize;
        let low = u128::from(self.words[at / 64]);
        let both = low | u128::from(self.words[at / 64 + 1]) << 64;
        (both >> (at % 64)) as u32 & mask(self.layout.bits)
    }
}

/// Makes the function that gives each of `keys` its value among `values`, and says which seed it
/// took. `None` where a key is there twice. O(n).
pub fn build(layout: Layout, keys: &[u64], values: &[u32]) -> Option<(u64, Vec<u64>)> {
    let slots = layout.slots()?;
    (0..SEEDS).find_map(|seed| {
        let hashes: Vec<u64> = keys.iter().map(|&key| mix(key, seed)).collect();
        let order = peel(layout, slots, &hashes)?;
        let mut words = vec![0; layout.words()?];
        // Each key is given its value by the slot that was its own when it was taken away: those
        // taken away later have theirs already.
        for (key, own) in order.into_iter().rev() {
            let others = Retrieval { layout, seed, words: &words };
            let value = values[key] & mask(layout.bits) ^ others.get(keys[key]);
            let at = own * layout.bits as usize;
            let placed = u128::from(value) << (at % 64);
            words[at / 64] ^= placed as u64;
            words[at / 64 + 1] ^= (placed >> 64) as u64;
        }
        Some((seed, words))
    })
}

/// Takes away keys that have a slot to themselves until none is left: which one, and its slot.
fn peel(layout: Layout, slots: usize, hashes: &[u64]) -> Option<Vec<(usize, usize)>> {
    // The number of keys of each slot, and their numbers exclusive-or'ed together.
    let mut count = vec![0_u32; slots];
    let mut keys = vec![0_usize; slots];
    for (key, &hash) in hashes.iter().enumerate() {
        for slot in layout.slots_of(hash) {
            count[slot] += 1;
            keys[slot] ^= key;
        }
    }
    let mut alone: Vec<usize> = (0..slots).filter(|&slot| count[slot] == 1).collect();
    let mut order = Vec::with_capacity(hashes.len());
    while let Some(own) = alone.pop() {
        if count[own] != 1 {
            continue;
        }
        let key = keys[own];
        order.push((key, own));
        for slot in layout.slots_of(hashes[key]) {
            count[slot] -= 1;
            keys[slot] ^= key;
            if count[slot] == 1 {
                alone.push(slot);
            }
        }
    }
    (order.len() == hashes.len()).then_some(order)
}

const fn mask(bits: u32) -> u32 {
    u32::MAX >> (u32::BITS - bits)
}

/// The finaliser of SplitMix64 over key and seed: every bit of the key moves every bit.
pub const fn mix(key: u64, seed: u64) -> u64 {
    let mut z = key.wrapping_add(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
