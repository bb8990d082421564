//! Where things come from: GitHub, Helm repositories, OCI registries and downloads over one HTTP client.

pub(crate) mod auth;
pub mod checksum;
pub mod error;
pub mod git;
pub mod github;
pub mod helm;
pub mod http;
pub mod kept;
pub mod once;
pub mod registry;
#[cfg(test)]
mod testing;

pub use error::Error;
pub use http::{Body, Download, Get, Head, Http, HttpOptions};
pub use registry::{ManifestHead, Registry};
