//! The YAML files of ours, and the manifests that charts render to.

use std::path::Path;

use crate::bundle::model::{self, BundleFile};
use crate::bundle::name;
use crate::catalog;
use crate::chart::{crd, images};
use crate::config::Config;
use crate::lock::{self, Lock};
use crate::yaml::{self, Place, YamlError};

use super::{shown, text};

/// A mistake has a place within its file and a message for a terminal.
fn problem(text: &str, error: &YamlError) {
    shown(&error.to_string());
    shown(error.hint.as_deref().unwrap_or_default());
    place(text, error.place);
}

fn place(text: &str, place: Place) {
    let lines = text.split(['\n', '\r']).count() as u64 + 1;
    assert!(place.line <= lines, "line {} of {lines}", place.line);
}

/// What a catalog's directory with these files is read as.
fn directory(catalog: &str, component: &str, component_is_the_input: bool) {
    thread_local! {
        // Made once: making a directory takes longer than reading it.
        static DIRECTORY: tempfile::TempDir = {
            let directory = tempfile::tempdir().unwrap();
            let own = directory.path().join("components/demo");
            std::fs::create_dir_all(&own).unwrap();
            std::fs::write(own.join("values.yaml"), "a: 1\n").unwrap();
            directory
        };
    }
    DIRECTORY.with(|directory| read(directory.path(), catalog, component, component_is_the_input));
}

fn read(directory: &Path, catalog: &str, component: &str, component_is_the_input: bool) {
    std::fs::write(directory.join("catalog.yaml"), catalog).unwrap();
    std::fs::write(directory.join("components/demo/component.yaml"), component).unwrap();
    match catalog::read(directory) {
        Ok(read) => {
            let _ = catalog::warnings(&read);
            assert!(crate::name::is_name(&read.file.name.value) && crate::name::is_version(&read.file.version.value));
            for (name, component) in &read.components {
                assert!(crate::name::is_name(name));
                for file in &component.files {
                    assert!(crate::name::is_name(&file.name.value), "{:?}", file.name.value);
                }
                // Files that a component names never lie outside of its directory.
                assert!(
                    read.inputs[name].keys().all(|path| name::check(path).is_ok()),
                    "{:?}",
                    read.inputs[name].keys()
                );
            }
        }
        Err(catalog::Error::Wrong(problems)) => {
            assert!(!problems.0.is_empty());
            for error in &problems.0 {
                let own = error.file.ends_with("component.yaml");
                problem(if own { component } else { catalog }, error);
                assert!(!component_is_the_input || own || !error.file.ends_with("values.yaml"));
            }
        }
        Err(error) => shown(&error.to_string()),
    }
}

const CATALOG: &str = "schema: 1\nname: demo\nversion: 1.0.0\nplatform: {kubernetes: '1.36', kubeedge: '1.23', \
                       architectures: [amd64, arm64]}\nprofiles: {edge: [demo]}\n";
const COMPONENT: &str = "name: demo\ndescription: A demo\nlicence: MIT\nsource: {github: demo/demo, tag: 'v{version}', \
                         kind: releases}\nimages: ['docker.io/demo/demo:{version}']\n";

/// `catalog.yaml` beside a component that is right.
pub(super) fn catalog(data: &[u8]) {
    if let Some(text) = text(data) {
        directory(text, COMPONENT, false);
    }
}

/// `component.yaml` below a catalog that is right.
pub(super) fn component(data: &[u8]) {
    if let Some(text) = text(data) {
        directory(CATALOG, text, true);
    }
}

/// What parses prints, parses again to the same, and names only what a bundle may hold.
pub(super) fn lock(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match lock::parse("lock", text) {
        Ok(lock) => {
            let printed = lock::to_text(&lock);
            let again = lock::parse("lock", &printed).unwrap_or_else(|error| panic!("{error}\n{printed}"));
            assert_eq!(again, lock);
            assert_eq!(lock::to_text(&again), printed);
            paths(&lock);
        }
        Err(lock::Error::Wrong(problems)) => {
            assert!(!problems.0.is_empty());
            problems.0.iter().for_each(|error| problem(text, error));
            shown(&problems.to_string());
        }
        Err(error) => shown(&error.to_string()),
    }
}

