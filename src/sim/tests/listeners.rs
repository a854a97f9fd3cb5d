//! Listeners: what they like, how that drifts, and whether it can be learned from what they do.

#![expect(clippy::unwrap_used, reason = "helpers of tests may")]

use std::collections::HashMap;

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use segue_core::event::{Event, Kind};
use segue_sim::{Config, DAY_MS, Listener, Policy, Reaction, Situation, Source, TrackIndex, World};

fn world(listeners: u32, tracks: u32, days: u32) -> World {
    World::new(&Config { listeners, tracks, days, ..Config::default() }).unwrap()
}

/// The chance that a `true` has a higher score than a `false`.
fn auc(mut scored: Vec<(f32, bool)>) -> f64 {
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut yes, mut no) = (0.0, 0.0, 0.0);
    for (rank, (_, is_so)) in (1_u32..).zip(scored) {
        if is_so {
            ranks += f64::from(rank);
            yes += 1.0;
        } else {
            no += 1.0;
        }
    }
    (ranks - yes * (yes + 1.0) / 2.0) / (yes * no)
}

/// Plays `sessions` sessions of one listener, and hands each listen to `see`.
fn sessions(
    world: &World,
    listener: &mut Listener,
    sessions: u32,
    rng: &mut Pcg64Mcg,
    mut see: impl FnMut(&Listener, TrackIndex, &Situation, i64, Reaction),
) {
    let mut now = world.config().start_ms;
    for _ in 0..sessions {
        now = listener.next_session(now, rng);
        listener.advance(world, now, rng);
        let mut situation = Situation::begin(listener, now, rng);
        let mut policy = Policy::begin(world, listener, &mut situation, now, rng);
        loop {
            let track = policy.offer(world, listener, &mut situation, now, rng);
            let reaction = world.react(listener, track, &situation, now, rng);
            see(listener, track, &situation, now, reaction);
            now += i64::from(reaction.played_ms);
            listener.remember(world, &mut situation, track, &reaction, now);
            if reaction.leaves {
                break;
            }
        }
    }
}

/// Who likes a track skips it less: true affinity tells what is skipped, and the mood and fatigue
/// of the moment tell more.
#[test]
fn skips_follow_from_affinity_mood_and_fatigue() {
    let world = world(200, 2_000, 30);
    let mut rng = Pcg64Mcg::seed_from_u64(1);
    let (mut by_affinity, mut by_appeal) = (Vec::new(), Vec::new());
    for number in 0..200 {
        let mut listener = world.listener(number);
        sessions(
            &world,
            &mut listener,
            8,
            &mut rng,
            |listener, track, situation, now, reaction| {
                let kept = !reaction.skipped;
                by_affinity.push((world.affinity(listener, track, now), kept));
                by_appeal.push((world.appeal_now(listener, track, situation, now), kept));
            },
        );
    }
    let (affinity, appeal) = (auc(by_affinity), auc(by_appeal));
    assert!((0.7..0.9).contains(&affinity), "{affinity}");
    assert!(appeal > affinity + 0.01, "{appeal} against {affinity}");
}

/// A plainly wrong track is skipped sooner than one that nearly fits.
#[test]
fn worse_tracks_are_skipped_earlier() {
    let world = world(50, 2_000, 30);
    let mut rng = Pcg64Mcg::seed_from_u64(2);
    let mut skips = Vec::new();
    for number in 0..50 {
        let mut listener = world.listener(number);
        sessions(
            &world,
            &mut listener,
            8,
            &mut rng,
            |listener, track, situation, now, reaction| {
                if reaction.skipped {
                    let early = reaction.played_ms < 15_000;
                    skips.push((-world.appeal_now(listener, track, situation, now), early));
                }
            },
        );
    }
    let sooner = auc(skips);
    assert!(sooner > 0.6, "{sooner}");
}

