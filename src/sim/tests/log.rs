//! The log: its form, its rates, and the trends that can be found in it.

#![expect(clippy::unwrap_used, reason = "helpers of tests may")]

use std::collections::{BTreeMap, HashMap, HashSet};

use segue_core::event::{Event, Kind};
use segue_sim::{Config, DAY_MS, World};

fn world(listeners: u32, tracks: u32, days: u32, seed: u64) -> World {
    World::new(&Config { listeners, tracks, days, seed, ..Config::default() }).unwrap()
}

fn is_listen(event: &Event) -> bool {
    matches!(event.kind, Kind::Play | Kind::Skip)
}

fn region(event: &Event) -> &str {
    event.context.as_ref().and_then(|context| context.region.as_deref()).unwrap()
}

fn json_lines(world: &World, count: usize) -> String {
    world.events().take(count).map(|event| serde_json::to_string(&event).unwrap() + "\n").collect()
}

/// The same seed writes the same bytes, another seed or size others.
#[test]
fn the_same_seed_writes_the_same_bytes() {
    let log = json_lines(&world(50, 200, 5, 1), usize::MAX);
    assert!(log.len() > 10_000);
    assert_eq!(log, json_lines(&world(50, 200, 5, 1), usize::MAX));
    assert_ne!(log, json_lines(&world(50, 200, 5, 2), usize::MAX));
    assert_ne!(log, json_lines(&world(51, 200, 5, 1), usize::MAX));
}

