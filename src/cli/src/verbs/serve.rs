//! `segue serve`.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
};

use segue_serve::{Config, DEFAULT_CACHE_BYTES, serve};
use serde_json::json;
use tracing_subscriber::EnvFilter;

use crate::{
    failure::{Done, Failure},
    ui::Ui,
};

/// Serve a registry, and a folder of pages, over HTTP.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  segue serve --registry registry --keys keys --www www/dist\n\n\
                        RUST_LOG=segue_serve=debug shows one line a request."
)]
pub struct Arguments {
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
}

pub fn run(arguments: Arguments, ui: &Ui) -> Done {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let Arguments { registry, keys, listen, www, cache_bytes } = arguments;
    let listen = resolve(&listen)?;
    let config = Config { registry, listen, keys, www, cache_bytes };
    let ready = |address: SocketAddr| {
        // A closed standard output is no reason not to serve.
        let _ = ui.finish(
            &json!({ "listening": address.to_string() }),
            &format!("listening on http://{address}/, the registry at /v1/ (Ctrl-C stops)"),
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
