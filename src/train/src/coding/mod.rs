//! Factors as integers: what the model holds of them.
//!
//! [`fine`] loses nothing that shows. [`compact`] is transform coding for the network, as of an
//! image: the factors are rotated into the principal axes of the listeners' (scores do not change,
//! so the rotation is not sent), every axis gets one step for all tracks, and each row takes the
//! codes that are best in the sense of rate and distortion (Sullivan and Wiegand, 1998): distortion
//! is what the row adds to the loss of training, (v − v*)ᵀH(v − v*) with H its own Hessian there,
//! and rate is what [`segue_core::codec::rows`] would spend.

mod update;

use rayon::prelude::*;
use segue_core::{
    codec::rows::{self, Before, Costs, MAX_CODE},
    kernel::MAX_SHIFT,
    linalg::packed_len,
    model::{self, Loss},
};

pub use self::update::{Base, Shared, Update};
use crate::{
    Diverged,
    als::{
        Factors,
        dense::{self, Cpu},
        principal_axes, rotated,
    },
    matrix::Matrix,
};

/// Factors as integers, with the mean listener in the same axes.
#[derive(Clone, Debug)]
pub struct Coded {
    /// What a code of one stands for, one real an axis.
    pub steps: Vec<f32>,
    /// One row a track.
    pub codes: Vec<i8>,
    /// The codes of a row count 2 to this of the steps: 0 in most.
    pub shifts: Vec<u8>,
    /// The mean of the training listeners.
    pub mean: Vec<f32>,
    /// Which tracks were no part of training, and so are nothing that a listener left unheard; nothing
    /// where all were.
    pub new: Vec<bool>,
}

impl Coded {
    /// The same, of which the tracks `new` were no part of training.
    pub fn with_new(mut self, new: &[bool]) -> Self {
        self.new = if new.contains(&true) { new.to_vec() } else { Vec::new() };
        self
    }

    /// How many tracks were part of training.
    pub fn trained(&self) -> usize {
        self.shifts.len() - self.new.iter().filter(|new| **new).count()
    }

    /// Σ vvᵀ over the tracks that were part of training, the packed lower triangle; `None` where no other
    /// has a factor, so that the codes tell it themselves.
    pub fn gram(&self) -> Option<Vec<f32>> {
        let dim = self.steps.len();
        let mut new = self.codes.chunks_exact(dim).zip(&self.new).filter(|(_, new)| **new);
        if !new.any(|(row, _)| row.iter().any(|&code| code != 0)) {
            return None;
        }
        let decoded = self.decoded();
        let trained = decoded.chunks_exact(dim).zip(&self.new).filter(|(_, new)| !**new);
        let trained: Vec<f32> = trained.flat_map(|(row, _)| row).copied().collect();
        Some(gram(&trained, dim))
    }

    /// The factors that the codes stand for, one row a track.
    pub fn decoded(&self) -> Vec<f32> {
        let rows = self.codes.chunks_exact(self.steps.len()).zip(&self.shifts);
        let decoded = |(row, &shift): (&[i8], &u8)| -> Vec<f32> {
            let count = f32::from(1_u16 << shift);
            row.iter()
                .zip(&self.steps)
                .map(|(&code, step)| f32::from(code) * count * step)
                .collect()
        };
        rows.flat_map(decoded).collect()
    }
}

/// As near as 255 codes an axis come.
pub fn fine(factors: &Factors) -> Coded {
    let Factors { dim, users, items } = factors;
    let steps = model::fine_steps(items, *dim);
    let codes = model::quantise(items, &steps);
    let shifts = vec![0; items.len() / dim];
    Coded { steps, codes, shifts, mean: mean(users, *dim), new: Vec::new() }
}

/// The same along the principal axes of the listeners, those along which they differ most first.
pub fn turned(factors: &Factors) -> Result<Factors, Diverged> {
    let (cpu, dim) = (Cpu::detect(), factors.dim);
    let axes = principal_axes(cpu, &factors.users, dim).ok_or(Diverged)?;
    let [users, items] =
        [&factors.users, &factors.items].map(|rows| rotated(cpu, rows, dim, &axes));
    Ok(Factors { dim, users, items })
}

