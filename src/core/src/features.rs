//! Where tracks are near each other as far as verdicts go: along the first axes of their factors, and in their tags.

use alloc::vec::Vec;

use crate::{
    ids::Row,
    model::{FINE_BITS, Model, Track},
};

/// Writes the features of `row`, whose factor this is, to `out`: `axes` components, and a 1 for each tag that the
/// track has, a 0 for each that it has not.
pub fn write(model: &Model, axes: usize, row: Row, factor: &[f32], out: &mut Vec<f32>) {
    out.clear();
    out.extend(factor.iter().take(axes));
    let bits = model.tags_of(row);
    out.extend((0..model.tags()).map(|tag| (bits >> tag & 1) as f32));
}

/// A sum of features, each times a number of its own.
#[derive(Clone, Debug, Default)]
pub struct Along {
    /// For each axis, to one step of its codes.
    by_code: Vec<f32>,
    by_tag: Vec<f32>,
}

impl Along {
    /// Nothing times anything.
    pub fn clear(&mut self, model: &Model, axes: usize) {
        for (of, len) in [(&mut self.by_code, axes), (&mut self.by_tag, model.tags())] {
            of.clear();
            of.resize(len, 0.0);
        }
    }

    /// Adds `weight` times `x`, a number for each feature.
    pub fn add(&mut self, model: &Model, weight: f32, x: impl Iterator<Item = f32>) {
        let steps = model.steps().iter().copied().take(self.by_code.len());
        let steps = steps.chain(core::iter::repeat(1.0));
        let each = self.by_code.iter_mut().chain(&mut self.by_tag);
        for ((sum, x), step) in each.zip(x).zip(steps) {
            *sum += weight * x * step;
        }
    }

    /// What it comes to for a row, whose track this is where it is here; 0 where there is no such row. O(axes + tags of
    /// the track).
    #[inline]
    pub fn of(&self, model: &Model, row: Row, track: Option<Track<'_>>) -> f32 {
        const FINE: f32 = 1.0 / (1 << FINE_BITS) as f32;
        let sum = |codes: &[i8]| -> f32 {
            codes.iter().zip(&self.by_code).map(|(&code, x)| f32::from(code) * x).sum()
        };
        if let Some(track) = track {
            let by_code = sum(track.codes()) * (1_u32 << track.shift()) as f32;
            return by_code + self.of_tags(track.tags());
        }
        model.mean(row).map_or(0.0, |[whole, left]| sum(whole) + FINE * sum(left))
    }

    fn of_tags(&self, mut bits: u64) -> f32 {
        let mut sum = 0.0;
        while bits != 0 {
            sum += self.by_tag.get(bits.trailing_zeros() as usize).copied().unwrap_or_default();
            bits &= bits - 1;
        }
        sum
    }
}
