//! Where things come from: GitHub, Helm repositories and OCI registries over one HTTP client.

pub mod checksum;
