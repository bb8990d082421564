//! Downloads that `resolve` has to read: what nobody publishes a sha256 of, and archives that a member is taken from.

use std::fs::File;
use std::io::{self, Write as _};

use sha2::Digest as _;
use url::Url;

use super::Failure;
use super::sources::Sources;
use crate::oci::{Digest, digest::Hasher};
use crate::source::Download;
use crate::{member, source};

/// The largest file that is downloaded, 8 GiB: k3s' own images have 1.
const MAX_FILE: u64 = 8 << 30;

/// What a download turned out to be.
pub(super) struct Fetched {
    pub(super) sha256: Digest,
    /// In lower-case hex.
    pub(super) sha512: String,
    pub(super) size: u64,
}

/// Downloads to a nameless temporary file; what breaks off is begun anew, at last somewhere else.
pub(super) async fn to_file(sources: &Sources, url: &Url) -> Result<(Fetched, File), Failure> {
    let disk = |source| Failure::Disk { path: sources.directory.display().to_string(), source };
    std::fs::create_dir_all(&sources.directory).map_err(disk)?;
    let mut failed = 0;
    loop {
        let mut file = tempfile::tempfile_in(&sources.directory).map_err(disk)?;
        let download = sources.http.open(url, None).await?;
        let detour = download.detour().cloned();
        match stream(download, url, |bytes| file.write_all(bytes).map_err(disk)).await {
            Ok(fetched) => return Ok((fetched, file)),
            Err(Failure::Source(error)) => {
                failed += 1;
                if !sources.http.try_again(failed, &error).await {
                    if !sources.http.pass_over(detour.as_ref(), &error) {
                        return Err(error.into());
                    }
                    failed = 0;
                }
            }
            Err(error) => return Err(error),
        }
    }
}

async fn stream(
    mut download: Download,
    url: &Url,
    mut write: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<Fetched, Failure> {
    let (mut sha256, mut sha512, mut size) = (Hasher::new(), sha2::Sha512::new(), 0_u64);
    while let Some(chunk) = download.chunk().await? {
        size += chunk.len() as u64;
        if size > MAX_FILE {
            return Err(source::Error::TooLarge { url: url.to_string(), limit: MAX_FILE }.into());
        }
        sha256.update(&chunk);
        sha512.update(&chunk);
        write(&chunk)?;
    }
    let sha512 = sha512.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Fetched { sha256: sha256.finish(), sha512, size })
}

/// The sha256 and size of one member of a downloaded archive, which is copied to `into`.
pub(super) async fn member(
    file: File,
    url: &str,
    path: &str,
    mut into: impl io::Write + Send + 'static,
) -> Result<(Digest, u64), Failure> {
    let failed = |problem: String| Failure::Member { url: url.to_owned(), member: path.to_owned(), problem };
    let wanted = path.to_owned();
    match tokio::task::spawn_blocking(move || member::copy(file, &wanted, &mut into)).await {
        Ok(Ok(Some(member))) => Ok((member.digest, member.size)),
        Ok(Ok(None)) => Err(failed("the archive has no such member".to_owned())),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(failed("the archive cannot be read".to_owned())),
    }
}
