//! Why a bundle is not packed, besides what catalog, lock, plan, sources, cache and archive tell.

use std::io;
use std::path::PathBuf;

use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::Arch;
use crate::size;
use crate::yaml::YamlError;

/// A failure of packing itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Less space than the bundle takes.
    #[error("not enough space on the disk of `{path}`: {needed} bytes are needed, {free} are free")]
    Space {
        /// Where the bytes would go.
        path: PathBuf,
        /// Needed bytes.
        needed: u64,
        /// Free bytes.
        free: u64,
    },
    /// A profile's bundle is larger than the catalog allows.
    #[error("the bundle of profile `{profile}` would have {}, {size} bytes; its budget is {}; the largest are {largest}",
        size::bytes(*.size), size::bytes(*.budget))]
    Budget {
        /// The profile.
        profile: String,
        /// The bundle's size in bytes.
        size: u64,
        /// What the catalog allows.
        budget: u64,
        /// The largest things in it with their sizes.
        largest: String,
    },
    /// A file to add cannot be read.
    #[error("cannot read `{path}`, which is to be `{name}` in the bundle")]
    Added {
        /// The path in the bundle.
        name: String,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file to add changed while it was read.
    #[error("`{0}` changed while it was packed")]
    Changed(PathBuf),
    /// The output directory cannot be used.
    #[error("cannot use the output directory `{path}`")]
    Output {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is in the output's place is no file, and a rename would replace it.
    #[error("`{0}` is there already and is no regular file")]
    NotFile(PathBuf),
    /// What is in the output's place is somebody's file: a lock, say, or a list.
    #[error("`{0}` is there already and is no bundle")]
    NotBundle(PathBuf),
    /// The delta would take the place of the bundle without which it is worth nothing.
    #[error("`{0}` is the base: the delta cannot be written over it")]
    IsBase(PathBuf),
    /// A name that would break the lines of its checksum file.
    #[error("`{}` is no name for a bundle: it has a line break", .0.escape_debug())]
    LineBreak(String),
    /// A version that no file name can have.
    #[error("`{version}` cannot be a bundle's version: {reason}")]
    Version {
        /// The version.
        version: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A document that a registry gave is none.
    #[error("the manifest of `{reference}` cannot be used")]
    Manifest {
        /// The image.
        reference: String,
        /// What is wrong with it.
        source: crate::oci::manifest::ManifestError,
    },
    /// An image without an index is for something else.
    #[error("`{reference}` has no image for linux/{arch}: its only one is for {found}")]
    OtherArch {
        /// The image.
        reference: String,
        /// What was asked for.
        arch: Arch,
        /// What it is for.
        found: String,
    },
    /// The lock gives a size that the documents contradict.
    #[error("`{reference}`: {what} for linux/{arch} has {found} bytes, but {locked} in the lock")]
    Size {
        /// The image.
        reference: String,
        /// The manifest, or its layers.
        what: &'static str,
        /// The architecture.
        arch: Arch,
        /// What the lock says.
        locked: u64,
        /// What the documents say.
        found: u64,
    },
    /// The list of digests cannot be read.
    #[error("cannot read `{}`", .path.display())]
    Have {
        /// The list.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is larger than any such list, or no text.
    #[error(transparent)]
    HaveText(YamlError),
    /// A line that is no digest.
    #[error("line {line} of `{}` is no sha256", .path.display())]
    Digest {
        /// The list.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// What the installers have to know of the catalog cannot be written.
    #[error("`{path}` {problem}")]
    Installer {
        /// The path in the bundle.
        path: &'static str,
        /// Why.
        problem: String,
    },
    /// A signal.
    #[error("interrupted")]
    Interrupted,
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Space { .. } | Self::Output { .. } | Self::NotFile(_) => Exit::Disk,
            Self::Added { .. }
            | Self::Changed(_)
            | Self::Version { .. }
            | Self::NotBundle(_)
            | Self::IsBase(_)
            | Self::LineBreak(_)
            | Self::Have { .. }
            | Self::HaveText(_)
            | Self::Installer { .. }
            | Self::Digest { .. } => Exit::Usage,
            Self::Manifest { .. } => Exit::Source,
            Self::Budget { .. } | Self::OtherArch { .. } => Exit::No,
            Self::Size { .. } => Exit::Mismatch,
            Self::Interrupted => Exit::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Space { needed, free, .. } => Some(format!(
                "free {}, name another disk with `--output`, or keep no copies with `--no-store`",
                size::bytes(needed.saturating_sub(*free))
            )),
            Self::Budget { size, budget, .. } => Some(format!(
                "move components of {} to another profile, raise `budget` in `catalog.yaml`, or use `--allow-over-budget`",
                size::bytes(size.saturating_sub(*budget))
            )),
            Self::Added { .. } => Some("`--add-file files/NAME=PATH` names a file that can be read".to_owned()),
            Self::Changed(_) => Some("run it again when nothing writes to the file".to_owned()),
            Self::Version { .. } => Some("use letters, digits, `.`, `-`, `+` and `_`".to_owned()),
            Self::OtherArch { .. } | Self::Size { .. } => {
                Some("`bundler resolve` locks what upstream has now".to_owned())
            }
            Self::Interrupted => Some("the next run goes on where this one was".to_owned()),
            Self::Output { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("create the directory, or name another one with `--output`".to_owned())
            }
            Self::Output { .. } => Some("`--output` names a directory that can be written".to_owned()),
            Self::NotFile(_) | Self::NotBundle(_) | Self::IsBase(_) | Self::LineBreak(_) => {
                Some("name another file with `--output`".to_owned())
            }
            Self::Digest { .. } => Some("`--have` takes one sha256 a line, in hex".to_owned()),
            Self::Manifest { .. } | Self::Have { .. } | Self::HaveText(_) | Self::Installer { .. } => None,
        }
    }
}
