//! From the intake to the lake: every event once, whatever ends early, and as it was taken in.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
};

use proptest::prelude::*;
use segue_core::event::{Context, Event, Kind, Propensity};
use segue_serve::{
    intake::{Coding, Intake, Options},
    lake::{Day, Lake, LakeError},
    privacy,
};
use tempfile::TempDir;

const NOW: i64 = 1_790_000_000_000;
const DAY: i64 = 86_400_000;

fn event(n: usize) -> Event {
    Event {
        id: format!("event-{n}"),
        user: format!("user-{}", n % 7),
        session: "s".into(),
        track: format!("track-{}", n % 11),
        at: NOW - (n as i64 % 3) * DAY - n as i64,
        kind: Kind::ALL[n % 7],
        played_ms: n.is_multiple_of(2).then_some(1000),
        duration_ms: Some(2000),
        context: (!n.is_multiple_of(8)).then(|| Context {
            region: ["DE", "BR"].get(n % 5).map(|&region| region.into()),
            ..Context::default()
        }),
        exposures: None,
        propensity: None,
        candidates: None,
    }
}

fn take(intake: &Intake, events: &[Event]) {
    let body = serde_json::to_vec(events).unwrap();
    let batch = intake.read(&body, Coding::Identity, NOW, None).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let receipt = runtime.block_on(intake.take(batch)).unwrap();
    assert_eq!(receipt.accepted, events.len(), "{receipt:?}");
}

fn all(lake: &Lake) -> Vec<Event> {
    let files = lake.files(Day::FIRST..=Day::LAST).unwrap();
    files.iter().flat_map(|file| lake.read(file).unwrap().unwrap()).map(|row| row.event).collect()
}

/// The ids, each once.
fn ids(events: &[Event]) -> BTreeSet<String> {
    let ids: BTreeSet<String> = events.iter().map(|event| event.id.clone()).collect();
    assert_eq!(ids.len(), events.len(), "an event is there twice");
    ids
}

struct House {
    folder: TempDir,
}

impl House {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    fn intake(&self, name: &str) -> Intake {
        Intake::open(&Options::at(self.folder.path().join(name))).unwrap()
    }

    fn lake(&self) -> Lake {
        Lake::create(self.folder.path().join("lake")).unwrap()
    }
}

#[test]
fn what_was_taken_is_in_the_lake_by_day_and_region_and_the_intake_is_empty() {
    let house = House::new();
    let (intake, lake) = (house.intake("intake"), house.lake());
    let events: Vec<Event> = (0..100).map(event).collect();
    take(&intake, &events);
    let moved = intake.compact(&lake).unwrap();
    assert_eq!(moved.events, 100);

    let files = lake.files(Day::FIRST..=Day::LAST).unwrap();
    assert_eq!((files.len() as u64, moved.files), (9, 9), "three days of DE, BR and nowhere");
    for file in &files {
        let path = house.folder.path().join("lake").join(file.name());
        assert_eq!(fs::metadata(path).unwrap().len(), file.bytes);
        for row in lake.read(file).unwrap().unwrap() {
            assert_eq!(Day::of(row.event.at), file.partition.day);
            let region = row.event.context.and_then(|context| context.region);
            assert_eq!(region, file.partition.region);
            assert_eq!((row.arrived, row.correction_ms), (NOW, 0));
        }
    }
    // But for who it was, each is as it was sent; what says nothing is nothing.
    let sent: BTreeMap<String, Event> =
        events.into_iter().map(|event| (event.id.clone(), event)).collect();
    let found = all(&lake);
    assert_eq!(ids(&found).len(), 100);
    for event in found {
        let sent = &sent[&event.id];
        assert_ne!(event.user, sent.user);
        let context = sent.context.clone().filter(|context| *context != Context::default());
        let (user, session) = (event.user.clone(), event.session.clone());
        assert_eq!(event, Event { user, session, context, ..sent.clone() });
    }
    let one_day = lake.files(Day::of(NOW)..=Day::of(NOW)).unwrap();
    assert_eq!(one_day.len(), 3);
    assert_eq!(intake.compact(&lake).unwrap().events, 0);
    // What was moved is still known by its id.
    let body = serde_json::to_vec(&[event(0)]).unwrap();
    let batch = intake.read(&body, Coding::Identity, NOW, None).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(intake.take(batch)).unwrap().duplicates, 1);
}

#[test]
fn many_collectors_write_to_one_lake() {
    let house = House::new();
    let lake = house.lake();
    for collector in 0..3 {
        let intake = house.intake(&format!("intake-{collector}"));
        for round in 0..4 {
            let from = 100 * (4 * collector + round);
            take(&intake, &(from..from + 100).map(event).collect::<Vec<_>>());
            intake.compact(&lake).unwrap();
        }
    }
    assert_eq!(ids(&all(&lake)).len(), 1200);
}

#[test]
fn a_bucket_is_a_lake_like_a_folder_and_who_is_erased_is_gone_from_it() {
    let house = House::new();
    let objects = Arc::new(object_store::memory::InMemory::new());
    let lake = Lake::over(objects, "music/lake", "memory://music/lake").unwrap();
    let intake = house.intake("intake");
    take(&intake, &(0..60).map(event).collect::<Vec<_>>());
    intake.compact(&lake).unwrap();
    assert_eq!(ids(&all(&lake)).len(), 60);
    assert!(
        lake.files(Day::of(NOW)..=Day::of(NOW)).unwrap().len()
            < lake.files(Day::FIRST..=Day::LAST).unwrap().len()
    );
    // One of what they sent is still in the intake; the next one comes after, and stays.
    take(&intake, &[event(63)]);
    let erasure = privacy::erase(intake.dir(), Some(&lake), "user-0", NOW).unwrap();
    assert_eq!((erasure.intake_events, erasure.lake_events), (1, 9));
    let body = serde_json::to_vec(&[event(70)]).unwrap();
    let batch = intake.read(&body, Coding::Identity, NOW + 1, None).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(intake.take(batch)).unwrap();
    intake.compact(&lake).unwrap();
    let left = ids(&all(&lake));
    assert_eq!(left.len(), 60 - 9 + 1);
    assert!(left.contains("event-70") && !left.contains("event-63") && !left.contains("event-7"));
}

