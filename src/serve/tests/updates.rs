//! Roots and updates over HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use axum::{Router, body::Body, http::Request};
use futures_util::StreamExt;
use segue_core::trust::Role;
use segue_serve::{Config, DEFAULT_CACHE_BYTES, keys::Change, serve};
use std::{net::Ipv4Addr, time::Duration};
use support::{
    NOW, at, get, get_with, registry, routes,
    signed::{DAY, Signed, evolving},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::oneshot,
    time::{Instant, timeout},
};
use tower::ServiceExt;

/// What a subscriber hears.
struct Ear(axum::body::BodyDataStream);

impl Ear {
    async fn open(routes: &Router) -> Self {
        let request = Request::get("/v1/updates").body(Body::empty()).unwrap();
        let response = routes.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        Self(response.into_body().into_data_stream())
    }

    async fn hear(&mut self) -> String {
        let chunk = timeout(Duration::from_secs(60), self.0.next()).await.expect("in time");
        String::from_utf8(chunk.unwrap().unwrap().to_vec()).unwrap()
    }
}

#[tokio::test]
async fn a_subscriber_hears_what_is_in_force_and_what_follows_it_within_a_second() {
    let (_folder, registry) = registry();
    let routes = routes(&registry);
    let mut ear = Ear::open(&routes).await;
    let first = ear.hear().await;
    for line in ["retry: 5000", "event: release", "id: 1", "data: 1"] {
        assert!(first.lines().any(|found| found == line), "{first}");
    }
    // As of another process: nothing passes through the routes.
    for version in 2..4 {
        registry.publish(&evolving(version), &at(NOW)).unwrap();
        let start = Instant::now();
        assert!(ear.hear().await.contains(&format!("data: {version}\n")));
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }
    // Who comes late misses nothing.
    assert!(Ear::open(&routes).await.hear().await.contains("data: 3\n"));
}

#[tokio::test(start_paused = true)]
async fn where_nothing_happens_there_are_comments() {
    let (_folder, registry) = registry();
    let mut ear = Ear::open(&routes(&registry)).await;
    assert!(ear.hear().await.contains("data: 1"));
    assert!(ear.hear().await.starts_with(':'));
}

#[tokio::test]
async fn a_subscriber_too_many_is_told_when_to_come_back() {
    let (_folder, registry) = registry();
    let routes = routes(&registry);
    let mut ears = Vec::new();
    for _ in 0..4096 {
        ears.push(Ear::open(&routes).await);
    }
    let answer = get(&routes, "/v1/updates").await;
    assert_eq!(answer.header("retry-after"), "60");
    answer.problem(axum::http::StatusCode::SERVICE_UNAVAILABLE);
    ears.pop();
    Ear::open(&routes).await;
}

#[tokio::test]
async fn roots_are_served_by_their_version() {
    let mut signed = Signed::published();
    signed.keys.rotate(None, NOW + 900 * DAY).unwrap();
    signed.registry.refresh(&signed.on(0)).unwrap();
    let routes = routes(&signed.registry);
    for version in [1, 2] {
        let answer = get(&routes, &format!("/v1/root/{version}")).await;
        assert_eq!(answer.body, std::fs::read(signed.file(&format!("root/{version}"))).unwrap());
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let tag = [("if-none-match", answer.header("etag"))];
        let again = get_with(&routes, &format!("/v1/root/{version}"), &tag).await;
        assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    }
    get(&routes, "/v1/root/3").await.problem(axum::http::StatusCode::NOT_FOUND);
    for none in ["01", "-1", "next", "..%2Fmanifest", "99999999999999999999"] {
        let answer = get(&routes, &format!("/v1/root/{none}")).await;
        answer.problem(axum::http::StatusCode::BAD_REQUEST);
    }
}

fn config(signed: &Signed) -> Config {
    Config {
        registry: signed.registry.dir().to_owned(),
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        keys: Some(signed.keys.dir().to_owned()),
        www: None,
        cache_bytes: DEFAULT_CACHE_BYTES,
        collecting: None,
        moving: None,
    }
}

#[tokio::test]
async fn a_server_with_keys_signs_a_timestamp_that_is_about_to_expire_and_ends_subscriptions_with_itself()
 {
    // Published as long ago as the clock of this machine is ahead of the tests'.
    let mut signed = Signed::published();
    let change = Change { role: Role::Root, publics: &[], add: false, threshold: None };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_millis()).unwrap();
    signed.keys.rotate(Some(&change), now + 365 * DAY).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let (ready, address) = oneshot::channel();
    let task = tokio::spawn(serve(config(&signed), |at| ready.send(at).unwrap(), async {
        stopped.await.unwrap_or_default();
    }));
    let address = address.await.unwrap();
    let fresh = async {
        while signed.registry.believe(&signed.anchor(), now).is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(60), fresh).await.expect("the timestamp is signed");

    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /v1/updates HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut heard = [0; 64];
    stream.read_exact(&mut heard).await.unwrap();
    let start = Instant::now();
    stop.send(()).unwrap();
    task.await.unwrap().unwrap();
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[tokio::test]
async fn keys_among_the_pages_are_refused() {
    let signed = Signed::published();
    let www = Some(signed.folder.path().to_owned());
    let refused = serve(Config { www, ..config(&signed) }, |_| {}, std::future::pending()).await;
    assert!(refused.unwrap_err().to_string().contains("among the pages"));
}
