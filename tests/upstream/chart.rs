//! Helm charts and the indexes of their repositories.
//!
//! A chart is a directory of charts/ in which `${version}` is the chart's version, and `${owner/name}` the highest
//! version that this repository had on the chart's day (`${owner/name#prefix}` among the tags with that prefix). So
//! every version of a chart has the images of its time.

use std::fmt::Write as _;
use std::path::Path;

use bundler::oci::Digest;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;

use super::history::Histories;
use super::image::{Compression, Layer, tar};
use super::table::{HelmRepository, Urls};
use super::world::{ChartVersion, World};

/// The parts of a `Chart.yaml` that an index repeats.
#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "appVersion")]
    app_version: String,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
    description: String,
    #[serde(rename = "kubeVersion", default)]
    kube_version: Option<String>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    version: String,
    #[serde(default)]
    repository: String,
    #[serde(default)]
    condition: Option<String>,
}

fn directory(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/upstream/charts").join(name)
}

/// The `.tgz` of a chart with its dependencies below charts/, as Helm packages it.
pub(crate) fn archive(histories: &Histories, name: &str, version: &str, date: Timestamp) -> Option<Bytes> {
    let mut files = Vec::new();
    collect(histories, name, version, date, &format!("{name}/"), &mut files)?;
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), 0o644, text.as_bytes())).collect();
    Some(Layer::new(&tar(&files), Compression::Gzip).bytes)
}

fn collect(
    histories: &Histories,
    name: &str,
    version: &str,
    date: Timestamp,
    below: &str,
    files: &mut Vec<(String, String)>,
) -> Option<()> {
    let root = directory(name);
    let metadata = std::fs::read_to_string(root.join("Chart.yaml")).ok()?;
    let metadata: Metadata = parse(name, &fill(histories, &metadata, version, date));
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    // Helm wants Chart.yaml first.
    paths.sort_by_key(|path| (path != &root.join("Chart.yaml"), path.clone()));
    for path in paths {
        let relative = path.strip_prefix(&root).expect("it is below").display().to_string();
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        files.push((format!("{below}{relative}"), fill(histories, &text, version, date)));
    }
    for dependency in metadata.dependencies {
        // A subchart without a repository lies in the chart's own charts/.
        if !dependency.repository.is_empty() {
            let below = format!("{below}charts/{}/", dependency.name);
            collect(histories, &dependency.name, &dependency.version, date, &below, files)
                .unwrap_or_else(|| panic!("charts/ has no {}, which {name} depends on", dependency.name));
        }
    }
    Some(())
}

