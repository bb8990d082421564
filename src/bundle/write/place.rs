//! The file beside the final place: taken under a lock, removed when dropped, published by rename.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::parts::{self, checksum_path};
use super::super::volume::Volume;
use super::Error;
use crate::oci::Digest;

/// Refuses to open a symbolic link, as `open(2)` takes it.
const NOFOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
/// Refuses to open a pipe that nobody reads.
const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();

/// Where an archive grows. The names follow from the final ones, so that the next run takes over
/// what a killed run left.
#[derive(Debug)]
pub(super) struct Place {
    target: PathBuf,
    /// The target, or its parts, each with the file that it grows in.
    files: Vec<(PathBuf, PathBuf)>,
    volume: Arc<Volume>,
    /// It has its final name, or is left to the next run.
    stays: bool,
}

impl Place {
    /// Opens the files beside `target` as a killed run left them, locked against other processes.
    pub(super) fn take(target: &Path, files: Vec<(PathBuf, u64)>) -> Result<Self, Error> {
        let disk = |action, path: &Path| {
            let path = path.to_owned();
            move |source| Error::Disk { action, path, source }
        };
        let is_directory = || io::Error::from(io::ErrorKind::IsADirectory);
        if target.is_dir() {
            return Err(disk("write", target)(is_directory()));
        }
        let (mut names, mut opened) = (Vec::with_capacity(files.len()), Vec::with_capacity(files.len()));
        for (path, size) in files {
            let partial = partial_path(&path).ok_or_else(|| disk("write", &path)(is_directory()))?;
            opened.push((open(&path, &partial)?, size));
            names.push((path, partial));
        }
        let place =
            Self { target: target.to_owned(), files: names, volume: Arc::new(Volume::new(opened)), stays: false };
        place.remove_left();
        Ok(place)
    }

    pub(super) const fn volume(&self) -> &Arc<Volume> {
        &self.volume
    }

    /// The files as they will be named.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(path, _)| path.as_path())
    }

    pub(super) fn error(&self, action: &'static str, source: io::Error) -> Error {
        Error::Disk { action, path: self.target.clone(), source }
    }

    /// Forgets what a killed run left.
    pub(super) fn empty(&self) -> Result<(), Error> {
        let mut pieces = self.volume.pieces().iter();
        pieces.try_for_each(|piece| piece.file.set_len(0)).map_err(|source| self.error("empty", source))
    }

    /// Leaves the files to the next run when this is dropped.
    pub(super) const fn leave(&mut self) {
        self.stays = true;
    }

    /// Syncs the files to the disk.
    pub(super) fn sync(&self) -> Result<(), Error> {
        let mut pieces = self.volume.pieces().iter();
        pieces.try_for_each(|piece| piece.file.sync_all()).map_err(|source| self.error("sync", source))
    }

    /// The lines of the checksum file: one for each file.
    pub(super) fn checksum_lines(&self, digests: &[Digest]) -> String {
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.files().zip(digests).map(|(path, digest)| format!("{}  {}\n", digest.hex(), name(path))).collect()
    }

    /// Publishes the files, which are synced, their checksum file, and that one's signature if there is one.
    ///
    /// Those of an earlier archive go first: none beside a whole archive is better than a wrong one.
    pub(super) fn publish(&mut self, digests: &[Digest], signature: Option<&str>) -> Result<(), Error> {
        let result = self.rename(digests, signature);
        result.map_err(|source| self.error("publish", source))
    }

    fn rename(&mut self, digests: &[Digest], signature: Option<&str>) -> io::Result<()> {
        let sums = checksum_path(&self.target);
        let signed = signature_path(&sums);
        let partial_sums = prepare(&sums, &self.checksum_lines(digests))?;
        let partial_signed = signature.map(|signature| prepare(&signed, signature)).transpose()?;
        remove(&signed)?;
        remove(&sums)?;
        self.remove_replaced()?;
        for (path, partial) in &self.files {
            fs::rename(partial, path)?;
        }
        self.stays = true;
        partial_sums.persist(&sums)?;
        if let Some(partial) = partial_signed {
            partial.persist(&signed)?;
        }
        match File::open(self.directory())?.sync_all() {
            // Some network file systems cannot sync a directory; the rename has happened all the same.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            result => result,
        }
    }

    fn directory(&self) -> &Path {
        self.target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// Removes what an earlier archive of this name had besides: parts beside a whole one, the whole beside parts.
    fn remove_replaced(&self) -> io::Result<()> {
        let target = self.target.file_name();
        for entry in fs::read_dir(self.directory())?.flatten() {
            let path = self.target.with_file_name(entry.file_name());
            let is_part = parts::parse(&path).is_some_and(|(archive, _)| archive.file_name() == target);
            if (is_part || path.file_name() == target) && self.files().all(|file| file != path) {
                remove(&path)?;
            }
        }
        Ok(())
    }

    /// Removes what a killed run left of an archive that was cut otherwise, unless another process is writing it.
    fn remove_left(&self) {
        let target = self.target.file_name();
        for entry in fs::read_dir(self.directory()).into_iter().flatten().flatten() {
            let path = self.target.with_file_name(entry.file_name());
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let Some(of) = name.strip_prefix('.').and_then(|name| name.strip_suffix(".partial")) else { continue };
            let of = path.with_file_name(of);
            let archive = parts::parse(&of).map_or_else(|| of.clone(), |(archive, _)| archive);
            if archive.file_name() != target || self.files().any(|file| file == of) {
                continue;
            }
            // Nothing depends on it: what stays is only in the way. A pipe is not waited for.
            if let Ok(file) = OpenOptions::new().write(true).custom_flags(NOFOLLOW | NONBLOCK).open(&path)
                && rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_ok()
            {
                drop(fs::remove_file(&path));
            }
        }
    }
}

