//! Spectral factors: the leading singular vectors of the pairs, with popularity taken out of both
//! sides to a degree.
//!
//! Of R̃ = D_u^(−b)·R·D_i^(−a), with D the degrees of listeners and tracks, the tracks' side of the
//! truncated decomposition is V·S. A track's factor is D_i^e·V·S^f: PureSVD (Cremonesi, Koren and
//! Turrin, 2010) for a = b = e = 0, and the linear autoencoders of degree-normalised graphs
//! elsewhere. One vector a track serves both ends of R·V·Vᵀ, so that a device folds listeners in as
//! with any other factors.
//!
//! By subspace iteration from a random start (Halko, Martinsson and Tropp, 2011).

use rayon::prelude::*;
use segue_core::rng::SplitMix64;

use crate::{
    Diverged,
    als::{dense::Cpu, eigen_of, normal, rotated},
    matrix::Matrix,
};

/// How far popularity is taken out before the decomposition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Degrees {
    /// b, of listeners, 0 to 1.
    pub listeners: f32,
    /// a, of tracks, 0 to 1.
    pub tracks: f32,
}

/// What becomes of the singular vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shape {
    /// f, the power of the singular values.
    pub filter: f32,
    /// e, the power of a track's popularity.
    pub popularity: f32,
}

/// The leading singular vectors of the tracks.
#[derive(Clone, Debug)]
pub struct Spectrum {
    dim: usize,
    /// `dim` reals a track, orthonormal columns.
    vectors: Vec<f32>,
    /// Squares of the singular values, in the order of the columns.
    squares: Vec<f32>,
    /// Listeners of each track.
    plays: Vec<usize>,
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

/// More directions than are kept make the last ones sure.
const BESIDE: usize = 8;
const ITERATIONS: usize = 6;

impl Spectrum {
    /// Decomposes the pairs. O(iterations · (pairs·d + tracks·d²)).
    pub fn of(
        (by_user, by_item): (&Matrix, &Matrix),
        dim: usize,
        degrees: Degrees,
        seed: u64,
    ) -> Result<Self, Diverged> {
        let cpu = Cpu::detect();
        let plays = by_item.positives();
        let taken = |counts: &[usize], power: f32| -> Vec<f32> {
            counts.iter().map(|&n| (n.max(1) as f32).powf(-power)).collect()
        };
        let of_tracks = taken(&plays, degrees.tracks);
        let of_listeners = taken(&by_user.positives(), degrees.listeners);
        let wide = dim + BESIDE;
        let mut rng = SplitMix64::new(seed);
        let mut vectors: Vec<f32> =
            (0..by_item.rows() * wide).map(|_| normal(&mut rng) as f32).collect();
        let mut squares = Vec::new();
        for _ in 0..ITERATIONS {
            orthonormalise(cpu, &mut vectors, wide)?;
            let listeners = times(by_user, &vectors, wide, (&of_listeners, &of_tracks));
            // The axes along which what the listeners have is uncorrelated: Rayleigh and Ritz.
            let (values, axes) = eigen_of(cpu, &listeners, wide).ok_or(Diverged)?;
            let listeners = rotated(cpu, &listeners, wide, &axes);
            squares = values;
            vectors = times(by_item, &listeners, wide, (&of_tracks, &of_listeners));
        }
        // Rᵀ·(R·v) is as long as the square of the singular value.
        let lengths: Vec<f32> = squares.iter().map(|s| s * s).collect();
        orthonormal_columns(&mut vectors, wide, &lengths);
        let narrow = vectors.chunks_exact(wide).flat_map(|row| &row[..dim]).copied().collect();
        squares.truncate(dim);
        Ok(Self { dim, vectors: narrow, squares, plays })
    }

    /// Factors of a mean square length of one, `dim` reals a track.
    pub fn factors(&self, shape: Shape) -> Vec<f32> {
        let Self { dim, vectors, squares, plays } = self;
        let scales: Vec<f32> =
            squares.iter().map(|s| s.max(0.0).powf(shape.filter / 2.0)).collect();
        let rows = vectors.chunks_exact(*dim).zip(plays);
        let mut factors: Vec<f32> = rows
            .flat_map(|(row, &plays)| {
                let popularity = (plays.max(1) as f32).powf(shape.popularity);
                row.iter().zip(&scales).map(move |(x, scale)| x * scale * popularity)
            })
            .collect();
        unit(&mut factors, *dim);
        factors
    }
}

/// Scales `items` to a mean square length of one.
pub fn unit(items: &mut [f32], dim: usize) {
    let squares: f64 = items.iter().map(|&x| f64::from(x).powi(2)).sum();
    let length = (squares * dim as f64 / items.len().max(1) as f64).sqrt() as f32;
    if length > 0.0 {
        items.iter_mut().for_each(|x| *x /= length);
    }
}

/// D·M·E·X for the positive pairs M, diagonal D and E, and `dim` reals a row of X.
fn times(matrix: &Matrix, x: &[f32], dim: usize, (d, e): (&[f32], &[f32])) -> Vec<f32> {
    let mut product = vec![0.0; matrix.rows() * dim];
    product.par_chunks_mut(dim).enumerate().for_each(|(row, to)| {
        for (column, pull) in matrix.row(row).iter().filter(|(_, pull)| pull.information > 0.0) {
            let factor = d[row] * e[column] * pull.information;
            let from = &x[column * dim..][..dim];
            to.iter_mut().zip(from).for_each(|(sum, x)| *sum += factor * x);
        }
    });
    product
}

/// An orthonormal basis of the columns, by the eigenvectors of their Gram matrix.
fn orthonormalise(cpu: Cpu, columns: &mut Vec<f32>, dim: usize) -> Result<(), Diverged> {
    // Twice: the first leaves what rounding does to columns that are almost the same.
    for _ in 0..2 {
        let (values, axes) = eigen_of(cpu, columns, dim).ok_or(Diverged)?;
        *columns = rotated(cpu, columns, dim, &axes);
        orthonormal_columns(columns, dim, &values);
    }
    Ok(())
}

/// Divides orthogonal columns by the roots of `squares`; those of next to nothing become nothing.
fn orthonormal_columns(columns: &mut [f32], dim: usize, squares: &[f32]) {
    let least = squares.iter().copied().fold(0.0, f32::max) * 1e-14;
    let scales: Vec<f32> =
        squares.iter().map(|&s| if s > least { 1.0 / s.sqrt() } else { 0.0 }).collect();
    for row in columns.chunks_exact_mut(dim) {
        row.iter_mut().zip(&scales).for_each(|(x, scale)| *x *= scale);
    }
}
