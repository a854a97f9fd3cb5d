//! How long a search may take, and where it keeps what it found.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use segue_train::checkpoints::Checkpoints;

use crate::{
    failure::Failure,
    ui::{Ui, counted},
};

/// `--budget MINUTES --checkpoints DIR`.
#[derive(clap::Args)]
pub struct Search {
    /// Minutes that choosing method and settings may take, about: methods share them, and what was not
    /// tried by then is not tried [default: as long as it takes].
    #[arg(long, value_name = "MINUTES", value_parser = minutes)]
    budget: Option<Duration>,
    /// Keep what was found so far in files of DIR, and go on from what is kept there: run the same
    /// command again after it was stopped. DIR may be deleted at any time.
    #[arg(long, value_name = "DIR")]
    checkpoints: Option<PathBuf>,
}

impl Search {
    /// The time that there is.
    pub const fn budget(&self) -> Option<Duration> {
        self.budget
    }

    /// Where findings are kept.
    pub fn folder(&self) -> Option<&Path> {
        self.checkpoints.as_deref()
    }

    /// The findings that are there.
    pub fn checkpoints(&self) -> Result<Checkpoints, Failure> {
        Ok(self.folder().map(Checkpoints::open).transpose()?.unwrap_or_default())
    }

    /// Says how much of the run was found there.
    pub fn note_taken(&self, checkpoints: &Checkpoints, ui: &Ui) {
        if let (Some(folder), taken @ 1..) = (self.folder(), checkpoints.taken()) {
            let taken = counted(taken, "finding");
            ui.note(&format!("went on from {taken} kept in {}", folder.display()));
        }
    }
}

fn minutes(text: &str) -> Result<Duration, String> {
    let minutes: f64 = text.parse().map_err(|_| "expected a number of minutes".to_owned())?;
    Duration::try_from_secs_f64(minutes * 60.0)
        .map_err(|_| "expected a number of minutes, 0 or more".to_owned())
}
