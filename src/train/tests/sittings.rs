//! The sittings of a log, and whether what they tell of the next track ships.
#![allow(clippy::unwrap_used, reason = "what tests are made of may fail them")]

use std::{
    fmt::Write,
    fs,
    sync::atomic::{AtomicBool, Ordering},
};

use segue_core::{
    event::Kind,
    ids::Row,
    model::{Loss, Model, Responses, SectionKind},
    rng::SplitMix64,
    session::Evidence,
};
use segue_train::{
    TrainError,
    als::Factors,
    assemble::{FoldIn, whole_model},
    coding,
    dataset::{Builder, Dataset},
    evaluate::next::{Query, hits},
    links::{Link, Links},
    log,
    pipeline::{Options, Trained, train},
    progress::{Progress, Report},
    search::{Effort, Follow, follow, with_transitions},
    transitions::Sittings,
};

fn built(log_text: &str) -> Dataset {
    let file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    fs::write(file.path(), log_text).unwrap();
    let mut builder = Builder::default();
    builder.read(file.path(), &log::Options::default(), &AtomicBool::new(false)).unwrap();
    builder.finish(Vec::new()).unwrap()
}

/// The sittings of the listener `u`, each as the ids of its tracks, of rows with these columns.
fn sittings(columns: &str, rows: &[&str]) -> Vec<String> {
    let rows: String = rows.iter().map(|row| format!("u,{row}\n")).collect();
    let dataset = built(&format!("user,{columns}\n{rows}"));
    let id = |&row: &u32| dataset.tracks[row as usize].track.as_str();
    let tracks = |(_, rows): (u32, &[u32])| rows.iter().map(id).collect::<String>();
    dataset.sittings().iter().map(tracks).collect()
}

#[test]
fn a_sitting_ends_after_half_an_hour_without_an_event() {
    let at = |gap| sittings("track,at", &["a,1000", &format!("b,{}", 1000 + gap)]);
    assert_eq!(at(1800), ["ab"]);
    assert_eq!(at(1801), ["a", "b"]);
    // Another kind of event tells that the listener is still there.
    let rows = ["a,1000,play", "c,2500,search", "b,4000,play"];
    assert_eq!(sittings("track,at,kind", &rows), ["ab"]);
}

#[test]
fn the_pause_counts_from_the_end_of_what_was_played() {
    let played = |played_ms: &str| {
        let rows = [&format!("a,1000,{played_ms}"), "b,4000,"];
        sittings("track,at,played_ms", &rows)
    };
    assert_eq!(played("1200000"), ["ab"]);
    assert_eq!(played("1100000"), ["a", "b"]);
    // A length that is known stands for a play of which nothing more is.
    let rows = ["a,1000,1200000", "b,4000,"];
    assert_eq!(sittings("track,at,duration_ms", &rows), ["ab"]);
}

#[test]
fn a_sitting_ends_where_the_log_names_another_one() {
    let rows = ["a,1,x", "b,2,x", "c,3,y", "d,4,", "e,5,y", "f,6,x"];
    assert_eq!(sittings("track,at,session", &rows), ["ab", "cde", "f"]);
    assert_eq!(sittings("track,at,session", &["a,1,x", "b,9999,x"]), ["a", "b"], "and by time");
}

#[test]
fn a_sitting_holds_what_was_heard_and_not_refused_since() {
    let rows = [
        "a,1,play",
        "b,2,skip",
        "c,3,like",
        "d,4,replay",
        "e,5,play",
        "f,6,save",
        "g,7,search",
        "h,8,click",
        "i,9,impression",
        "e,10,dislike",
        "j,11,play",
    ];
    assert_eq!(sittings("track,at,kind", &rows), ["adj"]);
    // What was refused before it was heard was heard.
    assert_eq!(sittings("track,at,kind", &["a,1,skip", "a,2,play"]), ["a"]);
}

#[test]
fn sittings_do_not_run_from_one_listener_into_the_next() {
    let all = built("user,track,at\nu,a,1\nv,b,2\nu,c,3\n");
    let listeners: Vec<(u32, usize)> =
        all.sittings().iter().map(|(listener, rows)| (listener, rows.len())).collect();
    assert_eq!(listeners, [(0, 2), (1, 1)]);
}

const OPTIONS: Options =
    Options { dim: 8, clusters: None, seed: 1, effort: Effort::QUICK, head: None, after: None };