/// What one bit may cost, as a share of the distortion that a step of one makes on average. The
/// curve of bytes against loss is flat around it: coarser steps and dearer bits, or the other way
/// about, come to the same, so that only the coarseness is searched.
const BIT: f32 = 0.5;
/// Rounds of choosing codes, each at the costs that the last one's codes have.
const ROUNDS: usize = 3;
/// Times that a row's components are gone through in one round, at most.
const SWEEPS: usize = 2;

/// In few bytes: the coarser the `coarseness` (about 1), the fewer. `by_item` and `loss` are what
/// the factors were trained on. The rows of the `head` (one entry each, none where there is no head)
/// take steps of their own, which are a power of two times the others'. O(d²) a training pair and
/// O(d²) a code that changes.
pub fn compact(
    factors: &Factors,
    by_item: &Matrix,
    loss: &Loss,
    coarseness: f32,
    head: &[bool],
) -> Result<Coded, Diverged> {
    let cpu = Cpu::detect();
    let Factors { dim, users, items } = turned(factors)?;
    let in_head = |row: usize| head.get(row).copied().unwrap_or(false);
    let rows = items.len() / dim;
    let groups =
        [false, true].map(|of| (0..rows).filter(|&row| in_head(row) == of).collect::<Vec<_>>());
    let w = moments(&users, dim);
    let of = |group: &Vec<usize>| {
        (!group.is_empty()).then(|| Steps::of(&items, dim, group, &w, coarseness))
    };
    let [others, popular] = groups.each_ref().map(of);
    let (steps, shift) = match (others, popular) {
        (Some(others), Some(popular)) => others.beside(&popular),
        (one, other) => (one.or(other).map_or_else(Vec::new, |steps| steps.alone()), 0),
    };
    // Along an axis along which nothing lies any step will do.
    let steps: Vec<f32> = steps.into_iter().map(|s| if s > 0.0 { s } else { 1.0 }).collect();
    let shifts = (0..rows).map(|row| if in_head(row) { shift } else { 0 }).collect();

    let unobserved = loss.unobserved * (users.len() / dim) as f32;
    let shared = shared(cpu, &users, dim, loss);
    let mut codes = vec![0; items.len()];
    for (group, shift) in groups.iter().zip([0, shift]) {
        let steps: Vec<f32> = steps.iter().map(|step| step * f32::from(1_u16 << shift)).collect();
        let unit = steps.iter().zip(&w).map(|(step, w)| step * step * w).sum::<f32>() / dim as f32;
        let problem = Problem {
            cpu,
            by_item,
            loss,
            users: &users,
            items: &items,
            shared: &shared,
            steps: &steps,
            bit: BIT * unit * unobserved,
        };
        let chosen = problem.codes(group);
        for (&row, chosen) in group.iter().zip(chosen.chunks_exact(dim)) {
            codes[row * dim..][..dim].copy_from_slice(chosen);
        }
    }
    Ok(Coded { mean: mean(&users, dim), steps, codes, shifts, new: Vec::new() })
}

/// The steps of a group of rows; 0 along an axis along which none of them has anything.
struct Steps {
    /// Those that rate and distortion ask for.
    wanted: Vec<f32>,
    /// Those at which the largest row has the largest code.
    least: Vec<f32>,
}

impl Steps {
    fn of(items: &[f32], dim: usize, rows: &[usize], w: &[f32], coarseness: f32) -> Self {
        let items: Vec<f32> =
            rows.iter().flat_map(|row| &items[row * dim..][..dim]).copied().collect();
        let wanted = steps(w, &moments(&items, dim), coarseness);
        let mut least = vec![0.0_f32; dim];
        for row in items.chunks_exact(dim) {
            least.iter_mut().zip(row).for_each(|(most, x)| *most = most.max(x.abs()));
        }
        least.iter_mut().for_each(|most| *most /= f32::from(MAX_CODE));
        Self { wanted, least }
    }

    /// As wanted, where every row has a code: the largest tracks are the ones that are heard.
    fn alone(&self) -> Vec<f32> {
        self.wanted.iter().zip(&self.least).map(|(wanted, least)| wanted.max(*least)).collect()
    }

