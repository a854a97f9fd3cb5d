//! The kernels in plain Rust, for any target: what the others must equal.

use super::{BLOCK_ROWS, Block, SKETCH};

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

fn bounds(block: &Block, query: &[i16; SKETCH]) -> [i32; BLOCK_ROWS] {
    let mut bounds = [0; BLOCK_ROWS];
    let pairs = block.0.as_chunks::<2>().0;
    for (at, pair) in pairs.iter().enumerate() {
        let (row, component) = (at % BLOCK_ROWS, at / BLOCK_ROWS * 2);
        bounds[row] += dot(pair, &query[component..component + 2]);
    }
    bounds
}
