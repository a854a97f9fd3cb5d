//! What is known of a track besides who heard it: names to show, and tags.

use alloc::{string::String, vec::Vec};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// One track of a catalogue; one JSON object a line in a catalogue file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(default))]
pub struct Track {
    /// The caller's own id, the same as in [`crate::event::Event::track`].
    pub track: String,
    /// Title to show; empty where unknown.
    pub title: String,
    /// Artist to show; empty where unknown.
    pub artist: String,
    /// Album to show; empty where unknown.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "String::is_empty"))]
    pub album: String,
    /// Length in milliseconds; 0 where unknown.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_zero"))]
    pub duration_ms: u32,
    /// Genres and moods, most fitting first.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub tags: Vec<String>,
}

#[cfg(feature = "serde")]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}
