//! Logistic regression with few unknowns: Newton's method under a ridge.

use nalgebra::{DMatrix, DVector};

/// Steps at most; six are usual.
const STEPS: usize = 50;
/// The largest change of an unknown, on standardised signals, that counts as none.
const DONE: f64 = 1e-9;

/// One observation: what is known, how much it counts, and whether it was so.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// One number an unknown.
    pub known: &'a [f64],
    /// Above 0.
    pub weight: f64,
    /// 1 for so, 0 for not.
    pub so: f64,
}

/// The unknowns b that make Σ w·(log-likelihood of σ(b·x)) − (ridge/2)·|b|² largest, a ridge for each.
/// O(observations·p² + p³) a step.
pub fn fit<'a>(all: &[Observed<'a>], ridge: &[f64]) -> Vec<f64> {
    let p = ridge.len();
    let mut found = DVector::zeros(p);
    for _ in 0..STEPS {
        let mut gradient = DVector::from_fn(p, |at, _| -ridge[at] * found[at]);
        let mut hessian = DMatrix::from_diagonal(&DVector::from_row_slice(ridge));
        for &Observed { known, weight, so } in all {
            let share = sigmoid(known.iter().zip(found.iter()).map(|(x, b)| x * b).sum());
            let (error, curvature) = (weight * (so - share), weight * share * (1.0 - share));
            for i in 0..p {
                gradient[i] += error * known[i];
                for j in 0..=i {
                    hessian[(i, j)] += curvature * known[i] * known[j];
                }
            }
        }
        hessian.fill_upper_triangle_with_lower_triangle();
        let Some(solver) = hessian.cholesky() else { break };
        let mut step = solver.solve(&gradient);
        // Newton's step may overshoot where all is told apart.
        let longest = step.amax();
        if longest > 2.0 {
            step *= 2.0 / longest;
        }
        found += &step;
        if longest < DONE {
            break;
        }
    }
    found.iter().copied().collect()
}

/// 1/(1 + e^(−x)).
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
