//! What foretells whether a listener says yes or no to a track: rates of all listeners, verdicts of their own,
//! taste, what follows what, and the moment, each with a weight that was learned.
//!
//! Listeners are followed through the held-out end of their history. Everything that is known (rates, factors,
//! what follows what, what is said at which hour) comes from before; before each yes and no the signals are read as a
//! device would have them ([`segue_core::signals`]), through the engine that ships. How verdicts are taken and which
//! signals have a weight is chosen on some listeners ([`choice`]) and judged on the others, a third of them in turn by
//! the weights that all but these give; settings of taste and what follows what were chosen on some of all. It ships,
//! and orders tracks, where it tells yes from no better than taste alone by more than two standard errors; where listeners say
//! no too seldom, nothing is learned.

mod choice;
pub mod context;
mod logistic;
pub mod rates;
pub mod stories;
pub mod tags;
pub mod weights;

use segue_core::{
    event::Kind,
    model::{
        ContextParts, Model, ModelError, RankerParts, Rate, Recipe, SectionKind, Worth,
        encode_context, encode_ranker, encode_rates, encode_tags, encode_text,
    },
    signals::Signal,
};

use self::{
    choice::{Choice, Run, without},
    rates::{Counts, Shrinkage},
    stories::{Said, Story, stories},
    tags::Tagged,
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
/// Standard errors to either side that 95 % lie within.
const NORMAL_95: f64 = 1.96;
/// Standard errors by which what ships ranks better than taste.
const FOUND: f64 = 2.0;

/// How listeners' yes and no are foretold.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// The section that ships, but for what all say of unknown tracks.
    pub parts: RankerParts,
    /// How rates are pooled.
    pub shrinkage: Shrinkage,
    /// How much stronger the ridge on what a context tells is; `None` where nothing of it counts.
    pub context: Option<f32>,
    /// How well yes is told from no, of listeners on whom nothing of this was chosen but taste, as ever.
    pub told: Told,
    /// Foretold and what came, by rising probability, of the same listeners.
    pub reliability: Vec<Bin>,
    /// Whether it ships, and orders tracks.
    pub ships: bool,
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
    /// By how much the first is more than the second, and half of the 95 % interval of that over listeners.
    pub gain: [f64; 2],
    /// Of how many listeners.
    pub listeners: usize,
}

impl Ranking {
    /// How far off foretold probabilities are.
    pub fn calibration_error(&self) -> f64 {
        calibration_error(&self.reliability)
    }

