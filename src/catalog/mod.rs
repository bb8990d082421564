//! The catalog: what we want. Model, parsing, cross-file rules, JSON Schema.

pub mod edit;
mod inputs;
mod installers;
pub mod model;
pub mod names;
mod read;
mod rules;
pub mod scalar;
pub mod template;
#[cfg(test)]
mod tests;

pub use inputs::inputs_digest;
pub use model::{Catalog, CatalogFile, Component};
pub use read::{read, with_component};
pub use rules::warnings;

use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::yaml::{self, Place, Problems, Spanned, YamlError};

/// The version of the catalog's format that this program reads.
pub const SCHEMA: u32 = 1;

/// Why a catalog cannot be used. Every one ends with exit code 2, before any network.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Files of the catalog are wrong, each at a place.
    #[error(transparent)]
    Wrong(#[from] Problems),
    /// A file or directory cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

impl From<YamlError> for Error {
    fn from(error: YamlError) -> Self {
        Self::Wrong(Problems(vec![error]))
    }
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
            Self::Wrong(problems) => problems.hint(),
            Self::Read { path, .. } if path.ends_with("component.yaml") => {
                Some("each directory below `components` is a component and holds a `component.yaml`".to_owned())
            }
            Self::Read { .. } => Some(
                "`--catalog DIR` names the directory that holds `catalog.yaml`; `bundler init` begins one".to_owned(),
            ),
        }
    }
}

/// Parses `catalog.yaml`; `file` only names it in errors.
///
/// The version of the format is looked at first, so that a newer catalog is called newer and not malformed.
pub fn parse_file(file: &str, text: &str) -> Result<CatalogFile, YamlError> {
    #[derive(serde::Deserialize)]
    struct Version {
        schema: Spanned<u32>,
    }
    let Version { schema } = yaml::parse(file, text)?;
    if schema.value > SCHEMA {
        let message = format!("schema {} is newer than this program, which reads up to {SCHEMA}", schema.value);
        return Err(YamlError::new(file, Place::from(&schema), message).with_hint("use a newer bundler"));
    }
    yaml::parse(file, text)
}

/// Parses a `component.yaml`; `file` only names it in errors.
pub fn parse_component(file: &str, text: &str) -> Result<Component, YamlError> {
    yaml::parse(file, text)
}
