//! Pairs of tracks: the code gives back what it was given, the section is refused where it is not what
//! it says, and what a listener met lifts what goes with it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use proptest::prelude::*;
use segue_core::{
    bytes::Aligned,
    codec::{
        Unreadable,
        pairs::{CLASSES, LEANS, LEVELS, Pair, decode, encode},
    },
    event::Kind,
    ids::Row,
    kernel::Place,
    model::{Habits, Model, ModelError, NeighbourParts, Neighbours, SectionKind},
    rank::{rank, score, top},
    reason::{Explainer, Ground},
    session::{Observation, Session},
};

const TRACKS: usize = 200;

/// Pairs of so many rows, each there once, in the order of the code.
fn graph() -> impl Strategy<Value = (Vec<u8>, Vec<Pair>)> {
    (2..60_usize).prop_flat_map(|rows| {
        let classes = prop::collection::vec(0..CLASSES as u8, rows);
        let pair = (0..rows as u32, 0..rows as u32, 0..LEVELS as u8, 0..LEANS as u8);
        (classes, prop::collection::vec(pair, 0..300)).prop_map(|(classes, pairs)| {
            let apart = pairs.into_iter().filter(|(a, b, ..)| a != b);
            let pair = |(a, b, level, lean): (u32, u32, u8, u8)| Pair {
                rows: [a.min(b), a.max(b)],
                level,
                lean,
            };
            let mut pairs: Vec<Pair> = apart.map(pair).collect();
            pairs.sort_by_key(|pair| pair.rows);
            pairs.dedup_by_key(|pair| pair.rows);
            pairs.sort_by_key(|pair| (pair.rows[0], std::cmp::Reverse(pair.level), pair.rows[1]));
            (classes, pairs)
        })
    })
}

proptest! {
    #[test]
    fn a_graph_comes_back_whole((classes, pairs) in graph()) {
        let coded = encode(&classes, &pairs).unwrap();
        prop_assert_eq!(decode(&coded, classes.len(), pairs.len()), Ok((classes.clone(), pairs.clone())));
        // Another number of rows or pairs than was coded is told, or gives pairs within bounds.
        prop_assert_eq!(decode(&coded, classes.len(), pairs.len() + 1), Err(Unreadable::Length));
    }

    #[test]
    fn any_bytes_give_pairs_within_bounds_or_none(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        rows in 0..50_usize,
        most in 0..500_usize,
    ) {
        if let Ok((classes, pairs)) = decode(&bytes, rows, most) {
            prop_assert!(classes.len() == rows && classes.iter().all(|&c| usize::from(c) < CLASSES));
            prop_assert!(pairs.len() == most);
            for Pair { rows: [a, b], level, lean } in pairs {
                prop_assert!(a < b && (b as usize) < rows && usize::from(level) < LEVELS);
                prop_assert!(usize::from(lean) < LEANS);
            }
        }
    }
}

/// Bytes before the coded ones: the prefix, the weights, the lengths.
const HEAD: usize = 16 + 64 + 16;

fn refused(change: impl FnOnce(&mut Vec<u8>)) -> ModelError {
    let mut sections = support::sections(TRACKS, 1);
    let (_, section) =
        sections.iter_mut().find(|(kind, _)| *kind == SectionKind::Neighbours).unwrap();
    let mut bytes = section.as_slice().to_vec();
    change(&mut bytes);
    *section = Aligned::copy_of(&bytes);
    Model::from_sections(sections).unwrap_err()
}

