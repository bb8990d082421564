//! What a report has; its JSON form is for scripts, so fields may be added but never change.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use crate::bundle::read::Form;
use crate::lock::Lock;
use crate::lock::attached;
use crate::lock::model as locked;
use crate::oci::{Arch, Digest};

/// What a bundle or a lock holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Inspection {
    /// A bundle or a lock.
    pub kind: Kind,
    /// The file or directory as it was given.
    pub path: String,
    /// The bundle's name.
    pub name: String,
    /// The bundle's version.
    pub version: String,
    /// The Kubernetes minor.
    pub kubernetes: String,
    /// The KubeEdge minor.
    pub kubeedge: Option<String>,
    /// The architectures.
    pub architectures: Vec<Arch>,
    /// In which form a bundle is.
    pub form: Option<Form>,
    /// The size of a bundle's archive in bytes.
    pub size: Option<u64>,
    /// In how many parts a bundle's archive is, when it was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<usize>,
    /// Of a delta, the bundle that has the rest, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The sha256 of a bundle's `SHA256SUMS`.
    pub sums_sha256: Option<Digest>,
    /// What `FILE.sha256` beside an archive says; not checked here.
    pub archive_sha256: Option<Digest>,
    /// The profiles.
    pub profiles: Vec<Profile>,
    /// The components.
    pub components: Vec<Component>,
    /// The images, each once.
    pub images: Vec<Image>,
    /// Files that a bundle has and the lock does not know.
    pub added: Vec<Artifact>,
    /// What a lock wants and has no digest for.
    pub unresolved: Vec<locked::Unresolved>,
}

/// What is described.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A bundle.
    Bundle,
    /// A lock.
    Lock,
}

/// A profile and what it weighs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The names of its components.
    pub components: Vec<String>,
    /// The bytes of its artifacts by architecture, each artifact counted once; none where a size is unknown.
    pub sizes: BTreeMap<Arch, Option<u64>>,
}

/// A component and its artifacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its chart's `appVersion`.
    pub app_version: Option<String>,
    /// Its charts.
    pub charts: Vec<Artifact>,
    /// Its files, for each architecture.
    pub files: Vec<Artifact>,
    /// The references of its images.
    pub images: Vec<String>,
    /// Its bytes by architecture, what its images share counted once; none where a size is unknown.
    pub sizes: BTreeMap<Arch, Option<u64>>,
}

/// A chart or a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Artifact {
    /// Its name.
    pub name: String,
    /// The architecture that it is for, if for one.
    pub arch: Option<Arch>,
    /// Where it came from; none for an added file.
    pub url: Option<String>,
    /// The digest of what is carried; unknown only in a lock seeded by hand.
    pub digest: Option<Digest>,
    /// The size of what is carried in bytes; unknown only in a lock seeded by hand.
    pub size: Option<u64>,
    /// Where the digest came from; none for an added file.
    pub from: Option<locked::From>,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Image {
    /// Its full reference.
    pub reference: String,
    /// The digest of its index, or of its only manifest.
    pub digest: Digest,
    /// The components that run it.
    pub components: Vec<String>,
    /// What each architecture gets.
    pub platforms: BTreeMap<Arch, Platform>,
    /// What is attached to it: in a lock what upstream has, in a bundle what is carried.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attached: Vec<Attached>,
}

/// A signature, an attestation or a bill of materials of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Attached {
    /// What it is.
    pub kind: attached::Kind,
    /// The digest that it is attached to.
    pub to: Digest,
    /// Cosign's tag; none for a referrer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// What a referrer says that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The digest of its manifest.
    pub digest: Digest,
    /// The bytes of its manifest and of what that names.
    pub size: u64,
}

/// An image for one architecture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Platform {
    /// The digest of its manifest; unknown only in a lock seeded by hand.
    pub digest: Option<Digest>,
    /// The bytes of its manifest, configuration and layers.
    pub size: Option<u64>,
    /// What it is made of, each blob once; a lock knows none of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blobs: Vec<Blob>,
}

