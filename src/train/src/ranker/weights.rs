//! The weights of signals: learned from pairs of a yes and a no of one listener, and judged on listeners that
//! had no part in it.
//!
//! The loss is the pairwise logistic one (Burges et al., "Learning to Rank using Gradient Descent", 2005): of
//! what one listener said yes to and what they said no to, which is which. Every listener counts as one.

use rayon::prelude::*;
use segue_core::signals::{Signal, Signals};

use super::{
    logistic::{Observed, fit, sigmoid},
    stories::Said,
};

/// Parts of the listeners, of which each is judged by weights that the others gave.
const FOLDS: usize = 5;
/// Parts of what was foretold by which its error is told: each has as much of it.
const BINS: usize = 10;

/// Which signals may have a weight.
pub type Chosen = [bool; Signal::ALL.len()];

/// Weights, one a signal.
pub type Weights = [f64; Signal::ALL.len()];

/// How weights are learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighing {
    /// The ridge on them, in listeners.
    pub ridge: f64,
    /// Which signals have one.
    pub chosen: Chosen,
}

/// What the same signals foretell of listeners that their weights were not learned from.
#[derive(Clone, Debug)]
pub struct Judged {
    /// How likely what each listener said was: see [`likelihood`].
    pub likely: Vec<f64>,
    /// The weighted signals of each listener's verdicts.
    pub scores: Vec<Vec<f64>>,
}

/// Judges weights on all listeners, each by those of the four fifths that they are not of.
pub fn judged(stories: &[&[Said]], of: Weighing) -> Judged {
    let others = |fold| -> Vec<&[Said]> {
        let some = stories.iter().enumerate().filter(|(at, _)| at % FOLDS != fold);
        some.map(|(_, story)| *story).collect()
    };
    let weights: Vec<Weights> =
        (0..FOLDS).into_par_iter().map(|fold| learned(&others(fold), of)).collect();
    let each = || stories.iter().zip(weights.iter().cycle());
    let scores = |(story, weights): (&&[Said], &Weights)| -> Vec<f64> {
        story.iter().map(|said| score(weights, &said.signals)).collect()
    };
    Judged {
        scores: each().map(scores).collect(),
        likely: each().filter_map(|(story, weights)| likelihood(weights, story)).collect(),
    }
}

/// The mean log-likelihood, under weights, that of each yes and no of the listener the yes is the yes, both at the
/// moment of the earlier: what is chosen is chosen by it, for it tells more of as many listeners than whether the yes
/// is above does. `None` where they say but one of them.
fn likelihood(weights: &Weights, story: &[Said]) -> Option<f64> {
    let ahead = ahead(weights, story);
    let count = ahead.len();
    let sum: f64 = ahead.into_iter().map(|x| x.min(0.0) - (-x.abs()).exp().ln_1p()).sum();
    (count > 0).then(|| sum / count as f64)
}

/// By how much the score of each yes is above that of each no that it is held against.
fn ahead(weights: &Weights, story: &[Said]) -> Vec<f64> {
    let each = story.iter().flat_map(|said| {
        let own = score(weights, &said.signals);
        let sign = if said.yes { 1.0 } else { -1.0 };
        said.opposite.iter().map(move |(_, other)| sign * (own - score(weights, other)))
    });
    each.collect()
}

/// The probability that weights rank what the listener says yes to above what they say no to, both at the moment of
/// the earlier. `None` where they say but one of them.
pub fn told_by(weights: &Weights, story: &[Said]) -> Option<f64> {
    let ahead = ahead(weights, story);
    let won = |x: &f64| if *x == 0.0 { 0.5 } else { f64::from(u8::from(*x > 0.0)) };
    (!ahead.is_empty()).then(|| ahead.iter().map(won).sum::<f64>() / ahead.len() as f64)
}

/// How much one deviation of each signal counts.
pub fn strengths(stories: &[&[Said]], of: Weighing) -> Weights {
    let (weights, sizes) = (learned(stories, of), deviations(stories));
    std::array::from_fn(|at| weights[at] * sizes[at])
}

/// The weighted sum of signals.
pub fn score(weights: &Weights, signals: &Signals) -> f64 {
    weights.iter().zip(signals).map(|(weight, x)| weight * f64::from(*x)).sum()
}

/// The weights that tell what each listener said yes to from the rest, under a ridge on standardised signals.
pub fn learned(stories: &[&[Said]], Weighing { ridge, chosen }: Weighing) -> Weights {
    let sizes = deviations(stories);
    let used: Vec<usize> = (0..sizes.len()).filter(|&at| chosen[at] && sizes[at] > 0.0).collect();
    let mut weights = [0.0; Signal::ALL.len()];
    if used.is_empty() {
        return weights;
    }
    let mut pairs = Pairs { sizes: &sizes, used: &used, known: Vec::new(), counts: Vec::new() };
    for story in stories {
        let opposite = story.iter().map(|said| said.opposite.len()).sum::<usize>() as f64;
        for said in *story {
            for (_, other) in &said.opposite {
                let (yes, no) =
                    if said.yes { (&said.signals, other) } else { (other, &said.signals) };
                pairs.add(yes, no, 1.0 / opposite);
            }
        }
    }
    let Pairs { known, counts, .. } = pairs;
    let observed: Vec<Observed<'_>> = known
        .chunks_exact(used.len())
        .zip(counts)
        .map(|(known, weight)| Observed { known, weight, so: 1.0 })
        .collect();
    let found = fit(&observed, &vec![ridge; used.len()]);
    used.iter().zip(found).for_each(|(&at, weight)| weights[at] = weight / sizes[at]);
    weights
}

