//! Whether tracks that few people play are in order: rankings of the whole catalogue seldom get to
//! them, but lists of candidates are made of them.

use rayon::prelude::*;
use segue_core::{ids::Row, rng::SplitMix64};

use super::ranking::{Case, Scorer};
use crate::shards::HEAD;

/// A track that a listener came to like, and another one.
pub type Rivals = [Row; 2];

/// For each case its favourites beyond the [`HEAD`] most played tracks, each with another such track
/// that was played about as often. `plays` has an entry a track.
pub fn rivals(plays: &[usize], cases: &[Case]) -> Vec<Vec<Rivals>> {
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