    /// The same with a group of larger rows, which have 2^shift times the steps; the shift too.
    fn beside(&self, larger: &Self) -> (Vec<f32>, u8) {
        let pairs = larger.wanted.iter().zip(&self.wanted).filter(|(a, b)| **a > 0.0 && **b > 0.0);
        let ratios: Vec<f32> = pairs.map(|(a, b)| (a / b).log2()).collect();
        let mean = ratios.iter().sum::<f32>() / ratios.len().max(1) as f32;
        let shift = mean.round().clamp(0.0, MAX_SHIFT as f32) as u8;
        let count = f32::from(1_u16 << shift);
        let step = |at: usize, own: f32| {
            let least = larger.least[at] / count;
            if own > 0.0 { own.max(least) } else { larger.wanted[at].max(larger.least[at]) / count }
        };
        let own = self.alone().into_iter().enumerate();
        (own.map(|(at, own)| step(at, own)).collect(), shift)
    }
}

/// The step of axis k: coarseness · σₖ · (wₖ/ŵ)^(−1/4), with σₖ² the second moment of the items,
/// wₖ that of the listeners, and ŵ the geometric mean of the wₖ.
fn steps(w: &[f32], deviation: &[f32], coarseness: f32) -> Vec<f32> {
    let log_mean = w.iter().map(|w| w.max(f32::MIN_POSITIVE).ln()).sum::<f32>() / w.len() as f32;
    let weight = |w: f32| (log_mean / 4.0 - w.max(f32::MIN_POSITIVE).ln() / 4.0).exp();
    let most = f32::from(MAX_CODE);
    w.iter()
        .zip(deviation)
        .map(|(&w, second)| {
            let step = coarseness * second.sqrt() * weight(w);
            if step.is_finite() && step > f32::MIN_POSITIVE * most { step } else { 0.0 }
        })
        .collect()
}

/// The mean square of each component.
fn moments(rows: &[f32], dim: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; dim];
    for row in rows.chunks_exact(dim) {
        sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x).powi(2));
    }
    let count = (rows.len() / dim).max(1) as f64;
    sums.into_iter().map(|sum| (sum / count) as f32).collect()
}

/// α·UᵀU, the part of the Hessian that all rows share; the lower triangle.
fn shared(cpu: Cpu, users: &[f32], dim: usize, loss: &Loss) -> Vec<f32> {
    let mut shared = vec![0.0; dim * dim];
    dense::add_gram(cpu, &mut shared, dim, users);
    shared.iter_mut().for_each(|x| *x *= loss.unobserved);
    shared
}

struct Problem<'a> {
    cpu: Cpu,
    by_item: &'a Matrix,
    loss: &'a Loss,
    users: &'a [f32],
    items: &'a [f32],
    shared: &'a [f32],
    steps: &'a [f32],
    /// The distortion that is worth one bit.
    bit: f32,
}

#[derive(Default)]
struct Scratch {
    /// H, all of it.
    hessian: Vec<f32>,
    /// √w·u of each listener of the row.
    listeners: Vec<f32>,
    /// H(v − v*), half the gradient of the distortion.
    gradient: Vec<f32>,
}

