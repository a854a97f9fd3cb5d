//! What the tests of this room share: small real models, registries and requests.
#![allow(dead_code, clippy::unwrap_used, reason = "each test binary uses a part; tests may panic")]

pub mod signed;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode},
};
use segue_core::{
    bytes::Aligned,
    ids::fingerprint,
    model::{self, Loss, Model, Responses, SectionKind, TasteParts},
    rng::SplitMix64,
};
use segue_serve::{
    AppState, DEFAULT_CACHE_BYTES, app,
    registry::{BlobHash, Options, Registry},
};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tower::ServiceExt;

const TRACKS: usize = 500;
const DIM: usize = 16;
const CLUSTERS: usize = 4;

/// When everything here is published.
pub const NOW: i64 = 1_764_000_000_000;

/// How everything here is published, unless a test says otherwise.
pub fn at(now_ms: i64) -> Options<'static> {
    Options::at(now_ms)
}

/// What [`model`] has.
pub const KINDS: [SectionKind; 5] = [
    SectionKind::Ids,
    SectionKind::Factors,
    SectionKind::Taste,
    SectionKind::Clusters,
    SectionKind::Text,
];

/// A model whose factors and taste depend on `seed`; ids, clusters and text do not. The factors
/// are noise, which no coding makes smaller; the text repeats itself.
pub fn model(seed: u64) -> Model {
    let mut fingerprints: Vec<u64> = (0..TRACKS).map(|i| fingerprint(&format!("t{i}"))).collect();
    fingerprints.sort_unstable();
    let mut noise = SplitMix64::new(seed);
    let factors: Vec<f32> = (0..TRACKS * DIM).map(|_| noise.unit() as f32 - 0.5).collect();
    let steps = model::fine_steps(&factors, DIM);
    let codes = model::quantise(&factors, &steps);
    let taste = TasteParts {
        loss: Loss { unobserved: 0.05, ridge: 0.01, exponent: 1.0 },
        catalogue: TRACKS as f32,
        pull: 1.0,
        responses: Responses::default(),
        mean: vec![0.0; DIM],
        gram: None,
    };
    let assignment: Vec<u16> = (0..TRACKS).map(|row| (row % CLUSTERS) as u16).collect();
    let titles: Vec<String> =
        (0..TRACKS).map(|row| format!("A Song Like Any Other {row}")).collect();
    let tracks = titles.iter().map(|title| (title.as_str(), "The Examples", 180_000));
    let names: Vec<String> = (0..CLUSTERS).map(|cluster| format!("cluster {cluster}")).collect();
    let (ids, mut sections) = model::encode_ranking(&fingerprints, &steps, &codes, &taste);
    let centroids = [0.25; CLUSTERS * DIM];
    sections.extend([
        (SectionKind::Clusters, model::encode_clusters(ids, DIM, &centroids, &assignment)),
        (SectionKind::Text, model::encode_text(ids, tracks, &names)),
    ]);
    Model::from_sections(sections).unwrap()
}

/// The bytes of one section.
pub fn section(model: &Model, kind: SectionKind) -> Vec<u8> {
    model.sections().find(|(found, _)| found.kind == kind).unwrap().1.to_vec()
}

/// A section's bytes as a model wants them.
pub fn aligned(bytes: &[u8]) -> Aligned {
    Aligned::copy_of(bytes)
}

/// An empty registry, removed with the guard.
pub fn empty_registry() -> (TempDir, Registry) {
    let folder = TempDir::new().unwrap();
    let registry = Registry::create(folder.path().join("registry")).unwrap();
    (folder, registry)
}

/// A registry with `model(1)` in force as version 1.
pub fn registry() -> (TempDir, Registry) {
    let (folder, registry) = empty_registry();
    registry.publish(&model(1), &at(NOW)).unwrap();
    (folder, registry)
}

/// Where the section of this kind of the version in force is.
pub fn blob_path(registry: &Registry, kind: SectionKind) -> PathBuf {
    registry.dir().join("blob").join(hash(registry, kind))
}

/// The hash of the section of this kind of the version in force.
pub fn hash(registry: &Registry, kind: SectionKind) -> String {
    let mut release = registry.release().unwrap().unwrap();
    release
        .models
        .remove(0)
        .sections
        .into_iter()
        .find(|section| section.kind == kind.name())
        .unwrap()
        .hash
}

/// The path with `suffix` after its last part.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

/// Flips one bit in the middle of a file.
pub fn tamper(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

/// The routes over a registry, without pages.
pub fn routes(registry: &Registry) -> Router {
    app(AppState::new(registry.clone(), None, DEFAULT_CACHE_BYTES).unwrap())
}

/// What a request was answered with.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header as text, empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The SHA-256 of the body, as blobs are named.
    pub fn hash(&self) -> String {
        BlobHash::of(&self.body).to_string()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Asserts that this is a problem of RFC 9457 with this status, and returns its detail.
    pub fn problem(&self, status: StatusCode) -> String {
        assert_eq!(self.status, status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(body["status"], status.as_u16());
        assert_eq!(body["title"], status.canonical_reason().unwrap());
        body["detail"].as_str().unwrap().to_owned()
    }
}

/// Answers a request without a socket.
pub async fn request(
    routes: &Router,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> Answer {
    send(routes, method, path, headers, Vec::new()).await
}

/// The same with a body.
pub async fn send(
    routes: &Router,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body)).unwrap();
    let response = routes.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

/// `GET` without headers.
pub async fn get(routes: &Router, path: &str) -> Answer {
    request(routes, Method::GET, path, &[]).await
}

/// `GET` with headers.
pub async fn get_with(routes: &Router, path: &str, headers: &[(&str, &str)]) -> Answer {
    request(routes, Method::GET, path, headers).await
}
