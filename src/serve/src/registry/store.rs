//! Where the files of a registry lie.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use super::RegistryError;

/// A place for files with names like `manifest` and `blob/<hash>`. Each is there whole or not at all.
pub(super) trait Store: fmt::Debug + Send + Sync {
    /// A file of at most `limit` bytes, or `None` where there is no such file.
    fn read(&self, name: &str, limit: u64) -> Result<Option<Seen>, RegistryError>;

    /// The length of a file, or `None` where there is no such file.
    fn len(&self, name: &str) -> Result<Option<u64>, RegistryError>;

    /// Puts a file where there may be one already. It outlives a power failure after [`Self::settle`].
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RegistryError>;

    /// Puts a file in the place of the one that was `seen`, or where there was none, and makes it durable; an error where
    /// somebody else did so meanwhile.
    fn swap(&self, name: &str, seen: Option<&Seen>, bytes: &[u8]) -> Result<(), RegistryError>;

    /// Removes a file, where it is there and, where a time is given, was not written after it. Returns whether it did.
    fn remove(&self, name: &str, before: Option<SystemTime>) -> Result<bool, RegistryError>;

    /// The files of a folder.
    fn list(&self, folder: &str) -> Result<Vec<Entry>, RegistryError>;

    /// Makes the files of a folder durable.
    fn settle(&self, folder: &str) -> Result<(), RegistryError>;

    /// Keeps others from writing while the value lives, where it can; an error where somebody else does so.
    fn lock(&self) -> Result<Lock, RegistryError>;

    /// How long what was read of the manifest may be told as what is there: looking again costs.
    fn patience(&self) -> Duration;
}

/// A file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// What it holds.
    pub(super) bytes: Vec<u8>,
    /// What tells it from others of its name, where the store says so.
    pub(super) tag: Option<String>,
}

/// A file of a folder.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its name in the folder.
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) modified: SystemTime,
}

/// Held while somebody writes.
#[derive(Debug)]
pub(super) struct Lock(pub(super) Option<std::fs::File>);

impl Lock {
    /// Whether nobody else can write meanwhile.
    pub(super) const fn is_exclusive(&self) -> bool {
        self.0.is_some()
    }
}
