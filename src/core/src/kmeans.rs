//! k-means with k-means++ seeding and Hamerly's accelerated exact iterations.
//!
//! Arthur and Vassilvitskii, "k-means++: The Advantages of Careful Seeding" (2007); Hamerly,
//! "Making k-means Even Faster" (2010): one upper and one lower bound a point skip most distance
//! computations and change no assignment. An empty cluster takes the point that is farthest from
//! its own centroid. Points may weigh differently: a centroid is a weighted mean, and inertia a weighted
//! sum.

use alloc::{vec, vec::Vec};

use crate::{linalg::dot, rng::SplitMix64};

/// Where the points went.
#[derive(Clone, Debug, PartialEq)]
pub struct Clustering {
    /// `dim` reals a cluster.
    pub centroids: Vec<f32>,
    /// The nearest centroid of each point.
    pub assignment: Vec<u16>,
    /// Sum of the squared distances of the points to their centroids, times their weights.
    pub inertia: f64,
    /// Iterations until nothing moved, or the limit.
    pub iterations: usize,
}

/// What is to be clustered.
#[derive(Clone, Copy, Debug)]
pub struct Points<'a> {
    /// `dim` reals a point.
    pub reals: &'a [f32],
    /// Components of a point.
    pub dim: usize,
    /// How much each point weighs, 0 or more; one where there are none. A cluster of points that weigh
    /// nothing stays where it is.
    pub weights: &'a [f32],
}

impl<'a> Points<'a> {
    fn len(&self) -> usize {
        self.reals.len() / self.dim
    }

    fn at(&self, index: usize) -> &'a [f32] {
        &self.reals[index * self.dim..(index + 1) * self.dim]
    }

    fn weight(&self, index: usize) -> f64 {
        self.weights.get(index).map_or(1.0, |&weight| f64::from(weight))
    }
}

/// Clusters `points` into at most `clusters` ≤ 65,536; fewer where there are fewer points.
/// Deterministic for a seed. Cost: O(n·k·d) to seed, less for each iteration.
///
/// `keep_going` is asked before each centroid is seeded and before each iteration; `None` where it
/// said no.
pub fn kmeans(
    points: Points<'_>,
    clusters: usize,
    max_iterations: usize,
    seed: u64,
    mut keep_going: impl FnMut() -> bool,
) -> Option<Clustering> {
    let clusters = clusters.clamp(1, points.len().max(1)).min(usize::from(u16::MAX) + 1);
    let mut rng = SplitMix64::new(seed);
    let seeds = plus_plus(points, clusters, &mut rng, &mut keep_going)?;
    refine(points, seeds, max_iterations, keep_going)
}

/// The same from `centroids` on, `dim` reals each, of which there is at least one.
pub fn refine(
    points: Points<'_>,
    centroids: Vec<f32>,
    max_iterations: usize,
    mut keep_going: impl FnMut() -> bool,
) -> Option<Clustering> {
    let mut state = Hamerly::new(points, centroids);
    let mut iterations = 0;
    while iterations < max_iterations {
        if !keep_going() {
            return None;
        }
        iterations += 1;
        let moved = state.assign();
        let filled = state.fill_empty();
        if !moved && !filled {
            break;
        }
        state.update();
    }
    Some(state.finish(iterations))
}

/// Squared Euclidean distance.
fn distance2(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 8;
    let mut lanes = [0.0_f32; LANES];
    let ((a_chunks, a_tail), (b_chunks, b_tail)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let tail: f32 = a_tail.iter().zip(b_tail).map(|(x, y)| (x - y) * (x - y)).sum();
    for (x, y) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..LANES {
            let difference = x[lane] - y[lane];
            lanes[lane] += difference * difference;
        }
    }
    lanes.iter().sum::<f32>() + tail
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    libm::sqrt(f64::from(distance2(a, b)))
}

/// The first centroid uniform, each next with probability in proportion to the weight and the squared
/// distance to the nearest one so far.
fn plus_plus(
    points: Points<'_>,
    clusters: usize,
    rng: &mut SplitMix64,
    keep_going: &mut impl FnMut() -> bool,
) -> Option<Vec<f32>> {
    let (count, dim) = (points.len(), points.dim);
    if count == 0 {
        return Some(vec![0.0; dim]);
    }
    let mut centroids = Vec::with_capacity(clusters * dim);
    centroids.extend_from_slice(points.at(rng.below(count)));
    let mut nearest = vec![f32::INFINITY; count];
    while centroids.len() < clusters * dim {
        if !keep_going() {
            return None;
        }
        let last = &centroids[centroids.len() - dim..];
        let mut total = 0.0_f64;
        for (index, best) in nearest.iter_mut().enumerate() {
            *best = best.min(distance2(points.at(index), last));
            total += f64::from(*best) * points.weight(index);
        }
        let mut left = rng.unit() * total;
        let chosen = nearest.iter().enumerate().position(|(index, &d)| {
            left -= f64::from(d) * points.weight(index);
            left < 0.0
        });
        // All points coincide with centroids: any point does.
        centroids.extend_from_slice(points.at(chosen.unwrap_or_else(|| rng.below(count))));
    }
    Some(centroids)
}

struct Hamerly<'a> {
    points: Points<'a>,
    centroids: Vec<f32>,
    assignment: Vec<u16>,
    /// At least the distance to the point's own centroid.
    upper: Vec<f64>,
    /// At most the distance to any other centroid.
    lower: Vec<f64>,
    sizes: Vec<usize>,
}

