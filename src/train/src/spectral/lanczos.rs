//! The leading eigenvectors of a symmetric operator, by block Lanczos with full reorthogonalisation
//! (Golub and Van Loan, "Matrix Computations", 4th ed., 10.3.6).
//!
//! Spectra of pairs without their popularity are flat. Power iterations tell their directions apart by the
//! ratio of neighbouring values, this by about its root, for as many products.

use rayon::prelude::*;
use segue_core::rng::SplitMix64;

use crate::{
    Diverged,
    als::{dense::Cpu, eigen_of, eigen_of_symmetric, normal, rotated},
};

/// Columns of a block.
pub(super) const BLOCK: usize = 16;
/// Columns of the basis for each eigenvector that is asked for, and the fewest blocks.
const BASIS: usize = 5;
const FEWEST: usize = 8;
/// Rows of each parallel task; sums run over tasks in order.
const ROWS: usize = 2048;
/// Of its square, what may be left of a column that the basis holds already.
const ROUNDING: f32 = 1e-9;
/// Of the largest eigenvalue, what is none.
const NOTHING: f32 = 1e-6;

type Square = [[f32; BLOCK]; BLOCK];

/// Eigenvalues, and `count` reals a row: orthonormal eigenvectors in columns, of which those of an
/// eigenvalue of next to nothing are nothing.
pub(super) struct Leading {
    pub values: Vec<f32>,
    pub vectors: Vec<f32>,
}

/// The `count` leading eigenvectors of a positive operator on `rows` rows, which `apply` applies to
/// [`BLOCK`] columns. About 5·`count`/16 of these products, and O(rows·count²) beside them.
pub(super) fn leading(
    rows: usize,
    count: usize,
    seed: u64,
    apply: impl Fn(&[f32]) -> Vec<f32>,
) -> Result<Leading, Diverged> {
    let cpu = Cpu::detect();
    let mut rng = SplitMix64::new(seed);
    let start: Vec<f32> = (0..rows * BLOCK).map(|_| normal(&mut rng) as f32).collect();
    let most = (BASIS * count).max(FEWEST * BLOCK).min(rows).div_ceil(BLOCK);
    let mut basis: Vec<Vec<f32>> = Vec::new();
    let mut products: Vec<Vec<Square>> = Vec::new();
    let mut next = orthonormal(cpu, &start, ROUNDING)?;
    while let Some(block) = next.take() {
        let mut image = apply(&block);
        let size = mean_square(&image);
        basis.push(block);
        products.push(project(&mut image, &basis));
        if basis.len() == most {
            break;
        }
        project(&mut image, &basis);
        if let Some(mut block) = orthonormal(cpu, &image, ROUNDING * size)? {
            // What little was left of a column is made of rounding too.
            project(&mut block, &basis);
            next = orthonormal(cpu, &block, 0.5 / rows as f32)?;
        }
    }
    let width = basis.len() * BLOCK;
    let (values, axes) = eigen_of_symmetric(symmetric(&products), width).ok_or(Diverged)?;
    let least = NOTHING * values.first().copied().unwrap_or(0.0);
    let found = values.iter().take(count).take_while(|&&value| value > least).count();
    let vectors = combined(&basis, &axes[..found * width], (rows, count));
    let mut values = values[..found].to_vec();
    values.resize(count, 0.0);
    Ok(Leading { values, vectors })
}

/// The mean square of the entries.
fn mean_square(block: &[f32]) -> f32 {
    let sum: f64 = block.iter().map(|&x| f64::from(x).powi(2)).sum();
    (sum / block.len().max(1) as f64) as f32
}

