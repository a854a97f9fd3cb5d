//! Settings with the factors that they have given so far.

use super::{Balance, Round, Task};
use crate::{
    Interrupted,
    als::Trainer,
    assemble::{FoldIn, ranking_model},
    coding,
    evaluate::{
        paired,
        ranking::{Accuracy, each},
    },
    factors::{Method, Settings, Training},
    progress::Progress,
};

/// What was tried of a method.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attempts {
    /// The best settings, with the epochs that they had.
    pub best: Settings,
    /// Their accuracy on the validation cases, or on the first of them where they did not get far.
    pub accuracy: Accuracy,
    /// How many settings were tried.
    pub count: usize,
}

pub(super) struct Contender<'a> {
    pub balance: Balance,
    pub settings: Settings,
    pub seed: u64,
    training: Option<Training<'a>>,
    accuracy: Accuracy,
    each: Vec<f64>,
}

impl<'t> Contender<'t> {
    pub fn new(task: &Task<'t>, method: Method, balance: Balance, seed: u64) -> Self {
        let settings = Settings { method, loss: balance.loss(task.by_user), epochs: 0 };
        // What has no factors ranks nothing.
        let training = Training::new((task.by_user, task.by_item), task.dim, &settings, seed).ok();
        Self { balance, settings, seed, training, accuracy: Accuracy::default(), each: Vec::new() }
    }

    pub fn objective(&self) -> f64 {
        self.accuracy.objective()
    }

    /// Whether it ranks better than `other` did on the same cases, by more than a standard error.
    pub fn beats(&self, other: &Self) -> bool {
        self.each.len() == other.each.len() && paired(&self.each, &other.each) > 1.0
    }

    /// Whether it ranks better than `other` did on the cases that it was judged on.
    pub fn is_ahead_of(&self, other: &Self) -> bool {
        let same = &other.each[..self.each.len().min(other.each.len())];
        self.each.iter().sum::<f64>() > same.iter().sum::<f64>()
    }

    pub fn into_trainer(self) -> Option<Trainer<'t>> {
        self.training.map(Training::into_solver)
    }
}

/// A search under way.
pub(super) struct Run<'a, 't> {
    pub task: &'a Task<'t>,
    pub progress: &'a Progress<'a>,
    /// What was tried, method by method.
    pub tried: Vec<Attempts>,
}

impl<'t> Run<'_, 't> {
    /// Trains `contender` up to what `round` allows and judges it.
    pub fn train(
        &mut self,
        contender: &mut Contender<'t>,
        round: Round,
    ) -> Result<(), Interrupted> {
        let new = contender.each.is_empty();
        let task = self.task;
        if let Some(training) = &mut contender.training {
            while training.epochs < round.epochs {
                training.epoch(&|| self.progress.stopped());
                if self.progress.stopped() {
                    return Err(Interrupted);
                }
            }
            contender.settings.epochs = training.epochs;
            let loss = contender.settings.fold_in(task.by_user.columns());
            let fold_in = FoldIn { loss, pull: 0.0, responses: task.responses };
            let cases = &task.validation[..round.listeners.min(task.validation.len())];
            let coded = coding::fine(&training.solver().factors);
            // Factors that hopeless settings have blown up make no model: they rank nothing.
            let each = ranking_model(task.fingerprints, &coded, &fold_in)
                .map_or_else(|_| Vec::new(), |model| each(&model, cases));
            contender.accuracy = Accuracy::mean(&each);
            contender.each = each.iter().map(|case| case.objective()).collect();
        }
        self.note(contender, new);
        Ok(())
    }

    /// Trains a contender in full; it takes the place of `best` where it is better.
    pub fn challenge(
        &mut self,
        best: &mut Contender<'t>,
        mut contender: Contender<'t>,
        round: Round,
    ) -> Result<bool, Interrupted> {
        self.train(&mut contender, round)?;
        let better = contender.objective() > best.objective();
        if better {
            *best = contender;
        }
        Ok(better)
    }

    fn note(&mut self, contender: &Contender<'_>, new: bool) {
        let Contender { settings, accuracy, .. } = contender;
        let name = settings.method.name();
        let found = Attempts { best: *settings, accuracy: *accuracy, count: 0 };
        let at = self.tried.iter().position(|tried| tried.best.method.name() == name);
        let at = at.unwrap_or_else(|| {
            self.tried.push(found);
            self.tried.len() - 1
        });
        let tried = &mut self.tried[at];
        // Figures of fewer listeners give way to those of more.
        let further = accuracy.listeners > tried.accuracy.listeners;
        let better = accuracy.objective() > tried.accuracy.objective();
        if further || better && accuracy.listeners == tried.accuracy.listeners {
            (tried.best, tried.accuracy) = (found.best, found.accuracy);
        }
        tried.count += usize::from(new);
        let count = self.tried.iter().map(|tried| tried.count).sum();
        self.progress.step("choosing settings", count, contender.objective());
    }
}

/// Keeps the best `survivors`, best first.
pub(super) fn cut(field: &mut Vec<Contender<'_>>, survivors: usize) {
    field.sort_by(|a, b| b.objective().total_cmp(&a.objective()));
    field.truncate(survivors);
}
