//! The `rates` section: what listeners say to each track, `[prefix][rate of each row i8 × n][plays u8 × n]`.
//!
//! A rate is the log-odds of a yes, in sixteenths; plays are ln(1 + how many said yes or no), in sixteenths.

use super::{ModelError, Prefix, SectionKind, Shape, ids::IdsDigest, prefix};
use crate::{
    bytes::{Aligned, Reader, Writer},
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
    rates: &'a [i8],
    plays: &'a [u8],
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
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let rows = reader.one::<Prefix>()?.rows as usize;
        let (rates, plays) = (reader.array(rows)?, reader.array(rows)?);
        reader.is_empty().then_some(Self { rates, plays })
    }

    /// Of a row of the shard; `None` where there is no such row.
    #[inline]
    pub fn of(&self, row: Row) -> Option<Rate> {
        let (rate, plays) = (self.rates.get(row.index())?, self.plays.get(row.index())?);
        Some(Rate { log_odds: f32::from(*rate) / STEPS, plays: f32::from(*plays) / STEPS })
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
    prefix(KIND, bytes, shape, WIDTH..=WIDTH)?;
    Rates::new(bytes).map(drop).ok_or(ModelError::Shape(KIND))
}
