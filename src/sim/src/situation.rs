//! The moment in which somebody listens: device, mood, where tracks come from, and how it goes.

use rand::Rng;
use segue_core::event::Context;

use crate::listener::Listener;
use crate::mood::Mood;
use crate::num::chance;
use crate::react::Reaction;
use crate::region::{Device, Region};
use crate::world::TrackIndex;

/// Where a track came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The listener's own library.
    Library,
    /// The editor's playlist of this number.
    Playlist(u32),
    /// More like a track of the library.
    Radio,
    /// What is popular in the region.
    Charts,
    /// The listener looked for it.
    Search,
    /// Something new.
    Discover,
    /// What everybody suddenly talks about.
    Trending,
    /// The recommender that is being tried; the log of a [`World`](crate::World) has none of it.
    Recommended,
}

impl Source {
    /// The name used in `context.source`, such as `radio` or `playlist:7`.
    pub fn name(self) -> String {
        match self {
            Self::Library => "library".into(),
            Self::Playlist(number) => format!("playlist:{number}"),
            Self::Radio => "radio".into(),
            Self::Charts => "charts".into(),
            Self::Search => "search".into(),
            Self::Discover => "discover".into(),
            Self::Trending => "trending".into(),
            Self::Recommended => "recommended".into(),
        }
    }
}

/// The state of one session, as far as it bears on reactions.
#[derive(Clone, Debug)]
pub struct Situation {
    /// Where the listener is.
    pub region: Region,
    /// Minutes to add to UTC for the time of day there.
    pub tz_offset_min: i16,
    /// What the listener listens with.
    pub device: Device,
    /// What the listener is in the mood for.
    pub mood: Mood,
    /// Whether they said so; the log has the mood only then.
    pub mood_said: bool,
    /// Where the track at hand came from.
    pub source: Source,
    /// Tracks heard so far.
    pub heard: u32,
    /// Tracks skipped since the last one that was not.
    pub skips_in_a_row: u32,
    /// The track that the listener asked to hear again.
    pub(crate) again: Option<TrackIndex>,
}

impl Situation {
    /// A session that begins at `now_ms`.
    pub fn begin<R: Rng + ?Sized>(listener: &Listener, now_ms: i64, rng: &mut R) -> Self {
        Self {
            region: listener.region,
            tz_offset_min: listener.tz_offset_min,
            device: listener.region.draw_device(rng),
            mood: listener.draw_mood(now_ms, rng),
            mood_said: chance(rng, 0.5),
            source: Source::Discover,
            heard: 0,
            skips_in_a_row: 0,
            again: None,
        }
    }

    /// The track that the listener asked to hear again, which must come next.
    pub fn again(&self) -> Option<TrackIndex> {
        self.again
    }

    /// Tiredness of listening and of being offered the wrong thing, in logits.
    pub(crate) fn weariness(&self) -> f32 {
        let long = 0.025 * self.heard.saturating_sub(8).min(32) as f32;
        let annoyed = 0.15 * self.skips_in_a_row.min(4) as f32;
        long + annoyed
    }

    pub(crate) fn note(&mut self, track: TrackIndex, reaction: &Reaction) {
        self.heard += 1;
        self.skips_in_a_row = if reaction.skipped { self.skips_in_a_row + 1 } else { 0 };
        self.again = reaction.replay.then_some(track);
    }

    /// What a log knows of the moment in which a track comes from `source`.
    pub fn context(&self, source: Source) -> Context {
        Context {
            region: Some(self.region.code().to_owned()),
            tz_offset_min: Some(self.tz_offset_min),
            device: Some(self.device.name().to_owned()),
            source: Some(source.name()),
            mood: self.mood_said.then(|| self.mood.name().to_owned()),
        }
    }
}
