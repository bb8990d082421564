//! What the writing threads and the hashing thread share: the file and what of it is written.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::num::NonZero;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::super::volume::Volume;
use super::super::{Content, Layout, gzip, tar};
use crate::oci::Hasher;

/// How many blocks go to the disk with one call: 256 KiB. For a call of 1 MiB the system looks for as much free memory in
/// one piece, which it has to make first once its cache of files is full: 1.0 s of system time for 1.2 GB, and 0.2 s so.
const BATCH: usize = 4;
/// How much is read at once of what a killed run left, 1 MiB: large enough for the system calls not to count.
const READ: u64 = 1 << 20;

#[derive(Debug)]
pub(super) struct Shared {
    volume: Arc<Volume>,
    path: PathBuf,
    layout: Layout,
    /// The file holds what a killed run wrote of the same layout.
    pub(super) goes_on: bool,
    state: Mutex<State>,
    /// Something was written, or the writer is gone.
    changed: Condvar,
}

#[derive(Debug)]
pub(super) struct State {
    /// What of each member is written.
    written: Vec<Ranges>,
    /// How far the hashing thread has read, in bytes of the tar.
    pub(super) hashed: u64,
    /// The first member whose bytes changed after they were hashed.
    pub(super) again: Option<usize>,
    /// All is written, and nothing will be written again.
    pub(super) finishing: bool,
    /// The writer is gone.
    pub(super) stopped: bool,
}

impl Shared {
    pub(super) fn new(volume: Arc<Volume>, path: PathBuf, layout: Layout) -> Self {
        let written = layout.members().iter().map(|member| match member.content {
            Content::Inline(_) => Ranges::whole(member.size),
            Content::Blob(_) => Ranges::default(),
        });
        let state = State { written: written.collect(), hashed: 0, again: None, finishing: false, stopped: false };
        Self { volume, path, layout, goes_on: false, state: Mutex::new(state), changed: Condvar::new() }
    }

