//! `segue rollback`.

use segue_serve::registry::Options;

use super::signing::{Signing, told};
use crate::{failure::Done, ui::Ui};

/// Put an earlier model back into force.
///
/// It comes with a new release, so that devices follow. Without --to it is the last model before
/// the one in force; where a roll-out is under way, its candidate is withdrawn instead. A model whose
/// release keys signed that have been replaced since is not gone back to: publish its file again.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  segue rollback --registry registry --keys keys\n  \
                        segue rollback --registry registry --keys keys --to 7")]
pub struct Arguments {
    #[command(flatten)]
    signing: Signing,
    /// The version of the model.
    #[arg(long, value_name = "VERSION")]
    to: Option<u64>,
    /// From how many other models to make deltas.
    #[arg(long, value_name = "N", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=32))]
    deltas: u8,
}

pub fn run(arguments: &Arguments, ui: &Ui) -> Done {
    let Arguments { signing, to, deltas } = arguments;
    let keys = signing.keys()?;
    let options = Options { deltas: usize::from(*deltas), ..signing.options(keys.as_ref()) };
    let released = signing.open()?.roll_back(*to, &options)?;
    let (json, text) = told(&released, &signing.place());
    ui.finish(&json, &text)
}
