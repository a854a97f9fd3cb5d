//! How large a world, how long, and from which seed.

use segue_core::event::MAX_AT_MS;

/// Milliseconds in a day.
pub const DAY_MS: i64 = 86_400_000;

/// Most listeners that a world may have.
pub const MAX_LISTENERS: u32 = 10_000_000;

/// Most tracks that a world may have.
pub const MAX_TRACKS: u32 = 5_000_000;

/// Longest period, in days.
pub const MAX_DAYS: u32 = 3_660;

/// The size, period and seed of a [`crate::World`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How many listeners, 1 to [`MAX_LISTENERS`]. Each of them is heard at least once.
    pub listeners: u32,
    /// How many tracks, 1 to [`MAX_TRACKS`].
    pub tracks: u32,
    /// Length of the period in days, 1 to [`MAX_DAYS`].
    pub days: u32,
    /// Any number; the same seed and sizes give the same world and the same log.
    pub seed: u64,
    /// When the period begins, in milliseconds since the Unix epoch, UTC.
    pub start_ms: i64,
}

impl Default for Config {
    /// 2,000 listeners, 5,000 tracks, 30 days from 2025-01-01T00:00:00Z, seed 1.
    fn default() -> Self {
        Self { listeners: 2_000, tracks: 5_000, days: 30, seed: 1, start_ms: 1_735_689_600_000 }
    }
}

/// Why a [`Config`] is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No listeners, or too many.
    #[error("`listeners` is {0}; expected 1 to {MAX_LISTENERS}")]
    Listeners(u32),
    /// No tracks, or too many.
    #[error("`tracks` is {0}; expected 1 to {MAX_TRACKS}")]
    Tracks(u32),
    /// No days, or too many.
    #[error("`days` is {0}; expected 1 to {MAX_DAYS}")]
    Days(u32),
    /// The period begins before 1970 or ends after the year 9999.
    #[error(
        "`start_ms` is {start_ms}; {days} days from there must lie between 1970 and the end of \
         9999, so expected 0 to {latest}"
    )]
    Start {
        /// The refused start.
        start_ms: i64,
        /// The length of the period.
        days: u32,
        /// The latest start that would be accepted.
        latest: i64,
    },
}

impl Config {
    /// Checks that every field is within its range.
    ///
    /// # Errors
    /// The first field that is out of range, in the order of declaration.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if !(1..=MAX_LISTENERS).contains(&self.listeners) {
            return Err(ConfigError::Listeners(self.listeners));
        }
        if !(1..=MAX_TRACKS).contains(&self.tracks) {
            return Err(ConfigError::Tracks(self.tracks));
        }
        if !(1..=MAX_DAYS).contains(&self.days) {
            return Err(ConfigError::Days(self.days));
        }
        let latest = MAX_AT_MS - self.span_ms();
        if !(0..=latest).contains(&self.start_ms) {
            let (start_ms, days) = (self.start_ms, self.days);
            return Err(ConfigError::Start { start_ms, days, latest });
        }
        Ok(())
    }

    /// Length of the period in milliseconds.
    pub(crate) fn span_ms(&self) -> i64 {
        i64::from(self.days) * DAY_MS
    }

    /// The first millisecond after the period.
    pub(crate) fn end_ms(&self) -> i64 {
        self.start_ms + self.span_ms()
    }
}
