//! The registry over HTTP: `/v1/manifest`, `/v1/blob/<hash>` and `/v1/root/<version>`.

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::{
    io,
    sync::{Arc, PoisonError},
    time::Instant,
};
use tokio::task::spawn_blocking;

use super::{AppState, negotiate, problem::Problem};
use crate::registry::{BlobHash, Encoding, MalformedHash, Registry, RegistryError};

/// What the path of a blob starts with.
const BLOB: &str = "/v1/blob/";
/// And that of a root.
const ROOT: &str = "/v1/root/";
/// Room for the headers of an answer, so that it need not grow.
const HEADERS: usize = 16;
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// The manifest in force, checked, as it is sent.
pub(super) struct ManifestFile {
    json: Bytes,
    etag: HeaderValue,
    /// The version of the release.
    pub(super) release: u64,
}

impl ManifestFile {
    /// Reads and validates the manifest, or takes `known` where the file is still the same. `None`
    /// where nothing was published. A blob that is missing goes to the log, once.
    pub(super) fn read(
        registry: &Registry,
        known: Option<Arc<Self>>,
    ) -> Result<Option<Arc<Self>>, RegistryError> {
        let Some(json) = registry.manifest_file()? else { return Ok(None) };
        if let Some(known) = known.filter(|known| known.json == json) {
            return Ok(Some(known));
        }
        let release = registry.parse(&json)?.release;
        for blob in registry.missing(&release)? {
            tracing::error!("{}", RegistryError::Missing(blob));
        }
        let etag = negotiate::etag(BlobHash::of(&json), "");
        Ok(Some(Arc::new(Self { json: json.into(), etag, release: release.version })))
    }
}

/// `GET /v1/manifest`.
pub(super) async fn manifest(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, Problem> {
    let manifest = current(&state).await?.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "the registry is empty: publish a model first, with `segue publish MODEL --registry DIR`",
        )
    })?;
    let caching = [(header::ETAG, manifest.etag.clone()), (header::CACHE_CONTROL, REVALIDATE)];
    if negotiate::has(request.headers(), &manifest.etag) {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    let content = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((caching, content, manifest.json.clone()).into_response())
}

/// The manifest that is in force now. A folder's file is read each time, which costs less than it would
/// to be wrong about whether it changed: time stamps are too coarse to tell.
pub(super) async fn current(state: &AppState) -> Result<Option<Arc<ManifestFile>>, RegistryError> {
    let known = || state.0.manifest.lock().unwrap_or_else(PoisonError::into_inner);
    let (registry, before) = (state.0.registry.clone(), known().clone());
    let before = match before {
        Some((at, file)) if at.elapsed() < registry.patience() => return Ok(Some(file)),
        before => before.map(|(_, file)| file),
    };
    let path = registry.manifest_path();
    let read = spawn_blocking(move || ManifestFile::read(&registry, before)).await;
    let now = read.map_err(|error| RegistryError::io("read", &path)(io::Error::from(error)))??;
    *known() = now.clone().map(|file| (Instant::now(), file));
    Ok(now)
}

/// `GET /v1/root/<version>`.
pub(super) async fn root(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, Problem> {
    let text = request.uri().path().strip_prefix(ROOT).unwrap_or_default();
    // Written in one way only, as it is the name of a file.
    let version = text.parse().ok().filter(|version: &u64| version.to_string() == text);
    let version = version.ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "the version of a root is a number without zeros before it",
        )
    })?;
    let registry = state.0.registry.clone();
    let path = registry.manifest_path();
    let read = spawn_blocking(move || registry.root_file(version)).await;
    let found =
        read.map_err(|error| RegistryError::io("read", &path)(io::Error::from(error)))??;
    let json = found.ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "there is no root of this version here")
    })?;
    let etag = negotiate::etag(BlobHash::of(&json), "");
    let caching = [(header::ETAG, etag.clone()), (header::CACHE_CONTROL, REVALIDATE)];
    if negotiate::has(request.headers(), &etag) {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    let content = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((caching, content, json).into_response())
}

/// `GET /v1/blob/<hash>`.
pub(super) async fn blob(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, Problem> {
    // Taken as it is written: an escaped digit would be a second name for the same blob.
    let hash = request.uri().path().strip_prefix(BLOB).and_then(|text| text.parse().ok());
    let hash: BlobHash = hash.ok_or_else(|| {
        Problem::new(StatusCode::BAD_REQUEST, format!("malformed hash: {MalformedHash}"))
    })?;
    let blob = state.0.blobs.get(hash).await?;
    let form = blob.negotiate(request.headers()).ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_ACCEPTABLE,
            "Accept-Encoding refuses every coding of this blob: allow br, zstd or identity",
        )
    })?;

    let mut response = Response::new(Body::empty());
    *response.headers_mut() = HeaderMap::with_capacity(HEADERS);
    let answer = response.headers_mut();
    answer.insert(header::ETAG, form.etag.clone());
    answer.insert(header::CACHE_CONTROL, IMMUTABLE);
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if negotiate::has(request.headers(), &form.etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    if let Some(encoding) = form.encoding.map(Encoding::token) {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    *response.body_mut() = form.body.clone().into();
    Ok(response)
}
