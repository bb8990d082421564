//! Why a blob could not be moved to its place.

use std::fmt;
use std::io;

use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::Digest;
use crate::plan::Artifact;
use crate::{bundle, source, store};

/// Where bytes come from that were fetched before.
pub(super) const THE_STORE: &str = "the store";

/// A failure to fetch, unpack or place a blob.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No source gave the bytes.
    #[error("cannot fetch {artifact}")]
    Source {
        /// What was fetched.
        artifact: Box<Artifact>,
        /// What the first source said.
        source: source::Error,
    },
    /// The bytes have another digest.
    #[error("{artifact}: wrong bytes from {origin}: expected {expected}, found {found}")]
    Mismatch {
        /// What was fetched.
        artifact: Box<Artifact>,
        /// Where the bytes came from.
        origin: String,
        /// What lock or manifest say.
        expected: Digest,
        /// What came.
        found: Digest,
    },
    /// The bytes have another length.
    #[error("{artifact}: {origin} has {found} bytes for {digest}, expected {expected}")]
    Size {
        /// What was fetched.
        artifact: Box<Artifact>,
        /// Where the bytes came from.
        origin: String,
        /// The blob.
        digest: Digest,
        /// What lock or manifest say.
        expected: u64,
        /// What came.
        found: Found,
    },
    /// The archive cannot be unpacked.
    #[error("{artifact}: cannot read `{path}` in {archive}")]
    Unpack {
        /// What is carried.
        artifact: Box<Artifact>,
        /// The member.
        path: String,
        /// The archive.
        archive: String,
        /// Why.
        source: io::Error,
    },
    /// The archive has no such file.
    #[error("{artifact}: {archive} has no file `{path}`")]
    NoMember {
        /// What is carried.
        artifact: Box<Artifact>,
        /// The member.
        path: String,
        /// The archive.
        archive: String,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The store's bytes cannot be read.
    #[error("cannot read {digest} in the store")]
    Cache {
        /// The blob.
        digest: Digest,
        /// Why.
        source: io::Error,
    },
    /// The archive that is written.
    #[error(transparent)]
    Bundle(#[from] bundle::write::Error),
    /// A blob that nobody wants was fetched.
    #[error("a blob has no place to go")]
    NoPlace,
}

/// A length that is not the expected one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Exactly so many bytes.
    Exactly(u64),
    /// It ends before the expected length, and no later attempt gave more.
    Less(u64),
    /// It goes on behind the expected length.
    More(u64),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(n) => write!(f, "{n}"),
            Self::Less(n) => write!(f, "only {n}"),
            Self::More(n) => write!(f, "more than {n}"),
        }
    }
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Source { source, .. } => source.exit(),
            Self::Mismatch { .. } | Self::Size { .. } | Self::NoMember { .. } => Exit::Mismatch,
            // An archive with the right digest that is damaged was damaged when it was locked.
            Self::Unpack { source, .. } if source.raw_os_error().is_none() => Exit::Mismatch,
            Self::Unpack { .. } | Self::Cache { .. } => Exit::Disk,
            Self::Store(error) => error.exit(),
            Self::Bundle(error) => error.exit(),
            Self::NoPlace => Exit::Bug,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Source { source, .. } => source.hint(),
            // Its bytes have the right digest, so that they are the right ones.
            Self::Size { origin, .. } if origin == THE_STORE => Some(
                "its bytes are the right ones, so the size that lock or manifest say is wrong: run `bundler resolve`"
                    .to_owned(),
            ),
            Self::Mismatch { .. } | Self::Size { .. } => Some(
                "what is served is not what was locked: ask its publisher, or run `bundler resolve` after you know why"
                    .to_owned(),
            ),
            Self::NoMember { .. } | Self::Unpack { .. } => {
                Some("correct `extract` in its `component.yaml` and run `bundler resolve`".to_owned())
            }
            Self::Store(error) => error.hint(),
            Self::Bundle(error) => error.hint(),
            Self::Cache { .. } => Some("`--cache-dir` names another store".to_owned()),
            Self::NoPlace => None,
        }
    }
}
