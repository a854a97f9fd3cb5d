//! What a listener did: one [`Event`], the unit that logs, devices and servers exchange.
//!
//! With the `serde` feature an event is one JSON object a line; absent options are left out, and
//! unknown fields are ignored so that older readers accept newer logs.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::{fmt, str::FromStr};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// Longest accepted `id`, `user`, `session` or `track`, in bytes of UTF-8.
pub const MAX_ID_BYTES: usize = 512;

/// Most candidates that one impression may have been drawn among.
pub const MAX_CANDIDATES: usize = 4096;

/// Most experiments that one event may name.
pub const MAX_EXPOSURES: usize = 64;

/// Latest accepted `at`: the end of the year 9999, in milliseconds since the Unix epoch.
pub const MAX_AT_MS: i64 = 253_402_300_799_999;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "lowercase"))]
#[repr(u8)]
pub enum Kind {
    /// The track was played, for `played_ms` of `duration_ms` where these are known.
    Play = 0,
    /// The listener went on to the next track before the end.
    Skip = 1,
    /// An explicit "I like this".
    Like = 2,
    /// An explicit "not this".
    Dislike = 3,
    /// The listener asked to hear the track again at once.
    Replay = 4,
    /// The track was put into a library or a playlist.
    Save = 5,
    /// The track was found by searching.
    Search = 6,
    /// The track was shown.
    Impression = 7,
    /// The track was chosen from what was shown.
    Click = 8,
}

impl Kind {
    /// Every kind, in the order of its discriminant.
    pub const ALL: [Self; 9] = [
        Self::Play,
        Self::Skip,
        Self::Like,
        Self::Dislike,
        Self::Replay,
        Self::Save,
        Self::Search,
        Self::Impression,
        Self::Click,
    ];

    /// The name used in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Play => "play",
            Self::Skip => "skip",
            Self::Like => "like",
            Self::Dislike => "dislike",
            Self::Replay => "replay",
            Self::Save => "save",
            Self::Search => "search",
            Self::Impression => "impression",
            Self::Click => "click",
        }
    }

    /// Whether it says that the track was heard, so that what comes next follows it. Likes and saves do
    /// not: a track that was heard has a play of its own, and one in a list was not heard. Nor do
    /// searches and clicks, which come before anything is heard.
    pub const fn is_heard(self) -> bool {
        matches!(self, Self::Play | Self::Replay)
    }

    /// Whether the listener said no to the track.
    pub const fn is_refusal(self) -> bool {
        matches!(self, Self::Skip | Self::Dislike)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is not the name of a [`Kind`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown kind `{0}`: expected play, skip, like, dislike, replay, save, search, impression or click"
)]
pub struct UnknownKind(pub String);

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| UnknownKind(name.into()))
    }
}

/// Where and when a track was heard. Every part is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(default))]
pub struct Context {
    /// ISO 3166-1 alpha-2, upper case.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub region: Option<String>,
    /// Minutes to add to UTC for the listener's own time of day, −1440 to 1440.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub tz_offset_min: Option<i16>,
    /// `phone`, `desktop`, `speaker`, …: the caller's own names.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub device: Option<String>,
    /// The playlist or page that the track came from.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub source: Option<String>,
    /// The caller's own name of a mood.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub mood: Option<String>,
}

/// The chance with which a policy made an offer: a number from 1e-9 to 1. Never NaN, so that it can be
/// compared.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(try_from = "f64", into = "f64")
)]
pub struct Propensity(f64);

/// The number is no [`Propensity`].
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("a propensity is {0}; expected a number from 1e-9 to 1")]
pub struct NoPropensity(pub f64);

impl Eq for Propensity {}

/// What is rarer is not drawn on purpose, and would outweigh everything else.
const LEAST: f64 = 1e-9;

impl Propensity {
    /// The chance itself.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Propensity {
    type Error = NoPropensity;

    fn try_from(chance: f64) -> Result<Self, NoPropensity> {
        if (LEAST..=1.0).contains(&chance) { Ok(Self(chance)) } else { Err(NoPropensity(chance)) }
    }
}

