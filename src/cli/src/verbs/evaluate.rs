//! `segue evaluate …`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use segue_train::{
    evaluate::split::{Chosen, Outcome, Precision, Split, evaluate},
    neighbours::Recipe,
    progress::Progress,
};
use serde_json::json;

use crate::{
    failure::Done,
    ui::{STOP, Ui, counted},
};

/// Measure accuracy by a fixed protocol.
#[derive(Subcommand)]
#[command(after_help = "Example:\n  segue evaluate split --train train.txt --test test.txt")]
pub enum Protocol {
    Split(SplitArguments),
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
