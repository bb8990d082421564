//! The images of a bundle as one OCI image layout (image-spec v1.1, image-layout.md), for some architectures.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::Serialize;

use super::super::model::{self, BundleFile};
use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::lock::attached::Attached;
use crate::lock::model::Image;
use crate::oci::manifest::{Descriptor, Manifest, View};
use crate::oci::{Arch, Digest, Reference, media_type, referrers};

/// The content of `oci-layout`.
pub const LAYOUT: &str = "{\"imageLayoutVersion\":\"1.0.0\"}\n";
/// Where containerd looks for an image's name.
pub const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// Where the OCI image layout has it, and skopeo looks.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// Why the documents of an image cannot be carried.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A document is not there.
    #[error("the manifest {digest} of `{reference}` is missing")]
    Missing {
        /// The image.
        reference: String,
        /// The document.
        digest: Digest,
    },
    /// An index has nothing for an architecture of the bundle.
    #[error("`{reference}` has no image for linux/{arch}")]
    NoPlatform {
        /// The image.
        reference: String,
        /// The architecture.
        arch: Arch,
    },
    /// A digest is not what the lock says.
    #[error("`{reference}`: {what} should be {expected}, but is {found}")]
    Digest {
        /// The image.
        reference: String,
        /// Which of its digests.
        what: String,
        /// What the lock says.
        expected: Digest,
        /// What the documents say.
        found: Digest,
    },
    /// A size is not what another document says.
    #[error("`{reference}`: {digest} should have {expected} bytes, but has {found}")]
    Size {
        /// The image.
        reference: String,
        /// The document or blob.
        digest: Digest,
        /// What one place says.
        expected: u64,
        /// What the other says.
        found: u64,
    },
    /// Something is not attached to what the lock says.
    #[error("`{reference}`: {digest} does not say that it is attached to {to}")]
    Subject {
        /// The image.
        reference: String,
        /// What is attached.
        digest: Digest,
        /// What the lock says that it is attached to.
        to: Digest,
    },
    /// An index within an index.
    #[error("`{reference}`: {digest} is no image manifest")]
    Kind {
        /// The image.
        reference: String,
        /// The document.
        digest: Digest,
    },
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Missing { .. } => Exit::Bug,
            Self::NoPlatform { .. } => Exit::No,
            Self::Digest { .. } | Self::Size { .. } | Self::Subject { .. } | Self::Kind { .. } => Exit::Mismatch,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoPlatform { .. } | Self::Digest { .. } => {
                Some("`bundler resolve` locks what upstream has now".to_owned())
            }
            _ => None,
        }
    }
}

/// A blob of the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blob<'a> {
    /// An index or a manifest.
    Document(&'a Bytes),
    /// A configuration or a layer, of so many bytes.
    Content(u64),
}

/// The images of a bundle with their documents.
#[derive(Debug)]
pub struct Images<'a> {
    /// The top document of each name.
    names: BTreeMap<String, &'a Manifest>,
    /// The manifest of each architecture with the tagged names that lead to it.
    children: BTreeMap<Digest, (&'a Manifest, BTreeSet<String>)>,
    blobs: BTreeMap<Digest, Blob<'a>>,
}

impl<'a> Images<'a> {
    /// Follows every image of the lock to its blobs.
    pub fn of(bundle: &BundleFile, documents: &'a BTreeMap<Digest, Manifest>) -> Result<Self, Error> {
        let mut images = Self { names: BTreeMap::new(), children: BTreeMap::new(), blobs: BTreeMap::new() };
        for (reference, image) in &bundle.lock.images {
            let top = top(reference, image, documents)?;
            images.blobs.insert(top.digest, Blob::Document(&top.bytes));
            images.names.extend(names(reference).map(|name| (name, top)));
            for arch in &bundle.architectures {
                images.add(reference, child(reference, image, top, *arch, documents)?)?;
            }
            for attached in &image.attached {
                images.carry(reference, self::attached(reference, attached, documents)?)?;
            }
        }
        Ok(images)
    }

    fn add(&mut self, reference: &Reference, manifest: &'a Manifest) -> Result<(), Error> {
        self.carry(reference, manifest)?;
        let (_, tags) = self.children.entry(manifest.digest).or_insert_with(|| (manifest, BTreeSet::new()));
        tags.extend(reference.tag().map(|tag| format!("{}:{tag}", reference.name())));
        Ok(())
    }

    /// Adds a manifest with what it names to the blobs.
    fn carry(&mut self, reference: &Reference, manifest: &'a Manifest) -> Result<(), Error> {
        self.blobs.insert(manifest.digest, Blob::Document(&manifest.bytes));
        for descriptor in parts(manifest) {
            let blob = *self.blobs.entry(descriptor.digest).or_insert(Blob::Content(descriptor.size));
            let size = match blob {
                Blob::Document(bytes) => bytes.len() as u64,
                Blob::Content(size) => size,
            };
            if size != descriptor.size {
                return Err(Error::Size {
                    reference: reference.to_string(),
                    digest: descriptor.digest,
                    expected: size,
                    found: descriptor.size,
                });
            }
        }
        Ok(())
    }

    /// The blobs of the layout by digest: documents, configurations and layers, each once.
    pub fn blobs(&self) -> impl Iterator<Item = (Digest, Blob<'a>)> {
        self.blobs.iter().map(|(digest, blob)| (*digest, *blob))
    }

