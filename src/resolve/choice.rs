//! The pure choice: which of a source's versions is taken. It asks nothing; it judges what it is told.
//!
//! [`rank`] orders the tags, the driver collects the [`Facts`] of one candidate after the other, because they may cost
//! requests, and takes the first that [`judge`] lets through. [`notices`] says aloud what speaks against the chosen one.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::catalog::model::Warning;
use crate::version::{Constraint, HelmRange, Pattern, Version};

/// The longest `min_age` in days, ten years: a larger one is a mistake.
const MAX_DAYS: u32 = 3650;

/// A tag and the version in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// The tag as the source has it.
    pub tag: String,
    /// Its version.
    pub version: Version,
}

/// The candidates among `tags`, highest version first.
///
/// Left out is what can never be chosen: other patterns, versions outside the constraint, other versions than the held
/// one, and pre-releases by their own text. Variants that differ only in build metadata from a plain version
/// (`v2.54.0+dedupelabels`) come after it. Of several tags with one version the longest comes first, since `v4` may
/// move where `v4.0.0` does not. The source's order does not matter.
pub fn rank<T: AsRef<str>>(
    tags: impl IntoIterator<Item = T>,
    pattern: &Pattern,
    constraint: Option<&Constraint>,
    hold: Option<&Version>,
) -> Vec<Ranked> {
    let mut ranked: Vec<_> = tags
        .into_iter()
        .filter_map(|tag| {
            let version = pattern.version(tag.as_ref())?;
            let wanted = !version.is_prerelease()
                && constraint.is_none_or(|constraint| constraint.matches(&version))
                && hold.is_none_or(|hold| *hold == version);
            wanted.then(|| Ranked { tag: tag.as_ref().to_owned(), version })
        })
        .collect();
    ranked.sort_by(|a, b| {
        let precedence = b.version.precedence(&a.version);
        let plain_first = b.version.build().is_empty().cmp(&a.version.build().is_empty());
        let by_tag = || b.tag.len().cmp(&a.tag.len()).then_with(|| a.tag.cmp(&b.tag));
        precedence.then(plain_first).then_with(|| b.version.cmp(&a.version)).then_with(by_tag)
    });
    ranked.dedup();
    ranked
}

/// What is known about one candidate.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Its version.
    pub version: Version,
    /// When it was published: the date of the release, of the tag's commit, of the index entry or of the image.
    pub date: Option<Timestamp>,
    /// When its tag was seen to name another commit or digest than before.
    pub moved: Option<Timestamp>,
    /// Whether it is a draft on GitHub.
    pub draft: bool,
    /// Whether GitHub's flag says that it is a pre-release.
    pub prerelease: bool,
    /// Whether its publisher took it back: deleted, yanked, removed from the index.
    pub withdrawn: bool,
    /// Whether its publisher marked it as deprecated.
    pub deprecated: bool,
    /// The chart's `kubeVersion`, if it has one.
    pub kube_version: Option<String>,
}

impl Facts {
    /// A plain release about which nothing else is known.
    #[must_use]
    pub const fn new(version: Version, date: Option<Timestamp>) -> Self {
        Self {
            version,
            date,
            moved: None,
            draft: false,
            prerelease: false,
            withdrawn: false,
            deprecated: false,
            kube_version: None,
        }
    }
}

/// What a candidate has to meet.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The moment of the choice: now, or the end of the day of `--as-of`.
    pub as_of: Timestamp,
    /// How old it must be.
    pub min_age: Age,
    /// The Kubernetes that the charts are rendered for.
    pub kubernetes: Version,
    /// The platform's KubeEdge, if it has one.
    pub kubeedge: Option<Version>,
    /// The component's rows about platforms.
    pub compatibility: Vec<Compatibility>,
    /// The component's rows about ends of life.
    pub end_of_life: Vec<EndOfLife>,
}

/// Versions and the platforms that they run on. Every row that names a version must hold for it.
#[derive(Clone, Debug)]
pub struct Compatibility {
    /// Which versions the row is about.
    pub versions: Constraint,
    /// On which Kubernetes they run.
    pub kubernetes: Option<Constraint>,
    /// On which KubeEdge they run; says nothing on a platform without KubeEdge.
    pub kubeedge: Option<Constraint>,
}

