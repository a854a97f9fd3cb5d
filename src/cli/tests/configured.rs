//! Options from the command line, the environment and a file; and whether all that a server needs is there.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    fs,
    process::{Command, Output},
};

use support::{SEGUE, fail, folder, json, segue, succeed, two_versions, write};
use tempfile::TempDir;

fn with(folder: &TempDir, line: &str, environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = Command::new(SEGUE)
        .args(line.split_whitespace())
        .envs(environment.iter().copied())
        .current_dir(folder)
        .output()
        .unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn the_command_line_goes_before_the_environment_and_that_before_the_file() {
    let folder = folder();
    write(&folder, "segue.toml", "[serve]\nregistry = \"of-file\"\ncache-bytes = 1000\n");
    let file = ("SEGUE_CONFIG", "segue.toml");
    let environment = ("SEGUE_SERVE_REGISTRY", "of-environment");
    for (line, environment, place) in [
        ("serve --config segue.toml", vec![], "of-file"),
        ("serve", vec![file], "of-file"),
        ("serve", vec![file, environment], "of-environment"),
        ("serve --registry of-line", vec![file, environment], "of-line"),
        ("--json serve --registry=of-line", vec![file, environment], "of-line"),
    ] {
        let (code, said) = with(&folder, line, &environment);
        assert_eq!(code, Some(1), "{line}: {said}");
        assert!(said.contains(&format!("no registry at {place}")), "{line}: {said}");
    }
    // Other verbs are told everything in so many words.
    let (code, said) = with(&folder, "publish m.segue", &[file, environment]);
    assert!(code == Some(2) && said.contains("--registry"), "{said}");
}

#[test]
fn what_is_given_more_than_once_is_a_list_and_yes_and_no_are_said_so() {
    let folder = folder();
    fs::create_dir(folder.path().join("r")).unwrap();
    let serve = |more: &str| {
        write(
            &folder,
            "segue.toml",
            &format!("[serve]\nregistry = \"r\"\nlisten = \"127.0.0.1:x\"\n{more}"),
        );
        with(&folder, "serve --config segue.toml", &[])
    };
    // The address is wrong, so that nothing is served; what is before it was taken.
    let (code, said) = serve(
        "collect = \"i\"\norigin = [\"https://a.example\", \"https://b.example\"]\nbehind-proxy = true\n",
    );
    assert!(code == Some(2) && said.contains("127.0.0.1"), "{said}");
    let (code, said) = serve("behind-proxy = \"perhaps\"\n");
    assert!(code == Some(2) && said.contains("give true or false"), "{said}");
    let (code, said) = serve("regsitry = \"r\"\n");
    assert!(
        code == Some(2) && said.contains("[serve] has no option regsitry: there are"),
        "{said}"
    );
    let (code, said) = serve("[server]\n");
    assert!(code == Some(2) && said.contains("there is no [server]"), "{said}");
    let (code, said) = serve("listen =");
    assert!(code == Some(2) && said.contains("segue.toml"), "{said}");
    let (code, said) = with(&folder, "serve --config none.toml", &[]);
    assert!(code == Some(2) && said.contains("none.toml"), "{said}");

    write(
        &folder,
        "loop.toml",
        "[loop]\nevents = [\"a.jsonl\", \"b.jsonl\"]\nregistry = \"r\"\nstate = \"s\"\n",
    );
    let (code, said) = with(&folder, "loop --once --config loop.toml", &[]);
    assert!(code == Some(1) && said.contains("a.jsonl"), "{said}");
    let (code, said) = with(
        &folder,
        "loop --once --config loop.toml",
        &[("SEGUE_LOOP_EVENTS", "c.jsonl,d.jsonl")],
    );
    assert!(code == Some(1) && said.contains("c.jsonl"), "{said}");
}

#[test]
fn the_doctor_says_of_each_part_whether_it_is_sound() {
    let folder = two_versions();
    succeed(&folder, "keys new --keys k");
    succeed(&folder, "publish a.segue --registry r --keys k");
    succeed(&folder, "tokens new --tokens t.json --site player.example --scope events");
    let line = "doctor --registry r --keys k --collect i --lake l --tokens t.json";
    let said = fail_json(&folder, line);
    let found = |part: &str| {
        let parts = said["parts"].as_array().unwrap();
        parts.iter().find(|found| found["part"] == part).unwrap().clone()
    };
    for part in ["clock", "registry", "keys", "intake", "tokens"] {
        assert_eq!(found(part)["sound"], true, "{}", found(part));
    }
    assert!(found("lake")["found"].as_str().unwrap().contains("there is no lake at l"));
    fs::create_dir_all(folder.path().join("l/events")).unwrap();
    let text = succeed(&folder, line);
    assert!(
        text.contains("✓ registry: version 1 is in force") && text.contains("expires in"),
        "{text}"
    );

    // A blob that is damaged, keys of somebody else, a database that is none.
    let blob = fs::read_dir(folder.path().join("r/blob")).unwrap().next().unwrap().unwrap().path();
    fs::write(blob, "damaged").unwrap();
    succeed(&folder, "keys new --keys other");
    write(
        &folder,
        "i/events.sqlite",
        "this is no database, whatever its name says, and it is longer than a header",
    );
    let line = "doctor --registry r --keys other --collect i --lake l --tokens none.json";
    let said = String::from_utf8(segue(&folder, line).stdout).unwrap();
    for part in ["registry", "keys", "intake", "tokens"] {
        assert!(said.contains(&format!("✗ {part}: ")), "{part} in {said}");
    }
}

/// What a verb prints that fails all the same.
fn fail_json(folder: &TempDir, line: &str) -> serde_json::Value {
    let output = segue(folder, &format!("{line} --json"));
    assert_eq!(output.status.code(), Some(1));
    json(&String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_server_with_nothing_wrong_is_told_so() {
    let folder = folder();
    assert!(succeed(&folder, "doctor").starts_with("✓ clock: it is 20"));
    let said = fail(&folder, "compact --intake none --lake l");
    assert!(said.contains("there is no folder none"), "{said}");
}
