//! The model that a registry's release names, read by the platform's JSON parser and checked by `core`.

use alloc::vec::Vec;
use segue_core::manifest::{FORMAT, ManifestError, ModelRef, SectionRef};
use wasm_bindgen::prelude::*;

use crate::error;

/// Throws where `format` is not the one that this build reads, before anything that a later format may mean otherwise
/// is looked at, and where `core` refuses the model. `texts` has a line for the kind of each section and one for its
/// hash, `numbers` its shard and its length.
#[wasm_bindgen]
pub fn check_manifest(
    format: u32,
    version: f64,
    texts: &str,
    numbers: &[u32],
) -> Result<(), JsError> {
    let refuse = |refused: ManifestError| error(&refused.message());
    if format != FORMAT {
        return Err(refuse(ManifestError::Format(format)));
    }
    let texts: Vec<&str> = texts.split('\n').collect();
    let (texts, numbers) = (texts.as_chunks().0, numbers.as_chunks().0);
    let section = |([kind, hash], [shard, bytes]): (&[&str; 2], &[u32; 2])| SectionRef {
        kind: (*kind).into(),
        shard: *shard as u8,
        hash: (*hash).into(),
        bytes: (*bytes).into(),
    };
    let sections = texts.iter().zip(numbers).map(section).collect();
    let model = ModelRef { version: version as u64, share: None, sections, deltas: Vec::new() };
    model.validate().map_err(refuse)
}
