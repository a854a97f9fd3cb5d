//! Settings with the factors that they have given so far.

use std::time::Instant;

use super::{Balance, Round, Task};
use crate::{
    Diverged, Interrupted, TrainError,
    als::Trainer,
    assemble::{FoldIn, ranking_model},
    checkpoints::Key,
    coding,
    evaluate::{
        paired,
        ranking::{Accuracy, Case, Measured, each},
    },
    factors::{Method, Settings, Training},
    progress::Progress,
    spectral::Spectra,
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

#[derive(Clone)]
pub(super) struct Contender<'a> {
    pub balance: Balance,
    /// With the epochs that it was judged after.
    pub settings: Settings,
    pub seed: u64,
    /// Nothing before it is first trained.
    training: Option<Training<'a>>,
    accuracy: Accuracy,
    each: Vec<Measured>,
    judged: bool,
    /// Whether more epochs made it worse.
    stopped: bool,
}

/// By how many standard errors more epochs must be worse for a contender to stop: a few listeners more or
/// less are chance.
const NOTABLE: f64 = 1.0;

impl Contender<'_> {
    pub fn new(task: &Task<'_>, method: Method, balance: Balance, seed: u64) -> Self {
        let settings = Settings { method, loss: balance.loss(task.by_user), epochs: 0 };
        let (accuracy, each) = (Accuracy::default(), Vec::new());
        Self {
            balance,
            settings,
            seed,
            training: None,
            accuracy,
            each,
            judged: false,
            stopped: false,
        }
    }

    pub fn objective(&self) -> f64 {
        self.accuracy.objective()
    }

    /// By how many standard errors it ranks better than `other` did on the same cases; none where it was
    /// not judged on these.
    pub fn lead(&self, other: &Self) -> f64 {
        let [mine, theirs] = [self, other].map(|it| it.objectives().collect::<Vec<f64>>());
        if mine.len() == theirs.len() { paired(&mine, &theirs) } else { 0.0 }
    }

    /// Whether it ranks notably worse than it did `earlier`, on the cases that it was judged on then.
    fn is_worse_than(&self, earlier: &Self) -> bool {
        let then: Vec<f64> = earlier.objectives().collect();
        let now: Vec<f64> = self.objectives().take(then.len()).collect();
        // What has diverged ranks nothing.
        now.len() < then.len() || paired(&then, &now) > NOTABLE
    }

    /// Whether it ranks better than `other` did on the cases that it was judged on.
    pub fn is_ahead_of(&self, other: &Self) -> bool {
        self.objectives().sum::<f64>() > other.objectives().take(self.each.len()).sum()
    }

    fn objectives(&self) -> impl Iterator<Item = f64> {
        self.each.iter().map(Measured::objective)
    }
}

/// A search under way.
pub(super) struct Run<'a, 't> {
    pub task: &'a Task<'t>,
    pub progress: &'a Progress<'a>,
    /// What was tried, method by method.
    pub tried: Vec<Attempts>,
    spectra: Spectra<'t>,
    /// Of what the search is on.
    key: Key,
    /// When all of it is to end, and when the method that is tried now is.
    ends: Option<(Instant, Instant)>,
}

impl<'a, 't> Run<'a, 't> {
    pub fn new(task: &'a Task<'t>, progress: &'a Progress<'a>) -> Self {
        let spectra = Spectra::new((task.by_user, task.by_item), task.dim, task.seed);
        // What is beyond the end of time has no end.
        let end = task.effort.budget.and_then(|budget| Instant::now().checked_add(budget));
        let mut key = Key::of("accuracy").and_pairs(task.by_user).and(&(task.dim, task.responses));
        for case in task.validation {
            let says = case.known.iter().flat_map(|of| {
                let pull = of.pull(&task.responses);
                [f32::from_bits(of.row.0), pull.weight, pull.information]
            });
            key = key.and_reals(&says.collect::<Vec<_>>()).and(&(
                case.known.len(),
                &case.held_out,
                case.missing,
                case.repeats,
            ));
        }
        Self { task, progress, tried: Vec::new(), spectra, key, ends: end.map(|end| (end, end)) }
    }

    /// From now on a method is tried that shares the time that is left with others: `of` in all.
    pub fn allot(&mut self, of: u32) {
        if let Some((all, this)) = &mut self.ends {
            let now = Instant::now();
            *this = now + all.saturating_duration_since(now) / of;
        }
    }

    /// Whether there is no time for more.
    pub fn is_over(&self) -> bool {
        self.ends.is_some_and(|(_, this)| Instant::now() >= this)
    }

