//! Constraints of the catalog on versions: `>=18, <19`, `1.36.*`, `^1.2`, `<3 || >=4`.

use std::fmt;
use std::str::FromStr;

use super::Version;
use super::comparator::{Dialect, SyntaxError, scan};
use super::range::Ranges;

/// Which versions are taken.
///
/// Operators are `=` (also when none is written), `!=`, `>`, `>=`, `<`, `<=`, `~` (same minor) and `^` (same leftmost
/// number that is not 0). Commas or spaces join what all has to hold, `||` separates alternatives, `1.2 - 1.4` is a
/// range with both ends. A missing part is 0, but `=`, `!=`, `>` and `<=` with one or two numbers speak of
/// the whole series, so `1.36` is `1.36.*`. Build metadata counts only where the constraint has some.
#[derive(Clone, Debug)]
pub struct Constraint {
    text: String,
    ranges: Ranges,
}

/// Why a constraint's placeholders cannot be filled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// A placeholder that constraints do not have.
    #[error("`{{{0}}}` means nothing in a constraint; only `{{kubernetes}}` and `{{kubeedge}}` do")]
    Unknown(String),
    /// The platform has no KubeEdge.
    #[error("`{{kubeedge}}` stands for `platform.kubeedge`, which the catalog does not set")]
    NoKubeEdge,
}

/// Fills `{kubernetes}` and `{kubeedge}` with the platform's versions.
pub fn fill(text: &str, kubernetes: &str, kubeedge: Option<&str>) -> Result<String, FillError> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or_else(|| FillError::Unknown(after.to_owned()))?;
        filled.push_str(before);
        filled.push_str(match name {
            "kubernetes" => kubernetes,
            "kubeedge" => kubeedge.ok_or(FillError::NoKubeEdge)?,
            _ => return Err(FillError::Unknown(name.to_owned())),
        });
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

impl Constraint {
    /// Whether it takes `version`. It looks at the order only: whether a version is stable is another question.
    #[must_use]
    pub fn matches(&self, version: &Version) -> bool {
        self.ranges.contains(version)
    }

    /// Whether any version at all can meet it; `>2, <1` and `=1.2, !=1.2` cannot be met.
    #[must_use]
    pub fn is_satisfiable(&self) -> bool {
        !self.ranges.is_empty()
    }

    /// Whether any version at all can meet both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        !self.ranges.intersection(&other.ranges).is_empty()
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Constraint {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        let mut ranges = Ranges::none();
        for alternative in scan(text, Dialect::Catalog)? {
            let both = |met: Ranges, next: Ranges| met.intersection(&next);
            ranges = ranges.union(alternative.iter().map(|c| c.ranges(Dialect::Catalog)).fold(Ranges::all(), both));
        }
        Ok(Self { text: text.to_owned(), ranges })
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
