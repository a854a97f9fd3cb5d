//! What a listener says of tracks beyond what all listeners say of them.
//!
//! With the verdict yᵢ of a listener on each of the tracks S that they met (1 for yes, 0 for no, weighed by
//! how much of it there is), the share pᵢ of all listeners who say yes ([`crate::model::Rate`]), the features φᵢ of
//! the tracks ([`crate::features`]: the first k components of the factors, and tags) and
//! r̄ = Σ wᵢ(yᵢ − pᵢ)/(Σ wᵢ + ρ), the mean of what is left,
//!
//! ```text
//! x = A⁻¹·Σ_S wᵢ(yᵢ − pᵢ − r̄)φᵢ      A = P + Σ_S wᵢφᵢφᵢᵀ
//! P = (a/n)·G + λs²·I on axes, τ·I on tags
//! ```
//!
//! G sums vvᵀ over all n tracks, s² is the mean square of a component. It is a ridge regression whose
//! prior is flat among tracks as they lie: what is said of one track spreads to those near it as far as a
//! lets it. That a taste, which is of what is met at all, and verdicts on what was met need each other's
//! factors but not each other's targets is why there are two systems. One is of all that the listener said, of which
//! the older may count less, one of this sitting alone, in which what was said last counts most.

use alloc::vec::Vec;

use crate::{
    by_artist::ByArtist,
    event::Kind,
    features::{self, Along},
    ids::Row,
    linalg::{Cholesky, add_diagonal, add_outer, dot, packed_len, power},
    model::{Model, Ranker, Rate, Recipe, Spread, Track, Worth},
    moment::Moment,
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
    /// What `evidence` says where each kind is worth so much, and a skip at the very end counts `late` of one at the
    /// very start.
    pub fn of(evidence: &Evidence, worth: &Worth, late: f32) -> Self {
        let [yes, no] = amounts(evidence, worth, late);
        let all = yes + no;
        if all > 0.0 { Self { weight: all.min(1.0), yes: yes / all } } else { Self::default() }
    }
}

/// How much yes and how much no there is in `evidence`, as [`Verdict::of`] takes it.
pub fn amounts(evidence: &Evidence, worth: &Worth, late: f32) -> [f32; 2] {
    let [mut yes, mut no] = [0.0_f32; 2];
    for (kind, worth) in Kind::ALL.into_iter().zip(worth) {
        let amount = evidence.amount(kind);
        if amount <= 0.0 || evidence.takes_back(kind) {
            continue;
        }
        let skip = |amount| late * evidence.skips() + (1.0 - late) * amount;
        let amount = if kind == Kind::Skip { skip(amount) } else { amount };
        yes += (worth * amount).max(0.0);
        no -= (worth * amount).min(0.0);
    }
    [yes, no]
}

/// The share of all listeners who say yes, of its log-odds.
pub fn share(log_odds: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-log_odds))
}

/// What the verdicts of one system add up to.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    /// Σ wφφᵀ, packed.
    precision: Vec<f32>,
    /// Σ w(y − p)φ.
    said: Vec<f32>,
    /// Σ wφ.
    met: Vec<f32>,
    /// Σ w(y − p).
    beyond: f32,
    /// Σ w.
    weight: f32,
}

impl Sums {
    /// Of nothing yet, for so many features.
    pub fn clear(&mut self, features: usize) {
        self.precision.clear();
        self.precision.resize(packed_len(features), 0.0);
        for of in [&mut self.said, &mut self.met] {
            of.clear();
            of.resize(features, 0.0);
        }
        (self.beyond, self.weight) = (0.0, 0.0);
    }

    /// A track of these features has `weight` more of verdicts, which are `beyond` in sum. O(k²).
    pub fn add(&mut self, features: &[f32], weight: f32, beyond: f32) {
        add_outer(&mut self.precision, weight, features);
        for ((said, met), x) in self.said.iter_mut().zip(&mut self.met).zip(features) {
            *said += beyond * x;
            *met += weight * x;
        }
        self.beyond += beyond;
        self.weight += weight;
    }

    /// All of it counts `by` of what it did.
    fn scale(&mut self, by: f32) {
        let Self { precision, said, met, beyond, weight } = self;
        let sums = precision.iter_mut().chain(said).chain(met).chain([beyond, weight]);
        sums.for_each(|sum| *sum *= by);
    }

    /// r̄.
    pub fn mean(&self, prior: f32) -> f32 {
        let mean = self.beyond / (self.weight + prior).max(f32::MIN_POSITIVE);
        // What was taken away again leaves roundings.
        if self.weight > 1e-3 { mean } else { 0.0 }
    }
}

/// P, packed.
pub fn prior(model: &Model, axes: usize, by: Spread, out: &mut Vec<f32>) {
    let features = axes + model.tags();
    let n = model.catalogue() as f32;
    let gram = &model.taste().gram()[..packed_len(axes)];
    let trace: f32 = (0..axes).map(|at| gram[packed_len(at) + at]).sum();
    out.clear();
    out.extend(gram.iter().map(|x| x * by.others / n));
    let ridge = by.ridge * trace / (n * axes as f32);
    add_diagonal(out, axes, ridge.max(f32::MIN_POSITIVE));
    out.resize(packed_len(features), 0.0);
    (axes..features).for_each(|at| out[packed_len(at) + at] = by.tags);
}

