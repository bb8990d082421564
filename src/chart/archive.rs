//! Reads a chart's `.tgz` as a stream, without unpacking it: what the chart and its subcharts say
//! about themselves, and the API versions of their `crds/` directories.
//!
//! The archive is hostile until read: nothing is written, only small files that are asked for are held,
//! and every count and size is bounded. The bounds are Helm's own where it has one, so that a chart
//! which is refused here could not have been installed either.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tar::EntryType;

use super::crd::{self, Crd};
use super::metadata::Metadata;
use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::yaml::YamlError;

/// The unpacked size of a chart with all its subcharts, 100 MiB: Helm's own limit.
pub const MAX_UNPACKED: u64 = 100 << 20;
/// One file of a chart, 5 MiB: Helm's own limit.
pub const MAX_FILE: u64 = 5 << 20;
/// Members of a chart and its subcharts together; the largest known chart has about 1500.
pub const MAX_MEMBERS: usize = 20_000;
/// How deep `.tgz` files may lie within `.tgz` files; Helm writes one level, people write two.
const MAX_NESTING: usize = 4;

/// What a chart archive holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// The chart's own `Chart.yaml`.
    pub chart: Metadata,
    /// Whether it has a `values.yaml`.
    pub has_values: bool,
    /// Subcharts by the path of their directory, such as `charts/grafana`, sorted.
    pub subcharts: BTreeMap<String, Metadata>,
    /// The definitions in `crds/` of the chart and of every subchart, switched on or not, sorted.
    pub crds: Vec<Crd>,
}

/// Why an archive is no chart, or none that is safe to read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened.
    #[error("cannot open the chart archive `{}`", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The bytes are no gzip or no tar, or end too early.
    #[error("the chart archive cannot be read")]
    Read(#[source] io::Error),
    /// A name that leads out of the chart's directory, or that no chart has.
    #[error("the chart archive has a member named `{member}`, which leads out of the chart")]
    Name {
        /// The member, shortened.
        member: String,
    },
    /// A link or a device, which a packaged chart never has.
    #[error("the chart archive has a member `{member}` that is a {what}")]
    Kind {
        /// The member.
        member: String,
        /// What it is instead of a file or a directory.
        what: &'static str,
    },
    /// Two members of one name, of which programs would pick different ones.
    #[error("the chart archive has two members named `{member}`")]
    Twice {
        /// The member.
        member: String,
    },
    /// Something is larger than any chart that Helm would install.
    #[error("the chart archive has {what}; at most {limit} are read")]
    TooLarge {
        /// What is too large or too many.
        what: String,
        /// The bound.
        limit: u64,
    },
    /// No `Chart.yaml` in a single top directory.
    #[error("the chart archive has no `Chart.yaml` in its top directory")]
    NoChart,
    /// More than one top directory.
    #[error("the chart archive has two top directories, `{first}` and `{second}`")]
    TwoRoots {
        /// The one that came first.
        first: String,
        /// The other one.
        second: String,
    },
    /// A `Chart.yaml` or a CRD file that says something wrong.
    #[error(transparent)]
    File(#[from] YamlError),
    /// A `Chart.yaml` or a CRD file that is not UTF-8.
    #[error("`{member}` in the chart archive is not UTF-8 text")]
    NotText {
        /// The member.
        member: String,
    },
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        if matches!(self, Self::Open { .. }) { Exit::Usage } else { Exit::Source }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint.clone(),
            Self::Read(_) | Self::NoChart | Self::TwoRoots { .. } => {
                Some("a chart archive is what `helm package` writes: one directory with a `Chart.yaml`".to_owned())
            }
            Self::Name { .. } | Self::Kind { .. } | Self::Twice { .. } | Self::TooLarge { .. } => {
                Some("no packaged chart looks like this; ask upstream, or check where the file came from".to_owned())
            }
            Self::NotText { .. } | Self::Open { .. } => None,
        }
    }
}

