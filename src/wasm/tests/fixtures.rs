//! What tests elsewhere read: models for those of the npm package, and golden sessions that are played here natively,
//! in `golden.rs` in WebAssembly, and by the tests of the package through it.
//!
//! Where one fails after a change that is meant, `BLESS=1 cargo test -p segue-wasm --test fixtures`
//! writes them anew.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod sessions;
mod world;

use std::{
    fs,
    path::{Path, PathBuf},
};

use segue_core::{
    event::{Kind, heard},
    ids::Row,
    kernel,
    model::{Model, delta},
    moment::{Field, Moment},
    rank,
    rng::SplitMix64,
    session::{Observation, Session},
    slate::{self, Options, Slate},
};
use sessions::{Given, Listener, Place, play, sessions};
use world::{EACH, GENRES, id};

/// Sessions of each model.
const SESSIONS: usize = 12;

#[test]
fn the_fixtures_of_the_package_are_the_models_of_the_small_world() {
    is_fixture("first.segue", &world::first().unwrap().to_file());
    is_fixture("second.segue", &world::second().unwrap().to_file());
    is_fixture("followed.segue", &world::followed().unwrap().to_file());
    is_fixture("ranked.segue", &world::ranked().unwrap().to_file());
    is_fixture("albums.segue", &world::albums().unwrap().to_file());
    is_fixture("whole.segue", &world::whole().unwrap().to_file());
    is_fixture("kindred.segue", &world::kindred().unwrap().to_file());
    is_fixture("split.segue", &world::split().unwrap().to_file());
    is_fixture("split-second.segue", &world::split_second().unwrap().to_file());
    let (split, renamed) = (world::split().unwrap(), world::split_renamed().unwrap());
    is_fixture("split-renamed.segue", &renamed.to_file());
    is_fixture("split-renamed.delta", &delta::between(&split, &renamed, 0).unwrap());
    let (first, second) = (world::first().unwrap(), world::second().unwrap());
    is_fixture("first-second.delta", &delta::between(&first, &second, 0).unwrap());
}

#[test]
fn golden_sessions_have_the_answers_that_this_target_gives() {
    are_golden(&world::first().unwrap(), "first.txt", 1);
    are_golden(&world::followed().unwrap(), "followed.txt", 2);
    are_golden(&world::split().unwrap(), "split.txt", 3);
    let text = are_golden(&world::whole().unwrap(), "whole.txt", 4);
    does_everything(&text);
}

/// Whether sessions have all that a listener may do.
fn does_everything(text: &str) {
    let kinds = Kind::ALL.map(|kind| format!("observe kind={kind} "));
    let fields = FIELDS.map(|(name, [known, _])| format!(" {name}={known}"));
    let others =
        ["\nleave", "\nmoment", "\nrank limit=", "\ntop limit="].into_iter().chain(CHOICES);
    let words = kinds.into_iter().chain(fields).chain(others.map(String::from));
    words.for_each(|word| assert!(text.contains(&word), "{word}"));
}

fn are_golden(model: &Model, name: &str, seed: u64) -> String {
    if blessing() {
        let mut rng = SplitMix64::new(seed);
        let each: Vec<String> = (0..SESSIONS).map(|_| played(model, &story(&mut rng))).collect();
        fs::write(path(name), each.join("\n")).unwrap();
    }
    let text = fs::read_to_string(path(name)).unwrap();
    let each: Vec<_> = sessions(&text).collect();
    assert_eq!(each.len(), SESSIONS);
    for (index, lines) in each.iter().enumerate() {
        assert_eq!(played(model, lines).trim_end(), lines.join("\n"), "{name}, session {index}");
    }
    text
}

/// The lines of a session with their answers.
fn played(model: &Model, lines: &[impl AsRef<str>]) -> String {
    let mut listener = Native::new(model);
    let line = |line: &_| play(&mut listener, AsRef::as_ref(line)).unwrap() + "\n";
    lines.iter().map(line).collect()
}

/// What queues may be chosen by.
const CHOICES: [&str; 6] =
    [" diversity=", " artistGap=", " albumGap=", " fatigue=", " explore=", " seed="];

/// What may be known of a moment, with a value that the model knows and one that it does not.
const FIELDS: [(&str, [&str; 2]); 6] = [
    ("at", ["1735691384747", "1735732800000"]),
    ("tz_offset_min", ["-180", "330"]),
    ("region", ["BR", "IS"]),
    ("device", ["phone", "toaster"]),
    ("source", ["radio:42", "search"]),
    ("mood", ["calm", "loud"]),
];

