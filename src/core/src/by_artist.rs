//! What a listener says of the tracks of an artist, and how lately they heard one.

use alloc::vec::Vec;

use crate::{
    ids::Row,
    model::{Model, Track},
};

/// The artists that a listener met, by key.
#[derive(Clone, Debug, Default)]
pub struct ByArtist(Vec<Artist>);

#[derive(Clone, Copy, Debug)]
struct Artist {
    key: u64,
    /// Verdicts, and their sum beyond what all say.
    weight: f32,
    beyond: f32,
    /// How lately they were heard in this sitting: Σ 1/(1 + events since) over tracks.
    heard: f32,
}

impl ByArtist {
    /// Nobody was met yet.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Nobody was heard in this sitting.
    pub fn leave(&mut self) {
        self.0.iter_mut().for_each(|artist| artist.heard = 0.0);
    }

    /// There is `weight` more of verdicts on the artist of a row, which are `beyond` in sum. O(artists).
    pub fn add(&mut self, model: &Model, row: Row, weight: f32, beyond: f32) {
        if let Some(artist) = self.meet(model, row) {
            artist.weight += weight;
            artist.beyond += beyond;
        }
    }

    /// The artist of a row was heard so many events ago. O(artists).
    pub fn hear(&mut self, model: &Model, row: Row, age: f32) {
        if let Some(artist) = self.meet(model, row) {
            artist.heard += 1.0 / (1.0 + age);
        }
    }

    /// What the listener says of the artist of a track beyond what all say and beyond their own `mean`, beside `prior`
    /// verdicts of which nothing is; and how lately they heard them in this sitting. O(log artists).
    pub fn of(&self, track: Option<Track<'_>>, mean: f32, prior: f32) -> [f32; 2] {
        let place = track.and_then(Track::artist_key).and_then(|key| self.place(key).ok());
        let Some(artist) = place.map(|place| self.0[place]) else { return [0.0; 2] };
        let beyond = artist.beyond - mean * artist.weight;
        let share = if artist.weight > 1e-3 { beyond / (artist.weight + prior) } else { 0.0 };
        [share, artist.heard]
    }

    fn meet(&mut self, model: &Model, row: Row) -> Option<&mut Artist> {
        let key = key(model, row)?;
        let place = self.place(key).unwrap_or_else(|place| {
            self.0.insert(place, Artist { key, weight: 0.0, beyond: 0.0, heard: 0.0 });
            place
        });
        self.0.get_mut(place)
    }

    fn place(&self, key: u64) -> Result<usize, usize> {
        self.0.binary_search_by_key(&key, |artist| artist.key)
    }
}

/// Whether two rows are of one artist whose name the model has.
pub fn are_alike(model: &Model, one: Row, other: Row) -> bool {
    key(model, one).is_some_and(|artist| key(model, other) == Some(artist))
}

fn key(model: &Model, row: Row) -> Option<u64> {
    model.track(row)?.artist_key()
}
