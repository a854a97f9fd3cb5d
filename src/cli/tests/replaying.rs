//! `segue evaluate replay`: a log that says how it was drawn, replayed by a model, and what is told of other logs.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;

use serde_json::Value;
use support::{fail, folder, json, segue, simulated, succeed, write};
use tempfile::TempDir;

const REPLAY: &str = "evaluate replay --events explored.jsonl";

fn explored() -> TempDir {
    let folder = simulated();
    succeed(&folder, "simulate --listeners 40 --tracks 60 --days 5 --explore --out explored.jsonl");
    folder
}

/// That every estimate is a number within its interval.
fn agree(figures: &Value) {
    for name in ["log", "ips", "snips", "direct", "doubly_robust", "gain"] {
        let figure = figures[name].as_f64().unwrap();
        let [low, high] = [0, 1].map(|end| figures["intervals"][name][end].as_f64().unwrap());
        assert!(low <= figure && figure <= high, "{name}: {figures}");
    }
}

#[test]
fn the_last_fifth_of_an_exploring_log_is_replayed_with_a_model_of_the_rest() {
    let folder = explored();
    let line = format!("{REPLAY} --dim 4");
    let figures = json(&succeed(&folder, &format!("{line} --json")));
    agree(&figures);
    let log = fs::read_to_string(folder.path().join("explored.jsonl")).unwrap();
    let all = log.lines().filter(|line| line.contains("impression")).count() as u64;
    let impressions = figures["impressions"].as_u64().unwrap();
    assert!((all / 7..all / 4).contains(&impressions), "{impressions} of {all}");
    assert!(figures["effective_sample_size"].as_f64().unwrap() < impressions as f64);
    assert_eq!(json(&succeed(&folder, &format!("{line} --json"))), figures);
    let text = succeed(&folder, &line);
    for named in ["as it was offered", "self-normalised", "doubly robust", "best of the candidates"]
    {
        assert!(text.contains(named), "{text}");
    }
}

#[test]
fn a_whole_log_is_replayed_with_a_model_that_is_given() {
    let folder = explored();
    succeed(&folder, "train events.jsonl --dim 4 --out model");
    let with =
        |more: &str| json(&succeed(&folder, &format!("{REPLAY} --model model {more} --json")));
    let (greedy, soft, even) = (with(""), with("--temperature 0.3"), with("--temperature 1e9"));
    let clipped = with("--clip 3");
    [&greedy, &soft, &even, &clipped].into_iter().for_each(agree);
    let log = fs::read_to_string(folder.path().join("explored.jsonl")).unwrap();
    let all = log.lines().filter(|line| line.contains("impression")).count() as u64;
    assert_eq!(
        greedy["impressions"].as_u64().unwrap() + greedy["unanswered"].as_u64().unwrap(),
        all
    );
    let number = |figures: &Value, name: &str| figures[name].as_f64().unwrap();
    let size = "effective_sample_size";
    assert!(number(&greedy, size) < number(&even, size), "{greedy} {even}");
    assert_eq!((&soft["temperature"], &greedy["temperature"]), (&0.3.into(), &Value::Null));
    assert!(clipped["clipped"].as_u64().unwrap() > 0 && number(&clipped, "largest_weight") > 3.0);
    assert!(succeed(&folder, &format!("{REPLAY} --model model --clip 3")).contains("clipped to 3"));
}

/// Impressions of two tracks, drawn evenly, and what follows each: one line for each event.
fn written(folder: &TempDir, events: &[(&str, &str, &str)]) {
    let lines = events.iter().enumerate().map(|(at, (session, kind, track))| {
        let offer = r#","propensity":0.5,"candidates":["t000001","t000002"]"#;
        let offer = if *kind == "impression" { offer } else { "" };
        let at = 1_735_700_000 + at;
        format!(
            "{{\"user\":\"u\",\"session\":\"{session}\",\"track\":\"t00000{track}\",\"at\":{at},\
             \"kind\":\"{kind}\"{offer}}}\n"
        )
    });
    write(folder, "explored.jsonl", &lines.collect::<String>());
}

