//! Why a manifest is refused.

use alloc::string::String;
use core::{error::Error, fmt};

use super::{FORMAT, MAX_BYTES, MAX_DELTAS, MAX_SECTION_BYTES, MAX_SECTIONS, MAX_SIGNATURES};
use crate::{
    rollout::WHOLE,
    words::{decimal, sentence},
};

/// Why a manifest, or a release, is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManifestError {
    /// Written by another version of Segue.
    Format(u32),
    /// A root without a timestamp, or the other way round.
    Half,
    /// A document of more than [`MAX_BYTES`].
    Bytes(usize),
    /// More than [`MAX_SIGNATURES`].
    Signatures(usize),
    /// A signature that is not 88 characters long, or the name of whose key is not 16 hexadecimal digits.
    Signature,
    /// Versions count from 1, and as far as JSON can tell them apart.
    Version,
    /// No models, or more than two.
    Models(usize),
    /// A first model that is not for all, or a second that is, of the version of the first or for more devices than
    /// there are.
    Share,
    /// No sections, or more than [`MAX_SECTIONS`].
    Sections(usize),
    /// More deltas than [`MAX_DELTAS`].
    Deltas(usize),
    /// Deltas out of order, or one that leads nowhere.
    Order,
    /// A hash that is not 64 lower-case hexadecimal digits.
    Hash(String),
    /// A section or a delta that is empty or larger than [`MAX_SECTION_BYTES`].
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
        let number = |number: usize| decimal(number as u64);
        match self {
            Self::Format(found) => sentence(&[
                "the manifest has format ",
                &decimal((*found).into()),
                ", this code reads format ",
                &decimal(FORMAT.into()),
                if *found < FORMAT { ": publish the model again" } else { ": update Segue" },
            ]),
            Self::Half => {
                "the manifest has a root and no timestamp, or the other way round: publish the model again"
                    .into()
            }
            Self::Bytes(found) => sentence(&[
                "a document of the manifest has ",
                &number(*found),
                " bytes; expected at most ",
                &number(MAX_BYTES),
            ]),
            Self::Signatures(found) => sentence(&[
                "a document of the manifest has ",
                &number(*found),
                " signatures; expected at most ",
                &number(MAX_SIGNATURES),
            ]),
            Self::Signature => {
                "a signature is not 88 characters of base64 by a key of 16 hexadecimal digits".into()
            }
            Self::Version => {
                "the manifest has version 0 or one that is too large; versions count from 1".into()
            }
            Self::Models(found) => {
                sentence(&["the release names ", &number(*found), " models; expected 1 or 2"])
            }
            Self::Share => sentence(&[
                "the first model of a release is for all devices, a second one another model for at most ",
                &decimal(WHOLE.into()),
                " ten-thousandths of them",
            ]),
            Self::Sections(found) => sentence(&[
                "the manifest names ",
                &number(*found),
                " sections; expected 1 to ",
                &number(MAX_SECTIONS),
            ]),
            Self::Deltas(found) => sentence(&[
                "the manifest names ",
                &number(*found),
                " deltas; expected at most ",
                &number(MAX_DELTAS),
            ]),
            Self::Order => {
                "the manifest's deltas do not ascend by shard and versions, or one leads nowhere".into()
            }
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
