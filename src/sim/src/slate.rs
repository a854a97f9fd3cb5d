//! A slate: tracks of which a policy that explores offers one, with chances that it knows.

use rand::Rng;
use segue_core::event::{Event, Propensity};

use crate::listener::Listener;
use crate::num::{exp, weighted};
use crate::policy::Policy;
use crate::situation::{Situation, Source};
use crate::world::{TrackIndex, World};

/// Tracks of a slate, where the policy finds as many.
const SIZE: usize = 20;

/// How often the policy is asked for them.
const TRIES: usize = 4 * SIZE;

/// Share of the offers that are drawn uniformly, so that no chance is below a hundredth.
const UNIFORM: f32 = 0.2;

/// How much the others are drawn to what is popular, in logits from the least to the most popular track.
const PULL: f32 = 2.0;

/// An event of a log that explores, and where it is an impression, what is true of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Explored {
    /// The event.
    pub event: Event,
    /// Of an impression: the chance, for each of its candidates in their order, that the listener would not
    /// have skipped it.
    pub enjoyed: Option<Vec<f32>>,
}

/// Different tracks, and which of them was drawn.
#[derive(Clone, Debug)]
pub(crate) struct Slate {
    candidates: Vec<Candidate>,
    drawn: usize,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    track: TrackIndex,
    source: Source,
    /// With which it is drawn.
    chance: f32,
    /// The chance that it is not skipped.
    enjoyed: f32,
}

impl Slate {
    /// Draws from `first` and what else the `policy` offers at this moment, by popularity and the rest
    /// uniformly, whatever the listener likes. `situation.source` becomes that of the track that is drawn.
    pub fn draw<R: Rng + ?Sized>(
        (world, listener): (&World, &Listener),
        policy: &mut Policy,
        first: TrackIndex,
        situation: &mut Situation,
        now_ms: i64,
        rng: &mut R,
    ) -> Self {
        let mut tracks = vec![(first, situation.source)];
        for _ in 0..TRIES {
            let track = policy.offer(world, listener, situation, now_ms, rng);
            let known = tracks.iter().any(|(other, _)| *other == track);
            // What a listener looks for is nothing that they are offered.
            if !known && situation.source != Source::Search {
                tracks.push((track, situation.source));
            }
            if tracks.len() == SIZE {
                break;
            }
        }
        let pull = |track| exp(PULL * world.catalogue.track(track).popularity);
        let pulls: f32 = tracks.iter().map(|(track, _)| pull(*track)).sum();
        let even = UNIFORM / tracks.len() as f32;
        let candidate = |(track, source)| {
            situation.source = source;
            let skipped = world.skip_probability(listener, track, situation, now_ms);
            let chance = even + (1.0 - UNIFORM) * pull(track) / pulls;
            Candidate { track, source, chance, enjoyed: 1.0 - skipped }
        };
        let candidates: Vec<Candidate> = tracks.into_iter().map(candidate).collect();
        let chances: Vec<f32> = candidates.iter().map(|candidate| candidate.chance).collect();
        let slate = Self { candidates, drawn: weighted(rng, &chances) };
        situation.source = slate.candidates[slate.drawn].source;
        slate
    }

    /// The track that was drawn.
    pub fn track(&self) -> TrackIndex {
        self.candidates[self.drawn].track
    }

    /// The chance with which it was; always there but for the type.
    pub fn propensity(&self) -> Option<Propensity> {
        Propensity::try_from(f64::from(self.candidates[self.drawn].chance.min(1.0))).ok()
    }

    /// The ids of all.
    pub fn ids(&self) -> Vec<String> {
        self.candidates.iter().map(|candidate| candidate.track.id()).collect()
    }

    /// The chance of each that it is not skipped.
    pub fn enjoyed(&self) -> Vec<f32> {
        self.candidates.iter().map(|candidate| candidate.enjoyed).collect()
    }
}
