//! Why a track stands where it stands.
//!
//! The effect of one piece of evidence on one track is what would change if that evidence were
//! taken away: the leave-one-out identity of ridge regression. With the posterior mean u, the
//! precision A and evidence (w, t) on the track with factor v,
//!
//! ```text
//! effect on track i = w·(t − u·v) / (1 − w·vᵀA⁻¹v) · vᵀA⁻¹(vᵢ − v̄)
//! ```
//!
//! and, where the two are neighbours, what [`crate::boosts`] adds for it besides.
//!
//! A place in a queue is relative, and so is its reason: v̄ is the mean factor of the tracks that
//! were ranked together. A skip that lowers every track lets those rise that it lowers least, and of
//! them it is said that they are unlike it. The ridge is held as it is: it shrinks by λ with each
//! track less, and so a little does every effect.
//!
//! Where the model has learned what foretells a yes ([`crate::signals`]), an effect is one on its log-odds: that on
//! the expected response times the weight of it, the same identity of the verdicts' systems ([`crate::verdicts`]),
//! what was said of the same artist, and what was said of the very track.
//!
//! What [`crate::votes`] adds is a reason of its own, beside the mean of what they add to the others. A
//! track that was just heard has no other: of it taste tells nothing.
//!
//! Two things must agree before a reason is told: what the listener did must have moved the taste
//! its way (a play that fell short of what was expected of it did not), and a track said to be close
//! must be near by itself, vᵀA⁻¹vᵢ > 0, not only nearer than the others. So a reason names only
//! evidence that does move the track, in the direction that it says, because the two are alike.

use alloc::{string::String, vec, vec::Vec};

use crate::{
    boosts, by_artist,
    event::Kind,
    features,
    ids::Row,
    kernel::{Place, best},
    linalg::dot,
    model::{Model, Rate},
    session::{Evidence, Expectation, Session},
    signals::{self, Signal},
    sitting::Sitting,
    verdicts::{Beyond, rate},
    votes::Votes,
    words::{decimal, sentence},
};

/// Tracks that none of so many of the last events was about are not weighed.
const MAX_EVENTS: u32 = 256;

/// A reason weaker than this share of the strongest one is not told: nobody could see its work.
const OF_NOTE: f32 = 0.02;

/// What kind of evidence a reason rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Ground {
    /// What all listeners together make of it.
    Popular = 0,
    /// Tracks that were heard to the end.
    Finished = 1,
    /// Tracks that were liked.
    Liked = 2,
    /// Tracks that were skipped.
    Skipped = 3,
    /// Tracks that were heard in part, or for a time that is not known.
    Played = 4,
    /// Tracks that were searched for or chosen.
    Chosen = 5,
    /// Tracks that were disliked.
    Disliked = 6,
    /// Tracks that were put into a library or a playlist.
    Saved = 7,
    /// Tracks that were heard again at once.
    Replayed = 8,
    /// The last tracks of the sitting, which it often follows, or of which it is one.
    Followed = 9,
    /// The hour, the place, the device, the list or the mood.
    Moment = 10,
}

