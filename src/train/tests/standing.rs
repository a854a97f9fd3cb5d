//! A flood of made-up listeners moves a track by no more than is said.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{io::Write, sync::atomic::AtomicBool};

use segue_core::{ids::Row, model::Model, rng::SplitMix64};
use segue_train::{
    checkpoints::Checkpoints,
    dataset::{Builder, Dataset, gather},
    evaluate::ranking::{Case, Scorer},
    log,
    pipeline::{Options, train},
    progress::Progress,
    search::Effort,
    standing::{LeftOut, Standing},
};

const GROUPS: usize = 6;
const TRACKS: usize = 40;
const REAL: usize = 240;
/// When the last round was.
const SINCE: i64 = 1_700_000_000_000 + 40 * 3_600_000;

/// Real listeners of some groups, who are there since long ago, and `forged` ones since the last round, each of whom plays
/// one track ten times, and `others` of the real ones once.
fn world(forged: usize, others: usize) -> Dataset {
    let mut rng = SplitMix64::new(7);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "user,track,at").unwrap();
    for listener in 0..REAL {
        for play in 0..30 {
            let track = TRACKS * (listener % GROUPS) + rng.below(TRACKS);
            writeln!(file, "u{listener},t{track:03},{}", 1_700_000_000 + 3600 * play).unwrap();
        }
    }
    for listener in 0..forged {
        for play in 0..10 + others {
            let other = rng.below(GROUPS * TRACKS);
            let track = if play < 10 { "target".to_owned() } else { format!("t{other:03}") };
            let at = SINCE / 1000 + 60 * (1 + play as i64);
            writeln!(file, "forged{listener},{track},{at}").unwrap();
        }
    }
    // Somebody real likes it too, so that it is a track of the catalogue.
    for listener in 0..5 {
        writeln!(file, "u{listener},target,1700100000").unwrap();
    }
    let mut builder = Builder::default();
    builder.read(file.path(), &log::Options::default(), &AtomicBool::new(false)).unwrap();
    builder.finish(Vec::new()).unwrap()
}

/// In what share of the first 20 of real listeners who do not know it the target is.
fn shown(world: &Dataset, standing: Standing) -> (f64, LeftOut) {
    let (counted, left) = standing.of(world, SINCE, 1);
    let (stop, checkpoints) = (AtomicBool::new(false), Checkpoints::default());
    let progress = Progress { report: &|_| {}, stop: &stop, checkpoints: &checkpoints };
    let options =
        Options { dim: 8, clusters: None, seed: 1, effort: Effort::QUICK, head: None, after: None };
    let model: Model = train(&counted, &options, &progress).unwrap().model;
    let target = model.row("target").unwrap();
    let rows: Vec<Option<Row>> = world.tracks.iter().map(|t| model.row(&t.track)).collect();
    let case = |listener: usize| {
        let known = gather(world.of(listener)).into_iter().filter_map(|mut evidence| {
            evidence.row = rows[evidence.row.index()]?;
            Some(evidence)
        });
        Case { known: known.collect(), ..Case::default() }
    };
    let cases: Vec<Case> = (5..REAL).map(case).collect();
    let best = model.top(&cases.iter().collect::<Vec<_>>(), 20);
    let with = best.iter().filter(|best| best.contains(&target)).count();
    (with as f64 / cases.len() as f64, left)
}

const ALL: Standing = Standing { tracks: 0, newcomers: f64::INFINITY };

#[test]
fn listeners_of_one_track_count_for_nothing() {
    let (honest, left) = shown(&world(0, 0), Standing::default());
    assert_eq!(left, LeftOut::default());
    let flood = world(1200, 0);
    let (undefended, _) = shown(&flood, ALL);
    assert!(undefended > honest + 0.5, "a flood that moves nothing tests nothing: {undefended}");
    let (defended, left) = shown(&flood, Standing::default());
    assert_eq!(left, LeftOut { slight: 1200, newcomers: 0 });
    assert!((defended - honest).abs() < 1e-9, "{honest} → {defended}");
}

#[test]
fn of_listeners_who_hide_no_more_are_drawn_than_may_be_new() {
    let flood = world(1200, 4);
    let (counted, left) = Standing::default().of(&flood, SINCE, 1);
    assert_eq!(left, LeftOut { slight: 0, newcomers: 1200 - REAL / 2 });
    let met = (0..counted.listeners()).filter(|&listener| !counted.of(listener).is_empty()).count();
    assert_eq!(met, REAL + REAL / 2);
    // Twelve times as large a flood is worth no more.
    let (_, left) = Standing::default().of(&world(14_400, 4), SINCE, 1);
    assert_eq!(left.newcomers, 14_400 - REAL / 2);
    let (all, _) = ALL.of(&flood, SINCE, 1);
    assert_eq!(all.len(), flood.len());
}

#[test]
fn in_the_first_round_everybody_is_new_and_counts() {
    let (counted, left) = Standing::default().of(&world(0, 0), 0, 1);
    assert_eq!((left, counted.listeners()), (LeftOut::default(), REAL));
}
