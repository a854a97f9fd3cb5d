//! One model and one listener: what all other nouns act on.

use segue_core::{
    ids::Row,
    kernel::Place,
    model::{MAX_ROWS, Model},
    reason::Explainer,
    session::Session,
};
use wasm_bindgen::prelude::*;

use crate::{UNKNOWN, error, parts::Parts};

/// A model, the session of one listener, and the memory that ranking reuses.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    pub(crate) model: Model,
    pub(crate) session: Session,
    /// Prepared from the session as it stands; `None` once it has moved on.
    pub(crate) explainer: Option<Explainer>,
    /// For each row whether [`Engine::top`] may name it; empty where it may name all.
    pub(crate) open: Vec<bool>,
    /// Rows that it may not name this once.
    pub(crate) excluded: Vec<Row>,
    pub(crate) candidates: Vec<Option<Row>>,
    pub(crate) queue: Vec<Place>,
}

#[wasm_bindgen]
impl Engine {
    /// Builds the model from its parts, with a session of which nothing is known. Throws where
    /// they are not a model.
    #[wasm_bindgen(constructor)]
    pub fn new(parts: Parts) -> Result<Self, JsError> {
        let model = parts.build()?;
        Ok(Self {
            session: Session::new(&model),
            model,
            explainer: None,
            open: Vec::new(),
            excluded: Vec::new(),
            candidates: Vec::new(),
            queue: Vec::new(),
        })
    }

    /// Puts another model in the place of this one and carries the session over. Every track is
    /// listed again. Where the parts are not a model it throws, and everything stays as it was.
    pub fn replace(&mut self, parts: Parts) -> Result<(), JsError> {
        let model = parts.build()?;
        self.session = self.session.moved(&self.model, &model);
        self.model = model;
        self.explainer = None;
        self.open.clear();
        Ok(())
    }

    /// Number of tracks in the model.
    #[wasm_bindgen(getter)]
    pub fn tracks(&self) -> usize {
        self.model.len()
    }

    /// Number of taste clusters; 0 where the model has none.
    #[wasm_bindgen(getter)]
    pub fn clusters(&self) -> usize {
        self.model.clusters().map_or(0, |clusters| clusters.len())
    }
}

impl Engine {
    /// A row from outside.
    pub(crate) fn row(&self, row: u32) -> Result<Row, JsError> {
        known(&[row], self.model.len())?.next().flatten().ok_or_else(|| error("no row is given"))
    }
}

/// Rows from outside, of a model with so many `tracks`; [`UNKNOWN`] is one that it does not know.
pub(crate) fn known(
    rows: &[u32],
    tracks: usize,
) -> Result<impl Iterator<Item = Option<Row>>, JsError> {
    let len = rows.len();
    if len > MAX_ROWS {
        return Err(error(format_args!("{len} tracks in one call; at most {MAX_ROWS} go")));
    }
    if let Some(row) = rows.iter().find(|&&row| row != UNKNOWN && row as usize >= tracks) {
        return Err(error(format_args!("row {row} is beyond the model's {tracks} tracks")));
    }
    Ok(rows.iter().map(|&row| (row != UNKNOWN).then_some(Row(row))))
}