/// Hearing a track makes tired of it for hours, and each skip in a row makes the next likelier.
#[test]
fn tiredness_comes_and_goes() {
    let world = world(10, 300, 30);
    let mut rng = Pcg64Mcg::seed_from_u64(3);
    let mut listener = world.listener(0);
    let now = world.config().start_ms;
    let mut situation = Situation::begin(&listener, now, &mut rng);
    situation.source = Source::Recommended;
    let mut tracks = world.tracks();
    let (track, other) = (tracks.next().unwrap(), tracks.last().unwrap());
    let fresh = world.appeal_now(&listener, track, &situation, now);
    let before = world.appeal_now(&listener, other, &situation, now);
    let skip = Reaction {
        played_ms: 5_000,
        skipped: true,
        like: false,
        dislike: false,
        save: false,
        replay: false,
        leaves: false,
    };
    listener.remember(&world, &mut situation, track, &skip, now);
    let at_once = world.appeal_now(&listener, track, &situation, now);
    let next_day = world.appeal_now(&listener, track, &situation, now + DAY_MS);
    assert!(at_once < fresh - 1.0, "{at_once} after {fresh}");
    assert!(next_day > at_once + 0.8 && next_day < fresh, "{next_day}");
    assert!(world.appeal_now(&listener, other, &situation, now) < before, "no annoyance");
}

/// A like puts the track into the library, and a dislike spoils it for good.
#[test]
fn likes_and_dislikes_are_remembered() {
    let world = world(10, 300, 30);
    let mut rng = Pcg64Mcg::seed_from_u64(4);
    let mut listener = world.listener(1);
    let now = world.config().start_ms;
    let mut situation = Situation::begin(&listener, now, &mut rng);
    let track = world.tracks().find(|track| !listener.library().contains(track)).unwrap();
    let neutral = Reaction {
        played_ms: 60_000,
        skipped: false,
        like: false,
        dislike: false,
        save: false,
        replay: false,
        leaves: false,
    };
    let before = world.affinity(&listener, track, now);
    let like = Reaction { like: true, ..neutral };
    listener.remember(&world, &mut situation, track, &like, now);
    assert!(listener.library().contains(&track));
    assert!(world.affinity(&listener, track, now) > before);
    let dislike = Reaction { skipped: true, dislike: true, ..neutral };
    listener.remember(&world, &mut situation, track, &dislike, now);
    assert!(!listener.library().contains(&track));
    assert!(world.affinity(&listener, track, now) < before - 1.0);
}

/// The same number is the same person, other numbers are other people with other tastes.
#[test]
fn listeners_differ_clearly() {
    let world = world(100, 500, 30);
    let now = world.config().start_ms;
    let taste = |number| -> Vec<f32> {
        world.listener(number).taste(&world, now).map(|(_, liking)| liking).collect()
    };
    assert_eq!(taste(3), taste(3));
    let distance = |a: u32, b: u32| {
        let pairs = taste(a).into_iter().zip(taste(b));
        pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt()
    };
    let mean = (0..50).map(|number| distance(number, number + 50)).sum::<f32>() / 50.0;
    assert!(mean > 2.0, "{mean}");
}

/// Taste drifts: little in a day, much in a month, and not without bound.
#[test]
fn taste_drifts() {
    let world = world(200, 500, 400);
    let start = world.config().start_ms;
    let moved = |days: i64| {
        let mut rng = Pcg64Mcg::seed_from_u64(5);
        let mut sum = 0.0;
        for number in 0..200 {
            let mut listener = world.listener(number);
            let before: Vec<f32> = listener.taste(&world, start).map(|(_, x)| x).collect();
            for day in 1..=days {
                listener.advance(&world, start + day * DAY_MS, &mut rng);
            }
            let after = listener.taste(&world, start).map(|(_, x)| x);
            sum += before.iter().zip(after).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        }
        sum / 200.0
    };
    let (day, month, year) = (moved(1), moved(30), moved(365));
    assert!(day < 0.6 && month > 1.0 && month > 1.5 * day, "{day} {month}");
    assert!(year > month && year < 4.5, "{month} {year}");
}

/// How much two genre counts agree: their cosine.
fn cosine(a: &HashMap<String, f64>, b: &HashMap<String, f64>) -> f64 {
    let norm = |counts: &HashMap<String, f64>| counts.values().map(|x| x * x).sum::<f64>().sqrt();
    let dot: f64 = a.iter().map(|(genre, x)| x * b.get(genre).unwrap_or(&0.0)).sum();
    dot / (norm(a) * norm(b))
}

