//! Blobs on their way to a registry: each is asked for, mounted or sent, and hashed while it is sent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};

use super::report::Blobs;
use super::{Error, failed};
use crate::bundle::read;
use crate::bundle::set::{self, Set};
use crate::event::{Event, Reporter};
use crate::oci::{Digest, Hasher};
use crate::source::registry::upload::{Begun, Repository, Upload};
use crate::source::{self, Http, Registry};

/// How much is read and sent at once, 256 KiB: an upload holds four of them.
const PIECE: u64 = 256 << 10;
/// Pieces that wait to be sent.
const WAITING: usize = 2;
/// A blob up to this size is sent in one request, 512 KiB: configurations and small layers.
const SMALL: u64 = 512 << 10;

/// How often the token of one blob is renewed in the middle of it; a registry that wants it more often takes none.
const MAX_RENEWALS: u32 = 3;

/// Where the bytes of a blob are.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// In a bundle.
    Held(set::Blob),
    /// They were made here.
    Made(Bytes),
}

/// A blob that a manifest wants.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) digest: Digest,
    pub(super) size: u64,
    /// None where no bundle holds it.
    pub(super) content: Option<Content>,
}

/// The blobs of one push.
pub(super) struct Sender {
    set: Arc<Set>,
    http: Http,
    registry: Registry,
    reporter: Arc<dyn Reporter>,
    /// The repositories that have a blob; whoever holds its lock is seeing to it.
    places: Mutex<HashMap<Digest, Place>>,
    uploads: Semaphore,
    done: Mutex<Blobs>,
    dry_run: bool,
}

type Place = Arc<tokio::sync::Mutex<Vec<String>>>;

/// Why one attempt ended.
enum Failure {
    Source(source::Error),
    Final(Error),
}

impl From<source::Error> for Failure {
    fn from(error: source::Error) -> Self {
        Self::Source(error)
    }
}

impl Sender {
    pub(super) fn new(set: Arc<Set>, http: Http, reporter: Arc<dyn Reporter>, uploads: usize, dry_run: bool) -> Self {
        let registry = Registry::new(http.clone());
        let (places, uploads, done) = (Mutex::default(), Semaphore::new(uploads), Mutex::default());
        Self { set, http, registry, reporter, places, uploads, done, dry_run }
    }

    /// What became of the blobs so far.
    pub(super) fn done(&self) -> Blobs {
        *self.counts()
    }

    /// Notes that a repository has a blob.
    pub(super) async fn has(&self, repository: &Repository, digest: Digest) {
        note(&mut *self.place(digest).lock().await, repository);
    }

    /// Sees to it that a repository has a blob.
    pub(super) async fn bring(&self, what: &str, repository: &Repository, wanted: &Wanted) -> Result<(), Error> {
        let place = self.place(wanted.digest);
        let mut repositories = place.lock().await;
        if repositories.contains(&repository.name) {
            return Ok(());
        }
        let first = repositories.is_empty();
        let failed = failed(what);
        if self.registry.has_blob(repository, wanted.digest).await.map_err(failed)? {
            self.counts().present += 1;
            if first {
                self.reporter.report(Event::Bytes(wanted.size));
            }
        } else if self.dry_run {
            // The first of its repositories gets the bytes, the others mount it.
            let mut counts = self.counts();
            if first {
                counts.sent += 1;
                counts.bytes += wanted.size;
            } else {
                counts.mounted += 1;
            }
        } else if wanted.content.is_none() {
            return Err(Error::Absent { what: what.to_owned(), digest: wanted.digest });
        } else {
            self.send(what, repository, wanted, repositories.first().map(String::as_str)).await?;
        }
        note(&mut repositories, repository);
        Ok(())
    }

    fn place(&self, digest: Digest) -> Place {
        Arc::clone(self.places.lock().unwrap_or_else(PoisonError::into_inner).entry(digest).or_default())
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Blobs> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(
        &self,
        what: &str,
        repository: &Repository,
        wanted: &Wanted,
        from: Option<&str>,
    ) -> Result<(), Error> {
        let mut sending = Sending { sender: self, what, repository, wanted, from, upload: None, told: 0, renewed: 0 };
        let mut failures = 0;
        loop {
            let error = match sending.attempt().await {
                Ok(true) => return Ok(()),
                Ok(false) => continue,
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Source(error)) => error,
            };
            failures += 1;
            let lost = failed(what);
            if !self.http.try_again(failures, &error).await {
                sending.cancel().await;
                return Err(lost(error));
            }
            // It may be the answer that was lost, not the blob.
            if self.registry.has_blob(repository, wanted.digest).await.map_err(lost)? {
                sending.sent();
                return Ok(());
            }
        }
    }
}

fn note(repositories: &mut Vec<String>, repository: &Repository) {
    if !repositories.contains(&repository.name) {
        repositories.push(repository.name.clone());
    }
}

/// One blob that is sent, over as many attempts as it takes.
struct Sending<'a> {
    sender: &'a Sender,
    what: &'a str,
    repository: &'a Repository,
    wanted: &'a Wanted,
    /// A repository that has it.
    from: Option<&'a str>,
    /// What an earlier attempt began.
    upload: Option<Upload>,
    /// How many of its bytes were told to the reporter.
    told: u64,
    /// How often the token was renewed in the middle.
    renewed: u32,
}

