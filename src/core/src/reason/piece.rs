//! What one piece of evidence adds to a track.

use alloc::vec::Vec;

use super::Ground;
use crate::{
    boosts, by_artist, features,
    ids::Row,
    linalg::dot,
    model::{Model, Rate},
    session::{Evidence, Expectation, Session},
    signals::{self, Signal},
    verdicts::{Beyond, rate},
};

/// Tracks that none of so many of the last events was about are not weighed.
const MAX_EVENTS: u32 = 256;

/// Where a track is.
#[derive(Debug, Default)]
pub(super) struct Spot {
    /// v.
    pub factor: Vec<f32>,
    /// φ; nothing where the model has not learned what foretells a yes.
    pub features: Vec<f32>,
}

impl Spot {
    pub fn read(&mut self, model: &Model, row: Row) {
        self.factor.resize(model.dim(), 0.0);
        model.decode(row, &mut self.factor);
        if let Some(ranker) = model.ranker() {
            let axes = ranker.recipe().axes as usize;
            features::write(model, axes, row, &self.factor, &mut self.features);
        }
    }

    pub fn clear(&mut self) {
        self.factor.fill(0.0);
        self.features.fill(0.0);
    }

    pub fn add(&mut self, other: &Self) {
        for (sum, x) in [(&mut self.factor, &other.factor), (&mut self.features, &other.features)] {
            sum.resize(x.len(), 0.0);
            sum.iter_mut().zip(x).for_each(|(sum, x)| *sum += x);
        }
    }

    pub fn divide(&mut self, by: f32) {
        self.factor.iter_mut().chain(&mut self.features).for_each(|x| *x /= by);
    }
}

/// What the parts of a score count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights {
    pub taste: f32,
    pub votes: f32,
    pub rate: f32,
    pub plays: f32,
}

impl Weights {
    pub fn of(model: &Model) -> Self {
        let Some(ranker) = model.ranker() else {
            return Self { taste: 1.0, votes: 1.0, rate: 0.0, plays: 0.0 };
        };
        let [taste, votes, rate, plays] =
            [Signal::Taste, Signal::Votes, Signal::Rate, Signal::Plays].map(|it| ranker.weight(it));
        Self { taste, votes, rate, plays }
    }

    /// What all listeners say to a track adds.
    pub fn said(&self, model: &Model, row: Row) -> f32 {
        let Some(ranker) = model.ranker() else { return 0.0 };
        let Rate { log_odds, plays } = rate(&ranker, model.track(row));
        self.rate * log_odds + self.plays * plays
    }
}

/// Evidence, and how many events old it is where it is of this sitting.
#[derive(Clone, Copy, Debug)]
struct Recent {
    evidence: Evidence,
    age: Option<u32>,
}

#[derive(Debug)]
pub(super) struct Piece {
    pub row: Row,
    pub ground: Ground,
    /// A⁻¹v · w(t − u·v)/(1 − w·vᵀA⁻¹v): its product with a factor is the effect on that track.
    pub direction: Vec<f32>,
    /// The same of verdicts and features.
    pub along: Vec<f32>,
    /// What it says of its artist, and of nothing but its own track.
    pub by_artist: f32,
    pub own: f32,
    /// What the listener said of it: 1 for yes.
    pub says: f32,
    /// What it adds to certain tracks, in the mean over those that were ranked together.
    pub mean_apart: f32,
}

impl Piece {
    /// What it adds to the tracks along the directions.
    pub fn effect(&self, of: &Spot) -> f32 {
        dot(&self.direction, &of.factor) + dot(&self.along, &of.features)
    }

    /// What it adds to a row because it is a neighbour, of the same artist, or the very track. O(neighbours).
    #[inline(never)]
    pub fn apart(&self, model: &Model, row: Row, weight: f32) -> f32 {
        if row.shard() != self.row.shard() {
            return 0.0;
        }
        let mut apart = if row == self.row { self.own } else { 0.0 };
        if self.by_artist != 0.0 && by_artist::are_alike(model, row, self.row) {
            apart += self.by_artist;
        }
        let neighbours = model.neighbours(row.shard());
        let neighbours = neighbours.into_iter().flat_map(|all| all.of(self.row.index()));
        let here = neighbours.filter(|neighbour| neighbour.place as usize == row.index());
        let boosts = here.map(|it| boosts::score(boosts::units(it.weight, self.says)));
        apart + weight * boosts.sum::<f32>()
    }
}

