//! Publishing, signed and unsigned: from keys to a rollback.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;

use support::{fail, folder, json, segue, simulated, succeed, two_versions};
use tempfile::TempDir;

/// A folder with keys and three models, of which the second is a little different from the first.
fn prepared() -> TempDir {
    let folder = simulated();
    succeed(&folder, "train events.jsonl --dim 4 --out a.segue");
    succeed(&folder, "train events.jsonl --dim 4 --seed 2 --out b.segue");
    succeed(&folder, "train events.jsonl --dim 5 --out c.segue");
    folder
}

fn published(folder: &TempDir, line: &str) -> serde_json::Value {
    json(&succeed(folder, &format!("publish {line} --registry r --keys k --json")))
}

#[test]
fn a_signed_registry_from_its_keys_to_a_rollback() {
    let folder = prepared();
    let made = json(&succeed(&folder, "keys new --keys k --json"));
    let key = made["public_key"].as_str().unwrap().to_owned();
    assert_eq!((&made["root"], &made["complete"]), (&1.into(), &true.into()));
    let listed = json(&succeed(&folder, "keys list --keys k --json"));
    assert_eq!(listed["roles"]["release"]["keys"][0]["secret"], true);
    assert_eq!(listed["public_key"], *key);
    assert!(succeed(&folder, "keys list --keys k").contains("timestamp: 1 of 1"));

    let first = published(&folder, "a.segue");
    assert_eq!((&first["version"], &first["signed"]), (&1.into(), &true.into()));
    let found = json(&succeed(&folder, &format!("inspect r --public-key {key} --json")));
    assert_eq!((&found["version"], &found["registry"]["believed"]), (&1.into(), &true.into()));
    let text = succeed(&folder, &format!("inspect r --public-key {key}"));
    assert!(text.contains("version 1 in force") && text.contains("believes it"), "{text}");
    assert!(text.contains("expires in 364 days") && text.contains("expires in 6 days"), "{text}");

    let second = published(&folder, "c.segue --rollout 12.5");
    assert_eq!((&second["version"], &second["share"]), (&2.into(), &1250.into()));
    let text = succeed(&folder, "inspect r");
    assert!(text.contains("version 2 in force for 12.5% of devices"), "{text}");
    let half = json(&succeed(&folder, "rollout --registry r --keys k --percent 50 --json"));
    assert_eq!(half["candidate"]["share"], 5000);
    assert!(succeed(&folder, "promote --registry r --keys k").contains("version 2 is in force"));
    let back = json(&succeed(&folder, "rollback --registry r --keys k --json"));
    assert_eq!((&back["release"], &back["version"]), (&5.into(), &1.into()));

    succeed(&folder, "keys rotate --keys k --role timestamp");
    let said = succeed(&folder, "refresh --registry r --keys k --timestamp-expires 30");
    assert!(said.contains("the timestamp expires in 29 days"), "{said}");
    let found = json(&succeed(&folder, &format!("inspect r --public-key {key} --json")));
    assert_eq!(found["registry"]["signed"]["root"], 2);

    let would = json(&succeed(&folder, "gc --registry r --keep 1 --grace 0s --dry-run --json"));
    let done = json(&succeed(&folder, "gc --registry r --keep 1 --grace 0s --json"));
    assert_eq!((&would["files"], &would["dry_run"]), (&done["files"], &true.into()));
    assert!(done["files"].as_u64().unwrap() > 0 && done["releases"] == 4, "{done}");
    succeed(&folder, &format!("inspect r --public-key {key}"));
}

#[test]
fn what_a_device_would_refuse_inspect_refuses_with_the_reason() {
    let folder = prepared();
    succeed(&folder, "keys new --keys k");
    let other = json(&succeed(&folder, "keys new --keys others --json"));
    let other = other["public_key"].as_str().unwrap();
    published(&folder, "a.segue");
    let said = fail(&folder, &format!("inspect r --public-key {other}"));
    assert!(said.contains("not signed by the public key"), "{said}");
    let said = fail(&folder, &format!("inspect a.segue --public-key {other}"));
    assert!(said.contains("goes with a registry"), "{said}");
    succeed(&folder, "publish a.segue --registry plain");
    let said = fail(&folder, &format!("inspect plain --public-key {other}"));
    assert!(said.contains("publish with keys"), "{said}");
    assert!(succeed(&folder, "inspect plain").contains("not signed"));
}

