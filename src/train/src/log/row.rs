//! From the cells of a row, whatever file they came from, to an [`Entry`]: the one place that
//! says what a value means and what is wrong with it.

use std::borrow::Cow;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use segue_core::event::{self, Kind, MAX_AT_MS, MAX_ID_BYTES, Propensity, offered_at};

use super::columns::Field;
use super::entry::{Context, Entry, Offer};
use super::error::{Problem, excerpt};

/// Times below this are seconds, from it on milliseconds: it is the year 5138 in seconds and
/// March 1973 in milliseconds.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

/// Integers below this survive a passage through `f64`.
const EXACT_IN_F64: f64 = 9_007_199_254_740_992.0;

/// One value as the file holds it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Cell<'a> {
    #[default]
    Absent,
    Text(Cow<'a, str>),
    Integer(i64),
    Number(f64),
    /// Milliseconds since the Unix epoch.
    Time(i64),
    List(Vec<Cow<'a, str>>),
    Flag(bool),
    /// A value of a type that no field has, by name.
    Other(&'static str),
}

impl<'a> Cell<'a> {
    /// A text: an empty one is absent.
    pub(super) fn text(text: Cow<'a, str>) -> Self {
        if text.is_empty() { Self::Absent } else { Self::Text(text) }
    }

    /// A cell of a delimited file, where nothing is written so, or `\N` as databases export it.
    pub(super) fn delimited(text: Cow<'a, str>) -> Self {
        if text == "\\N" { Self::Absent } else { Self::text(text) }
    }

    /// An integer that may be beyond the signed ones, as hashes are: those are ids or nothing.
    pub(super) fn unsigned(value: u64) -> Self {
        i64::try_from(value)
            .map_or_else(|_| Self::Text(Cow::Owned(value.to_string())), Self::Integer)
    }

    fn show(&self) -> String {
        match self {
            Self::Absent => "absent".into(),
            Self::Text(text) => excerpt(text),
            Self::Integer(value) | Self::Time(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
            Self::List(_) => "a list".into(),
            Self::Flag(value) => value.to_string(),
            Self::Other(what) => (*what).into(),
        }
    }

    fn refuse(&self, expected: &'static str) -> Problem {
        Problem::Value { found: self.show(), expected }
    }
}

/// What is wrong, and with which field.
#[derive(Debug)]
pub(crate) struct Flaw {
    pub field: Option<Field>,
    pub problem: Problem,
}

impl From<Problem> for Flaw {
    fn from(problem: Problem) -> Self {
        Self { field: None, problem }
    }
}

/// The cells of one row, by field.
#[derive(Debug, Default)]
pub(super) struct Row<'a> {
    cells: [Cell<'a>; Field::ALL.len()],
}

impl<'a> Row<'a> {
    pub(super) fn set(&mut self, field: Field, cell: Cell<'a>) {
        self.cells[field.index()] = cell;
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.cells[field.index()] != Cell::Absent
    }

    /// Checks every value and brings it into its unit.
    pub(super) fn into_entry(mut self) -> Result<Entry<'a>, Flaw> {
        let played_ms = self.read(Field::PlayedMs, |cell| milliseconds(&cell))?;
        let duration_ms = self.read(Field::DurationMs, |cell| milliseconds(&cell))?;
        let heard = self
            .read(Field::PlayRatio, |cell| fraction(&cell))?
            .or_else(|| event::heard(played_ms?, duration_ms?));
        let skipped = self.read(Field::Skipped, |cell| flag(&cell))?.unwrap_or(false);
        let kind = self.read(Field::Kind, |cell| kind(&cell))?.unwrap_or(Kind::Play);
        let track = self.require(Field::Track, identifier)?;
        Ok(Entry {
            id: self.read(Field::Id, identifier)?,
            user: self.require(Field::User, identifier)?,
            session: self.read(Field::Session, identifier)?,
            offer: self.offer(&track, kind)?,
            track,
            at: self.require(Field::At, |cell| time(&cell))?,
            kind: if skipped && kind == Kind::Play { Kind::Skip } else { kind },
            heard,
            played_ms,
            duration_ms,
            context: Context {
                region: self.read(Field::Region, region)?,
                tz_offset_min: self.read(Field::TzOffsetMin, |cell| offset(&cell))?,
                device: self.read(Field::Device, text)?,
                source: self.read(Field::Source, text)?,
                mood: self.read(Field::Mood, text)?,
            },
            title: self.read(Field::Title, text)?,
            artist: self.read(Field::Artist, text)?,
            album: self.read(Field::Album, text)?,
            tags: self.read(Field::Tags, tags)?.unwrap_or_default(),
        })
    }

    /// How the `track` of an event of this `kind` was offered.
    fn offer(&mut self, track: &str, kind: Kind) -> Result<Option<Offer<'a>>, Flaw> {
        let propensity = self.read(Field::Propensity, |cell| propensity(&cell))?;
        let candidates = self.read(Field::Candidates, candidates)?;
        // Parquet has no other way to say that there is no list.
        let candidates = candidates.filter(|ids| !ids.is_empty());
        let refused = |field, problem| Err(Flaw { field: Some(field), problem });
        let (propensity, candidates) = match (propensity, candidates) {
            (None, None) => return Ok(None),
            (Some(propensity), Some(candidates)) => (propensity, candidates),
            (Some(_), None) => {
                return refused(Field::Propensity, Problem::Alone(Field::Candidates));
            }
            (None, Some(_)) => {
                return refused(Field::Candidates, Problem::Alone(Field::Propensity));
            }
        };
        if kind != Kind::Impression {
            return refused(Field::Propensity, Problem::NoOffer(kind));
        }
        match offered_at(track, &candidates) {
            Ok(drawn) => Ok(Some(Offer { propensity, candidates, drawn })),
            Err(error) => refused(Field::Candidates, error.into()),
        }
    }

    fn read<T>(
        &mut self,
        field: Field,
        parse: impl FnOnce(Cell<'a>) -> Result<T, Problem>,
    ) -> Result<Option<T>, Flaw> {
        match std::mem::take(&mut self.cells[field.index()]) {
            Cell::Absent => Ok(None),
            cell => parse(cell).map(Some).map_err(|problem| Flaw { field: Some(field), problem }),
        }
    }

    fn require<T>(
        &mut self,
        field: Field,
        parse: impl FnOnce(Cell<'a>) -> Result<T, Problem>,
    ) -> Result<T, Flaw> {
        self.read(field, parse)?.ok_or(Flaw { field: Some(field), problem: Problem::Empty })
    }
}

/// The caller's own id: a text, or an integer of any spelling.
fn identifier(cell: Cell<'_>) -> Result<Cow<'_, str>, Problem> {
    let id = match cell {
        Cell::Number(value) if value.fract() == 0.0 && value.abs() < EXACT_IN_F64 => {
            Cow::Owned(format!("{value:.0}"))
        }
        Cell::Integer(_) | Cell::Text(_) => text(cell)?,
        other => return Err(other.refuse("a text or an integer")),
    };
    match id.len() {
        0 => Err(Problem::Empty),
        1..=MAX_ID_BYTES => Ok(id),
        len => Err(Problem::LongId(len)),
    }
}

fn text(cell: Cell<'_>) -> Result<Cow<'_, str>, Problem> {
    match cell {
        Cell::Text(text) => Ok(text),
        Cell::Integer(value) => Ok(Cow::Owned(value.to_string())),
        Cell::Number(value) => Ok(Cow::Owned(value.to_string())),
        other => Err(other.refuse("a text")),
    }
}

fn time(cell: &Cell<'_>) -> Result<i64, Problem> {
    let milliseconds = match cell {
        Cell::Time(milliseconds) => Some(*milliseconds),
        Cell::Integer(value) => from_epoch(*value),
        Cell::Number(value) => from_epoch_fraction(*value),
        Cell::Text(text) => time_of_text(text.trim()),
        _ => None,
    };
    milliseconds.filter(|at| (0..=MAX_AT_MS).contains(at)).ok_or_else(|| {
        cell.refuse(
            "seconds or milliseconds since 1970, or RFC 3339 such as 2014-04-20T03:51:57Z, \
             not before 1970 nor after the year 9999",
        )
    })
}

fn time_of_text(text: &str) -> Option<i64> {
    if let Ok(value) = text.parse() {
        return from_epoch(value);
    }
    if let Ok(value) = text.parse() {
        return from_epoch_fraction(value);
    }
    let timestamp = Timestamp::from_str(text).ok().or_else(|| {
        // Dumps of databases leave the zone out where it is UTC.
        Offset::UTC.to_timestamp(DateTime::from_str(text).ok()?).ok()
    })?;
    Some(timestamp.as_millisecond())
}

fn from_epoch(value: i64) -> Option<i64> {
    match value {
        ..0 => None,
        0..FIRST_MILLISECONDS => value.checked_mul(1000),
        _ => Some(value),
    }
}

fn from_epoch_fraction(value: f64) -> Option<i64> {
    let milliseconds = if value < FIRST_MILLISECONDS as f64 { value * 1000.0 } else { value };
    // `as` saturates, and the caller refuses what is beyond the year 9999.
    (value >= 0.0).then(|| milliseconds.round() as i64)
}

fn number(cell: &Cell<'_>) -> Option<f64> {
    let value = match cell {
        Cell::Text(text) => text.trim().parse().ok()?,
        Cell::Integer(value) => *value as f64,
        Cell::Number(value) => *value,
        _ => return None,
    };
    value.is_finite().then_some(value)
}

fn milliseconds(cell: &Cell<'_>) -> Result<u32, Problem> {
    number(cell)
        .map(f64::round)
        .filter(|value| (0.0..=f64::from(u32::MAX)).contains(value))
        .map(|value| value as u32)
        .ok_or_else(|| cell.refuse("milliseconds, from 0 to 4294967295"))
}

/// More than once through counts as once.
fn fraction(cell: &Cell<'_>) -> Result<f32, Problem> {
    number(cell)
        .filter(|value| *value >= 0.0)
        .map(|value| value.min(1.0) as f32)
        .ok_or_else(|| cell.refuse("the fraction heard, from 0"))
}

fn propensity(cell: &Cell<'_>) -> Result<Propensity, Problem> {
    number(cell)
        .and_then(|chance| Propensity::try_from(chance).ok())
        .ok_or_else(|| cell.refuse("a number from 1e-9 to 1"))
}

/// A list, or one text with its ids set off by `|`: others may be part of an id.
fn candidates(cell: Cell<'_>) -> Result<Vec<Cow<'_, str>>, Problem> {
    match cell {
        Cell::List(ids) => Ok(ids),
        Cell::Text(Cow::Borrowed(text)) => Ok(text.split('|').map(Cow::Borrowed).collect()),
        Cell::Text(Cow::Owned(text)) => {
            Ok(text.split('|').map(|id| Cow::Owned(id.to_owned())).collect())
        }
        other => Err(other.refuse("a list of ids, or one text such as \"t1|t2\"")),
    }
}

fn offset(cell: &Cell<'_>) -> Result<i16, Problem> {
    number(cell)
        .filter(|value| value.fract() == 0.0 && value.abs() <= 1440.0)
        .map(|value| value as i16)
        .ok_or_else(|| cell.refuse("minutes, from -1440 to 1440"))
}

fn kind(cell: &Cell<'_>) -> Result<Kind, Problem> {
    if let Cell::Text(text) = cell {
        let known = Kind::ALL.into_iter().find(|kind| text.eq_ignore_ascii_case(kind.name()));
        return known.ok_or_else(|| Problem::Kind(excerpt(text)));
    }
    Err(Problem::Kind(cell.show()))
}

fn flag(cell: &Cell<'_>) -> Result<bool, Problem> {
    let known = match cell {
        Cell::Flag(value) => Some(*value),
        Cell::Integer(0) => Some(false),
        Cell::Integer(1) => Some(true),
        Cell::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" => Some(true),
            "false" | "f" | "no" | "n" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    };
    known.ok_or_else(|| cell.refuse("true or false"))
}

fn region(cell: Cell<'_>) -> Result<Cow<'_, str>, Problem> {
    match cell {
        Cell::Text(text) if text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic()) => {
            let upper = text.bytes().all(|b| b.is_ascii_uppercase());
            Ok(if upper { text } else { Cow::Owned(text.to_ascii_uppercase()) })
        }
        other => {
            Err(other
                .refuse("the two letters of ISO 3166-1; --column region= leaves the column out"))
        }
    }
}

/// A list, or one text with its parts set off by `|`, else `;`, else `,`.
fn tags(cell: Cell<'_>) -> Result<Vec<Cow<'_, str>>, Problem> {
    match cell {
        Cell::List(tags) => Ok(tags.into_iter().filter(|tag| !tag.is_empty()).collect()),
        Cell::Text(Cow::Borrowed(text)) => Ok(parts(text).map(Cow::Borrowed).collect()),
        Cell::Text(Cow::Owned(text)) => {
            Ok(parts(&text).map(|part| Cow::Owned(part.to_owned())).collect())
        }
        other => Err(other.refuse("a list of texts, or one text such as \"rock|live\"")),
    }
}

/// The parts of a text that stands for a list.
pub(super) fn parts(text: &str) -> impl Iterator<Item = &str> {
    let separator = ['|', ';', ','].into_iter().find(|&c| text.contains(c)).unwrap_or('|');
    text.split(separator).map(str::trim).filter(|part| !part.is_empty())
}
