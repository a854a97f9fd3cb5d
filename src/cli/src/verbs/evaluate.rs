//! `segue evaluate …`.

mod clusters;
mod compare;
mod detail;
mod feedback;
mod learning;
mod new;
mod replay;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use segue_train::{
    evaluate::figures::{NEXT, SPLIT},
    evaluate::next::{Next, NextOutcome, evaluate_next},
    evaluate::split::{Chosen, Outcome, Precision, Split, evaluate},
    neighbours::Recipe,
    progress::Progress,
    search::Beside,
};
use serde_json::{Value, json};

use self::{
    clusters::{ClustersArguments, clusters},
    compare::compare,
    detail::{check, exposure_lines, figures_lines, intervals, keep, slices, table},
};
use self::{feedback::FeedbackArguments, new::NewArguments, replay::ReplayArguments};
use super::search::Search;
use crate::{
    failure::Done,
    methods::{chosen_text, settings_json, tried_json, tried_table},
    ui::{STOP, Ui, counted},
};

/// Measure accuracy by a fixed protocol.
#[derive(Subcommand)]
#[command(after_help = "Example:\n  segue evaluate split --train train.txt --test test.txt")]
pub enum Protocol {
    Split(SplitArguments),
    Next(NextArguments),
    Clusters(ClustersArguments),
    New(NewArguments),
    Feedback(FeedbackArguments),
    Replay(ReplayArguments),
}

/// Recall and NDCG on a fixed split of `user item item …` files.
///
/// Fits on TRAIN, chooses method and settings on VALID (or on a part of TRAIN held out), masks only
/// TRAIN, ranks every item, and reports on TEST once. Every listener is folded in from TRAIN by the
/// engine that ships. What stands behind ± is half of a 95 % interval, by the bootstrap over
/// listeners.
#[derive(Args)]
#[command(
    override_usage = "segue evaluate split [OPTIONS] --train <TRAIN> --test <TEST>\n       \
                      segue evaluate split [OPTIONS] --compare <A> <B>",
    after_help = "Examples:\n  segue evaluate split --train train.txt --valid valid.txt \
                        --test test.txt --json\n  \
                        segue evaluate split --compare before.jsonl after.jsonl"
)]
pub struct SplitArguments {
    /// What to fit on.
    #[arg(long, required_unless_present = "compare")]
    train: Option<PathBuf>,
    /// What to choose settings on.
    #[arg(long)]
    valid: Option<PathBuf>,
    /// What to report on.
    #[arg(long, required_unless_present = "compare")]
    test: Option<PathBuf>,
    /// Write the figures of each listener: one JSON object a line, for --compare.
    #[arg(long, value_name = "FILE")]
    per_listener: Option<PathBuf>,
    /// Instead, test how much better B is than A: two files that --per-listener wrote.
    #[arg(
        long,
        num_args = 2,
        value_names = ["A", "B"],
        conflicts_with_all = [
            "train", "valid", "test", "per_listener", "dim", "precision", "budget", "checkpoints"
        ]
    )]
    compare: Vec<PathBuf>,
    /// Components of a factor.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=256))]
    dim: u16,
    /// Which form of the factors ranks.
    #[arg(long, value_enum, default_value = "wire")]
    precision: PrecisionName,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    search: Search,
}

/// Which track comes next in a sitting.
///
/// TRAIN has one sitting a line, `item item …`; TEST has `item item …`, a tab, and the item that came
/// next. TRAIN is in order of time: settings are chosen on its last tenth held out, or, where TEST goes on
/// from sittings of TRAIN, on the last few items of each. The model keeps within 48 bytes an item, but for
/// what a catalogue of a few takes in any case. Ranks every item of TRAIN, tracks of the sitting too,
/// because listeners do repeat. What stands behind ± is half of a 95 % interval, by the bootstrap over
/// queries.
#[derive(Args)]
#[command(
    override_usage = "segue evaluate next [OPTIONS] --train <TRAIN> --test <TEST>\n       \
                      segue evaluate next [OPTIONS] --compare <A> <B>",
    after_help = "Examples:\n  segue evaluate next --train sittings.txt --test next.txt --json\n  \
                  segue evaluate next --compare before.jsonl after.jsonl"
)]
pub struct NextArguments {
    /// What to fit on.
    #[arg(long, required_unless_present = "compare")]
    train: Option<PathBuf>,
    /// What to report on.
    #[arg(long, required_unless_present = "compare")]
    test: Option<PathBuf>,
    /// Write the figures of each query: one JSON object a line, for --compare.
    #[arg(long, value_name = "FILE", visible_alias = "per-listener")]
    per_query: Option<PathBuf>,
    /// Instead, test how much better B is than A: two files that --per-query wrote.
    #[arg(
        long,
        num_args = 2,
        value_names = ["A", "B"],
        conflicts_with_all = [
            "train", "test", "per_query", "mask", "support", "dim", "budget", "checkpoints"
        ]
    )]
    compare: Vec<PathBuf>,
    /// Leave out the tracks of the sitting so far.
    #[arg(long)]
    mask: bool,
    /// Leave out of the model what follows what in fewer sittings than this.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    support: u32,
    /// Components of a factor.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=256))]
    dim: u16,
    #[command(flatten)]
    search: Search,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Said where there is nothing to choose settings on.
