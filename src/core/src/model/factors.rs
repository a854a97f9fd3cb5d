//! The `factors` section: what training learned of each track, coded for the network.
//!
//! `[prefix][step f32 × d][XXH64 of the codes u64, zero u64][bytes u32, zero u32 × 3][the codes]`
//!
//! A factor is, component by component, a small integer times the step that all tracks of the section
//! share. The integers travel in the entropy code of [`crate::codec::rows`] and lie in memory as one
//! byte each, in rows of d rounded up to 16, equal rows but once ([`crate::kernel::Table`]), so that a
//! listener's vector need only be multiplied by the steps once and every score is a sum of integers.

use alloc::{vec, vec::Vec};
use bytemuck::{Pod, Zeroable};
use xxhash_rust::xxh64::{Xxh64, xxh64};

use super::{MAX_DIM, MAX_REAL, ModelError, SectionKind, Shape, ids::IdsDigest, in_range, prefix};
use crate::{
    bytes::{ALIGN, Aligned, Writer},
    codec::{
        Unreadable,
        rows::{self, Distinct},
    },
    ids::Row,
    kernel::{Gram, Sketch, Table},
    linalg::packed_len,
};

const KIND: SectionKind = SectionKind::Factors;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Coded {
    /// XXH64 of the codes, row by row without padding.
    digest: u64,
    zero: u64,
    /// Length of the entropy-coded bytes.
    bytes: u32,
    zeros: [u32; 3],
}

/// Which `factors` section another belongs to: XXH64 of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactorsDigest(pub(super) u64);

impl FactorsDigest {
    /// That of a section.
    pub fn of(section: &[u8]) -> Self {
        Self(xxh64(section, 0))
    }

    /// As it is stored, the low word first.
    pub(super) const fn words(self) -> [u32; 2] {
        [self.0 as u32, (self.0 >> u32::BITS) as u32]
    }
}

/// Item factors in memory.
#[derive(Clone, Debug)]
pub struct Factors {
    steps: Vec<f32>,
    table: Table,
    /// Of the section that holds them.
    section: FactorsDigest,
    /// Σ qqᵀ over the codes of all rows, the packed lower triangle, once somebody asked for it.
    sums: Option<Vec<i64>>,
}

impl Factors {
    /// Number of rows.
    pub const fn len(&self) -> usize {
        self.table.rows()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.table.rows() == 0
    }

    /// Components of a factor.
    pub const fn dim(&self) -> usize {
        self.steps.len()
    }

    /// Codes of a row: the dimension rounded up to 16. Those beyond the dimension are zero.
    pub const fn stride(&self) -> usize {
        self.table.stride()
    }

    /// What a code of one stands for, `dim` reals above 0.
    pub fn steps(&self) -> &[f32] {
        &self.steps
    }

    /// The codes.
    pub const fn table(&self) -> &Table {
        &self.table
    }

    /// What bounds the rows' points.
    pub const fn sketch(&self) -> &Sketch {
        self.table.sketch()
    }

    /// The codes of one row; panics where the row is beyond the catalogue.
    pub fn row(&self, row: Row) -> &[i8] {
        self.table.row(row.index())
    }

    /// Writes the factor of `row` to `out`, `dim` reals.
    pub fn decode(&self, row: Row, out: &mut [f32]) {
        for ((value, &code), step) in out.iter_mut().zip(self.row(row)).zip(&self.steps) {
            *value = step * f32::from(code);
        }
    }

    /// The section that holds them.
    pub(super) const fn section(&self) -> FactorsDigest {
        self.section
    }

    /// XXH64 of the codes, row by row without padding. O(n·d).
    pub(super) fn digest(&self) -> u64 {
        digest((0..self.len()).map(|row| &self.table.row(row)[..self.dim()]))
    }

    /// The section, whose rows are those of `ids`. O(n·d·log n).
    pub(super) fn encoded(&self, ids: IdsDigest) -> Aligned {
        let rows = (0..self.len()).map(|row| &self.table.row(row)[..self.dim()]);
        encode(ids, &self.steps, &rows.flatten().copied().collect::<Vec<_>>())
    }

    /// Other rows under the same steps, of which the section `section` is: Σ qqᵀ over them differs by `sums`. `None`
    /// where there is no memory for them.
    pub(super) fn changed(
        &self,
        rows: Distinct,
        sums: &[i64],
        section: FactorsDigest,
    ) -> Option<Self> {
        let table = Table::new(rows, self.dim(), self.stride())?;
        let sum = |before: &Vec<i64>| before.iter().zip(sums).map(|(sum, by)| sum + by).collect();
        let sums = self.sums.as_ref().map(sum);
        Some(Self { steps: self.steps.clone(), table, section, sums })
    }

    /// Σ vvᵀ over all rows, the packed lower triangle. The sums are of integers and exact.
    /// O(m·d²/2) for m distinct rows, once.
    pub fn gram(&mut self) -> Vec<f32> {
        let sums = self.sums.take().unwrap_or_else(|| self.table.gram(self.dim()));
        scaled(self.sums.insert(sums), &self.steps)
    }
}

