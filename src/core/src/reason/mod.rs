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

mod explainer;
mod piece;

use alloc::{string::String, vec::Vec};

use crate::{
    event::Kind,
    ids::Row,
    session::Evidence,
    words::{decimal, sentence},
};

pub use explainer::Explainer;

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
