//! Whether taste clusters stay what they are: from one seed to another, and when a model is trained again.
//!
//! Two clusterings of the same tracks are compared by the adjusted Rand index of Hubert and Arabie,
//! "Comparing Partitions" (1985): 1 where they are the same but for the numbers of the clusters, 0 where
//! they agree by chance.

use std::collections::HashMap;

use segue_core::model::Model;

use crate::{
    Interrupted, TrainError,
    assemble::ranking_model,
    coding,
    dataset::Dataset,
    evaluate::mean,
    groups::Wanted,
    pipeline::{Fitted, Options, choose, fit},
    progress::Progress,
};

/// Tracks that fewer listeners said yes to are those whose factors are the least certain.
pub const KNOWN: usize = 5;
/// The part of the latest events that an earlier model has not seen.
const NEW: f64 = 0.03;

/// The adjusted Rand index of two clusterings of the same things. O(n). Less than 0 where they agree less
/// than by chance; 1 where each has but one cluster, or one for each thing.
pub fn adjusted_rand(a: &[u16], b: &[u16]) -> f64 {
    let pairs = |n: u64| (n * n.saturating_sub(1)) as f64 / 2.0;
    let mut both: HashMap<(u16, u16), u64> = HashMap::new();
    a.iter().zip(b).for_each(|(&a, &b)| *both.entry((a, b)).or_default() += 1);
    let sizes = |of: &[u16]| {
        let mut sizes = vec![0_u64; usize::from(u16::MAX) + 1];
        of.iter().for_each(|&cluster| sizes[usize::from(cluster)] += 1);
        sizes.into_iter().map(pairs).sum::<f64>()
    };
    // Whole numbers, so that the order of the sum is of no account.
    let together: f64 = both.into_values().map(pairs).sum();
    let (in_a, in_b) = (sizes(a), sizes(b));
    let expected = in_a * in_b / pairs(a.len() as u64).max(1.0);
    let most = f64::midpoint(in_a, in_b);
    if most == expected { 1.0 } else { (together - expected) / (most - expected) }
}

/// How two clusterings agree; `None` where there is no track to tell by.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Agreement {
    /// The index over all tracks that both have.
    pub all: Option<f64>,
    /// The same over those that [`KNOWN`] listeners or more said yes to.
    pub known: Option<f64>,
}

/// How stable the clusters of a log are.
#[derive(Clone, Copy, Debug)]
pub struct Stability {
    /// Between models of other seeds, in the mean over all pairs of them.
    pub seeds: Agreement,
    /// Between a model without the latest 3 % of events and one with them.
    pub retrained: Agreement,
    /// The same, where the second comes after the first: factors and clusters start from there.
    pub after: Agreement,
    /// Number of clusters.
    pub clusters: usize,
    /// Tracks that both models of the last comparison have.
    pub tracks: usize,
}

/// Clusters of one training.
struct Run {
    fingerprints: Vec<u64>,
    positives: Vec<usize>,
    assignment: Vec<u16>,
}

/// Trains `dataset` with `seeds` seeds from that of `options` on, and once without its latest events, and
/// compares the clusters. Settings are chosen once, so that what differs is the seed or the data.
pub fn stability(
    dataset: &Dataset,
    options: &Options<'_>,
    seeds: u64,
    progress: &Progress<'_>,
) -> Result<Stability, TrainError> {
    let earlier = dataset.without_latest(NEW);
    let plan = choose(&earlier, options, progress)?;
    let with = |dataset: &Dataset, wanted: &Wanted, seed: u64, after: Option<&Model>| {
        let mut plan = plan.clone();
        plan.seed ^= seed << u32::BITS;
        let fitted = fit(dataset, options.dim, plan, after, progress)?;
        Ok::<_, TrainError>((clustered(dataset, &fitted, wanted, seed, progress)?, fitted))
    };
    let anew = |dataset| Wanted::of(dataset, options.clusters, None);
    let (before, Fitted { factors, plan: fitted, .. }) =
        with(&earlier, &anew(&earlier), options.seed, None)?;
    let all = (0..seeds.max(1)).map(|at| {
        with(dataset, &anew(dataset), options.seed + at, None).map(|(clustered, _)| clustered)
    });
    let all: Vec<Run> = all.collect::<Result<_, _>>()?;
    let model = ranking_model(&earlier.fingerprints, &coding::fine(&factors), &fitted.fold_in)?;
    let wanted = Wanted::keeping(dataset, &before.fingerprints, &before.assignment);
    let (after, _) = with(dataset, &wanted, options.seed, Some(&model))?;

    let pairs =
        all.iter().enumerate().flat_map(|(at, a)| all[at + 1..].iter().map(move |b| (a, b)));
    let pairs: Vec<Agreement> = pairs.map(|(a, b)| agreement(a, b).0).collect();
    let mean = |of: fn(&Agreement) -> Option<f64>| {
        pairs.iter().map(of).collect::<Option<Vec<f64>>>().map(|all| mean(&all))
    };
    let (after, tracks) = agreement(&before, &after);
    Ok(Stability {
        seeds: Agreement { all: mean(|a| a.all), known: mean(|a| a.known) },
        retrained: agreement(&before, &all[0]).0,
        after,
        clusters: before.assignment.iter().max().map_or(0, |&last| usize::from(last) + 1),
        tracks,
    })
}

fn clustered(
    dataset: &Dataset,
    fitted: &Fitted,
    wanted: &Wanted,
    seed: u64,
    progress: &Progress<'_>,
) -> Result<Run, TrainError> {
    let positives = fitted.by_item.positives();
    let assignment = wanted.cluster(&fitted.factors, &positives, seed, progress)?;
    if progress.stopped() {
        return Err(Interrupted.into());
    }
    Ok(Run { fingerprints: dataset.fingerprints.clone(), positives, assignment })
}

/// How the clusters of the tracks that both runs have agree, and how many tracks these are.
fn agreement(a: &Run, b: &Run) -> (Agreement, usize) {
    let shared = a.fingerprints.iter().enumerate().filter_map(|(at, fingerprint)| {
        Some((at, b.fingerprints.binary_search(fingerprint).ok()?))
    });
    let shared: Vec<(usize, usize)> = shared.collect();
    let index = |least: usize| {
        let known = shared.iter().filter(|&&(at, _)| a.positives[at] >= least);
        let (a, b): (Vec<u16>, Vec<u16>) =
            known.map(|&(at, other)| (a.assignment[at], b.assignment[other])).unzip();
        (!a.is_empty()).then(|| adjusted_rand(&a, &b))
    };
    (Agreement { all: index(0), known: index(KNOWN) }, shared.len())
}
