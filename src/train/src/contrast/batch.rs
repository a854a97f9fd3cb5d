//! The gradient of one batch.

use std::ops::Range;

use nalgebra::DMatrix;
use rayon::prelude::*;
use segue_core::rng::SplitMix64;

use super::{
    MOST_SUMMED,
    adam::{Gradient, Slots},
};
use crate::{
    als::dense::{self, Cpu},
    matrix::Matrix,
};

/// Some tracks of a listener, each to be left out by itself.
pub struct Visit {
    pub listener: usize,
    /// Of [`Batch::order`].
    pub targets: Range<usize>,
    /// What drops which of the listener's tracks.
    pub seed: u64,
}

/// What the gradient is of.
pub struct Batch<'a> {
    pub by_user: &'a Matrix,
    pub dim: usize,
    pub items: &'a [f32],
    /// Places in the rows of `by_user`.
    pub order: &'a [u32],
    /// The share of a listener's tracks that a sum keeps.
    pub keep: f32,
    /// Tracks that every sum is compared with.
    pub drawn: &'a [u32],
    /// The logarithm of how often each was to be drawn.
    pub corrections: Vec<f32>,
}

/// What one piece of a batch adds.
struct Piece {
    /// To the tracks that were drawn, one column each.
    drawn: DMatrix<f32>,
    /// To others: the row, its factor, and which of `columns`.
    others: Vec<(u32, f32, usize)>,
    columns: DMatrix<f32>,
}

/// Visits of a piece.
const PIECE: usize = 16;

impl Batch<'_> {
    /// The mean over all that was left out at `visits`.
    pub fn gradient(&self, visits: &[Visit], slots: &mut Slots) -> Gradient {
        let cpu = Cpu::detect();
        let drawn: Vec<f32> =
            self.drawn.iter().flat_map(|&row| self.factor(row)).copied().collect();
        let drawn = DMatrix::from_vec(self.dim, self.drawn.len(), drawn);
        let across = drawn.transpose();
        let pieces: Vec<Piece> = visits
            .par_chunks(PIECE)
            .map(|visits| self.piece(cpu, visits, (&drawn, &across)))
            .collect();
        let mut gradient = Gradient { rows: Vec::new(), values: Vec::new() };
        let count: usize = visits.iter().map(|visit| visit.targets.len()).sum();
        let share = 1.0 / count.max(1) as f32;
        for piece in &pieces {
            for (column, &row) in piece.drawn.column_iter().zip(self.drawn) {
                slots.add(&mut gradient, row, share, column.as_slice());
            }
            for &(row, factor, column) in &piece.others {
                let column = piece.columns.column(column);
                slots.add(&mut gradient, row, share * factor, column.as_slice());
            }
        }
        gradient
    }

    fn factor(&self, row: u32) -> &[f32] {
        &self.items[row as usize * self.dim..][..self.dim]
    }

    /// `across` is `drawn` with rows and columns exchanged.
    fn piece(
        &self,
        cpu: Cpu,
        visits: &[Visit],
        (drawn, across): (&DMatrix<f32>, &DMatrix<f32>),
    ) -> Piece {
        let count: usize = visits.iter().map(|visit| visit.targets.len()).sum();
        let seen: Vec<Seen> = visits.iter().map(|visit| self.see(visit)).collect();
        let mut sums = DMatrix::zeros(self.dim, count);
        let left_out = seen.iter().flat_map(|seen| seen.targets.iter().map(move |t| (seen, t)));
        for (mut sum, (seen, target)) in sums.column_iter_mut().zip(left_out.clone()) {
            let factor = self.factor(target.row);
            let all = seen.sum.iter().zip(factor);
            sum.iter_mut()
                .zip(all)
                .for_each(|(to, (s, v))| *to = seen.scale * (s - target.weight * v));
        }

        // Logits become what the softmax is too high by. Transposes are copies: `gemm` of nalgebra 0.35 reads
        // beyond the end of a view with strides that has few columns.
        let mut excess = DMatrix::zeros(self.drawn.len(), count);
        excess.gemm(1.0, across, &sums, 0.0);
        let mut found = vec![0.0; count];
        for (at, (_, target)) in left_out.clone().enumerate() {
            let mut column = excess.column_mut(at);
            let logits = column.as_mut_slice();
            for ((logit, correction), &row) in
                logits.iter_mut().zip(&self.corrections).zip(self.drawn)
            {
                *logit = if row == target.row { f32::NEG_INFINITY } else { *logit - correction };
            }
            let own = sums.column(at).iter().zip(self.factor(target.row)).map(|(x, v)| x * v).sum();
            found[at] = dense::softmax_beside(cpu, logits, own) - 1.0;
        }

        let mut by_drawn = DMatrix::zeros(self.dim, self.drawn.len());
        by_drawn.gemm(1.0, &sums, &excess.transpose(), 0.0);
        let mut by_sum = DMatrix::zeros(self.dim, count);
        by_sum.gemm(1.0, drawn, &excess, 0.0);

        // Columns: the sums, then what each target's sum is too high by, then each visit's total.
        let mut columns = DMatrix::zeros(self.dim, count + count + visits.len());
        columns.columns_mut(0, count).copy_from(&sums);
        let mut others = Vec::new();
        let mut at = 0;
        for (visit, seen) in seen.iter().enumerate() {
            let total = 2 * count + visit;
            for target in &seen.targets {
                others.push((target.row, found[at], at));
                let factor = self.factor(target.row);
                let slope = by_sum.column(at);
                for k in 0..self.dim {
                    let x = seen.scale * (slope[k] + found[at] * factor[k]);
                    columns[(k, count + at)] = x;
                    columns[(k, total)] += x;
                }
                if target.weight > 0.0 {
                    others.push((target.row, -target.weight, count + at));
                }
                at += 1;
            }
            others.extend(seen.kept.iter().map(|&(row, weight)| (row, weight, total)));
        }
        Piece { drawn: by_drawn, others, columns }
    }

    /// The listener of a visit with what the dropout leaves of their tracks.
    fn see(&self, visit: &Visit) -> Seen {
        let entries = self.by_user.row(visit.listener);
        let keep = self.keep.min(MOST_SUMMED / entries.positive().max(1) as f32);
        let mut rng = SplitMix64::new(visit.seed);
        let mut sum = vec![0.0; self.dim];
        let mut kept = Vec::new();
        let mut weights = vec![0.0; entries.iter().len()];
        for (place, (row, pull)) in entries.iter().enumerate() {
            if pull.information > 0.0 && (rng.unit() as f32) < keep {
                weights[place] = pull.information;
                kept.push((row as u32, pull.information));
                let factor = self.factor(row as u32);
                sum.iter_mut().zip(factor).for_each(|(to, x)| *to += pull.information * x);
            }
        }
        let rows: Vec<u32> = entries.iter().map(|(row, _)| row as u32).collect();
        let target =
            |&place: &u32| Target { row: rows[place as usize], weight: weights[place as usize] };
        let targets = self.order[visit.targets.clone()].iter().map(target).collect();
        let scale = 1.0 / (kept.len().saturating_sub(1).max(1) as f32).sqrt();
        Seen { sum, kept, targets, scale }
    }
}

struct Seen {
    sum: Vec<f32>,
    /// Rows and their weights in the sum.
    kept: Vec<(u32, f32)>,
    targets: Vec<Target>,
    scale: f32,
}

struct Target {
    row: u32,
    /// In the sum; 0 where it is not in it.
    weight: f32,
}
