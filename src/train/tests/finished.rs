//! What the people of a cluster finish: what counts, what is told, and of how many.

use segue_core::{
    event::Kind,
    ids::Row,
    membership::kindred,
    model::{Loss, Model, Responses, SectionKind, TasteParts, encode_ranking},
};
use segue_train::{
    dataset::Heard,
    finished::{Crowd, Recipe, finishes, memberships},
};

const PLAIN: Recipe = Recipe { shrinkage: 0.0, power: 0.0, entries: 10 };
const LISTENERS: u32 = 20;

/// Of twenty listeners the first ten are of cluster 0, the others of cluster 1.
fn two_crowds() -> Vec<f32> {
    (0..LISTENERS).flat_map(|l| if l < 10 { [1.0, 0.0] } else { [0.0, 1.0] }).collect()
}

fn pairs(finished: &[(u32, std::ops::Range<u32>)]) -> Vec<(u32, u32)> {
    finished.iter().flat_map(|(track, by)| by.clone().map(|listener| (*track, listener))).collect()
}

fn tracks(list: &[(u32, f32)]) -> Vec<u32> {
    list.iter().map(|(track, _)| *track).collect()
}

#[test]
fn a_cluster_lists_what_its_people_finish_more_than_others_do() {
    let finished = pairs(&[(0, 0..10), (1, 0..20), (2, 4..16), (3, 10..15), (4, 3..13)]);
    let lists = Crowd::new(&finished, &two_crowds(), 2, |_| true).lists(PLAIN);
    assert_eq!(tracks(lists.of(0)), [0, 4]);
    assert_eq!(tracks(lists.of(1)), [3]);
    assert_eq!(lists.of(0)[0].1, 1.0);
    assert!((lists.of(0)[1].1 - 0.7).abs() < 1e-6);
}

#[test]
fn nothing_is_told_that_fewer_than_five_listeners_or_mostly_one_of_them_did() {
    let finished = pairs(&[(0, 0..10), (1, 0..4), (2, 0..5), (3, 10..20)]);
    let lists = Crowd::new(&finished, &two_crowds(), 2, |_| true).lists(PLAIN);
    assert_eq!(tracks(lists.of(0)), [0, 2]);
    // The first listener is of the cluster, seven others hardly are.
    let mostly_one: Vec<f32> =
        (0..LISTENERS).flat_map(|l| if l == 0 { [1.0, 0.0] } else { [0.02, 0.98] }).collect();
    let lists = Crowd::new(&pairs(&[(0, 0..8), (1, 0..20)]), &mostly_one, 2, |_| true).lists(PLAIN);
    assert!(lists.of(0).is_empty(), "{:?}", lists.of(0));
}

#[test]
fn shrinkage_and_a_power_of_popularity_move_weights_as_they_are_said_to() {
    let finished = pairs(&[(0, 0..5), (1, 0..14), (2, 10..20)]);
    let lists = |recipe| Crowd::new(&finished, &two_crowds(), 2, |_| true).lists(recipe);
    assert_eq!(tracks(lists(PLAIN).of(0)), [1, 0]);
    assert_eq!(tracks(lists(Recipe { power: 1.0, ..PLAIN }).of(0)), [0, 1]);
    // Twice as often as by others; half of that is left where as many again are added.
    let [by_ratio, shrunk] = [0.0, 10.0].map(|shrinkage| {
        let lists = lists(Recipe { power: 1.0, shrinkage, ..PLAIN });
        lists.of(0)[0].1
    });
    assert!((by_ratio - 2.0).abs() < 1e-5, "{by_ratio}");
    assert!((shrunk - (by_ratio + 1.0) / 2.0).abs() < 1e-5, "{shrunk}");
    assert_eq!(lists(Recipe { entries: 1, ..PLAIN }).of(0).len(), 1);
}

#[test]
fn only_what_was_heard_to_its_end_was_finished_and_each_counts_once() {
    let event = |row, kind, amount| Heard {
        at: 0,
        listener: 3,
        row: Row(row),
        amount,
        kind,
        opens: false,
        place: 0,
    };
    let events = [
        event(1, Kind::Play, 1.0),
        event(1, Kind::Play, 0.95),
        event(2, Kind::Play, 0.5),
        event(3, Kind::Skip, 1.0),
        event(0, Kind::Replay, 1.0),
        event(4, Kind::Like, 1.0),
    ];
    assert_eq!(finishes(events.iter()), [(0, 3), (1, 3)]);
}

#[test]
fn lists_go_into_a_model_in_the_order_that_they_have_and_without_what_is_not_there() {
    let finished = pairs(&[(0, 0..10), (1, 0..8), (2, 0..6), (3, 10..20)]);
    let lists = Crowd::new(&finished, &two_crowds(), 2, |track| track != 1).lists(PLAIN);
    let fingerprints = [0, 1 << 62, 1 << 63];
    let taste = TasteParts {
        loss: Loss { unobserved: 0.1, ridge: 0.1, exponent: 1.0 },
        catalogue: 3.0,
        pull: 1.0,
        responses: Responses::default(),
        mean: vec![1.0],
        gram: None,
    };
    let (ids, mut sections) = encode_ranking(&fingerprints, &[0.1], &[1, 2, 3], &taste);
    let place = |track: u32| (track != 3).then_some(Row(track));
    sections.push((SectionKind::Finished, lists.section(ids, 3, place).unwrap()));
    let model = Model::from_sections(sections).unwrap();
    let found = kindred(&model.finished().unwrap(), &[1.0, 0.0], 5, |_| true);
    assert_eq!(found.iter().map(|kin| kin.row).collect::<Vec<_>>(), [0, 2]);
    assert!((found[1].score - 0.6).abs() < 0.01, "{found:?}");
    let nothing = Crowd::new(&[], &two_crowds(), 2, |_| true).lists(PLAIN);
    assert!(nothing.section(ids, 3, place).is_none());
}

#[test]
fn a_listener_is_more_of_the_cluster_that_their_taste_is_nearer_to() {
    let directions = [1.0, 0.0, 0.0, 1.0];
    let of = |user: [f32; 2]| memberships(&user, 2, &directions, 4.0);
    let near = of([3.0, 1.0]);
    assert!(near[0] > 0.9 && (near[0] + near[1] - 1.0).abs() < 1e-6, "{near:?}");
    assert_eq!(of([2.0, 2.0]), [0.5, 0.5]);
    assert_eq!(of([0.0, 0.0]), [0.5, 0.5]);
}
