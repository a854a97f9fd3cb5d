//! Tracks that go together: what factors of few components leave out.
//!
//! The weight of y for those who met x is how many met both, each counted by a power of how much they
//! met, over powers of how often x and y are met: cosine, conditional probability and the random walks
//! of Paudel et al., "Updatable, Accurate, Diverse, and Scalable Recommendations for Interactive
//! Applications" (2017), are such weights. Which powers is for held-out listening to say.

use rayon::prelude::*;
use segue_core::{
    bytes::Aligned,
    codec::pairs::{LEVELS, Pair},
    model::{self, NeighbourParts, SectionId, SectionKind, Shard, popularity_class},
};

use crate::matrix::Matrix;

/// Powers of what a pair of tracks is counted by.
#[derive(Clone, Copy, Debug, PartialEq)]
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

/// Pairs of tracks, the most telling first.
#[derive(Clone, Debug)]
pub struct Pairs {
    recipe: Recipe,
    classes: Vec<u8>,
    /// The tracks, the lower first, and how strongly they go together.
    all: Vec<([u32; 2], f32)>,
}

/// The pairs that at least [`SUPPORT`] listeners met, as strong that what the tracks of a listener add
/// to one of them is 1 in the mean. O(Σ pairs of each listener's tracks), at most 2,000 of which and of a
/// track's listeners are counted, evenly drawn.
pub fn pairs(by_user: &Matrix, by_item: &Matrix, recipe: Recipe) -> Pairs {
    let classes: Vec<u8> = by_item.positives().into_iter().map(popularity_class).collect();
    let worth: Vec<f32> = by_user
        .positives()
        .into_iter()
        .map(|met| (met.max(1) as f32).powf(-recipe.listener))
        .collect();
    let of_listener = Yes::new(by_user);
    let of_track = of_listener.transposed(by_user.columns());
    let mut pairs = Pairs { recipe, classes, all: Vec::new() };
    let most_telling = |counts: &mut Counts, track: usize| {
        counts.count(of_track.row(track), &of_listener, &worth);
        let mut some: Vec<(f32, u32, f32)> = Vec::new();
        counts.drain(|other, times, strength| {
            if other as usize != track && times >= SUPPORT {
                some.push((strength * pairs.weight(track as u32, other), other, strength));
            }
        });
        some.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        some.truncate(LONGEST);
        let track = track as u32;
        some.into_iter()
            .map(move |(_, other, strength)| ([track.min(other), track.max(other)], strength))
    };
    let mut all: Vec<([u32; 2], f32)> = (0..pairs.classes.len())
        .into_par_iter()
        .map_init(|| Counts::new(pairs.classes.len()), most_telling)
        .flatten_iter()
        .collect();
    all.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    all.dedup_by_key(|(rows, _)| *rows);
    all.sort_by(|a, b| pairs.telling(b).total_cmp(&pairs.telling(a)));
    pairs.all = all;
    let mean = pairs.mean_sum(&of_listener);
    pairs.all.iter_mut().for_each(|(_, strength)| *strength /= mean);
    pairs
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
    /// are more than [`MOST`], some of them for all.
    fn count(&mut self, met_by: &[u32], of_listener: &Yes, worth: &[f32]) {
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
    }

    fn drain(&mut self, mut each: impl FnMut(u32, u32, f32)) {
        for other in self.met.drain(..) {
            let at = other as usize;
            each(other, self.times[at], self.sums[at]);
            (self.times[at], self.sums[at]) = (0, 0.0);
        }
    }
}

impl Pairs {
    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether no two tracks go together.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What a pair of strength 1 adds to `other` for those who met `track`.
    fn weight(&self, track: u32, other: u32) -> f32 {
        let popularity = |track: u32| 0.5 * f32::from(self.classes[track as usize]);
        let Recipe { met, recommended, .. } = self.recipe;
        (-met * popularity(track) - recommended * popularity(other)).exp2()
    }

    /// How much a pair does: what it adds, the more the more often it gets to.
    fn telling(&self, &([a, b], strength): &([u32; 2], f32)) -> f32 {
        let often = |track: u32| (0.25 * f32::from(self.classes[track as usize])).exp2();
        strength * (often(a) * self.weight(a, b) + often(b) * self.weight(b, a))
    }

