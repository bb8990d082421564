//! Downloads that are not carried as they come: archives with a member to unpack, and what nobody knows the size of.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::spawn_blocking;

use super::pull::{Want, Write};
use super::{COPY, Error, Fetcher, blocking};
use crate::bundle::contents::Carried;
use crate::member;
use crate::oci::{Digest, Hasher};
use crate::plan::Download;
use crate::source::error::shown;
use crate::store::Store;

/// The most that is fetched of a download whose size nobody knows, 8 GiB.
const MAX_UNKNOWN: u64 = 8 << 30;

impl Fetcher<'_> {
    /// Finds out what is carried of a download that the lock does not tell, by fetching it to the workshop.
    pub async fn learn(&self, download: &Download) -> Result<Carried, Error> {
        match &download.member {
            Some(member) => self.unpack(download, &member.path).await,
            None => Ok(Carried { digest: download.digest, size: self.whole(download).await? }),
        }
    }

    /// Unpacks a member of an archive to the workshop.
    pub(super) async fn unpack(&self, archive: &Download, path: &str) -> Result<Carried, Error> {
        self.whole(archive).await?;
        let workshop = self.workshop()?;
        let store = Arc::clone(&self.store);
        let (digest, artifact, name) = (archive.digest, Box::new(archive.artifact.clone()), archive.source.to_string());
        let path = path.to_owned();
        blocking(spawn_blocking(move || {
            let file = find(&store, &workshop, digest)?;
            let failed = |source: io::Error| Error::Unpack {
                artifact: artifact.clone(),
                path: path.clone(),
                archive: name.clone(),
                source,
            };
            let mut temporary = workshop.temporary()?;
            let member = member::copy(file, &path, temporary.as_file_mut()).map_err(failed)?;
            let Some(member) = member else { return Err(Error::NoMember { artifact, path, archive: name }) };
            workshop.keep(temporary, member.digest)?;
            Ok(Carried { digest: member.digest, size: member.size })
        }))
        .await
    }

    /// Makes sure that the whole download is in the store or the workshop, checked, and gives its size.
    async fn whole(&self, download: &Download) -> Result<u64, Error> {
        let (workshop, digest) = (self.workshop()?, download.digest);
        let (store, there) = (Arc::clone(&self.store), Arc::clone(&workshop));
        let present = blocking(spawn_blocking(move || -> Result<_, Error> {
            for store in [&store, &there] {
                if let Some(size) = hashed(store, digest)? {
                    return Ok(Some(size));
                }
            }
            Ok(None)
        }))
        .await?;
        if let Some(size) = present {
            return Ok(size);
        }
        let mut temporary = workshop.temporary()?;
        let file = temporary.as_file_mut().try_clone().map_err(|source| Error::Cache { digest, source })?;
        let writing = Arc::new(Mutex::new((file, Hasher::new())));
        let write: Write = {
            let writing = Arc::clone(&writing);
            Arc::new(move |_, pieces| {
                // One response after another, so the bytes come in order.
                let mut writing = writing.lock().unwrap_or_else(PoisonError::into_inner);
                for piece in pieces {
                    writing.1.update(piece);
                    writing.0.write_all(piece).map_err(|source| Error::Cache { digest, source })?;
                }
                Ok(())
            })
        };
        let Download { artifact, source, size, .. } = download;
        let want = Want { artifact, source, digest, size: *size };
        let limit = size.unwrap_or(MAX_UNKNOWN);
        let first = self.open(want, 0..limit).await?;
        let origin = shown(first.url());
        let mut end = 0;
        self.pull(want, &mut end, limit, first, &write).await?;
        let found = writing.lock().unwrap_or_else(PoisonError::into_inner).1.clone().finish();
        if found != digest {
            return Err(Error::Mismatch { artifact: artifact.clone().into(), origin, expected: digest, found });
        }
        workshop.keep(temporary, digest)?;
        Ok(end)
    }

    fn workshop(&self) -> Result<Arc<Store>, Error> {
        self.workshop.as_ref().map(Arc::clone).ok_or(Error::NoPlace)
    }
}

/// The size of a stored blob whose bytes are right.
pub(super) fn hashed(store: &Store, digest: Digest) -> Result<Option<u64>, Error> {
    let Some((file, size)) = store.open_blob(digest)? else { return Ok(None) };
    match hash(file).map_err(|source| Error::Cache { digest, source })? {
        found if found == digest => Ok(Some(size)),
        _ => {
            store.remove(digest);
            Ok(None)
        }
    }
}

fn hash(mut file: File) -> io::Result<Digest> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; COPY];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            n => hasher.update(&buffer[..n]),
        }
    }
}

fn find(store: &Store, workshop: &Store, digest: Digest) -> Result<File, Error> {
    for store in [store, workshop] {
        if let Some((file, _)) = store.open_blob(digest)? {
            return Ok(file);
        }
    }
    Err(Error::Cache { digest, source: io::ErrorKind::NotFound.into() })
}
