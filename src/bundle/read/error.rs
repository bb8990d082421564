//! Why a bundle cannot be read.

use std::io;
use std::path::{Path, PathBuf};

use super::super::{delta, parts, tar};
use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::yaml::YamlError;

/// Why a bundle cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk said no.
    #[error("cannot read `{path}`")]
    Disk {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something else.
    #[error("`{path}` is no bundle: {reason}")]
    NotBundle {
        /// The file or directory.
        path: PathBuf,
        /// What a bundle has.
        reason: &'static str,
    },
    /// Bytes that cannot be as they were written.
    #[error("`{path}` is damaged at byte {at} of its tar: {reason}")]
    Damaged {
        /// The archive.
        path: PathBuf,
        /// Where in the tar.
        at: u64,
        /// What is wrong there.
        reason: String,
    },
    /// Bytes after the gzip member, which some programs read and others do not.
    #[error("`{path}` goes on after its end: {bytes} bytes follow the gzip member")]
    Trailing {
        /// The archive.
        path: PathBuf,
        /// How many.
        bytes: u64,
    },
    /// An entry that a bundle does not have, such as a link.
    #[error("`{path}` is damaged or hostile at byte {at} of its tar")]
    Entry {
        /// The archive.
        path: PathBuf,
        /// Where in the tar.
        at: u64,
        /// What is wrong with it.
        source: tar::Error,
    },
    /// `FILE.sha256` is not what `sha256sum` writes.
    #[error("`{0}` is no list of sha256 and name, a line for the archive or for each part")]
    Checksum(PathBuf),
    /// A member is not there.
    #[error("`{path}` is no bundle: it has no `{member}`")]
    Missing {
        /// The bundle.
        path: PathBuf,
        /// The member.
        member: String,
    },
    /// A member is larger than it can be.
    #[error("`{member}` of `{path}` has {size} bytes; at most {limit} are read")]
    TooLarge {
        /// The bundle.
        path: PathBuf,
        /// The member.
        member: String,
        /// Its size.
        size: u64,
        /// The bound.
        limit: u64,
    },
    /// The parts of an archive are not all there, or not what they are named.
    #[error(transparent)]
    Parts(#[from] parts::Error),
    /// A delta, or its base, cannot be used.
    #[error(transparent)]
    Delta(Box<delta::Error>),
    /// `bundle.yaml` is wrong at a place.
    #[error(transparent)]
    About(#[from] YamlError),
    /// Written by a newer version of this program.
    #[error("`{path}` has schema {found}, which a newer bundler wrote; this one reads up to {known}")]
    Newer {
        /// The bundle.
        path: PathBuf,
        /// The schema in `bundle.yaml`.
        found: u32,
        /// The newest schema that is known.
        known: u32,
    },
}

impl From<delta::Error> for Error {
    fn from(error: delta::Error) -> Self {
        // It has the most to tell; unboxed, it would make every result large.
        Self::Delta(Box::new(error))
    }
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            // What the command line names is not there.
            Self::Disk { source, .. }
                if matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
            {
                Exit::Usage
            }
            Self::Disk { .. } => Exit::Disk,
            Self::NotBundle { .. } | Self::Missing { .. } | Self::Newer { .. } => Exit::Usage,
            Self::Damaged { .. }
            | Self::Trailing { .. }
            | Self::Entry { .. }
            | Self::TooLarge { .. }
            | Self::About(_)
            | Self::Checksum(_) => Exit::Mismatch,
            Self::Parts(error) => error.exit(),
            Self::Delta(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Damaged { .. }
            | Self::Trailing { .. }
            | Self::Entry { .. }
            | Self::TooLarge { .. }
            | Self::About(_) => Some("`bundler verify` lists all that is wrong; copy the bundle again".to_owned()),
            Self::Parts(error) => error.hint(),
            Self::Delta(error) => error.hint(),
            Self::Newer { .. } => Some("use the version of bundler that wrote it, or a newer one".to_owned()),
            Self::NotBundle { .. } | Self::Missing { .. } => {
                Some("name an archive, its first part, or the directory that it was unpacked into".to_owned())
            }
            Self::Disk { .. } | Self::Checksum(_) => None,
        }
    }
}

/// Of an archive that ends before its tar does.
pub(super) const ENDED: &str = "the archive ends here";

/// Why bytes of a tar cannot be had.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The disk said no.
    Disk(io::Error),
    /// The archive is damaged here.
    Damaged { at: u64, reason: String },
}

impl Fault {
    pub(super) fn in_archive(self, path: &Path) -> Error {
        let path = path.to_owned();
        match self {
            Self::Disk(source) => Error::Disk { path, source },
            Self::Damaged { at, reason } => Error::Damaged { path, at, reason },
        }
    }
}
