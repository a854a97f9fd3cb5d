//! `POST /v1/events`: what listeners who agree send.
//!
//! The answer says what became of each event, and comes once those that were accepted are durable. Where more is sent
//! than can be taken it is 429 with `Retry-After`, and nothing was taken: the same request again loses nothing and
//! counts nothing twice.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task::spawn_blocking,
    time::timeout,
};

use super::{
    AppState,
    problem::Problem,
    rate::{Limiter, Rate},
};
use crate::{
    access::{Scope, Tokens},
    intake::{Batch, BodyError, Coding, Intake, IntakeError, Receipt},
};

/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bodies of more bytes are read where they keep nobody else waiting.
const LONG: usize = 64 << 10;

/// Bytes of bodies that may be here at once, of those that came already.
const MOST_BYTES: usize = 256 << 20;

/// Bodies that are unpacked at once: each may become eight times as large as it was sent, and more.
const UNPACKED: usize = 8;

/// When a request was sent, by the clock that its events were timed with: milliseconds since 1970.
const SENT_AT: &str = "segue-sent-at";

/// Who asks: the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// What is collected, and from whom.
#[derive(Debug)]
pub struct Collecting {
    /// Where it goes.
    pub intake: Intake,
    /// Who may send; everybody where there are none.
    pub tokens: Option<Tokens>,
    /// Pages of which origins may send; of every one where there are none.
    pub origins: Vec<String>,
    /// How fast one client may send.
    pub each: Rate,
    /// How fast all may together.
    pub all: Rate,
    /// Whether a proxy stands before, so that the last address in `X-Forwarded-For` is the client's.
    pub behind_proxy: bool,
}

pub(super) struct Collector {
    given: Collecting,
    each: Limiter,
    all: Limiter,
    room: Semaphore,
    unpacked: Semaphore,
}

impl Collector {
    pub(super) fn new(given: Collecting) -> Self {
        let (each, all) = (Limiter::new(given.each, true), Limiter::new(given.all, false));
        let (room, unpacked) = (Semaphore::new(MOST_BYTES), Semaphore::new(UNPACKED));
        Self { given, each, all, room, unpacked }
    }

    pub(super) const fn given(&self) -> &Collecting {
        &self.given
    }

    /// Room for some bytes that came. It waits for nothing: who comes when there is none is to come again.
    fn room(&self, bytes: usize) -> Result<SemaphorePermit<'_>, Problem> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.room.try_acquire_many(bytes).map_err(|_| busy(Duration::from_secs(1)))
    }

    /// Whoever limits are counted for: the site of a token, or an address.
    fn client(&self, request: &Request) -> Result<Vec<u8>, Problem> {
        let headers = request.headers();
        if let Some(tokens) = &self.given.tokens {
            let site = tokens
                .site(bearer(headers), Scope::Events)
                .map_err(|denied| Problem::denied(denied, Scope::Events))?;
            return Ok(site.as_bytes().to_vec());
        }
        let peer = request.extensions().get::<Peer>().map(|Peer(address)| address.ip());
        let forwarded = self.given.behind_proxy.then(|| forwarded(headers)).flatten();
        Ok(match forwarded.or(peer) {
            Some(IpAddr::V4(address)) => address.octets().to_vec(),
            // Whoever has one address of IPv6 has 2^64 of them.
            Some(IpAddr::V6(address)) => address.octets()[..8].to_vec(),
            None => Vec::new(),
        })
    }
}

/// `POST /v1/events`, and what a browser asks before it.
pub(super) async fn events(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, Problem> {
    let Some(collector) = state.0.collector.clone() else {
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            "this server collects no events: start it with --collect DIR",
        ));
    };
    let origin = allowed_origin(&collector.given.origins, request.headers())?;
    let mut response = match *request.method() {
        Method::OPTIONS => preflight(),
        Method::POST => {
            let receipt = take(&collector, request).await?;
            state.0.metrics.taken(&receipt);
            let headers = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
            (headers, Json(receipt)).into_response()
        }
        _ => {
            return Err(Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "events are sent by POST: nobody can read them here",
            )
            .with(header::ALLOW, HeaderValue::from_static("POST, OPTIONS")));
        }
    };
    response.headers_mut().extend(origin);
    Ok(response)
}

/// The header that lets a page read the answer, where its origin is not just any.
fn allowed_origin(
    origins: &[String],
    headers: &HeaderMap,
) -> Result<Option<(header::HeaderName, HeaderValue)>, Problem> {
    let Some(origin) = headers.get(header::ORIGIN).filter(|_| !origins.is_empty()) else {
        return Ok(None);
    };
    if origins.iter().any(|allowed| origin == allowed.as_str()) {
        return Ok(Some((header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone())));
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "pages of this origin may not send events here: --origin lists those that may",
    ))
}

fn preflight() -> Response {
    let allow = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, content-encoding, content-type, segue-sent-at, x-request-id",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, allow.map(|(name, value)| (name, HeaderValue::from_static(value))))
        .into_response()
}