/// Drift shows in the log: what somebody hears in the first and in the last third of the period
/// agrees less than what they hear in odd and in even sessions.
#[test]
fn drift_shows_in_the_log() {
    let world = world(150, 1_000, 60);
    let genres: HashMap<String, String> =
        world.truth().tracks.into_iter().map(|track| (track.track, track.genre)).collect();
    let start = world.config().start_ms;
    // Per listener: first third, last third, odd sessions, even sessions.
    let mut users: HashMap<String, [HashMap<String, f64>; 4]> = HashMap::new();
    for event in world.events().filter(|event| event.kind == Kind::Play) {
        let counts = users.entry(event.user).or_default();
        let mut count = |part: usize| {
            *counts[part].entry(genres[&event.track].clone()).or_default() += 1.0;
        };
        match (event.at - start) / (20 * DAY_MS) {
            0 => count(0),
            2 => count(1),
            _ => {}
        }
        let odd = event.session.ends_with(['1', '3', '5', '7', '9']);
        count(if odd { 2 } else { 3 });
    }
    let (mut over_time, mut over_sessions, mut active) = (0.0, 0.0, 0.0);
    for parts in users.values() {
        if parts.iter().all(|part| part.values().sum::<f64>() >= 50.0) {
            over_time += cosine(&parts[0], &parts[1]);
            over_sessions += cosine(&parts[2], &parts[3]);
            active += 1.0;
        }
    }
    let (over_time, over_sessions) = (over_time / active, over_sessions / active);
    assert!(active > 50.0 && over_sessions - over_time > 0.05, "{over_sessions} {over_time}");
}

/// Plays and skips of one listener and one kind of thing.
#[derive(Default)]
struct Counts {
    kept: f32,
    all: f32,
}

impl Counts {
    fn add(&mut self, event: &Event) {
        self.kept += f32::from(u8::from(event.kind == Kind::Play));
        self.all += 1.0;
    }

    /// Share kept, drawn towards a prior of that weight.
    fn rate(counts: Option<&Self>, prior: f32, weight: f32) -> f32 {
        counts.map_or(prior, |it| (it.kept + weight * prior) / (it.all + weight))
    }
}

/// A recommender can learn from the log: what a listener did with a genre and an artist in the
/// first half of the period tells, better than how everybody treats the track, what they skip in
/// the second.
#[test]
fn skips_can_be_predicted_from_the_log() {
    let world = world(300, 1_000, 24);
    let truth = world.truth();
    let middle = truth.start_ms + 12 * DAY_MS;
    let kinds: HashMap<&str, (&str, u32)> = truth
        .tracks
        .iter()
        .map(|track| (track.track.as_str(), (track.genre.as_str(), track.artist)))
        .collect();
    let mut by_track: HashMap<String, Counts> = HashMap::new();
    let mut by_genre: HashMap<(String, &str), Counts> = HashMap::new();
    let mut by_artist: HashMap<(String, u32), Counts> = HashMap::new();
    let (mut popular, mut personal) = (Vec::new(), Vec::new());
    for event in world.events().filter(|event| matches!(event.kind, Kind::Play | Kind::Skip)) {
        let (genre, artist) = kinds[event.track.as_str()];
        let (genre, artist) = ((event.user.clone(), genre), (event.user.clone(), artist));
        if event.at < middle {
            by_track.entry(event.track.clone()).or_default().add(&event);
            by_genre.entry(genre).or_default().add(&event);
            by_artist.entry(artist).or_default().add(&event);
        } else {
            let kept = event.kind == Kind::Play;
            let general = Counts::rate(by_track.get(&event.track), 0.7, 5.0);
            let of_genre = Counts::rate(by_genre.get(&genre), 0.6, 3.0);
            popular.push((general, kept));
            personal.push((Counts::rate(by_artist.get(&artist), of_genre, 2.0), kept));
        }
    }
    let (popular, personal) = (auc(popular), auc(personal));
    assert!(personal > 0.68 && personal > popular + 0.03, "{personal} against {popular}");
}
