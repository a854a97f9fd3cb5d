//! A model file that follows a registry, served over HTTP by the command itself.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use support::{SEGUE, fail, json, succeed, two_versions};
use tempfile::TempDir;

/// A registry with its first model in force, and who serves it.
struct Served {
    folder: TempDir,
    server: Child,
    url: String,
    key: String,
}

impl Served {
    fn new() -> Self {
        let folder = two_versions();
        let key = json(&succeed(&folder, "keys new --keys k --json"));
        let key = key["public_key"].as_str().unwrap().to_owned();
        succeed(&folder, "publish a.segue --registry r --keys k");
        let line = "serve --registry r --keys k --listen 127.0.0.1:0";
        let mut server = Command::new(SEGUE)
            .args(line.split_whitespace())
            .current_dir(&folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(server.stdout.take().unwrap());
        let url = said.lines().map(Result::unwrap).find_map(|line| {
            let at = line.find("http://")?;
            Some(line[at..].split_whitespace().next()?.trim_end_matches(['/', ',']).to_owned())
        });
        let url = format!("{}/v1/", url.unwrap());
        Self { folder, server, url, key }
    }

    fn pull(&self) -> serde_json::Value {
        json(&succeed(&self.folder, &self.line("--json")))
    }

    fn line(&self, more: &str) -> String {
        format!("pull m.segue --registry {} --public-key {} {more}", self.url, self.key)
    }

    fn is(&self, model: &str) -> bool {
        let read = |name: &str| fs::read(self.folder.path().join(name)).unwrap();
        // A model in a registry is its sections, without notes.
        let plain =
            |name: &str| segue_core::model::Model::from_file(&read(name)).unwrap().to_file();
        plain("m.segue") == plain(model)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn a_file_follows_what_is_published_by_deltas_where_there_are_some() {
    let served = Served::new();
    let first = served.pull();
    assert_eq!(
        (&first["version"], &first["changed"], &first["verified"]),
        (&1.into(), &true.into(), &true.into())
    );
    assert!(served.is("a.segue"));
    assert_eq!(served.pull()["changed"], false);

    succeed(&served.folder, "publish b.segue --registry r --keys k");
    let second = served.pull();
    assert_eq!((&second["version"], &second["changed"]), (&2.into(), &true.into()));
    assert_eq!(second["deltas"], 1);
    assert!(served.is("b.segue"));

    succeed(&served.folder, "rollback --registry r --keys k");
    assert_eq!(served.pull()["version"], 1);
    assert!(served.is("a.segue"));
    assert!(succeed(&served.folder, &served.line("")).contains("is version 1, the one in force"));
}

#[test]
fn what_is_refused_leaves_the_file_and_what_was_seen() {
    let served = Served::new();
    let folder = &served.folder;
    let manifest = folder.path().join("r/manifest");
    let old = fs::read(&manifest).unwrap();
    served.pull();
    succeed(folder, "publish b.segue --registry r --keys k");
    served.pull();
    let state = fs::read(folder.path().join("m.segue.sync")).unwrap();

    // What was in force before, as somebody in between may show it.
    let now = fs::read(&manifest).unwrap();
    fs::write(&manifest, &old).unwrap();
    let said = fail(folder, &served.line("").replace(&served.url, "r"));
    assert!(said.contains("timestamp") && said.starts_with("error: r: "), "{said}");
    assert!(served.is("b.segue"));
    assert_eq!(fs::read(folder.path().join("m.segue.sync")).unwrap(), state);
    fs::write(&manifest, now).unwrap();

    let other = "0".repeat(63) + "1";
    let said = fail(folder, &format!("pull n.segue --registry r --public-key {other}"));
    assert!(said.contains("public key"), "{said}");
    assert!(!folder.path().join("n.segue").exists());
    fs::write(folder.path().join("m.segue.sync"), "{").unwrap();
    let said = fail(folder, &served.line(""));
    assert!(said.contains("m.segue.sync is damaged"), "{said}");
}

#[test]
fn a_file_that_is_no_model_and_a_registry_that_does_not_answer_are_told() {
    let served = Served::new();
    let folder = &served.folder;
    fs::write(folder.path().join("m.segue"), "text").unwrap();
    assert!(fail(folder, &served.line("")).contains("m.segue"));
    fs::remove_file(folder.path().join("m.segue")).unwrap();
    let nowhere = fail(folder, "pull m.segue --registry http://127.0.0.1:9/v1/");
    assert!(nowhere.contains("http://127.0.0.1:9/v1/manifest"), "{nowhere}");
    let said = fail(folder, &format!("pull m.segue --registry {}elsewhere/", served.url));
    assert!(said.contains("is empty"), "{said}");
    let said = fail(folder, &format!("publish a.segue --registry {} --keys k", served.url));
    assert!(said.contains("to change it"), "{said}");
    assert!(fail(folder, "pull m.segue --registry r --public-key zz").contains("no public key"));
}

#[test]
fn a_file_is_pulled_by_the_key_that_it_was_pulled_by_and_is_what_it_is_said_to_be() {
    let served = Served::new();
    let folder = &served.folder;
    served.pull();
    let state = fs::read(folder.path().join("m.segue.sync")).unwrap();
    let said = fail(folder, "pull m.segue --registry r");
    assert!(said.contains("now with none"), "{said}");
    assert_eq!(fs::read(folder.path().join("m.segue.sync")).unwrap(), state);
    // Somebody else's file in its place is put right.
    fs::copy(folder.path().join("b.segue"), folder.path().join("m.segue")).unwrap();
    assert_eq!(served.pull()["changed"], true);
    assert!(served.is("a.segue"));
}

#[test]
fn a_delta_that_is_not_there_is_done_without_and_is_there_again_once_published_again() {
    let served = Served::new();
    let folder = &served.folder;
    served.pull();
    succeed(folder, "publish b.segue --registry r --keys k");
    let manifest = fs::read_to_string(folder.path().join("r/manifest")).unwrap();
    let release: serde_json::Value =
        serde_json::from_str(json(&manifest)["release"]["signed"].as_str().unwrap()).unwrap();
    let delta = release["models"][0]["deltas"][0]["hash"].as_str().unwrap();
    let blob = folder.path().join("r/blob").join(delta);
    fs::remove_file(&blob).unwrap();
    let pulled = served.pull();
    assert_eq!((&pulled["version"], &pulled["deltas"]), (&2.into(), &0.into()));
    assert!(served.is("b.segue"));
    succeed(folder, "publish b.segue --registry r --keys k");
    assert!(blob.exists());
}
