//! What coding costs on a log: recall, NDCG and bytes of f32, int8 and wire factors.
//!
//! `cargo run --release -p segue-train --example precisions -- LOG [LISTENERS]`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is what it is for")]

use std::{env, process::ExitCode};

use segue_train::{
    TrainError, dataset,
    evaluate::scale::evaluate,
    log::Options as LogOptions,
    pipeline::Options,
    progress::{Progress, Report},
    search::Effort,
};

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (Some(log), listeners) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: precisions LOG [LISTENERS]");
        return ExitCode::from(2);
    };
    let listeners = listeners.and_then(|count| count.parse().ok()).unwrap_or(2000);
    match run(log.as_ref(), listeners) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("precisions: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(log: &std::path::Path, listeners: usize) -> Result<(), TrainError> {
    let report = |report: Report<'_>| {
        if report.step == 0 {
            eprintln!("{}", report.stage);
        }
    };
    let progress = Progress { report: &report, ..Progress::silent() };
    let read = dataset::read(&[log], None, &LogOptions::default(), &progress)?;
    let options = Options {
        dim: 64,
        clusters: None,
        seed: 1,
        effort: Effort::QUICK,
        head: None,
        after: None,
    };
    println!("{} events on {} tracks", read.dataset.len(), read.dataset.tracks.len());
    println!("factors  recall@10  ndcg@10  recall@20  ndcg@20  beyond head  bytes a track");
    for outcome in evaluate(&read.dataset, &options, listeners, &progress)? {
        let a = outcome.accuracy;
        println!(
            "{:<7}{:>11.4}{:>9.4}{:>11.4}{:>9.4}{:>13}{:>15.2}   {} listeners",
            format!("{:?}", outcome.precision).to_lowercase(),
            a.recall_10,
            a.ndcg_10,
            a.recall_20,
            a.ndcg_20,
            beyond(outcome.beyond_head),
            outcome.bytes_per_item,
            a.listeners,
        );
    }
    Ok(())
}

fn beyond(share: f64) -> String {
    if share.is_nan() { "–".into() } else { format!("{share:.4}") }
}
