//! Choosing on held-out listening: what made no model, and being stopped.
#![allow(clippy::unwrap_used, reason = "what tests are made of may fail them")]

use std::{
    cell::RefCell,
    sync::atomic::{AtomicBool, Ordering},
};

use segue_core::{
    event::Kind,
    fold_in::Pull,
    ids::{Row, fingerprint},
    model::{Loss, Responses},
    session::Evidence,
};
use segue_train::{
    als::Trainer,
    assemble::FoldIn,
    evaluate::ranking::Case,
    factors::Method,
    matrix::Matrix,
    progress::{Progress, Report},
    search::{Balance, Effort, Task, carried, density, keeping_up, measured, search, settle},
};

const DIM: usize = 8;
const TRACKS: u32 = 60;
const LOSS: Loss = Loss { unobserved: 0.05, ridge: 0.02, exponent: 1.0 };

/// Everybody hears every third track, and is asked for the one that follows.
struct World {
    fingerprints: Vec<u64>,
    by_user: Matrix,
    by_item: Matrix,
    cases: Vec<Case>,
}

impl World {
    fn new() -> Self {
        let mut fingerprints: Vec<u64> = (0..TRACKS).map(|i| fingerprint(&i.to_string())).collect();
        fingerprints.sort_unstable();
        let heard = |listener: u32| (0..12).map(move |n| listener % 3 + 3 * ((listener + n) % 20));
        let rows = (0..90).map(|listener| {
            let mut rows: Vec<u32> = heard(listener).collect();
            rows.sort_unstable();
            rows.into_iter().map(|row| (row, Pull { weight: 1.0, information: 1.0 }))
        });
        let by_user = Matrix::from_rows(TRACKS as usize, rows);
        let cases = (0..90).map(|listener| Case {
            known: heard(listener).map(|row| played(Row(row))).collect(),
            held_out: vec![Row(listener % 3 + 3 * ((listener + 12) % 20))],
            ..Case::default()
        });
        Self { fingerprints, by_item: by_user.transposed(), by_user, cases: cases.collect() }
    }

    fn task(&self) -> Task<'_> {
        Task {
            fingerprints: &self.fingerprints,
            by_user: &self.by_user,
            by_item: &self.by_item,
            tracks: TRACKS as usize,
            validation: &self.cases,
            responses: Responses::default(),
            dim: DIM,
            seed: 1,
            head: None,
            effort: Effort::QUICK,
        }
    }

    fn trainer(&self) -> Trainer<'_> {
        let mut trainer = Trainer::new(&self.by_user, &self.by_item, DIM, 1);
        (0..6).for_each(|_| trainer.epoch(&LOSS, &|| false));
        trainer
    }
}

fn played(row: Row) -> Evidence {
    let mut evidence = Evidence::new(row);
    evidence.add(Kind::Play, 1.0);
    evidence
}

#[test]
fn what_made_no_model_is_worse_than_what_made_one() {
    let world = World::new();
    let (task, mut trainer) = (world.task(), world.trainer());
    let fold_in = FoldIn { loss: LOSS, pull: 0.001, responses: Responses::default() };
    let sound = measured(&task, &trainer.factors, fold_in);
    assert!(sound.accuracy.recall_10 > 0.3, "{:?}", sound.accuracy);
    trainer.factors.users.fill(f32::NAN);
    let none = measured(&task, &trainer.factors, fold_in);
    assert_eq!(none.accuracy.listeners, 0);
    assert!(none.is_worse_than(&sound));
    assert!(!sound.is_worse_than(&none) && !sound.is_worse_than(&sound));
}

#[test]
fn settling_that_is_asked_to_stop_stops() {
    let world = World::new();
    let (task, mut trainer) = (world.task(), world.trainer());
    let stop = AtomicBool::new(false);
    let report = |_: Report<'_>| stop.store(true, Ordering::Relaxed);
    let progress = Progress { report: &report, stop: &stop, ..Progress::silent() };
    assert!(settle(&task, &mut trainer, &LOSS, task.responses, &progress).is_err());
}

/// Every listener hears `each` of `tracks` tracks.
fn pairs(listeners: u32, tracks: u32, each: u32) -> Matrix {
    let seen = Pull { weight: 1.0, information: 1.0 };
    let rows = (0..listeners).map(|listener| {
        let mut rows: Vec<u32> = (0..each).map(|n| (listener * 7 + n) % tracks).collect();
        rows.sort_unstable();
        rows.into_iter().map(move |row| (row, seen))
    });
    Matrix::from_rows(tracks as usize, rows)
}

