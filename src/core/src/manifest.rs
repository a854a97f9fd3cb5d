//! The registry's table of contents: which sections make up the version in force.
//!
//! A registry is a plain folder. `manifest` is one JSON object of this shape; each section it
//! names is the file `blob/<hash>`, where the hash is the SHA-256 of the file in lower-case
//! hexadecimal. Reading JSON is the caller's: natively through the `serde` feature, in a browser
//! through the platform's parser. Whoever reads it calls [`Manifest::validate`].
//!
//! ```json
//! {
//!   "format": 1,
//!   "version": 3,
//!   "created_at": 1764000000000,
//!   "sections": [{ "kind": "ids", "hash": "9ac3…", "bytes": 461472 }, …]
//! }
//! ```

use alloc::{string::String, vec::Vec};
use core::{error::Error, fmt};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::words::{decimal, sentence};

/// The only manifest format that this code reads and writes.
pub const FORMAT: u32 = 1;

/// Largest section that a client will fetch, in bytes.
pub const MAX_SECTION_BYTES: u64 = 1 << 30;

/// Most sections that a manifest may name.
pub const MAX_SECTIONS: usize = 1024;

/// One version of the model and where its parts are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// Counts up by one for each published version, from 1.
    pub version: u64,
    /// When it was published, in milliseconds since the Unix epoch.
    pub created_at: i64,
    /// The parts of the model file, in file order. Their concatenation after the model's header
    /// is described by [`crate::model`].
    pub sections: Vec<SectionRef>,
}

/// One section of a model, by content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct SectionRef {
    /// The section's name, as in [`crate::model::SectionKind::name`].
    pub kind: String,
    /// The shard that it belongs to; left out where it is 0, the head.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_head"))]
    pub shard: u8,
    /// SHA-256 of the section's bytes, 64 lower-case hexadecimal digits.
    pub hash: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// Why a manifest is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManifestError {
    /// Written by a later version of Segue.
    Format(u32),
    /// Versions count from 1.
    Version,
    /// No sections, or more than [`MAX_SECTIONS`].
    Sections(usize),
    /// A hash that is not 64 lower-case hexadecimal digits.
    Hash(String),
    /// A section that is empty or larger than [`MAX_SECTION_BYTES`].
    Size {
        /// Which section.
        kind: String,
        /// The claimed length.
        bytes: u64,
    },
    /// A kind that is named twice, of one shard.
    Duplicate(String),
}

impl ManifestError {
    /// What is wrong and what to do, as a person reads it.
    pub fn message(&self) -> String {
        match self {
            Self::Format(found) => sentence(&[
                "the manifest has format ",
                &decimal((*found).into()),
                ", this code reads format ",
                &decimal(FORMAT.into()),
                ": update Segue",
            ]),
            Self::Version => "the manifest has version 0; versions count from 1".into(),
            Self::Sections(found) => sentence(&[
                "the manifest names ",
                &decimal(*found as u64),
                " sections; expected 1 to ",
                &decimal(MAX_SECTIONS as u64),
            ]),
            Self::Hash(kind) => sentence(&[
                "section `",
                kind,
                "` has a hash that is not 64 lower-case hexadecimal digits",
            ]),
            Self::Size { kind, bytes } => sentence(&[
                "section `",
                kind,
                "` claims ",
                &decimal(*bytes),
                " bytes; expected 1 to ",
                &decimal(MAX_SECTION_BYTES),
            ]),
            Self::Duplicate(kind) => sentence(&["section `", kind, "` is named twice"]),
        }
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl Error for ManifestError {}

impl Manifest {
    /// Checks everything that the types cannot. Cost: the number of sections, squared.
    pub fn validate(&self) -> Result<(), ManifestError> {
        if self.format != FORMAT {
            return Err(ManifestError::Format(self.format));
        }
        if self.version == 0 {
            return Err(ManifestError::Version);
        }
        if !(1..=MAX_SECTIONS).contains(&self.sections.len()) {
            return Err(ManifestError::Sections(self.sections.len()));
        }
        for (index, section) in self.sections.iter().enumerate() {
            let same =
                |other: &SectionRef| other.kind == section.kind && other.shard == section.shard;
            if self.sections[..index].iter().any(same) {
                return Err(ManifestError::Duplicate(section.kind.clone()));
            }
            section.validate()?;
        }
        Ok(())
    }
}

/// Whether a shard is the head.
#[cfg(feature = "serde")]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
const fn is_head(shard: &u8) -> bool {
    *shard == 0
}

impl SectionRef {
    fn validate(&self) -> Result<(), ManifestError> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if self.hash.len() != 64 || !self.hash.bytes().all(hex) {
            return Err(ManifestError::Hash(self.kind.clone()));
        }
        if !(1..=MAX_SECTION_BYTES).contains(&self.bytes) {
            return Err(ManifestError::Size { kind: self.kind.clone(), bytes: self.bytes });
        }
        Ok(())
    }
}
