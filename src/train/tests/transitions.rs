//! Tracks that follow each other: what is counted, and that the next track is told from it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::PathBuf};

use segue_core::{
    model::{Habits, Neighbours},
    rng::SplitMix64,
};
use segue_train::{
    TrainError,
    evaluate::next::{Next, NextOutcome, evaluate_next},
    progress::Progress,
    transitions::{Recipe, Sittings, links},
};

const RECIPE: Recipe =
    Recipe { window: 3, gap: 1.0, back: 0.0, met: 0.0, recommended: 0.0, support: 2 };

fn lists(tracks: usize, sittings: &[&[u32]], recipe: Recipe) -> Neighbours {
    let all = Sittings::new(tracks, sittings.iter().map(|sitting| sitting.iter().copied()));
    Neighbours::new(&links(&all, recipe, &|| false).parts(1000, 1.0, Habits::default())).unwrap()
}

fn weight(lists: &Neighbours, from: usize, to: u32) -> f32 {
    let list = lists.of(from);
    list.filter(|neighbour| neighbour.place == to).map(|neighbour| neighbour.weight).sum()
}

#[test]
fn a_track_counts_what_follows_it_the_later_the_less_and_not_what_came_before() {
    let sitting: &[u32] = &[0, 1, 2, 3, 4];
    let all = lists(5, &[sitting, sitting], RECIPE);
    let first = weight(&all, 0, 1);
    assert!(first > 0.0);
    for (to, share) in [(2, 0.5), (3, 1.0 / 3.0)] {
        let found = weight(&all, 0, to) / first;
        // Strengths are rounded to eight.
        assert!((found - share).abs() < 0.1, "{to}: {found} for {share}");
    }
    assert_eq!(weight(&all, 0, 4), 0.0, "beyond the window");
    assert_eq!(weight(&all, 1, 0), 0.0, "before");
    let both = lists(5, &[sitting, sitting], Recipe { back: 0.5, ..RECIPE });
    let ratio = weight(&both, 1, 0) / weight(&both, 0, 1);
    assert!((ratio - 0.5).abs() < 1e-6, "{ratio}");
}

#[test]
fn a_pair_of_one_sitting_alone_is_left_out_however_often_it_is_there() {
    let all = lists(4, &[&[0, 1, 0, 1, 0, 1], &[2, 3], &[2, 3]], RECIPE);
    assert_eq!(weight(&all, 0, 1), 0.0);
    assert!(weight(&all, 2, 3) > 0.0);
    let every = lists(4, &[&[0, 1], &[2, 3]], Recipe { support: 1, ..RECIPE });
    assert!(weight(&every, 0, 1) > 0.0);
}

#[test]
fn a_pair_of_one_listener_alone_is_left_out_however_many_sittings_have_it() {
    let pairs = |listeners: [u32; 3]| {
        let sittings = listeners.into_iter().zip([[0, 1], [0, 1], [0, 1]]);
        links(&Sittings::of_listeners(2, sittings), RECIPE, &|| false).len()
    };
    assert_eq!([pairs([7, 7, 7]), pairs([7, 7, 9]), pairs([0, 1, 2])], [0, 1, 1]);
}

#[test]
fn counting_ends_where_it_is_asked_to() {
    let sittings = Sittings::new(2, [[0, 1], [0, 1]]);
    assert!(links(&sittings, RECIPE, &|| true).is_empty());
}

#[test]
fn a_track_that_goes_on_is_one_and_sittings_do_not_run_into_each_other() {
    let once = lists(3, &[&[0, 1], &[0, 1], &[2], &[2]], RECIPE);
    let on = lists(3, &[&[0, 0, 1, 1], &[0, 1], &[2], &[2]], RECIPE);
    assert_eq!(weight(&once, 0, 1), weight(&on, 0, 1));
    assert_eq!(weight(&once, 1, 2), 0.0);
    assert_eq!(lists(3, &[&[], &[0], &[]], RECIPE).pairs(), 0);
}

#[test]
fn pairs_do_not_depend_on_the_number_of_threads() {
    let mut rng = SplitMix64::new(5);
    let sitting = |_| (0..12).map(|_| rng.below(40) as u32).collect::<Vec<_>>();
    let sittings = Sittings::new(40, (0..200).map(sitting).collect::<Vec<_>>());
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| links(&sittings, RECIPE, &|| false).parts(300, 0.3, Habits::default()))
    };
    assert_eq!(with(1), with(3));
}

/// A folder that goes when the test does.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("segue-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn evaluate(&self, train: &str, test: &str, mask: bool) -> Result<NextOutcome, TrainError> {
        let [train, test] = [("train", train), ("test", test)].map(|(name, text)| {
            let path = self.0.join(name);
            fs::write(&path, text).unwrap();
            path
        });
        let next =
            Next { train: &train, test: &test, dim: 8, mask, support: 2, seed: 1, budget: None };
        evaluate_next(&next, &Progress::silent())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Walks along a ring of 60 tracks, one step at a time and now and then anywhere.
