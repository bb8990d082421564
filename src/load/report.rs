//! What was done, for people and programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::choose::Wanted;
use crate::oci::{Arch, Digest, Reference};

/// What `load` did, or with `dry_run` would do.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Loaded {
    /// Where the images are now, such as `containerd at /run/containerd/containerd.sock`.
    pub into: String,
    /// Whether nothing was done.
    pub dry_run: bool,
    /// The images by reference.
    pub images: Vec<LoadedImage>,
    /// What was sent.
    pub sent: Amount,
    /// How many blobs were there already.
    pub present: usize,
    /// The names that `--prune` removed.
    pub removed: Vec<String>,
}

/// Blobs and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Amount {
    /// How many blobs.
    pub blobs: usize,
    /// Bytes that were moved.
    pub bytes: u64,
}

/// An image that is there now.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LoadedImage {
    /// Its reference in the lock.
    #[schemars(with = "String")]
    pub reference: Reference,
    /// The digest that its names lead to.
    pub digest: Digest,
    /// For what it was loaded.
    pub architectures: Vec<Arch>,
    /// Every name that it has there.
    pub names: Vec<String>,
    /// What had to be done.
    pub state: State,
}

/// What had to be done for an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It was not there, or not all of it.
    Loaded,
    /// Nothing.
    Present,
    /// One of its names led to another image.
    Moved,
}

/// What `unload` did, or with `dry_run` would do.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Unloaded {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// The names that are gone.
    pub removed: Vec<String>,
    /// How many names of the bundle stay, because another bundle or somebody else brought them too.
    pub kept: usize,
}

impl Loaded {
    pub(super) fn new(into: impl Into<String>, dry_run: bool) -> Self {
        Self {
            into: into.into(),
            dry_run,
            images: Vec::new(),
            sent: Amount::default(),
            present: 0,
            removed: Vec::new(),
        }
    }

    /// Counts a blob of which so many bytes were sent; `None` when it was there.
    pub(super) fn count(&mut self, sent: Option<u64>) {
        match sent {
            Some(bytes) => {
                self.sent.blobs += 1;
                self.sent.bytes += bytes;
            }
            None => self.present += 1,
        }
    }
}

impl LoadedImage {
    pub(super) fn new(image: &Wanted, names: impl IntoIterator<Item = String>, state: State) -> Self {
        Self {
            reference: image.reference.clone(),
            digest: image.top.digest,
            architectures: image.manifests.keys().copied().collect(),
            names: names.into_iter().collect(),
            state,
        }
    }
}
