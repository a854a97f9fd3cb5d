//! `segue gc`.

use std::{path::PathBuf, time::Duration};

use segue_serve::registry::{Collecting, Registry};
use serde_json::json;

use super::shown;
use crate::{
    failure::Done,
    ui::{Ui, counted, grouped},
};

/// Remove blobs from a registry that nothing needs any more.
///
/// What the release in force and the last few releases need stays, and so does what is younger than
/// a grace period, which a page may just be fetching.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  segue gc --registry registry --dry-run\n  \
                        segue gc --registry registry --keep 10 --grace 7d")]
pub struct Arguments {
    /// The registry: a folder, or a URL such as s3://bucket/prefix, with the usual AWS_* variables.
    #[arg(long, value_name = "DIR | URL")]
    registry: PathBuf,
    /// What so many of the last releases need stays.
    #[arg(long, value_name = "N", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    keep: u16,
    /// What is younger stays: a number of d(ays), h(ours), m(inutes) or s(econds).
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = time)]
    grace: Duration,
    /// Only say what would be removed.
    #[arg(long)]
    dry_run: bool,
}

pub fn run(arguments: &Arguments, ui: &Ui) -> Done {
    let Arguments { registry, keep, grace, dry_run } = arguments;
    let how = Collecting { keep: usize::from(*keep), grace: *grace, dry_run: *dry_run };
    let done = Registry::open(registry)?.collect(&how)?;
    let bytes = grouped(usize::try_from(done.bytes).unwrap_or(usize::MAX));
    let would = if *dry_run { "would remove" } else { "removed" };
    ui.finish(
        &json!({
            "releases": done.releases,
            "files": done.files,
            "bytes": done.bytes,
            "kept": done.kept,
            "dry_run": dry_run,
            "registry": shown(registry),
        }),
        &format!(
            "{would} {} of {bytes} bytes and {} from {}; {} stay",
            counted(done.files, "file"),
            counted(done.releases, "release"),
            shown(registry),
            counted(done.kept, "file"),
        ),
    )
}

fn time(text: &str) -> Result<Duration, String> {
    let wrong = || "give a number and d, h, m or s, such as 1d".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let seconds = match unit {
        "d" => 86_400,
        "h" => 3600,
        "m" => 60,
        "s" => 1,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}
