//! Candidates in, order out.

use segue_core::{kernel::Place, rank};
use wasm_bindgen::prelude::*;

use crate::engine::{Engine, known};

#[wasm_bindgen]
impl Engine {
    /// The best `limit` of `rows`, best first. Each takes two numbers: its index among `rows`,
    /// and the bits of its score as a 32-bit float, −∞ where the row is unknown. Throws where a
    /// row is beyond the model.
    pub fn rank(&mut self, rows: &[u32], limit: u32) -> Result<Vec<u32>, JsError> {
        self.candidates.clear();
        self.candidates.extend(known(rows, self.model.len())?);
        let limit = limit as usize;
        rank::rank(&self.model, &mut self.session, &self.candidates, limit, &mut self.queue);
        Ok(self.crossing())
    }

    /// The best `limit` tracks of those listed that are not in `exclude`, best first. Each takes
    /// two numbers: its row, and the bits of its score as a 32-bit float. Exact. O(n·d).
    pub fn top(&mut self, limit: u32, exclude: &[u32]) -> Result<Vec<u32>, JsError> {
        let tracks = self.model.len();
        self.open.resize(tracks, true);
        // Only what was open is to be opened again.
        self.excluded.clear();
        for row in known(exclude, tracks)?.flatten() {
            if core::mem::replace(&mut self.open[row.index()], false) {
                self.excluded.push(row);
            }
        }
        let Self { model, session, open, queue, .. } = self;
        rank::top(model, session, limit as usize, |row| open[row.index()], queue);
        self.excluded.iter().for_each(|row| self.open[row.index()] = true);
        Ok(self.crossing())
    }

    /// Lets [`Engine::top`] name only these rows from now on.
    pub fn list(&mut self, rows: &[u32]) -> Result<(), JsError> {
        let tracks = self.model.len();
        let rows = known(rows, tracks)?;
        self.open.clear();
        self.open.resize(tracks, false);
        rows.flatten().for_each(|row| self.open[row.index()] = true);
        Ok(())
    }

    /// Lets [`Engine::top`] name every track again.
    pub fn list_all(&mut self) {
        self.open.clear();
    }
}

impl Engine {
    /// The queue as it crosses: for each place its index and the bits of its score.
    fn crossing(&mut self) -> Vec<u32> {
        let Self { model, session, queue, .. } = self;
        let crossing =
            |place: &Place| [place.index(), rank::score(model, session, place.points()).to_bits()];
        queue.iter().flat_map(crossing).collect()
    }
}
