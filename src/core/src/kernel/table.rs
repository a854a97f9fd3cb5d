//! Rows of codes as scans want them: each distinct row once, the longest first.
//!
//! Coarse codes make many rows of a catalogue equal, and equal rows have equal points. So a scan
//! scores each distinct row once, and names all that are equal to it. Long rows tend to have many
//! points: a scan that meets them first has a threshold early that rules most others out (as in
//! LEMP: Teflioudi, Gemulla and Mykytiuk, 2015).

use alloc::vec::Vec;
use bytemuck::{Pod, Zeroable};

use super::{BLOCK_ROWS, Sketch, gram::Gram};
use crate::{codec::rows::Distinct, linalg::sqrt};

/// A cache line of codes.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([i8; 64]);

/// The end of a list of equal rows.
const END: u32 = u32::MAX;

/// A table of codes.
#[derive(Clone, Debug)]
pub struct Table {
    stride: usize,
    /// The distinct rows, one every `stride` codes, and zeros up to a multiple of [`BLOCK_ROWS`] rows.
    lines: Vec<Line>,
    sketch: Sketch,
    /// The place of each row among the distinct ones.
    place_of: Vec<u32>,
    /// The first row at each place.
    first: Vec<u32>,
    /// For each row the next one that is equal to it, or [`END`].
    next: Vec<u32>,
}

impl Table {
    /// Lays out rows of `dim` codes at a distance of `stride`; `None` where there is no memory for
    /// it. O(n·d).
    pub fn new(rows: Distinct, dim: usize, stride: usize) -> Option<Self> {
        let distinct = rows.codes.len() / dim;
        let place = by_length(&rows.codes, dim)?;
        let padded = distinct.next_multiple_of(BLOCK_ROWS) * stride;
        let mut lines = filled(Line::zeroed(), padded.div_ceil(size_of::<Line>()))?;
        let codes: &mut [i8] = bytemuck::cast_slice_mut(&mut lines);
        for (row, &place) in rows.codes.chunks_exact(dim).zip(&place) {
            codes[place as usize * stride..][..dim].copy_from_slice(row);
        }
        let sketch = Sketch::new(&codes[..distinct * stride], stride)?;
        let mut place_of = rows.of;
        place_of.iter_mut().for_each(|of| *of = place[*of as usize]);
        let mut first = filled(END, distinct)?;
        let mut next = filled(END, place_of.len())?;
        // Backwards, so that lists ascend.
        for (row, &place) in place_of.iter().enumerate().rev() {
            next[row] = core::mem::replace(&mut first[place as usize], row as u32);
        }
        Some(Self { stride, lines, sketch, place_of, first, next })
    }

    /// Number of rows.
    pub const fn rows(&self) -> usize {
        self.place_of.len()
    }

    /// Number of distinct rows.
    pub const fn distinct(&self) -> usize {
        self.first.len()
    }

    /// Codes from one row to the next.
    pub const fn stride(&self) -> usize {
        self.stride
    }

    /// The codes of one row; panics where there is no such row.
    pub fn row(&self, row: usize) -> &[i8] {
        self.at(self.place_of[row] as usize)
    }

    /// The place of a row; panics where there is no such row.
    pub(crate) fn place(&self, row: usize) -> usize {
        self.place_of[row] as usize
    }

    /// The codes at a place.
    pub fn at(&self, place: usize) -> &[i8] {
        &bytemuck::cast_slice(&self.lines)[place * self.stride..][..self.stride]
    }

    /// The codes from one place to another, up to a multiple of [`BLOCK_ROWS`].
    pub fn between(&self, first: usize, end: usize) -> &[i8] {
        &bytemuck::cast_slice(&self.lines)[first * self.stride..end * self.stride]
    }

    /// The length of the codes at a place, rounded down: the place after it has none that is
    /// longer.
    pub fn length_at(&self, place: usize) -> u32 {
        length(self.at(place))
    }

    /// The rows at a place, ascending.
    pub fn rows_at(&self, place: usize) -> impl Iterator<Item = u32> {
        let known = |row: u32| (row != END).then_some(row);
        core::iter::successors(known(self.first[place]), move |&row| known(self.next[row as usize]))
    }

    /// What bounds the points at each place.
    pub const fn sketch(&self) -> &Sketch {
        &self.sketch
    }

    /// Σ qqᵀ over all rows, the packed lower triangle of the first `dim` components. O(n + m·d²/2)
    /// for m distinct rows.
    pub fn gram(&self, dim: usize) -> Vec<i64> {
        let mut counts = alloc::vec![0; self.distinct()];
        self.place_of.iter().for_each(|&place| counts[place as usize] += 1);
        let mut gram = Gram::new(self.stride);
        (0..).zip(counts).for_each(|(place, count)| gram.add(self.at(place), count));
        gram.finish(dim)
    }
}

/// The place of each row in the order of their lengths, rounded down, the longest first.
fn by_length(codes: &[i8], dim: usize) -> Option<Vec<u32>> {
    let mut place = Vec::new();
    place.try_reserve_exact(codes.len() / dim).ok()?;
    place.extend(codes.chunks_exact(dim).map(length));
    let longest = place.iter().copied().max().unwrap_or(0) as usize;
    let mut starts = alloc::vec![0; longest + 1];
    place.iter().for_each(|&length| starts[length as usize] += 1);
    let mut sum = 0;
    starts.iter_mut().rev().for_each(|start| (*start, sum) = (sum, sum + *start));
    for place in &mut place {
        let start: &mut u32 = &mut starts[*place as usize];
        (*place, *start) = (*start, *start + 1);
    }
    Some(place)
}

/// The length of a row, rounded down.
#[inline(never)]
fn length(row: &[i8]) -> u32 {
    let square: u32 = row.iter().map(|&code| u32::from(code.unsigned_abs()).pow(2)).sum();
    sqrt(square.into()) as u32
}

fn filled<T: Clone>(value: T, len: usize) -> Option<Vec<T>> {
    let mut filled = Vec::new();
    filled.try_reserve_exact(len).ok()?;
    filled.resize(len, value);
    Some(filled)
}
