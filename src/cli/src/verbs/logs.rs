//! Reading logs and a catalogue, and saying what was found in them.

use std::path::{Path, PathBuf};

use segue_serve::lake::{Day, Lake};
use segue_train::{
    dataset::{self, Fit, Reading},
    log::{self, ColumnError, Columns, Options, Summary},
    progress::Progress,
};

use tempfile::TempDir;

use super::Catalogue;
use crate::{
    failure::Failure,
    ui::{Ui, counted, grouped},
};

/// One `--column`, which is wrong usage where it names no field.
pub fn column(text: &str) -> Result<String, ColumnError> {
    Columns::parse([text]).map(|_| text.to_owned())
}

/// Logs and a catalogue to read.
pub struct Logs<'a> {
    pub events: &'a [PathBuf],
    pub catalogue: &'a Catalogue,
    /// `--column`s.
    pub columns: &'a [String],
    pub skip_bad_lines: bool,
    /// Whether what was offered with which chance is read too.
    pub offers: bool,
    /// Which days of folders are read.
    pub days: Days,
}

/// Which days of a lake are read.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Days {
    /// Of folders with partitions by day, such as a lake, read from this day on, such as 2026-11-28.
    #[arg(long, value_name = "DAY")]
    since: Option<Day>,
    /// Read until this day, which is read too.
    #[arg(long, value_name = "DAY")]
    until: Option<Day>,
}

impl Logs<'_> {
    /// Reads them, and says what was found in them.
    pub fn read(&self, ui: &Ui, progress: &Progress<'_>) -> Result<Reading, Failure> {
        let days = [self.days.since, self.days.until].map(|day| day.map(|day| day.to_string()));
        let fetched = fetched(self.events, self.days)?;
        let events: Vec<&Path> = self
            .events
            .iter()
            .zip(&fetched)
            .map(|(path, fetched)| fetched.as_ref().map_or(path.as_path(), TempDir::path))
            .collect();
        let options = Options {
            days: (days[0].as_deref(), days[1].as_deref()),
            columns: Columns::parse(self.columns)?,
            skip_bad_lines: self.skip_bad_lines,
            offers: self.offers,
            ..Options::default()
        };
        let catalogue = self.catalogue.catalogue.as_deref();
        let reading = dataset::read(&events, catalogue, &options, progress)?;
        for (summary, path) in reading.summaries.iter().zip(self.events) {
            tell(ui, summary, &log::shown(path));
        }
        if let Some((path, fit)) = catalogue.zip(reading.fit) {
            ui.note(&told(&log::shown(path), fit));
        }
        if reading.repeats() > 0 {
            ui.note(&format!(
                "{} left out: the same listener, track and kind again, with the same id or, without \
                 ids, at the same time",
                counted(reading.repeats(), "event")
            ));
        }
        Ok(reading)
    }
}

/// The files of the lakes that are no folders, each in a folder that goes when it is dropped.
fn fetched(events: &[PathBuf], days: Days) -> Result<Vec<Option<TempDir>>, Failure> {
    let days = days.since.unwrap_or(Day::FIRST)..=days.until.unwrap_or(Day::LAST);
    let fetch = |path: &PathBuf| {
        if !path.to_str().is_some_and(|path| path.starts_with("s3://")) {
            return Ok(None);
        }
        let (lake, folder) = (Lake::open(path)?, TempDir::new()?);
        for file in lake.files(days.clone())? {
            let to = folder.path().join(file.name());
            std::fs::create_dir_all(to.parent().unwrap_or(folder.path()))?;
            if let Some(bytes) = lake.bytes(&file)? {
                std::fs::write(to, bytes)?;
            }
        }
        Ok(Some(folder))
    };
    events.iter().map(fetch).collect()
}

/// What a catalogue says of the tracks of the logs, and of others.
fn told(path: &str, fit: Fit) -> String {
    let Fit { named, heard, new, bare } = fit;
    let mut told = format!("{path} names {} of {}", grouped(named), counted(heard, "track"));
    if new > 0 {
        told += &format!("; {} more that nobody has heard", grouped(new));
    }
    if bare > 0 {
        told += &format!(
            "; {} without artist, album or tags that nobody has heard left out",
            counted(bare, "track")
        );
    }
    told
}

/// Says what was taken for what, and what was left out.
fn tell(ui: &Ui, summary: &Summary, path: &str) {
    let columns: Vec<String> = summary
        .columns
        .iter()
        .map(|column| match (column.field.name(), column.name.as_str()) {
            (field, name) if field == name => field.to_owned(),
            (field, name) => format!("{field} from {}", log::excerpt(name)),
        })
        .collect();
    let unused = left_out(&summary.unused);
    ui.note(&format!("{path}: read {}{unused}", columns.join(", ")));
    if summary.bad_lines > 0 {
        let bad = usize::try_from(summary.bad_lines).unwrap_or(usize::MAX);
        ui.note(&format!("{path}: skipped {}, of which the first are", counted(bad, "line")));
        summary.first_bad.iter().for_each(|bad| ui.note(&format!("  {bad}")));
    }
}

/// The columns that were not read, as the end of a sentence; nothing where there are none.
fn left_out(names: &[String]) -> String {
    const SHOWN: usize = 12;
    if names.is_empty() {
        return String::new();
    }
    let first: Vec<String> = names.iter().take(SHOWN).map(|name| log::excerpt(name)).collect();
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("; left out {}{more}", first.join(", "))
}