/// Pairs of which the first is to be above the second.
struct Pairs<'a> {
    sizes: &'a Weights,
    used: &'a [usize],
    known: Vec<f64>,
    counts: Vec<f64>,
}

impl Pairs<'_> {
    fn add(&mut self, above: &Signals, below: &Signals, count: f64) {
        let difference = |&at: &usize| f64::from(above[at] - below[at]) / self.sizes[at];
        self.known.extend(self.used.iter().map(difference));
        self.counts.push(count);
    }
}

/// How far each signal varies.
fn deviations(stories: &[&[Said]]) -> Weights {
    let all = || stories.iter().flat_map(|story| story.iter());
    let count = all().count().max(1) as f64;
    std::array::from_fn(|at| {
        let of = |said: &Said| f64::from(said.signals[at]);
        let mean = all().map(of).sum::<f64>() / count;
        let square = all().map(|said| (of(said) - mean).powi(2)).sum::<f64>() / count;
        // Roundings of what does not vary.
        if square > 1e-18 * mean * mean { square.sqrt() } else { 0.0 }
    })
}

/// How a score, and how much more than others a listener says yes, become log-odds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// What a score counts.
    pub scale: f64,
    /// What [`Signal::Listener`] and [`Signal::Temper`] count beside it.
    pub means: [f64; 2],
    /// What is added.
    pub bias: f64,
}

/// Whose mean it is.
const MEANS: [Signal; 2] = [Signal::Listener, Signal::Temper];

impl Calibration {
    /// Platt's scaling ("Probabilistic Outputs for Support Vector Machines", 1999), with the listener's means
    /// beside the score.
    fn of(all: &[(&Said, f64)]) -> Self {
        let known: Vec<[f64; 4]> =
            all.iter().map(|(said, score)| Self::known(said, *score)).collect();
        let observed: Vec<Observed<'_>> = known
            .iter()
            .zip(all)
            .map(|(known, (said, _))| Observed { known, weight: 1.0, so: f64::from(said.yes) })
            .collect();
        let found = fit(&observed, &[1e-6, 1.0, 1.0, 1e-6]);
        Self { scale: found[0], means: [found[1], found[2]], bias: found[3] }
    }

    fn known(said: &Said, score: f64) -> [f64; 4] {
        let [listener, temper] = MEANS.map(|signal| f64::from(said.signals[signal as usize]));
        [score, listener, temper, 1.0]
    }

    /// Of a yes.
    pub fn probability(&self, said: &Said, score: f64) -> f64 {
        let [score, listener, temper, one] = Self::known(said, score);
        let Self { scale, means, bias } = self;
        sigmoid(scale * score + means[0] * listener + means[1] * temper + bias * one)
    }

    /// The weights that give log-odds.
    pub fn weights(&self, mut weights: Weights) -> Weights {
        weights.iter_mut().for_each(|weight| *weight *= self.scale);
        MEANS.iter().zip(self.means).for_each(|(&signal, mean)| weights[signal as usize] = mean);
        weights
    }
}

/// One part of what was foretold.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// The mean probability of a yes that was foretold.
    pub foretold: f64,
    /// The share of yes that came.
    pub came: f64,
    /// How many verdicts.
    pub verdicts: usize,
}

/// How the scores become log-odds that weights give: of listeners that had no part in these.
pub fn calibrated(stories: &[&[Said]], of: Weighing) -> Calibration {
    let scores = judged(stories, of).scores;
    let said = stories.iter().flat_map(|story| story.iter());
    Calibration::of(&said.zip(scores.into_iter().flatten()).collect::<Vec<_>>())
}

/// The bins of the reliability diagram, by rising probability, of what was foretold and whether it came.
pub fn bins(mut foretold: Vec<(f64, bool)>) -> Vec<Bin> {
    foretold.sort_by(|a, b| a.0.total_cmp(&b.0));
    let size = foretold.len().div_ceil(BINS).max(1);
    let bin = |part: &[(f64, bool)]| Bin {
        foretold: part.iter().map(|(p, _)| p).sum::<f64>() / part.len() as f64,
        came: part.iter().filter(|(_, yes)| *yes).count() as f64 / part.len() as f64,
        verdicts: part.len(),
    };
    foretold.chunks(size).map(bin).collect()
}

/// The expected calibration error (Guo et al., "On Calibration of Modern Neural Networks", 2017).
pub fn calibration_error(bins: &[Bin]) -> f64 {
    let all: usize = bins.iter().map(|bin| bin.verdicts).sum();
    let off = bins.iter().map(|bin| (bin.foretold - bin.came).abs() * bin.verdicts as f64);
    off.sum::<f64>() / all.max(1) as f64
}
