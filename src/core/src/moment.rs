//! When and where somebody listens, as far as the model may have learned what it tells.

use crate::{event::Context, ids::fingerprint};

/// One thing that is known of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Field {
    /// The hour on the listener's own clock, in eighths of a day.
    Hour = 0,
    /// The day of the listener's own week.
    Weekday = 1,
    /// What is listened with.
    Device = 2,
    /// Where.
    Region = 3,
    /// The kind of list that tracks come from: what stands before the first colon.
    Source = 4,
    /// The mood that the listener named.
    Mood = 5,
}

impl Field {
    /// Every field, in the order of its discriminant.
    pub const ALL: [Self; 6] =
        [Self::Hour, Self::Weekday, Self::Device, Self::Region, Self::Source, Self::Mood];
}

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Hours that count as one.
const HOURS: i64 = 3;

/// A moment: for each field the key of its value, where it is known.
///
/// Keys are 32 bits of a fingerprint: one of some dozens that a model knows is mistaken for another with a
/// probability of some 10⁻⁸.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Moment {
    keys: [Option<u32>; Field::ALL.len()],
}

impl Moment {
    /// A moment in this context, at a time that is not known.
    pub fn of(context: &Context) -> Self {
        let Context { region, device, source, mood, .. } = context;
        Self::in_these([
            (Field::Region, region.as_deref()),
            (Field::Device, device.as_deref()),
            (Field::Source, source.as_deref()),
            (Field::Mood, mood.as_deref()),
        ])
    }

    /// A moment of these fields, as far as their texts are known.
    pub fn in_these(fields: [(Field, Option<&str>); 4]) -> Self {
        let known = fields.into_iter().filter_map(|(field, text)| Some((field, text?)));
        known.fold(Self::default(), |moment, (field, text)| moment.with(field, text))
    }

    /// The same with a field of this text.
    pub fn with(self, field: Field, text: &str) -> Self {
        let text = match field {
            Field::Source => text.split(':').next().unwrap_or(text),
            _ => text,
        };
        self.put(field, fingerprint(text) as u32)
    }

    /// The same at so many milliseconds since 1970, so many minutes ahead of UTC.
    pub fn on(self, at: i64, tz_offset_min: i16) -> Self {
        let local = at.saturating_add(i64::from(tz_offset_min) * 60_000);
        let hour = local.rem_euclid(DAY_MS) / (HOURS * HOUR_MS);
        // Day 0 was a Thursday; weeks are counted from Monday.
        let weekday = (local.div_euclid(DAY_MS) + 3).rem_euclid(7);
        self.put(Field::Hour, hour as u32).put(Field::Weekday, weekday as u32)
    }

    const fn put(mut self, field: Field, value: u32) -> Self {
        let spread = (field as u32 + 1).wrapping_mul(0x9e37_79b9);
        self.keys[field as usize] = Some(value ^ spread);
        self
    }

    /// The same, of which a field is not known.
    pub const fn without(mut self, field: Field) -> Self {
        self.keys[field as usize] = None;
        self
    }

    /// The key of a field.
    pub const fn key(&self, field: Field) -> Option<u32> {
        self.keys[field as usize]
    }

    /// The keys of the fields that are known.
    pub fn known(&self) -> impl Iterator<Item = (Field, u32)> {
        let each = Field::ALL.into_iter().zip(self.keys);
        each.filter_map(|(field, key)| Some((field, key?)))
    }
}
