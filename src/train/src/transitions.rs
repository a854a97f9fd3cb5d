//! Tracks that follow each other: what the order of a sitting tells.
//!
//! How strongly y follows x is how often it was played after it in the same sitting, the later the less,
//! over powers of how often each is played: the successor lists of session-based recommendation
//! (sequential rules, as in Ludewig and Jannach, "Evaluation of Session-Based Recommendation Algorithms",
//! 2018), with both directions in one.

use rayon::prelude::*;
use segue_core::model::popularity_class;
use serde::{Deserialize, Serialize};

use crate::links::{Link, Links, share};

/// What a pair of tracks is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Tracks after one that are counted.
    pub window: usize,
    /// The g-th of them counts g to minus this.
    pub gap: f32,
    /// What it counts that a track came before.
    pub back: f32,
    /// The power of the number of sittings of the track that was played.
    pub met: f32,
    /// That of the track that follows.
    pub recommended: f32,
    /// Listeners who have a pair at least; what fewer have is left out.
    pub support: u32,
}

/// The usual support: a pair that one listener alone has is nobody's business.
pub const SUPPORT: u32 = 2;
/// The most telling pairs that are looked at of each track.
const LONGEST: usize = 64;
/// Most plays of a track that are counted; evenly drawn from more.
const MOST: usize = 5000;

/// Sittings, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Sittings {
    tracks: usize,
    plays: Vec<u32>,
    /// Where each sitting starts; one more at the end.
    starts: Vec<usize>,
    /// Whose each sitting is.
    listeners: Vec<u32>,
}

impl Sittings {
    /// Those of a catalogue of so many `tracks`, each of a listener of its own. The same track twice
    /// running counts as once.
    pub fn new<S: IntoIterator<Item = u32>>(
        tracks: usize,
        sittings: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::of_listeners(tracks, (0..).zip(sittings))
    }

    /// The same of listeners who are known: the sittings of each follow each other.
    pub fn of_listeners<S: IntoIterator<Item = u32>>(
        tracks: usize,
        sittings: impl IntoIterator<Item = (u32, S)>,
    ) -> Self {
        let mut all = Self { tracks, plays: Vec::new(), starts: vec![0], listeners: Vec::new() };
        for (listener, sitting) in sittings {
            let start = all.plays.len();
            for track in sitting {
                if all.plays.len() == start || all.plays.last() != Some(&track) {
                    all.plays.push(track);
                }
            }
            all.starts.push(all.plays.len());
            all.listeners.push(listener);
        }
        all
    }

    /// Number of tracks of the catalogue.
    pub fn tracks(&self) -> usize {
        self.tracks
    }

    /// Each sitting, its listener and its tracks in order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &[u32])> {
        let plays = self.starts.windows(2).map(|bounds| &self.plays[bounds[0]..bounds[1]]);
        self.listeners.iter().copied().zip(plays)
    }

    /// Where each track is played: the sitting, and the place among all plays.
    fn occurrences(&self) -> (Vec<usize>, Vec<(u32, usize)>) {
        let mut starts = vec![0; self.tracks + 1];
        self.plays.iter().for_each(|&track| starts[track as usize + 1] += 1);
        (0..self.tracks).for_each(|track| starts[track + 1] += starts[track]);
        let mut next = starts.clone();
        let mut of = vec![(0, 0); self.plays.len()];
        for (sitting, bounds) in (0..).zip(self.starts.windows(2)) {
            for at in bounds[0]..bounds[1] {
                let track = self.plays[at] as usize;
                of[next[track]] = (sitting, at);
                next[track] += 1;
            }
        }
        (starts, of)
    }
}

