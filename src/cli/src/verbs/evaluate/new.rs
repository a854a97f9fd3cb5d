//! `segue evaluate new`.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use segue_train::{
    evaluate::unheard::{FIGURES, Outcome, Ranking, evaluate},
    pipeline::Options,
    progress::Progress,
    search::Effort,
};
use serde_json::{Map, Value, json};

use super::detail::sure;
use crate::{
    failure::Done,
    ui::{STOP, Ui, counted},
    verbs::{Catalogue, logs::Logs, new_tracks::new_json, search::Search, train::EffortName},
};

/// How new tracks are ranked before anyone has heard them.
///
/// Holds whole tracks out of the log, of those that two listeners liked at least; they get factors from
/// artist, album and tags, and the listeners who liked them are folded in from the rest of what they heard,
/// by the engine that ships. Beside it, what needs no factors, and what the factors would be if other
/// listeners had heard the tracks. What stands behind ± is half of a 95 % interval, by the bootstrap over
/// listeners.
#[derive(Args)]
#[command(after_help = "Example:\n  segue evaluate new --events events.jsonl --catalogue \
                        catalogue.jsonl --json")]
pub struct NewArguments {
    /// Listening logs.
    #[arg(long, required = true, num_args = 1.., value_name = "LOG")]
    events: Vec<PathBuf>,
    #[command(flatten)]
    catalogue: Catalogue,
    /// Read a field from the column of this name: `--column track=song_id`; `--column mood=` leaves
    /// a field out.
    #[arg(long = "column", value_name = "FIELD=NAME", value_parser = crate::verbs::logs::column)]
    columns: Vec<String>,
    /// Count lines that cannot be read, and go on.
    #[arg(long)]
    skip_bad_lines: bool,
    /// The share of the tracks that is held out.
    #[arg(long, default_value_t = 0.1, value_parser = share)]
    share: f64,
    /// Components of a factor.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=256))]
    dim: u16,
    /// How long to search for settings.
    #[arg(long, value_enum, default_value = "quick")]
    effort: EffortName,
    #[command(flatten)]
    search: Search,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| "a share is above 0 and below 1".to_owned())
}

pub fn new(arguments: &NewArguments, ui: &Ui) -> Done {
    ui.heed_interrupt(arguments.search.folder())?;
    let checkpoints = arguments.search.checkpoints()?;
    let report = |report: segue_train::progress::Report<'_>| ui.report(report);
    let progress = Progress { report: &report, stop: &STOP, checkpoints: &checkpoints };
    let logs = Logs {
        events: &arguments.events,
        catalogue: &arguments.catalogue,
        columns: &arguments.columns,
        skip_bad_lines: arguments.skip_bad_lines,
    };
    let dataset = logs.read(ui, &progress)?.dataset;
    let options = Options {
        dim: arguments.dim.into(),
        clusters: None,
        seed: arguments.seed,
        effort: Effort::from(arguments.effort).within(arguments.search.budget()),
        head: None,
        after: None,
    };
    let outcome = evaluate(&dataset, &options, arguments.share, &progress)?;
    arguments.search.note_taken(&checkpoints, ui);
    ui.finish(&to_json(&outcome), &to_text(&outcome))
}

fn to_json(outcome: &Outcome) -> Value {
    let ranking = |ranking: &Ranking| {
        let mut value = Map::new();
        let mut intervals = Map::new();
        let figures = FIGURES.iter().zip(ranking.figures.iter().zip(&ranking.intervals));
        for (name, (figure, ends)) in figures.take(ranking.count()) {
            value.insert((*name).to_owned(), json!(figure));
            intervals.insert((*name).to_owned(), json!(ends));
        }
        value.insert("intervals".to_owned(), intervals.into());
        (ranking.name.to_owned(), Value::Object(value))
    };
    json!({
        "held_out": outcome.held_out,
        "tracks": outcome.tracks,
        "listeners": outcome.listeners,
        "rankings": outcome.rankings.iter().map(ranking).collect::<Map<_, _>>(),
        "chosen": outcome.new.as_ref().map(|new| new_json(outcome.held_out, new)),
    })
}

fn to_text(outcome: &Outcome) -> String {
    const WIDTH: usize = 18;
    let names = outcome.rankings.iter().map(|ranking| ranking.name.len());
    let width = names.max().unwrap_or(0);
    let mut text = format!(
        "{} held out of {}; {} who liked one of them\n\n{:width$}",
        counted(outcome.held_out, "track"),
        counted(outcome.tracks, "track"),
        counted(outcome.listeners, "listener"),
        ""
    );
    FIGURES.iter().for_each(|name| {
        let _ = write!(text, "{name:>WIDTH$}");
    });
    for ranking in &outcome.rankings {
        let _ = write!(text, "\n{:width$}", ranking.name);
        let figures = ranking.figures.iter().zip(&ranking.intervals);
        for (&figure, interval) in figures.take(ranking.count()) {
            let _ = write!(text, "{:>WIDTH$}", sure(figure, interval));
        }
    }
    text
}
