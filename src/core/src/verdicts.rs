//! What a listener says of tracks beyond what all listeners say of them.
//!
//! With the verdict yᵢ of a listener on each of the tracks S that they met (1 for yes, 0 for no, weighed by
//! how much of it there is), the share pᵢ of all listeners who say yes ([`crate::model::Rate`]), the first k
//! components vᵢ of the factors and r̄ = Σ wᵢ(yᵢ − pᵢ)/(Σ wᵢ + ρ), the mean of what is left,
//!
//! ```text
//! x = A⁻¹·Σ_S wᵢ(yᵢ − pᵢ − r̄)vᵢ      A = (a/n)·G + λs²·I + Σ_S wᵢvᵢvᵢᵀ
//! ```
//!
//! G sums vvᵀ over all n tracks, s² is the mean square of a component. It is a ridge regression whose
//! prior is flat among tracks as they lie: what is said of one track spreads to those near it as far as a
//! lets it. That a taste, which is of what is met at all, and verdicts on what was met need each other's
//! factors but not each other's targets is why there are two systems. One is of all that the listener said,
//! one of this sitting alone.

use alloc::vec::Vec;

use crate::{
    event::Kind,
    ids::Row,
    linalg::{Cholesky, add_diagonal, add_outer, dot, packed_len},
    model::{FINE_BITS, Model, Ranker, Rate, Worth},
    session::Evidence,
    signals::Signal,
};

/// A yes or a no to one track, and all between.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Verdict {
    /// How much of it there is, 0 to 1.
    pub weight: f32,
    /// 1 for yes, 0 for no.
    pub yes: f32,
}

impl Verdict {
    /// What `evidence` says where each kind is worth so much.
    pub fn of(evidence: &Evidence, worth: &Worth) -> Self {
        let (mut yes, mut no) = (0.0_f32, 0.0_f32);
        for kind in Kind::ALL {
            let said = worth[kind as usize] * evidence.amount(kind);
            let said = if evidence.takes_back(kind) { 0.0 } else { said };
            yes += said.max(0.0);
            no -= said.min(0.0);
        }
        let all = yes + no;
        if all > 0.0 { Self { weight: all.min(1.0), yes: yes / all } } else { Self::default() }
    }
}

/// The share of all listeners who say yes, of its log-odds.
pub fn share(log_odds: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-log_odds))
}

/// What the verdicts of one system add up to.
#[derive(Clone, Debug, Default)]
struct Sums {
    /// Σ wvvᵀ, packed.
    precision: Vec<f32>,
    /// Σ w(y − p)v.
    said: Vec<f32>,
    /// Σ wv.
    met: Vec<f32>,
    /// Σ w(y − p).
    beyond: f32,
    /// Σ w.
    weight: f32,
}

impl Sums {
    fn clear(&mut self, axes: usize) {
        self.precision.clear();
        self.precision.resize(packed_len(axes), 0.0);
        for of in [&mut self.said, &mut self.met] {
            of.clear();
            of.resize(axes, 0.0);
        }
        (self.beyond, self.weight) = (0.0, 0.0);
    }

    /// A track of this factor said `before`, and says `now`. O(k²).
    fn change(&mut self, factor: &[f32], share: f32, before: Verdict, now: Verdict) {
        let factor = &factor[..self.said.len()];
        let weight = now.weight - before.weight;
        let beyond = now.weight * (now.yes - share) - before.weight * (before.yes - share);
        add_outer(&mut self.precision, weight, factor);
        for ((said, met), v) in self.said.iter_mut().zip(&mut self.met).zip(factor) {
            *said += beyond * v;
            *met += weight * v;
        }
        self.beyond += beyond;
        self.weight += weight;
    }
}

/// What a listener is found to say along the axes of the factors.
#[derive(Clone, Debug, Default)]
struct Leaning {
    sums: Sums,
    /// x, and the same for codes.
    along: Vec<f32>,
    by_code: Vec<f32>,
    /// r̄.
    mean: f32,
    precision: Cholesky,
}

impl Leaning {
    /// O(k³/6).
    fn solve(&mut self, model: &Model, ranker: &Ranker<'_>, prior: &[f32]) {
        let recipe = ranker.recipe();
        let Sums { precision, said, met, beyond, weight } = &self.sums;
        let mean = beyond / (weight + recipe.prior).max(f32::MIN_POSITIVE);
        // What was taken away again leaves roundings.
        self.mean = if *weight > 1e-3 { mean } else { 0.0 };
        self.precision.factor(said.len(), |system| {
            system.clear();
            system.extend(prior.iter().zip(precision).map(|(a, b)| a + b));
        });
        self.along.clear();
        self.along.extend(said.iter().zip(met).map(|(said, met)| said - self.mean * met));
        self.precision.solve(&mut self.along);
        if *weight <= 1e-3 || !self.along.iter().all(|x| x.abs() <= 1e20) {
            self.along.fill(0.0);
        }
        self.by_code.clear();
        self.by_code.extend(self.along.iter().zip(model.steps()).map(|(x, step)| x * step));
    }

