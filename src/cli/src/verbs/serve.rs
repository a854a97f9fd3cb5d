//! `segue serve`.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
    time::Duration,
};

use segue_serve::{
    Collecting, Config, DEFAULT_CACHE_BYTES, Moving, Rate,
    access::Tokens,
    intake::{Intake, Limits, Options},
    lake::Lake,
    serve,
};
use serde_json::json;
use tracing_subscriber::EnvFilter;

use crate::{
    config::Configured,
    failure::{Done, Failure},
    ui::Ui,
};

/// Serve a registry, and a folder of pages, over HTTP, and collect events where that is asked for.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  segue serve --registry registry --keys keys --www www/dist\n  \
                        segue serve --registry registry --keys keys --collect intake --lake lake\n\n\
                        RUST_LOG=segue_serve=info says what is moved and signed, debug shows one line a request."
)]
pub struct Arguments {
    #[command(flatten)]
    configured: Configured,
    /// The registry: a folder, or a URL such as s3://bucket/prefix, with the usual AWS_* variables.
    #[arg(long, value_name = "DIR | URL")]
    registry: PathBuf,
    /// The folder of keys to sign the timestamp with before it expires.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Address or host name, and port; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8787")]
    #[arg(value_parser = with_port)]
    listen: String,
    /// A folder of pages to serve at /.
    #[arg(long, value_name = "DIR")]
    www: Option<PathBuf>,
    /// Memory for blobs.
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_CACHE_BYTES)]
    cache_bytes: usize,
    /// How the log on standard error is written: for people, or one JSON object a line.
    #[arg(long, value_enum, default_value = "text")]
    log: Log,
    #[command(flatten)]
    collect: Collect,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Log {
    Text,
    Json,
}

/// What is collected from listeners who agree.
#[derive(clap::Args)]
#[command(next_help_heading = "Collecting events")]
struct Collect {
    /// Take events at /v1/events into this folder, which is made where it is not there.
    #[arg(long, value_name = "DIR")]
    collect: Option<PathBuf>,
    /// Move what was collected to this lake, a folder or a URL such as s3://bucket/lake.
    #[arg(long, value_name = "DIR | URL", requires = "collect")]
    lake: Option<PathBuf>,
    /// Seconds between two moves.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, requires = "lake")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    move_every: u32,
    /// Whole days that the lake keeps, by the day on which things happened [default: all].
    #[arg(long, value_name = "DAYS", requires = "lake")]
    keep: Option<u32>,
    /// Only from whoever has a token: a file that `segue tokens` writes.
    #[arg(long, value_name = "FILE", requires = "collect")]
    tokens: Option<PathBuf>,
    /// Only from pages of this origin, such as https://player.example; may be given again.
    #[arg(long, value_name = "ORIGIN", requires = "collect")]
    origin: Vec<String>,
    /// Events a second that one client may send in the long run; 0 for no limit.
    #[arg(long, value_name = "EVENTS", default_value_t = 1000, requires = "collect")]
    rate: u32,
    /// Events that one client may send at once.
    #[arg(long, value_name = "EVENTS", default_value_t = 20_000, requires = "collect")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    burst: u32,
    /// Events a second that all may send together; 0 for no limit.
    #[arg(long, value_name = "EVENTS", default_value_t = 0, requires = "collect")]
    rate_all: u32,
    /// Tell clients apart by the last address in X-Forwarded-For: there is a proxy before this server.
    #[arg(long, requires = "collect")]
    behind_proxy: bool,
    /// Days after which a listener gets another pseudonym; 0 for never.
    #[arg(long, value_name = "DAYS", default_value_t = 90, requires = "collect")]
    rotate: u32,
    /// Events of which the ids are remembered, at least, so that none counts twice.
    #[arg(long, value_name = "EVENTS", default_value_t = 917_504, requires = "collect")]
    remember: usize,
    /// Bytes of one body as it is sent; unpacked it may have eight times as many.
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20, requires = "collect")]
    body_bytes: usize,
    /// Events of one body.
    #[arg(long, value_name = "EVENTS", default_value_t = 10_000, requires = "collect")]
    body_events: usize,
}