async fn take(collector: &Arc<Collector>, request: Request) -> Result<Receipt, Problem> {
    let client = collector.client(&request)?;
    // Whoever has sent too much already is told before anything is read.
    collector.each.may(&client).map_err(busy)?;
    let coding = coding(request.headers())?;
    let sent = sent_at(&request)?;
    let (body, _room) = body(collector, request).await?;
    let batch = read(collector, body, coding, sent).await?;
    let events = batch.events();
    collector.each.count(&client, events).map_err(busy)?;
    collector.all.count(&[], events).map_err(busy)?;
    Ok(collector.given.intake.take(batch).await?)
}

/// The body, and the room that it takes: as much as came, so that nobody keeps others out by what they do not send.
async fn body(
    collector: &Collector,
    request: Request,
) -> Result<(Vec<u8>, SemaphorePermit<'_>), Problem> {
    let most = collector.given.intake.limits().sent_bytes;
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > most as u64) {
        return Err(too_long(most));
    }
    let mut body = request.into_body();
    let collect = async {
        let (mut bytes, mut room) = (Vec::new(), collector.room(0)?);
        while let Some(frame) = body.frame().await {
            let broken = |_| Problem::new(StatusCode::BAD_REQUEST, "the body broke off");
            let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
            if bytes.len() + data.len() > most {
                return Err(too_long(most));
            }
            room.merge(collector.room(data.len())?);
            bytes.extend_from_slice(&data);
        }
        Ok((bytes, room))
    };
    timeout(PATIENCE, collect).await.unwrap_or_else(|_| {
        let detail = format!("the body was not there after {} seconds", PATIENCE.as_secs());
        Err(Problem::new(StatusCode::REQUEST_TIMEOUT, detail))
    })
}

async fn read(
    collector: &Arc<Collector>,
    body: Vec<u8>,
    coding: Coding,
    sent: Option<i64>,
) -> Result<Batch, Problem> {
    let read = move |collector: &Collector, body: &[u8]| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        collector.given.intake.read(body, coding, now, sent)
    };
    if coding == Coding::Identity && body.len() <= LONG {
        return Ok(read(collector, &body)?);
    }
    let collector = collector.clone();
    let _turn = collector.unpacked.acquire().await;
    let worker = collector.clone();
    let batch = spawn_blocking(move || read(&worker, &body)).await;
    let gone = |error| Problem::internal(&error, "the body cannot be read");
    Ok(batch.map_err(gone)??)
}

fn coding(headers: &HeaderMap) -> Result<Coding, Problem> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?").trim());
    let essence =
        text(header::CONTENT_TYPE).map(|text| text.split(';').next().unwrap_or(text).trim());
    let known = [
        "application/json",
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
        // What a beacon may send to another origin.
        "text/plain",
    ];
    if essence.is_some_and(|kind| !known.iter().any(|known| kind.eq_ignore_ascii_case(known))) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send application/json, an array of events, or application/x-ndjson, one event a line",
        ));
    }
    match text(header::CONTENT_ENCODING).map(str::to_ascii_lowercase).as_deref() {
        None | Some("" | "identity") => Ok(Coding::Identity),
        Some("gzip" | "x-gzip") => Ok(Coding::Gzip),
        Some("br") => Ok(Coding::Brotli),
        Some("zstd") => Ok(Coding::Zstd),
        Some(_) => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Content-Encoding may be gzip, br, zstd or identity",
        )
        .with(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, br, zstd"))),
    }
}

/// From the header or, as beacons have none of their own, from the query.
fn sent_at(request: &Request) -> Result<Option<i64>, Problem> {
    let header = request.headers().get(SENT_AT).map(|value| value.to_str().unwrap_or(""));
    let mut query = request.uri().query().unwrap_or("").split('&');
    let Some(text) = header.or_else(|| query.find_map(|pair| pair.strip_prefix("sent_at="))) else {
        return Ok(None);
    };
    let sent = text.parse().ok().filter(|sent| (0..=segue_core::event::MAX_AT_MS).contains(sent));
    sent.map(Some).ok_or_else(|| {
        Problem::new(StatusCode::BAD_REQUEST, "segue-sent-at is milliseconds since 1970")
    })
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// What the nearest proxy says; what stands before it anybody may have written.
fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    last.rsplit(',').next()?.trim().parse().ok()
}

fn too_long(most: usize) -> Problem {
    let detail = format!("a body has at most {most} bytes here: send fewer events at once");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

fn busy(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let detail = "more is sent than may be now: send the same again after Retry-After seconds";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, detail)
        .with(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
}

impl From<IntakeError> for Problem {
    fn from(error: IntakeError) -> Self {
        let status = match &error {
            IntakeError::Busy => return busy(Duration::from_secs(1)),
            IntakeError::Body(BodyError::Bytes(_) | BodyError::Events(_)) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            IntakeError::Body(_) => StatusCode::BAD_REQUEST,
            _ => {
                let detail = "events cannot be stored now, and none of these were; \
                              the server's log says why";
                return Self::internal(&error, detail)
                    .but(StatusCode::SERVICE_UNAVAILABLE)
                    .with(header::RETRY_AFTER, HeaderValue::from_static("10"));
            }
        };
        Self::new(status, error.to_string())
    }
}
