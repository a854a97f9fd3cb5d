//! Reads listening logs of any size in a stream: JSON Lines, TSV, CSV and Parquet, packed by gzip
//! or Zstandard or not at all.
//!
//! [`read`] hands over one borrowed [`Entry`] after the other, in the order of the file. What a
//! column holds is recognised by its name ([`Field::names`]) or said by [`Columns`]; times are
//! seconds or milliseconds since 1970, told apart by magnitude, or RFC 3339 (a missing zone is
//! UTC). Nothing is kept: memory is bounded by the longest line accepted, [`MAX_LINE_BYTES`], and
//! for Parquet by one page of each column.
//!
//! Whatever the bytes, reading ends in a [`Summary`] or in a [`LogError`] that says what is wrong,
//! on which line, and what to do.
//!
//! [`read_catalogue`], [`read_interactions`], [`read_sittings`] and [`read_next`] read the smaller kinds of
//! file whole.

mod columns;
mod delimited;
mod entry;
mod error;
mod folder;
mod input;
mod json;
mod lines;
mod lists;
mod parquet;
mod row;
mod run;

use std::ffi::OsStr;
use std::fmt;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

pub use self::columns::{ColumnUse, Columns, Field};
pub use self::entry::{Context, Entry, Offer};
pub use self::error::{BadRow, ColumnError, LogError, Place, Problem, excerpt, shown};
pub use self::lists::{read_catalogue, read_interactions, read_next, read_sittings};

pub(crate) use self::json::problem_of;
pub(crate) use self::lists::each_line;
pub(crate) use self::row::Flaw;

use self::input::Content;
use self::lines::Lines;
use self::run::{Run, Stop};

/// Longest line of a log, in bytes; for CSV, longest row.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// How many bad rows a [`Summary`] keeps.
pub const KEPT_BAD_ROWS: usize = 5;

/// The path that stands for standard input.
const STDIN: &str = "-";

/// Refuses files of which one is standard input twice.
pub(crate) fn read_once<'a>(paths: impl Iterator<Item = &'a Path>) -> Result<(), LogError> {
    let times = paths.filter(|path| path.as_os_str() == STDIN).count();
    if times > 1 { Err(LogError::StdinAgain) } else { Ok(()) }
}

/// How the rows of a log are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line: [`segue_core::event::Event`], and the other fields of [`Field`].
    JsonLines,
    /// Tab-separated values with a header.
    Tsv,
    /// Comma- or semicolon-separated values with a header.
    Csv,
    /// Apache Parquet.
    Parquet,
}

/// How a file is packed, told by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    None,
    /// RFC 1952, of one member or several.
    Gzip,
    /// RFC 8878, of one frame or several.
    Zstd,
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

/// How to read a log. The default reads any format, and fails on the first bad row.
#[derive(Clone, Default)]
pub struct Options<'a> {
    /// The columns that are named by hand.
    pub columns: Columns,
    /// Count rows that cannot be read, and go on.
    pub skip_bad_lines: bool,
    /// Read with which propensity an impression was offered, and among which candidates: [`Entry::offer`].
    /// Otherwise whoever trains on a log need not wait for them, nor mend them.
    pub offers: bool,
    /// The first and the last day that are read of a folder with partitions by day, such as `2026-11-28`.
    pub days: (Option<&'a str>, Option<&'a str>),
    /// The region of events that name none.
    pub region: Option<&'a str>,
    /// How a text file is written, where its first line is not to tell.
    pub format: Option<Format>,
    /// Called about once a mebibyte; [`ControlFlow::Break`] ends the reading.
    pub progress: Option<&'a dyn Fn(Progress) -> ControlFlow<()>>,
}

impl Options<'_> {
    /// Whether a day is to be read.
    fn has_day(&self, day: &str) -> bool {
        let (first, last) = self.days;
        first.is_none_or(|first| first <= day) && last.is_none_or(|last| day <= last)
    }
}

