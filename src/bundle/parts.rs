//! An archive in parts: `X.tar.gz.part-001` and so on, each with its line in `X.tar.gz.sha256`.
//!
//! Put one after the other they are the archive, byte for byte.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::volume::Volume;
use super::{gzip, model, sums};
use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::Digest;

#[cfg(test)]
mod tests;

/// The smallest part, 1 MB: smaller ones serve nobody, and a slip such as `2000` for `2000MB` makes a million files.
pub const MIN_SIZE: u64 = 1_000_000;
/// The most parts, 999: so many have a number of three digits, which a shell sorts.
pub const MAX_PARTS: u64 = 999;
/// The largest `FILE.sha256` that is read, 512 KiB: 999 lines with the longest names have less.
pub(crate) const MAX_CHECKSUM_FILE: u64 = 512 << 10;
/// What follows an archive's name in the name of a part.
const INFIX: &str = ".part-";

/// Why parts make no archive.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// One is not there.
    #[error("`{}` is missing", .0.display())]
    Missing(PathBuf),
    /// One is there twice.
    #[error("the same part twice: `{}` and `{}`", .0[0].display(), .0[1].display())]
    Repeated([PathBuf; 2]),
    /// One is there that the checksum file does not list.
    #[error("`{}` is not listed in `{}`", .part.display(), .checksums.display())]
    Unlisted {
        /// The part.
        part: PathBuf,
        /// `FILE.sha256`.
        checksums: PathBuf,
    },
    /// One has fewer bytes than another that is not the last.
    #[error("`{}` is cut: it has {found} bytes, a part before the last has {expected}", .part.display())]
    Cut {
        /// The part.
        part: PathBuf,
        /// The size of a whole part.
        expected: u64,
        /// Its size.
        found: u64,
    },
    /// The last one ends before the archive.
    #[error("the archive does not end with `{}`, its last part: it is cut, or `{}` is missing", .part.display(), .next.display())]
    Short {
        /// The last part that is there.
        part: PathBuf,
        /// The one that would follow.
        next: PathBuf,
    },
    /// The bytes of one are not those that belong there.
    #[error("`{}` does not go on where the part before it ends: it is a renamed, swapped or repeated part, or one of the two is damaged", .0.display())]
    Misplaced(PathBuf),
    /// The first one is not the beginning of an archive.
    #[error("`{}` is not the first part of an archive: it is a renamed or swapped part, or damaged", .0.display())]
    NotFirst(PathBuf),
    /// The parts of several archives in one directory.
    #[error("`{}` holds the parts of several archives: {}", .directory.display(), .names.join(", "))]
    Several {
        /// The directory.
        directory: PathBuf,
        /// The archives' names.
        names: Vec<String>,
    },
    /// A command takes one bundle, and was given several.
    #[error("these are not the parts of one archive: `{}` and `{}`", .0[0].display(), .0[1].display())]
    NotOne([PathBuf; 2]),
    /// Parts that are too small.
    #[error(
        "parts of {size} bytes would be {parts}; at least {MIN_SIZE} bytes a part and at most {MAX_PARTS} parts are written"
    )]
    Size {
        /// The size that was asked for.
        size: u64,
        /// How many parts it gives.
        parts: u64,
    },
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Cut { .. } | Self::Short { .. } | Self::Misplaced(_) | Self::NotFirst(_) => Exit::Mismatch,
            _ => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing(_) | Self::Cut { .. } | Self::Short { .. } => {
                Some("copy it again; parts may be in several directories when all of them are named".to_owned())
            }
            Self::Misplaced(_) | Self::NotFirst(_) => {
                Some("`bundler verify` says which part it is, where `.tar.gz.sha256` lies beside the parts".to_owned())
            }
            Self::Repeated(_) | Self::NotOne(_) => Some("name each part once, and those of one archive".to_owned()),
            Self::Unlisted { .. } => Some("remove it when it was left by an earlier archive of that name".to_owned()),
            Self::Several { .. } => Some("name the first part of the one that is meant".to_owned()),
            Self::Size { .. } => Some("`--split-size 2000MB` fits GitHub's and FAT32's limits".to_owned()),
        }
    }
}

/// The files that an archive is written to, with their sizes: one, or parts where it is larger than one part.
#[must_use]
pub fn files(archive: &Path, size: u64, part: Option<u64>) -> Vec<(PathBuf, u64)> {
    let Some(part) = part.filter(|part| *part > 0 && size > *part) else { return vec![(archive.to_owned(), size)] };
    let starts = (0..size.div_ceil(part)).map(|index| index * part);
    starts.zip(1..).map(|(start, number)| (path(archive, number), part.min(size - start))).collect()
}

/// Checks that an archive of `size` bytes can be cut into parts of `part` bytes.
pub fn check(size: u64, part: u64) -> Result<(), Error> {
    let parts = size.div_ceil(part.max(1));
    if part < MIN_SIZE || parts > MAX_PARTS { Err(Error::Size { size: part, parts }) } else { Ok(()) }
}

