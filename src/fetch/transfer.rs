//! One blob on its way: its bytes go to their places as they arrive, and are hashed in order close behind.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::Error;
use super::error::THE_STORE;
use crate::bundle::write::Slot;
use crate::oci::{Digest, Hasher};
use crate::store::Partial;

/// How much is read back at once to be hashed, 256 KiB: it stays in the processor's cache.
const READ_BACK: usize = 256 << 10;

/// Where a blob's bytes go: places in the archive, and the store.
#[derive(Debug)]
pub(super) struct Sink {
    pub(super) slots: Vec<Slot>,
    pub(super) partial: Option<Partial>,
}

impl Sink {
    /// Writes `bytes` to the archive only: the store has them.
    pub(super) fn write_slots(&self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        self.slots.iter().try_for_each(|slot| slot.write_at(offset, bytes)).map_err(Error::from)
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        self.write_slots(offset, bytes)?;
        match &self.partial {
            Some(partial) => Ok(partial.write_at(offset, bytes)?),
            None => Ok(()),
        }
    }

    pub(super) fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<(), Error> {
        match (&self.partial, self.slots.first()) {
            (Some(partial), _) => Ok(partial.read_at(offset, bytes)?),
            (None, Some(slot)) => Ok(slot.read_at(offset, bytes)?),
            (None, None) => Err(Error::NoPlace),
        }
    }
}

/// A blob that arrives in ranges of any order.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) size: u64,
    pub(super) sink: Sink,
    origins: Mutex<Origins>,
    /// The digest of the whole, until it is claimed.
    digest: Mutex<Option<Digest>>,
    progress: Mutex<Progress>,
}

/// Where bytes came from, for messages.
#[derive(Debug, Default)]
struct Origins {
    places: Vec<String>,
    /// Some are an earlier run's.
    resumed: bool,
}

#[derive(Debug)]
struct Progress {
    /// Written ranges from `hashed` on, start to end; neighbours are merged.
    written: BTreeMap<u64, u64>,
    hashed: u64,
    /// Taken by the thread that hashes now.
    hasher: Option<Hasher>,
}

impl Progress {
    fn insert(&mut self, mut start: u64, mut end: u64) {
        while let Some((&other, &other_end)) = self.written.range(..=end).next_back()
            && other_end >= start
        {
            start = start.min(other);
            end = end.max(other_end);
            self.written.remove(&other);
        }
        self.written.insert(start, end);
    }

    /// The end of what can be hashed now.
    fn ready(&self) -> u64 {
        self.written.range(..=self.hashed).next_back().map_or(self.hashed, |(_, end)| self.hashed.max(*end))
    }
}

impl Transfer {
    pub(super) fn new(size: u64, sink: Sink) -> Self {
        let progress = Progress { written: BTreeMap::new(), hashed: 0, hasher: Some(Hasher::new()) };
        Self { size, sink, origins: Mutex::default(), digest: Mutex::new(None), progress: Mutex::new(progress) }
    }

    /// Notes a place that bytes come from.
    pub(super) fn came_from(&self, place: String) {
        let mut origins = self.origins();
        if !origins.places.contains(&place) {
            origins.places.push(place);
        }
    }

    /// Notes that some of the bytes are an earlier run's.
    pub(super) fn resume(&self) {
        self.origins().resumed = true;
    }

    pub(super) fn origin(&self) -> String {
        match self.origins().places.as_slice() {
            [] => THE_STORE.to_owned(),
            places => places.join(" and "),
        }
    }

    /// Whether an earlier run left some of the bytes.
    pub(super) fn was_resumed(&self) -> bool {
        let origins = self.origins();
        origins.resumed || origins.places.is_empty()
    }

