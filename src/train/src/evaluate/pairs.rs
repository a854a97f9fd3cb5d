//! Whether tracks that few people play are in order: rankings of the whole catalogue seldom get to
//! them, but lists of candidates are made of them.

use std::collections::HashSet;

use rayon::prelude::*;
use segue_core::{ids::Row, rng::SplitMix64};

use super::ranking::{Case, Scorer};

/// Draws of another track until it is one that the listener has nothing to do with.
const DRAWS: usize = 8;

/// A track that a listener came to like, and another one.
pub type Rivals = [Row; 2];

/// For each case its favourites beyond the `head` most played tracks, each with another such track that
/// was played about as often and that the listener has nothing to do with. `plays` has an entry a
/// track.
pub fn rivals(plays: &[usize], head: usize, cases: &[Case]) -> Vec<Vec<Rivals>> {
    let mut order: Vec<usize> = (0..plays.len()).collect();
    order.sort_by_key(|&track| std::cmp::Reverse(plays[track]));
    let mut place = vec![0; order.len()];
    order.iter().enumerate().for_each(|(at, &track)| place[track] = at);
    let mut rng = SplitMix64::new(1);
    let mut rival = |favourite: Row, own: &HashSet<Row>| {
        let at = place[favourite.index()];
        if at < head {
            return None;
        }
        (0..DRAWS).find_map(|_| {
            // A tenth up or down the list.
            let other = at - at / 10 + rng.below(at / 5 + 1);
            let row = Row(*order.get(other).filter(|_| other >= head)? as u32);
            (!own.contains(&row)).then_some([favourite, row])
        })
    };
    let of = |case: &Case| {
        let known = case.known.iter().map(|evidence| evidence.row);
        let own: HashSet<Row> = known.chain(case.held_out.iter().copied()).collect();
        case.held_out.iter().filter_map(|row| rival(*row, &own)).collect()
    };
    cases.iter().map(of).collect()
}

/// For each case of how many of its pairs `scorer` expects more of the favourite; half of one where it
/// expects the same. `rows` has the scorer's own row of each track.
pub fn in_order(
    scorer: &(impl Scorer + ?Sized),
    cases: &[Case],
    rivals: &[Vec<Rivals>],
    rows: &[Row],
) -> Vec<f64> {
    let right = |(case, pairs): (&Case, &Vec<Rivals>)| {
        let candidates: Vec<Row> = pairs.iter().flatten().map(|row| rows[row.index()]).collect();
        let scores = scorer.scores(case, &candidates);
        let of = |[favourite, other]: &[f32; 2]| {
            f64::from(favourite > other) + f64::from(favourite == other) / 2.0
        };
        scores.as_chunks().0.iter().map(of).sum::<f64>()
    };
    cases.par_iter().zip(rivals).map(right).collect()
}
