//! Taste clusters: k-means of the directions of the tracks' factors, each as heavy as it has listeners.
//!
//! So clusters are of what is listened to: the many tracks that hardly anybody met, whose factors are the
//! least certain, go to the nearest of them and move none.

use rayon::prelude::*;
use segue_core::{
    kmeans::{Clustering, Points, kmeans, refine, to_directions},
    linalg::dot,
    model::Model,
};

use crate::{Interrupted, dataset::Dataset, progress::Progress};

const MAX_ITERATIONS: usize = 100;
/// Clusterings from other seeds, of which that of the least inertia is taken.
const RESTARTS: u64 = 8;
/// Of more tracks than this, those with the most listeners tell where clusters begin.
const MOST: usize = 50_000;
/// Largest κ: beyond it every share is 0 or 1.
const MAX_CONCENTRATION: f64 = 1000.0;
/// Of the tracks that two clusters have between them, the share in both that makes them the same.
const SAME: f64 = 0.5;

/// What to begin with.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// So many clusters, by this seed.
    Anew(usize, u64),
    /// The clusters of an earlier model; of each track the one that it was in, where it was there.
    After(&'a [Option<u16>]),
}

/// The cluster of each of `items`, `dim` reals a track, of which `listeners` says how many said yes to it.
///
/// After an earlier model its clusters keep their numbers: they start from the mean of their tracks as
/// these are now. Deterministic for a seed.
pub fn cluster(
    items: &[f32],
    dim: usize,
    listeners: &[usize],
    start: Start<'_>,
    progress: &Progress<'_>,
) -> Result<Vec<u16>, Interrupted> {
    progress.stage("clustering");
    let mut directions = items.to_vec();
    to_directions(&mut directions, dim);
    let weights: Vec<f32> = listeners.iter().map(|&count| count as f32).collect();
    let points = Points { reals: &directions, dim, weights: &weights };
    let keep_going = || !progress.stopped();
    let found = match start {
        Start::After(earlier) => refine(points, means(points, earlier), MAX_ITERATIONS, keep_going),
        Start::Anew(count, seed) => {
            let best = |points| best_of_restarts(points, count, seed, keep_going);
            match heaviest(points) {
                None => best(points),
                Some(some) => best(some.points()).and_then(|of_these| {
                    refine(points, of_these.centroids, MAX_ITERATIONS, keep_going)
                }),
            }
        }
    };
    found.map(|found| found.assignment).ok_or(Interrupted)
}

/// Of clusterings from several seeds the one of the least inertia. Parallel.
fn best_of_restarts(
    points: Points<'_>,
    count: usize,
    seed: u64,
    keep_going: impl Fn() -> bool + Copy + Sync,
) -> Option<Clustering> {
    let one = |restart| kmeans(points, count, MAX_ITERATIONS, seed ^ restart << 32, keep_going);
    let less = |a: Clustering, b: Clustering| if b.inertia < a.inertia { b } else { a };
    let all: Option<Vec<_>> = (0..RESTARTS).into_par_iter().map(one).collect();
    all.and_then(|all| all.into_iter().reduce(less))
}

/// The heaviest points.
struct Heaviest {
    reals: Vec<f32>,
    dim: usize,
    weights: Vec<f32>,
}

impl Heaviest {
    fn points(&self) -> Points<'_> {
        Points { reals: &self.reals, dim: self.dim, weights: &self.weights }
    }
}

/// The [`MOST`] heaviest points; `None` where there are no more.
fn heaviest(points: Points<'_>) -> Option<Heaviest> {
    let Points { reals, dim, weights } = points;
    if weights.len() <= MOST {
        return None;
    }
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]));
    order.truncate(MOST);
    let row = |&at: &usize| reals[at * dim..][..dim].iter().copied();
    let reals = order.iter().flat_map(row).collect();
    let weights = order.iter().map(|&at| weights[at]).collect();
    Some(Heaviest { reals, dim, weights })
}

/// The weighted mean of the points of each cluster, those left out that have none; of a cluster without
/// points zeros.
fn means(points: Points<'_>, of: &[Option<u16>]) -> Vec<f32> {
    let clusters = of.iter().flatten().max().map_or(1, |&last| usize::from(last) + 1);
    let mut sums = vec![0.0_f64; clusters * points.dim];
    let mut weights = vec![0.0_f64; clusters];
    let rows = points.reals.chunks_exact(points.dim).zip(points.weights);
    for ((row, &weight), cluster) in rows.zip(of) {
        let Some(cluster) = cluster.map(usize::from) else { continue };
        weights[cluster] += f64::from(weight);
        let sum = &mut sums[cluster * points.dim..][..points.dim];
        sum.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(weight * x));
    }
    let weight = |at: usize| weights[at / points.dim].max(f64::MIN_POSITIVE);
    sums.iter().enumerate().map(|(at, sum)| (sum / weight(at)) as f32).collect()
}

