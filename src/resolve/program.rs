//! The `helm` program: the given one, the one on the path, or the locked one, downloaded once.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::Failure;
use super::download;
use super::sources::Sources;
use super::versions::parse_url;
use crate::chart::Helm;
use crate::lock::model as lock;
use crate::oci::{Arch, Digest};

/// The component of the catalog that is Helm itself.
pub(super) const COMPONENT: &str = "helm";

/// Finds Helm; `locked` is the Helm of the lock.
pub(super) async fn find(
    sources: &Sources,
    given: Option<&Path>,
    search_path: Option<&OsStr>,
    locked: Option<&lock::Component>,
) -> Result<Helm, Failure> {
    let missing = match Helm::find(given, search_path).await {
        Ok(helm) => return Ok(helm),
        Err(error) if error.is_missing() && given.is_none() => error,
        Err(error) => return Err(Failure::Helm(Box::new(error.into()))),
    };
    let file = locked.zip(Arch::host()).and_then(|(locked, host)| locked.files.get(COMPONENT)?.get(&host));
    let Some((file, member)) = file.and_then(|file| Some((file, file.member.as_ref()?))) else {
        return Err(Failure::Helm(Box::new(missing.into())));
    };
    let path = pinned(sources, file, member).await?;
    Helm::find(Some(&path), None).await.map_err(|error| Failure::Helm(Box::new(error.into())))
}

/// The locked program in the cache, from a download whose bytes were checked.
async fn pinned(sources: &Sources, file: &lock::File, member: &lock::Member) -> Result<PathBuf, Failure> {
    let directory = sources.directory.join("programs").join(file.sha256.hex());
    let path = directory.join("helm");
    let wanted = member.sha256;
    if wanted.is_some_and(|wanted| std::fs::read(&path).is_ok_and(|bytes| Digest::of(&bytes) == wanted)) {
        return Ok(path);
    }
    let url = parse_url("files.url of the lock", &file.url)?;
    let (fetched, archive) = download::to_file(sources, &url).await?;
    if fetched.sha256 != file.sha256 {
        return Err(Failure::mismatch(&file.url, file.sha256, fetched.sha256));
    }
    let disk = |source| Failure::Disk { path: path.display().to_string(), source };
    std::fs::create_dir_all(&directory).map_err(disk)?;
    let program = tempfile::NamedTempFile::new_in(&directory).map_err(disk)?;
    let copy = program.as_file().try_clone().map_err(disk)?;
    let (sha256, _) = download::member(archive, &file.url, &member.path, copy).await?;
    if let Some(wanted) = wanted.filter(|wanted| *wanted != sha256) {
        return Err(Failure::mismatch(&member.path, wanted, sha256));
    }
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    program.as_file().set_permissions(executable).map_err(disk)?;
    // Closed before it runs: a program that is still open for writing cannot be started.
    program.into_temp_path().persist(&path).map_err(|error| disk(error.error))?;
    Ok(path)
}
