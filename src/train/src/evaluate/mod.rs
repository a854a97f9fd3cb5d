//! The fixed protocols that figures come from.

pub mod compare;
pub mod exposure;
pub mod feedback;
pub mod figures;
pub mod intervals;
pub mod next;
pub mod pairs;
pub mod ranking;
pub mod replay;
pub mod scale;
pub mod slices;
pub mod split;
pub mod stability;
pub mod unheard;
pub mod warm;

/// The mean of `figures`; 0 of none.
pub fn mean(figures: &[f64]) -> f64 {
    figures.iter().sum::<f64>() / figures.len().max(1) as f64
}

/// By how many standard errors the mean of `a` exceeds that of `b`, over the same cases: the paired
/// t statistic. 0 where they are the same in every case, and of fewer than two cases, which say nothing of
/// how far off they may be.
pub fn paired(a: &[f64], b: &[f64]) -> f64 {
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    if differences.len() < 2 {
        return 0.0;
    }
    let n = differences.len() as f64;
    let mean = mean(&differences);
    let squares: f64 = differences.iter().map(|d| (d - mean).powi(2)).sum();
    let error = (squares / (n - 1.0) / n).sqrt();
    if mean == 0.0 || mean.is_nan() { 0.0 } else { mean / error.max(f64::MIN_POSITIVE) }
}
