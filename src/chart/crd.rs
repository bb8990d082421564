//! The API versions that a chart's custom resource definitions bring, for `helm template --api-versions`.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::yaml::{self, YamlError};

/// A custom resource definition: what it makes known to the API server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crd {
    /// The API group, such as `monitoring.coreos.com`.
    pub group: String,
    /// The kind, such as `ServiceMonitor`.
    pub kind: String,
    /// Its served versions, sorted.
    pub versions: Vec<String>,
}

impl Crd {
    /// Both forms that `.Capabilities.APIVersions.Has` knows: `group/version` and `group/version/Kind`.
    pub fn api_versions(&self) -> impl Iterator<Item = String> + '_ {
        self.versions.iter().flat_map(|version| {
            [format!("{}/{version}", self.group), format!("{}/{version}/{}", self.group, self.kind)]
        })
    }
}

/// All API versions of `crds`, sorted and without repetitions.
pub fn api_versions<'a>(crds: impl IntoIterator<Item = &'a Crd>) -> BTreeSet<String> {
    crds.into_iter().flat_map(Crd::api_versions).collect()
}

#[derive(Deserialize)]
struct Definition {
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    group: String,
    names: Names,
    #[serde(default)]
    versions: Vec<Version>,
    /// The only version of a `v1beta1` definition.
    #[serde(default)]
    version: Option<String>,
}

#[derive(Deserialize)]
struct Names {
    kind: String,
}

#[derive(Deserialize)]
struct Version {
    name: String,
    #[serde(default = "yes")]
    served: bool,
}

const fn yes() -> bool {
    true
}

/// Reads one document that [`is_definition`] says is a definition; `file` only names it in errors.
pub fn parse(file: &str, document: &str) -> Result<Crd, YamlError> {
    let spec = yaml::parse_foreign::<Definition>(file, document)?.spec;
    let mut versions: Vec<_> = spec.versions.into_iter().filter(|v| v.served).map(|v| v.name).collect();
    versions.extend(spec.version);
    versions.sort();
    versions.dedup();
    Ok(Crd { group: spec.group, kind: spec.names.kind, versions })
}

/// Whether a YAML or JSON document is a custom resource definition, told by its `kind` line alone:
/// the schemas of one chart can have megabytes, and nothing else in them is of use here.
#[must_use]
pub fn is_definition(document: &str) -> bool {
    document.lines().any(|line| {
        let Some(rest) = line.strip_prefix("kind:").or_else(|| line.strip_prefix("\"kind\":")) else { return false };
        let rest = rest.split(" #").next().unwrap_or_default();
        rest.trim().trim_matches(['"', '\'']) == "CustomResourceDefinition"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_each_served_version() {
        let text = "kind: CustomResourceDefinition\nspec:\n  group: g.io\n  names: {kind: A, plural: as}\n  versions:\n  - {name: v1, served: true, schema: {x: 1}}\n  - {name: v1alpha1, served: false}\n";
        assert!(is_definition(text));
        let crd = parse("crds/a.yaml", text).unwrap();
        assert_eq!(api_versions([&crd]).into_iter().collect::<Vec<_>>(), ["g.io/v1", "g.io/v1/A"]);
    }

    #[test]
    fn other_kinds_are_none() {
        assert!(!is_definition("kind: ConfigMap\ndata:\n  x: |\n    kind: CustomResourceDefinition\n"));
        assert!(is_definition("apiVersion: x\nkind: \"CustomResourceDefinition\" # generated\n"));
    }
}
