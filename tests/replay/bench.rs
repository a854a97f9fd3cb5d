//! How far off each estimate of `segue evaluate replay` is, over simulated worlds of which the truth is known.
//!
//! `cargo run --release -p segue-tests --example replay -- WORLDS`
//!
//! Each world writes a plain log, on which a model is trained, and one that explores, which is replayed whole. A line a
//! world goes to standard error. The truth is of the very impressions of a log, so that an interval over listeners,
//! which also says what other listeners would have been like, is to hold it rather too often.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is what it is for")]

mod truth;

use std::error::Error;

use segue_sim::{Config, World};
use segue_train::{
    evaluate::replay::{How, Outcome, Target, estimates::Estimate, replay},
    pipeline::{Options, train},
    progress::Progress,
    search::Effort,
};
use truth::{explored, read};

const NAMES: [&str; 5] = ["log", "ips", "snips", "direct", "doubly_robust"];

const POLICIES: [(&str, Target); 2] =
    [("best candidate", Target::Greedy), ("softmax at 0.3", Target::Softmax(0.3))];

/// What one estimate of one log came to.
struct Seen {
    error: f64,
    holds: bool,
    half: f64,
}

/// Of each policy, each estimate.
type OfWorld = [[Seen; NAMES.len()]; POLICIES.len()];

fn main() -> Result<(), Box<dyn Error>> {
    let worlds: u64 = std::env::args().nth(1).unwrap_or_else(|| "20".into()).parse()?;
    let seen: Vec<OfWorld> = (1..=worlds).map(of_world).collect::<Result<_, _>>()?;
    for (policy, (name, _)) in POLICIES.iter().enumerate() {
        println!("{name}, {worlds} worlds");
        println!("{:<15}{:>9}{:>9}{:>10}{:>9}", "", "bias", "rmse", "coverage", "±");
        for (estimate, name) in NAMES.into_iter().enumerate() {
            let mean = |of: fn(&Seen) -> f64| {
                seen.iter().map(|each| of(&each[policy][estimate])).sum::<f64>() / seen.len() as f64
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

fn of_world(seed: u64) -> Result<OfWorld, Box<dyn Error>> {
    let config = Config { listeners: 400, tracks: 600, days: 20, seed, ..Config::default() };
    let progress = Progress::silent();
    let effort = Effort::QUICK;
    let options = Options { dim: 16, clusters: None, seed, effort, head: None, after: None };
    let plain = read(World::new(&config)?.events()).dataset;
    let model = train(&plain, &options, &progress)?.model;
    let log = explored(&config);
    let of = |target| -> Result<_, Box<dyn Error>> {
        let found = replay(&model, &log.reading, &How { target, clip: None, seed }, &progress)?;
        let truth = log.value(&found);
        eprintln!("world {seed}: {}", told(&found, truth));
        Ok(seen(&found, truth))
    };
    Ok([of(POLICIES[0].1)?, of(POLICIES[1].1)?])
}

fn told(found: &Outcome, truth: f64) -> String {
    let it = &found.estimates;
    format!(
        "{} impressions, {:.0} effective, agreement {:.3}, largest weight {:.1}, by {:?}: truth {truth:.4}, \
         log {:.4}, doubly robust {:.4}",
        found.judged.len(),
        it.effective,
        it.agreement,
        it.largest,
        found.foretold,
        it.log.value,
        it.robust.value,
    )
}

fn seen(found: &Outcome, truth: f64) -> [Seen; NAMES.len()] {
    let it = &found.estimates;
    [it.log, it.ips, it.snips, it.direct, it.robust].map(|Estimate { value, interval }| Seen {
        error: value - truth,
        holds: (interval[0]..=interval[1]).contains(&truth),
        half: (interval[1] - interval[0]) / 2.0,
    })
}
