//! What coding costs on a log of any size: the latest listening of each listener, held out.

use super::{
    ranking::{Accuracy, Case, accuracy},
    split::{Precision, as_trained, stored_bytes},
};
use crate::{
    TrainError,
    assemble::ranking_model,
    coding,
    dataset::{Dataset, gather, new_favourites},
    pipeline::{Fitted, Options, choose, fit},
    progress::Progress,
};

/// What one form of the factors gives.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Which form.
    pub precision: Precision,
    /// On what listeners came to like in the last fifth of their events.
    pub accuracy: Accuracy,
    /// Bytes of ids, factors and taste, over the tracks with a training event.
    pub bytes_per_item: f64,
}

/// Trains on all but the last fifth of each listener's events, settings chosen on the last fifth of
/// these, and ranks the whole catalogue for at most `listeners` listeners with each form of the
/// factors.
pub fn evaluate(
    dataset: &Dataset,
    options: &Options,
    listeners: usize,
    progress: &Progress<'_>,
) -> Result<Vec<Outcome>, TrainError> {
    let past = dataset.past();
    let plan = choose(&past, options, progress)?;
    let cases: Vec<Case> = (0..dataset.listeners())
        .map(|listener| {
            let (before, after) = dataset.split_by_time(listener);
            let known = gather(before);
            let held_out = new_favourites(after, &known, &plan.responses);
            Case { known, held_out, missing: 0, repeats: false }
        })
        .filter(|case| !case.held_out.is_empty())
        .take(listeners)
        .collect();
    let Fitted { plan, factors, by_item } = fit(&past, options.dim, plan, progress)?;
    let met = (0..by_item.rows()).filter(|&item| by_item.row(item).iter().next().is_some()).count();

    let outcome = |precision| {
        progress.stage("ranking");
        let (accuracy, bytes) = if precision == Precision::F32 {
            as_trained(&factors, &plan.fold_in, &cases)?
        } else {
            let coded = match precision {
                Precision::Wire => {
                    coding::compact(&factors, &by_item, &plan.settings.loss, plan.coarseness)?
                }
                _ => coding::fine(&factors),
            };
            let model = ranking_model(&dataset.fingerprints, &coded, &plan.fold_in)?;
            (accuracy(&model, &cases), stored_bytes(&model))
        };
        Ok(Outcome { precision, accuracy, bytes_per_item: bytes as f64 / met as f64 })
    };
    [Precision::F32, Precision::Int8, Precision::Wire].into_iter().map(outcome).collect()
}
