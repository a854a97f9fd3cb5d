//! Tracks that go together: what factors of few components leave out.
//!
//! The weight of y for those who met x is how many met both, each counted by a power of how much they
//! met, over powers of how often x and y are met: cosine, conditional probability and the random walks
//! of Paudel et al., "Updatable, Accurate, Diverse, and Scalable Recommendations for Interactive
//! Applications" (2017), are such weights. Which powers is for held-out listening to say.

use rayon::prelude::*;
use segue_core::model::popularity_class;
use serde::{Deserialize, Serialize};

use crate::{
    links::{Link, Links, share},
    matrix::Matrix,
};

/// Powers of what a pair of tracks is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Of the number of listeners of the track that was met.
    pub met: f32,
    /// Of the number of listeners of the track that is recommended.
    pub recommended: f32,
    /// Of the number of tracks of a listener who met both.
    pub listener: f32,
}

/// A pair that fewer listeners met is nobody's business.
pub const SUPPORT: u32 = 2;
/// The most telling pairs that are looked at of each track.
const LONGEST: usize = 32;
/// Most tracks of a listener, and most listeners of a track, that are counted; evenly drawn from more.
const MOST: usize = 2000;

/// The pairs that at least [`SUPPORT`] listeners met, as strong that what the tracks of a listener add
/// to one of them is 1 in the mean. O(Σ pairs of each listener's tracks), at most 2,000 of which and of a
/// track's listeners are counted, evenly drawn.
pub fn links(by_user: &Matrix, by_item: &Matrix, recipe: Recipe) -> Links {
    let classes: Vec<u8> = by_item.positives().into_iter().map(popularity_class).collect();
    let tracks = classes.len();
    let worth: Vec<f32> = by_user
        .positives()
        .into_iter()
        .map(|met| (met.max(1) as f32).powf(-recipe.listener))
        .collect();
    let of_listener = Yes::new(by_user);
    let of_track = of_listener.transposed(tracks);
    let powers = [recipe.met, recipe.recommended];
    let most_telling = |counts: &mut Counts, track: usize| {
        let every = counts.count(of_track.row(track), &of_listener, &worth);
        let mut some: Vec<(f32, u32, u32, f32)> = Vec::new();
        counts.drain(|other, times, strength| {
            if other as usize != track && times >= SUPPORT {
                let weight = strength * share(powers, [classes[track], classes[other as usize]]);
                some.push((weight, other, times * every, strength));
            }
        });
        some.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        some.truncate(LONGEST);
        let track = track as u32;
        // The same either way.
        some.into_iter().map(move |(_, other, listeners, strength)| Link {
            rows: [track.min(other), track.max(other)],
            strengths: [0.5 * strength; 2],
            listeners,
        })
    };
    let all = (0..tracks)
        .into_par_iter()
        .map_init(|| Counts::new(tracks), most_telling)
        .flatten_iter()
        .collect();
    let mut links = Links::new(powers, 1.0, classes, all);
    let mean = mean_sum(&links, of_listener.of.len());
    links.divide(mean);
    links
}

/// What each listener said yes to, or who said yes to each track.
struct Yes {
    starts: Vec<usize>,
    of: Vec<u32>,
}

impl Yes {
    /// At most [`MOST`] columns of each row, evenly drawn.
    fn new(by_user: &Matrix) -> Self {
        let mut yes = Self { starts: vec![0], of: Vec::new() };
        for row in 0..by_user.rows() {
            let entries = by_user.row(row).iter().filter(|(_, pull)| pull.information > 0.0);
            let every = by_user.row(row).positive().div_ceil(MOST).max(1);
            yes.of.extend(entries.step_by(every).map(|(column, _)| column as u32));
            yes.starts.push(yes.of.len());
        }
        yes
    }

    fn transposed(&self, columns: usize) -> Self {
        let mut starts = vec![0; columns + 1];
        self.of.iter().for_each(|&column| starts[column as usize + 1] += 1);
        (0..columns).for_each(|column| starts[column + 1] += starts[column]);
        let mut next = starts.clone();
        let mut of = vec![0; self.of.len()];
        for row in 0..self.len() {
            for &column in self.row(row) {
                of[next[column as usize]] = row as u32;
                next[column as usize] += 1;
            }
        }
        Self { starts, of }
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn row(&self, row: usize) -> &[u32] {
        &self.of[self.starts[row]..self.starts[row + 1]]
    }
}

/// How often other tracks were met with one.
struct Counts {
    times: Vec<u32>,
    sums: Vec<f32>,
    met: Vec<u32>,
}

impl Counts {
    fn new(tracks: usize) -> Self {
        Self { times: vec![0; tracks], sums: vec![0.0; tracks], met: Vec::new() }
    }

    /// Counts what the listeners of a track met, each listener as much as they are `worth`; where these
    /// are more than [`MOST`], some of them for all. Returns how many each of these stands for.
    fn count(&mut self, met_by: &[u32], of_listener: &Yes, worth: &[f32]) -> u32 {
        let every = met_by.len().div_ceil(MOST).max(1);
        for &listener in met_by.iter().step_by(every) {
            let listener = listener as usize;
            for &other in of_listener.row(listener) {
                let at = other as usize;
                if self.times[at] == 0 {
                    self.met.push(other);
                }
                self.times[at] += 1;
                self.sums[at] += worth[listener] * every as f32;
            }
        }
        every as u32
    }

    fn drain(&mut self, mut each: impl FnMut(u32, u32, f32)) {
        for other in self.met.drain(..) {
            let at = other as usize;
            each(other, self.times[at], self.sums[at]);
            (self.times[at], self.sums[at]) = (0, 0.0);
        }
    }
}

/// What the tracks of a listener add to one of them, in the mean over all that were met; 1 where that
/// is nothing.
fn mean_sum(links: &Links, met: usize) -> f32 {
    let add = |link: &Link| {
        f64::from(link.listeners) * f64::from(links.weights(link).iter().sum::<f32>())
    };
    let mean = links.iter().map(add).sum::<f64>() / met.max(1) as f64;
    if mean > 0.0 { mean as f32 } else { 1.0 }
}
