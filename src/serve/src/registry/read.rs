//! What is in force, read and checked.

use segue_core::{
    bytes::Aligned,
    manifest::{Envelope, MAX_BYTES, Manifest, ManifestError, ModelRef, Release},
    model::{Model, SectionId, SectionKind},
    trust::{Root, Timestamp},
};
use serde::de::DeserializeOwned;
use std::{collections::BTreeSet, path::PathBuf};

use super::{
    BlobHash, Encoding, MAX_MANIFEST_BYTES, MalformedHash, Registry, RegistryError, blob_name,
    release_name, root_name,
};

/// What is in force: the manifest, and what its documents say. Sound, but not checked against any key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// The documents as they were signed.
    pub manifest: Manifest,
    /// What is in force.
    pub release: Release,
    /// Whose keys sign; `None` where nobody's do.
    pub root: Option<Root>,
    /// Which release is the latest; `None` where nobody signs.
    pub timestamp: Option<Timestamp>,
}

impl InForce {
    /// The model that is for all devices: a release that was validated has one.
    pub fn model(&self) -> &ModelRef {
        &self.release.models[0]
    }
}

impl Registry {
    /// What is in force, or `None` where nothing was published yet.
    pub fn in_force(&self) -> Result<Option<InForce>, RegistryError> {
        self.manifest_file()?.map(|json| self.parse(&json)).transpose()
    }

    /// The release in force, or `None` where nothing was published yet.
    pub fn release(&self) -> Result<Option<Release>, RegistryError> {
        Ok(self.in_force()?.map(|in_force| in_force.release))
    }

    /// Reads and validates a manifest and all that it says.
    pub(crate) fn parse(&self, json: &[u8]) -> Result<InForce, RegistryError> {
        let path = self.manifest_path();
        let refused = |source| self.refused(source);
        // Of another format only the number is known to be there.
        let Format { format } = from_json(&path, json)?;
        if format != segue_core::manifest::FORMAT {
            return Err(refused(ManifestError::Format(format)));
        }
        let manifest: Manifest = from_json(&path, json)?;
        manifest.validate().map_err(refused)?;
        let release: Release = from_json(&path, manifest.release.signed.as_bytes())?;
        release.validate().map_err(refused)?;
        let root = manifest.root.as_ref().map(|root| self.parse_root(&path, root)).transpose()?;
        let timestamp = manifest.timestamp.as_ref();
        let timestamp: Option<Timestamp> =
            timestamp.map(|found| from_json(&path, found.signed.as_bytes())).transpose()?;
        timestamp.as_ref().map_or(Ok(()), Timestamp::validate).map_err(refused)?;
        Ok(InForce { manifest, release, root, timestamp })
    }

    pub(super) fn parse_root(
        &self,
        path: &std::path::Path,
        envelope: &Envelope,
    ) -> Result<Root, RegistryError> {
        let root: Root = from_json(path, envelope.signed.as_bytes())?;
        root.validate()
            .map_err(|source| RegistryError::Distrusted { path: path.to_owned(), source })?;
        Ok(root)
    }

    /// A root, of which there is one for each version.
    pub(crate) fn root(&self, version: u64) -> Result<(Envelope, Root), RegistryError> {
        let path = self.path(&root_name(version));
        let json = self.root_file(version)?.ok_or_else(|| RegistryError::Missing(path.clone()))?;
        let envelope: Envelope = from_json(&path, &json)?;
        let root = self.parse_root(&path, &envelope)?;
        Ok((envelope, root))
    }

    /// The releases that were in force and are still here, the latest first.
    pub(super) fn archive(&self) -> Result<Vec<u64>, RegistryError> {
        let files = self.store.list("release")?;
        let mut versions: Vec<u64> =
            files.iter().filter_map(|file| file.name.parse().ok()).collect();
        versions.sort_unstable_by(|a, b| b.cmp(a));
        Ok(versions)
    }

    /// A release that was in force, or `None` where it is not here.
    pub(super) fn archived(
        &self,
        version: u64,
    ) -> Result<Option<(Envelope, Release)>, RegistryError> {
        let name = release_name(version);
        let Some(file) = self.store.read(&name, MAX_MANIFEST_BYTES)? else { return Ok(None) };
        let path = self.path(&name);
        let envelope: Envelope = from_json(&path, &file.bytes)?;
        if envelope.signed.len() > MAX_BYTES {
            return Err(RegistryError::Damaged(path));
        }
        let release: Release = from_json(&path, envelope.signed.as_bytes())?;
        match release.validate() {
            Ok(()) if release.version == version => Ok(Some((envelope, release))),
            Ok(()) => Err(RegistryError::Damaged(path)),
            Err(source) => Err(RegistryError::Manifest { path, source }),
        }
    }

