//! What a log or a split may be that nobody meant it to be: figures that are numbers come of it, or an
//! error that says what to do.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;

use serde_json::Value;
use support::{fail, folder, json, segue, succeed, write};
use tempfile::TempDir;

const SPLIT: &str = "evaluate split --train train.txt --test test.txt --dim 4 --json";
const NEXT: &str = "evaluate next --train train.txt --test test.txt --dim 4 --json";
const TRAIN: &str = "train log.csv --dim 4 --out model --json";

/// Where taste has no say in what comes next, or has it without what goes with what.
const TASTELESS: [&str; 2] = ["taste", "neighbours"];

/// What a verb tells a machine: all of it numbers, none of them −0, but what `may_lack` names.
fn sound(folder: &TempDir, line: &str, may_lack: &[&str]) -> Value {
    fn walk(value: &Value, name: &str, may_lack: &[&str]) {
        match value {
            Value::Null => assert!(may_lack.contains(&name), "{name} is not a number"),
            Value::Object(all) => all.iter().for_each(|(name, value)| walk(value, name, may_lack)),
            Value::Array(all) => all.iter().for_each(|value| walk(value, name, may_lack)),
            Value::Number(x) => assert!(x.as_f64() != Some(0.0) || !x.to_string().contains('-')),
            Value::Bool(_) | Value::String(_) => (),
        }
    }
    let figures = json(&succeed(folder, line));
    walk(&figures, "", may_lack);
    for name in ["recall@20", "ndcg@20", "valid_recall@10", "p@20", "mrr@20", "gini@20"] {
        let figure = figures.get(name).map_or(0.0, |figure| figure.as_f64().unwrap());
        assert!((0.0..=1.0).contains(&figure), "{name}: {figure}");
    }
    figures
}

fn sound_split(folder: &TempDir) -> Value {
    let with =
        |precision| sound(folder, &format!("{SPLIT} --precision {precision}"), &["neighbours"]);
    ["f32", "int8", "wire"].map(with)[2].clone()
}

/// What is not told of the next track where nothing can be held out to choose on.
const UNCHOSEN: [&str; 5] = ["taste", "valid_p@20", "valid_mrr@20", "valid_hr@10", "valid_ndcg@10"];

/// What training cannot tell of a log that small, or that has no new tracks.
const UNTOLD: [&str; 15] = [
    "ranker",
    "also_finished_recall@20",
    "also_finished_recall@20_by_popularity",
    "new_tracks",
    "auc_defined",
    "auc_learned",
    "transitions",
    "transitions_chosen_on",
    "next_p@20",
    "next_mrr@20",
    "next_p@20_by_taste",
    "next_mrr@20_by_taste",
    "settings_chosen_on",
    "validation_recall@20",
    "validation_ndcg@20",
];

fn items(items: impl IntoIterator<Item = usize>) -> String {
    items.into_iter().map(|item| format!(" t{item}")).collect()
}

/// Lines of sixty listeners of three tastes, so many items of each from one on.
fn listeners(from: usize, count: usize) -> String {
    let own = |user: usize| (from..from + count).map(move |n| user % 3 * 20 + (user + 3 * n) % 20);
    (0..60).map(|user| format!("u{user}{}\n", items(own(user)))).collect()
}

/// A log of sixty listeners of three tastes, a play every three minutes.
fn plays(each: usize) -> String {
    let play = |n: usize| {
        let (user, at) = (n / each, n % each);
        format!("u{user},t{},{}\n", user % 3 * 20 + (user + 3 * at) % 20, 1_500_000_000 + at * 180)
    };
    (0..60 * each).map(play).collect()
}

#[test]
fn listeners_without_items_are_passed_over_and_unknown_tracks_are_missed() {
    let folder = folder();
    let empty: String = (0..20).map(|user| format!("e{user}\n")).collect();
    write(&folder, "train.txt", &(listeners(0, 6) + &empty));
    write(&folder, "test.txt", &(listeners(6, 3) + &empty + "e1 t3 x1\nghost t4\nlost x2 x3\n"));
    let figures = sound_split(&folder);
    // Of those without an item only the one that has some in the test.
    assert_eq!(figures["listeners"], 60 + 3);
    assert_eq!(figures["tracks"], 60);
    succeed(&folder, &format!("{SPLIT} --per-listener each.jsonl"));
    let each = fs::read_to_string(folder.path().join("each.jsonl")).unwrap();
    let recall = |listener: &str| {
        let line = each.lines().map(json).find(|line| line["listener"] == listener).unwrap();
        line["recall@20"].as_f64().unwrap()
    };
    assert_eq!(recall("lost"), 0.0);
    assert!(recall("e1") <= 0.5 && recall("ghost") <= 1.0);

    write(&folder, "test.txt", "u1 x1\nlost x2\n");
    let said = fail(&folder, SPLIT);
    assert!(said.contains("test.txt: no listener has an item here that could be ranked"), "{said}");

    write(&folder, "train.txt", "a b c\nb\n\nc a\n");
    write(&folder, "test.txt", "x y\tz\n\tb\nx a\tc\n");
    assert_eq!(sound(&folder, NEXT, &TASTELESS)["queries"], 3);
    write(&folder, "test.txt", "a\n");
    assert!(fail(&folder, NEXT).contains("test.txt: line 1"), "a query without what came next");
}

