//! Helm charts and the indexes of their repositories.
//!
//! A chart is a directory of charts/ in which `${version}` is the chart's version, and `${owner/name}` the highest
//! version that this repository had on the chart's day (`${owner/name#prefix}` among the tags with that prefix). So
//! every version of a chart has the images of its time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{LazyLock, Mutex};

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
    annotations: BTreeMap<String, String>,
    description: String,
    #[serde(rename = "kubeVersion", default)]
    kube_version: Option<String>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
}

impl Metadata {
    /// What stands in the index for a chart that charts/ does not hold.
    fn unknown(repository: &str) -> Self {
        Self {
            app_version: "${version}".to_owned(),
            annotations: BTreeMap::new(),
            description: format!("One of the many charts of {repository}"),
            kube_version: None,
            dependencies: Vec::new(),
        }
    }
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

/// A chart of charts/ as it stands there, its places open.
struct Source {
    metadata: Metadata,
    /// Path and text; Helm wants Chart.yaml first.
    files: Vec<(String, String)>,
}

/// The charts of charts/ by name, read once.
static SOURCES: LazyLock<BTreeMap<String, Source>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/upstream/charts");
    let entries = std::fs::read_dir(&root).expect("the directory can be read");
    let names = entries.map(|entry| entry.expect("the directory can be read").file_name().into_string());
    names
        .map(|name| {
            let name = name.expect("charts have plain names");
            let source = read(&root.join(&name));
            (name, source)
        })
        .collect()
});

/// The archives made so far, by name and version.
static ARCHIVES: Mutex<BTreeMap<(String, String), Bytes>> = Mutex::new(BTreeMap::new());

fn read(root: &Path) -> Source {
    let mut paths = Vec::new();
    walk(root, &mut paths);
    paths.sort_by_key(|path| (path != &root.join("Chart.yaml"), path.clone()));
    let files: Vec<_> = paths
        .iter()
        .map(|path| {
            let relative = path.strip_prefix(root).expect("it is below").display().to_string();
            let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            (relative, text)
        })
        .collect();
    let name = root.join("Chart.yaml").display().to_string();
    let metadata = bundler::yaml::parse(&name, &files[0].1).unwrap_or_else(|error| panic!("{error}"));
    Source { metadata, files }
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

/// The `.tgz` of a chart with its dependencies below charts/, as Helm packages it.
pub(crate) fn archive(histories: &Histories, name: &str, version: &str, date: Timestamp) -> Option<Bytes> {
    let key = (name.to_owned(), version.to_owned());
    if let Some(archive) = ARCHIVES.lock().expect("nobody panics with it").get(&key) {
        return Some(archive.clone());
    }
    let archive = package(histories, name, version, date)?;
    ARCHIVES.lock().expect("nobody panics with it").insert(key, archive.clone());
    Some(archive)
}

/// A chart with the images of the histories' last day, whatever its version; for renders outside the upstream.
pub(crate) fn newest(histories: &Histories, name: &str, version: &str) -> Option<Bytes> {
    package(histories, name, version, Timestamp::MAX)
}

fn package(histories: &Histories, name: &str, version: &str, date: Timestamp) -> Option<Bytes> {
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
    let source = SOURCES.get(name)?;
    let filled = |(path, text): &(String, String)| (format!("{below}{path}"), fill(histories, text, version, date));
    files.extend(source.files.iter().map(filled));
    for dependency in &source.metadata.dependencies {
        // A subchart without a repository lies in the chart's own charts/.
        if !dependency.repository.is_empty() {
            let below = format!("{below}charts/{}/", dependency.name);
            let version = fill(histories, &dependency.version, version, date);
            collect(histories, &dependency.name, &version, date, &below, files)
                .unwrap_or_else(|| panic!("charts/ has no {}, which {name} depends on", dependency.name));
        }
    }
    Some(())
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
            filled.push_str(histories.newest(repository, prefix, date).as_deref().unwrap_or("0.0.1"));
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

/// When the indexes were built last.
const BUILT: &str = "2026-08-22T12:00:00.123456789Z";

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
        for _ in 0..=usize::from(repository.twice) {
            entry(world, repository, chart, &mut text);
        }
    }
    let _ = writeln!(text, "generated: {}", quoted(BUILT));
    text
}

fn entry(world: &World, repository: &HelmRepository, chart: &ChartVersion<'_>, text: &mut String) {
    let unknown = Metadata::unknown(&repository.of);
    let (metadata, digest) = match world.chart(chart) {
        Some(bytes) => (&SOURCES[chart.name].metadata, Digest::of(&bytes)),
        None => (&unknown, Digest::of(chart.tag.name.as_bytes())),
    };
    let fill = |text: &str| fill(world.histories, text, chart.version, chart.tag.date);
    let link = match repository.urls {
        Urls::Absolute => url(repository, chart),
        Urls::Relative => relative(chart),
    };
    let of = &repository.of;
    let annotations: String =
        metadata.annotations.iter().map(|(key, value)| format!("      {key}: {}\n", quoted(value))).collect();
    let created = if repository.stamped { BUILT.to_owned() } else { format!("{:.9}", chart.tag.date) };
    let mut optional = String::new();
    if !metadata.dependencies.is_empty() {
        optional.push_str("    dependencies:\n");
    }
    for dependency in &metadata.dependencies {
        let (version, source) = (fill(&dependency.version), quoted(&dependency.repository));
        let _ = writeln!(optional, "    - name: {}\n      repository: {source}", dependency.name);
        let _ = writeln!(optional, "      version: {}", quoted(&version));
        if let Some(condition) = &dependency.condition {
            let _ = writeln!(optional, "      condition: {condition}");
        }
    }
    if repository.deprecated.iter().any(|name| name == chart.name) {
        optional.push_str("    deprecated: true\n");
    }
    if let Some(range) = &metadata.kube_version {
        let _ = writeln!(optional, "    kubeVersion: {}", quoted(range));
    }
    let _ = write!(
        text,
        "  - annotations:
{annotations}      artifacthub.io/license: Apache-2.0
      artifacthub.io/links: |
        - name: Chart Source
          url: https://github.com/{of}
    apiVersion: v2
    appVersion: {app_version}
    created: {created}
{optional}    description: {description}
    digest: {digest}
    home: https://github.com/{of}
    icon: https://raw.githubusercontent.com/example/artwork/icon.png
    keywords:
    - monitoring
    - kubernetes
    maintainers:
    - email: maintainers@example.com
      name: maintainers
    name: {name}
    sources:
    - https://github.com/{of}
    type: application
    urls:
    - {link}
    version: {version}
",
        app_version = quoted(&fill(&metadata.app_version)),
        created = quoted(&created),
        description = quoted(&metadata.description),
        digest = digest.hex(),
        name = chart.name,
        version = quoted(chart.version),
    );
}

/// A YAML text in double quotes: JSON's are the same.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
