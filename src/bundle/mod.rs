//! The bundle: its contents, their places, the tar in stored gzip, random access.
//!
//! Everything about an archive but the blobs' bytes is known once the manifests are read, so
//! [`contents`] gives the members, [`layout`] their places, and [`mod@write`] takes the bytes in any order.

pub mod contents;
pub mod delta;
pub mod gzip;
pub mod layout;
pub mod model;
pub mod name;
pub mod parts;
pub mod read;
pub mod set;
pub mod sums;
pub mod tar;
mod volume;
pub mod write;

pub use layout::{Content, Layout, Member};

use crate::error::Diagnostic;
use crate::exit::Exit;

/// Why a bundle cannot be put together, written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The members fit in no archive.
    #[error(transparent)]
    Layout(#[from] layout::Error),
    /// The parts contradict each other.
    #[error(transparent)]
    Contents(#[from] contents::Error),
    /// The archive cannot be written.
    #[error(transparent)]
    Write(#[from] write::Error),
    /// The archive cannot be read.
    #[error(transparent)]
    Read(#[from] read::Error),
    /// The archive cannot be cut into such parts.
    #[error(transparent)]
    Parts(#[from] parts::Error),
    /// The bundles cannot be read as one.
    #[error(transparent)]
    Set(#[from] set::Error),
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Layout(error) => error.exit(),
            Self::Contents(error) => error.exit(),
            Self::Write(error) => error.exit(),
            Self::Read(error) => error.exit(),
            Self::Set(error) => error.exit(),
            Self::Parts(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Layout(error) => error.hint(),
            Self::Contents(error) => error.hint(),
            Self::Write(error) => error.hint(),
            Self::Read(error) => error.hint(),
            Self::Set(error) => error.hint(),
            Self::Parts(error) => error.hint(),
        }
    }
}
