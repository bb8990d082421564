//! `kubeVersion` of a chart, as Helm reads it: Masterminds/semver v3.

use std::fmt;
use std::str::FromStr;

use super::Version;
use super::comparator::{Dialect, SyntaxError, scan};
use super::range::Ranges;

/// The Kubernetes versions that a chart says it runs on, such as `>=1.25.0-0`.
///
/// The same signs as in a [`super::Constraint`], with Helm's rule for pre-releases: an alternative takes them only if
/// one of its versions has a pre-release, which is what the `-0` in `>=1.25.0-0` is for.
#[derive(Clone, Debug)]
pub struct HelmRange {
    text: String,
    alternatives: Vec<Alternative>,
}

#[derive(Clone, Debug)]
struct Alternative {
    ranges: Ranges,
    prereleases: bool,
}

impl HelmRange {
    /// Whether Helm would install the chart on Kubernetes `version`.
    #[must_use]
    pub fn matches(&self, version: &Version) -> bool {
        self.alternatives
            .iter()
            .any(|all| (all.prereleases || !version.is_prerelease()) && all.ranges.contains(version))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for HelmRange {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        let mut alternatives = Vec::new();
        for comparators in scan(text, Dialect::Helm)? {
            let mut ranges = Ranges::all();
            let mut prereleases = false;
            for comparator in &comparators {
                ranges = ranges.intersection(&comparator.ranges(Dialect::Helm));
                prereleases |= comparator.version.is_prerelease();
            }
            alternatives.push(Alternative { ranges, prereleases });
        }
        Ok(Self { text: text.to_owned(), alternatives })
    }
}

impl fmt::Display for HelmRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Masterminds/semver v3.5.0 itself answers, the library in Helm 4.2.
    const ANSWERS: &str = include_str!("../../tests/data/helm_range.tsv");

    #[test]
    fn answers_as_the_library_in_helm() {
        let mut lines = ANSWERS.lines().filter(|line| !line.starts_with('#'));
        let versions: Vec<Version> = lines.next().unwrap().split('\t').skip(1).map(|v| v.parse().unwrap()).collect();
        let mut asked = 0;
        for line in lines {
            let (text, answers) = line.split_once('\t').unwrap();
            let range = text.parse::<HelmRange>();
            for (version, expected) in versions.iter().zip(answers.split('\t')) {
                let answer = match &range {
                    Err(_) => "error",
                    Ok(range) if range.matches(version) => "yes",
                    Ok(_) => "no",
                };
                assert_eq!(answer, expected, "`{text}` for {version}");
                asked += 1;
            }
        }
        assert_eq!(asked, 79 * versions.len());
    }
}
