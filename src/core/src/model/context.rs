//! The `context` section: what listeners say at an hour, on a device, in a mood, beyond what they say elsewhere.
//!
//! `[values u32, axes u32, tags u32, zero][key of each value u32 × v][scale of each f32 × v]`
//! `[effect i8 × v × (axes + tags)]`: what is added to the log-odds of a yes for each feature of a track
//! ([`crate::features`]), in steps of the value's scale. [`crate::moment`] says what a value is. Keys ascend.

use alloc::vec::Vec;
use bytemuck::{Pod, Zeroable};

use super::{MAX_DIM, MAX_TAGS, ModelError, SectionKind, in_range};
use crate::bytes::{Aligned, Reader, Writer};

const KIND: SectionKind = SectionKind::Context;
/// Most values of a context.
pub const MAX_VALUES: usize = 1024;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Counts {
    values: u32,
    axes: u32,
    tags: u32,
    zero: u32,
}

/// The effects of values, read in place.
#[derive(Clone, Copy, Debug)]
pub struct Contexts<'a> {
    width: usize,
    keys: &'a [u32],
    scales: &'a [f32],
    effects: &'a [i8],
}

/// What a `context` section is made from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContextParts {
    /// Features that are axes.
    pub axes: usize,
    /// Features that are tags.
    pub tags: usize,
    /// Keys, strictly ascending, and for each a number for each feature.
    pub effects: Vec<(u32, Vec<f32>)>,
}

impl<'a> Contexts<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let Counts { values, axes, tags, .. } = *reader.one::<Counts>()?;
        let width = (axes as usize).checked_add(tags as usize)?;
        let (keys, scales) = (reader.array(values as usize)?, reader.array(values as usize)?);
        let effects = reader.array((values as usize).checked_mul(width)?)?;
        reader.is_empty().then_some(Self { width, keys, scales, effects })
    }

    /// Number of features that a value has an effect on.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Number of values.
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The effect of a value on each feature; `None` where it is none of those that were learned.
    pub fn of(&self, key: u32) -> Option<impl Iterator<Item = f32> + use<'a>> {
        let at = self.keys.binary_search(&key).ok()?;
        let codes = self.effects.get(at * self.width..(at + 1) * self.width)?;
        let scale = *self.scales.get(at)?;
        Some(codes.iter().map(move |&code| f32::from(code) * scale))
    }
}

/// Each effect to the nearest step, of which the largest of a value takes 127.
pub(super) fn encode(parts: &ContextParts) -> Aligned {
    let ContextParts { axes, tags, effects } = parts;
    let most = |x: &[f32]| x.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let scales: Vec<f32> = effects.iter().map(|(_, x)| most(x) / 127.0).collect();
    let code = |x: f32, scale: f32| if scale > 0.0 { libm::roundf(x / scale) as i8 } else { 0 };
    let each = effects.iter().zip(&scales);
    let codes: Vec<i8> =
        each.flat_map(|((_, x), &scale)| x.iter().map(move |&x| code(x, scale))).collect();
    let keys: Vec<u32> = effects.iter().map(|(key, _)| *key).collect();
    let counts =
        Counts { values: keys.len() as u32, axes: *axes as u32, tags: *tags as u32, zero: 0 };
    let mut writer = Writer::default();
    writer.array(&[counts]).array(&keys).array(&scales).array(&codes);
    writer.finish()
}

pub(super) fn validate(bytes: &[u8]) -> Result<(), ModelError> {
    let counts: Counts = *Reader::new(bytes).one().ok_or(ModelError::Shape(KIND))?;
    let within = (1..=MAX_VALUES).contains(&(counts.values as usize))
        && counts.axes as usize <= MAX_DIM
        && counts.tags as usize <= MAX_TAGS;
    if !within {
        return Err(ModelError::Limit(KIND));
    }
    let contexts = Contexts::new(bytes).ok_or(ModelError::Shape(KIND))?;
    if !contexts.keys.is_sorted_by(|a, b| a < b) || !in_range(contexts.scales) {
        return Err(ModelError::value(KIND, "keys do not ascend, or a scale is out of range"));
    }
    Ok(())
}
