//! How coarsely the factors may be coded.

use segue_core::model::Loss;

use super::{Settled, Task, settle::measured_as};
use crate::{
    Interrupted, TrainError,
    als::Factors,
    coding::{self, Coded},
    progress::Progress,
};

/// What is tried, from the most bytes to the fewest.
const COARSENESS: [f32; 8] = [0.6, 0.8, 1.0, 1.2, 1.4, 1.7, 2.0, 2.4];
/// The share of recall and NDCG that coding may cost on the validation cases.
const MOST_LOST: f32 = 0.0075;

/// The coarseness at which coding `factors`, trained under `loss` and settled as `settled`, costs
/// the validation cases what it may.
///
/// One coding moves recall by chance more than it costs. What it costs grows with its distortion,
/// which grows with the square of the steps, so that one number is fitted to all that is tried.
pub fn coarseness(
    task: &Task<'_>,
    factors: &Factors,
    loss: &Loss,
    settled: &Settled,
    progress: &Progress<'_>,
) -> Result<f32, TrainError> {
    let objective = |coded: &Coded| measured_as(task, coded, settled.fold_in).accuracy.objective();
    let fine = objective(&coding::fine(factors));
    let (mut products, mut squares) = (0.0, 0.0);
    for (step, coarseness) in COARSENESS.into_iter().enumerate() {
        if progress.stopped() {
            return Err(Interrupted.into());
        }
        let coded = coding::compact(factors, task.by_item, loss, coarseness)?;
        let lost = (1.0 - objective(&coded) / fine.max(f64::MIN_POSITIVE)) as f32;
        let square = coarseness * coarseness;
        products += lost * square;
        squares += square * square;
        progress.step("choosing how coarsely to code", step + 1, f64::from(lost));
    }
    let [finest, .., coarsest] = COARSENESS;
    let lost_at_one = (products / squares).max(f32::MIN_POSITIVE);
    Ok((MOST_LOST / lost_at_one).sqrt().clamp(finest, coarsest))
}
