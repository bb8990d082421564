//! Sets of versions as unions of ranges, so that constraints can be met, joined and found empty.

use std::cmp::Ordering;

use super::Version;

/// A place in the order of versions that falls on no version.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    at: Version,
    side: Side,
}

/// Where beside its version a cut lies; the order is that of the places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    /// Before the version with any build metadata or none.
    BeforeAll,
    /// Before exactly this build metadata.
    Before,
    /// After exactly this build metadata.
    After,
}

impl Cut {
    /// Just before `version`; without build metadata, before all builds of it.
    pub(super) fn before(version: &Version) -> Self {
        let side = if version.build().is_empty() { Side::BeforeAll } else { Side::Before };
        Self { at: version.clone(), side }
    }

    /// Just after `version`; without build metadata, after all builds of it.
    pub(super) fn after(version: &Version) -> Self {
        if !version.build().is_empty() {
            return Self { at: version.clone(), side: Side::After };
        }
        if version.is_prerelease() {
            // Nothing lies between a pre-release and the same one with a further `.0`.
            let next = Version::bound(version.parts(), format!("{}.0", version.pre()));
            return Self { at: next, side: Side::BeforeAll };
        }
        let [major, minor, patch, fourth] = version.parts();
        Self::earliest([major, minor, patch, fourth + 1])
    }

    /// Before the first pre-release of `parts`: `0` is below all other pre-releases.
    pub(super) fn earliest(parts: [u64; 4]) -> Self {
        Self { at: Version::bound(parts, "0".to_owned()), side: Side::BeforeAll }
    }

    /// Whether `version` lies after this cut.
    fn is_below(&self, version: &Version) -> bool {
        match self.side {
            Side::BeforeAll => self.at.precedence(version).is_le(),
            Side::Before => self.at <= *version,
            Side::After => self.at < *version,
        }
    }
}

impl Ord for Cut {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.precedence(&other.at).then_with(|| match (self.side, other.side) {
            (Side::BeforeAll, _) | (_, Side::BeforeAll) => self.side.cmp(&other.side),
            _ => self.at.cmp(&other.at).then(self.side.cmp(&other.side)),
        })
    }
}

impl PartialOrd for Cut {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Cut {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Cut {}

/// The versions between two cuts; `None` is without a bound on that side.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Range {
    from: Option<Cut>,
    to: Option<Cut>,
}

impl Range {
    fn contains(&self, version: &Version) -> bool {
        self.from.as_ref().is_none_or(|cut| cut.is_below(version))
            && self.to.as_ref().is_none_or(|cut| !cut.is_below(version))
    }

    fn intersection(&self, other: &Self) -> Option<Self> {
        // `None` is below every cut, which is right for `from`; for `to` it has to be above.
        let from = self.from.as_ref().max(other.from.as_ref());
        let to = match (&self.to, &other.to) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.as_ref().or(b.as_ref()),
        };
        let empty = matches!((from, to), (Some(from), Some(to)) if from >= to);
        (!empty).then(|| Self { from: from.cloned(), to: to.cloned() })
    }
}

/// A union of ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ranges(Vec<Range>);

impl Ranges {
    /// Every version.
    pub(super) fn all() -> Self {
        Self(vec![Range { from: None, to: None }])
    }

    /// No version.
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    /// From a cut upwards.
    pub(super) fn from(from: Cut) -> Self {
        Self(vec![Range { from: Some(from), to: None }])
    }

    /// Up to a cut.
    pub(super) fn to(to: Cut) -> Self {
        Self(vec![Range { from: None, to: Some(to) }])
    }

    /// Between two cuts.
    pub(super) fn between(from: Cut, to: Cut) -> Self {
        Self::from(from).intersection(&Self::to(to))
    }

    /// Everything but what lies between two cuts.
    pub(super) fn except(from: Cut, to: Cut) -> Self {
        Self::to(from).union(Self::from(to))
    }

    /// What is in either.
    pub(super) fn union(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// What is in both.
    pub(super) fn intersection(&self, other: &Self) -> Self {
        Self(self.0.iter().flat_map(|a| other.0.iter().filter_map(|b| a.intersection(b))).collect())
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `version` is in it.
    pub(super) fn contains(&self, version: &Version) -> bool {
        self.0.iter().any(|range| range.contains(version))
    }
}
