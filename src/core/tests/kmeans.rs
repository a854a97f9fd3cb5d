//! k-means: exact, seeded, sound at the edges, and stopped when asked.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use segue_core::{
    kmeans::{self, Clustering, Points, to_directions},
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
    kmeans::kmeans(even(points, dim), clusters, max_iterations, seed, || true).unwrap()
}

/// Points that all weigh the same.
fn even(reals: &[f32], dim: usize) -> Points<'_> {
    Points { reals, dim, weights: &[] }
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
    let whole = kmeans::kmeans(even(&points, 4), 6, 50, 4, || {
        asked += 1;
        true
    });
    let seeded = 5;
    assert_eq!(asked, seeded + whole.unwrap().iterations);
    for allowed in 0..asked {
        let mut asked = 0;
        let stopped = kmeans::kmeans(even(&points, 4), 6, 50, 4, || {
            asked += 1;
            asked <= allowed
        });
        assert!(stopped.is_none(), "went on after being told to stop {allowed} questions in");
    }
}

#[test]
fn a_point_that_weighs_three_counts_as_three_points() {
    let reals = [0.0, 1.0, 10.0, 14.0];
    let start = vec![0.0, 10.0];
    let weights = [1.0, 3.0, 1.0, 3.0];
    let weighted = Points { reals: &reals, dim: 1, weights: &weights };
    let weighted = kmeans::refine(weighted, start.clone(), 20, || true).unwrap();
    let repeated = [0.0, 1.0, 1.0, 1.0, 10.0, 14.0, 14.0, 14.0];
    let repeated = kmeans::refine(even(&repeated, 1), start, 20, || true).unwrap();
    assert_eq!(weighted.centroids, [0.75, 13.0]);
    assert_eq!(weighted.centroids, repeated.centroids);
    assert_eq!(weighted.inertia, repeated.inertia);
}

#[test]
fn points_that_weigh_nothing_move_no_centroid_and_are_assigned_all_the_same() {
    let points = Points { reals: &[0.0, 2.0, 9.0], dim: 1, weights: &[1.0, 0.0, 0.0] };
    let found = kmeans::refine(points, vec![1.0, 8.0], 20, || true).unwrap();
    assert_eq!(found.centroids, [0.0, 8.0]);
    assert_eq!(found.assignment, [0, 0, 1]);
}

#[test]
fn refining_keeps_the_numbers_of_the_clusters_that_it_starts_from() {
    let points = blobs(50, 3, 4, 1);
    let found = kmeans(&points, 4, 3, 100, 1);
    let mut turned: Vec<f32> = found.centroids[4..].to_vec();
    turned.extend(&found.centroids[..4]);
    let again = kmeans::refine(even(&points, 4), turned, 100, || true).unwrap();
    let turn = |&cluster: &u16| (cluster + 2) % 3;
    assert!(again.assignment.iter().eq(&found.assignment.iter().map(turn).collect::<Vec<_>>()));
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
