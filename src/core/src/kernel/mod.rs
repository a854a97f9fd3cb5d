//! Scoring: int8 rows against a 16-bit query in exact integer arithmetic, and top-k selection.
//!
//! A listener's vector, multiplied by the steps of the factors, is rounded to 16 bits once for each
//! ranking, at an error of 2⁻¹⁶ of its largest component. Products and sums are integers, and it is
//! these integers that are compared, so every target and every order of summation gives the same
//! order.
//!
//! There is one function for each thing to do, in [`scalar`] and in the SIMD of the target; all of
//! them pass the same tests.

mod gram;
mod order;
pub mod scalar;
mod search;
mod sketch;
mod table;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(target_arch = "x86_64")]
mod x86;

use alloc::vec::Vec;

pub(crate) use gram::Gram;
pub use gram::{Pair, TILE_LINES, tile_width};
pub use order::best;
pub use search::{Search, top_each, top_k};
pub use sketch::{BLOCK_ROWS, Block, SKETCH, Sketch};
pub use table::Table;

use crate::{bytes::ALIGN, ids::Row, linalg::sqrt, model::Factors};

#[cfg(target_arch = "x86_64")]
cpufeatures::new!(avx2, "avx2");

/// Defines a function that runs the best version of a kernel that this machine has.
macro_rules! kernel {
    ($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $out:ty) => {
        $(#[$doc])*
        pub fn $name($($arg: $ty),*) -> $out {
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            return wasm::$name($($arg),*);
            #[cfg(target_arch = "x86_64")]
            if avx2::get() {
                // SAFETY: AVX2 was found.
                return unsafe { x86::$name($($arg),*) };
            }
            #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
            scalar::$name($($arg),*)
        }
    };
}

kernel! {
    /// Σ rowᵢ·queryᵢ, exactly, of a multiple of 16 components, at most 256: |sum| ≤ 256 · 127 · 32767
    /// < 2³¹.
    dot(row: &[i8], query: &[i16]) -> i32
}

kernel! {
    /// The first of `blocks` from `from` on in which any row's bound exceeds `threshold`, with the
    /// bounds of its rows.
    seek(blocks: &[Block], query: &[i16; SKETCH], threshold: i32, from: usize)
        -> Option<(usize, [i32; BLOCK_ROWS])>
}

kernel! {
    /// The first group of [`BLOCK_ROWS`] rows of `codes`, each as long as `query`, from `from` on in
    /// which any row has more points than `threshold`, with the points of each.
    reach(codes: &[i8], query: &[i16], threshold: i32, from: usize)
        -> Option<(usize, [i32; BLOCK_ROWS])>
}

kernel! {
    /// Adds Σ `rows[i]`·`weighted[j]` over all pairs of rows to `sums[i·stride + j]`, for the
    /// [`TILE_LINES`] lines i from `first` on and j < [`tile_width`]. Each line of `rows` and
    /// `weighted` holds `stride` components, a multiple of 16, of two rows; no sum may overflow.
    outer(rows: &[Pair], weighted: &[Pair], stride: usize, first: usize, sums: &mut [i32]) -> ()
}

/// Four rows, in chunks of `N` codes.
#[cfg(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128")))]
#[inline(always)]
fn four<const N: usize>(rows: &[i8]) -> [&[[i8; N]]; BLOCK_ROWS] {
    let (ab, cd) = rows.split_at(rows.len() / 2);
    let ((a, b), (c, d)) = (ab.split_at(ab.len() / 2), cd.split_at(cd.len() / 2));
    [a.as_chunks().0, b.as_chunks().0, c.as_chunks().0, d.as_chunks().0]
}

/// Codes of a shard may count up to 2 to this of the steps that others count.
pub const MAX_SHIFT: u32 = 8;

/// The rows of one shard.
#[derive(Clone, Copy, Debug)]
pub struct Shelf<'a> {
    /// The shard's number.
    pub shard: u8,
    /// A code counts 2 to this of the query's steps.
    pub shift: u32,
    /// The rows.
    pub factors: &'a Factors,
}

/// The sign bit of points: without it they order as unsigned numbers do.
const SIGN: u32 = 1 << 31;

