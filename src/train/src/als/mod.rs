//! Implicit alternating least squares.
//!
//! The loss is that of Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback
//! Datasets" (2008), in the form and with the regularisation of Rendle, Krichene, Zhang and Koren,
//! "Revisiting the Performance of iALS on Item Recommendation Benchmarks" (2021):
//!
//! ```text
//! Σ_observed w(t − u·v)² + α Σ_all (u·v)² + Σ_u λ(|S_u| + α·items)^ν |u|² + the same for items
//! ```
//!
//! For a half-step the other side is turned into the eigenbasis of its Gram matrix, where the part of
//! the system that all rows share is diagonal whatever the row's own ridge. An epoch improves every row
//! by conjugate gradients; where rows are to be what fold-in makes of them they are solved
//! exactly, by the Woodbury identity those with fewer entries than dimensions.
//!
//! Deterministic for a seed at any number of threads: rows are independent, and sums over rows run
//! in fixed blocks.

mod aligned;
mod conjugate;
pub mod dense;
mod exact;
mod lanes;
mod moments;

use rayon::prelude::*;
use segue_core::{model::Loss, rng::SplitMix64};

pub use self::aligned::aligned;
pub use self::moments::{eigen_of, eigen_of_symmetric, principal_axes, rotated};
use self::{
    dense::Cpu,
    moments::{Eigen, transpose},
};
use crate::matrix::{Matrix, RowView};

/// Factors of both sides, `dim` reals a row.
#[derive(Clone, Debug)]
pub struct Factors {
    /// Components of a factor.
    pub dim: usize,
    /// One row a listener.
    pub users: Vec<f32>,
    /// One row a track.
    pub items: Vec<f32>,
}

impl Factors {
    /// Whether all are numbers: settings that are hopeless for a log can blow them up.
    pub fn are_finite(&self) -> bool {
        self.users.iter().chain(&self.items).all(|x| x.is_finite())
    }
}

/// A training run that can be continued.
#[derive(Clone)]
pub struct Trainer<'a> {
    by_user: &'a Matrix,
    by_item: &'a Matrix,
    cpu: Cpu,
    /// The factors so far.
    pub factors: Factors,
}

impl<'a> Trainer<'a> {
    /// Starts with items from a normal distribution of standard deviation 0.1/√d, as in the paper.
    pub fn new(by_user: &'a Matrix, by_item: &'a Matrix, dim: usize, seed: u64) -> Self {
        let mut rng = SplitMix64::new(seed);
        let items = (0..by_item.rows()).flat_map(|_| drawn(dim, &mut rng).collect::<Vec<_>>());
        let factors =
            Factors { dim, users: vec![0.0; by_user.rows() * dim], items: items.collect() };
        Self { by_user, by_item, cpu: Cpu::detect(), factors }
    }

    /// One alternation. `stop` is asked between rows; true leaves the factors half-solved. Factors
    /// that have grown beyond `f32` end as NaN: see [`Factors::are_finite`].
    pub fn epoch(&mut self, loss: &Loss, stop: &(impl Fn() -> bool + Sync)) {
        let Self { by_user, by_item, cpu, factors: Factors { dim, users, items } } = self;
        improve(*cpu, by_user, (items, *dim), loss, users, stop);
        improve(*cpu, by_item, (users, *dim), loss, items, stop);
    }

    /// The first half of an alternation: every listener against the items as they are.
    pub fn solve_users(&mut self, loss: &Loss, stop: &(impl Fn() -> bool + Sync)) {
        let Self { by_user, cpu, factors, .. } = self;
        solve(*cpu, by_user, (&factors.items, factors.dim), loss, &mut factors.users, stop);
    }
}

/// A factor to start from.
pub fn drawn(dim: usize, rng: &mut SplitMix64) -> impl Iterator<Item = f32> {
    let deviation = 0.1 / (dim as f64).sqrt();
    (0..dim).map(move |_| (normal(rng) * deviation) as f32)
}

