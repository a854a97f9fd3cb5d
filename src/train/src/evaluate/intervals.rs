//! How far off a mean over the cases of a test may be.

use rayon::prelude::*;
use segue_core::rng::SplitMix64;

/// How often the cases are drawn anew.
const RESAMPLES: usize = 1000;

/// The ends of a 95 % interval, the lower one first.
pub type Interval = [f64; 2];

/// The mean of each of `N` figures over all cases; 0 where there is no case.
pub fn means<const N: usize>(each: &[[f64; N]]) -> [f64; N] {
    totals(each).map(|total| total / each.len().max(1) as f64)
}

/// A 95 % interval of the mean of each of `N` figures: [`intervals_of`] means. O(1,000·N·cases).
pub fn intervals<const N: usize>(each: &[[f64; N]], seed: u64) -> [Interval; N] {
    intervals_of(each, |totals| totals.map(|total| total / each.len().max(1) as f64), seed)
}

/// A 95 % interval of each of `M` figures that `figures` finds of the totals over all cases, by the percentile bootstrap over cases (Efron
/// 1979) of 1,000 resamples: the same for a seed at any number of threads. All figures of a case go
/// together. Without a case it is [0, 0], and one case alone says nothing of how far off it may be: both
/// ends are that case. Ratios of totals are no means, and may be estimated so all the same.
pub fn intervals_of<const N: usize, const M: usize>(
    each: &[[f64; N]],
    figures: impl Fn([f64; N]) -> [f64; M] + Sync,
    seed: u64,
) -> [Interval; M] {
    let resample = |mut rng: SplitMix64| {
        let drawn = (0..each.len()).map(|_| &each[rng.below(each.len())]);
        figures(totals(drawn))
    };
    let resamples = repeated(seed, RESAMPLES, resample);
    std::array::from_fn(|figure| {
        let mut found: Vec<f64> = resamples.iter().map(|figures| figures[figure]).collect();
        found.sort_unstable_by(f64::total_cmp);
        let beyond = found.len() / 40;
        [found[beyond], found[found.len() - 1 - beyond]]
    })
}

/// What `draw` makes of `times` generators that have nothing to do with each other, in order. Parallel.
pub(super) fn repeated<T: Send>(
    seed: u64,
    times: usize,
    draw: impl Fn(SplitMix64) -> T + Sync,
) -> Vec<T> {
    let mut rng = SplitMix64::new(seed);
    let seeds: Vec<u64> = (0..times).map(|_| rng.next()).collect();
    seeds.into_par_iter().map(|seed| draw(SplitMix64::new(seed))).collect()
}

/// The sum of each figure, in order of the cases.
pub(super) fn totals<'a, const N: usize>(each: impl IntoIterator<Item = &'a [f64; N]>) -> [f64; N] {
    each.into_iter().fold([0.0; N], |mut totals, figures| {
        totals.iter_mut().zip(figures).for_each(|(total, figure)| *total += figure);
        totals
    })
}