impl From<Propensity> for f64 {
    fn from(propensity: Propensity) -> Self {
        propensity.0
    }
}

/// One thing that one listener did with one track.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Event {
    /// Names the event among all that the listener did: what arrives twice, with the same id,
    /// listener, track and kind, is counted once, whatever its times say. In a log without ids,
    /// events of the same listener, track and kind at the same time are one.
    pub id: String,
    /// Pseudonymous.
    pub user: String,
    /// Pseudonymous; one sitting of one listener.
    pub session: String,
    /// The caller's own id.
    pub track: String,
    /// Milliseconds since the Unix epoch, UTC.
    pub at: i64,
    /// What happened.
    pub kind: Kind,
    /// Milliseconds heard.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub played_ms: Option<u32>,
    /// Length of the track in milliseconds.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub duration_ms: Option<u32>,
    /// Where and when.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub context: Option<Context>,
    /// Experiment → variant.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub exposures: Option<BTreeMap<String, String>>,
    /// Of an impression: the chance with which the policy that wrote the log offered this track at this
    /// moment, among `candidates`. One of both goes with the other.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub propensity: Option<Propensity>,
    /// Of an impression: the tracks that it was drawn among, itself included, each once; at most
    /// [`MAX_CANDIDATES`].
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub candidates: Option<Vec<String>>,
}

/// Why an event is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// A required id is the empty string.
    #[error("`{0}` is empty")]
    Empty(&'static str),
    /// A text is longer than [`MAX_ID_BYTES`].
    #[error("`{field}` has {len} bytes; at most {MAX_ID_BYTES} are accepted")]
    TooLong {
        /// Which field.
        field: &'static str,
        /// Its length in bytes.
        len: usize,
    },
    /// There are more experiments than [`MAX_EXPOSURES`].
    #[error("`exposures` are {0}; at most {MAX_EXPOSURES} are accepted")]
    TooMany(usize),
    /// `at` is negative or beyond the year 9999.
    #[error("`at` is {0}; expected milliseconds since 1970, from 0 to {MAX_AT_MS}")]
    Time(i64),
    /// `region` is not two upper-case letters.
    #[error("`context.region` is not an ISO 3166-1 alpha-2 code")]
    Region,
    /// `tz_offset_min` is beyond a day.
    #[error("`context.tz_offset_min` is {0}; expected -1440 to 1440")]
    TimeZone(i16),
    /// Only an impression is an offer.
    #[error("`propensity` and `candidates` are of a {0}; only an impression is drawn by a policy")]
    NoOffer(Kind),
    /// One of two that go together.
    #[error("`{there}` without `{lacks}`: one goes with the other")]
    Alone {
        /// The field that is there.
        there: &'static str,
        /// The field that is not.
        lacks: &'static str,
    },
    /// Not what one track is drawn among.
    #[error("`candidates` {0}")]
    Candidates(CandidatesError),
}

/// Why tracks are not what one of them was drawn among.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CandidatesError {
    /// There are more than [`MAX_CANDIDATES`].
    #[error("are {0}; at most {MAX_CANDIDATES} are accepted")]
    TooMany(usize),
    /// An id is the empty string.
    #[error("have an empty id among them")]
    Empty,
    /// An id is longer than [`MAX_ID_BYTES`].
    #[error("have an id of {0} bytes; at most {MAX_ID_BYTES} are accepted")]
    TooLong(usize),
    /// One is there twice, so that a propensity could be of either.
    #[error("have {0:?} twice; each may be there once")]
    Twice(String),
    /// The track that was offered is not among them.
    #[error("have no {0:?}, the track itself; it was drawn among them")]
    Lacks(String),
}

