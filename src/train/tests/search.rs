//! Choosing on held-out listening: what made no model, and being stopped.
#![allow(clippy::unwrap_used, reason = "what tests are made of may fail them")]

use std::sync::atomic::{AtomicBool, Ordering};

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
    matrix::Matrix,
    progress::{Progress, Report},
    search::{Effort, Task, measured, settle},
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
            validation: &self.cases,
            responses: Responses::default(),
            dim: DIM,
            seed: 1,
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
    let progress = Progress { report: &report, stop: &stop };
    assert!(settle(&task, &mut trainer, &LOSS, task.responses, &progress).is_err());
}
