//! The content-addressed cache of blobs: `blobs/sha256/ab/<hex>`, and `partial/` for what is on its way there.
//!
//! Entries appear by rename, and whoever reads one hashes it, so that a damaged entry is found and fetched again;
//! nothing is synced to the disk for the same reason. Processes share a store: each partial blob is locked by the
//! one that fetches it, and the others then fetch for themselves instead of waiting.

mod partial;
#[cfg(test)]
mod tests;
mod upkeep;

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

pub use partial::{Partial, SEGMENT};
pub use upkeep::{Checked, Collected, Contents, Keep, Weight, contents};

use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::Digest;

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} `{path}`")]
pub struct Error {
    /// What was tried.
    pub action: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

impl Error {
    fn new(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { action, path: path.to_owned(), source }
    }
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        Exit::Disk
    }

    fn hint(&self) -> Option<String> {
        match self.source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Some(
                "free some space, move the store with `--cache-dir`, or keep no copies with `pack --no-store`"
                    .to_owned(),
            ),
            io::ErrorKind::ResourceBusy => Some("wait for the other bundler".to_owned()),
            _ => Some("move the store with `--cache-dir`, or keep no copies with `pack --no-store`".to_owned()),
        }
    }
}

/// A store in a directory.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    /// Held shared while the store may be written; `None` for one that is only read.
    lock: Option<File>,
}

impl Store {
    /// A store that is only read; its directory need not exist.
    #[must_use]
    pub fn read_only(root: &Path) -> Self {
        Self { root: root.to_owned(), lock: None }
    }

    /// A store to read and fill; one that this process may not write is opened for reading.
    pub fn open(root: &Path) -> Result<Self, Error> {
        match Self::create(root) {
            Err(error)
                if matches!(
                    error.source.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                Ok(Self::read_only(root))
            }
            result => result,
        }
    }

    /// A store to fill; one that this process may not write is an error.
    pub fn create(root: &Path) -> Result<Self, Error> {
        for directory in [root.join("blobs/sha256"), root.join("partial")] {
            fs::create_dir_all(&directory).map_err(Error::new("create", &directory))?;
        }
        let path = root.join("lock");
        let mut options = File::options();
        let lock = options.create(true).truncate(false).write(true).open(&path).map_err(Error::new("open", &path))?;
        // The file may be ours in a directory that is not.
        let probe = root.join("partial");
        drop(tempfile::tempfile_in(&probe).map_err(Error::new("write in", &probe))?);
        match lock.try_lock() {
            // Nobody else is here, so every temporary file is a dead run's.
            Ok(()) => remove_temporary(&root.join("partial")),
            Err(TryLockError::WouldBlock) => {}
            // A file system without locks: nothing is removed, and partial blobs are not shared.
            Err(TryLockError::Error(_)) => return Ok(Self { root: root.to_owned(), lock: Some(lock) }),
        }
        lock.lock_shared().map_err(Error::new("lock", &path))?;
        Ok(Self { root: root.to_owned(), lock: Some(lock) })
    }

    /// The store's directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether blobs can be kept.
    #[must_use]
    pub const fn is_writable(&self) -> bool {
        self.lock.is_some()
    }

    /// Where a blob is, if the store has it.
    #[must_use]
    pub fn path(&self, digest: Digest) -> PathBuf {
        let hex = digest.hex();
        self.root.join("blobs/sha256").join(&hex[..2]).join(hex)
    }

    /// Opens a blob and tells its size; its bytes are not checked yet.
    pub fn open_blob(&self, digest: Digest) -> Result<Option<(File, u64)>, Error> {
        let path = self.path(digest);
        // A pipe is not opened: that would wait for whoever writes to it.
        let open = || match fs::metadata(&path)?.is_file() {
            true => File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file))),
            false => Err(io::Error::other("it is no regular file; remove it")),
        };
        match open() {
            Ok((size, file)) => {
                self.used(&file);
                Ok(Some((file, size)))
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(Error::new("open", &path)(error)),
        }
    }

    /// Notes that a blob was used, once a day, for [`Keep::younger_than`].
    fn used(&self, file: &File) {
        let now = SystemTime::now();
        let modified = file.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|time| now.duration_since(time).ok());
        if self.is_writable() && age.is_some_and(|age| age > DAY) {
            // Where it cannot be noted the blob is collected sooner.
            drop(file.set_modified(now));
        }
    }

    /// The size of a blob that the store has.
    #[must_use]
    pub fn size(&self, digest: Digest) -> Option<u64> {
        fs::metadata(self.path(digest)).ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len())
    }

    /// Reads a blob of at most `limit` bytes, checked; one with more, and a damaged one, which is removed, give `None`.
    pub fn read(&self, digest: Digest, limit: u64) -> Result<Option<Bytes>, Error> {
        let Some((file, _)) = self.open_blob(digest)?.filter(|(_, size)| *size <= limit) else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(Error::new("read", &self.path(digest)))?;
        if Digest::of(&bytes) != digest {
            self.remove(digest);
            return Ok(None);
        }
        Ok(Some(bytes.into()))
    }

    /// Keeps the small blob `bytes`, which must have been checked.
    pub fn write(&self, digest: Digest, bytes: &[u8]) -> Result<(), Error> {
        debug_assert_eq!(Digest::of(bytes), digest);
        let temporary = self.temporary()?;
        fs::write(temporary.path(), bytes).map_err(Error::new("write", temporary.path()))?;
        self.keep(temporary, digest)
    }

    /// A file to write a blob whose size or digest is not known yet.
    pub fn temporary(&self) -> Result<tempfile::NamedTempFile, Error> {
        let directory = self.root.join("partial");
        let mut builder = tempfile::Builder::new();
        // As other files of this user; a shared cache is read by others.
        builder.prefix(TEMPORARY).permissions(fs::Permissions::from_mode(0o666));
        builder.tempfile_in(&directory).map_err(Error::new("create a file in", &directory))
    }

    /// Publishes a temporary file whose bytes have `digest`.
    pub fn keep(&self, temporary: tempfile::NamedTempFile, digest: Digest) -> Result<(), Error> {
        let path = self.prepare(digest)?;
        temporary.persist(&path).map_err(|error| Error::new("publish", &path)(error.error))?;
        Ok(())
    }

    /// Begins a blob, or goes on with what an interrupted run has of it; `None` when it cannot be kept now:
    /// in a store that is only read, or while another process fetches the same blob.
    pub fn partial(&self, digest: Digest, size: u64) -> Result<Option<Partial>, Error> {
        if self.lock.is_none() {
            return Ok(None);
        }
        let path = self.root.join("partial").join(digest.hex());
        Partial::open(&path, size, self.prepare(digest)?)
    }

    /// Forgets a blob that turned out damaged.
    pub fn remove(&self, digest: Digest) {
        // Where it cannot be removed, the next reader finds it damaged again.
        drop(fs::remove_file(self.path(digest)));
    }

    /// Removes the whole store, unless another process uses it.
    pub fn discard(&self) {
        if let Some(lock) = &self.lock
            && lock.try_lock().is_ok()
        {
            drop(fs::remove_dir_all(&self.root));
        }
    }

    /// The path of a blob in a directory that exists.
    fn prepare(&self, digest: Digest) -> Result<PathBuf, Error> {
        let path = self.path(digest);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(Error::new("create", directory))?;
        }
        Ok(path)
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How the names of temporary files begin; no digest begins so.
const TEMPORARY: &str = "tmp-";

fn remove_temporary(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            // What cannot be removed is in nobody's way.
            drop(fs::remove_file(entry.path()));
        }
    }
}
