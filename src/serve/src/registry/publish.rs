//! Putting a model into force.

use segue_core::{
    manifest::{self, Manifest, SectionRef},
    model::{Model, SectionId},
};
use std::{
    borrow::Cow,
    fs,
    num::NonZero,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use super::{BlobHash, Encoding, MANIFEST, Registry, RegistryError, encoding::Effort, files};

/// What a publication did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The version in force afterwards.
    pub version: u64,
    /// Whether that is a new one; the model that was in force already changes nothing.
    pub changed: bool,
    /// Number of sections of the model.
    pub sections: usize,
    /// Sections whose blobs were not in the registry, or were damaged there.
    pub sections_new: usize,
    /// Bytes of all sections.
    pub bytes: u64,
    /// Bytes that a browser with an empty cache receives: the smallest coding of each section.
    pub bytes_sent: u64,
}

/// A section on its way to a blob.
struct Part<'a> {
    id: SectionId,
    hash: BlobHash,
    bytes: Cow<'a, [u8]>,
}

impl Registry {
    /// Puts `model` into force as the next version, created at `now_ms` (milliseconds since the
    /// Unix epoch). Blobs that are there already are checked and kept; a damaged one is repaired.
    ///
    /// Only one process publishes at a time: a second one gets [`RegistryError::Locked`] at once.
    /// After any error the old version is in force, and calling again completes the work.
    ///
    /// Cost: some seconds for each MiB of new text, little for new factors; on all cores.
    pub fn publish(&self, model: &Model, now_ms: i64) -> Result<Published, RegistryError> {
        let _lock = files::lock(&self.dir.join("lock"))?;
        files::sweep(&self.dir, |name| name == MANIFEST);
        files::sweep(&self.blob_dir(), is_blob);

        let parts: Vec<Part> = model
            .sections()
            .map(|(id, bytes)| Part { id, hash: BlobHash::of(&bytes), bytes })
            .collect();
        let current = self.manifest()?;
        let next = self.next(current.as_ref(), &parts, now_ms)?;
        let changed = current.is_none_or(|current| current.sections != next.sections);

        let sections_new = self.write_new(&parts)?;
        if changed {
            self.swap_in(&next)?;
        }
        Ok(Published {
            version: if changed { next.version } else { next.version - 1 },
            changed,
            sections: parts.len(),
            sections_new,
            bytes: next.sections.iter().map(|section| section.bytes).sum(),
            bytes_sent: parts.iter().map(|part| self.bytes_sent(part)).sum(),
        })
    }

    /// The manifest of the version after `current`.
    fn next(
        &self,
        current: Option<&Manifest>,
        parts: &[Part],
        now_ms: i64,
    ) -> Result<Manifest, RegistryError> {
        let version = current.map_or(0, |current| current.version).checked_add(1);
        let next = Manifest {
            format: manifest::FORMAT,
            version: version.ok_or_else(|| RegistryError::LastVersion(self.manifest_path()))?,
            created_at: now_ms,
            sections: parts.iter().map(Part::reference).collect(),
        };
        next.validate().map_err(|source| self.refused(source))?;
        Ok(next)
    }

    /// Writes the blobs that are not there, compressing them side by side, and makes them
    /// durable. Returns how many were written.
    fn write_new(&self, parts: &[Part]) -> Result<usize, RegistryError> {
        let new: Vec<&Part> = parts.iter().filter(|part| !self.holds(part)).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(part) = new.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.write(part)?;
            }
            Ok(())
        };
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        thread::scope(|scope| {
            let writers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            writers.into_iter().try_for_each(|writer| {
                writer.join().unwrap_or_else(|e| std::panic::resume_unwind(e))
            })
        })?;
        // Blobs that were there already may come from a publication that was interrupted here.
        files::sync_folder(&self.blob_dir())?;
        Ok(new.len())
    }

    /// Whether the blob is here, and it and its codings are sound.
    fn holds(&self, part: &Part) -> bool {
        fs::read(self.blob_path(part.hash)).is_ok_and(|found| part.bytes == found)
            && Encoding::ALL
                .into_iter()
                .all(|encoding| self.coded(part.hash, encoding, &part.bytes).is_ok())
    }

    /// Writes the codings of a blob and then the blob, so that where a blob is, its codings are.
    fn write(&self, part: &Part) -> Result<(), RegistryError> {
        let effort = Effort::worth(&part.bytes);
        for encoding in Encoding::ALL {
            let path = self.coded_path(part.hash, encoding);
            let coded = effort.map(|effort| encoding.encode(&part.bytes, effort)).transpose();
            match coded.map_err(RegistryError::io("compress", &path))?.flatten() {
                Some(coded) => files::replace(&path, &coded)?,
                None => remove_if_there(&path)?,
            }
        }
        files::replace(&self.blob_path(part.hash), &part.bytes)
    }

    fn swap_in(&self, next: &Manifest) -> Result<(), RegistryError> {
        let path = self.manifest_path();
        let mut json = serde_json::to_vec_pretty(next)
            .map_err(|source| RegistryError::Json { path: path.clone(), source })?;
        json.push(b'\n');
        files::replace(&path, &json)?;
        files::sync_folder(&self.dir)
    }

    fn bytes_sent(&self, part: &Part) -> u64 {
        Encoding::ALL
            .into_iter()
            .filter_map(|encoding| fs::metadata(self.coded_path(part.hash, encoding)).ok())
            .map(|coded| coded.len())
            .fold(part.len(), u64::min)
    }
}

impl Part<'_> {
    fn len(&self) -> u64 {
        // A length in memory fits 64 bits on every target.
        self.bytes.len() as u64
    }

    fn reference(&self) -> SectionRef {
        let SectionId { shard, kind } = self.id;
        let (kind, hash) = (kind.name().into(), self.hash.to_string());
        SectionRef { kind, shard, hash, bytes: self.len() }
    }
}

fn remove_if_there(path: &Path) -> Result<(), RegistryError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(RegistryError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Whether `name` is that of a blob or of a coding of one.
fn is_blob(name: &str) -> bool {
    let suffixes = Encoding::ALL.map(Encoding::suffix);
    let hash = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
    hash.parse::<BlobHash>().is_ok()
}