/// The path of a part: `X.tar.gz.part-001`.
#[must_use]
pub fn path(archive: &Path, number: u64) -> PathBuf {
    let mut path = archive.as_os_str().to_owned();
    path.push(format!("{INFIX}{number:03}"));
    path.into()
}

/// The archive that a path is a part of, and which one it is.
#[must_use]
pub fn parse(path: &Path) -> Option<(PathBuf, u64)> {
    let name = path.file_name()?.to_str()?;
    let (archive, digits) = name.rsplit_once(INFIX)?;
    let plain = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit()) && !archive.is_empty();
    let number = digits.parse().ok().filter(|number| plain && *number > 0)?;
    Some((path.with_file_name(archive), number))
}

/// Puts those of the paths together that are parts of one archive, wherever they are; the order is that of the first ones.
#[must_use]
pub fn group<P: AsRef<Path>>(paths: &[P]) -> Vec<Vec<PathBuf>> {
    let mut groups: Vec<(Option<PathBuf>, Vec<PathBuf>)> = Vec::new();
    for path in paths.iter().map(AsRef::as_ref) {
        let name = parse(path).and_then(|(archive, _)| archive.file_name().map(PathBuf::from));
        match groups.iter_mut().find(|(other, _)| name.is_some() && *other == name) {
            Some((_, group)) => group.push(path.to_owned()),
            None => groups.push((name, vec![path.to_owned()])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// The parts of an archive that were found, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Where the whole archive would be: beside the first part that was named.
    pub archive: PathBuf,
    /// The parts; which are there follows from the names alone.
    pub paths: Vec<PathBuf>,
    /// What `FILE.sha256` says of each, by its name.
    pub sums: BTreeMap<String, Digest>,
}

impl Parts {
    /// Finds the parts that `paths` name: some or all of them, the directory that holds them, or the archive itself
    /// where only its parts are. `None` when the paths name no parts.
    pub fn find(paths: &[PathBuf]) -> Result<Option<Self>, Error> {
        let Some((archive, named)) = named(paths)? else { return Ok(None) };
        let mut found = BTreeMap::<u64, PathBuf>::new();
        let beside = named.iter().filter_map(|path| path.parent()).flat_map(|directory| list(directory, &archive));
        for path in named.iter().cloned().chain(beside) {
            let Some((_, number)) = parse(&path) else { continue };
            match found.get(&number) {
                Some(other) if !same(other, &path) => return Err(Error::Repeated([other.clone(), path])),
                Some(_) => {}
                None => drop(found.insert(number, path)),
            }
        }
        let sums = found.values().find_map(|path| checksums(&parse(path)?.0)).unwrap_or_default();
        let numbers = || sums.keys().filter_map(|name| Some(parse(Path::new(name))?.1));
        let last = found.keys().copied().chain(numbers()).max().unwrap_or(1);
        for number in 1..=last {
            match found.get(&number) {
                None => return Err(Error::Missing(path(&archive, number))),
                Some(part) if !sums.is_empty() && numbers().all(|listed| listed != number) => {
                    return Err(Error::Unlisted { part: part.clone(), checksums: checksum_path(&archive) });
                }
                Some(_) => {}
            }
        }
        Ok(Some(Self { archive, paths: found.into_values().collect(), sums }))
    }

    /// What `FILE.sha256` says of a part.
    #[must_use]
    pub fn sum(&self, part: &Path) -> Option<Digest> {
        self.sums.get(part.file_name()?.to_str()?).copied()
    }

    /// Finds what the sizes tell: a part before the last that is not as long as the others.
    pub(super) fn check_sizes(&self, volume: &Volume) -> Result<(), Error> {
        let sizes = || volume.pieces().iter().map(|piece| piece.range.end - piece.range.start);
        let expected = sizes().max().unwrap_or(0);
        let before_last = sizes().zip(&self.paths).take(self.paths.len() - 1);
        match before_last.into_iter().find(|(size, _)| *size < expected) {
            Some((found, part)) => Err(Error::Cut { part: part.clone(), expected, found }),
            None => Ok(()),
        }
    }

    /// Looks where each part has its first deflate block, which tells most swapped parts without hashing any.
    pub(super) fn check_blocks(&self, volume: &Volume) -> Result<(), Error> {
        const FIRST: u64 = gzip::HEADER.len() as u64;
        let block = gzip::block_header(0, u64::MAX);
        let has = |at: u64, expected: &[u8]| {
            let mut bytes = vec![0; expected.len()];
            volume.read_exact_at(&mut bytes, at).is_ok() && bytes == expected
        };
        if !has(0, &gzip::HEADER[..2]) {
            return Err(Error::NotFirst(self.paths[0].clone()));
        }
        if !has(0, &gzip::HEADER) || !has(FIRST, &block) {
            // Somebody compressed it again, and its blocks are elsewhere.
            return Ok(());
        }
        for (piece, path) in volume.pieces().iter().zip(&self.paths).skip(1) {
            let index = piece.range.start.saturating_sub(FIRST).div_ceil(gzip::BLOCK + gzip::BLOCK_HEADER);
            let at = FIRST + index * (gzip::BLOCK + gzip::BLOCK_HEADER);
            let is_last = volume.size().saturating_sub(at) <= gzip::BLOCK + gzip::BLOCK_HEADER + gzip::TRAILER;
            if !is_last && at + gzip::BLOCK_HEADER <= piece.range.end && !has(at, &block) {
                return Err(Error::Misplaced(path.clone()));
            }
        }
        Ok(())
    }

    /// Why the parts, which are all of one size but the last, end before the archive.
    pub(super) fn short(&self) -> Error {
        let part = self.paths.last().cloned().unwrap_or_default();
        Error::Short { part, next: path(&self.archive, self.paths.len() as u64 + 1) }
    }
}

/// Whether a directory holds parts and no unpacked bundle.
#[must_use]
pub fn is_directory_of_parts(directory: &Path) -> bool {
    matches!(named(&[directory.to_owned()]), Ok(Some(_)) | Err(Error::Several { .. }))
}

/// The archive that paths name parts of, and the parts that they name.
fn named(paths: &[PathBuf]) -> Result<Option<(PathBuf, Vec<PathBuf>)>, Error> {
    if let [path] = paths {
        if path.is_dir() {
            return in_directory(path);
        }
        let first = self::path(path, 1);
        if !path.exists() && first.exists() {
            return Ok(Some((path.clone(), vec![first])));
        }
    }
    let Some((archive, _)) = paths.first().and_then(|path| parse(path)) else { return Ok(None) };
    let other = paths.iter().find(|path| parse(path).is_none_or(|(other, _)| other.file_name() != archive.file_name()));
    match other {
        Some(other) => Err(Error::NotOne([paths[0].clone(), other.clone()])),
        None => Ok(Some((archive, paths.to_vec()))),
    }
}

fn in_directory(directory: &Path) -> Result<Option<(PathBuf, Vec<PathBuf>)>, Error> {
    if [model::BUNDLE_YAML, model::SUMS].iter().any(|name| directory.join(name).exists()) {
        return Ok(None);
    }
    let mut archives = BTreeMap::<PathBuf, Vec<PathBuf>>::new();
    for path in entries(directory).filter(|path| !is_shadow(path)) {
        if let Some((archive, _)) = parse(&path) {
            archives.entry(archive).or_default().push(path);
        }
    }
    if archives.len() > 1 {
        let name = |path: &PathBuf| path.file_name().unwrap_or_default().display().to_string();
        let names = archives.keys().map(name).collect();
        return Err(Error::Several { directory: directory.to_owned(), names });
    }
    Ok(archives.into_iter().next())
}

/// The parts of an archive in a directory.
fn list(directory: &Path, archive: &Path) -> Vec<PathBuf> {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let is_part = |path: &PathBuf| parse(path).is_some_and(|(other, _)| other.file_name() == archive.file_name());
    let mut parts: Vec<_> = entries(directory).filter(is_part).collect();
    parts.sort();
    parts
}

/// What is in a directory; one that cannot be listed tells so when its files are opened.
fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// Whether a Mac put this beside a file, as it does on sticks: `._X` has what FAT cannot keep of `X`.
fn is_shadow(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"._"))
}

/// Whether two paths are of one file.
fn same(a: &Path, b: &Path) -> bool {
    let id = |path: &Path| fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
    id(a).is_some_and(|a| Some(a) == id(b))
}

/// What `FILE.sha256` says of an archive's parts; `None` when it is not there or lists something else.
fn checksums(archive: &Path) -> Option<BTreeMap<String, Digest>> {
    let text = read_checksums(&checksum_path(archive)).ok()??;
    of_parts(&sums::parse(&text).ok()?, archive)
}

/// The digests of one archive's parts by the names that they have now; `None` when something else is listed. The list may
/// have other names: whoever renames parts does not edit it.
pub(super) fn of_parts(list: &[(&str, Digest)], archive: &Path) -> Option<BTreeMap<String, Digest>> {
    let (listed, _) = parse(Path::new(list.first()?.0))?;
    let part = |(name, digest): &(&str, Digest)| {
        let (_, number) = parse(Path::new(name)).filter(|(other, _)| *other == listed)?;
        Some((path(archive, number).file_name()?.to_str()?.to_owned(), *digest))
    };
    list.iter().map(part).collect()
}

/// The text of `FILE.sha256`; `None` when it is none, or too long.
pub(super) fn read_checksums(path: &Path) -> io::Result<Option<String>> {
    // To open a pipe would be to wait for whoever writes to it.
    if !fs::metadata(path)?.is_file() {
        return Ok(None);
    }
    let mut text = String::new();
    match fs::File::open(path)?.take(MAX_CHECKSUM_FILE).read_to_string(&mut text) {
        Ok(_) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(error),
    }
}

/// `FILE.sha256`, beside the archive.
#[must_use]
pub(crate) fn checksum_path(archive: &Path) -> PathBuf {
    let mut path = archive.as_os_str().to_owned();
    path.push(".sha256");
    path.into()
}
