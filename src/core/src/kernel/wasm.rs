//! The kernels in 128-bit SIMD of WebAssembly, which every engine has.

use core::arch::wasm32::{
    i16x8_load_extend_i8x8, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane, i32x4_gt,
    i32x4_shuffle, i32x4_splat, v128, v128_any_true, v128_load, v128_store,
};

use super::{BLOCK_ROWS, Block, Pair, SKETCH, TILE_LINES, four, tile_width};

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

/// As [`super::scalar::reach`].
pub fn reach(
    codes: &[i8],
    query: &[i16],
    threshold: i32,
    from: usize,
) -> Option<(usize, [i32; BLOCK_ROWS])> {
    let threshold = i32x4_splat(threshold);
    let queries = query.as_chunks::<LANES>().0;
    for (at, rows) in codes.chunks_exact(query.len() * BLOCK_ROWS).enumerate().skip(from) {
        let [a, b, c, d] = four::<LANES>(rows);
        let mut sums = [i32x4_splat(0); BLOCK_ROWS];
        for ((((a, b), c), d), values) in a.iter().zip(b).zip(c).zip(d).zip(queries) {
            // SAFETY: it points to as many bytes as are read.
            let values = unsafe { v128_load(values.as_ptr().cast()) };
            for (sum, codes) in sums.iter_mut().zip([a, b, c, d]) {
                // SAFETY: it points to as many bytes as are read.
                let codes = unsafe { i16x8_load_extend_i8x8(codes.as_ptr()) };
                *sum = i32x4_add(*sum, i32x4_dot_i16x8(codes, values));
            }
        }
        let points = totals(sums);
        if v128_any_true(i32x4_gt(points, threshold)) {
            return Some((at, lanes(points)));
        }
    }
    None
}

/// The sums of the lanes of each.
#[inline(always)]
fn totals([a, b, c, d]: [v128; BLOCK_ROWS]) -> v128 {
    let two =
        |a, b| i32x4_add(i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b));
    let (ab, cd) = (two(a, b), two(c, d));
    i32x4_add(i32x4_shuffle::<0, 1, 4, 5>(ab, cd), i32x4_shuffle::<2, 3, 6, 7>(ab, cd))
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

/// As [`super::scalar::outer`].
pub fn outer(rows: &[Pair], weighted: &[Pair], stride: usize, first: usize, sums: &mut [i32]) {
    for at in 0..tile_width(first) / LANES {
        let mut tile = [[i32x4_splat(0); 2]; TILE_LINES];
        for (row, weighted) in rows.chunks_exact(stride).zip(weighted.chunks_exact(stride)) {
            let pairs = weighted.as_chunks::<LANES>().0[at].as_ptr().cast::<v128>();
            // SAFETY: there are as many bytes as are read.
            let (low, high) = unsafe { (v128_load(pairs), v128_load(pairs.add(1))) };
            for (sums, &pair) in tile.iter_mut().zip(&row[first..]) {
                let pair = i32x4_splat(bytemuck::cast(pair));
                sums[0] = i32x4_add(sums[0], i32x4_dot_i16x8(low, pair));
                sums[1] = i32x4_add(sums[1], i32x4_dot_i16x8(high, pair));
            }
        }
        for (line, tile) in sums.chunks_exact_mut(stride).skip(first).zip(tile) {
            let sums = line.as_chunks_mut::<LANES>().0[at].as_mut_ptr().cast::<v128>();
            // SAFETY: there are as many bytes as are read and written.
            unsafe {
                v128_store(sums, i32x4_add(v128_load(sums), tile[0]));
                v128_store(sums.add(1), i32x4_add(v128_load(sums.add(1)), tile[1]));
            }
        }
    }
}

fn lanes(v: v128) -> [i32; BLOCK_ROWS] {
    [
        i32x4_extract_lane::<0>(v),
        i32x4_extract_lane::<1>(v),
        i32x4_extract_lane::<2>(v),
        i32x4_extract_lane::<3>(v),
    ]
}
