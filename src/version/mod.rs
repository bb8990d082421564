//! Versions: tags, order, constraints, Helm's `kubeVersion` ranges. Pure text and numbers, no sources.

mod comparator;
mod constraint;
mod guess;
mod helm_range;
mod hold;
mod pattern;
mod range;
mod survey;

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

pub use comparator::SyntaxError;
pub use constraint::{Constraint, FillError, fill};
pub use guess::{Guess, compatible, guess};
pub use helm_range::HelmRange;
pub use hold::Hold;
pub use pattern::{Pattern, PatternError};
pub use survey::{Family, Fit, LeftOut, Survey};

/// The longest version text: that of an OCI tag (distribution-spec v1.1, "Pulling manifests").
pub const MAX_VERSION: usize = 128;

/// The largest numeric part. It leaves room for a date with nanoseconds and for "the next one".
const MAX_PART: u64 = u64::MAX / 2;

/// A version: one to four numeric parts, then a pre-release, then build metadata; it keeps its own text.
///
/// Missing parts compare as 0. The pre-release follows semver 2.0.0, §11, and may stand without its dash (`2.1.0rc3`).
/// Build metadata, which semver leaves unordered, comes last (`1.36.4+k3s1` is older than `1.36.4+k3s2`).
/// In identifiers with letters, runs of digits compare as numbers. Versions that compare as equal *are* equal:
/// `1.2`, `v1.2` and `1.2.0` differ in their text only.
#[derive(Clone, Debug)]
pub struct Version {
    text: String,
    parts: [u64; 4],
    pre: String,
    build: String,
}

/// Why a text is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version: {reason}")]
pub struct VersionError {
    /// The text, cut where it is longer than any version.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Version {
    /// Its own text, never a normalised one.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The four numeric parts; missing ones are 0.
    #[must_use]
    pub const fn parts(&self) -> [u64; 4] {
        self.parts
    }

    /// The pre-release without its dash, such as `rc.1`; empty for a release.
    #[must_use]
    pub fn pre(&self) -> &str {
        &self.pre
    }

    /// The build metadata without its plus, such as `k3s1`; empty where there is none.
    #[must_use]
    pub fn build(&self) -> &str {
        &self.build
    }

    /// Whether its own text says that it is no release.
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        !self.pre.is_empty()
    }

    /// The order without the build metadata: semver's precedence.
    #[must_use]
    pub fn precedence(&self, other: &Self) -> Ordering {
        self.parts.cmp(&other.parts).then_with(|| match (self.pre.is_empty(), other.pre.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => compare_identifiers(&self.pre, &other.pre),
        })
    }

    /// Builds the version of `parts` and `pre`, for bounds that no text names.
    fn bound(parts: [u64; 4], pre: String) -> Self {
        Self { text: String::new(), parts, pre, build: String::new() }
    }
}

impl FromStr for Version {
    type Err = VersionError;

    /// Reads a version; one leading `v`, which some charts write, belongs to the text but not to the order.
    fn from_str(text: &str) -> Result<Self, VersionError> {
        let error = |reason| VersionError { text: text.chars().take(MAX_VERSION).collect(), reason };
        if text.len() > MAX_VERSION {
            return Err(error("it is longer than 128 bytes"));
        }
        let body = text.strip_prefix('v').unwrap_or(text);
        let end = body.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(body.len());
        let (numbers, rest) = body.split_at(end);
        let (pre, build) = match rest.split_once('+') {
            Some((pre, build)) => (pre, Some(build)),
            None => (rest, None),
        };

        let mut parts = [0; 4];
        for (index, digits) in numbers.split('.').enumerate() {
            *parts.get_mut(index).ok_or_else(|| error("it has more than four numeric parts"))? =
                number(digits).map_err(error)?;
        }
        // `2.1.0rc3` needs no dash; anything else after the numbers is no pre-release.
        let identifiers = pre.strip_prefix('-').unwrap_or(pre);
        if !pre.is_empty() && !are_identifiers(identifiers) {
            return Err(error("after the numbers it may have a pre-release of letters, digits, dashes and dots"));
        }
        if !build.is_none_or(are_identifiers) {
            return Err(error("its build metadata may hold letters, digits, dashes and dots only"));
        }
        let build = build.unwrap_or_default().to_owned();
        Ok(Self { text: text.to_owned(), parts, pre: identifiers.to_owned(), build })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.precedence(other).then_with(|| match (self.build.is_empty(), other.build.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => compare_identifiers(&self.build, &other.build),
        })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

/// Reads one numeric part.
fn number(digits: &str) -> Result<u64, &'static str> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err("expected one to four numbers with a dot between them, such as `1.2.3`");
    }
    digits.parse().ok().filter(|part| *part <= MAX_PART).ok_or("one of its numbers is too large")
}

/// Whether `text` is a list of identifiers with dots between them.
fn are_identifiers(text: &str) -> bool {
    text.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

/// Compares two lists of identifiers (semver 2.0.0, §11.4): a number is below a word, and more identifiers are above
/// fewer. Unlike semver, the runs of digits in a word are numbers, so `rc2` comes before `rc10`.
fn compare_identifiers(a: &str, b: &str) -> Ordering {
    let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let (mut left, mut right) = (a.split('.'), b.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => number(b).cmp(&number(a)).then_with(|| compare_runs(a, b)),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Compares run by run: digits as numbers of any length, all else byte by byte.
fn compare_runs(mut a: &str, mut b: &str) -> Ordering {
    loop {
        let ((x, rest_a), (y, rest_b)) = (first_run(a), first_run(b));
        let order = match (x.starts_with(|c: char| c.is_ascii_digit()), y.starts_with(|c: char| c.is_ascii_digit())) {
            (true, true) => {
                let (x, y) = (x.trim_start_matches('0'), y.trim_start_matches('0'));
                x.len().cmp(&y.len()).then_with(|| x.cmp(y))
            }
            _ => x.cmp(y),
        };
        if order.is_ne() || (rest_a.is_empty() && rest_b.is_empty()) {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
}

/// Splits off the leading run of digits, or of anything else.
fn first_run(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    text.split_at(text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests;
