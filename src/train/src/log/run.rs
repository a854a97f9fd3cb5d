//! One reading of one log: what all formats share once they have a row.

use std::borrow::Cow;
use std::io::{self, ErrorKind};
use std::ops::ControlFlow;
use std::path::Path;

use super::columns::{ColumnUse, Field};
use super::error::{BadRow, ColumnError, LogError, Place};
use super::input::Meter;
use super::row::{Flaw, Row};
use super::{Entry, KEPT_BAD_ROWS, Options, Packing, Progress, Summary};

/// Bytes of input between two reports of progress.
const REPORT_BYTES: u64 = 1 << 20;

/// Why reading ends before the end.
#[derive(Debug)]
pub(super) enum Stop {
    /// Whoever listens asked for it.
    Asked,
    Failed(LogError),
}

impl From<LogError> for Stop {
    fn from(error: LogError) -> Self {
        Self::Failed(error)
    }
}

/// Takes rows, hands over entries, and counts.
pub(super) struct Run<'a> {
    pub path: &'a Path,
    pub options: &'a Options<'a>,
    pub summary: Summary,
    pub sink: &'a mut dyn FnMut(&Entry<'_>) -> ControlFlow<()>,
    pub meter: Meter,
    pub total_bytes: Option<u64>,
    pub next_report: u64,
}

impl Run<'_> {
    /// Hands over one row, or deals with a bad one.
    pub(super) fn row(&mut self, place: Place, row: Result<Row<'_>, Flaw>) -> Result<(), Stop> {
        match row.and_then(Row::into_entry) {
            Ok(mut entry) => {
                let region = &mut entry.context.region;
                *region = region.take().or(self.options.region.map(Cow::Borrowed));
                self.summary.rows += 1;
                if (self.sink)(&entry).is_break() {
                    return Err(Stop::Asked);
                }
            }
            Err(Flaw { field, problem }) => self.bad(BadRow { place, field, problem })?,
        }
        if self.meter.read() >= self.next_report { self.report() } else { Ok(()) }
    }

    fn bad(&mut self, row: BadRow) -> Result<(), LogError> {
        if !self.options.skip_bad_lines {
            return Err(LogError::Row { path: self.path.into(), row });
        }
        self.summary.bad_lines += 1;
        if self.summary.first_bad.len() < KEPT_BAD_ROWS {
            self.summary.first_bad.push(row);
        }
        Ok(())
    }

    /// Tells how far the reading is.
    pub(super) fn report(&mut self) -> Result<(), Stop> {
        let bytes = self.meter.read();
        self.next_report = bytes + REPORT_BYTES;
        let Some(progress) = self.options.progress else { return Ok(()) };
        match progress(Progress { bytes, total_bytes: self.total_bytes }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Stop::Asked),
        }
    }

    /// Notes progress by rows, where the bytes read are not in the order of the rows.
    pub(super) fn advance(&mut self, rows: u64, total_rows: u64) {
        let bytes = u128::from(self.total_bytes.unwrap_or(0)) * u128::from(rows.min(total_rows));
        let bytes = bytes / u128::from(total_rows.max(1));
        self.meter.set(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Finds the fields among the columns of a header, and notes them.
    pub(super) fn bind(&mut self, header: &[String]) -> Result<Vec<Option<Field>>, LogError> {
        let bound = self.options.columns.bind(header).map_err(|problem| self.columns(problem))?;
        for (field, name) in bound.iter().zip(header) {
            let Summary { columns, unused, .. } = &mut self.summary;
            match *field {
                Some(field) => columns.push(ColumnUse { field, name: name.clone() }),
                // The parts of a nested column of Parquet have one name.
                None if unused.contains(name) => {}
                None => unused.push(name.clone()),
            }
        }
        Ok(bound)
    }

    pub(super) fn columns(&self, problem: ColumnError) -> LogError {
        LogError::Columns { path: self.path.into(), problem }
    }

    pub(super) fn unknown(&self) -> Stop {
        LogError::Unknown { path: self.path.into() }.into()
    }

    pub(super) fn empty(&self, what: &'static str) -> Stop {
        LogError::Empty { path: self.path.into(), what }.into()
    }

    pub(super) fn broken(&self, line: u64, source: io::Error) -> Stop {
        broken(self.path, self.summary.packing, line, source).into()
    }

    /// The count, at the end of the file or where the sink had enough.
    pub(super) fn finish(mut self, ended: Result<(), Stop>) -> Result<Summary, LogError> {
        self.summary.bytes = self.meter.read();
        match ended {
            Err(Stop::Failed(error)) => return Err(error),
            Err(Stop::Asked) => {
                self.summary.stopped = true;
                return Ok(self.summary);
            }
            Ok(()) => {}
        }
        if self.summary.rows > 0 {
            return Ok(self.summary);
        }
        let path = self.path.into();
        Err(match self.summary.first_bad.first() {
            Some(first) => {
                LogError::AllBad { path, rows: self.summary.bad_lines, first: first.clone() }
            }
            None => LogError::Empty { path, what: "has columns but no rows" },
        })
    }
}

/// An input that cannot be read on: cut off, or damaged.
pub(super) fn broken(path: &Path, packing: Packing, line: u64, source: io::Error) -> LogError {
    let path = path.into();
    if source.kind() == ErrorKind::UnexpectedEof && packing != Packing::None {
        LogError::Truncated { path, packing, line, source }
    } else {
        LogError::Read { path, line, source }
    }
}
