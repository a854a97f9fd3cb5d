//! k-means: exact, seeded, sound at the edges, and stopped when asked.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use segue_core::{
    kmeans::{self, Clustering, to_directions},
    rng::SplitMix64,
};

/// Never stopped.
fn kmeans(
    points: &[f32],
    dim: usize,
    clusters: usize,
    max_iterations: usize,
    seed: u64,
) -> Clustering {
    kmeans::kmeans(points, dim, clusters, max_iterations, seed, || true).unwrap()
}

fn blobs(per_blob: usize, blobs: usize, dim: usize, seed: u64) -> Vec<f32> {
    let mut rng = SplitMix64::new(seed);
    let mut points = Vec::new();
    for at in 0..per_blob * blobs {
        for axis in 0..dim {
            let centre = if axis == at % blobs { 10.0 } else { 0.0 };
            points.push((centre + rng.unit() - 0.5) as f32);
        }
    }
    points
}

/// Inertia of the assignment of every point to its nearest of `centroids`.
fn nearest_inertia(points: &[f32], centroids: &[f32], dim: usize) -> f64 {
    points
        .chunks_exact(dim)
        .map(|p| {
            let to = |c: &[f32]| -> f64 {
                p.iter().zip(c).map(|(x, y)| f64::from(x - y) * f64::from(x - y)).sum()
            };
            centroids.chunks_exact(dim).map(to).fold(f64::INFINITY, f64::min)
        })
        .sum()
}

#[test]
fn well_separated_groups_are_found() {
    let points = blobs(50, 5, 8, 1);
    let found = kmeans(&points, 8, 5, 100, 1);
    for at in 0..250 {
        assert_eq!(found.assignment[at], found.assignment[at % 5]);
    }
    let mut labels: Vec<u16> = found.assignment[..5].to_vec();
    labels.sort_unstable();
    assert_eq!(labels, [0, 1, 2, 3, 4]);
}

#[test]
fn the_same_seed_gives_the_same_clusters() {
    let points = blobs(40, 3, 6, 2);
    assert_eq!(kmeans(&points, 6, 7, 50, 9), kmeans(&points, 6, 7, 50, 9));
}

#[test]
fn no_cluster_stays_empty_while_points_differ() {
    let mut points = vec![0.0; 4 * 30];
    points.extend([5.0, 0.0, 0.0, 0.0, 0.0, 7.0, 0.0, 0.0]);
    let found = kmeans(&points, 4, 3, 50, 3);
    let mut used = found.assignment.clone();
    used.sort_unstable();
    used.dedup();
    assert_eq!(used.len(), 3);
    assert!(found.inertia < 1e-9);
}

#[test]
fn more_clusters_than_points_identical_points_and_no_points_are_sound() {
    assert_eq!(kmeans(&[1.0, 2.0], 2, 10, 10, 1).assignment, [0]);
    assert_eq!(kmeans(&[3.0; 40], 2, 5, 10, 1).inertia, 0.0);
    assert!(kmeans(&[], 2, 5, 10, 1).assignment.is_empty());
}

#[test]
fn a_clustering_can_be_stopped_while_it_is_seeded_and_at_every_iteration() {
    let mut rng = SplitMix64::new(4);
    let points: Vec<f32> = (0..300 * 4).map(|_| rng.unit() as f32).collect();
    let mut asked = 0;
    let whole = kmeans::kmeans(&points, 4, 6, 50, 4, || {
        asked += 1;
        true
    });
    let seeded = 5;
    assert_eq!(asked, seeded + whole.unwrap().iterations);
    for allowed in 0..asked {
        let mut asked = 0;
        let stopped = kmeans::kmeans(&points, 4, 6, 50, 4, || {
            asked += 1;
            asked <= allowed
        });
        assert!(stopped.is_none(), "went on after being told to stop {allowed} questions in");
    }
}

#[test]
fn directions_have_length_one_and_zero_stays_zero() {
    let mut points = vec![3.0, 4.0, 0.0, 0.0];
    to_directions(&mut points, 2);
    assert_eq!(points, [0.6, 0.8, 0.0, 0.0]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// The bounds skip work and nothing else: at the end every point is with its nearest centroid.
    #[test]
    fn the_accelerated_assignment_is_exact(seed: u64, count in 1_usize..200, clusters in 1_usize..12) {
        let mut rng = SplitMix64::new(seed);
        let points: Vec<f32> = (0..count * 5).map(|_| rng.unit() as f32).collect();
        let found = kmeans(&points, 5, clusters, 200, seed);
        let exact = nearest_inertia(&points, &found.centroids, 5);
        prop_assert!((found.inertia - exact).abs() <= 1e-5 * (1.0 + exact), "{} {exact}", found.inertia);
    }
}
