//! Ed25519 (RFC 8032), and how keys and signatures are written.

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use segue_core::{
    manifest::{KEY_DIGITS, Signature},
    trust::{Question, Role},
};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::Path,
};

use super::KeysError;
use crate::registry::BlobHash;

/// A secret key.
#[derive(Debug)]
pub struct Secret(SigningKey);

impl Secret {
    /// A new one, of what the operating system holds for random.
    pub fn generate() -> Result<Self, KeysError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| KeysError::Random(error.to_string()))?;
        Ok(Self(SigningKey::from_bytes(&bytes)))
    }

    /// Reads one; an error where others than its owner may read it.
    pub(super) fn read(path: &Path) -> Result<Self, KeysError> {
        let cannot = || KeysError::io("read", path);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(path).map_err(cannot())?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(KeysError::Open(path.to_owned()));
            }
        }
        let text = fs::read_to_string(path).map_err(cannot())?;
        let bytes = bytes_of(text.trim()).ok_or_else(|| KeysError::Malformed(path.to_owned()))?;
        Ok(Self(SigningKey::from_bytes(&bytes)))
    }

    /// Writes it, whole or not at all, for its owner alone.
    pub(super) fn write(&self, path: &Path) -> Result<(), KeysError> {
        let partial = path.with_extension("tmp");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let written = options.open(&partial).and_then(|mut file| {
            writeln!(file, "{}", hex(self.0.as_bytes()))?;
            file.sync_all()?;
            fs::rename(&partial, path)
        });
        written.map_err(KeysError::io("write", path))
    }

    /// The public key, 64 hexadecimal digits.
    pub fn public(&self) -> String {
        hex(self.0.verifying_key().as_bytes())
    }

    /// The name of the key.
    pub fn id(&self) -> String {
        id_of(self.0.verifying_key().as_bytes())
    }

    /// Signs a text as a role's.
    pub fn sign(&self, role: Role, text: &str) -> Signature {
        let signature = self.0.sign(&message(role, text));
        Signature { key: self.id(), sig: STANDARD.encode(signature.to_bytes()) }
    }
}

/// The name of a public key of 64 hexadecimal digits; `None` where it is none.
pub fn key_id(public: &str) -> Option<String> {
    bytes_of(public).map(|bytes| id_of(&bytes))
}

/// A public key as documents write it, from hexadecimal digits or base64.
pub fn public_key(text: &str) -> Option<String> {
    let bytes = bytes_of(&text.to_ascii_lowercase())
        .or_else(|| STANDARD.decode(text).ok()?.try_into().ok())?;
    VerifyingKey::from_bytes(&bytes).ok().filter(|key| !key.is_weak()).map(|_| hex(&bytes))
}

/// Whether each signature is by the key that it is said to be by. Keys and signatures of which more than one reading is
/// possible are refused, so that all who verify agree.
pub(crate) fn answers(questions: &[Question<'_>]) -> Vec<bool> {
    questions.iter().map(|question| verify(question).is_some()).collect()
}

fn verify(question: &Question<'_>) -> Option<()> {
    let key = VerifyingKey::from_bytes(&bytes_of(question.public)?).ok()?;
    let sig = STANDARD.decode(question.sig).ok()?;
    let sig = ed25519_dalek::Signature::from_slice(&sig).ok()?;
    key.verify_strict(&message(question.role, question.signed), &sig).ok()
}

fn message(role: Role, text: &str) -> Vec<u8> {
    [role.domain().as_bytes(), text.as_bytes()].concat()
}

fn id_of(public: &[u8]) -> String {
    BlobHash::of(public).to_string()[..KEY_DIGITS].to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 32 bytes of 64 lower-case hexadecimal digits.
fn bytes_of(text: &str) -> Option<[u8; 32]> {
    text.parse().ok().map(BlobHash::bytes)
}

/// Writes `bytes` whole or not at all.
pub(super) fn write_public(path: &Path, bytes: &[u8]) -> Result<(), KeysError> {
    let partial = path.with_extension("tmp");
    let write = || -> io::Result<()> {
        let mut file = fs::File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    write().map_err(KeysError::io("write", path))
}