/// Where `track` is in `candidates`, of which there are at most [`MAX_CANDIDATES`], each id sound and there
/// once. O(n log n).
///
/// # Errors
/// The first of [`CandidatesError`], in the order of declaration, that is so.
pub fn offered_at(track: &str, candidates: &[impl AsRef<str>]) -> Result<usize, CandidatesError> {
    if candidates.len() > MAX_CANDIDATES {
        return Err(CandidatesError::TooMany(candidates.len()));
    }
    let mut sorted: Vec<&str> = candidates.iter().map(AsRef::as_ref).collect();
    sorted.sort_unstable();
    if sorted.first().is_some_and(|id| id.is_empty()) {
        return Err(CandidatesError::Empty);
    }
    if let Some(id) = sorted.iter().find(|id| id.len() > MAX_ID_BYTES) {
        return Err(CandidatesError::TooLong(id.len()));
    }
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(CandidatesError::Twice(pair[0].into()));
    }
    let at = candidates.iter().position(|id| id.as_ref() == track);
    at.ok_or_else(|| CandidatesError::Lacks(track.into()))
}

impl Event {
    /// Checks what the types cannot: ids present, every text bounded by [`MAX_ID_BYTES`], time and context in range, a
    /// propensity only with the candidates of an impression.
    pub fn validate(&self) -> Result<(), EventError> {
        let ids = [
            ("id", &self.id),
            ("user", &self.user),
            ("session", &self.session),
            ("track", &self.track),
        ];
        for (field, value) in ids {
            if value.is_empty() {
                return Err(EventError::Empty(field));
            }
            bounded(field, value)?;
        }
        if !(0..=MAX_AT_MS).contains(&self.at) {
            return Err(EventError::Time(self.at));
        }
        self.context.as_ref().map_or(Ok(()), Context::validate)?;
        self.validate_exposures()?;
        self.validate_offer()
    }

    fn validate_exposures(&self) -> Result<(), EventError> {
        let Some(exposures) = &self.exposures else { return Ok(()) };
        if exposures.len() > MAX_EXPOSURES {
            return Err(EventError::TooMany(exposures.len()));
        }
        let mut texts = exposures.iter().flat_map(|(experiment, variant)| [experiment, variant]);
        texts.try_for_each(|text| bounded("exposures", text))
    }

    fn validate_offer(&self) -> Result<(), EventError> {
        let (there, lacks) = match (&self.propensity, &self.candidates) {
            (None, None) => return Ok(()),
            _ if self.kind != Kind::Impression => return Err(EventError::NoOffer(self.kind)),
            (Some(_), Some(candidates)) => {
                return offered_at(&self.track, candidates)
                    .map(|_| ())
                    .map_err(EventError::Candidates);
            }
            (Some(_), None) => ("propensity", "candidates"),
            (None, Some(_)) => ("candidates", "propensity"),
        };
        Err(EventError::Alone { there, lacks })
    }

    /// The fraction heard, 0 to 1, where both times are known.
    pub fn heard(&self) -> Option<f32> {
        heard(self.played_ms?, self.duration_ms?)
    }
}

/// The fraction heard of a track of `duration_ms`, 0 to 1: more than once through counts as once.
/// `None` where the length is 0, which is to say unknown.
pub fn heard(played_ms: u32, duration_ms: u32) -> Option<f32> {
    let fraction = f64::from(played_ms) / f64::from(duration_ms);
    (duration_ms > 0).then(|| fraction.min(1.0) as f32)
}

fn bounded(field: &'static str, text: &str) -> Result<(), EventError> {
    let len = text.len();
    if len > MAX_ID_BYTES { Err(EventError::TooLong { field, len }) } else { Ok(()) }
}

impl Context {
    fn validate(&self) -> Result<(), EventError> {
        if let Some(region) = &self.region
            && !(region.len() == 2 && region.bytes().all(|b| b.is_ascii_uppercase()))
        {
            return Err(EventError::Region);
        }
        let texts = [
            ("context.device", &self.device),
            ("context.source", &self.source),
            ("context.mood", &self.mood),
        ];
        texts.into_iter().try_for_each(|(field, text)| {
            text.as_deref().map_or(Ok(()), |text| bounded(field, text))
        })?;
        match self.tz_offset_min {
            Some(minutes) if minutes.unsigned_abs() > 1440 => Err(EventError::TimeZone(minutes)),
            _ => Ok(()),
        }
    }
}
