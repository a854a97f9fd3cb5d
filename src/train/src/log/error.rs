//! Why a file, a header or a row is refused.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use segue_core::event::{CandidatesError, Kind, MAX_ID_BYTES};
use thiserror::Error;

use super::columns::Field;
use super::{Packing, STDIN};

/// Longest part of a value that an error repeats, in characters.
const EXCERPT_CHARS: usize = 60;

/// Most names that an error lists.
const LISTED_NAMES: usize = 40;

/// Why a file cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError {
    /// It does not exist, or may not be read.
    #[error("cannot open {}", shown(path))]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A folder was given.
    #[error("{} is a folder; name the files in it", shown(path))]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// A folder was given that has no logs.
    #[error(
        "{} is a folder without logs of these days (parquet, jsonl, ndjson, csv or tsv); name another",
        shown(path)
    )]
    NoLogs {
        /// The folder.
        path: PathBuf,
    },
    /// There is nothing to read.
    #[error("{} {what}; there is nothing to read", shown(path))]
    Empty {
        /// The file.
        path: PathBuf,
        /// `is empty`, or what else it lacks.
        what: &'static str,
    },
    /// Neither text nor any format that is known.
    #[error(
        "{} is neither UTF-8 text nor Parquet, and not packed by gzip or zstd; convert it first",
        shown(path)
    )]
    Unknown {
        /// The file.
        path: PathBuf,
    },
    /// Parquet where only lines of text are read.
    #[error("{} is Parquet, where lines of text are expected; export it as such", shown(path))]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// Only the first reading would find something.
    #[error(
        "standard input (-) is given more than once, and can be read only once; save it to a file"
    )]
    StdinAgain,
    /// Parquet is read from its end.
    #[error(
        "Parquet needs a plain file to seek in, and {} is none; save it to disk first",
        shown(path)
    )]
    NoSeek {
        /// The stream.
        path: PathBuf,
    },
    /// The header does not say what is needed.
    #[error("{}: {problem}", shown(path))]
    Columns {
        /// The file.
        path: PathBuf,
        /// What is wrong with the header.
        problem: ColumnError,
    },
    /// One row of a listening log is broken.
    #[error("{}: {row}; pass --skip-bad-lines to count such lines and go on", shown(path))]
    Row {
        /// The file.
        path: PathBuf,
        /// Where and what.
        row: BadRow,
    },
    /// One line of a catalogue or of a list of interactions is broken.
    #[error("{}: {row}", shown(path))]
    Line {
        /// The file.
        path: PathBuf,
        /// Where and what.
        row: BadRow,
    },
    /// Bad rows are skipped, and all of them are bad.
    #[error("{}: none of its {rows} rows can be read; the first is {first}", shown(path))]
    AllBad {
        /// The file.
        path: PathBuf,
        /// How many rows there are.
        rows: u64,
        /// What is wrong with the first.
        first: BadRow,
    },
    /// The packed data end too early.
    #[error(
        "{} breaks off inside its {packing} data, at line {line}; copy or export it again",
        shown(path)
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// How it is packed.
        packing: Packing,
        /// The line that was being read, from 1.
        line: u64,
        /// The unpacker's reason.
        source: io::Error,
    },
    /// The file opened, then could not be read on.
    #[error("cannot read {} from line {line} on", shown(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// The line that was being read, from 1.
        line: u64,
        /// The system's or the unpacker's reason.
        source: io::Error,
    },
    /// A Parquet file is damaged or uses what this reader does not know.
    #[error(
        "cannot read {} as Parquet from row {row} on; if it is sound, export it again with Snappy, \
         Zstandard or gzip compression or none",
        shown(path)
    )]
    Parquet {
        /// The file.
        path: PathBuf,
        /// The row that was being read, from 1.
        row: u64,
        /// The Parquet reader's reason.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Why the columns of a log cannot be told, or the arguments of `--column` not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ColumnError {
    /// No column for a required field.
    #[error("no column for {} among {}; pass{}", Fields(missing), Names(header), Advice(missing))]
    Missing {
        /// The fields that are missing.
        missing: Vec<Field>,
        /// The columns that there are.
        header: Vec<String>,
    },
    /// The column named for a field does not exist.
    #[error("no column {name:?} for `{field}`; there are {}", Names(header))]
    Absent {
        /// The field.
        field: Field,
        /// The name that was given.
        name: String,
        /// The columns that there are.
        header: Vec<String>,
    },
    /// Two columns have the same name.
    #[error(
        "columns {} ({:?}) and {} ({:?}) both hold `{field}`; rename one, or pass \
         --column {field}=NAME",
        columns[0].0, columns[0].1, columns[1].0, columns[1].1
    )]
    Duplicate {
        /// The field that both hold.
        field: Field,
        /// Their positions, from 1, and their names.
        columns: [(usize, String); 2],
    },
    /// A Parquet column whose type cannot hold the field.
    #[error(
        "column {name:?} is of type {found}, which cannot hold `{field}`; name another by --column"
    )]
    Type {
        /// The field.
        field: Field,
        /// The column.
        name: String,
        /// Its type.
        found: String,
    },
    /// Not `field=name`.
    #[error("--column {0:?} is not of the form field=name")]
    Argument(String),
    /// A field that is not known.
    #[error(
        "--column names the unknown field {0:?}; the fields are {all}",
        all = Fields(&Field::ALL)
    )]
    UnknownField(String),
    /// A field named twice.
    #[error("--column names `{0}` twice")]
    Twice(Field),
    /// One column for two fields.
    #[error("--column gives the column {0:?} to two fields")]
    Shared(String),
    /// A required field left out.
    #[error("--column leaves out `{0}`, without which there is no event")]
    Required(Field),
}

