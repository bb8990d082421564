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

    /// What Masterminds/semver v3.5.0 itself answers, the library in Helm 4.2: ranges of real charts, and random ones.
    const ANSWERS: [(&str, usize); 2] = [
        (include_str!("../../tests/data/helm_range.tsv"), 79),
        (include_str!("../../tests/data/helm_range_generated.tsv"), 1500),
    ];

    #[test]
    fn answers_as_the_library_in_helm() {
        for (answers, ranges) in ANSWERS {
            let mut lines = answers.lines().filter(|line| !line.starts_with('#'));
            let first = lines.next().unwrap();
            let versions: Vec<Version> = first.split('\t').skip(1).map(|version| version.parse().unwrap()).collect();
            let (mut asked, mut wrong) = (0, Vec::new());
            for line in lines {
                let (text, answers) = line.split_once('\t').unwrap();
                let range = text.parse::<HelmRange>();
                for (version, expected) in versions.iter().zip(answers.split('\t')) {
                    let answer = match &range {
                        Err(_) => "error",
                        Ok(range) if range.matches(version) => "yes",
                        Ok(_) => "no",
                    };
                    asked += 1;
                    if answer != expected {
                        wrong.push(format!("`{text}` for {version}: {answer}, Helm says {expected}"));
                    }
                }
            }
            assert_eq!(asked, ranges * versions.len());
            assert!(wrong.is_empty(), "{} answers: {wrong:#?}", wrong.len());
        }
    }
}
