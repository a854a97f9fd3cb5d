//! Small dense kernels of training, each compiled twice: for every x86-64 and other target, and
//! for AVX2 with FMA, chosen when the trainer starts.
//!
//! Results may differ in the last bits between the two; on one machine they are the same for any
//! number of threads.

/// Which instructions this machine has.
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    avx2: bool,
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

const LANES: usize = 8;

/// a·b + c, fused where that is one instruction.
#[inline(always)]
fn fma<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

#[inline(always)]
fn dot<const FUSED: bool>(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [[0.0_f32; LANES]; 2];
    let (a_pairs, b_pairs) = (a.chunks_exact(2 * LANES), b.chunks_exact(2 * LANES));
    let tail: f32 = a_pairs.remainder().iter().zip(b_pairs.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_pairs.zip(b_pairs) {
        for (at, sum) in lanes.as_flattened_mut().iter_mut().enumerate() {
            *sum = fma::<FUSED>(x[at], y[at], *sum);
        }
    }
    let mut sums = [0.0_f32; LANES];
    for lane in 0..LANES {
        sums[lane] = lanes[0][lane] + lanes[1][lane];
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (c + g)) + ((b + f) + (d + h)) + tail
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

#[inline(always)]
fn add_gram_body<const FUSED: bool>(matrix: &mut [f32], dim: usize, rows: &[f32]) {
    const BLOCK: usize = 4;
    let mut blocks = rows.chunks_exact(BLOCK * dim);
    for block in &mut blocks {
        let (v0, rest) = block.split_at(dim);
        let (v1, rest) = rest.split_at(dim);
        let (v2, v3) = rest.split_at(dim);
        for i in 0..dim {
            // Whole lanes: a few entries above the diagonal are written too, and never read.
            let end = (i + 1).next_multiple_of(LANES).min(dim);
            let to = &mut matrix[i * dim..i * dim + end];
            let (a, b, c, d) = (v0[i], v1[i], v2[i], v3[i]);
            for (j, entry) in to.iter_mut().enumerate() {
                let sum = fma::<FUSED>(a, v0[j], fma::<FUSED>(b, v1[j], *entry));
                *entry = fma::<FUSED>(c, v2[j], fma::<FUSED>(d, v3[j], sum));
            }
        }
    }
    for v in blocks.remainder().chunks_exact(dim) {
        for i in 0..dim {
            let to = &mut matrix[i * dim..=i * dim + i];
            for (entry, &x) in to.iter_mut().zip(v) {
                *entry = fma::<FUSED>(v[i], x, *entry);
            }
        }
    }
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
fn rotate_body<const FUSED: bool>(
    rows: &mut [f32],
    dim: usize,
    basis: &[f32],
    scratch: &mut [f32],
) {
    for row in rows.chunks_exact_mut(dim) {
        for (to, axis) in scratch.iter_mut().zip(basis.chunks_exact(dim)) {
            *to = dot::<FUSED>(row, axis);
        }
        row.copy_from_slice(scratch);
    }
}

dispatch! {
    /// Overwrites each of `rows` (`dim` reals) with its coordinates along the `dim` rows of
    /// `basis`.
    rotate => rotate_body(rows: &mut [f32], dim: usize, basis: &[f32], scratch: &mut [f32])
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
    let mut chunks = logits.chunks_exact(LANES);
    for chunk in &mut chunks {
        lanes.iter_mut().zip(chunk).for_each(|(most, x)| *most = most.max(*x));
    }
    let tail = chunks.remainder().iter().copied().fold(own, f32::max);
    let most = lanes.into_iter().fold(tail, f32::max);
    let mut sums = [0.0; LANES];
    let mut chunks = logits.chunks_exact_mut(LANES);
    for chunk in &mut chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *x = exp::<FUSED>(*x - most);
            *sum += *x;
        }
    }
    let own = exp::<FUSED>(own - most);
    let mut sum = own;
    for x in chunks.into_remainder() {
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