/// Versions and when they end.
#[derive(Clone, Debug)]
pub struct EndOfLife {
    /// Which versions the row is about.
    pub versions: Constraint,
    /// Their last day.
    pub date: Date,
    /// What to use instead.
    pub successor: Option<String>,
}

/// Why a candidate is passed over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not published yet.
    #[error("{version} is a draft")]
    Draft {
        /// The candidate.
        version: String,
    },
    /// A pre-release by its version or by the publisher's flag.
    #[error("{version} is a pre-release{}", if *.flagged { " by its publisher's mark" } else { "" })]
    Prerelease {
        /// The candidate.
        version: String,
        /// Whether only the flag says so.
        flagged: bool,
    },
    /// Taken back by its publisher.
    #[error("{version} was withdrawn")]
    Withdrawn {
        /// The candidate.
        version: String,
    },
    /// No date, although the cool-down needs one.
    #[error("{version} has no date, so nothing tells whether it is {min_age} old")]
    Undated {
        /// The candidate.
        version: String,
        /// How old it must be.
        min_age: Age,
    },
    /// Published after the moment of the choice.
    #[error("{version} was released {}, after {}", day(*.date), day(*.as_of))]
    Later {
        /// The candidate.
        version: String,
        /// When it was published.
        date: Timestamp,
        /// The moment of the choice.
        as_of: Timestamp,
    },
    /// Too young.
    #[error("{version} was released {}, younger than {min_age}", day(*.date))]
    Young {
        /// The candidate.
        version: String,
        /// When it was published.
        date: Timestamp,
        /// How old it must be.
        min_age: Age,
    },
    /// Its tag moved a short time ago.
    #[error("the tag of {version} moved {}, less than {min_age} ago", day(*.moved))]
    Moved {
        /// The candidate.
        version: String,
        /// When the tag was seen elsewhere.
        moved: Timestamp,
        /// How old it must be.
        min_age: Age,
    },
    /// The chart's `kubeVersion` does not take the platform.
    #[error("{version} wants Kubernetes {range}, the platform has {kubernetes}")]
    KubeVersion {
        /// The candidate.
        version: String,
        /// Its `kubeVersion`.
        range: String,
        /// The platform's Kubernetes.
        kubernetes: String,
    },
    /// The chart's `kubeVersion` is no range, which Helm refuses too.
    #[error("{version} has the kubeVersion `{range}`, which is no range")]
    KubeVersionUnreadable {
        /// The candidate.
        version: String,
        /// Its `kubeVersion`.
        range: String,
    },
    /// A compatibility row does not take the platform.
    #[error("{version} wants {what} {wanted} (compatibility of {versions}), the platform has {present}")]
    Incompatible {
        /// The candidate.
        version: String,
        /// `Kubernetes` or `KubeEdge`.
        what: &'static str,
        /// The row's versions.
        versions: String,
        /// What the row wants.
        wanted: String,
        /// What the platform has.
        present: String,
    },
}

impl Refusal {
    /// Whether the search ends here instead of going on to the next candidate: without a date, an older version
    /// would be taken for no reason that anybody sees.
    #[must_use]
    pub const fn ends_search(&self) -> bool {
        matches!(self, Self::Undated { .. })
    }
}

/// Whether a candidate may be chosen.
pub fn judge(facts: &Facts, rules: &Rules) -> Result<(), Refusal> {
    let version = facts.version.to_string();
    if facts.draft {
        return Err(Refusal::Draft { version });
    }
    if facts.prerelease || facts.version.is_prerelease() {
        let flagged = !facts.version.is_prerelease();
        return Err(Refusal::Prerelease { version, flagged });
    }
    if facts.withdrawn {
        return Err(Refusal::Withdrawn { version });
    }
    runs_on_platform(facts, rules)?;
    is_old_enough(facts, rules)
}

