//! The place of every byte: members in their order give the tar, and the tar gives the archive.

use std::collections::HashSet;

use bytes::Bytes;

use super::{gzip, name, tar};
use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::Digest;

/// One file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its path in the bundle.
    pub path: String,
    /// Its permissions: 0644, or 0755 for what runs.
    pub mode: u32,
    /// Its size in bytes.
    pub size: u64,
    /// Where its bytes come from.
    pub content: Content,
}

/// Where a member's bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// They are here.
    Inline(Bytes),
    /// They have this digest, and are written through a [`super::write::Slot`].
    Blob(Digest),
}

impl Member {
    /// A member whose bytes are known; scripts (`#!`) get 0755, all else 0644.
    pub fn inline(path: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let mode = if bytes.starts_with(b"#!") { 0o755 } else { 0o644 };
        Self { path: path.into(), mode, size: bytes.len() as u64, content: Content::Inline(bytes) }
    }

    /// A member whose bytes come later.
    pub fn blob(path: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self { path: path.into(), mode: 0o644, size, content: Content::Blob(digest) }
    }
}

/// The members with their places in tar and archive.
#[derive(Clone, Debug)]
pub struct Layout {
    members: Vec<Member>,
    headers: Vec<[u8; 512]>,
    /// Where each member's header begins in the tar; one more for the end.
    starts: Vec<u64>,
    tar_size: u64,
}

/// Why members fit in no archive.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name that is not safe, or does not fit a tar header.
    #[error("`{name}` cannot be in a bundle: {reason}")]
    Name {
        /// The name, quoted.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Two members want one path, or one is a directory of the other.
    #[error("two files of the bundle would be `{0}`")]
    Twice(String),
    /// No members.
    #[error("the bundle would be empty")]
    Empty,
    /// More bytes than a 64-bit number counts.
    #[error("the bundle would have more than 2^63 bytes")]
    TooLarge,
}

/// What to do about two files of one name.
pub(super) const RENAME: &str = "give one of the two another name, in the catalog or with `--add-file files/NAME=PATH`";

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Name { .. } => Some("rename the file in the catalog".to_owned()),
            Self::Twice(_) => Some(RENAME.to_owned()),
            Self::Empty | Self::TooLarge => None,
        }
    }
}

impl Layout {
    /// Calculates the places of `members`, which keep their order.
    pub fn new(members: Vec<Member>) -> Result<Self, Error> {
        if members.is_empty() {
            return Err(Error::Empty);
        }
        distinct(&members)?;
        let mut headers = Vec::with_capacity(members.len());
        let mut starts = Vec::with_capacity(members.len() + 1);
        let mut at = 0_u64;
        for member in &members {
            let error = |reason| Error::Name { name: name::quote(member.path.as_bytes()), reason };
            name::check(&member.path).map_err(error)?;
            let header = tar::header(&member.path, member.mode, member.size);
            headers.push(header.ok_or_else(|| error("its last part is longer than 100 bytes"))?);
            starts.push(at);
            let end = tar::padded(member.size).and_then(|size| at.checked_add(tar::RECORD)?.checked_add(size));
            at = end.filter(|end| *end < 1 << 62).ok_or(Error::TooLarge)?;
        }
        starts.push(at);
        Ok(Self { members, headers, starts, tar_size: at + tar::END })
    }

    /// The members in their order.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The size of the tar in bytes.
    #[must_use]
    pub const fn tar_size(&self) -> u64 {
        self.tar_size
    }

    /// The exact size of the archive in bytes.
    #[must_use]
    pub const fn archive_size(&self) -> u64 {
        gzip::file_size(self.tar_size)
    }

    /// The tar header of a member.
    #[must_use]
    pub fn header(&self, index: usize) -> &[u8; 512] {
        &self.headers[index]
    }

    /// The tar bytes that belong to a member: header, content and padding. These tile the tar:
    /// the last member's end with the tar.
    #[must_use]
    pub fn extent(&self, index: usize) -> std::ops::Range<u64> {
        let last = index + 1 == self.members.len();
        self.starts[index]..if last { self.tar_size } else { self.starts[index + 1] }
    }

    /// The tar bytes of a member's content.
    #[must_use]
    pub fn data(&self, index: usize) -> std::ops::Range<u64> {
        let start = self.starts[index] + tar::RECORD;
        start..start + self.members[index].size
    }
}

/// Refuses equal paths, and a path that is a directory of another.
fn distinct(members: &[Member]) -> Result<(), Error> {
    let mut paths = HashSet::new();
    let twice = |path: &str| Error::Twice(name::quote(path.as_bytes()));
    for member in members {
        if !paths.insert(member.path.as_str()) {
            return Err(twice(&member.path));
        }
    }
    for member in members {
        for (at, _) in member.path.match_indices('/') {
            if paths.contains(&member.path[..at]) {
                return Err(twice(&member.path[..at]));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_each_other() {
        let sizes = [0_u64, 1, 511, 512, 513, 70_000];
        let members =
            sizes.iter().enumerate().map(|(i, size)| Member::blob(format!("m{i}"), Digest::of(b""), *size)).collect();
        let layout = Layout::new(members).unwrap();
        let mut at = 0;
        for (i, size) in sizes.iter().enumerate() {
            assert_eq!(layout.extent(i).start, at);
            assert_eq!(layout.data(i), at + 512..at + 512 + size);
            at += 512 + size.next_multiple_of(512);
        }
        assert_eq!(layout.tar_size(), at + 1024);
        assert_eq!(layout.extent(5).end, at + 1024);
        assert_eq!(layout.archive_size(), gzip::file_size(at + 1024));
    }

    #[test]
    fn refuses_what_cannot_be_unpacked() {
        let layout = |paths: &[&str]| Layout::new(paths.iter().map(|path| Member::inline(*path, "x")).collect());
        assert!(matches!(layout(&["a", "b", "a"]), Err(Error::Twice(_))));
        assert!(matches!(layout(&["a/b", "a"]), Err(Error::Twice(_))));
        assert!(matches!(layout(&["../a"]), Err(Error::Name { .. })));
        assert!(matches!(layout(&[&"x".repeat(101)]), Err(Error::Name { .. })));
        for huge in [u64::MAX - 100, 1 << 62] {
            let huge = Member::blob("x", Digest::of(b""), huge);
            assert!(matches!(Layout::new(vec![huge]), Err(Error::TooLarge)));
        }
        assert!(layout(&["ab", "a/b"]).is_ok());
    }
}
