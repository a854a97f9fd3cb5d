//! Which row of a shard in one version is which in the next.

use alloc::vec::Vec;

use super::{Fault, filled};
use crate::{
    codec::range::{Bit, Coder},
    model::Ids,
};

/// No row.
pub const NONE: u32 = u32::MAX;

/// Bits of the number of new tracks.
const COUNT_BITS: u32 = 25;

/// Rows of both versions. It is found from the fingerprints alone, so that it costs no bytes.
pub struct Map {
    /// The row before of each row, or [`NONE`] where the track is new.
    pub from: Vec<u32>,
    /// The row afterwards of each row before, or [`NONE`] where the track is gone.
    pub to: Vec<u32>,
}

impl Map {
    /// Of the tracks in `old` and `new`. O(n).
    #[inline]
    pub fn between(old: &Ids<'_>, new: &Ids<'_>) -> Result<Self, Fault> {
        let bits = old.bits().min(new.bits());
        let (mut before, mut after) =
            (cut(old, bits).enumerate().peekable(), cut(new, bits).enumerate().peekable());
        let (mut from, mut to) = (filled(NONE, new.len())?, filled(NONE, old.len())?);
        while let (Some(&(old, a)), Some(&(new, b))) = (before.peek(), after.peek()) {
            if a == b {
                (from[new], to[old]) = (old as u32, new as u32);
            }
            if a <= b {
                before.next();
            }
            if b <= a {
                after.next();
            }
        }
        Ok(Self { from, to })
    }
}

/// The first 32 + `bits` bits of fingerprints.
fn cut(ids: &Ids<'_>, bits: u32) -> impl Iterator<Item = u64> {
    let spare = ids.bits() - bits;
    ids.short().map(move |print| print >> spare)
}

/// Codes the first 32 + k bits of the fingerprints of the next version, where k is as it was: which of the old ones
/// are gone, how many are new, and how far each of these is from the one before it.
#[inline(never)]
pub fn prints(
    coder: &mut impl Coder,
    old: &Ids<'_>,
    next: Option<&Ids<'_>>,
) -> Result<Vec<u64>, Fault> {
    let (mut gone, mut longer) = (Bit::default(), Bit::default());
    let wanted: Vec<u64> = next.iter().flat_map(|ids| ids.short()).collect();
    let mut known = wanted.iter().copied().peekable();
    let mut new = Vec::new();
    let mut kept = Vec::new();
    for print in old.short() {
        while let Some(print) = known.next_if(|&wanted| wanted < print) {
            new.push(print);
        }
        let is_gone = next.is_some() && known.next_if_eq(&print).is_none();
        if !coder.bit(is_gone, &mut gone) {
            kept.push(print);
        }
    }
    new.extend(known);

    let count = coder.raw(new.len() as u32, COUNT_BITS) as usize;
    let width = u32::BITS + old.bits();
    // Gaps are geometric: those below their mean, rounded down to a power of two, are raw bits.
    let low = width - (count.max(1) as u64).ilog2().min(width);
    let mut given = new.into_iter();
    let (mut added, mut last): (Vec<u64>, u64) = (Vec::new(), 0);
    for _ in 0..count {
        let gap = given.next().map_or(0, |print| print - last);
        let (mut high, wanted) = (0, gap.checked_shr(low).unwrap_or(0));
        while coder.bit(wanted > high, &mut longer) {
            high += 1;
            if high > 1 << COUNT_BITS {
                return Err(Fault::Damaged);
            }
        }
        let gap = u128::from(high) << low | u128::from(raw(coder, gap, low));
        // No fingerprint is that long.
        let next = u128::from(last) + gap;
        last = u64::try_from(next).ok().filter(|_| next >> width == 0).ok_or(Fault::Damaged)?;
        added.push(last);
        if coder.is_past_end() {
            return Err(Fault::Damaged);
        }
    }
    merge(&kept, &added)
}

/// The low `bits` ≤ 64 bits of `value`, each as probable as not.
fn raw(coder: &mut impl Coder, value: u64, bits: u32) -> u64 {
    let mut all = 0;
    for from in (0..bits).step_by(16) {
        let count = (bits - from).min(16);
        let part = (value >> from) as u32 & !(u32::MAX << count);
        all |= u64::from(coder.raw(part, count)) << from;
    }
    all
}

/// Both lists as one; they ascend.
#[inline]
fn merge(kept: &[u64], added: &[u64]) -> Result<Vec<u64>, Fault> {
    let mut all = Vec::new();
    all.try_reserve_exact(kept.len() + added.len()).map_err(|_| Fault::Memory)?;
    let mut kept = kept.iter().copied().peekable();
    for &print in added {
        while let Some(print) = kept.next_if(|&kept| kept < print) {
            all.push(print);
        }
        all.push(print);
    }
    all.extend(kept);
    Ok(all)
}
