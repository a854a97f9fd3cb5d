//! Files by name, in a folder or under a prefix of a bucket: what a registry and a lake are made of.

mod bucket;
mod error;
mod folder;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

pub(crate) use bucket::Bucket;
pub(crate) use error::FilesError;
pub(crate) use folder::Folder;

/// Which files of a folder are somebody's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// Folders that are made where they are not there.
    pub(crate) folders: &'static [&'static str],
    /// Whether a name in one of them, or beside them in `""`, is one that files get: what an interrupted write left of
    /// such a file is removed.
    pub(crate) ours: fn(folder: &str, name: &str) -> bool,
}

/// Opens a place, a folder or a URL such as `s3://bucket/prefix`; a folder is made where it is not there yet.
pub(crate) fn create(place: &Path, layout: Layout) -> Result<Arc<dyn Store>, FilesError> {
    at(place, |place| Folder::create(place, layout))
}

/// Opens a place that must be there.
pub(crate) fn open(place: &Path, layout: Layout) -> Result<Arc<dyn Store>, FilesError> {
    at(place, |place| Folder::open(place, layout))
}

fn at(
    place: &Path,
    folder: impl FnOnce(PathBuf) -> Result<Folder, FilesError>,
) -> Result<Arc<dyn Store>, FilesError> {
    Ok(match url_of(place) {
        Some(url) => Arc::new(Bucket::open(place.to_owned(), url)?),
        None => Arc::new(folder(place.to_owned())?),
    })
}

/// What a place that is no folder has between its scheme and the rest.
const SCHEME: &str = "://";

/// The URL that a place is, where it is no folder.
pub(crate) fn url_of(place: &Path) -> Option<&str> {
    place.to_str().filter(|place| place.contains(SCHEME))
}

/// A place for files with names like `manifest` and `blob/<hash>`. Each is there whole or not at all.
pub(crate) trait Store: fmt::Debug + Send + Sync {
    /// A file of at most `limit` bytes, or `None` where there is no such file.
    fn read(&self, name: &str, limit: u64) -> Result<Option<Seen>, FilesError>;

    /// The length of a file, or `None` where there is no such file.
    fn len(&self, name: &str) -> Result<Option<u64>, FilesError>;

    /// Puts a file where there may be one already. It outlives a power failure after [`Self::settle`].
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FilesError>;

    /// Puts a file where there may be one already, in a folder that is made where it is not there; durable at once.
    fn write_durably(&self, name: &str, bytes: &[u8]) -> Result<(), FilesError>;

    /// Puts a file in the place of the one that was `seen`, or where there was none, and makes it durable; an error where
    /// somebody else did so meanwhile.
    fn swap(&self, name: &str, seen: Option<&Seen>, bytes: &[u8]) -> Result<(), FilesError>;

    /// Removes a file, where it is there and, where a time is given, was not written after it. Returns whether it did.
    fn remove(&self, name: &str, before: Option<SystemTime>) -> Result<bool, FilesError>;

    /// The files of a folder and of those in it, by their names from there on.
    fn list(&self, folder: &str) -> Result<Vec<Entry>, FilesError>;

    /// Makes the files of a folder durable.
    fn settle(&self, folder: &str) -> Result<(), FilesError>;

    /// Keeps others from writing while the value lives, where it can; an error where somebody else does so.
    fn lock(&self) -> Result<Lock, FilesError>;

    /// How long what was read may be told as what is there: looking again costs.
    fn patience(&self) -> Duration;
}

/// A file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// What it holds.
    pub(crate) bytes: Vec<u8>,
    /// What tells it from others of its name, where the store says so.
    pub(crate) tag: Option<String>,
}

/// A file of a folder.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its name from the folder that was listed on.
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) modified: SystemTime,
}

/// Held while somebody writes.
#[derive(Debug)]
pub(crate) struct Lock(pub(crate) Option<std::fs::File>);

impl Lock {
    /// Whether nobody else can write meanwhile.
    pub(crate) const fn is_exclusive(&self) -> bool {
        self.0.is_some()
    }
}
