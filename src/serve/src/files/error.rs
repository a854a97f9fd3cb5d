//! Why files cannot be used.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why files cannot be used. Whoever uses them says what they are.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilesError {
    /// There is no such folder.
    #[error("there is no folder {}", .0.display())]
    Absent(PathBuf),
    /// A URL that says nothing to us.
    #[error("{} is no place for files: give a folder, or a URL such as s3://bucket/prefix", .0.display())]
    Scheme(PathBuf),
    /// They can only be read.
    #[error("{} can only be read", .0.display())]
    ReadOnly(PathBuf),
    /// Somebody else writes.
    #[error("another process holds {}: wait until it has finished", .0.display())]
    Locked(PathBuf),
    /// Somebody else swapped the file meanwhile.
    #[error("others changed {} meanwhile: do it again", .0.display())]
    Overtaken(PathBuf),
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

impl FilesError {
    /// Tells what was tried on which path when the operating system refused.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}
