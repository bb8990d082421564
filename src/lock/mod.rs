//! The lock: every version with every digest. Packing reads nothing else to decide what to fetch.

pub mod attached;
pub mod diff;
pub mod model;
mod read;
mod rules;
#[cfg(test)]
mod tests;
pub mod weight;
mod write;

pub use model::Lock;
pub use read::{parse, read, read_text};
pub use write::{check_place, to_text, write};

use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::yaml::{Problems, YamlError};

/// Why a lock cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is wrong, each time at a place.
    #[error(transparent)]
    Wrong(#[from] Problems),
    /// The file cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write `{path}`")]
    Write {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Written by a newer version of this program.
    #[error("`{path}` has schema {found}, which a newer bundler wrote; this one reads up to {known}")]
    Newer {
        /// The file.
        path: String,
        /// The schema in the file.
        found: u32,
        /// The newest schema that is known.
        known: u32,
    },
}

impl From<YamlError> for Error {
    fn from(error: YamlError) -> Self {
        Self::Wrong(Problems(vec![error]))
    }
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Write { .. } => Exit::Disk,
            Self::Wrong(_) | Self::Read { .. } | Self::Newer { .. } => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Wrong(problems) => problems.hint(),
            Self::Read { .. } => Some(
                "`bundler resolve` writes a lock, `bundle.lock.yaml` unless `--lock FILE` says otherwise".to_owned(),
            ),
            Self::Write { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                Some("create the directory, or name another lock with `--lock`".to_owned())
            }
            Self::Write { .. } => None,
            Self::Newer { .. } => Some("use the version of bundler that wrote it, or a newer one".to_owned()),
        }
    }
}
