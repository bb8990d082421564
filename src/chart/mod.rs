//! Helm charts: reading archives, rendering with real Helm, finding images.
//!
//! [`archive`] reads a `.tgz` without unpacking it, [`artifact`] makes what a registry has of it, [`helm`] runs the real
//! program, [`images`] walks what came out. None of them reaches the network.

pub mod archive;
pub mod artifact;
pub mod crd;
pub mod helm;
pub mod images;
pub mod metadata;

pub use archive::Archive;
pub use artifact::Artifact;
pub use crd::Crd;
pub use helm::{Helm, Release};
pub use metadata::Metadata;

use crate::error::Diagnostic;
use crate::exit::Exit;

/// Why a chart cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive is no chart, or not one that is safe to read.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// Helm is missing, too old or failed.
    #[error(transparent)]
    Helm(#[from] helm::Error),
    /// The rendered manifests cannot be read, or their images cannot be carried.
    #[error(transparent)]
    Images(#[from] images::Error),
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Archive(error) => error.exit(),
            Self::Helm(error) => error.exit(),
            Self::Images(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Archive(error) => error.hint(),
            Self::Helm(error) => error.hint(),
            Self::Images(error) => error.hint(),
        }
    }
}
