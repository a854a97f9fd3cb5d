//! One model and one listener: what all other nouns act on.

use alloc::{string::String, vec::Vec};
use segue_core::{
    ids::Row,
    kernel::Place,
    model::{MAX_ROWS, Model},
    rank::nearest,
    reason::Explainer,
    session::Session,
    sitting::Pauses,
    slate::Slate,
    words::{decimal, sentence},
};
use wasm_bindgen::prelude::*;

use crate::{
    UNKNOWN, error,
    parts::{Parts, id},
};

/// A model, the session of one listener, and the memory that ranking reuses.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    pub(crate) model: Model,
    pub(crate) session: Session,
    /// When the listener did what.
    pub(crate) pauses: Pauses,
    /// Prepared from the session as it stands; `None` once it has moved on.
    pub(crate) explainer: Option<Explainer>,
    /// In words, a line each, what was explained last.
    pub(crate) reasons: String,
    /// For each shard and row of it whether [`Engine::top`] may name it; empty where it may name all.
    pub(crate) open: Vec<Vec<bool>>,
    /// Rows that it may not name this once.
    pub(crate) excluded: Vec<Row>,
    pub(crate) candidates: Vec<Option<Row>>,
    pub(crate) queue: Vec<Place>,
    pub(crate) slate: Slate,
}

#[wasm_bindgen]
impl Engine {
    /// Builds the model from its parts, with a session of which nothing is known. Throws where
    /// they are not a model.
    #[wasm_bindgen(constructor)]
    pub fn new(parts: Parts) -> Result<Self, JsError> {
        Ok(Self::of(parts.build()?))
    }

    /// Puts the model of `next` in the place of this one and carries the session over, as far as its
    /// tracks are here in both. Every track is listed again.
    pub fn replace(&mut self, next: Self) {
        self.session = self.session.moved(&self.model, &next.model);
        self.model = next.model;
        self.explainer = None;
        self.open.clear();
    }

    /// Takes in what was not here yet of the same version. Every track is listed again. Where it
    /// throws, the model goes on with what it had, and with what came before the error.
    pub fn add(&mut self, parts: Parts) -> Result<(), JsError> {
        self.explainer = None;
        self.open.clear();
        self.model.add(parts.into_sections()).map_err(|refused| error(&refused.message()))
    }

    /// Number of tracks in the catalogue.
    #[wasm_bindgen(getter)]
    pub fn tracks(&self) -> usize {
        self.model.catalogue()
    }

    /// Number of tracks that are here.
    #[wasm_bindgen(getter)]
    pub fn here(&self) -> usize {
        self.model.len()
    }

    /// Those of the `limit` shards nearest to the listener that are not here.
    pub fn nearest(&mut self, limit: usize) -> Vec<u8> {
        nearest(&self.model, &mut self.session, &mut self.queue);
        let near = self.queue.iter().take(limit).map(|place| place.index() as u8);
        near.filter(|&shard| self.model.is_absent(shard)).collect()
    }

    /// The shard of a row; of a cell, where the row stands for absent tracks.
    pub fn shard_of(&self, row: u32) -> Result<u8, JsError> {
        Ok(self.model.shard_of(self.row(row)?).unwrap_or_default())
    }

    /// Whether the section `kind` of a shard is here as it was sent.
    pub fn holds(&self, kind: usize, shard: u8) -> bool {
        id(kind, shard).is_ok_and(|id| self.model.section(id).is_some())
    }

    /// Number of taste clusters; 0 where the model has none.
    #[wasm_bindgen(getter)]
    pub fn clusters(&self) -> usize {
        self.model.clusters().map_or(0, |clusters| clusters.len())
    }
}

impl Engine {
    pub(crate) fn of(model: Model) -> Self {
        Self {
            session: Session::new(&model),
            model,
            pauses: Pauses::default(),
            explainer: None,
            reasons: String::new(),
            open: Vec::new(),
            excluded: Vec::new(),
            candidates: Vec::new(),
            queue: Vec::new(),
            slate: Slate::default(),
        }
    }

    /// A row from outside.
    pub(crate) fn row(&self, row: u32) -> Result<Row, JsError> {
        known(&[row], &self.model)?.next().flatten().ok_or_else(|| error("no row is given"))
    }
}

/// Rows from outside; [`UNKNOWN`] is one that the model does not know.
pub(crate) fn known(
    rows: &[u32],
    model: &Model,
) -> Result<impl Iterator<Item = Option<Row>>, JsError> {
    let len = rows.len();
    if len > MAX_ROWS {
        let [len, most] = [len, MAX_ROWS].map(|tracks| decimal(tracks as u64));
        return Err(error(&sentence(&[&len, " tracks in one call; at most ", &most, " go"])));
    }
    if let Some(row) = rows.iter().find(|&&row| row != UNKNOWN && !model.has(Row(row))) {
        let [row, tracks] = [u64::from(*row), model.len() as u64].map(decimal);
        return Err(error(&sentence(&[
            "row ",
            &row,
            " is beyond the model's ",
            &tracks,
            " tracks",
        ])));
    }
    Ok(rows.iter().map(|&row| (row != UNKNOWN).then_some(Row(row))))
}
