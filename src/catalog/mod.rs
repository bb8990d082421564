//! The catalog: what we want. Model, parsing, cross-file rules, JSON Schema.

mod inputs;
pub mod model;
mod read;

pub use inputs::inputs_digest;
pub use model::{Catalog, CatalogFile, Component};
pub use read::read;

use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::yaml::{self, YamlError};

/// The version of the catalog's format that this program reads.
pub const SCHEMA: u32 = 1;

/// Why a catalog cannot be used. Every one ends with exit code 2, before any network.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the catalog is wrong at a place.
    #[error(transparent)]
    File(#[from] YamlError),
    /// A file or directory cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

impl Error {
    fn read(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::Read { path: path.display().to_string(), source }
    }
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

/// Parses `catalog.yaml`; `file` only names it in errors.
pub fn parse_file(file: &str, text: &str) -> Result<CatalogFile, YamlError> {
    yaml::parse(file, text)
}

/// Parses a `component.yaml`; `file` only names it in errors.
pub fn parse_component(file: &str, text: &str) -> Result<Component, YamlError> {
    yaml::parse(file, text)
}
