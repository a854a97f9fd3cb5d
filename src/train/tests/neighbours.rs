//! Tracks that go together: who is paired, how strongly, and that it ranks better where it should.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::HashSet, fs, path::PathBuf};

use segue_core::{
    fold_in::Pull,
    model::{Habits, Neighbours},
    rng::SplitMix64,
};
use segue_train::{
    evaluate::split::{Precision, Split, evaluate},
    links::Links,
    matrix::Matrix,
    neighbours::{Recipe, links},
    progress::Progress,
};

const RECIPE: Recipe = Recipe { met: 0.75, recommended: 0.25, listener: 1.0 };

fn matrix(tracks: usize, listeners: &[&[u32]]) -> Matrix {
    let yes = Pull { weight: 1.0, information: 1.0 };
    Matrix::from_rows(tracks, listeners.iter().map(|met| met.iter().map(move |&at| (at, yes))))
}

fn paired(by_user: &Matrix, recipe: Recipe) -> Links {
    links(by_user, &by_user.transposed(), recipe)
}

#[test]
fn a_pair_that_one_listener_alone_met_is_left_out() {
    let by_user = matrix(6, &[&[0, 1, 5], &[0, 1], &[1, 2], &[2, 3], &[4], &[]]);
    let parts = paired(&by_user, RECIPE).parts(100, 1.0, Habits::default());
    let rows: Vec<[u32; 2]> = parts.pairs.iter().map(|pair| pair.rows).collect();
    assert_eq!(rows, [[0, 1]]);
}

#[test]
fn no_means_no_pair() {
    let said = |information| Pull { weight: 1.0, information };
    let one = || [(0, said(1.0)), (1, said(-0.5)), (2, said(1.0))];
    let parts =
        paired(&Matrix::from_rows(3, [one(), one()]), RECIPE).parts(100, 1.0, Habits::default());
    let rows: Vec<[u32; 2]> = parts.pairs.iter().map(|pair| pair.rows).collect();
    assert_eq!(rows, [[0, 2]]);
}

#[test]
fn the_weight_is_the_cosine_where_the_powers_say_so() {
    // Popularity is a power of √2, so that rounding it changes nothing.
    let by_user = matrix(3, &[&[0, 1], &[0, 1], &[0, 2], &[0, 2]]);
    let recipe = Recipe { met: 0.5, recommended: 0.5, listener: 0.0 };
    let all =
        Neighbours::new(&paired(&by_user, recipe).parts(100, 1.0, Habits::default())).unwrap();
    let weight = |of: usize, place: u32| {
        all.of(of).find(|neighbour| neighbour.place == place).map(|n| n.weight)
    };
    let [there, back] = [weight(0, 1).unwrap(), weight(1, 0).unwrap()];
    assert!((there - back).abs() < 1e-6 && (there - weight(0, 2).unwrap()).abs() < 1e-6);
    assert_eq!(weight(1, 2), None);
    // What a listener's tracks add to one of them is 1 in the mean.
    assert!((there - 1.0).abs() < 1e-3, "{there}");
}

#[test]
fn the_pairs_do_not_depend_on_the_number_of_threads() {
    let mut rng = SplitMix64::new(7);
    let yes = Pull { weight: 1.0, information: 1.0 };
    let listener = |_| {
        let mut met: Vec<u32> = (0..20).map(|_| rng.below(50) as u32).collect();
        met.sort_unstable();
        met.dedup();
        met.into_iter().map(|at| (at, yes)).collect::<Vec<_>>()
    };
    let by_user = Matrix::from_rows(50, (0..300).map(listener).collect::<Vec<_>>());
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| paired(&by_user, RECIPE).parts(200, 0.3, Habits::default()))
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn a_listener_of_a_million_tracks_is_counted_in_time() {
    let yes = Pull { weight: 1.0, information: 1.0 };
    let everything = || (0..1_000_000).map(|at| (at, yes)).collect::<Vec<_>>();
    let by_user = Matrix::from_rows(1_000_000, [everything(), everything()]);
    let pairs = paired(&by_user, RECIPE);
    assert!(!pairs.is_empty() && pairs.len() < 32_000_000);
}

/// A folder that goes when the test does.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// 600 listeners who each like 12 of 300 couples of tracks; of each couple they met both, or one of
/// which the other is held out. No few components can say who goes with whom.
#[test]
fn couples_that_few_components_cannot_tell_are_found_by_their_pairs() {
    let folder = Folder(std::env::temp_dir().join(format!("segue-couples-{}", std::process::id())));
    fs::create_dir_all(&folder.0).unwrap();
    let mut rng = SplitMix64::new(3);
    let [mut train, mut valid, mut test] = [String::new(), String::new(), String::new()];
    for listener in 0..600 {
        let couples: HashSet<usize> = (0..12).map(|_| rng.below(300)).collect();
        let mut couples: Vec<usize> = couples.into_iter().collect();
        couples.sort_unstable();
        let line = |items: Vec<String>| format!("{listener} {}\n", items.join(" "));
        let (held, kept) = couples.split_at(4);
        let met = kept.iter().flat_map(|c| [format!("a{c}"), format!("b{c}")]);
        train += &line(held.iter().map(|c| format!("a{c}")).chain(met).collect());
        valid += &line(held[..2].iter().map(|c| format!("b{c}")).collect());
        test += &line(held[2..].iter().map(|c| format!("b{c}")).collect());
    }
    let [train, valid, test] =
        [("train", train), ("valid", valid), ("test", test)].map(|(name, text)| {
            let path = folder.0.join(name);
            fs::write(&path, text).unwrap();
            path
        });
    let split = Split {
        train: &train,
        valid: Some(&valid),
        test: &test,
        dim: 8,
        precision: Precision::Wire,
        seed: 1,
        budget: None,
    };
    let outcome = evaluate(&split, &Progress::silent()).unwrap();
    let beside = outcome.chosen.beside.unwrap();
    let without = outcome.chosen.settled.accuracy.recall_10;
    assert!(beside.accuracy.recall_10 > 2.0 * without, "{beside:?} against {without}");
    assert!(outcome.test.recall_10 > 0.7, "{:?}", outcome.test);
}
