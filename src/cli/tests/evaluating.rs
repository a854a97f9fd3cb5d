//! What `segue evaluate` says beyond its means: how sure they are, by parts, and against another run.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;

use serde_json::Value;
use support::{fail, folder, json, segue, succeed, write};
use tempfile::TempDir;

/// Sixty listeners of three tastes, and a file of all that they are held out.
fn split() -> TempDir {
    let folder = folder();
    let line = |user: usize, from: usize, count: usize| {
        let items: Vec<String> =
            (from..from + count).map(|i| format!("i{}", user % 3 * 20 + i % 20)).collect();
        format!("u{user} {}\n", items.join(" "))
    };
    write(&folder, "train.txt", &(0..60).map(|u| line(u, u, 4 + u % 4)).collect::<String>());
    write(&folder, "test.txt", &(0..60).map(|u| line(u, u + 8, 4)).collect::<String>());
    folder
}

/// Sittings along a ring of thirty tracks, and queries of two lengths.
fn sittings() -> TempDir {
    let folder = folder();
    let line = |from: usize, len: usize| {
        (from..from + len).map(|i| format!("i{}", i % 30)).collect::<Vec<_>>().join(" ")
    };
    write(&folder, "train.txt", &(0..90).map(|i| line(i, 6) + "\n").collect::<String>());
    let query = |i: usize| {
        let len = 2 + i % 2 * 2;
        format!("{}\ti{}\n", line(i, len), (i + if i.is_multiple_of(5) { 0 } else { len }) % 30)
    };
    write(&folder, "test.txt", &(0..40).map(query).collect::<String>());
    folder
}

const SPLIT: &str = "evaluate split --train train.txt --test test.txt --dim 4";
const NEXT: &str = "evaluate next --train train.txt --test test.txt --dim 4";

fn lines(folder: &TempDir, name: &str) -> Vec<Value> {
    fs::read_to_string(folder.path().join(name)).unwrap().lines().map(json).collect()
}

/// The mean over lines of a figure.
fn mean(lines: &[Value], name: &str) -> f64 {
    lines.iter().map(|line| line[name].as_f64().unwrap()).sum::<f64>() / lines.len() as f64
}

/// That `figures` lie in their intervals and are the means of `each`.
fn agree(figures: &Value, each: &[Value], names: [&str; 4]) {
    for name in names {
        let figure = figures[name].as_f64().unwrap();
        let ends = &figures["intervals"][name];
        let [low, high] = [0, 1].map(|end| ends[end].as_f64().unwrap());
        assert!(0.0 <= low && low <= figure && figure <= high && high <= 1.0, "{name}: {figures}");
        assert!((mean(each, name) - figure).abs() < 1e-12, "{name}: {figure}");
    }
}

/// That the slices `names` have all `cases` between them.
fn share(figures: &Value, names: &[&str], what: &str, cases: u64) {
    let slices = names.iter().map(|name| figures["slices"][name][what].as_u64().unwrap());
    assert_eq!(slices.sum::<u64>(), cases, "{names:?}: {figures}");
}

#[test]
fn a_split_is_told_with_intervals_by_parts_and_by_listener() {
    let folder = split();
    let figures = json(&succeed(&folder, &format!("{SPLIT} --per-listener each.jsonl --json")));
    let each = lines(&folder, "each.jsonl");
    agree(&figures, &each, ["recall@10", "ndcg@10", "recall@20", "ndcg@20"]);
    let named: Vec<String> = (0..60).map(|u| format!("u{u}")).collect();
    let listeners: Vec<&str> = each.iter().map(|line| line["listener"].as_str().unwrap()).collect();
    assert_eq!(listeners, named);
    share(&figures, &["few", "middling", "many"], "listeners", 60);
    assert_eq!(figures["slices"]["few"]["bounds"][0], 4);
    assert_eq!(figures["slices"]["many"]["bounds"][1], 7);
    assert_eq!(figures["slices"]["few"]["by"], "training items");
    for part in ["head", "tail"] {
        let slice = &figures["slices"][part];
        assert!(slice["ndcg@20"].is_number() && slice["intervals"]["recall@20"][1].is_number());
    }
    for name in ["coverage@20", "gini@20"] {
        assert!((0.0..=1.0).contains(&figures[name].as_f64().unwrap()), "{figures}");
    }
    for name in ["recommended", "held_out"] {
        let figure = figures["popularity"][name].as_f64().unwrap();
        let ends = &figures["intervals"]["popularity"][name];
        assert!(ends[0].as_f64().unwrap() <= figure && figure <= ends[1].as_f64().unwrap());
    }
}