/// Orthonormal columns that span those of `block`, without what has a mean square of `least` or less;
/// `None` where nothing is left.
fn orthonormal(cpu: Cpu, block: &[f32], least: f32) -> Result<Option<Vec<f32>>, Diverged> {
    let rows = (block.len() / BLOCK).max(1) as f32;
    let (values, axes) = eigen_of(cpu, block, BLOCK).ok_or(Diverged)?;
    let scales: Vec<f32> =
        values.iter().map(|&v| if v > least * rows { 1.0 / v.sqrt() } else { 0.0 }).collect();
    if scales.iter().all(|&scale| scale == 0.0) {
        return Ok(None);
    }
    let mut block = rotated(cpu, block, BLOCK, &axes);
    for row in block.as_chunks_mut::<BLOCK>().0 {
        row.iter_mut().zip(&scales).for_each(|(x, scale)| *x *= scale);
    }
    Ok(Some(block))
}

/// Takes out of `image` what the blocks of `basis` hold of it: these shares, block by block.
fn project(image: &mut [f32], basis: &[Vec<f32>]) -> Vec<Square> {
    let take = |block: &Vec<f32>| {
        let shares = cross(block, image);
        let rows = image.par_chunks_mut(ROWS * BLOCK).zip(block.par_chunks(ROWS * BLOCK));
        rows.for_each(|(image, block)| {
            for (to, from) in image.as_chunks_mut::<BLOCK>().0.iter_mut().zip(block.as_chunks().0) {
                subtract(to, from, &shares);
            }
        });
        shares
    };
    basis.iter().map(take).collect()
}

fn subtract(to: &mut [f32; BLOCK], from: &[f32; BLOCK], shares: &Square) {
    for (x, shares) in from.iter().zip(shares) {
        to.iter_mut().zip(shares).for_each(|(to, share)| *to -= x * share);
    }
}

/// aᵀ·b.
fn cross(a: &[f32], b: &[f32]) -> Square {
    let tasks = a.par_chunks(ROWS * BLOCK).zip(b.par_chunks(ROWS * BLOCK));
    let partial: Vec<Square> = tasks
        .map(|(a, b)| {
            let mut sum = [[0.0; BLOCK]; BLOCK];
            for (a, b) in a.as_chunks::<BLOCK>().0.iter().zip(b.as_chunks::<BLOCK>().0) {
                for (sum, a) in sum.iter_mut().zip(a) {
                    sum.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
                }
            }
            sum
        })
        .collect();
    let mut total = [[0.0_f64; BLOCK]; BLOCK];
    for sum in &partial {
        let both = total.as_flattened_mut().iter_mut().zip(sum.as_flattened());
        both.for_each(|(total, sum)| *total += f64::from(*sum));
    }
    total.map(|row| row.map(|x| x as f32))
}

/// The operator on the basis: what each block holds of the image of each that is not before it, and the
/// same mirrored.
fn symmetric(products: &[Vec<Square>]) -> Vec<f64> {
    let width = products.len() * BLOCK;
    let mut all = vec![0.0; width * width];
    for (column, shares) in products.iter().enumerate() {
        for (row, square) in shares.iter().enumerate() {
            for (i, j) in (0..BLOCK).flat_map(|i| (0..BLOCK).map(move |j| (i, j))) {
                let [at, mirrored] = [row * BLOCK + i, column * BLOCK + j];
                all[at * width + mirrored] = f64::from(square[i][j]);
                all[mirrored * width + at] = f64::from(square[i][j]);
            }
        }
    }
    all
}

/// `count` columns, the first of which are the basis along each of `axes`.
fn combined(basis: &[Vec<f32>], axes: &[f32], (rows, count): (usize, usize)) -> Vec<f32> {
    let width = basis.len() * BLOCK;
    let mut vectors = vec![0.0; rows * count];
    vectors.par_chunks_mut(count).enumerate().for_each(|(row, to)| {
        for (to, axis) in to.iter_mut().zip(axes.chunks_exact(width)) {
            for (block, axis) in basis.iter().zip(axis.as_chunks::<BLOCK>().0) {
                let from = &block[row * BLOCK..][..BLOCK];
                *to += from.iter().zip(axis).map(|(x, a)| x * a).sum::<f32>();
            }
        }
    });
    vectors
}
