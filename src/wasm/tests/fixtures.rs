//! What tests elsewhere read: models for those of the npm package, and golden queries that
//! are answered here natively and in `golden.rs` in WebAssembly.
//!
//! Where one fails after a change that is meant, `BLESS=1 cargo test -p segue-wasm --test fixtures`
//! writes them anew.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod queries;
mod world;

use std::{
    fs,
    path::{Path, PathBuf},
};

use queries::{BY_ALL, BY_SCORE, Choices, Query, order};
use segue_core::{
    event::Kind,
    ids::Row,
    kernel::Place,
    model::Model,
    rank::score,
    rng::SplitMix64,
    session::{Observation, Session},
    slate::{Options, Slate, rank},
};
use world::{EACH, GENRES, id};

const QUERIES: usize = 24;

#[test]
fn the_fixtures_of_the_package_are_the_models_of_the_small_world() {
    is_fixture("first.segue", &world::first().unwrap().to_file());
    is_fixture("second.segue", &world::second().unwrap().to_file());
    is_fixture("followed.segue", &world::followed().unwrap().to_file());
    is_fixture("ranked.segue", &world::ranked().unwrap().to_file());
    is_fixture("albums.segue", &world::albums().unwrap().to_file());
    is_fixture("kindred.segue", &world::kindred().unwrap().to_file());
    is_fixture("split.segue", &world::split().unwrap().to_file());
    is_fixture("split-second.segue", &world::split_second().unwrap().to_file());
}

#[test]
fn golden_queries_have_the_answers_that_this_target_gives() {
    are_golden(&world::first().unwrap(), "queries.txt", 1, BY_SCORE);
    are_golden(&world::ranked().unwrap(), "ranked.txt", 2, BY_SCORE);
    are_golden(&world::albums().unwrap(), "chosen.txt", 3, BY_ALL);
}

fn are_golden(model: &Model, name: &str, seed: u64, choices: Choices) {
    if blessing() {
        let mut rng = SplitMix64::new(seed);
        let line = |_| {
            let question = question(&mut rng);
            let answer = answer(model, &Query::parse(&format!("{question} |")).unwrap(), choices);
            format!("{question} | {answer}\n")
        };
        fs::write(path(name), (0..QUERIES).map(line).collect::<String>()).unwrap();
    }
    let lines = fs::read_to_string(path(name)).unwrap();
    let queries: Vec<Query<'_>> = lines.lines().map(|line| Query::parse(line).unwrap()).collect();
    assert_eq!(queries.len(), QUERIES);
    for (index, query) in queries.iter().enumerate() {
        assert_eq!(answer(model, query, choices), query.order, "{name}, query {index}");
    }
}

/// Up to twelve events, and up to eighty candidates of which some are unknown or there twice.
fn question(rng: &mut SplitMix64) -> String {
    let track = |rng: &mut SplitMix64| id(GENRES[rng.below(GENRES.len())], rng.below(EACH + 2));
    let observations: Vec<String> = (0..rng.below(13))
        .map(|_| {
            let kind = Kind::ALL[rng.below(Kind::ALL.len())];
            let played = rng.below(200_000);
            format!("{kind}={}@{played}/180000", track(rng))
        })
        .collect();
    let candidates: Vec<String> = (0..rng.below(81)).map(|_| track(rng)).collect();
    format!("{} | {}", observations.join(" "), candidates.join(" "))
}

fn answer(model: &Model, query: &Query<'_>, choices: Choices) -> String {
    let mut session = Session::new(model);
    for event in &query.observations {
        let Some(row) = model.row(event.track) else { continue };
        let heard = event.heard.map(|(played, whole)| played as f32 / whole as f32);
        session.observe(model, Observation { row, kind: event.kind.parse().unwrap(), heard });
    }
    let candidates: Vec<Option<Row>> = query.candidates.iter().map(|id| model.row(id)).collect();
    let (diversity, artist_gap, album_gap, fatigue, explore, seed) = choices;
    let seed = Some(seed.into());
    let options = Options { diversity, artist_gap, album_gap, fatigue, explore, seed };
    let (limit, mut slate, mut queue) = (candidates.len(), Slate::default(), Vec::new());
    rank(model, &mut session, &candidates, limit, &options, &mut slate, &mut queue);
    let mut bits = |place: &Place| score(model, session.query(model), place.points()).to_bits();
    order(queue.iter().map(|place| (place.index(), bits(place))))
}

fn is_fixture(name: &str, expected: &[u8]) {
    if blessing() {
        fs::write(path(name), expected).unwrap();
    }
    let found = fs::read(path(name)).unwrap();
    assert!(found == expected, "{name} is out of date: see the head of this file");
}

fn blessing() -> bool {
    std::env::var_os("BLESS").is_some()
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pkg/test/fixtures").join(name)
}
