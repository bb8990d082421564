//! A blob into containerd's content store: asked where it stands, sent from there, committed under its digest.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::uri::PathAndQuery;
use tokio::sync::mpsc;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

use super::api::{Labels, WriteRequest, WriteResponse, action};
use super::client::Client;
use crate::bundle::set::{Blob, Set};
use crate::bundle::{read, set};
use crate::event::{Event, Reporter};
use crate::load::Error;
use crate::oci::{Digest, Hasher, Reference};

/// How much is sent at once, 256 KiB: large enough for the calls not to count, well below containerd's 16 MiB. Of each
/// blob half a dozen are in memory: read, waiting, encoded and in the connection.
const CHUNK: u64 = 256 << 10;
/// How many chunks of a blob may wait to be sent, so that the disk and the socket work at the same time.
const WAITING: usize = 2;
/// How often a blob that somebody else is sending is asked for again, and after how long: 30 s in all.
const LOCKED: (u32, Duration) = (120, Duration::from_millis(250));

/// Where the bytes of a blob come from.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// They are here.
    Bytes(Bytes),
    /// A bundle has them.
    Bundle(Arc<Set>, Blob),
}

/// A blob to be sent.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) digest: Digest,
    pub(super) content: Content,
    pub(super) labels: Labels,
    /// The image that it is part of, for messages.
    pub(super) reference: Reference,
}

/// How one attempt failed.
enum Fault {
    /// containerd said no; whether bytes of an earlier run were built upon.
    Call(Status, bool),
    /// The bundle cannot be read.
    Read(read::Error),
}

impl Client {
    /// Sends a blob unless it is there, and returns how many bytes were sent; `None` when it was there.
    pub(super) async fn send(&self, parcel: &Parcel, reporter: &dyn Reporter) -> Result<Option<u64>, Error> {
        let mut locked = 0;
        loop {
            let mut moved = 0;
            let (status, resumed) = match self.attempt(parcel, reporter, &mut moved).await {
                Ok(()) => return Ok(Some(moved)),
                Err(Fault::Read(error)) => return Err(set::Error::from(error).into()),
                Err(Fault::Call(status, resumed)) => (status, resumed),
            };
            if moved > 0 {
                reporter.report(Event::Again(moved));
            }
            match status.code() {
                Code::AlreadyExists => return Ok(None),
                // The server may not have noticed yet that an interrupted run is gone.
                Code::Unavailable if status.message().contains("locked") && locked < LOCKED.0 => {
                    locked += 1;
                    tokio::time::sleep(LOCKED.1).await;
                }
                // What an interrupted run left may be damaged.
                Code::FailedPrecondition | Code::OutOfRange | Code::InvalidArgument if resumed => {
                    self.discard(parcel).await?;
                }
                Code::FailedPrecondition => {
                    self.discard(parcel).await?;
                    parcel.check()?;
                    return Err(self.failed(format!("take {}", parcel.digest))(status));
                }
                _ => return Err(self.failed(format!("take {}", parcel.digest))(status)),
            }
        }
    }

    async fn discard(&self, parcel: &Parcel) -> Result<(), Error> {
        match self.abort(parcel.ingest()).await {
            Err(status) if status.code() != Code::NotFound => {
                Err(self.failed(format!("drop the rest of {}", parcel.digest))(status))
            }
            _ => Ok(()),
        }
    }

    async fn attempt(&self, parcel: &Parcel, reporter: &dyn Reporter, moved: &mut u64) -> Result<(), Fault> {
        let call = |status| Fault::Call(status, false);
        let (requests, mut queue) = mpsc::channel(WAITING);
        let opening = WriteRequest { action: action::STAT, ..parcel.request() };
        // The queue is empty and open, so this waits for nobody.
        let _ = requests.send(opening).await;
        let stream = stream::poll_fn(move |context| queue.poll_recv(context));
        let path = PathAndQuery::from_static("/containerd.services.content.v1.Content/Write");
        let codec = ProstCodec::<WriteRequest, WriteResponse>::new();
        let mut grpc = self.grpc().await.map_err(call)?;
        let mut answers = grpc.streaming(self.request(stream), path, codec).await.map_err(call)?.into_inner();
        let ended = || Status::unknown("the stream ended before the blob did");
        let first = answers.message().await.map_err(call)?.ok_or_else(|| call(ended()))?;
        let start = u64::try_from(first.offset).unwrap_or_default().min(parcel.size());
        let call = |status| Fault::Call(status, start > 0);
        let feeder = tokio::task::spawn_blocking({
            let parcel = parcel.clone();
            move || parcel.feed(start, &requests)
        });
        let mut at = start;
        let result = loop {
            let answer = match answers.message().await {
                Ok(Some(answer)) => answer,
                Ok(None) => break Err(ended()),
                Err(status) => break Err(status),
            };
            let offset = u64::try_from(answer.offset).unwrap_or_default();
            reporter.report(Event::Bytes(offset.saturating_sub(at)));
            at = at.max(offset);
            *moved = at - start;
            if answer.action == action::COMMIT {
                break Ok(());
            }
        };
        drop(answers);
        match feeder.await {
            Ok(Err(error)) => Err(Fault::Read(error)),
            Err(panic) => Err(call(Status::internal(panic.to_string()))),
            Ok(Ok(())) => result.map_err(call),
        }
    }
}

impl Parcel {
    pub(super) fn size(&self) -> u64 {
        match &self.content {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Bundle(_, blob) => blob.size,
        }
    }

    /// The name of the blob while it is on its way, equal in every run so that a later one goes on.
    fn ingest(&self) -> String {
        format!("bundler-{}", self.digest)
    }

    fn request(&self) -> WriteRequest {
        WriteRequest {
            action: action::WRITE,
            reference: self.ingest(),
            total: self.size().cast_signed(),
            expected: self.digest.to_string(),
            offset: 0,
            data: Bytes::new(),
            labels: Labels::new(),
        }
    }

    fn chunk(&self, at: u64, length: u64) -> Result<Bytes, read::Error> {
        match &self.content {
            Content::Bytes(bytes) => Ok(bytes.slice(at as usize..(at + length) as usize)),
            Content::Bundle(set, blob) => {
                let mut bytes = vec![0; length as usize];
                set.read_at(*blob, at, &mut bytes)?;
                Ok(bytes.into())
            }
        }
    }

    /// Queues the bytes from `start` and then the end; stops early when nobody takes them any more.
    fn feed(&self, start: u64, requests: &mpsc::Sender<WriteRequest>) -> Result<(), read::Error> {
        let mut at = start;
        while at < self.size() {
            let data = self.chunk(at, CHUNK.min(self.size() - at))?;
            let length = data.len() as u64;
            if requests.blocking_send(WriteRequest { offset: at.cast_signed(), data, ..self.request() }).is_err() {
                return Ok(());
            }
            at += length;
        }
        let labels = self.labels.clone();
        let end = WriteRequest { action: action::COMMIT, offset: at.cast_signed(), labels, ..self.request() };
        let _ = requests.blocking_send(end);
        Ok(())
    }

    /// Whether the bundle's own bytes are to blame for a digest that did not come out.
    fn check(&self) -> Result<(), Error> {
        let mut hasher = Hasher::new();
        let mut at = 0;
        while at < self.size() {
            let bytes = self.chunk(at, CHUNK.min(self.size() - at)).map_err(set::Error::from)?;
            hasher.update(&bytes);
            at += bytes.len() as u64;
        }
        let found = hasher.finish();
        if found == self.digest {
            return Ok(());
        }
        Err(Error::Damaged { reference: self.reference.to_string(), digest: self.digest, found })
    }
}
