//! The API versions that a chart's custom resource definitions bring, for `helm template --api-versions`.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::images::documents;
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

/// The definitions among rendered manifests, which a chart may keep in its templates too; sorted.
///
/// `name` calls the text in errors.
pub fn rendered(name: &str, manifests: &str) -> Result<Vec<Crd>, YamlError> {
    let definitions = documents(manifests).filter(|document| is_definition(document.text));
    let mut crds = definitions
        .map(|document| parse(if document.template.is_empty() { name } else { document.template }, document.text))
        .collect::<Result<Vec<_>, _>>()?;
    crds.sort();
    crds.dedup();
    Ok(crds)
}

/// Reads one document that [`is_definition`] says is a definition; `file` only names it in errors.
pub fn parse(file: &str, document: &str) -> Result<Crd, YamlError> {
    let spec = yaml::parse_foreign::<Definition>(file, &without_schemas(document))?.spec;
    let mut versions: Vec<_> = spec.versions.into_iter().filter(|v| v.served).map(|v| v.name).collect();
    versions.extend(spec.version);
    versions.sort();
    versions.dedup();
    Ok(Crd { group: spec.group, kind: spec.names.kind, versions })
}

/// Empties the schemas, which are all but some lines of a definition: what belongs to a key in block style is
/// indented deeper than it. Lines keep their numbers.
fn without_schemas(document: &str) -> String {
    let mut text = String::new();
    let mut schema = None;
    for line in document.lines() {
        let body = line.trim_start_matches(' ');
        let depth = line.len() - body.len();
        if schema.is_some_and(|schema| body.is_empty() || depth > schema) {
            text.push('\n');
            continue;
        }
        text.push_str(line);
        let key = body.trim_start_matches("- ");
        schema = (key.trim_end() == "schema:").then_some(line.len() - key.len());
        text.push_str(if schema.is_some() { " {}\n" } else { "\n" });
    }
    text
}

/// Whether a document is a custom resource definition, told by its `kind` line where it is in block style:
/// the schemas of one chart can have megabytes, and nothing else in them is of use here.
#[must_use]
pub fn is_definition(document: &str) -> bool {
    #[derive(Deserialize)]
    struct Kind {
        kind: String,
    }
    const KIND: &str = "CustomResourceDefinition";
    if document.trim_start().starts_with('{') {
        return document.contains(KIND) && yaml::parse_foreign::<Kind>("", document).is_ok_and(|k| k.kind == KIND);
    }
    document.lines().any(|line| {
        let Some(rest) = line.strip_prefix("kind:") else { return false };
        rest.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']) == KIND
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_each_served_version() {
        let text = "kind: CustomResourceDefinition\nspec:\n  group: g.io\n  names: {kind: A, plural: as}\n  versions:\n  - {name: v1, served: true, schema: {x: 1}}\n  - {name: v1alpha1, served: false}\n";
        let crds = rendered("x", &format!("kind: Other\n---\n{text}---\n{text}")).unwrap();
        assert_eq!(api_versions(&crds).into_iter().collect::<Vec<_>>(), ["g.io/v1", "g.io/v1/A"]);
    }

    #[test]
    fn schemas_are_passed_over() {
        let text = "kind: CustomResourceDefinition\nspec:\n  group: g.io\n  versions:\n  - schema:\n      openAPIV3Schema: {a: [}\n\n      more: x\n    name: v1\n    served: true\n  - name: v2\n    schema:\n      - [\n  names:\n    kind: A\n";
        let crd = parse("x", text).unwrap();
        assert_eq!((crd.kind.as_str(), crd.versions.join(" ").as_str()), ("A", "v1 v2"));
        let error = parse("x", &text.replace("kind: A", "kind: [")).unwrap_err();
        assert!(error.place.line >= 15, "lines keep their numbers: {error}");
    }

    #[test]
    fn definitions_of_every_style_and_no_others() {
        assert!(!is_definition("kind: ConfigMap\ndata:\n  x: |\n    kind: CustomResourceDefinition\n"));
        assert!(!is_definition("{\"kind\": \"List\", \"items\": [{\"kind\": \"CustomResourceDefinition\"}]}"));
        assert!(is_definition("{\n  \"kind\": \"CustomResourceDefinition\"\n}"));
        assert!(is_definition("apiVersion: x\nkind: \"CustomResourceDefinition\" # generated\n"));
    }
}