    /// Adds `weight` times what would be missing along each axis without this verdict on the track of `factor`
    /// to `out`: the leave-one-out identity of ridge regression, with r̄ as it is. O(k²).
    fn add_part_of(
        &self,
        factor: &[f32],
        share: f32,
        verdict: Verdict,
        weight: f32,
        out: &mut [f32],
    ) {
        let factor = &factor[..self.along.len()];
        let mut direction = factor.to_vec();
        self.precision.solve(&mut direction);
        let leverage = (verdict.weight * dot(factor, &direction)).min(1.0 - 1e-6);
        let residual = verdict.yes - share - self.mean - dot(factor, &self.along);
        let gain = weight * verdict.weight * residual / (1.0 - leverage);
        out.iter_mut().zip(&direction).for_each(|(out, x)| *out += gain * x);
    }

    /// What the listener is expected to say of a row beyond what all say.
    #[inline]
    fn of(&self, model: &Model, row: Row) -> f32 {
        const FINE: f32 = 1.0 / (1 << FINE_BITS) as f32;
        let sum = |codes: &[i8]| -> f32 {
            codes.iter().zip(&self.by_code).map(|(&code, x)| f32::from(code) * x).sum()
        };
        if let Some(codes) = model.codes(row) {
            return sum(codes) * (1_u32 << model.shift(row.shard())) as f32;
        }
        model.mean(row).map_or(0.0, |[whole, left]| sum(whole) + FINE * sum(left))
    }
}

/// The verdicts of a listener; nothing where the model has no ranker.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {
    all: Leaning,
    sitting: Leaning,
    /// (a/n)·G + λs²·I.
    prior: Vec<f32>,
}

impl Verdicts {
    /// Nothing said yet. O(k²).
    pub fn clear(&mut self, model: &Model) {
        let Some(ranker) = model.ranker() else { return };
        let recipe = ranker.recipe();
        let axes = recipe.axes as usize;
        self.all.sums.clear(axes);
        self.sitting.sums.clear(axes);
        let n = model.catalogue() as f32;
        let gram = &model.taste().gram()[..packed_len(axes)];
        let trace: f32 = (0..axes).map(|at| gram[packed_len(at) + at]).sum();
        self.prior.clear();
        self.prior.extend(gram.iter().map(|x| x * recipe.spread / n));
        let ridge = recipe.ridge * trace / (n * axes as f32);
        add_diagonal(&mut self.prior, axes, ridge.max(f32::MIN_POSITIVE));
    }

    /// The evidence on `row`, whose factor this is, was `before`, and is `now`. O(k²).
    pub fn change(&mut self, model: &Model, factor: &[f32], before: &Evidence, now: &Evidence) {
        if let Some(ranker) = model.ranker() {
            let [before, after] = [before, now].map(|of| Verdict::of(of, ranker.worth()));
            let share = share(rate(model, &ranker, now.row).log_odds);
            self.all.sums.change(factor, share, before, after);
        }
    }

    /// Solves both systems; `heard` is the evidence of this sitting, `factor` room for one. O(k³/3).
    pub fn solve<'a>(
        &mut self,
        model: &Model,
        heard: impl Iterator<Item = &'a Evidence>,
        factor: &mut [f32],
    ) {
        let Some(ranker) = model.ranker() else { return };
        let axes = ranker.recipe().axes as usize;
        self.sitting.sums.clear(axes);
        for evidence in heard {
            let verdict = Verdict::of(evidence, ranker.worth());
            let share = share(rate(model, &ranker, evidence.row).log_odds);
            model.decode(evidence.row, factor);
            self.sitting.sums.change(factor, share, Verdict::default(), verdict);
        }
        self.all.solve(model, &ranker, &self.prior);
        self.sitting.solve(model, &ranker, &self.prior);
    }

    /// What the listener is expected to say of a row beyond what all say, by all that they said and by
    /// what they said in this sitting. O(k).
    #[inline]
    pub fn of(&self, model: &Model, row: Row) -> [f32; 2] {
        [self.all.of(model, row), self.sitting.of(model, row)]
    }

    /// Adds what would be missing in log-odds along each axis without `evidence`, on the track of `factor` and of
    /// this sitting or not, to `out`. O(k²).
    #[inline(never)]
    pub fn add_part_of(
        &self,
        model: &Model,
        evidence: &Evidence,
        factor: &[f32],
        is_of_sitting: bool,
        out: &mut [f32],
    ) {
        let Some(ranker) = model.orderer() else { return };
        let share = share(rate(model, &ranker, evidence.row).log_odds);
        let verdict = Verdict::of(evidence, ranker.worth());
        let mut add = |leaning: &Leaning, signal| {
            leaning.add_part_of(factor, share, verdict, ranker.weight(signal), out);
        };
        add(&self.all, Signal::Verdicts);
        if is_of_sitting {
            add(&self.sitting, Signal::Sitting);
        }
    }

    /// How much more than others the listener says yes, in the mean: by all that they said and by what they
    /// said in this sitting.
    pub const fn means(&self) -> [f32; 2] {
        [self.all.mean, self.sitting.mean]
    }
}

/// What all say of a row; nothing is known of one whose shard is not here.
#[inline]
pub fn rate(model: &Model, ranker: &Ranker<'_>, row: Row) -> Rate {
    let unknown = Rate { log_odds: ranker.recipe().log_odds, plays: 0.0 };
    model.rate(row).unwrap_or(unknown)
}
