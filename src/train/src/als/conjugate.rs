//! A few steps of conjugate gradients towards the solution of a row.
//!
//! Takács, Pilászy and Tikk, "Applications of the Conjugate Gradient Method for Implicit Feedback
//! Collaborative Filtering" (2011): alternation needs no exact rows on its way, only better ones, and
//! the row of the epoch before is close. In the eigenbasis of the shared part a step on a row of m
//! entries costs O(md), and the diagonal of the system is nearly all of it, so that dividing by it
//! leaves little to do.

use segue_core::fold_in::Pull;

use super::{
    System,
    dense::{Cpu, dispatch},
    lanes::{add_rows, add_squares, dot, prefetch},
};

/// Most steps an epoch.
const STEPS: usize = 4;
/// What is left of the error, squared and against the size of the solution, when it is time to stop: a
/// hundred times as much saves an eighth of the time, and ends alternation at worse factors.
const TOLERANCE: f32 = 1e-5;

/// Vectors that live for the solution of one row, and whose memory the next one uses.
#[derive(Default)]
pub struct Scratch {
    /// Of the system, then inverted.
    diagonal: Vec<f32>,
    residual: Vec<f32>,
    direction: Vec<f32>,
    /// What the system makes of the direction, and what else is as long.
    image: Vec<f32>,
}

#[inline(always)]
fn improve_body<const FUSED: bool>(system: &System<'_>, scratch: &mut Scratch, x: &mut [f32]) {
    let Scratch { diagonal, residual, direction, image } = scratch;
    diagonal.clear();
    diagonal.extend_from_slice(system.shared);
    set(residual, system.shared, x, |d, x| -d * x);
    // The right-hand side, what x leaves of it and the diagonal in one pass.
    system.sweep::<FUSED>(x, residual, Some(diagonal), |pull, expected| {
        pull.information - pull.weight * expected
    });
    diagonal.iter_mut().for_each(|d| *d = 1.0 / *d);
    set(direction, residual, diagonal, |r, d| r * d);
    let mut error = dot::<FUSED>(residual, direction);
    for _ in 0..STEPS {
        set(image, x, diagonal, |x, d| x / d);
        if error <= (TOLERANCE * dot::<FUSED>(x, image)).max(f32::MIN_POSITIVE) {
            break;
        }
        set(image, system.shared, direction, |d, p| d * p);
        system.sweep::<FUSED>(direction, image, None, |pull, expected| pull.weight * expected);
        let curvature = dot::<FUSED>(direction, image);
        if curvature < f32::MIN_POSITIVE {
            // Rows on their way to nothing are smaller, squared, than what a real can tell.
            break;
        }
        let length = error / curvature;
        add_rows::<FUSED, 1>([direction], [length], x);
        add_rows::<FUSED, 1>([image], [-length], residual);
        set(image, residual, diagonal, |r, d| r * d);
        let before = std::mem::replace(&mut error, dot::<FUSED>(residual, image));
        let turn = error / before;
        direction.iter_mut().zip(&*image).for_each(|(p, z)| *p = turn * *p + z);
    }
    if !error.is_finite() {
        x.fill(f32::NAN);
    }
}

/// Makes `to` of each two of `a` and `b`.
#[inline(always)]
fn set(to: &mut Vec<f32>, a: &[f32], b: &[f32], of: impl Fn(f32, f32) -> f32) {
    to.resize(a.len(), 0.0);
    for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
        *to = of(*a, *b);
    }
}

dispatch! {
    /// Brings `x` closer to the solution of `system`. O(md) a step.
    improve => improve_body(system: &System<'_>, scratch: &mut Scratch, x: &mut [f32])
}

/// Entries that are swept together: their sums do not wait for each other.
const TOGETHER: usize = 4;

impl System<'_> {
    /// Adds c·v for every entry to `to`, where c is what `coefficient` makes of the entry and v·x; and
    /// w·v² to `squares`.
    #[inline(always)]
    fn sweep<const FUSED: bool>(
        &self,
        x: &[f32],
        to: &mut [f32],
        mut squares: Option<&mut Vec<f32>>,
        coefficient: impl Fn(Pull, f32) -> f32,
    ) {
        let all = self.entries.columns();
        let (columns, last) = all.as_chunks::<TOGETHER>();
        let (pulls, last_pulls) = self.entries.pulls().as_chunks::<TOGETHER>();
        for (at, (columns, pulls)) in columns.iter().zip(pulls).enumerate() {
            if let (Some(next), true) = (all.get((at + 1) * TOGETHER..), squares.is_some()) {
                next.iter().take(TOGETHER).for_each(|&column| prefetch(self.factor(column)));
            }
            self.sweep_some::<FUSED, TOGETHER>(columns, pulls, x, to, &mut squares, &coefficient);
        }
        for (&column, &pull) in last.iter().zip(last_pulls) {
            self.sweep_some::<FUSED, 1>(&[column], &[pull], x, to, &mut squares, &coefficient);
        }
    }

    #[inline(always)]
    fn factor(&self, column: u32) -> &[f32] {
        let dim = self.shared.len();
        &self.other[column as usize * dim..][..dim]
    }

    #[inline(always)]
    fn sweep_some<const FUSED: bool, const N: usize>(
        &self,
        columns: &[u32; N],
        pulls: &[Pull; N],
        x: &[f32],
        to: &mut [f32],
        squares: &mut Option<&mut Vec<f32>>,
        coefficient: &impl Fn(Pull, f32) -> f32,
    ) {
        // Loops, not `map`: what the library calls is not compiled for the same instructions.
        let (mut factors, mut weights, mut coefficients) = ([x; N], [0.0; N], [0.0; N]);
        for at in 0..N {
            factors[at] = self.factor(columns[at]);
            let pull = counted(pulls[at]);
            weights[at] = pull.weight;
            coefficients[at] = coefficient(pull, dot::<FUSED>(factors[at], x));
        }
        add_rows::<FUSED, N>(factors, coefficients, to);
        if let Some(squares) = squares {
            add_squares::<FUSED, N>(factors, weights, squares);
        }
    }
}

/// What does not weigh more than nothing is not there.
#[inline(always)]
fn counted(pull: Pull) -> Pull {
    if pull.weight > 0.0 { pull } else { Pull::default() }
}
