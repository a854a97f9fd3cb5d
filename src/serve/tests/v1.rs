//! `/v1` and `/healthz`: what clients and the caches between rely on.

mod support;

use axum::http::{Method, StatusCode};
use segue_core::{
    manifest::{Manifest, Release},
    model::SectionKind,
};
use segue_serve::{AppState, app};
use std::fs;
use support::{
    NOW, at, blob_path, empty_registry, get, get_with, hash, model, registry, request, routes,
    section, tamper, with_suffix,
};

const BOTH: (&str, &str) = ("accept-encoding", "gzip, deflate, br, zstd");

#[tokio::test]
async fn the_manifest_is_the_version_in_force_and_caches_must_ask_about_it() {
    let (_folder, registry) = registry();
    let answer = get(&routes(&registry), "/v1/manifest").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-cache");
    assert_eq!(answer.header("content-length"), answer.body.len().to_string());
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let manifest: Manifest = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(manifest, registry.in_force().unwrap().unwrap().manifest);
}

#[tokio::test]
async fn a_publication_is_seen_by_the_next_request_and_changes_the_tag() {
    let (_folder, registry) = registry();
    let routes = routes(&registry);
    let tag = get(&routes, "/v1/manifest").await.header("etag").to_owned();
    let condition = [("if-none-match", tag.as_str())];
    let unchanged = get_with(&routes, "/v1/manifest", &condition).await;
    assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED);
    assert_eq!(unchanged.header("etag"), tag);
    assert_eq!(unchanged.header("cache-control"), "no-cache");
    assert!(unchanged.body.is_empty());

    for version in 2..6 {
        registry.publish(&model(version), &at(NOW)).unwrap();
        let answer = get_with(&routes, "/v1/manifest", &condition).await;
        assert_eq!(answer.status, StatusCode::OK);
        let manifest: Manifest = serde_json::from_slice(&answer.body).unwrap();
        let release: Release = serde_json::from_str(&manifest.release.signed).unwrap();
        assert_eq!((release.version, release.models[0].version), (version, version));
        assert_ne!(answer.header("etag"), tag);
    }
}

#[tokio::test]
async fn conditions_are_compared_as_lists_of_weak_tags() {
    let (_folder, registry) = registry();
    let routes = routes(&registry);
    let tag = get(&routes, "/v1/manifest").await.header("etag").to_owned();
    let cases = [
        (tag.clone(), StatusCode::NOT_MODIFIED),
        (format!("W/{tag}"), StatusCode::NOT_MODIFIED),
        (format!("\"other\", {tag}"), StatusCode::NOT_MODIFIED),
        ("*".to_owned(), StatusCode::NOT_MODIFIED),
        ("\"other\"".to_owned(), StatusCode::OK),
        (tag.trim_matches('"').to_owned(), StatusCode::OK),
        (String::new(), StatusCode::OK),
    ];
    for (condition, status) in cases {
        let answer = get_with(&routes, "/v1/manifest", &[("if-none-match", &condition)]).await;
        assert_eq!(answer.status, status, "{condition}");
    }
}