/// Listeners who walk along a ring of 90 tracks from anywhere, ten steps a sitting and a sitting a day.
fn walks(listeners: u32, seconds: u32) -> Dataset {
    let mut rng = SplitMix64::new(3);
    let mut log = String::from("user,track,at\n");
    for listener in 0..listeners {
        for day in 0..6 {
            let start = rng.below(90) as u32;
            for step in 0..10 {
                let at = 86_400 * (day + 1) + seconds * step;
                writeln!(log, "u{listener},t{},{at}", (start + step) % 90).unwrap();
            }
        }
    }
    built(&log)
}

fn trained(dataset: &Dataset, options: &Options) -> Trained {
    train(dataset, options, &Progress::silent()).unwrap()
}

fn pairs(model: &Model) -> Vec<(u8, usize)> {
    let of = |shard| Some((shard, model.transitions(shard)?.pairs()));
    model.shelves().filter_map(|shelf| of(shelf.shard)).collect()
}

#[test]
fn what_follows_what_ships_where_it_tells_the_next_track() {
    let trained = trained(&walks(80, 200), &OPTIONS);
    let following = trained.following.unwrap();
    assert!(following.follow.is_some());
    assert!(following.with.mrr_20 > 2.0 * following.without.mrr_20, "{following:?}");
    let [(0, pairs)] = pairs(&trained.model)[..] else { panic!("one section") };
    assert!(pairs >= 90, "{pairs}");
    let file = Model::from_file(&trained.model.to_file()).unwrap();
    let first = |id: &str| file.row(id).unwrap();
    let after = file.transitions(0).unwrap().of(first("t7").index());
    let next = after.max_by(|a, b| a.weight.total_cmp(&b.weight)).unwrap();
    assert_eq!(next.place as usize, first("t8").index());
}

#[test]
fn what_follows_what_is_by_shard_where_the_catalogue_is_split() {
    let trained =
        trained(&walks(80, 200), &Options { head: Some(30), clusters: Some(2), ..OPTIONS });
    let shards = pairs(&Model::from_file(&trained.model.to_file()).unwrap());
    assert!(shards.len() > 1 && shards[0].0 == 0, "{shards:?}");
}

#[test]
fn plays_that_are_hours_apart_tell_of_no_next_track() {
    let trained = trained(&walks(80, 3600), &OPTIONS);
    assert!(trained.validation.is_some());
    assert!(trained.following.is_none());
    assert!(pairs(&trained.model).is_empty());
}

#[test]
fn pairs_of_a_listener_whom_nobody_follows_do_not_ship() {
    let mut log = String::from("user,track,at\n");
    // Two tracks that nobody else has, after one another in every sitting.
    for day in 1..20 {
        let at = day * 86_400;
        write!(log, "alone,mine,{at}\nalone,own,{}\n", at + 200).unwrap();
    }
    let others = walks(80, 200);
    for event in others.events() {
        let track = &others.tracks[event.row.index()].track;
        writeln!(log, "u{},{track},{}", event.listener, event.at / 1000).unwrap();
    }
    let model = trained(&built(&log), &OPTIONS).model;
    let lists = model.transitions(0).unwrap();
    for id in ["mine", "own"] {
        assert!(lists.of(model.row(id).unwrap().index()).len() == 0);
    }
}

#[test]
fn training_that_is_asked_to_stop_while_it_looks_at_sittings_stops() {
    let dataset = walks(60, 200);
    for stage in ["choosing what follows what", "finding what follows what"] {
        let stop = AtomicBool::new(false);
        let report = |report: Report<'_>| {
            if report.stage == stage {
                stop.store(true, Ordering::Relaxed);
            }
        };
        let error = train(
            &dataset,
            &OPTIONS,
            &Progress { report: &report, stop: &stop, ..Progress::silent() },
        )
        .unwrap_err();
        assert!(matches!(error, TrainError::Interrupted(_)), "{stage}: {error}");
    }
}

/// A model of random factors and neighbours.
fn base(tracks: usize) -> Model {
    let mut rng = SplitMix64::new(8);
    let mut noise = |count: usize| (0..count).map(|_| rng.unit() as f32 - 0.5).collect::<Vec<_>>();
    let factors = Factors { dim: 4, users: noise(40), items: noise(tracks * 4) };
    let loss = Loss { unobserved: 0.1, ridge: 0.1, exponent: 1.0 };
    let fold_in = FoldIn { loss, pull: 0.3, responses: Responses::default() };
    let link = |row: u32| Link { rows: [row, row + 3], strengths: [0.1, 0.2], listeners: 2 };
    let links = (0..tracks as u32 - 3).map(link).collect();
    let lists =
        Links::new([0.5, 0.25], 1.0, vec![2; tracks], links).parts(99, 0.5, Default::default());
    let fingerprints: Vec<u64> = (1..=tracks as u64).map(|n| n << 40).collect();
    whole_model(&fingerprints, &coding::fine(&factors), &fold_in, Some(&lists)).unwrap()
}

