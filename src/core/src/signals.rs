//! What foretells whether a listener says yes to a track, and what it comes to: a place in an order, and the
//! log-odds of a yes.
//!
//! The weights of the `ranker` section were learned on what listeners went on to say; a signal that told
//! nothing has the weight 0. Signals are sums in one order, so that a session gives the same bits of ranking
//! on every target.

use crate::{
    boosts,
    ids::Row,
    kernel::nearest,
    model::{Model, Ranker, Rate},
    rank::of_factor,
    session::Expectation,
    verdicts::{rate, share},
};

/// One thing that is known of a track and a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Signal {
    /// The response that the posterior over taste expects, and what neighbours add.
    Taste = 0,
    /// What the last tracks say of the next.
    Votes = 1,
    /// The log-odds of a yes from all listeners.
    Rate = 2,
    /// How many listeners said anything, ln(1 + n).
    Plays = 3,
    /// How much more than others the listener says yes.
    Listener = 4,
    /// The same in this sitting.
    Mood = 5,
    /// What the listener's verdicts on tracks near it say beyond that.
    Verdicts = 6,
    /// The same, of this sitting alone.
    Sitting = 7,
}

/// One number a signal.
pub type Signals = [f32; Signal::ALL.len()];

impl Signal {
    /// Every signal, in the order of its discriminant.
    pub const ALL: [Self; 8] = [
        Self::Taste,
        Self::Votes,
        Self::Rate,
        Self::Plays,
        Self::Listener,
        Self::Mood,
        Self::Verdicts,
        Self::Sitting,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Taste => "taste",
            Self::Votes => "votes",
            Self::Rate => "rate",
            Self::Plays => "plays",
            Self::Listener => "listener",
            Self::Mood => "mood",
            Self::Verdicts => "verdicts",
            Self::Sitting => "sitting",
        }
    }
}

/// What is known of a row and a listener. O(d).
pub fn of(model: &Model, ranker: &Ranker<'_>, expected: Expectation<'_>, row: Row) -> Signals {
    let Expectation { query, boosts, votes, verdicts, .. } = expected;
    let Rate { log_odds, plays } = rate(model, ranker, row);
    let taste = query.score(of_factor(model, query, row)) + boosts::score(boosts.of(row));
    let [all, sitting] = verdicts.of(model, row);
    let [listener, mood] = verdicts.means();
    [taste, votes.score(row), log_odds, plays, listener, mood, all, sitting]
}

/// What orders tracks: the more, the rather does the listener hear this one and say yes.
pub fn order(ranker: &Ranker<'_>, signals: &Signals) -> f32 {
    weighted(ranker.order(), signals)
}

/// The log-odds of a yes, rather than a no, of a listener who hears the track.
pub fn log_odds(ranker: &Ranker<'_>, signals: &Signals) -> f32 {
    weighted(ranker.odds(), signals) + ranker.recipe().bias
}

fn weighted(weights: &Signals, signals: &Signals) -> f32 {
    weights.iter().zip(signals).fold(0.0, |sum, (weight, x)| sum + weight * x)
}

/// Points to one of what orders tracks.
const ONE: f32 = (1 << 20) as f32;
/// Beyond this all are as sure.
const MOST: f32 = 1000.0;

/// What orders tracks, as points.
pub fn points(order: f32) -> i32 {
    nearest(f64::from(order.clamp(-MOST, MOST) * ONE))
}

/// What so many points are.
pub fn of_points(points: i32) -> f32 {
    points as f32 / ONE
}

/// The probability that the listener says no to a row, rather than yes, where they hear it. O(d).
pub fn skip(model: &Model, ranker: &Ranker<'_>, expected: Expectation<'_>, row: Row) -> f32 {
    share(-log_odds(ranker, &of(model, ranker, expected, row)))
}
