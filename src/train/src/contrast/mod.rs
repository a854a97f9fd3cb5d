//! Contrastive factors: one vector a track, trained so that the sum of a listener's tracks finds
//! each one that was left out.
//!
//! A listener with the tracks S is x = Σ_S wᵢvᵢ/√|S|. For each track p of S, left out of the sum, the
//! loss is the softmax of x·v_p among tracks drawn by popularity, corrected for how they were drawn
//! (Bengio and Senécal, 2008). The encoder is that of SLIM and FISM (Kabbur, Ning and Karypis, 2013),
//! with the same vectors at both ends: a device folds listeners in by ridge regression, which for
//! a large ridge is this sum.
//!
//! Minimised by Adam (Kingma and Ba, 2015), lazily: a row that no gradient reaches is brought up to date
//! when one does. Deterministic for a seed at any number of
//! threads: a batch is cut in fixed pieces, whose gradients are added in order.

mod adam;
mod batch;

use segue_core::rng::SplitMix64;
use serde::{Deserialize, Serialize};

use crate::{
    checkpoints::{Bytes, reals, whole},
    matrix::Matrix,
};
use adam::Adam;
use batch::{Batch, Visit};

/// How contrastive factors are trained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Adam's step.
    pub rate: f32,
    /// What the squares of all factors cost: δ/2·Σ|vᵢ|² over the number of tracks, beside the mean
    /// loss of what was left out.
    pub decay: f32,
    /// The share of a listener's tracks that a sum leaves out beside the one that it is to find.
    pub dropout: f32,
    /// The power of popularity that tracks are drawn by, 0 to 1.
    pub popularity: f32,
}

/// Tracks that one sum is compared with.
const DRAWN: usize = 512;
/// Visits of a batch: about 1,000 sums.
const VISITS: usize = 128;
/// Tracks left out, one at a time, at a visit.
const TARGETS: usize = 8;
/// Tracks of a sum, about, at most: more say no more of a taste.
const MOST_SUMMED: f32 = 1000.0;

/// A training run that can be continued.
#[derive(Clone)]
pub struct Trainer<'a> {
    by_user: &'a Matrix,
    settings: Settings,
    dim: usize,
    rng: SplitMix64,
    /// The factors so far, `dim` reals a track.
    pub items: Vec<f32>,
    adam: Adam,
    /// Running sums of the shares that tracks are drawn by.
    draws: Vec<f64>,
    /// For each pair, its place in its row; shuffled row by row.
    order: Vec<u32>,
}

impl<'a> Trainer<'a> {
    /// Starts from `items`, `dim` reals a track.
    pub fn new(
        by_user: &'a Matrix,
        by_item: &Matrix,
        dim: usize,
        items: Vec<f32>,
        settings: Settings,
        seed: u64,
    ) -> Self {
        let rng = SplitMix64::new(seed);
        let tracks = by_item.rows();
        let mut sum = 0.0;
        let share = |plays: usize| (plays.max(1) as f64).powf(settings.popularity.into());
        let draws = by_item.positives().into_iter().map(share);
        let mut draws: Vec<f64> = draws
            .map(|share| {
                sum += share;
                sum
            })
            .collect();
        draws.iter_mut().for_each(|x| *x /= sum);
        let adam = Adam::new(tracks, dim);
        let order = Vec::with_capacity(by_user.len());
        Self { by_user, settings, dim, rng, items, adam, draws, order }
    }

    /// Leaves every pair out once. `stop` is asked between batches. O(pairs · 512 · d).
    pub fn epoch(&mut self, stop: &(impl Fn() -> bool + Sync)) {
        let mut visits = self.visits();
        self.rng.shuffle(&mut visits);
        for visits in visits.chunks(VISITS) {
            if stop() {
                return;
            }
            self.step(visits);
        }
    }

    /// Appends what [`Self::restore`] goes on from to `bytes`.
    pub fn kept(&self, bytes: Bytes) -> Bytes {
        self.adam.kept(bytes.whole(self.rng.state()).reals(&self.items))
    }

    /// Goes on from what was kept at the front of `bytes`; `None`, with a part of it restored, where it
    /// is too short.
    pub fn restore(&mut self, bytes: &mut &[u8]) -> Option<()> {
        self.rng = SplitMix64::new(whole(bytes)?);
        reals(bytes, &mut self.items)?;
        self.adam.restore(bytes)
    }

    /// Cuts every row, newly shuffled, into visits.
    fn visits(&mut self) -> Vec<Visit> {
        let Self { by_user, rng, order, .. } = self;
        order.clear();
        let mut visits = Vec::new();
        for listener in 0..by_user.rows() {
            let from = order.len();
            let positive = by_user.row(listener).iter().zip(0..);
            order
                .extend(positive.filter(|((_, pull), _)| pull.information > 0.0).map(|(_, at)| at));
            if order.len() - from < 2 {
                order.truncate(from);
                continue;
            }
            rng.shuffle(&mut order[from..]);
            for start in (from..order.len()).step_by(TARGETS) {
                let targets = start..(start + TARGETS).min(order.len());
                visits.push(Visit { listener, targets, seed: rng.next() });
            }
        }
        visits
    }

    fn step(&mut self, visits: &[Visit]) {
        let drawn: Vec<u32> = (0..DRAWN).map(|_| self.draw()).collect();
        let share = |row: u32| {
            let row = row as usize;
            self.draws[row] - if row > 0 { self.draws[row - 1] } else { 0.0 }
        };
        let batch = Batch {
            by_user: self.by_user,
            dim: self.dim,
            items: &self.items,
            order: &self.order,
            keep: 1.0 - self.settings.dropout,
            corrections: drawn.iter().map(|&row| (share(row) * DRAWN as f64).ln() as f32).collect(),
            drawn: &drawn,
        };
        let gradient = batch.gradient(visits, &mut self.adam.slots);
        let decay = self.settings.decay / self.draws.len() as f32;
        self.adam.step(&mut self.items, &gradient, self.settings.rate, decay);
    }

    fn draw(&mut self) -> u32 {
        let at = self.rng.unit();
        let row = self.draws.partition_point(|&sum| sum <= at);
        row.min(self.draws.len() - 1) as u32
    }
}
