//! Where a taste lies among the clusters, and what people of these clusters finish.

use alloc::vec::Vec;
use segue_core::{
    artists,
    membership::{self, Kindred},
};
use wasm_bindgen::prelude::*;

use crate::engine::{Engine, known};

#[wasm_bindgen]
impl Engine {
    /// The share of each cluster in a row, or in the listener's taste where the row is
    /// [`crate::UNKNOWN`], as the bits of 32-bit floats; empty where the model has no clusters.
    pub fn membership(&mut self, row: u32) -> Result<Vec<u32>, JsError> {
        let row = known(&[row], &self.model)?.next().flatten();
        let shares = membership::membership(&self.model, &mut self.session, row);
        Ok(shares.into_iter().map(f32::to_bits).collect())
    }

    /// The best `limit` tracks that people with the listener's taste finish, of those listed that the
    /// listener does not know. Each takes three numbers: its row, the bits of its score as a 32-bit
    /// float, and the cluster whose people it comes from.
    pub fn also_finished(&mut self, limit: u32) -> Vec<u32> {
        self.list_any();
        let Self { model, session, open, .. } = self;
        let may = |row| crate::rank::is_open(open, row);
        let found = membership::also_finished(model, session, limit as usize, may);
        let cross = |found: &Kindred| [found.row, found.score.to_bits(), found.cluster];
        found.iter().flat_map(cross).collect()
    }

    /// The `limit` artists nearest to one, the nearest first. Each takes two numbers: the first row that is
    /// theirs, and the bits of the cosine as a 32-bit float.
    pub fn artists_near(&self, artist: &str, limit: u32) -> Vec<u32> {
        let found = artists::near(&self.model, artist, limit as usize);
        let cosine = |points| artists::cosine(points).to_bits();
        found.iter().flat_map(|place| [place.index(), cosine(place.points())]).collect()
    }
}