/// The same of rows of `steps.len()` codes, where those of row i count 2^`shift(i)` steps, of which
/// there are few. O(n·d²/2).
pub(super) fn gram(codes: &[i8], steps: &[f32], shift: impl Fn(usize) -> u32) -> Vec<f32> {
    let dim = steps.len();
    let mut sums = vec![0; packed_len(dim)];
    let most = (0..codes.len() / dim).map(&shift).max().unwrap_or(0);
    for of in 0..=most {
        let mut sum = Gram::new(dim.next_multiple_of(ALIGN));
        let rows = codes.chunks_exact(dim).enumerate().filter(|(row, _)| shift(*row) == of);
        rows.for_each(|(_, row)| sum.add(row, 1));
        sums.iter_mut().zip(sum.finish(dim)).for_each(|(all, sum)| *all += sum << (2 * of));
    }
    scaled(&sums, steps)
}

fn scaled(sums: &[i64], steps: &[f32]) -> Vec<f32> {
    let mut gram = Vec::with_capacity(sums.len());
    for i in 0..steps.len() {
        for j in 0..=i {
            let sum = sums[packed_len(i) + j] as f32;
            gram.push(sum * steps[i] * steps[j]);
        }
    }
    gram
}

/// Steps at which the largest component of each column of `factors` (`dim` reals a row) takes the
/// code ±127: fine enough to lose nothing that shows in a ranking.
pub fn fine_steps(factors: &[f32], dim: usize) -> Vec<f32> {
    let mut largest = vec![0.0_f32; dim];
    for row in factors.chunks_exact(dim) {
        for (most, x) in largest.iter_mut().zip(row).filter(|(_, x)| x.is_finite()) {
            *most = most.max(x.abs());
        }
    }
    let most = f32::from(rows::MAX_CODE);
    largest.into_iter().map(|x| if x > 0.0 { x / most } else { 1.0 }).collect()
}

/// The code nearest to each component of `factors` (`steps.len()` reals a row). What is not finite
/// counts as zero.
pub fn quantise(factors: &[f32], steps: &[f32]) -> Vec<i8> {
    let most = f32::from(rows::MAX_CODE);
    let code = |x: f32| if x.is_finite() { libm::roundf(x.clamp(-most, most)) as i8 } else { 0 };
    let rows = factors.chunks_exact(steps.len());
    rows.flat_map(|row| row.iter().zip(steps).map(move |(x, step)| code(x / step))).collect()
}

/// Lays out the section: `steps.len()` codes a row.
pub(super) fn encode(ids: IdsDigest, steps: &[f32], codes: &[i8]) -> Aligned {
    let dim = steps.len();
    let (coded, _) = rows::encode(codes, dim);
    let head = Coded {
        digest: digest(codes.chunks_exact(dim)),
        zero: 0,
        bytes: coded.len() as u32,
        zeros: [0; 3],
    };
    let mut writer = Writer::default();
    let rows = (codes.len() / dim) as u32;
    writer.array(&[super::Prefix { rows, width: dim as u32, ids: ids.0 }]);
    writer.array(steps).array(&[head]).array(&coded);
    writer.finish()
}

fn digest<'a>(rows: impl Iterator<Item = &'a [i8]>) -> u64 {
    let mut hash = Xxh64::new(0);
    rows.for_each(|row| hash.update(bytemuck::cast_slice(row)));
    hash.digest()
}

/// Decodes the section.
pub(super) fn read(bytes: &[u8], shape: Shape) -> Result<Factors, ModelError> {
    let (dim, mut reader) = prefix(KIND, bytes, shape, 1..=MAX_DIM)?;
    let steps: &[f32] = reader.array(dim).ok_or(ModelError::Shape(KIND))?;
    let head: &Coded = reader.one().ok_or(ModelError::Shape(KIND))?;
    let coded: &[u8] = reader.array(head.bytes as usize).ok_or(ModelError::Shape(KIND))?;
    if !reader.is_empty() {
        return Err(ModelError::Shape(KIND));
    }
    // The largest factor of all: 127 steps.
    let sound = |&step: &f32| step > 0.0 && step * f32::from(rows::MAX_CODE) <= MAX_REAL;
    if !in_range(steps) || !steps.iter().all(sound) {
        return Err(ModelError::value(KIND, "a step is not above 0, not finite or too large"));
    }
    let rows = rows::decode(coded, dim, shape.rows).map_err(|error| match error {
        Unreadable::Length => {
            ModelError::value(KIND, "the codes do not have the length that they claim")
        }
        Unreadable::Memory => ModelError::Memory(KIND),
    })?;
    let all = rows.of.iter().map(|&row| &rows.codes[row as usize * dim..][..dim]);
    if digest(all) != head.digest {
        return Err(ModelError::Checksum(KIND));
    }
    let table = Table::new(rows, dim, dim.next_multiple_of(ALIGN));
    let (table, section) = (table.ok_or(ModelError::Memory(KIND))?, FactorsDigest::of(bytes));
    Ok(Factors { steps: steps.to_vec(), table, section, sums: None })
}
