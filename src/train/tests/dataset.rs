//! What becomes of a log in memory.
#![allow(clippy::unwrap_used, reason = "what tests are made of may fail them")]

use std::{fmt::Write, fs, sync::atomic::AtomicBool};

use segue_core::{
    catalogue::Track,
    event::{Kind, heard},
    ids::Row,
};
use segue_train::{
    dataset::{Builder, Dataset, gather},
    log,
};

fn built(log_text: &str, catalogue: Vec<Track>) -> Dataset {
    let file = tempfile::Builder::new().suffix(".jsonl").tempfile().unwrap();
    fs::write(file.path(), log_text).unwrap();
    let mut builder = Builder::default();
    builder.read(file.path(), &log::Options::default(), &AtomicBool::new(false)).unwrap();
    builder.finish(catalogue).unwrap()
}

/// The tracks of one listener's events, in order.
fn order(dataset: &Dataset, listener: usize) -> Vec<&str> {
    let track = |row: Row| dataset.tracks[row.index()].track.as_str();
    dataset.of(listener).iter().map(|event| track(event.row)).collect()
}

fn lengths() -> Vec<Track> {
    let entry = |track: &str, duration_ms| Track {
        track: track.into(),
        title: "A title".into(),
        duration_ms,
        ..Track::default()
    };
    vec![entry("a", 200_000), entry("b", 90_000)]
}

