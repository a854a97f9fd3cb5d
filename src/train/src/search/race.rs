//! Measuring no more than it takes to see that something falls behind.

use std::ops::Range;

use crate::evaluate::paired;

/// Parts of the cases, the n-th of all, after which what is behind is given up.
const LOOKS: [usize; 2] = [8, 2];
/// Fewer cases than this are not looked at alone: among them anything may be behind by chance.
const LEAST: usize = 200;
/// By how many standard errors it is behind then.
const BEHIND: f64 = 1.0;

/// What `measure` finds of all cases, which are in no particular order, part by part; `None` where what it
/// is `worth` falls notably behind `best`, which is of the same cases. Whatever goes the whole way is better
/// or worse by all of them.
pub fn keeping_up<F>(
    best: &[f64],
    cases: usize,
    measure: impl Fn(Range<usize>) -> Vec<F>,
    worth: impl Fn(&F) -> f64,
) -> Option<Vec<F>> {
    let mut found = Vec::with_capacity(cases);
    let looks = LOOKS.map(|part| cases / part).into_iter();
    for end in looks.filter(|&end| end >= LEAST && best.len() == cases) {
        found.extend(measure(found.len()..end));
        let so_far: Vec<f64> = found.iter().map(&worth).collect();
        if paired(&so_far, &best[..end]) < -BEHIND {
            return None;
        }
    }
    found.extend(measure(found.len()..cases));
    Some(found)
}