#[test]
fn pairs_that_are_there_twice_count_once() {
    let folder = folder();
    write(&folder, "train.txt", &listeners(0, 6));
    write(&folder, "test.txt", &listeners(6, 3));
    let once = sound_split(&folder);
    let twice = |lines: String| -> String {
        lines
            .lines()
            .map(|line| format!("{line}{}\n{line}\n", &line[line.find(' ').unwrap()..]))
            .collect()
    };
    write(&folder, "train.txt", &twice(listeners(0, 6)));
    write(&folder, "test.txt", &twice(listeners(6, 3)));
    assert_eq!(sound_split(&folder), once);

    write(&folder, "log.csv", &format!("user,track,at\n{}", plays(18)));
    succeed(&folder, TRAIN);
    let model = fs::read(folder.path().join("model")).unwrap();
    write(&folder, "log.csv", &format!("user,track,at\n{}{}", plays(18), plays(18)));
    succeed(&folder, TRAIN);
    assert!(fs::read(folder.path().join("model")).unwrap() == model);
}

#[test]
fn listeners_who_are_all_the_same_make_figures_that_are_numbers() {
    let folder = folder();
    let all: String = (0..60).map(|user| format!("u{user}{}\n", items(0..10))).collect();
    let next: String = (0..60).map(|user| format!("u{user} t10\n")).collect();
    write(&folder, "train.txt", &(all.clone() + "odd t10 t11\n"));
    write(&folder, "test.txt", &next);
    let figures = sound_split(&folder);
    assert_eq!((&figures["recall@20"], &figures["listeners"]), (&1.0.into(), &60.into()));

    write(&folder, "train.txt", &all.replace('u', "t"));
    write(&folder, "test.txt", &"t0 t1\tt2\n".repeat(20));
    assert_eq!(sound(&folder, NEXT, &TASTELESS)["p@20"], 1.0);

    let play =
        |n: usize| format!("u{},t{},{}\n", n / 25, n % 25 % 20, 1_500_000_000 + n % 25 * 180);
    write(
        &folder,
        "log.csv",
        &format!("user,track,at\n{}", (0..1500).map(play).collect::<String>()),
    );
    assert_eq!(sound(&folder, TRAIN, &UNTOLD)["tracks"], 20);

    let play = |n: usize| format!("u{},t{},{}\n", n / 20, n % 20, 1_500_000_000 + n % 20);
    let plays: String = (0..1000).map(play).collect();
    write(&folder, "log.csv", &format!("user,track,at\n{plays}"));
    let told = succeed(&folder, "train log.csv --dim 4 --out model");
    assert!(told.contains("on 200 plays"), "{told}");
}

#[test]
fn there_may_be_more_dimensions_than_tracks() {
    let folder = folder();
    write(&folder, "train.txt", "a t1 t2\nb t1 t2\nc t2 t3\nd t1 t3\n");
    write(&folder, "test.txt", "a t3\nd t2\n");
    assert_eq!(sound_split(&folder)["tracks"], 3);
    let wide = SPLIT.replace("--dim 4", "--dim 40");
    assert_eq!(sound(&folder, &wide, &["neighbours"])["tracks"], 3);
    write(&folder, "test.txt", "t1\tt2\n");
    assert_eq!(sound(&folder, &NEXT.replace("--dim 4", "--dim 256"), &TASTELESS)["queries"], 1);
    write(&folder, "log.csv", "user,track,at\na,x,1700000000\nb,y,1700000000\n");
    let wide = TRAIN.replace("--dim 4", "--dim 100");
    assert_eq!(sound(&folder, &wide, &UNTOLD)["dim"], 100);
    assert!(succeed(&folder, "inspect model").contains("2 tracks of 100 components"));
}