#[test]
fn a_length_that_only_the_catalogue_knows_says_the_same_as_one_in_the_row() {
    let log = |with_length: bool| {
        let mut log = String::new();
        for (played_ms, track, kind) in
            [(2_000, "a", "play"), (45_001, "b", "skip"), (7, "a", "skip"), (89_999, "b", "play")]
        {
            let length = if track == "a" { 200_000 } else { 90_000 };
            let length = with_length.then(|| format!(r#","duration_ms":{length}"#));
            let length = length.unwrap_or_default();
            writeln!(
                log,
                r#"{{"user":"u","track":"{track}","at":1,"kind":"{kind}","played_ms":{played_ms}{length}}}"#
            )
            .unwrap();
        }
        log
    };
    let whole = built(&log(true), vec![]);
    let late = built(&log(false), lengths());
    assert_eq!(late.events(), whole.events());
    assert_eq!(gather(late.of(0)), gather(whole.of(0)));
    let a = late.tracks.iter().position(|track| track.track == "a").unwrap();
    let evidence = gather(late.of(0));
    let amount = evidence.iter().find(|e| e.row.index() == a).unwrap().amount(Kind::Play);
    assert!((amount - 0.01).abs() < 1e-6, "two seconds of 200 are no whole yes: {amount}");
}

#[test]
fn a_length_in_any_row_of_a_track_serves_all_of_them_and_a_rows_own_goes_first() {
    let log = r#"{"user":"u","track":"a","at":1,"played_ms":50}
{"user":"u","track":"a","at":2,"played_ms":50,"duration_ms":200}
{"user":"u","track":"a","at":3,"played_ms":50,"duration_ms":100}
{"user":"u","track":"a","at":4,"played_ms":50,"play_ratio":1}
{"user":"u","track":"b","at":5,"played_ms":50}"#;
    let amounts: Vec<f32> = built(log, vec![]).events().iter().map(|e| e.amount).collect();
    assert_eq!(amounts, [0.25, 0.25, 0.5, 1.0, 1.0]);
}

#[test]
fn the_fraction_heard_is_between_none_and_all_of_a_track_of_known_length() {
    assert_eq!(heard(30, 120), Some(0.25));
    assert_eq!(heard(0, 120), Some(0.0));
    assert_eq!((heard(200, 120), heard(u32::MAX, 1)), (Some(1.0), Some(1.0)));
    assert_eq!((heard(30, 0), heard(0, 0)), (None, None));
}

#[test]
fn events_of_one_time_stay_in_the_order_of_the_log() {
    let log: String = (0..60)
        .map(|n| {
            let (track, day) = (n * 7 % 60, 1 + n / 30);
            format!("{{\"user\":\"u{}\",\"track\":\"t{track}\",\"at\":{day}}}\n", n % 2)
        })
        .collect();
    let dataset = built(&log, vec![]);
    for listener in 0..2 {
        let written: Vec<String> =
            (0..60).filter(|n| n % 2 == listener).map(|n| format!("t{}", n * 7 % 60)).collect();
        assert_eq!(order(&dataset, listener), written);
        let (before, after) = dataset.split_by_time(listener);
        assert_eq!((before.len(), after.len()), (24, 6));
        let last: Vec<&str> = order(&dataset, listener)[24..].to_vec();
        assert_eq!(last, written[24..], "the latest fifth is the end of the log");
    }
}

#[test]
fn a_repeat_among_events_of_one_time_goes_and_the_order_stays() {
    let event = |track: &str| format!(r#"{{"user":"u","track":"{track}","at":86400}}"#);
    let log = ["c", "a", "b", "a", "c", "d", "a"].map(event).join("\n");
    assert_eq!(order(&built(&log, vec![]), 0), ["c", "a", "b", "d"]);
}

#[test]
fn an_id_that_comes_again_is_one_event_and_another_id_is_another() {
    let event = |id: &str, user: &str, track: &str, at: u32, kind: &str| {
        format!(r#"{{"id":"{id}","user":"{user}","track":"{track}","at":{at},"kind":"{kind}"}}"#)
    };
    let first = event("a", "u", "t", 5, "like");
    let count = |other: &str| built(&[&first, other].join("\n"), vec![]).len();
    assert_eq!(count(&first), 1);
    assert_eq!(count(&event("a", "u", "t", 3, "like")), 1, "sent again with another time");
    assert_eq!(count(&event("b", "u", "t", 5, "like")), 2, "ids tell them apart");
    // Ids that every file, device or listener counts from 1 do not make one event of many.
    assert_eq!(count(&event("a", "v", "t", 5, "like")), 2);
    assert_eq!(count(&event("a", "u", "t2", 5, "like")), 2);
    assert_eq!(count(&event("a", "u", "t", 5, "play")), 2);
    let again = event("a", "u", "t", 3, "like");
    assert_eq!(built(&[first, again].join("\n"), vec![]).events()[0].at, 3_000, "the earliest");
}

#[test]
fn without_an_id_listener_time_track_and_kind_decide() {
    let without = r#"{"user":"u","track":"t","at":5}"#;
    let with = |id: &str| format!(r#"{{"id":"{id}","user":"u","track":"t","at":5}}"#);
    let count = |lines: &[&str]| built(&lines.join("\n"), vec![]).len();
    assert_eq!(count(&[without, without]), 1);
    assert_eq!(count(&[without, r#"{"user":"u","track":"t","at":6}"#]), 2);
    assert_eq!(count(&[without, r#"{"user":"u","track":"t","at":5,"kind":"like"}"#]), 2);
    // Nothing tells it from either of those that have one, wherever it stands.
    assert_eq!(count(&[without, &with("a"), &with("b")]), 2);
    assert_eq!(count(&[&with("a"), without, &with("b")]), 2);
    assert_eq!(count(&[&with("a"), &with("b"), without]), 2);
}

#[test]
fn a_catalogue_says_more_of_a_track_and_takes_nothing_away() {
    let log =
        r#"{"user":"u","track":"t","at":1,"title":"Plain","artist":"Anna","duration_ms":9000}"#;
    let entry = Track { track: "t".into(), title: "Proper".into(), ..Track::default() };
    let track = built(log, vec![entry]).tracks[0].clone();
    let found = (track.title.as_str(), track.artist.as_str(), track.duration_ms);
    assert_eq!(found, ("Proper", "Anna", 9000));
}

#[test]
fn a_sample_leaves_out_who_alone_would_be_half_of_it() {
    let mut log = String::new();
    for (listener, events) in [("bot", 600), ("a", 20), ("b", 20), ("c", 20), ("d", 20), ("e", 20)]
    {
        for n in 0..events {
            writeln!(log, r#"{{"user":"{listener}","track":"t{}","at":{n}}}"#, n % 7).unwrap();
        }
    }
    let dataset = built(&log, vec![]);
    for seed in 0..20 {
        let sample = dataset.sample(60, seed);
        assert_eq!((sample.listeners(), sample.len()), (3, 60), "seed {seed}");
    }
    assert_eq!(dataset.sample(700, 1).listeners(), 6, "all of it");
    assert!(dataset.sample(30, 1).is_empty(), "everybody alone is more than half");
}
