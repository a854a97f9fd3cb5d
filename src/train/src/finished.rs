//! "People with your taste also finish …": what the listeners of each cluster finish more than others do.
//!
//! A listener is of every cluster by their share in it, so a track's count in a cluster is the sum of the
//! shares of those who finished it. An entry ships only where it rests on at least [`SUPPORT`] listeners,
//! by Kish's effective number (Σm)²/Σm²: sums in which one of them outweighs the others say who it was.

use rayon::prelude::*;
use segue_core::{
    bytes::Aligned,
    event::Kind,
    ids::Row,
    linalg::dot,
    membership::shares,
    model::{Entry, IdsDigest, encode_finished},
    session::WHOLE,
};
use serde::{Deserialize, Serialize};

use crate::dataset::Heard;

/// Fewest listeners that an entry rests on.
pub const SUPPORT: f64 = 5.0;

/// How counts become weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// How many listeners who finish what everybody does are added to those of a cluster.
    pub shrinkage: f64,
    /// The power of a track's share among all listeners by which its share in a cluster is divided: 0 for
    /// the probability that it is finished there, 1 for how often more than by others.
    pub power: f64,
    /// Most entries of a cluster.
    pub entries: usize,
}

/// Whether an event says that the track was heard to the end; a play of which the log does not tell how much
/// was heard counts as whole, as it does in all of training.
pub fn is_finish(event: &Heard) -> bool {
    match event.kind {
        Kind::Play => event.amount >= WHOLE,
        Kind::Replay => true,
        _ => false,
    }
}

/// Who finished which track: pairs of a track and a listener, ascending, each once.
pub fn finishes<'a>(events: impl Iterator<Item = &'a Heard>) -> Vec<(u32, u32)> {
    let pair = |event: &Heard| (event.row.0, event.listener);
    let mut finishes: Vec<(u32, u32)> = events.filter(|e| is_finish(e)).map(pair).collect();
    finishes.par_sort_unstable();
    finishes.dedup();
    finishes
}

/// The shares of each of `users`, `dim` reals a listener, in clusters with these mean directions under κ:
/// one number a cluster for each listener.
pub fn memberships(users: &[f32], dim: usize, directions: &[f32], kappa: f64) -> Vec<f32> {
    let centroids: Vec<f32> = directions.iter().map(|x| x * kappa as f32).collect();
    let of_one = |user: &[f32]| shares(centroids.chunks_exact(dim), user);
    users.par_chunks_exact(dim).flat_map_iter(of_one).collect()
}

/// The cosine of a taste and each of the mean directions.
pub fn cosines(user: &[f32], directions: &[f32]) -> Vec<f32> {
    let length = dot(user, user).sqrt().max(f32::MIN_POSITIVE);
    directions.chunks_exact(user.len()).map(|direction| dot(direction, user) / length).collect()
}

/// How often a track was finished by the people of one cluster.
#[derive(Clone, Copy, Debug)]
struct Count {
    cluster: u32,
    track: u32,
    /// The sum of the shares of those who finished it.
    sum: f32,
    /// The share of all listeners who did.
    rate: f32,
}

/// What the people of each cluster finish.
#[derive(Clone, Debug)]
pub struct Crowd {
    /// The sum of the shares of all listeners in each cluster.
    masses: Vec<f64>,
    /// Of the tracks with enough support that are finished more than expected.
    counts: Vec<Count>,
}

impl Crowd {
    /// Counts who finished what, as [`finishes`] has it, of the tracks for which `named` holds;
    /// `memberships` has one number a cluster for each listener.
    pub fn new(
        finishes: &[(u32, u32)],
        memberships: &[f32],
        clusters: usize,
        named: impl Fn(u32) -> bool + Sync,
    ) -> Self {
        let mut heard = vec![false; memberships.len() / clusters];
        finishes.iter().for_each(|&(_, listener)| heard[listener as usize] = true);
        let mut masses = vec![0.0_f64; clusters];
        for (of, _) in memberships.chunks_exact(clusters).zip(&heard).filter(|(_, heard)| **heard) {
            masses.iter_mut().zip(of).for_each(|(mass, &share)| *mass += f64::from(share));
        }
        let listeners = heard.iter().filter(|heard| **heard).count() as f64;
        let tracks: Vec<&[(u32, u32)]> =
            finishes.chunk_by(|a, b| a.0 == b.0).filter(|of| named(of[0].0)).collect();
        let count = |of: &&[(u32, u32)]| -> Vec<Count> {
            let mut sums = vec![(0.0_f64, 0.0_f64); clusters];
            for &(_, listener) in *of {
                let of_one = &memberships[listener as usize * clusters..][..clusters];
                for ((sum, squares), &share) in sums.iter_mut().zip(of_one) {
                    *sum += f64::from(share);
                    *squares += f64::from(share) * f64::from(share);
                }
            }
            let rate = of.len() as f64 / listeners;
            let supported = |&(cluster, (sum, squares)): &(u32, (f64, f64))| {
                sum * sum >= SUPPORT * squares && sum > rate * masses[cluster as usize]
            };
            let counted = |(cluster, (sum, _))| Count {
                cluster,
                track: of[0].0,
                sum: sum as f32,
                rate: rate as f32,
            };
            (0..).zip(sums).filter(supported).map(counted).collect()
        };
        let counts = tracks.par_iter().flat_map_iter(count).collect();
        Self { masses, counts }
    }

    /// The lists of all clusters: tracks and weights, the heaviest first.
    pub fn lists(&self, recipe: Recipe) -> Lists {
        let Recipe { shrinkage, power, entries } = recipe;
        let mut lists = vec![Vec::new(); self.masses.len()];
        for &Count { cluster, track, sum, rate } in &self.counts {
            let (sum, rate) = (f64::from(sum), f64::from(rate));
            let share = (sum + shrinkage * rate) / (self.masses[cluster as usize] + shrinkage);
            lists[cluster as usize].push((track, (share / rate.powf(power)) as f32));
        }
        for list in &mut lists {
            list.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            list.truncate(entries);
        }
        Lists(lists)
    }
}

/// For each cluster its tracks and their weights.
#[derive(Clone, Debug)]
pub struct Lists(Vec<Vec<(u32, f32)>>);

impl Lists {
    /// The list of a cluster, the heaviest track first.
    pub fn of(&self, cluster: usize) -> &[(u32, f32)] {
        &self.0[cluster]
    }

    /// Lays out the section of a head of so many tracks, of which `place` tells the row of each that is
    /// there; `None` where no list has an entry.
    pub fn section(
        &self,
        ids: IdsDigest,
        tracks: usize,
        place: impl Fn(u32) -> Option<Row>,
    ) -> Option<Aligned> {
        let weights = self.0.iter().flatten().map(|&(_, weight)| weight);
        let scale = weights.reduce(f32::max)? / f32::from(u8::MAX);
        let entry = |&(track, weight): &(u32, f32)| {
            let level = (weight / scale).round() as u8;
            Some(Entry::new(place(track).filter(|_| level > 0)?, level))
        };
        let lists: Vec<Vec<Entry>> =
            self.0.iter().map(|list| list.iter().filter_map(entry).collect()).collect();
        let lists: Vec<&[Entry]> = lists.iter().map(Vec::as_slice).collect();
        Some(encode_finished(ids, tracks, scale, &lists))
    }
}
