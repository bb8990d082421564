//! Why bundles cannot be pushed.

use std::io;
use std::path::PathBuf;

use crate::bundle::{read, set};
use crate::chart::artifact;
use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::{Digest, ReferenceError};
use crate::source;

/// A failure of pushing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bundles cannot be read as one, or have not what was asked for.
    #[error(transparent)]
    Set(#[from] set::Error),
    /// The registry or the way to it.
    #[error("cannot push `{what}`")]
    Source {
        /// The image's reference or the chart's path.
        what: String,
        /// Why.
        source: Box<source::Error>,
    },
    /// The client cannot be set up.
    #[error(transparent)]
    Client(source::Error),
    /// The bundle's bytes cannot be had.
    #[error("cannot push `{what}`")]
    Read {
        /// The image's reference or the chart's path.
        what: String,
        /// Why.
        source: read::Error,
    },
    /// The bundle's bytes are other ones than it says.
    #[error("cannot push `{what}`: `{member}` of `{path}` is damaged: its sha256 is {found}")]
    Damaged {
        /// The image's reference or the chart's path.
        what: String,
        /// The bundle.
        path: PathBuf,
        /// The member.
        member: String,
        /// The digest of its bytes.
        found: Digest,
    },
    /// No bundle holds a part of an image, and the registry has it not either.
    #[error("cannot push `{what}`: no bundle has {digest}")]
    Absent {
        /// The image's reference.
        what: String,
        /// What is missing.
        digest: Digest,
    },
    /// A chart's archive makes no artifact.
    #[error("cannot push `{path}`")]
    Chart {
        /// The chart's path.
        path: String,
        /// Why.
        source: artifact::Error,
    },
    /// No registry with a path.
    #[error("`{text}` is no registry to push to: {reason}")]
    Target {
        /// What was written, without what may be a secret.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A name that cannot be at the registry.
    #[error("`{what}` can have no name at the registry")]
    Name {
        /// The image's reference or the chart's path.
        what: String,
        /// Why.
        source: ReferenceError,
    },
    /// Two different things would have one name.
    #[error("`{}` and `{}` would both be `{at}`", .what[0], .what[1])]
    Twice {
        /// The name at the registry.
        at: String,
        /// The two images or charts.
        what: [String; 2],
    },
    /// A file for the nodes cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Ctrl-C, SIGTERM, or the terminal's end.
    #[error("interrupted")]
    Interrupted,
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Set(error) => error.exit(),
            Self::Source { source, .. } => source.exit(),
            Self::Client(source) => source.exit(),
            Self::Read { source, .. } => source.exit(),
            Self::Damaged { .. } => Exit::Mismatch,
            Self::Chart { source, .. } => source.exit(),
            Self::Absent { .. } | Self::Target { .. } | Self::Name { .. } | Self::Twice { .. } => Exit::Usage,
            Self::Write { .. } => Exit::Disk,
            Self::Interrupted => Exit::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Set(error) => error.hint(),
            Self::Source { source, .. } => match &**source {
                // With what is said of a certificate a client and a registry do speak TLS.
                source::Error::Connection { url, .. } if url.starts_with("https:") && !source.is_certificate() => {
                    Some("a registry without TLS is written with its scheme, as in `http://127.0.0.1:5000`".to_owned())
                }
                // Who may read may not write yet, and some registries make no project for whoever pushes.
                source::Error::Credentials { registry, looked, .. } => Some(format!(
                    "looked in {looked}; log in with `docker login {registry}` as somebody who may push there, and make the project first where the registry wants one"
                )),
                source::Error::Offline { .. } => {
                    Some("a registry is reached over the network only: leave `--offline` out".to_owned())
                }
                source => source.hint(),
            },
            Self::Client(source) => source.hint(),
            Self::Read { source, .. } => source.hint(),
            Self::Damaged { .. } => Some("`bundler verify` lists all that is wrong; copy the bundle again".to_owned()),
            Self::Absent { .. } => Some("a delta is pushed together with its base".to_owned()),
            Self::Target { .. } => {
                Some("write it as `HOST[:PORT][/PREFIX]`, or with `http://` for plain http".to_owned())
            }
            Self::Twice { .. } => Some("`--keep-registry` keeps the original registry in the names".to_owned()),
            Self::Interrupted => Some("run the same command again: it sends only what is missing".to_owned()),
            Self::Chart { .. } | Self::Name { .. } | Self::Write { .. } => None,
        }
    }
}
