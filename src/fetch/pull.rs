//! Pulling a range of bytes from a source: batches go to a thread that may block, and a broken transfer goes on
//! where it was.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_RANGE;
use tokio::task::JoinHandle;

use super::{Error, Fetcher, Found, Threads, blocking};
use crate::oci::Digest;
use crate::plan::{Artifact, Source};
use crate::source::error::shown;
use crate::source::{self, Download};

/// How much is gathered before it goes to another thread, 256 KiB: the switch then costs nothing,
/// and sixteen connections hold 8 MiB.
const BATCH: usize = 256 << 10;
/// What an attempt has to bring so that the earlier failures are forgotten, 64 KiB: a server that cuts off
/// after fewer bytes makes no headway.
const HEADWAY: u64 = 64 << 10;
/// How often a body may end early without an error before its length is believed.
const EARLY_ENDS: u32 = 3;

/// What is pulled and where from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want<'a> {
    pub(super) artifact: &'a Artifact,
    pub(super) source: &'a Source,
    pub(super) digest: Digest,
    /// The size of the whole; unknown only in a lock seeded by hand.
    pub(super) size: Option<u64>,
}

/// Takes bytes at an offset; blocks.
pub(super) type Write = Arc<dyn Fn(u64, &[Bytes]) -> Result<(), Error> + Send + Sync>;

/// What came out of one response.
struct Drained {
    /// How far the bytes were written.
    at: u64,
    /// The failure that ended the response; `None` when it ended by itself or enough was read.
    failure: Option<source::Error>,
}

impl Fetcher<'_> {
    /// Opens `range`; the response may begin at 0 all the same.
    pub(super) async fn open(&self, want: Want<'_>, range: Range<u64>) -> Result<Download, Error> {
        let whole = range.start == 0 && range.end >= want.size.unwrap_or(u64::MAX);
        let mut opened = self.ask(want, (!whole).then_some(range.clone())).await;
        let refused = |opened: &Result<_, source::Error>| {
            let error = opened.as_ref().err();
            want.size.is_some() && error.and_then(source::Error::status) == Some(StatusCode::RANGE_NOT_SATISFIABLE)
        };
        if refused(&opened) && !whole {
            // A server that has the whole may still refuse to give a part of it.
            opened = self.ask(want, None).await;
        }
        if refused(&opened) {
            return Err(want.wrong_size(want.source, Found::Less(range.start + 1)));
        }
        let download = opened.map_err(|source| Error::Source { artifact: want.artifact.clone().into(), source })?;
        if let (Some(total), Some(size)) = (download.total(), want.size)
            && total != size
        {
            return Err(want.wrong_size(&shown(download.url()), Found::Exactly(total)));
        }
        Ok(download)
    }

    async fn ask(&self, want: Want<'_>, range: Option<Range<u64>>) -> Result<Download, source::Error> {
        match want.source {
            Source::Registry(reference) => self.registry.open_blob(reference, &want.digest, range).await,
            Source::Url(url) => self.http.open(url, range).await,
            Source::Member { .. } => Err(source::Error::NoMirror { url: want.source.to_string() }),
        }
    }

    /// Pulls what is missing up to `end`, beginning with a response that is already open; `at` follows what is written.
    pub(super) async fn pull(
        &self,
        want: Want<'_>,
        at: &mut u64,
        end: u64,
        first: Download,
        write: &Write,
    ) -> Result<(), Error> {
        let mut download = first;
        let (mut failed, mut early) = (0, 0);
        loop {
            let total = download.total();
            let drained = self.drain(want, &mut download, *at..end, write).await?;
            let (origin, detour) = (shown(download.url()), download.detour().cloned());
            drop(download);
            let progress = drained.at - *at;
            *at = drained.at;
            if *at >= end {
                return Ok(());
            }
            match drained.failure {
                Some(error) => {
                    failed = if progress >= HEADWAY { 1 } else { failed + 1 };
                    if !self.http.try_again(failed, &error).await {
                        if !self.http.pass_over(detour.as_ref(), &error) {
                            return Err(Error::Source { artifact: want.artifact.clone().into(), source: error });
                        }
                        failed = 0;
                    }
                }
                // Without a known size, the end of the body is the end, unless the server announced more.
                None if want.size.is_none() && total.is_none_or(|total| *at >= total) => return Ok(()),
                None => {
                    early = if progress >= HEADWAY { 1 } else { early + 1 };
                    if early > EARLY_ENDS {
                        return Err(want.wrong_size(&origin, Found::Less(*at + 1)));
                    }
                }
            }
            download = self.open(want, *at..end).await?;
        }
    }

    /// Reads one response up to the end of `range`, and passes over what lies before its start.
    async fn drain(
        &self,
        want: Want<'_>,
        download: &mut Download,
        range: Range<u64>,
        write: &Write,
    ) -> Result<Drained, Error> {
        let mut skip = range.start - download.offset().min(range.start);
        let mut read = range.start;
        let mut batch = Batch { at: read, pieces: Vec::new(), length: 0, writing: None, threads: &self.threads };
        let failure = loop {
            if read >= range.end {
                break None;
            }
            let mut chunk = match download.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break None,
                Err(error) => break Some(error),
            };
            let passed = usize::try_from(skip).map_or(chunk.len(), |skip| skip.min(chunk.len()));
            skip -= passed as u64;
            drop(chunk.split_to(passed));
            if chunk.len() as u64 > range.end - read {
                if want.size == Some(range.end) {
                    return Err(want.wrong_size(&shown(download.url()), Found::More(range.end)));
                }
                chunk.truncate(usize::try_from(range.end - read).unwrap_or(usize::MAX));
            }
            read += chunk.len() as u64;
            self.count(chunk.len() as u64);
            batch.push(chunk, write).await?;
        };
        batch.flush(write).await?;
        batch.wait().await?;
        // A body of unannounced length could still go on.
        if failure.is_none()
            && want.size == Some(read)
            && download.total().is_none()
            && !download.headers().contains_key(CONTENT_RANGE)
            && matches!(download.chunk().await, Ok(Some(more)) if !more.is_empty())
        {
            return Err(want.wrong_size(&shown(download.url()), Found::More(read)));
        }
        Ok(Drained { at: read, failure })
    }
}

