//! The command line: the verbs from end to end, and what a person is told when something is wrong.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

const SEGUE: &str = env!("CARGO_BIN_EXE_segue");

fn segue(folder: &TempDir, line: &str) -> Output {
    Command::new(SEGUE).args(line.split_whitespace()).current_dir(folder).output().unwrap()
}

fn succeed(folder: &TempDir, line: &str) -> String {
    let output = segue(folder, line);
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs what must fail with exit code 1, and gives what it says.
fn fail(folder: &TempDir, line: &str) -> String {
    let output = segue(folder, line);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{line}: {said}");
    assert!(output.stdout.is_empty(), "{line} wrote to standard output");
    said
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn write(folder: &TempDir, name: &str, text: &str) {
    fs::write(folder.path().join(name), text).unwrap();
}

fn simulated() -> TempDir {
    let folder = folder();
    succeed(
        &folder,
        "simulate --listeners 40 --tracks 60 --days 5 --out events.jsonl --catalogue tracks.jsonl",
    );
    folder
}

#[test]
fn a_log_becomes_a_published_model_that_can_be_inspected() {
    let folder = simulated();
    let trained = json(&succeed(
        &folder,
        "train events.jsonl --catalogue tracks.jsonl --dim 8 --out model.segue --json",
    ));
    assert_eq!(trained["dim"], 8);
    let first = json(&succeed(&folder, "publish model.segue --registry registry --json"));
    let again = json(&succeed(&folder, "publish model.segue --registry registry --json"));
    assert_eq!((&first["version"], &first["changed"]), (&1.into(), &true.into()));
    assert_eq!((&again["version"], &again["changed"]), (&1.into(), &false.into()));
    let model = json(&succeed(&folder, "inspect model.segue --json"));
    let registry = json(&succeed(&folder, "inspect registry --json"));
    assert_eq!(model["tracks"], trained["tracks"]);
    assert_eq!((&registry["version"], &registry["tracks"]), (&1.into(), &model["tracks"]));
    assert!(succeed(&folder, "inspect registry").contains("version 1 in force"));
}

#[test]
fn a_broken_line_is_named_and_nothing_is_written() {
    let folder = folder();
    write(
        &folder,
        "log.tsv",
        "user\ttrack\tat\na\tx\t1700000000\na\ty\tyesterday\na\tz\t1700000300\n",
    );
    let said = fail(&folder, "train log.tsv --out model.segue");
    assert!(said.contains("log.tsv") && said.contains("line 3"), "{said}");
    assert!(said.contains("yesterday") && said.contains("--skip-bad-lines"), "{said}");
    assert!(!folder.path().join("model.segue").exists());

    let output = segue(&folder, "train log.tsv --skip-bad-lines --dim 4 --out model.segue --json");
    assert_eq!(json(std::str::from_utf8(&output.stdout).unwrap())["bad_lines"], 1);
    assert!(String::from_utf8(output.stderr).unwrap().contains("skipped 1 line"));
}

#[test]
fn times_that_are_not_times_are_refused() {
    for time in ["NaN", "-5", "inf", "1e400", ""] {
        let folder = folder();
        write(&folder, "log.csv", &format!("user,track,at\na,x,{time}\n"));
        let said = fail(&folder, "train log.csv --out model.segue");
        assert!(said.contains("line 2"), "{time}: {said}");
    }
}

#[test]
fn an_empty_log_and_a_missing_log_are_told_apart() {
    let folder = folder();
    write(&folder, "empty.jsonl", "");
    assert!(fail(&folder, "train empty.jsonl --out m").contains("empty"));
    assert!(fail(&folder, "train nowhere.jsonl --out m").contains("nowhere.jsonl"));
}

#[test]
fn missing_columns_are_named_with_what_to_do() {
    let folder = folder();
    write(&folder, "log.csv", "who,what,at\na,x,1700000000\n");
    let said = fail(&folder, "train log.csv --out m");
    assert!(said.contains("--column") && said.contains("who"), "{said}");
    succeed(&folder, "train log.csv --column user=who --column track=what --dim 2 --out m");
}

#[test]
fn damaged_models_and_later_formats_are_refused() {
    let folder = simulated();
    succeed(&folder, "train events.jsonl --dim 8 --out model.segue");
    let path = folder.path().join("model.segue");
    let file = fs::read(&path).unwrap();
    let spoil = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = file.clone();
        change(&mut bytes);
        fs::write(&path, bytes).unwrap();
        fail(&folder, "inspect model.segue")
    };
    let middle = file.len() / 2;
    assert!(spoil(&|bytes| bytes.truncate(middle)).contains("truncated"));
    assert!(spoil(&|bytes| bytes[middle] ^= 1).contains("checksum"));
    assert!(spoil(&|bytes| bytes[16] = 9).contains("format version 9"));
    assert!(spoil(&|bytes| bytes.clear()).contains("not a segue model"));
    assert!(fail(&folder, "publish model.segue --registry r").contains("model.segue"));
}

#[test]
fn wrong_usage_exits_with_2() {
    let folder = folder();
    for line in
        ["", "sing", "train", "train x --out m --dim 0", "simulate --listeners many --out x"]
    {
        assert_eq!(segue(&folder, line).status.code(), Some(2), "{line}");
    }
    assert!(fail(&folder, "simulate --listeners 0 --out x").contains("listeners"));
    assert!(fail(&folder, "train x --out m --column nonsense").contains("nonsense"));
}

#[test]
fn every_verb_has_help_with_an_example() {
    let folder = folder();
    for verb in ["simulate", "train", "evaluate split", "inspect", "publish", "serve"] {
        let help = succeed(&folder, &format!("{verb} --help"));
        assert!(help.contains("Example"), "{verb}");
        assert!(help.contains(&format!("segue {verb}")), "{verb}");
    }
}

#[test]
fn output_that_cannot_be_written_is_an_error_and_leaves_nothing() {
    let folder = simulated();
    let said = fail(&folder, "train events.jsonl --dim 4 --out no/such/folder/model.segue");
    assert!(said.contains("no/such/folder/model.segue"), "{said}");
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 2, "only the log and the catalogue");
}

