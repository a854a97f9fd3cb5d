//! What coding costs on a log of any size: the latest listening of each listener, held out.

use segue_core::ids::Row;

use super::{
    pairs::{in_order, rivals},
    ranking::{Accuracy, Case, Scorer, accuracy},
    split::{Precision, as_trained, stored_bytes},
};
use crate::{
    TrainError,
    assemble::split_model,
    coding,
    dataset::Dataset,
    pipeline::{Fitted, Options, Plan, cases, choose, fit},
    progress::Progress,
    shards::{HEAD, head, most_played},
};

/// What one form of the factors gives.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Which form.
    pub precision: Precision,
    /// On what listeners came to like in the last fifth of their events.
    pub accuracy: Accuracy,
    /// Of pairs of what a listener came to like and another track that is about as popular, both beyond
    /// the [`crate::shards::HEAD`] most played, the share that is in order; half where both have the same score. NaN
    /// where there is no such pair.
    pub beyond_head: f64,
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
    let mut cases = cases(dataset, &plan.responses);
    cases.truncate(listeners);
    let Fitted { plan, factors, by_item, neighbours, met, .. } =
        fit(&past, options.dim, plan, None, progress)?;
    let unmet: Vec<bool> = met.iter().map(|met| !met).collect();
    let met = met.into_iter().filter(|&met| met).count();

    let neighbours = neighbours.as_ref();
    let plays = by_item.positives();
    let in_head = most_played(&plays, head(plays.len(), options.head));

    let rivals = rivals(&plays, head(plays.len(), options.head).unwrap_or(HEAD), &cases);
    let pairs: usize = rivals.iter().map(Vec::len).sum();
    let measured = |scorer: &dyn Scorer, rows: &[Row]| {
        let moved: Vec<Case> = cases.iter().map(|case| case.moved(rows)).collect();
        let right: f64 = in_order(scorer, &moved, &rivals, rows).iter().sum();
        (accuracy(scorer, &moved), right / pairs as f64)
    };

    let outcome = |precision| {
        progress.stage("ranking");
        let Plan { settings, coarseness, fold_in, .. } = &plan;
        let ((accuracy, beyond_head), bytes) = if precision == Precision::F32 {
            let rows: Vec<Row> = (0..plays.len() as u32).map(Row).collect();
            as_trained(&factors, fold_in, neighbours, |scorer| measured(scorer, &rows))?
        } else {
            let (coded, in_head) = match precision {
                Precision::Wire => (
                    coding::compact(&factors, &by_item, &settings.loss, *coarseness, &in_head)?,
                    &in_head[..],
                ),
                _ => (coding::fine(&factors), &[][..]),
            };
            let coded = coded.with_new(&unmet);
            let (model, rows) =
                split_model(&dataset.fingerprints, &coded, fold_in, neighbours, in_head)?;
            (measured(&model, &rows), stored_bytes(&model))
        };
        let bytes_per_item = bytes as f64 / met as f64;
        Ok(Outcome { precision, accuracy, beyond_head, bytes_per_item })
    };
    [Precision::F32, Precision::Int8, Precision::Wire].into_iter().map(outcome).collect()
}
