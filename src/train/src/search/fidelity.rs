//! How coarsely the factors may be coded.

use segue_core::{ids::Row, model::Loss};

use super::{Settled, Task};
use crate::{
    Interrupted, TrainError,
    als::Factors,
    assemble::split_model,
    coding::{self, Coded},
    evaluate::{
        pairs::{Rivals, in_order, rivals},
        ranking::{Case, FloatScorer, each},
        split::as_trained,
    },
    progress::Progress,
    shards::most_played,
};

/// What is tried, from the most bytes to the fewest.
const COARSENESS: [f32; 7] = [0.6, 0.8, 1.0, 1.2, 1.4, 1.7, 2.0];
/// The share of each measure that coding may cost on the validation cases.
const MOST_LOST: f64 = 0.01;

/// The coarseness at which coding `factors`, trained under `loss` and settled as `settled`, costs the
/// validation cases what it may: of recall and NDCG, and where there is a head of the pairs of tracks
/// beyond it that are in order.
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
    let plays = task.by_item.positives();
    let in_head = most_played(&plays, task.head.filter(|&head| head < plays.len()));
    // A sample may have no more tracks than the head: it is coded as one then.
    let head = if in_head.is_empty() { plays.len() } else { task.head.unwrap_or_default() };
    let rivals = rivals(&plays, head, task.validation);
    // Bytes are fine enough for the head of any catalogue, but not for all of a large one.
    let [ranked, _] = judged(task, &coding::fine(factors), &[], settled, &rivals)?;
    let rows: Vec<Row> = (0..plays.len() as u32).map(Row).collect();
    let ordered = |scorer: &FloatScorer<'_>| in_order(scorer, task.validation, &rivals, &rows);
    let fine = [ranked, as_trained(factors, &settled.fold_in, None, ordered)?.0];
    let mut slopes = fine.each_ref().map(|fine| Slope { fine, each: vec![0.0; fine.len()] });
    for (step, coarseness) in COARSENESS.into_iter().enumerate() {
        if progress.stopped() {
            return Err(Interrupted.into());
        }
        let coded = coding::compact(factors, task.by_item, loss, coarseness, &in_head)?;
        let found = judged(task, &coded, &in_head, settled, &rivals)?;
        slopes.iter_mut().zip(found).for_each(|(slope, found)| slope.see(coarseness, &found));
        progress.count("choosing how coarsely to code", step + 1, COARSENESS.len());
    }
    let [finest, .., coarsest] = COARSENESS;
    let fits = slopes.iter().map(Slope::coarseness).fold(f32::INFINITY, f32::min);
    Ok(fits.clamp(finest, coarsest))
}

/// For each case its recall and NDCG, and how many of its pairs are in order.
fn judged(
    task: &Task<'_>,
    coded: &Coded,
    in_head: &[bool],
    settled: &Settled,
    rivals: &[Vec<Rivals>],
) -> Result<[Vec<f64>; 2], TrainError> {
    let (model, rows) = split_model(task.fingerprints, coded, &settled.fold_in, None, in_head)?;
    let cases: Vec<Case> = task.validation.iter().map(|case| case.moved(&rows)).collect();
    let ranked = each(&model, &cases).iter().map(|case| case.objective()).collect();
    Ok([ranked, in_order(&model, &cases, rivals, &rows)])
}

/// For each case what of a measure it loses for a coarseness of one: the slope of its line through
/// nothing.
struct Slope<'a> {
    /// The measure where nothing is lost.
    fine: &'a [f64],
    each: Vec<f64>,
}

impl Slope<'_> {
    /// Takes in what was `found` at one of [`COARSENESS`].
    fn see(&mut self, coarseness: f32, found: &[f64]) {
        let fourths: f64 = COARSENESS.iter().map(|c| f64::from(*c).powi(4)).sum();
        let share = f64::from(coarseness).powi(2) / fourths;
        let cases = self.fine.iter().zip(found);
        self.each.iter_mut().zip(cases).for_each(|(s, (fine, found))| *s += (fine - found) * share);
    }

    /// The coarseness that costs what it may.
    fn coarseness(&self) -> f32 {
        let (mean, error) = mean_and_error(&self.each);
        let most = MOST_LOST * mean_and_error(self.fine).0;
        if most > 0.0 {
            (most / (mean + error).max(f64::MIN_POSITIVE)).sqrt() as f32
        } else {
            f32::INFINITY
        }
    }
}

/// The mean of `values` and its standard error.
fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(2) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0) / count).sqrt())
}
