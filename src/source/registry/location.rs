//! Where the blobs of a registry really are: a redirect is asked for once and shared by the segments of a blob.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

#[cfg(doc)]
use crate::source::http::Download;

/// What is known about one blob's place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Where {
    /// Nobody asked yet, or what was known is no longer true.
    #[default]
    Unknown,
    /// The registry serves it itself.
    Here,
    /// The registry redirected to this URL, which is good for some time; with [`Download::detour`] of the answer.
    At(Url, Option<Url>),
}

/// The places by the blob's original URL.
#[derive(Default)]
pub(super) struct Locations(Mutex<HashMap<String, Arc<tokio::sync::Mutex<Where>>>>);

impl Locations {
    /// The place of one blob; whoever holds its lock is asking the registry.
    pub(super) fn place(&self, blob: &str) -> Arc<tokio::sync::Mutex<Where>> {
        Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(blob.to_owned()).or_default())
    }
}
