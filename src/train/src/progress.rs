//! How a long run tells what it does, is told to stop, and goes on after it was.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::checkpoints::Checkpoints;

/// Where reports go, the flag that ends the run, and where it keeps what it has found.
#[derive(Clone, Copy)]
pub struct Progress<'a> {
    /// Called with what is going on, from one thread.
    pub report: &'a (dyn Fn(Report<'_>) + Sync),
    /// Set by somebody else to stop at the next opportunity.
    pub stop: &'a AtomicBool,
    /// What the run need not find again.
    pub checkpoints: &'a Checkpoints,
}

/// One report.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// What is being done.
    pub stage: &'a str,
    /// How far, in steps of the stage.
    pub step: usize,
    /// Steps of the stage, where that is known.
    pub of: Option<usize>,
    /// The figure that the stage is about, where it has one.
    pub figure: Option<f64>,
}

static NEVER: AtomicBool = AtomicBool::new(false);
static NOTHING_KEPT: Checkpoints = Checkpoints::none();

impl Progress<'_> {
    /// Reports to nobody, never stops, keeps nothing.
    pub fn silent() -> Progress<'static> {
        Progress { report: &|_| {}, stop: &NEVER, checkpoints: &NOTHING_KEPT }
    }

    /// Whether the run was asked to stop.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The start of a stage.
    pub fn stage(&self, stage: &str) {
        (self.report)(Report { stage, step: 0, of: None, figure: None });
    }

    /// A step with the figure that it reached.
    pub fn step(&self, stage: &str, step: usize, figure: f64) {
        (self.report)(Report { stage, step, of: None, figure: Some(figure) });
    }

    /// A step of a known number.
    pub fn count(&self, stage: &str, step: usize, of: usize) {
        (self.report)(Report { stage, step, of: Some(of), figure: None });
    }
}
