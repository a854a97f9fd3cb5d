//! Golden queries, one a line: `observations | candidates | order`.
//!
//! An observation is `kind=track`, with `@played_ms/duration_ms` where these are known; candidates
//! are ids; the order is `index:score` for each candidate, best first, where the score is the bits
//! of a 32-bit float in hexadecimal. Words are separated by spaces.

/// What queues are chosen by: diversity, the gaps of artists and albums, fatigue, exploration, and a seed.
pub type Choices = (f32, u8, u8, f32, f32, u32);

/// Scores alone.
pub const BY_SCORE: Choices = (0.0, 0, 0, 0.0, 0.0, 0);
/// Everything that there is.
#[allow(dead_code, reason = "each test takes what it needs")]
pub const BY_ALL: Choices = (0.3, 2, 4, 0.5, 0.2, 7);

/// One event of a query.
pub struct Observed<'a> {
    /// The name of its kind.
    pub kind: &'a str,
    /// The id of its track.
    pub track: &'a str,
    /// Milliseconds played, and of how many.
    pub heard: Option<(u32, u32)>,
}

/// A query and its answer.
pub struct Query<'a> {
    pub observations: Vec<Observed<'a>>,
    pub candidates: Vec<&'a str>,
    pub order: &'a str,
}

impl<'a> Query<'a> {
    /// Reads a line; `None` where it is not one.
    pub fn parse(line: &'a str) -> Option<Self> {
        let (observations, rest) = line.split_once('|')?;
        let (candidates, order) = rest.split_once('|')?;
        Some(Self {
            observations: observations.split_whitespace().map(observed).collect::<Option<_>>()?,
            candidates: candidates.split_whitespace().collect(),
            order: order.trim(),
        })
    }
}

fn observed(word: &str) -> Option<Observed<'_>> {
    let (kind, track) = word.split_once('=')?;
    let Some((track, times)) = track.split_once('@') else {
        return Some(Observed { kind, track, heard: None });
    };
    let (played, duration) = times.split_once('/')?;
    Some(Observed { kind, track, heard: Some((played.parse().ok()?, duration.parse().ok()?)) })
}

/// The order of an answer, as a line has it.
pub fn order(places: impl Iterator<Item = (u32, u32)>) -> String {
    let words: Vec<String> = places.map(|(index, bits)| format!("{index}:{bits:08x}")).collect();
    words.join(" ")
}