    /// Trains `contender` up to what `round` allows and judges it.
    pub fn train(&mut self, contender: &mut Contender<'t>, round: Round) -> Result<(), TrainError> {
        if self.progress.stopped() {
            return Err(Interrupted.into());
        }
        let new = !std::mem::replace(&mut contender.judged, true);
        contender.settings.epochs = contender.settings.epochs.max(round.epochs);
        let cases = &self.task.validation[..round.listeners.min(self.task.validation.len())];
        let key = self.key.clone().and(&(contender.settings, contender.seed, cases.len()));
        let checkpoints = self.progress.checkpoints;
        contender.each = if let Some(kept) = checkpoints.get(&key) {
            measured(&kept)
        } else {
            let each = self.judged(contender, cases)?;
            checkpoints.put(&key, || kept(&each))?;
            each
        };
        contender.accuracy = Accuracy::mean(&contender.each);
        self.note(contender, new);
        Ok(())
    }

    /// How well `contender` ranks `cases`; nothing where it does not rank.
    fn judged(
        &mut self,
        contender: &mut Contender<'t>,
        cases: &[Case],
    ) -> Result<Vec<Measured>, TrainError> {
        Ok(match self.trained(contender) {
            Ok(training) => {
                let coded = coding::fine(&training.solver().factors);
                let loss = contender.settings.fold_in(self.task.by_user.columns());
                let fold_in = FoldIn { loss, pull: 0.0, responses: self.task.responses };
                // Factors that hopeless settings have blown up make no model: they rank nothing.
                ranking_model(self.task.fingerprints, &coded, &fold_in)
                    .map_or_else(|_| Vec::new(), |model| each(&model, cases))
            }
            Err(TrainError::Diverged(_)) => Vec::new(),
            Err(other) => return Err(other),
        })
    }

    /// What `contender` comes to after the epochs of its settings.
    fn trained<'c>(
        &mut self,
        contender: &'c mut Contender<'t>,
    ) -> Result<&'c mut Training<'t>, TrainError> {
        let Contender { settings, seed, training, .. } = contender;
        let training = match training {
            Some(training) => training,
            none => none.insert(Training::new(&mut self.spectra, settings, *seed)?),
        };
        while training.epochs < settings.epochs {
            training.epoch(&|| self.progress.stopped());
            if self.progress.stopped() {
                return Err(Interrupted.into());
            }
        }
        Ok(training)
    }

    /// The factors of `contender`.
    pub fn into_trainer(mut self, mut contender: Contender<'t>) -> Result<Trainer<'t>, TrainError> {
        self.trained(&mut contender)?;
        contender.training.map(Training::into_solver).ok_or(Diverged.into())
    }

    /// Trains a contender in full; it takes the place of `best` where it is better.
    pub fn challenge(
        &mut self,
        best: &mut Contender<'t>,
        mut contender: Contender<'t>,
        round: Round,
    ) -> Result<bool, TrainError> {
        self.train(&mut contender, round)?;
        let better = contender.objective() > best.objective();
        if better {
            *best = contender;
        }
        Ok(better)
    }

    /// Rounds of a halving, for as long as there is time: who is not reached is out, and whom more epochs
    /// make worse stops where they were. The best, judged on the listeners of the last round.
    pub fn halve(
        &mut self,
        mut field: Vec<Contender<'t>>,
        rounds: &[Round],
    ) -> Result<Option<Contender<'t>>, TrainError> {
        for &round in rounds {
            let mut reached = 0;
            for contender in &mut field {
                if self.is_over() {
                    break;
                }
                self.go_on(contender, round)?;
                reached += 1;
            }
            if reached > 0 {
                field.truncate(reached);
            }
            cut(&mut field, round.survivors);
        }
        let Some(mut best) = field.into_iter().next() else { return Ok(None) };
        let last = Round { epochs: best.settings.epochs, ..self.task.effort.last() };
        if best.each.len() < last.listeners.min(self.task.validation.len()) {
            self.train(&mut best, last)?;
        }
        Ok(Some(best))
    }

    /// Trains `contender` up to what `round` allows, or leaves it as it is where that makes it worse.
    fn go_on(&mut self, contender: &mut Contender<'t>, round: Round) -> Result<(), TrainError> {
        let earlier = contender.clone();
        if !contender.stopped {
            self.train(contender, round)?;
            if !contender.is_worse_than(&earlier) {
                return Ok(());
            }
            *contender = Contender { stopped: true, ..earlier };
        }
        self.train(contender, Round { epochs: 0, ..round })
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

/// As it is kept.
fn kept(each: &[Measured]) -> Vec<u8> {
    each.iter().flat_map(Measured::figures).flat_map(f64::to_le_bytes).collect()
}

/// As it was kept.
fn measured(kept: &[u8]) -> Vec<Measured> {
    let figures: Vec<f64> = kept.as_chunks().0.iter().map(|x| f64::from_le_bytes(*x)).collect();
    figures.as_chunks().0.iter().copied().map(Measured::from_figures).collect()
}

/// Keeps the best `survivors`, best first.
pub(super) fn cut(field: &mut Vec<Contender<'_>>, survivors: usize) {
    field.sort_by(|a, b| b.objective().total_cmp(&a.objective()));
    field.truncate(survivors);
}
