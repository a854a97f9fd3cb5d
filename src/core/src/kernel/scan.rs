//! The pass over a table: every place that may have the best points, and as few others as possible.

use super::{BLOCK_ROWS, Block, SKETCH, Table, dot, reach, seek};

/// Blocks of a span: how far a scan goes before it looks back on what the sketches were worth.
const SPAN: usize = 64;
/// Where more than one row in so many of a span had to be looked at whole, the next spans are
/// scanned without their sketches, which then cost more than they save.
const WORTH: usize = 5;
/// Most spans that are scanned so before the sketches are tried again.
const MAX_PATIENCE: usize = 64;

/// Shows every place whose points are at least `threshold`, with its points, to `look`, which
/// returns the threshold from then on. It never falls.
pub(super) fn scan(
    table: &Table,
    query: &[i16],
    sketch: &[i16; SKETCH],
    threshold: i32,
    look: impl FnMut(usize, i32) -> i32,
) {
    let square = query.iter().map(|&x| u64::from(x.unsigned_abs()).pow(2)).sum();
    let mut scan = Scan { table, query, sketch, threshold, look };
    // The first span is there to raise the threshold: without one no sketch rules anything out.
    let (mut patience, mut spans) = (1, 1);
    for first in (0..table.distinct()).step_by(SPAN * BLOCK_ROWS) {
        let end = (first + SPAN * BLOCK_ROWS).min(table.distinct());
        if !scan.is_in_reach(first, square) {
            return;
        }
        if spans > 0 {
            scan.rows(first, end);
            spans -= 1;
        } else if scan.sketches(first, end) * WORTH > end - first {
            patience = MAX_PATIENCE.min(patience * 4);
            spans = patience;
        } else {
            patience = 1;
        }
    }
}

struct Scan<'a, Look> {
    table: &'a Table,
    query: &'a [i16],
    sketch: &'a [i16; SKETCH],
    threshold: i32,
    look: Look,
}

impl<Look: FnMut(usize, i32) -> i32> Scan<'_, Look> {
    /// Whether the places from `first` on may have points at the threshold, by their lengths and
    /// the query's, of which this is the square.
    fn is_in_reach(&self, first: usize, square: u64) -> bool {
        // Places are in the order of lengths rounded down, so those that follow are less than one
        // longer. The square is below 256 · 2³⁰, that of a length 2²².
        let longest = u64::from(self.table.length_at(first)) + 1;
        let threshold = u64::try_from(self.threshold).unwrap_or(0);
        longest * longest * square >= threshold * threshold
    }

    /// Looks at the places whose sketches do not rule them out; returns how many those are.
    fn sketches(&mut self, first: usize, end: usize) -> usize {
        let blocks: &[Block] = &self.table.sketch().blocks()[first / BLOCK_ROWS..];
        let blocks = &blocks[..(end - first).div_ceil(BLOCK_ROWS)];
        let (mut from, mut looked) = (0, 0);
        while let Some((at, bounds)) = seek(blocks, self.sketch, self.below(), from) {
            from = at + 1;
            for (place, bound) in (first + at * BLOCK_ROWS..end).zip(bounds) {
                if bound >= self.threshold {
                    let points = dot(self.table.at(place), self.query);
                    self.look(place, points);
                    looked += 1;
                }
            }
        }
        looked
    }

    /// Looks at all of them.
    fn rows(&mut self, first: usize, end: usize) {
        let codes = self.table.between(first, end.next_multiple_of(BLOCK_ROWS));
        let mut from = 0;
        while let Some((at, points)) = reach(codes, self.query, self.below(), from) {
            from = at + 1;
            (first + at * BLOCK_ROWS..end)
                .zip(points)
                .for_each(|(at, points)| self.look(at, points));
        }
    }

    fn look(&mut self, place: usize, points: i32) {
        if points >= self.threshold {
            self.threshold = (self.look)(place, points);
        }
    }

    /// The most points that are too few.
    const fn below(&self) -> i32 {
        self.threshold.saturating_sub(1)
    }
}
