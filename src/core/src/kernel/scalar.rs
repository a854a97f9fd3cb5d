//! The kernels in plain Rust, for any target: what the others must equal.

use super::{BLOCK_ROWS, Block, Pair, SKETCH, TILE_LINES, tile_width};

/// Σ rowᵢ·queryᵢ.
pub fn dot(row: &[i8], query: &[i16]) -> i32 {
    row.iter().zip(query).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}

/// The first block from `from` on in which any row's bound exceeds `threshold`, with the bounds.
pub fn seek(
    blocks: &[Block],
    query: &[i16; SKETCH],
    threshold: i32,
    from: usize,
) -> Option<(usize, [i32; BLOCK_ROWS])> {
    blocks.iter().enumerate().skip(from).find_map(|(at, block)| {
        let bounds = bounds(block, query);
        bounds.iter().any(|&bound| bound > threshold).then_some((at, bounds))
    })
}

/// The first group of [`BLOCK_ROWS`] rows from `from` on in which any row has more points than
/// `threshold`, with the points of each.
pub fn reach(
    codes: &[i8],
    query: &[i16],
    threshold: i32,
    from: usize,
) -> Option<(usize, [i32; BLOCK_ROWS])> {
    let groups = codes.chunks_exact(query.len() * BLOCK_ROWS).enumerate();
    groups.skip(from).find_map(|(at, rows)| {
        let points = core::array::from_fn(|row| dot(&rows[row * query.len()..], query));
        points.iter().any(|&points| points > threshold).then_some((at, points))
    })
}

fn bounds(block: &Block, query: &[i16; SKETCH]) -> [i32; BLOCK_ROWS] {
    let mut bounds = [0; BLOCK_ROWS];
    let pairs = block.0.as_chunks::<2>().0;
    for (at, pair) in pairs.iter().enumerate() {
        let (row, component) = (at % BLOCK_ROWS, at / BLOCK_ROWS * 2);
        bounds[row] += dot(pair, &query[component..component + 2]);
    }
    bounds
}

/// `sums[i·stride + j]` += Σ `rows[i]·weighted[j]` over all pairs of rows, for the [`TILE_LINES`] lines
/// i from `first` on and the j of their tiles.
pub fn outer(rows: &[Pair], weighted: &[Pair], stride: usize, first: usize, sums: &mut [i32]) {
    for i in first..first + TILE_LINES {
        let line = &mut sums[i * stride..][..tile_width(first)];
        for (row, weighted) in rows.chunks_exact(stride).zip(weighted.chunks_exact(stride)) {
            let [a, b] = row[i].map(i32::from);
            for (sum, &[c, d]) in line.iter_mut().zip(weighted) {
                *sum += a * i32::from(c) + b * i32::from(d);
            }
        }
    }
}
