//! Whether a new model may take the place of the one in force.
//!
//! Some listeners are drawn, others each time, and what they did lately is held out: neither model has seen it. Both fold
//! these listeners in from what was before, rank every track, and are judged by where they have those that the listener
//! went on to think well of and had not met: NDCG over the first 20 places. The new one passes where a 95 % interval of
//! the mean difference, by the bootstrap over listeners, does not reach further below zero than a margin: it is not worse
//! (a test of non-inferiority). So it needs evidence to pass, not evidence to fail.

use segue_core::{
    ids::Row,
    model::{Model, Responses},
    rng::SplitMix64,
};

use crate::{
    dataset::{Dataset, gather, new_favourites},
    evaluate::{
        intervals::{Interval, intervals},
        mean, paired,
        ranking::{Case, each},
    },
};

/// What is held out of a log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldOut {
    /// What happened later, in milliseconds since 1970, …
    pub after: i64,
    /// … to this share of listeners, …
    pub share: f64,
    /// … drawn by this.
    pub seed: u64,
}

/// How the new model did beside the one in force.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// Listeners of whom something was held out.
    pub listeners: usize,
    /// Mean NDCG at 20 of the model in force.
    pub in_force: f64,
    /// That of the new one.
    pub new: f64,
    /// The mean difference, of the new one less the other, and its interval.
    pub difference: f64,
    /// 95 %.
    pub interval: Interval,
    /// How many standard errors the difference is.
    pub errors: f64,
    /// How far the interval may reach below zero.
    pub margin: f64,
}

impl Verdict {
    /// Whether the new model is not worse. Of fewer than two listeners nothing is known.
    pub fn passes(&self) -> bool {
        self.listeners >= 2 && self.interval[0] >= -self.margin
    }
}

impl HeldOut {
    /// The log without what is held out.
    pub fn rest(&self, dataset: &Dataset) -> Dataset {
        let drawn: Vec<bool> = (0..dataset.listeners()).map(|one| self.draws(one)).collect();
        dataset.filtered(|event| event.at <= self.after || !drawn[event.listener as usize])
    }

    fn draws(&self, listener: usize) -> bool {
        // A generator of its own for each, so that who is drawn hangs on nobody else.
        let mut rng = SplitMix64::new(SplitMix64::new(listener as u64).next() ^ self.seed);
        rng.unit() < self.share
    }

    /// Judges two models, of which neither has seen what is held out. The interval may reach below zero by `margin` of
    /// what the model in force reaches. O(listeners·n·d).
    pub fn judge(&self, dataset: &Dataset, in_force: &Model, new: &Model, margin: f64) -> Verdict {
        let taste = in_force.taste();
        let responses = taste.responses();
        let figure = |model: &Model| -> Vec<f64> {
            let cases = self.cases(dataset, model, responses);
            each(model, &cases).iter().map(|measured| measured.figures()[3]).collect()
        };
        let (old, new) = (figure(in_force), figure(new));
        let differences: Vec<[f64; 1]> =
            old.iter().zip(&new).map(|(old, new)| [new - old]).collect();
        let [interval] = intervals(&differences, self.seed);
        Verdict {
            listeners: differences.len(),
            in_force: mean(&old),
            new: mean(&new),
            difference: mean(&new) - mean(&old),
            interval,
            errors: paired(&new, &old),
            margin: margin * mean(&old),
        }
    }

    /// The listeners who are drawn and did something since, by the rows of a model.
    fn cases(&self, dataset: &Dataset, model: &Model, responses: &Responses) -> Vec<Case> {
        let rows: Vec<Option<Row>> =
            dataset.tracks.iter().map(|track| model.row(&track.track)).collect();
        let case = |listener: usize| {
            let events = dataset.of(listener);
            let (before, after) = events.split_at(events.partition_point(|e| e.at <= self.after));
            let known = gather(before);
            let liked = new_favourites(after, &known, responses);
            let held_out: Vec<Row> = liked.iter().filter_map(|row| rows[row.index()]).collect();
            let missing = liked.len() - held_out.len();
            let known = known.into_iter().filter_map(|mut evidence| {
                evidence.row = rows[evidence.row.index()]?;
                Some(evidence)
            });
            Case { known: known.collect(), held_out, missing, repeats: false }
        };
        let drawn = (0..dataset.listeners()).filter(|&listener| self.draws(listener));
        drawn.map(case).filter(Case::is_asked).collect()
    }
}
