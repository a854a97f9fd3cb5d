//! Vectors in registers. The compiler is good at long loops over arrays, and leaves sums in scalars; here
//! each operation is the one instruction that it should be.
//!
//! `FUSED` is true only in what [`super::dense::dispatch`] compiled for AVX2 with FMA and calls where
//! both are there: that is what every `unsafe` here relies on.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehl_ps, _mm_shuffle_ps,
    _mm256_castps256_ps128, _mm256_extractf128_ps, _mm256_fmadd_ps, _mm256_loadu_ps,
    _mm256_storeu_ps,
};

/// Reals of a register.
pub const LANES: usize = 8;

/// As many reals as are worked on at once.
#[derive(Clone, Copy, Debug)]
pub struct Lanes<const FUSED: bool>([f32; LANES]);

impl<const FUSED: bool> Lanes<FUSED> {
    /// The same real in all lanes.
    #[inline(always)]
    pub fn of(x: f32) -> Self {
        Self([x; LANES])
    }

    /// Reads as many reals.
    #[inline(always)]
    pub fn read(from: &[f32; LANES]) -> Self {
        Self(*from)
    }

    /// Writes them.
    #[inline(always)]
    pub fn write(self, to: &mut [f32; LANES]) {
        *to = self.0;
    }

    /// self·b + c.
    #[inline(always)]
    pub fn times_plus(self, b: Self, c: Self) -> Self {
        #[cfg(target_arch = "x86_64")]
        if FUSED {
            // SAFETY: see the head of the module.
            return unsafe {
                Self::from(_mm256_fmadd_ps(self.register(), b.register(), c.register()))
            };
        }
        Self(std::array::from_fn(|at| c.0[at] + self.0[at] * b.0[at]))
    }

    /// The sum over all lanes, by halves.
    #[inline(always)]
    pub fn sum(self) -> f32 {
        #[cfg(target_arch = "x86_64")]
        if FUSED {
            // SAFETY: see the head of the module.
            return unsafe {
                let all = self.register();
                let four = _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps::<1>(all));
                let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
                _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
            };
        }
        let [a, b, c, d, e, f, g, h] = self.0;
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn register(&self) -> __m256 {
        // SAFETY: it points to as many reals as are read; and see the head of the module.
        unsafe { _mm256_loadu_ps(self.0.as_ptr()) }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn from(register: __m256) -> Self {
        let mut lanes = [0.0; LANES];
        // SAFETY: it points to as many reals as are written; and see the head of the module.
        unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), register) };
        Self(lanes)
    }
}

/// a·b.
#[inline(always)]
pub fn dot<const FUSED: bool>(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    // Two sums, so that one need not wait for the other.
    let mut sums = [Lanes::<FUSED>::of(0.0); 2];
    for (a, b) in a.iter().zip(b) {
        let [next, last] = sums;
        sums = [last, Lanes::read(a).times_plus(Lanes::read(b), next)];
    }
    let one = Lanes::of(1.0);
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    sums[0].times_plus(one, sums[1]).sum() + rest
}

/// Adds Σ c·v over `rows`, each as long as `to`.
#[inline(always)]
pub fn add_rows<const FUSED: bool, const N: usize>(rows: [&[f32]; N], c: [f32; N], to: &mut [f32]) {
    add::<FUSED, N>(rows, to, |n, v| (Lanes::of(c[n]), v), |n, v| c[n] * v);
}

/// Adds Σ c·v², component by component.
#[inline(always)]
pub fn add_squares<const FUSED: bool, const N: usize>(
    rows: [&[f32]; N],
    c: [f32; N],
    to: &mut [f32],
) {
    let zero = Lanes::of(0.0);
    add::<FUSED, N>(rows, to, |n, v| (Lanes::of(c[n]).times_plus(v, zero), v), |n, v| c[n] * v * v);
}

/// Adds what `factors` has as two factors of each part of a row, and `rest` as a product where a row ends
/// in less than a register.
#[inline(always)]
fn add<const FUSED: bool, const N: usize>(
    rows: [&[f32]; N],
    to: &mut [f32],
    factors: impl Fn(usize, Lanes<FUSED>) -> (Lanes<FUSED>, Lanes<FUSED>),
    rest: impl Fn(usize, f32) -> f32,
) {
    let (to, to_rest) = to.as_chunks_mut::<LANES>();
    let mut chunks: [&[[f32; LANES]]; N] = [&[]; N];
    for n in 0..N {
        chunks[n] = &rows[n].as_chunks().0[..to.len()];
    }
    for (at, to) in to.iter_mut().enumerate() {
        let mut sum = Lanes::read(to);
        for (n, chunks) in chunks.iter().enumerate() {
            let (a, b) = factors(n, Lanes::read(&chunks[at]));
            sum = a.times_plus(b, sum);
        }
        sum.write(to);
    }
    let done = to.len() * LANES;
    for (at, to) in to_rest.iter_mut().enumerate() {
        for (n, row) in rows.iter().enumerate() {
            *to += rest(n, row[done + at]);
        }
    }
}

/// Asks for `row` to be near when it is read.
#[inline(always)]
pub fn prefetch(row: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in row.chunks(16) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint that every x86-64 has, and reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}
