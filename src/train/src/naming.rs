//! Names for taste clusters, from the tags of their tracks.

use std::collections::HashMap;

use crate::dataset::Dataset;

/// Tags that name a cluster, at most.
const TAGS: usize = 2;

/// One name a cluster: the tags by which it differs most from the whole catalogue, most telling
/// first; empty where there are no tags. A tag's weight is its share in the cluster times the
/// logarithm of how often it is there against everywhere (its part of the Kullback–Leibler
/// divergence).
pub fn cluster_names(dataset: &Dataset, assignment: &[u16], clusters: usize) -> Vec<String> {
    let mut overall: HashMap<&str, f64> = HashMap::new();
    let mut within: Vec<HashMap<&str, f64>> = vec![HashMap::new(); clusters];
    for (track, &cluster) in dataset.tracks.iter().zip(assignment) {
        for tag in &track.tags {
            *overall.entry(tag).or_default() += 1.0;
            *within[usize::from(cluster)].entry(tag).or_default() += 1.0;
        }
    }
    let total: f64 = overall.values().sum();
    within.iter().map(|counts| name(counts, &overall, total)).collect()
}

fn name(counts: &HashMap<&str, f64>, overall: &HashMap<&str, f64>, total: f64) -> String {
    let here: f64 = counts.values().sum();
    let mut telling: Vec<(f64, &str)> = counts
        .iter()
        .map(|(&tag, &count)| (count / here * (count / here * total / overall[tag]).ln(), tag))
        .filter(|&(weight, _)| weight > 0.0)
        .collect();
    telling.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    telling.iter().take(TAGS).map(|&(_, tag)| tag).collect::<Vec<_>>().join(" · ")
}