/// Weighs the evidence of a session, as far as it moves taste the way that it speaks. O(d²) for each track that one of the
/// last 256 events was about.
pub(super) fn weigh(model: &Model, session: &mut Session, weights: &Weights) -> Vec<Piece> {
    let (since, now) = (session.events().saturating_sub(MAX_EVENTS), session.events());
    let recent = session.evidence().iter().filter(|evidence| evidence.touched() > since);
    let recent = recent.map(|evidence| {
        let of_sitting = session.is_of_sitting(evidence);
        Recent { evidence: *evidence, age: of_sitting.then(|| now - evidence.observed()) }
    });
    let recent: Vec<Recent> = recent.collect();
    let (taste, mut at_hand) = (model.taste(), Spot::default());
    let posterior = session.posterior(model);
    let direction = |Recent { evidence, .. }: &Recent| {
        let pull = evidence.pull(taste.responses());
        at_hand.read(model, evidence.row);
        let mut direction = at_hand.factor.clone();
        posterior.precision.solve(&mut direction);
        let leverage = (pull.weight * dot(&at_hand.factor, &direction)).min(1.0 - 1e-6);
        let residual = pull.information - pull.weight * posterior.expect(&at_hand.factor);
        let gain = weights.taste * residual / (1.0 - leverage);
        direction.iter_mut().for_each(|x| *x *= gain);
        direction
    };
    let directions: Vec<Vec<f32>> = recent.iter().map(direction).collect();
    let expected = session.expectation(model);
    let piece = |(Recent { evidence, age }, direction): (&Recent, Vec<f32>)| {
        let ground = Ground::of(evidence)?;
        let row = evidence.row;
        at_hand.read(model, row);
        let mut along = Vec::new();
        expected.verdicts.add_part_of(model, evidence, &at_hand.factor, *age, &mut along);
        let [by_artist, own] = apart(model, expected, evidence, *age);
        let says = evidence.pull(taste.responses()).target();
        let piece = Piece { row, ground, direction, along, by_artist, own, says, mean_apart: 0.0 };
        let moves = piece.effect(&at_hand) + by_artist + own;
        let moved = if ground.is_for() { moves > 0.0 } else { moves < 0.0 };
        moved.then_some(piece)
    };
    recent.iter().zip(directions).filter_map(piece).collect()
}

/// What one piece of evidence, so many events old where it is of this sitting, says of its artist and of its own
/// track, as log-odds weigh it.
fn apart(
    model: &Model,
    expected: Expectation<'_>,
    evidence: &Evidence,
    age: Option<u32>,
) -> [f32; 2] {
    let Some(ranker) = model.ranker() else { return [0.0; 2] };
    let weight = |signal| ranker.weight(signal);
    let Beyond { weight: amount, mean } = Beyond::of(model, &ranker, evidence);
    let (artists, prior) = (expected.verdicts.artists(), ranker.recipe().prior);
    let of_listener = expected.verdicts.means()[0];
    let track = model.track(evidence.row);
    let with = artists.of(track, of_listener, prior)[0];
    let mut others = artists.clone();
    others.add(model, evidence.row, -amount, -amount * mean);
    let without = others.of(track, of_listener, prior)[0];
    let heard = age.map_or(0.0, |age| 1.0 / (1.0 + age as f32));
    let by_artist = weight(Signal::Artist) * (with - without) + weight(Signal::Repeat) * heard;
    let [met, own, lately] = signals::own(model, &ranker, expected, evidence.row);
    let own =
        weight(Signal::Met) * met + weight(Signal::Own) * own + weight(Signal::Lately) * lately;
    [by_artist, own]
}
