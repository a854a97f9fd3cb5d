//! `POST /v1/events`: what was acknowledged is kept once, whatever is sent and whenever the server ends.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    io::Write,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    http::{Method, StatusCode},
};
use segue_serve::{
    AppState, Collecting, DEFAULT_CACHE_BYTES, Rate,
    access::{Scope, Tokens},
    app,
    intake::{Coding, Intake, IntakeError, Limits, Options},
};
use serde_json::{Value, json};
use support::{Answer, empty_registry, send};
use tempfile::TempDir;

const FREE: Rate = Rate { events_per_second: 0, burst: 0 };

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

fn event(id: &str) -> Value {
    json!({
        "id": id, "user": "anna@example.org", "session": "s1", "track": "spotify:track:1", "at": now(),
        "kind": "play", "played_ms": 200_000, "duration_ms": 210_000,
        "context": { "region": "DE", "tz_offset_min": 60, "device": "phone" },
    })
}

struct Site {
    folder: TempDir,
    routes: Router,
}

impl Site {
    fn new(collecting: impl FnOnce(Collecting) -> Collecting) -> Self {
        let folder = TempDir::new().unwrap();
        let options = Options::at(folder.path().join("intake"));
        Self::over(folder, &options, collecting)
    }

    fn plain() -> Self {
        Self::new(|collecting| collecting)
    }

    fn over(
        folder: TempDir,
        options: &Options,
        collecting: impl FnOnce(Collecting) -> Collecting,
    ) -> Self {
        let (_gone, registry) = empty_registry();
        let state = AppState::new(registry, None, DEFAULT_CACHE_BYTES).unwrap();
        let plain = Collecting {
            intake: Intake::open(options).unwrap(),
            tokens: None,
            origins: Vec::new(),
            each: FREE,
            all: FREE,
            behind_proxy: false,
        };
        Self { folder, routes: app(state.collecting(collecting(plain))) }
    }

    async fn post(&self, body: impl Into<Vec<u8>>, headers: &[(&str, &str)]) -> Answer {
        let kind = ("content-type", "application/json");
        let mut all = vec![kind];
        all.retain(|(name, _)| headers.iter().all(|(given, _)| given != name));
        all.extend(headers);
        send(&self.routes, Method::POST, "/v1/events", &all, body.into()).await
    }

