//! What is in force: the models, and of what they are made.

use alloc::{string::String, vec::Vec};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::{MAX_DELTAS, MAX_SECTION_BYTES, MAX_SECTIONS, ManifestError, is_hex, is_version};
use crate::rollout::{WHOLE, bucket};

/// What is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Release {
    /// Counts up with each release, from 1.
    pub version: u64,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_at: i64,
    /// From when on nobody should believe it, in milliseconds since the Unix epoch; for ever where that is left out.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub expires: Option<i64>,
    /// The model of every device, and perhaps a candidate for some.
    pub models: Vec<ModelRef>,
}

/// A model, by its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct ModelRef {
    /// The version of the release that brought it.
    pub version: u64,
    /// For how many ten-thousandths of devices it is; left out where it is for all.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub share: Option<u16>,
    /// The parts of the model file, in file order. Their concatenation after the model's header
    /// is described by [`crate::model`].
    pub sections: Vec<SectionRef>,
    /// What leads here from earlier models, by shard, `from` and `to`.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub deltas: Vec<DeltaRef>,
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

/// A step from one model's shard to that of another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct DeltaRef {
    /// The version of the model that it is applied to.
    pub from: u64,
    /// That of the model that it makes; left out where that is the one that lists it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub to: Option<u64>,
    /// The shard; left out where it is 0, the head.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_head"))]
    pub shard: u8,
    /// SHA-256 of the delta, 64 lower-case hexadecimal digits.
    pub hash: String,
    /// Its length in bytes.
    pub bytes: u64,
}

impl Release {
    /// Checks everything that the types cannot. Cost: the number of sections, squared.
    pub fn validate(&self) -> Result<(), ManifestError> {
        if !is_version(self.version) {
            return Err(ManifestError::Version);
        }
        match self.models.as_slice() {
            [all] if all.share.is_none() => {}
            [all, some]
                if all.share.is_none()
                    && some.share.is_some_and(|share| share <= WHOLE)
                    && all.version != some.version => {}
            [_] | [_, _] => return Err(ManifestError::Share),
            models => return Err(ManifestError::Models(models.len())),
        }
        self.models.iter().try_for_each(ModelRef::validate)
    }

    /// The model that is for `device`, whose name is what it told of itself; `None` has a device that is never a
    /// candidate's. A release that was validated has one.
    pub fn model_for(&self, device: Option<&[u8]>) -> Option<&ModelRef> {
        let chosen = |model: &&ModelRef| match (model.share, device) {
            (Some(share), Some(device)) => bucket(device, model.version) < share,
            (share, _) => share.is_none(),
        };
        self.models.iter().rev().find(chosen)
    }
}

impl ModelRef {
    /// Checks everything that the types cannot. Cost: the number of sections, squared.
    pub fn validate(&self) -> Result<(), ManifestError> {
        if !is_version(self.version) {
            return Err(ManifestError::Version);
        }
        if !(1..=MAX_SECTIONS).contains(&self.sections.len()) {
            return Err(ManifestError::Sections(self.sections.len()));
        }
        if self.deltas.len() > MAX_DELTAS {
            return Err(ManifestError::Deltas(self.deltas.len()));
        }
        for (index, section) in self.sections.iter().enumerate() {
            let same =
                |other: &SectionRef| other.kind == section.kind && other.shard == section.shard;
            if self.sections[..index].iter().any(same) {
                return Err(ManifestError::Duplicate(section.kind.clone()));
            }
            blob(&section.kind, &section.hash, section.bytes)?;
        }
        let mut last = None;
        for delta in &self.deltas {
            let key = Some((delta.shard, delta.from, self.target(delta)));
            let leads = delta.from != self.target(delta) && delta.from != self.version;
            if key <= last || !leads || !is_version(delta.from) || !is_version(self.target(delta)) {
                return Err(ManifestError::Order);
            }
            last = key;
            blob("delta", &delta.hash, delta.bytes)?;
        }
        Ok(())
    }

    /// The version that a delta of this model's makes.
    pub fn target(&self, delta: &DeltaRef) -> u64 {
        delta.to.unwrap_or(self.version)
    }
}

/// Whether a shard is the head.
#[cfg(feature = "serde")]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
const fn is_head(shard: &u8) -> bool {
    *shard == 0
}

/// Checks the name and the length of a blob.
fn blob(kind: &str, hash: &str, bytes: u64) -> Result<(), ManifestError> {
    if !is_hex(hash, 64) {
        return Err(ManifestError::Hash(kind.into()));
    }
    if !(1..=MAX_SECTION_BYTES).contains(&bytes) {
        return Err(ManifestError::Size { kind: kind.into(), bytes });
    }
    Ok(())
}
