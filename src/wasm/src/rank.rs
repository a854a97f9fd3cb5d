//! Candidates in, order out.

use alloc::{vec, vec::Vec};
use segue_core::{
    ids::Row,
    kernel::Shelf,
    model::Model,
    rank,
    slate::{self, Options},
};
use wasm_bindgen::prelude::*;

use crate::engine::{Engine, known};

#[wasm_bindgen]
impl Engine {
    /// A queue of `limit` of `rows`, best first, chosen by the options of [`segue_core::slate::Options`], each the usual
    /// where it is NaN. Each place takes four numbers: its index among `rows`, the bits of its score
    /// as a 32-bit float, −∞ where the row is unknown, those of the probability that the listener skips it, NaN where
    /// that is not foretold, and by how many places the options moved it up, as a signed number. Throws where a row is
    /// beyond the model.
    #[expect(clippy::too_many_arguments, reason = "numbers cross for nothing, an object does not")]
    pub fn rank(
        &mut self,
        rows: &[u32],
        limit: u32,
        diversity: f32,
        artist_gap: f32,
        album_gap: f32,
        fatigue: f32,
        explore: f32,
        seed: f64,
    ) -> Result<Vec<u32>, JsError> {
        self.candidates.clear();
        self.candidates.extend(known(rows, &self.model)?);
        let usual = Options::default();
        let or = |given: f32, usual: f32| if given.is_nan() { usual } else { given };
        // Casts saturate.
        let options = Options {
            diversity: or(diversity, usual.diversity),
            artist_gap: or(artist_gap, usual.artist_gap.into()) as u8,
            album_gap: or(album_gap, usual.album_gap.into()) as u8,
            fatigue: or(fatigue, usual.fatigue),
            explore: or(explore, usual.explore),
            seed: if seed.is_nan() { usual.seed } else { Some(seed as u64) },
        };
        let Self { model, session, candidates, queue, slate, .. } = self;
        slate::rank(model, session, candidates, limit as usize, &options, slate, queue);
        Ok(self.crossing())
    }

    /// The best `limit` tracks of those listed that are here and not in `exclude`, best first. Each
    /// takes four numbers, as in [`Engine::rank`], the first of which is its row. O(n·d).
    pub fn top(&mut self, limit: u32, exclude: &[u32]) -> Result<Vec<u32>, JsError> {
        self.list_any();
        // Only what was open is to be opened again.
        self.excluded.clear();
        for row in known(exclude, &self.model)?.flatten() {
            if open(&mut self.open, row, false) {
                self.excluded.push(row);
            }
        }
        let Self { model, session, open: shards, queue, .. } = self;
        let may = |row| is_open(shards, row);
        rank::top(model, session, limit as usize, may, queue);
        self.slate.clear();
        for &row in &self.excluded {
            open(&mut self.open, row, true);
        }
        Ok(self.crossing())
    }

    /// Lets [`Engine::top`] name only these rows from now on.
    pub fn list(&mut self, rows: &[u32]) -> Result<(), JsError> {
        let rows = known(rows, &self.model)?;
        self.open = closed(&self.model, false);
        for row in rows.flatten() {
            open(&mut self.open, row, true);
        }
        Ok(())
    }

    /// Lets [`Engine::top`] name every track again.
    pub fn list_all(&mut self) {
        self.open.clear();
    }
}

/// For each shard that is here, all rows, as `open`.
fn closed(model: &Model, open: bool) -> Vec<Vec<bool>> {
    let mut shards = Vec::new();
    for Shelf { shard, factors, .. } in model.shelves() {
        shards.resize(usize::from(shard), Vec::new());
        shards.push(vec![open; factors.len()]);
    }
    shards
}

/// Whether a row that is here is open.
pub(crate) fn is_open(shards: &[Vec<bool>], row: Row) -> bool {
    shards[usize::from(row.shard())][row.index()]
}

/// Opens or closes a row, and says whether it was open. Nothing can be done to what is not here.
fn open(shards: &mut [Vec<bool>], row: Row, open: bool) -> bool {
    let place = shards.get_mut(usize::from(row.shard())).and_then(|s| s.get_mut(row.index()));
    place.is_some_and(|place| core::mem::replace(place, open))
}

impl Engine {
    /// Opens every row where nothing is listed.
    pub(crate) fn list_any(&mut self) {
        if self.open.is_empty() {
            self.open = closed(&self.model, true);
        }
    }

    /// The queue as it crosses: for each place its index, the bits of its score and of the probability of a
    /// skip, and by how much it was moved.
    fn crossing(&mut self) -> Vec<u32> {
        let Self { model, session, queue, slate, .. } = self;
        let query = session.query(model);
        let mut crossing = vec![0; 4 * queue.len()];
        for (at, (crossing, place)) in crossing.as_chunks_mut().0.iter_mut().zip(queue).enumerate()
        {
            let score = rank::score(model, query, place.points());
            let skip = rank::skip(model, place.points()).unwrap_or(f32::NAN);
            *crossing =
                [place.index(), score.to_bits(), skip.to_bits(), slate.moved(at).cast_unsigned()];
        }
        crossing
    }
}
