//! `segue publish`.

use std::path::PathBuf;

use segue_serve::registry::{Options, Published};
use serde_json::json;

use super::{
    read_model, shown,
    signing::{Signing, percent, share},
};
use crate::{
    failure::Done,
    ui::{Ui, counted, grouped},
};

/// Put a model into force in a registry.
///
/// A registry is plain files: content-addressed blobs and one manifest. It may be served by
/// `segue serve`, any other web server or a CDN. The swap is atomic. Devices that have an earlier
/// model fetch deltas where these are smaller than what changed.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  segue publish model.segue --registry registry --keys keys\n  \
                        segue publish model.segue --registry registry --keys keys --rollout 10\n\n\
                        Without --keys nothing is signed, which is for development: whoever can write to the\n\
                        registry, or answers in its place, then decides what devices run."
)]
pub struct Arguments {
    /// What `segue train` wrote.
    model: PathBuf,
    #[command(flatten)]
    signing: Signing,
    /// From how many earlier models to make deltas.
    #[arg(long, value_name = "N", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=32))]
    deltas: u8,
    /// For how many percent of devices it is at first; `segue rollout` raises that.
    #[arg(long, value_name = "PERCENT", value_parser = share)]
    rollout: Option<u16>,
}

pub fn run(arguments: &Arguments, ui: &Ui) -> Done {
    let Arguments { model: path, signing, deltas, rollout } = arguments;
    let model = read_model(path)?;
    let keys = signing.keys()?;
    let registry = signing.create()?;
    ui.say("publishing");
    let options =
        Options { deltas: usize::from(*deltas), share: *rollout, ..signing.options(keys.as_ref()) };
    let published = registry.publish(&model, &options)?;
    let (path, place) = (shown(path), signing.place());
    ui.finish(
        &json!({
            "version": published.version,
            "release": published.release,
            "changed": published.changed,
            "share": rollout,
            "sections": published.sections,
            "sections_new": published.sections_new,
            "bytes": published.bytes,
            "bytes_sent": published.bytes_sent,
            "deltas": published.deltas,
            "delta_bytes": published.delta_bytes,
            "signed": keys.is_some(),
            "registry": place,
        }),
        &told(&published, *rollout, &path, &place),
    )
}

fn told(published: &Published, share: Option<u16>, model: &str, place: &str) -> String {
    let bytes = |bytes: u64| grouped(usize::try_from(bytes).unwrap_or(usize::MAX));
    let version = published.version;
    if !published.changed {
        return format!("{model} is already in force, as version {version} in {place}");
    }
    let of = share.map(|share| format!(" for {} of devices", percent(share)));
    let deltas = match (published.deltas, published.delta_bytes) {
        (0, _) => String::new(),
        (deltas, None) => format!("; {}", counted(deltas, "delta")),
        (deltas, Some(step)) => {
            let step = bytes(step);
            format!("; {}, {step} bytes from the version before", counted(deltas, "delta"))
        }
    };
    format!(
        "{model} is version {version} in {place}{}: {} bytes, {} as sent, {} of {} sections new{deltas}",
        of.unwrap_or_default(),
        bytes(published.bytes),
        bytes(published.bytes_sent),
        published.sections_new,
        published.sections,
    )
}
