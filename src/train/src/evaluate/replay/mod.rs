//! `segue evaluate replay`: what listeners would have thought of what a model offers, told from a log of what
//! another policy offered.
//!
//! The other policy drew one of several candidates at each impression, and the log says with which chance. Just
//! before it the listener is as a device has them, from all that they did until then; the engine that ships ranks the
//! candidates, and the target policy offers the first of them, or draws one by its score. [`estimates`] says what
//! is estimated and how. What a policy does to what comes later is no part of it: each impression is one question,
//! asked where the log led the listener (a contextual bandit).

pub mod estimates;
mod rewards;

use std::ops::Range;

use rayon::prelude::*;
use segue_core::{
    event::Kind, ids::Row, kernel::Place, model::Model, moment::Field, rank, session::Session,
};

pub use self::rewards::Foretold;
use self::{
    estimates::{Estimates, Judged, estimates},
    rewards::Rewards,
};
use crate::{
    Interrupted, TrainError,
    dataset::{Dataset, Heard, Offer, Offers, Reading},
    log, pipeline,
    progress::Progress,
    ranker::stories::{Story, observation},
};

/// What is offered of the candidates that a model ranked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// The first one.
    Greedy,
    /// One that is drawn, by a softmax of [`rank::score`] at this temperature: above 0, on the scale of scores.
    Softmax(f64),
}

/// How to replay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct How {
    /// The policy that is asked about.
    pub target: Target,
    /// The largest weight of an impression; larger ones count as this, which is a bias for less variance.
    pub clip: Option<f64>,
    /// Seed of the resamples.
    pub seed: u64,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The figures.
    pub estimates: Estimates,
    /// The impressions that they are of, by listener and time.
    pub judged: Vec<Judged>,
    /// Impressions that nothing follows: they are left out.
    pub unanswered: usize,
    /// Listeners of the others.
    pub listeners: usize,
    /// What the rewards of the direct method come from.
    pub foretold: Foretold,
}

/// Replays the last fifth of each listener's events with a model that is trained on what came before. Which
/// these are depends on how many follow, and so a little on what was skipped; a log of its own, with [`replay`],
/// is free of that.
///
/// # Errors
/// Those of [`replay`] and of training.
pub fn replay_held_out(
    reading: &Reading,
    options: &pipeline::Options<'_>,
    how: &How,
    progress: &Progress<'_>,
) -> Result<Outcome, TrainError> {
    if reading.offers.all.is_empty() {
        return Err(TrainError::NoOffers);
    }
    let model = pipeline::train(&reading.dataset.past(), options, progress)?.model;
    Replay::new(&model, reading, how.target, true)?.outcome(how, progress)
}

/// Replays a whole log with `model`, which is not to have been trained on it. O(d³) an impression, parallel over
/// listeners.
///
/// # Errors
/// A log without offers, or none of which is answered; a model that knows no candidate, or that would have made
/// no offer of the log; being stopped.
pub fn replay(
    model: &Model,
    reading: &Reading,
    how: &How,
    progress: &Progress<'_>,
) -> Result<Outcome, TrainError> {
    Replay::new(model, reading, how.target, false)?.outcome(how, progress)
}

struct Replay<'a> {
    model: &'a Model,
    dataset: &'a Dataset,
    offers: &'a Offers,
    target: Target,
    /// Whether only the last fifth of each listener's events is replayed.
    held_out: bool,
    /// The model's row of each track of the dataset.
    rows: Vec<Option<Row>>,
    /// The model's row of each candidate.
    candidates: Vec<Option<Row>>,
    rewards: Rewards<'a>,
}

/// What one listener's impressions came to.
#[derive(Default)]
struct Told {
    judged: Vec<Judged>,
    unanswered: usize,
}

impl<'a> Replay<'a> {
    fn new(
        model: &'a Model,
        reading: &'a Reading,
        target: Target,
        held_out: bool,
    ) -> Result<Self, TrainError> {
        let Reading { dataset, offers, .. } = reading;
        let Some(first) = offers.tracks.first() else { return Err(TrainError::NoOffers) };
        let candidates: Vec<_> = offers.tracks.iter().map(|id| model.row(id)).collect();
        if candidates.iter().all(Option::is_none) {
            let (candidates, ours) = (candidates.len(), log::excerpt(first));
            return Err(TrainError::UnknownCandidates { candidates, ours });
        }
        let rows = dataset.tracks.iter().map(|track| model.row(&track.track)).collect();
        let rewards = Rewards::new(model, dataset, offers);
        Ok(Self { model, dataset, offers, target, held_out, rows, candidates, rewards })
    }

