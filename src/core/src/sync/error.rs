//! Why a step towards another model is refused.

use alloc::string::String;
use core::{error::Error, fmt};

use crate::{manifest::ManifestError, trust::TrustError};

/// Why a step towards another model is refused. What is in use stays in use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SyncError {
    /// A document is not sound.
    Manifest(ManifestError),
    /// A document is not believed.
    Trust(TrustError),
    /// The step is not the one that comes next.
    Order,
}

impl SyncError {
    /// What is wrong and what to do, as a person reads it.
    pub fn message(&self) -> String {
        match self {
            Self::Manifest(error) => error.message(),
            Self::Trust(error) => error.message(),
            Self::Order => {
                "this step of an update is not the one that comes next: begin anew".into()
            }
        }
    }
}

impl fmt::Display for SyncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl Error for SyncError {}

impl From<ManifestError> for SyncError {
    fn from(error: ManifestError) -> Self {
        Self::Manifest(error)
    }
}

impl From<TrustError> for SyncError {
    fn from(error: TrustError) -> Self {
        Self::Trust(error)
    }
}