/// A listener's vector, rounded for scoring: component = `values` × `scale`.
#[derive(Clone, Debug, Default)]
pub struct Query {
    values: Vec<i16>,
    /// What one point is worth.
    scale: f32,
}

impl Query {
    /// Rounds `taste`, the vector that scores rows of codes that count so many `steps`, to 16 bits, to
    /// nearest. `unit` is the largest of their sketches, and the codes of some rows may count
    /// 2^`shift` steps, at most 2^[`MAX_SHIFT`].
    pub fn set(&mut self, taste: &[f32], steps: &[f32], unit: u16, shift: u32) {
        let stride = steps.len().next_multiple_of(ALIGN);
        // Rounding lengthens the rest by at most √241 / 2 < 8 and the unit is at most 16: what is
        // left of 16 bits is for that.
        const LIMIT: i32 = i16::MAX as i32 - 128;
        // A sum of products that is shifted is to fit 32 bits too.
        let most = (i32::MAX >> shift) / (stride as i32 * i32::from(i8::MAX)) - 1;
        let limit = f64::from(LIMIT.min(most));
        let scaled = || taste.iter().zip(steps).map(|(x, step)| f64::from(*x) * f64::from(*step));
        let rest = sqrt(scaled().skip(SKETCH - 1).map(|x| x * x).sum()) * f64::from(unit);
        let largest = scaled().fold(rest, |m, x| m.max(x.abs()));
        let inverse = if largest > 0.0 { limit / largest } else { 0.0 };
        self.scale = if largest > 0.0 { (largest / limit) as f32 } else { 1.0 / (1 << 18) as f32 };
        self.values.clear();
        self.values.extend(scaled().map(|x| nearest(x * inverse) as i16));
        self.values.resize(stride, 0);
    }

    /// What bounds a row's points, against sketches of this unit, which is at most that of
    /// [`Query::set`].
    fn sketch(&self, unit: u16) -> [i16; SKETCH] {
        let mut sketch = [0; SKETCH];
        let (first, rest) = self.values.split_at(SKETCH - 1);
        sketch[..SKETCH - 1].copy_from_slice(first);
        let square: u64 = rest.iter().map(|&x| u64::from(x.unsigned_abs()).pow(2)).sum();
        let square = square * u64::from(unit).pow(2);
        let root = sqrt(square as f64) as u64;
        let length = root + u64::from(root * root < square);
        // It always fits: see `set`.
        sketch[SKETCH - 1] = i16::try_from(length).unwrap_or(i16::MAX);
        sketch
    }

    /// The points of a row of codes.
    pub fn points(&self, codes: &[i8]) -> i32 {
        dot(codes, &self.values)
    }

    /// The rounded components, one for each code of a row.
    pub fn values(&self) -> &[i16] {
        &self.values
    }

    /// The points that a score is, to nearest; the cast saturates. Without a taste a point is 2⁻¹⁸.
    pub fn points_of(&self, score: f32) -> i32 {
        nearest(f64::from(score) / f64::from(self.scale))
    }

    /// The score that so many points are: the inner product of factor and taste.
    pub fn score(&self, points: i32) -> f32 {
        points as f32 * self.scale
    }
}

/// To nearest, halves away from zero; the cast saturates. Exact for what fits a `f32`.
pub(crate) fn nearest(x: f64) -> i32 {
    (x + 0.5_f64.copysign(x)) as i32
}

/// The points of one row.
pub fn points(factors: &Factors, query: &Query, row: Row) -> i32 {
    query.points(factors.row(row))
}

/// A place in an order: points, and the index that they are for. More points come first, among
/// equal ones the lower index. One word, so that selecting and sorting are of plain numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(u64);

impl Place {
    /// `points` for `index`.
    pub const fn new(points: i32, index: u32) -> Self {
        Self(((points as u32 ^ SIGN) as u64) << u32::BITS | !index as u64)
    }

    /// The points.
    pub const fn points(self) -> i32 {
        ((self.0 >> u32::BITS) as u32 ^ SIGN) as i32
    }

    /// What they are for.
    pub const fn index(self) -> u32 {
        !(self.0 as u32)
    }
}
