//! What foretells whether a listener says yes or no to a track: rates of all listeners, verdicts of their own,
//! taste, and what follows what, each with a weight that was learned.
//!
//! Listeners are followed through the held-out end of their history. Everything that is known (rates, factors,
//! what follows what) comes from before; before each yes and no to a new track the signals are read as a
//! device would have them ([`segue_core::signals`]), through the engine that ships. How verdicts are taken, which
//! signals have a weight and how large it is ([`choice`]) is judged on listeners on whom none of it was chosen, a
//! third of them in turn; settings of taste and what follows what were chosen on some of all. It ships where it tells
//! yes from no better than taste alone by more than two standard errors, and orders tracks where it is as much better
//! at that; where listeners say no too seldom, nothing is learned.

mod choice;
mod logistic;
pub mod rates;
pub mod stories;
pub mod weights;

use segue_core::{
    event::Kind,
    model::{
        Model, ModelError, RankerParts, Rate, Recipe, SectionKind, Worth, encode_ranker,
        encode_rates,
    },
    signals::Signal,
};

use self::{
    choice::{Choice, Run, without},
    rates::{Counts, Shrinkage},
    stories::{Said, Story, followed, stories},
    weights::{
        Bin, Chosen, Weighing, Weights, bins, calibrated, calibration_error, learned, score,
        told_by,
    },
};
use crate::{
    TrainError,
    dataset::Dataset,
    evaluate::{mean, paired},
    progress::Progress,
};

/// Fewer listeners that said both, and fewer verdicts of either kind, teach nothing reliably.
const MIN_LISTENERS: usize = 20;
const MIN_VERDICTS: usize = 100;
/// Parts of the listeners of which each is judged by what was chosen on the others.
const THIRDS: usize = 3;
/// Standard errors by which what ships ranks better than taste.
const FOUND: f64 = 2.0;

/// How listeners' yes and no are foretold.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// The section that ships, but for what all say of unknown tracks.
    pub parts: RankerParts,
    /// How rates are pooled.
    pub shrinkage: Shrinkage,
    /// How well yes is told from no, of listeners on whom nothing of this was chosen but taste, as ever.
    pub odds: Told,
    /// How well what they said yes to is told from both what they said no to and what they had not met.
    pub order: Told,
    /// Foretold and what came, by rising probability, of the same listeners.
    pub reliability: Vec<Bin>,
    /// Whether what foretells a skip ships.
    pub ships: bool,
    /// Whether tracks are ordered by it too. What learns it looks at pairs; see [`crate::pipeline`] for what it is
    /// held against.
    pub orders: bool,
}

/// How well listeners are told: mean AUCs, half by chance.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// By all signals.
    pub auc: f64,
    /// By taste and what follows what, by which tracks are ranked without all this.
    pub auc_of_taste: f64,
    /// For each signal that has a weight, without it.
    pub without: Vec<(Signal, f64)>,
}

impl Ranking {
    /// How far off foretold probabilities are.
    pub fn calibration_error(&self) -> f64 {
        calibration_error(&self.reliability)
    }

    /// What ships of a whole log, of which all said so.
    pub fn sections(&self, counts: &Counts) -> (Vec<Rate>, RankerParts) {
        let mut parts = self.parts;
        if !self.orders {
            parts.order.fill(0.0);
        }
        parts.recipe.log_odds = counts.unknown();
        (counts.rates(self.shrinkage), parts)
    }
}

/// What each kind of event says, by definition: yes, no, or neither.
pub fn worth() -> Worth {
    Kind::ALL.map(|kind| match kind {
        Kind::Skip | Kind::Dislike => -1.0,
        Kind::Impression | Kind::Search | Kind::Click => 0.0,
        _ => 1.0,
    })
}

/// Whether enough listeners say yes and no.
pub fn is_told(dataset: &Dataset, seed: u64) -> bool {
    verdicts(&stories(dataset, seed)).is_some()
}