impl Ground {
    /// Every ground, in the order of its discriminant.
    pub const ALL: [Self; 11] = [
        Self::Popular,
        Self::Finished,
        Self::Liked,
        Self::Skipped,
        Self::Played,
        Self::Chosen,
        Self::Disliked,
        Self::Saved,
        Self::Replayed,
        Self::Followed,
        Self::Moment,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Popular => "popular",
            Self::Finished => "finished",
            Self::Liked => "liked",
            Self::Skipped => "skipped",
            Self::Played => "played",
            Self::Chosen => "chosen",
            Self::Disliked => "disliked",
            Self::Saved => "saved",
            Self::Replayed => "replayed",
            Self::Followed => "followed",
            Self::Moment => "moment",
        }
    }

    /// What the listener did with a track that says most: a no where there was more of it, else
    /// the most deliberate yes. `None` where they did nothing.
    fn of(evidence: &Evidence) -> Option<Self> {
        let amount = |kind| evidence.amount(kind);
        let no = amount(Kind::Skip) + amount(Kind::Dislike);
        let yes = [
            (Self::Liked, amount(Kind::Like)),
            (Self::Saved, amount(Kind::Save)),
            (Self::Replayed, amount(Kind::Replay)),
            (Self::Finished, if evidence.finished() { amount(Kind::Play) } else { 0.0 }),
            (Self::Played, if evidence.finished() { 0.0 } else { amount(Kind::Play) }),
            (
                Self::Chosen,
                if evidence.refused() { 0.0 } else { amount(Kind::Search) + amount(Kind::Click) },
            ),
        ];
        if no > yes.iter().map(|(_, amount)| amount).sum() {
            return Some(match amount(Kind::Dislike) > 0.0 {
                true => Self::Disliked,
                false => Self::Skipped,
            });
        }
        yes.into_iter().find(|&(_, amount)| amount > 0.0).map(|(ground, _)| ground)
    }

    /// Whether it speaks for what is like it.
    const fn is_for(self) -> bool {
        !matches!(self, Self::Skipped | Self::Disliked)
    }
}

/// One reason for one track.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// The track that it is for.
    pub row: Row,
    /// What it rests on.
    pub ground: Ground,
    /// How much it moves the track's score beside those it was ranked with; negative moves it
    /// down.
    pub effect: f32,
    /// The fewest tracks that make up four fifths of the effect, strongest first.
    pub tracks: Vec<Row>,
}

impl Reason {
    /// The reason as a person reads it, in English.
    pub fn text(&self) -> String {
        let deed = match self.ground {
            Ground::Chosen => "chose",
            Ground::Followed => "just played",
            ground => ground.name(),
        };
        let up = self.effect > 0.0;
        match (self.ground, up) {
            (Ground::Popular, true) => return "popular with all listeners".into(),
            (Ground::Popular, false) => return "less popular than the rest".into(),
            (Ground::Moment, true) => return "fits the moment".into(),
            (Ground::Moment, false) => return "fits other moments better".into(),
            _ => {}
        }
        let n = self.tracks.len();
        if self.tracks.first() == Some(&self.row) {
            return match n - 1 {
                0 => sentence(&["you ", deed, " it"]),
                others => {
                    sentence(&["you ", deed, " it and ", &decimal(others as u64), " like it"])
                }
            };
        }
        let likeness = match (self.ground.is_for(), up) {
            _ if self.ground == Ground::Followed => "often follows",
            (true, _) => "close to",
            (false, true) => "unlike",
            (false, false) => "similar to",
        };
        let count = match (self.ground, n) {
            (Ground::Followed, 1) => "a".into(),
            _ => decimal(n as u64),
        };
        let tracks = if n == 1 { " track you " } else { " tracks you " };
        sentence(&[likeness, " ", &count, tracks, deed])
    }
}

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

/// Where a track is.
#[derive(Debug, Default)]
struct Spot {
    /// v.
    factor: Vec<f32>,
    /// φ; nothing where the model has not learned what foretells a yes.
    features: Vec<f32>,
}

impl Spot {
    fn read(&mut self, model: &Model, row: Row) {
        self.factor.resize(model.dim(), 0.0);
        model.decode(row, &mut self.factor);
        if let Some(ranker) = model.ranker() {
            let axes = ranker.recipe().axes as usize;
            features::write(model, axes, row, &self.factor, &mut self.features);
        }
    }

    fn clear(&mut self) {
        self.factor.fill(0.0);
        self.features.fill(0.0);
    }

    fn add(&mut self, other: &Self) {
        for (sum, x) in [(&mut self.factor, &other.factor), (&mut self.features, &other.features)] {
            sum.resize(x.len(), 0.0);
            sum.iter_mut().zip(x).for_each(|(sum, x)| *sum += x);
        }
    }

