//! Files that are added to a bundle though the lock does not know them.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::PathBuf;

use super::Error;
use crate::bundle::model::Added;
use crate::bundle::write::Slot;
use crate::oci::{Digest, Hasher};

/// `--add-file files/NAME=PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddFile {
    /// Its path in the bundle, below `files/`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// An added file with its places in the archive.
pub(super) struct Placed {
    pub(super) file: AddFile,
    /// What its bytes had when they were measured.
    pub(super) digest: Digest,
    pub(super) slots: Vec<Slot>,
}

impl std::str::FromStr for AddFile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, path) = text.split_once('=').ok_or("expected files/NAME=PATH")?;
        if !name.starts_with("files/") {
            return Err("an added file goes below files/, as in files/NAME=PATH");
        }
        crate::bundle::name::check(name)?;
        if path.is_empty() {
            return Err("no file is named behind the `=`");
        }
        Ok(Self { name: name.to_owned(), path: path.into() })
    }
}

impl AddFile {
    /// Reads the file once for its digest and size.
    pub(super) fn measure(&self) -> Result<Added, Error> {
        let mut size = 0;
        let digest = self.read(|bytes| {
            size += bytes.len() as u64;
            Ok::<_, Error>(())
        })?;
        Ok(Added { path: self.name.clone(), digest, size })
    }

    fn read<E: From<Error>>(&self, mut take: impl FnMut(&[u8]) -> Result<(), E>) -> Result<Digest, E> {
        let failed = |source: io::Error| Error::Added { name: self.name.clone(), path: self.path.clone(), source };
        if !fs::metadata(&self.path).map_err(failed)?.is_file() {
            // It is read twice, and a pipe or a device might never end.
            return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")).into());
        }
        let mut file = File::open(&self.path).map_err(failed)?;
        let mut hasher = Hasher::new();
        let mut buffer = vec![0; 1 << 20];
        loop {
            let n = file.read(&mut buffer).map_err(failed)?;
            if n == 0 {
                return Ok(hasher.finish());
            }
            hasher.update(&buffer[..n]);
            take(&buffer[..n])?;
        }
    }
}

impl Placed {
    /// Copies the file to its places; it must not have changed since it was measured.
    pub(super) fn copy(&self) -> Result<(), crate::Error> {
        let changed = || Error::Changed(self.file.path.clone());
        let mut at = 0;
        let found = self.file.read(|bytes| {
            for slot in &self.slots {
                // A file that grew has no more room.
                if at + bytes.len() as u64 > slot.member().size {
                    return Err(changed().into());
                }
                slot.write_at(at, bytes).map_err(crate::bundle::Error::from)?;
            }
            at += bytes.len() as u64;
            Ok::<_, crate::Error>(())
        })?;
        if found == self.digest { Ok(()) } else { Err(changed().into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::write::Writer;
    use crate::bundle::{Layout, Member};

    #[test]
    fn reads_what_to_add() {
        let expected = AddFile { name: "files/bundler".to_owned(), path: "out/a=b".into() };
        assert_eq!("files/bundler=out/a=b".parse(), Ok(expected));
        for wrong in ["", "files/x", "x=y", "files/=y", "files/../x=y", "files/x=", "files//x=y"] {
            assert!(wrong.parse::<AddFile>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_that_changed_since_it_was_measured_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = AddFile { name: "files/x".to_owned(), path: directory.path().join("x") };
        std::fs::write(&file.path, "measured").unwrap();
        let Added { path, digest, size } = file.measure().unwrap();
        let layout = Layout::new(vec![Member::blob(path, digest, size)]).unwrap();
        let writer = Writer::create(&directory.path().join("b.tar.gz"), layout).unwrap();
        let placed = Placed { file, digest, slots: vec![writer.slot(0)] };
        placed.copy().unwrap();
        for changed in ["Measured", "measured and more", "measure", ""] {
            std::fs::write(&placed.file.path, changed).unwrap();
            let error = placed.copy().unwrap_err().to_string();
            assert!(error.contains("changed"), "{changed}: {error}");
        }
    }
}
