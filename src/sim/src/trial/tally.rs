//! What came of sittings.

use crate::{Reaction, TrackIndex, World};

/// Sums over sittings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Sittings.
    pub sittings: u32,
    /// Tracks that were chosen, and not asked for again by the listener.
    pub choices: u32,
    /// Those of them that were skipped.
    pub skips: u32,
    /// Those that the listener had never heard, and did not skip.
    pub discoveries: u32,
    /// Milliseconds listened.
    pub listened_ms: i64,
    /// By how much the chance of no skip was below that of the best that was on offer, summed over choices.
    pub regret: f64,
    /// Pairs of tracks of one sitting, and those of different sub-genres.
    pub pairs: [u32; 2],
}

/// What a [`Tally`] comes to.
pub const FIGURES: [&str; 5] = ["skip_rate", "minutes", "diversity", "discovery", "regret"];

impl Tally {
    pub(super) fn hear(&mut self, reaction: &Reaction, is_new: bool) {
        self.skips += u32::from(reaction.skipped);
        self.discoveries += u32::from(is_new && !reaction.skipped);
        self.listened_ms += i64::from(reaction.played_ms);
    }

    pub(super) fn differ(&mut self, world: &World, played: &[TrackIndex]) {
        let kind = |track: TrackIndex| {
            let artist = world.catalogue.artist_of(world.catalogue.track(track));
            (artist.genre, artist.sub)
        };
        for (at, &one) in played.iter().enumerate() {
            for &other in &played[..at] {
                self.pairs[0] += 1;
                self.pairs[1] += u32::from(kind(one) != kind(other));
            }
        }
    }

    /// Adds the sittings of another.
    pub fn add(&mut self, other: &Self) {
        self.sittings += other.sittings;
        self.choices += other.choices;
        self.skips += other.skips;
        self.discoveries += other.discoveries;
        self.listened_ms += other.listened_ms;
        self.regret += other.regret;
        self.pairs[0] += other.pairs[0];
        self.pairs[1] += other.pairs[1];
    }

    /// The share of choices that were skipped; minutes listened a sitting; the share of pairs of tracks of a
    /// sitting that are of different sub-genres; tracks a sitting that were new and not skipped; by how much
    /// the chance of no skip was below that of the best on offer.
    pub fn figures(&self) -> [f64; FIGURES.len()] {
        let share = |part: f64, whole: u32| part / f64::from(whole.max(1));
        [
            share(self.skips.into(), self.choices),
            share(self.listened_ms as f64 / 60_000.0, self.sittings),
            share(self.pairs[1].into(), self.pairs[0]),
            share(self.discoveries.into(), self.sittings),
            share(self.regret, self.choices),
        ]
    }
}
