//! Bounded, resumable workers that move blobs to their place: from the store, else over the network.
//!
//! Sockets are read in one async task; writing and hashing happen on threads that may block, in batches.
//! Blobs are begun in the order of the archive, and a large one is cut into segments that several workers take.

mod earlier;
mod error;
mod pull;
mod queue;
#[cfg(test)]
mod tests;
mod transfer;
mod work;
mod workshop;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::try_join_all;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, spawn_blocking};

pub use earlier::Earlier;
pub use error::{Error, Found};

use self::queue::Queue;
use self::work::Work;
use crate::bundle::write::Slot;
use crate::event::{Event, Reporter};
use crate::plan::{Artifact, Blob};
use crate::source::{Http, Registry};
use crate::store::Store;

/// How much is read at once from the store, 256 KiB: it is hashed and written while it is in the processor's cache.
const COPY: usize = 256 << 10;

/// Moves blobs.
pub struct Fetcher<'a> {
    /// The client for URLs.
    pub http: Http,
    /// The client for registries.
    pub registry: Registry,
    /// Where blobs are looked for first.
    pub store: Arc<Store>,
    /// Bundles that are asked before the network.
    pub earlier: Vec<Arc<Earlier>>,
    /// Whether what is fetched is also kept in the store.
    pub keep: bool,
    /// Where archives are unpacked: the store when it is filled, else a place for this run alone.
    pub workshop: Option<Arc<Store>>,
    /// Is told of bytes and finished artifacts.
    pub reporter: &'a dyn Reporter,
    /// How many blobs or segments are moved at once.
    pub jobs: usize,
    /// How many bytes came over the network.
    pub fetched: AtomicU64,
    /// Room for threads that write and hash.
    pub threads: Threads,
}

/// Bounds the threads that write and hash, whatever the number of connections.
///
/// One more than there are cores, so that all cores work while one thread waits for the disk. More gain nothing:
/// a file is written by one thread at a time, and the others spend their core on waiting for it.
#[derive(Clone, Debug)]
pub struct Threads(Arc<Semaphore>);

impl Default for Threads {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self(Arc::new(Semaphore::new(cores + 1)))
    }
}

impl Threads {
    /// Starts `work` on a thread once there is room; it begins though nobody waits for it.
    async fn start<T, E>(&self, work: impl FnOnce() -> Result<T, E> + Send + 'static) -> JoinHandle<Result<T, E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        // Nobody closes the semaphore.
        let permit = Arc::clone(&self.0).acquire_owned().await;
        spawn_blocking(move || {
            let _permit = permit;
            work()
        })
    }

    /// Does `work` on a thread.
    async fn run<T, E>(&self, work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        blocking(self.start(work).await).await
    }
}

/// A blob and its places in the archive.
#[derive(Debug)]
pub struct Job {
    /// What to get.
    pub blob: Blob,
    /// Where to write it.
    pub slots: Vec<Slot>,
}

/// A job that is being done.
struct Task {
    job: Job,
    /// What an earlier run left of it turned out wrong, so it begins with nothing.
    fresh: AtomicBool,
}

impl Fetcher<'_> {
    /// Moves all blobs; the first failure stops the rest, and what has arrived stays in the store for the next run.
    ///
    /// `jobs` come in the order of the archive.
    pub async fn run(&self, jobs: Vec<Job>) -> Result<(), Error> {
        let mut open: BTreeMap<Artifact, usize> = BTreeMap::new();
        for artifact in jobs.iter().flat_map(|job| &job.blob.artifacts) {
            *open.entry(artifact.clone()).or_default() += 1;
        }
        let bytes = jobs.iter().fold(0_u64, |sum, job| sum.saturating_add(job.blob.size));
        self.reporter.report(Event::Total { bytes, items: open.len() as u64 });
        let open = Mutex::new(open);
        let tasks: Vec<_> = jobs.into_iter().map(|job| Task { job, fresh: AtomicBool::new(false) }).collect();
        let queue = Queue::new((0..tasks.len()).map(|number| ((number, 0), Work::Begin)));
        let workers = (0..self.jobs.max(1)).map(|_| async {
            while let Some((number, work)) = queue.next().await {
                let task = &tasks[number];
                if self.work(&queue, number, task, work).await? {
                    self.finished(&task.job.blob, &open);
                }
                queue.done();
            }
            Ok(())
        });
        try_join_all(workers).await.map(drop)
    }

    fn finished(&self, blob: &Blob, open: &Mutex<BTreeMap<Artifact, usize>>) {
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        for artifact in &blob.artifacts {
            let Some(left) = open.get_mut(artifact) else { continue };
            *left -= 1;
            if *left == 0 {
                self.reporter.report(Event::Item(&artifact.to_string()));
            }
        }
    }

    fn count(&self, bytes: u64) {
        self.fetched.fetch_add(bytes, Ordering::Relaxed);
        self.reporter.report(Event::Bytes(bytes));
    }
}

/// The result of a thread that may block; its panic is ours.
pub(crate) async fn blocking<T, E>(task: JoinHandle<Result<T, E>>) -> Result<T, E> {
    match task.await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Cancelled: the runtime is shutting down, and this future with it.
            Err(_) => std::future::pending().await,
        },
    }
}
