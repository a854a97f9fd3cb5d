//! What a listener did with a track.

use crate::{event::Kind, fold_in::Pull, ids::Row, model::Responses};

/// One event about a track that the model knows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// Which track.
    pub row: Row,
    /// What happened.
    pub kind: Kind,
    /// The fraction heard, 0 to 1, where it is known.
    pub heard: Option<f32>,
}

impl Observation {
    /// How much of its kind this event is, 0 to 1: a play counts by how much was heard, a skip by
    /// how much was not, everything else as one.
    pub fn amount(&self) -> f32 {
        let heard = self.heard.filter(|x| x.is_finite()).map(|x| x.clamp(0.0, 1.0));
        match self.kind {
            Kind::Play => heard.unwrap_or(1.0),
            Kind::Skip => 1.0 - heard.unwrap_or(0.0),
            _ => 1.0,
        }
    }
}

/// How much of each kind of event was seen, never less than nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Seen {
    amounts: [f32; Kind::ALL.len()],
    /// How many skips those are, of which each is 1 at most.
    skips: f32,
}

impl Seen {
    /// `amount` of `kind`, which is one event; nothing where that is no amount.
    pub fn one(kind: Kind, amount: f32) -> Self {
        let mut seen = Self::default();
        if amount.is_finite() {
            seen.amounts[kind as usize] = amount.clamp(0.0, MAX_AMOUNT);
        }
        if kind == Kind::Skip {
            seen.skips = 1.0;
        }
        seen
    }

    /// Adds what else was seen.
    pub fn add(&mut self, more: &Self) {
        self.amounts.iter_mut().zip(more.amounts).for_each(|(amount, more)| *amount += more);
        self.skips += more.skips;
    }

    /// Whether it is any.
    pub fn is_any(&self) -> bool {
        self.amounts != [0.0; Kind::ALL.len()]
    }
}

/// Largest amount of evidence taken in at once.
const MAX_AMOUNT: f32 = 1e6;

/// All that one listener did with one track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// Which track.
    pub row: Row,
    pub(super) seen: Seen,
    /// The part of it that is of this sitting.
    pub(super) here: Seen,
    /// Whether one play went to the end, which no sum of amounts can tell.
    pub(super) finished: bool,
    /// The number of the session's last event about it.
    pub(super) touched: u32,
    /// The same of the last one that was not of an earlier sitting.
    pub(super) observed: u32,
}

/// A play of this share of a track or more has heard it to the end.
pub const WHOLE: f32 = 0.9;

impl Evidence {
    /// Nothing yet about `row`.
    pub fn new(row: Row) -> Self {
        let (seen, here) = Default::default();
        Self { row, seen, here, finished: false, touched: 0, observed: 0 }
    }

    /// Adds `amount` of `kind`, which is one event.
    pub fn add(&mut self, kind: Kind, amount: f32) {
        self.seen.add(&Seen::one(kind, amount));
    }

    /// What of it is of this sitting.
    pub const fn of_sitting(&self) -> Self {
        Self { seen: self.here, ..*self }
    }

    /// Whether the listener said no to a track, which takes back that they chose it: to choose is
    /// to guess before one has heard.
    pub fn refused(&self) -> bool {
        self.amount(Kind::Skip) + self.amount(Kind::Dislike) > 0.0
    }

    /// Whether what was seen of `kind` counts for nothing any more.
    pub fn takes_back(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Search | Kind::Click) && self.refused()
    }

    /// How much of `kind` was seen.
    pub const fn amount(&self, kind: Kind) -> f32 {
        self.seen.amounts[kind as usize]
    }

    /// How many skips there were, of which each is an amount of 1 at most.
    pub const fn skips(&self) -> f32 {
        self.seen.skips
    }

    /// Whether the track was heard to the end at least once.
    pub const fn finished(&self) -> bool {
        self.finished
    }

    /// The number of the last event about the track, counted over the session: higher is later.
    pub const fn touched(&self) -> u32 {
        self.touched
    }

    /// The number of the last event about it that was not of an earlier sitting.
    pub const fn observed(&self) -> u32 {
        self.observed
    }

    /// Weight and information, by the responses that the model has learned.
    pub fn pull(&self, responses: &Responses) -> Pull {
        let mut pull = Pull::default();
        for kind in Kind::ALL {
            let amount = self.amount(kind);
            if amount > 0.0 && !self.takes_back(kind) {
                let response = responses.of(kind);
                let weight = response.weight * responses.saturate(amount);
                pull.weight += weight;
                pull.information += weight * response.target;
            }
        }
        pull
    }
}
