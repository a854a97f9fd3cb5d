//! Codes of factors that differ from earlier ones only where that is worth its bytes.
//!
//! As [`super::compact`], under the steps and along the axes that there were, but beside what a code costs in the model it
//! costs what a delta spends on it ([`segue_core::codec::patch`]): next to nothing where it stays where it was. Tracks that
//! the same listeners met and that were equal are told once, so that what they cost is shared.

use std::collections::HashMap;

use rayon::prelude::*;
use segue_core::{
    codec::{
        patch::{self as changes, Patch},
        range::Encoder,
        rows::{self, Before, Costs},
    },
    model::{self, Loss},
};

use super::{BIT, Problem, ROUNDS, SWEEPS, Scratch, candidates, moments, rate, shared};
use crate::{
    als::{Factors, dense::Cpu},
    matrix::Matrix,
};

/// What there was before.
#[derive(Clone, Copy, Debug)]
pub struct Base<'a> {
    /// What a code of one stands for, one real an axis.
    pub steps: &'a [f32],
    /// One row a track; of those that are new, zeros.
    pub codes: &'a [i8],
    /// Which tracks had a row.
    pub known: &'a [bool],
}

/// Factors to be coded beside what there was.
pub struct Update<'a> {
    problem: Problem<'a>,
    base: Base<'a>,
    /// Tracks that change together.
    alike: Vec<Vec<usize>>,
}

/// The part of the Hessian that all rows share, and what a bit may cost where all is coded anew.
pub struct Shared {
    hessian: Vec<f32>,
    bit: f32,
}

impl Shared {
    /// Of these factors under these steps. O(listeners·d²).
    pub fn of(factors: &Factors, loss: &Loss, steps: &[f32]) -> Self {
        let Factors { dim, users, .. } = factors;
        let w = moments(users, *dim);
        let unobserved = loss.unobserved * (users.len() / dim) as f32;
        let unit = steps.iter().zip(&w).map(|(step, w)| step * step * w).sum::<f32>();
        let bit = BIT * unit / *dim as f32 * unobserved;
        Self { hessian: shared(Cpu::detect(), users, *dim, loss), bit }
    }
}

impl<'a> Update<'a> {
    /// `factors` lie along the axes of `base`. O(pairs).
    pub fn new(
        factors: &'a Factors,
        by_item: &'a Matrix,
        loss: &'a Loss,
        shared: &'a Shared,
        base: Base<'a>,
    ) -> Self {
        let problem = Problem {
            cpu: Cpu::detect(),
            by_item,
            loss,
            users: &factors.users,
            items: &factors.items,
            shared: &shared.hessian,
            steps: base.steps,
            bit: shared.bit,
        };
        Self { problem, base, alike: alike(by_item, base) }
    }

    /// The codes where a bit of a delta costs `price` of what a bit of the model does; at 0 every code changes that is
    /// better elsewhere. O(d²) a training pair and O(d²) a code that changes.
    pub fn codes(&self, price: f32) -> Vec<i8> {
        let (base, dim) = (self.base, self.base.steps.len());
        let mut codes = model::quantise(self.problem.items, base.steps);
        let rows = codes.chunks_exact_mut(dim).zip(base.codes.chunks_exact(dim)).zip(base.known);
        rows.filter(|(_, known)| **known).for_each(|((row, old), _)| row.copy_from_slice(old));
        // Before anything has changed it is not known what changes cost.
        let mut changes = Patch::new(dim).costs();
        for _ in 0..ROUNDS {
            let rates = Rates { own: rows::encode(&codes, dim).1.costs(), changes, price };
            let chosen: Vec<Vec<i8>> = self
                .alike
                .par_iter()
                .map_init(Scratch::default, |scratch, alike| {
                    self.choose(alike, &codes, &rates, scratch)
                })
                .collect();
            for (alike, chosen) in self.alike.iter().zip(chosen) {
                alike.iter().for_each(|row| codes[row * dim..][..dim].copy_from_slice(&chosen));
            }
            changes = self.changes(&codes);
        }
        codes
    }

    /// What the changes from the base to `codes` cost.
    fn changes(&self, codes: &[i8]) -> changes::Costs {
        let (base, dim) = (self.base, self.base.steps.len());
        let mut patch = Patch::new(dim);
        let mut coder = Encoder::default();
        let known = self.alike.iter().map(|alike| alike[0]).filter(|&row| base.known[row]);
        for row in known {
            let of = |codes: &[i8]| codes[row * dim..][..dim].to_vec();
            patch.row(&mut coder, false, &of(base.codes), &mut of(codes));
        }
        patch.costs()
    }

