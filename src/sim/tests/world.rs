//! The world and its truth, before anybody listens.

#![expect(clippy::unwrap_used, reason = "helpers of tests may")]

use std::collections::HashSet;

use segue_sim::{Config, ConfigError, MAX_DAYS, MAX_LISTENERS, MAX_TRACKS, World};

fn world(tracks: u32, seed: u64) -> World {
    World::new(&Config { listeners: 10, tracks, days: 30, seed, ..Config::default() }).unwrap()
}

/// A configuration out of range is refused, and the message says which field, what was given and
/// what is expected.
#[test]
fn bad_configurations_are_refused_with_clear_messages() {
    let good = Config::default();
    assert_eq!(good.validate(), Ok(()));
    let cases = [
        (Config { listeners: 0, ..good.clone() }, "`listeners` is 0; expected 1 to 10000000"),
        (Config { tracks: 0, ..good.clone() }, "`tracks` is 0; expected 1 to 5000000"),
        (Config { days: 0, ..good.clone() }, "`days` is 0; expected 1 to 3660"),
        (
            Config { listeners: MAX_LISTENERS + 1, ..good.clone() },
            "`listeners` is 10000001; expected 1 to 10000000",
        ),
        (Config { tracks: MAX_TRACKS + 1, ..good.clone() }, "`tracks` is 5000001"),
        (Config { days: MAX_DAYS + 1, ..good.clone() }, "`days` is 3661"),
        (Config { start_ms: -1, ..good.clone() }, "`start_ms` is -1; 30 days from there"),
        (Config { start_ms: i64::MAX, ..good.clone() }, "between 1970 and the end of 9999"),
        (Config { start_ms: i64::MIN, ..good }, "so expected 0 to 253399708799999"),
    ];
    for (config, expected) in cases {
        let error = World::new(&config).expect_err(expected);
        assert!(error.to_string().contains(expected), "{error}");
    }
    let late = Config { start_ms: 253_399_708_800_000, ..Config::default() };
    assert!(matches!(late.validate(), Err(ConfigError::Start { days: 30, .. })));
}

/// The catalogue has one entry for each track, found by its id, with names, a plausible length
/// and a genre, a second genre and two moods as tags.
#[test]
fn every_track_has_names_length_and_tags() {
    let world = world(2_000, 3);
    let mut ids = HashSet::new();
    for (entry, index) in world.catalogue().zip(world.tracks()) {
        assert_eq!(world.find(&entry.track), Some(index));
        assert!(!entry.title.is_empty() && !entry.artist.is_empty() && !entry.album.is_empty());
        assert!(!entry.title.contains(['{', '}']), "{}", entry.title);
        assert!(!entry.title.contains("  "), "{}", entry.title);
        assert!((45_000..=1_500_000).contains(&entry.duration_ms), "{entry:?}");
        assert_eq!(entry.tags.len(), 4, "{entry:?}");
        ids.insert(entry.track);
    }
    assert_eq!(ids.len(), 2_000);
    for unknown in ["t002000", "t2", "x000001", "t", "", "t+00001", "t0000001"] {
        assert_eq!(world.find(unknown), None, "{unknown}");
    }
}

/// In a large catalogue hardly any title, and no name of an artist, comes twice.
#[test]
fn names_have_few_duplicates() {
    let world = world(20_000, 1);
    let titles: HashSet<String> = world.catalogue().map(|track| track.title).collect();
    assert!(titles.len() > 19_900, "{} titles", titles.len());
    let names: HashSet<String> = world.catalogue().map(|track| track.artist).collect();
    let artists: HashSet<u32> = world.truth().tracks.iter().map(|track| track.artist).collect();
    assert!(names.len() + 5 > artists.len(), "{} names, {} artists", names.len(), artists.len());
}

/// The same seed gives the same catalogue and truth, another seed gives others.
#[test]
fn the_seed_decides_the_world() {
    let (one, same, other) = (world(500, 1), world(500, 1), world(500, 2));
    assert!(one.catalogue().eq(same.catalogue()));
    assert_eq!(one.truth(), same.truth());
    assert!(one.catalogue().ne(other.catalogue()));
}

/// The truth names a track for each craze and the tracks of the genre that emerges, all of them
/// in the catalogue, and says the same as the tags.
#[test]
fn the_truth_agrees_with_the_catalogue() {
    let world = world(1_000, 5);
    let truth = world.truth();
    assert_eq!(truth.tracks.len(), 1_000);
    assert!(!truth.viral.is_empty() && !truth.playlists.is_empty());
    for viral in &truth.viral {
        assert!(world.find(&viral.track).is_some());
        assert!(truth.start_ms <= viral.start_ms && viral.start_ms < viral.peak_ms);
        assert!(viral.start_ms < truth.end_ms && viral.half_life_ms > 0);
        assert_eq!(viral.regions[0].region, viral.lead_region);
        assert!(viral.regions[1..].iter().all(|region| region.strength < 1.0));
    }
    let emerging = truth.emerging.expect("a catalogue of this size has one");
    let tagged = world.catalogue().filter(|track| track.tags[0] == emerging.genre);
    let tagged: Vec<String> = tagged.map(|track| track.track).collect();
    assert_eq!(tagged, emerging.tracks);
    for (entry, track) in world.catalogue().zip(&truth.tracks) {
        assert_eq!((&entry.track, &entry.tags[0]), (&track.track, &track.genre));
        assert_eq!(entry.tags[2], track.mood);
    }
    for list in &truth.playlists {
        assert!(list.tracks.iter().all(|track| world.find(track).is_some()), "{}", list.title);
    }
}

/// The truth serialises to JSON.
#[test]
fn the_truth_serialises() {
    let json = serde_json::to_value(world(200, 1).truth()).unwrap();
    assert_eq!(json["tracks"].as_array().unwrap().len(), 200);
    assert!(json["viral"][0]["lead_region"].is_string());
}