/// Two uniform numbers to one normal one (Box and Muller, 1958).
pub fn normal(rng: &mut SplitMix64) -> f64 {
    let radius = (-2.0 * (1.0 - rng.unit()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.unit()).cos()
}

/// Rows of each parallel task.
const TASK: usize = 64;

/// What observations leave out of the system of a row, and the factors that all are made of.
struct Side<'a> {
    loss: &'a Loss,
    /// Second moments of the other side along its principal axes.
    values: Vec<f32>,
    /// The other side, along these axes.
    other: &'a [f32],
    dim: usize,
}

/// (D + Σ w·vvᵀ)·x = Σ w·t·v over the entries of a row.
#[derive(Clone, Copy)]
struct System<'a> {
    /// D: what all rows share, and the ridge.
    shared: &'a [f32],
    /// All v, as long as D each.
    other: &'a [f32],
    /// Which v, w and w·t.
    entries: RowView<'a>,
}

impl Side<'_> {
    fn system<'s>(&'s self, entries: RowView<'s>, shared: &'s mut Vec<f32>) -> System<'s> {
        let total = (self.other.len() / self.dim) as f32;
        let ridge = self.loss.ridge(entries.positive() as f32, total);
        shared.clear();
        shared.extend(self.values.iter().map(|value| self.loss.unobserved * value + ridge));
        System { shared, other: self.other, entries }
    }
}

/// Solves every row of `matrix` against the fixed side `other` of `dim` reals a row, into `out`.
fn solve(
    cpu: Cpu,
    matrix: &Matrix,
    (other, dim): (&[f32], usize),
    loss: &Loss,
    out: &mut [f32],
    stop: &(impl Fn() -> bool + Sync),
) {
    let Some(Eigen { values, basis }) = Eigen::of(cpu, other, dim) else {
        // The system has no solution: nor have the rows.
        out.fill(f32::NAN);
        return;
    };
    let side = Side { loss, values, other: &rotated(cpu, other, dim, &basis), dim };
    out.par_chunks_mut(TASK * dim).enumerate().for_each_init(
        Default::default,
        |(scratch, shared, turned): &mut (exact::Scratch, Vec<f32>, Vec<f32>), (at, rows)| {
            if stop() {
                return;
            }
            for (row, out) in (at * TASK..).zip(rows.chunks_exact_mut(dim)) {
                let system = side.system(matrix.row(row), shared);
                scratch.solve(cpu, &system, out);
            }
            dense::multiply(cpu, rows, dim, &basis, turned);
        },
    );
}

/// Brings every row of `moving` closer to its solution against `fixed`. Both are turned into the
/// principal axes of `fixed`, which saves turning one of them back.
fn improve(
    cpu: Cpu,
    matrix: &Matrix,
    (fixed, dim): (&mut [f32], usize),
    loss: &Loss,
    moving: &mut [f32],
    stop: &(impl Fn() -> bool + Sync),
) {
    let Some(Eigen { values, basis }) = Eigen::of(cpu, fixed, dim) else {
        moving.fill(f32::NAN);
        return;
    };
    let turn = transpose(&basis, dim);
    fixed.par_chunks_mut(TASK * dim).for_each_init(Vec::new, |turned, rows| {
        dense::multiply(cpu, rows, dim, &turn, turned);
    });
    let side = Side { loss, values, other: fixed, dim };
    moving.par_chunks_mut(TASK * dim).enumerate().for_each_init(
        Default::default,
        |(scratch, shared, turned): &mut (conjugate::Scratch, Vec<f32>, Vec<f32>), (at, rows)| {
            if stop() {
                return;
            }
            dense::multiply(cpu, rows, dim, &turn, turned);
            for (row, x) in (at * TASK..).zip(rows.chunks_exact_mut(dim)) {
                let system = side.system(matrix.row(row), shared);
                conjugate::improve(cpu, &system, scratch, x);
            }
        },
    );
}