impl<'a> Hamerly<'a> {
    fn new(points: Points<'a>, centroids: Vec<f32>) -> Self {
        let (count, clusters) = (points.len(), centroids.len() / points.dim);
        let mut sizes = vec![0; clusters];
        sizes[0] = count;
        Self {
            points,
            centroids,
            assignment: vec![0; count],
            upper: vec![f64::INFINITY; count],
            lower: vec![0.0; count],
            sizes,
        }
    }

    fn centroid(&self, cluster: usize) -> &[f32] {
        &self.centroids[cluster * self.points.dim..(cluster + 1) * self.points.dim]
    }

    /// Half the distance from each centroid to its nearest other one: a point closer than that to
    /// its own centroid has no closer one.
    fn half_gaps(&self) -> Vec<f64> {
        let clusters = self.sizes.len();
        let gap = |c: usize| {
            let others = (0..clusters).filter(|&o| o != c);
            others
                .map(|o| distance(self.centroid(c), self.centroid(o)))
                .fold(f64::INFINITY, f64::min)
        };
        (0..clusters).map(|c| gap(c) / 2.0).collect()
    }

    /// Moves each point to its nearest centroid; whether any moved.
    fn assign(&mut self) -> bool {
        // Distances are rounded to 24 bits; bounds are trusted only beyond that.
        const SLACK: f64 = 1.0 + 1e-5;
        let half_gaps = self.half_gaps();
        let mut moved = false;
        for index in 0..self.assignment.len() {
            let own = usize::from(self.assignment[index]);
            let bound = half_gaps[own].max(self.lower[index]);
            if self.upper[index] * SLACK < bound {
                continue;
            }
            self.upper[index] = distance(self.points.at(index), self.centroid(own));
            if self.upper[index] * SLACK < bound {
                continue;
            }
            let best = self.search(index);
            if best != own {
                moved = true;
                self.assignment[index] = best as u16;
                self.sizes[own] -= 1;
                self.sizes[best] += 1;
            }
        }
        moved
    }

    /// The nearest centroid, setting both bounds exactly.
    fn search(&mut self, index: usize) -> usize {
        let (mut best, mut nearest, mut second) = (0, f64::INFINITY, f64::INFINITY);
        for cluster in 0..self.sizes.len() {
            let d = distance(self.points.at(index), self.centroid(cluster));
            if d < nearest {
                (second, nearest, best) = (nearest, d, cluster);
            } else if d < second {
                second = d;
            }
        }
        self.upper[index] = nearest;
        self.lower[index] = second;
        best
    }

    /// Gives each empty cluster the point farthest from its centroid; whether there was one.
    fn fill_empty(&mut self) -> bool {
        let mut filled = false;
        for cluster in 0..self.sizes.len() {
            if self.sizes[cluster] > 0 {
                continue;
            }
            let candidates = (0..self.assignment.len())
                .filter(|&p| self.sizes[usize::from(self.assignment[p])] > 1)
                .map(|p| {
                    (distance2(self.points.at(p), self.centroid(self.assignment[p].into())), p)
                });
            let farthest =
                candidates.fold(
                    (0.0, None),
                    |(far, at), (d, p)| {
                        if d > far { (d, Some(p)) } else { (far, at) }
                    },
                );
            // Every point lies on its centroid: there is nothing that the cluster could gain.
            let (_, Some(point)) = farthest else { continue };
            self.sizes[usize::from(self.assignment[point])] -= 1;
            self.sizes[cluster] = 1;
            self.assignment[point] = cluster as u16;
            // Its former centroid is another one now, and may be close.
            self.upper[point] = f64::INFINITY;
            self.lower[point] = 0.0;
            filled = true;
        }
        filled
    }

    /// Moves centroids to the means of their points and widens the bounds by how far they went.
    fn update(&mut self) {
        let dim = self.points.dim;
        let mut sums = vec![0.0_f64; self.centroids.len()];
        let mut weights = vec![0.0_f64; self.sizes.len()];
        for (index, &cluster) in self.assignment.iter().enumerate() {
            let (at, weight) = (usize::from(cluster) * dim, self.points.weight(index));
            weights[usize::from(cluster)] += weight;
            for (sum, &x) in sums[at..at + dim].iter_mut().zip(self.points.at(index)) {
                *sum += weight * f64::from(x);
            }
        }
        let mut shifts = vec![0.0_f64; self.sizes.len()];
        for (cluster, (shift, &weight)) in shifts.iter_mut().zip(&weights).enumerate() {
            if weight == 0.0 {
                continue;
            }
            let at = cluster * dim;
            let mean: Vec<f32> =
                sums[at..at + dim].iter().map(|sum| (sum / weight) as f32).collect();
            *shift = distance(&mean, self.centroid(cluster));
            self.centroids[at..at + dim].copy_from_slice(&mean);
        }
        let farthest = shifts.iter().copied().fold(0.0, f64::max);
        for (index, &cluster) in self.assignment.iter().enumerate() {
            self.upper[index] += shifts[usize::from(cluster)];
            self.lower[index] = (self.lower[index] - farthest).max(0.0);
        }
    }

    fn finish(self, iterations: usize) -> Clustering {
        let inertia = (0..self.assignment.len())
            .map(|p| {
                let own = self.centroid(self.assignment[p].into());
                self.points.weight(p) * f64::from(distance2(self.points.at(p), own))
            })
            .sum();
        Clustering { centroids: self.centroids, assignment: self.assignment, inertia, iterations }
    }
}

/// Scales each row of `points` to length 1, so that distance measures direction; rows of zeros
/// stay.
pub fn to_directions(points: &mut [f32], dim: usize) {
    for row in points.chunks_exact_mut(dim) {
        let length = libm::sqrtf(dot(row, row));
        if length > 0.0 {
            row.iter_mut().for_each(|x| *x /= length);
        }
    }
}