#[test]
fn a_split_is_told_in_lines_of_even_columns() {
    let folder = split();
    let text = succeed(&folder, SPLIT);
    assert!(text.starts_with("recall@10  0.") && text.contains(" ±0."), "{text}");
    let table: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("slice")).collect();
    let width = table[0].chars().count();
    let (slices, rest) = table.split_at(6);
    assert!(slices.iter().all(|line| line.chars().count() == width), "{text}");
    assert!(rest[1].starts_with("coverage@20 ") && rest[2].starts_with("popularity "), "{text}");
    // What was chosen may take more.
    let others = text.lines().filter(|line| !line.starts_with("chosen"));
    assert!(others.into_iter().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn what_comes_next_is_told_with_intervals_by_parts_and_by_query() {
    let folder = sittings();
    let figures = json(&succeed(&folder, &format!("{NEXT} --per-query each.jsonl --json")));
    let each = lines(&folder, "each.jsonl");
    agree(&figures, &each, ["p@20", "mrr@20", "hr@10", "ndcg@10"]);
    let numbers: Vec<u64> = each.iter().map(|line| line["query"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
    share(&figures, &["short", "long"], "queries", 40);
    share(&figures, &["new", "repeat"], "queries", 40);
    assert_eq!(figures["slices"]["repeat"]["queries"], 8);
    assert_eq!(figures["slices"]["long"]["bounds"], json("[4, 4]"));
    let masked = json(&succeed(&folder, &format!("{NEXT} --mask --json")));
    assert_eq!(masked["slices"]["repeat"]["p@20"], 0.0);
    assert!(succeed(&folder, NEXT).contains("repeat    1 times before"));
}

#[test]
fn every_search_keeps_what_it_found_where_it_is_told_to_and_finds_the_same_there() {
    let folder = sittings();
    let log: String = (0..40)
        .flat_map(|u| (0..12).map(move |at| (u, at)))
        .map(|(u, at)| format!("u{u},i{},{}\n", (u * 7 + at * at) % 30, 1000 + at * 60))
        .collect();
    write(&folder, "log.csv", &format!("user,track,at\n{log}"));
    for line in [NEXT, "evaluate clusters --events log.csv --dim 4 --seeds 2"] {
        let kept = format!("{}.kept", line.split(' ').nth(1).unwrap());
        let told = || {
            let line = format!("{line} --checkpoints {kept} --json");
            let mut figures = json(&succeed(&folder, &line));
            // What differs from run to run.
            for time in ["p50_us", "p99_us"] {
                figures.as_object_mut().unwrap().remove(time);
            }
            figures
        };
        let first = told();
        assert!(fs::read_dir(folder.path().join(&kept)).unwrap().count() > 5, "{line}");
        assert_eq!(told(), first, "{line}");
    }
    let taste = &json(&succeed(&folder, &format!("{NEXT} --budget 0 --json")))["taste"];
    assert!(taste.is_null() || taste["method"].is_string(), "{taste}");
}

#[test]
fn nothing_that_is_told_depends_on_the_number_of_threads() {
    let folder = split();
    let with = |threads: &str| {
        let mut command = std::process::Command::new(support::SEGUE);
        command.args(SPLIT.split_whitespace()).arg("--json").current_dir(&folder);
        command.env("RAYON_NUM_THREADS", threads).output().unwrap().stdout
    };
    assert_eq!(with("1"), with("3"));
}

#[test]
fn a_run_is_no_better_than_itself() {
    let folder = split();
    succeed(&folder, &format!("{SPLIT} --per-listener a.jsonl"));
    let found = json(&succeed(&folder, "evaluate split --compare a.jsonl a.jsonl --json"));
    assert_eq!(found["listeners"], 60);
    for name in ["recall@10", "ndcg@10", "recall@20", "ndcg@20"] {
        let figure = &found[name];
        assert_eq!((&figure["difference"], &figure["p"]), (&0.0.into(), &1.0.into()), "{name}");
        assert_eq!((&figure["interval"], &figure["a"]), (&json("[0.0, 0.0]"), &figure["b"]));
    }
}

/// Forty queries of which all, or every second one, was answered first.
fn answers(all: bool) -> String {
    let line = |query: u32| {
        let hit = u32::from(all || query.is_multiple_of(2));
        format!(
            "{{\"query\":{query},\"p@20\":{hit},\"mrr@20\":{hit},\"hr@10\":{hit},\"ndcg@10\":1}}\n"
        )
    };
    (1..=40).map(line).collect()
}

#[test]
fn a_run_that_answers_twice_as_much_is_told_to_be_better() {
    let folder = folder();
    write(&folder, "a.jsonl", &answers(false));
    write(&folder, "b.jsonl", &answers(true));
    let found = json(&succeed(&folder, "evaluate next --compare a.jsonl b.jsonl --json"));
    let figure = &found["p@20"];
    assert_eq!((&figure["a"], &figure["b"]), (&0.5.into(), &1.0.into()));
    assert_eq!(figure["difference"], 0.5);
    // Of 2²⁰ exchanges two are as far.
    assert!(figure["p"].as_f64().unwrap() < 0.001, "{found}");
    assert!(figure["interval"][0].as_f64().unwrap() > 0.3, "{found}");
    assert_eq!(found["ndcg@10"]["p"], 1.0);
    let text = succeed(&folder, "evaluate next --compare a.jsonl b.jsonl");
    assert!(text.contains("p@20        0.5000  1.0000  +0.5000 ±0."), "{text}");
    assert!(text.contains("40 queries"), "{text}");
    let back = succeed(&folder, "evaluate next --compare b.jsonl a.jsonl");
    assert!(back.contains("  -0.5000 ±0."), "{back}");
}

#[test]
fn runs_that_cannot_be_compared_are_refused_with_what_to_do() {
    let folder = folder();
    let queries = answers(true);
    write(&folder, "a.jsonl", &queries);
    write(&folder, "empty.jsonl", "");
    write(&folder, "bad.jsonl", &queries.replacen("mrr", "mmr", 1));
    let short: String = queries.lines().take(30).map(|line| format!("{line}\n")).collect();
    write(&folder, "short.jsonl", &short);
    for (files, said) in [
        ("next --compare a.jsonl nowhere.jsonl", "cannot open nowhere.jsonl"),
        ("next --compare empty.jsonl a.jsonl", "empty.jsonl is empty"),
        ("next --compare a.jsonl bad.jsonl", "bad.jsonl: line 1 has no `mrr@20`"),
        ("split --compare a.jsonl a.jsonl", "a.jsonl: line 1 has no `listener`"),
        ("next --compare a.jsonl short.jsonl", "short.jsonl has no query 31 nor 9 others"),
        ("next --compare short.jsonl a.jsonl", "compare two runs on the same test file"),
    ] {
        let found = fail(&folder, &format!("evaluate {files}"));
        assert!(found.contains(said), "{files}: {found}");
    }
}

#[test]
fn flags_that_do_not_go_together_are_wrong_usage() {
    let folder = folder();
    for (line, named) in [
        ("split --train a", "--test"),
        ("split --compare a", "2 values"),
        ("split --compare a b --train c", "--train"),
        ("split --compare a b --valid c", "--valid"),
        ("split --compare a b --per-listener c", "--per-listener"),
        ("split --compare a b --dim 8", "--dim"),
        ("split --compare a b --checkpoints c", "--checkpoints"),
        ("split --compare a b --precision f32", "--precision"),
        ("split", "--compare <A> <B>"),
        ("next --test a", "--train"),
        ("next --compare a b --mask", "--mask"),
        ("next --compare a b --support 3", "--support"),
        ("next --compare a b --per-query c", "--per-query"),
        ("next --compare a b --budget 1", "--budget"),
    ] {
        let output = segue(&folder, &format!("evaluate {line}"));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}: {said}");
        assert!(said.contains(named), "{line}: {said}");
    }
}

#[test]
fn figures_are_not_written_over_what_they_are_taken_from() {
    let folder = split();
    let before = fs::read(folder.path().join("test.txt")).unwrap();
    let said = fail(&folder, &format!("{SPLIT} --per-listener ./test.txt"));
    assert!(said.contains("would overwrite test.txt"), "{said}");
    let said = fail(&folder, &format!("{SPLIT} --per-listener no/such/folder"));
    assert!(said.contains("no/such is not a folder"), "{said}");
    let said = fail(&folder, &format!("{NEXT} --per-query train.txt"));
    assert!(said.contains("would overwrite train.txt"), "{said}");
    assert_eq!(fs::read(folder.path().join("test.txt")).unwrap(), before);
}
