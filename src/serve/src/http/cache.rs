//! Blobs in memory, checked when they are read and ready to be sent.

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue},
};
use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{sync::OnceCell, task::spawn_blocking};

use super::{
    negotiate::{self, Weight},
    problem,
};
use crate::registry::{BlobHash, Encoding, Registry, RegistryError};

/// One form of a blob.
pub(super) struct Representation {
    pub(super) body: Bytes,
    pub(super) etag: HeaderValue,
    pub(super) encoding: Option<Encoding>,
}

/// A blob in every form that is stored, smallest first.
pub(super) struct Blob(Vec<Representation>);

impl Blob {
    /// The form that the request wants most and, of several, the smallest; `None` where it refuses
    /// all of them.
    pub(super) fn negotiate(&self, headers: &HeaderMap) -> Option<&Representation> {
        let mut best: Option<(Weight, &Representation)> = None;
        for form in &self.0 {
            let weight = negotiate::weight(headers, form.encoding.map(Encoding::token));
            if weight > best.map_or(0, |(weight, _)| weight) {
                best = Some((weight, form));
            }
        }
        best.map(|(_, form)| form)
    }

    fn read(registry: &Registry, hash: BlobHash) -> Result<Self, RegistryError> {
        let bytes = registry.blob(hash)?;
        let mut forms = Vec::new();
        for encoding in Encoding::ALL {
            match registry.coded(hash, encoding, &bytes) {
                Ok(Some(coded)) => forms.push(Representation::new(hash, Some(encoding), coded)),
                Ok(None) => {}
                // The listener can do without it, and the operator should know.
                Err(error) => tracing::warn!("{}", problem::chain(&error)),
            }
        }
        forms.push(Representation::new(hash, None, bytes));
        forms.sort_by_key(|form| form.body.len());
        Ok(Self(forms))
    }

    fn size(&self) -> usize {
        self.0.iter().map(|form| form.body.len()).sum()
    }
}

impl Representation {
    fn new(hash: BlobHash, encoding: Option<Encoding>, body: Vec<u8>) -> Self {
        let etag = negotiate::etag(hash, encoding.map_or("", Encoding::suffix));
        Self { body: body.into(), etag, encoding }
    }
}

/// Blobs read so far, up to a total size; the least recently used go first.
pub(super) struct BlobCache {
    registry: Registry,
    limit: usize,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    by_hash: HashMap<BlobHash, Slot>,
    clock: u64,
}

struct Slot {
    /// Empty while the blob is being read. All who ask meanwhile wait for the one reading.
    blob: Arc<OnceCell<Arc<Blob>>>,
    used: u64,
}

impl BlobCache {
    /// Reads from `registry` and keeps up to `limit` bytes, or one blob where that is larger.
    pub(super) fn new(registry: Registry, limit: usize) -> Self {
        Self { registry, limit, slots: Mutex::default() }
    }

    /// The blob with this hash, from memory where it is there.
    pub(super) async fn get(&self, hash: BlobHash) -> Result<Arc<Blob>, RegistryError> {
        let cell = self.slot(hash);
        if let Some(blob) = cell.get() {
            return Ok(blob.clone());
        }
        let blob = cell.get_or_try_init(|| self.read(hash)).await.cloned();
        drop(cell);
        self.tidy();
        blob
    }

    async fn read(&self, hash: BlobHash) -> Result<Arc<Blob>, RegistryError> {
        let registry = self.registry.clone();
        let blob = spawn_blocking(move || Blob::read(&registry, hash)).await;
        let path = self.registry.blob_path(hash);
        blob.map_err(|error| RegistryError::io("read", &path)(io::Error::from(error)))?
            .map(Arc::new)
    }

    fn slot(&self, hash: BlobHash) -> Arc<OnceCell<Arc<Blob>>> {
        let mut slots = self.lock();
        slots.clock += 1;
        let used = slots.clock;
        let slot = slots.by_hash.entry(hash).or_insert_with(|| Slot { blob: Arc::default(), used });
        slot.used = used;
        slot.blob.clone()
    }

    /// Drops slots that nobody fills, so that requests for unknown hashes leave nothing behind,
    /// and then the least recently used blobs beyond the limit.
    fn tidy(&self) {
        let mut slots = self.lock();
        let slots = &mut slots.by_hash;
        slots.retain(|_, slot| slot.blob.initialized() || Arc::strong_count(&slot.blob) > 1);
        loop {
            let loaded =
                || slots.iter().filter_map(|(hash, slot)| Some((hash, slot, slot.blob.get()?)));
            let total: usize = loaded().map(|(_, _, blob)| blob.size()).sum();
            if total <= self.limit || loaded().nth(1).is_none() {
                return;
            }
            let oldest = loaded().min_by_key(|(_, slot, _)| slot.used).map(|(hash, ..)| *hash);
            oldest.and_then(|hash| slots.remove(&hash));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        // Every change is complete before anything could panic.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
