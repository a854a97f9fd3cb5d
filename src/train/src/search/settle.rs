//! How listeners are folded in to factors that stand: λ, then τ.

use segue_core::model::{Loss, Responses};

use super::Task;
use crate::{
    Interrupted,
    als::{Factors, Trainer},
    assemble::{FoldIn, ranking_model},
    coding,
    evaluate::{
        paired,
        ranking::{Accuracy, each},
    },
    progress::Progress,
};

/// Shares of the factors' own λ.
const RIDGE: [f32; 6] = [0.5, 0.6, 0.7, 0.85, 1.0, 1.2];
/// Those that keep the ranking of an unknown listener sound: above 0.
const PULL: [f32; 6] = [0.001, 0.01, 0.03, 0.1, 0.3, 1.0];

/// How listeners are folded in, and what that gave on the validation cases.
#[derive(Clone, Debug)]
pub struct Settled {
    /// What was chosen.
    pub fold_in: FoldIn,
    /// Its accuracy.
    pub accuracy: Accuracy,
    /// Its objective, case by case; nothing where the factors made no model.
    pub(super) each: Vec<f64>,
}

impl Settled {
    /// Whether this ranks worse than `other` did on the same cases, by more than chance would
    /// have it: by two standard errors. What made no model is worse than what made one.
    pub fn is_worse_than(&self, other: &Self) -> bool {
        self.each.len() < other.each.len() || paired(&self.each, &other.each) < -2.0
    }
}

/// Chooses how to fold listeners in to the items of `trainer`, which were trained under `loss`.
/// Its users are left as that solves them.
pub fn settle(
    task: &Task<'_>,
    trainer: &mut Trainer<'_>,
    loss: &Loss,
    responses: Responses,
    progress: &Progress<'_>,
) -> Result<Settled, Interrupted> {
    progress.stage("choosing how to fold in");
    let mut best = None;
    for scale in RIDGE {
        let loss = Loss { ridge: loss.ridge * scale, ..*loss };
        trainer.solve_users(&loss, &|| progress.stopped());
        if progress.stopped() {
            return Err(Interrupted);
        }
        let fold_in = FoldIn { loss, pull: PULL[0], responses };
        keep_better(&mut best, measured(task, &trainer.factors, fold_in));
    }
    let chosen = best.as_ref().map_or(*loss, |best| best.fold_in.loss);
    trainer.solve_users(&chosen, &|| progress.stopped());
    if progress.stopped() {
        return Err(Interrupted);
    }
    for pull in PULL {
        let fold_in = FoldIn { loss: chosen, pull, responses };
        keep_better(&mut best, measured(task, &trainer.factors, fold_in));
    }
    best.ok_or(Interrupted)
}

fn keep_better(best: &mut Option<Settled>, settled: Settled) {
    let objective = settled.accuracy.objective();
    if best.as_ref().is_none_or(|best| objective > best.accuracy.objective()) {
        *best = Some(settled);
    }
}

/// How well `fold_in` ranks the validation cases with `factors`.
pub fn measured(task: &Task<'_>, factors: &Factors, fold_in: FoldIn) -> Settled {
    // Factors that hopeless settings have blown up make no model: they rank nothing.
    let each = ranking_model(task.fingerprints, &coding::fine(factors), &fold_in)
        .map_or_else(|_| Vec::new(), |model| each(&model, task.validation));
    let accuracy = Accuracy::mean(&each);
    Settled { fold_in, accuracy, each: each.iter().map(|case| case.objective()).collect() }
}
