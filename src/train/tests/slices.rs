//! A test by parts, and how recommendations spread: on four tracks, by hand.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use segue_core::{event::Kind, ids::Row, session::Evidence};
use segue_train::evaluate::{
    exposure::{Exposure, gini, percentiles},
    next::Query,
    ranking::{Case, Ranked, Scorer, ranked},
    slices::{Slice, of_next, of_split},
};

/// Ranks tracks by number, without those that are known.
struct ByNumber(u32);

impl Scorer for ByNumber {
    fn top(&self, cases: &[&Case], k: usize) -> Vec<Vec<Row>> {
        let known = |case: &Case, row| case.known.iter().any(|evidence| evidence.row == row);
        let top =
            |case: &&Case| (0..self.0).map(Row).filter(|row| !known(case, *row)).take(k).collect();
        cases.iter().map(top).collect()
    }

    fn scores(&self, _: &Case, rows: &[Row]) -> Vec<f32> {
        rows.iter().map(|row| -(row.0 as f32)).collect()
    }
}

fn case(known: usize, held_out: &[u32], missing: usize) -> Case {
    let heard = |row| {
        let mut evidence = Evidence::new(Row(row));
        evidence.add(Kind::Play, 1.0);
        evidence
    };
    Case {
        known: (0..known as u32).map(heard).collect(),
        held_out: held_out.iter().copied().map(Row).collect(),
        missing,
        repeats: false,
    }
}

const PLAYS: [usize; 4] = [4, 3, 2, 1];

fn three() -> (Vec<Case>, Vec<Ranked>) {
    let cases = vec![case(0, &[0, 3], 0), case(1, &[2], 1), case(2, &[3], 0)];
    let ranked = ranked(&ByNumber(4), &cases);
    (cases, ranked)
}

fn find<'a>(slices: &'a [Slice], name: &str) -> &'a Slice {
    slices.iter().find(|slice| slice.name == name).unwrap()
}

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-12
}

fn discount(place: f64) -> f64 {
    1.0 / (place + 1.0).log2()
}

#[test]
fn listeners_are_parted_by_what_is_known_of_them() {
    let (cases, ranked) = three();
    let slices = of_split(&cases, &ranked, &PLAYS, 1);
    let ideal = 1.0 + discount(2.0);
    for (name, known, recall, ndcg) in [
        ("few", 0, 1.0, (1.0 + discount(4.0)) / ideal),
        ("middling", 1, 0.5, discount(2.0) / ideal),
        ("many", 2, 1.0, discount(2.0)),
    ] {
        let slice = find(&slices, name);
        assert_eq!((slice.bounds, slice.cases), ([known; 2], 1), "{name}");
        assert!(near(slice.figures[0], recall) && near(slice.figures[1], ndcg), "{slice:?}");
        assert!(
            slice.intervals.iter().zip(slice.figures).all(|(ends, figure)| ends == &[figure; 2])
        );
    }
}

#[test]
fn the_head_is_half_of_all_plays_and_each_part_counts_alone() {
    let (cases, ranked) = three();
    let slices = of_split(&cases, &ranked, &PLAYS, 1);
    let head = find(&slices, "head");
    assert_eq!((head.bounds, head.cases, head.figures), ([3, 4], 1, [1.0, 1.0]));
    // What training never saw is of the tail, and missed.
    let tail = find(&slices, "tail");
    assert_eq!((tail.bounds, tail.cases), ([0, 2], 3));
    let ndcg = discount(4.0) + discount(2.0) / (1.0 + discount(2.0)) + discount(2.0);
    assert!(near(tail.figures[0], 2.5 / 3.0) && near(tail.figures[1], ndcg / 3.0), "{tail:?}");
}

#[test]
fn tracks_that_are_played_as_often_are_of_one_part() {
    let cases = [case(0, &[0, 3], 0)];
    let slices = of_split(&cases, &ranked(&ByNumber(4), &cases), &[5; 4], 1);
    assert_eq!(find(&slices, "head").bounds, [5, 5]);
    assert!(slices.iter().all(|slice| slice.name != "tail"), "{slices:?}");
}

