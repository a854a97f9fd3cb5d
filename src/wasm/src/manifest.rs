//! The registry's manifest, read by the platform's JSON parser and checked by `core`.

use alloc::{string::String, vec::Vec};
use segue_core::manifest::{self, FORMAT, ManifestError, SectionRef};
use wasm_bindgen::prelude::*;

use crate::error;

/// A manifest under examination.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Manifest(manifest::Manifest);

#[wasm_bindgen]
impl Manifest {
    /// A manifest without sections. Throws where `format` is not the one that this build reads,
    /// before anything that a later format may mean otherwise is looked at.
    #[wasm_bindgen(constructor)]
    pub fn new(format: u32, version: u64, created_at: i64) -> Result<Self, JsError> {
        if format != FORMAT {
            return Err(error(&ManifestError::Format(format).message()));
        }
        Ok(Self(manifest::Manifest { format, version, created_at, sections: Vec::new() }))
    }

    /// Adds a section.
    pub fn section(&mut self, kind: String, shard: u8, hash: String, bytes: u64) {
        self.0.sections.push(SectionRef { kind, shard, hash, bytes });
    }

    /// Throws where `core` refuses the manifest.
    pub fn validate(&self) -> Result<(), JsError> {
        self.0.validate().map_err(|refused| error(&refused.message()))
    }
}
