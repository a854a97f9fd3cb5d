//! The reasons of a session, for one track after another.

use alloc::{vec, vec::Vec};

use super::{
    Ground, Reason,
    piece::{self, Piece, Spot, Weights},
};
use crate::{
    boosts,
    ids::Row,
    kernel::{Place, best},
    linalg::dot,
    model::Model,
    session::{Expectation, Session},
    signals::Signal,
    sitting::Sitting,
    votes::Votes,
};

/// A reason weaker than this share of the strongest one is not told: nobody could see its work.
const OF_NOTE: f32 = 0.02;

/// The evidence of a session, prepared to explain many tracks.
#[derive(Debug)]
pub struct Explainer {
    prior: Vec<f32>,
    pieces: Vec<Piece>,
    /// What everything counts.
    weights: Weights,
    /// What all listeners say, in the mean over the tracks that were ranked together.
    mean_said: f32,
    /// What votes add, in the mean over the tracks that were ranked together.
    mean_votes: f32,
    /// What the moment says of each feature.
    moment: Vec<f32>,
    /// The track at hand, and the mean of those that were ranked together.
    at_hand: Spot,
    mean: Spot,
}

impl Explainer {
    /// Weighs the evidence of `session`. O(d²) for each track that one of the last 256 events was about.
    pub fn new(model: &Model, session: &mut Session) -> Self {
        let weights = Weights::of(model);
        let mut prior = session.prior_part(model);
        prior.iter_mut().for_each(|x| *x *= weights.taste);
        let moment = moment(model, session);
        let pieces = piece::weigh(model, session, &weights);
        let (at_hand, mean) = (Spot::default(), Spot::default());
        Self { prior, pieces, weights, mean_said: 0.0, mean_votes: 0.0, moment, at_hand, mean }
    }

    /// From now on places are explained beside those of `rows`; beside a track of no taste at all
    /// where there are none. `session` is the one that was weighed. O(rows·(d + pieces)).
    pub fn beside(&mut self, model: &Model, session: &mut Session, rows: &[Row]) {
        let votes = session.expectation(model).votes;
        self.mean.clear();
        (self.mean_votes, self.mean_said) = (0.0, 0.0);
        self.pieces.iter_mut().for_each(|piece| piece.mean_apart = 0.0);
        for &row in rows {
            self.mean_votes += self.weights.votes * votes.score(row);
            self.mean_said += self.weights.said(model, row);
            if is_heard(model, votes, row) {
                continue;
            }
            self.at_hand.read(model, row);
            self.mean.add(&self.at_hand);
            for piece in &mut self.pieces {
                piece.mean_apart += piece.apart(model, row, self.weights.taste);
            }
        }
        let count = rows.len().max(1) as f32;
        self.mean_votes /= count;
        self.mean_said /= count;
        self.mean.divide(count);
        self.pieces.iter_mut().for_each(|piece| piece.mean_apart /= count);
    }

    /// The reasons for `row`, strongest first; empty where nothing of note moves it. `session` is the
    /// one that was weighed.
    pub fn explain(&mut self, model: &Model, session: &mut Session, row: Row) -> Vec<Reason> {
        self.at_hand.read(model, row);
        let expected = session.posterior(model).expect(&self.at_hand.factor);
        let Expectation { boosts, votes, sitting, .. } = session.expectation(model);
        if is_heard(model, votes, row) {
            let by_taste = expected + boosts::score(boosts.of(row));
            return vec![self.just_heard(votes.score(row) - by_taste, row)];
        }
        let mut reasons: Vec<Reason> = Vec::new();
        let mut tell = |reason: Reason| {
            let weaker = |other: &Reason| other.effect.abs() < reason.effect.abs();
            let place = reasons.iter().position(weaker).unwrap_or(reasons.len());
            reasons.insert(place, reason);
        };
        let said = self.weights.said(model, row) - self.mean_said;
        let beside = |x: &[f32], own: &[f32], mean: &[f32]| dot(x, own) - dot(x, mean);
        let popular = beside(&self.prior, &self.at_hand.factor, &self.mean.factor) + said;
        let moment = beside(&self.moment, &self.at_hand.features, &self.mean.features);
        for (ground, effect) in [(Ground::Popular, popular), (Ground::Moment, moment)] {
            if effect != 0.0 {
                tell(Reason { row, ground, effect, tracks: Vec::new() });
            }
        }
        self.followed(model, votes, sitting, row).map(&mut tell);
        for ground in Ground::ALL {
            for sign in [1.0, -1.0] {
                self.summary(model, row, ground, sign).map(&mut tell);
            }
        }
        let strongest = reasons.first().map_or(0.0, |reason| reason.effect.abs());
        reasons.retain(|reason| reason.effect.abs() >= OF_NOTE * strongest);
        reasons
    }

