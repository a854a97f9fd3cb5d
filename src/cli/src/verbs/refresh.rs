//! `segue refresh`.

use super::signing::{Signing, told, until};
use crate::{failure::Done, ui::Ui};

/// Sign anew that what is in force is the latest.
///
/// To be run well before the timestamp expires, unless `segue serve --keys` does so: devices do not
/// believe one that has expired. A release that is past half of its time, or that was signed by
/// other keys than are to sign now, is signed anew too.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  segue refresh --registry registry --keys keys")]
pub struct Arguments {
    #[command(flatten)]
    signing: Signing,
}

pub fn run(arguments: &Arguments, ui: &Ui) -> Done {
    let signing = &arguments.signing;
    let keys = signing.keys()?;
    let released = signing.open()?.refresh(&signing.options(keys.as_ref()))?;
    let (json, text) = told(&released, &signing.place());
    let expires = released.expires.map(until).unwrap_or_default();
    ui.finish(&json, &format!("{text}; the timestamp {expires}"))
}
