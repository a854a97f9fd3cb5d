//! The bytes that a model is built from, copied once from JavaScript into aligned memory.

use alloc::vec::Vec;
use segue_core::{
    bytes::{ALIGN, Aligned},
    model::{Model, SectionId, SectionKind, container},
    words::{decimal, sentence},
};
use wasm_bindgen::prelude::*;

use crate::{engine::Engine, error};

#[wasm_bindgen]
extern "C" {
    /// Bytes outside.
    #[derive(Debug)]
    pub type Uint8Array;

    #[wasm_bindgen(method, getter)]
    fn length(this: &Uint8Array) -> usize;

    #[wasm_bindgen(js_namespace = ["Uint8Array", "prototype", "set"], js_name = call)]
    fn set(to: &mut [u8], from: &Uint8Array);
}

/// Sections of a model, and what makes others of those that an engine has, collected one by one. A kind is its place in
/// [`SectionKind::ALL`].
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Parts {
    sections: Vec<(SectionId, Aligned)>,
    deltas: Vec<Aligned>,
}

#[wasm_bindgen]
impl Parts {
    /// Nothing yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the section `kind` of a shard. Throws where there is no such kind or no memory for it.
    pub fn add(&mut self, kind: usize, shard: u8, bytes: &Uint8Array) -> Result<(), JsError> {
        let section = copy(bytes)?;
        self.sections.push((id(kind, shard)?, section));
        Ok(())
    }

    /// Adds a delta of a shard, to be applied to what the engine has of it. Throws where there is no memory for it.
    pub fn add_delta(&mut self, bytes: &Uint8Array) -> Result<(), JsError> {
        self.deltas.push(copy(bytes)?);
        Ok(())
    }

    /// Adds all sections of a model file. Throws where it is not one.
    pub fn add_file(&mut self, bytes: &Uint8Array) -> Result<(), JsError> {
        let file = copy(bytes)?;
        reserve(file.as_slice().len())?;
        for (id, section) in
            container::split(file.as_slice()).map_err(|refused| error(&refused.message()))?
        {
            self.sections.push((id, Aligned::copy_of(section)));
        }
        Ok(())
    }

    /// Adds the section `kind` of a shard as `engine` has it. Returns whether it has it as it was sent.
    pub fn keep(&mut self, kind: usize, shard: u8, engine: &Engine) -> Result<bool, JsError> {
        let id = id(kind, shard)?;
        let Some(bytes) = engine.model.section(id) else { return Ok(false) };
        reserve(bytes.len())?;
        self.sections.push((id, Aligned::copy_of(bytes)));
        Ok(true)
    }
}

impl Parts {
    /// The model that the sections make.
    pub(crate) fn build(self) -> Result<Model, JsError> {
        Model::from_sections(self.sections).map_err(|refused| error(&refused.message()))
    }

    /// The model that the deltas make of `model`, and the sections beside it.
    pub(crate) fn build_on(self, model: &Model) -> Result<Model, JsError> {
        let deltas: Vec<&[u8]> = self.deltas.iter().map(Aligned::as_slice).collect();
        let made = model.patched(&deltas, self.sections);
        made.map_err(|refused| error(&refused.message()))
    }

    pub(crate) fn into_sections(self) -> Vec<(SectionId, Aligned)> {
        self.sections
    }
}

pub(crate) fn id(kind: usize, shard: u8) -> Result<SectionId, JsError> {
    let kind = SectionKind::ALL.get(kind).ok_or_else(|| error("there is no such section kind"))?;
    Ok(SectionId { shard, kind: *kind })
}

fn copy(bytes: &Uint8Array) -> Result<Aligned, JsError> {
    let len = bytes.length();
    reserve(len)?;
    let mut aligned = Aligned::zeroed(len);
    set(aligned.as_mut_slice(), bytes);
    Ok(aligned)
}

/// Makes room for `len` bytes, so that the allocation which follows cannot fail: a failed one
/// would trap.
fn reserve(len: usize) -> Result<(), JsError> {
    let room = len.checked_add(ALIGN);
    let found = room.is_some_and(|room| Vec::<u8>::new().try_reserve_exact(room).is_ok());
    let refused = || error(&sentence(&["no memory for ", &decimal(len as u64), " bytes of model"]));
    found.then_some(()).ok_or_else(refused)
}
