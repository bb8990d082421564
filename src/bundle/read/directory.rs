//! Reading an unpacked bundle. Links are never followed.

use std::fs;
use std::io;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;

use super::super::{delta, model, name};
use super::{Entry, Error};

/// Something that no bundle has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Its path, quoted.
    pub path: String,
    /// What it is.
    pub reason: &'static str,
}

/// Whether a bundle or a delta was unpacked here, however much of it is missing: a stick may hold far more than a bundle.
pub(super) fn is_bundle(root: &Path) -> bool {
    let marks = [model::BUNDLE_YAML, model::SUMS, delta::DELTA_YAML];
    marks.iter().any(|name| fs::symlink_metadata(root.join(name)).is_ok())
}

/// Lists the plain files below `root`, sorted by path, and what else is there, `most` of both.
pub(super) fn list(root: &Path, most: usize) -> Result<(Vec<Entry>, Vec<Foreign>), Error> {
    let mut members = Vec::new();
    let mut foreign = Vec::new();
    let mut waiting = vec![String::new()];
    while let Some(directory) = waiting.pop() {
        let full = root.join(&directory);
        let disk = |source| Error::Disk { path: full.clone(), source };
        for entry in fs::read_dir(&full).map_err(disk)? {
            let entry = entry.map_err(disk)?;
            let file_name = entry.file_name();
            let metadata = fs::symlink_metadata(entry.path()).map_err(disk)?;
            let kind = metadata.file_type();
            let separator = if directory.is_empty() { "" } else { "/" };
            let quoted = name::quote(file_name.as_encoded_bytes());
            let strange = |reason| Foreign { path: format!("{directory}{separator}{quoted}"), reason };
            let Some(file_name) = file_name.to_str() else {
                foreign.push(strange("its name is not UTF-8"));
                continue;
            };
            let path = format!("{directory}{separator}{file_name}");
            if let Err(reason) = name::check(&path) {
                foreign.push(strange(reason));
            } else if kind.is_dir() {
                waiting.push(path);
            } else if kind.is_file() {
                members.push(Entry {
                    path,
                    mode: metadata.permissions().mode() & 0o7777,
                    size: metadata.len(),
                    start: 0,
                });
            } else if kind.is_symlink() {
                foreign.push(strange("a symbolic link"));
            } else {
                foreign.push(strange("neither a file nor a directory"));
            }
            if members.len() + foreign.len() + waiting.len() > most {
                return Err(Error::NotBundle { path: root.to_owned(), reason: "it has more than 100000 files" });
            }
        }
    }
    members.sort_by(|a, b| a.path.cmp(&b.path));
    foreign.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((members, foreign))
}

/// Fills `bytes` from a file at `offset`.
pub(super) fn read(path: &Path, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::CLOEXEC;
    let file = fs::File::from(rustix::fs::open(path, flags, rustix::fs::Mode::empty())?);
    file.read_exact_at(bytes, offset)
}
