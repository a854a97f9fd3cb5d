//! The smaller files, which are read whole: catalogues and lists of interactions.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::path::Path;

use segue_core::catalogue::Track;
use segue_core::event::MAX_ID_BYTES;

use super::MAX_LINE_BYTES;
use super::columns::Field;
use super::error::{BadRow, LogError, Place, Problem};
use super::input::{self, Content};
use super::json::{problem_of, utf8};
use super::lines::{Ends, Lines, Step};
use super::row::{Flaw, parts};
use super::run::broken;

/// Longest line of a list of interactions, in bytes: all that one listener ever heard.
const MAX_LIST_BYTES: usize = 1 << 26;

/// Reads a catalogue: JSON Lines of [`Track`], packed by gzip or Zstandard or not. `-` is standard
/// input. Tracks come in the order of the file, each with an id; repeated ids are left to the
/// caller.
///
/// # Errors
/// See [`LogError`]: the first line that is not a track is an error, and so is an empty file.
pub fn read_catalogue(path: &Path) -> Result<Vec<Track>, LogError> {
    let mut tracks = Vec::new();
    each_line(path, MAX_LINE_BYTES, |line| {
        let track: Listed = serde_json::from_str(line).map_err(problem_of)?;
        let track = Track::from(track);
        let problem = match track.track.len() {
            0 => Problem::Empty,
            1..=MAX_ID_BYTES => {
                tracks.push(track);
                return Ok(());
            }
            len => Problem::LongId(len),
        };
        Err(Flaw { field: Some(Field::Track), problem })
    })?;
    Ok(tracks)
}

/// A line of a catalogue: a [`Track`] whose tags may be one text, as in the columns of a log.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Listed {
    track: String,
    title: String,
    artist: String,
    album: String,
    duration_ms: u32,
    tags: Tags,
}

#[derive(serde::Deserialize)]
#[serde(untagged, expecting = "expected a list of texts, or one text such as \"rock|live\"")]
enum Tags {
    List(Vec<String>),
    Text(String),
}

impl Default for Tags {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl From<Listed> for Track {
    fn from(listed: Listed) -> Self {
        let Listed { track, title, artist, album, duration_ms, tags } = listed;
        let tags = match tags {
            Tags::List(tags) => tags,
            Tags::Text(text) => parts(&text).map(str::to_owned).collect(),
        };
        Self { track, title, artist, album, duration_ms, tags }
    }
}

/// Reads lines of `user item item …`, set apart by any white space; packed by gzip or Zstandard or
/// not. `-` is standard input. Users and items come in the order of the file; the lines of one
/// user are joined; repeated items are kept, and so are users without any.
///
/// # Errors
/// See [`LogError`]: an empty file, one without a single item, text that is not UTF-8, an id of
/// more than [`MAX_ID_BYTES`] bytes, a line of more than 64 MiB.
pub fn read_interactions(path: &Path) -> Result<Vec<(String, Vec<String>)>, LogError> {
    let mut users: Vec<(String, Vec<String>)> = Vec::new();
    let mut positions = HashMap::new();
    each_line(path, MAX_LIST_BYTES, |line| {
        let mut ids = line.split_whitespace();
        let Some(user) = ids.next() else { return Ok(()) };
        let user = listed_id(Field::User, user)?;
        let position = match positions.entry(user) {
            Slot::Occupied(slot) => *slot.get(),
            Slot::Vacant(slot) => {
                users.push((slot.key().clone(), Vec::new()));
                *slot.insert(users.len() - 1)
            }
        };
        for item in ids {
            users[position].1.push(listed_id(Field::Track, item)?);
        }
        Ok(())
    })?;
    if users.iter().all(|(_, items)| items.is_empty()) {
        let what = "has no items behind its users (expected are lines of `user item item …`)";
        return Err(LogError::Empty { path: path.into(), what });
    }
    Ok(users)
}

/// Reads lines of `item item …`, each the tracks of one sitting in order; else as [`read_interactions`].
///
/// # Errors
/// See [`LogError`]: an empty file, text that is not UTF-8, an id of more than [`MAX_ID_BYTES`] bytes, a
/// line of more than 64 MiB.
pub fn read_sittings(path: &Path) -> Result<Vec<Vec<String>>, LogError> {
    let mut sittings = Vec::new();
    each_line(path, MAX_LIST_BYTES, |line| {
        let ids = line.split_whitespace().map(|id| listed_id(Field::Track, id));
        sittings.push(ids.collect::<Result<_, _>>()?);
        Ok(())
    })?;
    Ok(sittings)
}

/// Reads lines of `item item …<TAB>next`: the tracks of a sitting so far, in order, and the one after
/// them; else as [`read_interactions`].
///
/// # Errors
/// As of [`read_sittings`], and a line without a tab or without exactly one item behind it.
pub fn read_next(path: &Path) -> Result<Vec<(Vec<String>, String)>, LogError> {
    let mut all = Vec::new();
    each_line(path, MAX_LIST_BYTES, |line| {
        let (before, next) = line.split_once('\t').ok_or(Flaw::from(Problem::NoNext))?;
        let mut next = next.split_whitespace();
        let (Some(next), None) = (next.next(), next.next()) else {
            return Err(Problem::NoNext.into());
        };
        let before = before.split_whitespace().map(|id| listed_id(Field::Track, id));
        all.push((before.collect::<Result<_, _>>()?, listed_id(Field::Track, next)?));
        Ok(())
    })?;
    Ok(all)
}

fn listed_id(field: Field, id: &str) -> Result<String, Flaw> {
    if id.len() > MAX_ID_BYTES {
        return Err(Flaw { field: Some(field), problem: Problem::LongId(id.len()) });
    }
    Ok(id.to_owned())
}

/// Hands over every line that is not blank, and refuses a file without one.
pub(crate) fn each_line(
    path: &Path,
    max_bytes: usize,
    mut take: impl FnMut(&str) -> Result<(), Flaw>,
) -> Result<(), LogError> {
    let input = input::open(path)?;
    let Content::Text(text) = input.content else {
        return Err(LogError::NotText { path: path.into() });
    };
    let failed = |line, source| broken(path, input.packing, line, source);
    let mut lines = Lines::new(text, max_bytes).map_err(|error| failed(1, error))?;
    let mut seen = false;
    loop {
        let taken = match lines.next(Ends::Line).map_err(|error| failed(lines.line(), error))? {
            Step::Record(record) => {
                utf8(lines.bytes(record)).map_err(Flaw::from).and_then(|line| {
                    let blank = line.trim().is_empty();
                    seen |= !blank;
                    if blank { Ok(()) } else { take(line) }
                })
            }
            Step::Bad(problem) => Err(problem.into()),
            Step::End => break,
        };
        taken.map_err(|Flaw { field, problem }| LogError::Line {
            path: path.into(),
            row: BadRow { place: Place::Line(lines.line()), field, problem },
        })?;
    }
    if seen { Ok(()) } else { Err(LogError::Empty { path: path.into(), what: "is empty" }) }
}
