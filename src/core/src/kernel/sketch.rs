//! A sketch of every row: what bounds its points from above for a quarter of the work.
//!
//! Of a row's codes q the sketch holds the first 15 and the length of the rest, ‖q₁₅…‖, rounded up.
//! For a query t the row has at most Σ_{k<15} qₖtₖ + ‖q₁₅…‖·‖t₁₅…‖ points (Cauchy and Schwarz), and
//! that is an inner product of the sketch with [t₀ … t₁₄, ‖t₁₅…‖]. Components come by falling
//! variance, so the bound is close, and a scan for the best rows need look at a few per cent of them
//! whole (as in FEXIPRO: Li, Chan, Yiu and Mamoulis, 2017). It loses none: bounds are bounds.

use alloc::vec::Vec;
use bytemuck::{Pod, Zeroable};

use crate::linalg::sqrt;

/// Components of a sketch.
pub const SKETCH: usize = 16;
/// Rows that lie side by side.
pub const BLOCK_ROWS: usize = 4;

/// The sketches of four rows, two components of each at a time: one cache line.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Block(pub [i8; BLOCK_ROWS * SKETCH]);

/// The sketches of all rows; the last block is filled up with rows of nothing but zeros.
#[derive(Clone, Debug)]
pub struct Sketch {
    blocks: Vec<Block>,
    /// What a length of one stands for: they are divided by it to fit a byte.
    unit: u16,
}

impl Sketch {
    /// Sketches rows of `stride` codes; `None` where there is no memory for it. O(n·d).
    pub fn new(codes: &[i8], stride: usize) -> Option<Self> {
        let rows = || codes.chunks_exact(stride);
        let longest = rows().map(rest).max().unwrap_or(0);
        let unit = root(longest).div_ceil(i8::MAX as u32).max(1);
        let mut blocks = Vec::new();
        let count = (codes.len() / stride).div_ceil(BLOCK_ROWS);
        blocks.try_reserve_exact(count).ok()?;
        blocks.resize(count, Block::zeroed());
        for (at, row) in rows().enumerate() {
            write(&mut blocks[at / BLOCK_ROWS], at % BLOCK_ROWS, row, unit);
        }
        Some(Self { blocks, unit: unit as u16 })
    }

    /// What a length of one stands for, 1 to 16.
    pub const fn unit(&self) -> u16 {
        self.unit
    }

    /// The sketches, four rows a block.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }
}

/// Writes the sketch of one row into its block. Not inlined: see [`crate::codec::rows`].
#[inline(never)]
fn write(block: &mut Block, side: usize, row: &[i8], unit: u32) {
    let mut put = |component: usize, code: i8| {
        block.0[2 * (component / 2 * BLOCK_ROWS + side) + component % 2] = code;
    };
    row.iter().take(SKETCH - 1).enumerate().for_each(|(k, &code)| put(k, code));
    put(SKETCH - 1, root(rest(row)).div_ceil(unit) as i8);
}

/// The square of the length of the codes that the sketch leaves out.
#[inline(never)]
fn rest(row: &[i8]) -> u32 {
    row.iter().skip(SKETCH - 1).map(|&code| u32::from(code.unsigned_abs()).pow(2)).sum()
}

/// √x, rounded up.
fn root(x: u32) -> u32 {
    let root = sqrt(x.into()) as u32;
    root + u32::from(root * root < x)
}