fn paths(lock: &Lock) {
    for (key, component) in &lock.components {
        let charts = component.chart.iter().map(|chart| (key, chart)).chain(&component.charts);
        for (key, chart) in charts {
            let path = model::chart_path(key, component, chart);
            assert_eq!(name::check(&path), Ok(()), "{path}");
            assert_eq!(path.split('/').count(), 2, "{path}");
        }
        for file in component.files.keys() {
            assert_eq!(name::check(&format!("files/arm64/{file}")), Ok(()), "{file}");
        }
    }
}

/// `bundle.yaml`, whose lock was not read by the lock's own rules.
pub(super) fn bundle_yaml(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match yaml::parse::<BundleFile>("bundle.yaml", text) {
        Ok(file) => {
            let printed = yaml::to_string(&file);
            let again = yaml::parse::<BundleFile>("bundle.yaml", &printed);
            assert_eq!(again.unwrap_or_else(|error| panic!("{error}\n{printed}")), file);
            let shipped = file.charts().chain(file.files()).count();
            assert!(shipped <= data.len());
        }
        Err(error) => problem(text, &error),
    }
}

/// The machine's configuration: mirrors are http or https and hold no credentials.
pub(super) fn config(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match Config::parse("config.yaml", text) {
        Ok(config) => {
            assert!((1..=64).contains(&config.max_connections_per_host));
            for (registry, repository) in [("docker.io", "library/a"), ("ghcr.io", "b/c"), ("127.0.0.1:5000", "d")] {
                for endpoint in config.endpoints(registry, repository, "manifests/1") {
                    assert!(matches!(endpoint.url.scheme(), "http" | "https") && endpoint.url.password().is_none());
                    assert!(endpoint.url.path().ends_with(&format!("{repository}/manifests/1")), "{}", endpoint.url);
                }
            }
            let github = url::Url::parse("https://github.com/a/b?c=d").unwrap();
            let urls = config.urls(&github);
            assert!(urls.iter().all(|url| matches!(url.scheme(), "http" | "https") && url.username().is_empty()));
            assert_eq!(urls.contains(&github), !config.mirror_only || config.mirrors.of(&github).contains(&github));
        }
        Err(error) => problem(text, &error),
    }
}

/// Rendered manifests: each image that is found is a reference, each definition has its place.
pub(super) fn manifests(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match images::discover("chart", text) {
        Ok(found) => {
            for image in &found.found {
                assert!(image.image.parse::<crate::oci::Reference>().is_ok(), "{image:?}");
            }
            let of_images: usize = found.by_image().iter().map(|image| image.found.len()).sum();
            assert_eq!(of_images, found.found.len());
        }
        Err(images::Error::Manifest(error)) => shown(&error.to_string()),
        Err(error) => shown(&error.to_string()),
    }
    match crd::rendered("chart", text) {
        Ok(crds) => assert!(crds.is_sorted() && crd::api_versions(&crds).len() <= text.len()),
        Err(error) => shown(&error.to_string()),
    }
}

/// The place of anything in any text is within it.
pub(super) fn yaml_place(data: &[u8]) {
    let Some((path, document)) = text(data).and_then(|text| text.split_once('\n')) else { return };
    let path: Vec<&str> = path.split('/').collect();
    place(document, yaml::place_of(document, &path));
    for (key, at) in yaml::keys_of(document, path[0]) {
        place(document, at);
        assert!(at.line > 0, "{key:?} has no place");
    }
    let file = Path::new("x").display().to_string();
    if let Err(error) = yaml::parse_foreign::<serde_json::Value>(&file, document) {
        problem(document, &error);
    }
}