impl Problem<'_> {
    /// The codes of some rows.
    fn codes(&self, rows: &[usize]) -> Vec<i8> {
        let dim = self.steps.len();
        let wanted: Vec<f32> =
            rows.iter().flat_map(|row| &self.items[row * dim..][..dim]).copied().collect();
        let mut codes = model::quantise(&wanted, self.steps);
        for _ in 0..ROUNDS {
            let costs = rows::encode(&codes, dim).1.costs();
            codes.par_chunks_mut(dim).zip(rows).for_each_init(
                Scratch::default,
                |scratch, (codes, &row)| {
                    self.choose(row, codes, &costs, scratch);
                },
            );
        }
        codes
    }

    /// Improves the codes of one row, a component at a time.
    fn choose(&self, row: usize, codes: &mut [i8], costs: &Costs, scratch: &mut Scratch) {
        self.prepare(row, codes, scratch);
        let dim = self.steps.len();
        let Scratch { hessian, gradient, .. } = scratch;
        for _ in 0..SWEEPS {
            let mut changed = false;
            let mut before = Before::default();
            for at in 0..dim {
                let old = codes[at];
                let curvature = hessian[at * dim + at];
                let rate = |value: i8| rate(costs, codes, at, before, value);
                let cost = |value: i8| {
                    let moved = f32::from(i16::from(value) - i16::from(old)) * self.steps[at];
                    moved * (2.0 * gradient[at] + moved * curvature) + self.bit * rate(value)
                };
                let best = candidates(old, gradient[at] / (curvature * self.steps[at]))
                    .into_iter()
                    .map(|value| (cost(value), value))
                    .fold((cost(old), old), |best, next| if next.0 < best.0 { next } else { best })
                    .1;
                if best != old {
                    changed = true;
                    let moved = f32::from(i16::from(best) - i16::from(old)) * self.steps[at];
                    let column = &hessian[at * dim..][..dim];
                    gradient.iter_mut().zip(column).for_each(|(g, h)| *g += h * moved);
                    codes[at] = best;
                }
                before.see(best);
            }
            if !changed {
                break;
            }
        }
    }

    /// The Hessian of the row, and the gradient where `codes` stand.
    fn prepare(&self, row: usize, codes: &[i8], scratch: &mut Scratch) {
        let dim = self.steps.len();
        let Scratch { hessian, listeners, gradient } = scratch;
        hessian.clear();
        hessian.extend_from_slice(self.shared);
        listeners.clear();
        let entries = self.by_item.row(row);
        for (user, pull) in entries.iter().filter(|(_, pull)| pull.weight > 0.0) {
            let root = pull.weight.sqrt();
            listeners.extend(self.users[user * dim..][..dim].iter().map(|x| root * x));
        }
        dense::add_gram(self.cpu, hessian, dim, listeners);
        let ridge = self.loss.ridge(entries.positive() as f32, (self.users.len() / dim) as f32);
        for i in 0..dim {
            hessian[i * dim + i] += ridge;
            for j in 0..i {
                hessian[j * dim + i] = hessian[i * dim + j];
            }
        }
        let wanted = &self.items[row * dim..][..dim];
        let error: Vec<f32> =
            (0..dim).map(|at| f32::from(codes[at]) * self.steps[at] - wanted[at]).collect();
        gradient.clear();
        gradient.extend(
            hessian
                .chunks_exact(dim)
                .map(|h| h.iter().zip(&error).map(|(h, e)| h * e).sum::<f32>()),
        );
    }
}

/// The bits of `value` at `at`, and of the two components after it, whose contexts it changes most.
fn rate(costs: &Costs, codes: &[i8], at: usize, mut before: Before, value: i8) -> f32 {
    let mut bits = costs.of(at, before, value);
    before.see(value);
    for (next, &code) in codes.iter().enumerate().skip(at + 1).take(2) {
        bits += costs.of(next, before, code);
        before.see(code);
    }
    bits
}

/// Codes worth a try in the place of `old`: around where the distortion is least, which is
/// `distance` codes below it, and towards zero, where the rate is.
fn candidates(old: i8, distance: f32) -> [i8; 5] {
    let most = f32::from(MAX_CODE);
    let least = (f32::from(old) - distance).round().clamp(-most, most) as i8;
    let nearer = |code: i8| code - code.signum();
    [least, nearer(least), nearer(nearer(least)), nearer(old), 0]
}

/// Σ vvᵀ of `rows` (`dim` reals each), the packed lower triangle, summed in double precision.
pub fn gram(rows: &[f32], dim: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; packed_len(dim)];
    for v in rows.chunks_exact(dim) {
        for i in 0..dim {
            let row = &mut sums[packed_len(i)..];
            row.iter_mut()
                .zip(&v[..=i])
                .for_each(|(sum, x)| *sum += f64::from(v[i]) * f64::from(*x));
        }
    }
    sums.into_iter().map(|x| x as f32).collect()
}

/// The mean of `rows`, `dim` reals each.
pub fn mean(rows: &[f32], dim: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; dim];
    for row in rows.chunks_exact(dim) {
        sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    let count = (rows.len() / dim).max(1) as f64;
    sums.into_iter().map(|sum| (sum / count) as f32).collect()
}
