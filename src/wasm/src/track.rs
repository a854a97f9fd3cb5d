//! Tracks: callers' ids to rows, and what the model knows of a row.

use alloc::{string::String, vec::Vec};
use segue_core::ids::Row;
use wasm_bindgen::prelude::*;

use crate::{UNKNOWN, engine::Engine};

#[wasm_bindgen]
impl Engine {
    /// Whether there is such a row.
    pub fn has(&self, row: u32) -> bool {
        self.model.has(Row(row))
    }

    /// The row of one id, that of its cell where the track is not here, or [`UNKNOWN`].
    pub fn row_of(&self, track: &str) -> u32 {
        self.model.row(track).map_or(UNKNOWN, |row| row.0)
    }

    /// The rows of several ids, joined by U+0000, [`UNKNOWN`] for each that the model does not
    /// know. An id that itself holds U+0000 makes two here: the caller sees it by the count.
    pub fn rows_of(&self, tracks: &str) -> Vec<u32> {
        tracks.split('\0').map(|track| self.row_of(track)).collect()
    }

    /// The title of a row; empty where unknown.
    pub fn title(&self, row: u32) -> Result<String, JsError> {
        let row = self.row(row)?;
        Ok(self.model.text_of(row).map_or("", |(text, row)| text.title(row)).into())
    }

    /// The artist of a row; empty where unknown.
    pub fn artist(&self, row: u32) -> Result<String, JsError> {
        let row = self.row(row)?;
        Ok(self.model.artist_of(row).into())
    }

    /// The length of a row's track in milliseconds; 0 where unknown.
    pub fn duration_ms(&self, row: u32) -> Result<u32, JsError> {
        let row = self.row(row)?;
        Ok(self.model.text_of(row).map_or(0, |(text, row)| text.duration_ms(row)))
    }

    /// The taste cluster of a row, where the model has clusters.
    pub fn cluster_of(&self, row: u32) -> Result<Option<u16>, JsError> {
        let row = self.row(row)?;
        Ok(self.model.cluster_of(row))
    }

    /// The name of a cluster; `undefined` where there is no such cluster or it has no name.
    pub fn cluster_name(&self, cluster: usize) -> Option<String> {
        let text = self.model.text().filter(|_| cluster < self.clusters())?;
        text.cluster_name(cluster).map(Into::into)
    }
}
