//! What `segue evaluate replay` estimates of a policy is what is true of it, on simulated listeners.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "replay/truth.rs"]
mod truth;

use segue_core::model::Model;
use segue_sim::{Config, World};
use segue_train::{
    evaluate::replay::{How, Target, estimates::Estimate, replay},
    pipeline::{Options, train},
    progress::Progress,
    search::Effort,
};
use truth::{explored, read};

fn model(config: &Config) -> Model {
    let dataset = read(World::new(config).unwrap().events()).dataset;
    let effort = Effort::QUICK;
    let options = Options { dim: 8, clusters: None, seed: 1, effort, head: None, after: None };
    train(&dataset, &options, &Progress::silent()).unwrap().model
}

fn holds(estimate: Estimate, value: f64) -> bool {
    (estimate.interval[0]..=estimate.interval[1]).contains(&value)
}

#[test]
fn intervals_hold_what_is_true_of_a_policy_and_that_of_the_mean_of_the_log_does_not() {
    let config = Config { listeners: 150, tracks: 120, days: 20, ..Config::default() };
    let (model, log) = (model(&config), explored(&config));
    for target in [Target::Greedy, Target::Softmax(0.2)] {
        let how = How { target, clip: None, seed: 1 };
        let found = replay(&model, &log.reading, &how, &Progress::silent()).unwrap();
        let (truth, it) = (log.value(&found), &found.estimates);
        for estimate in [it.ips, it.snips, it.robust] {
            assert!(holds(estimate, truth), "{target:?}: {truth} is not in {estimate:?}");
        }
        assert!(!holds(it.log, truth), "{target:?}: {truth} is in {:?}", it.log);
        assert!(it.log.value < truth && it.gain.interval[0] > 0.0, "{target:?}: {it:?}");
        assert!(found.judged.len() > 10_000 && found.unanswered < 100, "{}", found.unanswered);
    }
}