/// Whatever a lake's folder refuses at some moment: here, that a partition is a file.
fn block(lake: &Path, day: i64) -> std::path::PathBuf {
    let partition = lake.join(format!("events/day={}", Day::of(day)));
    fs::create_dir_all(partition.parent().unwrap()).unwrap();
    fs::write(&partition, "in the way").unwrap();
    partition
}

#[test]
fn a_move_that_ends_early_is_done_again_and_nothing_is_lost_or_doubled() {
    let house = House::new();
    let lake = house.lake();
    let intake = house.intake("intake");
    take(&intake, &(0..50).map(event).collect::<Vec<_>>());
    // The last of three days cannot be written; those before are.
    let blocked = block(lake.place(), NOW);
    let error = intake.compact(&lake).unwrap_err().to_string();
    assert!(error.contains("day="), "{error}");
    let half = all(&lake).len();
    assert!(half > 0 && half < 50, "{half}");
    // More comes meanwhile, and the process ends.
    take(&intake, &(50..60).map(event).collect::<Vec<_>>());
    drop(intake);
    let intake = house.intake("intake");
    intake.compact(&lake).unwrap_err();
    fs::remove_file(blocked).unwrap();
    let moved = intake.compact(&lake).unwrap();
    assert_eq!(moved.events, 60);
    assert_eq!(ids(&all(&lake)).len(), 60);
}

#[test]
fn a_file_that_is_damaged_is_an_error_that_names_it() {
    let house = House::new();
    let (intake, lake) = (house.intake("intake"), house.lake());
    take(&intake, &[event(0)]);
    intake.compact(&lake).unwrap();
    let file = lake.files(Day::FIRST..=Day::LAST).unwrap().remove(0);
    let path = lake.place().join(file.name());
    let bytes = fs::read(&path).unwrap();
    for at in (0..bytes.len()).step_by(7) {
        for damaged in [bytes[..at].to_vec(), {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x55;
            flipped
        }] {
            fs::write(&path, damaged).unwrap();
            // What is flipped may still be read; it never panics, nor is anything made up that is no event.
            if let Err(error) = lake.read(&file) {
                assert!(matches!(error, LakeError::Damaged { .. }), "{error}");
                assert!(error.to_string().contains(file.name()), "{error}");
            }
        }
    }
    fs::remove_file(path).unwrap();
    assert!(lake.read(&file).unwrap().is_none(), "one that somebody removed is none");
    assert!(matches!(Lake::open(house.folder.path().join("none")), Err(LakeError::Absent(_))));
    assert!(matches!(Lake::open("ftp://lake"), Err(LakeError::Scheme(_))));
}

prop_compose! {
    fn text()(text in "\\PC{1,12}") -> String { text }
}

prop_compose! {
    fn any_event()(
        id in text(), user in text(), session in text(), track in text(),
        at in 946_684_800_000..NOW, kind in 0..9_usize,
        played_ms in proptest::option::of(any::<u32>()), duration_ms in proptest::option::of(any::<u32>()),
        region in proptest::option::of("[A-Z]{2}"), tz_offset_min in proptest::option::of(-1440..=1440_i16),
        device in proptest::option::of(text()), source in proptest::option::of(text()), mood in proptest::option::of(text()),
        exposures in proptest::option::of(proptest::collection::btree_map(text(), text(), 0..4)),
        offer in proptest::option::of((1e-9..=1.0_f64, proptest::collection::btree_set("[a-z]{3}", 0..5))),
    ) -> Event {
        let kind = if offer.is_some() { Kind::Impression } else { Kind::ALL[kind] };
        let candidates = offer.as_ref().map(|(_, others)| {
            let mut all: Vec<String> = others.iter().cloned().collect();
            all.push(track.clone());
            all.dedup();
            all
        });
        Event {
            id, user, session, track, at, kind, played_ms, duration_ms,
            context: Some(Context { region, tz_offset_min, device, source, mood }).filter(|c| *c != Context::default()),
            exposures,
            propensity: offer.map(|(chance, _)| Propensity::try_from(chance).unwrap()),
            candidates,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_sound_events_come_out_as_they_went_in(events in proptest::collection::vec(any_event(), 1..20)) {
        let house = House::new();
        let (intake, lake) = (house.intake("intake"), house.lake());
        let body = serde_json::to_vec(&events).unwrap();
        let batch = intake.read(&body, Coding::Identity, NOW, None).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let receipt = runtime.block_on(intake.take(batch)).unwrap();
        prop_assert_eq!(receipt.refused, 0, "{:?}", receipt);
        intake.compact(&lake).unwrap();
        let mut first: BTreeMap<(String, String), Event> = BTreeMap::new();
        for event in events {
            first.entry((event.user.clone(), event.id.clone())).or_insert(event);
        }
        let bare = |event: &Event| Event { user: String::new(), session: String::new(), ..event.clone() };
        let mut sent: Vec<Event> = first.values().map(bare).collect();
        let mut found: Vec<Event> = all(&lake).iter().map(bare).collect();
        for list in [&mut sent, &mut found] {
            list.sort_by_key(|event| serde_json::to_string(event).unwrap());
        }
        prop_assert_eq!(sent, found);
    }
}