/// The pairs that enough listeners have, at most 64 for each track, as strong that a play
/// adds 1 to the one that follows in the mean. O(plays × window). Where `stop` says so, counting ends
/// and what comes of it is of no use.
pub fn links(sittings: &Sittings, recipe: Recipe, stop: &(dyn Fn() -> bool + Sync)) -> Links {
    let (starts, of) = sittings.occurrences();
    let of_track = |track: usize| &of[starts[track]..starts[track + 1]];
    let in_sittings = |track: usize| {
        let plays = of_track(track);
        1 + plays.windows(2).filter(|pair| pair[0].0 != pair[1].0).count()
    };
    let tracks = sittings.tracks;
    let classes: Vec<u8> = (0..tracks).map(|track| popularity_class(in_sittings(track))).collect();
    let powers = [recipe.met, recipe.recommended];
    let near = Near::new(sittings, recipe);
    let most_telling = |counts: &mut Counts, track: usize| {
        let plays = if stop() { &[] } else { of_track(track) };
        near.count(counts, plays);
        let mut some: Vec<(f32, u32, u32, [f32; 2])> = Vec::new();
        counts.drain(|other, support, [after, before]| {
            if support >= recipe.support {
                let weight = (after + recipe.back * before)
                    * share(powers, [classes[track], classes[other as usize]]);
                some.push((weight, other, support, [after, before]));
            }
        });
        some.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        some.truncate(LONGEST);
        let track = track as u32;
        some.into_iter().map(move |(_, other, listeners, [after, before])| {
            let (rows, strengths) = if track < other {
                ([track, other], [after, before])
            } else {
                ([other, track], [before, after])
            };
            Link { rows, strengths, listeners }
        })
    };
    let all = (0..tracks)
        .into_par_iter()
        .map_init(|| Counts::new(tracks), most_telling)
        .flatten_iter()
        .collect();
    let mut links = Links::new(powers, recipe.back, classes, all);
    let mean = mean_weight(&links);
    links.divide(mean);
    links
}

/// What a play adds to one that follows, in the mean over how strongly they follow; 1 where none does.
fn mean_weight(links: &Links) -> f32 {
    let (mut sum, mut all) = (0.0_f64, 0.0_f64);
    for link in links.iter() {
        for (strength, weight) in link.strengths.into_iter().zip(links.weights(link)) {
            sum += f64::from(strength) * f64::from(weight);
            all += f64::from(strength);
        }
    }
    if sum > 0.0 { (sum / all) as f32 } else { 1.0 }
}

struct Near<'a> {
    sittings: &'a Sittings,
    recipe: Recipe,
    /// What one counts that is so many plays away, from one away on.
    gaps: Vec<f32>,
}

impl<'a> Near<'a> {
    fn new(sittings: &'a Sittings, recipe: Recipe) -> Self {
        let gaps = (1..=recipe.window).map(|gap| (gap as f32).powf(-recipe.gap)).collect();
        Self { sittings, recipe, gaps }
    }

    /// Counts what was played after and before each of `plays`.
    fn count(&self, counts: &mut Counts, plays: &[(u32, usize)]) {
        let every = plays.len().div_ceil(MOST).max(1);
        for &(sitting, at) in plays.iter().step_by(every) {
            let all = &self.sittings.plays;
            let listener = self.sittings.listeners[sitting as usize];
            let bounds = &self.sittings.starts[sitting as usize..];
            let after = &all[at + 1..bounds[1].min(at + 1 + self.recipe.window)];
            let before = &all[bounds[0].max(at.saturating_sub(self.recipe.window))..at];
            let own = all[at];
            let mut see = |gap: &f32, other: u32, direction: usize| {
                if other != own {
                    counts.see(other, listener, direction, gap * every as f32);
                }
            };
            self.gaps.iter().zip(after).for_each(|(gap, &other)| see(gap, other, 0));
            self.gaps.iter().zip(before.iter().rev()).for_each(|(gap, &other)| see(gap, other, 1));
        }
    }
}

/// What was played near one track.
struct Counts {
    each: Vec<Count>,
    met: Vec<u32>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    strengths: [f32; 2],
    listeners: u32,
    /// The number of the last of them, plus one.
    last: u32,
}

impl Counts {
    fn new(tracks: usize) -> Self {
        Self { each: vec![Count::default(); tracks], met: Vec::new() }
    }

    fn see(&mut self, other: u32, listener: u32, direction: usize, strength: f32) {
        let count = &mut self.each[other as usize];
        if count.listeners == 0 {
            self.met.push(other);
        }
        // The sittings of a listener follow each other.
        count.listeners += u32::from(count.last != listener + 1);
        count.last = listener + 1;
        count.strengths[direction] += strength;
    }

    fn drain(&mut self, mut each: impl FnMut(u32, u32, [f32; 2])) {
        for other in self.met.drain(..) {
            let count = std::mem::take(&mut self.each[other as usize]);
            each(other, count.listeners, count.strengths);
        }
    }
}
