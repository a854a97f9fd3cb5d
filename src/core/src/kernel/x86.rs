//! The kernels in AVX2, for trainers and servers.

use core::arch::x86_64::{
    __m128i, __m256i, _mm_add_epi32, _mm_cmpgt_epi32, _mm_loadu_si128, _mm_movemask_epi8,
    _mm_set1_epi32, _mm_storeu_si128, _mm256_add_epi32, _mm256_castsi256_si128,
    _mm256_cvtepi8_epi16, _mm256_extracti128_si256, _mm256_hadd_epi32, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_set_m128i, _mm256_set1_epi32, _mm256_setzero_si256,
    _mm256_storeu_si256,
};

use super::{BLOCK_ROWS, Block, Pair, SKETCH, TILE_LINES, four, tile_width};

const LANES: usize = 16;

/// As [`super::scalar::dot`]; both are multiples of sixteen long.
#[target_feature(enable = "avx2")]
pub fn dot(row: &[i8], query: &[i16]) -> i32 {
    let mut sum = _mm256_setzero_si256();
    let (rows, queries) = (row.as_chunks::<LANES>().0, query.as_chunks::<LANES>().0);
    for (codes, values) in rows.iter().zip(queries) {
        // SAFETY: it points to as many bytes as are read.
        let values = unsafe { _mm256_loadu_si256(values.as_ptr().cast()) };
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(extended(codes), values));
    }
    let [a, b, c, d] = lanes(folded(sum));
    (a + b) + (c + d)
}

/// As [`super::scalar::seek`].
#[target_feature(enable = "avx2")]
pub fn seek(
    blocks: &[Block],
    query: &[i16; SKETCH],
    threshold: i32,
    from: usize,
) -> Option<(usize, [i32; BLOCK_ROWS])> {
    // Two pairs of components to a register, each four times: once for every row of a block.
    let mut pairs = [_mm256_setzero_si256(); SKETCH / 4];
    for (pair, &[a, b, c, d]) in pairs.iter_mut().zip(query.as_chunks::<4>().0) {
        let [low, high] = [bytemuck::cast([a, b]), bytemuck::cast([c, d])];
        *pair = _mm256_set_m128i(_mm_set1_epi32(high), _mm_set1_epi32(low));
    }
    let threshold = _mm_set1_epi32(threshold);
    for (at, block) in blocks.iter().enumerate().skip(from) {
        let mut sum = _mm256_setzero_si256();
        for (codes, pair) in block.0.as_chunks::<LANES>().0.iter().zip(&pairs) {
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(extended(codes), *pair));
        }
        let bounds = folded(sum);
        if _mm_movemask_epi8(_mm_cmpgt_epi32(bounds, threshold)) != 0 {
            return Some((at, lanes(bounds)));
        }
    }
    None
}

/// As [`super::scalar::reach`].
#[target_feature(enable = "avx2")]
pub fn reach(
    codes: &[i8],
    query: &[i16],
    threshold: i32,
    from: usize,
) -> Option<(usize, [i32; BLOCK_ROWS])> {
    let threshold = _mm_set1_epi32(threshold);
    let queries = query.as_chunks::<LANES>().0;
    for (at, rows) in codes.chunks_exact(query.len() * BLOCK_ROWS).enumerate().skip(from) {
        let [a, b, c, d] = four::<LANES>(rows);
        let mut sums = [_mm256_setzero_si256(); BLOCK_ROWS];
        for ((((a, b), c), d), values) in a.iter().zip(b).zip(c).zip(d).zip(queries) {
            // SAFETY: it points to as many bytes as are read.
            let values = unsafe { _mm256_loadu_si256(values.as_ptr().cast()) };
            for (sum, codes) in sums.iter_mut().zip([a, b, c, d]) {
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(extended(codes), values));
            }
        }
        let [a, b, c, d] = sums;
        let points = folded(_mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d)));
        if _mm_movemask_epi8(_mm_cmpgt_epi32(points, threshold)) != 0 {
            return Some((at, lanes(points)));
        }
    }
    None
}

/// As [`super::scalar::outer`].
#[target_feature(enable = "avx2")]
pub fn outer(rows: &[Pair], weighted: &[Pair], stride: usize, first: usize, sums: &mut [i32]) {
    const LANES: usize = 8;
    for at in 0..tile_width(first) / LANES {
        let mut tile = [_mm256_setzero_si256(); TILE_LINES];
        for (row, weighted) in rows.chunks_exact(stride).zip(weighted.chunks_exact(stride)) {
            let pairs = weighted.as_chunks::<LANES>().0[at].as_ptr();
            // SAFETY: it points to as many bytes as are read.
            let pairs = unsafe { _mm256_loadu_si256(pairs.cast()) };
            for (sums, &pair) in tile.iter_mut().zip(&row[first..]) {
                let pair = _mm256_set1_epi32(bytemuck::cast(pair));
                *sums = _mm256_add_epi32(*sums, _mm256_madd_epi16(pairs, pair));
            }
        }
        for (line, tile) in sums.chunks_exact_mut(stride).skip(first).zip(tile) {
            let sums = line.as_chunks_mut::<LANES>().0[at].as_mut_ptr().cast::<__m256i>();
            // SAFETY: there are as many bytes as are read and written.
            unsafe {
                _mm256_storeu_si256(sums, _mm256_add_epi32(_mm256_loadu_si256(sums), tile));
            }
        }
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn extended(codes: &[i8; LANES]) -> __m256i {
    // SAFETY: it points to as many bytes as are read.
    _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128(codes.as_ptr().cast()) })
}

#[target_feature(enable = "avx2")]
#[inline]
fn folded(sum: __m256i) -> __m128i {
    _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum))
}

#[target_feature(enable = "avx2")]
#[inline]
fn lanes(v: __m128i) -> [i32; BLOCK_ROWS] {
    let mut lanes = [0; BLOCK_ROWS];
    // SAFETY: it points to as many bytes as are written.
    unsafe { _mm_storeu_si128(lanes.as_mut_ptr().cast(), v) };
    lanes
}
