//! Tab-, comma- or semicolon-separated values with a header.
//!
//! Values in quotes follow RFC 4180. Tab-separated files have no quotes (IANA
//! `text/tab-separated-values`), unless their header is in quotes.

use std::borrow::Cow;
use std::io::Read;

use memchr::{memchr, memchr_iter};

use super::columns::Field;
use super::error::Problem;
use super::json::utf8;
use super::lines::{Ends, Lines, Step};
use super::row::{Cell, Flaw, Row};
use super::run::{Run, Stop};
use super::{Format, Place};

/// Reads the header, then every row.
pub(super) fn read<R: Read>(lines: &mut Lines<R>, run: &mut Run<'_>) -> Result<(), Stop> {
    let layout = header(lines, run)?;
    loop {
        let record = match lines.next(layout.ends) {
            Ok(Step::Record(record)) => record,
            Ok(Step::Bad(problem)) => {
                run.row(Place::Line(lines.line()), Err(problem.into()))?;
                continue;
            }
            Ok(Step::End) => return Ok(()),
            Err(error) => return Err(run.broken(lines.line(), error)),
        };
        run.row(Place::Line(lines.line()), layout.row(lines.bytes(record)))?;
    }
}

/// How the rows of a file are laid out.
struct Layout {
    delimiter: u8,
    ends: Ends,
    columns: Vec<Option<Field>>,
}

fn header<R: Read>(lines: &mut Lines<R>, run: &mut Run<'_>) -> Result<Layout, Stop> {
    let first = match lines.peek() {
        Ok(first) => first,
        Err(error) => return Err(run.broken(1, error)),
    };
    let delimiter = match run.options.format {
        Some(Format::Tsv) => b'\t',
        _ => delimiter_of(first),
    };
    run.summary.format = if delimiter == b'\t' { Format::Tsv } else { Format::Csv };
    let quoted = delimiter != b'\t' || first.starts_with(b"\"");
    let ends = if quoted { Ends::Quoted { delimiter } } else { Ends::Line };
    let record = match lines.next(ends) {
        Ok(Step::Record(record)) => record,
        Ok(Step::Bad(_)) => return Err(run.unknown()),
        Ok(Step::End) => return Err(run.empty("is empty")),
        Err(error) => return Err(run.broken(lines.line(), error)),
    };
    let names: Vec<String> = match std::str::from_utf8(lines.bytes(record)) {
        Ok(text) if !text.contains('\0') => {
            cells(text, delimiter, quoted).map(|name| name.trim().to_owned()).collect()
        }
        _ => return Err(run.unknown()),
    };
    Ok(Layout { delimiter, ends, columns: run.bind(&names)? })
}

/// The separator that a header has most of; a tab where it has none.
fn delimiter_of(header: &[u8]) -> u8 {
    let count = |delimiter: &u8| memchr_iter(*delimiter, header).count();
    b";,\t".iter().copied().max_by_key(count).unwrap_or(b'\t')
}

impl Layout {
    fn row<'a>(&self, record: &'a [u8]) -> Result<Row<'a>, Flaw> {
        let text = utf8(record)?;
        let quoted = matches!(self.ends, Ends::Quoted { .. });
        let mut row = Row::default();
        let mut found = 0;
        for cell in cells(text, self.delimiter, quoted) {
            if let Some(Some(field)) = self.columns.get(found) {
                row.set(*field, Cell::delimited(cell));
            }
            found += 1;
        }
        let expected = self.columns.len();
        if found == expected { Ok(row) } else { Err(Problem::Width { found, expected }.into()) }
    }
}

/// The cells of a record: one more than there are delimiters.
fn cells(record: &str, delimiter: u8, quoted: bool) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = Some(record);
    std::iter::from_fn(move || {
        let record = rest?;
        let open = if quoted { record.strip_prefix('"') } else { None };
        let (cell, behind) = match open {
            Some(inner) => unquote(inner),
            None => {
                let end = memchr(delimiter, record.as_bytes()).unwrap_or(record.len());
                (Cow::Borrowed(&record[..end]), &record[end..])
            }
        };
        rest = memchr(delimiter, behind.as_bytes()).map(|at| &behind[at + 1..]);
        Some(cell)
    })
}

/// A value up to its closing quote, doubled quotes made single, and what comes behind it.
fn unquote(inner: &str) -> (Cow<'_, str>, &str) {
    let bytes = inner.as_bytes();
    let mut doubled = false;
    let mut quotes = memchr_iter(b'"', bytes);
    let end = loop {
        match quotes.next() {
            None => break inner.len(),
            Some(at) if bytes.get(at + 1) == Some(&b'"') => {
                doubled = true;
                quotes.next();
            }
            Some(at) => break at,
        }
    };
    let value = &inner[..end];
    let behind = inner.get(end + 1..).unwrap_or("");
    (if doubled { Cow::Owned(value.replace("\"\"", "\"")) } else { Cow::Borrowed(value) }, behind)
}
