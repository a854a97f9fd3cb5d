//! The linear mixed model behind new tracks, solved by conjugate gradients.
//!
//! The factor of a track is the sum of the effects of its features and a rest of its own,
//!
//! ```text
//! vᵢ = Σ_f xᵢf b_f + εᵢ      b_f ~ N(0, 1/λ_f)      εᵢ ~ N(0, 1/wᵢ)
//! ```
//!
//! so each effect is shrunk towards what the wider circles say: an album towards its artist, an artist
//! towards the tags, a tag towards the catalogue (Henderson 1975; Gelman and Hill 2007). The posterior
//! mean is the solution of (XᵀWX + Λ)b = XᵀWv, the same matrix for every component of the factors.

use rayon::prelude::*;

use super::features::Features;

/// Components solved for together: a cache line of them.
const LANES: usize = 8;
type Lane = [f64; LANES];

/// Steps of conjugate gradients, at most: what is left after them is far below what noise leaves.
const MAX_STEPS: usize = 50;
/// The residual, against the right side, at which to stop.
const TOLERANCE: f64 = 1e-4;

/// Effects of every feature, `dim` reals a feature. `targets` has `dim` reals a track; `weights` has what
/// each counts, 0 for those that say nothing; `penalties` has λ of each feature. A feature without a track
/// that counts has no effect. O(entries · dim · steps); the components go in parallel, each the same at any
/// number of threads.
pub fn effects(
    features: &Features,
    (targets, dim): (&[f32], usize),
    weights: &[f64],
    penalties: &[f64],
) -> Vec<f32> {
    let known: Vec<usize> = (0..features.tracks()).filter(|&track| weights[track] > 0.0).collect();
    let problem = Problem { features, weights, known: &known, penalties };
    let panels: Vec<Vec<Lane>> = (0..dim.div_ceil(LANES))
        .into_par_iter()
        .map(|panel| problem.solve(|track| lane(&targets[track * dim..][..dim], panel)))
        .collect();
    let mut effects = vec![0.0; features.len() * dim];
    for (feature, row) in effects.chunks_exact_mut(dim).enumerate() {
        for (at, effect) in row.iter_mut().enumerate() {
            *effect = panels[at / LANES][feature][at % LANES] as f32;
        }
    }
    effects
}

/// What `effects` make of one track, into `out`.
pub fn predict(features: &Features, effects: &[f32], track: usize, out: &mut [f32]) {
    let dim = out.len();
    out.fill(0.0);
    for &(feature, value) in features.of(track) {
        let effect = &effects[feature as usize * dim..][..dim];
        out.iter_mut().zip(effect).for_each(|(sum, b)| *sum += value as f32 * b);
    }
}

fn lane(row: &[f32], panel: usize) -> Lane {
    let from = panel * LANES;
    std::array::from_fn(|at| row.get(from + at).copied().map_or(0.0, f64::from))
}

struct Problem<'a> {
    features: &'a Features,
    weights: &'a [f64],
    /// Tracks of a weight.
    known: &'a [usize],
    penalties: &'a [f64],
}

impl Problem<'_> {
    /// Preconditioned by the diagonal (Saad, Iterative Methods for Sparse Linear Systems, 9.2), every
    /// component with steps of its own.
    fn solve(&self, target: impl Fn(usize) -> Lane) -> Vec<Lane> {
        let mut solution = vec![[0.0; LANES]; self.features.len()];
        let mut residual = solution.clone();
        for &track in self.known {
            let pull = scaled(target(track), self.weights[track]);
            self.spread(track, &pull, &mut residual);
        }
        let inverse: Vec<f64> = self.diagonal().iter().map(|x| 1.0 / x).collect();
        let precondition = |rows: &[Lane]| -> Vec<Lane> {
            rows.iter().zip(&inverse).map(|(row, &by)| scaled(*row, by)).collect()
        };
        let mut direction = precondition(&residual);
        let mut rest = dot(&residual, &direction);
        let enough = rest.map(|rest| rest * TOLERANCE * TOLERANCE);
        let mut image = vec![[0.0; LANES]; solution.len()];
        for _ in 0..MAX_STEPS {
            if rest.iter().zip(&enough).all(|(rest, enough)| rest <= enough) {
                break;
            }
            self.multiply(&direction, &mut image);
            let curvature = dot(&direction, &image);
            let step: Lane = std::array::from_fn(|at| ratio(rest[at], curvature[at]));
            add(&mut solution, &direction, step);
            add(&mut residual, &image, step.map(|x| -x));
            let next = precondition(&residual);
            let left = dot(&residual, &next);
            let turn: Lane = std::array::from_fn(|at| ratio(left[at], rest[at]));
            for (direction, next) in direction.iter_mut().zip(&next) {
                *direction = std::array::from_fn(|at| next[at] + turn[at] * direction[at]);
            }
            rest = left;
        }
        solution
    }

    /// (XᵀWX + Λ)·`rows`.
    fn multiply(&self, rows: &[Lane], out: &mut [Lane]) {
        let pairs = rows.iter().zip(self.penalties);
        out.iter_mut().zip(pairs).for_each(|(out, (row, &by))| *out = scaled(*row, by));
        for &track in self.known {
            let mut sum = [0.0; LANES];
            for &(feature, value) in self.features.of(track) {
                let row = &rows[feature as usize];
                sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += value * x);
            }
            self.spread(track, &scaled(sum, self.weights[track]), out);
        }
    }

    /// Adds a track's row of Xᵀ, times `pull`.
    fn spread(&self, track: usize, pull: &Lane, out: &mut [Lane]) {
        for &(feature, value) in self.features.of(track) {
            let sum = &mut out[feature as usize];
            sum.iter_mut().zip(pull).for_each(|(sum, x)| *sum += value * x);
        }
    }

    /// Above 0: without a track and a penalty a feature is left where it is.
    fn diagonal(&self) -> Vec<f64> {
        let mut diagonal = self.penalties.to_vec();
        for &track in self.known {
            for &(feature, value) in self.features.of(track) {
                diagonal[feature as usize] += self.weights[track] * value * value;
            }
        }
        diagonal.iter_mut().filter(|x| **x <= 0.0).for_each(|x| *x = 1.0);
        diagonal
    }
}

fn scaled(row: Lane, by: f64) -> Lane {
    row.map(|x| x * by)
}

/// 0 where there is nothing left to go.
fn ratio(above: f64, below: f64) -> f64 {
    if below > 0.0 { above / below } else { 0.0 }
}

fn dot(a: &[Lane], b: &[Lane]) -> Lane {
    a.iter().zip(b).fold([0.0; LANES], |mut sums, (a, b)| {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
        sums
    })
}

fn add(rows: &mut [Lane], others: &[Lane], step: Lane) {
    for (row, other) in rows.iter_mut().zip(others) {
        row.iter_mut().zip(other.iter().zip(&step)).for_each(|(x, (y, step))| *x += step * y);
    }
}