/// What a listener is found to say for each feature.
#[derive(Clone, Debug, Default)]
pub struct Leaning {
    sums: Sums,
    prior: Vec<f32>,
    /// x.
    along: Vec<f32>,
    /// r̄.
    mean: f32,
    precision: Cholesky,
}

impl Leaning {
    /// Nothing said yet. O(k²).
    pub fn clear(&mut self, model: &Model, axes: usize, by: Spread) {
        self.sums.clear(axes + model.tags());
        prior(model, axes, by, &mut self.prior);
    }

    /// What is added up.
    pub const fn sums(&mut self) -> &mut Sums {
        &mut self.sums
    }

    /// Solves with this r̄. O(k³/6).
    pub fn solve(&mut self, mean: f32) {
        let Sums { precision, said, met, weight, .. } = &self.sums;
        self.mean = mean;
        self.precision.factor(said.len(), |system| {
            system.clear();
            system.extend(self.prior.iter().zip(precision).map(|(a, b)| a + b));
        });
        self.along.clear();
        self.along.extend(said.iter().zip(met).map(|(said, met)| said - mean * met));
        self.precision.solve(&mut self.along);
        if *weight <= 1e-3 || !self.along.iter().all(|x| x.abs() <= 1e20) {
            self.along.fill(0.0);
        }
    }

    /// x.
    pub fn along(&self) -> &[f32] {
        &self.along
    }

    /// Adds `weight` times what would be missing for each feature without a verdict that is `beyond` what all say of
    /// the track of these features to `out`: the leave-one-out identity of ridge regression, with r̄ as it is. O(k²).
    fn add_part_of(&self, features: &[f32], said: Beyond, weight: f32, out: &mut [f32]) {
        let mut direction = features.to_vec();
        self.precision.solve(&mut direction);
        let leverage = (said.weight * dot(features, &direction)).min(1.0 - 1e-6);
        let residual = said.weight * (said.mean - self.mean - dot(features, &self.along));
        let gain = weight * residual / (1.0 - leverage);
        out.iter_mut().zip(&direction).for_each(|(out, x)| *out += gain * x);
    }
}

/// A verdict beside what all say.
#[derive(Clone, Copy, Debug)]
pub struct Beyond {
    /// How much of it there is.
    pub weight: f32,
    /// y − p.
    pub mean: f32,
}

impl Beyond {
    /// Of the evidence on one track.
    pub fn of(model: &Model, ranker: &Ranker<'_>, evidence: &Evidence) -> Self {
        let Verdict { weight, yes } = Verdict::of(evidence, ranker.worth(), ranker.recipe().late);
        Self { weight, mean: yes - share(rate(ranker, model.track(evidence.row)).log_odds) }
    }
}

/// The verdicts of a listener; nothing where the model has no ranker.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {
    all: Leaning,
    sitting: Leaning,
    artists: ByArtist,
    /// The event at which verdicts count whole in `all`: instead of the older fading, the later count more.
    whole: u32,
    /// The features of the track at hand.
    features: Vec<f32>,
    /// All that is so much for each feature, as log-odds weigh it: both leanings, and what the moment tells.
    together: Along,
}

impl Verdicts {
    /// Nothing said yet. O(k²).
    pub fn clear(&mut self, model: &Model) {
        let Some(ranker) = model.ranker() else { return };
        let Recipe { axes, all, sitting, .. } = *ranker.recipe();
        self.all.clear(model, axes as usize, all);
        self.sitting.clear(model, axes as usize, sitting);
        self.artists.clear();
        self.whole = 0;
    }

    /// What a verdict counts in `all` that was last given at event `touched`.
    fn share_at(&self, memory: f32, touched: u32) -> f32 {
        let later = touched as f32 - self.whole as f32;
        if memory > 0.0 { power(2.0, later / memory) } else { 1.0 }
    }

    /// From now on verdicts count whole at this event. O(k²).
    fn fade(&mut self, memory: f32, now: u32) {
        if memory > 0.0 {
            let by = 1.0 / self.share_at(memory, now);
            self.all.sums.scale(by);
            self.whole = now;
        }
    }

    /// The evidence on `row`, whose factor this is, was `before`, and is `now`. O(k²).
    pub fn change(&mut self, model: &Model, factor: &[f32], before: &Evidence, now: &Evidence) {
        let Some(ranker) = model.ranker() else { return };
        let Recipe { axes, memory, .. } = *ranker.recipe();
        if (now.touched() as f32 - self.whole as f32) > memory {
            // Before what counts more and more is too much for a number.
            self.fade(memory, now.touched());
        }
        let shares = [before, now].map(|of| self.share_at(memory, of.touched()));
        let [before, after] = [before, now].map(|of| Beyond::of(model, &ranker, of));
        let sums = |shares: [f32; 2]| {
            let [before, after] = [(before, shares[0]), (after, shares[1])];
            let weights = [before, after].map(|(said, share)| said.weight * share);
            [weights[1] - weights[0], weights[1] * after.0.mean - weights[0] * before.0.mean]
        };
        features::write(model, axes as usize, now.row, factor, &mut self.features);
        let [weight, beyond] = sums(shares);
        self.all.sums.add(&self.features, weight, beyond);
        let [weight, beyond] = sums([1.0; 2]);
        self.artists.add(model, now.row, weight, beyond);
    }

