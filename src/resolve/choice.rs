//! The pure choice: which of a source's versions is taken. It asks nothing; it judges what it is told.
//!
//! [`rank`] orders the tags, the driver collects the [`Facts`] of one candidate after the other, because they may cost
//! requests, and takes the first that [`judge`] lets through. [`notices`] says aloud what speaks against the chosen one.

mod dates;
mod notice;
mod refusal;

use jiff::Timestamp;
use jiff::civil::Date;

pub use dates::{Age, AgeError, DayError, end_of_day, image_date, parse_day, trusted_dates};
pub use notice::{Notice, notices};
pub use refusal::Refusal;

use crate::version::{Constraint, HelmRange, Hold, Pattern, Version};

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
/// Left out is what can never be chosen: other patterns, versions outside the constraint, versions that a hold does
/// not leave, and pre-releases by their own text. Variants that differ only in build metadata from a plain version
/// (`v2.54.0+dedupelabels`) come after it. Of several tags with one version the longest text comes first, since `v4` may
/// move where `v4.0.0` does not; a `v` that is no part of it does not count. The source's order does not matter.
pub fn rank<T: AsRef<str>>(
    tags: impl IntoIterator<Item = T>,
    pattern: &Pattern,
    constraint: Option<&Constraint>,
    hold: Option<&Hold>,
) -> Vec<Ranked> {
    let mut ranked: Vec<_> = tags
        .into_iter()
        .filter_map(|tag| {
            let version = pattern.version(tag.as_ref())?;
            let wanted = !version.is_prerelease()
                && constraint.is_none_or(|constraint| constraint.matches(&version))
                && hold.is_none_or(|hold| hold.takes(&version));
            wanted.then(|| Ranked { tag: tag.as_ref().to_owned(), version })
        })
        .collect();
    ranked.sort_by(|a, b| {
        let precedence = b.version.precedence(&a.version);
        let plain_first = b.version.build().is_empty().cmp(&a.version.build().is_empty());
        let length = |ranked: &Ranked| ranked.version.as_str().len();
        let by_tag = || length(b).cmp(&length(a)).then_with(|| a.tag.cmp(&b.tag));
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
    /// Whether its source has no higher release, whatever the catalog wants.
    pub newest: bool,
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
            newest: false,
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
    /// Other Kubernetes versions on which it has to install too.
    pub also: Vec<Version>,
    /// The platform's KubeEdge, if it has one.
    pub kubeedge: Option<Version>,
    /// The component's rows about platforms.
    pub compatibility: Vec<Compatibility>,
    /// The component's rows about ends of life.
    pub end_of_life: Vec<EndOfLife>,
}

impl Rules {
    /// Every Kubernetes that a candidate has to run on, with the words of a refusal for it.
    fn every_kubernetes(&self) -> impl Iterator<Item = (&Version, String)> {
        let also = self.also.iter().map(|version| (version, format!("also {version}")));
        std::iter::once((&self.kubernetes, self.kubernetes.to_string())).chain(also)
    }
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
            Ok(parsed) => {
                if let Some((_, present)) = rules.every_kubernetes().find(|(on, _)| !parsed.matches(on)) {
                    return Err(Refusal::KubeVersion { version, range, present });
                }
            }
        }
    }
    for row in rules.compatibility.iter().filter(|row| row.versions.matches(version)) {
        let on = rules.every_kubernetes().map(|(on, present)| ("Kubernetes", &row.kubernetes, on, present));
        let edge = rules.kubeedge.iter().map(|on| ("KubeEdge", &row.kubeedge, on, on.to_string()));
        for (what, wanted, on, present) in on.chain(edge) {
            if let Some(wanted) = wanted.as_ref().filter(|wanted| !wanted.matches(on)) {
                let (version, versions) = (version.to_string(), row.versions.to_string());
                return Err(Refusal::Incompatible { version, what, versions, wanted: wanted.to_string(), present });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
