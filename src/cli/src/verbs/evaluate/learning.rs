//! What every protocol is told that trains on a log of its own.

use std::path::PathBuf;

use clap::Args;
use segue_train::{
    TrainError,
    dataset::{Dataset, Reading},
    pipeline::Options,
    progress::Progress,
    search::Effort,
};

use crate::{
    failure::Failure,
    ui::{STOP, Ui},
    verbs::{
        Catalogue,
        logs::{Days, Logs},
        search::Search,
    },
};

/// Where the events are, and how to train on them.
#[derive(Args)]
pub struct Learning {
    /// Listening logs, in the formats of `segue train`.
    #[arg(long, required = true, num_args = 1.., value_name = "LOG")]
    events: Vec<PathBuf>,
    #[command(flatten)]
    days: Days,
    /// Read a field from the column of this name: `--column track=song_id`; `--column mood=` leaves
    /// a field out.
    #[arg(long = "column", value_name = "FIELD=NAME", value_parser = crate::verbs::logs::column)]
    columns: Vec<String>,
    /// Count lines that cannot be read, and go on.
    #[arg(long)]
    skip_bad_lines: bool,
    /// Components of a factor.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=256))]
    dim: u16,
    #[command(flatten)]
    search: Search,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Learning {
    /// Seed of everything random.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// What `measure` finds of the log and the `catalogue`.
    pub fn measure<T>(
        &self,
        catalogue: Option<&Catalogue>,
        how: (Effort, Option<u16>),
        ui: &Ui,
        measure: impl FnOnce(&Dataset, &Options<'_>, &Progress<'_>) -> Result<T, TrainError>,
    ) -> Result<T, Failure> {
        self.measure_reading((catalogue, false), how, ui, |reading, options, progress| {
            measure(&reading.dataset, options, progress)
        })
    }

    /// The same of all that was read; what was offered with which chance is only where `offers` says so.
    pub fn measure_reading<T>(
        &self,
        (catalogue, offers): (Option<&Catalogue>, bool),
        (effort, clusters): (Effort, Option<u16>),
        ui: &Ui,
        measure: impl FnOnce(&Reading, &Options<'_>, &Progress<'_>) -> Result<T, TrainError>,
    ) -> Result<T, Failure> {
        ui.heed_interrupt(self.search.folder())?;
        let checkpoints = self.search.checkpoints()?;
        let report = |report: segue_train::progress::Report<'_>| ui.report(report);
        let progress = Progress { report: &report, stop: &STOP, checkpoints: &checkpoints };
        let logs = Logs {
            events: &self.events,
            catalogue: catalogue.unwrap_or(&Catalogue { catalogue: None }),
            columns: &self.columns,
            skip_bad_lines: self.skip_bad_lines,
            offers,
            days: self.days,
        };
        let reading = logs.read(ui, &progress)?;
        let options = Options {
            dim: self.dim.into(),
            clusters: clusters.map(usize::from),
            seed: self.seed,
            effort: effort.within(self.search.budget()),
            head: None,
            after: None,
        };
        let found = measure(&reading, &options, &progress)?;
        self.search.note_taken(&checkpoints, ui);
        Ok(found)
    }
}
