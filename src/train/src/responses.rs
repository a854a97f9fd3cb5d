//! Learning what each kind of event says, on listening that the factors have not seen.
//!
//! Listeners are followed event by event through the held-out end of their history: each event is
//! first predicted, then observed. The figure is the mean over listeners of the AUC by which the
//! posterior ranks what they went on to like or finish above what they went on to skip, among
//! tracks that they meet for the first time. Weights and targets are chosen one kind at a time, the
//! kinds with most events first, among those that do not rank a listener's favourites worse; a kind
//! that is too rare to judge, or for which nothing better was found, keeps its definition
//! ([`Responses::default`]).
//!
//! The figure is on the very listeners that the choice is made on, so it is optimistic.

use std::collections::HashSet;

use rayon::prelude::*;
use segue_core::{
    event::Kind,
    ids::Row,
    kernel::points,
    model::{Model, ModelError, Response, Responses},
    session::Evidence,
};

use crate::{
    Interrupted, TrainError,
    assemble::{FoldIn, ranking_model},
    coding::Coded,
    dataset::Heard,
    evaluate::{mean, paired, ranking::fold_in},
    progress::Progress,
};

/// A listener to learn from: what is known, and what happens next.
#[derive(Clone, Debug)]
pub struct Story<'a> {
    /// Before.
    pub known: Vec<Evidence>,
    /// After, in time order.
    pub next: &'a [Heard],
}

/// Fewer held-out events of a kind than this say nothing reliable about it.
const MIN_EVENTS: usize = 100;
/// Listeners and events of each that are followed, at most.
const MAX_STORIES: usize = 400;
const MAX_NEXT: usize = 40;

/// A kind that has a meaning keeps it: none of them weighs nothing.
const WEIGHTS: [f32; 5] = [0.1, 0.3, 1.0, 3.0, 10.0];
const TARGETS_NO: [f32; 4] = [0.0, -0.25, -0.5, -1.0];
const TARGETS_YES: [f32; 1] = [1.0];
const SATURATION: [f32; 4] = [0.0, 0.3, 1.0, 3.0];

/// What was learned, and the AUC before and after, on the listeners that it was learned from.
#[derive(Clone, Copy, Debug)]
pub struct Learned {
    /// What each kind of event says.
    pub responses: Responses,
    /// Mean AUC under the definitions; `None` where no listener both liked and skipped.
    pub auc_defined: Option<f64>,
    /// Mean AUC under what was learned.
    pub auc_learned: Option<f64>,
    /// How many listeners the means are over.
    pub listeners: usize,
}

impl Learned {
    /// The definitions, for want of listening to learn from.
    pub fn nothing() -> Self {
        let responses = Responses::default();
        Self { responses, auc_defined: None, auc_learned: None, listeners: 0 }
    }

    /// What stays of it where it was found to do harm elsewhere: the definitions.
    #[must_use]
    pub fn discarded(self) -> Self {
        Self { responses: Responses::default(), auc_learned: self.auc_defined, ..self }
    }
}

/// The factors to judge with.
#[derive(Clone, Copy)]
pub struct Judge<'a> {
    /// Fingerprints of the tracks, ascending.
    pub fingerprints: &'a [u64],
    /// Trained without the stories' next events.
    pub coded: &'a Coded,
    /// How listeners are folded in to them, but for what is to be learned.
    pub fold_in: FoldIn,
}

/// Learns responses from the first `stories` that tell something, of those that `may_be`. Where
/// nothing is better than the definitions, they are what is returned.
pub fn learn<'a>(
    judge: &Judge<'_>,
    stories: impl Iterator<Item = Story<'a>>,
    may_be: impl Fn(&Responses) -> bool,
    progress: &Progress<'_>,
) -> Result<Learned, TrainError> {
    let first = |Story { known, next }| Story { known, next: first_of(next) };
    let stories: Vec<Story<'a>> =
        stories.map(first).filter(|s| has_both(s.next)).take(MAX_STORIES).collect();
    let counts = Kind::ALL
        .map(|kind| stories.iter().flat_map(|s| s.next).filter(|event| event.kind == kind).count());
    let enough = counts[Kind::Skip as usize] + counts[Kind::Dislike as usize] >= MIN_EVENTS;
    if !enough {
        return Ok(Learned::nothing());
    }
    let mut responses = Responses::default();
    let measure = |responses: &Responses| auc(judge, responses, &stories);
    let defined = measure(&responses)?;
    let mut best = defined.clone();
    for (step, candidate) in candidates(&counts).into_iter().enumerate() {
        if progress.stopped() {
            return Err(Interrupted.into());
        }
        let trial = candidate.apply(responses, &counts);
        let figures = measure(&trial)?;
        // What gains less than chance would have it is not learned but imagined.
        if paired(&figures, &best) > 1.0 && may_be(&trial) {
            (best, responses) = (figures, trial);
        }
        progress.step("learning what skips and likes say", step, mean(&best));
    }
    let (auc_defined, auc_learned) = (Some(mean(&defined)), Some(mean(&best)));
    Ok(Learned { responses, auc_defined, auc_learned, listeners: best.len() })
}