#[test]
fn what_the_search_finds_is_what_sessions_of_the_engine_give() {
    let dataset = walks(40, 200);
    let base = base(dataset.tracks.len());
    let sittings = dataset.sittings();
    let query = |(listener, rows): (u32, &[u32])| Query {
        listener: segue_train::dataset::gather(&dataset.of(listener as usize)[..20]).into(),
        before: rows[..5].to_vec(),
        next: Some(rows[5]),
        mask: listener % 2 == 0,
    };
    let queries: Vec<Query> = sittings.iter().map(query).collect();
    let progress = Progress::silent();
    let tried = follow(&base, &sittings, &queries, Follow::start(2), &progress).unwrap();
    let parts = tried.follow.parts(&sittings, &progress).unwrap();
    let model = with_transitions(&base, &parts).unwrap();
    assert_eq!(hits(&model, &queries).0, tried.hits);
    assert!(tried.hits.mrr_20 > 0.5, "{tried:?}");
}

#[test]
fn what_follows_what_keeps_within_its_room_and_gives_up_no_more_than_it_must() {
    let dataset = walks(40, 200);
    let base = base(dataset.tracks.len());
    let sittings = dataset.sittings();
    let wanted = Follow { pairs_each: 12.0, ..Follow::start(2) };
    let within = |room| wanted.within(room, &base, &sittings, &Progress::silent()).unwrap();
    let taken = |model: &Model| -> usize {
        let kind = SectionKind::Transitions;
        model.sections().filter(|(id, _)| id.kind == kind).map(|(_, bytes)| bytes.len()).sum()
    };
    let (all, whole) = within(usize::MAX);
    let (fewest, least) = within(0);
    assert_eq!(all, wanted);
    assert_eq!((fewest.pairs_each, taken(&least)), (0.0, 0), "there is no room for any");
    let (_, exact) = within(taken(&whole));
    assert_eq!(taken(&exact), taken(&whole));
    let (_, closer) = within(taken(&whole) - 1);
    assert!((taken(&least)..taken(&whole)).contains(&taken(&closer)));
}

/// After hub `i` come `a` or `b` number `i`, by which of the two a listener likes; `b` twice as often. Taste
/// knows them apart, and fold-in shrinks what it expects by `ridge`.
fn crossroads(ridge: f32) -> (Model, Sittings, Vec<Query>) {
    const HUBS: u32 = 30;
    let factors = |track: u32| match track / HUBS {
        0 => [0.5, 0.5],
        1 => [1.0, 0.0],
        _ => [0.0, 1.0],
    };
    let items = (0..3 * HUBS).flat_map(factors).collect();
    let factors = Factors { dim: 2, users: vec![0.0; 2], items };
    let loss = Loss { unobserved: 0.01, ridge, exponent: 0.0 };
    let fold_in = FoldIn { loss, pull: 1.0, responses: Responses::default() };
    let fingerprints: Vec<u64> = (1..=u64::from(3 * HUBS)).map(|n| n << 40).collect();
    let model = whole_model(&fingerprints, &coding::fine(&factors), &fold_in, None).unwrap();
    let walks = (0..HUBS * 9).map(|n| {
        let likes = if (n / HUBS).is_multiple_of(3) { HUBS } else { 2 * HUBS };
        [n % HUBS, likes + n % HUBS]
    });
    let query = |n: u32| {
        let likes = if n.is_multiple_of(2) { HUBS } else { 2 * HUBS };
        let mut known = Evidence::new(Row(likes + (n + 7) % HUBS));
        known.add(Kind::Like, 1.0);
        let (hub, next) = (n % HUBS, Some(likes + n % HUBS));
        Query { listener: [known].into(), before: vec![hub], next, mask: true }
    };
    (model, Sittings::new(3 * HUBS as usize, walks), (0..2 * HUBS).map(query).collect())
}

#[test]
fn what_follows_what_and_taste_are_balanced_however_much_fold_in_shrinks_scores() {
    for ridge in [1.0, 1e3, 1e6] {
        let (base, sittings, queries) = crossroads(ridge);
        let tried = follow(&base, &sittings, &queries, Follow::start(2), &Progress::silent());
        let found = tried.unwrap().hits;
        assert!(found.mrr_20 > 0.99, "ridge {ridge}: {found:?}");
    }
}
