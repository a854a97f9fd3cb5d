//! What one request brings.

use std::ops::Range;

use segue_core::event::{Event, EventError};
use serde::Serialize;

use super::{pseudonym::Secret, seen::Key};

/// How far ahead of this clock an event may be, in milliseconds: no clock is exact.
const AHEAD: i64 = 60_000;

/// From which difference on the sender's clock is taken to be wrong, in milliseconds: less is what a request takes.
const SKEW: i64 = 30_000;

/// Times before the year 2000 are of a clock that was never set, or seconds.
const LEAST: i64 = 946_684_800_000;

/// How many refused events a receipt names.
const MOST_NAMED: usize = 100;

/// When a request came, and what makes pseudonyms for it.
pub(super) struct Arrival<'a> {
    pub(super) now: i64,
    /// What the sender's clock said.
    pub(super) sent: Option<i64>,
    pub(super) secret: &'a Secret,
}

/// Events that were found sound, as they will be kept, and a word on each of the others.
#[derive(Debug)]
pub struct Batch {
    /// When it came, in milliseconds since 1970.
    pub(super) arrived: i64,
    /// What was added to every time of its events, in milliseconds.
    pub(super) correction: i64,
    /// One JSON object a line.
    pub(super) lines: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
    pub(super) keys: Vec<Key>,
    refused: Vec<Refusal>,
    refused_in_all: usize,
    last: Option<Last>,
}

/// The listener of the event before: most batches are of one, and hashing takes longer than comparing.
#[derive(Debug)]
struct Last {
    user: String,
    session: String,
    as_user: String,
    as_session: String,
}

/// An event that was not taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Which one of the body, from 0 on; of lines, all are counted.
    pub index: usize,
    /// Its id, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What is wrong with it.
    pub detail: String,
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Events that are durable now.
    pub accepted: usize,
    /// Events that were taken in before.
    pub duplicates: usize,
    /// Events that are not sound.
    pub refused: usize,
    /// The first of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Refusal>,
}

/// Why a sound event is refused all the same.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error(transparent)]
    Event(#[from] EventError),
    #[error(
        "`at` is {0} ms ahead of this server's clock: send the clock that it was read from in the \
         header segue-sent-at"
    )]
    Future(i64),
    #[error(
        "`at` is {0}, which is before the year 2000: send milliseconds since 1970, not seconds"
    )]
    Past(i64),
}

impl Batch {
    pub(super) fn new(arrival: &Arrival<'_>) -> Self {
        let skew = arrival.sent.map_or(0, |sent| arrival.now.saturating_sub(sent));
        Self {
            arrived: arrival.now,
            correction: if skew.abs() >= SKEW { skew } else { 0 },
            lines: Vec::new(),
            ends: Vec::new(),
            keys: Vec::new(),
            refused: Vec::new(),
            refused_in_all: 0,
            last: None,
        }
    }

    /// How many events are sound.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many there are, sound or not.
    pub fn events(&self) -> usize {
        self.len() + self.refused_in_all
    }

    /// Takes one event of the body, or says what is wrong with it.
    pub(super) fn push(&mut self, mut event: Event, arrival: &Arrival<'_>) {
        event.at = event.at.saturating_add(self.correction);
        if let Err(unfit) = fit(&event, arrival.now) {
            return self.refuse(Some(event.id), unfit.to_string());
        }
        self.keys.push(arrival.secret.event(&event.user, &event.id));
        self.hide(&mut event, arrival.secret);
        // Nothing that an event holds cannot be written, and a vector takes whatever is written.
        if serde_json::to_writer(&mut self.lines, &event).is_err() {
            self.keys.pop();
            self.lines.truncate(self.ends.last().copied().unwrap_or(0));
            return self.refuse(Some(event.id), "it cannot be written".into());
        }
        self.lines.push(b'\n');
        self.ends.push(self.lines.len());
    }

    pub(super) fn refuse(&mut self, id: Option<String>, detail: String) {
        if self.refused.len() < MOST_NAMED {
            self.refused.push(Refusal { index: self.events(), id, detail });
        }
        self.refused_in_all += 1;
    }

    /// Puts pseudonyms in the place of ids.
    fn hide(&mut self, event: &mut Event, secret: &Secret) {
        let last = match self.last.take() {
            Some(last) if last.user == event.user && last.session == event.session => last,
            Some(last) if last.user == event.user => {
                let as_session = secret.session(&event.user, &event.session);
                Last { session: event.session.clone(), as_session, ..last }
            }
            _ => Last {
                user: event.user.clone(),
                session: event.session.clone(),
                as_user: secret.user(&event.user),
                as_session: secret.session(&event.user, &event.session),
            },
        };
        event.user.clone_from(&last.as_user);
        event.session.clone_from(&last.as_session);
        self.last = Some(last);
    }

    /// Where a line lies.
    pub(super) fn line(&self, at: usize) -> Range<usize> {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[at]
    }

    /// What to answer, once `accepted` of the sound ones were written.
    pub(super) fn receipt(self, accepted: usize) -> Receipt {
        Receipt {
            accepted,
            duplicates: self.len() - accepted,
            refused: self.refused_in_all,
            problems: self.refused,
        }
    }
}

fn fit(event: &Event, now: i64) -> Result<(), Unfit> {
    event.validate()?;
    let ahead = event.at.saturating_sub(now);
    match event.at {
        ..LEAST => Err(Unfit::Past(event.at)),
        _ if ahead > AHEAD => Err(Unfit::Future(ahead)),
        _ => Ok(()),
    }
}
