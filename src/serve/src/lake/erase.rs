//! Taking a listener's events out of a lake.
//!
//! What was erased is written down first, as pseudonyms and a time: a collector that is moving events meanwhile takes out
//! what arrived before that time, and so does one that comes later with events that it still had.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use serde::{Deserialize, Serialize};

use super::{Day, File, Lake, LakeError, Row, file};
use crate::registry::BlobHash;

const FOLDER: &str = "erasures";
const FORMAT: u32 = 1;
/// No erasure is longer.
const MOST_BYTES: u64 = 1 << 24;

/// Who was erased, and until when: by pseudonym, the time in milliseconds since 1970 up to which what arrived is to go.
pub(crate) type Erasures = BTreeMap<String, i64>;

/// An erasure as it is written down, with what it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    format: u32,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// The pseudonyms that the listener had.
    pub pseudonyms: Vec<String>,
    /// Events that were taken out of the intake.
    pub intake_events: u64,
    /// Events that were taken out of the lake.
    pub lake_events: u64,
    /// The files of the lake that had some.
    pub files: Vec<Rewritten>,
    /// Files that were looked through again afterwards, none of which has any.
    pub checked_files: u64,
}

/// A file that was written anew, or removed where nothing was left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewritten {
    /// Its name from the lake on.
    pub file: String,
    /// Events that were taken out.
    pub events: u64,
    /// The SHA-256 that it had.
    pub before: String,
    /// The SHA-256 that it has; none where it is no more.
    pub after: Option<String>,
}

impl Erasure {
    pub(crate) fn new(at: i64, pseudonyms: Vec<String>) -> Self {
        Self {
            format: FORMAT,
            at,
            pseudonyms,
            intake_events: 0,
            lake_events: 0,
            files: Vec::new(),
            checked_files: 0,
        }
    }

    fn name(&self) -> String {
        // Of two at once of one listener, one is as good as the other.
        let first = self.pseudonyms.first().map_or("none", String::as_str);
        format!("{FOLDER}/{:013}-{first}.json", self.at)
    }

    /// What is to go of what arrives at others meanwhile, or is still there.
    fn marks(&self) -> Erasures {
        self.pseudonyms.iter().map(|pseudonym| (pseudonym.clone(), self.at)).collect()
    }

    /// What is to go of what is here: all of it, as clocks of collectors may differ.
    pub(crate) fn all(&self) -> Erasures {
        self.pseudonyms.iter().map(|pseudonym| (pseudonym.clone(), i64::MAX)).collect()
    }
}

/// Whether a row is to go.
pub(crate) fn is_erased(erasures: &Erasures, user: &str, arrived: i64) -> bool {
    erasures.get(user).is_some_and(|&until| arrived <= until)
}

impl Lake {
    /// Writes an erasure down, or what it did.
    pub(crate) fn note(&self, erasure: &Erasure) -> Result<(), LakeError> {
        let json = serde_json::to_vec_pretty(erasure).unwrap_or_default();
        Ok(self.store.write_durably(&erasure.name(), &json)?)
    }

    /// All that were written down.
    pub(crate) fn erasures(&self) -> Result<Erasures, LakeError> {
        let mut all = Erasures::new();
        for entry in self.store.list(FOLDER)? {
            let name = format!("{FOLDER}/{}", entry.name);
            let Some(seen) = self.store.read(&name, MOST_BYTES)? else { continue };
            let damaged =
                |problem: String| LakeError::Damaged { path: self.place.join(&name), problem };
            let erasure: Erasure = serde_json::from_slice(&seen.bytes)
                .map_err(|error| damaged(format!("it is no erasure: {error}")))?;
            if erasure.format != FORMAT {
                return Err(damaged(format!("its format {} is not {FORMAT}", erasure.format)));
            }
            for (pseudonym, at) in erasure.marks() {
                let until = all.entry(pseudonym).or_insert(at);
                *until = at.max(*until);
            }
        }
        Ok(all)
    }

    /// Takes what was erased out of some files. Returns what was done, file by file.
    pub(crate) fn erase(
        &self,
        files: &[File],
        erasures: &Erasures,
    ) -> Result<Vec<Rewritten>, LakeError> {
        let mut done = Vec::new();
        for file in files {
            done.extend(self.erase_in(file, erasures)?);
        }
        Ok(done)
    }

    fn erase_in(&self, file: &File, erasures: &Erasures) -> Result<Option<Rewritten>, LakeError> {
        let Some(bytes) = self.bytes(file)? else { return Ok(None) };
        if !self.has_any(file, &bytes, erasures)? {
            return Ok(None);
        }
        let before = BlobHash::of(&bytes).to_string();
        let rows = self.rows(file, bytes)?;
        let all = rows.len();
        let gone = |row: &Row| is_erased(erasures, &row.event.user, row.arrived);
        let left: Vec<Row> = rows.into_iter().filter(|row| !gone(row)).collect();
        let events = (all - left.len()) as u64;
        if events == 0 {
            return Ok(None);
        }
        let after = if left.is_empty() {
            self.remove(file)?;
            None
        } else {
            self.replace(file.partition.clone(), file.name.clone(), left)?;
            self.bytes(file)?.map(|bytes| BlobHash::of(&bytes).to_string())
        };
        Ok(Some(Rewritten { file: file.name.clone(), events, before, after }))
    }

    /// Whether a file has events of who was erased, seen by the one column that says so.
    fn has_any(&self, file: &File, bytes: &[u8], erasures: &Erasures) -> Result<bool, LakeError> {
        let users = file::users(bytes.to_vec().into());
        let users: BTreeSet<String> = users.map_err(|problem| self.damaged(file, problem))?;
        Ok(users.iter().any(|user| erasures.contains_key(user)))
    }

    /// Removes files of days before one, and erasures from before it. Returns what was removed.
    pub(crate) fn forget(&self, before: Day) -> Result<(Vec<File>, u64), LakeError> {
        let days: RangeInclusive<Day> = Day::FIRST..=before.before(1);
        let files = if before == Day::FIRST { Vec::new() } else { self.files(days)? };
        let mut gone = Vec::new();
        for file in files {
            if self.remove(&file)? {
                gone.push(file);
            }
        }
        let mut erasures = 0;
        for entry in self.store.list(FOLDER)? {
            let at = entry.name.split('-').next().and_then(|at| at.parse::<i64>().ok());
            if at.is_some_and(|at| at < before.start()) {
                let removed = self.store.remove(&format!("{FOLDER}/{}", entry.name), None)?;
                erasures += u64::from(removed);
            }
        }
        Ok((gone, erasures))
    }
}
