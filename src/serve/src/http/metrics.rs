//! `GET /metrics`: what happened since the server started, as OpenMetrics, which Prometheus reads.
//!
//! | metric | is |
//! |---|---|
//! | `segue_http_requests_total` | answers, by route, method and status |
//! | `segue_http_request_seconds` | how long they took, by route |
//! | `segue_update_subscribers` | pages that wait to hear of releases |
//! | `segue_events_total` | events that were sent, by what became of them: accepted, duplicate, refused |
//! | `segue_intake_commits_total`, `segue_intake_commit_seconds_total` | transactions, and the time that they took |
//! | `segue_intake_waiting_bytes` | bytes of events that wait to be written |
//! | `segue_lake_events_total`, `segue_lake_files_total`, `segue_lake_bytes_total` | what was moved to the lake |
//! | `segue_lake_last_seconds` | when events were moved last, or there were none to move: seconds since 1970 |
//! | `segue_lake_failures_total` | how often they could not be |

use std::{sync::atomic::AtomicU64, time::Duration};

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

use super::{AppState, events::bearer, problem::Problem};
use crate::{
    access::Scope,
    intake::{Compacted, Receipt},
};

const MEDIA_TYPE: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// The route of a path, of which there are few: no request makes a series of its own.
pub(super) fn route(path: &str) -> &'static str {
    const WHOLE: [&str; 5] = ["/healthz", "/metrics", "/v1/manifest", "/v1/updates", "/v1/events"];
    const BEGINNINGS: [&str; 3] = ["/v1/blob/", "/v1/root/", "/v1/"];
    let whole = WHOLE.into_iter().find(|route| path == *route);
    let known = whole.or_else(|| BEGINNINGS.into_iter().find(|start| path.starts_with(start)));
    known.unwrap_or("page")
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    method: &'static str,
    status: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// Seconds that are counted in fractions.
type Seconds = Counter<f64, AtomicU64>;

/// What is counted. Cloning it is cheap, and counts the same.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    requests: Family<Answered, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    subscribers: Gauge,
    events: Family<Outcome, Counter>,
    commits: Counter,
    commit_seconds: Seconds,
    waiting: Gauge,
    lake_events: Counter,
    lake_files: Counter,
    lake_bytes: Counter,
    lake_last: Gauge,
    lake_failures: Counter,
}

impl Metrics {
    pub(super) fn new() -> Self {
        // From a tenth of a millisecond to three seconds.
        let histogram: fn() -> Histogram = || Histogram::new(exponential_buckets(1e-4, 2.0, 16));
        let seconds = Family::new_with_constructor(histogram);
        Self {
            requests: Family::default(),
            seconds,
            subscribers: Gauge::default(),
            events: Family::default(),
            commits: Counter::default(),
            commit_seconds: Seconds::default(),
            waiting: Gauge::default(),
            lake_events: Counter::default(),
            lake_files: Counter::default(),
            lake_bytes: Counter::default(),
            lake_last: Gauge::default(),
            lake_failures: Counter::default(),
        }
    }

    /// Counts an answer.
    pub(super) fn answered(
        &self,
        route: &'static str,
        method: &Method,
        status: StatusCode,
        took: Duration,
    ) {
        let method = match *method {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            Method::POST => "POST",
            Method::OPTIONS => "OPTIONS",
            _ => "other",
        };
        let status = status.as_u16().into();
        self.requests.get_or_create(&Answered { route, method, status }).inc();
        self.seconds.get_or_create(&Route { route }).observe(took.as_secs_f64());
    }

    /// Counts what became of events.
    pub(super) fn taken(&self, receipt: &Receipt) {
        let count = |outcome, events: usize| {
            if events > 0 {
                self.events.get_or_create(&Outcome { outcome }).inc_by(events as u64);
            }
        };
        count("accepted", receipt.accepted);
        count("duplicate", receipt.duplicates);
        count("refused", receipt.refused);
    }

    /// Counts what was moved to the lake at `now`, milliseconds since 1970, or that it could not be.
    pub(crate) fn moved(&self, moved: Option<Compacted>, now: i64) {
        let Some(Compacted { events, files, bytes }) = moved else {
            self.lake_failures.inc();
            return;
        };
        self.lake_events.inc_by(events);
        self.lake_files.inc_by(files);
        self.lake_bytes.inc_by(bytes);
        self.lake_last.set(now / 1000);
    }

    fn registry(&self) -> Registry {
        let mut all = Registry::with_prefix("segue");
        let Self { requests, seconds, subscribers, events, .. } = self.clone();
        all.register("http_requests", "Answers", requests);
        all.register("http_request_seconds", "How long answers took", seconds);
        all.register("update_subscribers", "Pages that wait to hear of releases", subscribers);
        all.register("events", "Events that were sent, by what became of them", events);
        let Self { commits, commit_seconds, waiting, .. } = self.clone();
        all.register("intake_commits", "Transactions of the intake", commits);
        all.register("intake_commit_seconds", "How long they took together", commit_seconds);
        all.register("intake_waiting_bytes", "Bytes of events that wait to be written", waiting);
        let Self { lake_events, lake_files, lake_bytes, lake_last, lake_failures, .. } =
            self.clone();
        all.register("lake_events", "Events that were moved to the lake", lake_events);
        all.register("lake_files", "Files that they are in", lake_files);
        all.register("lake_bytes", "Bytes of those", lake_bytes);
        all.register("lake_last_seconds", "When events were moved last, since 1970", lake_last);
        all.register("lake_failures", "How often they could not be", lake_failures);
        all
    }
}

/// `GET /metrics`; where there are tokens, for whoever has one with the scope.
pub(super) async fn metrics(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, Problem> {
    let shared = &state.0;
    let collecting = shared.collector.as_ref().map(|collector| collector.given());
    if let Some(tokens) = collecting.and_then(|collecting| collecting.tokens.as_ref()) {
        tokens
            .site(bearer(request.headers()), Scope::Metrics)
            .map_err(|denied| Problem::denied(denied, Scope::Metrics))?;
    }
    let metrics = &shared.metrics;
    metrics.subscribers.set(i64::try_from(shared.hub.subscribers()).unwrap_or(i64::MAX));
    if let Some(collecting) = collecting {
        let figures = collecting.intake.figures();
        metrics.waiting.set(i64::try_from(figures.waiting_bytes).unwrap_or(i64::MAX));
        metrics.commits.inc_by(figures.commits.saturating_sub(metrics.commits.get()));
        let more = figures.commit_time.as_secs_f64() - metrics.commit_seconds.get();
        metrics.commit_seconds.inc_by(more.max(0.0));
    }
    let mut body = String::new();
    let encoded = text::encode(&mut body, &metrics.registry());
    encoded.map_err(|error| Problem::internal(&error, "metrics cannot be written"))?;
    let headers = [
        (header::CONTENT_TYPE, MEDIA_TYPE),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, body).into_response())
}
