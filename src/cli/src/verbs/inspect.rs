//! `segue inspect`.

mod registry;

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use segue_core::{
    event::Kind,
    linalg::dot,
    model::{Model, SectionId, SectionKind, Spread},
    signals::Signal,
};
use segue_serve::{
    keys::public_key,
    registry::{InForce, Registry},
};
use serde_json::{Value, json};

use super::{now_ms, pairs, read_model, shown};
use crate::{
    failure::{Done, Failure},
    ui::{Ui, counted, grouped},
};

/// Say what a model or a registry holds.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  segue inspect model.segue\n  segue inspect registry --json\n  \
                        segue inspect registry --public-key 8c2d…"
)]
pub struct Arguments {
    /// A model file, or a registry: a folder, or a URL such as s3://bucket/prefix.
    #[arg(value_name = "MODEL | REGISTRY")]
    path: PathBuf,
    /// Check a registry as a device does that was given this key: hexadecimal digits or base64.
    #[arg(long, value_name = "KEY", value_parser = anchor)]
    public_key: Option<String>,
}

/// Clusters that a person is shown.
const SHOWN: usize = 10;

pub fn run(arguments: &Arguments, ui: &Ui) -> Done {
    let Arguments { path, public_key } = arguments;
    if !path.is_dir() && !Registry::is_url(path) {
        if public_key.is_some() {
            return Err("--public-key goes with a registry: a model's file is not signed".into());
        }
        let model = read_model(path)?;
        return ui.finish(&to_json(&model, None), &to_text(&model));
    }
    let (registry, found, model) = read_registry(path)?;
    let believed = public_key.as_ref().map(|key| registry.believe(key, now_ms())).transpose()?;
    let mut json = to_json(&model, Some(found.model().version));
    json["registry"] = registry::to_json(&registry, &found, believed.as_ref());
    let text = registry::to_text(&registry, &found, believed.as_ref());
    ui.finish(&json, &format!("{text}\n{}", to_text(&model)))
}

/// The registry, what is in force there, and the model of all devices.
fn read_registry(path: &Path) -> Result<(Registry, InForce, Model), Failure> {
    let registry = Registry::open(path)?;
    let Some(found) = registry.in_force()? else {
        let path = shown(path);
        let what = if path.starts_with("http") {
            format!(
                "there is no manifest at {path}: give where the registry is served, such as https://example.org/v1/"
            )
        } else {
            format!(
                "{path} is no registry, for want of a manifest; `segue publish MODEL --registry \
                 {path}` makes one of it"
            )
        };
        return Err(Failure::from(what));
    };
    let (_, model) = registry.load()?;
    Ok((registry, found, model))
}

fn anchor(text: &str) -> Result<String, String> {
    public_key(text).ok_or_else(|| "give the 64 hexadecimal digits of a public key".into())
}

fn to_json(model: &Model, version: Option<u64>) -> Value {
    let sections: Vec<Value> = model
        .sections()
        .map(|(id, bytes)| {
            json!({ "kind": id.kind.name(), "shard": id.shard, "bytes": bytes.len() })
        })
        .collect();
    let responses: Vec<Value> = Kind::ALL
        .into_iter()
        .map(|kind| {
            let r = model.taste().responses().of(kind);
            json!({ "kind": kind.name(), "weight": r.weight, "target": r.target,
                    "learned_from": r.learned_from })
        })
        .collect();
    json!({
        "version": version,
        "tracks": model.len(),
        "shards": model.shelves().count(),
        "dim": model.dim(),
        "clusters": model.clusters().map(|c| c.len()),
        "concentration": concentration(model),
        "taste_clusters": clusters_json(model),
        "transitions": pairs(model),
        "unobserved": model.taste().loss().unobserved,
        "pull": model.taste().pull(),
        "sections": sections,
        "bytes": model.to_file().len(),
        "responses": responses,
        "ranker": ranker_json(model),
    })
}

fn to_text(model: &Model) -> String {
    let size =
        format!("{} of {}", counted(model.len(), "track"), counted(model.dim(), "component"));
    let (sections, responses, ranker) = (sections(model), responses(model), ranker(model));
    let clusters = model.clusters().map(|found| clusters(model, found.len()));
    let clusters = clusters.unwrap_or_default();
    format!("{size}\n\n{sections}\n{ranker}\n{responses}\n{clusters}")
}

fn sections(model: &Model) -> String {
    let mut text = "section           bytes  a track\n".to_owned();
    let mut line = |name: &str, bytes: usize| {
        let each = bytes as f64 / model.len() as f64;
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(text, "{name:<11}{:>12}{each:>9.1}", grouped(bytes));
    };
    for kind in SectionKind::ALL {
        let bytes = size(model, |id| id.kind == kind);
        if bytes > 0 {
            line(kind.name(), bytes);
        }
    }
    let (sections, file) = (size(model, |_| true), model.to_file().len());
    line("header", file - sections);
    line("all", file);
    let _ = match pairs(model) {
        None => {
            writeln!(text, "\nnothing that tells the next track of a sitting from the last ones")
        }
        Some(pairs) => {
            writeln!(text, "\n{} of tracks that follow each other", counted(pairs, "pair"))
        }
    };
    let shards = model.shelves().count() - 1;
    if shards > 0 {
        let head = size(model, |id| id.shard == 0 && id.kind != SectionKind::Cells);
        let (tracks, shards) = (counted(model.factors().len(), "track"), counted(shards, "shard"));
        let _ = writeln!(
            text,
            "\nsplit into a head of {tracks}, {} bytes, and {shards}",
            grouped(head)
        );
    }
    text
}

