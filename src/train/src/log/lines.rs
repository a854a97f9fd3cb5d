//! Records of a text file, one at a time out of one bounded buffer, each with its line number.

use std::io::{self, ErrorKind, Read};
use std::ops::Range;

use memchr::{memchr, memchr_iter};

use super::error::Problem;

/// The buffer's size at first, in bytes: large enough that reading costs nothing by comparison.
const BUFFER_BYTES: usize = 1 << 18;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where a record ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ends {
    /// At the next line feed.
    Line,
    /// At the next line feed outside quotes (RFC 4180).
    Quoted { delimiter: u8 },
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Step {
    /// A record, without its line end: see [`Lines::bytes`].
    Record(Range<usize>),
    /// A line that is no record; the next call goes on with the line after it.
    Bad(Problem),
    End,
}

/// Reads records. Memory: at most twice the longest line that is accepted.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    /// What is read and not yet handed out.
    pending: Range<usize>,
    max_bytes: usize,
    /// Line on which the record handed out last began, from 1.
    line: u64,
    next_line: u64,
}

impl<R: Read> Lines<R> {
    /// A leading byte order mark is dropped.
    pub(super) fn new(input: R, max_bytes: usize) -> io::Result<Self> {
        let buffer = vec![0; BUFFER_BYTES];
        let mut lines = Self { input, buffer, pending: 0..0, max_bytes, line: 1, next_line: 1 };
        while lines.pending.len() < BYTE_ORDER_MARK.len() && lines.refill()? {}
        if lines.bytes(lines.pending.clone()).starts_with(BYTE_ORDER_MARK) {
            lines.pending.start += BYTE_ORDER_MARK.len();
        }
        Ok(lines)
    }

    /// Line on which the last record began; the line being read after an error. From 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The bytes of a record, valid until the next call.
    pub(super) fn bytes(&self, record: Range<usize>) -> &[u8] {
        &self.buffer[record]
    }

    /// The first line that is not empty, left in place; cut off where it is too long.
    pub(super) fn peek(&mut self) -> io::Result<&[u8]> {
        loop {
            let bytes = &self.buffer[self.pending.clone()];
            match memchr(b'\n', bytes) {
                Some(end) if bytes[..end].trim_ascii().is_empty() => {
                    self.take(end, 1);
                }
                Some(end) => return Ok(&self.buffer[self.pending.start..][..end]),
                None if bytes.len() > self.max_bytes => break,
                None if self.refill()? => {}
                None => break,
            }
        }
        Ok(&self.buffer[self.pending.clone()])
    }

    /// The next record that is not empty.
    pub(super) fn next(&mut self, ends: Ends) -> io::Result<Step> {
        loop {
            match self.next_even_empty(ends)? {
                Step::Record(record) if record.is_empty() => {}
                step => return Ok(step),
            }
        }
    }

    fn next_even_empty(&mut self, ends: Ends) -> io::Result<Step> {
        self.line = self.next_line;
        let mut scan = Scan::default();
        loop {
            match scan.find(&self.buffer[self.pending.clone()], ends) {
                Found::End(end) => return Ok(self.record(end, ends)),
                Found::Malformed => return self.drop_line(Problem::Quote),
                Found::Open if self.pending.len() > self.max_bytes => {
                    let long = Problem::LongLine(self.max_bytes);
                    return self.drop_line(if scan.in_quotes() { Problem::Quote } else { long });
                }
                Found::Open => {}
            }
            if !self.refill()? {
                return match self.pending.len() {
                    0 => Ok(Step::End),
                    _ if scan.in_quotes() => self.drop_line(Problem::Quote),
                    rest => Ok(self.record(rest, ends)),
                };
            }
        }
    }

    /// Hands out the first `length` bytes that are pending.
    fn record(&mut self, length: usize, ends: Ends) -> Step {
        let bytes = &self.buffer[self.pending.start..][..length];
        if length > self.max_bytes {
            self.take(length, 1);
            return Step::Bad(Problem::LongLine(self.max_bytes));
        }
        let lines = match ends {
            Ends::Line => 1,
            // The sum is at most the buffer's size.
            Ends::Quoted { .. } => 1 + memchr_iter(b'\n', bytes).count() as u64,
        };
        let carriage_return = usize::from(bytes.ends_with(b"\r"));
        let record = self.take(length, lines);
        Step::Record(record.start..record.end - carriage_return)
    }

    /// Passes over `length` bytes and the line end behind them.
    fn take(&mut self, length: usize, lines: u64) -> Range<usize> {
        let taken = self.pending.start..self.pending.start + length;
        self.pending.start = (taken.end + 1).min(self.pending.end);
        self.next_line += lines;
        taken
    }

    /// Passes over one line, however long, so that a stray quote costs one line only.
    fn drop_line(&mut self, problem: Problem) -> io::Result<Step> {
        loop {
            if let Some(end) = memchr(b'\n', &self.buffer[self.pending.clone()]) {
                self.take(end, 1);
                break;
            }
            self.pending.start = self.pending.end;
            if !self.refill()? {
                self.next_line += 1;
                break;
            }
        }
        Ok(Step::Bad(problem))
    }

    /// Reads more behind what is pending; `false` at the end of the input.
    fn refill(&mut self) -> io::Result<bool> {
        self.buffer.copy_within(self.pending.clone(), 0);
        self.pending = 0..self.pending.len();
        if self.pending.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        loop {
            match self.input.read(&mut self.buffer[self.pending.end..]) {
                Ok(read) => {
                    self.pending.end += read;
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

enum Found {
    /// The record ends before this byte.
    End(usize),
    /// The end is not among these bytes.
    Open,
    /// A quoted value is followed by something else than a delimiter.
    Malformed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    CellStart,
    Plain,
    Quoted,
    /// Behind a quote inside quotes: the end of the value, or the first of a doubled quote.
    Quote,
}

/// Finds the end of a record, going on where it left off when there are more bytes.
#[derive(Debug, Default)]
struct Scan {
    seen: usize,
    state: State,
}

impl Scan {
    fn in_quotes(&self) -> bool {
        self.state == State::Quoted
    }

    fn find(&mut self, bytes: &[u8], ends: Ends) -> Found {
        let found = match ends {
            Ends::Line => memchr(b'\n', &bytes[self.seen..])
                .map_or(Found::Open, |end| Found::End(self.seen + end)),
            Ends::Quoted { delimiter } => self.find_outside_quotes(bytes, delimiter),
        };
        self.seen = bytes.len();
        found
    }

    fn find_outside_quotes(&mut self, bytes: &[u8], delimiter: u8) -> Found {
        for (at, &byte) in bytes.iter().enumerate().skip(self.seen) {
            self.state = match (self.state, byte) {
                (State::Quoted, b'"') => State::Quote,
                (State::Quoted, _) | (State::Quote, b'"') => State::Quoted,
                (_, b'\n') => return Found::End(at),
                (_, byte) if byte == delimiter => State::CellStart,
                (State::CellStart, b'"') => State::Quoted,
                // The first half of a Windows line end.
                (State::Quote, b'\r') => State::Quote,
                (State::Quote, _) => return Found::Malformed,
                (State::CellStart | State::Plain, _) => State::Plain,
            };
        }
        Found::Open
    }
}
