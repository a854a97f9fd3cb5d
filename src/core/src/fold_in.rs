//! Fold-in: the ridge system that gives a listener's taste from the tracks they responded to.
//!
//! [`crate::model::Taste`] says what the system is made of. Taking a response in costs O(d²),
//! solving O(d³/6): about 50 µs at 64 dimensions.

use alloc::{vec, vec::Vec};

use crate::{
    linalg::{Cholesky, add_diagonal, add_outer, dot, packed_len},
    model::Taste,
    rng::SplitMix64,
};

/// Largest component of a taste: the score of the largest factor stays finite.
const MAX_MEAN: f32 = 1e20;

/// What the evidence on one track puts into the system: `weight`·vvᵀ and `information`·v.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pull {
    /// Σ of the weights of the kinds seen.
    pub weight: f32,
    /// Σ of weight × target.
    pub information: f32,
}

impl Pull {
    /// The mean target: 1 for a yes; 0 where there is no evidence.
    pub fn target(&self) -> f32 {
        if self.weight > 0.0 { self.information / self.weight } else { 0.0 }
    }
}

/// The system of one listener, before it is solved.
#[derive(Clone, Debug)]
pub struct System {
    /// Σ wvvᵀ, packed.
    precision: Vec<f32>,
    /// b₀ + Σ wtv.
    information: Vec<f32>,
    /// Tracks whose evidence says yes.
    positive: u32,
}

impl System {
    /// A listener of whom nothing is known. O(d²).
    pub fn new(taste: &Taste<'_>) -> Self {
        let information = taste.prior_information();
        Self { precision: vec![0.0; packed_len(information.len())], information, positive: 0 }
    }

    /// The evidence on the track of `factor` pulled by `before`, and pulls by `after` now. O(d²).
    pub fn change(&mut self, factor: &[f32], before: Pull, after: Pull) {
        add_outer(&mut self.precision, after.weight - before.weight, factor);
        let gain = after.information - before.information;
        self.information.iter_mut().zip(factor).for_each(|(b, v)| *b += gain * v);
        self.positive += u32::from(after.information > 0.0);
        self.positive -= u32::from(before.information > 0.0);
    }

    /// Solves into `posterior`, reusing its memory. O(d³/6).
    pub fn solve(&self, taste: &Taste<'_>, posterior: &mut Posterior) {
        let dim = self.information.len();
        posterior.precision.factor(dim, |system| {
            taste.unobserved_gram(system);
            add_diagonal(system, dim, taste.ridge(self.positive as f32));
            system.iter_mut().zip(&self.precision).for_each(|(a, w)| *a += w);
        });
        posterior.mean.clear();
        posterior.mean.extend_from_slice(&self.information);
        posterior.precision.solve(&mut posterior.mean);
        // Numbers at the edge of what a model may hold can overflow here: such a model knows
        // nothing of anybody.
        if !posterior.mean.iter().all(|x| x.abs() <= MAX_MEAN) {
            posterior.mean.fill(0.0);
        }
    }
}

/// A Gaussian over the listener's taste.
#[derive(Clone, Debug, Default)]
pub struct Posterior {
    /// Its mean, `dim` reals; always finite.
    pub mean: Vec<f32>,
    /// The Cholesky factor of its precision.
    pub precision: Cholesky,
}

impl Posterior {
    /// What the posterior expects of a factor: the response, 1 for "yes".
    pub fn expect(&self, factor: &[f32]) -> f32 {
        dot(&self.mean, factor)
    }
    /// Writes a taste drawn from N(mean, spread²·A⁻¹) to `taste`. O(d²/2).
    #[inline]
    pub fn draw(&self, spread: f32, rng: &mut SplitMix64, taste: &mut Vec<f32>) {
        taste.clear();
        taste.extend(self.mean.iter().map(|_| rng.normal()));
        self.precision.solve_transposed(taste);
        taste.iter_mut().zip(&self.mean).for_each(|(x, mean)| *x = mean + spread * *x);
    }
}
