//! Reading a bundle: any byte at once where it is in canonical form, from places that one pass remembers where
//! somebody recompressed it, and from the files where it is unpacked.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::delta::{self, Delta, Source};
use super::model::{self, BundleFile};
use super::parts::{self, Parts};
use super::volume::Volume;
use super::{name, sums, tar};
use crate::event::{Event, Reporter};
use crate::oci::Digest;
use crate::yaml::{self, YamlError};

mod directory;
mod error;
pub mod framed;
mod inflate;
mod recompressed;
#[cfg(test)]
mod tests;

use inflate::Forward as _;

pub use directory::Foreign;
pub use error::Error;
pub(crate) use error::Fault;

/// The most members that are read, 100 000: a bundle of all our components has some hundreds.
pub const MAX_MEMBERS: usize = sums::MAX_FILES;

/// In which form a bundle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// As it was written: any byte can be read at once.
    Canonical,
    /// Compressed again: read in full once, then from the nearest of some places.
    Recompressed,
    /// A directory.
    Unpacked,
    /// A delta: the members of the full bundle, of which the base has some.
    Delta,
}

/// A file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path, which is safe.
    pub path: String,
    /// Its permissions.
    pub mode: u32,
    /// Its size in bytes.
    pub size: u64,
    /// Where its bytes begin in the tar; 0 in a directory.
    start: u64,
}

impl Entry {
    /// A file that is elsewhere.
    pub(super) const fn absent(path: String, mode: u32, size: u64) -> Self {
        Self { path, mode, size, start: 0 }
    }

    /// The bytes of the tar that are its content.
    pub(crate) const fn range(&self) -> std::ops::Range<u64> {
        self.start..self.start + self.size
    }
}

/// A bundle that is open for reading, from any number of threads.
#[derive(Debug)]
pub struct Bundle {
    path: PathBuf,
    /// Where the parts of an archive are.
    parts: Option<Parts>,
    inner: Inner,
    members: Vec<Entry>,
    by_path: HashMap<String, usize>,
}

#[derive(Debug)]
enum Inner {
    Canonical(framed::Archive),
    Recompressed(recompressed::Archive),
    Unpacked { foreign: Vec<Foreign> },
    Delta(Box<Delta>),
}