/// Bytes of the sections for which `of` holds.
fn size(model: &Model, of: impl Fn(SectionId) -> bool) -> usize {
    model.sections().filter(|(id, _)| of(*id)).map(|(_, bytes)| bytes.len()).sum()
}

fn responses(model: &Model) -> String {
    let mut text = "an event says     weight  target  learned from\n".to_owned();
    for kind in Kind::ALL {
        let r = model.taste().responses().of(kind);
        let from = match r.learned_from {
            0 => "its definition".to_owned(),
            events => counted(events as usize, "event"),
        };
        let _ = writeln!(text, "{:<14}{:>10}{:>8}  {from}", kind.name(), r.weight, r.target);
    }
    text
}

/// What tracks are ranked by.
fn ranker(model: &Model) -> String {
    let Some(ranker) = model.ranker() else {
        return "tracks are ranked by taste and what follows what: nothing foretells a yes or a no\n".into();
    };
    let recipe = ranker.recipe();
    let [listeners, verdicts] = recipe.learned_from;
    let mut text = format!(
        "tracks are ranked by what foretells a yes, learned from {} of {}\n\nsignal      in its log-odds\n",
        counted(verdicts as usize, "verdict"),
        counted(listeners as usize, "listener"),
    );
    for signal in Signal::ALL {
        let weight = match ranker.weight(signal) {
            0.0 => "–".to_owned(),
            weight => format!("{weight:.4}"),
        };
        let _ = writeln!(text, "{:<10}{weight:>17}", signal.name());
    }
    let values = model.contexts().map_or(0, |contexts| contexts.len());
    let _ = writeln!(
        text,
        "{} of tracks and {} of moments are told apart",
        counted(model.tags(), "tag"),
        counted(values, "value")
    );
    text
}

fn ranker_json(model: &Model) -> Option<Value> {
    let ranker = model.ranker()?;
    let recipe = ranker.recipe();
    let [listeners, verdicts] = recipe.learned_from;
    let named = Signal::ALL.into_iter().zip(ranker.weights());
    let weights: serde_json::Map<String, Value> =
        named.map(|(signal, weight)| (signal.name().to_owned(), json!(weight))).collect();
    let spread = |by: Spread| json!({ "others": by.others, "ridge": by.ridge, "tags": by.tags });
    Some(json!({
        "weights": weights,
        "bias": recipe.bias,
        "axes": recipe.axes,
        "all": spread(recipe.all),
        "sitting": spread(recipe.sitting),
        "half_life": recipe.half_life,
        "memory": recipe.memory,
        "late": recipe.late,
        "prior": recipe.prior,
        "tags": (0..model.tags()).map(|tag| model.tag_name(tag)).collect::<Vec<_>>(),
        "contexts": model.contexts().map_or(0, |contexts| contexts.len()),
        "listeners": listeners,
        "verdicts": verdicts,
    }))
}

fn clusters(model: &Model, clusters: usize) -> String {
    let name = |cluster: usize| model.text().and_then(|text| text.cluster_name(cluster));
    let count = counted(clusters, "taste cluster");
    let tastes = format!(
        "tastes lie among them with concentration {:.1}; {}\n",
        concentration(model).unwrap_or_default(),
        model.finished().map_or_else(
            || "nothing tells what their people finish".into(),
            |lists| format!("their people finish {}", counted(lists.len(), "listed track")),
        ),
    );
    if !(0..clusters).any(|cluster| name(cluster).is_some()) {
        return format!("{count}; no tags in the log, so clusters have no names\n{tastes}");
    }
    let sizes = sizes(model, clusters);
    let mut order: Vec<usize> = (0..clusters).collect();
    order.sort_by_key(|&c| std::cmp::Reverse(sizes[c]));
    let mut text = format!("{count}, largest first\n");
    for &cluster in order.iter().take(SHOWN) {
        let name = name(cluster).unwrap_or("(no tags)");
        let _ = writeln!(text, "{:>17}  {name}", counted(sizes[cluster], "track"));
    }
    if clusters > SHOWN {
        let _ = writeln!(text, "{:>17}", format!("and {} more", clusters - SHOWN));
    }
    text + &tastes
}

/// Tracks in each cluster.
fn sizes(model: &Model, clusters: usize) -> Vec<usize> {
    let mut sizes = vec![0_usize; clusters];
    let assigned = model.rows().filter_map(|row| model.cluster_of(row));
    assigned.for_each(|cluster| sizes[usize::from(cluster)] += 1);
    sizes
}

/// κ of [`segue_core::membership`]: one over the temperature of the softmax that shares are.
fn concentration(model: &Model) -> Option<f32> {
    let clusters = model.clusters()?;
    clusters.centroids().map(|centroid| dot(centroid, centroid).sqrt()).reduce(f32::max)
}

fn clusters_json(model: &Model) -> Option<Value> {
    let count = model.clusters()?.len();
    let name = |cluster| model.text().and_then(|text| text.cluster_name(cluster));
    let sizes = sizes(model, count);
    let each = (0..count).map(|cluster| {
        let finished = model.finished().map_or(0, |finished| finished.of(cluster).len());
        json!({ "cluster": cluster, "name": name(cluster), "tracks": sizes[cluster],
                "finished": finished })
    });
    Some(each.collect())
}