impl Collect {
    fn moving(&self) -> Result<Option<Moving>, Failure> {
        let Some(lake) = &self.lake else { return Ok(None) };
        let every = Duration::from_secs(self.move_every.into());
        Ok(Some(Moving { lake: Lake::create(lake)?, every, keep_days: self.keep }))
    }

    fn open(self) -> Result<Option<Collecting>, Failure> {
        let Some(dir) = self.collect else { return Ok(None) };
        let tokens = self.tokens.as_deref().map(Tokens::read).transpose()?;
        let day = Duration::from_secs(24 * 3600);
        let limits = Limits {
            sent_bytes: self.body_bytes,
            bytes: self.body_bytes.saturating_mul(8),
            events: self.body_events,
        };
        let rotate = (self.rotate > 0).then(|| day * self.rotate);
        let options = Options { remember: self.remember, rotate, limits, ..Options::at(dir) };
        let all = Rate { events_per_second: self.rate_all, burst: self.rate_all.max(self.burst) };
        Ok(Some(Collecting {
            intake: Intake::open(&options)?,
            tokens,
            origins: self.origin,
            each: Rate { events_per_second: self.rate, burst: self.burst },
            all,
            behind_proxy: self.behind_proxy,
        }))
    }
}

pub fn run(arguments: Arguments, ui: &Ui) -> Done {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match arguments.log {
        Log::Text => log.init(),
        Log::Json => log.json().flatten_event(true).init(),
    }
    let Arguments { registry, keys, listen, www, cache_bytes, collect, .. } = arguments;
    let listen = resolve(&listen)?;
    let moving = collect.moving()?;
    let collecting = collect.open()?;
    let collects = collecting.is_some();
    let config = Config { registry, listen, keys, www, cache_bytes, collecting, moving };
    let ready = |address: SocketAddr| {
        // A closed standard output is no reason not to serve.
        let _ = ui.finish(
            &json!({ "listening": address.to_string() }),
            &format!(
                "listening on http://{address}/, the registry at /v1/{} (Ctrl-C stops)",
                if collects { ", events taken at /v1/events" } else { "" }
            ),
        );
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(config, ready, stop_signal()))?;
    Ok(())
}

/// Refuses what has no host or no port; whether there is such a host is told by [`resolve`].
fn with_port(text: &str) -> Result<String, String> {
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    // Without brackets the last group of an IPv6 address looks like a port.
    let one_host = !host.is_empty() && (host.ends_with(']') || !host.contains(':'));
    if one_host && port.parse::<u16>().is_ok() {
        return Ok(text.to_owned());
    }
    let such_as = match (text.parse::<u16>(), one_host) {
        (Ok(port), _) => format!("127.0.0.1:{port}"),
        (Err(_), true) => format!("{host}:8787"),
        (Err(_), false) if host.is_empty() => "127.0.0.1:8787".into(),
        (Err(_), false) => "[::1]:8787".into(),
    };
    Err(format!("give an address and a port, such as {such_as}"))
}

/// The address of a host. Of several, one of IPv4: it is there on machines that have no IPv6, and
/// browsers that look for `localhost` try it.
fn resolve(listen: &str) -> Result<SocketAddr, Failure> {
    let cannot = || format!("cannot find the address of {listen}");
    let found = listen.to_socket_addrs().map_err(|error| Failure::during(cannot(), error))?;
    let found: Vec<SocketAddr> = found.collect();
    let first = found.iter().find(|address| address.is_ipv4()).or(found.first());
    first.copied().ok_or_else(|| Failure::from(cannot()))
}

/// Completes on Ctrl-C or, where there is one, the terminate signal.
async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    if let Ok(mut terminate) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    {
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    let _ = interrupt.await;
}
