//! What foretells a yes: learned where there is something to learn, told as it is, and the same every time.
#![allow(clippy::unwrap_used, reason = "what tests are made of may fail them")]

use std::fmt::Write;

use segue_core::{
    model::{Loss, Model, Responses},
    rng::SplitMix64,
    signals::Signal,
};
use segue_train::{
    TrainError,
    als::Trainer,
    assemble::{FoldIn, whole_model},
    coding::{fine, turned},
    dataset::{self, Dataset},
    evaluate::feedback::feedback,
    log,
    pipeline::Options,
    progress::Progress,
    ranker::{
        Ranking, learn,
        rates::{Counts, Shrinkage},
        with_ranker, worth,
    },
    search::{Effort, follows_better},
};

const LOSS: Loss = Loss { unobserved: 0.05, ridge: 0.02, exponent: 1.0 };

/// Listeners of two tastes. Of what is of their own they skip one in `own`, of the rest all but one in five;
/// every tenth track is skipped by everybody.
fn listeners(own: usize) -> Dataset {
    let mut rng = SplitMix64::new(5);
    let mut log = String::from("user,track,artist,at,kind\n");
    for listener in 0..300_usize {
        for at in 1..=50 {
            let track = rng.below(300);
            let is_own = track % 2 == listener % 2;
            let finished = match (track % 10, is_own) {
                (0, _) => false,
                (_, true) => rng.below(own) > 0,
                (_, false) => rng.below(5) == 0,
            };
            let kind = if finished { "play" } else { "skip" };
            writeln!(log, "u{listener},t{track},a{},{at},{kind}", track % 30).unwrap();
        }
    }
    read(&log)
}

fn read(log: &str) -> Dataset {
    let file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    std::fs::write(file.path(), log).unwrap();
    let (options, progress) = (log::Options::default(), Progress::silent());
    dataset::read(&[file.path()], None, &options, &progress).unwrap().dataset
}

fn base(dataset: &Dataset) -> Model {
    let before = |listener| dataset.split_by_time(listener).0;
    let by_user = dataset.matrix_of(before, &Responses::default());
    let by_item = by_user.transposed();
    let mut trainer = Trainer::new(&by_user, &by_item, 16, 1);
    (0..16).for_each(|_| trainer.epoch(&LOSS, &|| false));
    let fold_in = FoldIn { loss: LOSS, pull: 0.001, responses: Responses::default() };
    let coded = fine(&turned(&trainer.factors).unwrap());
    whole_model(&dataset.fingerprints, &coded, &fold_in, None).unwrap()
}

fn learned(dataset: &Dataset) -> Option<Ranking> {
    learn(dataset, &base(dataset), 1, &Progress::silent()).unwrap()
}

#[test]
fn what_everybody_skips_and_what_a_listener_skips_is_foretold() {
    let ranking = learned(&listeners(5)).unwrap();
    assert!(ranking.ships);
    assert!(ranking.odds.auc > 0.8 && ranking.odds.auc > ranking.odds.auc_of_taste, "{ranking:?}");
    // Without what all say, nothing tells the tracks that everybody skips.
    for told in [&ranking.odds, &ranking.order] {
        let without = told.without.iter().find(|(of, _)| *of == Signal::Rate).unwrap().1;
        assert!(without < told.auc - 0.02, "{ranking:?}");
    }
    assert!(ranking.calibration_error() < 0.05, "{ranking:?}");
    let foretold: Vec<f64> = ranking.reliability.iter().map(|bin| bin.foretold).collect();
    assert!(foretold.is_sorted() && foretold.iter().all(|p| (0.0..=1.0).contains(p)));
    let verdicts: usize = ranking.reliability.iter().map(|bin| bin.verdicts).sum();
    assert_eq!(verdicts as u32, ranking.parts.recipe.learned_from[1]);
}

#[test]
fn where_skips_follow_nothing_no_ranker_ships() {
    let mut rng = SplitMix64::new(2);
    let mut log = String::from("user,track,at,kind\n");
    for listener in 0..100 {
        for at in 1..=40 {
            let kind = if rng.below(2) == 0 { "play" } else { "skip" };
            writeln!(log, "u{listener},t{},{at},{kind}", rng.below(200)).unwrap();
        }
    }
    let ranking = learned(&read(&log)).unwrap();
    assert!(!ranking.ships && (ranking.odds.auc - 0.5).abs() < 0.05, "{ranking:?}");
}

#[test]
fn where_nobody_skips_there_is_nothing_to_learn() {
    let dataset = listeners(5).filtered(|event| !event.kind.is_refusal());
    assert!(learned(&dataset).is_none());
}

