//! The file beside the final place: taken under a lock, removed when dropped, published by rename.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::Error;
use crate::oci::Digest;

/// Refuses to open a symbolic link, as `open(2)` takes it.
const NOFOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();

/// Where an archive grows. The name follows from the final one, so that the next run takes over
/// what a killed run left.
#[derive(Debug)]
pub(super) struct Place {
    target: PathBuf,
    partial: PathBuf,
    file: File,
    /// It has its final name, or is left to the next run.
    stays: bool,
}

impl Place {
    /// Opens the file beside `target` as a killed run left it, locked against other processes.
    pub(super) fn take(target: &Path) -> Result<Self, Error> {
        let disk = |action, path: &Path| {
            let path = path.to_owned();
            move |source| Error::Disk { action, path, source }
        };
        let partial =
            partial_path(target).ok_or_else(|| disk("write", target)(io::Error::from(io::ErrorKind::IsADirectory)))?;
        if target.is_dir() {
            return Err(disk("write", target)(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                // What a link leads to is not ours to empty.
                .custom_flags(NOFOLLOW)
                .open(&partial)
                .map_err(disk("create", &partial))?;
            match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => return Err(Error::Busy(target.to_owned())),
                // A file system without locks; two processes at once are then the user's care.
                Err(rustix::io::Errno::NOTSUP | rustix::io::Errno::NOLCK) => {}
                Err(error) => return Err(disk("lock", &partial)(error.into())),
            }
            // The process that held the lock may have renamed or removed the file since it was opened.
            if same_file(&file, &partial).map_err(disk("open", &partial))? {
                return Ok(Self { target: target.to_owned(), partial, file, stays: false });
            }
        }
    }

    pub(super) const fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn error(&self, action: &'static str, source: io::Error) -> Error {
        Error::Disk { action, path: self.target.clone(), source }
    }

    /// Forgets what a killed run left.
    pub(super) fn empty(&self) -> Result<(), Error> {
        self.file.set_len(0).map_err(|source| self.error("empty", source))
    }

    /// Leaves the file to the next run when this is dropped.
    pub(super) const fn leave(&mut self) {
        self.stays = true;
    }

    /// Syncs the file to the disk.
    pub(super) fn sync(&self) -> Result<(), Error> {
        self.file.sync_all().map_err(|source| self.error("sync", source))
    }

    /// The one line of the checksum file.
    pub(super) fn checksum_line(&self, sha256: Digest) -> String {
        let name = self.target.file_name().map(|name| name.to_string_lossy().into_owned());
        format!("{}  {}\n", sha256.hex(), name.unwrap_or_default())
    }

    /// Publishes the file, which is synced, its checksum file, and that one's signature if there is one.
    ///
    /// Those of an earlier archive go first: none beside a whole archive is better than a wrong one.
    pub(super) fn publish(&mut self, sha256: Digest, signature: Option<&str>) -> Result<(), Error> {
        let result = self.rename(sha256, signature);
        result.map_err(|source| self.error("publish", source))
    }

    fn rename(&mut self, sha256: Digest, signature: Option<&str>) -> io::Result<()> {
        let sums = checksum_path(&self.target);
        let signed = signature_path(&sums);
        let partial_sums = prepare(&sums, &self.checksum_line(sha256))?;
        let partial_signed = signature.map(|signature| prepare(&signed, signature)).transpose()?;
        remove(&signed)?;
        remove(&sums)?;
        fs::rename(&self.partial, &self.target)?;
        self.stays = true;
        partial_sums.persist(&sums)?;
        if let Some(partial) = partial_signed {
            partial.persist(&signed)?;
        }
        let directory = self.target.parent().filter(|parent| !parent.as_os_str().is_empty());
        match File::open(directory.unwrap_or(Path::new(".")))?.sync_all() {
            // Some network file systems cannot sync a directory; the rename has happened all the same.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            result => result,
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
            // What stays is taken over by the next run.
            drop(fs::remove_file(&self.partial));
        }
    }
}

/// `FILE.sha256`, beside the archive.
#[must_use]
pub(crate) fn checksum_path(archive: &Path) -> PathBuf {
    let mut path = archive.as_os_str().to_owned();
    path.push(".sha256");
    path.into()
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
