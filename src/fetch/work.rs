//! One worker's steps: begin a blob, pull a segment of it, end it.

use std::io::Read as _;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::header::CONTENT_RANGE;
use tokio::task::spawn_blocking;

use super::earlier::Taken;
use super::error::THE_STORE;
use super::pull::{Want, Write};
use super::queue::Queue;
use super::transfer::{Sink, Transfer};
use super::workshop::hashed;
use super::{COPY, Error, Fetcher, Found, Task, blocking};
use crate::bundle::write::Slot;
use crate::event::Event;
use crate::oci::{Digest, Hasher};
use crate::plan::{Blob, Source};
use crate::source::Download;
use crate::source::error::shown;
use crate::store::{SEGMENT, Store};

/// What a worker takes from the queue.
pub(super) enum Work {
    /// A whole blob.
    Begin,
    /// A segment of a blob that is under way.
    Segment {
        transfer: Arc<Transfer>,
        /// The number of the source that answered.
        source: usize,
        range: Range<u64>,
    },
}

/// How a blob came out of the store.
enum Stored {
    Absent,
    Damaged,
    /// The right bytes, but so many and not as many as they should be: whoever says that is wrong.
    OtherSize(u64),
    Copied,
}

impl Fetcher<'_> {
    /// Does one piece of work; `true` when it completed its blob.
    pub(super) async fn work(
        &self,
        queue: &Queue<Work>,
        number: usize,
        task: &Task,
        work: Work,
    ) -> Result<bool, Error> {
        let blob = &task.job.blob;
        let transfer = match work {
            Work::Segment { transfer, source, range } => {
                self.pull_range(blob, source, range, None, &transfer).await?;
                transfer
            }
            Work::Begin => {
                let fresh = task.fresh.load(Ordering::Relaxed);
                if !fresh && (self.left_behind(task).await? || self.copy_stored(task).await? || self.take(task).await?)
                {
                    return Ok(true);
                }
                match self.begin(queue, number, task).await? {
                    Some(transfer) => transfer,
                    None => return Ok(true),
                }
            }
        };
        match transfer.claim() {
            Some(found) => self.end(queue, number, task, transfer, found).await,
            None => Ok(false),
        }
    }

    /// Whether a killed run left the blob at its places in the archive, where it is hashed.
    async fn left_behind(&self, task: &Task) -> Result<bool, Error> {
        let slots = task.job.slots.clone();
        let left = blocking(spawn_blocking(move || -> Result<_, Error> {
            for slot in &slots {
                if !slot.take_over()? {
                    return Ok(false);
                }
            }
            Ok(true)
        }));
        let left = left.await?;
        if left {
            self.reporter.report(Event::Bytes(task.job.blob.size));
        }
        Ok(left)
    }

    /// Copies a blob from an earlier bundle, hashed on the way.
    async fn take(&self, task: &Task) -> Result<bool, Error> {
        let (digest, size) = (task.job.blob.digest, task.job.blob.size);
        for earlier in &self.earlier {
            let (earlier, slots) = (Arc::clone(earlier), task.job.slots.clone());
            match blocking(spawn_blocking(move || earlier.copy(digest, size, &slots))).await? {
                Taken::Copied => {
                    self.reporter.report(Event::Bytes(size));
                    return Ok(true);
                }
                Taken::Damaged(path) => {
                    let text = format!("{digest} is damaged in `{}` and is fetched again", path.display());
                    self.reporter.report(Event::Warning(&text));
                }
                Taken::Absent => {}
            }
        }
        Ok(false)
    }

    /// Copies a blob from the store or the workshop, hashed on the way.
    async fn copy_stored(&self, task: &Task) -> Result<bool, Error> {
        let (digest, size) = (task.job.blob.digest, task.job.blob.size);
        let workshop = self.workshop.iter().filter(|workshop| !Arc::ptr_eq(workshop, &self.store));
        for store in std::iter::once(&self.store).chain(workshop) {
            let (store, slots) = (Arc::clone(store), task.job.slots.clone());
            let copied = self.threads.run(move || copy(&store, digest, size, &slots)).await?;
            match copied {
                Stored::OtherSize(found) => {
                    let (artifact, origin) = (Box::new(task.job.blob.artifacts[0].clone()), THE_STORE.to_owned());
                    return Err(Error::Size { artifact, origin, digest, expected: size, found: Found::Exactly(found) });
                }
                Stored::Copied => {
                    self.reporter.report(Event::Bytes(size));
                    return Ok(true);
                }
                Stored::Damaged => {
                    let text = format!("{digest} was damaged in the store and is fetched again");
                    self.reporter.report(Event::Warning(&text));
                }
                Stored::Absent => {}
            }
        }
        Ok(false)
    }

    /// Begins a blob over the network with the first source that answers; `None` when that completed it.
    ///
    /// Only when a server honours ranges do the other workers get segments; else this one takes the whole.
    async fn begin(&self, queue: &Queue<Work>, number: usize, task: &Task) -> Result<Option<Arc<Transfer>>, Error> {
        let blob = &task.job.blob;
        let mut failure = None;
        for (source, from) in blob.sources.iter().enumerate() {
            if let Source::Member { archive, path } = from {
                let carried = self.unpack(archive, path).await?;
                if carried.digest != blob.digest {
                    return Err(Error::Mismatch {
                        artifact: blob.artifacts[0].clone().into(),
                        origin: from.to_string(),
                        expected: blob.digest,
                        found: carried.digest,
                    });
                }
                // With the right digest, a wrong size is the lock's, and found here.
                return match self.copy_stored(task).await? {
                    true => Ok(None),
                    false => Err(Error::NoPlace),
                };
            }
            match self.transfer(queue, number, task, source).await? {
                Ok(transfer) => return Ok(Some(transfer)),
                // Another repository may have it; what is wrong with bytes or disk stays wrong.
                Err(error @ Error::Source { .. }) if source + 1 < blob.sources.len() => {
                    self.reporter.report(Event::Detail(&format!("{error}; asking {}", blob.sources[source + 1])));
                    failure.get_or_insert(error);
                }
                Err(error) => return Err(failure.unwrap_or(error)),
            }
        }
        Err(failure.unwrap_or(Error::NoPlace))
    }

    /// Pulls the first missing segment of a blob, after giving the others away.
    ///
    /// The inner error is that of a source that did not answer: nothing is under way, and another may be asked.
    async fn transfer(
        &self,
        queue: &Queue<Work>,
        number: usize,
        task: &Task,
        source: usize,
    ) -> Result<Result<Arc<Transfer>, Error>, Error> {
        let blob = &task.job.blob;
        let want = want(blob, &blob.sources[source]);
        let (digest, size, fresh) = (blob.digest, blob.size, task.fresh.load(Ordering::Relaxed));
        let partial = if self.keep {
            let store = Arc::clone(&self.store);
            blocking(spawn_blocking(move || -> Result<_, Error> {
                let partial = store.partial(digest, size)?;
                if let (true, Some(partial)) = (fresh, &partial) {
                    partial.reset()?;
                }
                Ok(partial)
            }))
            .await?
        } else {
            None
        };
        let mut arrived = partial.as_ref().map(|partial| partial.arrived()).unwrap_or_default();
        let mut missing = segments(size, &arrived);
        if missing.is_empty() {
            let transfer = Arc::new(Transfer::new(size, Sink { slots: task.job.slots.clone(), partial }));
            self.take_over(&transfer, arrived).await?;
            return Ok(Ok(transfer));
        }
        let first = match self.open(want, missing[0].clone()).await {
            Ok(first) => first,
            Err(error) => {
                if let (Error::Size { .. }, Some(partial)) = (&error, &partial) {
                    partial.discard();
                }
                return Ok(Err(error));
            }
        };
        if !first.headers().contains_key(CONTENT_RANGE) {
            // The server sends the whole in one go: nothing that is here already may be written a second time
            // after it was hashed, so it is not taken over.
            arrived.clear();
            missing = std::iter::once(0..size).collect();
        }
        let transfer = Arc::new(Transfer::new(size, Sink { slots: task.job.slots.clone(), partial }));
        if !arrived.is_empty() {
            transfer.resume();
        }
        self.take_over(&transfer, arrived).await?;
        let range = missing.remove(0);
        for range in missing {
            let key = (number, range.start);
            queue.add(key, Work::Segment { transfer: Arc::clone(&transfer), source, range });
        }
        self.pull_range(blob, source, range, Some(first), &transfer).await?;
        Ok(Ok(transfer))
    }

    /// Pulls a range from a source, and when that fails, what is missing of it from the next.
    async fn pull_range(
        &self,
        blob: &Blob,
        source: usize,
        range: Range<u64>,
        mut first: Option<Download>,
        transfer: &Arc<Transfer>,
    ) -> Result<(), Error> {
        let write = write_to(transfer);
        let mut at = range.start;
        let mut failure = None;
        for from in blob.sources.iter().skip(source).filter(|from| !matches!(from, Source::Member { .. })) {
            let want = want(blob, from);
            if let Some(error) = &failure {
                self.reporter.report(Event::Detail(&format!("{error}; asking {from}")));
            }
            let once = async {
                let download = match first.take() {
                    Some(download) => download,
                    None => self.open(want, at..range.end).await?,
                };
                transfer.came_from(shown(download.url()));
                self.pull(want, &mut at, range.end, download, &write).await
            };
            match once.await {
                Ok(()) => return Ok(()),
                Err(error @ Error::Source { .. }) => drop(failure.get_or_insert(error)),
                Err(error) => {
                    // What has another length has other bytes too.
                    if let (Error::Size { .. }, Some(partial)) = (&error, &transfer.sink.partial) {
                        partial.discard();
                    }
                    return Err(error);
                }
            }
        }
        Err(failure.unwrap_or(Error::NoPlace))
    }

    async fn take_over(&self, transfer: &Arc<Transfer>, arrived: Vec<Range<u64>>) -> Result<(), Error> {
        if transfer.size == 0 {
            return transfer.write(0, &[]);
        }
        for range in arrived {
            let (length, transfer) = (range.end - range.start, Arc::clone(transfer));
            self.threads.run(move || transfer.take_over(range)).await?;
            self.reporter.report(Event::Bytes(length));
        }
        Ok(())
    }

    /// Checks a blob that has arrived whole, and publishes it in the store; `false` when it begins anew.
    async fn end(
        &self,
        queue: &Queue<Work>,
        number: usize,
        task: &Task,
        transfer: Arc<Transfer>,
        found: Digest,
    ) -> Result<bool, Error> {
        let blob = &task.job.blob;
        if found == blob.digest {
            blocking(spawn_blocking(move || {
                transfer.sink.partial.as_ref().map_or(Ok(()), |partial| partial.publish())
            }))
            .await?;
            return Ok(true);
        }
        if let Some(partial) = &transfer.sink.partial {
            partial.discard();
        }
        if transfer.was_resumed() && !task.fresh.swap(true, Ordering::Relaxed) {
            let text = format!("what an earlier run left of {} is damaged; it is fetched again", blob.artifacts[0]);
            self.reporter.report(Event::Warning(&text));
            self.reporter.report(Event::Again(blob.size));
            queue.add((number, 0), Work::Begin);
            return Ok(false);
        }
        Err(Error::Mismatch {
            artifact: blob.artifacts[0].clone().into(),
            origin: transfer.origin(),
            expected: blob.digest,
            found,
        })
    }
}