/// How far a reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the file that are read, as they are on disk.
    pub bytes: u64,
    /// Length of the file; `None` for a stream.
    pub total_bytes: Option<u64>,
}

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Events handed over.
    pub rows: u64,
    /// Rows skipped because they cannot be read.
    pub bad_lines: u64,
    /// The first [`KEPT_BAD_ROWS`] of them.
    pub first_bad: Vec<BadRow>,
    /// Bytes read, as they are on disk.
    pub bytes: u64,
    /// How the rows are written.
    pub format: Format,
    /// How the file is packed.
    pub packing: Packing,
    /// Which columns were used for what, in the order of the header; for JSON Lines, the keys in
    /// the order in which they came up.
    pub columns: Vec<ColumnUse>,
    /// The columns that were not used for anything, likewise, each name once; for JSON Lines those
    /// among the first 64 keys.
    pub unused: Vec<String>,
    /// Whether the sink or the progress hook ended the reading.
    pub stopped: bool,
}

/// Reads the log at `path` (`-`: standard input) and hands each event to `sink`, in file order,
/// until the end or until `sink` breaks off. Of a folder every log in it is read, as if they were one.
///
/// Cost: one pass; no allocation per row unless a value is escaped, re-spelt or a list.
///
/// # Errors
/// See [`LogError`]. Without [`Options::skip_bad_lines`], the first bad row is an error; with it,
/// only a log without a single good row is. A file that breaks off is always an error: how much
/// is lost cannot be told. Events handed over before an error stand.
pub fn read(
    path: &Path,
    options: &Options<'_>,
    sink: &mut dyn FnMut(&Entry<'_>) -> ControlFlow<()>,
) -> Result<Summary, LogError> {
    if path.is_dir() { folder::read(path, options, sink) } else { read_file(path, options, sink) }
}

fn read_file(
    path: &Path,
    options: &Options<'_>,
    sink: &mut dyn FnMut(&Entry<'_>) -> ControlFlow<()>,
) -> Result<Summary, LogError> {
    let input = input::open(path)?;
    let unread: &[Field] = if options.offers { &[] } else { &Field::OFFER };
    let options = &Options { columns: options.columns.without(unread), ..options.clone() };
    let summary = Summary {
        rows: 0,
        bad_lines: 0,
        first_bad: Vec::new(),
        bytes: 0,
        format: options.format.unwrap_or(Format::Parquet),
        packing: input.packing,
        columns: Vec::new(),
        unused: Vec::new(),
        stopped: false,
    };
    let mut run = Run {
        path,
        options,
        summary,
        sink,
        meter: input.meter,
        total_bytes: input.total_bytes,
        next_report: 0,
    };
    let ended = match input.content {
        Content::Parquet(file) => parquet::read(file, &mut run),
        Content::Text(text) => read_text(text, &mut run),
    };
    run.finish(ended)
}

fn read_text(text: Box<dyn Read>, run: &mut Run<'_>) -> Result<(), Stop> {
    let mut lines = Lines::new(text, MAX_LINE_BYTES).map_err(|error| run.broken(1, error))?;
    let first = lines.peek().map_err(|error| run.broken(1, error))?.trim_ascii();
    if first.is_empty() {
        return Err(run.empty("is empty"));
    }
    match run.options.format.unwrap_or_else(|| format_of(first, run.path)) {
        Format::JsonLines => {
            run.summary.format = Format::JsonLines;
            json::read(&mut lines, run)
        }
        // Without the first bytes of a Parquet file it is none.
        Format::Parquet => Err(run.unknown()),
        Format::Tsv | Format::Csv => delimited::read(&mut lines, run),
    }
}

/// The format of a text file: an object or a list begins as no header does, and a broken first
/// line must not turn a file that is named as JSON into a table.
fn format_of(first_line: &[u8], path: &Path) -> Format {
    let named = |extension: &str| {
        let mut parts = path.file_name().and_then(OsStr::to_str).unwrap_or("").split('.').skip(1);
        parts.any(|part| part.eq_ignore_ascii_case(extension))
    };
    if matches!(first_line.first(), Some(b'{' | b'[')) {
        Format::JsonLines
    } else if named("parquet") {
        Format::Parquet
    } else if named("jsonl") || named("ndjson") || named("json") {
        Format::JsonLines
    } else {
        Format::Csv
    }
}
