//! Why tracks stand where they stand.

use alloc::{string::String, vec::Vec};
use core::mem::take;
use segue_core::reason::Explainer;
use wasm_bindgen::prelude::*;

use crate::engine::{Engine, known};

#[wasm_bindgen]
impl Engine {
    /// The reasons for each of `rows`, strongest first, beside the rows that they were ranked
    /// `among`, or beside the whole catalogue where that is fewer than two; unknown rows have none. Throws where a
    /// row is beyond the model. O(d²) for each piece of evidence once after an event, then O(d)
    /// for each row of `among`, and for each piece and row.
    ///
    /// For each row comes the number of its reasons, and after it for each reason: its ground as in
    /// [`segue_core::reason::Ground`], the bits of its effect as a 32-bit float, the number of
    /// tracks that it rests on, and their rows.
    pub fn explain(&mut self, rows: &[u32], among: &[u32]) -> Result<Vec<u32>, JsError> {
        let rows: Vec<_> = known(rows, &self.model)?.collect();
        let mut among: Vec<_> = known(among, &self.model)?.flatten().collect();
        // A track by itself is beside nothing.
        if among.len() < 2 {
            among = self.model.rows().collect();
        }
        let Self { model, session, explainer, reasons, .. } = self;
        let explainer = explainer.get_or_insert_with(|| Explainer::new(model, session));
        explainer.beside(model, session, &among);
        reasons.clear();
        let mut numbers = Vec::new();
        for row in rows {
            let found = row.map(|row| explainer.explain(model, session, row)).unwrap_or_default();
            numbers.push(found.len() as u32);
            for reason in found {
                let head =
                    [reason.ground as u32, reason.effect.to_bits(), reason.tracks.len() as u32];
                numbers.extend(head);
                numbers.extend(reason.tracks.iter().map(|row| row.0));
                reasons.push_str(&reason.text());
                reasons.push('\n');
            }
        }
        Ok(numbers)
    }

    /// The reasons that [`Engine::explain`] gave last, as a person reads them, one a line.
    pub fn reasons(&mut self) -> String {
        take(&mut self.reasons)
    }
}