/// Where in a file something stands; both count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of a text file: the first one, where a row spans several. The header counts.
    Line(u64),
    /// A row of a Parquet file.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
        }
    }
}

/// A row that cannot be read, where it stands, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct BadRow {
    /// Where it stands.
    pub place: Place,
    /// The field that is wrong, where it is one.
    pub field: Option<Field>,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, field, problem } = self;
        match field {
            Some(field) => write!(f, "{place}: `{field}` {problem}"),
            None => write!(f, "{place} {problem}"),
        }
    }
}

impl Error for BadRow {}

/// What is wrong with a row or with one of its fields.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Problem {
    /// The line is too long to be one event.
    #[error("is longer than {0} bytes")]
    LongLine(usize),
    /// No next track behind a tab.
    #[error("is not `item item …`, a tab, and the one item that came next")]
    NoNext,
    /// A case of an evaluation without one of its figures.
    #[error("has no `{wanted}` as `{writer}` writes it; name a file that this wrote")]
    NoFigure {
        /// What is not there, or out of range.
        wanted: &'static str,
        /// The command that writes such files.
        writer: &'static str,
    },
    /// A case that was there before.
    #[error("has {0} again; each may be there once")]
    Again(String),
    /// A quoted value that does not end.
    #[error("has a quoted value that does not end as CSV asks: a quote inside quotes is doubled")]
    Quote,
    /// Bytes that are not text.
    #[error("is not UTF-8 from byte {0} on; save the file as UTF-8")]
    Utf8(usize),
    /// More or fewer columns than the header has.
    #[error("has {found} columns, where the header has {expected}")]
    Width {
        /// Columns in the row.
        found: usize,
        /// Columns in the header.
        expected: usize,
    },
    /// Not JSON, or not one object.
    #[error("is not an object as expected: {message}, at column {column}")]
    Json {
        /// What the parser says.
        message: String,
        /// Where in the line, in bytes from 1.
        column: usize,
    },
    /// A required field is not in the object.
    #[error(
        "is missing; the keys so far are {}: pass --column FIELD=NAME if it is one of them",
        Names(.0)
    )]
    Missing(Vec<String>),
    /// A required value is empty.
    #[error("is empty")]
    Empty,
    /// An id is too long.
    #[error("has {0} bytes; at most {MAX_ID_BYTES} are accepted")]
    LongId(usize),
    /// What only an impression has.
    #[error(
        "is of a {0}; only an impression is drawn by a policy, before what the listener then does"
    )]
    NoOffer(Kind),
    /// A propensity without candidates, or the other way round.
    #[error("is there without `{0}`; one goes with the other")]
    Alone(Field),
    /// Not what one track is drawn among.
    #[error(transparent)]
    Candidates(#[from] CandidatesError),
    /// Not one of the kinds of event.
    #[error("is {0}; expected {kinds}", kinds = Kinds)]
    Kind(String),
    /// A value of the wrong type or out of range.
    #[error("is {found}; expected {expected}")]
    Value {
        /// The value, shortened.
        found: String,
        /// What would be right.
        expected: &'static str,
    },
}

/// The name of a file as messages have it: that of standard input, which is given as `-`, in words.
pub fn shown(path: &Path) -> String {
    match path.as_os_str() == STDIN {
        true => "standard input".into(),
        false => path.display().to_string(),
    }
}

/// A value as an error shows it: quoted, without control characters, shortened.
pub fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT_CHARS) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

struct Fields<'a>(&'a [Field]);

impl fmt::Display for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, self.0.iter().map(|field| format!("`{field}`")))
    }
}

struct Names<'a>(&'a [String]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, self.0.iter().take(LISTED_NAMES).map(|name| excerpt(name)))?;
        match self.0.len().saturating_sub(LISTED_NAMES) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

struct Advice<'a>(&'a [Field]);

impl fmt::Display for Advice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|field| write!(f, " --column {field}=NAME"))
    }
}

struct Kinds;

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, Kind::ALL.into_iter().map(Kind::name))
    }
}

fn list(f: &mut fmt::Formatter<'_>, items: impl Iterator<Item = impl fmt::Display>) -> fmt::Result {
    items.enumerate().try_for_each(|(position, item)| {
        let separator = if position == 0 { "" } else { ", " };
        write!(f, "{separator}{item}")
    })
}