    fn divide(&mut self, by: f32) {
        self.factor.iter_mut().chain(&mut self.features).for_each(|x| *x /= by);
    }
}

/// What the parts of a score count.
#[derive(Clone, Copy, Debug)]
struct Weights {
    taste: f32,
    votes: f32,
    rate: f32,
    plays: f32,
}

impl Weights {
    fn of(model: &Model) -> Self {
        let Some(ranker) = model.ranker() else {
            return Self { taste: 1.0, votes: 1.0, rate: 0.0, plays: 0.0 };
        };
        let [taste, votes, rate, plays] =
            [Signal::Taste, Signal::Votes, Signal::Rate, Signal::Plays].map(|it| ranker.weight(it));
        Self { taste, votes, rate, plays }
    }

    /// What all listeners say to a track adds.
    fn said(&self, model: &Model, row: Row) -> f32 {
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
struct Piece {
    row: Row,
    ground: Ground,
    /// A⁻¹v · w(t − u·v)/(1 − w·vᵀA⁻¹v): its product with a factor is the effect on that track.
    direction: Vec<f32>,
    /// The same of verdicts and features.
    along: Vec<f32>,
    /// What it says of its artist, and of nothing but its own track.
    by_artist: f32,
    own: f32,
    /// What the listener said of it: 1 for yes.
    says: f32,
    /// What it adds to certain tracks, in the mean over those that were ranked together.
    mean_apart: f32,
}

impl Piece {
    /// What it adds to the tracks along the directions.
    fn effect(&self, of: &Spot) -> f32 {
        dot(&self.direction, &of.factor) + dot(&self.along, &of.features)
    }

    /// What it adds to a row because it is a neighbour, of the same artist, or the very track. O(neighbours).
    #[inline(never)]
    fn apart(&self, model: &Model, row: Row, weight: f32) -> f32 {
        if row.shard() != self.row.shard() {
            return 0.0;
        }
        let mut apart = if row == self.row { self.own } else { 0.0 };
        if self.by_artist != 0.0 && by_artist::are_alike(model, row, self.row) {
            apart += self.by_artist;
        }
        let neighbours = model.neighbours(row.shard()).map_or(&[][..], |n| n.of(self.row.index()));
        let here = neighbours.iter().filter(|neighbour| neighbour.place as usize == row.index());
        let boosts = here.map(|it| boosts::score(boosts::units(it.weight, self.says)));
        apart + weight * boosts.sum::<f32>()
    }
}

impl Explainer {
    /// Weighs the evidence of `session`. O(d²) for each track that one of the last 256 events was about.
    pub fn new(model: &Model, session: &mut Session) -> Self {
        let weights = Weights::of(model);
        let mut prior = session.prior_part(model);
        prior.iter_mut().for_each(|x| *x *= weights.taste);
        let taste = model.taste();
        let since = session.events().saturating_sub(MAX_EVENTS);
        let now = session.events();
        let recent: Vec<Recent> = session
            .evidence()
            .iter()
            .filter(|evidence| evidence.touched() > since)
            .map(|evidence| {
                let of_sitting = session.is_of_sitting(evidence);
                let age = of_sitting.then(|| now - evidence.observed());
                Recent { evidence: *evidence, age }
            })
            .collect();
        let mut at_hand = Spot::default();
        let moment = moment(model, session);
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
            let piece =
                Piece { row, ground, direction, along, by_artist, own, says, mean_apart: 0.0 };
            let moves = piece.effect(&at_hand) + by_artist + own;
            let moved = if ground.is_for() { moves > 0.0 } else { moves < 0.0 };
            moved.then_some(piece)
        };
        let pieces = recent.iter().zip(directions).filter_map(piece).collect();
        let mean = Spot::default();
        Self { prior, pieces, weights, mean_said: 0.0, mean_votes: 0.0, moment, at_hand, mean }
    }

    /// From now on places are explained beside those of `rows`; beside a track of no taste at all
    /// where there are none. `session` is the one that was weighed. O(rows·d).
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
