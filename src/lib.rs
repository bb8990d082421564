//! Offline bundles for air-gapped Kubernetes.
//!
//! Data goes one way: [`catalog`] → resolve → [`lock`] → plan → store → bundle.

pub mod catalog;
pub mod error;
pub mod event;
pub mod exit;
pub mod lock;
pub mod oci;
pub mod yaml;

pub use error::{Diagnostic, Error};
pub use exit::Exit;
