//! Running one operation: failures of the process itself, the runtime and signals.

use crate::error::Diagnostic;
use crate::exit::Exit;

/// A failure of the process rather than of what it works on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Stdout is gone or full.
    #[error("cannot write to stdout")]
    Stdout(#[source] std::io::Error),
    /// A report that is no JSON: never for our types.
    #[error("cannot write JSON")]
    Json(#[source] serde_json::Error),
    /// `man` was asked for a subcommand that does not exist.
    #[error("there is no subcommand `{0}`")]
    NoCommand(String),
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Stdout(_) => Exit::Disk,
            Self::Json(_) => Exit::Bug,
            Self::NoCommand(_) => Exit::Usage,
        }
    }
}
