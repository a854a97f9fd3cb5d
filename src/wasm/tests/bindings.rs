//! What comes in wrong is thrown with a message: nothing from outside makes the module trap.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use js_sys::Error;
use segue_core::{
    event::Kind,
    model::{Model, SectionKind},
    reason::Ground,
    rng::SplitMix64,
};
use segue_wasm::{
    UNKNOWN,
    engine::Engine,
    manifest::check_manifest,
    parts::{Parts, Uint8Array},
};
use wasm_bindgen::{JsCast, JsError, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use world::{EACH, GENRES, id};

wasm_bindgen_test_configure!(run_in_browser);

const TRACKS: u32 = (GENRES.len() * EACH) as u32;

fn js(bytes: &[u8]) -> Uint8Array {
    js_sys::Uint8Array::from(bytes).unchecked_into()
}

fn place(kind: SectionKind) -> usize {
    SectionKind::ALL.iter().position(|other| *other == kind).unwrap()
}

/// The sections of a model, one by one.
fn parts(model: &Model) -> Parts {
    let mut parts = Parts::new();
    for (kind, bytes) in model.sections() {
        parts.add(place(kind.kind), kind.shard, &js(&bytes)).ok().unwrap();
    }
    parts
}

fn listener() -> Engine {
    Engine::new(parts(&world::first().unwrap())).ok().unwrap()
}

/// The message of what was thrown.
fn message<T>(result: Result<T, JsError>) -> String {
    let error = result.err().map(JsValue::from).unwrap();
    error.unchecked_into::<Error>().message().into()
}

/// By scores alone.
fn rank(engine: &mut Engine, rows: &[u32], limit: u32) -> Result<Vec<u32>, JsError> {
    engine.rank(rows, limit, f32::NAN, f32::NAN, f32::NAN, f32::NAN, f32::NAN, f64::NAN)
}

fn row(engine: &Engine, genre: usize, n: usize) -> u32 {
    engine.row_of(&id(GENRES[genre], n))
}

#[wasm_bindgen_test]
fn sections_that_arrive_one_by_one_make_the_model_that_their_file_makes() {
    let model = world::first().unwrap();
    let mut whole = Parts::new();
    whole.add_file(&js(&model.to_file())).ok().unwrap();
    let mut from_file = Engine::new(whole).ok().unwrap();
    let all: Vec<u32> = (0..TRACKS).collect();
    let ranked = |engine: &mut Engine| rank(engine, &all, TRACKS).ok().unwrap();
    assert_eq!(ranked(&mut from_file), ranked(&mut listener()));
}

#[wasm_bindgen_test]
fn parts_that_are_no_model_are_refused() {
    let file = world::first().unwrap().to_file();
    assert!(message(Parts::new().add_file(&js(b"GIF89a"))).contains("not a segue model"));
    assert!(message(Parts::new().add_file(&js(&file[..file.len() - 1]))).contains("truncated"));
    assert!(
        message(Parts::new().add(SectionKind::ALL.len(), 0, &js(&[0; 16])))
            .contains("no such section kind")
    );
    assert!(message(Engine::new(Parts::new())).contains("`ids` is missing"));

    let mut twice = parts(&world::first().unwrap());
    twice.keep(place(SectionKind::Ids), 0, &listener()).ok().unwrap();
    assert!(message(Engine::new(twice)).contains("`ids` is given twice"));
}

#[wasm_bindgen_test]
fn damaged_sections_give_an_error_or_a_model_that_ranks() {
    let model = world::albums().unwrap();
    let mut rng = SplitMix64::new(7);
    for _ in 0..500 {
        let mut parts = Parts::new();
        for (kind, bytes) in model.sections() {
            let mut bytes = bytes.to_vec();
            if rng.below(3) == 0 {
                let at = rng.below(bytes.len());
                bytes[at] ^= 1 << rng.below(8);
            }
            if rng.below(20) == 0 {
                bytes.truncate(rng.below(bytes.len()));
            }
            parts.add(place(kind.kind), kind.shard, &js(&bytes)).ok().unwrap();
        }
        let Ok(mut engine) = Engine::new(parts) else { continue };
        engine.observe(Kind::Skip as usize, 0, Some(1), None, false).ok().unwrap();
        let all: Vec<u32> = (0..TRACKS).collect();
        assert_eq!(rank(&mut engine, &all, TRACKS).ok().unwrap().len(), all.len() * 4);
        assert_eq!(engine.top(5, &[]).ok().unwrap().len(), 20);
        engine.explain(&all, &all).ok().unwrap();
        for row in all {
            engine.title(row).ok().unwrap();
            engine.cluster_of(row).ok().unwrap();
        }
    }
}

#[wasm_bindgen_test]
fn a_replacement_carries_the_session_over() {
    let mut engine = listener();
    let skipped = row(&engine, 0, 3);
    engine.observe(Kind::Skip as usize, skipped, None, None, false).ok().unwrap();
    engine.replace(Engine::new(parts(&world::second().unwrap())).ok().unwrap());
    assert_eq!(engine.evidence()[0], row(&engine, 0, 3));
}

#[wasm_bindgen_test]
fn parts_that_do_not_belong_to_the_model_leave_the_engine_as_it_was() {
    let mut engine = listener();
    let before = engine.top(TRACKS, &[]).ok().unwrap();
    let mut twice = Parts::new();
    assert!(twice.keep(place(SectionKind::Text), 0, &engine).ok().unwrap());
    assert!(!twice.keep(place(SectionKind::Text), 1, &engine).ok().unwrap());
    assert!(message(engine.add(twice)).contains("`text` is given twice"));
    let mut shard = Parts::new();
    shard.add(place(SectionKind::Ids), 1, &js(&[0; 16])).ok().unwrap();
    assert!(message(engine.add(shard)).contains("`shards` is missing"));
    assert_eq!(engine.top(TRACKS, &[]).ok().unwrap(), before);
    assert!(engine.nearest(4).is_empty());
}

#[wasm_bindgen_test]
fn a_row_beyond_the_model_is_refused_by_every_call() {
    let mut engine = listener();
    let beyond = "row 60 is beyond the model's 60 tracks";
    assert_eq!(message(rank(&mut engine, &[0, TRACKS], 1)), beyond);
    assert_eq!(message(engine.top(1, &[TRACKS])), beyond);
    assert_eq!(message(engine.list(&[TRACKS])), beyond);
    assert_eq!(message(engine.explain(&[TRACKS], &[])), beyond);
    assert_eq!(message(engine.explain(&[0], &[TRACKS])), beyond);
    assert_eq!(message(engine.observe(Kind::Like as usize, TRACKS, None, None, false)), beyond);
    assert_eq!(message(engine.title(TRACKS)), beyond);
    assert_eq!(message(engine.artist(TRACKS)), beyond);
    assert_eq!(message(engine.duration_ms(TRACKS)), beyond);
    assert_eq!(message(engine.cluster_of(TRACKS)), beyond);
    assert_eq!(engine.cluster_name(usize::MAX), None);
}

#[wasm_bindgen_test]
fn the_unknown_row_is_taken_in_lists_and_refused_alone() {
    let mut engine = listener();
    assert_eq!(
        rank(&mut engine, &[UNKNOWN], 9).ok().unwrap(),
        [0, f32::NEG_INFINITY.to_bits(), f32::NAN.to_bits(), 0]
    );
    assert_eq!(engine.explain(&[UNKNOWN], &[UNKNOWN]).ok().unwrap(), [0]);
    assert_eq!(engine.top(TRACKS, &[UNKNOWN]).ok().unwrap().len(), 4 * EACH * GENRES.len());
    assert!(
        message(engine.observe(Kind::Like as usize, UNKNOWN, None, None, false)).contains("no row")
    );
    assert!(engine.title(UNKNOWN).is_err());
}

#[wasm_bindgen_test]
fn a_kind_that_does_not_exist_is_refused() {
    let mut engine = listener();
    let beyond = Kind::ALL.len();
    assert!(message(engine.observe(beyond, 0, None, None, false)).contains("no such kind"));
    assert!(engine.evidence().is_empty());
}

#[wasm_bindgen_test]
fn only_listed_tracks_are_on_top_until_all_are_listed_again() {
    let mut engine = listener();
    engine.list(&[3, 5, UNKNOWN]).ok().unwrap();
    let rows = |engine: &mut Engine, exclude: &[u32]| {
        let mut rows: Vec<u32> =
            engine.top(TRACKS, exclude).ok().unwrap().chunks(4).map(|place| place[0]).collect();
        rows.sort_unstable();
        rows
    };
    assert_eq!(rows(&mut engine, &[]), [3, 5]);
    assert_eq!(rows(&mut engine, &[5]), [3]);
    engine.list_all();
    assert_eq!(rows(&mut engine, &[]).len(), TRACKS as usize);
}

#[wasm_bindgen_test]
fn reasons_cross_with_their_ground_effect_and_tracks() {
    let mut engine = listener();
    let (skipped, other) = (row(&engine, 0, 0), row(&engine, 0, 1));
    engine.observe(Kind::Skip as usize, skipped, None, None, false).ok().unwrap();
    let numbers = engine.explain(&[UNKNOWN, other], &[]).ok().unwrap();
    let reasons = engine.reasons();
    assert_eq!(numbers[0], 0);
    assert_eq!(reasons.lines().count(), numbers[1] as usize);
    let found = numbers.windows(4).any(|reason| {
        reason[0] == Ground::Skipped as u32
            && f32::from_bits(reason[1]) < 0.0
            && reason[2..] == [1, skipped]
    });
    assert!(found, "{numbers:?}");
    assert!(reasons.contains("similar to 1 track you skipped"));
}

#[wasm_bindgen_test]
fn half_an_hour_away_is_told_and_leaving_or_the_past_takes_the_votes() {
    let mut engine = Engine::new(parts(&world::followed().unwrap())).ok().unwrap();
    let (heard, next) = (row(&engine, 0, 7), row(&engine, 1, 7));
    let why = |engine: &mut Engine| {
        engine.explain(&[next], &[]).ok().unwrap();
        engine.reasons()
    };
    engine.observe(Kind::Play as usize, heard, None, None, true).ok().unwrap();
    assert!(!why(&mut engine).contains("often follows"));
    engine.observe(Kind::Play as usize, heard, None, None, false).ok().unwrap();
    assert!(why(&mut engine).contains("often follows a track you just played"));
    engine.leave();
    assert!(!why(&mut engine).contains("often follows"));

    assert!(!engine.was_away(1e12, 60_000));
    assert!(!engine.was_away(1e12 + 1_860_000.0, 0));
    assert!(engine.was_away(1e12 + 3_660_001.0, 0));
    for nonsense in [f64::MAX, f64::NAN, -1.0] {
        engine.was_away(nonsense, u32::MAX);
    }
    engine.reset();
    assert!(!engine.was_away(1e15, 0), "nothing is known of a new listener");
}

#[wasm_bindgen_test]
fn a_manifest_is_judged_by_the_core() {
    assert!(message(check_manifest(3, 1.0, "", &[])).contains("format 3"));
    assert!(message(check_manifest(2, 3.0, "", &[])).contains("0 sections"));
    let (lower, upper) = ("0f".repeat(32), "0F".repeat(32));
    assert!(check_manifest(2, 3.0, &format!("ids\n{lower}"), &[0, 16]).is_ok());
    let refused = |second: &str| {
        let texts = format!("ids\n{lower}\n{second}");
        message(check_manifest(2, 3.0, &texts, &[0, 16, 0, 16]))
    };
    assert!(refused(&format!("text\n{upper}")).contains("`text`"));
    assert!(refused("text\n").contains("`text`"), "no hash at all");
    assert!(refused(&format!("ids\n{lower}")).contains("named twice"));
}

#[wasm_bindgen_test]
fn options_of_any_size_make_a_queue_of_all_candidates() {
    let mut engine = Engine::new(parts(&world::albums().unwrap())).ok().unwrap();
    let all: Vec<u32> = (0..TRACKS).collect();
    for wild in [0.5, -1.0, 1e9, f32::MAX, f32::INFINITY, f32::NEG_INFINITY] {
        let seed = wild.into();
        let queue = engine.rank(&all, TRACKS, wild, wild, wild, wild, wild, seed).ok().unwrap();
        let mut indices: Vec<u32> = queue.chunks_exact(4).map(|place| place[0]).collect();
        indices.sort_unstable();
        assert_eq!(indices, all, "{wild}");
    }
}
