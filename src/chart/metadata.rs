//! `Chart.yaml`, as far as choosing, checking and rendering need it (Helm, "The Chart.yaml file").

use serde::{Deserialize, Deserializer};

use crate::yaml::{self, YamlError};

/// What a chart says about itself. Unknown fields are upstream's business and are passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The chart's name.
    pub name: String,
    /// The chart's version, as written.
    pub version: String,
    /// The version of what it installs, as written: `v0.93.1` and `1.20` stay what they are.
    #[serde(default)]
    pub app_version: Option<String>,
    /// The range of Kubernetes versions that it wants, such as `>=1.25.0-0`.
    #[serde(default)]
    pub kube_version: Option<String>,
    /// Whether upstream gave it up.
    #[serde(default, deserialize_with = "null_is_default")]
    pub deprecated: bool,
    /// `application` (also when it says nothing) or `library`, which installs nothing by itself.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// The charts that it brings along.
    #[serde(default, deserialize_with = "null_is_default")]
    pub dependencies: Vec<Dependency>,
}

/// One subchart as the parent names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Dependency {
    /// The subchart's name.
    pub name: String,
    /// A version or a range.
    #[serde(default)]
    pub version: Option<String>,
    /// Where it comes from; empty for one that lies in the parent's own tree.
    #[serde(default)]
    pub repository: Option<String>,
    /// The value that switches it on, such as `grafana.enabled`.
    #[serde(default)]
    pub condition: Option<String>,
    /// The name under which the parent sets its values, where it differs.
    #[serde(default)]
    pub alias: Option<String>,
}

impl Metadata {
    /// Parses a `Chart.yaml`; `file` only names it in errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, YamlError> {
        yaml::parse_foreign(file, text)
    }

    /// Whether it is a library chart, which renders nothing.
    #[must_use]
    pub fn is_library(&self) -> bool {
        self.kind.as_deref() == Some("library")
    }
}

/// Reads `key:` without a value as if the key were absent, which is how Helm reads it.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stay_text() {
        let text = "apiVersion: v2\nname: a\nversion: 1.20.0\nappVersion: 1.20\ndeprecated:\ndependencies:\nkubeVersion: '>=1.25.0-0'\n";
        let chart = Metadata::parse("Chart.yaml", text).unwrap();
        assert_eq!(chart.app_version.as_deref(), Some("1.20"));
        assert_eq!(chart.kube_version.as_deref(), Some(">=1.25.0-0"));
        assert!(!chart.deprecated && chart.dependencies.is_empty() && !chart.is_library());
    }

    #[test]
    fn a_chart_without_a_version_says_where() {
        let error = Metadata::parse("x/Chart.yaml", "name: a\n").unwrap_err();
        assert!(error.to_string().starts_with("x/Chart.yaml:1:1: "), "{error}");
        assert!(error.message.contains("version"), "{error}");
    }
}