    /// What the tracks of a listener add to one of them, in the mean over all that were met; 1 where
    /// that is nothing.
    fn mean_sum(&self, of_listener: &Yes) -> f32 {
        let mut lists: Vec<Vec<(u32, f32)>> = vec![Vec::new(); self.classes.len()];
        for &([a, b], strength) in &self.all {
            // Both ways at once: either is there whenever the other is.
            let both = strength * (self.weight(a, b) + self.weight(b, a));
            lists[a as usize].push((b, both));
        }
        let sums = (0..of_listener.len()).into_par_iter().map_init(
            || vec![false; self.classes.len()],
            |met, listener| {
                let tracks = of_listener.row(listener);
                tracks.iter().for_each(|&track| met[track as usize] = true);
                let known = tracks.iter().flat_map(|&track| &lists[track as usize]);
                let known = known.filter(|(other, _)| met[*other as usize]);
                let sum: f64 = known.map(|(_, weight)| f64::from(*weight)).sum();
                tracks.iter().for_each(|&track| met[track as usize] = false);
                (sum, tracks.len())
            },
        );
        // In order: sums of reals depend on it.
        let sums: Vec<(f64, usize)> = sums.collect();
        let count: usize = sums.iter().map(|(_, count)| count).sum();
        let mean = sums.iter().map(|(sum, _)| sum).sum::<f64>() / count.max(1) as f64;
        if mean > 0.0 { mean as f32 } else { 1.0 }
    }

    /// The `most` most telling pairs, their strengths rounded to one of eight and times `scale`.
    pub fn parts(&self, most: usize, scale: f32) -> NeighbourParts {
        let kept = &self.all[..most.min(self.all.len())];
        let levels = Levels::of(kept.iter().map(|(_, strength)| *strength));
        let mut sums = [(0.0_f64, 0_u32); LEVELS];
        let mut pairs: Vec<Pair> = Vec::with_capacity(kept.len());
        for &(rows, strength) in kept {
            let level = levels.at(strength);
            pairs.push(Pair { rows, level });
            let sum = &mut sums[usize::from(level)];
            *sum = (sum.0 + f64::from(strength), sum.1 + 1);
        }
        in_order(&mut pairs);
        let strengths = sums.map(|(sum, count)| (sum / f64::from(count.max(1))) as f32 * scale);
        let Recipe { met, recommended, .. } = self.recipe;
        NeighbourParts {
            powers: [met, recommended],
            strengths,
            classes: self.classes.clone(),
            pairs,
        }
    }
}

/// The order in which they are coded.
fn in_order(pairs: &mut [Pair]) {
    let [first, second] = [0, 1];
    pairs.sort_unstable_by_key(|pair| {
        (pair.rows[first], std::cmp::Reverse(pair.level), pair.rows[second])
    });
}

/// Evenly spaced logarithms of strengths.
struct Levels {
    lowest: f32,
    step: f32,
}

impl Levels {
    /// Those that most of `strengths` lie between.
    fn of(strengths: impl Iterator<Item = f32>) -> Self {
        let mut sorted: Vec<f32> = strengths.map(f32::ln).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        let at = |share: f64| sorted.get((sorted.len() as f64 * share) as usize).copied();
        let (lowest, highest) = (at(0.01).unwrap_or(0.0), at(0.99).unwrap_or(0.0));
        Self { lowest, step: ((highest - lowest) / (LEVELS - 1) as f32).max(f32::MIN_POSITIVE) }
    }

    fn at(&self, strength: f32) -> u8 {
        let level = ((strength.ln() - self.lowest) / self.step).round();
        level.clamp(0.0, (LEVELS - 1) as f32) as u8
    }
}

/// The sections of `all`, numbered by the tracks of the catalogue, for each of `shards`: the pairs of
/// which both tracks are there.
pub fn sections(all: &NeighbourParts, shards: &[Shard]) -> Vec<(SectionId, Aligned)> {
    let mut place = vec![(0, 0); all.classes.len()];
    let mut of_shard = vec![Vec::new(); shards.len()];
    for (shard, Shard { tracks, .. }) in shards.iter().enumerate() {
        (0..).zip(tracks).for_each(|(at, &track)| place[track] = (shard, at));
    }
    for pair in &all.pairs {
        let [(shard, a), (other, b)] = pair.rows.map(|row| place[row as usize]);
        if shard == other {
            of_shard[shard].push(Pair { rows: [a.min(b), a.max(b)], ..*pair });
        }
    }
    let section = |(Shard { number, tracks, ids }, mut pairs): (&Shard, Vec<Pair>)| {
        in_order(&mut pairs);
        let classes = tracks.iter().map(|&track| all.classes[track]).collect();
        let parts = NeighbourParts { classes, pairs, ..*all };
        let id = SectionId { shard: *number, kind: SectionKind::Neighbours };
        (!parts.pairs.is_empty()).then(|| Some((id, model::encode_neighbours(*ids, &parts)?)))?
    };
    shards.iter().zip(of_shard).filter_map(section).collect()
}
