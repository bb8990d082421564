//! The lock: every version with every digest. Packing reads nothing else to decide what to fetch.

pub mod model;

pub use model::Lock;

use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::yaml::YamlError;

/// Why a lock cannot be used. Every one ends with exit code 2, before any network.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is wrong at a place.
    #[error(transparent)]
    File(#[from] YamlError),
    /// The file cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Written by a newer version of this program.
    #[error("`{path}` has schema {found}, this program reads up to {known}")]
    Newer {
        /// The file.
        path: String,
        /// The schema in the file.
        found: u32,
        /// The newest schema that is known.
        known: u32,
    },
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint.clone(),
            Self::Read { .. } => Some("`bundler resolve` writes the lock; `--lock FILE` names another one".to_owned()),
            Self::Newer { .. } => Some("use the version of bundler that wrote it, or a newer one".to_owned()),
        }
    }
}
