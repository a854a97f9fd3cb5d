//! One event of a log as the reader hands it over: borrowed, checked, in fixed units.

use std::borrow::Cow;

use segue_core::event;

/// One event. The texts are borrowed from the reader's buffer: copy what is to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'a> {
    /// Name of the event: what arrives twice, with the same id, user, track and kind, is to be
    /// counted once ([`event::Event::id`]).
    pub id: Option<Cow<'a, str>>,
    /// Who listened; 1 to [`event::MAX_ID_BYTES`] bytes.
    pub user: Cow<'a, str>,
    /// In which sitting; absent where the log does not tell.
    pub session: Option<Cow<'a, str>>,
    /// To what; 1 to [`event::MAX_ID_BYTES`] bytes.
    pub track: Cow<'a, str>,
    /// Milliseconds since the Unix epoch, UTC; 0 to [`event::MAX_AT_MS`].
    pub at: i64,
    /// What happened; a play where the log does not tell.
    pub kind: event::Kind,
    /// The fraction heard, 0 to 1: the log's own ratio, else [`event::heard`] of the two times,
    /// where the row has both.
    pub heard: Option<f32>,
    /// Milliseconds heard.
    pub played_ms: Option<u32>,
    /// Length of the track in milliseconds.
    pub duration_ms: Option<u32>,
    /// Where and how it was heard.
    pub context: Context<'a>,
    /// Title of the track.
    pub title: Option<Cow<'a, str>>,
    /// Artist of the track.
    pub artist: Option<Cow<'a, str>>,
    /// Album of the track.
    pub album: Option<Cow<'a, str>>,
    /// Genres and moods of the track, in the log's order.
    pub tags: Vec<Cow<'a, str>>,
    /// How an impression came to be offered, where the log says so and [`super::Options::offers`] asks for it.
    pub offer: Option<Offer<'a>>,
}

/// One track that a policy drew among others.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer<'a> {
    /// The chance with which it did.
    pub propensity: event::Propensity,
    /// The tracks that it was drawn among, each once: 1 to [`event::MAX_CANDIDATES`].
    pub candidates: Vec<Cow<'a, str>>,
    /// Which of them it is.
    pub drawn: usize,
}

/// [`event::Context`], borrowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context<'a> {
    /// ISO 3166-1 alpha-2, upper case.
    pub region: Option<Cow<'a, str>>,
    /// Minutes to add to UTC for the listener's own time of day, −1440 to 1440.
    pub tz_offset_min: Option<i16>,
    /// What it was played on.
    pub device: Option<Cow<'a, str>>,
    /// The playlist or page that the track came from.
    pub source: Option<Cow<'a, str>>,
    /// The caller's own name of a mood.
    pub mood: Option<Cow<'a, str>>,
}

impl From<Context<'_>> for event::Context {
    fn from(context: Context<'_>) -> Self {
        Self {
            region: context.region.map(Cow::into_owned),
            tz_offset_min: context.tz_offset_min,
            device: context.device.map(Cow::into_owned),
            source: context.source.map(Cow::into_owned),
            mood: context.mood.map(Cow::into_owned),
        }
    }
}
