//! What has to be said aloud about a version that is chosen all the same.

use std::fmt;

use jiff::SignedDuration;
use jiff::civil::Date;

use super::dates::day;
use super::{Facts, Rules};
use crate::catalog::model::Warning;
use crate::version::Version;

/// How old the newest release of something maintained is at most, two years: Go alone ends its versions after one.
const DORMANT: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);

/// What speaks against a version without keeping it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Its publisher marked it as deprecated.
    Deprecated {
        /// The chosen version.
        version: Version,
        /// Its last day, from the row about its end of life, and whether that day is over.
        end: Option<(Date, bool)>,
        /// What to use instead, from the same row.
        successor: Option<String>,
    },
    /// It has, or will have, no more fixes.
    EndOfLife {
        /// The chosen version.
        version: Version,
        /// Its last day.
        date: Date,
        /// Whether that day is over.
        past: bool,
        /// What to use instead.
        successor: Option<String>,
    },
    /// It is the newest of its source, and yet years old.
    Dormant {
        /// The chosen version.
        version: Version,
        /// When it was published.
        date: Date,
    },
    /// The component has compatibility rows, but none of them names this version.
    NoCompatibilityRow {
        /// The chosen version.
        version: Version,
    },
}

impl Notice {
    /// Under which name a component accepts it.
    #[must_use]
    pub const fn kind(&self) -> Warning {
        match self {
            Self::Deprecated { .. } => Warning::Deprecated,
            Self::EndOfLife { .. } => Warning::EndOfLife,
            Self::Dormant { .. } => Warning::Unmaintained,
            Self::NoCompatibilityRow { .. } => Warning::Compatibility,
        }
    }

    /// Whether it fails `--check` unless it is accepted: all do but those about a day that is still to come.
    #[must_use]
    pub const fn fails_check(&self) -> bool {
        match self {
            Self::Deprecated { end: None, .. } | Self::Dormant { .. } | Self::NoCompatibilityRow { .. } => true,
            Self::Deprecated { end: Some((_, past)), .. } | Self::EndOfLife { past, .. } => *past,
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let successor = match self {
            Self::Deprecated { version, successor, .. } => {
                write!(f, "{version} is deprecated")?;
                successor
            }
            Self::EndOfLife { version, date, past, successor } => {
                let verb = if *past { "ended" } else { "ends" };
                write!(f, "support of {version} {verb} on {date}")?;
                successor
            }
            Self::Dormant { version, date } => {
                return write!(f, "its newest version {version} is of {date}; nobody seems to maintain it");
            }
            Self::NoCompatibilityRow { version } => return write!(f, "no compatibility row names {version}"),
        };
        successor.as_ref().map_or(Ok(()), |successor| write!(f, "; its successor is {successor}"))
    }
}

/// What has to be said about the chosen version, in a fixed order. Of several ends of life the earliest counts.
#[must_use]
pub fn notices(facts: &Facts, rules: &Rules) -> Vec<Notice> {
    let version = &facts.version;
    let row = rules.end_of_life.iter().filter(|row| row.versions.matches(version)).min_by_key(|row| row.date);
    let end = row.map(|row| (row.date, day(rules.as_of) > row.date));
    let successor = row.and_then(|row| row.successor.clone());
    let mut notices = Vec::new();
    if facts.deprecated {
        notices.push(Notice::Deprecated { version: version.clone(), end, successor: successor.clone() });
    }
    if let Some((date, past)) = end {
        notices.push(Notice::EndOfLife { version: version.clone(), date, past, successor });
    }
    if let Some(date) = facts.date.filter(|date| facts.newest && rules.as_of.duration_since(*date) > DORMANT) {
        notices.push(Notice::Dormant { version: version.clone(), date: day(date) });
    }
    if !rules.compatibility.is_empty() && !rules.compatibility.iter().any(|row| row.versions.matches(version)) {
        notices.push(Notice::NoCompatibilityRow { version: version.clone() });
    }
    notices
}