#[test]
fn a_single_track_is_a_catalogue() {
    let folder = folder();
    write(&folder, "train.txt", "t\n");
    write(&folder, "test.txt", "\tt\n");
    // A tenth of the sittings is held out to choose on: never the last one.
    for seed in 0..30 {
        assert_eq!(sound(&folder, &format!("{NEXT} --seed {seed}"), &UNCHOSEN)["tracks"], 1);
    }
    let play = |n: usize| format!("u{},t,{}\n", n % 60, 1_500_000_000 + n * 180);
    let all: String = (0..1500).map(play).collect();
    write(&folder, "log.csv", &format!("user,track,at\n{all}"));
    assert_eq!(sound(&folder, TRAIN, &UNTOLD)["tracks"], 1);
}

#[test]
fn where_nothing_can_be_held_out_it_is_said_what_to_do() {
    let folder = folder();
    let one = |shift: usize| -> String {
        (0..60).map(|user| format!("u{user} t{}\n", (user + shift) % 10)).collect()
    };
    write(&folder, "train.txt", &one(0));
    write(&folder, "test.txt", &one(1));
    let said = fail(&folder, SPLIT);
    assert!(said.contains("train.txt: nothing to choose settings on"), "{said}");
    assert!(said.contains("pass --valid"), "{said}");
    write(&folder, "valid.txt", "u1 t5\n");
    let figures = sound(&folder, &format!("{SPLIT} --valid valid.txt"), &["neighbours"]);
    assert_eq!(figures["listeners"], 60);
    assert!(figures["neighbours"].is_null(), "one listener proves nothing: {figures}");
}

#[test]
fn numbers_that_are_none_are_refused_with_their_place_and_may_be_skipped() {
    let folder = folder();
    let row = |ratio: &str| {
        format!("user,track,at,play_ratio\na,x,1700000000,{ratio}\nb,y,1700000009,1\n")
    };
    let line = |ratio: &str| {
        format!(
            "{{\"user\":\"a\",\"track\":\"x\",\"at\":1700000000,\"play_ratio\":{ratio}}}\n{}",
            "{\"user\":\"b\",\"track\":\"y\",\"at\":1700000009,\"play_ratio\":1}\n"
        )
    };
    for ratio in ["-1", "inf", "-inf", "nan", "1e400", "-1e308"] {
        for (log, text, place) in [
            ("log.csv", row(ratio), "line 2"),
            ("log.jsonl", line(ratio), "line 1"),
            ("log.jsonl", line(&format!("\"{ratio}\"")), "line 1"),
        ] {
            write(&folder, log, &text);
            let said = fail(&folder, &format!("train {log} --dim 2 --out model"));
            assert!(said.contains(&format!("{log}: {place}")), "{ratio}: {said}");
            assert!(said.contains("--skip-bad-lines"), "{ratio}: {said}");
            let line = format!("train {log} --dim 2 --out model --skip-bad-lines --json");
            let report = sound(&folder, &line, &UNTOLD);
            assert_eq!(
                (&report["bad_lines"], &report["tracks"]),
                (&1.into(), &1.into()),
                "{ratio}"
            );
        }
    }
}

#[test]
fn more_than_all_of_a_track_is_all_of_it_and_nothing_says_nothing() {
    let folder = folder();
    let log = |ratio: &str| {
        let rows = plays(18).replace('\n', &format!(",{ratio}\n"));
        write(&folder, "log.csv", &format!("user,track,at,play_ratio\n{rows}"));
    };
    log("1");
    succeed(&folder, TRAIN);
    let whole = fs::read(folder.path().join("model")).unwrap();
    log("1e308");
    succeed(&folder, TRAIN);
    assert!(fs::read(folder.path().join("model")).unwrap() == whole);
    for nothing in ["0", "-0.0", "1e-320"] {
        log(nothing);
        assert!(fail(&folder, TRAIN).contains("no event that says a listener liked a track"));
    }
    // So little that it is lost beside anything, but more than nothing.
    log("1e-30");
    sound(&folder, TRAIN, &UNTOLD);
}

