//! The charts as a Helm repository and as artifacts of a registry, both made of what is in the archives.
//!
//! What is made is the same whenever it is made: its bytes follow from the chart alone. A chart is at
//! `oci://HOST/charts/NAME` in the form that `helm push` gives it, with `_` for the `+` of a version.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::trust::{self, Content, Fault};
use crate::bundle::set::{Kind, Set, Shipped};
use crate::chart::{Artifact, artifact};
use crate::oci::Digest;
use crate::yaml;

/// Where charts are in the registry and on the server.
pub(super) const CHARTS: &str = "charts/";
/// One version of a chart.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    /// Its name.
    pub(super) name: String,
    /// Its version, as its `Chart.yaml` has it.
    pub(super) version: String,
    /// Its tag in the registry.
    pub(super) tag: String,
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
    #[error(transparent)]
    Artifact(#[from] artifact::Error),
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
        let Content { blob, digest } = content;
        let artifact = Artifact::new(path, set.reader(blob), digest, blob.size)?;
        let (tag, manifest) = (artifact.tag(), Digest::of(&artifact.manifest));
        let Artifact { name, version, metadata, config, manifest: bytes } = artifact;
        self.documents.insert(Digest::of(&config), config);
        self.documents.insert(manifest, bytes);
        let key = (name.clone(), version.clone());
        let chart = Chart { name, version, tag, path: path.to_owned(), content, metadata, manifest };
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
