//! The routes.
//!
//! | path | answers |
//! |---|---|
//! | `GET /v1/manifest` | what is in force; asked about each time |
//! | `GET /v1/blob/<hash>` | a section or a delta, kept for ever |
//! | `GET /v1/root/<version>` | one of the roots that there were |
//! | `GET /v1/updates` | an event for each release, as it comes into force |
//! | `POST /v1/events` | what became of each event, once it is durable; where events are collected |
//! | `GET /healthz` | `ok` |
//! | `GET /metrics` | what happened since the start: [`metrics`] |
//! | `GET` of all else | a file of the folder of pages, where there is one |
//!
//! Whatever goes wrong is answered as RFC 9457 problem details.

mod cache;
mod events;
mod metrics;
mod negotiate;
mod pages;
mod problem;
mod rate;
mod request;
mod updates;
mod v1;

use axum::{
    Router,
    extract::{Request, State},
    handler::Handler,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::Response,
    routing::{any, get},
};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Instant,
};
use tracing::{Instrument, Level};

use crate::registry::{Registry, RegistryError};
pub use events::Collecting;
pub(crate) use events::Peer;
pub(crate) use metrics::Metrics;
pub(crate) use problem::chain;
pub use rate::Rate;

use cache::BlobCache;
use events::Collector;
use updates::Hub;
use v1::ManifestFile;

/// Bytes of blobs that are kept in memory unless told otherwise: 512 MiB.
pub const DEFAULT_CACHE_BYTES: usize = 512 << 20;

/// What the routes share. Cloning it is cheap.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

struct Shared {
    registry: Registry,
    /// What the manifest was when it was last looked at, and when.
    manifest: Mutex<Option<(Instant, Arc<ManifestFile>)>>,
    hub: Hub,
    blobs: BlobCache,
    www: Option<PathBuf>,
    collector: Option<Arc<Collector>>,
    metrics: Metrics,
}

impl AppState {
    /// Serves `registry` and, where given, the files of the folder `www`. Up to `cache_bytes` of
    /// blobs stay in memory, or one blob where that is larger.
    ///
    /// Fails where the manifest is damaged; an empty registry is served as such.
    pub fn new(
        registry: Registry,
        www: Option<PathBuf>,
        cache_bytes: usize,
    ) -> Result<Self, RegistryError> {
        let manifest = ManifestFile::read(&registry, None)?;
        if manifest.is_none() {
            tracing::warn!("the registry {} is empty: publish a model", registry.dir().display());
        }
        let blobs = BlobCache::new(registry.clone(), cache_bytes);
        let manifest = Mutex::new(manifest.map(|found| (Instant::now(), found)));
        let hub = Hub::default();
        Ok(Self(Arc::new(Shared {
            registry,
            manifest,
            hub,
            blobs,
            www,
            collector: None,
            metrics: Metrics::new(),
        })))
    }

    /// Collects events too. For a state that nobody shares yet; one that somebody does collects nothing.
    #[must_use]
    pub fn collecting(mut self, what: Collecting) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.0) {
            shared.collector = Some(Arc::new(Collector::new(what)));
        }
        self
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Ends what would go on for ever: the connections of those who wait for updates.
    pub(crate) fn close(&self) {
        self.0.hub.close();
    }
}

/// The routes over `state`.
pub fn app(state: AppState) -> Router {
    let www = state.0.www.clone();
    // Flat and with one layer: each nesting and each layer costs a request several allocations.
    let routes = Router::new()
        .route("/healthz", get(health))
        .route("/metrics", get(metrics::metrics))
        .route("/v1/manifest", get(v1::manifest))
        .route("/v1/blob/{hash}", get(v1::blob))
        .route("/v1/root/{version}", get(v1::root))
        .route("/v1/updates", get(updates::updates))
        .route("/v1/events", any(events::events))
        .route("/v1/{*rest}", any(StatusCode::NOT_FOUND))
        .with_state(state.clone());
    let routes = match www {
        Some(folder) => routes.fallback_service(pages::page.with_state(pages::files(&folder))),
        None => routes.fallback(async || StatusCode::NOT_FOUND),
    };
    routes.layer(middleware::from_fn_with_state(state, answer))
}

async fn health() -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(header::CACHE_CONTROL, "no-store")], "ok\n")
}

/// What is common to all answers: the form of errors, the headers of every page, the name of the request, and one line in
/// the log. The line leaves out the query, which may be personal.
async fn answer(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let name = request::name(request.headers());
    let span = tracing::error_span!("request", id = name.as_str());
    let (method, route) = (request.method().clone(), metrics::route(request.uri().path()));
    let path = tracing::enabled!(Level::DEBUG).then(|| request.uri().path().to_owned());
    // The registry holds nothing personal, so pages of every origin may read it.
    let open = request.uri().path().starts_with("/v1/");

    let mut response = problem::shape(next.run(request).instrument(span.clone()).await);
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(request::NAME, name.into());
    if open {
        let every = || HeaderValue::from_static("*");
        headers.entry(header::ACCESS_CONTROL_ALLOW_ORIGIN).or_insert_with(every);
    }
    let (status, took) = (response.status(), start.elapsed());
    state.0.metrics.answered(route, &method, status, took);
    if let Some(path) = path {
        let _in = span.enter();
        tracing::debug!(%method, path, status = status.as_u16(), micros = took.as_micros(), "request");
    }
    response
}
