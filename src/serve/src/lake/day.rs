//! Days of UTC.

use std::{fmt, str::FromStr};

/// A day of UTC, from 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(i64);

/// Milliseconds of a day.
const MS: i64 = 86_400_000;

impl Day {
    /// The first day.
    pub const FIRST: Self = Self(0);
    /// The last day.
    pub const LAST: Self = Self(segue_core::event::MAX_AT_MS / MS);

    /// The day of a time, in milliseconds since 1970.
    pub fn of(at: i64) -> Self {
        Self(at.div_euclid(MS)).clamp(Self::FIRST, Self::LAST)
    }

    /// So many days before, or the first.
    #[must_use]
    pub fn before(self, days: u32) -> Self {
        Self(self.0 - i64::from(days)).max(Self::FIRST)
    }

    /// When it begins, in milliseconds since 1970.
    pub const fn start(self) -> i64 {
        self.0 * MS
    }
}

/// The text is not a day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no day: give one such as 2026-11-28")]
pub struct NoDay(String);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date(self.0);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Day {
    type Err = NoDay;

    fn from_str(text: &str) -> Result<Self, NoDay> {
        let parsed = || {
            let (year, rest) = text.split_once('-')?;
            let (month, day) = rest.split_once('-')?;
            let number =
                |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?;
            let found = Self(days(number(year)?, number(month)?, number(day)?));
            // Written in one way only, and none that is not there, such as the 31st of June.
            (found.to_string() == text && (Self::FIRST..=Self::LAST).contains(&found))
                .then_some(found)
        };
        parsed().ok_or_else(|| NoDay(text.to_owned()))
    }
}

/// Days since 1970 of a date of the Gregorian calendar, and back: Howard Hinnant, "chrono-compatible low-level date
/// algorithms", with years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9).rem_euclid(12)) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_is_written_and_read_back_and_follows_the_one_before() {
        let mut before = (1969, 12, 31);
        for number in 0..=Day::LAST.0 {
            let (year, month, day) = date(number);
            let follows = (year, month, day) == (before.0, before.1, before.2 + 1)
                || (day == 1 && month == before.1 + 1 && year == before.0 && before.2 >= 28)
                || ((month, day) == (1, 1)
                    && year == before.0 + 1
                    && (before.1, before.2) == (12, 31));
            assert!(follows, "{before:?} and {year}-{month}-{day}");
            assert_eq!(days(year, month, day), number);
            before = (year, month, day);
        }
        assert_eq!(before, (9999, 12, 31));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        assert_eq!("2026-11-28".parse::<Day>().map(|day| day.start()), Ok(1_795_824_000_000));
        for text in [
            "",
            "2026",
            "2026-13-01",
            "2026-06-31",
            "2026-2-01",
            "1969-12-31",
            "+2026-01-01",
            "2026-01-01-01",
            "10000-01-01",
        ] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
    }
}
