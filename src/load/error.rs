//! Why images do not get to where they should.

use std::io;
use std::path::PathBuf;

use crate::bundle::set;
use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::{Arch, Digest};

/// A failure of `load` or `unload`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bundles cannot be read.
    #[error(transparent)]
    Set(#[from] set::Error),
    /// What was chosen leaves no image.
    #[error("nothing to load: no image of the bundle is in all that was chosen")]
    Nothing,
    /// The bundles are for other machines than this one.
    #[error("the bundle is for {}, this machine is {host}", list(.carried))]
    Foreign {
        /// What the bundles are for.
        carried: Vec<Arch>,
        /// What this machine is.
        host: Arch,
    },
    /// The bundles do not carry an architecture.
    #[error("the bundle has nothing for {arch}, only for {}", list(.carried))]
    NoArch {
        /// What was asked for.
        arch: Arch,
        /// What the bundles are for.
        carried: Vec<Arch>,
    },
    /// A place takes images of one architecture only.
    #[error("{0} takes the images of one architecture at a time")]
    OneArch(&'static str),
    /// A blob of an image is in no bundle.
    #[error("`{reference}` is not whole: no bundle has {digest}")]
    Incomplete {
        /// The image.
        reference: String,
        /// The document or blob.
        digest: Digest,
    },
    /// A blob has not the size that its image says.
    #[error("`{reference}` is damaged: {digest} has {found} bytes instead of {expected}")]
    Size {
        /// The image.
        reference: String,
        /// The blob.
        digest: Digest,
        /// What the image says.
        expected: u64,
        /// What the bundle has.
        found: u64,
    },
    /// The bytes of a blob are not what its digest says.
    #[error("`{reference}` is damaged: {digest} of the bundle has sha256 {found}")]
    Damaged {
        /// The image.
        reference: String,
        /// The blob.
        digest: Digest,
        /// The digest of its bytes.
        found: Digest,
    },
    /// A newer version of the bundle is loaded.
    #[error("{name} {loaded} is loaded, which is newer than {version}")]
    Downgrade {
        /// The bundle's name.
        name: String,
        /// The version that is loaded.
        loaded: String,
        /// The version that was to be loaded.
        version: String,
    },
    /// There is nothing that images could be loaded into.
    #[error("found nothing on this machine to load images into")]
    NoTarget,
    /// There are several, and only the user knows which one Kubernetes uses.
    #[error("this machine has several places for images: {}", .0.join(", "))]
    Targets(Vec<String>),
    /// A name or version that cannot be one of a bundle.
    #[error("`{0}` is neither a bundle nor NAME@VERSION of one")]
    NoBundle(String),
    /// An operation that only some places can do.
    #[error("{into} cannot tell what came from a bundle")]
    NoMarks {
        /// The place.
        into: &'static str,
    },
    /// containerd's socket cannot be reached.
    #[error("cannot reach containerd at `{address}`")]
    Connect {
        /// The socket.
        address: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// containerd refused.
    #[error("containerd at `{address}` did not {what}: {message} ({code:?})")]
    Call {
        /// The socket.
        address: PathBuf,
        /// What it was asked to do.
        what: String,
        /// The kind of the refusal.
        code: tonic::Code,
        /// Its words.
        message: String,
    },
    /// After everything was sent, something is not there.
    #[error("`{name}` is not as it was loaded: it should be {expected}, but is {found}")]
    After {
        /// The image's name or the blob's digest.
        name: String,
        /// What was loaded.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A file cannot be written.
    #[error("cannot write `{path}`")]
    Disk {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that is there cannot be used.
    #[error("cannot use `{path}`: {reason}")]
    Layout {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Docker or podman cannot be started or fed.
    #[error("cannot run `{program}`")]
    Start {
        /// The program.
        program: &'static str,
        /// Why.
        source: io::Error,
    },
    /// Docker or podman refused.
    #[error("`{program}` ended with {status}: {message}")]
    Program {
        /// The program and what it was to do.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// The end of what it said.
        message: String,
    },
    /// Ctrl-C or SIGTERM.
    #[error("interrupted")]
    Interrupted,
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Set(error) => error.exit(),
            Self::Nothing
            | Self::Foreign { .. }
            | Self::NoArch { .. }
            | Self::OneArch(_)
            | Self::NoTarget
            | Self::Targets(_)
            | Self::NoBundle(_)
            | Self::NoMarks { .. }
            | Self::Layout { .. } => Exit::Usage,
            Self::Incomplete { .. } | Self::Size { .. } | Self::Damaged { .. } | Self::After { .. } => Exit::Mismatch,
            Self::Downgrade { .. } => Exit::No,
            Self::Connect { source, .. } if source.kind() == io::ErrorKind::NotFound => Exit::Usage,
            Self::Connect { .. } | Self::Disk { .. } => Exit::Disk,
            Self::Call { message, .. } if is_full(message) => Exit::Disk,
            Self::Start { source, .. } if source.kind() == io::ErrorKind::NotFound => Exit::Usage,
            Self::Call { .. } | Self::Start { .. } | Self::Program { .. } => Exit::Source,
            Self::Interrupted => Exit::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Set(error) => return error.hint(),
            Self::Foreign { carried, .. } => {
                let arch = carried.first()?;
                format!("fetch the bundle for this machine, or load this one all the same with `--arch {arch}`")
            }
            Self::OneArch(_) => "choose one with `--arch`".to_owned(),
            Self::Incomplete { .. } => "name the bundle that has it too: several are read as one".to_owned(),
            Self::Size { .. } | Self::Damaged { .. } => {
                "copy the bundle again; the images before this one are loaded and stay".to_owned()
            }
            Self::Downgrade { name, loaded, .. } => format!(
                "load it all the same with `--allow-downgrade`, or remove the newer one first: `bundler unload {name}@{loaded}`"
            ),
            Self::NoTarget => {
                "name one with `--into`: containerd, k3s-dir, docker, podman or oci-layout:DIR".to_owned()
            }
            Self::Targets(_) => "name the one that Kubernetes uses with `--into` or `--address`".to_owned(),
            Self::NoMarks { into: into @ ("docker" | "podman") } => format!("remove the images with `{into} image rm`"),
            Self::NoMarks { .. } => "write the images into a new directory".to_owned(),
            Self::Connect { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "run it as root".to_owned()
            }
            Self::Connect { .. } => "start containerd, or name its socket with `--address`".to_owned(),
            Self::After { .. } | Self::Interrupted => {
                "run the same command again: it sends only what is missing".to_owned()
            }
            Self::Layout { .. } => "name an empty directory or an OCI image layout".to_owned(),
            Self::Call { message, .. } if is_full(message) => {
                "make room where containerd keeps its data; the same command then sends what is missing".to_owned()
            }
            Self::Nothing
            | Self::NoArch { .. }
            | Self::NoBundle(_)
            | Self::Call { .. }
            | Self::Disk { .. }
            | Self::Start { .. }
            | Self::Program { .. } => return None,
        };
        Some(text)
    }
}

/// Whether containerd's disk is full, of which its API has no code.
fn is_full(message: &str) -> bool {
    message.contains("no space left on device")
}

fn list(archs: &[Arch]) -> String {
    archs.iter().map(|arch| arch.as_str()).collect::<Vec<_>>().join(" and ")
}
