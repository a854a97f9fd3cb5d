//! Why a registry cannot be read or written.

use segue_core::{manifest::ManifestError, model::ModelError};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a registry cannot be read or written. Every message names the file or folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// There is no such folder.
    #[error("there is no registry at {}: publish a model to it first", .0.display())]
    Absent(PathBuf),
    /// Nothing was published yet.
    #[error("the registry {} is empty: publish a model first", .0.display())]
    Empty(PathBuf),
    /// Another process is publishing.
    #[error(
        "another process is publishing to this registry and holds {}: wait until it has finished",
        .0.display()
    )]
    Locked(PathBuf),
    /// The operating system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, a verb.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The manifest is not JSON of the right shape.
    #[error(
        "the manifest {} is damaged: restore it from a copy; deleting it and publishing again counts from version 1, and clients wait until that passes the version they have",
        path.display()
    )]
    Json {
        /// The manifest.
        path: PathBuf,
        /// Where and what.
        source: serde_json::Error,
    },
    /// The manifest breaks a rule.
    #[error("the manifest {} is refused", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// Which rule.
        source: ManifestError,
    },
    /// No number is left for another version.
    #[error("the manifest {} has the last possible version", .0.display())]
    LastVersion(PathBuf),
    /// A blob is not there.
    #[error("the blob {} is missing: publish the model again", .0.display())]
    Missing(PathBuf),
    /// A blob, or a coding of it, does not hold what its name says.
    #[error("{} does not hold what its name says: publish the model again", .0.display())]
    Damaged(PathBuf),
    /// The manifest is wrong about the length of a blob.
    #[error(
        "the manifest says that {} has {claimed} bytes, which it has not: publish the model again",
        path.display()
    )]
    Length {
        /// The blob.
        path: PathBuf,
        /// Its length according to the manifest.
        claimed: u64,
    },
    /// The manifest names a section that this code does not know.
    #[error("the manifest {} names an unknown section `{kind}`: update segue", path.display())]
    UnknownSection {
        /// The manifest.
        path: PathBuf,
        /// The section.
        kind: String,
    },
    /// The sections are not a model.
    #[error("the sections that {} names are not a model", path.display())]
    Model {
        /// The manifest.
        path: PathBuf,
        /// Why.
        source: ModelError,
    },
}

impl RegistryError {
    /// Tells what was tried on which path when the operating system refused.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}