const UNCHOSEN: &str = "\nnothing could be held out of TRAIN to choose settings on: none is chosen";

#[derive(Clone, Copy, ValueEnum)]
enum PrecisionName {
    /// As trained.
    F32,
    /// One byte a component.
    Int8,
    /// The model that ships, encoded for the network and decoded again.
    Wire,
}

pub fn run(protocol: &Protocol, ui: &Ui) -> Done {
    match protocol {
        Protocol::Split(arguments) => match (&arguments.train, &arguments.test) {
            (Some(train), Some(test)) => split(train, test, arguments, ui),
            _ => compare(&SPLIT, &arguments.compare, arguments.seed, ui),
        },
        Protocol::Next(arguments) => match (&arguments.train, &arguments.test) {
            (Some(train), Some(test)) => next(train, test, arguments, ui),
            _ => compare(&NEXT, &arguments.compare, arguments.seed, ui),
        },
        Protocol::Clusters(arguments) => clusters(arguments, ui),
        Protocol::New(arguments) => new::new(arguments, ui),
        Protocol::Feedback(arguments) => feedback::feedback(arguments, ui),
        Protocol::Replay(arguments) => replay::replay(arguments, ui),
    }
}

fn split(train: &Path, test: &Path, arguments: &SplitArguments, ui: &Ui) -> Done {
    let file = arguments.per_listener.as_deref();
    ui.heed_interrupt(arguments.search.folder())?;
    let checkpoints = arguments.search.checkpoints()?;
    check(file, [Some(train), arguments.valid.as_deref(), Some(test)])?;
    let report = |report: segue_train::progress::Report<'_>| ui.report(report);
    let progress = Progress { report: &report, stop: &STOP, checkpoints: &checkpoints };
    let split = Split {
        train,
        valid: arguments.valid.as_deref(),
        test,
        dim: arguments.dim.into(),
        precision: match arguments.precision {
            PrecisionName::F32 => Precision::F32,
            PrecisionName::Int8 => Precision::Int8,
            PrecisionName::Wire => Precision::Wire,
        },
        seed: arguments.seed,
        budget: arguments.search.budget(),
    };
    let outcome = evaluate(&split, &progress)?;
    arguments.search.note_taken(&checkpoints, ui);
    let Outcome { test, detail, exposure, chosen, bytes_per_item, tracks, strangers } = outcome;
    if strangers > 0 {
        ui.note(&format!(
            "{} of {} without a line in {}: the same tracks for all of them",
            counted(strangers, "listener"),
            split.test.display(),
            train.display()
        ));
    }
    keep(&SPLIT, &detail, file)?;
    let Chosen { settings, settled, beside, tried, .. } = chosen;
    let valid = beside.map_or(settled.accuracy, |beside| beside.accuracy);
    let mut sure = intervals(&SPLIT, &detail);
    let [recommended, held_out] = exposure.intervals;
    sure["popularity"] = json!({ "recommended": recommended, "held_out": held_out });
    ui.finish(
        &json!({
            "recall@10": test.recall_10,
            "ndcg@10": test.ndcg_10,
            "recall@20": test.recall_20,
            "ndcg@20": test.ndcg_20,
            "bytes_per_item": bytes_per_item,
            "listeners": test.listeners,
            "unknown_listeners": strangers,
            "tracks": tracks,
            "valid_recall@10": valid.recall_10,
            "valid_ndcg@10": valid.ndcg_10,
            "valid_without_neighbours": [settled.accuracy.recall_10, settled.accuracy.ndcg_10],
            "neighbours": beside.map(|beside| beside_json(&beside)),
            "method": settings.method.name(),
            "settings": settings_json(&settings),
            "fold_in_ridge": settled.fold_in.loss.ridge,
            "settings_tried": tried.iter().map(|attempts| attempts.count).sum::<usize>(),
            "tried": tried_json(&tried),
            "intervals": sure,
            "slices": slices(&SPLIT, &detail),
            "coverage@20": exposure.coverage,
            "gini@20": exposure.gini,
            "popularity": {
                "recommended": exposure.recommended,
                "held_out": exposure.held_out,
            },
        }),
        &format!(
            "{}\n\
             {}, {}, {bytes_per_item:.1} bytes a track\n\
             {}\n\n\
             {}\n\n\
             {}\n\
             {}",
            figures_lines(&SPLIT, &detail),
            counted(test.listeners, "listener"),
            counted(tracks, "track"),
            chosen_text(&settings),
            tried_table(&tried, &settings),
            table(&SPLIT, &detail),
            exposure_lines(&exposure),
        ),
    )
}

