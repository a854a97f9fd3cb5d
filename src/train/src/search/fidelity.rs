//! How coarsely the factors may be coded.

use segue_core::model::Loss;

use super::{Settled, Task, settle::measured_as};
use crate::{
    Interrupted, TrainError, als::Factors, coding, progress::Progress, shards::most_played,
};

/// What is tried, from the most bytes to the fewest.
const COARSENESS: [f32; 7] = [0.6, 0.8, 1.0, 1.2, 1.4, 1.7, 2.0];
/// The share of recall and NDCG that coding may cost on the validation cases.
const MOST_LOST: f64 = 0.01;

/// The coarseness at which coding `factors`, trained under `loss` and settled as `settled`, costs
/// the validation cases what it may.
///
/// One coding moves recall by chance more than it costs. What it costs grows with its distortion,
/// which grows with the square of the steps, so that one number is fitted to all that is tried; one
/// standard error is added to it, so that few cases make for caution.
pub fn coarseness(
    task: &Task<'_>,
    factors: &Factors,
    loss: &Loss,
    settled: &Settled,
    progress: &Progress<'_>,
) -> Result<f32, TrainError> {
    let fine = measured_as(task, &coding::fine(factors), &[], settled.fold_in);
    let plays: Vec<usize> =
        (0..task.by_item.rows()).map(|item| task.by_item.row(item).positive()).collect();
    let in_head = most_played(&plays, task.head.filter(|&head| head < plays.len()));
    // For each case what it loses for a coarseness of one: the slope of its line through nothing.
    let mut slopes = vec![0.0; fine.each.len()];
    let fourth = |coarseness: f32| f64::from(coarseness).powi(4);
    let fourths: f64 = COARSENESS.into_iter().map(fourth).sum();
    for (step, coarseness) in COARSENESS.into_iter().enumerate() {
        if progress.stopped() {
            return Err(Interrupted.into());
        }
        let coded = coding::compact(factors, task.by_item, loss, coarseness, &in_head)?;
        let found = measured_as(task, &coded, &in_head, settled.fold_in);
        let share = f64::from(coarseness).powi(2) / fourths;
        let cases = fine.each.iter().zip(&found.each);
        slopes
            .iter_mut()
            .zip(cases)
            .for_each(|(slope, (fine, found))| *slope += (fine - found) * share);
        progress.count("choosing how coarsely to code", step + 1, COARSENESS.len());
    }
    let (mean, error) = mean_and_error(&slopes);
    let most = MOST_LOST * fine.accuracy.objective();
    let [finest, .., coarsest] = COARSENESS;
    let fits = (most / (mean + error).max(f64::MIN_POSITIVE)).sqrt() as f32;
    Ok(fits.clamp(finest, coarsest))
}

/// The mean of `values` and its standard error.
fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(2) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0) / count).sqrt())
}
