//! A blob on its way into the store, in segments that arrive in any order and survive a killed run.
//!
//! Behind the blob's bytes the file holds, for each segment, how many bytes from its start have arrived, as
//! little-endian `u64`; publishing cuts that off. A number is written after the bytes that it counts. Should a
//! crash of the machine leave it wrong all the same, the digest tells.

use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::Error;

/// How long a segment is, 16 MiB: large enough that one request more for each costs nothing, small enough
/// that a blob of some hundred megabytes comes over every connection. In unit tests 1 MiB.
pub const SEGMENT: u64 = if cfg!(test) { 1 << 20 } else { 16 << 20 };

/// A blob that is being fetched, locked against other processes.
#[derive(Debug)]
pub struct Partial {
    file: File,
    path: PathBuf,
    target: PathBuf,
    size: u64,
    arrived: Mutex<Vec<u64>>,
}

impl Partial {
    /// Opens the file at `path` for a blob that goes to `target`; `None` while another process has it.
    pub(super) fn open(path: &Path, size: u64, target: PathBuf) -> Result<Option<Self>, Error> {
        let file = loop {
            let mut options = File::options();
            // What a link leads to is not ours to write.
            options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
            let file = options.create(true).truncate(false).read(true).write(true).open(path);
            let file = file.map_err(Error::new("create", path))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => return Ok(None),
            }
            // The process that held the lock may have published or removed the file since it was opened.
            if is_same(&file, path).map_err(Error::new("open", path))? {
                break file;
            }
        };
        let segments = usize::try_from(size.div_ceil(SEGMENT)).unwrap_or(usize::MAX);
        let whole = size.saturating_add(8 * segments as u64);
        let mut arrived = vec![0; segments];
        if file.metadata().map_err(Error::new("open", path))?.len() == whole {
            let mut table = vec![0; 8 * segments];
            file.read_exact_at(&mut table, size).map_err(Error::new("read", path))?;
            for (index, (arrived, bytes)) in arrived.iter_mut().zip(table.as_chunks().0).enumerate() {
                let range = segment(size, index as u64);
                *arrived = u64::from_le_bytes(*bytes).min(range.end - range.start);
            }
        } else {
            // Emptied first, so that whatever was in it reads as zeros.
            file.set_len(0).and_then(|()| file.set_len(whole)).map_err(Error::new("extend", path))?;
        }
        Ok(Some(Self { file, path: path.to_owned(), target, size, arrived: Mutex::new(arrived) }))
    }

    /// The ranges that are here already, one at most for each segment, none of them empty.
    #[must_use]
    pub fn arrived(&self) -> Vec<Range<u64>> {
        let arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        let ranges = arrived.iter().enumerate().map(|(index, bytes)| {
            let start = segment(self.size, index as u64).start;
            start..start + bytes
        });
        ranges.filter(|range| !range.is_empty()).collect()
    }

    /// Writes bytes at their place.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        debug_assert!(offset + bytes.len() as u64 <= self.size);
        self.file.write_all_at(bytes, offset).map_err(Error::new("write", &self.path))
    }

    /// Notes that the bytes of `range` were written, for a later run.
    pub fn note(&self, range: &Range<u64>) -> Result<(), Error> {
        let mut arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        for index in range.start / SEGMENT..range.end.div_ceil(SEGMENT) {
            let segment = segment(self.size, index);
            let Some(arrived) = usize::try_from(index).ok().and_then(|index| arrived.get_mut(index)) else { continue };
            let end = range.end.min(segment.end) - segment.start;
            if range.start <= segment.start + *arrived && end > *arrived {
                *arrived = end;
                let place = self.size + 8 * index;
                self.file.write_all_at(&end.to_le_bytes(), place).map_err(Error::new("write", &self.path))?;
            }
        }
        Ok(())
    }

    /// Forgets what has arrived.
    pub fn reset(&self) -> Result<(), Error> {
        let mut arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        arrived.fill(0);
        self.file.write_all_at(&vec![0; 8 * arrived.len()], self.size).map_err(Error::new("write", &self.path))
    }

    /// Reads bytes that have arrived.
    pub fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<(), Error> {
        self.file.read_exact_at(bytes, offset).map_err(Error::new("read", &self.path))
    }

    /// Publishes the blob, whose digest the caller has checked.
    pub fn publish(&self) -> Result<(), Error> {
        self.file.set_len(self.size).map_err(Error::new("cut", &self.path))?;
        fs::rename(&self.path, &self.target).map_err(Error::new("publish", &self.target))
    }

    /// Removes the file: its bytes are wrong.
    pub fn discard(&self) {
        // Where it cannot be removed, the next run finds it wrong again.
        drop(fs::remove_file(&self.path));
    }
}

/// The range of a segment of a blob.
#[must_use]
pub(super) fn segment(size: u64, index: u64) -> Range<u64> {
    let start = index.saturating_mul(SEGMENT).min(size);
    start..start.saturating_add(SEGMENT).min(size)
}

fn is_same(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(named) => Ok((open.dev(), open.ino()) == (named.dev(), named.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