#[tokio::test]
async fn every_blob_is_served_under_its_hash_for_ever() {
    let (_folder, registry) = registry();
    let routes = routes(&registry);
    for kind in support::KINDS {
        let hash = hash(&registry, kind);
        let answer = get(&routes, &format!("/v1/blob/{hash}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{kind}");
        assert_eq!(answer.hash(), hash);
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(answer.header("vary"), "accept-encoding");
        assert_eq!(answer.header("etag"), format!("\"{hash}\""));
        assert_eq!(answer.header("content-encoding"), "");
        assert_eq!(answer.header("content-length"), answer.body.len().to_string());
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn blobs_of_earlier_versions_stay() {
    let (_folder, registry) = registry();
    let routes = routes(&registry);
    let earlier = hash(&registry, SectionKind::Factors);
    registry.publish(&model(2), &at(NOW)).unwrap();
    assert_ne!(hash(&registry, SectionKind::Factors), earlier);
    assert_eq!(get(&routes, &format!("/v1/blob/{earlier}")).await.hash(), earlier);
}

#[tokio::test]
async fn a_blob_comes_in_the_coding_that_the_request_wants_most() {
    let (_folder, registry) = registry();
    let routes = routes(&registry);
    let path = format!("/v1/blob/{}", hash(&registry, SectionKind::Text));
    let stored = blob_path(&registry, SectionKind::Text);
    let size = |suffix| fs::metadata(with_suffix(&stored, suffix)).unwrap().len();
    let smallest = if size(".br") <= size(".zst") { "br" } else { "zstd" };
    let cases = [
        ("", ""),
        ("gzip, deflate", ""),
        ("identity", ""),
        ("br", "br"),
        ("BR", "br"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", smallest),
        ("zstd;q=0.9, br;q=0.1", "zstd"),
        ("zstd;q=0.001, br;q=1.000", "br"),
        ("br;q=0, zstd", "zstd"),
        ("br;q=0, zstd;q=0", ""),
        ("br; q=0.5 , identity", ""),
        ("identity, br, zstd", smallest),
        ("*", smallest),
        ("br;q=0, *", "zstd"),
        ("*;q=0, br", "br"),
        // Weights that cannot be read refuse.
        ("br;q=2", ""),
        ("br;q=high", ""),
        ("br;q=-1", ""),
        ("br;q=0.12345", ""),
        ("br;level=11", ""),
        (";;,,q=1,", ""),
    ];
    for (accept, coding) in cases {
        let answer = get_with(&routes, &path, &[("accept-encoding", accept)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{accept}");
        assert_eq!(answer.header("content-encoding"), coding, "{accept}");
        assert_eq!(answer.header("vary"), "accept-encoding");
        let suffix = match coding {
            "br" => ".br",
            "zstd" => ".zst",
            _ => "",
        };
        assert_eq!(answer.body, fs::read(with_suffix(&stored, suffix)).unwrap(), "{accept}");
    }
}

#[tokio::test]
async fn codings_have_tags_of_their_own() {
    let (_folder, registry) = registry();
    let routes = routes(&registry);
    let path = format!("/v1/blob/{}", hash(&registry, SectionKind::Text));
    let coded = get_with(&routes, &path, &[BOTH]).await;
    let plain = get(&routes, &path).await;
    assert_ne!(coded.header("etag"), plain.header("etag"));

    let tag = ("if-none-match", coded.header("etag"));
    let unchanged = get_with(&routes, &path, &[BOTH, tag]).await;
    assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED);
    assert_eq!(unchanged.header("vary"), "accept-encoding");
    assert_eq!(unchanged.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(get_with(&routes, &path, &[tag]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_request_that_refuses_every_coding_is_told_which_there_are() {
    let (_folder, registry) = registry();
    let path = format!("/v1/blob/{}", hash(&registry, SectionKind::Factors));
    let refusing = [("accept-encoding", "gzip, identity;q=0")];
    let answer = get_with(&routes(&registry), &path, &refusing).await;
    assert!(answer.problem(StatusCode::NOT_ACCEPTABLE).contains("identity"));
}

#[tokio::test]
async fn head_answers_as_get_does_without_the_body() {
    let (_folder, registry) = registry();
    let routes = routes(&registry);
    let blob = format!("/v1/blob/{}", hash(&registry, SectionKind::Text));
    for path in ["/v1/manifest", "/healthz", &blob] {
        let headers = [BOTH, ("x-request-id", "one")];
        let get = get_with(&routes, path, &headers).await;
        let head = request(&routes, Method::HEAD, path, &headers).await;
        assert_eq!((head.status, head.headers), (get.status, get.headers), "{path}");
        assert!(head.body.is_empty() && !get.body.is_empty());
    }
}

#[tokio::test]
async fn a_tampered_blob_is_withheld_and_its_path_is_not_told() {
    let (_folder, registry) = registry();
    let routes = routes(&registry);
    let path = format!("/v1/blob/{}", hash(&registry, SectionKind::Factors));
    tamper(&blob_path(&registry, SectionKind::Factors));
    for _ in 0..2 {
        let detail = get(&routes, &path).await.problem(StatusCode::INTERNAL_SERVER_ERROR);
        assert!(detail.contains("does not have this hash"), "{detail}");
        assert!(!detail.contains(registry.dir().to_str().unwrap()), "{detail}");
    }
    // Mended, it is served at once: errors are not remembered.
    registry.publish(&model(1), &at(NOW)).unwrap();
    assert_eq!(get(&routes, &path).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_tampered_coding_is_never_sent() {
    let (_folder, registry) = registry();
    let stored = blob_path(&registry, SectionKind::Text);
    let path = format!("/v1/blob/{}", hash(&registry, SectionKind::Text));
    tamper(&with_suffix(&stored, ".br"));
    let answer = get_with(&routes(&registry), &path, &[BOTH]).await;
    assert_eq!(answer.header("content-encoding"), "zstd");

    tamper(&with_suffix(&stored, ".zst"));
    let answer = get_with(&routes(&registry), &path, &[BOTH]).await;
    assert_eq!(answer.header("content-encoding"), "");
    assert_eq!(answer.body, section(&model(1), SectionKind::Text));
}

#[tokio::test]
async fn a_blob_that_was_read_is_served_from_memory() {
    let (_folder, registry) = registry();
    let routes = routes(&registry);
    let path = format!("/v1/blob/{}", hash(&registry, SectionKind::Ids));
    let first = get(&routes, &path).await;
    tamper(&blob_path(&registry, SectionKind::Ids));
    assert_eq!(get(&routes, &path).await.body, first.body);
}

#[tokio::test]
async fn memory_is_bounded_and_blobs_pushed_out_of_it_are_checked_again() {
    let (_folder, registry) = registry();
    let routes = app(AppState::new(registry.clone(), None, 1).unwrap());
    let path = |kind| format!("/v1/blob/{}", hash(&registry, kind));
    for kind in support::KINDS.into_iter().cycle().take(15) {
        assert_eq!(get(&routes, &path(kind)).await.hash(), hash(&registry, kind));
    }
    tamper(&blob_path(&registry, SectionKind::Ids));
    let answer = get(&routes, &path(SectionKind::Ids)).await;
    answer.problem(StatusCode::INTERNAL_SERVER_ERROR);
    // The newest stays, however small the memory.
    tamper(&blob_path(&registry, SectionKind::Text));
    assert_eq!(get(&routes, &path(SectionKind::Text)).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_first_requests_at_once_all_get_the_blob() {
    let (_folder, registry) = registry();
    let routes = routes(&registry);
    let hash = hash(&registry, SectionKind::Factors);
    let path = format!("/v1/blob/{hash}");
    let ask = || {
        let (routes, path) = (routes.clone(), path.clone());
        tokio::spawn(async move { get(&routes, &path).await.hash() })
    };
    let answers: Vec<_> = (0..64).map(|_| ask()).collect();
    for answer in answers {
        assert_eq!(answer.await.unwrap(), hash);
    }
}

#[tokio::test]
async fn a_blob_that_is_not_there_is_not_found() {
    let (_folder, registry) = registry();
    let routes = routes(&registry);
    let unknown = get(&routes, &format!("/v1/blob/{}", "0".repeat(64))).await;
    assert_eq!(unknown.header("access-control-allow-origin"), "*");
    assert!(unknown.problem(StatusCode::NOT_FOUND).contains("no blob with this hash"));

    let path = format!("/v1/blob/{}", hash(&registry, SectionKind::Taste));
    fs::remove_file(blob_path(&registry, SectionKind::Taste)).unwrap();
    get(&routes, &path).await.problem(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_not_a_hash_is_refused_whatever_it_tries_to_reach() {
    let (_folder, registry) = registry();
    let routes = routes(&registry);
    let hash = hash(&registry, SectionKind::Text);
    let malformed = [
        hash.to_uppercase(),
        format!("{hash}.br"),
        hash[1..].to_owned(),
        "..%2Fmanifest".to_owned(),
        "%2e%2e%2flock".to_owned(),
        "%00".to_owned(),
        "%ff%fe".to_owned(),
        "a".repeat(60_000),
    ];
    for text in malformed {
        let answer = get(&routes, &format!("/v1/blob/{text}")).await;
        let detail = answer.problem(StatusCode::BAD_REQUEST);
        assert!(detail.contains("64 lower-case hexadecimal digits"), "{detail}");
    }
}

#[tokio::test]
async fn only_the_routes_are_there() {
    let (_folder, registry) = registry();
    let routes = routes(&registry);
    let paths = [
        "/",
        "/v1",
        "/v1/",
        "/v1/lock",
        "/v1/blob",
        "/v1/blob/",
        "/v1/blob/a/b",
        "/v1/manifest/",
        "/v1/manifest.tmp",
        "/v2/manifest",
        "/v1/../v1/manifest",
        "//v1/manifest",
        "/index.html",
    ];
    for path in paths {
        let answer = get(&routes, path).await;
        assert!(answer.problem(StatusCode::NOT_FOUND).contains("nothing"), "{path}");
    }
    assert_eq!(get(&routes, "/v1/lost").await.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn other_methods_are_told_which_are_allowed() {
    let (_folder, registry) = registry();
    let routes = routes(&registry);
    let blob = format!("/v1/blob/{}", hash(&registry, SectionKind::Ids));
    for path in ["/v1/manifest", "/healthz", &blob] {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            let answer = request(&routes, method.clone(), path, &[]).await;
            assert_eq!(answer.header("allow"), "GET,HEAD", "{method} {path}");
            assert_eq!(answer.header("content-length"), answer.body.len().to_string());
            answer.problem(StatusCode::METHOD_NOT_ALLOWED);
        }
    }
}

#[tokio::test]
async fn an_empty_registry_answers_what_to_do() {
    let (_folder, registry) = empty_registry();
    let routes = routes(&registry);
    let detail = get(&routes, "/v1/manifest").await.problem(StatusCode::NOT_FOUND);
    assert!(detail.contains("publish a model first"), "{detail}");

    registry.publish(&model(1), &at(NOW)).unwrap();
    assert_eq!(get(&routes, "/v1/manifest").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_manifest_damaged_while_serving_is_not_passed_on_and_can_be_mended() {
    let (_folder, registry) = registry();
    let routes = routes(&registry);
    let path = registry.dir().join("manifest");
    let whole = fs::read(&path).unwrap();
    let later = String::from_utf8(whole.clone()).unwrap().replace("\"format\": 2", "\"format\": 3");
    for damaged in [&whole[..40], later.as_bytes()] {
        fs::write(&path, damaged).unwrap();
        let answer = get(&routes, "/v1/manifest").await;
        let detail = answer.problem(StatusCode::INTERNAL_SERVER_ERROR);
        assert!(detail.contains("log") && !detail.contains('/'), "{detail}");
        assert_eq!(get(&routes, "/healthz").await.status, StatusCode::OK);
    }
    fs::write(&path, whole).unwrap();
    assert_eq!(get(&routes, "/v1/manifest").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_registry_that_cannot_be_read_is_an_error_of_the_server() {
    let (_folder, registry) = registry();
    let routes = routes(&registry);
    let hash = hash(&registry, SectionKind::Ids);
    for path in [registry.dir().join("manifest"), blob_path(&registry, SectionKind::Ids)] {
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
    }
    for path in ["/v1/manifest".to_owned(), format!("/v1/blob/{hash}")] {
        let answer = get(&routes, &path).await;
        let detail = answer.problem(StatusCode::INTERNAL_SERVER_ERROR);
        assert!(detail.contains("cannot be read"), "{detail}");
    }
}

#[tokio::test]
async fn health_is_told_without_a_registry_in_order() {
    let (_folder, registry) = empty_registry();
    let answer = get(&routes(&registry), "/healthz").await;
    assert_eq!((answer.status, answer.body.as_slice()), (StatusCode::OK, &b"ok\n"[..]));
    assert_eq!(answer.header("cache-control"), "no-store");
}
