//! How much of a taste lies in which cluster, and what people of these clusters finish.
//!
//! The clusters are read as a mixture of von Mises–Fisher distributions of one concentration κ (Banerjee
//! et al., "Clustering on the Unit Hypersphere using von Mises-Fisher Distributions", 2005): a direction
//! x belongs to the cluster with mean direction μ in proportion to e^(κμ·x). The model ships κμ, with
//! the κ under which held-out listening was most likely.

use alloc::{vec, vec::Vec};

use crate::{
    ids::Row,
    kernel::{Place, best},
    linalg::{dot, sqrt},
    model::{Finished, Model},
    session::Session,
};

/// One in a sum of levels, in points: the largest sum, 255, fits.
const ONE: f32 = (1 << 22) as f32;

/// The share of each cluster in a taste or in a track's factor: from 0 to 1, together 1. `centroids`
/// are κμ; a factor of zeros is in all clusters alike. O(k·d).
pub fn shares<'a>(centroids: impl Iterator<Item = &'a [f32]>, factor: &[f32]) -> Vec<f32> {
    let length = (sqrt(dot(factor, factor).into()) as f32).max(f32::MIN_POSITIVE);
    let mut shares: Vec<f32> = centroids.map(|centroid| dot(centroid, factor) / length).collect();
    let most = shares.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for share in &mut shares {
        *share = libm::exp2f((*share - most) * core::f32::consts::LOG2_E);
        sum += *share;
    }
    shares.iter_mut().for_each(|share| *share /= sum);
    shares
}

/// The shares of a track, or of the listener without one; empty where the model has no clusters.
/// O(k·d), and O(d³/6) for a listener once after an event.
pub fn membership(model: &Model, session: &mut Session, row: Option<Row>) -> Vec<f32> {
    let Some(clusters) = model.clusters() else { return Vec::new() };
    let mut factor = session.posterior(model).mean.clone();
    if let Some(row) = row {
        model.decode(row, &mut factor);
    }
    shares(clusters.centroids(), &factor)
}

/// A track that people of the listener's clusters finish.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Kindred {
    /// Which track.
    pub row: u32,
    /// Σ over the clusters of the listener's share and what people of the cluster make of the track.
    pub score: f32,
    /// The cluster that adds most to it.
    pub cluster: u32,
}

/// The best `k` tracks of the lists of all clusters for which `keep` holds, each list counting by the
/// share of its cluster, best first; of equal ones the lower row. O(entries + tracks of the head).
pub fn kindred(
    finished: &Finished<'_>,
    shares: &[f32],
    k: usize,
    keep: impl Fn(Row) -> bool,
) -> Vec<Kindred> {
    let mut all = vec![(0.0_f32, 0.0_f32, 0_u32); finished.tracks()];
    for (cluster, share) in (0..).zip(shares) {
        for &entry in finished.of(cluster as usize) {
            let (sum, most, of) = &mut all[entry.row().index()];
            let part = share * f32::from(entry.level());
            *sum += part;
            if part > *most {
                (*most, *of) = (part, cluster);
            }
        }
    }
    let mut found: Vec<Place> = (0..)
        .zip(&all)
        .filter(|&(row, (sum, ..))| *sum > 0.0 && keep(Row(row)))
        .map(|(row, (sum, ..))| Place::new((sum * ONE) as i32, row))
        .collect();
    best(&mut found, k);
    let describe = |place: &Place| {
        let (sum, _, cluster) = all[place.index() as usize];
        Kindred { row: place.index(), score: sum * finished.scale(), cluster }
    };
    found.iter().map(describe).collect()
}

/// The best `k` tracks that people with the listener's taste finish and that `keep` lets through, without those
/// of which the session knows anything; none where the model does not say.
pub fn also_finished(
    model: &Model,
    session: &mut Session,
    k: usize,
    keep: impl Fn(Row) -> bool,
) -> Vec<Kindred> {
    let shares = membership(model, session, None);
    let Some(finished) = model.finished() else { return Vec::new() };
    kindred(&finished, &shares, k, |row| !session.knows(row) && keep(row))
}
