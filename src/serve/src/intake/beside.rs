//! An intake that another process may be taking events into: what can be done with it all the same.

use std::path::{Path, PathBuf};

use super::{
    IntakeError,
    database::{Claim, Database, Reader},
    pseudonym::Pseudonyms,
};
use crate::lake::{Erasures, Row};

/// The folder of an intake, without the right to take events into it.
pub(crate) struct Beside {
    dir: PathBuf,
    database: Database,
    pseudonyms: Pseudonyms,
}

impl Beside {
    /// Opens a folder that is one.
    pub(crate) fn open(dir: &Path) -> Result<Self, IntakeError> {
        if !Database::is_in(dir) {
            return Err(IntakeError::Absent(dir.to_owned()));
        }
        let database = Database::open(dir)?;
        Ok(Self { dir: dir.to_owned(), database, pseudonyms: Pseudonyms::open(dir, None)? })
    }

    /// Every pseudonym that a listener may have.
    pub(crate) fn pseudonyms(&self, user: &str) -> Vec<String> {
        self.pseudonyms.all(user)
    }

    /// Every event that is not in the lake yet.
    pub(crate) fn rows(&self) -> Result<Vec<Row>, IntakeError> {
        Reader::open(&self.dir)?.rows(Claim { first: 0, last: i64::MAX })
    }

    /// Takes what was erased out. Returns how many events that were.
    pub(crate) fn erase(&mut self, erasures: &Erasures) -> Result<u64, IntakeError> {
        self.database.erase(erasures)
    }

    /// Forgets the secrets that were not used from `first` on, milliseconds since 1970. Returns how many.
    pub(crate) fn forget_secrets(&self, first: i64) -> Result<u64, IntakeError> {
        self.pseudonyms.forget(first)
    }
}

/// What waits in an intake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Events that are not in the lake yet.
    pub events: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Looks whether a folder is an intake and its database whole. It may be in use.
pub fn check(dir: &Path) -> Result<Waiting, IntakeError> {
    let beside = Beside::open(dir)?;
    let (events, bytes) = beside.database.check()?;
    Ok(Waiting { events, bytes })
}
