//! What is sent: bytes in memory, or a blob read piece by piece as the client takes it.

use std::ops::Range;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

use super::site::Site;
use super::trust::{self, Content, Fault, Stamp};
use crate::oci::Hasher;

/// What a whole answer holds back until its digest is known, 64 KiB: a client never has all of a bad blob.
pub(super) const HELD: u64 = 64 << 10;
/// What the pieces of all answers have together before they are the smallest, 16 MiB; up to three are held of each: one
/// that is read, one that is sent, and what the socket did not take of the one before.
const BUDGET: u64 = 16 << 20;
/// Which part of what is left of the budget the next piece may have, so that the first of a thousand clients that take
/// nothing do not hold all of it.
const SHARE: u64 = 16;
/// The largest piece, 256 KiB: above it nothing gets faster.
const MAX_PIECE: u64 = 256 << 10;
/// How many buffers of sent pieces are kept, 8 MiB.
const SPARE: u64 = 32;
/// The smallest piece, 8 KiB: below it the system calls count.
const MIN_PIECE: u64 = 8 << 10;

/// The body of an answer.
pub(super) enum Payload {
    /// Bytes in memory.
    Memory(Bytes),
    /// A blob, or a part of one.
    Stream(Stream),
}

impl Payload {
    pub(super) const fn empty() -> Self {
        Self::Memory(Bytes::new())
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        match &mut *self {
            Self::Memory(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Memory(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Stream(stream) => stream.poll(context).map(|piece| piece.map(|piece| piece.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Memory(bytes) => bytes.is_empty(),
            Self::Stream(stream) => stream.left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Stream(stream) => stream.left,
        })
    }
}

/// A blob on its way; the next piece is read while the last one is sent.
pub(super) struct Stream {
    next: Option<JoinHandle<Result<(Bytes, Reader), Fault>>>,
    left: u64,
}

impl Stream {
    /// All of a blob; its last bytes come only when its digest is right.
    pub(super) fn whole(site: &Arc<Site>, content: Content, stamp: Stamp) -> Self {
        Self::start(site, content, stamp, 0..content.blob.size, Some(Hasher::new()))
    }

    /// A part of a blob that is known to be good as long as its file has this stamp.
    pub(super) fn part(site: &Arc<Site>, content: Content, stamp: Stamp, range: Range<u64>) -> Self {
        Self::start(site, content, stamp, range, None)
    }

    fn start(site: &Arc<Site>, content: Content, stamp: Stamp, range: Range<u64>, hasher: Option<Hasher>) -> Self {
        let left = range.end - range.start;
        let reader = Reader { site: site.clone(), content, stamp, at: range.start, end: range.end, hasher };
        Self { next: reader.go_on(), left }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        let Some(next) = &mut self.next else { return Poll::Ready(None) };
        let read = ready!(Pin::new(next).poll(context));
        self.next = None;
        Poll::Ready(Some(match read {
            Ok(Ok((bytes, reader))) => {
                self.left -= bytes.len() as u64;
                self.next = reader.go_on();
                Ok(bytes)
            }
            Ok(Err(fault)) => Err(fault),
            // The task ended with a panic, or the runtime stops.
            Err(_) => Err(Fault::Changed),
        }))
    }
}

/// Where a stream stands.
struct Reader {
    site: Arc<Site>,
    content: Content,
    stamp: Stamp,
    at: u64,
    end: u64,
    /// Of a whole blob.
    hasher: Option<Hasher>,
}

impl Reader {
    fn go_on(self) -> Option<JoinHandle<Result<(Bytes, Self), Fault>>> {
        if self.at == self.end {
            return None;
        }
        let reading = self.site.reading.clone();
        let step = |permit| {
            tokio::task::spawn_blocking(move || {
                let _permit = permit;
                self.step()
            })
        };
        Some(match reading.clone().try_acquire_owned() {
            Ok(permit) => step(permit),
            Err(_) => tokio::spawn(async move {
                let Ok(permit) = reading.acquire_owned().await else { return Err(Fault::Changed) };
                step(permit).await.unwrap_or(Err(Fault::Changed))
            }),
        })
    }

    /// Reads the next piece. Of a whole blob the last piece is [`HELD`] long, and is given out only if it is good.
    fn step(mut self) -> Result<(Bytes, Self), Fault> {
        let left = self.end - self.at;
        let piece = largest(self.site.held.load(Ordering::Relaxed));
        let length = match &self.hasher {
            Some(_) if left > HELD => piece.min(left - HELD),
            Some(_) => left,
            None => piece.min(left),
        };
        let mut bytes = Piece::new(&self.site, length, piece);
        let read = trust::read_at(&self.site.set, self.content.blob, self.at, bytes.space());
        if matches!(read, Err(Fault::Damaged)) {
            self.site.judge(self.content, self.stamp, false);
        }
        read?;
        self.at += length;
        match &mut self.hasher {
            Some(hasher) => {
                hasher.update(bytes.as_ref());
                if self.at == self.end {
                    let found = std::mem::take(hasher).finish();
                    self.site.judge(self.content, self.stamp, found == self.content.digest);
                    if found != self.content.digest {
                        return Err(Fault::Damaged);
                    }
                }
            }
            None if trust::stamp(&self.site.set, self.content.blob)? != self.stamp => return Err(Fault::Changed),
            None => {}
        }
        Ok((Bytes::from_owner(bytes), self))
    }
}

/// How large the next piece may be while pieces have `held` bytes.
fn largest(held: u64) -> u64 {
    (BUDGET.saturating_sub(held) / SHARE).clamp(MIN_PIECE, MAX_PIECE)
}

/// Buffers of [`MAX_PIECE`] that wait to be used again: new memory would cost as much as filling it.
#[derive(Default)]
pub(super) struct Spare(Mutex<Vec<Vec<u8>>>);

/// The bytes of a piece; their buffer goes back when they are sent.
struct Piece {
    buffer: Vec<u8>,
    length: usize,
    site: Arc<Site>,
}

impl Piece {
    /// Room for `length` bytes, where no piece is larger than `most`.
    fn new(site: &Arc<Site>, length: u64, most: u64) -> Self {
        let length = usize::try_from(length).unwrap_or_default();
        // Where much is held, pieces are small: a large buffer for each would be what the budget forbids.
        let spare = || site.spare.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let buffer = match most {
            MAX_PIECE => spare().unwrap_or_else(|| vec![0; MAX_PIECE as usize]),
            _ => vec![0; length],
        };
        site.held.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        Self { buffer, length, site: site.clone() }
    }

    fn space(&mut self) -> &mut [u8] {
        &mut self.buffer[..self.length]
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.site.held.fetch_sub(self.buffer.len() as u64, Ordering::Relaxed);
        let mut spare = self.site.spare.0.lock().unwrap_or_else(PoisonError::into_inner);
        if self.buffer.len() as u64 == MAX_PIECE && (spare.len() as u64) < SPARE {
            spare.push(std::mem::take(&mut self.buffer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_that_take_nothing_hold_little_however_many() {
        // Three pieces of each of sixteen clients are as large as pieces get.
        let sixteen = (0..3 * 16).fold(0, |held, _| held + largest(held));
        assert_eq!(sixteen, 3 * 16 * MAX_PIECE);
        let connections = super::super::Limits::default().connections;
        let all = (0..3 * connections).fold(0, |held, _| held + largest(held));
        assert!(all <= 32 << 20, "{all}");
    }
}
