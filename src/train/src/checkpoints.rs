//! What a run has found so far, kept in a folder, so that the same run can go on after it was
//! stopped.
//!
//! Each finding is a file whose name is the digest of all that it was found of: pairs, settings,
//! seed. Training is deterministic, so what is found again need not be computed again, and what
//! belongs to other data or other options is never looked at. A file ends in a checksum and is
//! written into a neighbour that takes its place: one that was cut or changed is not there.

use std::{
    fmt::{Debug, Write as _},
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use tempfile::NamedTempFile;
use xxhash_rust::xxh64::{Xxh64, xxh64};

use crate::matrix::Matrix;

/// A folder of findings, or none.
#[derive(Debug)]
pub struct Checkpoints {
    folder: Option<PathBuf>,
    every: Duration,
    /// Findings that were there when they were asked for.
    taken: AtomicUsize,
}

impl Default for Checkpoints {
    fn default() -> Self {
        Self::none()
    }
}

/// How the names of findings end.
const KEPT: &str = "checkpoint";

/// A finding could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep what was found so far in {}", .folder.display())]
pub struct NotKept {
    /// Where it was to go.
    pub folder: PathBuf,
    /// Why it did not.
    pub source: io::Error,
}

impl Checkpoints {
    /// Keeps nothing.
    pub const fn none() -> Self {
        Self { folder: None, every: Duration::from_secs(30), taken: AtomicUsize::new(0) }
    }

    /// Keeps findings in `folder`, which is made where it is not there.
    pub fn open(folder: &Path) -> Result<Self, NotKept> {
        let checkpoints = Self { folder: Some(folder.to_owned()), ..Self::none() };
        let there_to_write = || {
            if folder.exists() && !folder.is_dir() {
                return Err(io::Error::other("it is not a folder"));
            }
            fs::create_dir_all(folder)?;
            NamedTempFile::new_in(folder)
        };
        there_to_write().map_err(|source| NotKept { folder: folder.to_owned(), source })?;
        Ok(checkpoints)
    }

    /// Whether anything is kept in `folder`.
    pub fn any_in(folder: &Path) -> bool {
        let is_kept = |file: fs::DirEntry| file.path().extension().is_some_and(|it| it == KEPT);
        fs::read_dir(folder).is_ok_and(|files| files.flatten().any(is_kept))
    }

    /// The same, where what is under way is kept once in `every` instead of twice a minute.
    #[must_use]
    pub const fn every(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    /// Whether what was last kept at `last` is to be kept again.
    pub fn are_due(&self, last: Instant) -> bool {
        last.elapsed() >= self.every
    }

    /// What was found of `key`, where that was kept.
    pub fn get(&self, key: &Key) -> Option<Vec<u8>> {
        let mut bytes = fs::read(self.path(key)?).ok()?;
        let (found, checksum) = bytes.split_last_chunk()?;
        let whole = xxh64(found, 0) == u64::from_le_bytes(*checksum);
        bytes.truncate(bytes.len() - size_of::<u64>());
        self.taken.fetch_add(usize::from(whole), Ordering::Relaxed);
        whole.then_some(bytes)
    }

    /// How many findings were there when they were asked for.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Keeps what was `found` of `key`, in the place of what was kept of it before.
    pub fn put(&self, key: &Key, found: impl FnOnce() -> Vec<u8>) -> Result<(), NotKept> {
        let Some((folder, path)) = self.folder.as_ref().zip(self.path(key)) else { return Ok(()) };
        let found = found();
        let write = || {
            // It may have been deleted since.
            fs::create_dir_all(folder)?;
            let mut file = NamedTempFile::new_in(folder)?;
            file.write_all(&found)?;
            file.write_all(&xxh64(&found, 0).to_le_bytes())?;
            file.persist(path).map_err(io::Error::from)
        };
        write().map(drop).map_err(|source| NotKept { folder: folder.clone(), source })
    }

    fn path(&self, key: &Key) -> Option<PathBuf> {
        let name = format!("{:016x}.{KEPT}", key.0.digest());
        self.folder.as_ref().map(|folder| folder.join(name))
    }
}

/// The digest of all that something was found of.
#[derive(Clone)]
pub struct Key(Xxh64);

impl Key {
    /// Of nothing but what it is, and of this version of the program.
    pub fn of(what: &str) -> Self {
        Self(Xxh64::new(0)).and(&(env!("CARGO_PKG_VERSION"), what))
    }

    /// Of `part` too, all of which `Debug` tells.
    pub fn and(mut self, part: &impl Debug) -> Self {
        // Writing to a digest cannot fail.
        let _ = write!(&mut self, "{part:?};");
        self
    }

    /// Of `numbers` too.
    pub fn and_reals(mut self, numbers: &[f32]) -> Self {
        numbers.iter().for_each(|x| self.0.update(&x.to_le_bytes()));
        self
    }

    /// Of the pairs of `matrix` too. O(pairs).
    pub fn and_pairs(mut self, matrix: &Matrix) -> Self {
        for row in 0..matrix.rows() {
            let entries = matrix.row(row).iter();
            self.0.update(&entries.len().to_le_bytes());
            for (column, pull) in entries {
                self.0.update(&column.to_le_bytes());
                self.0.update(&pull.weight.to_le_bytes());
                self.0.update(&pull.information.to_le_bytes());
            }
        }
        self.and(&matrix.columns())
    }
}

impl std::fmt::Write for Key {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

/// Numbers to keep, and their way back.
#[derive(Default)]
pub struct Bytes(Vec<u8>);

impl Bytes {
    /// Appends a number.
    pub fn whole(mut self, number: u64) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    /// Appends `numbers`.
    pub fn reals<'a>(mut self, numbers: impl IntoIterator<Item = &'a f32>) -> Self {
        self.0.extend(numbers.into_iter().flat_map(|x| x.to_le_bytes()));
        self
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

/// Takes a number off the front of `bytes`; `None` where there is none.
pub fn whole(bytes: &mut &[u8]) -> Option<u64> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*number))
}

/// Fills `numbers` from the front of `bytes`; `None` where there are too few.
pub fn reals(bytes: &mut &[u8], numbers: &mut [f32]) -> Option<()> {
    let (these, rest) = bytes.split_at_checked(size_of_val(numbers))?;
    *bytes = rest;
    numbers.iter_mut().zip(these.as_chunks().0).for_each(|(x, b)| *x = f32::from_le_bytes(*b));
    Some(())
}
