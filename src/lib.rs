//! Offline bundles for air-gapped Kubernetes.
//!
//! Data goes one way: [`catalog`] → [`resolve`] → [`lock`] → [`plan`] → [`store`] → [`bundle`].
//! No module calls back up, and the air-gapped side ([`verify`] and all that reads a [`bundle`])
//! never reaches [`resolve`] or [`source`].

pub mod bundle;
pub mod catalog;
pub mod chart;
pub mod cli;
pub mod config;
pub mod error;
pub mod event;
pub mod exit;
pub mod fetch;
pub mod inspect;
pub mod lock;
mod member;
mod name;
pub mod oci;
pub mod pack;
pub mod plan;
pub mod resolve;
pub mod size;
pub mod source;
pub mod store;
pub mod ui;
pub mod verify;
pub mod version;
pub mod yaml;

pub use error::{Diagnostic, Error};
pub use exit::Exit;
