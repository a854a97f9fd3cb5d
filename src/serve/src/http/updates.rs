//! `/v1/updates`: server-sent events (WHATWG HTML, section 9.2) that say when another release is in force.
//!
//! ```text
//! retry: 5000
//! event: release
//! id: 7
//! data: 7
//! ```
//!
//! The first event says what is in force, so that nobody who comes late misses anything. Between events there are
//! comments, by which both ends notice that the other is gone. While there are subscribers, one task looks at the manifest
//! several times a second, whoever changed it; without any it ends.

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{Stream, stream};
use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::sleep,
};

use super::{AppState, problem::Problem, v1};

/// Most subscribers at a time: each is a connection and a task.
const MAX_SUBSCRIBERS: usize = 4096;
/// How often the manifest is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long a subscriber is to wait before it comes back.
const RETRY: Duration = Duration::from_secs(5);
/// How often a subscriber hears that the connection stands.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What subscribers are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct News {
    /// The version of the release in force, once there is one.
    release: Option<u64>,
    /// The server stops.
    over: bool,
}

/// Who waits for news.
pub(super) struct Hub {
    news: watch::Sender<News>,
    seats: Arc<Semaphore>,
    /// Whether somebody looks at the manifest.
    watched: Mutex<bool>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            news: watch::Sender::default(),
            seats: Arc::new(Semaphore::new(MAX_SUBSCRIBERS)),
            watched: Mutex::default(),
        }
    }
}

impl Hub {
    /// How many there are.
    pub(super) fn subscribers(&self) -> usize {
        MAX_SUBSCRIBERS.saturating_sub(self.seats.available_permits())
    }

    /// Ends the connections of all subscribers.
    pub(super) fn close(&self) {
        self.news.send_modify(|news| news.over = true);
    }
}

/// A subscriber: what it hears, and its seat.
struct Subscriber {
    news: watch::Receiver<News>,
    told: Option<u64>,
    _seat: OwnedSemaphorePermit,
}

/// `GET /v1/updates`.
pub(super) async fn updates(State(state): State<AppState>) -> Result<Response, Response> {
    let hub = &state.0.hub;
    let seat = hub.seats.clone().try_acquire_owned().map_err(|_| full())?;
    let news = hub.news.subscribe();
    look_after(&state);
    let events = events(Subscriber { news, told: None, _seat: seat });
    let heartbeat = KeepAlive::new().interval(HEARTBEAT);
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // A proxy that collects an answer before it passes it on would never pass this one on.
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    Ok((headers, Sse::new(events).keep_alive(heartbeat)).into_response())
}

fn full() -> Response {
    let detail =
        "as many listen to updates as this server lets: ask /v1/manifest from time to time";
    let wait = [(header::RETRY_AFTER, HeaderValue::from_static("60"))];
    (wait, Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)).into_response()
}

/// Releases, each once, as they come into force.
fn events(subscriber: Subscriber) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(subscriber, |mut subscriber| async move {
        loop {
            let News { release, over } = *subscriber.news.borrow_and_update();
            if over {
                return None;
            }
            if let Some(release) = release.filter(|_| release != subscriber.told) {
                subscriber.told = Some(release);
                let version = release.to_string();
                let event = Event::default().event("release").id(&version).data(&version);
                return Some((Ok(event.retry(RETRY)), subscriber));
            }
            subscriber.news.changed().await.ok()?;
        }
    })
}

/// Sees to it that somebody looks at the manifest as long as there are subscribers.
fn look_after(state: &AppState) {
    let mut watched = state.0.hub.watched.lock().unwrap_or_else(PoisonError::into_inner);
    if !*watched {
        *watched = true;
        tokio::spawn(look(state.clone()));
    }
}

async fn look(state: AppState) {
    let hub = &state.0.hub;
    loop {
        match v1::current(&state).await {
            Ok(found) => {
                let release = found.map(|found| found.release);
                hub.news.send_if_modified(|news| {
                    let changed = news.release != release;
                    news.release = release;
                    changed
                });
            }
            // Whoever asks for the manifest is told; here it is as if it had not changed.
            Err(error) => tracing::debug!("{error}"),
        }
        sleep(LOOK.max(state.0.registry.patience())).await;
        let mut watched = hub.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if hub.news.receiver_count() == 0 || hub.news.borrow().over {
            *watched = false;
            return;
        }
    }
}
