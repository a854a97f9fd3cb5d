//! What becomes of a log in memory.
#![allow(clippy::unwrap_used, reason = "what tests are made of may fail them")]

use std::{fs, sync::atomic::AtomicBool};

use segue_core::catalogue::Track;
use segue_train::{dataset::Builder, log};

fn built(log_text: &str, catalogue: Vec<Track>) -> segue_train::dataset::Dataset {
    let file = tempfile::Builder::new().suffix(".jsonl").tempfile().unwrap();
    fs::write(file.path(), log_text).unwrap();
    let mut builder = Builder::default();
    builder.read(file.path(), &log::Options::default(), &AtomicBool::new(false)).unwrap();
    builder.finish(catalogue).unwrap()
}

#[test]
fn an_event_sent_twice_counts_once_and_two_events_of_one_moment_count_twice() {
    let event =
        |id: &str| format!(r#"{{"id":"{id}","user":"u","track":"t","at":1,"kind":"like"}}"#);
    let log = [event("a"), event("b"), event("a")].join("\n");
    assert_eq!(built(&log, vec![]).len(), 2);
    let without = r#"{"user":"u","track":"t","at":1}"#;
    assert_eq!(built(&[without, without].join("\n"), vec![]).len(), 1, "no id tells them apart");
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
