//! Σ wqqᵀ over rows of codes q that were seen w times, in exact integers.

use alloc::{vec, vec::Vec};

use super::outer;
use crate::linalg::packed_len;

/// Rows that are multiplied at a time: few enough to stay in the innermost cache.
const BLOCK: usize = 32;
/// Largest weight of a row: times a code of 127 it fits 16 bits.
const MAX_WEIGHT: u32 = i16::MAX as u32 / i8::MAX as u32;
/// Rows whose products of codes, each at most 127², can be added in 32 bits.
const MAX_SUMMED: u32 = 1 << 17;

/// One component of two rows.
pub type Pair = [i16; 2];
/// Lines of the matrix that are summed at a time.
pub const TILE_LINES: usize = 4;

/// How much of the lines from `first` on, up to their diagonal, is summed: whole registers.
pub const fn tile_width(first: usize) -> usize {
    (first + TILE_LINES).next_multiple_of(8)
}

/// A sum of outer products.
#[derive(Debug)]
pub(crate) struct Gram {
    stride: usize,
    /// Rows that wait to be multiplied, two and two, and the same times their weights.
    rows: Vec<Pair>,
    weighted: Vec<Pair>,
    waiting: usize,
    /// The lower triangle of what was multiplied, in whole lines, and how many rows that is.
    sums: Vec<i32>,
    summed: u32,
    totals: Vec<i64>,
}

impl Gram {
    /// A sum over nothing; `stride` is a multiple of 16.
    pub fn new(stride: usize) -> Self {
        Self {
            stride,
            rows: vec![[0; 2]; BLOCK / 2 * stride],
            weighted: vec![[0; 2]; BLOCK / 2 * stride],
            waiting: 0,
            sums: vec![0; stride * stride],
            summed: 0,
            totals: vec![0; stride * stride],
        }
    }

    /// Adds `row`, at most `stride` codes, so many times.
    #[inline(never)]
    pub fn add(&mut self, row: &[i8], mut times: u32) {
        while times > 0 {
            let weight = times.min(MAX_WEIGHT);
            times -= weight;
            if self.waiting == BLOCK {
                self.multiply();
            }
            if self.summed + weight > MAX_SUMMED {
                self.multiply();
                self.carry();
            }
            let (at, side) = (self.waiting / 2 * self.stride, self.waiting % 2);
            let pairs = self.rows[at..].iter_mut().zip(&mut self.weighted[at..]);
            for (&code, (pair, weighted)) in row.iter().zip(pairs) {
                pair[side] = code.into();
                weighted[side] = i16::from(code) * weight as i16;
            }
            self.waiting += 1;
            self.summed += weight;
        }
    }

    /// The packed lower triangle of the first `dim` components.
    pub fn finish(mut self, dim: usize) -> Vec<i64> {
        self.multiply();
        self.carry();
        let mut packed = Vec::with_capacity(packed_len(dim));
        let lines = self.totals.chunks_exact(self.stride).enumerate();
        lines.take(dim).for_each(|(i, line)| packed.extend_from_slice(&line[..=i]));
        packed
    }

    #[inline(never)]
    fn multiply(&mut self) {
        for first in (0..self.stride).step_by(TILE_LINES) {
            outer(&self.rows, &self.weighted, self.stride, first, &mut self.sums);
        }
        self.rows.fill([0; 2]);
        self.weighted.fill([0; 2]);
        self.waiting = 0;
    }

    fn carry(&mut self) {
        for (total, sum) in self.totals.iter_mut().zip(&mut self.sums) {
            *total += i64::from(core::mem::take(sum));
        }
        self.summed = 0;
    }
}
