//! The charts as a Helm repository and as artifacts of a registry, both made of what is in the archives.
//!
//! What is made is the same whenever it is made: its bytes follow from the chart alone. A chart is at
//! `oci://HOST/charts/NAME` in the form that `helm push` gives it, with `_` for the `+` of a version.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value, json};

use super::trust::{self, Content, Fault};
use crate::bundle::set::{Blob, Kind, Set, Shipped};
use crate::chart::{Metadata, archive};
use crate::oci::{Digest, media_type};
use crate::yaml;

/// Where charts are in the registry and on the server.
pub(super) const CHARTS: &str = "charts/";
/// The largest `Chart.yaml` that is read, 1 MiB: known ones have up to 40 kB.
const MAX_METADATA: u64 = 1 << 20;
/// The configuration of a chart in a registry (Helm's OCI support).
const CONFIG_TYPE: &str = "application/vnd.cncf.helm.config.v1+json";
/// The fields of a `Chart.yaml` that an index and a configuration repeat (Helm, "The Chart.yaml file").
const FIELDS: [&str; 17] = [
    "name",
    "home",
    "sources",
    "version",
    "description",
    "keywords",
    "maintainers",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "deprecated",
    "annotations",
    "kubeVersion",
    "dependencies",
    "type",
];

/// One version of a chart.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    /// Its name.
    pub(super) name: String,
    /// Its version, as its `Chart.yaml` has it.
    pub(super) version: String,
    /// Its path in the bundle.
    pub(super) path: String,
    /// Its archive.
    pub(super) content: Content,
    /// What its `Chart.yaml` says.
    metadata: Map<String, Value>,
    /// The digest of its manifest.
    pub(super) manifest: Digest,
}

/// All charts that can be read, and the documents that are made of them.
#[derive(Debug, Default)]
pub(super) struct Charts {
    charts: BTreeMap<(String, String), Chart>,
    documents: HashMap<Digest, Bytes>,
}

/// Why a chart is left out.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unlisted {
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error("it is no archive")]
    Read(#[from] io::Error),
    #[error("it has no `Chart.yaml`")]
    NoMetadata,
    #[error(transparent)]
    Yaml(#[from] yaml::YamlError),
}

impl Charts {
    /// Reads the charts of a set; what cannot be read is told to `left_out` by its path.
    pub(super) fn read(set: &Set, mut left_out: impl FnMut(&str, Content, Unlisted)) -> Self {
        let mut charts = Self::default();
        for (path, shipped) in set.shipped() {
            let Shipped { kind: Kind::Chart, digest: Some(digest), blob, .. } = *shipped else { continue };
            let content = Content { blob, digest };
            if let Err(unlisted) = charts.add(set, path, content) {
                left_out(path, content, unlisted);
            }
        }
        charts
    }

    fn add(&mut self, set: &Set, path: &str, content: Content) -> Result<(), Unlisted> {
        if !trust::hash(set, content)? {
            return Err(Fault::Damaged.into());
        }
        let text = chart_yaml(BlobReader { set, blob: content.blob, at: 0 })?;
        let known = Metadata::parse(path, &text)?;
        let metadata = fields(path, &text, &known)?;
        let config = Bytes::from(Value::Object(metadata.clone()).to_string());
        let descriptor = |media_type: &str, digest: Digest, size: u64| json!({"mediaType": media_type, "digest": digest, "size": size});
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_MANIFEST,
            "config": descriptor(CONFIG_TYPE, Digest::of(&config), config.len() as u64),
            "layers": [descriptor(media_type::HELM_CHART_LAYER, content.digest, content.blob.size)],
            "annotations": {
                "org.opencontainers.image.title": known.name,
                "org.opencontainers.image.version": known.version,
            },
        });
        let manifest = Bytes::from(manifest.to_string());
        let digest = Digest::of(&manifest);
        self.documents.insert(Digest::of(&config), config);
        self.documents.insert(digest, manifest);
        let (name, version) = (known.name, known.version);
        let key = (name.clone(), version.clone());
        let chart = Chart { name, version, path: path.to_owned(), content, metadata, manifest: digest };
        self.charts.insert(key, chart);
        Ok(())
    }

    /// All charts by name and version.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Chart> {
        self.charts.values()
    }

    /// The versions of one chart.
    pub(super) fn versions(&self, name: &str) -> impl Iterator<Item = &Chart> {
        self.iter().filter(move |chart| chart.name == name)
    }

    /// The bytes of a manifest or a configuration that was made.
    pub(super) fn document(&self, digest: Digest) -> Option<&Bytes> {
        self.documents.get(&digest)
    }

    /// The index of the Helm repository, with URLs relative to it. It names no time, so that it stays the same.
    pub(super) fn index(&self) -> String {
        let mut entries = BTreeMap::<&str, Vec<Value>>::new();
        for chart in self.iter() {
            let mut entry = chart.metadata.clone();
            entry.insert("digest".to_owned(), chart.content.digest.hex().into());
            // A `+` in a URL's path is itself, but some clients read it as a space.
            entry.insert("urls".to_owned(), json!([chart.path.replace('+', "%2B")]));
            entries.entry(&chart.name).or_default().push(Value::Object(entry));
        }
        yaml::to_string(&json!({"apiVersion": "v1", "entries": entries}))
    }
}

