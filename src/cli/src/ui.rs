//! What a person sees while a verb runs, and what a machine reads when it is done.

use std::{
    io::{IsTerminal, Write, stderr, stdout},
    path::Path,
    process::ExitCode,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use segue_train::{checkpoints::Checkpoints, progress::Report};
use serde_json::Value;

use crate::failure::{Done, Failure};

/// Set by Ctrl-C; long verbs look at it.
pub static STOP: AtomicBool = AtomicBool::new(false);

/// Whether a file is being written that is to be removed again where that is stopped.
static WRITING: AtomicUsize = AtomicUsize::new(0);

/// While this lives, Ctrl-C asks instead of ending the process.
pub struct Writing;

impl Writing {
    /// From now on.
    pub fn begin() -> Self {
        WRITING.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        WRITING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Standard output for results, standard error for everything else.
pub struct Ui {
    json: bool,
    bar: ProgressBar,
}

impl Ui {
    /// Progress shows on a terminal, and not where a machine reads; notes show everywhere.
    pub fn new(json: bool) -> Self {
        let bar = if json || !stderr().is_terminal() {
            ProgressBar::hidden()
        } else {
            let style = ProgressStyle::with_template("{spinner:.cyan} {msg} {elapsed:.dim}");
            ProgressBar::new_spinner()
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
        };
        Self { json, bar }
    }

    /// From now on Ctrl-C ends the process with a word of what it did not do, and of the folder where
    /// it `kept` what it found; while a file is being written it asks the verb to stop, and ends it
    /// when it comes again.
    pub fn heed_interrupt(&self, kept: Option<&Path>) -> Done {
        const FAILED: i32 = 1;
        let kept = kept.map(Path::to_owned);
        let go_on = move || match kept.as_deref().filter(|folder| Checkpoints::any_in(folder)) {
            None => String::new(),
            Some(folder) => format!(
                "; the same command again goes on from what is kept in {}",
                folder.display()
            ),
        };
        ctrlc::set_handler(move || {
            let again = STOP.swap(true, Ordering::SeqCst);
            if again || WRITING.load(Ordering::SeqCst) == 0 {
                // Nobody need be there to read it.
                let _ = writeln!(stderr(), "segue: interrupted; nothing was written{}", go_on());
                std::process::exit(FAILED);
            }
        })?;
        self.bar.enable_steady_tick(Duration::from_millis(100));
        Ok(())
    }

    /// Shows how far a long run is.
    pub fn report(&self, report: Report<'_>) {
        let Report { stage, step, of, figure } = report;
        let step = match (step, of) {
            (0, None) => String::new(),
            (step, None) => format!(" {step}"),
            (step, Some(of)) => format!(" {step}/{of}"),
        };
        let figure = figure.map(|figure| format!(" ({figure:.4})")).unwrap_or_default();
        self.bar.set_message(format!("{stage}{step}{figure}"));
    }

    /// Shows what is being done.
    pub fn say(&self, message: &str) {
        self.bar.set_message(message.to_owned());
    }

    /// A line on standard error that stays.
    pub fn note(&self, line: &str) {
        self.bar.suspend(|| {
            // Nobody is there to be told that standard error is closed.
            let _ = writeln!(stderr(), "{line}");
        });
    }

    /// The result of a verb: `json` for machines, `text` for people.
    pub fn finish(&self, json: &Value, text: &str) -> Done {
        self.bar.finish_and_clear();
        let line = if self.json { json.to_string() } else { text.trim_end().to_owned() };
        match writeln!(stdout(), "{line}") {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => {
                other.map_err(|error| Failure::during("cannot write to standard output", error))
            }
        }
    }

    /// Says why the verb failed.
    pub fn fail(&self, failure: &Failure) -> ExitCode {
        self.bar.finish_and_clear();
        self.note(&format!("error: {failure}"));
        ExitCode::FAILURE
    }
}

/// A number of things: "1 track", "1,234 tracks", "2 queries", "2 plays".
pub fn counted(number: usize, thing: &str) -> String {
    let number_of = grouped(number);
    match thing.strip_suffix('y').filter(|start| !start.ends_with(['a', 'e', 'o', 'u'])) {
        _ if number == 1 => format!("{number_of} {thing}"),
        Some(start) => format!("{number_of} {start}ies"),
        None => format!("{number_of} {thing}s"),
    }
}

/// 1234567 as "1,234,567".
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
