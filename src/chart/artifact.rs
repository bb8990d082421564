//! A chart as an artifact of a registry, in the form that `helm push` gives it.
//!
//! What is made follows from the archive alone, so that it has the same digest whenever and wherever it is made.

use std::io::{self, Read};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value, json};

use super::Metadata;
use super::archive;
use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::{Digest, media_type};
use crate::yaml::{self, YamlError};

/// The largest `Chart.yaml` that is read, 1 MiB: known ones have up to 40 kB.
const MAX_METADATA: u64 = 1 << 20;
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

/// What a registry has of a chart besides its archive, which is the layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The chart's name.
    pub name: String,
    /// Its version, as its `Chart.yaml` has it.
    pub version: String,
    /// What its `Chart.yaml` says, as far as Helm knows the fields.
    pub metadata: Map<String, Value>,
    /// The configuration: the same as JSON.
    pub config: Bytes,
    /// The manifest.
    pub manifest: Bytes,
}

/// Why an archive makes no artifact.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No gzip, no tar, or unreadable.
    #[error("the chart archive cannot be read")]
    Read(#[from] io::Error),
    /// No chart.
    #[error("the chart archive has no `Chart.yaml` in its top directory")]
    NoMetadata,
    /// Its `Chart.yaml` is wrong at a place.
    #[error(transparent)]
    Yaml(#[from] YamlError),
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        Exit::Mismatch
    }
}

impl Artifact {
    /// Makes the artifact of an archive; `path` only names it in errors. The caller knows that the archive's bytes have
    /// the digest.
    pub fn new(path: &str, archive: impl Read, digest: Digest, size: u64) -> Result<Self, Error> {
        let text = chart_yaml(archive)?;
        let known = Metadata::parse(path, &text)?;
        let metadata = fields(path, &text, &known)?;
        let config = Bytes::from(Value::Object(metadata.clone()).to_string());
        let descriptor = |media_type: &str, digest: Digest, size: u64| json!({"mediaType": media_type, "digest": digest, "size": size});
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_MANIFEST,
            "config": descriptor(media_type::HELM_CONFIG, Digest::of(&config), config.len() as u64),
            "layers": [descriptor(media_type::HELM_CHART_LAYER, digest, size)],
            "annotations": {
                "org.opencontainers.image.title": known.name,
                "org.opencontainers.image.version": known.version,
            },
        });
        let manifest = Bytes::from(manifest.to_string());
        Ok(Self { name: known.name, version: known.version, metadata, config, manifest })
    }

    /// Its tag in a registry: no tag has a `+`, so Helm writes `_`.
    #[must_use]
    pub fn tag(&self) -> String {
        self.version.replace('+', "_")
    }
}

/// The fields that Helm knows. Those that are text stay the text that was written, whatever YAML reads into it.
fn fields(path: &str, text: &str, known: &Metadata) -> Result<Map<String, Value>, YamlError> {
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
fn chart_yaml(archive: impl Read) -> Result<String, Error> {
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
    Err(Error::NoMetadata)
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
        assert!(matches!(chart_yaml(none.as_slice()), Err(Error::NoMetadata)));
        let large = packed(&[("web/Chart.yaml", &" ".repeat(1 << 21))]);
        assert!(matches!(chart_yaml(large.as_slice()), Err(Error::NoMetadata)));
        assert!(matches!(chart_yaml(&b"nothing"[..]), Err(Error::Read(_))));
    }

    #[test]
    fn a_bomb_ends_early() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let header = |path: &str, size: u64| {
            let mut header = tar::Header::new_gnu();
            header.set_path(path).unwrap();
            header.set_size(size);
            header.set_cksum();
            *header.as_bytes()
        };
        gzip.write_all(&header("web/zeros", archive::MAX_UNPACKED)).unwrap();
        let zeros = vec![0; 1 << 20];
        for _ in 0..archive::MAX_UNPACKED >> 20 {
            gzip.write_all(&zeros).unwrap();
        }
        // Who reads on finds it.
        gzip.write_all(&header("web/Chart.yaml", 512)).unwrap();
        gzip.write_all(&[b' '; 512]).unwrap();
        assert!(chart_yaml(gzip.finish().unwrap().as_slice()).is_err());
    }

    #[test]
    fn text_stays_text() {
        let text = "apiVersion: v2\nname: web\nversion: 1.20.0\nappVersion: 1.20\nkubeVersion: 1.30\nunknown: x\nicon:\n\
                    annotations: {a: 1, b: x, c: [1]}\ndependencies: [{name: db, version: 1.10, alias: x}]\n";
        let archive = packed(&[("web/Chart.yaml", text)]);
        let artifact = Artifact::new("x", archive.as_slice(), Digest::of(&archive), archive.len() as u64).unwrap();
        assert_eq!((artifact.name.as_str(), artifact.tag().as_str()), ("web", "1.20.0"));
        assert_eq!(
            serde_json::from_slice::<Value>(&artifact.config).unwrap(),
            json!({
                "apiVersion": "v2", "name": "web", "version": "1.20.0", "appVersion": "1.20", "kubeVersion": "1.30",
                "annotations": {"a": "1", "b": "x", "c": "[1]"},
                "dependencies": [{"name": "db", "version": "1.10", "alias": "x"}],
            })
        );
    }
}
