//! What a registry holds: releases, models, deltas and signatures.

use std::fmt::Write;

use segue_core::{
    manifest::{DeltaRef, ModelRef},
    trust::Trust,
};
use segue_serve::registry::{InForce, Registry};
use serde_json::{Value, json};

use super::super::signing::{percent, until};
use crate::ui::{counted, grouped};

pub fn to_json(registry: &Registry, found: &InForce, believed: Option<&Trust>) -> Value {
    let models: Vec<Value> = found.release.models.iter().map(model_json).collect();
    let [release, timestamp] = registry.signed_by(found);
    let root = found.root.as_ref();
    json!({
        "release": found.release.version,
        "created_at": found.release.created_at,
        "expires": found.release.expires,
        "models": models,
        "signed": root.map(|root| json!({
            "root": root.version,
            "root_expires": root.expires,
            "release_by": release,
            "timestamp": found.timestamp.as_ref().map(|timestamp| timestamp.version),
            "timestamp_expires": found.timestamp.as_ref().map(|timestamp| timestamp.expires),
            "timestamp_by": timestamp,
        })),
        "believed": believed.is_some(),
    })
}

fn model_json(model: &ModelRef) -> Value {
    let deltas: Vec<Value> = model
        .deltas
        .iter()
        .map(|delta| {
            let to = model.target(delta);
            json!({ "from": delta.from, "to": to, "shard": delta.shard, "bytes": delta.bytes })
        })
        .collect();
    json!({
        "version": model.version,
        "share": model.share,
        "sections": model.sections.len(),
        "bytes": bytes(model),
        "deltas": deltas,
    })
}

fn bytes(model: &ModelRef) -> u64 {
    model.sections.iter().map(|section| section.bytes).sum()
}

pub fn to_text(registry: &Registry, found: &InForce, believed: Option<&Trust>) -> String {
    let grouped = |bytes: u64| grouped(usize::try_from(bytes).unwrap_or(usize::MAX));
    let release = found.release.version;
    // Writing to a string cannot fail, here and below.
    let mut text = String::new();
    for model in &found.release.models {
        let of = model.share.map(|share| format!(" for {} of devices", percent(share)));
        let (version, bytes) = (model.version, grouped(bytes(model)));
        let of = of.unwrap_or_default();
        let _ = writeln!(text, "version {version} in force{of}, {bytes} bytes");
        for (from, to, bytes, count) in steps(model) {
            let bytes = grouped(bytes);
            let _ =
                writeln!(text, "{from:>8} → {to:<6}{bytes:>12} bytes  {}", counted(count, "delta"));
        }
    }
    let expires = found.release.expires.map(|at| format!(", {}", until(at)));
    let _ = write!(text, "release {release}{}", expires.unwrap_or_default());
    let [by, stamped] = registry.signed_by(found);
    match (&found.root, &found.timestamp) {
        (Some(root), Some(timestamp)) => {
            let _ = writeln!(text, ", signed by {}", names(&by));
            let (version, by, until_then) =
                (timestamp.version, names(&stamped), until(timestamp.expires));
            let _ = writeln!(text, "timestamp {version}, {until_then}, signed by {by}");
            let _ = writeln!(text, "root {}, {}", root.version, until(root.expires));
        }
        _ => text += ", not signed\n",
    }
    if believed.is_some() {
        text += "a device with this public key believes it\n";
    }
    text
}

fn names(keys: &[String]) -> String {
    if keys.is_empty() { "nobody whose key it names".into() } else { keys.join(", ") }
}

/// Bytes and number of the deltas of all shards, from one version to another.
fn steps(model: &ModelRef) -> Vec<(u64, u64, u64, usize)> {
    let mut steps: Vec<(u64, u64, u64, usize)> = Vec::new();
    let mut deltas: Vec<&DeltaRef> = model.deltas.iter().collect();
    deltas.sort_by_key(|delta| std::cmp::Reverse((delta.from, model.target(delta))));
    for delta in deltas {
        let to = model.target(delta);
        match steps.last_mut() {
            Some((from, until, bytes, count)) if (*from, *until) == (delta.from, to) => {
                *bytes += delta.bytes;
                *count += 1;
            }
            _ => steps.push((delta.from, to, delta.bytes, 1)),
        }
    }
    steps
}