#[test]
fn the_reward_is_what_the_listener_does_next_with_the_track_in_the_sitting() {
    let folder = simulated();
    succeed(&folder, "train events.jsonl --dim 4 --out model");
    written(
        &folder,
        &[
            // Content: the play, not the skip of another track between.
            ("s", "impression", "1"),
            ("s", "skip", "2"),
            ("s", "play", "1"),
            // Not: chosen, then skipped.
            ("s", "impression", "2"),
            ("s", "click", "2"),
            ("s", "skip", "2"),
            ("s", "like", "2"),
            // Shown again before anything: only the second time counts, and it is content.
            ("s", "impression", "1"),
            ("s", "impression", "1"),
            ("s", "save", "1"),
            // Not: disliked.
            ("s", "impression", "2"),
            ("s", "dislike", "2"),
            // Played in another sitting.
            ("s", "impression", "2"),
            ("r", "play", "2"),
        ],
    );
    let line = format!("{REPLAY} --model model --temperature 1e9 --json");
    let figures = json(&succeed(&folder, &line));
    assert_eq!((&figures["impressions"], &figures["unanswered"]), (&4.into(), &2.into()));
    assert_eq!((&figures["log"], &figures["listeners"]), (&0.5.into(), &1.into()));
    // Two candidates, both drawn evenly by both policies.
    assert!((figures["snips"].as_f64().unwrap() - 0.5).abs() < 1e-6, "{figures}");
}

#[test]
fn logs_of_which_nothing_can_be_replayed_are_refused_with_what_to_do() {
    let folder = explored();
    succeed(&folder, "train events.jsonl --dim 4 --out model");
    let said = fail(&folder, "evaluate replay --events events.jsonl");
    assert!(said.contains("no impression says how it was drawn"), "{said}");
    assert!(said.contains("`propensity`") && said.contains("simulate --explore"), "{said}");

    let log = fs::read_to_string(folder.path().join("explored.jsonl")).unwrap();
    let renamed = log.replace("\"t0", "\"x0");
    write(&folder, "explored.jsonl", &renamed);
    let said = fail(&folder, &format!("{REPLAY} --model model"));
    assert!(said.contains("the model knows none of the") && said.contains("\"x0"), "{said}");

    let once = log.lines().find(|line| line.contains("impression")).unwrap();
    write(&folder, "explored.jsonl", once);
    let said = fail(&folder, &format!("{REPLAY} --model model"));
    assert!(said.contains("of 1 impressions") && said.contains("write a play, a skip"), "{said}");

    write(
        &folder,
        "explored.jsonl",
        &once.replacen("\"candidates\":[", "\"candidates\":[\"t\",\"t\",", 1),
    );
    let said = fail(&folder, REPLAY);
    assert!(said.contains("explored.jsonl: line 1: `candidates` have \"t\" twice"), "{said}");
}

#[test]
fn a_policy_that_never_does_what_the_log_did_is_not_told_of() {
    let folder = simulated();
    succeed(&folder, "train events.jsonl --dim 4 --out model");
    for track in ["1", "2"] {
        written(&folder, &[("s", "impression", track), ("s", "play", track)]);
        let output = segue(&folder, &format!("{REPLAY} --model model --json"));
        if output.status.success() {
            continue;
        }
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("the log says nothing of it: pass --temperature"), "{said}");
        succeed(&folder, &format!("{REPLAY} --model model --temperature 1 --json"));
        return;
    }
    panic!("of two candidates one is not the best");
}

#[test]
fn wrong_usage_of_replay_is_told() {
    let folder = folder();
    for (more, named) in [
        ("", "--events"),
        ("--events a --temperature 0", "above 0"),
        ("--events a --temperature nan", "above 0"),
        ("--events a --clip 0", "--clip"),
        ("--events a --model m --dim 8", "--dim"),
        ("--events a --model m --budget 1", "--budget"),
        ("--events a --model m --catalogue c", "--catalogue"),
        ("--events a --model m --effort full", "--effort"),
    ] {
        let output = segue(&folder, &format!("evaluate replay {more}"));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{more}: {said}");
        assert!(said.contains(named), "{more}: {said}");
    }
    let help = succeed(&folder, "evaluate replay --help");
    assert!(help.contains("Example") && help.contains("segue evaluate replay"), "{help}");
}
