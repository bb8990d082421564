//! What an earlier bundle has: taken before anything is asked of the network, and hashed like it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::{COPY, Error};
use crate::bundle::read::{self, Bundle};
use crate::bundle::write::Slot;
use crate::bundle::{model, sums};
use crate::event::Reporter;
use crate::oci::{Digest, Hasher};

/// An earlier bundle by the digests of its files.
#[derive(Debug)]
pub struct Earlier {
    bundle: Bundle,
    /// The members that its own list names; nothing that the list says is believed.
    members: HashMap<Digest, usize>,
}

/// How a blob came out of an earlier bundle.
pub(super) enum Taken {
    Copied,
    /// It has none such, or one of another size.
    Absent,
    /// It cannot be read there, or has other bytes.
    Damaged(PathBuf),
}

impl Earlier {
    /// Opens a bundle or the directory that it was unpacked into.
    ///
    /// # Errors
    /// What is no bundle, or has no list of its files.
    pub fn open(path: &Path) -> Result<Self, read::Error> {
        let bundle = Bundle::open(path)?;
        let text = String::from_utf8_lossy(&bundle.read(model::SUMS, sums::MAX_SIZE)?).into_owned();
        let list = sums::parse(&text).map_err(|_| read::Error::NotBundle {
            path: path.to_owned(),
            reason: "its SHA256SUMS is not as sha256sum writes it",
        })?;
        let members = list
            .iter()
            .filter_map(|(name, digest)| Some((*digest, bundle.find(name).filter(|index| bundle.holds(*index))?)))
            .collect();
        Ok(Self { bundle, members })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.bundle.path()
    }

    /// Tells when it is not in the form that it was written in.
    pub fn tell_form(&self, reporter: &dyn Reporter) {
        self.bundle.tell_form(reporter);
    }

    /// Whether it says that it has so many bytes with this digest.
    #[must_use]
    pub fn names(&self, digest: Digest, size: u64) -> bool {
        self.members.get(&digest).is_some_and(|index| self.bundle.members()[*index].size == size)
    }

    /// A document of at most `limit` bytes; `None` when it is not there, or is another.
    #[must_use]
    pub fn read(&self, digest: Digest, limit: u64) -> Option<Bytes> {
        let member = &self.bundle.members()[*self.members.get(&digest)?];
        let bytes = self.bundle.read(&member.path, limit).ok()?;
        (Digest::of(&bytes) == digest).then(|| bytes.into())
    }

    /// Copies a blob to its places, hashing what is copied.
    pub(super) fn copy(&self, digest: Digest, size: u64, slots: &[Slot]) -> Result<Taken, Error> {
        let Some(index) = self.members.get(&digest).filter(|_| self.names(digest, size)) else {
            return Ok(Taken::Absent);
        };
        let mut hasher = Hasher::new();
        let mut buffer = vec![0; usize::try_from(size).map_or(COPY, |size| size.min(COPY))];
        let mut at = 0;
        while at < size {
            let length = usize::try_from(size - at).map_or(COPY, |left| left.min(COPY));
            let bytes = &mut buffer[..length];
            if self.bundle.read_at(*index, at, bytes).is_err() {
                return Ok(Taken::Damaged(self.path().to_owned()));
            }
            hasher.update(bytes);
            for slot in slots {
                slot.write_at(at, bytes)?;
            }
            at += length as u64;
        }
        Ok(if hasher.finish() == digest { Taken::Copied } else { Taken::Damaged(self.path().to_owned()) })
    }
}
