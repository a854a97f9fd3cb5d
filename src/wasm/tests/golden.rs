//! The same queries give the same order here as natively, down to the last bit of each score.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod queries;

use js_sys::Uint8Array;
use queries::{BY_ALL, BY_SCORE, Choices, Query, order};
use segue_core::event::Kind;
use segue_wasm::{engine::Engine, parts::Parts};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// Models, by taste alone and by all that foretells a yes, and queries with their answers.
const GOLDEN: [(&[u8], &str, Choices); 3] = [
    (
        include_bytes!("../../../pkg/test/fixtures/first.segue"),
        include_str!("../../../pkg/test/fixtures/queries.txt"),
        BY_SCORE,
    ),
    (
        include_bytes!("../../../pkg/test/fixtures/ranked.segue"),
        include_str!("../../../pkg/test/fixtures/ranked.txt"),
        BY_SCORE,
    ),
    (
        include_bytes!("../../../pkg/test/fixtures/albums.segue"),
        include_str!("../../../pkg/test/fixtures/chosen.txt"),
        BY_ALL,
    ),
];

fn listener(model: &[u8]) -> Engine {
    let mut parts = Parts::new();
    parts.add_file(&Uint8Array::from(model).unchecked_into()).ok().unwrap();
    Engine::new(parts).ok().unwrap()
}

fn answer(engine: &mut Engine, query: &Query<'_>, choices: Choices) -> String {
    for event in &query.observations {
        let row = engine.row_of(event.track);
        if row != segue_wasm::UNKNOWN {
            let (played, duration) = event.heard.unzip();
            let kind: Kind = event.kind.parse().unwrap();
            engine.observe(kind as usize, row, played, duration, false).ok().unwrap();
        }
    }
    if query.candidates.is_empty() {
        return String::new();
    }
    let rows = engine.rows_of(&query.candidates.join("\0"));
    let (diversity, artists, albums, fatigue, explore, seed) = choices;
    let (artists, albums, seed) = (artists.into(), albums.into(), seed.into());
    let ranked = engine.rank(&rows, u32::MAX, diversity, artists, albums, fatigue, explore, seed);
    order(ranked.ok().unwrap().chunks_exact(4).map(|place| (place[0], place[1])))
}

#[wasm_bindgen_test]
fn golden_queries_have_the_answers_that_native_code_gives() {
    for (model, queries, choices) in GOLDEN {
        let queries: Vec<Query<'_>> = queries.lines().filter_map(Query::parse).collect();
        assert!(queries.len() >= 20);
        for (index, query) in queries.iter().enumerate() {
            assert_eq!(answer(&mut listener(model), query, choices), query.order, "query {index}");
        }
    }
}

#[wasm_bindgen_test]
fn a_listener_who_was_reset_answers_as_a_new_one() {
    for (model, queries, choices) in GOLDEN {
        let mut engine = listener(model);
        for query in queries.lines().filter_map(Query::parse) {
            assert_eq!(answer(&mut engine, &query, choices), query.order);
            engine.reset();
        }
    }
}
