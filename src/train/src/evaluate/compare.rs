//! Whether one run was better than another on the same cases.

use std::{collections::HashMap, path::Path};

use segue_core::rng::SplitMix64;

use super::{
    figures::{Each, Name, Protocol, read},
    intervals::{Interval, intervals, means, repeated},
};
use crate::TrainError;

/// How often signs are drawn.
pub const FLIPS: usize = 10_000;

/// Two runs of a protocol on the same cases.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// For each figure, in the order of the protocol.
    pub figures: [Difference; 4],
    /// How many cases.
    pub cases: usize,
}

/// One figure of two runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The mean over the cases, of the first run and of the second.
    pub means: [f64; 2],
    /// The mean of the second less the first.
    pub mean: f64,
    /// Of that difference, by the bootstrap over pairs.
    pub interval: Interval,
    /// How likely so large a difference is, in either direction, between runs that are equally good.
    pub p: f64,
}

/// Compares two files of [`super::figures::write`], whatever the order of their lines.
///
/// # Errors
/// Those of [`read`], [`TrainError::OtherCases`] where one holds a case that the other does not, and
/// [`TrainError::OtherTest`] where the two ask for something else in a case.
pub fn compare(
    protocol: &Protocol,
    [first, second]: [&Path; 2],
    seed: u64,
) -> Result<Comparison, TrainError> {
    let (a, b) = (read(protocol, first)?, read(protocol, second)?);
    let (of_a, of_b) = (by_name(&a), by_name(&b));
    within(protocol, [first, second], &a, &of_b)?;
    within(protocol, [second, first], &b, &of_a)?;
    let pairs: Vec<[&Each; 2]> =
        a.iter().filter_map(|each| Some([each, *of_b.get(&each.name)?])).collect();
    let differs = |[a, b]: &&[&Each; 2]| a.asked.zip(b.asked).is_some_and(|(a, b)| a != b);
    if let Some([Each { name, .. }, _]) = pairs.iter().find(differs) {
        let case = format!("{} {name}", protocol.case);
        return Err(TrainError::OtherTest { files: [first, second].map(Path::to_owned), case });
    }
    let pairs: Vec<[[f64; 4]; 2]> = pairs.iter().map(|pair| pair.map(|of| of.figures)).collect();
    Ok(Comparison { figures: differences(&pairs, seed), cases: pairs.len() })
}

fn by_name(each: &[Each]) -> HashMap<&Name, &Each> {
    each.iter().map(|each| (&each.name, each)).collect()
}

/// Refuses cases of the first file that are not in the second.
fn within(
    protocol: &Protocol,
    [first, second]: [&Path; 2],
    each: &[Each],
    other: &HashMap<&Name, &Each>,
) -> Result<(), TrainError> {
    let mut missing = each.iter().filter(|each| !other.contains_key(&each.name));
    let Some(Each { name, .. }) = missing.next() else { return Ok(()) };
    Err(TrainError::OtherCases {
        has: first.to_owned(),
        lacks: second.to_owned(),
        case: format!("{} {name}", protocol.case),
        others: missing.count(),
    })
}

/// Compares the figures of cases, each of a first and of a second run. The same for a seed at any number
/// of threads.
pub fn differences<const N: usize>(pairs: &[[[f64; N]; 2]], seed: u64) -> [Difference; N] {
    let [a, b] = [0, 1].map(|run| pairs.iter().map(|pair| pair[run]).collect::<Vec<_>>());
    let [a, b] = [means(&a), means(&b)];
    let less = |[a, b]: &[[f64; N]; 2]| std::array::from_fn(|figure| b[figure] - a[figure]);
    let each: Vec<[f64; N]> = pairs.iter().map(less).collect();
    let (mean, interval, p) = (means(&each), intervals(&each, seed), sign_flips(&each, seed));
    std::array::from_fn(|at| Difference {
        means: [a[at], b[at]],
        mean: mean[at],
        interval: interval[at],
        p: p[at],
    })
}

/// The two-sided p-value of the mean of each of `N` differences over cases, by paired randomisation: of
/// 10,000 draws that exchange the runs of each case by a coin, the share in which the mean is as far
/// from 0 (Smucker, Allan and Carterette 2007). What was found counts as a draw, so it is above 0
/// (Phipson and Smyth 2010). O(10,000·N·cases).
pub fn sign_flips<const N: usize>(differences: &[[f64; N]], seed: u64) -> [f64; N] {
    let found = signed_sums(differences, || 1.0);
    let magnitudes: Vec<[f64; N]> = differences.iter().map(|case| case.map(f64::abs)).collect();
    let most = signed_sums(&magnitudes, || 1.0);
    // Sums that are equal in truth may be rounded apart.
    let least: [f64; N] = std::array::from_fn(|at| found[at].abs() - most[at] * 1e-12);
    let as_far = repeated(seed, FLIPS, |rng| {
        let flipped = signed_sums(differences, coins(rng));
        std::array::from_fn::<bool, N, _>(|at| flipped[at].abs() >= least[at])
    });
    std::array::from_fn(|at| {
        let count = as_far.iter().filter(|as_far| as_far[at]).count();
        (count + 1) as f64 / (FLIPS + 1) as f64
    })
}

/// The sum of each figure, the sign of each case as drawn.
fn signed_sums<const N: usize>(each: &[[f64; N]], mut sign: impl FnMut() -> f64) -> [f64; N] {
    each.iter().fold([0.0; N], |mut sums, figures| {
        let sign = sign();
        sums.iter_mut().zip(figures).for_each(|(sum, figure)| *sum += sign * figure);
        sums
    })
}

/// Signs by a fair coin, 64 from each number of `rng`.
fn coins(mut rng: SplitMix64) -> impl FnMut() -> f64 {
    let (mut bits, mut left) = (0, 0);
    move || {
        if left == 0 {
            (bits, left) = (rng.next(), u64::BITS);
        }
        left -= 1;
        if bits >> left & 1 == 0 { 1.0 } else { -1.0 }
    }
}
