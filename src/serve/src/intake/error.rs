//! What can go wrong with an intake.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::body::BodyError;
use crate::lake::LakeError;

/// Why events were not taken in, or a folder of them cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntakeError {
    /// A body is no list of events.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// More waits to be written than may.
    #[error("more events wait to be written than may: send them again in a second")]
    Busy,
    /// A file or folder cannot be used.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was to be done.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The database cannot be used.
    #[error("cannot {action} {}", path.display())]
    Database {
        /// What was to be done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// It is of a later version of this program.
    #[error(
        "{} is a database of format {found}, and this program knows {known}: use a newer one",
        path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The latest known.
        known: i64,
    },
    /// There is no intake in the folder.
    #[error("there is no intake at {}: `segue serve --collect` makes one", .0.display())]
    Absent(PathBuf),
    /// Somebody else takes events into the folder.
    #[error(
        "another process takes events into {}: stop it, or use another folder", .0.display()
    )]
    Taken(PathBuf),
    /// The secrets of pseudonyms are damaged.
    #[error("{} holds no secrets of pseudonyms: {problem}", path.display())]
    Secrets {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// What was written is not what is read.
    #[error("{} is damaged: batch {batch} holds no events: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The number of the batch.
        batch: i64,
        /// What is wrong with it.
        problem: String,
    },
    /// The database does not hold together.
    #[error("{} is damaged: {problem}; move the folder away, and what is in the lake stays", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        problem: String,
    },
    /// The lake cannot be used.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// What was written for several at once failed for each of them.
    #[error(transparent)]
    Shared(Arc<Self>),
    /// The thread that writes is gone.
    #[error("the intake is closed")]
    Closed,
}

impl IntakeError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    pub(super) fn database(
        action: &'static str,
        path: &Path,
    ) -> impl Fn(rusqlite::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Database { action, path: path.clone(), source }
    }
}
