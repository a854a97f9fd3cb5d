//! `segue rollout`.

use super::signing::{Signing, share, told};
use crate::{failure::Done, ui::Ui};

/// Give the candidate of a roll-out more devices, or none.
///
/// `segue publish --rollout` puts a model beside the one in force, for a share of devices. Which
/// devices follows from their ids: raising the share only adds some. At 100 it is in force for
/// all, at 0 it is withdrawn.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  segue rollout --registry registry --keys keys --percent 50")]
pub struct Arguments {
    #[command(flatten)]
    signing: Signing,
    /// Of how many devices the candidate is to be.
    #[arg(long, value_name = "PERCENT", value_parser = share)]
    percent: u16,
}

pub fn run(arguments: &Arguments, ui: &Ui) -> Done {
    let Arguments { signing, percent } = arguments;
    let keys = signing.keys()?;
    let released = signing.open()?.roll_out(*percent, &signing.options(keys.as_ref()))?;
    let (json, text) = told(&released, &signing.place());
    ui.finish(&json, &text)
}