impl Chart {
    /// Its tag in the registry: no tag has a `+`, so Helm writes `_`.
    pub(super) fn tag(&self) -> String {
        self.version.replace('+', "_")
    }
}

/// The fields that Helm knows. Those that are text stay the text that was written, whatever YAML reads into it.
fn fields(path: &str, text: &str, known: &Metadata) -> Result<Map<String, Value>, yaml::YamlError> {
    let mut fields: Map<String, Value> = yaml::parse_foreign(path, text)?;
    fields.retain(|key, value| FIELDS.contains(&key.as_str()) && !value.is_null());
    let texts = [
        ("name", Some(&known.name)),
        ("version", Some(&known.version)),
        ("appVersion", known.app_version.as_ref()),
        ("kubeVersion", known.kube_version.as_ref()),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            fields.insert(key.to_owned(), text.as_str().into());
        }
    }
    if let Some(Value::Array(dependencies)) = fields.get_mut("dependencies") {
        for (dependency, known) in dependencies.iter_mut().zip(&known.dependencies) {
            if let (Value::Object(dependency), Some(version)) = (dependency, &known.version) {
                dependency.insert("version".to_owned(), version.as_str().into());
            }
        }
    }
    if let Some(Value::Object(annotations)) = fields.get_mut("annotations") {
        for value in annotations.values_mut().filter(|value| !value.is_string()) {
            *value = value.to_string().into();
        }
    }
    Ok(fields)
}

/// The `Chart.yaml` in the top directory of an archive. Nothing is unpacked.
fn chart_yaml(archive: impl Read) -> Result<String, Unlisted> {
    let mut tar = tar::Archive::new(MultiGzDecoder::new(archive).take(archive::MAX_UNPACKED));
    for entry in tar.entries()? {
        let mut entry = entry?;
        let path = entry.path_bytes();
        let mut parts = path.split(|byte| *byte == b'/').filter(|part| *part != b".");
        if parts.nth(1) == Some(b"Chart.yaml") && parts.next().is_none() && entry.size() <= MAX_METADATA {
            drop(path);
            let mut text = String::new();
            entry.read_to_string(&mut text)?;
            return Ok(text);
        }
    }
    Err(Unlisted::NoMetadata)
}

/// Reads a blob from its beginning.
struct BlobReader<'a> {
    set: &'a Set,
    blob: Blob,
    at: u64,
}

impl Read for BlobReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = (self.blob.size - self.at).min(buffer.len() as u64);
        let length = usize::try_from(length).unwrap_or_default();
        self.set.read_at(self.blob, self.at, &mut buffer[..length]).map_err(io::Error::other)?;
        self.at += length as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn packed(members: &[(&str, &str)]) -> Vec<u8> {
        let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        for (path, text) in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, path, text.as_bytes()).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn the_charts_own_file_is_read() {
        let archive = packed(&[("web/charts/db/Chart.yaml", "name: db"), ("web/Chart.yaml", "name: web")]);
        assert_eq!(chart_yaml(archive.as_slice()).unwrap(), "name: web");
        let none = packed(&[("Chart.yaml", "name: top"), ("web/values.yaml", "")]);
        assert!(matches!(chart_yaml(none.as_slice()), Err(Unlisted::NoMetadata)));
        let large = packed(&[("web/Chart.yaml", &" ".repeat(1 << 21))]);
        assert!(matches!(chart_yaml(large.as_slice()), Err(Unlisted::NoMetadata)));
        assert!(matches!(chart_yaml(&b"nothing"[..]), Err(Unlisted::Read(_))));
    }

    #[test]
    fn a_bomb_ends_early() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let mut header = tar::Header::new_gnu();
        header.set_path("web/zeros").unwrap();
        header.set_size(1 << 40);
        header.set_cksum();
        gzip.write_all(header.as_bytes()).unwrap();
        let zeros = vec![0; 1 << 20];
        for _ in 0..=archive::MAX_UNPACKED >> 20 {
            gzip.write_all(&zeros).unwrap();
        }
        assert!(chart_yaml(gzip.finish().unwrap().as_slice()).is_err());
    }

    #[test]
    fn text_stays_text() {
        let text = "apiVersion: v2\nname: web\nversion: 1.20.0\nappVersion: 1.20\nkubeVersion: 1.30\nunknown: x\nicon:\n\
                    annotations: {a: 1, b: x, c: [1]}\ndependencies: [{name: db, version: 1.10, alias: x}]\n";
        let known = Metadata::parse("x", text).unwrap();
        let fields = fields("x", text, &known).unwrap();
        assert_eq!(
            Value::Object(fields),
            json!({
                "apiVersion": "v2", "name": "web", "version": "1.20.0", "appVersion": "1.20", "kubeVersion": "1.30",
                "annotations": {"a": "1", "b": "x", "c": "[1]"},
                "dependencies": [{"name": "db", "version": "1.10", "alias": "x"}],
            })
        );
    }
}
