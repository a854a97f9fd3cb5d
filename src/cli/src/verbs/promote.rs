//! `segue promote`.

use segue_core::rollout::WHOLE;

use super::signing::{Signing, told};
use crate::{failure::Done, ui::Ui};

/// Put the candidate of a roll-out into force for all devices.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  segue promote --registry registry --keys keys")]
pub struct Arguments {
    #[command(flatten)]
    signing: Signing,
}

pub fn run(arguments: &Arguments, ui: &Ui) -> Done {
    let signing = &arguments.signing;
    let keys = signing.keys()?;
    let released = signing.open()?.roll_out(WHOLE, &signing.options(keys.as_ref()))?;
    let (json, text) = told(&released, &signing.place());
    ui.finish(&json, &text)
}
