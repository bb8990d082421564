//! Writing an archive in place: members in any order, several at a time, large ones in segments.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use self::hash::Sums;
use self::state::Shared;
use super::{Content, Layout, gzip, parts};
use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::Digest;

pub(crate) use place::signature_path;

mod hash;
mod place;
mod state;
#[cfg(test)]
mod tests;

/// Why an archive cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk said no.
    #[error("cannot {action} `{path}`")]
    Disk {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process writes the same archive.
    #[error("`{0}` is being written by another process")]
    Busy(PathBuf),
    /// A member's bytes were not all written.
    #[error("`{path}` was not written to its end")]
    Incomplete {
        /// The member.
        path: String,
    },
    /// More bytes than a member has.
    #[error("`{path}` has {size} bytes, but byte {end} was to be written")]
    Beyond {
        /// The member.
        path: String,
        /// Its size.
        size: u64,
        /// The end of the write.
        end: u64,
    },
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Disk { .. } | Self::Busy(_) => Exit::Disk,
            Self::Incomplete { .. } | Self::Beyond { .. } => Exit::Bug,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Disk { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    Some("free some space, or name another disk with `--output`".to_owned())
                }
                io::ErrorKind::FileTooLarge => Some(
                    "no file may be so large here; write parts with `--split-size 2000MB`, or elsewhere with `--output`"
                        .to_owned(),
                ),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    Some("`--output` names a directory that can be written".to_owned())
                }
                io::ErrorKind::NotFound => Some("create the directory, or name another one with `--output`".to_owned()),
                io::ErrorKind::IsADirectory => Some("name another file with `--output`".to_owned()),
                _ if source.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                    Some("remove that symbolic link, or name another file with `--output`".to_owned())
                }
                _ => None,
            },
            Self::Busy(_) => Some("wait for it, or name another file with `--output`".to_owned()),
            Self::Incomplete { .. } | Self::Beyond { .. } => None,
        }
    }
}

/// An archive that is being written beside its final place; dropped without [`Writer::seal`], it is removed.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    hasher: Option<JoinHandle<Result<Option<Sums>, io::Error>>>,
    place: place::Place,
}

/// The place of one member; its bytes may be written in any order and from several threads.
#[derive(Clone, Debug)]
pub struct Slot {
    shared: Arc<Shared>,
    index: usize,
}

/// A whole archive that is not published yet; dropped without [`Sealed::publish`], it is removed.
#[derive(Debug)]
pub struct Sealed {
    writer: Writer,
    finished: Finished,
    /// The sha256 of each file that it is in.
    sums: Vec<Digest>,
}

/// A finished archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Its sha256.
    pub sha256: Digest,
    /// Its size in bytes.
    pub size: u64,
}

impl Writer {
    /// Takes the space for the archive beside `path`, and writes all that is known: headers and inline members.
    pub fn create(path: &Path, layout: Layout) -> Result<Self, Error> {
        Self::begin(path, layout, None, false)
    }

    /// As [`Writer::create`]: an archive that is larger than `part` bytes grows in parts of that size, and with
    /// `go_on` what a killed run left of the same archive stays; see [`Slot::take_over`].
    pub fn begin(path: &Path, layout: Layout, part: Option<u64>, go_on: bool) -> Result<Self, Error> {
        let place = place::Place::take(path, parts::files(path, layout.archive_size(), part))?;
        let mut shared = Shared::new(Arc::clone(place.volume()), path.to_owned(), layout);
        shared.goes_on = go_on && shared.has_known().map_err(|source| place.error("read", source))?;
        if !shared.goes_on {
            place.empty()?;
        }
        for piece in place.volume().pieces() {
            let size = piece.range.end - piece.range.start;
            allocate(&piece.file, size).map_err(|source| place.error("take the space for", source))?;
        }
        let shared = Arc::new(shared);
        shared.write_known().map_err(|source| place.error("write", source))?;
        let hasher = std::thread::Builder::new()
            .name("archive-sha256".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || hash::follow(&shared)
            })
            .map_err(|source| place.error("start the thread that hashes", source))?;
        Ok(Self { shared, hasher: Some(hasher), place })
    }

    /// The members and their places.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        self.shared.layout()
    }

    /// The place of the member at `index` of the layout.
    ///
    /// # Panics
    /// When the layout has no such member.
    #[must_use]
    pub fn slot(&self, index: usize) -> Slot {
        assert!(index < self.layout().members().len(), "no member {index}");
        Slot { shared: Arc::clone(&self.shared), index }
    }

    /// The files that the archive will be in: one, or its parts.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.place.files()
    }

    /// Whether something of a killed run stayed.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.shared.goes_on
    }

    /// Leaves what is written to the next run instead of removing it.
    pub const fn leave(&mut self) {
        self.place.leave();
    }

    /// Waits for the archive's sha256 and syncs the archive to the disk, which takes its time.
    pub fn seal(mut self) -> Result<Sealed, Error> {
        if let Some(index) = self.shared.finish() {
            return Err(Error::Incomplete { path: self.layout().members()[index].path.clone() });
        }
        let mut hashed = match self.hasher.take().map(JoinHandle::join) {
            Some(Ok(Ok(Some(hashed)))) => hashed,
            Some(Ok(Err(source))) => return Err(self.place.error("read back", source)),
            // The thread ends early only when the writer is dropped, and panics only over a bug.
            _ => return Err(self.place.error("hash", io::Error::other("the hashing thread ended early"))),
        };
        let size = self.layout().archive_size();
        let trailer = gzip::trailer(hashed.crc(), self.layout().tar_size());
        self.shared.write_raw(size - gzip::TRAILER, &trailer).map_err(|source| self.place.error("write", source))?;
        hashed.update(&trailer);
        let (sha256, parts) = hashed.finish();
        self.place.sync()?;
        let sums = if parts.is_empty() { vec![sha256] } else { parts };
        Ok(Sealed { writer: self, finished: Finished { sha256, size }, sums })
    }
}

