//! A file that gets its name when it is whole: beside what others write, and after runs that were killed.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::Error;
use super::archive::Fault;

/// What a file is called until then; no name that k3s takes.
const NAME: (&str, &str) = (".bundler-", ".part");
/// How much of headers and padding is written at once with what is between them, 256 KiB.
const BUFFER: usize = 256 << 10;

/// Whether a file is on its way to its name, or was.
pub(super) fn is_partial(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(NAME.0) && name.ends_with(NAME.1))
}

/// Removes what killed runs left in a directory; who is still writing holds a lock.
pub(super) fn clear(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let lock =
            || -> io::Result<()> { Ok(flock(File::open(entry.path())?, FlockOperation::NonBlockingLockExclusive)?) };
        if is_file && is_partial(&entry.file_name()) && lock().is_ok() {
            // It is in nobody's way but the disk's.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Writes a file, which is on the disk before it is at `path`.
pub(super) fn write(path: &Path, write: impl FnOnce(&mut dyn io::Write) -> Result<(), Fault>) -> Result<(), Error> {
    let failed = |source| Error::Disk { path: path.to_owned(), source };
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory).map_err(failed)?;
    let permissions = fs::Permissions::from_mode(0o644);
    let partial =
        tempfile::Builder::new().prefix(NAME.0).suffix(NAME.1).permissions(permissions).tempfile_in(directory);
    let partial = partial.map_err(failed)?;
    // Where a file system has no locks, nothing is cleared either.
    let _ = flock(partial.as_file(), FlockOperation::NonBlockingLockExclusive);
    let mut out = BufWriter::with_capacity(BUFFER, partial.as_file());
    write(&mut out).map_err(|fault| match fault {
        Fault::Bundle(error) => error,
        Fault::Sink(source) => failed(source),
    })?;
    out.flush().map_err(failed)?;
    drop(out);
    partial.as_file().sync_all().map_err(failed)?;
    partial.persist(path).map(drop).map_err(|error| failed(error.error))
}