fn put(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

#[test]
fn a_section_that_is_not_what_it_says_is_refused() {
    let shape = ModelError::Shape(SectionKind::Neighbours);
    for length in [0, 16, HEAD - 16, HEAD, HEAD + 16] {
        assert_eq!(refused(|bytes| bytes.truncate(length)), shape, "{length} bytes");
    }
    assert_eq!(refused(|bytes| bytes.extend([0; 16])), shape);
    let mixed = ModelError::Mixed(SectionKind::Neighbours);
    assert_eq!(refused(|bytes| put(bytes, 0, 7)), mixed, "other rows than ids");
    assert_eq!(refused(|bytes| bytes[8] ^= 1), mixed, "other tracks");
    let limit = ModelError::Limit(SectionKind::Neighbours);
    assert_eq!(refused(|bytes| put(bytes, 4, 9)), limit, "levels that there are not");
    assert_eq!(refused(|bytes| put(bytes, HEAD - 16, u32::MAX)), limit, "pairs beyond all limits");
    for pairs in [0, 1, TRACKS as u32] {
        let error = refused(|bytes| put(bytes, HEAD - 16, pairs));
        assert!(error.to_string().contains("length that they claim"), "{pairs}: {error}");
    }
    for (at, value) in
        [(16, f32::NAN), (20, 1e9), (24, 1.5), (36, f32::NAN), (44, f32::INFINITY), (76, f32::NAN)]
    {
        let error = refused(|bytes| put(bytes, at, value.to_bits()));
        assert!(error.to_string().contains("not finite or out of range"), "{at}: {error}");
    }
}

#[test]
fn a_pair_is_used_both_ways_and_weighs_less_the_more_popular_its_tracks() {
    let all = Neighbours::new(&NeighbourParts {
        powers: [1.0, 0.5],
        strengths: [0.5; LEVELS],
        // One listener, four, sixteen.
        classes: vec![0, 4, 8],
        pairs: vec![
            Pair { rows: [0, 1], level: 0, lean: 2 },
            Pair { rows: [1, 2], level: 3, lean: 2 },
        ],
        back: 1.0,
        habits: Habits::default(),
    })
    .unwrap();
    let list = |place| all.of(place).map(|n| (n.place, n.weight)).collect::<Vec<_>>();
    assert_eq!(list(0), [(1, 0.25)]);
    assert_eq!(list(1), [(0, 0.125), (2, 0.03125)]);
    assert_eq!(list(2), [(1, 0.015625)]);
    assert_eq!((list(3), all.pairs()), (vec![], 2));
}

fn observe(model: &Model, session: &mut Session, row: u32, kind: Kind) {
    session.observe(model, Observation { row: Row(row), kind, heard: None });
}

fn score_of(model: &Model, session: &mut Session, row: u32) -> f32 {
    let mut queue = Vec::new();
    rank(model, session, &[Some(Row(row))], 1, &mut queue);
    score(model, session.query(model), queue[0].points())
}

/// The same tracks without what goes with what.
fn alone() -> Model {
    let sections = support::sections(TRACKS, 1).into_iter();
    Model::from_sections(sections.filter(|(kind, _)| *kind != SectionKind::Neighbours)).unwrap()
}

#[test]
fn a_track_that_was_met_adds_its_weight_to_what_goes_with_it_and_to_nothing_else() {
    let (model, alone) = (support::model(TRACKS, 1), alone());
    for (kind, sign) in [(Kind::Like, 1.0), (Kind::Dislike, 0.0)] {
        let (mut with, mut without) = (Session::new(&model), Session::new(&alone));
        for row in [20, 90] {
            observe(&model, &mut with, row, kind);
            observe(&alone, &mut without, row, kind);
        }
        let all = model.neighbours(0).unwrap();
        for row in 0..TRACKS as u32 {
            let added: f32 = [20, 90]
                .iter()
                .flat_map(|&met| all.of(met))
                .filter(|neighbour| neighbour.place == row)
                .map(|neighbour| neighbour.weight * sign)
                .sum();
            let gained = score_of(&model, &mut with, row) - score_of(&alone, &mut without, row);
            assert!((gained - added).abs() < 1e-4, "{kind} {row}: {gained} for {added}");
        }
    }
}

#[test]
fn the_order_of_events_does_not_matter_and_a_repeat_counts_once() {
    let model = support::model(TRACKS, 1);
    let (mut a, mut b) = (Session::new(&model), Session::new(&model));
    for row in [3, 50, 3, 120] {
        observe(&model, &mut a, row, Kind::Like);
    }
    for row in [120, 3, 3, 50] {
        observe(&model, &mut b, row, Kind::Like);
    }
    let sums = |session: &mut Session| -> Vec<i64> {
        let boosts = session.expectation(&model).boosts;
        (0..TRACKS as u32).map(|row| boosts.of(Row(row))).collect()
    };
    assert_eq!(sums(&mut a), sums(&mut b));
    let once = {
        let mut once = Session::new(&model);
        [3, 50, 120].into_iter().for_each(|row| observe(&model, &mut once, row, Kind::Like));
        sums(&mut once)
    };
    assert_eq!(sums(&mut a), once);
}

proptest! {
    #[test]
    fn the_best_of_the_catalogue_is_what_ranking_all_of_it_gives(
        met in prop::collection::vec((0..TRACKS as u32, 0..Kind::ALL.len()), 0..40),
        k in 0..60_usize,
    ) {
        let model = support::model(TRACKS, 1);
        let mut session = Session::new(&model);
        for (row, kind) in met {
            observe(&model, &mut session, row, Kind::ALL[kind]);
        }
        let (mut best, mut queue) = (Vec::<Place>::new(), Vec::new());
        top(&model, &mut session, k, |row| row.0 % 3 > 0, &mut best);
        let rows: Vec<Option<Row>> = (0..TRACKS as u32).map(|row| Some(Row(row))).collect();
        rank(&model, &mut session, &rows, TRACKS, &mut queue);
        queue.retain(|place| place.index() % 3 > 0);
        queue.truncate(k);
        prop_assert_eq!(best, queue);
    }
}

#[test]
fn pairs_that_come_late_count_for_what_was_met_before() {
    let mut late = alone();
    let mut session = Session::new(&late);
    observe(&late, &mut session, 40, Kind::Like);
    let before = score_of(&late, &mut session, 47);
    let sections = support::sections(TRACKS, 1).into_iter();
    late.add(sections.filter(|(kind, _)| *kind == SectionKind::Neighbours)).unwrap();
    let after = score_of(&late, &mut session, 47);
    let mut fresh = Session::new(&late);
    observe(&late, &mut fresh, 40, Kind::Like);
    assert!(after > before);
    assert_eq!(after, score_of(&late, &mut fresh, 47));

    let again = support::sections(TRACKS, 1).into_iter();
    let error = late.add(again.filter(|(kind, _)| *kind == SectionKind::Neighbours)).unwrap_err();
    assert_eq!(error, ModelError::Duplicate(SectionKind::Neighbours));
}

#[test]
fn a_reason_counts_what_goes_with_a_track() {
    let (model, alone) = (support::model(TRACKS, 1), alone());
    let effect = |model: &Model, met: u32| {
        let mut session = Session::new(model);
        observe(model, &mut session, met, Kind::Like);
        let mut explainer = Explainer::new(model, &mut session);
        explainer.beside(model, &mut session, &(met..met + 20).map(Row).collect::<Vec<_>>());
        let reasons = explainer.explain(model, &mut session, Row(met + 7));
        let liked = reasons.into_iter().find(|reason| reason.ground == Ground::Liked);
        liked.filter(|reason| reason.effect > 0.0).map(|reason| reason.effect)
    };
    let mut told = 0;
    for met in 0..TRACKS as u32 - 20 {
        let mut neighbours = model.neighbours(0).unwrap().of(met as usize);
        let weight = neighbours.find(|n| n.place == met + 7).unwrap().weight;
        if let (Some(with), Some(without)) = (effect(&model, met), effect(&alone, met)) {
            // Of the twenty that it is held against it is one.
            let added = weight * 19.0 / 20.0;
            assert!((with - without - added).abs() < 1e-4, "{met}: {with}, {without}, {weight}");
            told += 1;
        }
    }
    assert!(told > 10, "{told}");
}
