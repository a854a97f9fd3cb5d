//! Why bytes are not a model.

use alloc::{boxed::Box, string::String};
use core::{error::Error, fmt};

use super::{SectionKind, container::FORMAT};
use crate::words::{decimal, sentence};

/// Why bytes are not a model.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelError {
    /// The label is not there.
    NotAModel,
    /// Written by another version of the format.
    Format(u32),
    /// The bytes end too soon.
    Truncated,
    /// The header or its table is damaged.
    Header,
    /// A section does not match its checksum.
    Checksum(SectionKind),
    /// So many bytes after the last section.
    Trailing(usize),
    /// A required section is absent.
    Missing(SectionKind),
    /// A section is given twice.
    Duplicate(SectionKind),
    /// A section's length does not fit what it claims to hold.
    Shape(SectionKind),
    /// A section claims more than the format allows.
    Limit(SectionKind),
    /// A section belongs to another version.
    Mixed(SectionKind),
    /// There is no memory for a section.
    Memory(SectionKind),
    /// A section of a shard is refused.
    Shard {
        /// Which shard.
        number: u8,
        /// Why.
        source: Box<ModelError>,
    },
    /// A value is outside its range.
    Value {
        /// Which section.
        section: SectionKind,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl ModelError {
    pub(super) const fn value(section: SectionKind, what: &'static str) -> Self {
        Self::Value { section, what }
    }

    /// What is wrong, where, and what to do, as a person reads it.
    pub fn message(&self) -> String {
        let (kind, says) = match self {
            Self::NotAModel => {
                return "not a segue model: the file does not start with its label".into();
            }
            Self::Format(found) => {
                return sentence(&[
                    "the model has format version ",
                    &decimal((*found).into()),
                    ", this build reads version ",
                    &decimal(FORMAT.into()),
                    ": update segue, or train the model again with this one",
                ]);
            }
            Self::Truncated => return "the model is truncated: fetch or train it again".into(),
            Self::Header => {
                return "the model's header is damaged: fetch or train it again".into();
            }
            Self::Trailing(bytes) => {
                return sentence(&[&decimal(*bytes as u64), " bytes follow the last section"]);
            }
            Self::Shard { number, source } => {
                return sentence(&["shard ", &decimal((*number).into()), ": ", &source.message()]);
            }
            Self::Memory(kind) => return sentence(&["no memory for section `", kind.name(), "`"]),
            Self::Checksum(kind) => {
                (kind, "does not match its checksum: fetch or train the model again")
            }
            Self::Missing(kind) => (kind, "is missing"),
            Self::Duplicate(kind) => (kind, "is given twice"),
            Self::Shape(kind) => (kind, "does not have the length that its prefix implies"),
            Self::Limit(kind) => (kind, "claims a size beyond the format's limits"),
            Self::Mixed(kind) => {
                (kind, "belongs to another version than the rest: fetch all of them again")
            }
            Self::Value { section, what } => {
                (section, &*sentence(&["holds an invalid value: ", what]))
            }
        };
        sentence(&["section `", kind.name(), "` ", says])
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl Error for ModelError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Shard { source, .. } => Some(source),
            _ => None,
        }
    }
}
