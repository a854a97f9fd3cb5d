//! Why tracks stand where they stand.

use alloc::{string::String, vec::Vec};
use segue_core::reason::Explainer;
use wasm_bindgen::prelude::*;

use crate::engine::{Engine, known};

/// Reasons for several rows.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Reasons {
    numbers: Vec<u32>,
    texts: Vec<String>,
}

#[wasm_bindgen]
impl Reasons {
    /// For each row the number of its reasons, and after it for each reason: its ground as in
    /// [`segue_core::reason::Ground`], the bits of its effect as a 32-bit float, the number of
    /// tracks that it rests on, and their rows.
    #[wasm_bindgen(getter)]
    pub fn numbers(&self) -> Vec<u32> {
        self.numbers.clone()
    }

    /// The reasons as a person reads them, one a line, in the order of [`Reasons::numbers`].
    #[wasm_bindgen(getter)]
    pub fn text(&self) -> String {
        self.texts.join("\n")
    }
}

#[wasm_bindgen]
impl Engine {
    /// The reasons for each of `rows`, strongest first, beside the rows that they were ranked
    /// `among`, or beside the whole catalogue where that is fewer than two; unknown rows have none. Throws where a
    /// row is beyond the model. O(d²) for each piece of evidence once after an event, then O(d)
    /// for each row of `among`, and for each piece and row.
    pub fn explain(&mut self, rows: &[u32], among: &[u32]) -> Result<Reasons, JsError> {
        let rows: Vec<_> = known(rows, &self.model)?.collect();
        let mut among: Vec<_> = known(among, &self.model)?.flatten().collect();
        // A track by itself is beside nothing.
        if among.len() < 2 {
            among = self.model.rows().collect();
        }
        let Self { model, session, explainer, .. } = self;
        let explainer = explainer.get_or_insert_with(|| Explainer::new(model, session));
        explainer.beside(model, session, &among);
        let mut reasons = Reasons::default();
        for row in rows {
            let found = row.map(|row| explainer.explain(model, session, row)).unwrap_or_default();
            reasons.numbers.push(found.len() as u32);
            for reason in found {
                let head =
                    [reason.ground as u32, reason.effect.to_bits(), reason.tracks.len() as u32];
                reasons.numbers.extend(head);
                reasons.numbers.extend(reason.tracks.iter().map(|row| row.0));
                reasons.texts.push(reason.text());
            }
        }
        Ok(reasons)
    }
}
