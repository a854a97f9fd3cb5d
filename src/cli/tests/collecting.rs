//! From what listeners send to a model: collected by the command itself, over HTTP, and killed in between.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use support::{SEGUE, fail, folder, json, simulated, succeed};
use tempfile::TempDir;

struct Collector {
    server: Child,
    address: String,
}

impl Collector {
    fn start(folder: &TempDir, more: &str) -> Self {
        fs::create_dir_all(folder.path().join("registry")).unwrap();
        let line = format!(
            "serve --json --registry registry --listen 127.0.0.1:0 --collect intake --rate 0 {more}"
        );
        let mut server = Command::new(SEGUE)
            .args(line.split_whitespace())
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let address = json(&said)["listening"].as_str().unwrap().to_owned();
        Self { server, address }
    }

    /// Sends events; the receipt, where there is one.
    fn send(&self, events: &[Value]) -> Option<Value> {
        send(&self.address, events)
    }

    fn kill(mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    /// As an operator stops it.
    fn stop(mut self) {
        let pid = self.server.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.server.wait().unwrap().success());
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn send(address: &str, events: &[Value]) -> Option<Value> {
    let body = Value::from(events.to_vec()).to_string();
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    write!(
        stream,
        "POST /v1/events HTTP/1.1\r\nhost: s\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(body).ok()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(json).collect()
}

#[test]
fn what_was_collected_trains_a_model_and_a_listener_can_have_it_and_take_it_back() {
    let folder = simulated();
    let log = lines(&fs::read_to_string(folder.path().join("events.jsonl")).unwrap());
    let collector = Collector::start(&folder, "");
    let mut accepted = 0;
    for events in log.chunks(500) {
        let receipt = collector.send(events).unwrap();
        assert_eq!(receipt["refused"], 0, "{receipt}");
        accepted += receipt["accepted"].as_u64().unwrap();
    }
    assert_eq!(accepted, log.len() as u64);
    // Beside the server nobody else collects, and nobody moves.
    let said = fail(&folder, "compact --intake intake --lake lake");
    assert!(said.contains("another process takes events into intake"), "{said}");
    collector.stop();
    let moved = json(&succeed(&folder, "compact --intake intake --lake lake --json"));
    assert_eq!(moved["events"].as_u64(), Some(accepted));

    // The same model but for who the listeners are.
    let trained = |events: &str, out: &str| {
        let line = format!("train {events} --catalogue tracks.jsonl --dim 8 --out {out} --json");
        json(&succeed(&folder, &line))
    };
    let (of_log, of_lake) = (trained("events.jsonl", "log.segue"), trained("lake", "lake.segue"));
    for name in ["responses", "listeners", "clusters"] {
        assert_eq!(of_log[name], of_lake[name], "{name}");
    }
    // How many events of the kinds that are learned from there are, in a model and in a part of the log.
    let learned = of_log["responses"].as_array().unwrap();
    let kinds: Vec<&Value> = learned.iter().map(|response| &response["kind"]).collect();
    let heard = |of: &Value| -> u64 {
        of["responses"]
            .as_array()
            .unwrap()
            .iter()
            .map(|kind| kind["events"].as_u64().unwrap())
            .sum()
    };
    let among = |keep: &dyn Fn(&Value) -> bool| -> u64 {
        log.iter().filter(|event| kinds.contains(&&event["kind"]) && keep(event)).count() as u64
    };
    let at = |event: &Value| event["at"].as_i64().unwrap();
    let first = log.iter().map(&at).min().unwrap();
    let second_day = (first / 86_400_000 + 1) * 86_400_000;
    let days = fs::read_dir(folder.path().join("lake/events")).unwrap();
    let mut days: Vec<String> =
        days.map(|day| day.unwrap().file_name().into_string().unwrap()).collect();
    days.sort();
    let since = days[1].strip_prefix("day=").unwrap();
    let of_some = trained(&format!("lake --since {since}"), "some.segue");
    assert_eq!(heard(&of_some), among(&|event| at(event) >= second_day));

    // What is held of one listener is what they sent.
    let anna = log[0]["user"].as_str().unwrap();
    let sent: BTreeSet<&str> = log
        .iter()
        .filter(|event| event["user"] == anna)
        .map(|event| event["id"].as_str().unwrap())
        .collect();
    let line = format!("export {anna} --intake intake --lake lake");
    let held = lines(&succeed(&folder, &line));
    let ids: BTreeSet<&str> = held.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids, sent);
    let pseudonym = held[0]["user"].as_str().unwrap();

    // Some more comes, and is not in the lake yet when it is all taken back.
    let collector = Collector::start(&folder, "");
    let mut more = log[0].clone();
    more["id"] = "more".into();
    assert_eq!(collector.send(&[more]).unwrap()["accepted"], 1);
    let proof =
        json(&succeed(&folder, &format!("erase {anna} --intake intake --lake lake --json")));
    assert_eq!(proof["intake_events"], 1);
    assert_eq!(proof["lake_events"], sent.len());
    for file in proof["files"].as_array().unwrap() {
        let path = folder.path().join("lake").join(file["file"].as_str().unwrap());
        assert_eq!(path.exists(), !file["after"].is_null(), "{file}");
        assert_ne!(file["before"], file["after"]);
    }
    assert_eq!(succeed(&folder, &line), "");
    collector.stop();
    succeed(&folder, "compact --intake intake --lake lake");
    let left = succeed(&folder, "export --everyone --intake intake --lake lake");
    assert_eq!(left.lines().count(), log.len() - sent.len());
    assert!(!left.contains(pseudonym));
    for file in fs::read_dir(folder.path().join("intake")).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        let found = bytes.windows(pseudonym.len()).any(|bytes| bytes == pseudonym.as_bytes());
        assert!(!found, "the pseudonym is in the intake still");
    }
    let others = among(&|event| event["user"] != anna);
    assert_eq!(heard(&trained("lake", "without.segue")), others);
}

#[test]
fn what_is_too_old_is_forgotten() {
    let folder = simulated();
    let log = lines(&fs::read_to_string(folder.path().join("events.jsonl")).unwrap());
    let collector = Collector::start(&folder, "");
    log.chunks(1000).for_each(|events| assert!(collector.send(events).is_some()));
    collector.stop();
    succeed(&folder, "compact --intake intake --lake lake");
    let gone = json(&succeed(&folder, "forget --lake lake --intake intake --keep 36500 --json"));
    assert_eq!(gone["files"], 0);
    let gone = json(&succeed(&folder, "forget --lake lake --intake intake --keep 1 --json"));
    assert!(gone["files"].as_u64().unwrap() > 0, "{gone}");
    assert_eq!(gone["secrets"], 0, "the secret in use stays");
    assert_eq!(succeed(&folder, "export --everyone --intake intake --lake lake"), "");
    let said = fail(&folder, "train lake --out never.segue");
    assert!(said.contains("lake is a folder without logs"), "{said}");
}

#[test]
fn a_collector_that_is_killed_at_any_moment_loses_nothing_and_doubles_nothing() {
    const ROUNDS: usize = 12;
    let folder = folder();
    let mut acknowledged: BTreeMap<String, ()> = BTreeMap::new();
    for round in 0..ROUNDS {
        // It moves what it has all the time.
        let collector = Collector::start(&folder, "--lake lake --move-every 1");
        let address = collector.address.clone();
        let senders: Vec<_> = (0..4)
            .map(|sender| {
                let address = address.clone();
                thread::spawn(move || {
                    let mut taken = Vec::new();
                    for batch in 0.. {
                        let ids: Vec<String> = (0..20)
                            .map(|n| format!("{round}-{sender}-{batch}-{n}"))
                            .collect();
                        let event = |id: &String| {
                            json!({ "id": id, "user": format!("u{sender}"), "session": "s", "track": "t",
                                "at": 1_790_000_000_000_i64 + batch, "kind": "play" })
                        };
                        let events: Vec<Value> = ids.iter().map(event).collect();
                        // Whoever hears nothing sends the same again.
                        let Some(receipt) = send(&address, &events) else { return (taken, events) };
                        assert_eq!(receipt["refused"], 0);
                        taken.extend(ids);
                    }
                    unreachable!()
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(60 + 97 * round as u64 % 1100));
        collector.kill();
        let collector = Collector::start(&folder, "");
        for sender in senders {
            let (taken, unsure) = sender.join().unwrap();
            acknowledged.extend(taken.into_iter().map(|id| (id, ())));
            let receipt = collector.send(&unsure).unwrap();
            let count = |name: &str| receipt[name].as_u64().unwrap();
            assert_eq!(count("accepted") + count("duplicates"), unsure.len() as u64);
            let ids = unsure.iter().map(|event| event["id"].as_str().unwrap().to_owned());
            acknowledged.extend(ids.map(|id| (id, ())));
        }
        collector.kill();
    }
    succeed(&folder, "compact --intake intake --lake lake");
    let held = lines(&succeed(&folder, "export --everyone --intake intake --lake lake"));
    let ids: BTreeSet<&str> = held.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), held.len(), "an event is there twice");
    let wanted: BTreeSet<&str> = acknowledged.keys().map(String::as_str).collect();
    assert!(ids == wanted, "{} events, {} acknowledged", ids.len(), wanted.len());
    assert!(wanted.len() > 1000, "{}", wanted.len());
}
