//! What the neighbours of the tracks that a listener met add to scores.
//!
//! Sums of integers: they come out the same in whatever order events came, and what an event added can
//! be taken away again.

use alloc::{vec, vec::Vec};

use crate::{
    ids::Row,
    model::{Model, Neighbour},
};

/// One in the score, in the units of the sums: a million of the largest weights fit 63 bits, and weights a
/// millionth of that still have their steps where fold-in shrinks scores as far.
const ONE: f64 = (1_u64 << 40) as f64;

/// The sums of the tracks that are a neighbour of something.
#[derive(Clone, Debug, Default)]
pub struct Boosts {
    /// For each shard of which a track was named, one sum a track.
    sums: Vec<Vec<i64>>,
    /// Tracks whose sum was ever other than 0.
    touched: Vec<Row>,
}

impl Boosts {
    /// The evidence on the track of `row` said `before`, and says `now`: 1 for yes, below 0 for no.
    /// O(entries of its list).
    pub fn change(&mut self, model: &Model, row: Row, before: f32, now: f32) {
        let Some(neighbours) = model.neighbours(row.shard()) else { return };
        let list = neighbours.of(row.index());
        if before == now || list.len() == 0 {
            return;
        }
        let shard = usize::from(row.shard());
        if self.sums.len() <= shard {
            self.sums.resize(shard + 1, Vec::new());
        }
        let sums = &mut self.sums[shard];
        if sums.is_empty() {
            *sums = vec![0; neighbours.len()];
        }
        for Neighbour { place, weight } in list {
            let sum = &mut sums[place as usize];
            if *sum == 0 {
                self.touched.push(Row::new(row.shard(), place));
            }
            *sum = sum.saturating_add(units(weight, now) - units(weight, before));
        }
    }

    /// The sum of a track; 0 where nothing names it.
    #[inline]
    pub fn of(&self, row: Row) -> i64 {
        let sums = self.sums.get(usize::from(row.shard()));
        sums.and_then(|sums| sums.get(row.index())).copied().unwrap_or(0)
    }

    /// The tracks whose sum may be other than 0; some more than once.
    pub fn touched(&self) -> &[Row] {
        &self.touched
    }

    /// Whether no track has a sum.
    pub fn is_empty(&self) -> bool {
        self.touched.is_empty()
    }

    /// Forgets everything. O(tracks touched).
    pub fn clear(&mut self) {
        for row in self.touched.drain(..) {
            self.sums[usize::from(row.shard())][row.index()] = 0;
        }
    }
}

/// `weight` times what evidence says, to the nearest whole unit; a yes counts as one however often it was
/// said.
pub(crate) fn units(weight: f32, says: f32) -> i64 {
    let units = f64::from(weight * says.clamp(-1.0, 1.0)) * ONE;
    (units + 0.5_f64.copysign(units)) as i64
}

/// What a sum adds to a score.
pub fn score(sum: i64) -> f32 {
    (sum as f64 / ONE) as f32
}
