//! Putting a release into force in the place of another.

use segue_core::{
    manifest::{Envelope, FORMAT, MAX_BYTES, MAX_VERSION, Manifest, ManifestError, Release},
    trust::{Named, Role, Timestamp},
};

use super::{
    BlobHash, InForce, MANIFEST, MAX_MANIFEST_BYTES, Registry, RegistryError, read::from_json,
    release_name, root_name,
};
use crate::{
    files::{Lock, Seen},
    keys::Keys,
};

/// A day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// For how long what is signed is to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// Of a release, in milliseconds. Once it is over, devices keep what they have and take nothing new.
    pub release_ms: i64,
    /// Of a timestamp, in milliseconds: for so long may somebody keep a later release from a device unnoticed.
    pub timestamp_ms: i64,
}

impl Default for Expiry {
    /// A year, and a week.
    fn default() -> Self {
        Self { release_ms: 365 * DAY_MS, timestamp_ms: 7 * DAY_MS }
    }
}

/// How to change a registry.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The time, in milliseconds since the Unix epoch.
    pub now_ms: i64,
    /// What to sign with; nothing is signed where that is `None`.
    pub keys: Option<&'a Keys>,
    /// For how long that is believed.
    pub expiry: Expiry,
    /// From how many earlier models deltas are made.
    pub deltas: usize,
    /// For how many ten-thousandths of devices a model that is published is; for all where that is `None`.
    pub share: Option<u16>,
}

impl Options<'_> {
    /// Without signatures, for all devices, with deltas from five earlier models.
    pub fn at(now_ms: i64) -> Self {
        Self { now_ms, keys: None, expiry: Expiry::default(), deltas: 5, share: None }
    }

    /// Whether what was signed for `lifetime` and expires then is to be signed anew: half of the time is over.
    pub(super) const fn is_due(&self, expires: i64, lifetime: i64) -> bool {
        expires.saturating_sub(self.now_ms) < lifetime / 2
    }
}

/// What a manifest of format 1 has.
#[derive(serde::Deserialize)]
struct Old {
    version: u64,
}

/// What was in force when a change began, and that nobody else makes one.
pub(super) struct Before {
    pub(super) lock: Lock,
    seen: Option<Seen>,
    /// What is in force.
    pub(super) in_force: Option<InForce>,
    /// Whether what is in force may be signed again: it was, or nothing is.
    pub(super) vouched: bool,
    /// The last version that was used.
    floor: u64,
}

impl Before {
    /// What is in force and may be built upon.
    pub(super) fn base(&self) -> Option<&InForce> {
        self.in_force.as_ref().filter(|_| self.vouched)
    }
}

impl Registry {
    /// Begins a change: nobody else begins one, and what is in force is signed as it should be.
    pub(super) fn begin(&self, options: &Options<'_>) -> Result<Before, RegistryError> {
        let lock = self.store.lock()?;
        let seen = self.store.read(MANIFEST, MAX_MANIFEST_BYTES)?;
        let parsed = seen.as_ref().map(|seen| self.parse(&seen.bytes)).transpose();
        let in_force = match (parsed, &seen) {
            // Nothing is built upon a manifest of an earlier format, but its version is not used again.
            (Err(RegistryError::Manifest { source: ManifestError::Format(1), .. }), Some(old)) => {
                let Old { version: floor } = from_json(&self.manifest_path(), &old.bytes)?;
                return Ok(Before { lock, seen, in_force: None, vouched: true, floor });
            }
            (parsed, _) => parsed?,
        };
        let floor = in_force.as_ref().map_or(0, |found| found.release.version);
        let vouched = match (&in_force, options.keys) {
            (None, _) => true,
            (Some(in_force), None) if in_force.root.is_none() => true,
            (Some(_), None) => return Err(RegistryError::Signed(self.place.clone())),
            (Some(in_force), Some(keys)) => self.is_vouched(in_force, keys)?,
        };
        Ok(Before { lock, seen, in_force, vouched, floor })
    }

    /// The version of the release that is to follow.
    pub(super) fn next_version(&self, before: &Before) -> Result<u64, RegistryError> {
        self.after(before.floor)
    }

    fn after(&self, version: u64) -> Result<u64, RegistryError> {
        if version < MAX_VERSION {
            Ok(version + 1)
        } else {
            Err(RegistryError::LastVersion(self.manifest_path()))
        }
    }

