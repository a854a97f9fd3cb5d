//! How a listener likes a track, and what they do when they hear it.
//!
//! Liking is additive in logits, as in the logit model of discrete choice (McFadden, 1974):
//! [`World::affinity`] is what is true of listener and track for days, [`World::appeal_now`] adds
//! the mood of the hour and how tired the listener is of the track, of its artist and of
//! listening. A reaction is drawn from it.

use rand::{Rng, RngExt};

use crate::catalogue::sub_index;
use crate::listener::{Listener, Quirk};
use crate::num::{chance, log_normal, sigmoid};
use crate::situation::{Situation, Source};
use crate::world::{TrackIndex, World};

/// What a listener did with a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// Milliseconds heard: less than the duration where `skipped`, and never more.
    pub played_ms: u32,
    /// The listener went on before the end because of the track.
    pub skipped: bool,
    /// An explicit like.
    pub like: bool,
    /// An explicit dislike.
    pub dislike: bool,
    /// Put into the library.
    pub save: bool,
    /// Wants to hear it again at once.
    pub replay: bool,
    /// Ends the session.
    pub leaves: bool,
}

impl World {
    /// How much the listener likes the track these days, in logits: 0 is indifference. O(1).
    ///
    /// The sum of: taste for the genre (drifting); idiosyncratic affinities for sub-genre, scene,
    /// artist and track; a preferred age of recordings; love or dislike of what is popular;
    /// home-made music; what has been kept; quality; and the craze of the day.
    pub fn affinity(&self, listener: &Listener, track: TrackIndex, now_ms: i64) -> f32 {
        let it = self.catalogue.track(track);
        let artist = self.catalogue.artist_of(it);
        let sub = sub_index(artist.genre, artist.sub);
        let personal = 0.55 * listener.quirk(Quirk::Sub, sub)
            + 0.6 * listener.quirk(Quirk::Scene, artist.scene as usize)
            + 0.45 * listener.quirk(Quirk::Artist, it.artist as usize)
            + 0.25 * listener.quirk(Quirk::Track, track.index());
        let octaves = it.era - listener.era;
        let era = 0.2 - 0.15 * (octaves * octaves).min(6.0);
        let fame = listener.mainstream * (it.popularity - 0.5);
        let home = if artist.home == listener.region { 0.3 } else { 0.0 };
        let kept = if listener.keeps(track) { 0.6 } else { 0.0 };
        let out_of_favour = if listener.dislikes(track) { -2.5 } else { 0.0 };
        let craze = it.viral.map_or(0.0, |viral| {
            1.6 * self.virals[usize::from(viral)].level(listener.region, now_ms)
        });
        listener.taste_of(self, artist.genre, now_ms)
            + personal
            + era
            + fame
            + home
            + kept
            + out_of_favour
            + it.quality
            + craze
    }

    /// How much the listener likes to hear the track at this moment, in logits. O(1).
    ///
    /// Adds to [`World::affinity`] how the track fits the mood, and takes away fatigue.
    pub fn appeal_now(
        &self,
        listener: &Listener,
        track: TrackIndex,
        situation: &Situation,
        now_ms: i64,
    ) -> f32 {
        let affect = self.catalogue.track(track).affect;
        let mood = 1.5 * (affect.fit(situation.mood.affect()) - 0.4);
        let sought = match situation.source {
            Source::Search => 0.6,
            Source::Library => 0.2,
            _ => 0.0,
        };
        let eager = if situation.again == Some(track) { 3.0 } else { 0.0 };
        self.affinity(listener, track, now_ms) + mood + sought + eager
            - self.fatigue(listener, track, now_ms)
            - situation.weariness()
    }

