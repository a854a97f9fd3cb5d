//! The `rates` section: what listeners say to each track, `[prefix][rate of each row i8 × n][plays u8 × n]`.
//!
//! A rate is the log-odds of a yes, in sixteenths; plays are ln(1 + how many said yes or no), in sixteenths.

use super::{ModelError, Prefix, SectionKind, Shape, ids::IdsDigest, prefix};
use crate::{
    bytes::{Aligned, Writer, number, padded},
    ids::Row,
};

const KIND: SectionKind = SectionKind::Rates;
/// Bytes a row.
const WIDTH: usize = 2;
/// Steps to one.
const STEPS: f32 = 16.0;

/// What listeners say to the tracks of a shard, read in place.
#[derive(Clone, Copy, Debug)]
pub struct Rates<'a> {
    bytes: &'a [u8],
    rows: usize,
}

/// What listeners say to a track.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    /// The log-odds of a yes.
    pub log_odds: f32,
    /// ln(1 + how many said yes or no).
    pub plays: f32,
}

impl<'a> Rates<'a> {
    /// Reads the section of so many rows, which was validated.
    #[inline]
    pub(super) const fn new(bytes: &'a [u8], rows: usize) -> Self {
        Self { bytes, rows }
    }

    /// Of a row of the shard; `None` where there is no such row.
    #[inline]
    pub fn of(&self, row: Row) -> Option<Rate> {
        const START: usize = size_of::<Prefix>();
        if row.index() >= self.rows {
            return None;
        }
        let rate: i8 = number(self.bytes, START, row.index())?;
        let plays: u8 = number(self.bytes, START + padded(self.rows), row.index())?;
        Some(Rate { log_odds: f32::from(rate) / STEPS, plays: f32::from(plays) / STEPS })
    }
}

/// Rates to the nearest step.
pub(super) fn encode(ids: IdsDigest, rates: &[Rate]) -> Aligned {
    // Both casts saturate.
    let nearest = |x: f32| libm::roundf(x * STEPS);
    let odds: alloc::vec::Vec<i8> = rates.iter().map(|r| nearest(r.log_odds) as i8).collect();
    let plays: alloc::vec::Vec<u8> = rates.iter().map(|r| nearest(r.plays) as u8).collect();
    let mut writer = Writer::default();
    writer.array(&[Prefix { rows: rates.len() as u32, width: WIDTH as u32, ids: ids.0 }]);
    writer.array(&odds).array(&plays);
    writer.finish()
}

pub(super) fn validate(bytes: &[u8], shape: Shape) -> Result<(), ModelError> {
    let (_, mut reader) = prefix(KIND, bytes, shape, WIDTH..=WIDTH)?;
    let both = [(); WIDTH].map(|()| reader.array::<u8>(shape.rows).is_some());
    if both == [true; WIDTH] && reader.is_empty() { Ok(()) } else { Err(ModelError::Shape(KIND)) }
}
