//! `segue loop`: what was collected becomes the next version, where that is not worse.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;

use support::{fail, folder, json, succeed, write};

#[test]
fn each_round_goes_on_from_the_one_before_and_publishes_what_is_not_worse() {
    let folder = folder();
    succeed(
        &folder,
        "simulate --listeners 150 --tracks 200 --days 12 --out all.jsonl --catalogue tracks.jsonl",
    );
    succeed(&folder, "keys new --keys keys");
    let all = fs::read_to_string(folder.path().join("all.jsonl")).unwrap();
    let mut lines: Vec<&str> = all.lines().collect();
    lines.sort_by_key(|line| json(line)["at"].as_i64().unwrap());
    write(&folder, "log/a.jsonl", &lines[..lines.len() / 2].join("\n"));
    let round = || {
        let line = "loop log --catalogue tracks.jsonl --registry registry --keys keys --state state --dim 8 \
                    --hold-out 0.5 --margin 0.5 --once --json";
        json(&succeed(&folder, line))
    };
    let first = round();
    assert_eq!((first["outcome"].as_str(), first["version"].as_u64()), (Some("first"), Some(1)));
    assert_eq!(round()["outcome"], "nothing");

    // More happens: it is judged by that, and goes out as a delta.
    write(&folder, "log/b.jsonl", &lines[lines.len() / 2..lines.len() * 3 / 4].join("\n"));
    let second = round();
    assert_eq!(second["outcome"], "published", "{second}");
    let judged = &second["judged"];
    assert!(judged["listeners"].as_u64().unwrap() > 20, "{second}");
    assert!(second["delta_bytes"].as_u64().unwrap() > 0, "{second}");
    let version = second["version"].as_u64().unwrap();
    assert!(version > 1);

    // With a margin that nothing can meet, the model in force stays.
    write(&folder, "log/c.jsonl", &lines[lines.len() * 3 / 4..].join("\n"));
    let line = "loop log --catalogue tracks.jsonl --registry registry --keys keys --state state --hold-out 0.02 \
                --margin 0 --once --json";
    let third = json(&succeed(&folder, line));
    let inspected = json(&succeed(&folder, "inspect registry --json"));
    let in_force = inspected["version"].as_u64().unwrap();
    match third["outcome"].as_str().unwrap() {
        "refused" => {
            assert_eq!(in_force, version);
            assert!(folder.path().join("state/refused.segue").exists());
        }
        // It was better beyond doubt.
        "published" => assert!(third["judged"]["interval"][0].as_f64().unwrap() >= 0.0, "{third}"),
        other => panic!("{other}"),
    }

    fs::write(folder.path().join("state/loop.json"), "{").unwrap();
    let said = fail(&folder, "loop log --registry registry --keys keys --state state --once");
    assert!(said.contains("loop.json is damaged"), "{said}");
    let said = fail(&folder, "loop none --registry registry --keys keys --state state --once");
    assert!(said.contains("none"), "{said}");
}
