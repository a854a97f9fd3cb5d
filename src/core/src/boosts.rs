//! What the neighbours of the tracks that a listener met add to scores.
//!
//! Sums of integers: they come out the same in whatever order events came, and what an event added can
//! be taken away again.

use alloc::{vec, vec::Vec};

use crate::{
    ids::Row,
    kernel::nearest,
    model::{Model, Neighbour},
};

/// One in the score, in the units of the sums: most weights fit their steps, and 1,000 of the largest
/// fit 32 bits.
const ONE: f32 = (1 << 18) as f32;

/// The sums of the tracks that are a neighbour of something.
#[derive(Clone, Debug, Default)]
pub struct Boosts {
    /// For each shard of which a track was named, one sum a track.
    sums: Vec<Vec<i32>>,
    /// Tracks whose sum was ever other than 0.
    touched: Vec<Row>,
}

impl Boosts {
    /// The evidence on the track of `row` said `before`, and says `now`: 1 for yes, below 0 for no.
    /// O(entries of its list).
    pub fn change(&mut self, model: &Model, row: Row, before: f32, now: f32) {
        let Some(neighbours) = model.neighbours(row.shard()) else { return };
        let list = neighbours.of(row.index());
        if before == now || list.is_empty() {
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
        for &Neighbour { place, weight } in list {
            let sum = &mut sums[place as usize];
            if *sum == 0 {
                self.touched.push(Row::new(row.shard(), place));
            }
            *sum = sum.saturating_add(units(weight, now) - units(weight, before));
        }
    }

    /// The sum of a track; 0 where nothing names it.
    #[inline]
    pub fn of(&self, row: Row) -> i32 {
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

/// `weight` times what evidence says, in whole units; a yes counts as one however often it was said.
pub(crate) fn units(weight: f32, says: f32) -> i32 {
    nearest((weight * says.clamp(-1.0, 1.0) * ONE).into())
}

/// What a sum adds to a score.
pub fn score(sum: i32) -> f32 {
    sum as f32 / ONE
}
