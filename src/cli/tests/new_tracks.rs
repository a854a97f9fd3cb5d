//! What a person is told of tracks that nobody has heard yet.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;

use support::{fail, folder, json, segue, simulated, succeed, write};
use tempfile::TempDir;

/// A simulated world with two tracks in its catalogue that nobody can have heard.
fn world() -> TempDir {
    let folder = simulated();
    let mut catalogue = fs::read_to_string(folder.path().join("tracks.jsonl")).unwrap();
    let artist = json(catalogue.lines().next().unwrap())["artist"].clone();
    catalogue += &format!("{{\"track\":\"new\",\"title\":\"Unheard\",\"artist\":{artist}}}\n");
    catalogue += "{\"track\":\"bare\",\"title\":\"Nobody knows\"}\n";
    write(&folder, "tracks.jsonl", &catalogue);
    folder
}

#[test]
fn training_says_how_many_new_tracks_got_factors_and_which_were_left_out() {
    let folder = world();
    let line = "train events.jsonl --catalogue tracks.jsonl --dim 4 --out model.segue";
    let output = segue(&folder, line);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("that nobody has heard"), "{said}");
    assert!(said.contains("1 track without artist, album or tags"), "{said}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("without listeners got factors from artist, album and tags"), "{text}");

    let trained = json(&succeed(&folder, &format!("{line} --json")));
    let tracks = trained["new_tracks"]["tracks"].as_u64().unwrap();
    assert!(tracks >= 1);
    assert!(trained["new_tracks"]["shrinkage"]["artist"].as_f64().unwrap() > 0.0);

    let heard = json(&succeed(&folder, &format!("{line} --heard-only --json")));
    assert!(heard["new_tracks"].is_null());
    assert_eq!(heard["tracks"].as_u64().unwrap() + tracks, trained["tracks"].as_u64().unwrap());
}

#[test]
fn an_evaluation_of_new_tracks_holds_them_against_what_needs_no_factors() {
    let folder = world();
    let line = "evaluate new --events events.jsonl --catalogue tracks.jsonl --dim 4 --share 0.3";
    let found = json(&succeed(&folder, &format!("{line} --json")));
    assert!(found["held_out"].as_u64().unwrap() > 0);
    for name in ["side information", "same artist liked", "random", "other listeners' plays"] {
        let ranking = &found["rankings"][name];
        let auc = ranking["auc"].as_f64().unwrap();
        let ends = &ranking["intervals"]["auc"];
        assert!(ends[0].as_f64().unwrap() <= auc && auc <= ends[1].as_f64().unwrap(), "{found}");
        let ranks_all = matches!(name, "side information" | "other listeners' plays");
        assert_eq!(ranking["recall@20_of_all"].is_number(), ranks_all, "{name}");
    }
    let text = succeed(&folder, line);
    assert!(
        text.contains("held out of") && text.contains("popularity of artist or tags"),
        "{text}"
    );
}

#[test]
fn an_evaluation_without_side_information_fails_and_says_what_to_do() {
    let folder = simulated();
    let said = fail(&folder, "evaluate new --events events.jsonl --dim 4");
    assert!(said.contains("pass --catalogue"), "{said}");
}

#[test]
fn a_share_of_nothing_or_all_is_wrong_usage() {
    let folder = folder();
    for share in ["0", "1", "-1", "half", "NaN"] {
        let output = segue(&folder, &format!("evaluate new --events e --share={share}"));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{share}: {said}");
        assert!(said.contains("a share is above 0 and below 1"), "{said}");
    }
}
