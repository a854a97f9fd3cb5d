//! A sitting: its last tracks vote on the next one, and a track that was just heard has only their votes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use proptest::prelude::*;
use segue_core::{
    codec::pairs::Pair,
    event::Kind,
    ids::Row,
    kernel::Place,
    model::{Habits, Model, NeighbourParts, SectionKind, encode_neighbours},
    rank::{rank, score, top},
    reason::{Explainer, Ground, Reason},
    session::{Expectation, Observation, Session},
};

const TRACKS: usize = 120;
const HABITS: Habits = Habits { recency: 1.0, agreement: 0.5, again: 0.25, stay: 0.03, back: 0.08 };

/// Track i is followed by i + 1 with weight 0.4, and by i + 5 with 0.2; a tenth of it the other way.
fn parts() -> NeighbourParts {
    let rows = 0..TRACKS as u32;
    let pairs = rows.flat_map(|row| [(row, row + 1, 1), (row, row + 5, 0)]);
    let pairs = pairs.filter(|&(_, other, _)| other < TRACKS as u32);
    NeighbourParts {
        powers: [0.0, 0.0],
        strengths: [0.2, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        classes: vec![0; TRACKS],
        pairs: pairs
            .map(|(row, other, level)| Pair { rows: [row, other], level, lean: 0 })
            .collect(),
        back: 0.1,
        habits: HABITS,
    }
}

fn model() -> Model {
    let mut model = support::model(TRACKS, 1);
    let section = encode_neighbours(model.ids_digest(), &parts()).unwrap();
    model.add([(SectionKind::Transitions, section)]).unwrap();
    model
}

fn listen(model: &Model, rows: &[u32]) -> Session {
    let mut session = Session::new(model);
    rows.iter().for_each(|&row| observe(model, &mut session, row, Kind::Play));
    session
}

fn observe(model: &Model, session: &mut Session, row: u32, kind: Kind) {
    session.observe(model, Observation { row: Row(row), kind, heard: None });
}

fn scores(model: &Model, session: &mut Session) -> Vec<f32> {
    let rows: Vec<Option<Row>> = (0..TRACKS as u32).map(|row| Some(Row(row))).collect();
    let mut queue = Vec::new();
    rank(model, session, &rows, TRACKS, &mut queue);
    let mut scores = vec![0.0; TRACKS];
    for place in queue {
        scores[place.index() as usize] = score(model, session.query(model), place.points());
    }
    scores
}

fn is_about(found: f32, expected: f32) -> bool {
    (found - expected).abs() < 1e-3
}

#[test]
fn the_last_tracks_add_their_votes_the_later_the_more() {
    let (with, without) = (model(), support::model(TRACKS, 1));
    let heard = [10, 30];
    let (mut a, mut b) = (listen(&with, &heard), listen(&without, &heard));
    let (a, b) = (scores(&with, &mut a), scores(&without, &mut b));
    let added = |row: usize| a[row] - b[row];
    assert!(is_about(added(31), 0.4) && is_about(added(35), 0.2), "{} {}", added(31), added(35));
    assert!(is_about(added(11), 0.2) && is_about(added(15), 0.1), "{} {}", added(11), added(15));
    // The other way about.
    assert!(is_about(added(29), 0.04) && is_about(added(25), 0.02), "{} {}", added(29), added(25));
    assert!(is_about(added(60), 0.0), "{}", added(60));
}

#[test]
fn what_several_vote_for_counts_for_more_than_the_sum() {
    let (with, without) = (model(), support::model(TRACKS, 1));
    let heard = [10, 14];
    let (mut a, mut b) = (listen(&with, &heard), listen(&without, &heard));
    let added = scores(&with, &mut a)[15] - scores(&without, &mut b)[15];
    let sum = 0.4 + 0.2 / 2.0;
    assert!(is_about(added, sum * 2_f32.sqrt()), "{added}");
}

#[test]
fn a_track_that_was_just_heard_has_nothing_but_votes() {
    let model = model();
    let mut session = listen(&model, &[40, 41]);
    let found = scores(&model, &mut session);
    // 40 follows 41 a tenth as much as 41 follows it.
    assert!(is_about(found[40], 0.04 * HABITS.again + HABITS.back / 2.0), "{}", found[40]);
    assert!(is_about(found[41], 0.4 / 2.0 * HABITS.again + HABITS.stay), "{}", found[41]);
    // Nobody votes for the only track of a sitting.
    let mut alone = listen(&model, &[40]);
    assert!(is_about(scores(&model, &mut alone)[40], HABITS.stay));
}

#[test]
fn a_sitting_ends_where_the_listener_leaves_and_goes_on_without_what_was_refused() {
    let model = model();
    let all = |mut session: Session| {
        let votes = session.expectation(&model).votes;
        (0..TRACKS as u32).map(|row| votes.score(Row(row))).collect::<Vec<_>>()
    };
    let mut left = listen(&model, &[10, 20]);
    left.leave();
    assert!(all(left.clone()).iter().all(|&votes| votes == 0.0));
    observe(&model, &mut left, 30, Kind::Play);
    assert_eq!(all(left), all(listen(&model, &[30])));
    let mut refused = listen(&model, &[10, 20]);
    observe(&model, &mut refused, 20, Kind::Skip);
    assert_eq!(all(refused), all(listen(&model, &[10])));
    // A like says nothing of the order, and a track that goes on is one.
    let mut liked = listen(&model, &[10, 20, 20]);
    observe(&model, &mut liked, 50, Kind::Like);
    assert_eq!(all(liked), all(listen(&model, &[10, 20])));
}

#[test]
fn a_session_that_is_cleared_is_a_new_one() {
    let model = model();
    let mut used = listen(&model, &[10, 20, 30, 99]);
    scores(&model, &mut used);
    used.clear(&model);
    assert_eq!(scores(&model, &mut used), scores(&model, &mut Session::new(&model)));
    observe(&model, &mut used, 7, Kind::Play);
    assert_eq!(scores(&model, &mut used), scores(&model, &mut listen(&model, &[7])));
}

#[test]
fn a_sitting_moves_to_another_model() {
    let (from, to) = (support::model(TRACKS, 1), model());
    let session = listen(&from, &[10, 20]);
    let mut moved = session.moved(&from, &to);
    assert_eq!(scores(&to, &mut moved), scores(&to, &mut listen(&to, &[10, 20])));
}

proptest! {
    #[test]
    fn the_best_of_the_catalogue_is_what_ranking_all_of_it_gives(
        heard in prop::collection::vec((0..TRACKS as u32, 0..Kind::ALL.len()), 0..60),
        k in 0..50_usize,
    ) {
        let model = model();
        let mut session = Session::new(&model);
        for (row, kind) in heard {
            observe(&model, &mut session, row, Kind::ALL[kind]);
        }
        let (mut best, mut queue) = (Vec::<Place>::new(), Vec::new());
        top(&model, &mut session, k, |row| row.0 % 4 > 0, &mut best);
        let rows: Vec<Option<Row>> = (0..TRACKS as u32).map(|row| Some(Row(row))).collect();
        rank(&model, &mut session, &rows, TRACKS, &mut queue);
        queue.retain(|place| place.index() % 4 > 0);
        queue.truncate(k);
        prop_assert_eq!(best, queue);
    }
}

/// The reasons for each of the first rows beside all of them.
fn reasons(model: &Model, session: &mut Session, rows: u32) -> Vec<Vec<Reason>> {
    let mut explainer = Explainer::new(model, session);
    let all: Vec<Row> = (0..TRACKS as u32).map(Row).collect();
    explainer.beside(model, session, &all);
    (0..rows).map(|row| explainer.explain(model, session, Row(row))).collect()
}

fn followed(reasons: &[Reason]) -> Option<&Reason> {
    reasons.iter().find(|reason| reason.ground == Ground::Followed)
}

#[test]
fn the_voters_for_a_track_make_up_its_votes() {
    let model = model();
    let heard = [9, 14, 33, 10, 2];
    let mut session = listen(&model, &heard);
    let Expectation { votes, sitting, .. } = session.expectation(&model);
    for row in (0..TRACKS as u32).filter(|row| !heard.contains(row)).map(Row) {
        let voters = votes.voters(&model, sitting, row);
        let sum: f32 = voters.iter().map(|(_, vote)| vote).sum();
        assert!((sum - votes.score(row)).abs() < 1e-5, "{row:?}: {voters:?}");
    }
    let fifteen: Vec<Row> =
        votes.voters(&model, sitting, Row(15)).into_iter().map(|(voter, _)| voter).collect();
    assert_eq!(fifteen, [Row(10), Row(14)], "the last one first");
}

#[test]
fn a_track_that_follows_the_last_ones_says_so_and_names_them() {
    let model = model();
    let mut session = listen(&model, &[10, 14, 60]);
    let all = reasons(&model, &mut session, TRACKS as u32);
    let text = |row: usize| followed(&all[row]).map(Reason::text);
    assert_eq!(text(61).as_deref(), Some("often follows a track you just played"));
    assert_eq!(text(15).as_deref(), Some("often follows 2 tracks you just played"));
    assert_eq!(followed(&all[15]).unwrap().tracks, [Row(14), Row(10)], "the strongest first");
    assert_eq!(text(100), None);
    for (row, without) in [(61, [10, 14, 14]), (15, [60, 60, 60])] {
        let left = scores(&model, &mut listen(&model, &without));
        assert!(left[row] < scores(&model, &mut session)[row], "the score falls without them");
    }
    // Beside the mean of what votes add to all of them.
    let votes = session.expectation(&model).votes;
    let mean = (0..TRACKS as u32).map(|row| votes.score(Row(row))).sum::<f32>() / TRACKS as f32;
    assert!(is_about(followed(&all[61]).unwrap().effect, votes.score(Row(61)) - mean));
}

#[test]
fn tracks_are_not_named_in_whose_place_others_would_say_as_much() {
    // Six tracks vote alike for the last one, the older the more strongly, and the oldest a little less.
    let last = TRACKS as u32 - 1;
    let strength = |back: usize| match back {
        5 => 0.09 * 6_f32.powf(1.5),
        back => 0.1 * (back as f32 + 1.0).powf(1.5),
    };
    let parts = NeighbourParts {
        strengths: std::array::from_fn(strength),
        pairs: (0..6).map(|back| Pair { rows: [back, last], level: back as u8, lean: 0 }).collect(),
        habits: Habits { recency: 1.5, agreement: 0.0, ..HABITS },
        ..parts()
    };
    let mut model = support::model(TRACKS, 1);
    let section = encode_neighbours(model.ids_digest(), &parts).unwrap();
    model.add([(SectionKind::Transitions, section)]).unwrap();
    let told = |heard: &[u32]| {
        let all = reasons(&model, &mut listen(&model, heard), TRACKS as u32);
        followed(&all[last as usize]).map(|reason| reason.tracks.len())
    };
    assert_eq!(told(&[5, 4, 3, 2, 1, 0]), None);
    assert_eq!(told(&[2, 1, 0]), Some(3));
}

#[test]
fn a_track_that_was_just_heard_has_no_other_reason() {
    let model = model();
    let mut session = listen(&model, &[10, 14]);
    let all = reasons(&model, &mut session, 20);
    for row in [10, 14] {
        let [reason] = &all[row][..] else { panic!("{:?}", all[row]) };
        assert_eq!(
            (reason.ground, reason.text().as_str()),
            (Ground::Followed, "you just played it")
        );
        assert_eq!(reason.tracks, [Row(row as u32)]);
    }
    // After the listener has left, it is a track like any other.
    session.leave();
    let all = reasons(&model, &mut session, 20);
    assert!(all.iter().all(|reasons| followed(reasons).is_none()));
    assert!(all[10].iter().any(|reason| reason.ground == Ground::Played), "{:?}", all[10]);
}

#[test]
fn that_a_track_was_just_played_moves_it_as_the_reason_says() {
    let model = model();
    let mut told = [0, 0];
    for last in 0..TRACKS as u32 {
        let heard = [(last + 40) % TRACKS as u32, last];
        let mut session = listen(&model, &heard);
        let found = reasons(&model, &mut session, TRACKS as u32);
        let effect = found[last as usize][0].effect;
        if effect.abs() < 0.01 {
            continue;
        }
        let change = scores(&model, &mut session)[last as usize]
            - scores(&model, &mut listen(&model, &heard[..1]))[last as usize];
        assert!(change * effect > 0.0, "{last}: {effect} for {change}");
        told[usize::from(effect > 0.0)] += 1;
    }
    assert!(told[0] > 10, "{told:?}");
}

proptest! {
    #[test]
    fn taking_away_the_tracks_that_a_reason_names_takes_votes_away(
        heard in prop::collection::vec(0..TRACKS as u32, 1..40),
        recency in 0.0..1.5_f32,
        agreement in 0.0..1.0_f32,
    ) {
        let habits = Habits { recency, agreement, ..HABITS };
        let mut model = support::model(TRACKS, 1);
        let parts = NeighbourParts { habits, ..parts() };
        let section = encode_neighbours(model.ids_digest(), &parts).unwrap();
        model.add([(SectionKind::Transitions, section)]).unwrap();
        let mut session = listen(&model, &heard);
        for (row, reasons) in (0..).map(Row).zip(reasons(&model, &mut session, TRACKS as u32)) {
            let Some(reason) = followed(&reasons).filter(|r| r.tracks != [row]) else { continue };
            prop_assert!(reason.effect > 0.0);
            let rest: Vec<u32> =
                heard.iter().copied().filter(|&at| !reason.tracks.contains(&Row(at))).collect();
            let before = session.expectation(&model).votes.score(row);
            let mut without = listen(&model, &rest);
            prop_assert!(without.expectation(&model).votes.score(row) < before, "{:?}", reason);
        }
    }
}

#[test]
fn a_list_that_names_a_track_again_and_again_neither_panics_nor_passes_it_for_heard() {
    let pair = Pair { rows: [3, 4], level: 1, lean: 0 };
    for times in [127, 128, 300] {
        let mut model = support::model(TRACKS, 1);
        let forged = NeighbourParts { pairs: vec![pair; times], ..parts() };
        let section = encode_neighbours(model.ids_digest(), &forged).unwrap();
        model.add([(SectionKind::Transitions, section)]).unwrap();
        for sitting in [vec![3], vec![4, 3]] {
            let mut session = listen(&model, &sitting);
            let votes = session.expectation(&model).votes;
            assert_eq!(votes.is_heard(Row(4)), sitting.contains(&4), "{times}");
            assert!(votes.concern(Row(4)) && votes.score(Row(4)).is_finite());
        }
    }
}
