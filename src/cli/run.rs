//! Running one operation: failures of the process itself, the runtime and signals.

use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::error::{Diagnostic, Error};
use crate::exit::Exit;

/// A failure of the process rather than of what it works on.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// Stdout is gone or full.
    #[error("cannot write to stdout")]
    Stdout(#[source] std::io::Error),
    /// A report that is no JSON: never for our types.
    #[error("cannot write JSON")]
    Json(#[source] serde_json::Error),
    /// `man` was asked for a subcommand that does not exist.
    #[error("there is no subcommand `{0}`")]
    NoCommand(String),
    /// No threads or no event queue for the runtime.
    #[error("cannot start the runtime")]
    Runtime(#[source] std::io::Error),
    /// No directory for the cache can be told.
    #[error("neither XDG_CACHE_HOME nor HOME is set")]
    NoCacheDirectory,
    /// A file that the command line names cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Ctrl-C or SIGTERM.
    #[error("interrupted")]
    Interrupted,
}

impl Diagnostic for ProcessError {
    fn exit(&self) -> Exit {
        match self {
            Self::Stdout(_) | Self::Runtime(_) => Exit::Disk,
            Self::Json(_) => Exit::Bug,
            Self::NoCommand(_) | Self::NoCacheDirectory | Self::Read { .. } => Exit::Usage,
            Self::Interrupted => Exit::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoCacheDirectory => Some("name a directory with `--cache-dir` or BUNDLER_CACHE_DIR".to_owned()),
            Self::Interrupted => Some("run the same command again: it goes on with what it has".to_owned()),
            _ => None,
        }
    }
}

/// Runs an operation on a runtime of its own; the first Ctrl-C or SIGTERM cancels the token, so that the
/// operation can leave everything good, and a second one ends the process at once.
pub(super) fn block_on<T, F>(operation: F) -> Result<T, Error>
where
    F: AsyncFnOnce(CancellationToken) -> Result<T, Error>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ProcessError::Runtime)?;
    runtime.block_on(async {
        let token = CancellationToken::new();
        let mut interrupt = signal(SignalKind::interrupt()).map_err(ProcessError::Runtime)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(ProcessError::Runtime)?;
        // By default a write beyond the limit of `ulimit -f` ends the process; with a handler it fails, and is told.
        let beyond_limit = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
        let _beyond_limit = signal(beyond_limit).map_err(ProcessError::Runtime)?;
        let canceller = token.clone();
        tokio::spawn(async move {
            for _ in 0..2 {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if canceller.is_cancelled() {
                    std::process::exit(i32::from(Exit::Interrupted as u8));
                }
                canceller.cancel();
            }
        });
        operation(token.clone()).await
    })
}

/// The directory of the store: `--cache-dir` or `BUNDLER_CACHE_DIR`, else `$XDG_CACHE_HOME/bundler`,
/// else `~/.cache/bundler` (XDG base directory specification).
pub(super) fn cache_dir(explicit: Option<PathBuf>) -> Result<PathBuf, ProcessError> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    explicit
        .or_else(|| absolute("XDG_CACHE_HOME").map(|cache| cache.join("bundler")))
        .or_else(|| absolute("HOME").map(|home| home.join(".cache/bundler")))
        .ok_or(ProcessError::NoCacheDirectory)
}
