//! Recommenders in a closed loop with simulated listeners.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{io::Write, sync::LazyLock};

use rayon::prelude::*;
use segue_core::{model::Model, slate::Options};
use segue_sim::{
    Config, World,
    trial::{AFTER, Arm, BEFORE, FIGURES, SITTINGS, Tally, Trial},
};
use segue_train::{
    dataset, log,
    pipeline::{self, train},
    progress::Progress,
    search::Effort,
};
use serde::Serialize;

const PEOPLE: u32 = 60;

static WORLD: LazyLock<(World, Model)> = LazyLock::new(|| {
    let config = Config { listeners: 200, tracks: 800, days: 20, seed: 5, ..Config::default() };
    let world = World::new(&config).unwrap();
    let (events, catalogue) = (written(world.events()), written(world.catalogue()));
    let (options, progress) = (log::Options::default(), Progress::silent());
    let reading = dataset::read(&[events.path()], Some(catalogue.path()), &options, &progress);
    let options = pipeline::Options {
        dim: 16,
        clusters: None,
        seed: 1,
        effort: Effort::QUICK,
        head: None,
        after: None,
    };
    let model = train(&reading.unwrap().dataset, &options, &progress).unwrap().model;
    (world, model)
});

fn written(rows: impl Iterator<Item = impl Serialize>) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".jsonl").tempfile().unwrap();
    rows.for_each(|row| writeln!(file, "{}", serde_json::to_string(&row).unwrap()).unwrap());
    file
}

fn trial(options: Options) -> Trial<'static> {
    let (world, model) = &*WORLD;
    Trial::new(world, model, PEOPLE, options)
}

fn tally(trial: &Trial<'_>, arm: Arm) -> Tally {
    let each: Vec<Tally> =
        (0..trial.people()).into_par_iter().map(|person| trial.run(person, arm)).collect();
    let mut all = Tally::default();
    each.iter().for_each(|one| all.add(one));
    all
}

fn figure(tally: &Tally, name: &str) -> f64 {
    tally.figures()[FIGURES.iter().position(|of| *of == name).unwrap()]
}

#[test]
fn who_knows_all_regrets_nothing_and_a_model_is_skipped_less_than_what_is_popular_or_drawn() {
    let trial = trial(Options::OFF);
    let [random, popular, full, oracle] =
        [Arm::Random, Arm::Popularity, Arm::Full, Arm::Oracle].map(|arm| tally(&trial, arm));
    let (skips, regret) = (|it| figure(it, "skip_rate"), |it| figure(it, "regret"));
    assert_eq!(regret(&oracle), 0.0);
    assert!(skips(&oracle) < skips(&full) - 0.05, "{oracle:?} {full:?}");
    assert!(skips(&full) < skips(&random) - 0.02, "{full:?} {random:?}");
    assert!(skips(&full) < skips(&popular) - 0.02, "{full:?} {popular:?}");
    assert!(regret(&full) < regret(&random) && regret(&full) < regret(&popular));
    for tally in [random, popular, full, oracle] {
        assert_eq!(tally.sittings, SITTINGS * PEOPLE);
        assert!(tally.choices >= tally.sittings && tally.listened_ms > 0);
    }
}

#[test]
fn the_same_listeners_do_the_same_again() {
    let (first, second) = (trial(Options::OFF), trial(Options::OFF));
    for arm in [Arm::Session, Arm::Taste] {
        assert_eq!(tally(&first, arm), tally(&second, arm));
        assert_eq!(first.turn(3, arm), second.turn(3, arm));
    }
}

#[test]
fn choices_of_nothing_choose_as_scores_do_and_others_do_not() {
    let plain = trial(Options::OFF);
    let full = tally(&plain, Arm::Full);
    assert_eq!(tally(&plain, Arm::Chosen), full);
    assert_ne!(tally(&trial(Options { artist_gap: 3, ..Options::OFF }), Arm::Chosen), full);
}

#[test]
fn a_queue_of_who_knows_the_mood_turns_with_it_at_once_and_one_of_chance_never() {
    let trial = trial(Options::OFF);
    let fits = |arm: Arm, places: std::ops::Range<usize>| {
        let each = (0..trial.people()).map(|person| trial.turn(person, arm));
        let means = each.map(|fits| fits[places.clone()].iter().sum::<f64>() / places.len() as f64);
        means.sum::<f64>() / trial.people() as f64
    };
    let (before, after) = (BEFORE - 3..BEFORE, BEFORE..BEFORE + 3);
    assert!(fits(Arm::Oracle, after) > fits(Arm::Oracle, before.clone()) + 0.2);
    let late = BEFORE + AFTER - 5..BEFORE + AFTER;
    assert!((fits(Arm::Random, late) - fits(Arm::Random, before)).abs() < 0.05);
}
