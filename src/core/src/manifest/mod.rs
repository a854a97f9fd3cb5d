//! The registry's table of contents: which models are in force, where their parts are, and who says so.
//!
//! `manifest` is one JSON object, replaced in one go:
//!
//! ```json
//! {
//!   "format": 2,
//!   "root": Envelope,
//!   "release": Envelope,
//!   "timestamp": Envelope
//! }
//! ```
//!
//! An envelope is a text and who signed it:
//!
//! ```json
//! { "signed": "{\"version\":7,…}", "signatures": [{ "key": "3f1a…", "sig": "q80w…" }] }
//! ```
//!
//! `signed` is the JSON of a document, as a string: what is signed is exactly these bytes of UTF-8, behind the role's
//! [`Role::domain`](crate::trust::Role::domain). So nobody has to agree on how JSON is written canonically, which has
//! been a source of forged documents, and nothing is looked at that was not signed. `key` is the first 16 hexadecimal
//! digits of the SHA-256 of the public key, `sig` an Ed25519 signature (RFC 8032) in base64.
//!
//! The release says what is in force:
//!
//! ```json
//! {
//!   "version": 7, "created_at": 1764000000000, "expires": 1795536000000,
//!   "models": [
//!     {
//!       "version": 7,
//!       "sections": [{ "kind": "ids", "hash": "9ac3…", "bytes": 461472 }, { "kind": "ids", "shard": 2, … }, …],
//!       "deltas": [{ "from": 6, "hash": "77b0…", "bytes": 5120 }, { "from": 5, "to": 6, "shard": 2, … }, …]
//!     },
//!     { "version": 9, "share": 1000, … }
//!   ]
//! }
//! ```
//!
//! The first model is everybody's; a second, where there is one, is a candidate for `share` ten-thousandths of devices
//! ([`crate::rollout`]). A model's version is that of the release that brought it, so that both only ever go up, and a
//! model that is put into force again keeps its own. Each section and each delta ([`crate::model::delta`]) is the blob
//! of its SHA-256. Deltas ascend by shard, `from` and `to`; `shard` is left out where it is 0, `to` where it is the
//! model that lists the delta. What else is signed, root and timestamp, is in [`crate::trust`].
//!
//! A registry without keys, for development, has a release without signatures, and neither root nor timestamp.
//!
//! Reading JSON is the caller's: natively through the `serde` feature, in a browser through the platform's parser.
//! Whoever reads a document calls its `validate`. Fields that a reader does not know are passed over.

mod error;
mod release;

use alloc::{string::String, vec::Vec};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

pub use error::ManifestError;
pub use release::{DeltaRef, ModelRef, Release, SectionRef};

/// The only manifest format that this code reads and writes.
pub const FORMAT: u32 = 2;

/// Largest manifest that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// Largest section or delta that a client will fetch, in bytes.
pub const MAX_SECTION_BYTES: u64 = 1 << 30;

/// Most sections that a model may name.
pub const MAX_SECTIONS: usize = 1024;

/// Most deltas that a model may name.
pub const MAX_DELTAS: usize = 4096;

/// Most signatures of an envelope.
pub const MAX_SIGNATURES: usize = 32;

/// The last version that there can be: the largest integer that every JSON parser reads exactly.
pub const MAX_VERSION: u64 = (1 << 53) - 1;

/// Digits of the name of a key.
pub const KEY_DIGITS: usize = 16;

/// Characters of an Ed25519 signature in base64.
const SIGNATURE_CHARS: usize = 88;

/// What is in force, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The [`Root`](crate::trust::Root) by whose keys the others are signed.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub root: Option<Envelope>,
    /// The [`Release`].
    pub release: Envelope,
    /// The [`Timestamp`](crate::trust::Timestamp), which says that it is the latest.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub timestamp: Option<Envelope>,
}

/// A document as it was signed, and by whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Envelope {
    /// The document's JSON, to the byte.
    pub signed: String,
    /// Whoever signed it; nobody where there are no keys.
    #[cfg_attr(feature = "serde", serde(default))]
    pub signatures: Vec<Signature>,
}

/// A signature, not yet checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Signature {
    /// The name of the key, 16 hexadecimal digits.
    pub key: String,
    /// The 64 bytes of the signature in base64, with padding.
    pub sig: String,
}

impl Manifest {
    /// Checks everything that the types cannot, but for what the documents say. Cost: the number of signatures.
    pub fn validate(&self) -> Result<(), ManifestError> {
        if self.format != FORMAT {
            return Err(ManifestError::Format(self.format));
        }
        if self.root.is_some() != self.timestamp.is_some() {
            return Err(ManifestError::Half);
        }
        let all = [self.root.as_ref(), Some(&self.release), self.timestamp.as_ref()];
        all.into_iter().flatten().try_for_each(Envelope::validate)
    }
}

impl Envelope {
    /// Checks how large it is and how its signatures are written.
    pub fn validate(&self) -> Result<(), ManifestError> {
        if self.signed.len() > MAX_BYTES {
            return Err(ManifestError::Bytes(self.signed.len()));
        }
        if self.signatures.len() > MAX_SIGNATURES {
            return Err(ManifestError::Signatures(self.signatures.len()));
        }
        let sound = |signature: &Signature| {
            is_hex(&signature.key, KEY_DIGITS) && signature.sig.len() == SIGNATURE_CHARS
        };
        if self.signatures.iter().all(sound) { Ok(()) } else { Err(ManifestError::Signature) }
    }
}

/// Whether `text` is so many lower-case hexadecimal digits.
pub(crate) fn is_hex(text: &str, digits: usize) -> bool {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    text.len() == digits && text.bytes().all(hex)
}

/// Whether `version` is one: they count from 1 to [`MAX_VERSION`].
pub(crate) fn is_version(version: u64) -> bool {
    (1..=MAX_VERSION).contains(&version)
}
