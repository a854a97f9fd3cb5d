//! What coding costs on a log of any size: the latest listening of each listener, held out.

use rayon::prelude::*;
use segue_core::{ids::Row, rng::SplitMix64};

use super::{
    ranking::{Accuracy, Case, Scorer, accuracy},
    split::{Precision, as_trained, stored_bytes},
};
use crate::{
    TrainError,
    assemble::split_model,
    coding,
    dataset::{Dataset, gather, new_favourites},
    pipeline::{Fitted, Options, Plan, choose, fit},
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
    /// the [`HEAD`] most played, the share that is in order; half where both have the same score. NaN
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

    let plays: Vec<usize> = (0..by_item.rows()).map(|item| by_item.row(item).positive()).collect();
    let in_head = most_played(&plays, head(plays.len(), options.head));

    let rivals: Vec<Vec<[Row; 2]>> = rivals(&plays, &cases);
    let measured = |scorer: &dyn Scorer, rows: &[Row]| {
        let moved: Vec<Case> = cases.iter().map(|case| case.moved(rows)).collect();
        (accuracy(scorer, &moved), in_order(scorer, &moved, &rivals, rows))
    };

    let outcome = |precision| {
        progress.stage("ranking");
        let Plan { settings, coarseness, fold_in, .. } = &plan;
        let ((accuracy, beyond_head), bytes) = if precision == Precision::F32 {
            let rows: Vec<Row> = (0..plays.len() as u32).map(Row).collect();
            as_trained(&factors, fold_in, |scorer| measured(scorer, &rows))?
        } else {
            let (coded, in_head) = match precision {
                Precision::Wire => (
                    coding::compact(&factors, &by_item, &settings.loss, *coarseness, &in_head)?,
                    &in_head[..],
                ),
                _ => (coding::fine(&factors), &[][..]),
            };
            let (model, rows) = split_model(&dataset.fingerprints, &coded, fold_in, in_head)?;
            (measured(&model, &rows), stored_bytes(&model))
        };
        let bytes_per_item = bytes as f64 / met as f64;
        Ok(Outcome { precision, accuracy, beyond_head, bytes_per_item })
    };
    [Precision::F32, Precision::Int8, Precision::Wire].into_iter().map(outcome).collect()
}

/// For each case the favourites beyond the head, each with a track that was played about as often.
fn rivals(plays: &[usize], cases: &[Case]) -> Vec<Vec<[Row; 2]>> {
    let mut order: Vec<usize> = (0..plays.len()).collect();
    order.sort_by_key(|&track| std::cmp::Reverse(plays[track]));
    let mut place = vec![0; order.len()];
    order.iter().enumerate().for_each(|(at, &track)| place[track] = at);
    let mut rng = SplitMix64::new(1);
    let mut rival = |favourite: &Row| {
        let at = place[favourite.index()];
        // A tenth up or down the list.
        let other = at - at / 10 + rng.below(at / 5 + 1);
        let sound = at >= HEAD && (HEAD..order.len()).contains(&other) && other != at;
        sound.then(|| [*favourite, Row(order[other] as u32)])
    };
    cases.iter().map(|case| case.held_out.iter().filter_map(&mut rival).collect()).collect()
}

/// The share of pairs of which `scorer` expects more of the first.
fn in_order(scorer: &dyn Scorer, cases: &[Case], rivals: &[Vec<[Row; 2]>], rows: &[Row]) -> f64 {
    let right = |(case, pairs): (&Case, &Vec<[Row; 2]>)| {
        let candidates: Vec<Row> = pairs.iter().flatten().map(|row| rows[row.index()]).collect();
        let scores = scorer.scores(case, &candidates);
        let of =
            |pair: &[f32; 2]| f64::from(pair[0] > pair[1]) + f64::from(pair[0] == pair[1]) / 2.0;
        scores.as_chunks().0.iter().map(of).sum::<f64>()
    };
    let sum: f64 = cases.par_iter().zip(rivals).map(right).collect::<Vec<_>>().into_iter().sum();
    sum / rivals.iter().map(Vec::len).sum::<usize>() as f64
}
