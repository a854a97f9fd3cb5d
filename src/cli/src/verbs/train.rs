//! `segue train`.

use std::{fmt::Write, path::PathBuf, time::Instant};

use segue_core::event::Kind;
use segue_train::{
    dataset,
    log::{Columns, Options as LogOptions, Summary},
    pipeline::{Options, Trained, train},
    progress::Progress,
    search::Effort,
};
use serde_json::{Value, json};

use super::{Catalogue, shown, write_whole};
use crate::{
    failure::Done,
    ui::{STOP, Ui, counted, grouped},
};

/// Train a model from listening logs.
///
/// Reads JSON Lines, TSV, CSV and Parquet, packed by gzip or Zstandard or not. Columns are
/// recognised by their names. Settings are chosen on each listener's latest events, held out; the
/// model that is written has seen everything.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    segue train events.jsonl --catalogue catalogue.jsonl --out model.segue\n  \
    segue train plays.csv.gz --column user=listener --column at=started --out model.segue\n\n\
    Fields: user, track, at (required; seconds or milliseconds since 1970, or RFC 3339), id,\n\
    session, kind, played_ms, duration_ms, play_ratio (0 to 1), region, tz_offset_min, device,\n\
    source, mood, title, artist, album, tags. Without a kind, an event is a play.")]
