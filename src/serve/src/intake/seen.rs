//! Which events were taken in before: keys of the last ones, in memory.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// Keys that a table of 2^20 places holds before it grows.
pub(super) const DEFAULT: usize = (1 << 20) / 8 * 7;

/// What tells an event from others: 64 bits of a keyed hash of its listener and its id. Of two million remembered, one in
/// 10^13 others would be taken for one of them.
pub(super) type Key = u64;

/// The keys of at least the last `of` events and of at most twice as many. When the newer generation is full the older one
/// goes, so that memory does not grow and nothing is moved.
#[derive(Debug)]
pub(super) struct Seen {
    newer: Keys,
    older: Keys,
    of: usize,
}

type Keys = HashSet<Key, BuildHasherDefault<Already>>;

impl Seen {
    pub(super) fn new(of: usize) -> Self {
        Self { newer: Keys::default(), older: Keys::default(), of: of.max(1) }
    }

    /// Adds a key; false where it is there.
    pub(super) fn insert(&mut self, key: Key) -> bool {
        if self.older.contains(&key) || !self.newer.insert(key) {
            return false;
        }
        if self.newer.len() >= self.of {
            std::mem::swap(&mut self.newer, &mut self.older);
            self.newer.clear();
        }
        true
    }

    /// Takes back a key that was just added.
    pub(super) fn remove(&mut self, key: Key) {
        if !self.newer.remove(&key) {
            self.older.remove(&key);
        }
    }

    /// How many keys at most are worth reading back after a restart.
    pub(super) const fn most(&self) -> usize {
        2 * self.of
    }
}

/// A key is a hash already.
#[derive(Default)]
struct Already(u64);

impl Hasher for Already {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_least_so_many_are_remembered_and_at_most_twice_as_many() {
        let mut seen = Seen::new(100);
        for key in 0..1000 {
            assert!(seen.insert(key));
            let oldest = (key + 1).saturating_sub(100);
            assert!((oldest..=key).all(|key| !seen.insert(key)), "at {key}");
            assert!(seen.newer.len() + seen.older.len() <= 200);
        }
        assert!(seen.insert(0), "what is long ago is forgotten");
    }

    #[test]
    fn what_could_not_be_written_is_not_remembered() {
        let mut seen = Seen::new(2);
        for key in 0..5 {
            assert!(seen.insert(key));
            seen.remove(key);
            assert!(seen.insert(key), "{key}");
        }
    }
}