#[test]
fn evaluate_split_prints_every_figure() {
    let folder = folder();
    let line = |user: usize, from: usize| {
        let items: Vec<String> =
            (from..from + 6).map(|i| format!("i{}", user % 3 * 20 + i % 20)).collect();
        format!("u{user} {}\n", items.join(" "))
    };
    write(&folder, "train.txt", &(0..60).map(|u| line(u, u)).collect::<String>());
    write(&folder, "test.txt", &(0..60).map(|u| line(u, u + 6)).collect::<String>());
    let out = succeed(&folder, "evaluate split --train train.txt --test test.txt --dim 8 --json");
    let figures = json(&out);
    for name in ["recall@10", "ndcg@10", "recall@20", "ndcg@20"] {
        let figure = figures[name].as_f64().unwrap();
        assert!((0.3..=1.0).contains(&figure), "{name} {figure}");
    }
    assert!(figures["bytes_per_item"].as_f64().unwrap() > 8.0);
    fail(&folder, "evaluate split --train train.txt --test nowhere.txt");
}

/// A server that ends with the test.
struct Server(std::process::Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn publish_small(folder: &TempDir) {
    succeed(folder, "train events.jsonl --dim 4 --out model.segue");
    succeed(folder, "publish model.segue --registry registry");
}

fn serve(folder: &Path, arguments: &[&str]) -> (Server, String) {
    let mut child = Command::new(SEGUE)
        .args(["serve", "--json", "--registry", "registry"])
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = json(&line)["listening"].as_str().unwrap().to_owned();
    (Server(child), address)
}

#[test]
fn the_server_answers_with_the_model_in_force() {
    let folder = simulated();
    publish_small(&folder);
    let (_server, address) = serve(folder.path(), &["--listen", "127.0.0.1:0"]);
    assert!(get(&address, "/healthz").starts_with("HTTP/1.1 200"));
    let manifest = get(&address, "/v1/manifest");
    assert!(manifest.starts_with("HTTP/1.1 200") && manifest.contains("\"factors\""), "{manifest}");
}

#[test]
fn a_port_in_use_is_said_so() {
    let folder = simulated();
    publish_small(&folder);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let said = fail(&folder, &format!("serve --registry registry --listen {address}"));
    assert!(said.contains(&address.to_string()) && said.contains("already in use"), "{said}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_training_leaves_nothing() {
    let folder = folder();
    let mut child = Command::new(SEGUE)
        .args(["train", "-", "--out", "model.segue"])
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = child.stdin.take().unwrap();
    log.write_all(b"user,track,at\n").unwrap();
    // More than a pipe holds: once it is written, the verb is reading.
    for line in 0..40_000 {
        writeln!(log, "u{},t{},{}", line % 50, line % 90, 1_700_000_000 + line).unwrap();
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    drop(log);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("interrupted"), "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
