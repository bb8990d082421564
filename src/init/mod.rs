//! Starter catalogs from what somebody has: lists of images, charts, Hauler's and helmfile's lists, a cluster's pods.
//!
//! No network: what a tag is a version of is guessed, and what cannot be guessed is told and left out.

mod charts;
pub mod component;
mod hauler;
mod helmfile;
mod list;
mod pods;
mod starter;
mod write;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

pub use starter::{SCHEMA_LINE, Settings, Starter, bare};
pub use write::{check_free, write};

use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::Reference;
use crate::yaml::{self, Problems, YamlError};

/// The most images, charts and files together; the largest known list, Rancher's, has less than a thousand.
const MAX_THINGS: usize = 20_000;
/// The largest JSON that is read, 128 MiB: ten thousand pods with all that a cluster says about them.
const MAX_JSON: u64 = 128 << 20;

/// What somebody has, by where they have it.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// Lists of images, one reference a line.
    pub images: Vec<PathBuf>,
    /// Directories of charts.
    pub charts: Vec<PathBuf>,
    /// Manifests of Hauler.
    pub hauler: Vec<PathBuf>,
    /// `kubectl get pods -A -o json`.
    pub pods: Vec<PathBuf>,
    /// `helmfile list --output json`.
    pub helmfile: Vec<PathBuf>,
}

/// What was found in the inputs.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// Images, as they are named.
    pub images: Vec<Reference>,
    /// Charts.
    pub charts: Vec<Chart>,
    /// URLs or paths of files.
    pub files: Vec<String>,
    /// What the reader has to know, one sentence each.
    pub notes: Vec<String>,
}

/// A chart that somebody uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chart {
    /// Its name.
    pub name: String,
    /// The URL of its repository, if that is known.
    pub repository: Option<String>,
    /// The local name of its repository.
    pub alias: Option<String>,
    /// Its version, or a range.
    pub version: Option<String>,
    /// The release that it is installed as.
    pub release: Option<String>,
    /// The namespace of that release.
    pub namespace: Option<String>,
}

impl Inputs {
    /// Whether there is none: then an empty catalog is begun.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.images.is_empty()
            && self.charts.is_empty()
            && self.hauler.is_empty()
            && self.pods.is_empty()
            && self.helmfile.is_empty()
    }
}

impl Inventory {
    /// Adds an image of a machine's making; what is no reference is noted.
    fn image(&mut self, text: &str) {
        match text.parse() {
            Ok(reference) => self.images.push(reference),
            Err(error) => self.notes.push(format!("{error}: it is left out")),
        }
    }
}

/// Why there is no starter catalog. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is a catalog, or something in its place.
    #[error("`{}` exists already", path.display())]
    Exists {
        /// The place.
        path: PathBuf,
    },
    /// An input cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The input.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Lines of a list that are no references.
    #[error(transparent)]
    List(#[from] Problems),
    /// An input that is no text, or not in its format.
    #[error(transparent)]
    Text(#[from] YamlError),
    /// An input that is not the JSON that it should be.
    #[error("`{}` is not what `{command}` prints", path.display())]
    Json {
        /// The input.
        path: PathBuf,
        /// Whose output it should be.
        command: &'static str,
        /// Where and what.
        source: serde_json::Error,
    },
    /// A file that is larger than any of its kind.
    #[error("`{}` is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The bound.
        limit: u64,
    },
    /// More than any site has.
    #[error("more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// A chart's archive that is none.
    #[error("`{}` is no chart", path.display())]
    Chart {
        /// The archive.
        path: PathBuf,
        /// Why.
        source: crate::chart::archive::Error,
    },
    /// Nothing in the inputs can be carried.
    #[error("nothing was found that a catalog can name")]
    Nothing {
        /// Whether notes tell what each thing lacks.
        noted: bool,
    },
    /// The catalog cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The place.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What was to be written is no catalog.
    #[error("the starter catalog breaks the catalog's own rules")]
    Unsound(#[source] crate::catalog::Error),
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Write { .. } => Exit::Disk,
            Self::Unsound(_) => Exit::Bug,
            _ => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Exists { .. } => {
                Some("nothing is ever overwritten: move it away, or start in another directory".to_owned())
            }
            Self::List(problems) => problems.hint(),
            Self::Text(error) => error.hint.clone(),
            Self::Nothing { noted: true } => Some("the warnings above say what each thing lacks".to_owned()),
            Self::Nothing { noted: false } => {
                Some("the inputs name nothing; `bundler init --help` says what each of them should be".to_owned())
            }
            _ => None,
        }
    }
}

/// Reads all inputs; several are one inventory.
///
/// # Errors
/// An input that cannot be read or is not in its format.
pub fn read(inputs: &Inputs) -> Result<Inventory, Error> {
    let mut found = Inventory::default();
    for path in &inputs.images {
        let (name, bytes) = load(path)?;
        list::read(&name, yaml::text(&name, &bytes)?, &mut found)?;
    }
    for path in &inputs.charts {
        charts::read(path, &mut found)?;
    }
    for path in &inputs.hauler {
        let (name, bytes) = load(path)?;
        hauler::read(&name, yaml::text(&name, &bytes)?, &mut found)?;
    }
    let json = [
        (&inputs.pods, "kubectl get pods -A -o json", pods::read as fn(&[u8], &mut Inventory) -> _),
        (&inputs.helmfile, "helmfile list --output json", helmfile::read),
    ];
    for (paths, command, read) in json {
        for path in paths {
            let bytes = read_bounded(path, MAX_JSON)?;
            read(&bytes, &mut found).map_err(|source| Error::Json { path: path.clone(), command, source })?;
        }
    }
    if found.images.len() + found.charts.len() + found.files.len() > MAX_THINGS {
        return Err(Error::TooMany { what: "images, charts and files", limit: MAX_THINGS });
    }
    Ok(found)
}

fn load(path: &Path) -> Result<(String, Vec<u8>), Error> {
    let bytes = yaml::read_any(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Ok((path.display().to_string(), bytes))
}

/// Reads a file, which may be a pipe, up to `limit`.
fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(failed)?.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

/// Repositories of charts by local name or by chart, and the one of all others under the empty name.
pub type Repositories = BTreeMap<String, String>;
