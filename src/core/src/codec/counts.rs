//! Frequencies that are summed as they change.

use alloc::vec::Vec;

/// How often each of several symbols was seen, summed in a tree (Fenwick, "A New Data Structure for
/// Cumulative Frequency Tables", 1994). Every operation is O(log n).
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    each: Vec<u32>,
    sums: Vec<u32>,
    total: u32,
}

impl Counts {
    /// `len` symbols, each seen once; `None` where there is no memory for them. O(n).
    pub fn uniform(len: usize) -> Option<Self> {
        let mut each = Vec::new();
        each.try_reserve_exact(len).ok()?;
        each.resize(len, 1);
        Self::seen(each)
    }

    /// Symbols of which each was seen so often; `None` where there is no memory for them. O(n).
    pub fn seen(each: Vec<u32>) -> Option<Self> {
        let mut sums = Vec::new();
        sums.try_reserve_exact(each.len()).ok()?;
        sums.extend_from_slice(&each);
        let mut total = 0;
        for at in 1..=each.len() {
            total += each[at - 1];
            let sum = sums[at - 1];
            if let Some(wider) = sums.get_mut(at + lowest(at) - 1) {
                *wider += sum;
            }
        }
        Some(Self { each, sums, total })
    }

    /// Makes room for `more` symbols, where there is any.
    pub fn reserve(&mut self, more: usize) -> Option<()> {
        self.each.try_reserve_exact(more).ok()?;
        self.sums.try_reserve_exact(more).ok()
    }

    /// Number of symbols.
    pub fn len(&self) -> usize {
        self.each.len()
    }

    /// How often `which` was seen.
    pub fn of(&self, which: usize) -> u32 {
        self.each[which]
    }

    pub fn is_empty(&self) -> bool {
        self.sums.is_empty()
    }

    pub fn total(&self) -> u32 {
        self.total
    }

    /// Takes in a new symbol, seen once.
    pub fn push(&mut self) {
        let at = self.sums.len() + 1;
        let covered = self.before(at - 1) - self.before(at - lowest(at));
        self.sums.push(covered + 1);
        self.each.push(1);
        self.total += 1;
    }

    /// Counts the symbol `which` so many times more.
    pub fn add(&mut self, which: usize, times: u32) {
        self.each[which] += times;
        let mut at = which + 1;
        while let Some(sum) = self.sums.get_mut(at - 1) {
            *sum += times;
            at += lowest(at);
        }
        self.total += times;
    }

    /// How often all symbols before `which` were seen.
    pub fn before(&self, which: usize) -> u32 {
        let (mut at, mut sum) = (which, 0);
        while at > 0 {
            sum += self.sums[at - 1];
            at -= lowest(at);
        }
        sum
    }

    /// Whose share holds `number` < total, and where it starts.
    pub fn at(&self, number: u32) -> (usize, u32) {
        let (mut at, mut from, mut step) = (0, 0, self.sums.len().next_power_of_two());
        while step > 0 {
            if let Some(&sum) = self.sums.get(at + step - 1)
                && from + sum <= number
            {
                at += step;
                from += sum;
            }
            step /= 2;
        }
        (at, from)
    }
}

/// The lowest bit that is set in `at` > 0.
const fn lowest(at: usize) -> usize {
    at & at.wrapping_neg()
}