impl Sealed {
    /// The content that `FILE.sha256` will have, for signing.
    #[must_use]
    pub fn checksum_lines(&self) -> String {
        self.writer.place.checksum_lines(&self.sums)
    }

    /// Publishes the archive, or its parts, and `FILE.sha256` by rename.
    pub fn publish(self) -> Result<Finished, Error> {
        self.publish_with(None)
    }

    /// As [`Sealed::publish`], with a signature of `FILE.sha256` beside it.
    pub fn publish_signed(self, signature: &str) -> Result<Finished, Error> {
        self.publish_with(Some(signature))
    }

    fn publish_with(mut self, signature: Option<&str>) -> Result<Finished, Error> {
        self.writer.place.publish(&self.sums, signature)?;
        Ok(self.finished)
    }
}

/// How many bytes of the disk a killed run's half archive of `size` bytes for `path` takes; the next [`Writer`] takes
/// it over.
#[must_use]
pub fn left_behind(path: &Path, size: u64, part: Option<u64>) -> u64 {
    let left = |(path, _): &(PathBuf, u64)| place::partial_path(path)?.metadata().ok();
    let files = parts::files(path, size, part);
    files.iter().filter_map(left).fold(0, |sum, left| sum.saturating_add(left.blocks().saturating_mul(512)))
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(hasher) = self.hasher.take() {
            // Nothing can be done about its failure here, and nothing depends on it any more.
            drop(hasher.join());
        }
    }
}

impl Slot {
    /// The member's content and size are those of the layout's member.
    #[must_use]
    pub fn member(&self) -> &super::Member {
        &self.shared.layout().members()[self.index]
    }

    /// Writes bytes at `offset` in the member; what was written there before is replaced.
    ///
    /// Blocks on the disk. Bytes reach the page cache and are synced by [`Writer::seal`].
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let member = self.member();
        let end = offset.saturating_add(bytes.len() as u64);
        if end > member.size || matches!(member.content, Content::Inline(_)) {
            return Err(Error::Beyond { path: member.path.clone(), size: member.size, end });
        }
        self.shared.write(self.index, offset, bytes).map_err(|source| Error::Disk {
            action: "write",
            path: self.shared.path().to_owned(),
            source,
        })
    }

    /// Whether a killed run left all bytes of the member here, which are hashed; then they count as written.
    pub fn take_over(&self) -> Result<bool, Error> {
        self.shared.take_over(self.index).map_err(|source| Error::Disk {
            action: "read back",
            path: self.shared.path().to_owned(),
            source,
        })
    }

    /// Reads back bytes that were written, such as a segment whose turn to be hashed comes later.
    pub fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<(), Error> {
        let member = self.member();
        let end = offset.saturating_add(bytes.len() as u64);
        if end > member.size {
            return Err(Error::Beyond { path: member.path.clone(), size: member.size, end });
        }
        self.shared.read(self.index, offset, bytes).map_err(|source| Error::Disk {
            action: "read back",
            path: self.shared.path().to_owned(),
            source,
        })
    }
}

/// Takes the space on the disk, so that a full disk is found now; a file system that cannot grows the file as it comes.
fn allocate(file: &File, size: u64) -> io::Result<()> {
    use rustix::io::Errno;
    loop {
        return match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, size) {
            Err(Errno::INTR) => continue,
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => file.set_len(size),
            result => result.map_err(Into::into),
        };
    }
}