#[test]
fn listeners_with_as_many_items_are_of_one_part_and_parts_of_none_are_left_out() {
    let parts = |known: &[usize]| {
        let cases: Vec<Case> = known.iter().map(|&known| case(known, &[20], 0)).collect();
        let slices = of_split(&cases, &ranked(&ByNumber(21), &cases), &[1; 21], 1);
        let of = |slice: &Slice| (slice.name, slice.bounds, slice.cases);
        let by_items = slices.iter().filter(|slice| slice.by == "training items");
        by_items.map(of).collect::<Vec<_>>()
    };
    assert_eq!(parts(&[9, 5, 5, 7, 5, 5]), [("few", [5, 5], 4), ("many", [7, 9], 2)]);
    assert_eq!(parts(&[5, 5, 5, 5, 3, 5]), [("few", [3, 3], 1), ("middling", [5, 5], 5)]);
    let nine = [("few", [1, 3], 3), ("middling", [4, 6], 3), ("many", [7, 9], 3)];
    assert_eq!(parts(&[1, 2, 3, 4, 5, 6, 7, 8, 9]), nine);
}

#[test]
fn queries_are_parted_by_their_length_and_by_whether_the_answer_repeats() {
    let query = |before: &[u32], next| Query {
        listener: [].into(),
        before: before.to_vec(),
        next,
        mask: false,
    };
    let queries = [
        query(&[0], Some(0)),
        query(&[0, 1], Some(2)),
        query(&[3, 3, 3, 1, 2], Some(3)),
        query(&[0, 1, 2, 3, 0, 1, 2, 3, 0], None),
    ];
    let each = [[1.0, 0.5, 1.0, 0.5], [1.0, 1.0, 1.0, 1.0], [0.0; 4], [0.0; 4]];
    let slices = of_next(&queries, &each, 1);
    for (name, bounds, figures) in [
        ("short", [1, 2], [1.0, 0.75]),
        ("long", [5, 9], [0.0, 0.0]),
        ("new", [0, 0], [0.5, 0.5]),
        ("repeat", [1, 3], [0.5, 0.25]),
    ] {
        let slice = find(&slices, name);
        assert_eq!((slice.bounds, slice.cases, slice.figures), (bounds, 2, figures), "{name}");
    }
}

#[test]
fn what_is_recommended_is_counted_over_all_listeners() {
    let (cases, ranked) = three();
    let found = Exposure::new(&cases, &ranked, &PLAYS, 1);
    // The tracks are recommended to 1, 2, 3 and 3 of them.
    assert_eq!(found.coverage, 1.0);
    assert!(near(found.gini, (-3.0 - 2.0 + 3.0 + 9.0) / 27.0), "{found:?}");
    // Percentiles are 7, 5, 3 and 1 of eight.
    assert!(near(found.recommended, (0.5 + 0.375 + 0.25) / 3.0), "{found:?}");
    assert!(near(found.held_out, (0.5 + 0.1875 + 0.125) / 3.0), "{found:?}");
    let [[low, high], _] = found.intervals;
    assert!(low < found.recommended && found.recommended < high, "{found:?}");

    let narrow = Exposure::new(&cases[..1], &ranked[..1], &[4, 3, 2, 1, 1, 1, 1, 1], 1);
    assert_eq!(narrow.coverage, 0.5);
}

#[test]
fn a_listener_who_knows_everything_has_no_say_in_popularity() {
    let cases = [case(4, &[0], 0), case(3, &[3], 0)];
    let found = Exposure::new(&cases, &ranked(&ByNumber(4), &cases), &PLAYS, 1);
    assert_eq!((found.recommended, found.held_out, found.coverage), (0.125, 0.125, 0.25));
    assert_eq!(found.gini, 1.0);
}

#[test]
fn percentiles_of_equals_are_equal_and_their_mean_is_a_half() {
    assert_eq!(percentiles(&[9, 1, 1, 0]), [0.875, 0.5, 0.5, 0.125]);
    assert_eq!(percentiles(&[7]), [0.5]);
    assert!(percentiles(&[]).is_empty());
}

#[test]
fn the_gini_index_goes_from_equal_shares_to_one_who_has_everything() {
    assert_eq!(gini(&[3, 3, 3, 3]), 0.0);
    assert_eq!(gini(&[0, 5, 0]), 1.0);
    assert!(near(gini(&[3, 1, 2]), 1.0 / 3.0));
    for nothing in [&[][..], &[7], &[0, 0]] {
        assert_eq!(gini(nothing), 0.0);
    }
}