    /// Puts a release into force, whose blobs are here and durable.
    pub(super) fn put(
        &self,
        before: &Before,
        release: &Release,
        options: &Options<'_>,
    ) -> Result<(), RegistryError> {
        release.validate().map_err(|source| self.refused(source))?;
        let signed = serde_json::to_string(release).map_err(|source| self.unwritable(source))?;
        if signed.len() > MAX_BYTES {
            return Err(RegistryError::Large { path: self.manifest_path(), bytes: signed.len() });
        }
        let release = match options.keys {
            Some(keys) => keys.sign(Role::Release, signed)?,
            None => Envelope { signed, signatures: Vec::new() },
        };
        self.put_signed(before, release, options)
    }

    /// The same with a release that is signed already.
    pub(super) fn put_signed(
        &self,
        before: &Before,
        release: Envelope,
        options: &Options<'_>,
    ) -> Result<(), RegistryError> {
        let document: Release = from_json(&self.manifest_path(), release.signed.as_bytes())?;
        let version = document.version;
        let mut manifest = Manifest { format: FORMAT, root: None, release, timestamp: None };
        if let Some(keys) = options.keys {
            keys.root()?;
            manifest.root = keys.roots().last().map(|(_, envelope)| envelope.clone());
            manifest.timestamp =
                Some(self.stamp(before, version, &manifest.release.signed, keys, options)?);
            self.keep_roots(keys)?;
        }
        if let Some(old) = &before.in_force {
            self.keep(old.release.version, &old.manifest.release)?;
        }
        // Where others may write too, it may yet turn out to be theirs that follows.
        if before.lock.is_exclusive() {
            self.keep(version, &manifest.release)?;
        }
        self.store.settle("release")?;
        self.store.swap(MANIFEST, before.seen.as_ref(), &self.json(&manifest)?)?;
        if !before.lock.is_exclusive()
            && let Err(error) = self.keep(version, &manifest.release)
        {
            // Whoever follows keeps it.
            tracing::warn!("{error}");
        }
        Ok(())
    }

    /// A timestamp for a release, signed.
    fn stamp(
        &self,
        before: &Before,
        version: u64,
        release: &str,
        keys: &Keys,
        options: &Options<'_>,
    ) -> Result<Envelope, RegistryError> {
        let root = keys.root()?;
        let last = before.base().and_then(|base| base.timestamp.as_ref().zip(base.root.as_ref()));
        // Whoever had a key that was dropped may have counted to the end: clients forget, and so does this.
        let last = last.filter(|(_, signer)| !signer.lost(Role::Timestamp, root));
        let timestamp = Timestamp {
            version: self.after(last.map_or(0, |(timestamp, _)| timestamp.version))?,
            expires: options.now_ms.saturating_add(options.expiry.timestamp_ms),
            release: Named { version, hash: BlobHash::of(release.as_bytes()).to_string() },
        };
        let text = serde_json::to_string(&timestamp).map_err(|source| self.unwritable(source))?;
        Ok(keys.sign(Role::Timestamp, text)?)
    }

    /// Puts every root where clients that are behind look for it. One that is there is never changed.
    fn keep_roots(&self, keys: &Keys) -> Result<(), RegistryError> {
        for (root, envelope) in keys.roots() {
            let name = root_name(root.version);
            match self.root_file(root.version)? {
                None => self.store.write(&name, &self.json(envelope)?)?,
                Some(found) => {
                    let path = self.path(&name);
                    let found: Envelope = from_json(&path, &found)?;
                    if found.signed != envelope.signed {
                        return Err(RegistryError::OtherRoot(path));
                    }
                }
            }
        }
        Ok(self.store.settle("root")?)
    }

    /// Keeps a release beyond its time in force, for deltas and to go back to.
    fn keep(&self, version: u64, release: &Envelope) -> Result<(), RegistryError> {
        let (name, json) = (release_name(version), self.json(release)?);
        match self.store.read(&name, MAX_MANIFEST_BYTES)? {
            Some(found) if found.bytes == json => Ok(()),
            _ => Ok(self.store.write(&name, &json)?),
        }
    }

    fn json<T: serde::Serialize>(&self, value: &T) -> Result<Vec<u8>, RegistryError> {
        let mut json =
            serde_json::to_vec_pretty(value).map_err(|source| self.unwritable(source))?;
        json.push(b'\n');
        Ok(json)
    }

    fn unwritable(&self, source: serde_json::Error) -> RegistryError {
        RegistryError::Json { path: self.manifest_path(), source }
    }
}
