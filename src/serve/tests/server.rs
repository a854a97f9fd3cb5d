//! The server on a socket.
#![allow(clippy::expect_used, reason = "a test may panic")]

mod support;

use segue_core::model::SectionKind;
use segue_serve::{Config, DEFAULT_CACHE_BYTES, ServeError, serve};
use std::{
    fs::{self, File},
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    time::Duration,
};
use support::{empty_registry, hash, registry};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::oneshot,
    task::{JoinHandle, spawn_blocking},
};

fn config(registry: &Path) -> Config {
    Config {
        registry: registry.to_owned(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        keys: None,
        www: None,
        cache_bytes: DEFAULT_CACHE_BYTES,
        collecting: None,
        moving: None,
    }
}

/// A server on a free port.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    async fn start(config: Config) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = oneshot::channel();
        let task =
            tokio::spawn(serve(config, |address| ready.send(address).expect("waiting"), async {
                stopped.await.unwrap_or_default();
            }));
        Self { address: address.await.expect("started"), stop, task }
    }

    async fn stop(self) {
        self.stop.send(()).expect("running");
        self.task.await.expect("no panic").expect("no error");
    }

    /// Sends bytes and returns everything that comes back until the server closes.
    async fn exchange(&self, request: String) -> String {
        let address = self.address;
        let exchange = spawn_blocking(move || {
            let mut stream = connect(address);
            stream.write_all(request.as_bytes()).expect("sent");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).expect("answered");
            String::from_utf8_lossy(&answer).to_lowercase()
        });
        exchange.await.expect("no panic")
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("timeout");
    stream
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n")
}

async fn refusal(config: Config) -> String {
    let never = |address| panic!("listening on {address}");
    serve(config, never, std::future::pending()).await.expect_err("refused").to_string()
}

#[tokio::test]
async fn it_serves_until_it_is_told_to_stop() {
    let (_folder, registry) = registry();
    let server = Running::start(config(registry.dir())).await;
    let answer = server.exchange(get("/v1/manifest", "")).await;
    assert!(answer.starts_with("http/1.1 200 ok\r\n"), "{answer}");
    assert!(answer.contains("\\\"version\\\":1"), "{answer}");

    // A connection that is only kept open does not hold the server up.
    let idle = connect(server.address);
    let address = server.address;
    server.stop().await;
    assert!(TcpStream::connect(address).is_err());
    drop(idle);
}

#[tokio::test]
async fn an_answer_without_content_has_no_length_of_it() {
    let (_folder, registry) = registry();
    let server = Running::start(config(registry.dir())).await;
    let hash = hash(&registry, SectionKind::Ids);
    let condition = format!("If-None-Match: \"{hash}\"\r\n");
    let answer = server.exchange(get(&format!("/v1/blob/{hash}"), &condition)).await;
    assert!(answer.starts_with("http/1.1 304 not modified\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n") && !answer.contains("content-length: 0"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn requests_that_are_no_requests_do_it_no_harm() {
    let (_folder, registry) = registry();
    let server = Running::start(config(registry.dir())).await;
    let giant = server.exchange(get(&format!("/{}", "a".repeat(100_000)), "")).await;
    assert!(giant.starts_with("http/1.1 414 "), "{giant}");
    let noise = server.exchange("\u{16}\u{3}\u{1}\r\n\r\n".to_owned()).await;
    assert!(noise.starts_with("http/1.1 400 "), "{noise}");
    let headers = "X-Padding: a\r\n".repeat(1000);
    let padded = server.exchange(get("/healthz", &headers)).await;
    assert!(padded.starts_with("http/1.1 431 "), "{padded}");

    let answer = server.exchange(get("/healthz", "")).await;
    assert!(answer.ends_with("ok\n"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn an_address_in_use_is_named_with_what_to_do() {
    let (_folder, registry) = registry();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let listen = taken.local_addr().unwrap();
    let message = refusal(Config { listen, ..config(registry.dir()) }).await;
    assert_eq!(
        message,
        format!(
            "address {listen} is already in use: \
             stop the other process or pass --listen with another port"
        )
    );
}

#[tokio::test]
async fn an_address_of_another_machine_is_refused() {
    let (_folder, registry) = registry();
    // TEST-NET-1 of RFC 5737 belongs to nobody.
    let listen = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 8787));
    let message = refusal(Config { listen, ..config(registry.dir()) }).await;
    assert!(message.contains("192.0.2.1:8787") && message.contains("--listen"), "{message}");
}

#[tokio::test]
async fn it_does_not_start_without_a_registry_or_the_pages_it_is_to_serve() {
    let (folder, registry) = registry();
    let absent = folder.path().join("absent");
    let message = refusal(config(&absent)).await;
    assert!(message.contains(absent.to_str().unwrap()), "{message}");
    assert!(message.contains("publish a model"), "{message}");

    let www = Some(absent.clone());
    let message = refusal(Config { www, ..config(registry.dir()) }).await;
    assert!(message.contains(absent.to_str().unwrap()), "{message}");
    assert!(message.contains("--www"), "{message}");
}

#[tokio::test]
async fn it_does_not_start_on_a_damaged_manifest() {
    let (_folder, registry) = registry();
    let path = registry.dir().join("manifest");
    fs::write(&path, b"{\"format\": 2,").unwrap();
    let message = refusal(config(registry.dir())).await;
    assert!(message.contains(path.to_str().unwrap()), "{message}");
}

#[tokio::test]
async fn it_starts_on_an_empty_registry() {
    let (_folder, registry) = empty_registry();
    let server = Running::start(config(registry.dir())).await;
    let answer = server.exchange(get("/v1/manifest", "")).await;
    assert!(answer.starts_with("http/1.1 404 "), "{answer}");
    assert!(answer.contains("publish a model first"), "{answer}");
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_asks_for_nothing_or_does_not_end_its_question_is_closed() {
    let (_folder, registry) = registry();
    let server = Running::start(config(registry.dir())).await;
    let whole = get("/healthz", "").replace("Connection: close\r\n", "");
    for question in ["", "GET /healthz HTTP/1.1\r\nhost: x\r\n", &whole] {
        let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        stream.write_all(question.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // The clock runs ahead while nothing else happens.
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer.starts_with(b"HTTP/1.1 200"), question == whole, "{question:?}");
    }
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_cannot_keep_it_from_stopping() {
    let (folder, registry) = registry();
    let www = folder.path().join("www");
    fs::create_dir(&www).unwrap();
    // More than the buffers of both ends of a connection hold.
    File::create(www.join("large")).unwrap().set_len(1 << 26).unwrap();
    let server = Running::start(Config { www: Some(www), ..config(registry.dir()) }).await;

    let address = server.address;
    let stalled = spawn_blocking(move || {
        let mut stream = connect(address);
        stream.write_all(get("/large", "").as_bytes()).unwrap();
        stream.read_exact(&mut [0; 100]).unwrap();
        stream
    });
    let stalled = stalled.await.unwrap();
    server.stop().await;
    drop(stalled);
}
