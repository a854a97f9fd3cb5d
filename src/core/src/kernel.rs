//! Scoring: int8 rows against a 16-bit query in exact integer arithmetic, and top-k selection.
//!
//! A listener's vector is rounded to 16 bits once for each ranking, at a relative error of 2⁻¹⁶ of
//! its largest component. Products and sums are integers, so every target and every order of
//! summation gives the same score to the last bit.

use alloc::vec::Vec;

use crate::{ids::Row, model::Factors};

/// A listener's vector, rounded for scoring: component = `values` × `scale`.
#[derive(Clone, Debug, Default)]
pub struct Query {
    values: Vec<i16>,
    scale: f32,
}

impl Query {
    /// Rounds `taste` to 16 bits, to nearest, padded with zeros to `stride` components.
    pub fn set(&mut self, taste: &[f32], stride: usize) {
        const LIMIT: f32 = i16::MAX as f32;
        let largest = taste.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
        let inverse = if largest > 0.0 { LIMIT / largest } else { 0.0 };
        self.scale = largest / LIMIT;
        self.values.clear();
        self.values.extend(taste.iter().map(|x| round(x * inverse)));
        self.values.resize(stride, 0);
    }
}

/// To nearest, halves away from zero; the cast saturates.
fn round(x: f32) -> i16 {
    (x + 0.5_f32.copysign(x)) as i16
}

/// Σ rowᵢ·queryᵢ, exactly. |sum| ≤ 256 · 127 · 32767 < 2³¹ for the largest dimension allowed.
fn dot(row: &[i8], query: &[i16]) -> i32 {
    row.iter().zip(query).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}

/// The score of one row: the inner product of its factor and the query.
pub fn score(factors: &Factors<'_>, query: &Query, row: Row) -> f32 {
    let (scale, codes) = factors.row(row);
    dot(codes, &query.values) as f32 * (scale * query.scale)
}

/// A row and its score. Higher is better; equal scores go by row, lowest first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// Which track.
    pub row: Row,
    /// Its score.
    pub score: f32,
}

impl Scored {
    /// Best first.
    pub fn order(a: &Self, b: &Self) -> core::cmp::Ordering {
        b.score.total_cmp(&a.score).then(a.row.cmp(&b.row))
    }
}

/// The `k` best rows of the whole catalogue for which `keep` holds, best first.
///
/// Exact. One pass over the factors; candidates above the running threshold collect in a buffer
/// of 2k that is cut back by selection, so selecting costs O(1) amortised a candidate.
pub fn top_k(
    factors: &Factors<'_>,
    query: &Query,
    k: usize,
    keep: impl Fn(Row) -> bool,
    best: &mut Vec<Scored>,
) {
    best.clear();
    if k == 0 {
        return;
    }
    let capacity = k.min(factors.len()).saturating_mul(2);
    let mut threshold = f32::NEG_INFINITY;
    for (index, (scale, codes)) in factors.rows().enumerate() {
        let score = dot(codes, &query.values) as f32 * (scale * query.scale);
        let row = Row(index as u32);
        // Rows ascend, so an equal score later in the scan never displaces an earlier one.
        if (score > threshold || best.len() < k) && keep(row) {
            best.push(Scored { row, score });
            if best.len() == capacity && capacity > k {
                best.select_nth_unstable_by(k - 1, Scored::order);
                best.truncate(k);
                threshold = best[k - 1].score;
            }
        }
    }
    best.sort_unstable_by(Scored::order);
    best.truncate(k);
}
