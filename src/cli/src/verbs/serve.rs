//! `segue serve`.

use std::{net::SocketAddr, path::PathBuf};

use segue_serve::{Config, DEFAULT_CACHE_BYTES, serve};
use serde_json::json;
use tracing_subscriber::EnvFilter;

use crate::{failure::Done, ui::Ui};

/// Serve a registry, and a folder of pages, over HTTP.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  segue serve --registry registry --www www/dist\n\n\
                        RUST_LOG=segue_serve=debug shows one line a request.")]
pub struct Arguments {
    /// The registry's folder.
    #[arg(long, value_name = "DIR")]
    registry: PathBuf,
    /// Address and port; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    listen: SocketAddr,
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
    let Arguments { registry, listen, www, cache_bytes } = arguments;
    let config = Config { registry, listen, www, cache_bytes };
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
