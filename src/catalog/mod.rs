//! The catalog: what we want. Model, parsing, cross-file rules, JSON Schema.

pub mod model;

pub use model::{Catalog, Component};

use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::yaml::YamlError;

/// Why a catalog cannot be used. Every one ends with exit code 2, before any network.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the catalog is wrong at a place.
    #[error(transparent)]
    File(#[from] YamlError),
    /// A file cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint.clone(),
            Self::Read { .. } => Some("`--catalog DIR` names the directory that holds `catalog.yaml`".to_owned()),
        }
    }
}
