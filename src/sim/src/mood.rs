//! Moods, and when people are in them.
//!
//! A mood is a point on the plane of valence and arousal (Russell, "A circumplex model of affect",
//! 1980). How well a track fits a moment is a function of the distance between two points.

use rand::Rng;

use crate::num::weighted;

/// Number of [`Mood`]s.
pub(crate) const MOODS: usize = 9;

/// What a track sounds like, and what a listener is in the mood for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Mood {
    Calm,
    Focus,
    Happy,
    Energetic,
    Party,
    Romantic,
    Melancholic,
    Dark,
    Dreamy,
}

/// A place on the plane of affect, each coordinate about −1 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Affect {
    pub valence: f32,
    pub arousal: f32,
}

impl Mood {
    /// Every mood, in the order of its discriminant.
    pub const ALL: [Self; MOODS] = [
        Self::Calm,
        Self::Focus,
        Self::Happy,
        Self::Energetic,
        Self::Party,
        Self::Romantic,
        Self::Melancholic,
        Self::Dark,
        Self::Dreamy,
    ];

    /// The name used in tags and in `context.mood`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Focus => "focus",
            Self::Happy => "happy",
            Self::Energetic => "energetic",
            Self::Party => "party",
            Self::Romantic => "romantic",
            Self::Melancholic => "melancholic",
            Self::Dark => "dark",
            Self::Dreamy => "dreamy",
        }
    }

    pub(crate) const fn affect(self) -> Affect {
        let (valence, arousal) = match self {
            Self::Calm => (0.45, -0.70),
            Self::Focus => (0.10, -0.25),
            Self::Happy => (0.80, 0.25),
            Self::Energetic => (0.25, 0.85),
            Self::Party => (0.75, 0.75),
            Self::Romantic => (0.60, -0.25),
            Self::Melancholic => (-0.60, -0.45),
            Self::Dark => (-0.70, 0.50),
            Self::Dreamy => (0.00, -0.75),
        };
        Affect { valence, arousal }
    }

    /// The mood with the given discriminant, or the last one beyond.
    pub(crate) fn at(index: usize) -> Self {
        Self::ALL[index.min(MOODS - 1)]
    }

    /// A mood drawn in proportion to `weights`.
    pub(crate) fn draw<R: Rng + ?Sized>(rng: &mut R, weights: &[f32; MOODS]) -> Self {
        Self::at(weighted(rng, weights))
    }

    /// The mood other than `self` that suits `point` best, given how `common` each mood is.
    pub(crate) fn second_at(self, point: Affect, common: &[f32; MOODS]) -> Self {
        let suits = |mood: &Self| point.fit(mood.affect()) * common[*mood as usize];
        let rest = Self::ALL.into_iter().filter(|&mood| mood != self);
        rest.max_by(|a, b| suits(a).total_cmp(&suits(b))).unwrap_or(self)
    }
}

impl Affect {
    fn distance2(self, other: Self) -> f32 {
        let (v, a) = (self.valence - other.valence, self.arousal - other.arousal);
        v * v + a * a
    }

    /// How well two points agree: 1 for the same, a quarter at distance 1, falling towards 0.
    pub(crate) fn fit(self, other: Self) -> f32 {
        let root = 1.0 / (1.0 + self.distance2(other));
        root * root
    }
}

/// A moment as the listener's own clock shows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LocalTime {
    /// 0 to under 24.
    pub hour: f32,
    /// Saturday or Sunday.
    pub weekend: bool,
}

impl LocalTime {
    /// `now_ms` in UTC, seen `offset_ms` ahead of it.
    pub(crate) fn at(now_ms: i64, offset_ms: i64) -> Self {
        let local = now_ms + offset_ms;
        let day = local.div_euclid(crate::DAY_MS);
        // Day 0 of the Unix epoch was a Thursday, so days 2 and 3 of each week are the weekend.
        let weekend = matches!(day.rem_euclid(7), 2 | 3);
        Self { hour: local.rem_euclid(crate::DAY_MS) as f32 / 3_600_000.0, weekend }
    }

    fn whole_hour(self) -> usize {
        (self.hour as usize).min(23)
    }

    /// How many people listen at this time, relative to the busiest hour.
    pub(crate) fn activity(self) -> f32 {
        let profile = if self.weekend { &WEEKEND } else { &WEEKDAY };
        profile[self.whole_hour()]
    }

    /// How common each mood is at this time.
    pub(crate) fn moods(self) -> [f32; MOODS] {
        let mut weights = match self.whole_hour() {
            0..=5 => [3.0, 1.0, 0.4, 0.4, 1.6, 1.4, 2.4, 2.0, 3.0],
            6..=8 => [2.0, 1.0, 2.6, 2.6, 0.2, 0.3, 0.6, 0.3, 0.8],
            9..=16 => [1.4, 4.2, 2.0, 1.4, 0.2, 0.4, 0.6, 0.5, 0.7],
            17..=20 => [1.4, 0.5, 2.4, 3.2, 1.5, 1.4, 1.0, 1.0, 0.6],
            _ => [2.4, 0.4, 1.2, 0.9, 2.4, 2.2, 1.8, 1.2, 2.0],
        };
        if self.weekend {
            weights[Mood::Focus as usize] *= 0.3;
            weights[Mood::Happy as usize] *= 1.4;
            weights[Mood::Party as usize] *= 2.4;
        }
        weights
    }
}

/// Mean of [`LocalTime::activity`] over a week, which turns sessions a day into a rate.
pub(crate) const MEAN_ACTIVITY: f32 = 0.55;

const WEEKDAY: [f32; 24] = [
    0.18, 0.09, 0.05, 0.04, 0.06, 0.16, 0.42, 0.78, 0.88, 0.70, 0.64, 0.62, 0.70, 0.68, 0.64, 0.68,
    0.82, 1.00, 0.96, 0.84, 0.78, 0.74, 0.60, 0.38,
];

const WEEKEND: [f32; 24] = [
    0.34, 0.24, 0.15, 0.08, 0.06, 0.07, 0.14, 0.28, 0.48, 0.70, 0.84, 0.86, 0.82, 0.78, 0.76, 0.78,
    0.84, 0.90, 0.94, 0.92, 0.88, 0.86, 0.76, 0.56,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The stated mean is that of the two profiles over five weekdays and two weekend days.
    #[test]
    fn mean_activity_is_that_of_the_profiles() {
        let sum = 5.0 * WEEKDAY.iter().sum::<f32>() + 2.0 * WEEKEND.iter().sum::<f32>();
        assert!((sum / 168.0 - MEAN_ACTIVITY).abs() < 0.02, "{}", sum / 168.0);
    }

    /// The clock follows the listener's zone, across midnight and into the weekend.
    #[test]
    fn local_time_follows_the_zone() {
        let friday_23_utc = 1_735_945_200_000; // 2025-01-03T23:00:00Z
        assert!(!LocalTime::at(friday_23_utc, 0).weekend);
        let tokyo = LocalTime::at(friday_23_utc, 9 * 3_600_000);
        assert!(tokyo.weekend);
        assert_eq!(tokyo.whole_hour(), 8);
    }
}
