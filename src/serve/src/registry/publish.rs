//! Putting a model into force.

use segue_core::{
    manifest::{ModelRef, Release, SectionRef},
    model::{Model, SectionId},
    trust::Role,
};
use std::{
    borrow::Cow,
    collections::BTreeSet,
    num::NonZero,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::{
    BlobHash, Encoding, InForce, Options, Registry, RegistryError, blob_name, change::Before,
    coded_name, encoding::Effort, read::blobs_of, trusted::vouches,
};

/// How often a change is tried again where somebody else was first.
const ATTEMPTS: usize = 5;

/// What a publication did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The version of the model.
    pub version: u64,
    /// The version of the release in force afterwards.
    pub release: u64,
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
    /// Number of deltas that lead to the model.
    pub deltas: usize,
    /// Bytes of those from the model that was in force before, of all shards; `None` where not all that changed is told so.
    pub delta_bytes: Option<u64>,
}

/// Bytes on their way to a blob.
pub(super) struct Part<'a> {
    pub(super) hash: BlobHash,
    pub(super) bytes: Cow<'a, [u8]>,
}

impl<'a> Part<'a> {
    pub(super) fn new(bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        let bytes = bytes.into();
        Self { hash: BlobHash::of(&bytes), bytes }
    }

    pub(super) fn len(&self) -> u64 {
        // A length in memory fits 64 bits on every target.
        self.bytes.len() as u64
    }

    fn reference(&self, id: SectionId) -> SectionRef {
        let SectionId { shard, kind } = id;
        let (kind, hash) = (kind.name().into(), self.hash.to_string());
        SectionRef { kind, shard, hash, bytes: self.len() }
    }
}

impl Registry {
    /// Puts `model` into force with the next release. Blobs that are there already are checked and kept; a damaged one is
    /// repaired. With a share, it is put beside the model that is in force, as a candidate.
    ///
    /// Only one process publishes to a folder at a time: a second one gets [`RegistryError::Locked`] at once. To a bucket
    /// several may; all but the first begin again. After any error the old release is in force, and calling again
    /// completes the work.
    ///
    /// Cost: some seconds for each MiB of new text, little for new factors; as much again as reading the model for each
    /// earlier one that a delta is made from; on all cores.
    pub fn publish(
        &self,
        model: &Model,
        options: &Options<'_>,
    ) -> Result<Published, RegistryError> {
        self.attempt(|| self.publish_once(model, options))
    }

    /// Does a change again where somebody else was first.
    pub(super) fn attempt<T>(
        &self,
        change: impl Fn() -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        let mut done = change();
        for _ in 1..ATTEMPTS {
            if !matches!(done, Err(RegistryError::Overtaken(_))) {
                break;
            }
            done = change();
        }
        done
    }

    fn publish_once(
        &self,
        model: &Model,
        options: &Options<'_>,
    ) -> Result<Published, RegistryError> {
        let before = self.begin(options)?;
        let (sections, parts): (Vec<SectionRef>, Vec<Part<'_>>) = model
            .sections()
            .map(|(id, bytes)| (id, Part::new(bytes)))
            .map(|(id, part)| (part.reference(id), part))
            .unzip();
        let version = self.next_version(&before)?;
        let fresh = ModelRef { version, share: None, sections, deltas: Vec::new() };
        fresh.validate().map_err(|source| self.refused(source))?;

        let sections_new = self.write_new(&before, &parts)?;
        let (release, deltas_new) = self.following(&before, fresh, model, options)?;
        let changed = deltas_new.is_some();
        if let Some(deltas) = deltas_new {
            self.write_new(&before, &deltas)?;
            self.put(&before, &release, options)?;
            self.complete(&before, parts.iter().chain(&deltas))?;
        } else {
            self.refresh_where_due(&before, options)?;
        }
        // The one that was published is the last.
        let entry = release.models.last().unwrap_or(&release.models[0]);
        Ok(Published {
            version: entry.version,
            release: release.version,
            changed,
            sections: parts.len(),
            sections_new,
            bytes: entry.sections.iter().map(|section| section.bytes).sum(),
            bytes_sent: parts.iter().map(|part| self.bytes_sent(part.hash, part.len())).sum(),
            deltas: entry.deltas.len(),
            delta_bytes: before.base().and_then(|base| step(base.model(), entry)),
        })
    }

    /// The release that puts a model into force, and the new deltas that it names; that which is in force, and `None`,
    /// where the model is and need not be signed anew.
    fn following<'a>(
        &self,
        before: &Before,
        fresh: ModelRef,
        model: &Model,
        options: &Options<'_>,
    ) -> Result<(Release, Option<Vec<Part<'a>>>), RegistryError> {
        let version = fresh.version;
        let known = before.base().map_or(&[][..], |base| &base.release.models);
        let same = known.iter().find(|known| known.sections == fresh.sections);
        let alike = same.filter(|same| same.share == options.share);
        if let (Some(base), Some(alike)) = (before.base(), alike)
            && known.last() == Some(alike)
            && self.has_deltas(alike)
            && !self.is_stale(base, options)
        {
            return Ok((base.release.clone(), None));
        }
        let (mut entry, deltas) = match same {
            Some(same) if self.has_deltas(same) => (same.clone(), Vec::new()),
            Some(same) => {
                let anew = ModelRef { version: same.version, ..fresh };
                self.with_deltas(before, anew, model, options)?
            }
            None => self.with_deltas(before, fresh, model, options)?,
        };
        entry.share = options.share;
        let mut models = vec![entry];
        if options.share.is_some() {
            let all =
                known.first().ok_or_else(|| RegistryError::NothingForAll(self.place.clone()))?;
            if all.version == models[0].version {
                return Err(RegistryError::ForAll {
                    place: self.place.clone(),
                    version: all.version,
                });
            }
            models.insert(0, all.clone());
        }
        Ok((self.release_of(version, models, options), Some(deltas)))
    }

