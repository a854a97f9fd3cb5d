//! Small dense linear algebra for the session: packed symmetric systems of up to 256 unknowns.
//!
//! A symmetric matrix is its lower triangle by rows, d(d+1)/2 numbers: entry (i, j ≤ i) stands at
//! i(i+1)/2 + j. All sums run in one stated order and nothing is fused, so that every target
//! computes the same bits.

use alloc::{vec, vec::Vec};

/// Numbers in the packed lower triangle of a `dim` × `dim` matrix.
pub const fn packed_len(dim: usize) -> usize {
    dim * (dim + 1) / 2
}

/// Lanes of [`dot`]; the order of its sums depends on nothing else.
const LANES: usize = 8;

/// The least share of its diagonal entry that a pivot keeps.
const FLOOR: f32 = 1e-7;

/// x^y of x from 0 up; what little it errs by, it errs by on every target.
pub fn power(x: f32, y: f32) -> f32 {
    libm::exp2f(y * libm::log2f(x.max(f32::MIN_POSITIVE)))
}

/// √x, to nearest on every target; of a `f32` too, once it is rounded to one. The whole part is that of
/// the root of an integer below 2⁵².
#[inline]
pub fn sqrt(x: f64) -> f64 {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    {
        use core::arch::wasm32::{f64x2_extract_lane, f64x2_splat, f64x2_sqrt};
        f64x2_extract_lane::<0>(f64x2_sqrt(f64x2_splat(x)))
    }
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    libm::sqrt(x)
}

/// Σ aᵢbᵢ over the shorter length: eight interleaved partial sums, added pairwise. A function of its
/// own wherever it is called: it is long enough, and a page has to load it but once.
#[inline(never)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a_chunks, a_tail), (b_chunks, b_tail)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let tail: f32 = a_tail.iter().zip(b_tail).map(|(x, y)| x * y).sum();
    let [a, b, c, d] = halves(a_chunks, b_chunks);
    ((a + c) + (b + d)) + tail
}

/// Of the eight partial sums each of the first four with the one four after it.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[inline(always)]
fn halves(a: &[[f32; LANES]], b: &[[f32; LANES]]) -> [f32; LANES / 2] {
    let mut lanes = [0.0_f32; LANES];
    for (x, y) in a.iter().zip(b) {
        for lane in 0..LANES {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    [a + e, b + f, c + g, d + h]
}

/// The same in vectors, which the compiler does not find in it for this target.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[inline(always)]
fn halves(a: &[[f32; LANES]], b: &[[f32; LANES]]) -> [f32; LANES / 2] {
    use core::arch::wasm32::{
        f32x4_add, f32x4_extract_lane as lane, f32x4_mul, f32x4_splat, v128_load,
    };
    let mut lanes = [f32x4_splat(0.0); 2];
    for (x, y) in a.iter().zip(b) {
        for (half, sum) in lanes.iter_mut().enumerate() {
            let at = half * LANES / 2;
            // SAFETY: both point to four numbers of the eight.
            let (x, y) = unsafe {
                (v128_load(x.as_ptr().add(at).cast()), v128_load(y.as_ptr().add(at).cast()))
            };
            *sum = f32x4_add(*sum, f32x4_mul(x, y));
        }
    }
    let sums = f32x4_add(lanes[0], lanes[1]);
    [lane::<0>(sums), lane::<1>(sums), lane::<2>(sums), lane::<3>(sums)]
}

/// A += w·v·vᵀ on the packed triangle. O(d²).
pub fn add_outer(packed: &mut [f32], weight: f32, v: &[f32]) {
    let mut rest = packed;
    for i in 0..v.len() {
        let (row, tail) = rest.split_at_mut(i + 1);
        let factor = weight * v[i];
        for (entry, &x) in row.iter_mut().zip(v) {
            *entry += factor * x;
        }
        rest = tail;
    }
}

/// A += r·I on the packed triangle. O(d).
pub fn add_diagonal(packed: &mut [f32], dim: usize, ridge: f32) {
    for i in 0..dim {
        packed[packed_len(i) + i] += ridge;
    }
}

/// y = A·x for the packed triangle of a symmetric A. O(d²).
pub fn multiply(packed: &[f32], x: &[f32]) -> Vec<f32> {
    let mut y = vec![0.0_f32; x.len()];
    for i in 0..x.len() {
        let row = &packed[packed_len(i)..packed_len(i) + i + 1];
        y[i] += dot(row, &x[..=i]);
        for j in 0..i {
            y[j] += row[j] * x[i];
        }
    }
    y
}

/// The Cholesky factor L of a symmetric positive definite A = L·Lᵀ, packed.
///
/// A pivot that rounding has driven below 10⁻⁷ of its own diagonal entry is lifted to that, as in
/// Gill and Murray's modified factorisation, so that the solve never fails.
#[derive(Clone, Debug, Default)]
pub struct Cholesky {
    factor: Vec<f32>,
    inverse_diagonal: Vec<f32>,
}

impl Cholesky {
    /// Factors the A whose packed triangle `fill` writes, in the memory of the last one. O(d³/6).
    ///
    /// Returns the smallest share of its own diagonal entry that any pivot kept: how far A is from
    /// singular, at most 1; zero or less where A is not positive definite.
    pub fn factor(&mut self, dim: usize, fill: impl FnOnce(&mut Vec<f32>)) -> f32 {
        fill(&mut self.factor);
        self.inverse_diagonal.clear();
        let mut smallest = 1.0_f32;
        for i in 0..dim {
            let (done, rest) = self.factor.split_at_mut(packed_len(i));
            let row = &mut rest[..=i];
            for j in 0..i {
                let other = &done[packed_len(j)..packed_len(j) + j];
                row[j] = (row[j] - dot(&row[..j], other)) * self.inverse_diagonal[j];
            }
            let original = row[i];
            let pivot = original - dot(&row[..i], &row[..i]);
            let share = pivot / original;
            // Not `min`, which would pass over what is not a number.
            smallest = if share >= smallest { smallest } else { share };
            let pivot = pivot.max(original.abs() * FLOOR).max(f32::MIN_POSITIVE);
            row[i] = sqrt(pivot.into()) as f32;
            self.inverse_diagonal.push(1.0 / row[i]);
        }
        smallest
    }

    /// Overwrites `x` = b with the solution of A·x = b. O(d²).
    pub fn solve(&self, x: &mut [f32]) {
        for i in 0..x.len() {
            let row = &self.factor[packed_len(i)..packed_len(i) + i];
            x[i] = (x[i] - dot(row, &x[..i])) * self.inverse_diagonal[i];
        }
        self.solve_transposed(x);
    }

    /// Overwrites `x` = b with the solution of Lᵀ·x = b: of independent standard normals it makes a draw from
    /// N(0, A⁻¹). O(d²/2).
    #[inline(never)]
    pub fn solve_transposed(&self, x: &mut [f32]) {
        for i in (0..x.len()).rev() {
            x[i] *= self.inverse_diagonal[i];
            let (head, tail) = x.split_at_mut(i);
            let row = &self.factor[packed_len(i)..packed_len(i) + i];
            for (value, entry) in head.iter_mut().zip(row) {
                *value -= entry * tail[0];
            }
        }
    }
}