fn want<'a>(blob: &'a Blob, source: &'a Source) -> Want<'a> {
    Want { artifact: &blob.artifacts[0], source, digest: blob.digest, size: Some(blob.size) }
}

fn write_to(transfer: &Arc<Transfer>) -> Write {
    let transfer = Arc::clone(transfer);
    Arc::new(move |offset, pieces| transfer.write(offset, pieces))
}

/// The segments of a blob without what is there of each already.
pub(super) fn segments(size: u64, arrived: &[Range<u64>]) -> Vec<Range<u64>> {
    let starts = (0..size.div_ceil(SEGMENT)).map(|index| index * SEGMENT);
    let whole = starts.map(|start| start..(start + SEGMENT).min(size));
    let missing = whole.map(|segment| {
        let there = arrived.iter().find(|range| range.start == segment.start);
        there.map_or(segment.start, |range| range.end)..segment.end
    });
    missing.filter(|range| !range.is_empty()).collect()
}

/// Copies a stored blob to its places, hashing what is copied.
fn copy(store: &Store, digest: Digest, size: u64, slots: &[Slot]) -> Result<Stored, Error> {
    let Some((mut file, length)) = store.open_blob(digest)? else { return Ok(Stored::Absent) };
    let mut hasher = Hasher::new();
    let mut at = 0;
    if length == size {
        let mut buffer = vec![0; usize::try_from(size).map_or(COPY, |size| size.min(COPY))];
        while at < size {
            let wanted = usize::try_from(size - at).map_or(COPY, |left| left.min(COPY));
            let n = file.read(&mut buffer[..wanted]).map_err(|source| Error::Cache { digest, source })?;
            if n == 0 {
                break;
            }
            hasher.update(&buffer[..n]);
            for slot in slots {
                slot.write_at(at, &buffer[..n])?;
            }
            at += n as u64;
        }
    }
    if at == size && hasher.finish() == digest {
        return Ok(Stored::Copied);
    }
    if length != size && hashed(store, digest)?.is_some() {
        return Ok(Stored::OtherSize(length));
    }
    store.remove(digest);
    Ok(Stored::Damaged)
}
