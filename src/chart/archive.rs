//! Reads a chart's `.tgz` as a stream, without unpacking it: what the chart and its subcharts say
//! about themselves, and the API versions of their `crds/` directories.
//!
//! The archive is hostile until read: nothing is written, only small files that are asked for are held,
//! and every count and size is bounded. The bounds are Helm's own where it has one, so that a chart
//! which is refused here could not have been installed either.

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
/// The text of all `Chart.yaml` and CRD files that is held at a time, 64 MiB.
const MAX_HELD: u64 = 64 << 20;

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
    let file = std::fs::File::open(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
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
    held: u64,
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
            self.file(&mut entry, &inside, size, depth)?;
        }
        if !self.charts.contains_key(base) {
            return Err(Error::NoChart);
        }
        Ok(())
    }

    fn file(&mut self, file: &mut dyn Read, path: &str, size: u64, depth: usize) -> Result<(), Error> {
        match role(path) {
            Role::Chart(directory) => {
                let text = self.text(file, path, size)?;
                let chart = Metadata::parse(path, &text)?;
                if self.charts.insert(directory, chart).is_some() {
                    return Err(Error::Twice { member: shorten(path) });
                }
            }
            Role::Values => self.has_values = true,
            Role::Crds => {
                let text = self.text(file, path, size)?;
                self.crds.extend(crd::rendered(path, &text)?);
            }
            Role::Packed(directory) => self.tgz(file, &directory, depth + 1)?,
            Role::Other => {}
        }
        Ok(())
    }

    fn text(&mut self, file: &mut dyn Read, path: &str, size: u64) -> Result<String, Error> {
        self.held += size;
        if self.held > MAX_HELD {
            return Err(Error::TooLarge { what: "too much text in its CRDs".to_owned(), limit: MAX_HELD });
        }
        let mut bytes = Vec::new();
        file.take(MAX_FILE).read_to_end(&mut bytes).map_err(unreadable)?;
        String::from_utf8(bytes).map_err(|_| Error::NotText { member: shorten(path) })
    }
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

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tar::{Builder, Header};

    use super::*;

    const CHART: &str =
        "apiVersion: v2\nname: a\nversion: 1.0.0\nappVersion: v2\ndependencies:\n- {name: b, version: 1.x, alias: c}\n";
    const CRD: &str =
        "kind: CustomResourceDefinition\nspec: {group: g.io, names: {kind: K}, versions: [{name: v1, served: true}]}\n";

    /// Writes names as they are, which a tar library refuses to.
    fn header(name: &str, size: u64, kind: EntryType) -> Header {
        let mut header = Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(size);
        header.set_mode(0o644);
        header.set_entry_type(kind);
        header.set_cksum();
        header
    }

    fn tgz(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, text) in files {
            tar.append(&header(name, text.len() as u64, EntryType::Regular), *text).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    fn refused(files: &[(&str, &[u8])]) -> String {
        read(tgz(files).as_slice()).unwrap_err().to_string()
    }

    #[test]
    fn a_chart_with_subcharts_both_ways() {
        let packed = tgz(&[
            ("c/Chart.yaml", b"name: c\nversion: 3.0.0\n"),
            ("c/crds/k.yml", CRD.replace("K}", "C}").as_bytes()),
        ]);
        let two = format!("# text\n---\n{CRD}---\nkind: ConfigMap\n---\n{}", CRD.replace("K}", "L}"));
        let archive = read(
            tgz(&[
                ("a/Chart.yaml", CHART.as_bytes()),
                ("a/values.yaml", b""),
                ("a/crds/deep/k.yaml", two.as_bytes()),
                ("a/crds/README.md", b"kind: CustomResourceDefinition"),
                ("a/templates/crds/k.yaml", b"kind: CustomResourceDefinition {{ }}"),
                ("a/charts/b/Chart.yaml", b"name: b\nversion: 2.0.0\ndeprecated: true\n"),
                ("a/charts/b/charts/d/Chart.yaml", b"name: d\nversion: 4.0.0\n"),
                ("a/charts/b/charts/d/crds/k.json", br#"{"kind": "ConfigMap"}"#),
                ("a/charts/c-3.0.0.tgz", &packed),
                ("a/files/Chart.yaml", b"not one"),
            ])
            .as_slice(),
        )
        .unwrap();
        assert_eq!((archive.chart.name.as_str(), archive.chart.app_version.as_deref()), ("a", Some("v2")));
        assert_eq!(archive.chart.dependencies[0].alias.as_deref(), Some("c"));
        assert!(archive.has_values && archive.subcharts["charts/b"].deprecated);
        let paths: Vec<_> = archive.subcharts.keys().map(String::as_str).collect();
        assert_eq!(paths, ["charts/b", "charts/b/charts/d", "charts/c-3.0.0"]);
        let kinds: Vec<_> = archive.crds.iter().map(|crd| crd.kind.as_str()).collect();
        assert_eq!(kinds, ["C", "K", "L"]);
    }

    #[test]
    fn names_that_lead_out() {
        for name in ["../x", "a/../../x", "/etc/passwd", "a//x", "a/./x", "a\\..\\x", "C:/x"] {
            let message = refused(&[("a/Chart.yaml", CHART.as_bytes()), (name, b"x")]);
            assert!(message.contains("leads out of the chart"), "{name}: {message}");
        }
    }

    #[test]
    fn links_and_devices() {
        for (kind, what) in [
            (EntryType::Symlink, "symbolic link"),
            (EntryType::Link, "hard link"),
            (EntryType::Char, "device"),
            (EntryType::Fifo, "pipe"),
        ] {
            let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
            tar.append(&header("a/Chart.yaml", CHART.len() as u64, EntryType::Regular), CHART.as_bytes()).unwrap();
            tar.append(&header("a/values.yaml", 0, kind), io::empty()).unwrap();
            let bytes = tar.into_inner().unwrap().finish().unwrap();
            let message = read(bytes.as_slice()).unwrap_err().to_string();
            assert_eq!(message, format!("the chart archive has a member `values.yaml` that is a {what}"));
        }
    }

    #[test]
    fn two_of_one_name() {
        let chart = ("a/Chart.yaml", CHART.as_bytes());
        assert_eq!(refused(&[chart, chart]), "the chart archive has two members named `Chart.yaml`");
        assert_eq!(refused(&[chart, ("./a/Chart.yaml", b"x")]), "the chart archive has two members named `Chart.yaml`");
        assert_eq!(refused(&[chart, ("b/Chart.yaml", b"x")]), "the chart archive has two top directories, `a` and `b`");
        let packed = tgz(&[("b/Chart.yaml", b"name: b\nversion: 2.0.0\n")]);
        let twice =
            refused(&[chart, ("a/charts/b/Chart.yaml", b"name: b\nversion: 1.0.0\n"), ("a/charts/b.tgz", &packed)]);
        assert_eq!(twice, "the chart archive has two members named `charts/b/Chart.yaml`");
    }

    #[test]
    fn what_is_no_chart() {
        assert_eq!(refused(&[("a/values.yaml", b"")]), "the chart archive has no `Chart.yaml` in its top directory");
        assert_eq!(
            refused(&[("Chart.yaml", CHART.as_bytes())]),
            "the chart archive has no `Chart.yaml` in its top directory"
        );
        assert_eq!(refused(&[("a/Chart.yaml", &[0xff, 0xfe])]), "`Chart.yaml` in the chart archive is not UTF-8 text");
        assert!(refused(&[("a/Chart.yaml", b"name: a\n")]).starts_with("Chart.yaml:1:1: "));
        assert!(matches!(read(&b"<html>"[..]), Err(Error::Read(_))));
        let whole = tgz(&[("a/Chart.yaml", CHART.as_bytes())]);
        assert!(matches!(read(&whole[..whole.len() / 2]), Err(Error::Read(_))));
    }

    /// A gzip of one header that promises `size` bytes and then zeros.
    fn zeros(name: &str, size: u64, given: u64) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(header(name, size, EntryType::Regular).as_bytes()).unwrap();
        io::copy(&mut io::repeat(0).take(given), &mut gzip).unwrap();
        gzip.finish().unwrap()
    }

    #[test]
    fn gigabytes_of_zeros() {
        let error = read(zeros("a/big", 2 << 30, 1 << 20).as_slice()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the chart archive has a file `big` of 2147483648 bytes; at most 5242880 are read"
        );
        let many: Vec<_> = (0..30).map(|n| (format!("a/{n}"), vec![0; 4 << 20])).collect();
        let many: Vec<_> = many.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        assert_eq!(refused(&many), "the chart archive has too many bytes unpacked; at most 104857600 are read");
        // In the header of a long name, which is read into memory.
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(header("././@LongLink", 2 << 30, EntryType::GNULongName).as_bytes()).unwrap();
        io::copy(&mut io::repeat(b'a').take(MAX_UNPACKED + (1 << 20)), &mut gzip).unwrap();
        let error = read(gzip.finish().unwrap().as_slice()).unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
        // In an archive within the archive.
        let message = refused(&[("a/charts/c.tgz", &zeros("c/x", 6 << 20, 6 << 20))]);
        assert_eq!(message, "the chart archive has a file `charts/c/x` of 6291456 bytes; at most 5242880 are read");
    }

    #[test]
    fn more_members_than_any_chart() {
        let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for number in 0..=MAX_MEMBERS {
            tar.append(&header(&format!("a/{number}"), 0, EntryType::Regular), io::empty()).unwrap();
        }
        let bytes = tar.into_inner().unwrap().finish().unwrap();
        assert!(matches!(read(bytes.as_slice()), Err(Error::TooLarge { limit, .. }) if limit == MAX_MEMBERS as u64));
    }

    #[test]
    fn archives_within_archives_end() {
        let mut bytes = tgz(&[("z/Chart.yaml", b"name: z\nversion: 1.0.0\n")]);
        for _ in 0..=MAX_NESTING {
            bytes = tgz(&[("y/Chart.yaml", b"name: y\nversion: 1.0.0\n"), ("y/charts/z.tgz", &bytes)]);
        }
        assert!(matches!(read(bytes.as_slice()), Err(Error::TooLarge { .. })));
    }
}