    /// What the tracks of `ground` do to the track at hand in the direction of `sign`, where they
    /// do anything.
    #[inline(never)]
    fn summary(&self, model: &Model, row: Row, ground: Ground, sign: f32) -> Option<Reason> {
        let mut effects: Vec<Place> = Vec::new();
        for piece in self.pieces.iter().filter(|piece| piece.ground == ground) {
            let alone = piece.effect(&self.at_hand) + piece.apart(model, row, self.weights.taste);
            let beside = alone - piece.effect(&self.mean) - piece.mean_apart;
            // Nothing is far from what one likes by being less near to it than others are, and
            // nothing is like what one skips that the skip itself does not lower.
            let true_of_it = match (ground.is_for(), sign > 0.0) {
                (true, up) => up && alone > 0.0,
                (false, up) => up || alone < 0.0,
            };
            if beside * sign > 0.0 && true_of_it {
                effects.push(sized(beside.abs(), piece.row));
            }
        }
        let (total, tracks) = fewest(effects);
        (!tracks.is_empty()).then_some(Reason { row, ground, effect: sign * total, tracks })
    }

    /// The only reason for a track that was just heard, which has `more` than taste expects of it.
    fn just_heard(&self, more: f32, row: Row) -> Reason {
        // Had it not been heard, taste would not know that either.
        let own = self.pieces.iter().find(|piece| piece.row == row);
        let effect = more + own.map_or(0.0, |piece| piece.effect(&self.at_hand));
        Reason { row, ground: Ground::Followed, effect, tracks: vec![row] }
    }

    /// What the last tracks do to one that was not heard, where they raise it.
    #[inline(never)]
    fn followed(
        &self,
        model: &Model,
        votes: &Votes,
        sitting: &Sitting,
        row: Row,
    ) -> Option<Reason> {
        let score = votes.score(row);
        let effect = self.weights.votes * score - self.mean_votes;
        let voters = votes.voters(model, sitting, row).into_iter();
        let voters = voters.filter(|(_, vote)| *vote > 0.0);
        let (_, tracks) = fewest(voters.map(|(voter, vote)| sized(vote, voter)).collect());
        // Without them the others would be nearer, and may say as much.
        let mut rest = sitting.clone();
        tracks.iter().for_each(|&track| rest.refuse(track));
        let left: f32 = votes.voters(model, &rest, row).iter().map(|(_, vote)| vote).sum();
        let told = effect > 0.0 && left < score && !tracks.is_empty();
        told.then_some(Reason { row, ground: Ground::Followed, effect, tracks })
    }
}

/// What the moment says of each feature, as log-odds weigh it.
fn moment(model: &Model, session: &mut Session) -> Vec<f32> {
    let (Some(ranker), Some(contexts)) = (model.ranker(), model.contexts()) else {
        return Vec::new();
    };
    let mut moment = vec![0.0; ranker.recipe().axes as usize + model.tags()];
    for (field, key) in session.expectation(model).moment.known() {
        let weight = ranker.weight(Signal::of_field(field));
        let effect = contexts.of(key).into_iter().flatten();
        moment.iter_mut().zip(effect).for_each(|(sum, x)| *sum += weight * x);
    }
    moment
}

/// Whether only the last tracks tell of a row: see [`crate::rank`].
fn is_heard(model: &Model, votes: &Votes, row: Row) -> bool {
    votes.is_heard(row) && model.ranker().is_none()
}

/// A track with the size of its effect, above 0: the bits of such numbers order as the numbers do.
fn sized(effect: f32, track: Row) -> Place {
    Place::new(effect.to_bits() as i32, track.0)
}

/// The sum of `effects`, and the fewest tracks that make up four fifths of it, strongest first.
fn fewest(mut effects: Vec<Place>) -> (f32, Vec<Row>) {
    let all = effects.len();
    best(&mut effects, all);
    let size = |effect: &Place| f32::from_bits(effect.points() as u32);
    let total: f32 = effects.iter().map(size).sum();
    let mut open = 0.8 * total;
    let mut tracks = Vec::new();
    for effect in &effects {
        if open > 0.0 {
            tracks.push(Row(effect.index()));
        }
        open -= size(effect);
    }
    (total, tracks)
}
