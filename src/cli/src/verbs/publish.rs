//! `segue publish`.

use std::path::PathBuf;

use segue_serve::registry::Registry;
use serde_json::json;

use super::{now_ms, read_model, shown};
use crate::{
    failure::Done,
    ui::{Ui, grouped},
};

/// Put a model into force in a registry.
///
/// A registry is a plain folder: content-addressed blobs and one manifest. It may be served by
/// `segue serve`, any other web server or a CDN. The swap is atomic.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  segue publish model.segue --registry registry")]
pub struct Arguments {
    /// What `segue train` wrote.
    model: PathBuf,
    /// The registry's folder; made if it is not there.
    #[arg(long, value_name = "DIR")]
    registry: PathBuf,
}

pub fn run(arguments: &Arguments, ui: &Ui) -> Done {
    let model = read_model(&arguments.model)?;
    let registry = Registry::create(&arguments.registry)?;
    let published = registry.publish(&model, now_ms())?;
    let bytes = |bytes: u64| grouped(usize::try_from(bytes).unwrap_or(usize::MAX));
    let (model, registry) = (shown(&arguments.model), shown(&arguments.registry));
    let version = published.version;
    ui.finish(
        &json!({
            "version": published.version,
            "changed": published.changed,
            "sections": published.sections,
            "sections_new": published.sections_new,
            "bytes": published.bytes,
            "bytes_sent": published.bytes_sent,
            "registry": registry,
        }),
        &if published.changed {
            format!(
                "{model} is version {version} in {registry}: {} bytes, {} as sent, \
                 {} of {} sections new",
                bytes(published.bytes),
                bytes(published.bytes_sent),
                published.sections_new,
                published.sections,
            )
        } else {
            format!("{model} is already in force, as version {version} in {registry}")
        },
    )
}
