//! Small dense kernels of training, each compiled twice: for every x86-64 and other target, and
//! for AVX2 with FMA, chosen when the trainer starts.
//!
//! Results may differ in the last bits between the two; on one machine they are the same for any
//! number of threads.

use super::lanes::{LANES, dot};

/// Which instructions this machine has.
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    pub(super) avx2: bool,
}

impl Cpu {
    /// Looks at the machine.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            Self { avx2: is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            Self { avx2: false }
        }
    }
}

/// Defines `pub fn name(cpu, …)` that runs `body` compiled for the best instructions there are.
macro_rules! dispatch {
    ($(#[$doc:meta])* $name:ident => $body:ident($($arg:ident: $ty:ty),*) $(-> $out:ty)?) => {
        $(#[$doc])*
        pub fn $name(cpu: Cpu, $($arg: $ty),*) $(-> $out)? {
            #[cfg(target_arch = "x86_64")]
            if cpu.avx2 {
                #[target_feature(enable = "avx2,fma")]
                fn fast($($arg: $ty),*) $(-> $out)? {
                    $body::<true>($($arg),*)
                }
                // SAFETY: `Cpu` says AVX2 and FMA only where `detect` has seen them.
                return unsafe { fast($($arg),*) };
            }
            let _ = cpu;
            $body::<false>($($arg),*)
        }
    };
}

pub(super) use dispatch;

/// a·b + c, fused where that is one instruction.
#[inline(always)]
fn fma<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

#[inline(always)]
fn cholesky_solve_body<const FUSED: bool>(matrix: &mut [f32], n: usize, x: &mut [f32]) {
    for i in 0..n {
        let (done, rest) = matrix.split_at_mut(i * n);
        let row = &mut rest[..n];
        for j in 0..i {
            let other = &done[j * n..j * n + n];
            row[j] = (row[j] - dot::<FUSED>(&row[..j], &other[..j])) * other[j];
        }
        let pivot = row[i] - dot::<FUSED>(&row[..i], &row[..i]);
        // The diagonal keeps the reciprocal of the factor's own.
        row[i] = 1.0 / pivot.max(row[i].abs() * 1e-7).max(f32::MIN_POSITIVE).sqrt();
        x[i] = (x[i] - dot::<FUSED>(&row[..i], &x[..i])) * row[i];
    }
    for i in (0..n).rev() {
        let row = &matrix[i * n..i * n + i + 1];
        let value = x[i] * row[i];
        x[i] = value;
        for j in 0..i {
            x[j] = fma::<FUSED>(-value, row[j], x[j]);
        }
    }
}

dispatch! {
    /// Overwrites `x` = b with the solution of A·x = b, and the lower triangle of the row-major
    /// symmetric positive definite `matrix` = A (n × n) with its Cholesky factor, whose diagonal is
    /// kept inverted. O(n³/6).
    cholesky_solve => cholesky_solve_body(matrix: &mut [f32], n: usize, x: &mut [f32])
}

/// Rows of a tile: with two registers a row, as many as leave room for what is multiplied.
const TALL: usize = 6;
const WIDE: usize = 2 * LANES;

/// Σ_k a(k)·b(k)ᵀ for `R` × `W` of the entries of a product, which stay in registers throughout.
#[inline(always)]
fn tile<'a, const FUSED: bool, const R: usize, const W: usize>(
    terms: impl Iterator<Item = ([f32; R], &'a [f32; W])>,
) -> [[f32; W]; R] {
    let mut sums = [[0.0; W]; R];
    for (a, b) in terms {
        for (sum, a) in sums.iter_mut().zip(a) {
            for (sum, b) in sum.iter_mut().zip(b) {
                *sum = fma::<FUSED>(a, *b, *sum);
            }
        }
    }
    sums
}

/// `W` reals of a row from `at` on.
#[inline(always)]
fn part<const W: usize>(row: &[f32], at: usize) -> &[f32; W] {
    let Some(part) = row[at..].first_chunk() else { unreachable!("a tile lies within its rows") };
    part
}

#[inline(always)]
fn add_gram_body<const FUSED: bool>(matrix: &mut [f32], dim: usize, rows: &[f32]) {
    let tall = dim - dim % TALL;
    for i in (0..tall).step_by(TALL) {
        add_gram_rows::<FUSED, TALL>(matrix, dim, rows, i);
    }
    for i in tall..dim {
        add_gram_rows::<FUSED, 1>(matrix, dim, rows, i);
    }
}

/// `R` rows of the Gram matrix from `i` on, up to the diagonal and a little beyond.
#[inline(always)]
fn add_gram_rows<const FUSED: bool, const R: usize>(
    matrix: &mut [f32],
    dim: usize,
    rows: &[f32],
    i: usize,
) {
    let mut j = 0;
    while j < i + R {
        j += match dim - j {
            WIDE.. => add_gram_tile::<FUSED, R, WIDE>(matrix, dim, rows, (i, j)),
            LANES.. => add_gram_tile::<FUSED, R, LANES>(matrix, dim, rows, (i, j)),
            _ => add_gram_tile::<FUSED, R, 1>(matrix, dim, rows, (i, j)),
        };
    }
}

#[inline(always)]
fn add_gram_tile<const FUSED: bool, const R: usize, const W: usize>(
    matrix: &mut [f32],
    dim: usize,
    rows: &[f32],
    (i, j): (usize, usize),
) -> usize {
    let terms = rows.chunks_exact(dim).map(|row| (*part::<R>(row, i), part::<W>(row, j)));
    let sums = tile::<FUSED, R, W>(terms);
    for (to, sums) in matrix[i * dim..].chunks_exact_mut(dim).zip(&sums) {
        to[j..j + W].iter_mut().zip(sums).for_each(|(to, sum)| *to += sum);
    }
    W
}

dispatch! {
    /// Adds Σ vvᵀ over `rows` (`dim` reals each) to the lower triangle of the row-major `matrix`.
    add_gram => add_gram_body(matrix: &mut [f32], dim: usize, rows: &[f32])
}

#[inline(always)]
fn outer_products_body<const FUSED: bool>(matrix: &mut [f32], dim: usize, rows: &[f32]) {
    let n = rows.len() / dim;
    for i in 0..n {
        let a = &rows[i * dim..(i + 1) * dim];
        for j in 0..=i {
            matrix[i * n + j] = dot::<FUSED>(a, &rows[j * dim..(j + 1) * dim]);
        }
    }
}

dispatch! {
    /// Sets the lower triangle of the row-major n × n `matrix` to the inner products of the n
    /// `rows` (`dim` reals each).
    outer_products => outer_products_body(matrix: &mut [f32], dim: usize, rows: &[f32])
}

#[inline(always)]
fn multiply_body<const FUSED: bool>(rows: &mut [f32], dim: usize, by: &[f32], from: &mut Vec<f32>) {
    from.clear();
    from.extend_from_slice(rows);
    let mut to = rows.chunks_exact_mut(TALL * dim);
    let mut from = from.chunks_exact(TALL * dim);
    for (to, from) in (&mut to).zip(&mut from) {
        multiply_rows::<FUSED, TALL>(to, from, dim, by);
    }
    let to = to.into_remainder().chunks_exact_mut(dim);
    for (to, from) in to.zip(from.remainder().chunks_exact(dim)) {
        multiply_rows::<FUSED, 1>(to, from, dim, by);
    }
}

#[inline(always)]
fn multiply_rows<const FUSED: bool, const R: usize>(
    to: &mut [f32],
    from: &[f32],
    dim: usize,
    by: &[f32],
) {
    let mut j = 0;
    while j < dim {
        j += match dim - j {
            WIDE.. => multiply_tile::<FUSED, R, WIDE>(to, from, by, j),
            LANES.. => multiply_tile::<FUSED, R, LANES>(to, from, by, j),
            _ => multiply_tile::<FUSED, R, 1>(to, from, by, j),
        };
    }
}

#[inline(always)]
fn multiply_tile<const FUSED: bool, const R: usize, const W: usize>(
    to: &mut [f32],
    from: &[f32],
    by: &[f32],
    j: usize,
) -> usize {
    let dim = from.len() / R;
    let rows: [&[f32]; R] = std::array::from_fn(|r| &from[r * dim..(r + 1) * dim]);
    let terms = by.chunks_exact(dim).enumerate();
    let sums = tile::<FUSED, R, W>(terms.map(|(k, b)| (rows.map(|row| row[k]), part(b, j))));
    for (to, sums) in to.chunks_exact_mut(dim).zip(&sums) {
        to[j..j + W].copy_from_slice(sums);
    }
    W
}

dispatch! {
    /// Overwrites each of `rows` (`dim` reals) with its product with the `dim` × `dim` matrix `by`.
    multiply => multiply_body(rows: &mut [f32], dim: usize, by: &[f32], scratch: &mut Vec<f32>)
}

/// e^x of x up to 0 in 2 units of the last place or so; 0 below −87.
#[inline(always)]
fn exp<const FUSED: bool>(x: f32) -> f32 {
    // Cody and Waite's reduction to |r| ≤ ln 2 / 2, and the series to r⁶ (error 2e-8).
    const MAGIC: f32 = 12_582_912.0;
    let x = x.max(-87.0);
    let shifted = fma::<FUSED>(x, std::f32::consts::LOG2_E, MAGIC);
    let n = shifted - MAGIC;
    let r = fma::<FUSED>(n, -std::f32::consts::LN_2, x);
    let mut sum = 1.0 / 720.0;
    for term in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = fma::<FUSED>(sum, r, term);
    }
    f32::from_bits(sum.to_bits().wrapping_add(shifted.to_bits() << 23))
}

#[inline(always)]
fn softmax_beside_body<const FUSED: bool>(logits: &mut [f32], own: f32) -> f32 {
    let mut lanes = [own; LANES];
    let (chunks, tail) = logits.as_chunks::<LANES>();
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(most, x)| *most = most.max(*x));
    }
    let tail = tail.iter().copied().fold(own, f32::max);
    let most = lanes.into_iter().fold(tail, f32::max);
    let mut sums = [0.0; LANES];
    let (chunks, tail) = logits.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *x = exp::<FUSED>(*x - most);
            *sum += *x;
        }
    }
    let own = exp::<FUSED>(own - most);
    let mut sum = own;
    for x in tail {
        *x = exp::<FUSED>(*x - most);
        sum += *x;
    }
    let scale = 1.0 / sums.into_iter().fold(sum, |sum, x| sum + x);
    logits.iter_mut().for_each(|x| *x *= scale);
    own * scale
}

dispatch! {
    /// Overwrites `logits` with their shares of the softmax of them and `own`, and returns the share
    /// of `own`. O(n).
    softmax_beside => softmax_beside_body(logits: &mut [f32], own: f32) -> f32
}
