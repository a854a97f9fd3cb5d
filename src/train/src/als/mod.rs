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
//! Each half-step solves every row of one side exactly. The other side is first rotated into the
//! eigenbasis of its Gram matrix, where the part of the system that all rows share is diagonal
//! whatever the row's own ridge. A row with fewer entries m than dimensions d is then an m × m
//! system by the Woodbury identity, O(m²d + m³/6) instead of O(md² + d³/6): most tracks of a
//! catalogue have few listeners.
//!
//! Deterministic for a seed at any number of threads: rows are independent, and sums over rows run
//! in fixed blocks.

pub mod dense;

use rayon::prelude::*;
use segue_core::{model::Loss, rng::SplitMix64};

use crate::matrix::Matrix;
use dense::Cpu;

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
        let deviation = 0.1 / (dim as f64).sqrt();
        let items = (0..by_item.rows() * dim).map(|_| (normal(&mut rng) * deviation) as f32);
        let factors =
            Factors { dim, users: vec![0.0; by_user.rows() * dim], items: items.collect() };
        Self { by_user, by_item, cpu: Cpu::detect(), factors }
    }

    /// One alternation. `stop` is asked between rows; true leaves the factors half-solved. Factors
    /// that have grown beyond `f32` end as NaN: see [`Factors::are_finite`].
    pub fn epoch(&mut self, loss: &Loss, stop: &(impl Fn() -> bool + Sync)) {
        self.solve_users(loss, stop);
        let Self { by_item, cpu, factors, .. } = self;
        half_step(*cpu, by_item, (&factors.users, factors.dim), loss, &mut factors.items, stop);
    }

    /// The first half of an alternation: every listener against the items as they are.
    pub fn solve_users(&mut self, loss: &Loss, stop: &(impl Fn() -> bool + Sync)) {
        let Self { by_user, cpu, factors, .. } = self;
        half_step(*cpu, by_user, (&factors.items, factors.dim), loss, &mut factors.users, stop);
    }
}

