//! How sharply tastes lie among the clusters, and what the people of a cluster also finish: chosen and
//! measured on each listener's latest events.

use rayon::prelude::*;
use segue_core::{
    ids::Row,
    membership::kindred,
    model::{Model, SectionKind},
    rng::SplitMix64,
};

use crate::{
    Interrupted,
    als::Factors,
    clusters::{Seen, Start, centroids, cluster, concentration},
    dataset::{Dataset, gather},
    evaluate::{mean, paired},
    finished::{Crowd, Lists, Recipe, cosines, finishes, is_finish, memberships},
    progress::Progress,
};

const SHRINKAGE: [f64; 4] = [1.0, 4.0, 16.0, 64.0];
const POWERS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
/// Entries a cluster, from the fewest.
const ENTRIES: [usize; 3] = [50, 100, 200];
/// Of the accuracy with the most entries, the share that is enough.
const ENOUGH: f64 = 0.995;
/// How many tracks are shown.
const SHOWN: usize = 20;
/// Fewer listeners than this choose nothing reliably.
const MIN_LISTENERS: usize = 20;
/// Most listeners to choose on.
const MOST: usize = 2000;

/// What was chosen, and how well it did.
#[derive(Clone, Copy, Debug)]
pub struct People {
    /// κ of [`segue_core::membership`].
    pub concentration: f64,
    /// How lists are made; `None` where they tell no more than popularity does.
    pub recipe: Option<Recipe>,
    /// The share of what listeners came to finish that was among the first 20 for them, and the same of
    /// what most listeners finish.
    pub recall_20: [f64; 2],
    /// How many listeners the means are over.
    pub listeners: usize,
}

/// A listener who came to finish something new.
struct Asked {
    listener: usize,
    /// Rows, ascending.
    known: Vec<Row>,
    came: Vec<Row>,
}

impl Asked {
    fn recall(&self, found: impl Iterator<Item = Row>) -> f64 {
        let hits = found.filter(|row| self.came.contains(row)).count();
        hits as f64 / self.came.len() as f64
    }

    fn is_new(&self, row: Row) -> bool {
        self.known.binary_search(&row).is_err()
    }
}

/// What is known of the time before.
pub struct Before<'a> {
    /// The log, the time after it too.
    pub dataset: &'a Dataset,
    /// Factors that were trained on what came before.
    pub factors: &'a Factors,
    /// How many listeners said yes to each track.
    pub positives: &'a [usize],
    /// The model of these factors.
    pub base: &'a Model,
}

/// Chooses on the latest fifth of each listener's events, for so many `clusters`; `None` where too few
/// listeners finished something new there. Lists ship only where they are better than popularity by more
/// than a standard error.
pub fn people(
    before: &Before<'_>,
    clusters: usize,
    seed: u64,
    progress: &Progress<'_>,
) -> Result<Option<People>, Interrupted> {
    let Before { dataset, factors: Factors { dim, users, items }, positives, base } = *before;
    let asked = asked(dataset, seed);
    if asked.len() < MIN_LISTENERS {
        return Ok(None);
    }
    let start = Start::Anew(clusters, seed);
    let assignment = cluster(items, *dim, positives, start, progress)?;
    progress.stage("choosing what people of a taste finish");
    let directions = centroids(items, *dim, &assignment);
    let clusters = directions.len() / dim;
    let seen = |one: &Asked| Seen {
        cosines: cosines(&users[one.listener * dim..][..*dim], &directions),
        came: one.came.iter().map(|row| assignment[row.index()]).collect(),
    };
    let concentration = concentration(&asked.iter().map(seen).collect::<Vec<_>>());

    let memberships = memberships(users, *dim, &directions, concentration);
    let past = |listener| dataset.split_by_time(listener).0;
    let finishes = finishes((0..dataset.listeners()).flat_map(past));
    let popular = popular(&finishes, dataset.tracks.len());
    let crowd = Crowd::new(&finishes, &memberships, clusters, |_| true);
    let measure = |recipe: Recipe| {
        let model = with_lists(base, &crowd.lists(recipe));
        let of_one = |one: &Asked| {
            let Some(finished) = model.as_ref().and_then(Model::finished) else { return 0.0 };
            let shares = &memberships[one.listener * clusters..][..clusters];
            let found = kindred(&finished, shares, SHOWN, |row| one.is_new(row));
            one.recall(found.iter().map(|found| Row(found.row)))
        };
        asked.par_iter().map(of_one).collect()
    };
    let (recipe, each) = best(measure, progress)?;
    let by_popularity = |one: &Asked| {
        let new = popular.iter().copied().filter(|&row| one.is_new(row));
        one.recall(new.take(SHOWN))
    };
    let by_popularity: Vec<f64> = asked.iter().map(by_popularity).collect();
    Ok(Some(People {
        concentration,
        recipe: (paired(&each, &by_popularity) > 1.0).then_some(recipe),
        recall_20: [mean(&each), mean(&by_popularity)],
        listeners: asked.len(),
    }))
}