    /// Solves both systems; `heard` is the evidence of this sitting, `now` the number of the session's last event,
    /// `factor` room for one. O(k³/3).
    pub fn solve<'a>(
        &mut self,
        model: &Model,
        heard: impl Iterator<Item = &'a Evidence>,
        now: u32,
        factor: &mut [f32],
    ) {
        let Some(ranker) = model.ranker() else { return };
        let recipe = ranker.recipe();
        let axes = recipe.axes as usize;
        self.fade(recipe.memory, now);
        self.sitting.sums.clear(axes + model.tags());
        self.artists.leave();
        for evidence in heard {
            let said = Beyond::of(model, &ranker, &evidence.of_sitting());
            let age = now.saturating_sub(evidence.observed()) as f32;
            let weight = said.weight * power(2.0, -age / recipe.half_life);
            model.decode(evidence.row, factor);
            features::write(model, axes, evidence.row, factor, &mut self.features);
            self.sitting.sums.add(&self.features, weight, weight * said.mean);
            self.artists.hear(model, evidence.row, age);
        }
        for leaning in [&mut self.all, &mut self.sitting] {
            leaning.solve(leaning.sums.mean(recipe.prior));
        }
    }

    /// Puts together all that is so much for each feature, at this moment. O(k·fields).
    pub fn combine(&mut self, model: &Model, moment: &Moment) {
        let Some(ranker) = model.ranker() else { return };
        self.together.clear(model, ranker.recipe().axes as usize);
        let leanings = [(&self.all, Signal::Verdicts), (&self.sitting, Signal::Sitting)];
        for (leaning, signal) in leanings {
            self.together.add(model, ranker.weight(signal), leaning.along.iter().copied());
        }
        let Some(contexts) = model.contexts() else { return };
        for (field, key) in moment.known() {
            let weight = ranker.weight(Signal::of_field(field));
            if let Some(effect) = contexts.of(key).filter(|_| weight != 0.0) {
                self.together.add(model, weight, effect);
            }
        }
    }

    /// What [`Self::combine`] put together comes to for a row, whose track this is where it is here. O(axes + tags of
    /// the track).
    #[inline]
    pub fn together(&self, model: &Model, row: Row, track: Option<Track<'_>>) -> f32 {
        self.together.of(model, row, track)
    }

    /// What the listener is expected to say for each feature beyond what all say: by all that they said, and by what
    /// they said in this sitting.
    pub fn along(&self) -> [&[f32]; 2] {
        [&self.all.along, &self.sitting.along]
    }

    /// What they said of each artist.
    pub const fn artists(&self) -> &ByArtist {
        &self.artists
    }

    /// Adds what would be missing in log-odds for each feature without `evidence`, on the track of `factor` and of
    /// this sitting or not, to `out`. O(k²).
    #[inline(never)]
    pub fn add_part_of(
        &self,
        model: &Model,
        evidence: &Evidence,
        factor: &[f32],
        age: Option<u32>,
        out: &mut Vec<f32>,
    ) {
        let Some(ranker) = model.ranker() else { return };
        let recipe = ranker.recipe();
        let said = Beyond::of(model, &ranker, evidence);
        let mut features = Vec::new();
        features::write(model, recipe.axes as usize, evidence.row, factor, &mut features);
        out.clear();
        out.resize(features.len(), 0.0);
        let weight = said.weight * self.share_at(recipe.memory, evidence.touched());
        let said = Beyond { weight, ..said };
        self.all.add_part_of(&features, said, ranker.weight(Signal::Verdicts), out);
        if let Some(age) = age {
            let said = Beyond::of(model, &ranker, &evidence.of_sitting());
            let weight = said.weight * power(2.0, -(age as f32) / recipe.half_life);
            let said = Beyond { weight, ..said };
            self.sitting.add_part_of(&features, said, ranker.weight(Signal::Sitting), out);
        }
    }

    /// How much more than others the listener says yes, in the mean: by all that they said and by what they
    /// said in this sitting.
    pub const fn means(&self) -> [f32; 2] {
        [self.all.mean, self.sitting.mean]
    }
}

/// What all say of a track; nothing is known of one that is not here.
#[inline]
pub fn rate(ranker: &Ranker<'_>, track: Option<Track<'_>>) -> Rate {
    let unknown = Rate { log_odds: ranker.recipe().log_odds, plays: 0.0 };
    track.and_then(Track::rate).unwrap_or(unknown)
}
