//! Days, ages, and which dates can be believed.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::catalog::scalar;

/// A cool-down in whole days, written `7d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age(u32);

/// Why a text is no [`Age`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an age in whole days, such as `7d`")]
pub struct AgeError(String);

impl Age {
    /// Whether everything is old enough.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// So many times 24 hours.
    #[must_use]
    pub const fn duration(self) -> SignedDuration {
        SignedDuration::from_hours(24 * self.0 as i64)
    }
}

impl FromStr for Age {
    type Err = AgeError;

    fn from_str(text: &str) -> Result<Self, AgeError> {
        scalar::days(text).map(Self).ok_or_else(|| AgeError(text.to_owned()))
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}d", self.0)
    }
}

/// Why a text is no day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a day of the calendar, such as `2026-03-01`")]
pub struct DayError(String);

/// Reads a day written `YYYY-MM-DD`.
pub fn parse_day(text: &str) -> Result<Date, DayError> {
    scalar::date(text).ok_or_else(|| DayError(text.to_owned()))
}

/// The last moment of `day`, UTC.
#[must_use]
pub fn end_of_day(day: Date) -> Timestamp {
    let last = day.at(23, 59, 59, 999_999_999);
    // Only the last days of the year 9999 are out of the range of timestamps.
    last.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

/// The UTC day of a moment.
pub(super) fn day(timestamp: Timestamp) -> Date {
    timestamp.to_zoned(TimeZone::UTC).date()
}

/// The dates of one chart's index entries, without those that tell nothing.
///
/// Some repositories stamp all entries anew at each build. So a date counts only where fewer than half of the chart's
/// entries share its UTC day.
#[must_use]
pub fn trusted_dates(created: &[Option<Timestamp>]) -> Vec<Option<Timestamp>> {
    let mut entries_by_day = BTreeMap::<Date, usize>::new();
    for date in created.iter().flatten() {
        *entries_by_day.entry(day(*date)).or_default() += 1;
    }
    created.iter().map(|date| date.filter(|date| 2 * entries_by_day[&day(*date)] < created.len())).collect()
}

/// An image's `created` as a date of its release; reproducible builds write 1970 or 1980, which says nothing.
#[must_use]
pub fn image_date(created: Timestamp) -> Option<Timestamp> {
    (day(created).year() > 1980).then_some(created)
}