/// The best recipe with the fewest entries that do about as well as the most, and how well it does for
/// each listener.
fn best(
    measure: impl Fn(Recipe) -> Vec<f64>,
    progress: &Progress<'_>,
) -> Result<(Recipe, Vec<f64>), Interrupted> {
    let [.., entries] = ENTRIES;
    let powers = |shrinkage| POWERS.map(|power| Recipe { shrinkage, power, entries });
    let (mut best, mut recall) = (Recipe { shrinkage: 1.0, power: 0.0, entries }, -1.0);
    for recipe in SHRINKAGE.into_iter().flat_map(powers) {
        if progress.stopped() {
            return Err(Interrupted);
        }
        let found = mean(&measure(recipe));
        if found > recall {
            (best, recall) = (recipe, found);
        }
    }
    for entries in ENTRIES {
        if progress.stopped() {
            return Err(Interrupted);
        }
        let fewer = Recipe { entries, ..best };
        let each = measure(fewer);
        if mean(&each) >= ENOUGH * recall {
            return Ok((fewer, each));
        }
    }
    Ok((best, measure(best)))
}

/// `base` with lists, whose tracks are its rows; `None` where these are empty.
fn with_lists(base: &Model, lists: &Lists) -> Option<Model> {
    let section = lists.section(base.ids_digest(), base.len(), |track| Some(Row(track)))?;
    let mut model = base.clone();
    model.add([(SectionKind::Finished, section)]).ok()?;
    Some(model)
}

/// Listeners who came to finish what they had not met, [`MOST`] of them at most, drawn by `seed`.
fn asked(dataset: &Dataset, seed: u64) -> Vec<Asked> {
    let ask = |listener| {
        let (before, after) = dataset.split_by_time(listener);
        let known: Vec<Row> = gather(before).iter().map(|evidence| evidence.row).collect();
        let new = |row: &Row| known.binary_search(row).is_err();
        let mut came: Vec<Row> = after
            .iter()
            .filter(|event| is_finish(event))
            .map(|event| event.row)
            .filter(new)
            .collect();
        came.sort_unstable();
        came.dedup();
        Asked { listener, known, came }
    };
    let mut listeners: Vec<usize> = (0..dataset.listeners()).collect();
    SplitMix64::new(seed).shuffle(&mut listeners);
    listeners.into_iter().map(ask).filter(|asked| !asked.came.is_empty()).take(MOST).collect()
}

/// Tracks by how many listeners finished them, the most first.
fn popular(finishes: &[(u32, u32)], tracks: usize) -> Vec<Row> {
    let mut counts = vec![0_usize; tracks];
    finishes.iter().for_each(|&(track, _)| counts[track as usize] += 1);
    let mut order: Vec<Row> = (0..tracks as u32).map(Row).collect();
    order.sort_by_key(|row| std::cmp::Reverse(counts[row.index()]));
    order
}
