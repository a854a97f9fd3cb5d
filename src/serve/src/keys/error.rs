//! Why keys cannot be used.

use segue_core::trust::{Role, TrustError};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why keys cannot be used. Every message names the file or folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// There is no such folder.
    #[error("there are no keys at {}: make some with `segue keys new --keys DIR`", .0.display())]
    Absent(PathBuf),
    /// There are keys already.
    #[error("there are keys in {} already: pass another folder, or rotate these", .0.display())]
    Exists(PathBuf),
    /// No root was signed yet.
    #[error(
        "no root is complete in {}: sign root/next where the root's secrets are, and import it",
        .0.display()
    )]
    NoRoot(PathBuf),
    /// Everybody may read a registry.
    #[error("{} is in the registry {}, which is open to everybody: pass a folder outside of it", dir.display(), registry.display())]
    InRegistry {
        /// Where the keys were to be.
        dir: PathBuf,
        /// What it is in.
        registry: PathBuf,
    },
    /// A secret that others may read.
    #[error("others may read the secret {}: it may be known; rotate it, or chmod 600 where it is not", .0.display())]
    Open(PathBuf),
    /// A file that is not what its name says.
    #[error("{} is not a key or a root: restore it from a copy", .0.display())]
    Malformed(PathBuf),
    /// A file that is not JSON of the right shape.
    #[error("{} is damaged: restore it from a copy", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: serde_json::Error,
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
    /// There is nothing to make keys of.
    #[error("the operating system gives no random bytes: {0}")]
    Random(String),
    /// Fewer of a role's secrets than it takes.
    #[error(
        "{} has {here} of the secrets of role {}; it takes {threshold}",
        dir.display(), role.name()
    )]
    TooFew {
        /// The role.
        role: Role,
        /// The folder.
        dir: PathBuf,
        /// How many are here.
        here: usize,
        /// How many it takes.
        threshold: usize,
    },
    /// A root that is not to be believed.
    #[error("the root {} is refused", path.display())]
    Root {
        /// The file.
        path: PathBuf,
        /// Why.
        source: TrustError,
    },
    /// What was given for a public key is none.
    #[error(
        "`{0}` is no public key: give 64 hexadecimal digits, as `segue keys generate` prints them"
    )]
    Public(String),
    /// A change that would leave a role with fewer keys than it takes.
    #[error("role {} would have {keys} keys and take {threshold} of them", role.name())]
    Threshold {
        /// The role.
        role: Role,
        /// Its keys.
        keys: usize,
        /// How many it would take.
        threshold: usize,
    },
    /// No key of these may sign the root.
    #[error("none of the secrets in {} is one of this root's or of the one before: pass --keys with the folder of one that is", .0.display())]
    Stranger(PathBuf),
}

impl KeysError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    /// The same of this file, where it was of the one that a root is to become.
    pub(super) fn at(self, path: &Path) -> Self {
        let path = path.to_owned();
        match self {
            Self::Root { source, .. } => Self::Root { path, source },
            Self::Json { source, .. } => Self::Json { path, source },
            other => other,
        }
    }
}