#[test]
fn what_is_learned_does_not_depend_on_the_number_of_threads() {
    let dataset = listeners(4);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| learned(&dataset).unwrap())
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn an_order_by_what_everybody_hears_tells_the_next_track_worse_than_taste() {
    let dataset = listeners(5);
    let base = base(&dataset);
    let before = |listener| dataset.split_by_time(listener).0;
    let counts = Counts::of(&dataset, &worth(), before);
    let rates = counts.rates(counts.shrinkage());
    let ordered_by = |signal: Signal, weight: f32| {
        let mut parts = learned(&dataset).unwrap().parts;
        parts.order.fill(0.0);
        parts.order[signal as usize] = weight;
        with_ranker(&base, &rates, &parts).unwrap()
    };
    let better = |other: &Model| follows_better(&dataset, &base, other, 1);
    assert_eq!(better(&base), 0.0);
    assert_eq!(better(&ordered_by(Signal::Taste, 1.0)), 0.0);
    assert!(better(&ordered_by(Signal::Taste, -1.0)) < -2.0);
}

#[test]
fn how_far_rates_are_shrunk_is_told_by_what_was_said() {
    // Where all tracks of an artist are alike much is behind each of them; where they are not, little.
    let said = |alike: bool| {
        let mut log = String::from("user,track,artist,at,kind\n");
        let mut rng = SplitMix64::new(3);
        for at in 0..6000_usize {
            let (artist, track) = (at % 20, at / 20 % 15);
            let of = if alike { artist } else { artist * 15 + track * 7 };
            let yes = rng.below(10) < if of % 2 == 0 { 8 } else { 2 };
            let kind = if yes { "play" } else { "skip" };
            writeln!(log, "u{at},t{artist}-{track},a{artist},{at},{kind}").unwrap();
        }
        let dataset = read(&log);
        Counts::of(&dataset, &worth(), |listener| dataset.of(listener)).shrinkage()
    };
    assert!(said(true).artist > 3.0 * said(false).artist, "{:?} {:?}", said(true), said(false));
}

#[test]
fn rates_are_shrunk_towards_those_of_the_artist_and_of_all() {
    // Track `one` of artist `good` has one skip, `other` of the same nine plays; `bad` is skipped throughout.
    let mut log = String::from("user,track,artist,at,kind\nu0,one,good,1,skip\n");
    for listener in 0..9 {
        writeln!(log, "v{listener},other,good,1,play\nv{listener},third,bad,2,skip").unwrap();
    }
    writeln!(log, "u0,fourth,bad,3,play\nu0,lone,,4,search").unwrap();
    let dataset = read(&log);
    let counts = Counts::of(&dataset, &worth(), |listener| dataset.of(listener));
    let row = |track: &str| dataset.tracks.iter().position(|t| t.track == track).unwrap();
    let by = Shrinkage { artist: 5.0, all: 5.0 };
    let share = |track| counts.share(row(track), by);
    assert!(share("other") > share("one") && share("one") > share("third"));
    // One play beside five verdicts of an artist whom nearly all skip.
    assert!(share("fourth") < 0.5 && share("fourth") > share("third"));
    // Of which nobody said anything: 10 of 20 said yes.
    assert!((share("lone") - 0.5).abs() < 1e-9);
    let none = Shrinkage { artist: 0.0, all: 0.0 };
    assert_eq!(counts.share(row("one"), none), 0.0);
    assert!(counts.rates(none).iter().all(|rate| rate.log_odds.is_finite()));
}

fn options() -> Options<'static> {
    Options { dim: 16, clusters: None, seed: 1, effort: Effort::QUICK, head: None, after: None }
}

#[test]
fn feedback_is_measured_with_and_without_skips() {
    let outcome = feedback(&listeners(4), &options(), &Progress::silent()).unwrap();
    let [with, without] = outcome.auc;
    assert!(with > 0.75 && with > without + 0.02, "{outcome:?}");
    assert!(outcome.by_plays && outcome.listeners > 100);
    let [[low, high], .., [gain, _]] = outcome.intervals;
    assert!(low < with && with < high && gain > 0.0, "{outcome:?}");
    assert!(outcome.ranking.unwrap().ships);
}

#[test]
fn where_nobody_both_likes_and_skips_there_is_nothing_to_measure() {
    let dataset = listeners(4).filtered(|event| !event.kind.is_refusal());
    let refused = feedback(&dataset, &options(), &Progress::silent());
    assert!(matches!(refused, Err(TrainError::NoVerdicts)), "{refused:?}");
}
