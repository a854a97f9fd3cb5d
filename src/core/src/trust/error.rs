//! Why a manifest is not believed.

use alloc::string::String;
use core::{error::Error, fmt};

use super::{MAX_ROOTS, Role};
use crate::{
    manifest::ManifestError,
    words::{decimal, sentence},
};

/// Why a manifest is not believed. What was believed before stays in force.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrustError {
    /// A document is not sound.
    Manifest(ManifestError),
    /// A root is not sound.
    Root {
        /// Its version.
        version: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// More roots at a time than [`MAX_ROOTS`].
    Roots(usize),
    /// No root was shown, and none is known.
    NoRoot,
    /// Nothing of the manifest is signed.
    Unsigned,
    /// A root between the one that is trusted and one that was shown is lacking.
    Gap {
        /// The version of the one that is lacking.
        lacking: u64,
        /// The version of the one that was shown.
        found: u64,
    },
    /// The first root is not signed by the key that this device was given.
    Anchor,
    /// Too few of a role's keys signed.
    Signatures {
        /// The role.
        role: Role,
        /// The version of the document.
        version: u64,
        /// How many did.
        found: usize,
        /// How many it takes.
        threshold: usize,
    },
    /// A document that has expired.
    Expired {
        /// Whose it is.
        role: Role,
        /// Whole days since then, by this device's clock.
        days: u64,
    },
    /// A version below one that was seen.
    Rollback {
        /// Whose document it is.
        role: Role,
        /// Its version.
        found: u64,
        /// The version that was seen.
        seen: u64,
    },
    /// The release is not the one that the timestamp names.
    Mixed,
    /// Another release of a version that was seen.
    Twice(u64),
}

impl TrustError {
    /// What is wrong and what to do, as a person reads it.
    pub fn message(&self) -> String {
        match self {
            Self::Manifest(error) => error.message(),
            Self::Root { version, what } => {
                sentence(&["root ", &decimal(*version), " is refused: ", what])
            }
            Self::Roots(found) => sentence(&[
                &decimal(*found as u64),
                " roots at a time; expected at most ",
                &decimal(MAX_ROOTS as u64),
            ]),
            Self::NoRoot => {
                "the registry shows no root, so nothing tells whose keys are to be believed: publish with keys".into()
            }
            Self::Unsigned => {
                "the manifest is not signed, and this device was given a public key: publish with keys".into()
            }
            Self::Gap { lacking, found } => sentence(&[
                "root ",
                &decimal(*lacking),
                " is lacking before root ",
                &decimal(*found),
                ": restore it from a copy",
            ]),
            Self::Anchor => {
                "root 1 is not signed by the public key that this device was given: check that it is this registry's".into()
            }
            Self::Signatures { role, version, found, threshold } => sentence(&[
                role.name(),
                " ",
                &decimal(*version),
                " has valid signatures of ",
                &decimal(*found as u64),
                " of its keys; it takes ",
                &decimal(*threshold as u64),
                ": what is here is kept until whoever has the keys publishes again",
            ]),
            Self::Expired { role, days } => sentence(&[
                "the ",
                role.name(),
                " expired ",
                &decimal(*days),
                " days ago by this device's clock: check the clock; if it is right, ",
                match role {
                    Role::Root => "a later root is to be signed",
                    Role::Release => "the model is to be published again",
                    Role::Timestamp => "the registry is to be refreshed",
                },
            ]),
            Self::Rollback { role, found, seen } => sentence(&[
                "the ",
                role.name(),
                " has version ",
                &decimal(*found),
                ", and version ",
                &decimal(*seen),
                " was here before: what is here is kept until the registry shows a later one",
            ]),
            Self::Mixed => {
                "the release is not the one that the timestamp names: ask again, it may just be being replaced".into()
            }
            Self::Twice(version) => sentence(&[
                "there are two releases of version ",
                &decimal(*version),
                ": what is here is kept until the registry shows a later one",
            ]),
        }
    }
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl Error for TrustError {}

impl From<ManifestError> for TrustError {
    fn from(error: ManifestError) -> Self {
        Self::Manifest(error)
    }
}
