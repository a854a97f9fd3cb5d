//! A folder of logs, in partitions, is one log.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod log_support;

use std::fs;

use log_support::{gzip, message, read_all};
use segue_train::log::Options;
use tempfile::TempDir;

/// A line of a log at some second.
fn line(user: &str, at: u32, more: &str) -> String {
    format!("{{\"user\":\"{user}\",\"track\":\"t\",\"at\":{}{more}}}\n", 1_700_000_000 + at)
}

/// Two days and three regions, and what lies beside them.
fn lake() -> TempDir {
    let folder = TempDir::new().unwrap();
    let put = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    put("day=2026-11-01/region=DE/a.jsonl", line("anna", 1, "").as_bytes());
    put("day=2026-11-01/region=DE/b.jsonl.gz", &gzip(line("bert", 2, "").as_bytes()));
    put(
        "day=2026-11-01/region=BR/a.jsonl",
        line("carla", 3, ",\"context\":{\"region\":\"PT\"}").as_bytes(),
    );
    put(
        "day=2026-11-02/region=__HIVE_DEFAULT_PARTITION__/a.ndjson",
        line("dora", 4, "").as_bytes(),
    );
    put("day=2026-11-02/region=DE/none.jsonl", b"");
    put("day=2026-11-02/region=DE/_SUCCESS", b"");
    put("day=2026-11-02/region=DE/.part.jsonl", b"half a li");
    put("notes.json.txt", b"not a log");
    folder
}

fn users(folder: &TempDir, options: &Options<'_>) -> Vec<(String, Option<String>)> {
    let (entries, summary) = read_all(folder.path(), options).unwrap();
    assert_eq!(summary.rows, entries.len() as u64);
    let region =
        |entry: &segue_train::log::Entry<'_>| entry.context.region.as_deref().map(Into::into);
    entries.iter().map(|entry| (entry.user.to_string(), region(entry))).collect()
}

#[test]
fn every_log_is_read_and_what_its_path_says_holds_where_the_row_says_nothing() {
    let folder = lake();
    let some = |user: &str, region: &str| (user.to_owned(), Some(region.to_owned()));
    let all =
        [some("carla", "PT"), some("anna", "DE"), some("bert", "DE"), ("dora".to_owned(), None)];
    assert_eq!(users(&folder, &Options::default()), all);
    // Of a lake the folder `events` is read.
    let whole = TempDir::new().unwrap();
    fs::rename(folder.path(), whole.path().join("events")).unwrap();
    fs::create_dir(whole.path().join("erasures")).unwrap();
    fs::write(whole.path().join("erasures/1.jsonl"), "{}").unwrap();
    assert_eq!(users(&whole, &Options::default()), all);
}

#[test]
fn days_that_are_not_wanted_are_not_read() {
    let folder = lake();
    let of = |since, until| {
        let options = Options { days: (since, until), ..Options::default() };
        users(&folder, &options).into_iter().map(|(user, _)| user).collect::<Vec<_>>()
    };
    assert_eq!(of(Some("2026-11-02"), None), ["dora"]);
    assert_eq!(of(None, Some("2026-11-01")), ["carla", "anna", "bert"]);
    let none = Options { days: (Some("2026-12-01"), None), ..Options::default() };
    let error = read_all(folder.path(), &none).unwrap_err();
    assert!(message(&error, folder.path()).contains("without logs of these days"), "{error}");
}

#[test]
fn a_bad_row_is_told_with_its_file() {
    let folder = lake();
    fs::write(folder.path().join("day=2026-11-02/region=DE/c.jsonl"), line("", 5, "")).unwrap();
    let error = read_all(folder.path(), &Options::default()).unwrap_err().to_string();
    assert!(error.contains("region=DE/c.jsonl") && error.contains("line 1"), "{error}");
    let skipping = Options { skip_bad_lines: true, ..Options::default() };
    let (entries, summary) =
        read_all(folder.path(), &skipping).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((entries.len(), summary.bad_lines), (4, 1));
}
