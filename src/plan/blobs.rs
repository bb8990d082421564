//! From manifests to blobs: each digest once, with its size, its sources and who needs it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use url::Url;

use super::{Error, Plan};
use crate::bundle::contents::{Carried, Learned};
use crate::lock::model as lock;
use crate::oci::manifest::{Manifest, View};
use crate::oci::{Arch, Digest, Reference};

/// What a blob belongs to, as messages name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Artifact {
    /// An image.
    Image(Reference),
    /// A chart of a component.
    Chart {
        /// The component.
        component: String,
        /// The chart.
        name: String,
    },
    /// A file of a component.
    File {
        /// The component.
        component: String,
        /// The file.
        name: String,
        /// Its architecture.
        arch: Arch,
    },
}

impl fmt::Display for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(reference) => write!(f, "image {reference}"),
            Self::Chart { component, name } if component == name => write!(f, "chart {name}"),
            Self::Chart { component, name } => write!(f, "chart {name} of {component}"),
            Self::File { component, name, arch } if component == name => write!(f, "file {name} for {arch}"),
            Self::File { component, name, arch } => write!(f, "file {name} of {component} for {arch}"),
        }
    }
}

/// Where the bytes of a blob can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A repository of a registry, by digest.
    Registry(Reference),
    /// A URL.
    Url(Url),
    /// A member of an archive that has a digest of its own.
    Member {
        /// The archive.
        archive: Box<Download>,
        /// The member's path in it.
        path: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(reference) => f.write_str(&reference.name()),
            Self::Url(url) => f.write_str(url.as_str()),
            Self::Member { archive, path } => write!(f, "{path} in {}", archive.source),
        }
    }
}

/// A chart or file of the lock as its URL gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// What it is.
    pub artifact: Artifact,
    /// Where it is.
    pub source: Source,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes; unknown only in a lock seeded by hand.
    pub size: Option<u64>,
    /// The member that is carried instead.
    pub member: Option<lock::Member>,
}

impl Download {
    /// What is carried of it, if the lock knows digest and size.
    #[must_use]
    pub fn carried(&self) -> Option<Carried> {
        let (digest, size) = match &self.member {
            Some(member) => (member.sha256?, member.size?),
            None => (self.digest, self.size?),
        };
        Some(Carried { digest, size })
    }

    /// What tells it apart from other downloads in [`Learned`].
    #[must_use]
    pub fn key(&self) -> (Digest, Option<String>) {
        (self.digest, self.member.as_ref().map(|member| member.path.clone()))
    }
}

impl Plan {
    /// The charts and files to carry, sorted by artifact.
    pub fn downloads(&self) -> Result<Vec<Download>, Error> {
        let mut downloads = Vec::new();
        for (component, locked) in &self.lock.components {
            let charts = locked.chart.iter().map(|chart| (component, chart)).chain(&locked.charts);
            for (key, chart) in charts {
                let name = chart.name.as_ref().unwrap_or(key).clone();
                let artifact = Artifact::Chart { component: component.clone(), name };
                let source = source(&artifact, &chart.url)?;
                downloads.push(Download { artifact, source, digest: chart.sha256, size: chart.size, member: None });
            }
            for (name, by_arch) in &locked.files {
                for (arch, file) in by_arch {
                    let (component, name, arch) = (component.clone(), name.clone(), *arch);
                    let artifact = Artifact::File { component, name, arch };
                    let source = source(&artifact, &file.url)?;
                    let (digest, size, member) = (file.sha256, file.size, file.member.clone());
                    downloads.push(Download { artifact, source, digest, size, member });
                }
            }
        }
        downloads.sort_by(|a, b| a.artifact.cmp(&b.artifact));
        Ok(downloads)
    }
}

/// Parses the URL of a chart or file; an `oci://` one names a repository, where the digest is a blob.
fn source(artifact: &Artifact, text: &str) -> Result<Source, Error> {
    let error = || Error::Url { artifact: artifact.clone().into(), url: text.to_owned() };
    if let Some(reference) = text.strip_prefix("oci://") {
        return reference.parse().map(Source::Registry).map_err(|_| error());
    }
    let url = Url::parse(text).map_err(|_| error())?;
    match url.scheme() {
        "https" | "http" => Ok(Source::Url(url)),
        _ => Err(error()),
    }
}

/// Bytes with a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// The digest.
    pub digest: Digest,
    /// The size in bytes.
    pub size: u64,
    /// Where to get it, tried in this order.
    pub sources: Vec<Source>,
    /// Who needs it, sorted; never empty.
    pub artifacts: Vec<Artifact>,
}

/// The documents of each image: what its digest names, of an index the chosen children, and what is attached.
pub type Images = BTreeMap<Reference, Vec<Manifest>>;

/// Gathers the blobs of `plan` by digest: those that the manifests in `images` name, charts, and files.
///
/// `learned` has what the lock lacks of downloads.
pub fn collect(plan: &Plan, images: &Images, learned: &Learned) -> Result<BTreeMap<Digest, Blob>, Error> {
    let mut blobs = BTreeMap::new();
    for (reference, manifests) in images {
        let artifact = Artifact::Image(reference.clone());
        for manifest in manifests {
            let View::Manifest { config, layers } = &manifest.view else { continue };
            for descriptor in std::iter::once(config).chain(layers) {
                let carried = Carried { digest: descriptor.digest, size: descriptor.size };
                add(&mut blobs, carried, Source::Registry(reference.clone()), &artifact)?;
            }
        }
    }
    for download in plan.downloads()? {
        let known = download.carried().or_else(|| learned.get(&download.key()).copied());
        let Some(known) = known else { continue };
        let artifact = download.artifact.clone();
        let source = match &download.member {
            Some(member) => Source::Member { path: member.path.clone(), archive: Box::new(download) },
            None => download.source,
        };
        add(&mut blobs, known, source, &artifact)?;
    }
    Ok(blobs)
}

fn add(blobs: &mut BTreeMap<Digest, Blob>, carried: Carried, source: Source, artifact: &Artifact) -> Result<(), Error> {
    let Carried { digest, size } = carried;
    let blob = match blobs.entry(digest) {
        Entry::Vacant(entry) => {
            entry.insert(Blob { digest, size, sources: vec![source], artifacts: vec![artifact.clone()] });
            return Ok(());
        }
        Entry::Occupied(entry) => entry.into_mut(),
    };
    if blob.size != size {
        return Err(Error::TwoSizes {
            blob: digest,
            first: blob.size,
            first_artifact: blob.artifacts[0].clone().into(),
            second: size,
            second_artifact: artifact.clone().into(),
        });
    }
    if !blob.sources.contains(&source) {
        blob.sources.push(source);
    }
    if let Err(place) = blob.artifacts.binary_search(artifact) {
        blob.artifacts.insert(place, artifact.clone());
    }
    Ok(())
}
