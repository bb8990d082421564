//! The grammar that our constraints share with Helm's ranges: `>=2, <2.21 || 3.*`.

use super::range::{Cut, Ranges};
use super::{Version, are_identifiers, number};

/// The longest constraint in bytes, as in Masterminds/semver, on which Helm stands.
const MAX_TEXT: usize = 512;
/// The most alternatives between `||`, as in Masterminds/semver.
const MAX_ALTERNATIVES: usize = 32;
/// What is wrong with a version in a constraint.
const EXPECTED: &str = "expected a version such as `1.2`, `1.2.3` or `1.*`";

/// Why a text is no constraint, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a constraint: {reason} at character {at}")]
pub struct SyntaxError {
    /// The text, cut where it is longer than any constraint.
    pub text: String,
    /// What is wrong.
    pub reason: &'static str,
    /// Where, in characters from 1.
    pub at: usize,
}

/// How a version is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Tilde,
    Caret,
}

/// The operators as they are written, longer ones first. Without one, a version is compared with `=`.
const OPERATORS: [(&str, Operator); 12] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("=>", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=<", Operator::LessOrEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
    ("", Operator::Equal),
];

/// Whose rules decide where the two differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Our catalog's.
    Catalog,
    /// Masterminds/semver v3, as Helm reads `kubeVersion`.
    Helm,
}

/// An operator and a version, of which parts may be missing or `*`.
#[derive(Clone, Debug)]
pub(super) struct Comparator {
    pub(super) operator: Operator,
    /// The version, missing parts as 0.
    pub(super) version: Version,
    /// How many numeric parts were given before the end or a wildcard.
    given: usize,
    /// Whether a wildcard was written.
    wildcard: bool,
}

impl Comparator {
    /// The versions that it takes.
    pub(super) fn ranges(&self, dialect: Dialect) -> Ranges {
        let version = &self.version;
        // Where parts are missing, `=`, `!=`, `>` and `<=` speak of the whole series: `1.36` is `1.36.*`.
        // In our catalog a pre-release or build metadata makes it exact.
        let plain = dialect == Dialect::Helm || (version.pre().is_empty() && version.build().is_empty());
        let series = self.wildcard || (self.given < 3 && plain);
        let from = Cut::before(version);
        let end = match self.given {
            0 => None,
            given if series => Some(self.next(given - 1)),
            _ => Some(Cut::after(version)),
        };
        match (self.operator, end) {
            // Masterminds/semver reads a bare `*` as 0.0.0 after these operators, against its own documentation.
            (Operator::Caret, None) if dialect == Dialect::Helm => Ranges::between(from, Cut::after(version)),
            (Operator::Greater, None) if dialect == Dialect::Helm => Ranges::from(Cut::after(version)),
            (Operator::LessOrEqual, None) if dialect == Dialect::Helm => Ranges::to(Cut::earliest([0, 1, 0, 0])),
            (Operator::NotEqual, None) if dialect == Dialect::Helm => Ranges::except(from, Cut::after(version)),
            (Operator::Tilde, Some(_)) if dialect == Dialect::Helm && self.given == 3 && version.parts() == [0; 4] => {
                Ranges::from(from)
            }
            (Operator::Less, _) if dialect == Dialect::Helm => Ranges::to(from),
            // Pre-releases of 0.0.0 are below it.
            (_, None) if dialect == Dialect::Helm => Ranges::from(from),

            (Operator::NotEqual | Operator::Greater | Operator::Less, None) => Ranges::none(),
            (_, None) => Ranges::all(),
            (Operator::Equal, Some(end)) => Ranges::between(from, end),
            (Operator::NotEqual, Some(end)) => Ranges::except(from, end),
            (Operator::Greater, Some(end)) => Ranges::from(end),
            (Operator::GreaterOrEqual, Some(_)) => Ranges::from(from),
            (Operator::LessOrEqual, Some(end)) => Ranges::to(end),
            // `<19` means that 19 is too new, and so are its release candidates.
            (Operator::Less, Some(_)) if version.pre().is_empty() && version.build().is_empty() => {
                Ranges::to(Cut::earliest(version.parts()))
            }
            (Operator::Less, Some(_)) => Ranges::to(from),
            (Operator::Tilde, Some(_)) => Ranges::between(from, self.next(self.given.min(2) - 1)),
            (Operator::Caret, Some(_)) => {
                let parts = version.parts();
                let fixed = (0..self.given).find(|index| parts[*index] > 0).unwrap_or(self.given - 1);
                Ranges::between(from, self.next(fixed))
            }
        }
    }

    /// Before the first version whose part at `index` is higher.
    fn next(&self, index: usize) -> Cut {
        let mut parts = [0; 4];
        parts[..=index].copy_from_slice(&self.version.parts()[..=index]);
        parts[index] += 1;
        Cut::earliest(parts)
    }
}

