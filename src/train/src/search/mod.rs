//! Choosing the settings of the factors on held-out listening.
//!
//! Successive halving (Jamieson and Talwalkar, 2016) over a coarse grid, each survivor trained
//! further from where it stands, then steps around the best. No setting carries over from one
//! catalogue to another, so none is assumed; from a sample of a log to all of it they do, see
//! [`Balance`].

mod balance;
mod beside;
mod effort;
mod fidelity;
mod follow;
mod next;
mod prepared;
mod settle;

use segue_core::model::Responses;

pub use balance::{Balance, carried, density};
pub use beside::{Beside, beside};
pub use effort::{Effort, Round};
pub use fidelity::coarseness;
pub use follow::{Follow, Tried, follow, with_transitions};
pub use next::{Following, following};
pub use settle::{Settled, measured, settle};

use crate::{
    Interrupted,
    als::{Settings, Trainer},
    assemble::{FoldIn, ranking_model},
    coding,
    evaluate::ranking::{Accuracy, Case, accuracy},
    matrix::Matrix,
    progress::Progress,
};

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
    /// How many settings were tried.
    pub tried: usize,
}

const UNOBSERVED: [f32; 6] = [1.0, 4.0, 16.0, 64.0, 256.0, 1024.0];
const RIDGE: [f32; 4] = [0.03, 0.1, 0.3, 0.9];

/// Searches settings for `task`.
pub fn search<'a>(task: &Task<'a>, progress: &Progress<'_>) -> Result<Found<'a>, Interrupted> {
    let mut run = Run { task, progress, tried: 0 };
    let best = run.halve()?;
    let best = run.refine(best)?;
    let Contender { settings, seed, trainer, .. } = run.restart(best)?;
    Ok(Found { settings, seed, trainer, tried: run.tried })
}

struct Contender<'a> {
    balance: Balance,
    settings: Settings,
    seed: u64,
    trainer: Trainer<'a>,
    accuracy: Accuracy,
}

struct Run<'a, 't> {
    task: &'a Task<'t>,
    progress: &'a Progress<'a>,
    tried: usize,
}

impl<'t> Run<'_, 't> {
    /// The best of the grid, each point tried for as long as it keeps up.
    fn halve(&mut self) -> Result<Contender<'t>, Interrupted> {
        let [first, later @ ..] = self.task.effort.rounds;
        let mut field: Vec<Contender<'t>> = Vec::new();
        for balance in grid(self.task) {
            let mut contender = Contender::new(self.task, balance, self.task.seed);
            self.train(&mut contender, first)?;
            field.push(contender);
            // Who has fallen out already need not be kept in memory.
            cut(&mut field, first.survivors);
        }
        for round in later {
            for contender in &mut field {
                self.train(contender, round)?;
            }
            cut(&mut field, round.survivors);
        }
        field.into_iter().next().ok_or(Interrupted)
    }

    /// Steps from `best` along each setting for as long as they gain.
    fn refine(&mut self, mut best: Contender<'t>) -> Result<Contender<'t>, Interrupted> {
        for &step in self.task.effort.steps {
            for vary in VARIATIONS {
                for factor in [step, 1.0 / step] {
                    let mut balance = best.balance;
                    vary(&mut balance, factor);
                    if balance.unobserved > self.task.most_unobserved() {
                        continue;
                    }
                    if self.challenge(&mut best, balance, self.task.seed)? {
                        break;
                    }
                }
            }
        }
        Ok(best)
    }

    /// The settings of `best` from other first factors: the loss is not convex.
    fn restart(&mut self, mut best: Contender<'t>) -> Result<Contender<'t>, Interrupted> {
        for start in 1..self.task.effort.starts {
            let balance = best.balance;
            self.challenge(&mut best, balance, self.task.seed.wrapping_add(start))?;
        }
        Ok(best)
    }

    /// Trains a contender in full; it takes the place of `best` where it is better.
    fn challenge(
        &mut self,
        best: &mut Contender<'t>,
        balance: Balance,
        seed: u64,
    ) -> Result<bool, Interrupted> {
        let mut contender = Contender::new(self.task, balance, seed);
        self.train(&mut contender, self.task.effort.last())?;
        let better = contender.objective() > best.objective();
        if better {
            *best = contender;
        }
        Ok(better)
    }

    fn train(&mut self, contender: &mut Contender<'t>, round: Round) -> Result<(), Interrupted> {
        let Contender { settings, trainer, .. } = contender;
        self.tried += usize::from(settings.epochs == 0);
        while settings.epochs < round.epochs {
            trainer.epoch(&settings.loss, &|| self.progress.stopped());
            settings.epochs += 1;
            if self.progress.stopped() {
                return Err(Interrupted);
            }
        }
        let task = self.task;
        let fold_in = FoldIn { loss: settings.loss, pull: 0.0, responses: task.responses };
        let cases = &task.validation[..round.listeners.min(task.validation.len())];
        // Factors that hopeless settings have blown up make no model: they rank nothing.
        contender.accuracy =
            ranking_model(task.fingerprints, &coding::fine(&trainer.factors), &fold_in)
                .map(|model| accuracy(&model, cases))
                .unwrap_or_default();
        self.progress.step("choosing settings", self.tried, contender.objective());
        Ok(())
    }
}

const VARIATIONS: [fn(&mut Balance, f32); 2] =
    [|balance, factor| balance.unobserved *= factor, |balance, factor| balance.ridge *= factor];

impl Task<'_> {
    /// The balance at which a pair that was not observed weighs as much as one that was. Beyond it what
    /// a listener passes over says nothing any more.
    fn most_unobserved(&self) -> f32 {
        let each = self.by_user.len() as f32 / self.by_user.rows().max(1) as f32;
        self.tracks as f32 / each.max(1.0)
    }
}

fn grid(task: &Task<'_>) -> impl Iterator<Item = Balance> {
    let most = task.most_unobserved();
    let each = |unobserved| RIDGE.map(|ridge| Balance { unobserved, ridge });
    let mut some: Vec<f32> = UNOBSERVED.iter().map(|unobserved| unobserved.min(most)).collect();
    some.dedup();
    some.into_iter().flat_map(each)
}

/// Keeps the best `survivors`, best first.
fn cut(field: &mut Vec<Contender<'_>>, survivors: usize) {
    field.sort_by(|a, b| b.objective().total_cmp(&a.objective()));
    field.truncate(survivors);
}

impl<'t> Contender<'t> {
    fn new(task: &Task<'t>, balance: Balance, seed: u64) -> Self {
        let trainer = Trainer::new(task.by_user, task.by_item, task.dim, seed);
        let settings = Settings { loss: balance.loss(task.by_user), epochs: 0 };
        Self { balance, settings, seed, trainer, accuracy: Accuracy::default() }
    }

    fn objective(&self) -> f64 {
        self.accuracy.objective()
    }
}
