//! Logistic regression with few unknowns: Newton's method under a ridge.

use nalgebra::{DMatrix, DVector};

/// Steps at most; six are usual.
const STEPS: usize = 50;
/// How often a step is halved, at most.
const HALVINGS: usize = 30;
/// The gain, of all there is, that counts as none.
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

/// The unknowns b that make Σ w·(log-likelihood of σ(b·x)) − ½·Σ ridge·b² largest, a ridge above 0 for each: there
/// is one such b, and a step of Newton that overshoots is halved. O(observations·p² + p³) a step.
pub fn fit(all: &[Observed<'_>], ridge: &[f64]) -> Vec<f64> {
    let mut found = DVector::zeros(ridge.len());
    let mut best = objective(all, ridge, &found);
    for _ in 0..STEPS {
        let Some(mut step) = newton(all, ridge, &found) else { break };
        let gained = (0..HALVINGS).find_map(|_| {
            let next = &found + &step;
            let objective = objective(all, ridge, &next);
            step *= 0.5;
            (objective > best).then_some((next, objective))
        });
        let Some((next, objective)) = gained else { break };
        let gain = objective - best;
        (found, best) = (next, objective);
        if gain < DONE * best.abs() {
            break;
        }
    }
    found.iter().copied().collect()
}

fn score(known: &[f64], b: &DVector<f64>) -> f64 {
    known.iter().zip(b.iter()).map(|(x, b)| x * b).sum()
}

fn objective(all: &[Observed<'_>], ridge: &[f64], b: &DVector<f64>) -> f64 {
    let likely = |&Observed { known, weight, so }: &Observed<'_>| {
        let x = score(known, b);
        // so·ln σ(x) + (1 − so)·ln σ(−x), where neither may overflow.
        weight * (so * x - x.max(0.0) - (-x.abs()).exp().ln_1p())
    };
    let shrunk: f64 = ridge.iter().zip(b.iter()).map(|(ridge, b)| ridge * b * b).sum();
    all.iter().map(likely).sum::<f64>() - shrunk / 2.0
}

/// The step to where the objective would be largest if it were quadratic.
fn newton(all: &[Observed<'_>], ridge: &[f64], b: &DVector<f64>) -> Option<DVector<f64>> {
    let p = ridge.len();
    let mut gradient = DVector::from_fn(p, |at, _| -ridge[at] * b[at]);
    // By rows, of which only the lower triangle is summed.
    let mut sums = vec![0.0; p * p];
    for &Observed { known, weight, so } in all {
        let share = sigmoid(score(known, b));
        let (error, curvature) = (weight * (so - share), weight * share * (1.0 - share));
        for (i, (&x, row)) in known.iter().zip(sums.chunks_exact_mut(p)).enumerate() {
            gradient[i] += error * x;
            let part = curvature * x;
            row[..=i].iter_mut().zip(known).for_each(|(sum, y)| *sum += part * y);
        }
    }
    let mut hessian = DMatrix::from_row_slice(p, p, &sums);
    hessian += DMatrix::from_diagonal(&DVector::from_row_slice(ridge));
    hessian.fill_upper_triangle_with_lower_triangle();
    Some(hessian.cholesky()?.solve(&gradient))
}

/// 1/(1 + e^(−x)).
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
