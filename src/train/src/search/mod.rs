//! Choosing the settings of the factors on held-out listening.
//!
//! The methods of [`crate::factors`] compete, none of which wins everywhere, each by successive halving
//! (Jamieson and Talwalkar, 2016) over a coarse grid, each survivor trained further from where it
//! stands, then by steps around the best. No setting carries over from one
//! catalogue to another, so none is assumed; from a sample of a log to all of it they do, see
//! [`Balance`].

mod als;
mod balance;
mod beside;
mod contender;
mod effort;
mod fidelity;
mod follow;
mod next;
mod people;
mod prepared;
mod race;
mod settle;
mod spread;
mod sums;

use segue_core::model::Responses;

pub use balance::{Balance, carried, density};
pub use beside::{Beside, beside};
pub use effort::{Effort, Round};
pub use fidelity::coarseness;
pub use follow::{Follow, Tried, follow, with_transitions};
pub use next::{Following, following};
pub use people::{Before, People, people};
pub use race::keeping_up;
pub use settle::{Settled, measured, settle};

use crate::{
    TrainError, als::Trainer, evaluate::ranking::Case, factors::Settings, matrix::Matrix,
    progress::Progress,
};
pub use contender::Attempts;
use contender::{Contender, Run, cut};

/// What there is to learn from and to choose on.
pub struct Task<'a> {
    /// Fingerprints of the tracks, ascending; the columns of `by_user`.
    pub fingerprints: &'a [u64],
    /// Listeners × tracks.
    pub by_user: &'a Matrix,
    /// Tracks × listeners.
    pub by_item: &'a Matrix,
    /// Tracks of the log that the settings are for, of which `by_user` may be a sample.
    pub tracks: usize,
    /// Listeners to choose on, in no particular order: early rounds look at the first ones.
    pub validation: &'a [Case],
    /// What each kind of event says, for folding the listeners of `validation` in.
    pub responses: Responses,
    /// Components of a factor.
    pub dim: usize,
    /// Seed of the first factors.
    pub seed: u64,
    /// How many of the most played tracks are coded by themselves.
    pub head: Option<usize>,
    /// How much work it may be.
    pub effort: Effort,
}

/// The best settings that were found.
pub struct Found<'a> {
    /// The settings, with the number of epochs that was best.
    pub settings: Settings,
    /// The seed of the first factors.
    pub seed: u64,
    /// The factors that they gave.
    pub trainer: Trainer<'a>,
    /// What was tried, method by method, in that order.
    pub tried: Vec<Attempts>,
}

/// Standard errors by which the best of many settings is ahead of popularity where there is something to be
/// found: by chance it is ahead by one.
const FOUND: f64 = 2.0;
/// Among fewer listeners than these, tastes that are there seldom get as far, and a fifth of a standard
/// deviation, which this many standard errors of so many are, has to do. Real logs of few listeners gain more by it
/// than logs lose in which there is nothing to be found.
const FEW: f64 = 100.0;

/// Lets the methods compete for `task`, the cheapest first, each with a share of the time that there is
/// left; each is tried once at least. Where nothing ranks better than
/// popularity does by more than chance may do, that is what is found. Where listeners say no too, only
/// methods that have a place for it compete.
pub fn search<'a>(task: &Task<'a>, progress: &Progress<'_>) -> Result<Found<'a>, TrainError> {
    let mut run = Run::new(task, progress);
    let popular = run.popularity()?;
    run.allot(3);
    let spectral = if task.by_user.has_noes() { Vec::new() } else { run.spectral()? };
    run.allot(2);
    let als = run.als()?;
    run.allot(1);
    let best_so_far = spectral.iter().chain(&als).map(Contender::objective).fold(0.0, f64::max);
    let contrast = run.contrast(&spectral, best_so_far)?;
    let mut field: Vec<_> = spectral.into_iter().chain(als).chain(contrast).collect();
    cut(&mut field, 1);
    let best =
        field.pop().filter(|best| best.lead(&popular) > FOUND * few(task)).unwrap_or(popular);
    let (settings, seed, tried) = (best.settings, best.seed, run.tried.clone());
    let trainer = run.into_trainer(best)?;
    Ok(Found { settings, seed, trainer, tried })
}

/// 1, and less where there are few listeners to choose on.
fn few(task: &Task<'_>) -> f64 {
    (task.validation.len() as f64 / FEW).sqrt().min(1.0)
}
