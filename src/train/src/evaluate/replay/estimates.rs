//! The value of a policy from what another one offered: the share of impressions with which listeners are
//! content.
//!
//! With n impressions, the reward rᵢ (1 for content, 0 for not), the propensity pᵢ of what was offered, the
//! chance πᵢ(a) with which the target policy offers candidate a, wᵢ = πᵢ(aᵢ)/pᵢ, and q̂ᵢ(a), the reward as it is
//! foretold:
//!
//! ```text
//! log                  Σ rᵢ / n
//! inverse propensity   Σ wᵢrᵢ / n                              Horvitz and Thompson 1952
//! self-normalised      Σ wᵢrᵢ / Σ wᵢ                           Swaminathan and Joachims 2015
//! direct method        Σᵢ Σₐ πᵢ(a)q̂ᵢ(a) / n
//! doubly robust        direct method + Σ wᵢ(rᵢ − q̂ᵢ(aᵢ)) / n   Dudík, Langford and Li 2011
//! ```
//!
//! The second and the last are unbiased where the propensities are true and none is 0 of what the target policy
//! offers, of the impressions that are answered: where the log's own choice decides whether one is, so that some tracks
//! are answered more often than others, all of them lean towards these. The direct method is as good as what foretells
//! the reward.

use crate::evaluate::intervals::{Interval, intervals_of, totals};

/// An impression to which the listener said something.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Which of [`crate::dataset::Offers::all`] it is.
    pub offer: usize,
    /// Who was there.
    pub listener: usize,
    /// Whether they were content.
    pub yes: bool,
    /// The chance with which the target policy offers each candidate.
    pub target: Vec<f64>,
    /// That chance, of what the log offered.
    pub agreement: f64,
    /// The same over its propensity.
    pub weight: f64,
    /// The probability that the listener is content, as it is foretold, of what the log offered.
    pub foretold: f64,
    /// The same of what the target policy offers.
    pub foretold_of_target: f64,
}

/// A figure and its 95 % interval, by the bootstrap over listeners.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// How far off it may be.
    pub interval: Interval,
}

/// What was estimated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimates {
    /// The policy that wrote the log.
    pub log: Estimate,
    /// The target policy, by inverse propensity.
    pub ips: Estimate,
    /// By inverse propensity, self-normalised.
    pub snips: Estimate,
    /// By the direct method.
    pub direct: Estimate,
    /// Doubly robust.
    pub robust: Estimate,
    /// How much better the target policy is than that of the log, doubly robust.
    pub gain: Estimate,
    /// (Σw)²/Σw²: impressions under the target policy that would tell as much (Kish 1965).
    pub effective: f64,
    /// The largest weight, before any is clipped.
    pub largest: f64,
    /// How many are.
    pub clipped: usize,
    /// The share of impressions at which the target policy offers what the log did.
    pub agreement: f64,
}

/// Estimates from `judged`, by listener, of which one has a weight above 0. Resamples are drawn by `seed`.
pub fn estimates(judged: &[Judged], clip: Option<f64>, seed: u64) -> Estimates {
    let clip = clip.unwrap_or(f64::INFINITY);
    let weight = |judged: &Judged| judged.weight.min(clip);
    let each: Vec<[f64; SUMS]> = judged
        .chunk_by(|a, b| a.listener == b.listener)
        .map(|of_one| {
            let parts: Vec<_> = of_one.iter().map(|judged| parts(judged, weight(judged))).collect();
            totals(&parts)
        })
        .collect();
    let values = figures(totals(&each));
    let intervals = intervals_of(&each, figures, seed);
    let estimate = |at: usize| Estimate { value: values[at], interval: intervals[at] };
    let [log, ips, snips, direct, robust, gain] = std::array::from_fn(estimate);
    let sum = |of: &dyn Fn(&Judged) -> f64| judged.iter().map(of).sum::<f64>();
    Estimates {
        log,
        ips,
        snips,
        direct,
        robust,
        gain,
        effective: sum(&weight).powi(2) / sum(&|judged| weight(judged).powi(2)),
        largest: judged.iter().map(|judged| judged.weight).fold(0.0, f64::max),
        clipped: judged.iter().filter(|judged| judged.weight > clip).count(),
        agreement: sum(&|judged| judged.agreement) / judged.len() as f64,
    }
}

/// What each figure is made of.
const SUMS: usize = 6;

/// 1, r, w, wr, Σ πq̂, w(r − q̂).
fn parts(judged: &Judged, weight: f64) -> [f64; SUMS] {
    let reward = f64::from(u8::from(judged.yes));
    let missed = weight * (reward - judged.foretold);
    [1.0, reward, weight, weight * reward, judged.foretold_of_target, missed]
}

/// The figures, in the order of [`Estimates`]. A resample without any weight says 0 of what is normalised by it.
fn figures([n, reward, weight, weighted, direct, missed]: [f64; SUMS]) -> [f64; 6] {
    let robust = (direct + missed) / n;
    let normalised = if weight > 0.0 { weighted / weight } else { 0.0 };
    [reward / n, weighted / n, normalised, direct / n, robust, robust - reward / n]
}
