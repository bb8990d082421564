//! What is in a bundle: the members in their canonical order, from the selected part of the lock.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::model::BundleFile;
use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::manifest::Manifest;
use crate::oci::{Arch, Digest, Reference};

/// Everything that a bundle is made of but the blobs' bytes.
#[derive(Clone, Debug)]
pub struct Parts {
    /// What `bundle.yaml` says; its `lock` is the selected part and nothing else.
    pub bundle: BundleFile,
    /// The document that each image's digest names, and of an index the children of the bundle's architectures.
    pub manifests: BTreeMap<Digest, Manifest>,
    /// What is carried of a download, by the download's digest, where the lock does not say it:
    /// the digest and size of an archive's member, or just the size.
    pub carried: BTreeMap<Digest, Carried>,
    /// Values and resources by component and by path relative to the component's directory.
    pub component_files: BTreeMap<String, BTreeMap<String, Bytes>>,
    /// The installers by path in the bundle, such as `install.sh` and `lib/common.sh`.
    pub installers: BTreeMap<String, Bytes>,
}

/// What is carried of a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The digest of the carried bytes.
    pub digest: Digest,
    /// Their size.
    pub size: u64,
}

/// Why parts make no bundle.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The lock has no size or digest for something, and the caller did not find it out.
    #[error("the size of `{0}` is not known")]
    Unknown(String),
    /// Two things want one path with different bytes.
    #[error("`{path}` would be {first} and also {second}")]
    Conflict {
        /// The path in the bundle.
        path: String,
        /// One digest.
        first: Digest,
        /// The other.
        second: Digest,
    },
    /// A manifest that an image needs was not given.
    #[error("the manifest {digest} of `{reference}` is missing")]
    Manifest {
        /// The image.
        reference: Reference,
        /// The missing document.
        digest: Digest,
    },
    /// An image's index has nothing for an architecture of the bundle.
    #[error("`{reference}` has no image for linux/{arch}")]
    NoPlatform {
        /// The image.
        reference: Reference,
        /// The architecture.
        arch: Arch,
    },
    /// What a registry gave is not what the lock says.
    #[error("`{reference}` should have {expected}, but has {found}")]
    Differs {
        /// The image, with its architecture where that matters.
        reference: String,
        /// What the lock says.
        expected: Digest,
        /// What the documents say.
        found: Digest,
    },
    /// A document of the wrong kind: an index within an index.
    #[error("`{reference}` has {digest}, which is no image manifest")]
    Kind {
        /// The image.
        reference: Reference,
        /// The document.
        digest: Digest,
    },
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Conflict { .. } => Exit::Usage,
            Self::NoPlatform { .. } => Exit::No,
            Self::Differs { .. } | Self::Kind { .. } => Exit::Mismatch,
            Self::Unknown(_) | Self::Manifest { .. } => Exit::Bug,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Conflict { .. } => Some("give one of the two another name in the catalog".to_owned()),
            Self::NoPlatform { .. } | Self::Differs { .. } => {
                Some("`bundler resolve` writes what upstream has now".to_owned())
            }
            _ => None,
        }
    }
}