/// The log of a small world has the digest stated here on every machine: to change it is to change
/// everybody's ground truth, and must be meant.
#[test]
fn the_log_of_a_small_world_is_known() {
    let mut digest = 0xCBF2_9CE4_8422_2325_u64; // FNV-1a
    for event in world(50, 200, 5, 1).events() {
        let Event { id, track, at, kind, played_ms, .. } = event;
        for byte in format!("{id} {track} {at} {kind} {played_ms:?}\n").bytes() {
            digest = (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }
    assert_eq!(digest, 0x32E0_5607_2A65_C186, "{digest:#018X}");
}

/// Events come in the order of time, within the period, each valid and with an id of its own that
/// no other seed uses.
#[test]
fn events_are_ordered_valid_and_unique() {
    let config = Config { listeners: 300, tracks: 500, days: 10, seed: 4, ..Config::default() };
    let world = World::new(&config).unwrap();
    let mut ids = HashSet::new();
    let mut last = config.start_ms;
    for event in world.events() {
        event.validate().unwrap();
        assert!(event.at >= last && event.at < config.start_ms + 10 * DAY_MS);
        last = event.at;
        assert!(event.id.len() <= 16, "{}", event.id);
        assert!(ids.insert(event.id));
    }
    let other = World::new(&Config { seed: 5, ..config }).unwrap();
    assert!(other.events().all(|event| !ids.contains(&event.id)));
}

/// A listen is one event: a play, or a skip that ends before the track does. What a listener says
/// of a track follows a listen to it, in the same session.
#[test]
fn a_listen_is_one_event_and_opinions_follow_it() {
    let world = world(200, 500, 10, 6);
    let durations: HashMap<String, u32> =
        world.catalogue().map(|track| (track.track, track.duration_ms)).collect();
    let mut heard: HashMap<String, Event> = HashMap::new();
    let mut opinions = 0;
    for event in world.events() {
        if is_listen(&event) {
            let (played, duration) = (event.played_ms.unwrap(), event.duration_ms.unwrap());
            assert_eq!(duration, durations[&event.track]);
            assert!(played > 0 && played <= duration);
            assert!(event.kind != Kind::Skip || played < duration);
            if let Some(previous) = heard.get(&event.user) {
                assert!(event.at - i64::from(played) >= previous.at, "listens overlap");
            }
            heard.insert(event.user.clone(), event);
        } else if event.kind != Kind::Search {
            assert_eq!((event.played_ms, event.duration_ms), (None, None));
            let previous = &heard[&event.user];
            assert_eq!((&event.track, &event.session), (&previous.track, &previous.session));
            assert_eq!(event.kind == Kind::Dislike, previous.kind == Kind::Skip);
            opinions += 1;
        }
    }
    assert!(opinions > 500);
}

/// What was asked for again comes again at once.
#[test]
fn a_replay_is_followed_by_the_same_track() {
    let mut again: HashMap<String, String> = HashMap::new();
    let mut replays = 0;
    for event in world(200, 500, 10, 6).events() {
        if event.kind == Kind::Replay {
            again.insert(event.user, event.track);
            replays += 1;
        } else if let Some(track) = again.remove(&event.user) {
            assert_eq!(event.track, track);
        }
    }
    assert!(replays > 100);
}

/// Skips, likes, dislikes, saves, replays and how much is heard are within the ranges known of
/// streaming services, and every kind of source and device occurs.
#[test]
fn rates_are_realistic() {
    for seed in [1, 2] {
        let mut kinds: BTreeMap<Kind, f64> = BTreeMap::new();
        let (mut whole, mut early) = (0.0, 0.0);
        let (mut sources, mut devices) = (HashSet::new(), HashSet::new());
        for event in world(600, 2_000, 20, seed).events() {
            *kinds.entry(event.kind).or_default() += 1.0;
            whole += f64::from(event.heard() == Some(1.0));
            let seconds = event.played_ms.unwrap_or(0) / 1_000;
            early += f64::from(event.kind == Kind::Skip && seconds < 10);
            let context = event.context.unwrap();
            sources.insert(context.source.unwrap().split(':').next().unwrap().to_owned());
            devices.insert(context.device.unwrap());
        }
        let listens = kinds[&Kind::Play] + kinds[&Kind::Skip];
        let share = |kind: Kind| kinds[&kind] / listens;
        let between = |low: f64, value: f64, high: f64, what: &str| {
            assert!(low < value && value < high, "{what} {value} with seed {seed}");
        };
        between(0.20, share(Kind::Skip), 0.35, "skips");
        between(0.02, share(Kind::Like), 0.06, "likes");
        between(0.002, share(Kind::Dislike), 0.02, "dislikes");
        between(0.01, share(Kind::Replay), 0.03, "replays");
        between(0.008, share(Kind::Save), 0.03, "saves");
        between(0.001, share(Kind::Search), 0.02, "searches");
        between(0.4, whole / listens, 0.7, "heard to the end");
        between(0.25, early / kinds[&Kind::Skip], 0.6, "skips within ten seconds");
        assert_eq!((sources.len(), devices.len()), (7, 5), "{sources:?} {devices:?}");
    }
}

/// Popularity is a power law, activity is skewed, sessions are of human length, and people listen
/// by day in their own time zone.
#[test]
fn popularity_activity_and_hours_are_uneven() {
    let world = world(1_000, 2_000, 15, 1);
    let (mut tracks, mut users, mut sessions) = (HashMap::new(), HashMap::new(), HashMap::new());
    let mut hours = [0_u32; 24];
    for event in world.events().filter(is_listen) {
        let zone = i64::from(event.context.unwrap().tz_offset_min.unwrap());
        let hour = (event.at + zone * 60_000).rem_euclid(DAY_MS) / 3_600_000;
        hours[usize::try_from(hour).unwrap()] += 1;
        *tracks.entry(event.track).or_insert(0_u32) += 1;
        *users.entry(event.user).or_insert(0_u32) += 1;
        *sessions.entry(event.session).or_insert(0_u32) += 1;
    }
    assert_eq!(users.len(), 1_000, "everybody is heard");
    let sorted = |counts: HashMap<String, u32>| {
        let mut counts: Vec<u32> = counts.into_values().collect();
        counts.sort_unstable();
        counts
    };
    let (tracks, users, sessions) = (sorted(tracks), sorted(users), sorted(sessions));
    let head: u32 = tracks.iter().rev().take(200).sum();
    let all: u32 = tracks.iter().sum();
    assert!((0.4..0.8).contains(&(f64::from(head) / f64::from(all))), "{head} of {all}");
    assert!(users[950] > 10 * users[50], "{} and {}", users[950], users[50]);
    let middle = sessions[sessions.len() / 2];
    assert!((5..=14).contains(&middle), "median session of {middle}");
    let sum = |range: std::ops::Range<usize>| hours[range].iter().sum::<u32>();
    assert!(sum(16..20) > 3 * sum(2..6), "{hours:?}");
}

/// A track that goes viral is little heard before its start, rises in its lead region first, and
/// is heard less again afterwards.
#[test]
fn viral_tracks_rise_in_the_lead_region_first_and_decay() {
    let world = world(3_000, 1_000, 24, 2);
    let truth = world.truth();
    let courses: HashMap<&str, _> =
        truth.viral.iter().map(|viral| (viral.track.as_str(), viral)).collect();
    // Rates per listen: before, at and after the peak in the lead region, and elsewhere at it.
    let mut of_viral = [0.0; 4];
    let mut of_all = [0.0; 4];
    for event in world.events().filter(is_listen) {
        for (track, viral) in &courses {
            let lead = region(&event) == viral.lead_region;
            let phase = if event.at < viral.start_ms {
                0
            } else if (event.at - viral.peak_ms).abs() < DAY_MS {
                if lead { 1 } else { 3 }
            } else if event.at > viral.peak_ms + 3 * viral.half_life_ms {
                2
            } else {
                continue;
            };
            if lead || phase == 3 {
                of_all[phase] += 1.0;
                of_viral[phase] += f64::from(event.track == *track);
            }
        }
    }
    let rates: Vec<f64> = of_viral.iter().zip(of_all).map(|(some, all)| some / all).collect();
    let [before, peak, after, elsewhere] = rates[..] else { unreachable!() };
    assert!(peak > 0.01 && peak > 10.0 * before, "{rates:?}");
    assert!(after < peak / 2.0, "{rates:?}");
    assert!(elsewhere < peak / 2.0, "{rates:?}");
}

/// The emerging genre's share of listens grows from next to nothing.
#[test]
fn the_emerging_genre_grows() {
    let world = world(1_500, 2_000, 20, 3);
    let truth = world.truth();
    let emerging: HashSet<String> = truth.emerging.unwrap().tracks.into_iter().collect();
    let mut quarters = [(0.0, 0.0); 4];
    for event in world.events().filter(is_listen) {
        let quarter = (event.at - truth.start_ms) / (5 * DAY_MS);
        let (some, all) = &mut quarters[usize::try_from(quarter).unwrap()];
        *some += f64::from(emerging.contains(&event.track));
        *all += 1.0;
    }
    let shares = quarters.map(|(some, all)| some / all);
    assert!(shares[0] < 0.01 && shares[3] > 0.02, "{shares:?}");
    assert!(shares[3] > 5.0 * shares[0] && shares[2] > shares[1], "{shares:?}");
}

/// Nothing is heard before it comes out.
#[test]
fn nothing_is_heard_before_its_release() {
    let world = world(300, 1_000, 20, 8);
    let released: HashMap<String, i64> =
        world.truth().tracks.into_iter().map(|track| (track.track, track.released_ms)).collect();
    let start = world.config().start_ms;
    assert!(released.values().any(|&at| at > start));
    assert!(world.events().all(|event| event.at >= released[&event.track]));
}

/// The smallest worlds work: one listener, one track, one day, from any start.
#[test]
fn the_smallest_worlds_work() {
    for (listeners, tracks, days) in [(1, 1, 1), (1, 50, 1), (30, 1, 2), (1, 1_000, 3), (5, 99, 1)]
    {
        for (seed, start_ms) in [(0, 0), (u64::MAX, 0), (7, 253_402_300_799_999 - 3 * DAY_MS)] {
            let config = Config { listeners, tracks, days, seed, start_ms };
            let world = World::new(&config).unwrap();
            let events: Vec<Event> = world.events().collect();
            assert!(events.iter().any(is_listen), "{config:?}");
            assert!(events.iter().all(|event| event.validate().is_ok()), "{config:?}");
            assert_eq!(world.catalogue().count(), tracks as usize);
            assert_eq!(world.truth().tracks.len(), tracks as usize);
        }
    }
}

/// A log that explores is another one that the same seed writes again, and the plain log has no impressions.
#[test]
fn the_same_seed_explores_alike() {
    let world = world(50, 200, 5, 1);
    assert!(world.explored().eq(world.explored()));
    assert!(world.events().all(|event| event.kind != Kind::Impression));
    let ids: HashSet<String> = world.events().map(|event| event.id).collect();
    assert!(world.explored().all(|explored| !ids.contains(&explored.event.id)));
}

/// Each impression says what it was drawn among, with chances of a hundredth or more and a truth for each, and
/// what the listener then does is about its track.
#[test]
fn an_impression_says_how_it_was_drawn_and_is_followed_by_a_listen() {
    let world = world(100, 300, 10, 2);
    let mut shown: HashMap<String, String> = HashMap::new();
    let (mut impressions, mut full) = (0, 0);
    for explored in world.explored() {
        let event = explored.event;
        event.validate().unwrap();
        if event.kind != Kind::Impression {
            assert_eq!((explored.enjoyed, event.propensity, event.candidates), (None, None, None));
            if let Some(track) = shown.remove(&event.user) {
                assert_eq!(track, event.track);
                assert!(matches!(event.kind, Kind::Play | Kind::Skip));
            }
            continue;
        }
        let (enjoyed, candidates) = (explored.enjoyed.unwrap(), event.candidates.unwrap());
        assert!(event.propensity.unwrap().get() >= 0.01);
        assert_eq!(enjoyed.len(), candidates.len());
        assert!(enjoyed.iter().all(|chance| (0.0..=1.0).contains(chance)));
        impressions += 1;
        full += usize::from(candidates.len() == 20);
        assert_eq!(shown.insert(event.user, event.track), None);
    }
    assert!(impressions > 5_000 && full > impressions / 2, "{full} of {impressions}");
}

/// Propensities are the chances with which tracks are drawn, and the truth is the chance with which they are not
/// skipped: over 1/p candidates, and over what is skipped, both add up to what they are chances of.
#[test]
fn propensities_and_truth_are_the_chances_of_what_happens() {
    let mut expected: HashMap<String, f64> = HashMap::new();
    let (mut drawn, mut among, mut impressions) = (0.0, 0.0, 0.0);
    let (mut heard, mut foretold) = (0.0, 0.0);
    for explored in world(300, 500, 10, 3).explored() {
        let event = explored.event;
        if let Some(enjoyed) = explored.enjoyed {
            let candidates = event.candidates.unwrap();
            let at = candidates.iter().position(|id| *id == event.track).unwrap();
            drawn += event.propensity.unwrap().get().recip();
            among += candidates.len() as f64;
            impressions += 1.0;
            expected.insert(event.user, f64::from(enjoyed[at]));
        } else if is_listen(&event)
            && let Some(chance) = expected.remove(&event.user)
        {
            heard += f64::from(u8::from(event.kind == Kind::Play));
            foretold += chance;
        }
    }
    assert!((drawn / among - 1.0).abs() < 0.02, "{drawn} for {among}");
    assert!((heard - foretold).abs() < 0.02 * impressions, "{heard} for {foretold}");
}