#[test]
fn a_loss_keeps_its_balance_from_a_sample_to_the_log() {
    let (sample, log) = (pairs(40, 60, 12), pairs(400, 600, 12));
    let balance = Balance { unobserved: 30.0, ridge: 0.3 };
    let (small, large) = (balance.loss(&sample), balance.loss(&log));
    let unobserved = |loss: &Loss, tracks: f32| loss.unobserved * tracks / 12.0;
    assert!((unobserved(&small, 60.0) - 30.0).abs() < 1e-3, "{small:?}");
    assert!((unobserved(&large, 600.0) - 30.0).abs() < 1e-3, "{large:?}");
    // What the balance calls its ridge is that of a row over its observations.
    assert!((large.ridge(12.0, 600.0) / 12.0 - 0.3).abs() < 1e-3, "{large:?}");
    let moved = carried(&small, density(&sample), density(&log));
    assert!((moved.unobserved / large.unobserved - 1.0).abs() < 1e-5, "{moved:?} {large:?}");
    assert!((moved.ridge - large.ridge).abs() < 1e-9, "{moved:?} {large:?}");
}

#[test]
fn a_loss_of_pairs_that_do_not_exist_is_carried_as_it_is() {
    let none = Matrix::from_rows(0, std::iter::empty::<Vec<_>>());
    assert_eq!(carried(&LOSS, density(&none), density(&pairs(4, 6, 2))), LOSS);
}

#[test]
fn what_is_carried_weighs_what_was_not_observed_no_more_than_what_was() {
    let most = Loss { unobserved: 1.0, ..LOSS };
    assert_eq!(carried(&most, 0.1, 0.125), most);
}

#[test]
fn a_sample_grows_with_the_log_within_bounds() {
    let (least, most) = (Effort::QUICK.sample(10), Effort::QUICK.sample(usize::MAX));
    assert!(least > 10, "small logs are searched whole");
    assert_eq!(Effort::QUICK.sample(10 * (least + 1)), least + 1);
    assert!(most < usize::MAX / 10);
    assert_eq!(Effort::FULL.sample(12_345_678), 12_345_678);
}

#[test]
fn what_was_not_observed_never_weighs_more_than_what_was() {
    let world = World::new();
    let found = search(&world.task(), &Progress::silent()).unwrap();
    let als = found.tried.iter().find(|attempts| attempts.best.method == Method::Als).unwrap();
    assert!(als.best.loss.unobserved <= 1.0, "{als:?}");
    let tried: usize = found.tried.iter().map(|attempts| attempts.count).sum();
    assert!(tried >= 12, "{tried}");
}

/// What is found of cases that are worth what `of` says, and which of them were measured.
fn raced(best: &[f64], of: impl Fn(usize) -> f64) -> (Option<Vec<f64>>, Vec<usize>) {
    let measured = RefCell::new(Vec::new());
    let measure = |cases: std::ops::Range<usize>| {
        measured.borrow_mut().extend(cases.clone());
        cases.map(&of).collect()
    };
    let found = keeping_up(best, best.len(), measure, |worth: &f64| *worth);
    (found, measured.into_inner())
}

/// Some luck, the same for every contender.
fn luck(case: usize) -> f64 {
    (case * 37 % 101) as f64 / 101.0
}

#[test]
fn what_keeps_up_is_measured_on_every_case_once_and_in_order() {
    let best: Vec<f64> = (0..4000).map(luck).collect();
    for better in [0.0, 0.1] {
        let (found, measured) = raced(&best, |case| luck(case) + better);
        assert_eq!(measured, (0..4000).collect::<Vec<_>>());
        assert!(found.unwrap().iter().zip(&best).all(|(found, best)| *found == best + better));
    }
}

#[test]
fn what_falls_behind_is_given_up_after_a_part_of_the_cases() {
    let best: Vec<f64> = (0..4000).map(luck).collect();
    let (found, measured) = raced(&best, |case| luck(case + 1) - 0.2);
    assert_eq!((found, measured.len()), (None, 500));
    // What falls behind later is given up later.
    let late = |case| if case < 500 { luck(case) } else { luck(case) - 0.2 };
    let (found, measured) = raced(&best, late);
    assert_eq!((found, measured.len()), (None, 2000));
}

#[test]
fn nothing_is_given_up_on_a_few_cases() {
    let best: Vec<f64> = (0..300).map(luck).collect();
    let (found, measured) = raced(&best, |_| 0.0);
    assert_eq!((found.map(|found| found.len()), measured.len()), (Some(300), 300));
    let (found, measured) = raced(&[], |_| 0.0);
    assert_eq!((found, measured), (Some(Vec::new()), Vec::new()));
}