    /// `index.json`: a descriptor for each name, sorted.
    #[must_use]
    pub fn index_json(&self) -> Vec<u8> {
        let manifests = self.names.iter().map(|(name, document)| NamedDescriptor {
            media_type: &document.media_type,
            digest: document.digest,
            size: document.bytes.len(),
            annotations: BTreeMap::from([(CONTAINERD_NAME, name), (REF_NAME, name)]),
        });
        json(&Index { schema_version: 2, media_type: media_type::OCI_INDEX, manifests: manifests.collect() })
    }

    /// `manifest.json` of `docker save`, with full names.
    #[must_use]
    pub fn manifest_json(&self) -> Vec<u8> {
        let entry = |(manifest, tags): &(&Manifest, BTreeSet<String>)| {
            let mut parts = parts(manifest).map(|descriptor| model::blob_path(descriptor.digest));
            let config = parts.next().unwrap_or_default();
            SavedImage { config, repo_tags: tags.iter().cloned().collect(), layers: parts.collect() }
        };
        json(&self.children.values().map(entry).collect::<Vec<_>>())
    }
}

/// The names of an image in `index.json`: its reference, and for one with tag and digest also
/// `repository@digest`, which is what the CRI looks up.
pub fn names(reference: &Reference) -> impl Iterator<Item = String> {
    let pinned = reference.digest().map(|digest| reference.pinned(digest).to_string());
    let full = reference.to_string();
    pinned.filter(|pinned| *pinned != full).into_iter().chain([full])
}

/// The document that an image's digest names, checked against the lock.
pub fn top<'a>(
    reference: &Reference,
    image: &Image,
    documents: &'a BTreeMap<Digest, Manifest>,
) -> Result<&'a Manifest, Error> {
    if let Some(pinned) = reference.digest().filter(|pinned| *pinned != image.digest) {
        return Err(Error::Digest {
            reference: reference.to_string(),
            what: "the digest".to_owned(),
            expected: pinned,
            found: image.digest,
        });
    }
    let missing = || Error::Missing { reference: reference.to_string(), digest: image.digest };
    documents.get(&image.digest).ok_or_else(missing)
}

/// The manifest for `arch`, checked against the lock: the index's child, or the image's only manifest.
pub fn child<'a>(
    reference: &Reference,
    image: &Image,
    top: &'a Manifest,
    arch: Arch,
    documents: &'a BTreeMap<Digest, Manifest>,
) -> Result<&'a Manifest, Error> {
    let manifest = match &top.view {
        View::Manifest { .. } => top,
        View::Index(_) => {
            let none = || Error::NoPlatform { reference: reference.to_string(), arch };
            let descriptor = top.child(arch).ok_or_else(none)?;
            let missing = || Error::Missing { reference: reference.to_string(), digest: descriptor.digest };
            let manifest = documents.get(&descriptor.digest).ok_or_else(missing)?;
            if manifest.bytes.len() as u64 != descriptor.size {
                return Err(Error::Size {
                    reference: reference.to_string(),
                    digest: descriptor.digest,
                    expected: descriptor.size,
                    found: manifest.bytes.len() as u64,
                });
            }
            manifest
        }
    };
    if let View::Index(_) = manifest.view {
        return Err(Error::Kind { reference: reference.to_string(), digest: manifest.digest });
    }
    match image.platforms.get(&arch) {
        Some(platform) if platform.digest != manifest.digest => Err(Error::Digest {
            reference: reference.to_string(),
            what: format!("the manifest for linux/{arch}"),
            expected: platform.digest,
            found: manifest.digest,
        }),
        _ => Ok(manifest),
    }
}

/// The manifest of something that is attached to an image, checked against the lock.
///
/// It is in the layout, but neither list of images names it: an importer would take it for an image.
pub fn attached<'a>(
    reference: &Reference,
    attached: &Attached,
    documents: &'a BTreeMap<Digest, Manifest>,
) -> Result<&'a Manifest, Error> {
    let (reference, digest) = (|| reference.to_string(), attached.digest);
    let manifest = documents.get(&digest).ok_or_else(|| Error::Missing { reference: reference(), digest })?;
    if let View::Index(_) = manifest.view {
        return Err(Error::Kind { reference: reference(), digest });
    }
    let found = manifest.bytes.len() as u64;
    if found != attached.size {
        return Err(Error::Size { reference: reference(), digest, expected: attached.size, found });
    }
    if attached.tag.is_none() && referrers::subject(manifest) != Some(attached.to) {
        return Err(Error::Subject { reference: reference(), digest, to: attached.to });
    }
    Ok(manifest)
}

/// The configuration and then the layers of a manifest, lowest first.
pub fn parts(manifest: &Manifest) -> impl Iterator<Item = &Descriptor> {
    let (config, layers) = match &manifest.view {
        View::Manifest { config, layers } => (Some(config), layers.as_slice()),
        View::Index(_) => (None, [].as_slice()),
    };
    config.into_iter().chain(layers)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    schema_version: u8,
    media_type: &'a str,
    manifests: Vec<NamedDescriptor<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NamedDescriptor<'a> {
    media_type: &'a str,
    digest: Digest,
    size: usize,
    annotations: BTreeMap<&'static str, &'a String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SavedImage {
    config: String,
    repo_tags: Vec<String>,
    layers: Vec<String>,
}

#[expect(clippy::expect_used, reason = "these types have text keys only, so they always serialise")]
fn json<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("plain data serialises");
    bytes.push(b'\n');
    bytes
}
