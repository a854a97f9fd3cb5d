//! The `factors` section: `[prefix][scale f32 × n][codes int8 × n × stride]`, where the stride is
//! the dimension rounded up to 16 and the padding is zero. A factor is scale × codes.

use alloc::{vec, vec::Vec};

use super::{MAX_DIM, ModelError, Prefix, SectionKind, in_range, prefix};
use crate::{
    bytes::{ALIGN, Aligned, Reader, Writer},
    ids::Row,
};

const KIND: SectionKind = SectionKind::Factors;

/// Item factors, read in place.
#[derive(Clone, Copy, Debug)]
pub struct Factors<'a> {
    dim: usize,
    stride: usize,
    scales: &'a [f32],
    codes: &'a [i8],
}

impl<'a> Factors<'a> {
    pub(super) fn new(bytes: &'a [u8], rows: usize, dim: usize) -> Self {
        let stride = dim.next_multiple_of(ALIGN);
        let mut reader = Reader::new(bytes);
        let _ = reader.one::<Prefix>();
        let scales = reader.array(rows).unwrap_or_default();
        let codes = rows.checked_mul(stride).and_then(|len| reader.array(len)).unwrap_or_default();
        Self { dim, stride, scales, codes }
    }

    /// Number of rows.
    pub const fn len(&self) -> usize {
        self.scales.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// Components of a factor.
    pub const fn dim(&self) -> usize {
        self.dim
    }

    /// Codes from one row to the next.
    pub const fn stride(&self) -> usize {
        self.stride
    }

    /// Scale and codes of one row; panics where the row is beyond the catalogue.
    pub fn row(&self, row: Row) -> (f32, &'a [i8]) {
        let at = row.index() * self.stride;
        (self.scales[row.index()], &self.codes[at..at + self.stride])
    }

    /// Scale and codes of every row, in order.
    pub fn rows(&self) -> impl Iterator<Item = (f32, &'a [i8])> {
        self.scales.iter().copied().zip(self.codes.chunks_exact(self.stride))
    }

    /// Writes the factor of `row` to `out`, `dim` reals.
    pub fn decode(&self, row: Row, out: &mut [f32]) {
        let (scale, codes) = self.row(row);
        for (value, &code) in out.iter_mut().zip(&codes[..self.dim]) {
            *value = scale * f32::from(code);
        }
    }
}

/// Codes each row of `factors` (`dim` reals a row) as int8 with the scale that takes its largest
/// component to ±127. Returns scales and codes. Non-finite components count as zero.
pub fn quantise(factors: &[f32], dim: usize) -> (Vec<f32>, Vec<i8>) {
    let mut scales = Vec::with_capacity(factors.len() / dim);
    let mut codes = Vec::with_capacity(factors.len());
    for row in factors.chunks_exact(dim) {
        let largest = row.iter().filter(|x| x.is_finite()).fold(0.0_f32, |m, x| m.max(x.abs()));
        let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
        scales.push(largest / 127.0);
        let code = |x: &f32| if x.is_finite() { libm::roundf(x * inverse) as i8 } else { 0 };
        codes.extend(row.iter().map(code));
    }
    (scales, codes)
}

pub(super) fn encode(ids: u64, dim: usize, scales: &[f32], codes: &[i8]) -> Aligned {
    let stride = dim.next_multiple_of(ALIGN);
    let mut padded = vec![0_i8; scales.len() * stride];
    for (to, from) in padded.chunks_exact_mut(stride).zip(codes.chunks_exact(dim)) {
        to[..dim].copy_from_slice(from);
    }
    let mut writer = Writer::default();
    writer.array(&[Prefix { rows: scales.len() as u32, width: dim as u32, ids }]);
    writer.array(scales).array(&padded);
    writer.finish()
}

pub(super) fn validate(bytes: &[u8], rows: usize, ids: u64) -> Result<usize, ModelError> {
    let (dim, mut reader) = prefix(KIND, bytes, rows, ids, 1..=MAX_DIM)?;
    let stride = dim.next_multiple_of(ALIGN);
    let scales: &[f32] = reader.array(rows).ok_or(ModelError::Shape(KIND))?;
    // 2²⁴ rows of 256 codes are more than 32 bits can count.
    let len = rows.checked_mul(stride).ok_or(ModelError::Limit(KIND))?;
    let codes: &[i8] = reader.array(len).ok_or(ModelError::Shape(KIND))?;
    if !reader.is_empty() {
        return Err(ModelError::Shape(KIND));
    }
    if !in_range(scales) || scales.iter().any(|&s| s < 0.0) {
        return Err(ModelError::value(KIND, "a scale is negative, not finite or too large"));
    }
    if codes.chunks_exact(stride).any(|row| row[dim..].iter().any(|&c| c != 0)) {
        return Err(ModelError::value(KIND, "padding is not zero"));
    }
    Ok(dim)
}
