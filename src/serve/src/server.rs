//! The routes on a socket.

use axum::Router;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::spawn_blocking,
    time::{sleep, timeout},
};

use crate::{
    http::{AppState, Collecting, Metrics, Peer, app, chain},
    intake::{Compacted, Intake, IntakeError},
    keys::Keys,
    lake::{Day, Lake},
    privacy::{self, Forgotten},
    registry::{Options, Registry, RegistryError},
};

/// How long requests under way may take to finish after the server was told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// How long a connection may take to send the head of its next request: a socket that is held open
/// for nothing is one that somebody else cannot have.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait where the system has no connection to give, as when all descriptors are taken.
const BREATH: Duration = Duration::from_millis(100);

/// How often it is looked whether the timestamp is to be signed anew.
const FRESHNESS: Duration = Duration::from_secs(60);

/// What to serve, and where.
#[derive(Debug)]
pub struct Config {
    /// The registry, a folder or a URL; it must be there, and may be empty.
    pub registry: PathBuf,
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// A folder of keys to sign timestamps with before they expire; it must not be among the pages.
    pub keys: Option<PathBuf>,
    /// A folder of pages to serve at `/`.
    pub www: Option<PathBuf>,
    /// Bytes of blobs to keep in memory, such as [`crate::DEFAULT_CACHE_BYTES`].
    pub cache_bytes: usize,
    /// What is collected, where anything is.
    pub collecting: Option<Collecting>,
    /// Where it goes from there; it stays in the intake without.
    pub moving: Option<Moving>,
}

/// How what is collected goes to a lake, and how long it stays there.
#[derive(Clone, Debug)]
pub struct Moving {
    /// The lake.
    pub lake: Lake,
    /// How often what came since is moved: each time is a file for each region and day.
    pub every: Duration,
    /// How many whole days are kept; all without.
    pub keep_days: Option<u32>,
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The registry is absent or damaged.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The folder of pages is absent.
    #[error("there is no folder {}: pass --www with the folder of the built pages", .0.display())]
    Www(PathBuf),
    /// The keys are among the pages.
    #[error("the keys in {} are among the pages of --www, which are open to everybody: move them", .0.display())]
    KeysServed(PathBuf),
    /// Somebody else listens there.
    #[error(
        "address {0} is already in use: stop the other process or pass --listen with another port"
    )]
    InUse(SocketAddr),
    /// The operating system does not let us listen there.
    #[error("cannot listen on {address}: pass --listen with another address")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Serves until `shutdown` completes; requests under way then have five seconds to finish.
/// `on_ready` is called with the address once connections are accepted there.
///
/// A connection that takes ten seconds over the head of a request is closed. There is no limit on
/// how many there are, or on how slowly one reads: on a public address, put a reverse proxy or a
/// CDN in front.
///
/// Must run within a Tokio runtime with I/O and time enabled.
pub async fn serve(
    config: Config,
    on_ready: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    if let Some(www) = config.www.as_ref().filter(|www| !www.is_dir()) {
        return Err(ServeError::Www(www.clone()));
    }
    let registry = Registry::open(config.registry)?;
    if let Some(keys) = &config.keys {
        check_keys(keys, config.www.as_deref())?;
        let (registry, keys) = (registry.clone(), keys.clone());
        let fits = spawn_blocking(move || fits(&registry, keys)).await;
        fits.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
    }
    let mut state = AppState::new(registry.clone(), config.www, config.cache_bytes)?;
    let intake = config.collecting.as_ref().map(|collecting| collecting.intake.clone());
    if let Some(collecting) = config.collecting {
        state = state.collecting(collecting);
    }
    let routes = app(state.clone());

    let refused = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::InUse(config.listen),
        _ => ServeError::Listen { address: config.listen, source },
    };
    let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
    on_ready(listener.local_addr().map_err(refused)?);

    let connections = GracefulShutdown::new();
    tokio::select! {
        () = accept(&listener, &routes, &connections) => {}
        () = keep_fresh(&registry, config.keys) => {}
        () = keep_moving(intake.zip(config.moving), state.metrics()) => {}
        () = shutdown => {}
    }
    drop(listener);
    state.close();
    if timeout(GRACE, connections.shutdown()).await.is_err() {
        tracing::warn!("requests still under way were cut off");
    }
    Ok(())
}