fn beside_json(beside: &Beside) -> Value {
    let Recipe { met, recommended, listener } = beside.recipe;
    json!({
        "pairs_each": beside.pairs_each,
        "weight": beside.scale,
        "powers": [met, recommended, listener],
    })
}

fn next(train: &Path, test: &Path, arguments: &NextArguments, ui: &Ui) -> Done {
    let file = arguments.per_query.as_deref();
    ui.heed_interrupt(arguments.search.folder())?;
    let checkpoints = arguments.search.checkpoints()?;
    check(file, [Some(train), Some(test)])?;
    let report = |report: segue_train::progress::Report<'_>| ui.report(report);
    let progress = Progress { report: &report, stop: &STOP, checkpoints: &checkpoints };
    let next = Next {
        train,
        test,
        dim: arguments.dim.into(),
        mask: arguments.mask,
        support: arguments.support,
        seed: arguments.seed,
        budget: arguments.search.budget(),
    };
    let NextOutcome { test, detail, valid, follow, taste, bytes_per_item, tracks, micros } =
        evaluate_next(&next, &progress)?;
    arguments.search.note_taken(&checkpoints, ui);
    keep(&NEXT, &detail, file)?;
    let [p50, p99] = micros;
    let (recipe, habits) = (follow.recipe, follow.habits);
    ui.finish(
        &json!({
            "p@20": test.hits_20,
            "mrr@20": test.mrr_20,
            "hr@10": test.hits_10,
            "ndcg@10": test.ndcg_10,
            "bytes_per_item": bytes_per_item,
            "p50_us": p50,
            "p99_us": p99,
            "queries": test.queries,
            "tracks": tracks,
            "valid_p@20": valid.map(|valid| valid.hits_20),
            "valid_mrr@20": valid.map(|valid| valid.mrr_20),
            "valid_hr@10": valid.map(|valid| valid.hits_10),
            "valid_ndcg@10": valid.map(|valid| valid.ndcg_10),
            "taste": taste.map(|(settings, beside)| json!({
                "method": settings.method.name(),
                "settings": settings_json(&settings),
                "neighbours": beside.map(|beside| beside_json(&beside)),
            })),
            "pairs_each": follow.pairs_each,
            "weight": follow.scale,
            "window": recipe.window,
            "gap": recipe.gap,
            "back": recipe.back,
            "powers": [recipe.met, recipe.recommended],
            "recency": habits.recency,
            "agreement": habits.agreement,
            "again": habits.again,
            "stay": habits.stay,
            "back_to": habits.back,
            "intervals": intervals(&NEXT, &detail),
            "slices": slices(&NEXT, &detail),
        }),
        &format!(
            "{}\n\
             {}, {}, {bytes_per_item:.1} bytes a track; {p50:.0} µs a query (p99 {p99:.0}){}\n\
             taste: {}\n\n\
             {}",
            figures_lines(&NEXT, &detail),
            counted(test.queries, "query"),
            counted(tracks, "track"),
            if valid.is_some() { "" } else { UNCHOSEN },
            taste.map_or_else(
                || "tells nothing that what follows what does not".to_owned(),
                |(settings, _)| chosen_text(&settings)
            ),
            table(&NEXT, &detail),
        ),
    )
}