impl Sending<'_> {
    /// Sends what the registry has not; `false` where that has to be done again at once, with a new token.
    async fn attempt(&mut self) -> Result<bool, Failure> {
        let registry = &self.sender.registry;
        let (mut upload, at) = match self.resumed().await {
            Some(resumed) => resumed,
            None => match registry.begin(self.repository, self.wanted.digest, self.from).await? {
                Begun::Mounted => {
                    self.sender.counts().mounted += 1;
                    return Ok(true);
                }
                Begun::Upload(upload) => (upload, 0),
            },
        };
        let _permit = self.sender.uploads.acquire().await;
        let rest = if self.wanted.size <= SMALL {
            self.upload = Some(upload.clone());
            let (bytes, found) = self.whole().await.map_err(Failure::Final)?;
            self.check(found).await?;
            bytes
        } else {
            if !self.stream(&mut upload, at).await? {
                self.renewed += 1;
                return Ok(false);
            }
            Bytes::new()
        };
        registry.finish(&upload, self.wanted.digest, self.wanted.size, rest).await?;
        self.sent();
        Ok(true)
    }

    /// Where an earlier attempt can go on, if the registry kept what it got.
    async fn resumed(&mut self) -> Option<(Upload, u64)> {
        let mut upload = self.upload.take()?;
        let received = self.sender.registry.received(&mut upload).await;
        if let Ok(Some(at)) = received
            && at < self.wanted.size
            && self.wanted.size > SMALL
        {
            return Some((upload, at));
        }
        self.sender.registry.cancel(&upload).await;
        None
    }

    /// Sends the bytes from `at` on, and knows at their end whether all of them were the right ones.
    async fn stream(&mut self, upload: &mut Upload, at: u64) -> Result<bool, Failure> {
        self.tell(at);
        let (sender, receiver) = mpsc::channel(WAITING);
        let (set, content) = (Arc::clone(&self.sender.set), self.wanted.content.clone());
        let (reporter, size) = (Arc::clone(&self.sender.reporter), self.wanted.size);
        let reading = tokio::task::spawn_blocking(move || {
            let mut told = at;
            let found = pieces(&set, content.as_ref(), size, |start, piece| {
                let known = usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX).min(piece.len());
                let new = piece.slice(known..);
                told += new.len() as u64;
                reporter.report(Event::Bytes(new.len() as u64));
                new.is_empty() || sender.blocking_send(new).is_ok()
            });
            (found, told)
        });
        let last = self.renewed == MAX_RENEWALS;
        let taken = self.sender.registry.append(upload, at..size, receiver, last).await;
        self.upload = Some(upload.clone());
        let (found, told) = reading.await.map_err(|_| Failure::Final(Error::Interrupted))?;
        self.told = told;
        // Why the bytes ended is worth more than that they did.
        let unreadable = |source| Failure::Final(Error::Read { what: self.what.to_owned(), source });
        if let Some(found) = found.map_err(unreadable)? {
            self.check(found).await?;
        }
        Ok(taken?)
    }

    async fn whole(&self) -> Result<(Bytes, Digest), Error> {
        let (set, content) = (Arc::clone(&self.sender.set), self.wanted.content.clone());
        let size = self.wanted.size;
        let reading = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            let found = pieces(&set, content.as_ref(), size, |_, piece| {
                bytes.extend_from_slice(&piece);
                true
            });
            found.map(|found| (Bytes::from(bytes), found))
        });
        match reading.await.map_err(|_| Error::Interrupted)? {
            Ok((bytes, Some(found))) => Ok((bytes, found)),
            Ok((_, None)) => Err(Error::Interrupted),
            Err(source) => Err(Error::Read { what: self.what.to_owned(), source }),
        }
    }

    /// Ends the upload of bytes that are not the right ones.
    async fn check(&mut self, found: Digest) -> Result<(), Failure> {
        if found == self.wanted.digest {
            return Ok(());
        }
        self.cancel().await;
        let (path, member) = match &self.wanted.content {
            Some(Content::Held(blob)) => {
                let bundle = &self.sender.set.bundles()[blob.bundle].bundle;
                (bundle.path().to_owned(), bundle.members()[blob.member].path.clone())
            }
            _ => Default::default(),
        };
        Err(Failure::Final(Error::Damaged { what: self.what.to_owned(), path, member, found }))
    }

    async fn cancel(&mut self) {
        if let Some(upload) = self.upload.take() {
            self.sender.registry.cancel(&upload).await;
        }
    }

    /// Corrects what the reporter was told.
    fn tell(&mut self, at: u64) {
        match self.told.checked_sub(at) {
            Some(0) => {}
            Some(again) => self.sender.reporter.report(Event::Again(again)),
            None => self.sender.reporter.report(Event::Bytes(at - self.told)),
        }
        self.told = at;
    }

    fn sent(&mut self) {
        self.tell(self.wanted.size);
        let mut counts = self.sender.counts();
        counts.sent += 1;
        counts.bytes += self.wanted.size;
    }
}

/// Reads a blob piece by piece until `each` says that it is enough; gives the digest of a blob that was read to its end.
fn pieces(
    set: &Set,
    content: Option<&Content>,
    size: u64,
    mut each: impl FnMut(u64, Bytes) -> bool,
) -> Result<Option<Digest>, read::Error> {
    let mut hasher = Hasher::new();
    let mut at = 0;
    while at < size {
        let length = PIECE.min(size - at);
        let piece = match content {
            Some(Content::Held(blob)) => {
                let mut piece = vec![0; length as usize];
                set.read_at(*blob, at, &mut piece)?;
                Bytes::from(piece)
            }
            Some(Content::Made(bytes)) => bytes.slice(at as usize..(at + length) as usize),
            None => return Ok(None),
        };
        hasher.update(&piece);
        if !each(at, piece) {
            return Ok(None);
        }
        at += length;
    }
    Ok(Some(hasher.finish()))
}