impl Bundle {
    /// Opens an archive, its parts or an unpacked bundle, and reads the names of its members.
    ///
    /// Of an archive in parts, `path` is one of them, or the directory that holds them.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_all(&[path.to_owned()])
    }

    /// As [`Bundle::open`], where parts of one archive may be named one by one, wherever they are.
    pub fn open_all(paths: &[PathBuf]) -> Result<Self, Error> {
        let parts = Parts::find(paths)?;
        let path = match (&parts, paths) {
            (Some(_), [path, ..]) | (None, [path]) => path,
            (None, [first, second, ..]) => return Err(parts::Error::NotOne([first.clone(), second.clone()]).into()),
            (_, []) => return Err(Error::NotBundle { path: PathBuf::new(), reason: "it has no name" }),
        };
        if let Some(parts) = parts {
            return Self::open_parts(path, parts);
        }
        let disk = |source| Error::Disk { path: path.clone(), source };
        let (inner, members) = if fs::metadata(path).map_err(disk)?.is_dir() {
            if !directory::is_bundle(path) {
                let reason = "the directory holds no unpacked bundle; if the archive is in there, name it";
                return Err(Error::NotBundle { path: path.clone(), reason });
            }
            let (members, foreign) = directory::list(path, MAX_MEMBERS)?;
            (Inner::Unpacked { foreign }, members)
        } else {
            Inner::of_volume(path, Volume::new([open_file(path)?]))?
        };
        Self::new(path, None, inner, members).or_delta()
    }

    fn open_parts(path: &Path, parts: Parts) -> Result<Self, Error> {
        let volume = Volume::new(parts.paths.iter().map(|path| open_file(path)).collect::<Result<Vec<_>, _>>()?);
        parts.check_sizes(&volume)?;
        parts.check_blocks(&volume)?;
        match Inner::of_volume(path, volume) {
            Ok((inner, members)) => Self::new(path, Some(parts), inner, members).or_delta(),
            // What is right in every block and ends too early lacks its end.
            Err(Error::Damaged { reason, .. }) if reason == error::ENDED => Err(parts.short().into()),
            Err(error) => Err(error),
        }
    }

    /// A delta shows the members of the full bundle.
    fn or_delta(self) -> Result<Self, Error> {
        if self.find(delta::DELTA_YAML).is_none() || self.find(model::BUNDLE_YAML).is_some() {
            return Ok(self);
        }
        let (path, parts) = (self.path.clone(), self.parts.clone());
        let (delta, members) = Delta::of(self)?;
        Ok(Self::new(&path, parts, Inner::Delta(Box::new(delta)), members))
    }

    /// Gives a delta the base that has what it leaves out.
    pub fn join(&mut self, base: Arc<Self>) -> Result<(), Error> {
        let Inner::Delta(delta) = &mut self.inner else {
            return Err(delta::Error::Kind { path: self.path.clone(), found: "no delta" }.into());
        };
        delta.join(&self.members, base)
    }

    /// What a delta says about itself.
    #[must_use]
    pub fn delta_file(&self) -> Option<&delta::DeltaFile> {
        self.delta().map(|delta| &delta.about)
    }

    pub(crate) fn delta(&self) -> Option<&Delta> {
        if let Inner::Delta(delta) = &self.inner { Some(delta) } else { None }
    }

    /// The bundle that has the bytes of a member, and its place there: of a delta, itself or its base.
    fn holder(&self, index: usize) -> Option<(&Self, usize)> {
        let Some(delta) = self.delta() else { return Some((self, index)) };
        match delta.sources[index] {
            Source::Carried(index) => Some((&delta.raw, index)),
            Source::Omitted(index) => Some((delta.base()?, index?)),
        }
    }

    /// The archive or directory that has the bytes of a member: of a delta with its base, one of the two.
    pub(crate) fn source_of(&self, index: usize) -> PathBuf {
        self.holder(index).map_or(&self.path, |(bundle, _)| &bundle.path).clone()
    }

    /// The files that have the bytes of a member, of parts all of them; and whether they are open for as long as the
    /// bundle is, whatever becomes of their names.
    pub(crate) fn files_of(&self, index: usize) -> (Vec<PathBuf>, bool) {
        let Some((bundle, index)) = self.holder(index) else { return (Vec::new(), false) };
        match (&bundle.parts, &bundle.inner) {
            (Some(parts), _) => (parts.paths.clone(), true),
            (None, Inner::Unpacked { .. }) => (vec![bundle.path.join(&bundle.members[index].path)], false),
            (None, _) => (vec![bundle.path.clone()], true),
        }
    }

    /// Whether the bytes of a member can be had: not those that a delta leaves out, while its base is not there.
    #[must_use]
    pub fn holds(&self, index: usize) -> bool {
        self.delta().is_none_or(|delta| delta.sources[index] != Source::Omitted(None))
    }

    fn new(path: &Path, parts: Option<Parts>, inner: Inner, members: Vec<Entry>) -> Self {
        let by_path = members.iter().enumerate().map(|(index, member)| (member.path.clone(), index)).collect();
        Self { path: path.to_owned(), parts, inner, members, by_path }
    }

    /// The archive or directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// In which form it is.
    #[must_use]
    pub const fn form(&self) -> Form {
        match self.inner {
            Inner::Canonical(_) => Form::Canonical,
            Inner::Recompressed(_) => Form::Recompressed,
            Inner::Unpacked { .. } => Form::Unpacked,
            Inner::Delta(_) => Form::Delta,
        }
    }

    /// The archives that somebody compressed again: this one, or of a delta both it and its base.
    fn recompressed(&self) -> Vec<&Path> {
        match &self.inner {
            Inner::Recompressed(_) => vec![&self.path],
            Inner::Delta(delta) => delta.base().into_iter().chain([&delta.raw]).flat_map(Self::recompressed).collect(),
            Inner::Canonical(_) | Inner::Unpacked { .. } => Vec::new(),
        }
    }

    /// Tells when it is not in the form that it was written in, and slow for that.
    pub fn tell_form(&self, reporter: &dyn Reporter) {
        for path in self.recompressed() {
            let path = path.display();
            let text = format!("`{path}` was compressed again after it was packed; it is read, but slower");
            reporter.report(Event::Warning(&text));
        }
    }

    /// The members: in the archive's order, or sorted in a directory.
    #[must_use]
    pub fn members(&self) -> &[Entry] {
        &self.members
    }

    /// The place of the member with this path among [`Bundle::members`].
    #[must_use]
    pub fn find(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    /// Fills `bytes` from a member at `offset`.
    ///
    /// # Panics
    /// When there is no member `index`.
    pub fn read_at(&self, index: usize, offset: u64, bytes: &mut [u8]) -> Result<(), Error> {
        let member = &self.members[index];
        let end = offset.checked_add(bytes.len() as u64);
        if end.is_none_or(|end| end > member.size) {
            let source = io::ErrorKind::UnexpectedEof.into();
            return Err(Error::Disk { path: self.path.join(&member.path), source });
        }
        let result = match &self.inner {
            Inner::Delta(delta) => return delta.read_at(index, &member.path, offset, bytes),
            Inner::Canonical(archive) => archive.read(member.start + offset, bytes),
            Inner::Recompressed(archive) => archive.read(member.start + offset, bytes),
            Inner::Unpacked { .. } => {
                let path = self.path.join(&member.path);
                return directory::read(&path, offset, bytes).map_err(|source| Error::Disk { path, source });
            }
        };
        result.map_err(|error| error.in_archive(&self.path))
    }

    /// All bytes of a small member.
    pub fn read(&self, member: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let missing = || Error::Missing { path: self.path.clone(), member: member.to_owned() };
        let index = self.find(member).ok_or_else(missing)?;
        let size = self.members[index].size;
        let too_large = || Error::TooLarge { path: self.path.clone(), member: member.to_owned(), size, limit };
        let length = usize::try_from(size).ok().filter(|_| size <= limit).ok_or_else(too_large)?;
        let mut bytes = vec![0; length];
        self.read_at(index, 0, &mut bytes)?;
        Ok(bytes)
    }

    /// What the bundle says about itself.
    pub fn about(&self) -> Result<BundleFile, Error> {
        let bytes = self.read(model::BUNDLE_YAML, yaml::MAX_YAML as u64)?;
        let file = self.path.join(model::BUNDLE_YAML).display().to_string();
        let text = String::from_utf8(bytes).map_err(|_| YamlError {
            file: file.clone(),
            place: yaml::Place::default(),
            message: "the file is not UTF-8".to_owned(),
            hint: None,
        })?;
        let schema: Schema = yaml::parse(&file, &text)?;
        if schema.schema > model::SCHEMA {
            return Err(Error::Newer { path: self.path.clone(), found: schema.schema, known: model::SCHEMA });
        }
        Ok(yaml::parse(&file, &text)?)
    }

    /// The sha256 that `FILE.sha256` beside an archive says; `None` when there is no such file, or when it lists the
    /// archive's parts.
    pub fn published(&self) -> Result<Option<Digest>, Error> {
        let Some(archive) = self.archive_path() else { return Ok(None) };
        let path = parts::checksum_path(archive);
        if !path.exists() {
            return Ok(None);
        }
        let text = parts::read_checksums(&path).map_err(|source| Error::Disk { path: path.clone(), source })?;
        match text.as_deref().map(sums::parse) {
            Some(Ok(list)) if parts::of_parts(&list, archive).is_some() => Ok(None),
            Some(Ok(list)) if list.len() == 1 && self.parts.is_none() => Ok(Some(list[0].1)),
            _ => Err(Error::Checksum(path)),
        }
    }

    /// The archive in one file, or where it would be when its parts were put together; none of an unpacked bundle.
    pub(crate) fn archive_path(&self) -> Option<&Path> {
        match (&self.parts, &self.inner) {
            (_, Inner::Unpacked { .. }) => None,
            (_, Inner::Delta(delta)) => delta.raw.archive_path(),
            (Some(parts), _) => Some(&parts.archive),
            (None, _) => Some(&self.path),
        }
    }

    /// Where `FILE.sha256` of the archive is, if it has one; none of an unpacked bundle.
    pub(crate) fn checksum_path(&self) -> Option<PathBuf> {
        self.archive_path().map(parts::checksum_path)
    }

    /// The parts that the archive is in.
    #[must_use]
    pub const fn parts(&self) -> Option<&Parts> {
        self.parts.as_ref()
    }

    /// The size of the archive in bytes; none of an unpacked bundle.
    #[must_use]
    pub fn archive_size(&self) -> Option<u64> {
        match &self.inner {
            Inner::Canonical(archive) => Some(archive.size()),
            Inner::Recompressed(archive) => Some(archive.size()),
            Inner::Unpacked { .. } => None,
            Inner::Delta(delta) => delta.raw.archive_size(),
        }
    }

    /// The archive in its canonical form, if it is in it.
    pub(crate) const fn archive(&self) -> Option<&framed::Archive> {
        match &self.inner {
            Inner::Canonical(archive) => Some(archive),
            _ => None,
        }
    }

    /// What is in an unpacked bundle but is no plain file with a safe name.
    pub(crate) fn foreign(&self) -> &[Foreign] {
        match &self.inner {
            Inner::Unpacked { foreign } => foreign,
            _ => &[],
        }
    }
}