    fn origins(&self) -> MutexGuard<'_, Origins> {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The digest of the whole, once it has arrived, and only to the first who asks.
    pub(super) fn claim(&self) -> Option<Digest> {
        self.digest.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Writes `pieces` at `offset` and hashes what has its turn; blocks on disk and processor.
    pub(super) fn write(&self, offset: u64, pieces: &[Bytes]) -> Result<(), Error> {
        let mut at = offset;
        for piece in pieces {
            self.sink.write(at, piece)?;
            at += piece.len() as u64;
        }
        if let Some(partial) = &self.sink.partial {
            partial.note(&(offset..at))?;
        }
        self.advance(offset..at, pieces)
    }

    /// Takes over what an earlier run left in the store: copies it to the archive.
    pub(super) fn take_over(&self, range: Range<u64>) -> Result<(), Error> {
        let mut buffer = vec![0; READ_BACK];
        let mut at = range.start;
        while at < range.end {
            let length = usize::try_from(range.end - at).map_or(READ_BACK, |left| left.min(READ_BACK));
            self.sink.read(at, &mut buffer[..length])?;
            self.sink.write_slots(at, &buffer[..length])?;
            at += length as u64;
        }
        self.advance(range, &[])
    }

    /// Hashes as far as bytes are there: from `pieces`, which lie at `range`, else read back from the page cache.
    ///
    /// One thread at a time hashes; the others leave their ranges to it.
    fn advance(&self, range: Range<u64>, pieces: &[Bytes]) -> Result<(), Error> {
        let mut progress = self.progress();
        progress.insert(range.start, range.end);
        let Some(mut hasher) = progress.hasher.take() else { return Ok(()) };
        loop {
            let (from, to) = (progress.hashed, progress.ready());
            if from == to {
                if from == self.size {
                    *self.digest.lock().unwrap_or_else(PoisonError::into_inner) = Some(hasher.finish());
                } else {
                    progress.hasher = Some(hasher);
                }
                return Ok(());
            }
            drop(progress);
            let to = if from < range.start { to.min(range.start) } else { to };
            if (range.start..range.end).contains(&from) {
                hash_pieces(&mut hasher, pieces, from - range.start);
                self.read_back(&mut hasher, from.max(range.start + length(pieces))..to)?;
            } else {
                self.read_back(&mut hasher, from..to)?;
            }
            progress = self.progress();
            progress.hashed = to;
            progress.written.retain(|_, end| *end > to);
        }
    }

    fn read_back(&self, hasher: &mut Hasher, range: Range<u64>) -> Result<(), Error> {
        let mut buffer = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let length = usize::try_from(range.end - at).map_or(READ_BACK, |left| left.min(READ_BACK));
            buffer.resize(length, 0);
            self.sink.read(at, &mut buffer)?;
            hasher.update(&buffer);
            at += length as u64;
        }
        Ok(())
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn length(pieces: &[Bytes]) -> u64 {
    pieces.iter().map(|piece| piece.len() as u64).sum()
}

fn hash_pieces(hasher: &mut Hasher, pieces: &[Bytes], skip: u64) {
    let mut skip = usize::try_from(skip).unwrap_or(usize::MAX);
    for piece in pieces {
        let now = skip.min(piece.len());
        hasher.update(&piece[now..]);
        skip -= now;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::Store;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn any_order_gives_the_digest_once(
            cuts in prop::collection::vec(1_usize..1_000_000, 0..12),
            seed in any::<u64>(),
            threads in any::<bool>(),
        ) {
            let content: Bytes = (0..1_000_000_u32).map(|i| (i ^ i >> 9).to_le_bytes()[0]).collect::<Vec<_>>().into();
            let digest = Digest::of(&content);
            let directory = tempfile::tempdir().unwrap();
            let store = Store::open(directory.path()).unwrap();
            let size = content.len() as u64;
            let sink = Sink { slots: Vec::new(), partial: store.partial(digest, size).unwrap() };
            let transfer = Transfer::new(size, sink);
            let mut cuts = cuts;
            cuts.extend([0, content.len()]);
            cuts.sort_unstable();
            cuts.dedup();
            let mut ranges: Vec<_> = cuts.windows(2).map(|cut| cut[0]..cut[1]).collect();
            ranges.sort_by_key(|range| (range.start as u64 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let write = |range: &Range<usize>| {
                let middle = range.start.midpoint(range.end);
                let pieces = [content.slice(range.start..middle), content.slice(middle..range.end)];
                transfer.write(range.start as u64, &pieces).unwrap();
            };
            if threads {
                std::thread::scope(|scope| ranges.iter().for_each(|range| drop(scope.spawn(|| write(range)))));
            } else {
                ranges.iter().for_each(write);
            }
            prop_assert_eq!((transfer.claim(), transfer.claim()), (Some(digest), None));
        }
    }
}
