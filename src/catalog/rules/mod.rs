//! What a catalog has to keep to beyond its shape: each file by itself, and the files with each other.

mod artifacts;
mod component;
mod platform;
mod verify;

use std::collections::BTreeMap;

use super::{Catalog, Component};
use crate::yaml::{Report, YamlError};

/// All that is wrong with a catalog; `file` and `text` are those of `catalog.yaml`.
pub(super) fn check(catalog: &Catalog, file: &str, text: &str) -> Vec<YamlError> {
    let mut report = Report::new(file, text);
    platform::check(catalog, &mut report);
    let mut problems = report.finish();
    let mut files = BTreeMap::new();
    for (name, component) in &catalog.components {
        let path = component_file(catalog, name);
        let mut report = Report::new(&path, component_text(catalog, name));
        component::check(component, &catalog.file.platform, &mut report);
        artifacts::check(component, &catalog.file.platform, &mut report);
        shared_files(component, &mut files, &mut report);
        problems.extend(report.finish());
    }
    problems
}

/// What a maintainer should know of a catalog that is right.
#[must_use]
pub fn warnings(catalog: &Catalog) -> Vec<String> {
    if catalog.components.is_empty() {
        return vec!["the catalog has no component, so a bundle carries nothing: `bundler add` adds one".to_owned()];
    }
    let profiles: Vec<_> = catalog.file.profiles.values().flat_map(|profile| profile.value.components()).collect();
    let carried = |name: &&String| profiles.iter().any(|carried| &carried.value == *name);
    let names = catalog.components.keys().filter(|name| !carried(name));
    let left = names.map(|name| format!("component `{name}` is in no profile, so no bundle carries it"));
    left.collect()
}

/// Two components may not have files of one name: both go to `files/` in the bundle.
fn shared_files<'a>(component: &'a Component, files: &mut BTreeMap<&'a str, &'a str>, report: &mut Report<'_>) {
    for file in &component.files {
        match files.insert(&file.name.value, &component.name.value) {
            Some(other) if other != component.name.value => report.wrong(
                &file.name,
                format!("component `{other}` has a file `{}` too, and a bundle has one place for it", file.name.value),
                None,
            ),
            Some(_) => report.wrong(&file.name, format!("a second file `{}`", file.name.value), None),
            None => {}
        }
    }
}

fn component_file(catalog: &Catalog, name: &str) -> String {
    catalog.directory.join("components").join(name).join("component.yaml").display().to_string()
}

fn component_text<'a>(catalog: &'a Catalog, name: &str) -> &'a str {
    let bytes = catalog.inputs.get(name).and_then(|files| files.get("component.yaml"));
    bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}