impl Want<'_> {
    fn wrong_size(&self, origin: &(impl ToString + ?Sized), found: Found) -> Error {
        Error::Size {
            artifact: self.artifact.clone().into(),
            origin: origin.to_string(),
            digest: self.digest,
            expected: self.size.unwrap_or_default(),
            found,
        }
    }
}

/// Bytes that are gathered while the ones before them are written.
struct Batch<'a> {
    at: u64,
    pieces: Vec<Bytes>,
    length: usize,
    writing: Option<JoinHandle<Result<(), Error>>>,
    threads: &'a Threads,
}

impl Batch<'_> {
    async fn push(&mut self, piece: Bytes, write: &Write) -> Result<(), Error> {
        if piece.is_empty() {
            return Ok(());
        }
        self.length += piece.len();
        self.pieces.push(piece);
        if self.length >= BATCH { self.flush(write).await } else { Ok(()) }
    }

    /// Hands over what was gathered, after the batch before it is written.
    async fn flush(&mut self, write: &Write) -> Result<(), Error> {
        self.wait().await?;
        if self.length > 0 {
            let (at, pieces, write) = (self.at, std::mem::take(&mut self.pieces), Arc::clone(write));
            self.at += self.length as u64;
            self.length = 0;
            self.writing = Some(self.threads.start(move || write(at, &pieces)).await);
        }
        Ok(())
    }

    async fn wait(&mut self) -> Result<(), Error> {
        match self.writing.take() {
            Some(writing) => blocking(writing).await,
            None => Ok(()),
        }
    }
}