fn walk(rng: &mut SplitMix64, steps: usize) -> Vec<String> {
    let mut at = rng.below(60);
    let mut step = || {
        at = if rng.below(8) == 0 { rng.below(60) } else { (at + 1) % 60 };
        format!("t{at}")
    };
    (0..steps).map(|_| step()).collect()
}

#[test]
fn the_next_track_of_a_walk_is_told() {
    let folder = Folder::new("walk");
    let mut rng = SplitMix64::new(9);
    let train: String = (0..300).map(|_| walk(&mut rng, 12).join(" ") + "\n").collect();
    let query = |_| {
        let all = walk(&mut rng, 6);
        format!("{}\t{}\n", all[..5].join(" "), all[5])
    };
    let test: String = (0..200).map(query).collect();
    let found = folder.evaluate(&train, &test, false).unwrap();
    // One step in eight goes anywhere, and one of sixty of these to the next after all.
    assert!(found.test.mrr_20 > 0.8, "{found:?}");
    assert!(found.test.hits_20 > 0.9, "{found:?}");
    assert!(found.tracks == 60 && found.bytes_per_item > 0.0 && found.micros[0] > 0.0);
    assert!(found.micros[0] <= found.micros[1]);
}

#[test]
fn listeners_who_repeat_are_given_repeats_unless_these_are_left_out() {
    let folder = Folder::new("repeat");
    let mut rng = SplitMix64::new(4);
    // Two tracks in turn, over and over.
    let sitting = |rng: &mut SplitMix64| {
        let (a, b) = (rng.below(40), 40 + rng.below(40));
        [a, b, a, b, a, b].map(|track| format!("t{track}"))
    };
    let train: String = (0..400).map(|_| sitting(&mut rng).join(" ") + "\n").collect();
    let query = |_| {
        let all = sitting(&mut rng);
        format!("{}\t{}\n", all[..4].join(" "), all[4])
    };
    let test: String = (0..100).map(query).collect();
    let found = folder.evaluate(&train, &test, false).unwrap();
    assert!(found.test.mrr_20 > 0.4, "{found:?}");
    let masked = folder.evaluate(&train, &test, true).unwrap();
    assert_eq!(masked.test.hits_20, 0.0, "{masked:?}");
}

#[test]
fn bad_files_are_told_with_their_line() {
    let folder = Folder::new("bad-next");
    let train = "a b c\na b d\nb c d\n";
    let line = |test: &str| folder.evaluate(train, test, false).unwrap_err().to_string();
    for (test, line_number) in [("a b\tc\na b c\n", 2), ("a\t\n", 1), ("a\tb c\n", 1)] {
        let said = line(test);
        assert!(said.contains(&format!("line {line_number}")) && said.contains("a tab"), "{said}");
    }
    assert!(line("").contains("is empty"));
    let said = folder.evaluate(" \n", "a\tb\n", false).unwrap_err().to_string();
    assert!(said.contains("is empty"), "{said}");
}

#[test]
fn queries_of_nothing_that_is_known_are_answered_and_missed() {
    let folder = Folder::new("unknown-next");
    let train = "a b c\na b d\nb c d\n";
    let found = folder.evaluate(train, "x y\tz\n\ta\n", false).unwrap();
    assert_eq!(found.test.queries, 2);
    assert!(found.test.hits_20 <= 0.5, "{found:?}");
    // Sittings of one track tell nothing, and that is no error.
    let single = folder.evaluate("a\nb\n", "a\tb\n", false).unwrap();
    assert_eq!(single.test.queries, 1);
}

#[test]
fn settings_are_chosen_on_the_latest_sittings_as_the_test_comes_after_all_of_them() {
    let folder = Folder::new("latest");
    // For long listeners went to and fro between two tracks, and lately they go along a ring.
    let track = |at: usize| format!("t{}", at % 30);
    let sitting = |at: usize, latest: bool| {
        let step = |n: usize| track(if latest { at + n } else { at + n % 2 });
        (0..5).map(step).collect::<Vec<_>>().join(" ") + "\n"
    };
    let train: String = (0..200).map(|at| sitting(at, at >= 180)).collect();
    let found = folder.evaluate(&train, "t1 t2\tt3\n", false).unwrap();
    assert_eq!(found.valid.unwrap().queries, 80);
    assert_eq!(found.test.mrr_20, 1.0, "nobody goes back any more: {:?}", found.follow);
}

#[test]
fn where_nothing_can_be_held_out_nothing_is_said_of_what_was() {
    let folder = Folder::new("nothing-held-out");
    let one = folder.evaluate("a b c\n", "a b\tc\n", false).unwrap();
    assert_eq!((one.valid, one.taste, one.test.queries), (None, None, 1));
    // The last tenth of two is one, and what it asks for is unknown.
    let two = folder.evaluate("a b\nc d\n", "x\tb\n", false).unwrap();
    assert_eq!(two.valid.map(|valid| valid.queries), Some(1));
}
