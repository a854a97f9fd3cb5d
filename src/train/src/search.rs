//! Choosing the settings of the factors on held-out listening.
//!
//! Successive halving (Jamieson and Talwalkar, 2016) over a coarse grid, each survivor trained
//! further from where it stands, then steps around the best. No setting carries over from one
//! catalogue to another, so none is assumed.

use segue_core::model::Responses;

use crate::{
    Interrupted,
    als::{Factors, Settings, Trainer},
    assemble::{Listener, ranking_model},
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
    /// Listeners to choose on, in no particular order: early rounds look at the first ones.
    pub validation: &'a [Case],
    /// What each kind of event says, for folding the listeners of `validation` in.
    pub responses: Responses,
    /// Components of a factor.
    pub dim: usize,
    /// Seed of the first factors.
    pub seed: u64,
    /// How much work it may be.
    pub effort: Effort,
}

/// The best settings, the factors that they gave, and how good they are on the validation cases.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The settings, with the number of epochs that was best.
    pub settings: Settings,
    /// The seed of the first factors.
    pub seed: u64,
    /// The settings that listeners are folded in with: those of the factors, but for λ. A listener
    /// whom training never saw did not bend the factors towards themselves, and wants another
    /// ridge than one who did.
    pub fold_in: Settings,
    /// τ.
    pub pull: f32,
    /// Accuracy on the validation cases.
    pub validation: Accuracy,
    /// How many settings were tried.
    pub tried: usize,
}

/// The choice and the factors that it was made by.
pub struct Found {
    /// What was chosen.
    pub choice: Choice,
    /// Factors of the task's tracks under the settings chosen.
    pub factors: Factors,
}

struct Contender<'a> {
    settings: Settings,
    seed: u64,
    trainer: Trainer<'a>,
    accuracy: Accuracy,
}

const UNOBSERVED: [f32; 6] = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0];
const RIDGE: [f32; 4] = [0.0015, 0.005, 0.015, 0.05];
/// As in the paper: a row's ridge grows with what is known of it, as the loss does.
const EXPONENT: f32 = 1.0;
/// Those that keep the ranking of an unknown listener sound: above 0.
const PULL: [f32; 6] = [0.001, 0.01, 0.03, 0.1, 0.3, 1.0];
const FOLD_IN_RIDGE: [f32; 6] = [0.5, 0.6, 0.7, 0.85, 1.0, 1.2];
/// One round of the halving.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    /// Epochs that each contender has had at its end.
    pub epochs: usize,
    /// Listeners that it is judged on, at most.
    pub listeners: usize,
    /// Contenders that go on.
    pub survivors: usize,
}

/// How much work the search may be.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Events of the sample of listeners that a log is searched on.
    pub max_events: usize,
    rounds: [Round; 3],
    /// Factors of the steps around the best.
    steps: &'static [f32],
    /// First factors that the best settings are tried from: the loss is not convex.
    starts: u64,
}

impl Effort {
    /// For training day by day: about 100 epochs on a sample.
    pub const QUICK: Self = Self {
        max_events: 60_000,
        rounds: [
            Round { epochs: 2, listeners: 150, survivors: 8 },
            Round { epochs: 4, listeners: 400, survivors: 2 },
            Round { epochs: 8, listeners: 1000, survivors: 1 },
        ],
        steps: &[1.6, 1.25],
        starts: 1,
    };

    /// For the last per cent: about 500 epochs, on everything.
    pub const FULL: Self = Self {
        max_events: usize::MAX,
        rounds: [
            Round { epochs: 3, listeners: 400, survivors: 10 },
            Round { epochs: 7, listeners: 1000, survivors: 4 },
            Round { epochs: 16, listeners: usize::MAX, survivors: 1 },
        ],
        steps: &[1.7, 1.4, 1.2, 1.1],
        starts: 4,
    };

    /// The round that decides.
    fn last(&self) -> Round {
        self.rounds[self.rounds.len() - 1]
    }
}

/// Searches settings for `task`.
pub fn search(task: &Task<'_>, progress: &Progress<'_>) -> Result<Found, Interrupted> {
    let mut run = Run { task, progress, tried: 0 };
    let best = run.halve(grid(task.dim))?;
    let best = run.refine(best)?;
    let mut best = run.restart(best)?;
    let (fold_in, pull) = run.choose_fold_in(&mut best)?;
    let Contender { settings, seed, trainer, accuracy } = best;
    let choice = Choice { settings, seed, fold_in, pull, validation: accuracy, tried: run.tried };
    Ok(Found { choice, factors: trainer.factors })
}

struct Run<'a, 't> {
    task: &'a Task<'t>,
    progress: &'a Progress<'a>,
    tried: usize,
}