#[test]
fn where_popularity_is_all_there_is_figures_are_numbers() {
    let folder = folder();
    // A number that has nothing to do with the one before, small ones the more often.
    let mut state = 1_u64;
    let mut draw = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let unit = (state >> 40) as f64 / (1_u64 << 24) as f64;
        (unit.powi(3) * 50.0) as usize
    };
    let mut lines = |count: usize| -> String {
        (0..80).map(|user| format!("u{user}{}\n", items((0..count).map(|_| draw())))).collect()
    };
    write(&folder, "train.txt", &lines(8));
    write(&folder, "test.txt", &lines(4));
    let figures = sound_split(&folder);
    assert!(figures["recall@20"].as_f64().unwrap() > 0.3, "{figures}");
    let rows = lines(25);
    let rows = rows.lines().flat_map(|line| {
        let (user, items) = line.split_once(' ').unwrap();
        (0..)
            .zip(items.split(' '))
            .map(move |(n, item)| format!("{user},{item},{}\n", 1_500_000_000 + n * 180))
    });
    write(&folder, "log.csv", &format!("user,track,at\n{}", rows.collect::<String>()));
    let report = sound(&folder, TRAIN, &UNTOLD);
    assert!(report["validation_recall@20"].is_number(), "{report}");
}

/// So many plays of one listener, three minutes apart, of 61 tracks.
fn of_one(plays: usize) -> String {
    let play = |n: usize| format!("bot,t{},{}\n", n * 7919 % 61, 1_400_000_000 + n * 180);
    (0..plays).map(play).collect()
}

#[test]
fn one_listener_with_a_million_events_is_left_out_of_what_is_chosen_on() {
    let folder = folder();
    write(&folder, "log.csv", &format!("user,track,at\n{}{}", plays(18), of_one(1_000_000)));
    let report = sound(
        &folder,
        TRAIN,
        &["auc_defined", "auc_learned", "new_tracks", "ranker", "transitions"],
    );
    assert_eq!(report["listeners"], 61);
    assert_eq!(
        (&report["settings_chosen_on"], &report["transitions_chosen_on"]),
        (&60.into(), &180.into())
    );
}

#[test]
fn one_listener_of_many_plays_does_not_choose_for_the_others_what_follows_what() {
    let folder = folder();
    let few: String = plays(18).lines().take(18 * 25).map(|line| format!("{line}\n")).collect();
    write(&folder, "log.csv", &format!("user,track,at\n{few}{}", of_one(50_000)));
    let report = sound(
        &folder,
        TRAIN,
        &["auc_defined", "auc_learned", "new_tracks", "ranker", "transitions"],
    );
    // All three that each of the others has, and of one no more than a hundred.
    assert_eq!(report["transitions_chosen_on"], 25 * 3 + 100);
}

#[test]
fn one_listener_with_a_million_items_and_sittings_of_thousands_are_measured() {
    let folder = folder();
    let many = items((0..1_000_000).map(|n| n * 7919 % 61));
    write(&folder, "train.txt", &format!("{}bot{many}\n", listeners(0, 6)));
    write(&folder, "test.txt", &format!("{}bot{many} t61\n", listeners(6, 3)));
    assert_eq!(sound(&folder, SPLIT, &["neighbours"])["listeners"], 61);

    // Some of which are held out to choose on.
    let sittings = (0..20).map(|n| items((0..50_000).map(|m| (n + m * 7919) % 61)) + "\n");
    write(&folder, "train.txt", &(listeners(0, 6) + &sittings.collect::<String>()));
    write(&folder, "test.txt", &format!("t1 t4\tt7\n{many}\tt3\n"));
    assert_eq!(sound(&folder, &format!("{NEXT} --mask"), &TASTELESS)["queries"], 2);
}

#[test]
fn everything_that_one_listener_of_many_tracks_is_asked_for_may_be_known() {
    let folder = folder();
    let many = items(0..150_000);
    write(&folder, "train.txt", &format!("bot{many}\na t1 t2\n"));
    write(&folder, "test.txt", &format!("bot{many}\n"));
    assert!(fail(&folder, SPLIT).contains("or among those of the same listener"));
    let output = segue(&folder, &NEXT.replace("test.txt", "train.txt"));
    assert_eq!(output.status.code(), Some(1), "a list of sittings is no list of queries");
}

#[test]
fn queries_of_other_items_and_files_that_hold_no_sittings_are_refused() {
    let folder = folder();
    write(&folder, "next.txt", "t1 t2\tt3\n");
    for train in ["a b c\nd e f\n", "user,track,at\nu,t1,5\nu,t2,6\nu,t3,7\n"] {
        write(&folder, "train.txt", train);
        let said = fail(&folder, "evaluate next --train train.txt --test next.txt");
        let why = "next.txt: no item that came next is among those of train.txt";
        assert!(said.contains(why), "{said}");
    }
}
