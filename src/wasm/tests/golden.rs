//! The same sessions give the same rankings here as natively, down to the last bit of each score.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod sessions;

use js_sys::Uint8Array;
use segue_core::event::Kind;
use segue_wasm::{UNKNOWN, engine::Engine, parts::Parts};
use sessions::{Given, Listener, Place, play, sessions};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

macro_rules! golden {
    ($name:literal) => {
        (
            include_bytes!(concat!("../../../pkg/test/fixtures/", $name, ".segue")),
            include_str!(concat!("../../../pkg/test/fixtures/", $name, ".txt")),
        )
    };
}

/// Models, by taste alone up to all that foretells a yes, and sessions with their answers.
const GOLDEN: [(&[u8], &str); 4] =
    [golden!("first"), golden!("followed"), golden!("split"), golden!("whole")];

fn listener(model: &[u8]) -> Engine {
    let mut parts = Parts::new();
    parts.add_file(&Uint8Array::from(model).unchecked_into()).ok().unwrap();
    Engine::new(parts).ok().unwrap()
}

/// A listener of the engine as a page has it.
struct Page(Engine);

impl Listener for Page {
    fn observe(&mut self, event: &Given<'_>) {
        let row = self.0.row_of(event.text("track").unwrap());
        if row != UNKNOWN {
            let kind: Kind = event.text("kind").unwrap().parse().unwrap();
            let (played, duration) = (event.number("played_ms"), event.number("duration_ms"));
            self.0.observe(kind as usize, row, played, duration, false).ok().unwrap();
        }
    }

    fn leave(&mut self) {
        self.0.leave();
    }

    fn moment(&mut self, given: &Given<'_>) {
        let texts = ["region", "device", "source", "mood"];
        let texts = texts.map(|name| given.text(name).unwrap_or_default()).join("\n");
        let number = |name| given.number(name).unwrap_or(f64::NAN);
        self.0.moment(number("at"), number("tz_offset_min"), &texts);
    }

    fn rank(&mut self, candidates: &[&str], given: &Given<'_>) -> Vec<Place> {
        let rows = self.0.rows_of(&candidates.join("\0"));
        let choice = |name| given.number(name).unwrap_or(f32::NAN);
        let seed = given.number("seed").unwrap_or(f64::NAN);
        let ranked = self.0.rank(
            &rows,
            given.number("limit").unwrap(),
            choice("diversity"),
            choice("artistGap"),
            choice("albumGap"),
            choice("fatigue"),
            choice("explore"),
            seed,
        );
        ranked.ok().unwrap().as_chunks().0.to_vec()
    }

    fn top(&mut self, limit: u32) -> Vec<Place> {
        self.0.top(limit, &[]).ok().unwrap().as_chunks().0.to_vec()
    }
}

#[wasm_bindgen_test]
fn golden_sessions_have_the_answers_that_native_code_gives() {
    for (model, text) in GOLDEN {
        assert!(sessions(text).count() >= 10);
        for (index, lines) in sessions(text).enumerate() {
            let mut page = Page(listener(model));
            for line in lines {
                assert_eq!(play(&mut page, line).unwrap(), line, "session {index}");
            }
        }
    }
}

#[wasm_bindgen_test]
fn a_listener_who_was_reset_answers_as_a_new_one() {
    for (model, text) in GOLDEN {
        let mut page = Page(listener(model));
        for line in sessions(text).flat_map(|lines| ["moment"].into_iter().chain(lines)) {
            if line == "moment" {
                page.0.reset();
            }
            assert_eq!(play(&mut page, line).unwrap(), line);
        }
    }
}
