//! What is learned of events, and what is said to have been.
#![allow(clippy::unwrap_used, reason = "what tests are made of may fail them")]

use std::fmt::Write;

use segue_core::{
    event::Kind,
    model::{Loss, Responses},
    rng::SplitMix64,
};
use segue_train::{
    als::{Factors, Trainer},
    assemble::FoldIn,
    coding::fine,
    dataset::{self, Dataset, gather},
    log,
    progress::Progress,
    responses::{Judge, Learned, Story, learn},
};

const DIM: usize = 8;
const LOSS: Loss = Loss { unobserved: 0.05, ridge: 0.02, exponent: 1.0 };

/// Listeners of two tastes who skip most of what they hear, their own taste a little less; at the
/// end they skip by taste alone. Some of what they finish they like.
fn skippers() -> Dataset {
    let mut rng = SplitMix64::new(5);
    let mut log = String::from("user,track,at,kind\n");
    for listener in 0..150_usize {
        for at in 1..=40 {
            let track = rng.below(200);
            let own = track % 2 == listener % 2;
            let finished = if at > 32 { own } else { rng.below(if own { 3 } else { 9 }) == 0 };
            let kind = if finished { "play" } else { "skip" };
            writeln!(log, "u{listener},t{track},{at},{kind}").unwrap();
            if finished && track.is_multiple_of(3) {
                writeln!(log, "u{listener},t{track},{at},like").unwrap();
            }
        }
    }
    let file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    std::fs::write(file.path(), log).unwrap();
    let (options, progress) = (log::Options::default(), Progress::silent());
    dataset::read(&[file.path()], None, &options, &progress).unwrap().dataset
}

fn factors(dataset: &Dataset) -> Factors {
    let before = |listener| dataset.split_by_time(listener).0;
    let by_user = dataset.matrix_of(before, &Responses::default());
    let by_item = by_user.transposed();
    let mut trainer = Trainer::new(&by_user, &by_item, DIM, 1);
    (0..16).for_each(|_| trainer.epoch(&LOSS, &|| false));
    trainer.factors
}

fn learned(dataset: &Dataset, may_be: impl Fn(&Responses) -> bool) -> Learned {
    let coded = &fine(&factors(dataset));
    let fold_in = FoldIn { loss: LOSS, pull: 0.001, responses: Responses::default() };
    let judge = Judge { fingerprints: &dataset.fingerprints, coded, fold_in };
    let story = |listener| {
        let (before, next) = dataset.split_by_time(listener);
        Story { known: gather(before), next }
    };
    let stories = (0..dataset.listeners()).map(story);
    learn(&judge, stories, may_be, &Progress::silent()).unwrap()
}

#[test]
fn where_nothing_is_accepted_the_definitions_are_what_was_learned() {
    let dataset = skippers();
    let nothing = learned(&dataset, |_| false);
    assert_eq!(nothing.responses, Responses::default());
    assert_eq!(nothing.auc_learned, nothing.auc_defined);
    assert!(nothing.auc_defined.is_some() && nothing.listeners > 0);
}

#[test]
fn only_what_was_accepted_is_said_to_be_learned() {
    let dataset = skippers();
    let defined = Responses::default();
    let only_skips = |trial: &Responses| {
        Kind::ALL.into_iter().all(|kind| {
            let (tried, meant) = (trial.of(kind), defined.of(kind));
            kind == Kind::Skip || (tried.weight, tried.target) == (meant.weight, meant.target)
        }) && trial.saturation == defined.saturation
    };
    let learned = learned(&dataset, only_skips);
    let stamped: Vec<Kind> =
        Kind::ALL.into_iter().filter(|&kind| learned.responses.of(kind).learned_from > 0).collect();
    assert_eq!(stamped, [Kind::Skip], "{learned:?}");
    let held_out = |kind| {
        let next = (0..dataset.listeners()).flat_map(|listener| dataset.split_by_time(listener).1);
        next.filter(|event| event.kind == kind).count()
    };
    assert_eq!(learned.responses.of(Kind::Skip).learned_from as usize, held_out(Kind::Skip));
    assert!(held_out(Kind::Like) >= 100, "enough to try, and none accepted");
    assert!(learned.auc_learned > learned.auc_defined, "{learned:?}");
}
