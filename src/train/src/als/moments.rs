//! Second moments of factors, and the axes along which they lie.

use rayon::prelude::*;

use super::dense::{self, Cpu};

/// Rows of each parallel task; sums run over tasks in order.
const BLOCK: usize = 2048;

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

/// The second moment of some rows, along its own axes.
pub(super) struct Eigen {
    /// Sums of squares along the axes, at least zero.
    pub values: Vec<f32>,
    /// One axis a row, orthonormal.
    pub basis: Vec<f32>,
}

impl Eigen {
    /// `None` where there is none.
    pub fn of(cpu: Cpu, rows: &[f32], dim: usize) -> Option<Self> {
        if rows.len() < dim * dim {
            return Self::of_few(rows, dim);
        }
        Self::of_symmetric(gram(cpu, rows, dim), dim)
    }

    /// Of fewer rows than dimensions, in the space that they span: with rowsᵀ = Q·T the second moment is
    /// Q·(T·Tᵀ)·Qᵀ, and nothing along the axes of Q that they do not reach. O(rows·dim²).
    fn of_few(rows: &[f32], dim: usize) -> Option<Self> {
        let count = rows.len() / dim;
        if !rows.iter().all(|x| x.is_finite()) {
            return None;
        }
        let columns = rows.iter().map(|&x| f64::from(x));
        let qr = nalgebra::DMatrix::from_iterator(dim, count, columns).qr();
        let inner = qr.r() * qr.r().transpose();
        let within = Self::of_symmetric(inner.as_slice().to_vec(), count)?;
        if !within.values.iter().all(|x| x.is_finite()) {
            return None;
        }
        let mut axes = nalgebra::DMatrix::identity(dim, dim);
        qr.q_tr_mul(&mut axes);
        let turn = nalgebra::DMatrix::from_row_iterator(
            count,
            count,
            within.basis.iter().map(|&x| f64::from(x)),
        );
        let turned = turn * axes.rows(0, count);
        axes.rows_mut(0, count).copy_from(&turned);
        let mut values = within.values;
        values.resize(dim, 0.0);
        // One axis a row, and storage runs by column.
        Some(Self { values, basis: axes.transpose().iter().map(|&x| x as f32).collect() })
    }

    /// Of a symmetric matrix that is nowhere negative. `None` where there is none: for one that is not
    /// finite the iteration would never end.
    fn of_symmetric(mut matrix: Vec<f64>, dim: usize) -> Option<Self> {
        // Steps of implicit QR for each value, as in LAPACK's `dsteqr`; two or three are usual.
        const MAX_STEPS: usize = 30;
        /// Far below the square of what a real of a factor tells.
        const NOTHING: f64 = 1e-20;
        if !matrix.iter().all(|x| x.is_finite()) {
            return None;
        }
        // What is nothing beside the largest can keep the iteration from ending.
        let largest = matrix.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        matrix.iter_mut().filter(|x| x.abs() < NOTHING * largest).for_each(|x| *x = 0.0);
        let matrix = nalgebra::DMatrix::from_row_slice(dim, dim, &matrix);
        let solved = |shift: f64| {
            let shifted = &matrix + nalgebra::DMatrix::identity(dim, dim) * shift;
            nalgebra::SymmetricEigen::try_new(shifted, f64::EPSILON, MAX_STEPS * dim)
                .filter(|all| all.eigenvectors.iter().all(|x| x.is_finite()))
                .map(|all| (all, shift))
        };
        // Where far fewer rows than dimensions leave most values at nothing, rotations among these divide
        // nothing by nothing, or never end. Beside the largest added to all they are as good as done.
        let (all, shift) = solved(0.0).or_else(|| solved(largest))?;
        Some(Self {
            values: all.eigenvalues.iter().map(|&x| (x - shift).max(0.0) as f32).collect(),
            // Columns are axes, and storage runs by column.
            basis: all.eigenvectors.iter().map(|&x| x as f32).collect(),
        })
    }

    /// Values and axes, the largest first.
    fn in_order(self) -> (Vec<f32>, Vec<f32>) {
        let Self { values, basis } = self;
        let dim = values.len();
        let mut order: Vec<usize> = (0..dim).collect();
        order.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
        let axes = order.iter().flat_map(|&axis| &basis[axis * dim..][..dim]).copied().collect();
        (order.iter().map(|&axis| values[axis]).collect(), axes)
    }
}

/// The axes along which `rows` (`dim` reals each) lie, those of the largest second moment first: one
/// axis a row, orthonormal. `None` where they are not finite.
pub fn principal_axes(cpu: Cpu, rows: &[f32], dim: usize) -> Option<Vec<f32>> {
    eigen_of(cpu, rows, dim).map(|(_, axes)| axes)
}

/// The same with the sum of squares along each axis.
pub fn eigen_of(cpu: Cpu, rows: &[f32], dim: usize) -> Option<(Vec<f32>, Vec<f32>)> {
    Eigen::of(cpu, rows, dim).map(Eigen::in_order)
}

/// The eigenvalues of a symmetric matrix of `dim` rows that is nowhere negative, the largest first, and the
/// eigenvectors, one a row. `None` where it is not finite.
pub fn eigen_of_symmetric(matrix: Vec<f64>, dim: usize) -> Option<(Vec<f32>, Vec<f32>)> {
    Eigen::of_symmetric(matrix, dim).map(Eigen::in_order)
}

/// The coordinates of each of `rows` along `axes`.
pub fn rotated(cpu: Cpu, rows: &[f32], dim: usize, axes: &[f32]) -> Vec<f32> {
    let mut rotated = rows.to_vec();
    let turn = transpose(axes, dim);
    rotated.par_chunks_mut(BLOCK * dim).for_each_init(Vec::new, |scratch, rows| {
        dense::multiply(cpu, rows, dim, &turn, scratch);
    });
    rotated
}

/// Rows and columns of a `dim` × `dim` matrix exchanged.
pub(super) fn transpose(square: &[f32], dim: usize) -> Vec<f32> {
    let mut out = vec![0.0; dim * dim];
    for i in 0..dim {
        for j in 0..dim {
            out[j * dim + i] = square[i * dim + j];
        }
    }
    out
}
