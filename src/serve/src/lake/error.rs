//! Why a lake cannot be used.

use std::{io, path::PathBuf};

use crate::files::FilesError;

/// Why a lake cannot be read or written. Every message names the file or folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LakeError {
    /// There is no such folder.
    #[error("there is no lake at {}: `segue serve --lake` makes one", .0.display())]
    Absent(PathBuf),
    /// A URL that says nothing to us.
    #[error("{} is no place for a lake: give a folder, or a URL such as s3://bucket/prefix", .0.display())]
    Scheme(PathBuf),
    /// A file is not what a collector writes.
    #[error("{} holds no events: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The operating system, or the store, refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, a verb.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl From<FilesError> for LakeError {
    fn from(error: FilesError) -> Self {
        let io =
            |action, path, what: &str| Self::Io { action, path, source: io::Error::other(what) };
        match error {
            FilesError::Absent(path) => Self::Absent(path),
            FilesError::Scheme(path) => Self::Scheme(path),
            FilesError::ReadOnly(path) => io("write", path, "it can only be read"),
            FilesError::Locked(path) => io("lock", path, "another process holds it"),
            FilesError::Overtaken(path) => io("replace", path, "others changed it meanwhile"),
            FilesError::Io { action, path, source } => Self::Io { action, path, source },
        }
    }
}
