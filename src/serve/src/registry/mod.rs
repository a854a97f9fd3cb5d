//! The registry: the models in force, what leads to them, and every blob that is still needed, as plain files.
//!
//! ```text
//! manifest            which models are in force, signed: segue_core::manifest
//! blob/<hash>         the bytes of a section or a delta, named by their SHA-256
//! blob/<hash>.br      the same in Brotli …
//! blob/<hash>.zst     … and in Zstandard, where that saves a sixteenth or more
//! root/<version>      every root that there was: an envelope each, never changed
//! release/<version>   every release that was in force and was not yet collected: likewise
//! lock                held while somebody writes; of a folder only
//! ```
//!
//! A registry is a folder, or the objects under a prefix of a bucket ([`Registry::create`]). Any web server or CDN that
//! answers with these files serves it. Readers pass over fields and files that they do not know.
//!
//! **Whatever changes a registry** (a publication, a roll-out, a rollback, a new timestamp) writes blobs, roots and the
//! release that goes out of force first, makes them durable, and then puts the manifest in the place of the one that it
//! started from: by a rename under a lock in a folder, by a conditional put in a bucket. Blobs are never changed. So a
//! reader always finds one whole release, an interruption at any point leaves the old one in force, and doing the same
//! again completes the work. Of two who write at once one is told to try again.
//!
//! **What is signed is checked before it is built upon.** Whoever can write to a folder could otherwise have a publisher
//! sign what they put there.

mod change;
mod deltas;
mod encoding;
mod error;
mod gc;
mod hash;
mod publish;
mod read;
mod rollout;
mod site;
mod trusted;

use segue_core::manifest::{MAX_BYTES, MAX_SECTION_BYTES};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub use change::{Expiry, Options};
pub use encoding::Encoding;
pub use error::RegistryError;
pub use gc::{Collected, Collecting};
pub use hash::{BlobHash, MalformedHash};
pub use publish::Published;
pub use read::InForce;
pub use rollout::Released;

use crate::files::{self, Bucket, FilesError, Layout, Store};
use site::Site;

/// The name of the file that says what is in force.
const MANIFEST: &str = "manifest";

/// The files of a registry that is a folder.
const LAYOUT: Layout = Layout {
    folders: &["blob", "release", "root"],
    ours: |folder, name| match folder {
        "" => name == MANIFEST,
        "blob" => hash_of(name).is_some(),
        _ => name.parse::<u64>().is_ok(),
    },
};

/// Where a registry lies. Nothing of it is kept in memory: every call reads what is in force. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Registry {
    place: PathBuf,
    store: Arc<dyn Store>,
}

impl Registry {
    /// Opens the registry at `place`, a folder or a URL such as `s3://bucket/prefix`. A folder is made where it is not there
    /// yet; a bucket must be.
    pub fn create(place: impl Into<PathBuf>) -> Result<Self, RegistryError> {
        Self::at(place.into(), files::create)
    }

    /// Opens the registry at `place`, which must be there; it may be empty. An `http` or `https` URL is that of whoever
    /// serves it, such as `https://example.org/v1/`: it can be read.
    pub fn open(place: impl Into<PathBuf>) -> Result<Self, RegistryError> {
        Self::at(place.into(), files::open)
    }

    fn at(
        place: PathBuf,
        open: impl FnOnce(&Path, Layout) -> Result<Arc<dyn Store>, FilesError>,
    ) -> Result<Self, RegistryError> {
        let store: Arc<dyn Store> = match site::url_of(&place) {
            Some(url) => Arc::new(Site::open(place.clone(), url)?),
            None => open(&place, LAYOUT)?,
        };
        Ok(Self { place, store })
    }

    /// The registry of the objects under `prefix`, wherever they are; `place` is what errors call it.
    pub fn over(
        objects: Arc<dyn object_store::ObjectStore>,
        prefix: &str,
        place: impl Into<PathBuf>,
    ) -> Result<Self, RegistryError> {
        let place = place.into();
        let store = Arc::new(Bucket::over(objects, prefix, place.clone())?);
        Ok(Self { place, store })
    }

    /// Whether a place is that of a bucket, not of a folder.
    pub fn is_url(place: &Path) -> bool {
        files::url_of(place).is_some()
    }

    /// The folder, or the URL.
    pub fn dir(&self) -> &Path {
        &self.place
    }

    /// How long what was read of the manifest may be told as what is there.
    pub(crate) fn patience(&self) -> Duration {
        self.store.patience()
    }

    /// The manifest as it is stored, not yet checked.
    pub(crate) fn manifest_file(&self) -> Result<Option<Vec<u8>>, RegistryError> {
        Ok(self.store.read(MANIFEST, MAX_MANIFEST_BYTES)?.map(|seen| seen.bytes))
    }

    /// A root as it is stored, not yet checked.
    pub(crate) fn root_file(&self, version: u64) -> Result<Option<Vec<u8>>, RegistryError> {
        let file = self.store.read(&root_name(version), MAX_MANIFEST_BYTES)?;
        Ok(file.map(|seen| seen.bytes))
    }

    /// The bytes of a blob, checked against its hash.
    pub fn blob(&self, hash: BlobHash) -> Result<Vec<u8>, RegistryError> {
        let name = blob_name(hash);
        let found = self.store.read(&name, MAX_SECTION_BYTES)?;
        let bytes = found.ok_or_else(|| RegistryError::Missing(self.path(&name)))?.bytes;
        if BlobHash::of(&bytes) == hash {
            Ok(bytes)
        } else {
            Err(RegistryError::Damaged(self.path(&name)))
        }
    }

    /// The blob with content `bytes` in a coding, where it is stored so, checked by decoding it.
    pub fn coded(
        &self,
        hash: BlobHash,
        encoding: Encoding,
        bytes: &[u8],
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        let name = coded_name(hash, encoding);
        match self.store.read(&name, MAX_SECTION_BYTES)? {
            Some(coded) if !encoding.decodes_to(&coded.bytes, bytes) => {
                Err(RegistryError::Damaged(self.path(&name)))
            }
            coded => Ok(coded.map(|seen| seen.bytes)),
        }
    }

    /// Where a file is, for a person.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.place.join(name)
    }

    pub(crate) fn manifest_path(&self) -> PathBuf {
        self.path(MANIFEST)
    }

    pub(crate) fn blob_path(&self, hash: BlobHash) -> PathBuf {
        self.path(&blob_name(hash))
    }
}

/// Largest manifest that is read, in bytes: its documents lie in it as strings, in which some characters take two bytes.
const MAX_MANIFEST_BYTES: u64 = 2 * MAX_BYTES as u64;

fn blob_name(hash: BlobHash) -> String {
    format!("blob/{hash}")
}

fn coded_name(hash: BlobHash, encoding: Encoding) -> String {
    format!("blob/{hash}{}", encoding.suffix())
}

fn root_name(version: u64) -> String {
    format!("root/{version}")
}

fn release_name(version: u64) -> String {
    format!("release/{version}")
}

/// The blob that a file of this name holds, or a coding of.
fn hash_of(name: &str) -> Option<BlobHash> {
    let suffixes = Encoding::ALL.map(Encoding::suffix);
    let hash = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
    hash.parse().ok()
}
