//! Resolving: from the catalog to a lock.
//!
//! [`choice`] is the pure choice of a version. [`run`] drives it: it chooses all versions, fetches the charts, renders
//! them together (what one defines can switch on what another renders), and locks files and images. Each component
//! succeeds or fails by itself; one that fails keeps its entry of the old lock.

mod assemble;
mod attached;
mod charts;
pub mod choice;
mod download;
mod driver;
mod failure;
mod files;
mod images;
mod platform;
mod program;
mod render;
mod report;
mod rules;
mod signatures;
mod sources;
mod upstreams;
mod versions;
mod wanted;
mod why;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use tokio_util::sync::CancellationToken;

use crate::catalog::Catalog;
use crate::catalog::model::Warning;
use crate::error::Diagnostic;
use crate::event::Reporter;
use crate::exit::Exit;
use crate::lock::Lock;
use crate::source::{Http, github};

pub use failure::Failure;
pub use report::{Change, diff};
pub use signatures::SignatureCheck;
pub use why::{Carried, Why};

/// How many components are resolved at once: enough to keep a slow source from holding up the others.
pub const DEFAULT_JOBS: usize = 8;

/// What to resolve, and with what.
pub struct Options {
    /// What is wanted.
    pub catalog: Catalog,
    /// The lock of before, if there is one.
    pub lock: Option<Lock>,
    /// Only these components; all when empty.
    pub components: Vec<String>,
    /// Choose as if it were the end of this day, UTC.
    pub as_of: Option<Date>,
    /// The time of this run.
    pub now: Timestamp,
    /// How many things are done at once.
    pub jobs: usize,
    /// The Helm program, if one was named.
    pub helm: Option<PathBuf>,
    /// The text of `PATH`, where Helm is looked for else.
    pub search_path: Option<OsString>,
    /// What to do about the signers that components name.
    pub signatures: SignatureCheck,
    /// The program's cache.
    pub cache_dir: PathBuf,
    /// Whether the cache has to do. `http` was built with the same answer.
    pub offline: bool,
    /// The HTTP client.
    pub http: Http,
}

/// What came out.
#[derive(Debug)]
pub struct Resolved {
    /// The new lock.
    pub lock: Lock,
    /// Which components have another version than before, by name.
    pub changes: Vec<Change>,
    /// The components that failed, by name. Each keeps its old entry, or is listed as unresolved.
    pub failures: BTreeMap<String, Failure>,
    /// What has to be said, sorted by component.
    pub warnings: Vec<Notice>,
    /// How many requests were sent that GitHub may count.
    pub counted: u64,
}

/// Something that the maintainer should know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// The component; none for what is about the catalog as a whole.
    pub component: Option<String>,
    /// Which kind it is: what `accepted` in the component, or in the catalog, would name.
    pub what: Warning,
    /// In one line.
    pub text: String,
    /// Why it is accepted, if it is.
    pub accepted: Option<String>,
    /// Whether `--check` fails over it.
    pub fails_check: bool,
}

impl Resolved {
    /// The exit code of a run that writes the lock: done, or that of the failures.
    ///
    /// A code that all failures share and that says more than "a source failed" is kept.
    #[must_use]
    pub fn exit(&self) -> Exit {
        exit(&self.failures)
    }

    /// The exit code of `--check`: whether the lock is still what resolving gives, and nothing is past its date.
    #[must_use]
    pub fn check(&self, lock_is_current: bool) -> Exit {
        match self.exit() {
            Exit::Done if !lock_is_current || self.warnings.iter().any(|warning| warning.fails_check) => Exit::No,
            exit => exit,
        }
    }
}

fn exit(failures: &BTreeMap<String, Failure>) -> Exit {
    let mut exits = failures.values().map(Diagnostic::exit);
    let Some(first) = exits.next() else { return Exit::Done };
    let telling = matches!(first, Exit::No | Exit::Mismatch | Exit::Credentials | Exit::Offline | Exit::Disk);
    if telling && exits.all(|exit| exit == first) { first } else { Exit::Source }
}

/// Why nothing was resolved at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name on the command line that the catalog does not have.
    #[error("the catalog has no component `{name}`")]
    NoComponent {
        /// The name.
        name: String,
        /// The name that is closest to it, or all that there are.
        nearest: Option<String>,
    },
    /// GitHub's client cannot be built.
    #[error(transparent)]
    GitHub(Box<github::Error>),
    /// Charts have to be rendered and there is no usable Helm.
    #[error("cannot render the charts")]
    Helm(#[source] Box<Failure>),
    /// Signatures have to be checked and there is no program for it.
    #[error("signatures are required, and there is no `cosign` program")]
    NoCosign,
    /// The catalog's platform has no usable version.
    #[error("`platform.kubernetes` of the catalog cannot be used: {0}")]
    Platform(String),
    /// Ctrl-C or SIGTERM.
    #[error("interrupted")]
    Interrupted,
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::NoComponent { .. } | Self::Platform(_) | Self::NoCosign => Exit::Usage,
            Self::GitHub(error) => error.exit(),
            Self::Helm(error) => error.exit(),
            Self::Interrupted => Exit::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoComponent { nearest, .. } => nearest.clone(),
            Self::GitHub(error) => error.hint(),
            Self::Helm(error) => error.hint(),
            Self::Platform(_) => None,
            Self::NoCosign => Some("install cosign, or leave `--require-signatures` out".to_owned()),
            Self::Interrupted => Some("run the same command again: it goes on with what it has".to_owned()),
        }
    }
}

/// Resolves the catalog, or some of its components.
///
/// # Errors
/// What keeps every component from being resolved; a single component's failure is in the result.
pub async fn run(options: Options, reporter: &dyn Reporter, cancel: CancellationToken) -> Result<Resolved, Error> {
    for warning in crate::catalog::warnings(&options.catalog) {
        reporter.report(crate::event::Event::Warning(&warning));
    }
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Error::Interrupted),
        resolved = driver::run(options, reporter) => resolved,
    }
}

/// Tells of the images of the catalog, or of some of its components, where each was found and what the lock has of it.
///
/// Nothing is chosen: the charts are those of the lock, from the cache where they are there.
///
/// # Errors
/// What keeps every component from being looked at; a single component's failure is in the result.
pub async fn why(options: Options, reporter: &dyn Reporter, cancel: CancellationToken) -> Result<Why, Error> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Error::Interrupted),
        why = why::run(options, reporter) => why,
    }
}