    /// The codes of tracks that change together: those of the first improved a component at a time, or those that there
    /// were where the gain is not worth the bits.
    fn choose(
        &self,
        alike: &[usize],
        codes: &[i8],
        rates: &Rates,
        scratch: &mut Scratch,
    ) -> Vec<i8> {
        let (row, dim, problem) = (alike[0], self.base.steps.len(), &self.problem);
        let bit = problem.bit / alike.len() as f32;
        let price = if self.base.known[row] { rates.price } else { 0.0 };
        let old = &self.base.codes[row * dim..][..dim];
        let mut codes = codes[row * dim..][..dim].to_vec();
        problem.prepare(row, &codes, scratch);
        let Scratch { hessian, gradient, .. } = scratch;
        for _ in 0..SWEEPS {
            let (mut changed, mut so_far, mut before) = (false, 0, Before::default());
            for at in 0..dim {
                let (now, step) = (codes[at], problem.steps[at]);
                let curvature = hessian[at * dim + at];
                let cost = |value: i8| {
                    let moved = f32::from(i16::from(value) - i16::from(now)) * step;
                    let own = rate(&rates.own, &codes, at, before, value);
                    let change = rates.changes.component(at, so_far, old[at], value);
                    moved * (2.0 * gradient[at] + moved * curvature) + bit * (own + price * change)
                };
                let [least, nearer, ..] = candidates(now, gradient[at] / (curvature * step));
                let between = least - (i16::from(least) - i16::from(old[at])).signum() as i8;
                let best = [old[at], least, nearer, between, 0]
                    .into_iter()
                    .map(|value| (cost(value), value))
                    .fold((cost(now), now), |best, next| if next.0 < best.0 { next } else { best })
                    .1;
                if best != now {
                    changed = true;
                    let moved = f32::from(i16::from(best) - i16::from(now)) * step;
                    let column = &hessian[at * dim..][..dim];
                    gradient.iter_mut().zip(column).for_each(|(g, h)| *g += h * moved);
                    codes[at] = best;
                }
                so_far += usize::from(best != old[at]);
                before.see(best);
            }
            if !changed {
                break;
            }
        }
        if !self.base.known[row] {
            return codes;
        }
        // What it would cost to go back.
        let back = codes.iter().zip(old).map(|(&new, &old)| i16::from(old) - i16::from(new));
        let back: Vec<f32> =
            back.zip(problem.steps).map(|(codes, step)| f32::from(codes) * step).collect();
        let dot = |a: &[f32]| a.iter().zip(&back).map(|(a, b)| a * b).sum::<f32>();
        let bent: f32 = hessian.chunks_exact(dim).zip(&back).map(|(h, x)| x * dot(h)).sum();
        let bits = own(&rates.own, old) - own(&rates.own, &codes);
        let saved = 2.0 * dot(gradient) + bent + bit * bits;
        if saved <= bit * price * rates.changes.of(old, &codes) { old.to_vec() } else { codes }
    }
}

/// What codes cost.
struct Rates {
    /// In the model.
    own: Costs,
    /// In a delta.
    changes: changes::Costs,
    /// What a bit of a delta costs, in bits of the model.
    price: f32,
}

/// The bits of a row in the model.
fn own(costs: &Costs, codes: &[i8]) -> f32 {
    let mut before = Before::default();
    let each = codes.iter().enumerate().map(|(at, &code)| {
        let bits = costs.of(at, before, code);
        before.see(code);
        bits
    });
    each.sum()
}

/// Tracks by what they were and who met them, in the order of the first of each.
fn alike(by_item: &Matrix, base: Base<'_>) -> Vec<Vec<usize>> {
    let dim = base.steps.len();
    let mut place = HashMap::new();
    let mut all: Vec<Vec<usize>> = Vec::new();
    for (row, known) in base.known.iter().enumerate() {
        let entries = by_item.row(row);
        let pulls: Vec<[u32; 2]> =
            entries.pulls().iter().map(|p| [p.weight, p.information].map(f32::to_bits)).collect();
        // Nothing but side information tells tracks apart that nobody met.
        let own = entries.columns().is_empty().then_some(row);
        let key = (known.then(|| &base.codes[row * dim..][..dim]), entries.columns(), pulls, own);
        let at = *place.entry(key).or_insert(all.len());
        if at == all.len() {
            all.push(Vec::new());
        }
        all[at].push(row);
    }
    all
}
