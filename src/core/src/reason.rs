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
//! so a reason names only evidence that does move the track, in the direction that it says.

use alloc::{string::String, vec, vec::Vec};
use core::fmt::Write as _;

use crate::{
    event::Kind,
    ids::Row,
    linalg::dot,
    model::Model,
    session::{Evidence, Session},
};

/// Most pieces of evidence that are weighed, the latest ones.
const MAX_EVIDENCE: usize = 256;

/// A reason weaker than this share of the strongest one is not told: nobody could see its work.
const OF_NOTE: f32 = 0.02;

/// What kind of evidence a reason rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Ground {
    /// Most listeners respond well to it.
    Popular = 0,
    /// Close to tracks that were heard.
    Finished = 1,
    /// Close to tracks that were liked, saved or replayed.
    Liked = 2,
    /// Like tracks that were skipped or disliked.
    Skipped = 3,
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
        let mut text = String::new();
        let n = self.tracks.len();
        let s = if n == 1 { "" } else { "s" };
        // Writing to a string cannot fail.
        let _ = match self.ground {
            Ground::Popular => write!(text, "popular with all listeners"),
            Ground::Finished => write!(text, "close to {n} track{s} you finished"),
            Ground::Liked => write!(text, "close to {n} track{s} you liked"),
            Ground::Skipped => write!(text, "like {n} track{s} you skipped"),
        };
        text
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
        let responses = model.taste().responses();
        let evidence = session.evidence();
        let recent = evidence[evidence.len().saturating_sub(MAX_EVIDENCE)..].to_vec();
        let posterior = session.posterior(model);
        let mut factor = vec![0.0; model.dim()];
        let piece = |evidence: &Evidence| {
            let pull = evidence.pull(responses);
            model.factors().decode(evidence.row, &mut factor);
            let mut direction = factor.clone();
            posterior.precision.solve(&mut direction);
            let leverage = (pull.weight * dot(&factor, &direction)).min(1.0 - 1e-6);
            let residual = pull.information - pull.weight * posterior.expect(&factor);
            let gain = residual / (1.0 - leverage);
            direction.iter_mut().for_each(|x| *x *= gain);
            Piece { row: evidence.row, ground: ground(evidence), direction }
        };
        Self { prior, pieces: recent.iter().map(piece).collect() }
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
        for ground in [Ground::Finished, Ground::Liked, Ground::Skipped] {
            let sign = if ground == Ground::Skipped { -1.0 } else { 1.0 };
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

/// By what the listener did more of: what says no, or what says yes.
fn ground(evidence: &Evidence) -> Ground {
    let sum = |kinds: &[Kind]| kinds.iter().map(|&kind| evidence.amount(kind)).sum::<f32>();
    let liked = sum(&[Kind::Like, Kind::Save, Kind::Replay]);
    if sum(&[Kind::Skip, Kind::Dislike]) > liked + sum(&[Kind::Play, Kind::Search, Kind::Click]) {
        Ground::Skipped
    } else if liked > 0.0 {
        Ground::Liked
    } else {
        Ground::Finished
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