    async fn take(&self, events: &Value) -> Value {
        let answer = self.post(events.to_string(), &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.json()
    }

    fn intake(&self) -> std::path::PathBuf {
        self.folder.path().join("intake")
    }

    /// Everything that is kept, as it is in the database.
    fn kept(&self) -> Vec<Value> {
        kept(&self.intake())
    }
}

fn kept(dir: &Path) -> Vec<Value> {
    let database = rusqlite::Connection::open(dir.join("events.sqlite")).unwrap();
    let mut rows = database.prepare("SELECT events FROM batches ORDER BY seq").unwrap();
    let blobs = rows.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    blobs
        .flat_map(|blob| {
            let blob = blob.unwrap();
            let lines = blob.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
            lines.map(|line| serde_json::from_slice(line).unwrap()).collect::<Vec<Value>>()
        })
        .collect()
}

#[tokio::test]
async fn an_array_and_lines_are_taken_and_each_event_is_kept_as_it_was_but_for_who_it_was() {
    let site = Site::plain();
    let (one, two, three) = (event("a"), event("b"), event("c"));
    let told = site.take(&json!([one, two])).await;
    assert_eq!(told, json!({ "accepted": 2, "duplicates": 0, "refused": 0 }));
    let answer =
        site.post(format!("{three}\n\n"), &[("content-type", "application/x-ndjson")]).await;
    assert_eq!(answer.json()["accepted"], 1);
    assert_eq!(answer.header("cache-control"), "no-store");

    let kept = site.kept();
    assert_eq!(kept.len(), 3);
    for (kept, sent) in kept.iter().zip([&one, &two, &three]) {
        let (mut kept, mut sent) = (kept.clone(), sent.clone());
        for name in ["user", "session"] {
            let pseudonym = kept[name].take();
            assert!(pseudonym.as_str().unwrap().len() >= 16, "{pseudonym}");
            assert_ne!(pseudonym, sent[name].take());
        }
        assert_eq!(kept, sent);
    }
    assert_eq!(kept[0]["user"], kept[2]["user"], "one listener has one pseudonym");
    let files = std::fs::read_dir(site.intake()).unwrap();
    for file in files.map(|file| std::fs::read(file.unwrap().path()).unwrap()) {
        assert!(!file.windows(4).any(|bytes| bytes == b"anna"), "no id is written as it came");
    }
}

#[tokio::test]
async fn what_is_sent_twice_counts_once_also_within_a_body_and_after_a_restart() {
    let site = Site::plain();
    let told = site.take(&json!([event("a"), event("b"), event("a")])).await;
    assert_eq!((told["accepted"].as_u64(), told["duplicates"].as_u64()), (Some(2), Some(1)));
    assert_eq!(site.take(&json!([event("b"), event("c")])).await["accepted"], 1);
    // The id of another listener is another id.
    let mut other = event("a");
    other["user"] = "bert".into();
    assert_eq!(site.take(&json!([other])).await["accepted"], 1);

    let Site { folder, routes } = site;
    drop(routes);
    let options = Options::at(folder.path().join("intake"));
    let site = Site::over(folder, &options, |collecting| collecting);
    let told = site.take(&json!([event("c"), event("d"), event("a")])).await;
    assert_eq!((told["accepted"].as_u64(), told["duplicates"].as_u64()), (Some(1), Some(2)));
    assert_eq!(site.kept().len(), 5);
}

#[tokio::test]
async fn each_event_that_is_not_sound_is_refused_by_name_and_the_others_are_taken() {
    let site = Site::plain();
    let without = |name: &str| {
        let mut event = event("without");
        event.as_object_mut().unwrap().remove(name);
        event
    };
    let with = |name: &str, value: Value| {
        let mut event = event("with");
        event[name] = value;
        event
    };
    let cases = [
        (without("user"), "missing field `user`"),
        (without("at"), "missing field `at`"),
        (with("track", "".into()), "`track` is empty"),
        (with("kind", "listen".into()), "unknown variant `listen`"),
        (with("at", (now() + 3_600_000).into()), "ahead of this server's clock"),
        (with("at", (-1).into()), "`at` is -1"),
        (with("at", 1_790_000_000.into()), "send milliseconds since 1970, not seconds"),
        (with("user", "x".repeat(513).into()), "`user` has 513 bytes"),
        (with("played_ms", "long".into()), "invalid type: string \"long\""),
        (with("context", json!({ "region": "Germany" })), "ISO 3166-1"),
        (with("context", json!({ "device": "x".repeat(513) })), "`context.device` has 513 bytes"),
        (with("exposures", json!({ "x".repeat(513): "a" })), "`exposures` has 513 bytes"),
        (with("propensity", 0.5.into()), "only an impression"),
        (json!(7), "invalid type"),
        (json!([]), "invalid length"),
    ];
    let mut body: Vec<Value> = cases.iter().map(|(event, _)| event.clone()).collect();
    body.push(event("sound"));
    let told = site.take(&Value::from(body)).await;
    assert_eq!((told["accepted"].as_u64(), told["refused"].as_u64()), (Some(1), Some(15)));
    for (index, (problem, (_, said))) in
        told["problems"].as_array().unwrap().iter().zip(&cases).enumerate()
    {
        assert_eq!(problem["index"], index);
        assert!(problem["detail"].as_str().unwrap().contains(said), "{problem}, not {said}");
    }
    assert_eq!(told["problems"][0]["id"], "without");
    assert_eq!(site.kept().len(), 1);

    // A key that is there twice is no event; markup and SQL are text like any other.
    let twice = event("x").to_string().replacen('{', r#"{"track":"other","#, 1);
    let mut hostile = event("'); DROP TABLE batches; --");
    hostile["track"] = "<script>alert(1)</script>\u{0}\u{202e}".into();
    let told = site.post(format!("{twice}\n{hostile}"), &[]).await.json();
    assert_eq!((told["accepted"].as_u64(), told["refused"].as_u64()), (Some(1), Some(1)));
    assert!(told["problems"][0]["detail"].as_str().unwrap().contains("duplicate field `track`"));
    assert_eq!(site.kept().last().unwrap()["track"], hostile["track"]);
}

#[tokio::test]
async fn a_body_that_is_no_list_of_events_is_refused_whole_in_so_many_words() {
    let limits = Limits { sent_bytes: 4096, bytes: 8192, events: 5 };
    let folder = TempDir::new().unwrap();
    let options = Options { limits, ..Options::at(folder.path().join("intake")) };
    let site = Site::over(folder, &options, |collecting| collecting);
    let one = event("a").to_string();
    let many = format!("[{}]", vec![json!(1).to_string(); 6].join(","));
    let deep = format!("[{}{}]", "[".repeat(2000), "]".repeat(2000));
    type Case<'a> = (Vec<u8>, &'a [(&'a str, &'a str)], u16, &'a str);
    let cases: Vec<Case<'_>> = vec![
        (b"".to_vec(), &[], 400, "the body is empty"),
        (b"   \n".to_vec(), &[], 400, "the body is empty"),
        (b"hello".to_vec(), &[], 400, "begins with \"hello\""),
        (b"\xff\xfe\x00".to_vec(), &[], 400, "begins with"),
        (format!("[{one}").into_bytes(), &[], 400, "EOF"),
        (format!("[{one}] more").into_bytes(), &[], 400, "trailing characters"),
        (many.clone().into_bytes(), &[], 413, "more than 5 events"),
        (many.replace('1', "{}").into_bytes(), &[], 413, "more than 5 events"),
        (vec![b' '; 5000], &[], 413, "at most 4096 bytes"),
        (one.clone().into_bytes(), &[("content-encoding", "gzip")], 400, "the body is not gzip"),
        (one.clone().into_bytes(), &[("content-encoding", "br")], 400, "the body is not br"),
        (one.clone().into_bytes(), &[("content-encoding", "zstd")], 400, "the body is not zstd"),
        (
            one.clone().into_bytes(),
            &[("content-encoding", "lzma")],
            415,
            "gzip, br, zstd or identity",
        ),
        (one.clone().into_bytes(), &[("content-type", "image/png")], 415, "send application/json"),
        (one.clone().into_bytes(), &[("segue-sent-at", "noon")], 400, "milliseconds since 1970"),
    ];
    for (body, headers, status, said) in cases {
        let answer = site.post(body.clone(), headers).await;
        let problem = answer.json();
        let text = problem["detail"].as_str().unwrap();
        assert_eq!(answer.status, status, "{text} of {}", String::from_utf8_lossy(&body));
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert!(text.contains(said), "{text}, not {said}");
    }
    // What is nested deeply is one event that is none.
    let told = site.post(deep, &[]).await;
    assert!(told.status == 400 || told.json()["refused"] == 1, "{}", told.text());
    assert_eq!(site.kept().len(), 0);

    let answer = send(&site.routes, Method::GET, "/v1/events", &[], Vec::new()).await;
    assert_eq!(
        (answer.status, answer.header("allow")),
        (StatusCode::METHOD_NOT_ALLOWED, "POST, OPTIONS")
    );
}

#[tokio::test]
async fn packed_bodies_are_unpacked_and_no_further_than_may_be() {
    let pack = |coding: &str, bytes: &[u8]| -> Vec<u8> {
        match coding {
            "gzip" => {
                let mut packer =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
                packer.write_all(bytes).unwrap();
                packer.finish().unwrap()
            }
            "br" => {
                let mut packed = Vec::new();
                let mut packer = brotli::CompressorWriter::new(&mut packed, 4096, 9, 24);
                packer.write_all(bytes).unwrap();
                drop(packer);
                packed
            }
            _ => zstd::encode_all(bytes, 19).unwrap(),
        }
    };
    let site = Site::plain();
    for coding in ["gzip", "br", "zstd"] {
        let body = json!([event(coding)]).to_string();
        let answer =
            site.post(pack(coding, body.as_bytes()), &[("content-encoding", coding)]).await;
        assert_eq!(answer.json()["accepted"], 1, "{coding}: {}", answer.text());
        let bomb = pack(coding, &vec![b' '; 64 << 20]);
        let answer = site.post(bomb, &[("content-encoding", coding)]).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{coding}");
        assert!(answer.text().contains("once it is unpacked"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_wrong_clock_is_put_right_by_what_it_said_when_the_events_were_sent() {
    let site = Site::plain();
    let ahead = 30 * 24 * 3_600_000;
    let mut late = event("a");
    late["at"] = (now() + ahead).into();
    let sent = (now() + ahead).to_string();
    let answer = site.post(json!([late]).to_string(), &[("segue-sent-at", &sent)]).await;
    assert_eq!(answer.json()["accepted"], 1, "{}", answer.text());
    // A beacon cannot set a header.
    late["id"] = "b".into();
    let path = format!("/v1/events?sent_at={sent}");
    let beacon = [("content-type", "text/plain;charset=UTF-8")];
    let body = json!([late]).to_string().into_bytes();
    let answer = send(&site.routes, Method::POST, &path, &beacon, body).await;
    assert_eq!(answer.json()["accepted"], 1, "{}", answer.text());
    for kept in site.kept() {
        assert!((kept["at"].as_i64().unwrap() - now()).abs() < 5000, "{kept}");
    }
    // What a request takes is no wrong clock.
    let (at, sent) = (now() - 10_000, (now() - 5000).to_string());
    let mut exact = event("c");
    exact["at"] = at.into();
    site.post(json!([exact]).to_string(), &[("segue-sent-at", &sent)]).await;
    assert_eq!(site.kept()[2]["at"], at);
}

#[tokio::test]
async fn who_sends_too_fast_is_told_when_to_come_again_and_loses_nothing() {
    let rate = Rate { events_per_second: 50, burst: 10 };
    let site = Site::new(|collecting| Collecting { each: rate, ..collecting });
    let batch = |from: usize| {
        let events: Vec<Value> = (from..from + 10).map(|n| event(&n.to_string())).collect();
        Value::from(events)
    };
    assert_eq!(site.take(&batch(0)).await["accepted"], 10);
    let answer = site.post(batch(10).to_string(), &[]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(site.kept().len(), 10);
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(site.take(&batch(10)).await["accepted"], 10);
}

#[tokio::test]
async fn where_tokens_are_asked_for_only_theirs_are_taken() {
    let mut tokens = Tokens::default();
    let good = tokens.grant("player.example", &[Scope::Events]).unwrap();
    let other = tokens.grant("dashboard.example", &[Scope::Metrics]).unwrap();
    let gone = tokens.grant("gone.example", &[Scope::Events]).unwrap();
    assert_eq!(tokens.revoke("gone.example"), 1);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("tokens.json");
    tokens.write(&file).unwrap();
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(!written.contains(&good), "the file holds digests only");

    let tokens = Some(Tokens::read(&file).unwrap());
    let site = Site::new(|collecting| Collecting { tokens, ..collecting });
    let body = json!([event("a")]).to_string();
    let bearer = |token: &str| format!("Bearer {token}");
    let cases = [
        (None, 401),
        (Some(bearer("segue_nothing")), 401),
        (Some(bearer(&gone)), 401),
        (Some(format!("Basic {good}")), 401),
        (Some(bearer(&other)), 403),
        (Some(bearer(&good)), 200),
        (Some(format!("bearer {good}")), 200),
    ];
    for (value, status) in cases {
        let header = value.as_deref().map(|value| ("authorization", value));
        let answer = site.post(body.clone(), header.as_slice()).await;
        assert_eq!(answer.status, status, "{value:?}: {}", answer.text());
        assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401);
    }
    std::fs::write(&file, "{}").unwrap();
    assert!(Tokens::read(&file).unwrap_err().to_string().contains("is no file of tokens"));
}

#[tokio::test]
async fn pages_of_any_origin_may_send_unless_some_are_named() {
    let headers = [("origin", "https://player.example"), ("access-control-request-method", "POST")];
    let ask = async |site: &Site| {
        send(&site.routes, Method::OPTIONS, "/v1/events", &headers, Vec::new()).await
    };
    let answer = ask(&Site::plain()).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(answer.header("access-control-allow-headers").contains("content-encoding"));

    let site = Site::new(|collecting| Collecting {
        origins: vec!["https://player.example".into()],
        ..collecting
    });
    assert_eq!(ask(&site).await.header("access-control-allow-origin"), "https://player.example");
    let body = json!([event("a")]).to_string();
    let answer = site.post(body.clone(), &[("origin", "https://player.example")]).await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://player.example");
    let answer = site.post(body.clone(), &[("origin", "https://other.example")]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(site.post(body, &[]).await.status, StatusCode::OK, "a server has no origin");
}

#[tokio::test]
async fn who_collects_nothing_says_so() {
    let (_folder, registry) = empty_registry();
    let routes = app(AppState::new(registry, None, DEFAULT_CACHE_BYTES).unwrap());
    let answer = send(&routes, Method::POST, "/v1/events", &[], b"[]".to_vec()).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.text().contains("--collect"), "{}", answer.text());
}

#[test]
fn one_process_takes_events_into_a_folder() {
    let folder = TempDir::new().unwrap();
    let options = Options::at(folder.path());
    let first = Intake::open(&options).unwrap();
    assert!(matches!(Intake::open(&options), Err(IntakeError::Taken(_))));
    drop(first);
    Intake::open(&options).unwrap();

    let database = rusqlite::Connection::open(folder.path().join("events.sqlite")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    let said = Intake::open(&options).unwrap_err().to_string();
    assert!(said.contains("format 99"), "{said}");
    std::fs::write(folder.path().join("pseudonyms.json"), "{\"format\":1}").unwrap();
    let said = Intake::open(&options).unwrap_err().to_string();
    assert!(said.contains("holds no secrets"), "{said}");
}

#[tokio::test]
async fn a_listener_has_another_pseudonym_when_its_time_is_over_and_an_event_stays_the_same() {
    let folder = TempDir::new().unwrap();
    let day = Duration::from_secs(24 * 3600);
    let options = Options { rotate: Some(30 * day), ..Options::at(folder.path()) };
    let start = now();
    let mut taken = Vec::new();
    for (days, id) in [(0, "a"), (29, "b"), (31, "c"), (32, "a")] {
        // Opened anew each time: the secret is that of the file.
        let intake = Intake::open(&options).unwrap();
        let at = start + days * 24 * 3_600_000;
        let mut event = event(id);
        event["at"] = at.into();
        let body = json!([event]).to_string();
        let batch = intake.read(body.as_bytes(), Coding::Identity, at, None).unwrap();
        taken.push(intake.take(batch).await.unwrap().accepted);
    }
    assert_eq!(taken, [1, 1, 1, 0], "an id is remembered across pseudonyms");
    let users: Vec<Value> = kept(folder.path()).iter().map(|event| event["user"].clone()).collect();
    assert_eq!(users[0], users[1]);
    assert_ne!(users[1], users[2]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = std::fs::metadata(folder.path().join("pseudonyms.json")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn more_than_may_wait_is_turned_away_and_nothing_of_it_is_kept() {
    let folder = TempDir::new().unwrap();
    let options = Options { waiting_bytes: 2000, ..Options::at(folder.path().join("intake")) };
    let site = Site::over(folder, &options, |collecting| collecting);
    let many: Vec<Value> = (0..20).map(|n| event(&n.to_string())).collect();
    let answer = site.post(Value::from(many).to_string(), &[]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(site.kept().len(), 0);
    assert_eq!(site.take(&json!([event("0")])).await["accepted"], 1);
}

#[tokio::test]
async fn what_happens_is_counted_and_requests_have_names() {
    let site = Site::plain();
    site.take(&json!([event("a"), event("b"), event("a"), {}])).await;
    let answer =
        send(&site.routes, Method::GET, "/v1/blob/zz", &[("x-request-id", "mine-1")], Vec::new())
            .await;
    assert_eq!(answer.header("x-request-id"), "mine-1");
    for hostile in ["", "a b", "<script>", &"x".repeat(65)] {
        let answer =
            send(&site.routes, Method::GET, "/healthz", &[("x-request-id", hostile)], Vec::new())
                .await;
        let name = answer.header("x-request-id");
        assert!(name.len() == 16 && name != hostile, "{name}");
    }
    let text = send(&site.routes, Method::GET, "/metrics", &[], Vec::new()).await;
    assert!(text.header("content-type").starts_with("application/openmetrics-text"));
    let text = text.text();
    for line in [
        "segue_events_total{outcome=\"accepted\"} 2",
        "segue_events_total{outcome=\"duplicate\"} 1",
        "segue_events_total{outcome=\"refused\"} 1",
        "segue_http_requests_total{route=\"/v1/events\",method=\"POST\",status=\"200\"} 1",
        "segue_http_requests_total{route=\"/v1/blob/\",method=\"GET\",status=\"400\"} 1",
        "segue_http_request_seconds_count{route=\"/healthz\"} 4",
        "segue_intake_commits_total 1",
        "segue_intake_waiting_bytes 0",
        "# EOF",
    ] {
        assert!(text.contains(line), "no {line} in\n{text}");
    }
    let mut tokens = Tokens::default();
    let token = tokens.grant("dashboard.example", &[Scope::Metrics]).unwrap();
    let site = Site::new(|collecting| Collecting { tokens: Some(tokens), ..collecting });
    let ask = async |headers: &[(&str, &str)]| {
        send(&site.routes, Method::GET, "/metrics", headers, Vec::new()).await.status
    };
    assert_eq!(ask(&[]).await, StatusCode::UNAUTHORIZED);
    let bearer = format!("Bearer {token}");
    assert_eq!(ask(&[("authorization", &bearer)]).await, StatusCode::OK);
}

/// A body of which `sent` comes, and then nothing for ever.
fn stalled(sent: &str) -> axum::body::Body {
    use futures_util::{StreamExt, stream};
    let sent = Ok::<_, std::io::Error>(sent.to_owned().into_bytes());
    axum::body::Body::from_stream(stream::iter([sent]).chain(stream::pending()))
}

#[tokio::test(start_paused = true)]
async fn who_stops_in_the_middle_of_a_body_keeps_nobody_out_and_is_told_so() {
    use tower::ServiceExt;
    let site = Site::plain();
    let ask = || {
        let request = axum::http::Request::post("/v1/events");
        let request = request.header("content-type", "application/json");
        site.routes.clone().oneshot(request.body(stalled("[{\"id\":")).unwrap())
    };
    // More than there would be room for, were all of a body reserved from the start.
    let stalled: Vec<_> = (0..600).map(|_| tokio::spawn(ask())).collect();
    tokio::task::yield_now().await;
    assert_eq!(site.take(&json!([event("a")])).await["accepted"], 1);
    for answer in stalled {
        assert_eq!(answer.await.unwrap().unwrap().status(), StatusCode::REQUEST_TIMEOUT);
    }
    assert_eq!(site.kept().len(), 1);
}

#[tokio::test]
async fn who_does_not_wait_for_the_receipt_makes_no_room_for_more_than_may_wait() {
    let folder = TempDir::new().unwrap();
    let options = Options { waiting_bytes: 4000, ..Options::at(folder.path()) };
    let intake = Intake::open(&options).unwrap();
    // Somebody else holds the database, so that nothing is written.
    let other = rusqlite::Connection::open(folder.path().join("events.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut turned_away = 0;
    for n in 0..40 {
        let body = json!([event(&n.to_string())]).to_string();
        let batch = intake.read(body.as_bytes(), Coding::Identity, now(), None).unwrap();
        let gone = tokio::time::timeout(Duration::from_millis(1), intake.take(batch)).await;
        turned_away += usize::from(matches!(gone, Ok(Err(IntakeError::Busy))));
    }
    assert!(turned_away > 20, "{turned_away} of 40");
    assert!((1..=4000).contains(&intake.figures().waiting_bytes));
    other.execute_batch("ROLLBACK").unwrap();
    drop(intake);
    assert_eq!(
        kept(folder.path()).len(),
        40 - turned_away,
        "what was let in is written all the same"
    );
}