/// Up to four rounds: events on tracks of which some are unknown, perhaps a pause or another moment, and a ranking.
fn story(rng: &mut SplitMix64) -> Vec<String> {
    let mut lines = Vec::new();
    for _ in 0..2 + rng.below(3) {
        for _ in 0..rng.below(6) {
            let kind = Kind::ALL[rng.below(Kind::ALL.len())];
            let times = match rng.below(4) {
                0 => String::new(),
                _ => format!(" played_ms={} duration_ms=180000", rng.below(200_000)),
            };
            lines.push(format!("observe kind={kind} track={}{times}", track(rng)));
        }
        if rng.below(4) == 0 {
            lines.push("leave".to_owned());
        }
        if rng.below(2) == 0 {
            let known = FIELDS.iter().filter(|_| rng.below(4) > 0).collect::<Vec<_>>();
            let word = |(name, values): &(&str, [&str; 2])| {
                format!(" {name}={}", values[usize::from(rng.below(4) == 0)])
            };
            lines.push(format!("moment{}", known.into_iter().map(word).collect::<String>()));
        }
        lines.push(ranking(rng));
    }
    lines.push(format!("top limit={}", 1 + rng.below(20)));
    lines
}

/// A ranking of up to sixty candidates, some of them unknown or there twice, by scores alone or by some choices.
fn ranking(rng: &mut SplitMix64) -> String {
    let mut line = format!("rank limit={}", 1 + rng.below(60));
    if rng.below(3) > 0 {
        let eighths = |most: usize, rng: &mut SplitMix64| rng.below(8 * most) as f64 / 8.0;
        let values = [
            format!("diversity={}", eighths(1, rng)),
            format!("artistGap={}", rng.below(4)),
            format!("albumGap={}", rng.below(6)),
            format!("fatigue={}", eighths(2, rng)),
            format!("explore={}", eighths(1, rng)),
            format!("seed={}", rng.below(1 << 20)),
        ];
        let some = values.iter().filter(|_| rng.below(4) > 0);
        line.extend(some.flat_map(|value| [" ", value]));
    }
    let candidates: Vec<String> = (0..=rng.below(60)).map(|_| track(rng)).collect();
    format!("{line} | {}", candidates.join(" "))
}

fn track(rng: &mut SplitMix64) -> String {
    id(GENRES[rng.below(GENRES.len())], rng.below(EACH + 2))
}

/// A listener of the engine as native code.
struct Native<'a> {
    model: &'a Model,
    session: Session,
    slate: Slate,
}

impl<'a> Native<'a> {
    fn new(model: &'a Model) -> Self {
        Self { model, session: Session::new(model), slate: Slate::default() }
    }

    /// A queue as it crosses.
    fn crossing(&mut self, queue: &[kernel::Place]) -> Vec<Place> {
        let Self { model, session, slate } = self;
        let query = session.query(model);
        let place = |(at, place): (usize, &kernel::Place)| {
            let score = rank::score(model, query, place.points());
            let skip = rank::skip(model, place.points()).unwrap_or(f32::NAN);
            [place.index(), score.to_bits(), skip.to_bits(), slate.moved(at).cast_unsigned()]
        };
        queue.iter().enumerate().map(place).collect()
    }
}

impl Listener for Native<'_> {
    fn observe(&mut self, event: &Given<'_>) {
        let Some(row) = self.model.row(event.text("track").unwrap()) else { return };
        let kind = event.text("kind").unwrap().parse().unwrap();
        let times = event.number("played_ms").zip(event.number("duration_ms"));
        let heard = times.and_then(|(played, whole)| heard(played, whole));
        self.session.observe(self.model, Observation { row, kind, heard });
    }

    fn leave(&mut self) {
        self.session.leave();
    }

    fn moment(&mut self, given: &Given<'_>) {
        let texts = [
            (Field::Region, "region"),
            (Field::Device, "device"),
            (Field::Source, "source"),
            (Field::Mood, "mood"),
        ];
        let known = texts.into_iter().filter_map(|(field, name)| Some((field, given.text(name)?)));
        let mut moment =
            known.fold(Moment::default(), |moment, (field, text)| moment.with(field, text));
        if let Some((at, offset)) = given.number("at").zip(given.number("tz_offset_min")) {
            moment = moment.on(at, offset);
        }
        self.session.at(moment);
    }

    fn rank(&mut self, candidates: &[&str], given: &Given<'_>) -> Vec<Place> {
        let rows: Vec<Option<Row>> = candidates.iter().map(|id| self.model.row(id)).collect();
        let usual = Options::default();
        let options = Options {
            diversity: given.number("diversity").unwrap_or(usual.diversity),
            artist_gap: given.number("artistGap").unwrap_or(usual.artist_gap),
            album_gap: given.number("albumGap").unwrap_or(usual.album_gap),
            fatigue: given.number("fatigue").unwrap_or(usual.fatigue),
            explore: given.number("explore").unwrap_or(usual.explore),
            seed: given.number("seed"),
        };
        let limit = given.number("limit").unwrap();
        let Self { model, session, slate } = self;
        let mut queue = Vec::new();
        slate::rank(model, session, &rows, limit, &options, slate, &mut queue);
        self.crossing(&queue)
    }

    fn top(&mut self, limit: u32) -> Vec<Place> {
        let mut queue = Vec::new();
        rank::top(self.model, &mut self.session, limit as usize, |_| true, &mut queue);
        self.slate.clear();
        self.crossing(&queue)
    }
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
