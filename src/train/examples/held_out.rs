//! What is not told by the fixed protocols, on the latest fifth of each listener's events of a log.
//!
//! `cargo run --release -p segue-train --example held_out -- precisions LOG [LISTENERS]`: what coding costs,
//! recall, NDCG and bytes of f32, int8 and wire factors.
//!
//! `… -- warm LOG [SHARE]`: what training that goes on from an earlier model reaches, epoch by epoch, beside
//! training anew; SHARE of each listener's events are unknown to the earlier model, .03 where it is not given.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is what it is for")]

use std::{env, process::ExitCode};

use segue_train::{
    TrainError,
    dataset::{self, Dataset},
    evaluate::{ranking::Accuracy, scale, warm},
    log::Options as LogOptions,
    pipeline::Options,
    progress::{Progress, Report},
    search::Effort,
};

const OPTIONS: Options<'_> =
    Options { dim: 64, clusters: None, seed: 1, effort: Effort::QUICK, head: None, after: None };

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let of = |at: usize| arguments.get(at).map(String::as_str);
    let number = |default: f64| of(2).map_or(Some(default), |text| text.parse().ok());
    let found = match (of(0), of(1)) {
        (Some("precisions"), Some(log)) => {
            number(2000.0).map(|most| precisions(log, most as usize))
        }
        (Some("warm"), Some(log)) => number(0.03).map(|share| warm(log, share)),
        _ => None,
    };
    match found {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(error)) => {
            eprintln!("held_out: {error}");
            ExitCode::FAILURE
        }
        None => {
            eprintln!("usage: held_out precisions LOG [LISTENERS] | held_out warm LOG [SHARE]");
            ExitCode::from(2)
        }
    }
}

fn report(report: Report<'_>) {
    if report.step == 0 {
        eprintln!("{}", report.stage);
    }
}

fn read(log: &str, progress: &Progress<'_>) -> Result<Dataset, TrainError> {
    let dataset = dataset::read(&[log], None, &LogOptions::default(), progress)?.dataset;
    println!("{} events on {} tracks", dataset.len(), dataset.tracks.len());
    Ok(dataset)
}

fn precisions(log: &str, listeners: usize) -> Result<(), TrainError> {
    let progress = Progress { report: &report, ..Progress::silent() };
    let dataset = read(log, &progress)?;
    println!("factors  recall@10  ndcg@10  recall@20  ndcg@20  beyond head  bytes a track");
    for outcome in scale::evaluate(&dataset, &OPTIONS, listeners, &progress)? {
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

fn warm(log: &str, share: f64) -> Result<(), TrainError> {
    let progress = Progress { report: &report, ..Progress::silent() };
    let outcome = warm::evaluate(&read(log, &progress)?, &OPTIONS, share, &progress)?;
    let shown = |a: &Accuracy| format!("{:.4} {:.4} {:.4}", a.recall_10, a.ndcg_10, a.ndcg_20);
    println!("the earlier model: {}", shown(&outcome.earlier));
    println!("epoch  anew: recall@10, ndcg@10, ndcg@20   warm");
    for (epoch, (anew, warm)) in outcome.anew.iter().zip(&outcome.warm).enumerate() {
        println!("{:>5}  {}   {}", epoch + 1, shown(anew), shown(warm));
    }
    Ok(())
}
