//! How far off each estimate of `segue evaluate replay` is, over simulated logs of which the truth is known.
//!
//! `cargo run --release -p segue-tests --example replay -- LOGS`
//!
//! A line a log goes to standard error. The truth is of the very impressions of a log, so that an interval over
//! listeners, which also says what other listeners would have been like, is to hold it rather too often.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is what it is for")]

mod truth;

use std::error::Error;

use segue_sim::Config;
use segue_train::{
    evaluate::replay::{How, Target, estimates::Estimate, replay_held_out},
    pipeline::Options,
    progress::Progress,
    search::Effort,
};
use truth::explored;

const NAMES: [&str; 5] = ["log", "ips", "snips", "direct", "doubly_robust"];

const POLICIES: [(&str, Target); 2] =
    [("best candidate", Target::Greedy), ("softmax at 0.3", Target::Softmax(0.3))];

/// What one estimate of one log came to.
struct Seen {
    error: f64,
    holds: bool,
    half: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let logs: u64 = std::env::args().nth(1).unwrap_or_else(|| "20".into()).parse()?;
    for (policy, target) in POLICIES {
        let seen = (1..=logs).map(|seed| seen(policy, target, seed));
        let seen: Vec<[Seen; NAMES.len()]> = seen.collect::<Result<_, _>>()?;
        println!("{policy}, {logs} logs");
        println!("{:<15}{:>9}{:>9}{:>10}{:>9}", "", "bias", "rmse", "coverage", "±");
        for (at, name) in NAMES.into_iter().enumerate() {
            let mean = |of: fn(&Seen) -> f64| {
                seen.iter().map(|each| of(&each[at])).sum::<f64>() / seen.len() as f64
            };
            println!(
                "{name:<15}{:>+9.4}{:>9.4}{:>10.2}{:>9.4}",
                mean(|seen| seen.error),
                mean(|seen| seen.error.powi(2)).sqrt(),
                mean(|seen| f64::from(u8::from(seen.holds))),
                mean(|seen| seen.half),
            );
        }
    }
    Ok(())
}

/// Estimates from the log of one seed, as `segue evaluate replay` does it without a model.
fn seen(policy: &str, target: Target, seed: u64) -> Result<[Seen; NAMES.len()], Box<dyn Error>> {
    let log =
        explored(&Config { listeners: 400, tracks: 600, days: 20, seed, ..Config::default() });
    let effort = Effort::QUICK;
    let options = Options { dim: 16, clusters: None, seed, effort, head: None, after: None };
    let how = How { target, clip: None, seed };
    let found = replay_held_out(&log.reading, &options, &how, &Progress::silent())?;
    let (truth, it) = (log.value(&found), &found.estimates);
    eprintln!(
        "{policy}, log {seed}: {} impressions, {:.0} effective, agreement {:.3}, largest weight {:.1}, by {:?}: \
         truth {truth:.4}, log {:.4}, doubly robust {:.4}",
        found.judged.len(),
        it.effective,
        it.agreement,
        it.largest,
        found.foretold,
        it.log.value,
        it.robust.value,
    );
    Ok([it.log, it.ips, it.snips, it.direct, it.robust].map(|Estimate { value, interval }| Seen {
        error: value - truth,
        holds: (interval[0]..=interval[1]).contains(&truth),
        half: (interval[1] - interval[0]) / 2.0,
    }))
}
