//! What foretells whether a listener says yes to a track, and the log-odds that it comes to, by which tracks are
//! ordered.
//!
//! The weights of the `ranker` section were learned on what listeners went on to say; a signal that told
//! nothing has the weight 0. Signals are sums in one order, so that a session gives the same bits of ranking
//! on every target.

use crate::{
    boosts, features,
    ids::Row,
    kernel::nearest,
    linalg::dot,
    model::{Model, Ranker, Rate},
    moment::Field,
    rank::{of_factor, of_mean, of_track},
    session::Expectation,
    verdicts::{Beyond, amounts, rate},
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
    Temper = 5,
    /// What the listener's verdicts on tracks near it say beyond that.
    Verdicts = 6,
    /// The same, of this sitting alone.
    Sitting = 7,
    /// How often the listener said yes to this very track, ln(1 + n): no number of noes raises it.
    Met = 8,
    /// What they said of it beyond what all say.
    Own = 9,
    /// How lately they met it, 1/(1 + events since).
    Lately = 10,
    /// What they say of its artist beyond what they and all others say.
    Artist = 11,
    /// How lately, and how often, they heard the artist in this sitting.
    Repeat = 12,
    /// What is said of its features at this hour.
    Hour = 13,
    /// On this day of the week.
    Weekday = 14,
    /// On this device.
    Device = 15,
    /// In this region.
    Region = 16,
    /// In lists of this kind.
    Source = 17,
    /// In the mood that the listener named.
    Mood = 18,
}

/// One number a signal.
pub type Signals = [f32; Signal::ALL.len()];

impl Signal {
    /// Every signal, in the order of its discriminant.
    pub const ALL: [Self; 19] = [
        Self::Taste,
        Self::Votes,
        Self::Rate,
        Self::Plays,
        Self::Listener,
        Self::Temper,
        Self::Verdicts,
        Self::Sitting,
        Self::Met,
        Self::Own,
        Self::Lately,
        Self::Artist,
        Self::Repeat,
        Self::Hour,
        Self::Weekday,
        Self::Device,
        Self::Region,
        Self::Source,
        Self::Mood,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Taste => "taste",
            Self::Votes => "votes",
            Self::Rate => "rate",
            Self::Plays => "plays",
            Self::Listener => "listener",
            Self::Temper => "temper",
            Self::Verdicts => "verdicts",
            Self::Sitting => "sitting",
            Self::Met => "met",
            Self::Own => "own",
            Self::Lately => "lately",
            Self::Artist => "artist",
            Self::Repeat => "repeat",
            Self::Hour => "hour",
            Self::Weekday => "weekday",
            Self::Device => "device",
            Self::Region => "region",
            Self::Source => "source",
            Self::Mood => "mood",
        }
    }

    /// What a field of a moment tells.
    pub const fn of_field(field: Field) -> Self {
        match field {
            Field::Hour => Self::Hour,
            Field::Weekday => Self::Weekday,
            Field::Device => Self::Device,
            Field::Region => Self::Region,
            Field::Source => Self::Source,
            Field::Mood => Self::Mood,
        }
    }
}

/// What is known of a row and a listener, one by one, as weights are learned from it and reasons are told by it;
/// [`log_odds`] adds the same up in less time. O(d).
pub fn of(model: &Model, ranker: &Ranker<'_>, expected: Expectation<'_>, row: Row) -> Signals {
    let Expectation { query, boosts, votes, verdicts, moment, .. } = expected;
    let track = model.track(row);
    let mut signals = [0.0; Signal::ALL.len()];
    let mut put = |signal: Signal, x: f32| signals[signal as usize] = x;
    put(Signal::Taste, query.score(of_factor(model, query, row)) + boosts::score(boosts.of(row)));
    put(Signal::Votes, votes.score(row));
    let Rate { log_odds, plays } = rate(ranker, track);
    put(Signal::Rate, log_odds);
    put(Signal::Plays, plays);
    let [listener, temper] = verdicts.means();
    put(Signal::Listener, listener);
    put(Signal::Temper, temper);
    let axes = ranker.recipe().axes as usize;
    let (mut factor, mut x) = (alloc::vec![0.0; model.dim()], alloc::vec::Vec::new());
    model.decode(row, &mut factor);
    features::write(model, axes, row, &factor, &mut x);
    let [all, sitting] = verdicts.along();
    put(Signal::Verdicts, dot(all, &x));
    put(Signal::Sitting, dot(sitting, &x));
    let [met, own, lately] = own(model, ranker, expected, row);
    put(Signal::Met, met);
    put(Signal::Own, own);
    put(Signal::Lately, lately);
    let [artist, repeat] = verdicts.artists().of(track, listener, ranker.recipe().prior);
    put(Signal::Artist, artist);
    put(Signal::Repeat, repeat);
    if let Some(contexts) = model.contexts() {
        for (field, key) in moment.known() {
            let effect = contexts.of(key).into_iter().flatten();
            put(Signal::of_field(field), effect.zip(&x).map(|(effect, x)| effect * x).sum());
        }
    }
    signals
}

/// What the listener did with this very track: [`Signal::Met`], [`Signal::Own`] and [`Signal::Lately`].
#[inline]
pub(crate) fn own(
    model: &Model,
    ranker: &Ranker<'_>,
    expected: Expectation<'_>,
    row: Row,
) -> [f32; 3] {
    let Some(evidence) = expected.evidence(row) else { return [0.0; 3] };
    let said = Beyond::of(model, ranker, evidence);
    let lately = 1.0 / (1 + expected.now.saturating_sub(evidence.touched())) as f32;
    let yes = amounts(evidence, ranker.worth(), ranker.recipe().late)[0];
    [libm::log1pf(yes), said.weight * said.mean, lately]
}

/// The log-odds of a yes, rather than a no, of a listener who hears the track. O(d).
#[inline]
pub fn log_odds(model: &Model, ranker: &Ranker<'_>, expected: Expectation<'_>, row: Row) -> f32 {
    let Expectation { query, boosts, votes, verdicts, .. } = expected;
    let weight = |signal| ranker.weight(signal);
    let track = model.track(row);
    let Rate { log_odds, plays } = rate(ranker, track);
    let by_factor =
        track.map_or_else(|| of_mean(model, query, row), |track| of_track(query, track));
    let taste = query.score(by_factor) + boosts::score(boosts.of(row));
    let [listener, temper] = verdicts.means();
    let [met, own, lately] = own(model, ranker, expected, row);
    let [artist, repeat] = verdicts.artists().of(track, listener, ranker.recipe().prior);
    let mut sum = verdicts.together(model, row, track) + ranker.recipe().bias;
    sum += weight(Signal::Taste) * taste;
    sum += weight(Signal::Votes) * votes.score(row);
    sum += weight(Signal::Rate) * log_odds;
    sum += weight(Signal::Plays) * plays;
    sum += weight(Signal::Listener) * listener;
    sum += weight(Signal::Temper) * temper;
    sum += weight(Signal::Met) * met;
    sum += weight(Signal::Own) * own;
    sum += weight(Signal::Lately) * lately;
    sum += weight(Signal::Artist) * artist;
    sum + weight(Signal::Repeat) * repeat
}

/// Points to one of what orders tracks.
const ONE: f32 = (1 << 20) as f32;
/// Beyond this all are as sure.
const MOST: f32 = 1000.0;

/// What orders tracks, as points.
pub fn points(log_odds: f32) -> i32 {
    nearest(f64::from(log_odds.clamp(-MOST, MOST) * ONE))
}

/// What so many points are.
pub fn of_points(points: i32) -> f32 {
    points as f32 / ONE
}
