//! `segue inspect`.

use std::{fmt::Write, path::PathBuf};

use segue_core::{event::Kind, model::Model};
use segue_serve::registry::Registry;
use serde_json::{Value, json};

use super::read_model;
use crate::{
    failure::Done,
    ui::{Ui, counted, grouped},
};

/// Say what a model or a registry holds.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  segue inspect model.segue\n  segue inspect registry --json")]
pub struct Arguments {
    /// A model file, or the folder of a registry.
    #[arg(value_name = "MODEL | REGISTRY")]
    path: PathBuf,
}

/// Clusters that a person is shown.
const SHOWN: usize = 10;

pub fn run(arguments: &Arguments, ui: &Ui) -> Done {
    let path = &arguments.path;
    let (model, version) = if path.is_dir() {
        let (manifest, model) = Registry::open(path)?.load()?;
        (model, Some(manifest.version))
    } else {
        (read_model(path)?, None)
    };
    ui.finish(&to_json(&model, version), &to_text(&model, version))
}

fn to_json(model: &Model, version: Option<u64>) -> Value {
    let sections: Vec<Value> = model
        .sections()
        .map(|(kind, bytes)| json!({ "kind": kind.name(), "bytes": bytes.len() }))
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
        "dim": model.dim(),
        "clusters": model.clusters().map(|c| c.len()),
        "unobserved": model.taste().loss().unobserved,
        "pull": model.taste().pull(),
        "sections": sections,
        "responses": responses,
    })
}

fn to_text(model: &Model, version: Option<u64>) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{} of {}",
        counted(model.len(), "track"),
        counted(model.dim(), "component")
    );
    if let Some(version) = version {
        let _ = writeln!(text, "version {version} in force");
    }
    let _ = writeln!(text, "\nsection          bytes  a track");
    let mut total = 0;
    for (kind, bytes) in model.sections() {
        total += bytes.len();
        let each = bytes.len() as f64 / model.len() as f64;
        let _ = writeln!(text, "{:<10}{:>12}{each:>9.1}", kind.name(), grouped(bytes.len()));
    }
    let each = total as f64 / model.len() as f64;
    let _ = writeln!(text, "{:<10}{:>12}{each:>9.1}", "all", grouped(total));

    let _ = writeln!(text, "\nan event says     weight  target  learned from");
    for kind in Kind::ALL {
        let r = model.taste().responses().of(kind);
        let from = match r.learned_from {
            0 => "its definition".to_owned(),
            events => format!("{} events", grouped(events as usize)),
        };
        let _ = writeln!(text, "{:<14}{:>10}{:>8}  {from}", kind.name(), r.weight, r.target);
    }
    if let Some(clusters) = model.clusters() {
        let mut sizes = vec![0_usize; clusters.len()];
        clusters.assignment().iter().for_each(|&c| sizes[usize::from(c)] += 1);
        let mut order: Vec<usize> = (0..sizes.len()).collect();
        order.sort_by_key(|&c| std::cmp::Reverse(sizes[c]));
        let _ = writeln!(text, "\ntaste clusters, largest first");
        for &cluster in order.iter().take(SHOWN) {
            let name = model.text().and_then(|t| t.cluster_name(cluster)).unwrap_or_default();
            let _ = writeln!(text, "{:>17}  {name}", counted(sizes[cluster], "track"));
        }
        if order.len() > SHOWN {
            let _ = writeln!(text, "{:>17}", format!("and {} more", order.len() - SHOWN));
        }
    }
    text
}
