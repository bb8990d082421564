//! Writing a starter: all of it or nothing, and never over anything.

use std::fs;
use std::path::Path;

use super::{Error, Starter};
use crate::catalog;

/// Refuses a place where anything is, be it a link to nowhere.
///
/// # Errors
/// Something is there.
pub fn check_free(path: &Path) -> Result<(), Error> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(Error::Exists { path: path.to_owned() }),
        Err(_) => Ok(()),
    }
}

/// Writes `starter` as the new directory `path`, after reading it back by the catalog's own rules.
///
/// # Errors
/// Something is at `path`, or the disk fails. Then nothing is left behind.
pub fn write(starter: &Starter, path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    check_free(path)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary = tempfile::Builder::new().prefix(".manifests-").tempdir_in(parent).map_err(failed)?;
    // The temporary directory is its owner's alone; the catalog is as readable as any other file.
    let root = temporary.path().join("manifests");
    for (relative, text) in &starter.files {
        let file = root.join(relative);
        if let Some(directory) = file.parent() {
            fs::create_dir_all(directory).map_err(failed)?;
        }
        fs::write(&file, text).map_err(failed)?;
    }
    catalog::read(&root).map_err(Error::Unsound)?;
    // Whatever came to be there meanwhile is refused by the rename, but for an empty directory, which loses nothing.
    fs::rename(&root, path).map_err(|source| match source.kind() {
        std::io::ErrorKind::DirectoryNotEmpty | std::io::ErrorKind::NotADirectory => {
            Error::Exists { path: path.to_owned() }
        }
        _ => failed(source),
    })
}