/// The pre-release of what follows the numbers, with its dash, as semver 2.0.0 and Helm have it: no leading zeros in
/// its numbers, and build metadata that is not empty; none when it is something else.
fn prerelease(tail: &str) -> Option<&str> {
    let (pre, build) = tail.split_once('+').map_or((tail, None), |(pre, build)| (pre, Some(build)));
    let number = |identifier: &str| identifier.len() > 1 && identifier.bytes().all(|c| c.is_ascii_digit());
    let padded = |identifier: &str| number(identifier) && identifier.starts_with('0');
    let good = pre.is_empty() || pre.strip_prefix('-').is_some_and(|pre| !pre.split('.').any(padded));
    (good && build.is_none_or(are_identifiers)).then_some(pre)
}

/// Reads the alternatives between `||`, each a list of comparators that all have to hold.
pub(super) fn scan(text: &str, dialect: Dialect) -> Result<Vec<Vec<Comparator>>, SyntaxError> {
    if text.len() > MAX_TEXT {
        let read = text.char_indices().take_while(|(at, _)| *at < MAX_TEXT).count();
        let text = text.chars().take(read).collect();
        return Err(SyntaxError { text, reason: "there are more than 512 bytes", at: read + 1 });
    }
    let mut alternatives = Vec::new();
    let mut offset = 0;
    for alternative in text.split("||") {
        let mut scanner = Scanner { dialect, text, rest: alternative, offset };
        if alternatives.len() == MAX_ALTERNATIVES {
            return Err(scanner.error("there are more than 32 alternatives"));
        }
        alternatives.push(scanner.alternative()?);
        offset += alternative.len() + 2;
    }
    Ok(alternatives)
}

/// Walks one alternative.
struct Scanner<'a> {
    dialect: Dialect,
    text: &'a str,
    rest: &'a str,
    /// Where `rest` begins in `text`, in bytes.
    offset: usize,
}

impl<'a> Scanner<'a> {
    /// An error at the current place.
    fn error(&self, reason: &'static str) -> SyntaxError {
        let at = self.text[..self.offset].chars().count() + 1;
        SyntaxError { text: self.text.to_owned(), reason, at }
    }

    /// Takes the longest run of characters that are `wanted`.
    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        self.skip(self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len()))
    }

    /// Takes `length` bytes.
    fn skip(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        self.offset += length;
        taken
    }

    fn spaces(&mut self) -> bool {
        !self.take(char::is_whitespace).is_empty()
    }

    fn alternative(&mut self) -> Result<Vec<Comparator>, SyntaxError> {
        let mut comparators = Vec::new();
        loop {
            self.spaces();
            self.comparator(&mut comparators)?;
            let spaces = self.spaces();
            if self.rest.is_empty() {
                return Ok(comparators);
            }
            if self.rest.starts_with(',') {
                self.skip(1);
            } else if !spaces {
                return Err(self.error("expected a comma, `||` or the end"));
            }
        }
    }

    /// Reads one comparator, or the two that a hyphen range `1.2 - 1.4` stands for.
    fn comparator(&mut self, comparators: &mut Vec<Comparator>) -> Result<(), SyntaxError> {
        let (written, operator) = self.operator();
        let first = self.version(operator)?;
        if !written && self.rest.trim_start().starts_with("- ") {
            self.spaces();
            self.skip(1);
            self.spaces();
            comparators.push(Comparator { operator: Operator::GreaterOrEqual, ..first });
            comparators.push(self.version(Operator::LessOrEqual)?);
        } else {
            comparators.push(first);
        }
        Ok(())
    }

    /// Reads the operator and tells whether there is one.
    fn operator(&mut self) -> (bool, Operator) {
        for (sign, operator) in OPERATORS {
            if self.rest.starts_with(sign) {
                self.skip(sign.len());
                self.spaces();
                return (!sign.is_empty(), operator);
            }
        }
        (false, Operator::Equal)
    }

    /// Reads a version, of which parts may be missing or wildcards.
    fn version(&mut self, operator: Operator) -> Result<Comparator, SyntaxError> {
        let start = self.error(EXPECTED);
        if self.rest.starts_with('v') {
            self.skip(1);
        }
        let numbers = self.take(|c| c.is_ascii_digit() || matches!(c, '.' | '*' | 'x' | 'X'));
        let tail = self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'));

        let mut parts = [0; 4];
        let (mut given, mut wildcard) = (0, false);
        // Helm knows three numbers, ignores those after a wildcard, and all build metadata.
        let helm = self.dialect == Dialect::Helm;
        let most = if helm { 3 } else { 4 };
        for (index, part) in numbers.split('.').enumerate() {
            if index == most {
                return Err(SyntaxError { reason: "the version has too many numbers", ..start });
            } else if matches!(part, "*" | "x" | "X") {
                wildcard = true;
            } else if wildcard && !helm {
                return Err(SyntaxError { reason: "a number stands after a wildcard", ..start });
            } else if !wildcard {
                parts[index] = number(part).map_err(|_| start.clone())?;
                given += 1;
            }
        }
        let tail = if helm { prerelease(tail).ok_or_else(|| start.clone())? } else { tail };
        let [major, minor, patch, fourth] = parts;
        let version = format!("{major}.{minor}.{patch}.{fourth}{tail}").parse().map_err(|_| start)?;
        Ok(Comparator { operator, version, given, wildcard })
    }
}