/// Two uniform numbers to one normal one (Box and Muller, 1958).
pub fn normal(rng: &mut SplitMix64) -> f64 {
    let radius = (-2.0 * (1.0 - rng.unit()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.unit()).cos()
}

/// Rows of each parallel task; sums run over tasks in order.
const BLOCK: usize = 2048;

/// Solves every row of `matrix` against the fixed side `other` of `dim` reals a row, into `out`.
fn half_step(
    cpu: Cpu,
    matrix: &Matrix,
    (other, dim): (&[f32], usize),
    loss: &Loss,
    out: &mut [f32],
    stop: &(impl Fn() -> bool + Sync),
) {
    let Some(Eigen { values, basis }) = eigen(&gram(cpu, other, dim), dim) else {
        // The system has no solution: nor have the rows.
        out.fill(f32::NAN);
        return;
    };
    let rotated = rotated(cpu, other, dim, &basis);
    let transposed = transpose(&basis, dim);
    let total = (other.len() / dim) as f32;
    out.par_chunks_mut(64 * dim).enumerate().for_each_init(
        Scratch::default,
        |scratch, (at, rows)| {
            if stop() {
                return;
            }
            for (offset, row) in rows.chunks_exact_mut(dim).enumerate() {
                let entries = matrix.row(at * 64 + offset);
                let ridge = loss.ridge(entries.positive() as f32, total);
                let shared = values.iter().map(|value| loss.unobserved * value + ridge);
                scratch.diagonal.clear();
                scratch.diagonal.extend(shared);
                scratch.gather(&rotated, entries, dim);
                scratch.solve(cpu, dim, row);
            }
            dense::rotate(cpu, rows, dim, &transposed, &mut vec![0.0; dim]);
        },
    );
}

/// What one thread needs to solve one row after another.
#[derive(Default)]
struct Scratch {
    /// The part of the system that is no observation's.
    diagonal: Vec<f32>,
    /// √w·v for each observation.
    rows: Vec<f32>,
    /// √w·t for each.
    targets: Vec<f32>,
    matrix: Vec<f32>,
}

impl Scratch {
    fn gather(&mut self, other: &[f32], entries: crate::matrix::RowView<'_>, dim: usize) {
        self.rows.clear();
        self.targets.clear();
        for (column, pull) in entries.iter().filter(|(_, pull)| pull.weight > 0.0) {
            let root = pull.weight.sqrt();
            self.rows.extend(other[column * dim..(column + 1) * dim].iter().map(|x| root * x));
            self.targets.push(pull.information / root);
        }
    }

    /// (D + XᵀX)⁻¹Xᵀy for the gathered rows X and targets y.
    fn solve(&mut self, cpu: Cpu, dim: usize, out: &mut [f32]) {
        let observations = self.targets.len();
        if observations == 0 {
            out.fill(0.0);
        } else if observations < dim {
            self.solve_small(cpu, dim, out);
        } else {
            self.solve_large(cpu, dim, out);
        }
    }

    /// The d × d system as it stands.
    fn solve_large(&mut self, cpu: Cpu, dim: usize, out: &mut [f32]) {
        self.matrix.clear();
        self.matrix.resize(dim * dim, 0.0);
        for (i, shared) in self.diagonal.iter().enumerate() {
            self.matrix[i * dim + i] = *shared;
        }
        dense::add_gram(cpu, &mut self.matrix, dim, &self.rows);
        out.fill(0.0);
        for (row, target) in self.rows.chunks_exact(dim).zip(&self.targets) {
            out.iter_mut().zip(row).for_each(|(sum, x)| *sum += target * x);
        }
        dense::cholesky_solve(cpu, &mut self.matrix, dim, out);
    }

    /// D⁻¹Xᵀ(I + XD⁻¹Xᵀ)⁻¹y, an m × m system.
    fn solve_small(&mut self, cpu: Cpu, dim: usize, out: &mut [f32]) {
        let observations = self.targets.len();
        self.diagonal.iter_mut().for_each(|x| *x = 1.0 / x.sqrt());
        for row in self.rows.chunks_exact_mut(dim) {
            row.iter_mut().zip(&self.diagonal).for_each(|(x, d)| *x *= d);
        }
        self.matrix.resize(observations * observations, 0.0);
        dense::outer_products(cpu, &mut self.matrix, dim, &self.rows);
        for i in 0..observations {
            self.matrix[i * observations + i] += 1.0;
        }
        dense::cholesky_solve(cpu, &mut self.matrix, observations, &mut self.targets);
        out.fill(0.0);
        for (row, target) in self.rows.chunks_exact(dim).zip(&self.targets) {
            out.iter_mut().zip(row).for_each(|(sum, x)| *sum += target * x);
        }
        out.iter_mut().zip(&self.diagonal).for_each(|(x, d)| *x *= d);
    }
}

/// Σ vvᵀ over all rows, full and symmetric, row-major.
fn gram(cpu: Cpu, rows: &[f32], dim: usize) -> Vec<f64> {
    let partial: Vec<Vec<f32>> = rows
        .par_chunks(BLOCK * dim)
        .map(|block| {
            let mut sum = vec![0.0_f32; dim * dim];
            dense::add_gram(cpu, &mut sum, dim, block);
            sum
        })
        .collect();
    let mut total = vec![0.0_f64; dim * dim];
    for sum in &partial {
        total.iter_mut().zip(sum).for_each(|(t, s)| *t += f64::from(*s));
    }
    for i in 0..dim {
        for j in 0..i {
            total[j * dim + i] = total[i * dim + j];
        }
    }
    total
}

struct Eigen {
    /// At least zero.
    values: Vec<f32>,
    /// One axis a row.
    basis: Vec<f32>,
}

/// `None` where there is none: for a matrix that is not finite the iteration would never end.
fn eigen(symmetric: &[f64], dim: usize) -> Option<Eigen> {
    // Steps of implicit QR for each value, as in LAPACK's `dsteqr`; two or three are usual.
    const MAX_STEPS: usize = 30;
    if !symmetric.iter().all(|x| x.is_finite()) {
        return None;
    }
    let matrix = nalgebra::DMatrix::from_row_slice(dim, dim, symmetric);
    let decomposition = nalgebra::SymmetricEigen::try_new(matrix, f64::EPSILON, MAX_STEPS * dim)?;
    Some(Eigen {
        values: decomposition.eigenvalues.iter().map(|&x| x.max(0.0) as f32).collect(),
        // Columns are axes, and storage runs by column.
        basis: decomposition.eigenvectors.iter().map(|&x| x as f32).collect(),
    })
}

/// The axes along which `rows` (`dim` reals each) lie, those of the largest second moment first: one
/// axis a row, orthonormal. `None` where they are not finite.
pub fn principal_axes(cpu: Cpu, rows: &[f32], dim: usize) -> Option<Vec<f32>> {
    eigen_of(cpu, rows, dim).map(|(_, axes)| axes)
}

/// The same with the sum of squares along each axis.
pub fn eigen_of(cpu: Cpu, rows: &[f32], dim: usize) -> Option<(Vec<f32>, Vec<f32>)> {
    let Eigen { values, basis } = eigen(&gram(cpu, rows, dim), dim)?;
    let mut order: Vec<usize> = (0..dim).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
    let axes = order.iter().flat_map(|&axis| &basis[axis * dim..][..dim]).copied().collect();
    Some((order.iter().map(|&axis| values[axis]).collect(), axes))
}

/// The coordinates of each of `rows` along `axes`.
pub fn rotated(cpu: Cpu, rows: &[f32], dim: usize, axes: &[f32]) -> Vec<f32> {
    let mut rotated = rows.to_vec();
    rotated.par_chunks_mut(BLOCK * dim).for_each(|rows| {
        dense::rotate(cpu, rows, dim, axes, &mut vec![0.0; dim]);
    });
    rotated
}

fn transpose(square: &[f32], dim: usize) -> Vec<f32> {
    let mut out = vec![0.0; dim * dim];
    for i in 0..dim {
        for j in 0..dim {
            out[j * dim + i] = square[i * dim + j];
        }
    }
    out
}