pub struct Arguments {
    /// Listening logs; `-` is standard input.
    #[arg(required = true, value_name = "EVENTS")]
    events: Vec<PathBuf>,
    #[command(flatten)]
    catalogue: Catalogue,
    /// Where the model goes.
    #[arg(long, value_name = "MODEL")]
    out: PathBuf,
    /// Read a field from the column of this name: `--column track=song_id`; `--column mood=` leaves
    /// a field out.
    #[arg(long = "column", value_name = "FIELD=NAME")]
    columns: Vec<String>,
    /// Count lines that cannot be read, and go on.
    #[arg(long)]
    skip_bad_lines: bool,
    /// Components of a factor.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=256))]
    dim: u16,
    /// Taste clusters [default: √(tracks/2), at most 64].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=4096))]
    clusters: Option<u16>,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long to search for settings.
    #[arg(long, value_enum, default_value = "quick")]
    effort: EffortName,
    /// Threads; the model is the same for any number [default: one a core].
    #[arg(long)]
    threads: Option<usize>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub enum EffortName {
    /// A sample of listeners, about 100 epochs.
    Quick,
    /// Everything, about 500 epochs.
    Full,
}

impl From<EffortName> for Effort {
    fn from(name: EffortName) -> Self {
        match name {
            EffortName::Quick => Self::QUICK,
            EffortName::Full => Self::FULL,
        }
    }
}

pub fn run(arguments: &Arguments, ui: &Ui) -> Done {
    ui.heed_interrupt()?;
    if let Some(threads) = arguments.threads {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    }
    let started = Instant::now();
    let report = |report: segue_train::progress::Report<'_>| ui.report(report);
    let progress = Progress { report: &report, stop: &STOP };
    let log = LogOptions {
        columns: Columns::parse(&arguments.columns)?,
        skip_bad_lines: arguments.skip_bad_lines,
        ..LogOptions::default()
    };
    let catalogue = arguments.catalogue.catalogue.as_deref();
    let (dataset, summaries) = dataset::read(&arguments.events, catalogue, &log, &progress)?;
    summaries
        .iter()
        .zip(&arguments.events)
        .for_each(|(summary, path)| tell(ui, summary, &shown(path)));
    let options = Options {
        dim: arguments.dim.into(),
        clusters: arguments.clusters.map(usize::from),
        seed: arguments.seed,
        effort: arguments.effort.into(),
    };
    let rows: u64 = summaries.iter().map(|summary| summary.rows).sum();
    let repeats = usize::try_from(rows).unwrap_or(usize::MAX).saturating_sub(dataset.len());
    if repeats > 0 {
        ui.note(&format!(
            "{} left out: the same listener, track, time and kind again, and no id of their own",
            counted(repeats, "event")
        ));
    }
    let trained = train(&dataset, &options, &progress)?;
    let file = trained.model.to_file();
    write_whole(&arguments.out, |out| Ok(out.write_all(&file)?))?;
    let seconds = started.elapsed().as_secs_f64();
    let bad: u64 = summaries.iter().map(|summary| summary.bad_lines).sum();
    ui.finish(
        &to_json(&trained, &shown(&arguments.out), file.len(), bad, seconds),
        &to_text(&trained, &shown(&arguments.out), file.len(), seconds),
    )
}

/// Says what was taken for what, and what was left out.
fn tell(ui: &Ui, summary: &Summary, path: &str) {
    let columns: Vec<String> = summary
        .columns
        .iter()
        .map(|column| match (column.field.name(), column.name.as_str()) {
            (field, name) if field == name => field.to_owned(),
            (field, name) => format!("{field} from `{name}`"),
        })
        .collect();
    ui.note(&format!("{path}: read {}; anything else is not used", columns.join(", ")));
    if summary.bad_lines > 0 {
        let bad = usize::try_from(summary.bad_lines).unwrap_or(usize::MAX);
        ui.note(&format!("{path}: skipped {}, of which the first are", counted(bad, "line")));
        summary.first_bad.iter().for_each(|bad| ui.note(&format!("  {bad}")));
    }
}

fn to_json(trained: &Trained, out: &str, bytes: usize, bad_lines: u64, seconds: f64) -> Value {
    let responses: Vec<Value> = Kind::ALL
        .into_iter()
        .map(|kind| {
            let r = trained.learned.responses.of(kind);
            json!({ "kind": kind.name(), "events": trained.events[kind as usize],
                    "weight": r.weight, "target": r.target, "learned_from": r.learned_from })
        })
        .collect();
    json!({
        "out": out,
        "bytes": bytes,
        "tracks": trained.model.len(),
        "listeners": trained.listeners,
        "bad_lines": bad_lines,
        "dim": trained.model.dim(),
        "clusters": trained.model.clusters().map(|c| c.len()),
        "unobserved": trained.settings.loss.unobserved,
        "ridge": trained.settings.loss.ridge,
        "exponent": trained.settings.loss.exponent,
        "epochs": trained.settings.epochs,
        "settings_chosen_on": trained.validation.map(|a| a.listeners),
        "validation_recall@20": trained.validation.map(|a| a.recall_20),
        "validation_ndcg@20": trained.validation.map(|a| a.ndcg_20),
        "auc_defined": trained.learned.auc_defined,
        "auc_learned": trained.learned.auc_learned,
        "responses": responses,
        "seconds": seconds,
    })
}

fn to_text(trained: &Trained, out: &str, bytes: usize, seconds: f64) -> String {
    let mut text = String::new();
    let events: usize = trained.events.iter().sum();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{out}: {}, {}, {} bytes, from {} by {} in {seconds:.1} s",
        counted(trained.model.len(), "track"),
        counted(trained.model.clusters().map_or(0, |c| c.len()), "taste cluster"),
        grouped(bytes),
        counted(events, "event"),
        counted(trained.listeners, "listener"),
    );
    let _ = match trained.validation {
        Some(accuracy) => writeln!(
            text,
            "on the latest events of {}, held out: recall@20 {:.4}, ndcg@20 {:.4}",
            counted(accuracy.listeners, "listener"),
            accuracy.recall_20,
            accuracy.ndcg_20
        ),
        None => {
            writeln!(
                text,
                "too few listeners to choose settings on: those of Rendle et al. (2021) are used"
            )
        }
    };
    let _ = match (trained.learned.auc_defined, trained.learned.auc_learned) {
        (Some(before), Some(after)) if after <= before => writeln!(
            text,
            "nothing better than the definitions was learned of skips and likes: AUC {before:.4}"
        ),
        (Some(before), Some(after)) => writeln!(
            text,
            "what skips and likes say was learned: AUC {before:.4} as defined, {after:.4} as learned"
        ),
        _ => writeln!(text, "too few skips to learn from: a skip counts as one observed no"),
    };
    text
}