    /// Tiredness of the track and its artist, which fades within hours.
    fn fatigue(&self, listener: &Listener, track: TrackIndex, now_ms: i64) -> f32 {
        let artist = self.catalogue.track(track).artist;
        let mut tired = 0.0;
        for heard in listener.recent() {
            if heard.artist == artist {
                let hours = heard.hours_ago(now_ms);
                let (most, halving) = if heard.track == track { (1.2, 3.0) } else { (0.3, 0.5) };
                tired += most * halving / (halving + hours);
            }
        }
        tired
    }

    /// The probability that the listener skips `track` where it starts at `now_ms`. O(1).
    pub fn skip_probability(
        &self,
        listener: &Listener,
        track: TrackIndex,
        situation: &Situation,
        now_ms: i64,
    ) -> f32 {
        impatience(listener, situation, self.appeal_now(listener, track, situation, now_ms))
    }

    /// What the listener does when `track` starts at `now_ms`. O(1).
    ///
    /// Nothing changes by itself: [`Listener::remember`] takes the reaction in.
    pub fn react<R: Rng + ?Sized>(
        &self,
        listener: &Listener,
        track: TrackIndex,
        situation: &Situation,
        now_ms: i64,
        rng: &mut R,
    ) -> Reaction {
        let appeal = self.appeal_now(listener, track, situation, now_ms);
        let duration_ms = self.catalogue.track(track).duration_ms;
        let skipped = chance(rng, impatience(listener, situation, appeal));
        let leaves = chance(rng, leaving(listener, situation, appeal));
        if skipped {
            let dislike =
                chance(rng, 0.25 * listener.expressiveness * sigmoid(-1.5 * appeal - 4.0));
            let played_ms = skip_after(duration_ms, appeal, rng);
            let (like, save, replay) = (false, false, false);
            return Reaction { played_ms, skipped, like, dislike, save, replay, leaves };
        }
        let known = listener.keeps(track);
        let praised = !known && situation.again != Some(track);
        let delight = sigmoid(1.7 * (appeal - 2.2));
        let outspoken = if praised { listener.expressiveness * delight } else { 0.0 };
        Reaction {
            played_ms: heard_ms(duration_ms, leaves, rng),
            skipped,
            like: chance(rng, 0.25 * outspoken),
            dislike: false,
            save: chance(rng, 0.125 * outspoken),
            replay: !leaves && chance(rng, 0.08 * delight),
            leaves,
        }
    }
}

/// The chance of a skip.
fn impatience(listener: &Listener, situation: &Situation, appeal: f32) -> f32 {
    let calm = listener.patience + situation.device.reluctance();
    sigmoid(0.1 - 1.05 * appeal - calm)
}

/// The chance that this track is the last one.
fn leaving(listener: &Listener, situation: &Situation, appeal: f32) -> f32 {
    let annoyed = 1.0 + 0.25 * situation.skips_in_a_row.min(8) as f32;
    (annoyed * (1.3 - 0.6 * sigmoid(appeal)) / listener.stamina).min(0.6)
}

/// When a skip comes: within seconds where the track is plainly wrong, otherwise anywhere.
fn skip_after<R: Rng + ?Sized>(duration_ms: u32, appeal: f32, rng: &mut R) -> u32 {
    let duration = duration_ms as f32;
    let at = if chance(rng, sigmoid(0.3 - 0.9 * appeal)) {
        log_normal(rng, 7_000.0, 0.7)
    } else {
        let through = rng.random::<f32>();
        duration * (0.06 + 0.84 * through)
    };
    // A skip in the last seconds could not be told from the end.
    (at.clamp(600.0, 0.95 * duration)) as u32
}

/// How much of a track is heard that is not skipped.
fn heard_ms<R: Rng + ?Sized>(duration_ms: u32, leaves: bool, rng: &mut R) -> u32 {
    let share = if leaves && chance(rng, 0.5) {
        rng.random_range(0.3..1.0)
    } else if chance(rng, 0.2) {
        rng.random_range(0.85..1.0)
    } else {
        return duration_ms;
    };
    ((duration_ms as f32 * share) as u32).min(duration_ms)
}
