//! What a push did.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::oci::{Arch, Digest};

/// What is at the registry now, or would be.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Pushed {
    /// The registry with the prefix.
    pub registry: String,
    /// Nothing was sent.
    pub dry_run: bool,
    /// The images by their references.
    pub images: Vec<Mapped>,
    /// The charts by their paths in the bundle.
    pub charts: Vec<Mapped>,
    /// What became of the blobs.
    pub blobs: Blobs,
    /// The files for the nodes.
    pub written: Vec<PathBuf>,
}

/// A thing of the bundle and its name at the registry.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Mapped {
    /// The image's reference or the chart's path.
    pub name: String,
    /// Its reference at the registry.
    pub at: String,
    /// The digest that it has there.
    pub digest: Digest,
    /// The digest that it has in the bundle, where that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<Digest>,
    /// In which form it is there.
    pub form: Form,
    /// The architectures of an image that are there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub architectures: Vec<Arch>,
    /// How many signatures and the like of an image are there.
    #[serde(skip_serializing_if = "is_none")]
    pub attached: usize,
    /// What was done.
    pub state: State,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
const fn is_none(number: &usize) -> bool {
    *number == 0
}

/// In which form an image or a chart is at the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Byte for byte as it was.
    AsIs,
    /// The manifest of its one architecture, because the registry refuses an index with absent children.
    Manifest,
    /// An index of the children that are there, for the same reason.
    Reduced,
}

/// What was done with an image or a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It was there.
    Present,
    /// It was pushed.
    Pushed,
    /// It is not there, and nothing was to be sent.
    Missing,
}

/// What became of the blobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Blobs {
    /// How many were there.
    pub present: u64,
    /// How many the registry took from another of its repositories.
    pub mounted: u64,
    /// How many were sent, or would be.
    pub sent: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl State {
    pub(super) const fn of(is_present: bool, dry_run: bool) -> Self {
        match (is_present, dry_run) {
            (true, _) => Self::Present,
            (false, true) => Self::Missing,
            (false, false) => Self::Pushed,
        }
    }
}
