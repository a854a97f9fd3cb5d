//! From trained factors to the model that ships.

use segue_core::{
    bytes::Aligned,
    kmeans::{kmeans, to_directions},
    model::{self, Loss, Model, ModelError, Responses, SectionKind, TasteParts, quantise},
};

use crate::{Interrupted, als::Factors, progress::Progress};

/// What fold-in on the device needs besides the factors.
#[derive(Clone, Copy, Debug)]
pub struct FoldIn {
    /// α, λ and ν: those of the factors, but for λ. A listener whom training never saw did not
    /// bend the factors towards themselves, and wants another ridge than one who did.
    pub loss: Loss,
    /// τ, the pull towards the mean listener.
    pub pull: f32,
    /// What each kind of event says.
    pub responses: Responses,
}

/// The three sections that ranking needs: the smallest model that works.
///
/// `fingerprints` ascend; row i of `factors.items` belongs to the i-th.
pub fn ranking_model(
    fingerprints: &[u64],
    factors: &Factors,
    fold_in: &FoldIn,
) -> Result<Model, ModelError> {
    Model::from_sections(ranking_sections(fingerprints, factors, fold_in))
}

/// The sections of [`ranking_model`].
pub fn ranking_sections(
    fingerprints: &[u64],
    factors: &Factors,
    fold_in: &FoldIn,
) -> Vec<(SectionKind, Aligned)> {
    let dim = factors.dim;
    let (scales, codes) = quantise(&factors.items, dim);
    let decoded = decode(&scales, &codes, dim);
    let taste = taste_parts(&decoded, factors, fold_in);
    vec![
        (SectionKind::Ids, model::encode_ids(fingerprints)),
        (SectionKind::Factors, model::encode_factors(fingerprints, dim, &scales, &codes)),
        (SectionKind::Taste, model::encode_taste(&taste)),
    ]
}

/// The listener side of the ridge system for `items` as they will be decoded.
pub fn taste_parts(items: &[f32], factors: &Factors, fold_in: &FoldIn) -> TasteParts {
    let dim = factors.dim;
    TasteParts {
        loss: fold_in.loss,
        catalogue: (items.len() / dim) as f32,
        pull: fold_in.pull,
        responses: fold_in.responses,
        mean: mean(&factors.users, dim),
        gram: model::gram(items.chunks_exact(dim), dim),
    }
}

/// Taste clusters of the item factors: k-means of their directions. Returns centroids and the
/// cluster of each row.
pub fn cluster(
    items: &[f32],
    dim: usize,
    clusters: usize,
    seed: u64,
    progress: &Progress<'_>,
) -> Result<(Vec<f32>, Vec<u16>), Interrupted> {
    const MAX_ITERATIONS: usize = 100;
    progress.stage("clustering");
    let mut directions = items.to_vec();
    to_directions(&mut directions, dim);
    let keep_going = || !progress.stopped();
    let clustering = kmeans(&directions, dim, clusters, MAX_ITERATIONS, seed, keep_going);
    clustering.map(|found| (found.centroids, found.assignment)).ok_or(Interrupted)
}

/// The usual rule of thumb, √(n/2), up to 64: more than a person can tell apart.
pub fn default_clusters(tracks: usize) -> usize {
    ((tracks as f64 / 2.0).sqrt().round() as usize).clamp(1, 64)
}

fn decode(scales: &[f32], codes: &[i8], dim: usize) -> Vec<f32> {
    let rows = scales.iter().zip(codes.chunks_exact(dim));
    rows.flat_map(|(scale, row)| row.iter().map(move |&code| scale * f32::from(code))).collect()
}

fn mean(rows: &[f32], dim: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; dim];
    for row in rows.chunks_exact(dim) {
        sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    let count = (rows.len() / dim).max(1) as f64;
    sums.into_iter().map(|sum| (sum / count) as f32).collect()
}
