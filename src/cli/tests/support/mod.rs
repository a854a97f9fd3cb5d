//! Running the command in a folder of its own.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "what tests are made of may fail them")]

use std::{
    fs,
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

pub const SEGUE: &str = env!("CARGO_BIN_EXE_segue");

pub fn segue(folder: &TempDir, line: &str) -> Output {
    Command::new(SEGUE).args(line.split_whitespace()).current_dir(folder).output().unwrap()
}

pub fn succeed(folder: &TempDir, line: &str) -> String {
    let output = segue(folder, line);
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs what must fail with exit code 1, and gives what it says.
pub fn fail(folder: &TempDir, line: &str) -> String {
    let output = segue(folder, line);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{line}: {said}");
    assert!(output.stdout.is_empty(), "{line} wrote to standard output");
    said
}

pub fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

pub fn write(folder: &TempDir, name: &str, text: &str) {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub fn simulated() -> TempDir {
    let folder = folder();
    succeed(
        &folder,
        "simulate --listeners 40 --tracks 60 --days 5 --out events.jsonl --catalogue tracks.jsonl",
    );
    folder
}

/// A log and what comes after it, as models: `a.segue`, and `b.segue`, the next version of it by a few kilobytes less.
pub fn two_versions() -> TempDir {
    let folder = simulated();
    let log = fs::read_to_string(folder.path().join("events.jsonl")).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    write(&folder, "before.jsonl", &lines[..lines.len() * 9 / 10].join("\n"));
    succeed(&folder, "train before.jsonl --dim 4 --out a.segue");
    succeed(&folder, "train events.jsonl --update a.segue --out b.segue");
    folder
}