    fn outcome(&self, how: &How, progress: &Progress<'_>) -> Result<Outcome, TrainError> {
        progress.stage("replaying the log");
        let of_one = |listener| {
            if progress.stopped() {
                return Err(Interrupted);
            }
            Ok(self.of_listener(listener))
        };
        let each: Vec<Told> =
            (0..self.dataset.listeners()).into_par_iter().map(of_one).collect::<Result<_, _>>()?;
        let unanswered = each.iter().map(|told| told.unanswered).sum();
        let listeners = each.iter().filter(|told| !told.judged.is_empty()).count();
        let judged: Vec<Judged> = each.into_iter().flat_map(|told| told.judged).collect();
        if judged.is_empty() {
            let (offers, held_out) = (self.offers.all.len(), self.held_out);
            return Err(TrainError::NoAnswers { offers, held_out });
        }
        if judged.iter().all(|judged| judged.weight == 0.0) {
            return Err(TrainError::NoOverlap { impressions: judged.len() });
        }
        let estimates = estimates(&judged, how.clip, how.seed);
        Ok(Outcome { estimates, judged, unanswered, listeners, foretold: self.rewards.foretold() })
    }

    fn of_listener(&self, listener: usize) -> Told {
        let Range { start, end } = self.dataset.range(listener);
        let events = self.dataset.of(listener);
        let known = if self.held_out { self.dataset.split_by_time(listener).0.len() } else { 0 };
        let mut offers = self.offers.among(start + known..end).peekable();
        let mut told = Told::default();
        if offers.peek().is_none() {
            return told;
        }
        let row = |row: Row| self.rows[row.index()];
        let story = Story::known(self.dataset, listener, known);
        let mut session = story.session(self.model, &row);
        for (at, event) in events.iter().enumerate().skip(known) {
            if event.opens {
                session.leave();
            }
            if let Some((number, offer)) = offers.next_if(|(_, offer)| offer.event == start + at) {
                match answer(&events[at..]) {
                    Some(yes) => {
                        // Which list a track came from may depend on which track it is.
                        session.at(self.dataset.moment(event).without(Field::Source));
                        let judged = self.judge(&mut session, listener, offer);
                        told.judged.push(Judged { offer: number, yes, ..judged });
                    }
                    None => told.unanswered += 1,
                }
            }
            if let Some(row) = row(event.row) {
                session.observe(self.model, observation(event, row));
            }
        }
        told
    }

    /// What the target policy would have done in the place of `offer`.
    fn judge(&self, session: &mut Session, listener: usize, offer: &Offer) -> Judged {
        let numbers = self.offers.candidates(offer);
        let rows: Vec<_> = numbers.iter().map(|&number| self.candidates[number as usize]).collect();
        let mut queue = Vec::new();
        rank::rank(self.model, session, &rows, rows.len(), &mut queue);
        let target = self.target.chances(self.model, session, &queue);
        let expectation = session.expectation(self.model);
        let expected =
            |at: usize| self.rewards.of(self.model, expectation, listener, (numbers[at], rows[at]));
        let offered = target.iter().enumerate().filter(|(_, chance)| **chance > 0.0);
        Judged {
            offer: 0,
            listener,
            yes: false,
            weight: target[offer.drawn] / offer.propensity.get(),
            agreement: target[offer.drawn],
            foretold: expected(offer.drawn),
            foretold_of_target: offered.map(|(at, chance)| chance * expected(at)).sum(),
            target,
        }
    }
}

impl Target {
    /// The chance with which each candidate is offered, of all of them in the order of a ranking.
    fn chances(self, model: &Model, session: &mut Session, queue: &[Place]) -> Vec<f64> {
        let mut chances = vec![0.0; queue.len()];
        let Some(first) = queue.first() else { return chances };
        let Self::Softmax(temperature) = self else {
            chances[first.index() as usize] = 1.0;
            return chances;
        };
        let query = session.query(model);
        let score = |place: &Place| f64::from(rank::score(model, query, place.points()));
        let best = score(first);
        // A track that the model does not know is never offered, unless it knows none of them.
        let lead = |place| if best.is_finite() { score(place) - best } else { 0.0 };
        queue.iter().for_each(|place| {
            chances[place.index() as usize] = (lead(place) / temperature).exp();
        });
        let sum: f64 = chances.iter().sum();
        chances.iter_mut().for_each(|chance| *chance /= sum);
        chances
    }
}

/// Whether the listener was content with the track of the impression that `events` begin with: no skip and no
/// dislike is the next thing that they do with it in the sitting. `None` where they do nothing with it, or it is
/// shown again first. To look for a track and to choose it comes before it is heard.
fn answer(events: &[Heard]) -> Option<bool> {
    let (shown, after) = events.split_first()?;
    let sitting = after.iter().take_while(|event| !event.opens);
    let mut about = sitting.filter(|event| event.row == shown.row);
    let next = about.find(|event| !matches!(event.kind, Kind::Search | Kind::Click))?;
    (next.kind != Kind::Impression).then_some(!next.kind.is_refusal())
}