    /// A release of these models.
    pub(super) fn release_of(
        &self,
        version: u64,
        models: Vec<ModelRef>,
        options: &Options<'_>,
    ) -> Release {
        let expires = options.now_ms.saturating_add(options.expiry.release_ms);
        Release {
            version,
            created_at: options.now_ms,
            expires: options.keys.map(|_| expires),
            models,
        }
    }

    /// Whether the release in force is to be signed anew, though nothing of it changes.
    pub(super) fn is_stale(&self, base: &InForce, options: &Options<'_>) -> bool {
        let Some(root) = options.keys.and_then(|keys| keys.root().ok()) else { return false };
        let due = |expires| options.is_due(expires, options.expiry.release_ms);
        base.release.expires.is_none_or(due)
            || !vouches(root, Role::Release, &base.manifest.release)
    }

    /// Writes the blobs that are not there, compressing them side by side, and makes them durable. Returns how many were
    /// written.
    pub(super) fn write_new(
        &self,
        before: &Before,
        parts: &[Part<'_>],
    ) -> Result<usize, RegistryError> {
        let in_force: BTreeSet<&str> = before
            .in_force
            .iter()
            .flat_map(|found| blobs_of(&found.release))
            .map(|(hash, _)| hash)
            .collect();
        // One that nothing in force needs may be being collected, unless the lock keeps that from happening; written anew
        // it is too young to be.
        let stays = |part: &Part<'_>| {
            before.lock.is_exclusive() || in_force.contains(part.hash.to_string().as_str())
        };
        // Two deltas may be the same bytes, and are one blob then.
        let mut named = BTreeSet::new();
        let apart = parts.iter().filter(|part| named.insert(part.hash.to_string()));
        let new: Vec<&Part<'_>> = apart.filter(|part| !(stays(part) && self.holds(part))).collect();
        side_by_side(&new, |part| self.write(part))?;
        // Blobs that were there already may come from a publication that was interrupted here.
        self.store.settle("blob")?;
        Ok(new.len())
    }

    /// Writes once more what somebody else removed since it was looked for, where the lock does not keep them from it.
    fn complete<'a, 'b: 'a>(
        &self,
        before: &Before,
        parts: impl Iterator<Item = &'a Part<'b>>,
    ) -> Result<(), RegistryError> {
        if before.lock.is_exclusive() {
            return Ok(());
        }
        for part in parts {
            if self.store.len(&blob_name(part.hash))?.is_none() {
                self.write(part)?;
            }
        }
        Ok(())
    }

    /// Whether the deltas of a model are here, and sound.
    fn has_deltas(&self, model: &ModelRef) -> bool {
        model.deltas.iter().all(|delta| self.named(&delta.hash, delta.bytes).is_ok())
    }

    /// Whether the blob is here, and it and its codings are sound.
    fn holds(&self, part: &Part<'_>) -> bool {
        self.blob(part.hash).is_ok_and(|found| part.bytes == found)
            && Encoding::ALL
                .into_iter()
                .all(|encoding| self.coded(part.hash, encoding, &part.bytes).is_ok())
    }

    /// Writes the codings of a blob and then the blob, so that where a blob is, its codings are.
    fn write(&self, part: &Part<'_>) -> Result<(), RegistryError> {
        let effort = Effort::worth(&part.bytes);
        for encoding in Encoding::ALL {
            let name = coded_name(part.hash, encoding);
            let coded = effort.map(|effort| encoding.encode(&part.bytes, effort)).transpose();
            let path = self.path(&name);
            match coded.map_err(RegistryError::io("compress", &path))?.flatten() {
                Some(coded) => self.store.write(&name, &coded)?,
                None => {
                    self.store.remove(&name, None)?;
                }
            }
        }
        Ok(self.store.write(&blob_name(part.hash), &part.bytes)?)
    }

    /// Bytes of a blob as it is sent to whoever takes any coding.
    pub(super) fn bytes_sent(&self, hash: BlobHash, len: u64) -> u64 {
        Encoding::ALL
            .into_iter()
            .filter_map(|encoding| self.store.len(&coded_name(hash, encoding)).ok().flatten())
            .fold(len, u64::min)
    }
}

/// Bytes from one model to the next for a device that has all of it, where deltas tell them all.
fn step(from: &ModelRef, to: &ModelRef) -> Option<u64> {
    let shards: BTreeSet<u8> = to.sections.iter().map(|section| section.shard).collect();
    let wanted: Vec<segue_core::plan::Wanted> = shards
        .into_iter()
        .map(|shard| segue_core::plan::Wanted { shard, have: Some(from.version) })
        .collect();
    let plan = segue_core::plan::plan(to, &wanted, |section| from.sections.contains(section));
    (!plan.deltas.is_empty()).then_some(plan.bytes)
}

/// Does the same with each of several things, on all cores, and stops at the first error.
pub(super) fn side_by_side<T: Sync, R: Send>(
    things: &[T],
    work: impl Fn(&T) -> Result<R, RegistryError> + Sync,
) -> Result<Vec<R>, RegistryError> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let worker = || -> Result<(), RegistryError> {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(thing) = things.get(at) else { return Ok(()) };
            let result = work(thing)?;
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(things.len());
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|e| std::panic::resume_unwind(e)))
    })?;
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}
