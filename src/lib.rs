//! Offline bundles for air-gapped Kubernetes.
//!
//! Data goes one way; no module calls back up:
//!
//! ```text
//! catalog ── resolve ──> lock ── plan ── fetch ──> bundle ──> verify, inspect
//! what we want           what was chosen           what is carried
//! ```
//!
//! | module | owns |
//! |---|---|
//! | [`cli`] | the command line; one file a subcommand, no logic |
//! | [`ui`] | the printer, progress, diagnostics, reports for people |
//! | [`error`], [`exit`], [`event`] | failures with exit codes and hints; what long operations tell |
//! | [`catalog`] | what we want: model, parsing, rules across files, JSON Schema |
//! | [`version`] | tags to versions, order, constraints, Helm's `kubeVersion` ranges |
//! | [`config`], [`source`] | mirrors; GitHub, git, Helm repositories and registries over one HTTP client |
//! | [`chart`] | chart archives, rendering with real Helm, finding images |
//! | [`resolve`] | the driver and the pure choice of versions |
//! | [`lock`] | what was chosen: model, reading, deterministic writing |
//! | [`oci`] | digest, reference, media type, manifest |
//! | [`plan`], [`store`], [`fetch`], [`pack`] | what is needed; the store; bounded resumable workers; the operation |
//! | [`bundle`], [`sbom`] | layout, tar in stored gzip, writing in place, reading anywhere; the CycloneDX list of it |
//! | [`apply`] | base and delta to the full bundle |
//! | [`sign`] | SSH signatures of bundles |
//! | [`verify`], [`inspect`], [`load`] | the air-gapped side, which never reaches the network |
//! | [`serve`] | bundles as a registry, a Helm repository and files, in place |
//! | [`push`] | bundles to a registry: the air-gapped side that reaches one |
//! | [`init`] | starter catalogs from what somebody has |
//! | [`add`] | components for a catalog: patterns guessed from tags, resolved before they are written |
//! | [`yaml`] | the one place that knows the YAML library |
//!
//! `tests/it/architecture.rs` holds the directions.

pub mod add;
pub mod apply;
pub mod bundle;
pub mod catalog;
pub mod chart;
pub mod cli;
pub mod config;
pub mod error;
pub mod event;
pub mod exit;
pub mod fetch;
/// What `fuzz/` feeds with hostile input; no part of the product.
#[cfg(any(test, fuzzing))]
#[path = "../fuzz/targets/mod.rs"]
pub mod fuzz;
pub mod init;
pub mod inspect;
pub mod load;
pub mod lock;
mod member;
mod name;
pub mod oci;
pub mod pack;
pub mod plan;
pub mod push;
pub mod resolve;
pub mod sbom;
pub mod serve;
pub mod sign;
pub mod size;
pub mod source;
pub mod store;
pub mod ui;
pub mod verify;
pub mod version;
pub mod yaml;

pub use error::{Diagnostic, Error};
pub use exit::Exit;