impl Inner {
    fn of_volume(path: &Path, volume: Volume) -> Result<(Self, Vec<Entry>), Error> {
        let volume = Arc::new(volume);
        let disk = |source| Error::Disk { path: path.to_owned(), source };
        if let Some(archive) = framed::Archive::recognise(&volume).map_err(disk)? {
            let members = walk(path, |at, header| archive.read(at, header), Some(archive.tar_size()))?;
            return Ok((Self::Canonical(archive), members));
        }
        let fault = |fault: Fault| fault.in_archive(path);
        let not_gzip = || Error::NotBundle { path: path.to_owned(), reason: "it is not in gzip form" };
        let mut reader = recompressed::Reader::open(&volume).map_err(fault)?.ok_or_else(not_gzip)?;
        let members = walk(path, |at, header| reader.read(at, header), None)?;
        match reader.finish().map_err(fault)? {
            Ok(archive) => Ok((Self::Recompressed(archive), members)),
            Err(bytes) => Err(Error::Trailing { path: path.to_owned(), bytes }),
        }
    }
}

/// Tells a bundle, in whatever form, from a text such as a lock by the first bytes.
#[must_use]
pub fn is_bundle(path: &Path) -> bool {
    if parts::parse(path).is_some() || path.is_dir() {
        return true;
    }
    if !path.is_file() {
        return parts::path(path, 1).is_file();
    }
    let mut magic = [0; 2];
    let read = File::open(path).and_then(|mut file| io::Read::read_exact(&mut file, &mut magic));
    read.is_ok() && magic == [0x1f, 0x8b]
}

