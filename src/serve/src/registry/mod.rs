//! The registry: a plain folder with the version in force and every blob ever published.
//!
//! ```text
//! DIR/manifest          JSON of segue_core::manifest::Manifest
//! DIR/blob/<hash>       the bytes of a section, named by their SHA-256
//! DIR/blob/<hash>.br    the same in Brotli …
//! DIR/blob/<hash>.zst   … and in Zstandard, where that saves a sixteenth or more
//! DIR/lock              held while somebody publishes
//! ```
//!
//! Readers pass over fields of the manifest and files of the folder that they do not know.
//!
//! Publishing writes the blobs first, makes them durable, then replaces the manifest by a rename.
//! Blobs are never changed or removed. So a reader always finds one whole version, an
//! interruption at any point leaves the old version in force, and publishing again completes
//! the work.

mod encoding;
mod error;
mod files;
mod hash;
mod publish;

use segue_core::{
    bytes::Aligned,
    manifest::{MAX_SECTION_BYTES, Manifest, ManifestError, SectionRef},
    model::{Model, SectionId, SectionKind},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

pub use encoding::Encoding;
pub use error::RegistryError;
pub use hash::{BlobHash, MalformedHash};
pub use publish::Published;

/// The name of the file that says which version is in force.
const MANIFEST: &str = "manifest";

/// Largest manifest that is read, in bytes; one with the most sections has about a hundredth.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;

/// A registry's folder. Nothing is kept in memory: every call reads what is in force.
#[derive(Clone, Debug)]
pub struct Registry {
    dir: PathBuf,
}

impl Registry {
    /// Opens the registry in `dir`, making the folder where it is not there yet.
    pub fn create(dir: impl Into<PathBuf>) -> Result<Self, RegistryError> {
        let registry = Self { dir: dir.into() };
        let blobs = registry.blob_dir();
        fs::create_dir_all(&blobs).map_err(RegistryError::io("create", &blobs))?;
        files::sync_folder(&registry.dir)?;
        if let Ok(dir) = registry.dir.canonicalize()
            && let Some(parent) = dir.parent()
        {
            // Best effort: the folder above need not be ours to open.
            let _ = files::sync_folder(parent);
        }
        Ok(registry)
    }

    /// Opens the registry in `dir`, which must be there; it may be empty.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, RegistryError> {
        let dir = dir.into();
        if dir.is_dir() { Ok(Self { dir }) } else { Err(RegistryError::Absent(dir)) }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The version in force, or `None` where nothing was published yet.
    pub fn manifest(&self) -> Result<Option<Manifest>, RegistryError> {
        self.manifest_file()?.map(|json| self.parse_manifest(&json)).transpose()
    }

    /// What is in force and its model, every blob checked against its hash. Cost: three passes and
    /// a copy.
    pub fn load(&self) -> Result<(Manifest, Model), RegistryError> {
        let mut sections = Vec::new();
        let manifest = self.in_force()?;
        for section in &manifest.sections {
            let kind = SectionKind::from_name(&section.kind).ok_or_else(|| {
                RegistryError::UnknownSection {
                    path: self.manifest_path(),
                    kind: section.kind.clone(),
                }
            })?;
            let id = SectionId { shard: section.shard, kind };
            sections.push((id, Aligned::copy_of(&self.section(section)?)));
        }
        let model = Model::from_sections(sections)
            .map_err(|source| RegistryError::Model { path: self.manifest_path(), source })?;
        Ok((manifest, model))
    }

    /// Checks that every blob in force, and every coding of it, holds what its name says. Returns
    /// the manifest; an error names the first file that is missing or damaged. Cost: reads and
    /// decodes all of them.
    pub fn verify(&self) -> Result<Manifest, RegistryError> {
        let manifest = self.in_force()?;
        for section in &manifest.sections {
            let bytes = self.section(section)?;
            let hash = self.hash_of(section)?;
            for encoding in Encoding::ALL {
                self.coded(hash, encoding, &bytes)?;
            }
        }
        Ok(manifest)
    }

    /// The bytes of a blob, checked against its hash.
    pub fn blob(&self, hash: BlobHash) -> Result<Vec<u8>, RegistryError> {
        let path = self.blob_path(hash);
        let bytes = files::read(&path, MAX_SECTION_BYTES)?
            .ok_or_else(|| RegistryError::Missing(path.clone()))?;
        if BlobHash::of(&bytes) == hash { Ok(bytes) } else { Err(RegistryError::Damaged(path)) }
    }

    /// The blob with content `bytes` in a coding, where it is stored so, checked by decoding it.
    pub fn coded(
        &self,
        hash: BlobHash,
        encoding: Encoding,
        bytes: &[u8],
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        let path = self.coded_path(hash, encoding);
        match files::read(&path, MAX_SECTION_BYTES)? {
            Some(coded) if !encoding.decodes_to(&coded, bytes) => Err(RegistryError::Damaged(path)),
            coded => Ok(coded),
        }
    }

    /// The manifest as it is stored, not yet checked.
    pub(crate) fn manifest_file(&self) -> Result<Option<Vec<u8>>, RegistryError> {
        files::read(&self.manifest_path(), MAX_MANIFEST_BYTES)
    }

    /// Reads and validates a manifest.
    pub(crate) fn parse_manifest(&self, json: &[u8]) -> Result<Manifest, RegistryError> {
        let manifest: Manifest = serde_json::from_slice(json)
            .map_err(|source| RegistryError::Json { path: self.manifest_path(), source })?;
        manifest.validate().map_err(|source| self.refused(source))?;
        Ok(manifest)
    }

    /// The blobs that `manifest` names and that are not there.
    pub(crate) fn missing(&self, manifest: &Manifest) -> Result<Vec<PathBuf>, RegistryError> {
        let hashes = manifest.sections.iter().map(|section| self.hash_of(section));
        let paths = hashes.map(|hash| Ok(self.blob_path(hash?)));
        paths.filter(|path| path.as_ref().map_or(true, |path| !path.exists())).collect()
    }

    fn in_force(&self) -> Result<Manifest, RegistryError> {
        self.manifest()?.ok_or_else(|| RegistryError::Empty(self.dir.clone()))
    }

    /// The bytes of a section, checked against its hash and its length.
    fn section(&self, section: &SectionRef) -> Result<Vec<u8>, RegistryError> {
        let hash = self.hash_of(section)?;
        let bytes = self.blob(hash)?;
        if u64::try_from(bytes.len()) == Ok(section.bytes) {
            Ok(bytes)
        } else {
            Err(RegistryError::Length { path: self.blob_path(hash), claimed: section.bytes })
        }
    }

    fn hash_of(&self, section: &SectionRef) -> Result<BlobHash, RegistryError> {
        let hash = section.hash.parse();
        hash.map_err(|MalformedHash| self.refused(ManifestError::Hash(section.kind.clone())))
    }

    fn refused(&self, source: ManifestError) -> RegistryError {
        RegistryError::Manifest { path: self.manifest_path(), source }
    }

    pub(crate) fn manifest_path(&self) -> PathBuf {
        self.dir.join(MANIFEST)
    }

    fn blob_dir(&self) -> PathBuf {
        self.dir.join("blob")
    }

    pub(crate) fn blob_path(&self, hash: BlobHash) -> PathBuf {
        self.blob_dir().join(hash.to_string())
    }

    fn coded_path(&self, hash: BlobHash, encoding: Encoding) -> PathBuf {
        files::with_suffix(&self.blob_path(hash), encoding.suffix())
    }
}
