//! Adam (Kingma and Ba, 2015) for gradients of few rows, with a cost of the squares of all.

use rayon::prelude::*;

use crate::checkpoints::{Bytes, reals, whole};

/// Gradients of some rows.
pub struct Gradient {
    /// Each row once.
    pub rows: Vec<u32>,
    /// `dim` reals for each.
    pub values: Vec<f32>,
}

/// Where the gradient of a row is gathered.
#[derive(Clone)]
pub struct Slots {
    slots: Vec<u32>,
    dim: usize,
}

const NONE: u32 = u32::MAX;

impl Slots {
    /// Adds `factor` · `values` to the gradient of `row`.
    pub fn add(&mut self, gradient: &mut Gradient, row: u32, factor: f32, values: &[f32]) {
        let slot = &mut self.slots[row as usize];
        if *slot == NONE {
            *slot = gradient.rows.len() as u32;
            gradient.rows.push(row);
            gradient.values.resize(gradient.values.len() + self.dim, 0.0);
        }
        let to = &mut gradient.values[*slot as usize * self.dim..][..self.dim];
        to.iter_mut().zip(values).for_each(|(sum, x)| *sum += factor * x);
    }
}

/// The moments of every row.
#[derive(Clone)]
pub struct Adam {
    dim: usize,
    first: Vec<f32>,
    second: Vec<f32>,
    /// The step that a row was last brought up to date at.
    seen: Vec<u32>,
    steps: u32,
    pub slots: Slots,
}

const FIRST: f32 = 0.9;
const SECOND: f32 = 0.999;
const TINY: f32 = 1e-8;
/// Rows of a parallel task.
const BLOCK: usize = 256;

impl Adam {
    pub fn new(rows: usize, dim: usize) -> Self {
        Self {
            dim,
            first: vec![0.0; rows * dim],
            second: vec![0.0; rows * dim],
            seen: vec![0; rows],
            steps: 0,
            slots: Slots { slots: vec![NONE; rows], dim },
        }
    }

    /// Appends the moments to `bytes`.
    pub fn kept(&self, bytes: Bytes) -> Bytes {
        let bytes = bytes.whole(self.steps.into()).reals(&self.first).reals(&self.second);
        self.seen.iter().fold(bytes, |bytes, &seen| bytes.whole(seen.into()))
    }

    /// The moments from the front of `bytes`.
    pub fn restore(&mut self, bytes: &mut &[u8]) -> Option<()> {
        self.steps = u32::try_from(whole(bytes)?).ok()?;
        reals(bytes, &mut self.first)?;
        reals(bytes, &mut self.second)?;
        for seen in &mut self.seen {
            *seen = u32::try_from(whole(bytes)?).ok().filter(|seen| *seen <= self.steps)?;
        }
        Some(())
    }

    /// One step of `rate` down `gradient` and `decay`/2·|x|². Rows without a gradient stay as they are;
    /// with the next one they have all of the decay that they missed.
    pub fn step(&mut self, items: &mut [f32], gradient: &Gradient, rate: f32, decay: f32) {
        self.steps += 1;
        let Self { dim, first, second, seen, steps, slots } = self;
        let (dim, steps) = (*dim, *steps);
        let unbias = |decay: f32| 1.0 - decay.powi(steps.min(100_000) as i32);
        let (unbias_first, unbias_second) = (unbias(FIRST), unbias(SECOND));
        let rows = items.par_chunks_mut(BLOCK * dim).zip(first.par_chunks_mut(BLOCK * dim));
        let rows = rows.zip(second.par_chunks_mut(BLOCK * dim)).zip(seen.par_chunks_mut(BLOCK));
        let rows = rows.zip(slots.slots.par_chunks(BLOCK));
        rows.for_each(|((((items, first), second), seen), slots)| {
            for (at, &slot) in slots.iter().enumerate().filter(|(_, slot)| **slot != NONE) {
                let gradient = &gradient.values[slot as usize * dim..][..dim];
                let missed = (steps - seen[at] - 1) as i32;
                seen[at] = steps;
                let pull = decay * (missed + 1) as f32;
                let (late_first, late_second) =
                    (FIRST.powi(missed) * FIRST, SECOND.powi(missed) * SECOND);
                let range = at * dim..(at + 1) * dim;
                let cells = items[range.clone()].iter_mut().zip(&mut first[range.clone()]);
                let cells = cells.zip(&mut second[range]).zip(gradient);
                for (((item, first), second), g) in cells {
                    let g = g + pull * *item;
                    *first = late_first * *first + (1.0 - FIRST) * g;
                    *second = late_second * *second + (1.0 - SECOND) * g * g;
                    let size = (*second / unbias_second).sqrt() + TINY;
                    *item -= rate * (*first / unbias_first) / size;
                }
            }
        });
        gradient.rows.iter().for_each(|&row| self.slots.slots[row as usize] = NONE);
    }
}
