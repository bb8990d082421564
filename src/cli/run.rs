//! Running one operation: failures of the process itself, the runtime and signals.

use std::io::{BufRead as _, Read as _};
use std::path::PathBuf;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Global;
use crate::error::{Diagnostic, Error};
use crate::event::{Event, Reporter};
use crate::exit::Exit;

/// The longest line that is read from a terminal: more than any answer has.
const MAX_LINE: u64 = 4096;

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
    #[error("there is no subcommand `{name}`")]
    NoCommand {
        /// The name.
        name: String,
        /// The name that is closest to it, or all that there are.
        nearest: Option<String>,
    },
    /// A command line that cannot be read, as clap tells it.
    #[error("{message}")]
    CommandLine {
        /// What is wrong.
        message: String,
        /// A similar word, or the usage.
        help: Option<String>,
    },
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
    /// Such a file is too large or no text.
    #[error(transparent)]
    Text(#[from] crate::yaml::YamlError),
    /// Ctrl-C, SIGTERM, or the terminal's end.
    #[error("interrupted")]
    Interrupted,
    /// The same, of something that begins anew the next time.
    #[error("interrupted")]
    Stopped,
}

impl ProcessError {
    /// From what clap writes: `error:` and what is wrong, then paragraphs that help, the first one the most.
    pub(super) fn command_line(text: &str) -> Self {
        let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut paragraphs = text.split("\n\n").map(line);
        let message = paragraphs.next().unwrap_or_default();
        let help = paragraphs.next().filter(|help| !help.starts_with("For more information"));
        Self::CommandLine {
            message: message.strip_prefix("error: ").unwrap_or(&message).to_owned(),
            help: help.map(|help| help.strip_prefix("tip: ").unwrap_or(&help).to_owned()),
        }
    }
}

impl Diagnostic for ProcessError {
    fn exit(&self) -> Exit {
        match self {
            Self::Stdout(_) | Self::Runtime(_) => Exit::Disk,
            Self::Json(_) => Exit::Bug,
            Self::CommandLine { .. }
            | Self::NoCommand { .. }
            | Self::NoCacheDirectory
            | Self::Read { .. }
            | Self::Text(_) => Exit::Usage,
            Self::Interrupted | Self::Stopped => Exit::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::CommandLine { help: advice, .. } | Self::NoCommand { nearest: advice, .. } => advice.clone(),
            Self::NoCacheDirectory => Some("name a directory with `--cache-dir` or BUNDLER_CACHE_DIR".to_owned()),
            Self::Interrupted => Some("run the same command again: it goes on with what it has".to_owned()),
            _ => None,
        }
    }
}

/// Runs an operation on a runtime of its own; the first Ctrl-C, SIGTERM or SIGHUP cancels the token, so that the
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
        let mut hangup =
            if ignores_hangup() { None } else { Some(signal(SignalKind::hangup()).map_err(ProcessError::Runtime)?) };
        let _beyond_limit = beyond_limit()?;
        let canceller = token.clone();
        tokio::spawn(async move {
            for _ in 0..2 {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    () = async {
                        match &mut hangup {
                            Some(hangup) => drop(hangup.recv().await),
                            None => std::future::pending().await,
                        }
                    } => {}
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

/// A line that somebody types; none at the end of the input. The thread that waits for it is left behind by a Ctrl-C.
pub(super) async fn read_line() -> Option<String> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().take(MAX_LINE).read_line(&mut line);
        let _ = sender.send(read.ok().filter(|bytes| *bytes > 0).map(|_| line));
    });
    receiver.await.ok().flatten()
}

/// Runs an operation that only reads, or that leaves to the next run what it has written: Ctrl-C, SIGTERM or SIGHUP ends
/// the process, but first what is drawn on the terminal is taken away.
pub(super) fn interruptible<T>(
    global: &Global,
    operation: impl FnOnce(&dyn Reporter) -> Result<T, Error>,
) -> Result<T, Error> {
    let reporter = global.reporter();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(ProcessError::Runtime)?;
    let signals = {
        let _inside = runtime.enter();
        let _ = beyond_limit()?;
        let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
        let hangup = (!ignores_hangup()).then(SignalKind::hangup);
        kinds.into_iter().chain(hangup).map(signal).collect::<Result<Vec<_>, _>>().map_err(ProcessError::Runtime)?
    };
    for mut signal in signals {
        let (reporter, format) = (reporter.clone(), global.format);
        runtime.spawn(async move {
            if signal.recv().await.is_some() {
                reporter.report(Event::End);
                std::process::exit(i32::from(super::told(&ProcessError::Stopped.into(), format) as u8));
            }
        });
    }
    let outcome = operation(&*reporter);
    reporter.report(Event::End);
    outcome
}

/// By default a write beyond the limit of `ulimit -f` ends the process; with a handler, which stays when what is given
/// here is dropped, it fails and is told.
fn beyond_limit() -> Result<Signal, ProcessError> {
    signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).map_err(ProcessError::Runtime)
}

/// Whether `nohup` or a service manager asked for the terminal's end to be ignored, which a handler would undo.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_signals(&status) & 1 << (rustix::process::Signal::HUP.as_raw() - 1) != 0
}

/// The mask `SigIgn` of `/proc/PID/status` (proc_pid_status(5)), signal 1 in the lowest bit.
fn ignored_signals(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

/// The path that a variable of the environment names; an empty one is none, as in a shell's `X= command`.
pub(super) fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The directory of the store: `--cache-dir` or `BUNDLER_CACHE_DIR`, else `$XDG_CACHE_HOME/bundler`,
/// else `~/.cache/bundler` (XDG base directory specification).
pub(super) fn cache_dir(explicit: Option<PathBuf>) -> Result<PathBuf, ProcessError> {
    let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
    explicit
        .or_else(|| variable("BUNDLER_CACHE_DIR"))
        .or_else(|| absolute("XDG_CACHE_HOME").map(|cache| cache.join("bundler")))
        .or_else(|| absolute("HOME").map(|home| home.join(".cache/bundler")))
        .ok_or(ProcessError::NoCacheDirectory)
}
