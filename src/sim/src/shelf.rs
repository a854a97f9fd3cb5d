//! Drawing tracks by popularity from any contiguous part of the catalogue.
//!
//! Tracks lie on the shelf by genre, sub-genre, home region, scene and artist, so that each of
//! these is one range of places. A running sum of popularity turns a draw from any range into the
//! search for one number, and a guide table makes that O(1) in expectation (Chen and Asau, "On
//! generating random variates from an empirical distribution", 1974), for 16 bytes a track.

use std::ops::Range;

use rand::{Rng, RngExt};

use crate::world::TrackIndex;

/// A contiguous part of the shelf.
pub(crate) type Places = Range<u32>;

/// Tracks in shelf order with the running sum of their weights.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf {
    tracks: Vec<TrackIndex>,
    /// `below[i]` is the weight of all places before `i`; one longer than `tracks`.
    below: Vec<f64>,
    /// `guide[k]` is the place that holds the `k`-th of `tracks.len()` equal parts of the weight.
    guide: Vec<u32>,
}

impl Shelf {
    /// Puts each track with its weight on the shelf, in the order given.
    pub fn new(tracks: Vec<TrackIndex>, weights: impl Iterator<Item = f64>) -> Self {
        let mut below = Vec::with_capacity(tracks.len() + 1);
        let mut sum = 0.0;
        below.push(sum);
        for weight in weights.take(tracks.len()) {
            sum += weight;
            below.push(sum);
        }
        let mut guide = Vec::with_capacity(tracks.len());
        let mut place = 0;
        for part in 0..tracks.len() {
            let target = sum * part as f64 / tracks.len() as f64;
            while place + 1 < tracks.len() && below[place + 1] <= target {
                place += 1;
            }
            // The number of tracks is at most `MAX_TRACKS`.
            guide.push(place as u32);
        }
        Self { tracks, below, guide }
    }

    /// The whole shelf.
    pub fn all(&self) -> Places {
        // The number of tracks is at most `MAX_TRACKS`.
        0..self.tracks.len() as u32
    }

    /// A track drawn from `places` in proportion to its weight; `None` where there are no places.
    pub fn draw<R: Rng + ?Sized>(&self, places: &Places, rng: &mut R) -> Option<TrackIndex> {
        let (start, end) = (places.start as usize, places.end as usize);
        if start >= end {
            return None;
        }
        let (low, high) = (self.below[start], self.below[end]);
        let target = low + rng.random::<f64>() * (high - low);
        let total = self.below[self.tracks.len()];
        // Rounds towards zero, and to zero where there is no weight at all.
        let part = (target / total * self.tracks.len() as f64) as usize;
        let mut place = self.guide[part.min(self.guide.len() - 1)] as usize;
        // The guide may be off by a rounding; the range holds in any case.
        place = place.clamp(start, end - 1);
        while place + 1 < end && self.below[place + 1] <= target {
            place += 1;
        }
        self.tracks.get(place).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::num::generator;

    /// Draws follow the weights within a range and never leave it.
    #[test]
    fn draws_follow_weights_within_the_range() {
        let tracks = (0..5).map(TrackIndex::new).collect();
        let shelf = Shelf::new(tracks, [9.0, 1.0, 3.0, 0.0, 9.0].into_iter());
        let mut rng = generator(1, 1);
        let mut counts = [0_u32; 5];
        for _ in 0..4000 {
            counts[shelf.draw(&(1..4), &mut rng).unwrap().index()] += 1;
        }
        assert_eq!((counts[0], counts[3], counts[4]), (0, 0, 0));
        assert!((900..1100).contains(&counts[1]), "{counts:?}");
        assert_eq!(shelf.draw(&(2..2), &mut rng), None);
    }
}
