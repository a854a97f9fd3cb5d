//! What training that goes on from an earlier model reaches, epoch by epoch, beside training anew.
//!
//! `cargo run --release -p segue-train --example warm -- LOG [SHARE]`, SHARE of each listener's events
//! unknown to the earlier model, .03 where it is not given.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is what it is for")]

use std::{env, process::ExitCode};

use segue_train::{
    TrainError, dataset,
    evaluate::{ranking::Accuracy, warm},
    log::Options as LogOptions,
    pipeline::Options,
    progress::Progress,
    search::Effort,
};

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (Some(log), share) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: warm LOG [SHARE]");
        return ExitCode::from(2);
    };
    let share = share.and_then(|share| share.parse().ok()).unwrap_or(0.03);
    match run(log.as_ref(), share) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("warm: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(log: &std::path::Path, share: f64) -> Result<(), TrainError> {
    let progress = Progress::silent();
    let read = dataset::read(&[log], None, &LogOptions::default(), &progress)?;
    let options = Options {
        dim: 64,
        clusters: None,
        seed: 1,
        effort: Effort::QUICK,
        head: None,
        after: None,
    };
    let outcome = warm::evaluate(&read.dataset, &options, share, &progress)?;
    let shown = |a: &Accuracy| format!("{:.4} {:.4} {:.4}", a.recall_10, a.ndcg_10, a.ndcg_20);
    println!("the earlier model: {}", shown(&outcome.earlier));
    println!("epoch  anew: recall@10, ndcg@10, ndcg@20   warm");
    for (epoch, (anew, warm)) in outcome.anew.iter().zip(&outcome.warm).enumerate() {
        println!("{:>5}  {}   {}", epoch + 1, shown(anew), shown(warm));
    }
    Ok(())
}