/// Checks that keys can be used, and are where whoever fetches pages cannot read them.
fn check_keys(dir: &Path, www: Option<&Path>) -> Result<(), ServeError> {
    let whole = |path: &Path| path.canonicalize().ok();
    if let Some(www) = www
        && whole(dir).zip(whole(www)).is_some_and(|(dir, www)| dir.starts_with(www))
    {
        return Err(ServeError::KeysServed(dir.to_owned()));
    }
    Keys::open(dir).map_err(RegistryError::from)?;
    Ok(())
}

/// Whether keys are those of a registry: better told now than in some days, when they are needed. What else is wrong with
/// it is told to whoever asks for it.
fn fits(registry: &Registry, keys: PathBuf) -> Result<(), RegistryError> {
    let signed = registry.is_signed_with(&Keys::open(keys)?);
    let other = |error: &RegistryError| {
        use RegistryError::{Distrusted, OtherKeys, Unsigned};
        matches!(error, OtherKeys { .. } | Unsigned(_) | Distrusted { .. })
    };
    if signed.as_ref().is_err_and(other) { signed } else { Ok(()) }
}

/// Signs the timestamp anew whenever half of its time is over, for ever. Without keys it only waits.
async fn keep_fresh(registry: &Registry, keys: Option<PathBuf>) {
    let Some(keys) = keys else { return std::future::pending().await };
    loop {
        let (registry, keys) = (registry.clone(), keys.clone());
        let refreshed = spawn_blocking(move || {
            // Read each time: they may have been rotated.
            let keys = Keys::open(keys)?;
            registry.refresh_if_due(&Options { keys: Some(&keys), ..Options::at(now_ms()) })
        });
        match refreshed.await {
            Ok(Ok(true)) => tracing::info!("the timestamp was signed anew"),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => tracing::error!("cannot sign the timestamp anew: {}", chain(&error)),
            Err(error) => tracing::error!("cannot sign the timestamp anew: {error}"),
        }
        sleep(FRESHNESS).await;
    }
}

/// Moves what is collected to the lake from time to time, for ever. What cannot be moved now stays where it is.
async fn keep_moving(moving: Option<(Intake, Moving)>, metrics: &Metrics) {
    let Some((intake, Moving { lake, every, keep_days })) = moving else {
        return std::future::pending().await;
    };
    loop {
        let (intake, lake) = (intake.clone(), lake.clone());
        let moved = spawn_blocking(move || {
            let moved = intake.compact(&lake)?;
            let forgotten = keep_days.map(|days| {
                privacy::forget(Some(intake.dir()), &lake, Day::of(now_ms()).before(days))
            });
            Ok::<_, IntakeError>((moved, forgotten.transpose()?.unwrap_or_default()))
        });
        let moved = moved.await;
        let counted =
            moved.as_ref().ok().and_then(|moved| moved.as_ref().ok()).map(|moved| moved.0);
        metrics.moved(counted, now_ms());
        match moved {
            Ok(Ok((Compacted { events, files, bytes }, forgotten))) => {
                if events > 0 {
                    tracing::info!(events, files, bytes, "moved to the lake");
                }
                if forgotten != Forgotten::default() {
                    let Forgotten { files, bytes, erasures, secrets } = forgotten;
                    tracing::info!(files, bytes, erasures, secrets, "forgotten by age");
                }
            }
            Ok(Err(error)) => tracing::error!("cannot move events to the lake: {}", chain(&error)),
            Err(error) => tracing::error!("cannot move events to the lake: {error}"),
        }
        sleep(every).await;
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Accepts connections for ever, each answered by a task of its own.
async fn accept(listener: &TcpListener, routes: &Router, connections: &GracefulShutdown) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => answer(stream, Peer(peer), routes, connections),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(BREATH).await;
            }
        }
    }
}

fn answer(stream: TcpStream, peer: Peer, routes: &Router, connections: &GracefulShutdown) {
    // With Nagle's algorithm the last segment of an answer waits for the client's delayed
    // acknowledgement of the one before it: up to 40 ms.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let routes = TowerToHyperService::new(routes.clone());
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        routes.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}
