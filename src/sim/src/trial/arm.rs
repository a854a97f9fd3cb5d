//! Who chooses what is played next.

use std::str::FromStr;

use segue_core::{
    event::Kind,
    kernel::Place,
    moment::Moment,
    session::{Observation, Session},
    slate::{self, Options, Slate},
};

use super::{Person, Trial};
use crate::{Listener, Reaction, Situation, TrackIndex, num::mix};

/// A recommender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arm {
    /// Any order.
    Random,
    /// What was played most in the log comes first.
    Popularity,
    /// The model, which knows the listener's log and nothing of the sitting.
    Taste,
    /// The model, which knows the sitting and nothing of the log.
    Session,
    /// The model, which knows both.
    Full,
    /// The same, with an eye on what was heard before ([`segue_core::slate`]).
    Chosen,
    /// What the listener is least likely to skip, which nobody can know: the bound of all.
    Oracle,
}

impl Arm {
    /// Every arm.
    pub const ALL: [Self; 7] = [
        Self::Random,
        Self::Popularity,
        Self::Taste,
        Self::Session,
        Self::Full,
        Self::Chosen,
        Self::Oracle,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Popularity => "popularity",
            Self::Taste => "taste",
            Self::Session => "session",
            Self::Full => "full",
            Self::Chosen => "chosen",
            Self::Oracle => "oracle",
        }
    }

    const fn remembers(self) -> bool {
        matches!(self, Self::Taste | Self::Full | Self::Chosen)
    }

    const fn listens(self) -> bool {
        matches!(self, Self::Session | Self::Full | Self::Chosen)
    }
}

/// No such [`Arm`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no policy `{0}`; there are random, popularity, taste, session, full, chosen and oracle"
)]
pub struct UnknownArm(pub String);

impl FromStr for Arm {
    type Err = UnknownArm;

    fn from_str(name: &str) -> Result<Self, UnknownArm> {
        let found = Self::ALL.into_iter().find(|arm| arm.name() == name);
        found.ok_or_else(|| UnknownArm(name.to_owned()))
    }
}

/// The device of one person, on which an arm chooses.
pub(super) struct Device<'a> {
    trial: &'a Trial<'a>,
    arm: Arm,
    session: Session,
    queue: Vec<Place>,
    slate: Slate,
}

/// The listener at a moment, of which only [`Arm::Oracle`] knows more than the time.
#[derive(Clone, Copy)]
pub(super) struct Now<'a> {
    pub listener: &'a Listener,
    pub situation: &'a Situation,
    pub now_ms: i64,
}

impl<'a> Device<'a> {
    pub fn new(trial: &'a Trial<'a>, arm: Arm, person: &Person) -> Self {
        let session = trial.session(person, arm.remembers());
        Self { trial, arm, session, queue: Vec::new(), slate: Slate::default() }
    }

    /// The places of the best `limit` of `offers`, best first.
    pub fn choose(
        &mut self,
        offers: &[TrackIndex],
        limit: usize,
        now: Now<'_>,
        seed: u64,
    ) -> Vec<usize> {
        let Trial { world, model, rows, plays, options, .. } = self.trial;
        let by = |worth: &dyn Fn(TrackIndex) -> f64| {
            let worth: Vec<f64> = offers.iter().map(|&track| worth(track)).collect();
            let mut order: Vec<usize> = (0..offers.len()).collect();
            order.sort_by(|&a, &b| worth[b].total_cmp(&worth[a]));
            order.truncate(limit);
            order
        };
        match self.arm {
            Arm::Random => by(&|track| (mix(seed, track.index() as u64) >> 11) as f64),
            Arm::Popularity => by(&|track| f64::from(plays[track.index()])),
            Arm::Oracle => by(&|track| {
                let Now { listener, situation, now_ms } = now;
                -f64::from(world.skip_probability(listener, track, situation, now_ms))
            }),
            Arm::Taste | Arm::Session | Arm::Full | Arm::Chosen => {
                if self.arm.listens() {
                    let Now { situation, now_ms, .. } = now;
                    let context = situation.context(situation.source);
                    let offset = situation.tz_offset_min;
                    self.session.at(Moment::of(&context).on(now_ms, offset));
                }
                let candidates: Vec<_> = offers.iter().map(|track| rows[track.index()]).collect();
                let Self { session, queue, slate, .. } = self;
                let options = if self.arm == Arm::Chosen { options } else { &Options::OFF };
                slate::rank(model, session, &candidates, limit, options, slate, queue);
                self.queue.iter().map(|place| place.index() as usize).collect()
            }
        }
    }

    /// Takes in what the listener did with a track.
    pub fn hear(&mut self, track: TrackIndex, reaction: &Reaction) {
        let Some(row) = self.trial.rows[track.index()].filter(|_| self.arm.listens()) else {
            return;
        };
        let duration_ms = self.trial.world.catalogue.track(track).duration_ms;
        let heard = segue_core::event::heard(reaction.played_ms, duration_ms);
        let kind = if reaction.skipped { Kind::Skip } else { Kind::Play };
        let said = [
            (true, kind),
            (reaction.like, Kind::Like),
            (reaction.dislike, Kind::Dislike),
            (reaction.save, Kind::Save),
            (reaction.replay, Kind::Replay),
        ];
        for (_, kind) in said.into_iter().filter(|(is_so, _)| *is_so) {
            self.session.observe(self.trial.model, Observation { row, kind, heard });
        }
    }

    /// The sitting is over.
    pub fn leave(&mut self) {
        self.session.leave();
    }
}