/// The cluster of each track of `dataset` in an earlier model; `None` where that has no clusters.
pub fn earlier(dataset: &Dataset, model: &Model) -> Option<Vec<Option<u16>>> {
    let of = |id: &str| model.cluster_of(model.row(id)?);
    model.clusters()?;
    Some(dataset.tracks.iter().map(|track| of(&track.track)).collect())
}

/// Whether each of `clusters` is still the earlier one of its number: whether most tracks that are in either,
/// of those that were there before, are in both.
pub fn kept(assignment: &[u16], earlier: &[Option<u16>], clusters: usize) -> Vec<bool> {
    let mut both = vec![0_usize; clusters];
    let mut either = vec![0_usize; clusters];
    for (&now, before) in assignment.iter().zip(earlier) {
        let Some(before) = before.map(usize::from) else { continue };
        let now = usize::from(now);
        either[now] += 1;
        if before == now {
            both[now] += 1;
        } else if let Some(either) = either.get_mut(before) {
            *either += 1;
        }
    }
    both.iter().zip(&either).map(|(&both, &either)| both as f64 > SAME * either as f64).collect()
}

/// The mean direction of the rows of each cluster, of length 1: `dim` reals a cluster, of which there are
/// as many as `assignment` names.
pub fn centroids(items: &[f32], dim: usize, assignment: &[u16]) -> Vec<f32> {
    let mut directions = items.to_vec();
    to_directions(&mut directions, dim);
    let weights = vec![1.0; assignment.len()];
    let of: Vec<Option<u16>> = assignment.iter().copied().map(Some).collect();
    let mut means = means(Points { reals: &directions, dim, weights: &weights }, &of);
    to_directions(&mut means, dim);
    means
}

/// The usual rule of thumb, √(n/2), up to 64: more than a person can tell apart.
pub fn default_clusters(tracks: usize) -> usize {
    ((tracks as f64 / 2.0).sqrt().round() as usize).clamp(1, 64)
}

/// A listener whose later favourites are known.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The cosine of their taste and each cluster's mean direction.
    pub cosines: Vec<f32>,
    /// The clusters of what they came to like; at least one.
    pub came: Vec<u16>,
}

/// The κ of [`segue_core::membership`] under which the clusters of what listeners came to like are most
/// likely, each listener counting the same. The likelihood is concave: the root of its slope is found by
/// bisection.
pub fn concentration(seen: &[Seen]) -> f64 {
    let slope = |kappa: f64| -> f64 {
        let of_one = |one: &Seen| {
            let at = |&cluster: &u16| f64::from(one.cosines[usize::from(cluster)]);
            let came = one.came.iter().map(at).sum::<f64>() / one.came.len() as f64;
            came - expected(&one.cosines, kappa)
        };
        seen.iter().map(of_one).sum()
    };
    let (mut low, mut high) = (0.0, MAX_CONCENTRATION);
    // Beyond 24 bits there is nothing to be told.
    for _ in 0..32 {
        let middle = f64::midpoint(low, high);
        if slope(middle) > 0.0 { low = middle } else { high = middle }
    }
    low
}

/// The mean of `cosines` under their own shares.
fn expected(cosines: &[f32], kappa: f64) -> f64 {
    let most = cosines.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weigh = |&x: &f32| ((f64::from(x - most) * kappa).exp(), f64::from(x));
    let add = |(sum, all): (f64, f64), (weight, x): (f64, f64)| (sum + weight, all + weight * x);
    let (sum, all) = cosines.iter().map(weigh).fold((0.0, 0.0), add);
    all / sum
}

/// κ where nothing is known of what listeners came to like: that of the tracks themselves, by the estimate of
/// Banerjee et al. (2005), r(d − r²)/(1 − r²) for the mean cosine r of a track and its cluster.
pub fn own_concentration(items: &[f32], dim: usize, assignment: &[u16]) -> f64 {
    let centroids = centroids(items, dim, assignment);
    let mut directions = items.to_vec();
    to_directions(&mut directions, dim);
    let cosine = |(row, &cluster): (&[f32], &u16)| {
        f64::from(dot(row, &centroids[usize::from(cluster) * dim..][..dim]))
    };
    let sum: f64 = directions.chunks_exact(dim).zip(assignment).map(cosine).sum();
    let r = (sum / assignment.len().max(1) as f64).clamp(0.0, 1.0);
    let kappa = r * (dim as f64 - r * r) / (1.0 - r * r);
    if kappa < MAX_CONCENTRATION { kappa } else { MAX_CONCENTRATION }
}