    /// What ships of a whole log, of which all said so.
    pub fn sections(&self, counts: &Counts) -> (Vec<Rate>, RankerParts) {
        let mut parts = self.parts;
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
    let base = described(base, dataset)?;
    let counts = Counts::of(dataset, &worth(), before);
    let shrinkage = counts.shrinkage();
    let rates = counts.rates(shrinkage);
    let run = Run::new(dataset, (&base, &rates, counts.unknown()), &stories, progress);
    let Choice { setting, weighing } = run.choose()?;
    let said = run.said(&setting, &stories)?;
    let said: Vec<&[Said]> = said.iter().map(Vec::as_slice).collect();
    let judged = Judged::of(&said, run.choosers(), weighing);
    let calibration = calibrated(&said, weighing);
    let bias = calibration.bias as f32;
    let learned_from = [stories.len() as u32, verdicts as u32];
    let weights = calibration.weights(learned(&said, weighing));
    let by_moment = |signal: Signal| signal >= Signal::Hour && weights[signal as usize] != 0.0;
    Ok(Some(Ranking {
        parts: RankerParts {
            recipe: Recipe { bias, learned_from, ..setting.recipe },
            worth: setting.worth,
            weights: weights.map(|x| x as f32),
        },
        shrinkage,
        context: setting.shrink.filter(|_| Signal::ALL.into_iter().any(by_moment)),
        told: judged.each.told(weighing.chosen),
        reliability: bins(judged.foretold),
        ships: judged.each.is_found(),
    }))
}

/// Of all listeners but those on whom was chosen, each third of them by the weights of all others.
#[derive(Default)]
struct Judged {
    /// The probability of a yes that was foretold, and whether it came, of each verdict.
    foretold: Vec<(f64, bool)>,
    each: Each,
}

impl Judged {
    /// The first `choosers` are those on whom was chosen.
    fn of(all: &[&[Said]], choosers: usize, weighing: Weighing) -> Self {
        let mut found = Self::default();
        for third in 0..THIRDS {
            let is_own = |at: usize| at >= choosers && at % THIRDS == third;
            let of = |own: bool| -> Vec<&[Said]> {
                let some = all.iter().enumerate().filter(|(at, _)| is_own(*at) == own);
                some.map(|(_, said)| *said).collect()
            };
            let (own, others) = (of(true), of(false));
            let weights = found.each.add(&own, &others, weighing);
            let calibration = calibrated(&others, weighing);
            let said = own.iter().flat_map(|said| said.iter());
            let foretold = said.map(|said| {
                let score = score(&weights, &said.signals);
                (calibration.probability(said, score), said.yes)
            });
            found.foretold.extend(foretold);
        }
        found
    }
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
            own.iter().filter_map(|said| told_by(weights, said)).collect()
        };
        let all = weights(of.chosen);
        let told_by_all = told(&all);
        for (signal, each) in Signal::ALL.into_iter().zip(&mut self.without) {
            each.extend(match of.chosen[signal as usize] {
                true => told(&weights(without(of.chosen, signal))),
                false => told_by_all.clone(),
            });
        }
        self.all.extend(told_by_all);
        self.taste.extend(told(&BY_TASTE));
        all
    }

    fn is_found(&self) -> bool {
        paired(&self.all, &self.taste) > FOUND
    }

    fn told(&self, chosen: Chosen) -> Told {
        let named = Signal::ALL.into_iter().filter(|&signal| chosen[signal as usize]);
        let without = named.map(|signal| (signal, mean(&self.without[signal as usize])));
        let (auc, auc_of_taste) = (mean(&self.all), mean(&self.taste));
        let (gain, errors) = (auc - auc_of_taste, paired(&self.all, &self.taste));
        let half = if errors == 0.0 { 0.0 } else { NORMAL_95 * gain / errors };
        let (without, listeners) = (without.collect(), self.all.len());
        Told { auc, auc_of_taste, without, gain: [gain, half], listeners }
    }
}

/// Without all this tracks are ranked by taste and what follows what.
const BY_TASTE: Weights = {
    let mut alone = [0.0; Signal::ALL.len()];
    alone[Signal::Taste as usize] = 1.0;
    alone[Signal::Votes as usize] = 1.0;
    alone
};

/// `base` with the artists and tags of its tracks, which are those of the dataset.
fn described(base: &Model, dataset: &Dataset) -> Result<Model, ModelError> {
    let mut model = base.clone();
    let ids = base.ids_digest();
    let text = dataset.tracks.iter().map(|track| ("", track.artist.as_str(), 0));
    let mut sections = vec![(SectionKind::Text, encode_text(ids, text, &[]))];
    let tagged = Tagged::of(&dataset.tracks, &dataset.plays());
    if !tagged.is_empty() {
        sections.push((SectionKind::Tags, encode_tags(ids, &tagged.of, &tagged.names)));
    }
    model.add(sections)?;
    Ok(model)
}

/// `base` with rates, a ranker, and what a context tells where anything.
pub fn with_ranker(
    base: &Model,
    rates: &[Rate],
    parts: &RankerParts,
    context: Option<&ContextParts>,
) -> Result<Model, ModelError> {
    let mut model = base.clone();
    let sections = [
        (SectionKind::Rates, encode_rates(base.ids_digest(), rates)),
        (SectionKind::Ranker, encode_ranker(parts)),
    ];
    let context = context.map(|parts| (SectionKind::Context, encode_context(parts)));
    model.add(sections.into_iter().chain(context))?;
    Ok(model)
}
