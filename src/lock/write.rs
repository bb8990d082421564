//! Writing a lock: the same lock gives the same bytes, on every machine and at any time.

use std::io::{ErrorKind, Write as _};
use std::path::Path;

use super::{Error, Lock};
use crate::yaml;

/// Says to a reader where the file comes from; without a time, so that equal locks are equal files.
const HEADER: &str = "# Written by bundler resolve from the catalog. Change the catalog and resolve again.\n";

/// The lock as text.
#[must_use]
pub fn to_text(lock: &Lock) -> String {
    let body = yaml::to_string(lock);
    format!("{HEADER}{}\n", body.trim_end())
}

/// Checks that there is a directory for a lock: who finds out after an hour of resolving has lost it.
///
/// # Errors
/// No such directory.
pub fn check_place(path: &Path) -> Result<(), Error> {
    let metadata = std::fs::metadata(directory_of(path));
    let found = metadata.and_then(|found| if found.is_dir() { Ok(()) } else { Err(ErrorKind::NotADirectory.into()) });
    found.map_err(|source| Error::Write { path: path.display().to_string(), source })
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a lock beside its place and renames it there: a reader sees the old file or the new one, never a part.
///
/// # Errors
/// A file that cannot be written; then the old one is as it was.
pub fn write(path: &Path, lock: &Lock) -> Result<(), Error> {
    save(path, &to_text(lock)).map_err(|source| Error::Write { path: path.display().to_string(), source })
}

fn save(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    // A symbolic link stays one: the file that it names is replaced.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = directory_of(&path);
    let mut file = tempfile::Builder::new()
        .prefix(".bundle.lock-")
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(directory)?;
    file.write_all(text.as_bytes())?;
    if let Ok(old) = std::fs::metadata(&path) {
        file.as_file().set_permissions(old.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(&path)?;
    std::fs::File::open(directory)?.sync_all()
}
