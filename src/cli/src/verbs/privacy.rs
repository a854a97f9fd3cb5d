//! `segue compact`, `export`, `erase` and `forget`: what was collected, and what becomes of it.

use std::{
    io::{BufWriter, Write},
    path::PathBuf,
};

use segue_serve::{
    intake::{Intake, Options},
    lake::{Day, Lake},
    privacy,
};
use serde_json::json;

use super::{now_ms, shown};
use crate::{
    failure::{Done, Failure},
    ui::{Ui, counted, grouped},
};

/// Move what was collected to a lake, once.
///
/// `segue serve --lake` does it by itself, while it runs; this is for an intake that nobody collects into now.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  segue compact --intake intake --lake lake")]
pub struct Compact {
    /// The folder of what was collected.
    #[arg(long, value_name = "DIR")]
    intake: PathBuf,
    /// The lake, a folder or a URL such as s3://bucket/lake.
    #[arg(long, value_name = "DIR | URL")]
    lake: PathBuf,
}

/// Where events are.
#[derive(clap::Args)]
struct Place {
    /// The folder of what was collected, which has the secrets of pseudonyms.
    #[arg(long, value_name = "DIR")]
    intake: PathBuf,
    /// The lake, a folder or a URL such as s3://bucket/lake.
    #[arg(long, value_name = "DIR | URL")]
    lake: Option<PathBuf>,
}

impl Place {
    fn lake(&self) -> Result<Option<Lake>, Failure> {
        Ok(self.lake.as_ref().map(Lake::open).transpose()?)
    }
}

/// Write every event of a listener, one JSON object a line.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  segue export anna@example.org --intake intake --lake lake > anna.jsonl\n  \
                  segue export --everyone --intake intake --lake lake > events.jsonl"
)]
pub struct Export {
    /// What the listener was called when the events were sent.
    #[arg(required_unless_present = "everyone")]
    user: Option<String>,
    /// Everybody's events.
    #[arg(long, conflicts_with = "user")]
    everyone: bool,
    #[command(flatten)]
    place: Place,
}

/// Take every event of a listener out of what was collected, and say what was removed.
///
/// Says so of every file, by its digest before and after, and looks again whether anything is left. A server that
/// collects meanwhile goes on. The next training has nothing of the listener; what was trained before is to be trained
/// anew where that matters.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  segue erase anna@example.org --intake intake --lake lake --json > proof.json"
)]
pub struct Erase {
    /// What the listener was called when the events were sent.
    user: String,
    #[command(flatten)]
    place: Place,
}

/// Forget what happened before some days.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  segue forget --lake lake --intake intake --keep 365\n\n\
                        `segue serve --keep DAYS` does it by itself.")]
pub struct Forget {
    /// The lake, a folder or a URL such as s3://bucket/lake.
    #[arg(long, value_name = "DIR | URL")]
    lake: PathBuf,
    /// The folder of what was collected: secrets of pseudonyms that nothing has any more go too.
    #[arg(long, value_name = "DIR")]
    intake: Option<PathBuf>,
    /// Whole days that are kept.
    #[arg(long, value_name = "DAYS")]
    keep: u32,
}

pub fn compact(arguments: &Compact, ui: &Ui) -> Done {
    let Compact { intake, lake } = arguments;
    if !intake.is_dir() {
        return Err(Failure::from(format!("there is no folder {}", intake.display())));
    }
    let lake = Lake::create(lake)?;
    let moved = Intake::open(&Options::at(intake))?.compact(&lake)?;
    let json = json!({
        "lake": shown(lake.place()),
        "events": moved.events,
        "files": moved.files,
        "bytes": moved.bytes,
    });
    let text = format!(
        "moved {} to {}: {} of {} bytes",
        counted(count(moved.events), "event"),
        shown(lake.place()),
        counted(count(moved.files), "file"),
        grouped(count(moved.bytes)),
    );
    ui.finish(&json, &text)
}

pub fn export(arguments: &Export, ui: &Ui) -> Done {
    let Export { user, place, .. } = arguments;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut failed = None;
    let (lake, user) = (place.lake()?, user.as_deref());
    let found = privacy::export(&place.intake, lake.as_ref(), user, |event| {
        if failed.is_none() {
            let written = serde_json::to_writer(&mut out, &event).map_err(std::io::Error::from);
            failed = written.and_then(|()| out.write_all(b"\n")).err();
        }
    })?;
    let failed = failed.map_or_else(|| out.flush(), Err);
    failed.map_err(|error| Failure::during("cannot write to standard output", error))?;
    ui.note(&counted(count(found), "event"));
    Ok(())
}

pub fn erase(arguments: &Erase, ui: &Ui) -> Done {
    let Erase { user, place } = arguments;
    let erasure = privacy::erase(&place.intake, place.lake()?.as_ref(), user, now_ms())?;
    let mut text = format!(
        "removed {} of {}: {} from the intake, {} from {} of the lake",
        counted(count(erasure.intake_events + erasure.lake_events), "event"),
        counted(erasure.pseudonyms.len(), "pseudonym"),
        grouped(count(erasure.intake_events)),
        grouped(count(erasure.lake_events)),
        counted(erasure.files.len(), "file"),
    );
    for file in &erasure.files {
        let after = file.after.as_deref().unwrap_or("removed");
        text += &format!("\n  {}: {}, {} → {after}", file.file, file.events, file.before);
    }
    if place.lake.is_some() {
        let checked = counted(count(erasure.checked_files), "file");
        text += &format!("\nlooked again through {checked}: nothing is left");
    }
    ui.finish(&serde_json::to_value(&erasure)?, &text)
}

pub fn forget(arguments: &Forget, ui: &Ui) -> Done {
    let Forget { lake, intake, keep } = arguments;
    let first = Day::of(now_ms()).before(*keep);
    let gone = privacy::forget(intake.as_deref(), &Lake::open(lake)?, first)?;
    let json = json!({
        "before": first.to_string(),
        "files": gone.files,
        "bytes": gone.bytes,
        "erasures": gone.erasures,
        "secrets": gone.secrets,
    });
    let text = format!(
        "forgot what happened before {first}: {} of {} bytes, {}, {}",
        counted(count(gone.files), "file"),
        grouped(count(gone.bytes)),
        counted(count(gone.erasures), "note of erasure"),
        counted(count(gone.secrets), "secret"),
    );
    ui.finish(&json, &text)
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