/// Writes a small file beside its place; dropped before it is there, it is removed.
fn prepare(path: &Path, text: &str) -> io::Result<tempfile::TempPath> {
    let partial = sibling(path, ".partial").unwrap_or_else(|| path.to_owned());
    remove(&partial)?;
    let partial = tempfile::TempPath::try_from_path(partial)?;
    let mut file = File::create_new(&partial)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(partial)
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.stays {
            for (_, partial) in &self.files {
                // What stays is taken over by the next run.
                drop(fs::remove_file(partial));
            }
        }
    }
}

/// Opens and locks the file that `target` grows in.
fn open(target: &Path, partial: &Path) -> Result<File, Error> {
    let disk = |action, path: &Path| {
        let path = path.to_owned();
        move |source| Error::Disk { action, path, source }
    };
    loop {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            // What a link leads to is not ours to empty.
            .custom_flags(NOFOLLOW)
            .open(partial)
            .map_err(disk("create", partial))?;
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(Error::Busy(target.to_owned())),
            // A file system without locks; two processes at once are then the user's care.
            Err(rustix::io::Errno::NOTSUP | rustix::io::Errno::NOLCK) => {}
            Err(error) => return Err(disk("lock", partial)(error.into())),
        }
        // The process that held the lock may have renamed or removed the file since it was opened.
        if same_file(&file, partial).map_err(disk("open", partial))? {
            return Ok(file);
        }
    }
}

/// `FILE.sha256.sig`, beside `FILE.sha256`.
#[must_use]
pub(crate) fn signature_path(checksum: &Path) -> PathBuf {
    let mut path = checksum.as_os_str().to_owned();
    path.push(".sig");
    path.into()
}

/// Where the archive for `target` grows.
pub(super) fn partial_path(target: &Path) -> Option<PathBuf> {
    sibling(target, ".partial")
}

/// A hidden file beside `path`; `None` for a path without a file name.
fn sibling(path: &Path, suffix: &str) -> Option<PathBuf> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name()?);
    name.push(suffix);
    Some(path.with_file_name(name))
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn same_file(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(named) => Ok((open.dev(), open.ino()) == (named.dev(), named.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