impl<'t> Run<'_, 't> {
    /// The best of `settings`, each tried for as long as it keeps up.
    fn halve(&mut self, settings: Vec<Settings>) -> Result<Contender<'t>, Interrupted> {
        let start = |settings| Contender::new(self.task, settings, self.task.seed);
        let mut field: Vec<Contender<'t>> = settings.into_iter().map(start).collect();
        for round in self.task.effort.rounds {
            for contender in &mut field {
                self.train(contender, round.epochs, round.listeners)?;
            }
            field.sort_by(|a, b| b.objective().total_cmp(&a.objective()));
            field.truncate(round.survivors);
        }
        field.pop().ok_or(Interrupted)
    }

    /// Steps from `best` along each setting for as long as they gain.
    fn refine(&mut self, mut best: Contender<'t>) -> Result<Contender<'t>, Interrupted> {
        for &step in self.task.effort.steps {
            for vary in VARIATIONS {
                for factor in [step, 1.0 / step] {
                    let mut settings = best.settings;
                    vary(&mut settings, factor);
                    let contender = Contender::new(self.task, settings, self.task.seed);
                    let better = self.challenge(&mut best, contender)?;
                    if better {
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
            let seed = self.task.seed.wrapping_add(start);
            let contender = Contender::new(self.task, best.settings, seed);
            self.challenge(&mut best, contender)?;
        }
        Ok(best)
    }

    /// Trains `contender` in full; it takes the place of `best` where it is better.
    fn challenge(
        &mut self,
        best: &mut Contender<'t>,
        mut contender: Contender<'t>,
    ) -> Result<bool, Interrupted> {
        let Round { epochs, listeners, .. } = self.task.effort.last();
        self.train(&mut contender, epochs, listeners)?;
        let better = contender.objective() > best.objective();
        if better {
            *best = contender;
        }
        Ok(better)
    }

    /// λ for fold-in, then τ, of the best accuracy. The listeners of `best` are solved anew.
    fn choose_fold_in(&self, best: &mut Contender<'t>) -> Result<(Settings, f32), Interrupted> {
        let (mut fold_in, mut pull) = (best.settings, PULL[0]);
        best.accuracy = Accuracy::default();
        for scale in FOLD_IN_RIDGE {
            let settings = Settings { ridge: best.settings.ridge * scale, ..best.settings };
            best.trainer.solve_users(&settings, &|| self.progress.stopped());
            if self.progress.stopped() {
                return Err(Interrupted);
            }
            if self.improves(best, &settings, PULL[0]) {
                fold_in = settings;
            }
        }
        best.trainer.solve_users(&fold_in, &|| false);
        for candidate in PULL {
            if self.improves(best, &fold_in, candidate) {
                pull = candidate;
            }
        }
        Ok((fold_in, pull))
    }

    /// Judges `best` with listeners folded in so, and keeps the accuracy if it is higher.
    fn improves(&self, best: &mut Contender<'t>, fold_in: &Settings, pull: f32) -> bool {
        let Task { validation, .. } = self.task;
        let accuracy = measure(self.task, validation, &best.trainer.factors, fold_in, pull);
        let better = accuracy.objective() > best.objective();
        if better {
            best.accuracy = accuracy;
        }
        better
    }

    fn train(
        &mut self,
        contender: &mut Contender<'t>,
        epochs: usize,
        listeners: usize,
    ) -> Result<(), Interrupted> {
        let stop = || self.progress.stopped();
        self.tried += usize::from(contender.settings.epochs == 0);
        while contender.settings.epochs < epochs {
            contender.trainer.epoch(&contender.settings, &stop);
            contender.settings.epochs += 1;
            if stop() {
                return Err(Interrupted);
            }
        }
        let Contender { settings, trainer, .. } = contender;
        let cases = &self.task.validation[..listeners.min(self.task.validation.len())];
        contender.accuracy = measure(self.task, cases, &trainer.factors, settings, 0.0);
        self.progress.step("choosing settings", self.tried, contender.objective());
        Ok(())
    }
}

const VARIATIONS: [fn(&mut Settings, f32); 2] =
    [|s, factor| s.unobserved *= factor, |s, factor| s.ridge *= factor];

fn grid(dim: usize) -> Vec<Settings> {
    let each = |unobserved| {
        RIDGE.map(|ridge| Settings { dim, unobserved, ridge, exponent: EXPONENT, epochs: 0 })
    };
    UNOBSERVED.into_iter().flat_map(each).collect()
}

impl<'t> Contender<'t> {
    fn new(task: &Task<'t>, settings: Settings, seed: u64) -> Self {
        let trainer = Trainer::new(task.by_user, task.by_item, task.dim, seed);
        let settings = Settings { epochs: 0, ..settings };
        Self { settings, seed, trainer, accuracy: Accuracy::default() }
    }

    fn objective(&self) -> f64 {
        self.accuracy.objective()
    }
}

fn measure(
    task: &Task<'_>,
    cases: &[Case],
    factors: &Factors,
    settings: &Settings,
    pull: f32,
) -> Accuracy {
    let listener = Listener { responses: task.responses, pull };
    // Factors that a hopeless setting has blown up make no model: they rank nothing.
    ranking_model(task.fingerprints, factors, settings, &listener)
        .map(|model| accuracy(&model, cases))
        .unwrap_or_default()
}
