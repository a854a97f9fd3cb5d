//! The best of a catalogue: every row that may be among them is looked at, and as few others as
//! possible.

use alloc::vec::Vec;

use super::{BLOCK_ROWS, Place, Query, SKETCH, Shelf, Table, best, dot, reach, seek};
use crate::ids::Row;

/// Rows of a span: how far a search goes before it looks back on what the sketches were worth. They
/// stay in the innermost cache while several searches go over them.
const SPAN: usize = 64 * BLOCK_ROWS;
/// Where more than one row in so many of a span had to be looked at whole, the next spans are
/// searched without their sketches, which then cost more than they save.
const WORTH: usize = 5;
/// Most spans that are searched so before the sketches are tried again.
const MAX_PATIENCE: usize = 64;

/// The `k` best rows of all `shelves`, in their order, for which `keep` holds, best first.
///
/// Exact. Rows are met by falling length and none is any more once none is in reach by its length;
/// sketches rule most others out. Rows above the running threshold collect in a buffer of 2k that
/// is cut back to the best k, so selecting costs O(1) amortised a row.
pub fn top_k<'a>(
    shelves: impl Iterator<Item = Shelf<'a>>,
    query: &Query,
    k: usize,
    keep: impl Fn(Row) -> bool,
    found: &mut Vec<Place>,
) {
    top_each(shelves, &mut [Search::new(query, k, keep, found)]);
}

/// The same for several queries, which share the reading of the rows.
pub fn top_each<'a, Keep: Fn(Row) -> bool>(
    shelves: impl Iterator<Item = Shelf<'a>>,
    searches: &mut [Search<'_, Keep>],
) {
    for Shelf { shard, shift, factors } in shelves {
        let table = factors.table();
        searches.iter_mut().for_each(|search| search.enter(table, shift));
        for first in (0..table.distinct()).step_by(SPAN) {
            let mut goes_on = false;
            for search in &mut *searches {
                goes_on |= search.span(shard, table, first);
            }
            if !goes_on {
                break;
            }
        }
    }
    searches.iter_mut().for_each(|search| best(search.found, search.k));
}

/// One query on its way through the catalogue.
#[derive(Debug)]
pub struct Search<'a, Keep> {
    query: &'a Query,
    k: usize,
    keep: Keep,
    found: &'a mut Vec<Place>,
    /// What a place must be above.
    worst: Place,
    /// The square of the query's length.
    square: u64,
    /// What of the query bounds points in this table.
    sketch: [i16; SKETCH],
    /// The points of a row are its sum of products times 2 to this.
    shift: u32,
    /// Whether there is anything in reach in the rest of this table.
    goes_on: bool,
    /// Spans that are still to be searched without sketches.
    spans: usize,
    /// How many those were the last time.
    patience: usize,
}

impl<'a, Keep: Fn(Row) -> bool> Search<'a, Keep> {
    /// A search for the `k` best rows for which `keep` holds, which go to `found`.
    pub fn new(query: &'a Query, k: usize, keep: Keep, found: &'a mut Vec<Place>) -> Self {
        found.clear();
        Self {
            query,
            k,
            keep,
            found,
            worst: Place::new(i32::MIN, u32::MAX),
            square: query.values.iter().map(|&x| u64::from(x.unsigned_abs()).pow(2)).sum(),
            sketch: [0; SKETCH],
            shift: 0,
            goes_on: false,
            spans: 0,
            patience: 1,
        }
    }

    fn enter(&mut self, table: &Table, shift: u32) {
        self.sketch = self.query.sketch(table.sketch().unit());
        self.shift = shift;
        self.goes_on = self.k > 0;
        // The first span is there to raise the threshold: without one no sketch rules anything out.
        (self.spans, self.patience) = (1, 1);
    }

    /// Searches the span from `first` on; returns whether there may be more in those after it.
    fn span(&mut self, shard: u8, table: &Table, first: usize) -> bool {
        self.goes_on = self.goes_on && self.is_in_reach(table.length_at(first));
        if !self.goes_on {
            return false;
        }
        let end = (first + SPAN).min(table.distinct());
        if self.spans > 0 {
            self.rows(shard, table, first, end);
            self.spans -= 1;
        } else if self.sketches(shard, table, first, end) * WORTH > end - first {
            self.patience = MAX_PATIENCE.min(self.patience * 4);
            self.spans = self.patience;
        } else {
            self.patience = 1;
        }
        true
    }

    /// Whether places whose lengths are less than `length` + 1 may have a sum at the threshold.
    fn is_in_reach(&self, length: u32) -> bool {
        // The longest row has a length below 2¹¹, the longest query one below 2¹⁹.
        let longest = u64::from(length) + 1;
        let threshold = u64::try_from(self.threshold()).unwrap_or(0);
        longest * longest * self.square >= threshold * threshold
    }

    /// Looks at the places whose sketches do not rule them out; returns how many those are.
    fn sketches(&mut self, shard: u8, table: &Table, first: usize, end: usize) -> usize {
        let blocks = &table.sketch().blocks()[first / BLOCK_ROWS..end.div_ceil(BLOCK_ROWS)];
        let (mut from, mut looked) = (0, 0);
        while let Some((at, bounds)) = seek(blocks, &self.sketch, self.below(), from) {
            from = at + 1;
            for (place, bound) in (first + at * BLOCK_ROWS..end).zip(bounds) {
                if bound >= self.threshold() {
                    let sum = dot(table.at(place), &self.query.values);
                    self.look(shard, table, place, sum);
                    looked += 1;
                }
            }
        }
        looked
    }

    /// Looks at all of them.
    fn rows(&mut self, shard: u8, table: &Table, first: usize, end: usize) {
        let codes = table.between(first, end.next_multiple_of(BLOCK_ROWS));
        let mut from = 0;
        while let Some((at, sums)) = reach(codes, &self.query.values, self.below(), from) {
            from = at + 1;
            for (place, sum) in (first + at * BLOCK_ROWS..end).zip(sums) {
                self.look(shard, table, place, sum);
            }
        }
    }

    fn look(&mut self, shard: u8, table: &Table, place: usize, sum: i32) {
        if sum < self.threshold() {
            return;
        }
        let points = sum << self.shift;
        for row in table.rows_at(place) {
            let row = Row::new(shard, row);
            let place = Place::new(points, row.0);
            // Equal rows ascend: none of those that follow is better.
            if place <= self.worst {
                break;
            }
            if (self.keep)(row) {
                self.found.push(place);
                if self.k.checked_mul(2) == Some(self.found.len()) {
                    best(self.found, self.k);
                    self.worst = self.found[self.k - 1];
                }
            }
        }
    }

    /// The least sum of products that is enough, in this table.
    const fn threshold(&self) -> i32 {
        let points = self.worst.points();
        let left = points & ((1 << self.shift) - 1);
        (points >> self.shift) + (left > 0) as i32
    }

    /// The largest that is too little.
    const fn below(&self) -> i32 {
        self.threshold().saturating_sub(1)
    }
}
