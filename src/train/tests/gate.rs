//! The gate lets through what is not worse, and holds back what is, and what nothing shows not to be.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{io::Write, sync::atomic::AtomicBool};

use segue_core::{model::Model, rng::SplitMix64};
use segue_train::{
    checkpoints::Checkpoints,
    dataset::{Builder, Dataset},
    gate::HeldOut,
    log,
    pipeline::{Options, train},
    progress::Progress,
    search::Effort,
};

const GROUPS: usize = 6;
const TRACKS: usize = 40;

/// Listeners of some groups, each of whom plays what the group plays; with `scramble`, whatever there is.
fn world(listeners: usize, scramble: bool) -> Dataset {
    let mut rng = SplitMix64::new(7);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "user,track,at").unwrap();
    for listener in 0..listeners {
        for play in 0..30 {
            let group = if scramble { rng.below(GROUPS) } else { listener % GROUPS };
            let track = TRACKS * group + rng.below(TRACKS);
            writeln!(file, "u{listener},t{track:03},{}", 1_700_000_000 + 3600 * play).unwrap();
        }
    }
    let mut builder = Builder::default();
    builder.read(file.path(), &log::Options::default(), &AtomicBool::new(false)).unwrap();
    builder.finish(Vec::new()).unwrap()
}

fn model(dataset: &Dataset) -> Model {
    let (stop, checkpoints) = (AtomicBool::new(false), Checkpoints::default());
    let progress = Progress { report: &|_| {}, stop: &stop, checkpoints: &checkpoints };
    let options =
        Options { dim: 8, clusters: None, seed: 1, effort: Effort::QUICK, head: None, after: None };
    train(dataset, &options, &progress).unwrap().model
}

/// The last ten plays of half of the listeners.
const HELD: HeldOut = HeldOut { after: 1_700_000_000_000 + 19 * 3_600_000, share: 0.5, seed: 3 };

#[test]
fn what_is_as_good_passes_and_what_is_worse_does_not() {
    let dataset = world(240, false);
    let rest = HELD.rest(&dataset);
    let held = dataset.len() - rest.len();
    assert!((1000..1400).contains(&held), "{held} of 2,400 late plays");
    let (good, bad) = (model(&rest), model(&world(240, true)));

    let verdict = HELD.judge(&dataset, &good, &good, 0.05);
    assert!(verdict.passes() && verdict.difference == 0.0, "{verdict:?}");
    let verdict = HELD.judge(&dataset, &good, &bad, 0.05);
    assert!(!verdict.passes() && verdict.interval[1] < 0.0, "{verdict:?}");
    assert!(verdict.in_force > 2.0 * verdict.new, "{verdict:?}");
    let verdict = HELD.judge(&dataset, &bad, &good, 0.05);
    assert!(verdict.passes() && verdict.interval[0] > 0.0, "{verdict:?}");
}

#[test]
fn where_too_little_is_held_out_nothing_passes() {
    let dataset = world(12, false);
    let good = model(&dataset);
    let none = HeldOut { after: i64::MAX, ..HELD };
    assert_eq!(none.rest(&dataset).len(), dataset.len());
    let verdict = none.judge(&dataset, &good, &good, 1.0);
    assert!(verdict.listeners == 0 && !verdict.passes(), "{verdict:?}");
}

#[test]
fn who_is_drawn_hangs_on_the_seed_alone() {
    let dataset = world(240, false);
    let left = |seed| HeldOut { seed, ..HELD }.rest(&dataset).events().to_vec();
    assert_eq!(left(1), left(1));
    assert_ne!(left(1), left(2));
}
