//! Why a registry cannot be read or written.

use segue_core::{manifest::ManifestError, model::ModelError, trust::TrustError};
use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{files::FilesError, keys::KeysError};

/// Why a registry cannot be read or written. Every message names the file or folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// There is no such folder.
    #[error("there is no registry at {}: publish a model to it first", .0.display())]
    Absent(PathBuf),
    /// A URL that says nothing to us.
    #[error("{} is no place for a registry: give a folder, a URL such as s3://bucket/prefix or, to read it, one such as https://example.org/v1/", .0.display())]
    Scheme(PathBuf),
    /// A registry as it is served, of which something was to be changed.
    #[error("{} is where a registry is served: give the folder or the bucket behind it to change it", .0.display())]
    ReadOnly(PathBuf),
    /// Nothing was published yet.
    #[error("the registry {} is empty: publish a model first", .0.display())]
    Empty(PathBuf),
    /// Another process is publishing.
    #[error(
        "another process is publishing to this registry and holds {}: wait until it has finished",
        .0.display()
    )]
    Locked(PathBuf),
    /// Another process put a release into force meanwhile, several times over.
    #[error("others changed {} meanwhile: do it again", .0.display())]
    Overtaken(PathBuf),
    /// It is signed, and there are no keys to go on with.
    #[error("the registry {} is signed: pass --keys with the folder of its keys", .0.display())]
    Signed(PathBuf),
    /// It is not signed, and so not to be built upon by who signs.
    #[error("what is in force in {} is not signed: publish a model with these keys first", .0.display())]
    Unsigned(PathBuf),
    /// Nothing can be signed without keys.
    #[error("{} can only be refreshed with keys: pass --keys with their folder", .0.display())]
    NeedsKeys(PathBuf),
    /// It is signed by others.
    #[error(
        "the registry {} is signed under a root {root} that is not in {}: import that root, or pass the folder of its keys",
        place.display(), keys.display()
    )]
    OtherKeys {
        /// The registry.
        place: PathBuf,
        /// The folder of keys.
        keys: PathBuf,
        /// The version of its root.
        root: u64,
    },
    /// A root is there, and it is another.
    #[error("{} is another root than the keys have: roots are never changed; import that one", .0.display())]
    OtherRoot(PathBuf),
    /// A document is not to be believed.
    #[error("{} is not to be believed", path.display())]
    Distrusted {
        /// The document.
        path: PathBuf,
        /// Why.
        source: TrustError,
    },
    /// Keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// A release names too much.
    #[error(
        "the release would have {bytes} bytes, more than a client reads: pass a smaller number to --deltas"
    )]
    Large {
        /// The manifest.
        path: PathBuf,
        /// Its bytes.
        bytes: usize,
    },
    /// There is no candidate.
    #[error("no roll-out is under way in {}: begin one with `segue publish MODEL --rollout PERCENT`", .0.display())]
    NoCandidate(PathBuf),
    /// There is nothing to be a candidate beside.
    #[error("no model is in force in {} that a share of devices could try another one beside: publish it for all", .0.display())]
    NothingForAll(PathBuf),
    /// The candidate is what is in force.
    #[error("the model is in force for all devices of {} already, as version {version}", place.display())]
    ForAll {
        /// The registry.
        place: PathBuf,
        /// The version of the model.
        version: u64,
    },
    /// There is no such earlier model.
    #[error(
        "{} has no earlier model{} to go back to: it was collected, was never there, or is not signed by these keys; publish its file again",
        place.display(), to.map(|to| format!(" {to}")).unwrap_or_default()
    )]
    NoEarlier {
        /// The registry.
        place: PathBuf,
        /// The version that was asked for.
        to: Option<u64>,
    },
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

impl From<FilesError> for RegistryError {
    fn from(error: FilesError) -> Self {
        match error {
            FilesError::Absent(path) => Self::Absent(path),
            FilesError::Scheme(path) => Self::Scheme(path),
            FilesError::ReadOnly(path) => Self::ReadOnly(path),
            FilesError::Locked(path) => Self::Locked(path),
            FilesError::Overtaken(path) => Self::Overtaken(path),
            FilesError::Io { action, path, source } => Self::Io { action, path, source },
        }
    }
}