/// Reads the chart archive in a file.
pub fn open(path: &Path) -> Result<Archive, Error> {
    let failed = |source| Error::Open { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    read(io::BufReader::new(file))
}

/// Reads a chart archive to its end; memory stays bounded whatever it holds.
pub fn read(archive: impl Read) -> Result<Archive, Error> {
    let mut scan = Scan::default();
    scan.tgz(&mut archive.take(MAX_UNPACKED), "", 0)?;
    let chart = scan.charts.remove("").ok_or(Error::NoChart)?;
    scan.crds.sort();
    scan.crds.dedup();
    Ok(Archive { chart, has_values: scan.has_values, subcharts: scan.charts, crds: scan.crds })
}

#[derive(Default)]
struct Scan {
    charts: BTreeMap<String, Metadata>,
    has_values: bool,
    crds: Vec<Crd>,
    members: usize,
    unpacked: u64,
}

/// What a file of a chart is to us.
enum Role {
    Chart(String),
    Values,
    Crds,
    Packed(String),
    Other,
}

impl Scan {
    /// Reads one `.tgz` whose chart lies at `base` (empty for the outermost).
    fn tgz(&mut self, archive: &mut dyn Read, base: &str, depth: usize) -> Result<(), Error> {
        if depth > MAX_NESTING {
            return Err(Error::TooLarge {
                what: format!("archives within archives at `{base}`"),
                limit: MAX_NESTING as u64,
            });
        }
        let budget = MAX_UNPACKED.saturating_sub(self.unpacked);
        let mut tar = tar::Archive::new(Capped { inner: MultiGzDecoder::new(archive), left: budget });
        let mut seen = std::collections::HashSet::new();
        let mut root: Option<String> = None;
        for entry in tar.entries().map_err(unreadable)? {
            let mut entry = entry.map_err(unreadable)?;
            self.members += 1;
            if self.members > MAX_MEMBERS {
                return Err(Error::TooLarge { what: "too many members".to_owned(), limit: MAX_MEMBERS as u64 });
            }
            let raw = entry.path_bytes().into_owned();
            let Some((top, path)) = safe_name(&raw) else {
                return Err(Error::Name { member: shorten(&String::from_utf8_lossy(&raw)) });
            };
            match entry.header().entry_type() {
                EntryType::Regular | EntryType::Continuous => {}
                EntryType::Directory | EntryType::XGlobalHeader => continue,
                other => return Err(Error::Kind { member: shorten(&path), what: describe(other) }),
            }
            match &root {
                None => root = Some(top),
                Some(first) if *first != top => {
                    return Err(Error::TwoRoots { first: shorten(first), second: shorten(&top) });
                }
                Some(_) => {}
            }
            let size = entry.size();
            self.unpacked = self.unpacked.saturating_add(size);
            let inside = join(base, &path);
            if size > MAX_FILE && !matches!(role(&inside), Role::Packed(_)) {
                return Err(Error::TooLarge {
                    what: format!("a file `{}` of {size} bytes", shorten(&inside)),
                    limit: MAX_FILE,
                });
            }
            if self.unpacked > MAX_UNPACKED {
                return Err(Error::TooLarge { what: "too many bytes unpacked".to_owned(), limit: MAX_UNPACKED });
            }
            if !seen.insert(path.clone()) {
                return Err(Error::Twice { member: shorten(&inside) });
            }
            self.file(&mut entry, &inside, depth)?;
        }
        if !self.charts.contains_key(base) {
            return Err(Error::NoChart);
        }
        Ok(())
    }

    fn file(&mut self, file: &mut dyn Read, path: &str, depth: usize) -> Result<(), Error> {
        match role(path) {
            Role::Chart(directory) => {
                let text = text(file, path)?;
                let chart = Metadata::parse(path, &text)?;
                if self.charts.insert(directory, chart).is_some() {
                    return Err(Error::Twice { member: shorten(path) });
                }
            }
            Role::Values => self.has_values = true,
            Role::Crds => {
                let text = text(file, path)?;
                self.crds.extend(crd::rendered(path, &text)?);
            }
            Role::Packed(directory) => self.tgz(file, &directory, depth + 1)?,
            Role::Other => {}
        }
        Ok(())
    }
}

fn text(file: &mut dyn Read, path: &str) -> Result<String, Error> {
    let mut bytes = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|_| Error::NotText { member: shorten(path) })
}

/// Tells what `path`, relative to the outermost chart, is: a role counts only right below a chart.
fn role(path: &str) -> Role {
    let mut rest = path;
    let mut directory = String::new();
    while let Some(below) = rest.strip_prefix("charts/") {
        match below.split_once('/') {
            Some((name, inner)) => {
                directory = join(&join(&directory, "charts"), name);
                rest = inner;
            }
            // Helm passes over what begins with `_` or `.` here.
            None if below.starts_with(['_', '.']) => return Role::Other,
            None => {
                return match below.strip_suffix(".tgz") {
                    Some(name) => Role::Packed(join(&join(&directory, "charts"), name)),
                    None => Role::Other,
                };
            }
        }
    }
    match rest {
        "Chart.yaml" => Role::Chart(directory),
        "values.yaml" if directory.is_empty() => Role::Values,
        _ if rest.starts_with("crds/") && [".yaml", ".yml", ".json"].iter().any(|end| rest.ends_with(end)) => {
            Role::Crds
        }
        _ => Role::Other,
    }
}

/// Splits a member's name into its top directory and the path below it; none for names that are unsafe.
fn safe_name(raw: &[u8]) -> Option<(String, String)> {
    let name = std::str::from_utf8(raw).ok()?;
    let name = name.strip_prefix("./").unwrap_or(name).trim_end_matches('/');
    let unsafe_part = |part: &str| part.is_empty() || part == "." || part == "..";
    if name.contains(['\\', '\0']) || name.len() > 1024 || name.split('/').any(unsafe_part) {
        return None;
    }
    let (top, path) = name.split_once('/').unwrap_or((name, ""));
    // A drive letter is a path of its own on some systems.
    (!top.contains(':')).then(|| (top.to_owned(), path.to_owned()))
}

fn join(base: &str, path: &str) -> String {
    if base.is_empty() { path.to_owned() } else { format!("{base}/{path}") }
}

const fn describe(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Symlink => "symbolic link",
        EntryType::Link => "hard link",
        EntryType::Char | EntryType::Block => "device",
        EntryType::Fifo => "pipe",
        EntryType::GNUSparse => "sparse file",
        _ => "thing other than a file or a directory",
    }
}

fn shorten(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// Tells the cap's own error from a broken archive.
fn unreadable(error: io::Error) -> Error {
    let capped = error.get_ref().is_some_and(|inner| inner.is::<TooMuch>())
        || std::error::Error::source(&error).is_some_and(|inner| inner.to_string() == TooMuch.to_string());
    if capped {
        Error::TooLarge { what: "too many bytes unpacked".to_owned(), limit: MAX_UNPACKED }
    } else {
        Error::Read(error)
    }
}

/// What a decompressor may still give; past it an error, so that zeros between members count too.
struct Capped<R> {
    inner: R,
    left: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("the archive unpacks to more than any chart has")]
struct TooMuch;

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| io::Error::other(TooMuch))?;
        Ok(count)
    }
}
