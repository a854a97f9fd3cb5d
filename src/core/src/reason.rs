//! Why a track stands where it stands.
//!
//! The effect of one piece of evidence on one track is what would change if that evidence were
//! taken away: the leave-one-out identity of ridge regression. With the posterior mean u, the
//! precision A and evidence (w, t) on the track with factor v,
//!
//! ```text
//! effect on track i = w·(t − u·v) / (1 − w·vᵀA⁻¹v) · vᵀA⁻¹vᵢ
//! ```
//!
//! The ridge is held as it is: it shrinks by λ with each track less, and so a little does every
//! effect. Two things must agree before a reason is told: what the listener did must have moved the
//! taste its way (a play that fell short of what was expected of it did not), and the track must be
//! near, vᵀA⁻¹vᵢ > 0. So a reason names only evidence that does move the track, in the direction
//! that it says, because the two are alike.

use alloc::{format, string::String, vec, vec::Vec};

use crate::{
    event::Kind,
    ids::Row,
    linalg::dot,
    model::Model,
    session::{Evidence, Session},
};

/// Most pieces of evidence that are weighed: the tracks met last.
const MAX_EVIDENCE: usize = 256;

/// A reason weaker than this share of the strongest one is not told: nobody could see its work.
const OF_NOTE: f32 = 0.02;

/// What kind of evidence a reason rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Ground {
    /// Most listeners respond well to it.
    Popular = 0,
    /// Close to tracks that were heard to the end.
    Finished = 1,
    /// Close to tracks that were liked, saved or replayed.
    Liked = 2,
    /// Like tracks that were skipped.
    Skipped = 3,
    /// Close to tracks that were heard in part.
    Heard = 4,
    /// Close to tracks that were searched for or opened.
    Opened = 5,
    /// Like tracks that were disliked.
    Disliked = 6,
}

impl Ground {
    /// The grounds that are something the listener did.
    const DEEDS: [Self; 6] =
        [Self::Finished, Self::Liked, Self::Skipped, Self::Heard, Self::Opened, Self::Disliked];

    /// What the listener did most of with a track: what says no, or what says yes.
    fn of(evidence: &Evidence) -> Self {
        /// Plays that add up to this much of a track are a track heard.
        const WHOLE: f32 = 0.9;
        let amount = |kind| evidence.amount(kind);
        let (skipped, disliked) = (amount(Kind::Skip), amount(Kind::Dislike));
        let liked = amount(Kind::Like) + amount(Kind::Save) + amount(Kind::Replay);
        let played = amount(Kind::Play);
        let opened = amount(Kind::Search) + amount(Kind::Click);
        if skipped + disliked > liked + played + opened {
            if disliked > 0.0 { Self::Disliked } else { Self::Skipped }
        } else if liked > 0.0 {
            Self::Liked
        } else if played >= WHOLE {
            Self::Finished
        } else if played > 0.0 {
            Self::Heard
        } else {
            Self::Opened
        }
    }

    /// Whether it speaks for a track.
    const fn is_for(self) -> bool {
        !matches!(self, Self::Skipped | Self::Disliked)
    }
}

/// One reason for one track.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// What it rests on.
    pub ground: Ground,
    /// How much it moves the track's score; negative moves it down.
    pub effect: f32,
    /// The fewest tracks that make up four fifths of the effect, strongest first.
    pub tracks: Vec<Row>,
}

impl Reason {
    /// The reason as a person reads it, in English.
    pub fn text(&self) -> String {
        let (near, deed) = match self.ground {
            Ground::Popular => return "popular with all listeners".into(),
            Ground::Finished => ("close to", "you finished"),
            Ground::Liked => ("close to", "you liked"),
            Ground::Skipped => ("like", "you skipped"),
            Ground::Heard => ("close to", "you heard part of"),
            Ground::Opened => ("close to", "you opened"),
            Ground::Disliked => ("like", "you disliked"),
        };
        let n = self.tracks.len();
        let s = if n == 1 { "" } else { "s" };
        format!("{near} {n} track{s} {deed}")
    }
}

/// The evidence of a session, prepared to explain many tracks.
#[derive(Debug)]
pub struct Explainer {
    prior: Vec<f32>,
    pieces: Vec<Piece>,
}

#[derive(Debug)]
struct Piece {
    row: Row,
    ground: Ground,
    /// A⁻¹v · w(t − u·v)/(1 − w·vᵀA⁻¹v); its product with a factor is the effect on that track.
    direction: Vec<f32>,
}

impl Explainer {
    /// Weighs the evidence of `session`. O(d²) for each of at most 256 pieces.
    pub fn new(model: &Model, session: &mut Session) -> Self {
        let prior = session.prior_part(model);
        let taste = model.taste();
        let evidence = session.evidence();
        let recent = evidence[evidence.len().saturating_sub(MAX_EVIDENCE)..].to_vec();
        let posterior = session.posterior(model);
        let mut factor = vec![0.0; model.dim()];
        let piece = |evidence: &Evidence| {
            let pull = evidence.pull(taste.responses());
            model.factors().decode(evidence.row, &mut factor);
            let mut direction = factor.clone();
            posterior.precision.solve(&mut direction);
            let leverage = (pull.weight * dot(&factor, &direction)).min(1.0 - 1e-6);
            let residual = pull.information - pull.weight * posterior.expect(&factor);
            let gain = residual / (1.0 - leverage);
            direction.iter_mut().for_each(|x| *x *= gain);
            let ground = Ground::of(evidence);
            let moved = if ground.is_for() { gain > 0.0 } else { gain < 0.0 };
            moved.then_some(Piece { row: evidence.row, ground, direction })
        };
        Self { prior, pieces: recent.iter().filter_map(piece).collect() }
    }

    /// The reasons for `row`, strongest first; empty where nothing of note moves it.
    pub fn explain(&self, model: &Model, row: Row) -> Vec<Reason> {
        let mut factor = vec![0.0; model.dim()];
        model.factors().decode(row, &mut factor);
        let mut reasons = Vec::new();
        let popular = dot(&self.prior, &factor);
        if popular > 0.0 {
            reasons.push(Reason { ground: Ground::Popular, effect: popular, tracks: Vec::new() });
        }
        for ground in Ground::DEEDS {
            let sign = if ground.is_for() { 1.0 } else { -1.0 };
            let pieces = self.pieces.iter().filter(|piece| piece.ground == ground);
            let mut effects: Vec<(f32, Row)> = pieces
                .map(|piece| (dot(&piece.direction, &factor), piece.row))
                .filter(|(effect, _)| effect * sign > 0.0)
                .collect();
            if effects.is_empty() {
                continue;
            }
            effects.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()).then(a.1.cmp(&b.1)));
            reasons.push(summarise(ground, &effects));
        }
        reasons.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()));
        let strongest = reasons.first().map_or(0.0, |reason| reason.effect.abs());
        reasons.retain(|reason| reason.effect.abs() >= OF_NOTE * strongest);
        reasons
    }
}

/// `effects` all have one sign and fall in magnitude.
fn summarise(ground: Ground, effects: &[(f32, Row)]) -> Reason {
    let total: f32 = effects.iter().map(|(effect, _)| effect).sum();
    let mut covered = 0.0;
    let tracks = effects
        .iter()
        .take_while(|(effect, _)| {
            let open = covered < 0.8 * total.abs();
            covered += effect.abs();
            open
        })
        .map(|&(_, row)| row)
        .collect();
    Reason { ground, effect: total, tracks }
}