fn walk(directory: &Path, paths: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("the directory can be read") {
        let path = entry.expect("the directory can be read").path();
        if path.is_dir() {
            walk(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

fn parse(name: &str, text: &str) -> Metadata {
    bundler::yaml::parse(name, text).unwrap_or_else(|error| panic!("Chart.yaml of {name}: {error}"))
}

/// Fills the places of a text in.
fn fill(histories: &Histories, text: &str, version: &str, date: Timestamp) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (place, after) = after.split_once('}').expect("a place ends");
        filled.push_str(before);
        if place == "version" {
            filled.push_str(version);
        } else {
            let (repository, prefix) = place.split_once('#').unwrap_or((place, ""));
            // A repository that is younger than the chart: the place of a version that nobody had.
            filled.push_str(histories.newest(repository, prefix, date).unwrap_or("0.0.1"));
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// Where a chart's archive is.
pub(crate) fn url(repository: &HelmRepository, chart: &ChartVersion<'_>) -> String {
    match repository.urls {
        Urls::Absolute => format!(
            "https://github.com/{}/releases/download/{}/{}-{}.tgz",
            repository.of, chart.tag.name, chart.name, chart.version
        ),
        Urls::Relative => format!("{}/{}", repository.url, relative(chart)),
    }
}

fn relative(chart: &ChartVersion<'_>) -> String {
    format!("charts/{}-{}.tgz", chart.name, chart.version)
}

/// The `index.yaml` of a repository, in the order that Helm writes: charts by name, newest version first.
pub(crate) fn index(world: &World, repository: &HelmRepository) -> String {
    let mut charts: Vec<_> = world.charts(repository).collect();
    charts.sort_by(|a, b| a.name.cmp(b.name).then(b.tag.date.cmp(&a.tag.date)));
    let mut text = String::from("apiVersion: v1\nentries:\n");
    let mut current = "";
    for chart in &charts {
        if chart.name != current {
            current = chart.name;
            let _ = writeln!(text, "  {current}:");
        }
        entry(world, repository, chart, &mut text);
    }
    text.push_str("generated: \"2026-08-22T12:00:00.123456789Z\"\n");
    text
}

fn entry(world: &World, repository: &HelmRepository, chart: &ChartVersion<'_>, text: &mut String) {
    let known = world.chart(chart).map(|bytes| {
        let metadata = std::fs::read_to_string(directory(chart.name).join("Chart.yaml")).expect("it was read before");
        (parse(chart.name, &fill(&world.histories, &metadata, chart.version, chart.tag.date)), Digest::of(&bytes))
    });
    let (metadata, digest) = known.unwrap_or_else(|| {
        let metadata = Metadata {
            app_version: chart.version.to_owned(),
            annotations: std::collections::BTreeMap::new(),
            description: format!("One of the many charts of {}", repository.of),
            kube_version: None,
            dependencies: Vec::new(),
        };
        (metadata, Digest::of(chart.tag.name.as_bytes()))
    });
    let link = match repository.urls {
        Urls::Absolute => url(repository, chart),
        Urls::Relative => relative(chart),
    };
    let mut line = |indent: &str, text_of_line: String| {
        let _ = writeln!(text, "  {indent}{text_of_line}");
    };
    line("- ", "annotations:".into());
    for (key, value) in &metadata.annotations {
        line("    ", format!("{key}: {}", quoted(value)));
    }
    line("    ", "artifacthub.io/license: Apache-2.0".into());
    line(
        "    ",
        format!(
            "artifacthub.io/links: |\n        - name: Chart Source\n          url: https://github.com/{}",
            repository.of
        ),
    );
    line("  ", "apiVersion: v2".into());
    line("  ", format!("appVersion: {}", quoted(&metadata.app_version)));
    line("  ", format!("created: {}", quoted(&format!("{:.9}", chart.tag.date))));
    if !metadata.dependencies.is_empty() {
        line("  ", "dependencies:".into());
    }
    for dependency in &metadata.dependencies {
        line("  - ", format!("name: {}", dependency.name));
        if let Some(condition) = &dependency.condition {
            line("    ", format!("condition: {condition}"));
        }
        line("    ", format!("repository: {}", quoted(&dependency.repository)));
        line("    ", format!("version: {}", quoted(&dependency.version)));
    }
    line("  ", format!("description: {}", quoted(&metadata.description)));
    line("  ", format!("digest: {}", digest.hex()));
    line("  ", format!("home: https://github.com/{}", repository.of));
    line("  ", "icon: https://raw.githubusercontent.com/example/artwork/icon.png".into());
    line("  ", "keywords:\n    - monitoring\n    - kubernetes".into());
    if let Some(range) = &metadata.kube_version {
        line("  ", format!("kubeVersion: {}", quoted(range)));
    }
    line("  ", "maintainers:\n    - email: maintainers@example.com\n      name: maintainers".into());
    line("  ", format!("name: {}", chart.name));
    line("  ", format!("sources:\n    - https://github.com/{}", repository.of));
    line("  ", "type: application".into());
    line("  ", format!("urls:\n    - {link}"));
    line("  ", format!("version: {}", quoted(chart.version)));
}

/// A YAML text in double quotes: JSON's are the same.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