#[test]
fn a_signed_registry_asks_for_its_keys_and_keys_stay_out_of_it() {
    let folder = prepared();
    succeed(&folder, "keys new --keys k");
    published(&folder, "a.segue");
    for line in [
        "publish b.segue --registry r",
        "rollback --registry r",
        "rollout --registry r --percent 5",
    ] {
        assert!(fail(&folder, line).contains("is signed: pass --keys"), "{line}");
    }
    assert!(fail(&folder, "refresh --registry r").contains("only be refreshed with keys"));
    assert!(fail(&folder, "keys new --keys r/keys").contains("open to everybody"));
    assert!(fail(&folder, "keys new --keys k").contains("there are keys in k already"));
    assert!(fail(&folder, "keys list --keys none").contains("segue keys new"));
    let said = fail(&folder, "rollout --registry r --keys k --percent 5");
    assert!(said.contains("no roll-out is under way"), "{said}");
    let said = fail(&folder, "rollback --registry r --keys k --to 7");
    assert!(said.contains("no earlier model 7"), "{said}");
}

#[test]
fn a_root_is_carried_to_where_its_secrets_are() {
    let folder = folder();
    let generate = |dir: &str| -> String {
        succeed(&folder, &format!("keys generate --keys {dir}")).trim().to_owned()
    };
    let (a, b) = (generate("a"), generate("b"));
    let line = format!("keys new --keys k --root-key {a} --root-key {b} --threshold 2 --json");
    let made = json(&succeed(&folder, &line));
    assert_eq!((&made["complete"], &made["public_key"]), (&false.into(), &a.as_str().into()));
    fs::copy(folder.path().join("k/root/next"), folder.path().join("next")).unwrap();
    assert!(succeed(&folder, "keys sign-root next --keys a").contains("has 1 signature"));
    let said = fail(&folder, "keys import next --keys k");
    assert!(said.contains("it takes 2"), "{said}");
    assert!(fail(&folder, "keys sign-root next --keys k").contains("none of the secrets"));
    succeed(&folder, "keys sign-root next --keys b");
    assert!(succeed(&folder, "keys import next --keys k").contains("root 1 is in k/root/1"));
    let listed = succeed(&folder, "keys list --keys k");
    assert!(listed.contains("root: 2 of 2") && listed.contains("secret elsewhere"), "{listed}");
    assert!(succeed(&folder, "keys list --keys a").contains(&a));
}

#[test]
fn every_verb_of_publishing_has_help_with_an_example() {
    let folder = folder();
    let keys = ["new", "generate", "list", "rotate", "renew", "sign-root", "import"];
    let keys = keys.map(|verb| format!("keys {verb}"));
    let verbs = ["publish", "rollout", "promote", "rollback", "refresh", "gc", "inspect", "serve"];
    for verb in keys.into_iter().chain(verbs.map(str::to_owned)) {
        let help = succeed(&folder, &format!("{verb} --help"));
        assert!(help.contains("Example") && help.contains(&format!("segue {verb}")), "{verb}");
    }
}

#[test]
fn wrong_shares_times_and_keys_are_wrong_usage() {
    let folder = folder();
    for (line, named) in [
        ("rollout --registry r --percent 101", "0 to 100 percent"),
        ("rollout --registry r --percent 0.001", "two decimals"),
        ("rollout --registry r --percent nan", "0 to 100 percent"),
        ("publish m --registry r --rollout some", "a number of percent"),
        ("publish m --registry r --expires 0", "--expires"),
        ("gc --registry r --grace 1y", "such as 1d"),
        ("gc --registry r --grace é", "such as 1d"),
        ("gc --registry r --keep 0", "--keep"),
        ("keys rotate --keys k --role mirror", "timestamp"),
        ("keys new --keys k --root-key abc", "64 hexadecimal digits"),
        ("inspect r --public-key abc", "64 hexadecimal digits"),
        ("keys", "Usage"),
    ] {
        let output = segue(&folder, line);
        assert_eq!(output.status.code(), Some(2), "{line}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(named), "{line}: {said}");
    }
}

#[test]
fn a_server_whose_keys_are_others_says_so_at_once() {
    let folder = simulated();
    succeed(&folder, "train events.jsonl --dim 4 --out a.segue");
    succeed(&folder, "keys new --keys k");
    succeed(&folder, "keys new --keys other");
    succeed(&folder, "publish a.segue --registry r --keys k");
    let said = fail(&folder, "serve --registry r --keys other --listen 127.0.0.1:0");
    assert!(said.contains("that is not in other"), "{said}");
}

#[test]
fn models_that_come_and_go_are_published_however_alike_the_steps_between_them_are() {
    let folder = two_versions();
    succeed(&folder, "train events.jsonl --update a.segue --agreement 1 --out c.segue");
    succeed(&folder, "keys new --keys k");
    // From the first and the third release the same bytes lead to the fourth.
    for round in 0..12 {
        for model in ["a", "b", "a", "c"] {
            succeed(&folder, &format!("publish {model}.segue --registry r{round} --keys k"));
        }
    }
}
