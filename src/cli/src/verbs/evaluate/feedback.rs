//! `segue evaluate feedback`.

use std::path::PathBuf;

use clap::Args;
use segue_train::{
    evaluate::feedback::{Outcome, feedback as evaluate},
    pipeline::Options,
    progress::Progress,
    search::Effort,
};
use serde_json::json;

use super::detail::sure;
use crate::{
    failure::Done,
    ranking::{ranking_json, ranking_text},
    ui::{STOP, Ui, counted},
    verbs::{Catalogue, logs::Logs, search::Search, train::EffortName},
};

/// Whether what listeners like ranks above what they skip.
///
/// The last fifth of each listener's events is the test. A model is trained on what came before, and ranks
/// the tracks of the test for each listener as they were then: the figure is the AUC of what they liked
/// against what they skipped, in the mean over listeners who did both. Beside it stands that of a model, and
/// of listeners, from whose past all skips and dislikes were taken out. Liked, saved and replayed tracks are
/// liked; where the test has none of these, those played for half their length or more. What stands behind
/// ± is half of a 95 % interval, by the bootstrap over listeners.
#[derive(Args)]
#[command(after_help = "Example:\n  segue evaluate feedback --events events.jsonl --json")]
pub struct FeedbackArguments {
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

pub fn feedback(arguments: &FeedbackArguments, ui: &Ui) -> Done {
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
    let outcome = evaluate(&dataset, &options, &progress)?;
    arguments.search.note_taken(&checkpoints, ui);
    let Outcome { auc: [with, without], intervals, listeners, verdicts, by_plays, ranking } =
        outcome;
    let [liked, skipped] = verdicts;
    ui.finish(
        &json!({
            "auc": with,
            "auc_without_skips": without,
            "intervals": {
                "auc": intervals[0],
                "auc_without_skips": intervals[1],
                "gain": intervals[2],
            },
            "listeners": listeners,
            "liked": liked,
            "skipped": skipped,
            "liked_are_plays": by_plays,
            "ranker": ranking.as_ref().map(ranking_json),
        }),
        &format!(
            "auc                {}\nwithout skips      {}\ngain               {}\n\
             {}: {} against {}{}\n\n{}",
            sure(with, &intervals[0]),
            sure(without, &intervals[1]),
            sure(with - without, &intervals[2]),
            counted(listeners, "listener"),
            counted(liked, "liked track"),
            counted(skipped, "skipped one"),
            if by_plays { ", where a play of half a track or more is a like" } else { "" },
            ranking_text(ranking.as_ref()),
        ),
    )
}
