//! Spectral factors: the leading singular vectors of the pairs, with popularity taken out of both
//! sides to a degree; and linear autoencoders of low rank, which shrink the lesser of them.
//!
//! Of R̃ = D_u^(−b)·R·(D_i + μ)^(−a), with D the degrees of listeners and tracks, the tracks' side of the
//! truncated decomposition is V·S. A track's factor is (D_i + μ)^e·V·(S²/(S² + λ))^½. PureSVD (Cremonesi,
//! Koren and Turrin, 2010) is a = b = e = λ = 0. With λ, R̃·V·(S²/(S² + λ))·Vᵀ is the best
//! reconstruction of R̃ from itself under a ridge of λ (Steck, "Autoencoders that don't overfit towards the
//! identity", 2020, without its constraint on the diagonal, which comes to a scale for each track). One vector
//! a track serves both ends of V·Vᵀ, so that a device folds listeners in as with any other factors.

mod lanczos;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::lanczos::{BLOCK, Leading, leading};
use crate::{Diverged, matrix::Matrix};

/// How far popularity is taken out before the decomposition.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Degrees {
    /// b, of listeners, 0 to 1.
    pub listeners: f32,
    /// a, of tracks, 0 to 1.
    pub tracks: f32,
    /// μ, listeners that a track is counted with beyond its own, 0 or more: what few of them say of it is
    /// mostly chance.
    pub beyond: f32,
}

/// What becomes of the singular vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// λ in squares of the least singular value that is kept, 0 or more.
    pub ridge: f32,
    /// e, the power of a track's degree.
    pub popularity: f32,
}

/// The leading singular vectors of the tracks.
#[derive(Clone, Debug)]
pub struct Spectrum {
    dim: usize,
    /// `dim` reals a track: orthonormal columns, and columns of nothing where there are no more.
    vectors: Vec<f32>,
    /// Squares of the singular values, in the order of the columns.
    squares: Vec<f32>,
    /// D_i + μ of each track.
    degrees: Vec<f32>,
}

/// Decomposes pairs, and keeps the last decomposition: many shapes are tried of one.
#[derive(Debug)]
pub struct Spectra<'a> {
    /// Listeners × tracks, and the same transposed.
    pub pairs: (&'a Matrix, &'a Matrix),
    /// Singular vectors that are kept.
    pub dim: usize,
    seed: u64,
    last: Option<(Degrees, Spectrum)>,
}

impl<'a> Spectra<'a> {
    /// None yet.
    pub const fn new(pairs: (&'a Matrix, &'a Matrix), dim: usize, seed: u64) -> Self {
        Self { pairs, dim, seed, last: None }
    }

    /// That of `degrees`. The cost is that of [`Spectrum::of`] where the last one was of others.
    pub fn of(&mut self, degrees: Degrees) -> Result<&Spectrum, Diverged> {
        let Self { pairs, dim, seed, last } = self;
        let known = last.take().filter(|(of, _)| *of == degrees);
        let spectrum = match known {
            Some((_, spectrum)) => spectrum,
            None => Spectrum::of(*pairs, *dim, degrees, *seed)?,
        };
        Ok(&last.insert((degrees, spectrum)).1)
    }
}

impl Spectrum {
    /// Decomposes the pairs. O(pairs·d + tracks·d²), five times over.
    pub fn of(
        (by_user, by_item): (&Matrix, &Matrix),
        dim: usize,
        degrees: Degrees,
        seed: u64,
    ) -> Result<Self, Diverged> {
        let counted = |matrix: &Matrix, beyond: f32| -> Vec<f32> {
            matrix.positives().into_iter().map(|n| n.max(1) as f32 + beyond).collect()
        };
        let taken = |counts: &[f32], power: f32| -> Vec<f32> {
            counts.iter().map(|n| n.powf(-power)).collect()
        };
        let of_each = counted(by_item, degrees.beyond);
        let tracks = taken(&of_each, degrees.tracks);
        let listeners = taken(&counted(by_user, 0.0), degrees.listeners);
        let Leading { values, vectors } = leading(by_item.rows(), dim, seed, |columns| {
            let halfway = times(by_user, columns, (&listeners, &tracks));
            times(by_item, &halfway, (&tracks, &listeners))
        })?;
        Ok(Self { dim, vectors, squares: values, degrees: of_each })
    }

    /// Factors of a mean square length of one, `dim` reals a track.
    pub fn factors(&self, shape: Shape) -> Vec<f32> {
        let Self { dim, vectors, squares, degrees } = self;
        let least = squares.iter().copied().rfind(|&square| square > 0.0).unwrap_or(0.0);
        let ridge = shape.ridge * least;
        let scales: Vec<f32> = squares.iter().map(|&s| kept(s.max(0.0), ridge).sqrt()).collect();
        let rows = vectors.chunks_exact(*dim).zip(degrees);
        let mut factors: Vec<f32> = rows
            .flat_map(|(row, degree)| {
                let popularity = degree.powf(shape.popularity);
                row.iter().zip(&scales).map(move |(x, scale)| x * scale * popularity)
            })
            .collect();
        unit(&mut factors, *dim);
        factors
    }
}

/// What a ridge leaves of a direction along which the pairs have so large a square.
fn kept(square: f32, ridge: f32) -> f32 {
    if ridge > 0.0 { square / (square + ridge) } else { 1.0 }
}

/// Scales `items` to a mean square length of one.
pub fn unit(items: &mut [f32], dim: usize) {
    let squares: f64 = items.iter().map(|&x| f64::from(x).powi(2)).sum();
    let length = (squares * dim as f64 / items.len().max(1) as f64).sqrt() as f32;
    if length > 0.0 {
        items.iter_mut().for_each(|x| *x /= length);
    }
}

/// D·M·E·X for the positive pairs M, diagonal D and E, and [`BLOCK`] reals a row of X.
fn times(matrix: &Matrix, x: &[f32], (d, e): (&[f32], &[f32])) -> Vec<f32> {
    let mut product = vec![0.0; matrix.rows() * BLOCK];
    product.par_chunks_mut(BLOCK).enumerate().for_each(|(row, to)| {
        for (column, pull) in matrix.row(row).iter().filter(|(_, pull)| pull.information > 0.0) {
            let factor = d[row] * e[column] * pull.information;
            let from = &x[column * BLOCK..][..BLOCK];
            to.iter_mut().zip(from).for_each(|(sum, x)| *sum += factor * x);
        }
    });
    product
}
