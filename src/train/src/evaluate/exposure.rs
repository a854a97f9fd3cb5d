//! How the first 20 of all listeners spread over the catalogue.

use segue_core::ids::Row;

use super::{
    intervals::{Interval, intervals, means},
    ranking::{Case, Ranked},
};

/// What is recommended, over all listeners.
///
/// Of coverage and Gini index there is no interval: a listener drawn twice recommends nothing new, so a
/// resample covers less than the listeners do and its percentiles say nothing of the figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exposure {
    /// The share of the tracks that are among the first 20 of any listener (Ge, Delgado-Battenfeld and
    /// Jannach 2010), 0 to 1.
    pub coverage: f64,
    /// How unequally tracks are among the first 20: see [`gini`].
    pub gini: f64,
    /// How popular the first 20 are: the mean over listeners of the mean [`percentiles`] of the tracks.
    pub recommended: f64,
    /// The same of the tracks that were held out; one that training never saw has 0.
    pub held_out: f64,
    /// Of `recommended` and of `held_out`.
    pub intervals: [Interval; 2],
}

impl Exposure {
    /// `ranked` is of `cases`, all of which have something held out; `plays` has the training pairs of each
    /// track. Listeners to whom nothing can be recommended have no say in the popularity.
    pub fn new(cases: &[Case], ranked: &[Ranked], plays: &[usize], seed: u64) -> Self {
        let mut exposed = vec![0_usize; plays.len()];
        ranked.iter().flat_map(|ranked| &ranked.rows).for_each(|row| exposed[row.index()] += 1);
        let shown = exposed.iter().filter(|&&times| times > 0).count();

        let percentiles = percentiles(plays);
        let of = |rows: &[Row]| rows.iter().map(|row| percentiles[row.index()]).sum::<f64>();
        let listener = |(case, ranked): (&Case, &Ranked)| {
            let held_out = case.held_out.len() + case.missing;
            let recommended = of(&ranked.rows) / ranked.rows.len() as f64;
            (!ranked.rows.is_empty()).then(|| [recommended, of(&case.held_out) / held_out as f64])
        };
        let each: Vec<[f64; 2]> = cases.iter().zip(ranked).filter_map(listener).collect();
        let [recommended, held_out] = means(&each);
        Self {
            coverage: shown as f64 / plays.len() as f64,
            gini: gini(&exposed),
            recommended,
            held_out,
            intervals: intervals(&each, seed),
        }
    }
}

/// The share of the tracks that are played less than each, those played as often by half: the mean over
/// the catalogue is .5.
pub fn percentiles(plays: &[usize]) -> Vec<f64> {
    let mut sorted = plays.to_vec();
    sorted.sort_unstable();
    let place = |&count: &usize| {
        let less = sorted.partition_point(|&other| other < count);
        let up_to = sorted.partition_point(|&other| other <= count);
        (less + up_to) as f64 / 2.0 / sorted.len() as f64
    };
    plays.iter().map(place).collect()
}

/// The Gini index of `amounts` (as in Shani and Gunawardana 2011): 0 where all are equal, 1 where one has
/// everything. 0 of fewer than two, and where there is nothing to have.
pub fn gini(amounts: &[usize]) -> f64 {
    let mut sorted = amounts.to_vec();
    sorted.sort_unstable();
    let (count, total) = (sorted.len() as f64, sorted.iter().sum::<usize>() as f64);
    if sorted.len() < 2 || total == 0.0 {
        return 0.0;
    }
    let ranks = (1..).map(|rank: u32| 2.0 * f64::from(rank) - count - 1.0);
    let weighted: f64 = ranks.zip(&sorted).map(|(weight, &amount)| weight * amount as f64).sum();
    weighted / (count - 1.0) / total
}