/// Checks the dates.
fn is_old_enough(facts: &Facts, rules: &Rules) -> Result<(), Refusal> {
    let version = facts.version.to_string();
    let (as_of, min_age) = (rules.as_of, rules.min_age);
    let Some(date) = facts.date else {
        return if min_age.is_zero() { Ok(()) } else { Err(Refusal::Undated { version, min_age }) };
    };
    if date > as_of {
        return Err(Refusal::Later { version, date, as_of });
    }
    if as_of.duration_since(date) < min_age.duration() {
        return Err(Refusal::Young { version, date, min_age });
    }
    match facts.moved {
        Some(moved) if as_of.duration_since(moved) < min_age.duration() => {
            Err(Refusal::Moved { version, moved, min_age })
        }
        _ => Ok(()),
    }
}

/// Checks the chart's `kubeVersion` and the component's rows.
fn runs_on_platform(facts: &Facts, rules: &Rules) -> Result<(), Refusal> {
    let version = &facts.version;
    if let Some(range) = facts.kube_version.as_deref().map(str::trim).filter(|range| !range.is_empty()) {
        let (version, range) = (version.to_string(), range.to_owned());
        match range.parse::<HelmRange>() {
            Err(_) => return Err(Refusal::KubeVersionUnreadable { version, range }),
            Ok(parsed) if !parsed.matches(&rules.kubernetes) => {
                return Err(Refusal::KubeVersion { version, range, kubernetes: rules.kubernetes.to_string() });
            }
            Ok(_) => {}
        }
    }
    for row in rules.compatibility.iter().filter(|row| row.versions.matches(version)) {
        let wants = [
            ("Kubernetes", &row.kubernetes, Some(&rules.kubernetes)),
            ("KubeEdge", &row.kubeedge, rules.kubeedge.as_ref()),
        ];
        for (what, wanted, present) in wants {
            if let (Some(wanted), Some(present)) = (wanted, present)
                && !wanted.matches(present)
            {
                return Err(Refusal::Incompatible {
                    version: version.to_string(),
                    what,
                    versions: row.versions.to_string(),
                    wanted: wanted.to_string(),
                    present: present.to_string(),
                });
            }
        }
    }
    Ok(())
}

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
            Self::NoCompatibilityRow { .. } => Warning::Compatibility,
        }
    }

    /// Whether it fails `--check` unless it is accepted: past its date, or at once where deprecation has no date.
    #[must_use]
    pub const fn fails_check(&self) -> bool {
        match self {
            Self::Deprecated { end: None, .. } => true,
            Self::Deprecated { end: Some((_, past)), .. } | Self::EndOfLife { past, .. } => *past,
            Self::NoCompatibilityRow { .. } => false,
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
    if !rules.compatibility.is_empty() && !rules.compatibility.iter().any(|row| row.versions.matches(version)) {
        notices.push(Notice::NoCompatibilityRow { version: version.clone() });
    }
    notices
}

/// A cool-down in whole days, written `7d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age(u32);

/// Why a text is no [`Age`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an age in days from `0d` to `3650d`, such as `7d`")]
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
        let days = text.strip_suffix('d').filter(|days| days.bytes().all(|b| b.is_ascii_digit()));
        let days = days.and_then(|days| days.parse().ok()).filter(|days| *days <= MAX_DAYS);
        days.map(Self).ok_or_else(|| AgeError(text.to_owned()))
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
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    let date = if shape { text.parse().ok() } else { None };
    date.ok_or_else(|| DayError(text.to_owned()))
}

/// The last moment of `day`, UTC.
#[must_use]
pub fn end_of_day(day: Date) -> Timestamp {
    let last = day.at(23, 59, 59, 999_999_999);
    // Only the last days of the year 9999 are out of the range of timestamps.
    last.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

/// The UTC day of a moment.
fn day(timestamp: Timestamp) -> Date {
    timestamp.to_zoned(TimeZone::UTC).date()
}

/// The dates of one chart's index entries, without those that tell nothing.
///
/// Some repositories stamp all entries anew at each build. So a date counts only where fewer than half of the chart's
/// entries share its UTC day.
#[must_use]
pub fn trusted_dates(created: &[Option<Timestamp>]) -> Vec<Option<Timestamp>> {
    let mut entries_by_day = std::collections::BTreeMap::<Date, usize>::new();
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

#[cfg(test)]
mod tests;