fn first_of(events: &[Heard]) -> &[Heard] {
    &events[..events.len().min(MAX_NEXT)]
}

/// One thing to try.
#[derive(Clone, Copy)]
enum Candidate {
    Kind(Kind, f32, f32),
    Saturation(f32),
}

impl Candidate {
    /// `responses` with this in them, and on how many events it is judged.
    fn apply(self, mut responses: Responses, counts: &[usize; Kind::ALL.len()]) -> Responses {
        match self {
            Self::Kind(kind, weight, target) => {
                let learned_from = counts[kind as usize] as u32;
                let response = Response { weight, target, learned_from, ..Response::default() };
                responses.kinds[kind as usize] = response;
            }
            Self::Saturation(saturation) => responses.saturation = saturation,
        }
        responses
    }
}

/// The most frequent kinds first. A play is the unit that the others are measured in.
fn candidates(counts: &[usize; Kind::ALL.len()]) -> Vec<Candidate> {
    let mut kinds: Vec<Kind> =
        Kind::ALL.into_iter().filter(|&kind| counts[kind as usize] >= MIN_EVENTS).collect();
    kinds.sort_by_key(|&kind| std::cmp::Reverse(counts[kind as usize]));
    let mut all = Vec::new();
    for kind in kinds {
        let targets = match kind {
            Kind::Play => continue,
            Kind::Skip | Kind::Dislike | Kind::Impression => &TARGETS_NO[..],
            _ => &TARGETS_YES[..],
        };
        let pairs = targets.iter().flat_map(|&t| WEIGHTS.map(|w| Candidate::Kind(kind, w, t)));
        all.extend(pairs);
    }
    all.extend(SATURATION.map(Candidate::Saturation));
    all
}

/// Whether an event is a yes or a no, where it is clear.
pub fn verdict(event: &Heard) -> Option<bool> {
    match event.kind {
        Kind::Play => (event.amount >= 0.5).then_some(true),
        Kind::Like | Kind::Save | Kind::Replay => Some(true),
        Kind::Skip | Kind::Dislike => Some(false),
        Kind::Search | Kind::Impression | Kind::Click => None,
    }
}

fn has_both(events: &[Heard]) -> bool {
    let mut verdicts = events.iter().filter_map(verdict);
    let Some(first) = verdicts.next() else { return false };
    verdicts.any(|verdict| verdict != first)
}

/// The AUC of each story that has one; which have does not depend on `responses`.
fn auc(
    judge: &Judge<'_>,
    responses: &Responses,
    stories: &[Story<'_>],
) -> Result<Vec<f64>, ModelError> {
    let fold_in = FoldIn { responses: *responses, ..judge.fold_in };
    let model = ranking_model(judge.fingerprints, judge.coded, &fold_in)?;
    Ok(stories.par_iter().filter_map(|story| story_auc(&model, story)).collect())
}

/// The share of (yes, no) pairs of one story that the posterior had in order when each happened.
fn story_auc(model: &Model, story: &Story<'_>) -> Option<f64> {
    let mut session = fold_in(model, &story.known);
    let (mut yes, mut no) = (Vec::new(), Vec::new());
    let mut met: HashSet<Row> = story.known.iter().map(|evidence| evidence.row).collect();
    for event in story.next {
        // A track that was met before would be judged by its own evidence.
        if let Some(verdict) = verdict(event).filter(|_| met.insert(event.row)) {
            let query = session.query(model);
            // Points of one query cannot be held against those of another: scores can.
            let score = query.score(points(model.factors(), query, event.row));
            if verdict { yes.push(score) } else { no.push(score) }
        }
        met.insert(event.row);
        session.add(model, event.row, event.kind, event.amount);
    }
    pair_auc(&yes, &no)
}

/// The probability that a random yes scores above a random no, ties half.
pub fn pair_auc(yes: &[f32], no: &[f32]) -> Option<f64> {
    let mut won = 0.0;
    for y in yes {
        for n in no {
            won += match y.total_cmp(n) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
        }
    }
    let pairs = yes.len() * no.len();
    (pairs > 0).then(|| won / pairs as f64)
}
