//! The kernels in 128-bit SIMD of WebAssembly, which every engine has.

use core::arch::wasm32::{
    i16x8_load_extend_i8x8, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane, i32x4_gt, i32x4_splat,
    v128, v128_any_true, v128_load,
};

use super::{BLOCK_ROWS, Block, SKETCH};

const LANES: usize = 8;

/// As [`super::scalar::dot`]; both are multiples of eight long.
pub fn dot(row: &[i8], query: &[i16]) -> i32 {
    let mut sum = i32x4_splat(0);
    let (rows, queries) = (row.as_chunks::<LANES>().0, query.as_chunks::<LANES>().0);
    for (codes, values) in rows.iter().zip(queries) {
        // SAFETY: both point to as many bytes as are read.
        let (codes, values) =
            unsafe { (i16x8_load_extend_i8x8(codes.as_ptr()), v128_load(values.as_ptr().cast())) };
        sum = i32x4_add(sum, i32x4_dot_i16x8(codes, values));
    }
    let [a, b, c, d] = lanes(sum);
    (a + b) + (c + d)
}

/// As [`super::scalar::seek`].
pub fn seek(
    blocks: &[Block],
    query: &[i16; SKETCH],
    threshold: i32,
    from: usize,
) -> Option<(usize, [i32; BLOCK_ROWS])> {
    let pair = |at: usize| {
        let low = u32::from(query[2 * at] as u16);
        i32x4_splat((u32::from(query[2 * at + 1] as u16) << 16 | low) as i32)
    };
    let pairs: [v128; SKETCH / 2] = core::array::from_fn(pair);
    let threshold = i32x4_splat(threshold);
    for (at, block) in blocks.iter().enumerate().skip(from) {
        let bounds = bounds(block, &pairs);
        if v128_any_true(i32x4_gt(bounds, threshold)) {
            return Some((at, lanes(bounds)));
        }
    }
    None
}

#[inline(always)]
fn bounds(block: &Block, pairs: &[v128; SKETCH / 2]) -> v128 {
    let mut sum = i32x4_splat(0);
    for (codes, pair) in block.0.as_chunks::<LANES>().0.iter().zip(pairs) {
        // SAFETY: it points to as many bytes as are read.
        let codes = unsafe { i16x8_load_extend_i8x8(codes.as_ptr()) };
        sum = i32x4_add(sum, i32x4_dot_i16x8(codes, *pair));
    }
    sum
}

fn lanes(v: v128) -> [i32; BLOCK_ROWS] {
    [
        i32x4_extract_lane::<0>(v),
        i32x4_extract_lane::<1>(v),
        i32x4_extract_lane::<2>(v),
        i32x4_extract_lane::<3>(v),
    ]
}
