//! What listeners who agree send, taken in so that nothing that was acknowledged is lost or counted twice.
//!
//! A request's body is read and judged event by event ([`body`]), users and sessions are replaced by pseudonyms
//! ([`pseudonym`]), and what is left goes to one thread that writes: all requests that wait are one transaction of
//! SQLite, durable before any of them is answered ([`writer`]). What was taken in is found again by its id among at
//! least the last [`Options::remember`] events ([`seen`]), across restarts. From time to time what was taken in is moved
//! to a lake ([`compact`]).
//!
//! **Invariants:** an event is acknowledged only after `fsync`; memory is bounded by the options, whatever is sent;
//! no id of a listener is written as it came.

mod batch;
mod beside;
mod body;
mod compact;
mod database;
mod error;
mod pseudonym;
mod seen;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

pub use batch::{Batch, Receipt, Refusal};
pub(crate) use beside::Beside;
pub use beside::{Waiting, check};
pub use body::{BodyError, Coding, Limits};
pub use compact::Compacted;
pub use error::IntakeError;

use pseudonym::Pseudonyms;
use writer::Writer;

pub use writer::Figures;

/// How events are taken in.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of the database and of the secrets of pseudonyms; it is made where it is not there.
    pub dir: PathBuf,
    /// Of how many events at least the ids are remembered. 20 bytes of memory each, and 16 of the database.
    pub remember: usize,
    /// How long one secret makes pseudonyms; `None` for ever.
    pub rotate: Option<Duration>,
    /// How many bytes of events may wait to be written.
    pub waiting_bytes: usize,
    /// What a body may hold.
    pub limits: Limits,
}

impl Options {
    /// A folder, and what suits a machine of any size.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            remember: seen::DEFAULT,
            rotate: Some(Duration::from_secs(90 * 24 * 3600)),
            waiting_bytes: 64 << 20,
            limits: Limits::default(),
        }
    }
}

/// An open intake. Cloning it is cheap; it closes when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Intake(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    pseudonyms: Pseudonyms,
    writer: Writer,
    limits: Limits,
    dir: PathBuf,
    /// Held while events are moved to a lake.
    compacting: Mutex<()>,
}

impl Intake {
    /// Opens the folder, makes it where it is not there, and remembers what was taken in last. One process at a time
    /// takes events into a folder.
    pub fn open(options: &Options) -> Result<Self, IntakeError> {
        let Options { dir, remember, rotate, waiting_bytes, limits } = options;
        std::fs::create_dir_all(dir).map_err(IntakeError::io("make", dir))?;
        let pseudonyms = Pseudonyms::open(dir, *rotate)?;
        let writer = Writer::open(dir, *remember, *waiting_bytes)?;
        let compacting = Mutex::default();
        let shared = Shared { pseudonyms, writer, limits: *limits, dir: dir.clone(), compacting };
        Ok(Self(Arc::new(shared)))
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// What a body may hold.
    pub fn limits(&self) -> Limits {
        self.0.limits
    }

    /// What it has done since it was opened.
    pub fn figures(&self) -> Figures {
        self.0.writer.figures()
    }

    /// Judges a body of events that arrived at `now`, milliseconds since 1970; the sender's clock said `sent` then.
    pub fn read(
        &self,
        body: &[u8],
        coding: Coding,
        now: i64,
        sent: Option<i64>,
    ) -> Result<Batch, IntakeError> {
        let secret = self.0.pseudonyms.at(now)?;
        Ok(body::read(
            body,
            coding,
            &self.0.limits,
            &batch::Arrival { now, sent, secret: &secret },
        )?)
    }

    /// Takes a batch in, or part of it where the rest was taken in before. It is durable once this resolves.
    ///
    /// # Errors
    /// [`IntakeError::Busy`] at once where more waits than may; nothing of the batch is taken in where any error is.
    pub async fn take(&self, batch: Batch) -> Result<Receipt, IntakeError> {
        self.0.writer.take(batch).await
    }
}