    /// What is in force and the model of all devices, every blob checked against its hash. Cost: three passes and a copy.
    pub fn load(&self) -> Result<(Release, Model), RegistryError> {
        let release = self.some_in_force()?.release;
        let model = self.load_model(&release.models[0])?;
        Ok((release, model))
    }

    /// A model, every blob checked against its hash.
    pub(crate) fn load_model(&self, model: &ModelRef) -> Result<Model, RegistryError> {
        let mut sections = Vec::new();
        for section in &model.sections {
            let kind = SectionKind::from_name(&section.kind).ok_or_else(|| {
                RegistryError::UnknownSection {
                    path: self.manifest_path(),
                    kind: section.kind.clone(),
                }
            })?;
            let id = SectionId { shard: section.shard, kind };
            sections.push((id, Aligned::copy_of(&self.named(&section.hash, section.bytes)?)));
        }
        Model::from_sections(sections)
            .map_err(|source| RegistryError::Model { path: self.manifest_path(), source })
    }

    /// Checks that every blob in force, and every coding of it, holds what its name says. Returns the release; an error
    /// names the first file that is missing or damaged. Cost: reads and decodes all of them.
    pub fn verify(&self) -> Result<Release, RegistryError> {
        let release = self.some_in_force()?.release;
        for (hash, bytes) in blobs_of(&release) {
            let blob = self.named(hash, bytes)?;
            let hash = self.hash_of(hash)?;
            for encoding in Encoding::ALL {
                self.coded(hash, encoding, &blob)?;
            }
        }
        Ok(release)
    }

    /// The blobs that `release` names and that are not there.
    pub(crate) fn missing(&self, release: &Release) -> Result<Vec<PathBuf>, RegistryError> {
        let mut missing = Vec::new();
        for hash in blobs_of(release).map(|(hash, _)| hash).collect::<BTreeSet<_>>() {
            let name = blob_name(self.hash_of(hash)?);
            if self.store.len(&name)?.is_none() {
                missing.push(self.path(&name));
            }
        }
        Ok(missing)
    }

    pub(crate) fn some_in_force(&self) -> Result<InForce, RegistryError> {
        self.in_force()?.ok_or_else(|| RegistryError::Empty(self.place.clone()))
    }

    /// The bytes of a blob that a release names, checked against its hash and its length.
    pub(crate) fn named(&self, hash: &str, claimed: u64) -> Result<Vec<u8>, RegistryError> {
        let hash = self.hash_of(hash)?;
        let bytes = self.blob(hash)?;
        if u64::try_from(bytes.len()) == Ok(claimed) {
            Ok(bytes)
        } else {
            Err(RegistryError::Length { path: self.blob_path(hash), claimed })
        }
    }

    pub(super) fn hash_of(&self, hash: &str) -> Result<BlobHash, RegistryError> {
        let parsed = hash.parse();
        parsed.map_err(|MalformedHash| self.refused(ManifestError::Hash(hash.into())))
    }

    pub(super) fn refused(&self, source: ManifestError) -> RegistryError {
        RegistryError::Manifest { path: self.manifest_path(), source }
    }
}

/// What a manifest of any format has.
#[derive(serde::Deserialize)]
struct Format {
    format: u32,
}

/// The hashes and lengths of all that a release names.
pub(super) fn blobs_of(release: &Release) -> impl Iterator<Item = (&str, u64)> {
    release.models.iter().flat_map(|model| {
        let sections = model.sections.iter().map(|section| (section.hash.as_str(), section.bytes));
        sections.chain(model.deltas.iter().map(|delta| (delta.hash.as_str(), delta.bytes)))
    })
}

pub(super) fn from_json<T: DeserializeOwned>(
    path: &std::path::Path,
    json: &[u8],
) -> Result<T, RegistryError> {
    serde_json::from_slice(json)
        .map_err(|source| RegistryError::Json { path: path.to_owned(), source })
}
