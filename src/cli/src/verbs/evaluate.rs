//! `segue evaluate …`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use segue_train::{
    evaluate::next::{Next, NextOutcome, evaluate_next},
    evaluate::split::{Chosen, Outcome, Precision, Split, evaluate},
    neighbours::Recipe,
    progress::Progress,
};
use serde_json::json;

use crate::{
    failure::Done,
    ui::{STOP, Ui, counted, grouped},
};

/// Measure accuracy by a fixed protocol.
#[derive(Subcommand)]
#[command(after_help = "Example:\n  segue evaluate split --train train.txt --test test.txt")]
pub enum Protocol {
    Split(SplitArguments),
    Next(NextArguments),
}

/// Recall and NDCG on a fixed split of `user item item …` files.
///
/// Fits on TRAIN, chooses settings on VALID (or on a part of TRAIN held out), masks only TRAIN,
/// ranks every item, and reports on TEST once. Every listener is folded in from TRAIN by the
/// engine that ships.
#[derive(Args)]
#[command(after_help = "Example:\n  segue evaluate split --train train.txt --valid valid.txt \
                        --test test.txt --json")]
pub struct SplitArguments {
    /// What to fit on.
    #[arg(long)]
    train: PathBuf,
    /// What to choose settings on.
    #[arg(long)]
    valid: Option<PathBuf>,
    /// What to report on.
    #[arg(long)]
    test: PathBuf,
    /// Components of a factor.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=256))]
    dim: u16,
    /// Which form of the factors ranks.
    #[arg(long, value_enum, default_value = "wire")]
    precision: PrecisionName,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Which track comes next in a sitting.
///
/// TRAIN has one sitting a line, `item item …`; TEST has `item item …`, a tab, and the item that came
/// next. Chooses settings on a part of TRAIN held out; ranks every item of TRAIN, tracks of the sitting
/// too, because listeners do repeat.
#[derive(Args)]
#[command(
    after_help = "Example:\n  segue evaluate next --train sittings.txt --test next.txt --json"
)]
pub struct NextArguments {
    /// What to fit on.
    #[arg(long)]
    train: PathBuf,
    /// What to report on.
    #[arg(long)]
    test: PathBuf,
    /// Leave out the tracks of the sitting so far.
    #[arg(long)]
    mask: bool,
    /// Leave out of the model what follows what in fewer sittings than this.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    support: u32,
    /// Components of a factor.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=256))]
    dim: u16,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

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
        Protocol::Split(arguments) => split(arguments, ui),
        Protocol::Next(arguments) => next(arguments, ui),
    }
}

fn split(arguments: &SplitArguments, ui: &Ui) -> Done {
    ui.heed_interrupt()?;
    let report = |report: segue_train::progress::Report<'_>| ui.report(report);
    let progress = Progress { report: &report, stop: &STOP };
    let split = Split {
        train: &arguments.train,
        valid: arguments.valid.as_deref(),
        test: &arguments.test,
        dim: arguments.dim.into(),
        precision: match arguments.precision {
            PrecisionName::F32 => Precision::F32,
            PrecisionName::Int8 => Precision::Int8,
            PrecisionName::Wire => Precision::Wire,
        },
        seed: arguments.seed,
    };
    let outcome = evaluate(&split, &progress)?;
    let Outcome { test, chosen, bytes_per_item, tracks } = outcome;
    let Chosen { settings, settled, beside, tried, .. } = chosen;
    let loss = settings.loss;
    let valid = beside.map_or(settled.accuracy, |beside| beside.accuracy);
    let lists = beside.map(|beside| {
        let Recipe { met, recommended, listener } = beside.recipe;
        json!({
            "pairs_each": beside.pairs_each,
            "weight": beside.scale,
            "powers": [met, recommended, listener],
        })
    });
    ui.finish(
        &json!({
            "recall@10": test.recall_10,
            "ndcg@10": test.ndcg_10,
            "recall@20": test.recall_20,
            "ndcg@20": test.ndcg_20,
            "bytes_per_item": bytes_per_item,
            "listeners": test.listeners,
            "tracks": tracks,
            "valid_recall@10": valid.recall_10,
            "valid_ndcg@10": valid.ndcg_10,
            "valid_without_neighbours": [settled.accuracy.recall_10, settled.accuracy.ndcg_10],
            "neighbours": lists,
            "unobserved": loss.unobserved,
            "ridge": loss.ridge,
            "fold_in_ridge": settled.fold_in.loss.ridge,
            "exponent": loss.exponent,
            "epochs": settings.epochs,
            "settings_tried": tried,
        }),
        &format!(
            "recall@10 {:.4}   ndcg@10 {:.4}   recall@20 {:.4}   ndcg@20 {:.4}\n\
             {}, {}, {bytes_per_item:.1} bytes a track\n\
             chosen of {} settings: unobserved weight {:.2e}, ridge {:.2e}, exponent {}, {} epochs",
            test.recall_10,
            test.ndcg_10,
            test.recall_20,
            test.ndcg_20,
            counted(test.listeners, "listener"),
            counted(tracks, "track"),
            tried,
            loss.unobserved,
            loss.ridge,
            loss.exponent,
            settings.epochs,
        ),
    )
}

fn next(arguments: &NextArguments, ui: &Ui) -> Done {
    ui.heed_interrupt()?;
    let report = |report: segue_train::progress::Report<'_>| ui.report(report);
    let progress = Progress { report: &report, stop: &STOP };
    let next = Next {
        train: &arguments.train,
        test: &arguments.test,
        dim: arguments.dim.into(),
        mask: arguments.mask,
        support: arguments.support,
        seed: arguments.seed,
    };
    let NextOutcome { test, valid, follow, taste, bytes_per_item, tracks, micros } =
        evaluate_next(&next, &progress)?;
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
            "valid_p@20": valid.hits_20,
            "valid_mrr@20": valid.mrr_20,
            "valid_hr@10": valid.hits_10,
            "valid_ndcg@10": valid.ndcg_10,
            "taste": taste,
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
        }),
        &format!(
            "p@20 {:.4}   mrr@20 {:.4}   hr@10 {:.4}   ndcg@10 {:.4}\n\
             {} queries, {}, {bytes_per_item:.1} bytes a track; {p50:.0} µs a query, {p99:.0} the 99th of a \
             hundred",
            test.hits_20,
            test.mrr_20,
            test.hits_10,
            test.ndcg_10,
            grouped(test.queries),
            counted(tracks, "track"),
        ),
    )
}