/// A blob of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Blob {
    /// What it is.
    pub kind: BlobKind,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes; unknown where a bundle is not whole.
    pub size: Option<u64>,
}

/// What a blob of an image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BlobKind {
    /// The index, where there is one.
    Index,
    /// The manifest.
    Manifest,
    /// The configuration.
    Config,
    /// A layer; they come from the lowest.
    Layer,
}

/// Takes all from a lock but what the profiles weigh.
pub(super) fn of(lock: &Lock, kind: Kind, path: &Path) -> Inspection {
    let archs = &lock.bundle.architectures;
    Inspection {
        kind,
        path: path.display().to_string(),
        name: lock.bundle.name.clone(),
        version: lock.bundle.version.clone(),
        kubernetes: lock.bundle.kubernetes.clone(),
        kubeedge: lock.bundle.kubeedge.clone(),
        architectures: archs.clone(),
        form: None,
        size: None,
        parts: None,
        base: None,
        sums_sha256: None,
        archive_sha256: None,
        profiles: lock.profiles.iter().map(|(name, components)| profile(name, components)).collect(),
        components: lock.components.iter().map(|(name, locked)| component(name, locked)).collect(),
        images: lock.images.iter().map(|(reference, locked)| image(&reference.to_string(), locked, lock)).collect(),
        added: Vec::new(),
        unresolved: lock.unresolved.clone(),
    }
}

fn profile(name: &str, components: &[String]) -> Profile {
    Profile { name: name.to_owned(), components: components.to_vec(), sizes: BTreeMap::new() }
}

fn component(name: &str, locked: &locked::Component) -> Component {
    let one = locked.chart.iter().map(|chart| (name, chart));
    let charts = one.chain(locked.charts.iter().map(|(key, chart)| (key.as_str(), chart)));
    let chart = |(key, chart): (&str, &locked::Chart)| Artifact {
        name: chart.name.as_deref().unwrap_or(key).to_owned(),
        arch: None,
        url: Some(chart.url.clone()),
        digest: Some(chart.sha256),
        size: chart.size,
        from: Some(chart.from),
    };
    let files = locked.files.iter().flat_map(|(name, archs)| archs.iter().map(move |(arch, file)| (name, *arch, file)));
    let file = |(name, arch, file): (&String, Arch, &locked::File)| {
        let (digest, size) = match &file.member {
            Some(member) => (member.sha256, member.size),
            None => (Some(file.sha256), file.size),
        };
        let (url, from) = (Some(file.url.clone()), Some(file.from));
        Artifact { name: name.clone(), arch: Some(arch), url, digest, size, from }
    };
    Component {
        name: name.to_owned(),
        version: locked.version.clone(),
        app_version: locked.app_version.clone(),
        charts: charts.map(chart).collect(),
        files: files.map(file).collect(),
        images: locked.images.iter().map(ToString::to_string).collect(),
        sizes: BTreeMap::new(),
    }
}

fn image(reference: &str, locked: &locked::Image, lock: &Lock) -> Image {
    let runs = |component: &locked::Component| component.images.iter().any(|image| image.to_string() == reference);
    let platform = |(arch, platform): (&Arch, &locked::Platform)| {
        let size = platform.size.zip(platform.layers_size).map(|(manifest, layers)| manifest.saturating_add(layers));
        (*arch, Platform { digest: Some(platform.digest), size, blobs: Vec::new() })
    };
    Image {
        reference: reference.to_owned(),
        digest: locked.digest,
        components: lock.components.iter().filter(|(_, c)| runs(c)).map(|(name, _)| name.clone()).collect(),
        platforms: locked.platforms.iter().map(platform).collect(),
        attached: locked.attached.iter().map(attached_to).collect(),
    }
}

fn attached_to(locked: &attached::Attached) -> Attached {
    Attached {
        kind: locked.kind(),
        to: locked.to,
        tag: locked.tag.clone(),
        artifact_type: locked.artifact_type.clone(),
        digest: locked.digest,
        size: locked.size.saturating_add(locked.content_size),
    }
}
