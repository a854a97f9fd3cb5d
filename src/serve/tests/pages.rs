//! Files of the folder of pages.
#![allow(clippy::expect_used, reason = "a test may panic")]

mod support;

use axum::{
    Router,
    http::{Method, StatusCode},
};
use segue_serve::{AppState, app};
use std::{fs, path::PathBuf};
use support::{empty_registry, get, get_with, request};
use tempfile::TempDir;

const PAGE: &[u8] = b"<!doctype html><title>Segue</title>";
const SECRET: &[u8] = b"not a page";

/// A folder of pages with a secret beside it, and the routes over it.
fn site() -> (TempDir, Router) {
    let (folder, registry) = empty_registry();
    let www: PathBuf = folder.path().join("www");
    fs::create_dir_all(www.join("assets")).expect("folder");
    let files: [(&str, &[u8]); 7] = [
        ("index.html", PAGE),
        ("assets/index.html", b"assets"),
        ("assets/player.js", b"export {}"),
        ("assets/player.js.br", b"in Brotli"),
        ("assets/segue.wasm", b"\0asm"),
        ("assets/style.css", b"body {}"),
        ("a file.svg", b"<svg/>"),
    ];
    for (name, bytes) in files {
        fs::write(www.join(name), bytes).expect("file");
    }
    fs::write(folder.path().join("secret"), SECRET).expect("file");
    let state = AppState::new(registry, Some(www), 1 << 20).expect("state");
    (folder, app(state))
}

#[tokio::test]
async fn files_have_the_types_that_browsers_insist_on() {
    let (_folder, site) = site();
    let types = [
        ("/", "text/html"),
        ("/index.html", "text/html"),
        ("/assets/player.js", "text/javascript"),
        ("/assets/segue.wasm", "application/wasm"),
        ("/assets/style.css", "text/css"),
        ("/a%20file.svg", "image/svg+xml"),
    ];
    for (path, media_type) in types {
        let answer = get(&site, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.header("content-type"), media_type, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-cache");
        assert_eq!(answer.header("content-length"), answer.body.len().to_string());
        assert_ne!(answer.header("last-modified"), "");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    assert_eq!(get(&site, "/").await.body, PAGE);
}

#[tokio::test]
async fn a_file_that_did_not_change_is_not_sent_again() {
    let (folder, site) = site();
    let first = get(&site, "/").await;
    for (condition, validator) in
        [("if-none-match", "etag"), ("if-modified-since", "last-modified")]
    {
        let answer = get_with(&site, "/", &[(condition, first.header(validator))]).await;
        assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{condition}");
        assert_eq!(answer.header("cache-control"), "no-cache");
        assert!(answer.body.is_empty());
    }
    fs::write(folder.path().join("www/index.html"), b"<!doctype html>another").unwrap();
    let changed = get_with(&site, "/", &[("if-none-match", first.header("etag"))]).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_eq!(changed.body, b"<!doctype html>another");
}

#[tokio::test]
async fn a_file_compressed_beside_is_sent_to_whoever_accepts_it() {
    let (_folder, site) = site();
    let coded = get_with(&site, "/assets/player.js", &[("accept-encoding", "gzip, br")]).await;
    assert_eq!(
        (coded.header("content-encoding"), coded.body.as_slice()),
        ("br", &b"in Brotli"[..])
    );
    assert_eq!(coded.header("content-type"), "text/javascript");
    assert_eq!(coded.header("vary"), "accept-encoding");
    for accept in ["gzip", "br;q=0", ""] {
        let plain = get_with(&site, "/assets/player.js", &[("accept-encoding", accept)]).await;
        assert_eq!(
            (plain.header("content-encoding"), plain.body.as_slice()),
            ("", &b"export {}"[..])
        );
        assert_eq!(plain.header("vary"), "accept-encoding");
    }
    let none = get_with(&site, "/assets/segue.wasm", &[("accept-encoding", "br")]).await;
    assert_eq!((none.header("content-encoding"), none.body.as_slice()), ("", &b"\0asm"[..]));
}

#[tokio::test]
async fn nothing_outside_the_folder_is_reachable() {
    let (_folder, site) = site();
    let attempts = [
        "/../secret",
        "/assets/../../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/assets/%2e%2e/%2e%2e/secret",
        "/..%5csecret",
        "/..\\secret",
        "//secret",
        "/%2fetc%2fpasswd",
        "//etc/passwd",
        "/index.html/../../secret",
        "/assets/player.js%00.html",
        "/%ff",
        "/~root/",
        "/registry/lock",
    ];
    for path in attempts {
        let answer = get(&site, path).await;
        assert_ne!(answer.body, SECRET, "{path}");
        answer.problem(StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_path_of_any_length_gets_an_answer() {
    let (_folder, site) = site();
    for path in [format!("/{}", "a".repeat(300)), format!("/{}", "a/".repeat(30_000))] {
        for method in [Method::GET, Method::HEAD] {
            let answer = request(&site, method, &path, &[]).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND);
        }
    }
}

#[tokio::test]
async fn missing_files_and_other_methods_are_problems_too() {
    let (_folder, site) = site();
    get(&site, "/lost.html").await.problem(StatusCode::NOT_FOUND);
    get(&site, "/v1/lost").await.problem(StatusCode::NOT_FOUND);
    get(&site, "/index.html/").await.problem(StatusCode::NOT_FOUND);
    let answer = request(&site, Method::POST, "/", &[]).await;
    assert_eq!(answer.header("allow"), "GET,HEAD");
    answer.problem(StatusCode::METHOD_NOT_ALLOWED);
    let range = [("range", "bytes=1000-")];
    get_with(&site, "/", &range).await.problem(StatusCode::RANGE_NOT_SATISFIABLE);
}

#[tokio::test]
async fn pages_never_hide_the_registry() {
    let (folder, site) = site();
    fs::create_dir_all(folder.path().join("www/v1")).unwrap();
    fs::write(folder.path().join("www/v1/manifest"), b"{}").unwrap();
    fs::write(folder.path().join("www/healthz"), b"no").unwrap();
    get(&site, "/v1/manifest").await.problem(StatusCode::NOT_FOUND);
    assert_eq!(get(&site, "/healthz").await.body, b"ok\n");
}