    pub(super) const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The files that the archive is written to.
    pub(super) fn volume(&self) -> &Volume {
        &self.volume
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The state is whole after every change, so a panic elsewhere does not spoil it.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stop(&self) {
        self.state().stopped = true;
        self.changed.notify_all();
    }

    /// Lets the hashing thread end; the first member that is not written to its end, if there is one.
    pub(super) fn finish(&self) -> Option<usize> {
        let mut state = self.state();
        let mut members = state.written.iter().zip(self.layout.members());
        let incomplete = members.position(|(written, member)| written.prefix(0) < member.size);
        state.finishing = incomplete.is_none();
        self.changed.notify_all();
        incomplete
    }

    /// How far the tar is written without a gap, from `at` in the extent of member `index`.
    pub(super) fn ready(&self, state: &State, index: usize, at: u64) -> u64 {
        let (extent, data) = (self.layout.extent(index), self.layout.data(index));
        let prefix = data.start + state.written[index].prefix(at.saturating_sub(data.start));
        if prefix >= data.end { extent.end } else { prefix }
    }

    /// Writes all bytes that are known now.
    pub(super) fn write_known(&self) -> io::Result<()> {
        self.known(|start, bytes| self.write_tar(start, bytes))
    }

    /// Whether the file is one of this layout: it has all bytes that are known now, among them the digest and
    /// the place of every member.
    pub(super) fn has_known(&self) -> io::Result<bool> {
        for piece in self.volume.pieces() {
            if piece.file.metadata()?.len() != piece.range.end - piece.range.start {
                return Ok(false);
            }
        }
        let (mut has, mut buffer) = (true, Vec::new());
        self.known(|start, bytes| {
            buffer.resize(bytes.len(), 0);
            self.read_tar(start, &mut buffer)?;
            has &= buffer == bytes;
            Ok(())
        })?;
        Ok(has)
    }

    /// Hashes the bytes that a killed run left of a member; the right ones count as written.
    pub(super) fn take_over(&self, index: usize) -> io::Result<bool> {
        let (data, member) = (self.layout.data(index), &self.layout.members()[index]);
        let Content::Blob(digest) = member.content else { return Ok(false) };
        if !self.goes_on {
            return Ok(false);
        }
        let (mut hasher, mut buffer) = (Hasher::new(), Vec::new());
        let mut at = data.start;
        while at < data.end {
            let end = data.end.min(at + READ);
            let range = gzip::framed(at, end);
            buffer.resize(usize::try_from(range.end - range.start).unwrap_or(usize::MAX), 0);
            self.read_raw(range.start, &mut buffer)?;
            for piece in gzip::split(at, end, &buffer) {
                if piece.header.is_some_and(|header| header != gzip::block_header(piece.start, self.layout.tar_size()))
                {
                    return Ok(false);
                }
                hasher.update(piece.data);
            }
            at = end;
        }
        if hasher.finish() != digest {
            return Ok(false);
        }
        self.state().written[index].insert(0, member.size);
        self.changed.notify_all();
        Ok(true)
    }

    /// Gives all bytes that are known now, in runs: headers, padding, inline members, the end.
    fn known(&self, mut each: impl FnMut(u64, &[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut from = 0;
        let mut run = Vec::new();
        for (index, member) in self.layout.members().iter().enumerate() {
            run.extend_from_slice(self.layout.header(index));
            match &member.content {
                Content::Inline(bytes) => run.extend_from_slice(bytes),
                Content::Blob(_) => {
                    each(from, &run)?;
                    run.clear();
                    from = self.layout.data(index).end;
                }
            }
            let padding = tar::RECORD - 1 - (member.size + tar::RECORD - 1) % tar::RECORD;
            run.resize(run.len() + usize::try_from(padding).unwrap_or_default(), 0);
        }
        run.resize(run.len() + usize::try_from(tar::END).unwrap_or_default(), 0);
        each(from, &run)
    }

    /// Writes bytes of a member, and tells the hashing thread.
    pub(super) fn write(&self, index: usize, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let end = offset + bytes.len() as u64;
        let start = self.layout.data(index).start + offset;
        {
            let mut state = self.state();
            state.written[index].remove(offset, end);
            if start < state.hashed {
                state.again = Some(state.again.map_or(index, |again| again.min(index)));
            }
        }
        self.write_tar(start, bytes)?;
        self.state().written[index].insert(offset, end);
        self.changed.notify_all();
        Ok(())
    }

    /// Reads bytes of a member back.
    pub(super) fn read(&self, index: usize, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.read_tar(self.layout.data(index).start + offset, bytes)
    }

    /// Reads bytes of the tar.
    fn read_tar(&self, start: u64, bytes: &mut [u8]) -> io::Result<()> {
        let mut rest = bytes;
        for piece in gzip::pieces(start, start + rest.len() as u64) {
            let length = usize::try_from(piece.end - piece.start).unwrap_or(usize::MAX);
            let (now, later) = rest.split_at_mut(length);
            self.volume.read_exact_at(now, gzip::file_offset(piece.start))?;
            rest = later;
        }
        Ok(())
    }

    /// Reads bytes of the archive itself.
    pub(super) fn read_raw(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.volume.read_exact_at(bytes, offset)
    }

    /// Lets the disk begin to write these bytes of the archive; waits for nothing and promises nothing.
    pub(super) fn start_write_back(&self, range: Range<u64>) {
        // To Linux, "not needed" means: start to write what is not on the disk yet, and drop from memory what is. The
        // call that says no more than the first, sync_file_range, is in no library without `unsafe`.
        for (piece, range) in self.volume.overlaps(range) {
            let length = NonZero::new(range.end - range.start);
            let start = range.start - piece.range.start;
            // Only speed is lost where it fails or is missing, as on a Mac; the sync at the end is what counts.
            #[cfg(target_os = "linux")]
            let _ = rustix::fs::fadvise(&piece.file, start, length, rustix::fs::Advice::DontNeed);
        }
    }

    /// Writes bytes of the archive itself.
    pub(super) fn write_raw(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.volume.write_all_at(bytes, offset)
    }

    /// Writes bytes of the tar at their place, and the headers of the blocks that begin among them.
    fn write_tar(&self, start: u64, bytes: &[u8]) -> io::Result<()> {
        if start == 0 {
            self.write_raw(0, &gzip::HEADER)?;
        }
        let pieces: Vec<_> = gzip::pieces(start, start + bytes.len() as u64).collect();
        let mut rest = bytes;
        for batch in pieces.chunks(BATCH) {
            let (Some(first), Some(last)) = (batch.first(), batch.last()) else { continue };
            let headers: Vec<_> =
                batch.iter().map(|piece| gzip::block_header(piece.start, self.layout.tar_size())).collect();
            let mut buffers = Vec::with_capacity(2 * batch.len());
            for (piece, header) in batch.iter().zip(&headers) {
                if piece.start.is_multiple_of(gzip::BLOCK) {
                    buffers.push(IoSlice::new(header));
                }
                let (now, later) = rest.split_at(usize::try_from(piece.end - piece.start).unwrap_or(usize::MAX));
                buffers.push(IoSlice::new(now));
                rest = later;
            }
            self.volume.write_all_vectored_at(&mut buffers, gzip::framed(first.start, last.end).start)?;
        }
        Ok(())
    }
}

/// Disjoint ranges of written bytes; neighbours are merged.
#[derive(Clone, Debug, Default)]
struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    fn whole(size: u64) -> Self {
        let mut ranges = Self::default();
        ranges.insert(0, size);
        ranges
    }

    /// The end of the range that holds `at`, or `at` itself.
    fn prefix(&self, at: u64) -> u64 {
        self.0.range(..=at).next_back().map_or(at, |(_, end)| at.max(*end))
    }

    fn insert(&mut self, start: u64, end: u64) {
        if start >= end {
            return;
        }
        let (mut start, mut end) = (start, end);
        while let Some((&other, &other_end)) = self.0.range(..=end).next_back()
            && other_end >= start
        {
            start = start.min(other);
            end = end.max(other_end);
            self.0.remove(&other);
        }
        self.0.insert(start, end);
    }

    fn remove(&mut self, start: u64, end: u64) {
        if start >= end {
            return;
        }
        while let Some((&other, &other_end)) = self.0.range(..end).next_back()
            && other_end > start
        {
            self.0.remove(&other);
            if other_end > end {
                self.0.insert(end, other_end);
            }
            if other < start {
                self.0.insert(other, start);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_are_sets(changes in prop::collection::vec((any::<bool>(), 0_u64..60, 0_u64..20), 0..40)) {
            let mut ranges = Ranges::default();
            let mut set = [false; 80];
            for (insert, start, length) in changes {
                let end = start + length;
                if insert { ranges.insert(start, end) } else { ranges.remove(start, end) }
                for at in start..end {
                    set[usize::try_from(at).unwrap()] = insert;
                }
            }
            for at in 0..80_u64 {
                let run = set[usize::try_from(at).unwrap()..].iter().take_while(|written| **written).count() as u64;
                prop_assert_eq!(ranges.prefix(at), at + run);
            }
            let ends: Vec<_> = ranges.0.iter().collect();
            prop_assert!(ends.windows(2).all(|w| w[0].1 < w[1].0), "neighbours are merged");
        }
    }
}