/// How many verdicts there are, where these are enough.
fn verdicts(stories: &[Story<'_>]) -> Option<usize> {
    let said = || stories.iter().flat_map(Story::verdicts);
    let (all, noes) = (said().count(), said().filter(|(_, yes)| !yes).count());
    let enough = stories.len() >= MIN_LISTENERS && noes.min(all - noes) >= MIN_VERDICTS;
    enough.then_some(all)
}

/// Learns from `dataset` beside `base`, whose factors and lists come from what was before the latest fifth of
/// each listener's events, and whose factors lie along their principal axes. `None` where listeners said no too
/// seldom.
pub fn learn(
    dataset: &Dataset,
    base: &Model,
    seed: u64,
    progress: &Progress<'_>,
) -> Result<Option<Ranking>, TrainError> {
    progress.stage(choice::STAGE);
    let stories = stories(dataset, seed);
    let Some(verdicts) = verdicts(&stories) else { return Ok(None) };
    let before = |listener| dataset.split_by_time(listener).0;
    let counts = Counts::of(dataset, &worth(), before);
    let shrinkage = counts.shrinkage();
    let rates = counts.rates(shrinkage);
    let mut run = Run::new(base, &rates, counts.unknown(), &stories, progress)?;
    let judged = run.judge()?;

    let Choice { recipe, odds, order } = run.choose(|_| true)?;
    let said = followed(&run.model(recipe)?, &stories);
    let said: Vec<&[Said]> = said.iter().map(Vec::as_slice).collect();
    let weights = |of: Weighing| learned(&said, of);
    let calibration = calibrated(&said, odds);
    let ships = judged.odds.is_found();
    let bias = calibration.bias as f32;
    let learned_from = [stories.len() as u32, verdicts as u32];
    Ok(Some(Ranking {
        parts: RankerParts {
            recipe: Recipe { bias, learned_from, ..recipe },
            worth: worth(),
            order: weights(order).map(|x| x as f32),
            odds: calibration.weights(weights(odds)).map(|x| x as f32),
        },
        shrinkage,
        odds: judged.odds.told(odds.chosen),
        order: judged.order.told(order.chosen),
        reliability: bins(judged.foretold),
        ships,
        orders: ships && judged.order.is_found(),
    }))
}

/// Of all listeners, each by what was chosen on two thirds that they are not of.
#[derive(Default)]
struct Judged {
    /// The probability of a yes that was foretold, and whether it came, of each verdict.
    foretold: Vec<(f64, bool)>,
    odds: Each,
    order: Each,
}

/// How well each listener is told.
#[derive(Default)]
struct Each {
    all: Vec<f64>,
    taste: Vec<f64>,
    /// Without each signal.
    without: [Vec<f64>; Signal::ALL.len()],
}

impl Each {
    /// Adds `own` listeners, by the weights that `others` give.
    fn add(&mut self, own: &[&[Said]], others: &[&[Said]], of: Weighing) -> Weights {
        let weights = |chosen| learned(others, Weighing { chosen, ..of });
        let told = |weights: &Weights| -> Vec<f64> {
            own.iter().filter_map(|said| told_by(weights, said, of.aim)).collect()
        };
        let all = weights(of.chosen);
        self.all.extend(told(&all));
        self.taste.extend(told(&BY_TASTE));
        for (signal, each) in Signal::ALL.into_iter().zip(&mut self.without) {
            each.extend(told(&weights(without(of.chosen, signal))));
        }
        all
    }

    fn is_found(&self) -> bool {
        paired(&self.all, &self.taste) > FOUND
    }

    fn told(&self, chosen: Chosen) -> Told {
        let named = Signal::ALL.into_iter().filter(|&signal| chosen[signal as usize]);
        let without = named.map(|signal| (signal, mean(&self.without[signal as usize])));
        Told { auc: mean(&self.all), auc_of_taste: mean(&self.taste), without: without.collect() }
    }
}

impl Run<'_> {
    fn judge(&mut self) -> Result<Judged, TrainError> {
        let mut found = Judged::default();
        for third in 0..THIRDS {
            let is_own = |at: usize| at % THIRDS == third;
            let Choice { recipe, odds, order } = self.choose(|at| !is_own(at))?;
            let all = self.said(recipe)?;
            let of = |own: bool| -> Vec<&[Said]> {
                let some = all.iter().enumerate().filter(|(at, _)| is_own(*at) == own);
                some.map(|(_, said)| said.as_slice()).collect()
            };
            let (own, others) = (of(true), of(false));
            let weights = found.odds.add(&own, &others, odds);
            found.order.add(&own, &others, order);
            let calibration = calibrated(&others, odds);
            let said = own.iter().flat_map(|said| said.iter());
            let foretold = said.map(|said| {
                let score = score(&weights, &said.signals);
                (calibration.probability(said, score), said.yes)
            });
            found.foretold.extend(foretold);
        }
        Ok(found)
    }
}

/// Without all this tracks are ranked by taste and what follows what.
const BY_TASTE: Weights = {
    let mut alone = [0.0; Signal::ALL.len()];
    alone[Signal::Taste as usize] = 1.0;
    alone[Signal::Votes as usize] = 1.0;
    alone
};

/// `base` with rates and a ranker.
pub fn with_ranker(base: &Model, rates: &[Rate], parts: &RankerParts) -> Result<Model, ModelError> {
    let mut model = base.clone();
    let sections = [
        (SectionKind::Rates, encode_rates(base.ids_digest(), rates)),
        (SectionKind::Ranker, encode_ranker(parts)),
    ];
    model.add(sections)?;
    Ok(model)
}
