//! What a repository's tags look like: `kube-prometheus-stack-{version}`, `v{version}`.

use std::fmt;
use std::str::FromStr;

use super::Version;

/// The one placeholder of a pattern.
const PLACEHOLDER: &str = "{version}";
/// The longest pattern: git and OCI tags are not longer.
const MAX_PATTERN: usize = 255;

/// A literal text around exactly one `{version}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    prefix: String,
    suffix: String,
    /// Whether a `v` may stand before the version's first digit; it is no part of the version then.
    leading_v: bool,
}

/// Why a text is no tag pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a tag pattern: {reason}")]
pub struct PatternError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Pattern {
    /// The versions of a chart as its repository lists them: with or without a `v`, and where its authors changed
    /// their mind, with both.
    #[must_use]
    pub const fn of_charts() -> Self {
        Self { prefix: String::new(), suffix: String::new(), leading_v: true }
    }

    /// The literal text before `{version}`: what a listing of tags can be narrowed by.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The version in `tag`, if the tag has this pattern.
    ///
    /// `{version}` starts with a digit: with `{version}`, the tag `v1.2.3` is another project's habit and no match.
    #[must_use]
    pub fn version(&self, tag: &str) -> Option<Version> {
        let text = tag.strip_prefix(self.prefix.as_str())?.strip_suffix(self.suffix.as_str())?;
        let text = if self.leading_v { text.strip_prefix('v').unwrap_or(text) } else { text };
        if text.starts_with('v') {
            return None;
        }
        text.parse().ok()
    }

    /// The tag of a version's text.
    #[must_use]
    pub fn tag(&self, version: &str) -> String {
        format!("{}{version}{}", self.prefix, self.suffix)
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let error = |reason| PatternError { text: text.chars().take(MAX_PATTERN).collect(), reason };
        let Some((prefix, suffix)) = text.split_once(PLACEHOLDER) else {
            return Err(error("it needs `{version}` where the tag has its version"));
        };
        if suffix.contains(PLACEHOLDER) {
            return Err(error("it has `{version}` more than once"));
        }
        if text.len() > MAX_PATTERN {
            return Err(error("it is longer than any tag"));
        }
        let literal = |c: char| c.is_ascii_graphic() && !"{}*?[]\\^~: ".contains(c);
        if !prefix.chars().chain(suffix.chars()).all(literal) {
            return Err(error("around `{version}` it may hold only what a tag can hold"));
        }
        Ok(Self { prefix: prefix.to_owned(), suffix: suffix.to_owned(), leading_v: false })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tag(PLACEHOLDER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        text.parse().unwrap()
    }

    #[test]
    fn finds_the_version_of_one_chart_among_forty() {
        let chart = pattern("prometheus-{version}");
        assert_eq!(chart.version("prometheus-27.1.0").unwrap().as_str(), "27.1.0");
        assert_eq!(chart.version("prometheus-node-exporter-4.56.1"), None);
        assert_eq!(chart.version("kube-prometheus-stack-88.5.3"), None);
        assert_eq!(chart.prefix(), "prometheus-");
        assert_eq!(chart.tag("27.1.0"), "prometheus-27.1.0");
    }

    #[test]
    fn passes_over_tags_of_other_things() {
        let app = pattern("v{version}");
        for tag in [
            "cmd/builder/v0.1.0",
            "draft-4.53.1",
            "list",
            "v",
            "vTestA",
            "api/v1.9.0",
            "metrics-server-helm-chart-3.13.0",
        ] {
            assert_eq!(app.version(tag), None, "{tag}");
        }
        assert_eq!(pattern("{version}").version("v1.2.3"), None);
        assert_eq!(app.version("vv1.2.3"), None);
    }

    #[test]
    fn takes_a_charts_own_v() {
        let charts = Pattern::of_charts();
        assert_eq!(charts.version("v1.17.0").unwrap().as_str(), "1.17.0");
        assert_eq!(charts.version("1.17.0").unwrap().as_str(), "1.17.0");
        assert_eq!(charts.version("chart-1.17.0"), None);
        assert_eq!(charts.version("vv1.17.0"), None);
    }

    #[test]
    fn strips_a_suffix_before_it_reads_the_version() {
        let distroless = pattern("v{version}-distroless");
        assert!(!distroless.version("v3.14.0-distroless").unwrap().is_prerelease());
        assert_eq!(distroless.version("v3.14.0"), None);
        assert!(pattern("v{version}").version("v3.14.0-distroless").unwrap().is_prerelease());
    }

    #[test]
    fn refuses_what_is_no_pattern() {
        for text in ["", "v", "{version}{version}", "v{version}-{arch}", "v {version}", "v{version}\n", "{Version}"] {
            let error = text.parse::<Pattern>().unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
        }
        assert!(("x".repeat(300) + "{version}").parse::<Pattern>().is_err());
    }

    #[test]
    fn shows_itself_as_written() {
        assert_eq!(pattern("helm-chart/{version}").to_string(), "helm-chart/{version}");
    }
}
