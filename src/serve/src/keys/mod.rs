//! Keys, and whose they are: the folder that `segue keys` keeps, and publishing signs with.
//!
//! ```text
//! KEYS/<name>.secret    32 bytes of an Ed25519 secret key, 64 hexadecimal digits; its owner's alone
//! KEYS/root/<version>   every root there was, signed: envelopes of segue_core::manifest
//! KEYS/root/next        the root that is to follow, while it lacks signatures
//! ```
//!
//! A folder need not have all secrets. That of the machine which publishes best has none of the root's: those lie
//! elsewhere, sign a root that was carried to them, and are not needed again until keys change. Secrets are never
//! written into a registry, which is open to everybody.

mod ceremony;
mod crypto;
mod error;

use segue_core::{
    manifest::{Envelope, Signature},
    trust::{Role, Root},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

pub use ceremony::{Change, Rooted};
pub(crate) use crypto::answers;
pub use crypto::{Secret, key_id, public_key};
pub use error::KeysError;

/// Largest envelope of a root that is read, in bytes.
const MAX_ROOT_BYTES: u64 = 1 << 18;

/// A folder of keys.
#[derive(Debug)]
pub struct Keys {
    dir: PathBuf,
    secrets: Vec<Secret>,
    /// Every root, from version 1; none where the first lacks signatures.
    roots: Vec<(Root, Envelope)>,
}

impl Keys {
    /// Reads the keys in `dir`, and checks that each root follows from the one before it.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, KeysError> {
        let dir = dir.into();
        if !dir.is_dir() {
            return Err(KeysError::Absent(dir));
        }
        if let Some(registry) = ceremony::registry_around(&dir) {
            return Err(KeysError::InRegistry { dir, registry });
        }
        let mut keys = Self { secrets: read_secrets(&dir)?, dir, roots: Vec::new() };
        for version in 1.. {
            let path = keys.root_path(version);
            let Some(envelope) = read_envelope(&path)? else { break };
            let root = keys.follows(&envelope).map_err(|error| error.at(&path))?;
            keys.roots.push((root, envelope));
        }
        Ok(keys)
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The secrets that are here.
    pub fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// The root that is the last.
    pub fn root(&self) -> Result<&Root, KeysError> {
        self.roots.last().map(|(root, _)| root).ok_or_else(|| KeysError::NoRoot(self.dir.clone()))
    }

    /// Every root with its envelope, from version 1.
    pub fn roots(&self) -> &[(Root, Envelope)] {
        &self.roots
    }

    /// A root of some version, where it is this one to the byte.
    pub(crate) fn same_root(&self, version: u64, envelope: &Envelope) -> Option<&Root> {
        let at = usize::try_from(version.checked_sub(1)?).ok()?;
        let (root, known) = self.roots.get(at)?;
        (known.signed == envelope.signed).then_some(root)
    }

    /// Signs a text by all keys of a role that are here; an error where they are too few.
    pub fn sign(&self, role: Role, text: String) -> Result<Envelope, KeysError> {
        let root = self.root()?;
        let quorum = root.quorum(role);
        let mine = self.secrets.iter().filter(|secret| quorum.keys.contains(&secret.id()));
        let signatures: Vec<Signature> = mine.map(|secret| secret.sign(role, &text)).collect();
        if signatures.len() < quorum.threshold {
            return Err(KeysError::TooFew {
                role,
                dir: self.dir.clone(),
                here: signatures.len(),
                threshold: quorum.threshold,
            });
        }
        Ok(Envelope { signed: text, signatures })
    }

    fn root_path(&self, version: u64) -> PathBuf {
        self.dir.join("root").join(version.to_string())
    }

    fn next_path(&self) -> PathBuf {
        self.dir.join("root").join("next")
    }
}

fn read_secrets(dir: &Path) -> Result<Vec<Secret>, KeysError> {
    let mut secrets = Vec::new();
    let entries = fs::read_dir(dir).map_err(KeysError::io("read", dir))?;
    for entry in entries {
        let path = entry.map_err(KeysError::io("read", dir))?.path();
        if path.extension().is_some_and(|extension| extension == "secret") {
            secrets.push(Secret::read(&path)?);
        }
    }
    secrets.sort_by_key(Secret::id);
    Ok(secrets)
}

/// An envelope in a file of its own, or `None` where there is none.
fn read_envelope(path: &Path) -> Result<Option<Envelope>, KeysError> {
    let json = match fs::read(path) {
        Ok(json) => json,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(KeysError::io("read", path)(error)),
    };
    if json.len() as u64 > MAX_ROOT_BYTES {
        return Err(KeysError::Malformed(path.to_owned()));
    }
    let envelope = serde_json::from_slice(&json);
    envelope.map(Some).map_err(|source| KeysError::Json { path: path.to_owned(), source })
}
