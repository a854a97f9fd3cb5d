//! `segue pull`.

use std::{
    ffi::OsString,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use segue_serve::{
    keys::public_key,
    pull::{Puller, State},
    registry::Registry,
};
use serde_json::json;

use super::{now_ms, read_model, shown};
use crate::{
    failure::{Done, Failure},
    output::{cannot, write_whole},
    ui::{Ui, counted, grouped},
};

/// Bring a model file to the version in force in a registry.
///
/// By deltas where the file is an earlier version, and verified as a page does it: with a public
/// key nothing is written that the registry's keys did not sign, and nothing older than what was
/// seen before. What was seen lies beside the model, in MODEL.sync: keep it with the model.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  segue pull model.segue --registry https://example.org/v1/ --public-key KEY"
)]
pub struct Arguments {
    /// The model, which is written where it is not there yet.
    model: PathBuf,
    /// The registry: where it is served, such as https://example.org/v1/, a folder, or a URL such
    /// as s3://bucket/prefix.
    #[arg(long, value_name = "URL | DIR")]
    registry: PathBuf,
    /// The public key of the registry's first root, as `segue keys new` printed it; without one
    /// nothing is verified.
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
    /// What tells this device from others where a model goes to some of them first; without it,
    /// it is never among them.
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
}

pub fn run(arguments: &Arguments, ui: &Ui) -> Done {
    let Arguments { model: path, registry: place, public_key: key, device } = arguments;
    let key = key.as_deref().map(|key| {
        public_key(key)
            .ok_or_else(|| format!("{key} is no public key of Ed25519: give 64 hexadecimal digits"))
    });
    let key = key.transpose()?;
    let aside = beside(path);
    let before = read_state(&aside)?;
    let held = match fs::metadata(path) {
        Ok(_) => Some(read_model(path)?),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(cannot(path)(error)),
    };
    let registry = Registry::open(place)?;
    ui.say("pulling");
    let puller = Puller { public_key: key.as_deref(), device: device.as_deref(), now_ms: now_ms() };
    let mut state = before.clone();
    let pulled = puller.pull(&registry, held.as_ref(), &mut state);
    let (place, path_shown) = (shown(place), shown(path));
    let pulled = match pulled {
        Ok(pulled) => pulled,
        Err(error) => {
            // What was seen stays seen, and the model is what it was.
            write_state(&aside, &State { version: before.version, ..state })?;
            return Err(Failure::during(place, error));
        }
    };
    if let Some(pulled) = &pulled {
        let file = pulled.model.to_file();
        write_whole(path, |to| Ok(to.write_all(&file)?))?;
    }
    // After the model: a version that is too low costs a download, one that is too high would keep it from coming.
    write_state(&aside, &state)?;
    let (version, verified) = (state.version, key.is_some());
    let json = json!({
        "model": path_shown,
        "version": version,
        "changed": pulled.is_some(),
        "deltas": pulled.as_ref().map_or(0, |pulled| pulled.deltas),
        "bytes": pulled.as_ref().map_or(0, |pulled| pulled.bytes),
        "verified": verified,
        "registry": place,
    });
    let unverified = if verified { "" } else { ", which nobody verified: pass --public-key" };
    let text = match pulled {
        None => {
            format!("{path_shown} is version {version}, the one in force in {place}{unverified}")
        }
        Some(pulled) => {
            let bytes = grouped(usize::try_from(pulled.bytes).unwrap_or(usize::MAX));
            let how = match pulled.deltas {
                0 => format!("{bytes} bytes"),
                deltas => format!("{bytes} bytes, by {}", counted(deltas, "delta")),
            };
            format!("{path_shown} is version {version} of {place}{unverified}: {how}")
        }
    };
    ui.finish(&json, &text)
}

/// The file beside a model.
fn beside(model: &Path) -> PathBuf {
    let mut name = OsString::from(model);
    name.push(".sync");
    name.into()
}

fn read_state(path: &Path) -> Result<State, Failure> {
    match fs::read(path) {
        Ok(json) => serde_json::from_slice(&json).map_err(|error| {
            let what = format!(
                "{} is damaged; without it an older model could pass for a new one: restore it, or delete it where you \
                 trust the registry",
                path.display()
            );
            Failure::during(what, error)
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(State::default()),
        Err(error) => Err(Failure::during(format!("cannot read {}", path.display()), error)),
    }
}

fn write_state(path: &Path, state: &State) -> Done {
    let json = serde_json::to_vec_pretty(state)?;
    write_whole(path, |to| Ok(to.write_all(&json)?))
}