/// Whether a file holds something that is no bundle, so that to write one in its place would lose it.
#[must_use]
pub fn is_other(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0) && !is_bundle(path)
}

/// Opens a file that is none but a file, and its size.
fn open_file(path: &Path) -> Result<(File, u64), Error> {
    let disk = |source| Error::Disk { path: path.to_owned(), source };
    let metadata = fs::metadata(path).map_err(disk)?;
    if !metadata.is_file() {
        // To open a pipe would be to wait for whoever writes to it.
        let reason = "it is neither a file nor a directory";
        return Err(Error::NotBundle { path: path.to_owned(), reason });
    }
    Ok((File::open(path).map_err(disk)?, metadata.len()))
}

/// The schema alone, so that a newer file is recognised whatever else is in it.
#[derive(serde::Deserialize)]
pub(super) struct Schema {
    pub(super) schema: u32,
}

/// Reads the headers of a tar; `size` is that of the tar, where it is known.
fn walk(
    path: &Path,
    mut read: impl FnMut(u64, &mut [u8]) -> Result<(), Fault>,
    size: Option<u64>,
) -> Result<Vec<Entry>, Error> {
    let damaged = |at, reason: &str| Error::Damaged { path: path.to_owned(), at, reason: reason.to_owned() };
    let mut members = Vec::<Entry>::new();
    let mut seen = std::collections::HashSet::new();
    let mut at = 0_u64;
    loop {
        let mut header = [0; 512];
        read(at, &mut header).map_err(|fault| fault.in_archive(path))?;
        let entry = tar::parse(&header).map_err(|source| match source {
            tar::Error::Checksum if at == 0 => Error::NotBundle { path: path.to_owned(), reason: "it holds no tar" },
            source => Error::Entry { path: path.to_owned(), at, source },
        })?;
        let Some(entry) = entry else { break };
        if members.len() == MAX_MEMBERS {
            return Err(damaged(at, "more than 100000 members"));
        }
        if !seen.insert(entry.path.clone()) {
            let quoted = name::quote(entry.path.as_bytes());
            return Err(damaged(at, &format!("a second member `{quoted}`")));
        }
        let start = at + tar::RECORD;
        let end = tar::padded(entry.size).and_then(|length| start.checked_add(length));
        let bound = size.unwrap_or(1 << 62);
        at = end.filter(|end| *end <= bound).ok_or_else(|| damaged(at, "a member beyond the end of the tar"))?;
        members.push(Entry { path: entry.path, mode: entry.mode, size: entry.size, start });
    }
    if members.is_empty() {
        return Err(Error::NotBundle { path: path.to_owned(), reason: "its tar is empty" });
    }
    Ok(members)
}
