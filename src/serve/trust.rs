//! Whether bytes are what their digest says: nothing is hashed at the start, nothing wrong is given out as good.
//!
//! A verdict holds for as long as the file that the bytes are in is not touched.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::bundle::read;
use crate::bundle::set::{Blob, Set};
use crate::oci::{Digest, Hasher};

/// How much is read at once where nobody waits for the first byte, 256 KiB.
const CHUNK: u64 = 256 << 10;

/// Bytes in a bundle, and what they have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    /// Where they are.
    pub(super) blob: Blob,
    /// Their digest.
    pub(super) digest: Digest,
}

/// Why bytes are not given out.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Fault {
    /// They are not what their digest says.
    #[error("the bytes are not those of the digest: they are damaged or were changed")]
    Damaged,
    /// They were changed while they were read.
    #[error("the bundle was changed while it was read")]
    Changed,
    /// The disk said no.
    #[error("the bundle cannot be read")]
    Unreadable(#[source] Arc<read::Error>),
}

/// What tells that a file was touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// A bundle of the set and a member of it.
type Place = (usize, usize);

/// What those hold who wait for a blob to be hashed.
type Turn = Arc<tokio::sync::Mutex<()>>;

/// The verdicts.
#[derive(Debug, Default)]
pub(super) struct Trust {
    verdicts: Mutex<HashMap<Place, (Stamp, bool)>>,
    /// One lock for each blob that is being hashed, so that a hundred clients cost one pass.
    hashing: Mutex<HashMap<Place, Turn>>,
    damaged: AtomicUsize,
}

/// The file that holds a blob, as it is now.
pub(super) fn stamp(set: &Set, blob: Blob) -> Result<Stamp, Fault> {
    let bundle = &set.bundles()[blob.bundle].bundle;
    let mut stamp = Stamp { device: 0, inode: 0, size: 0, modified: (i64::MIN, 0), changed: (i64::MIN, 0) };
    let (files, open) = bundle.files_of(blob.member);
    for path in files {
        let metadata = match if open { fs::metadata(&path) } else { fs::symlink_metadata(&path) } {
            Ok(metadata) => metadata,
            // What is open can still be read when its name is gone.
            Err(error) if open && error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => {
                let error = read::Error::Disk { path, source };
                return Err(Fault::Unreadable(Arc::new(error)));
            }
        };
        // Of parts, what any of them changes.
        stamp.device ^= metadata.dev();
        stamp.inode = stamp.inode.rotate_left(1) ^ metadata.ino();
        stamp.size = stamp.size.wrapping_add(metadata.size());
        stamp.modified = stamp.modified.max((metadata.mtime(), metadata.mtime_nsec()));
        stamp.changed = stamp.changed.max((metadata.ctime(), metadata.ctime_nsec()));
    }
    Ok(stamp)
}

/// Fills `bytes` from a blob.
pub(super) fn read_at(set: &Set, blob: Blob, offset: u64, bytes: &mut [u8]) -> Result<(), Fault> {
    set.read_at(blob, offset, bytes).map_err(|error| match error {
        read::Error::Damaged { .. } => Fault::Damaged,
        error => Fault::Unreadable(Arc::new(error)),
    })
}

impl Trust {
    /// What is known of a blob in a file with this stamp.
    pub(super) fn verdict(&self, blob: Blob, stamp: Stamp) -> Option<bool> {
        let verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        verdicts.get(&(blob.bundle, blob.member)).filter(|(known, _)| *known == stamp).map(|(_, good)| *good)
    }

    /// Remembers whether a blob is good. True when it is bad and that is news.
    pub(super) fn record(&self, blob: Blob, stamp: Stamp, good: bool) -> bool {
        let mut verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        let before = verdicts.insert((blob.bundle, blob.member), (stamp, good));
        let news = !good && before.is_none_or(|(_, good)| good);
        if news {
            self.damaged.fetch_add(1, Ordering::Relaxed);
        }
        news
    }

    /// How often something turned out to be bad.
    pub(super) fn damaged(&self) -> usize {
        self.damaged.load(Ordering::Relaxed)
    }

    /// The lock of a blob that is to be hashed.
    pub(super) fn turn(&self, blob: Blob) -> Turn {
        let mut hashing = self.hashing.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever waits holds a clone.
        hashing.retain(|_, turn| Arc::strong_count(turn) > 1);
        hashing.entry((blob.bundle, blob.member)).or_default().clone()
    }
}

/// Hashes a whole blob and holds it against its digest; true when it is good.
pub(super) fn hash(set: &Set, content: Content) -> Result<bool, Fault> {
    let size = content.blob.size;
    let mut buffer = vec![0; usize::try_from(CHUNK.min(size)).unwrap_or_default()];
    let mut hasher = Hasher::new();
    let mut at = 0;
    while at < size {
        let length = (size - at).min(CHUNK);
        let piece = &mut buffer[..usize::try_from(length).unwrap_or_default()];
        match read_at(set, content.blob, at, piece) {
            Err(Fault::Damaged) => return Ok(false),
            other => other?,
        }
        hasher.update(piece);
        at += length;
    }
    Ok(hasher.finish() == content.digest)
}
