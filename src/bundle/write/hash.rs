//! The archive's sha256 and the tar's crc32, read in order close behind the writers, from the page cache.

use std::io;
use std::sync::Arc;

use super::super::gzip;
use super::super::volume::Volume;
use super::state::Shared;
use crate::oci::{Digest, Hasher};

/// How much is read at once, 1 MiB: large enough for the system calls not to count.
const CHUNK: u64 = 1 << 20;
/// How much is hashed before the disk is asked to write it, 16 MiB: large writes, and little left for the final sync.
const WRITE_BACK: u64 = 16 << 20;

/// The sums of the archive up to a byte of it.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    sha256: Hasher,
    crc: crc32fast::Hasher,
    /// How many bytes of the archive are hashed.
    at: u64,
    /// Where each part ends, and the sums of those that are behind; nothing for an archive in one file.
    ends: Arc<[u64]>,
    parts: Vec<Digest>,
    part: Hasher,
}

impl Sums {
    fn new(volume: &Volume) -> Self {
        let ends: Arc<[u64]> = match volume.pieces() {
            [] | [_] => Arc::new([]),
            pieces => pieces.iter().map(|piece| piece.range.end).collect(),
        };
        let crc = crc32fast::Hasher::new();
        Self { sha256: Hasher::new(), crc, at: 0, ends, parts: Vec::new(), part: Hasher::new() }
    }

    /// Takes the next bytes of the archive.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        let mut rest = bytes;
        while let Some(end) = self.ends.get(self.parts.len()) {
            let left = usize::try_from(end - self.at).unwrap_or(usize::MAX);
            let (now, later) = rest.split_at(rest.len().min(left));
            self.part.update(now);
            self.at += now.len() as u64;
            rest = later;
            if now.len() < left {
                break;
            }
            self.parts.push(std::mem::take(&mut self.part).finish());
        }
    }

    /// The crc32 of the tar.
    pub(super) fn crc(&self) -> u32 {
        self.crc.clone().finalize()
    }

    /// The sha256 of the archive, and that of each part.
    pub(super) fn finish(self) -> (Digest, Vec<Digest>) {
        (self.sha256.finish(), self.parts)
    }
}

/// Hashes all of the archive but its trailer, which holds a sum, as it grows; `None` when the writer was dropped.
///
/// The sums at the start of each member are kept, so that a member that is written again, after a
/// transfer began anew, costs no more than what follows it. What is hashed starts on its way to the disk, so that
/// the sync at the end finds most of it there.
pub(super) fn follow(shared: &Shared) -> io::Result<Option<Sums>> {
    let layout = shared.layout();
    let mut sums = Sums::new(shared.volume());
    sums.update(&gzip::HEADER);
    let mut buffer = Vec::new();
    let mut checkpoints = Vec::with_capacity(layout.members().len());
    let (mut index, mut at) = (0, 0);
    let mut sent = 0;
    loop {
        let end = {
            let mut state = shared.state();
            loop {
                if state.stopped {
                    return Ok(None);
                }
                if let Some(again) = state.again.take() {
                    checkpoints.truncate(again + 1);
                    if let Some(checkpoint) = checkpoints.pop() {
                        sums = checkpoint;
                        index = again;
                        at = layout.extent(index).start;
                    }
                }
                state.hashed = at;
                if index < layout.members().len() {
                    let ready = shared.ready(&state, index, at).min(at + CHUNK);
                    if ready > at {
                        // Bytes that change from here on were not hashed in their final form.
                        state.hashed = ready;
                        break ready;
                    }
                } else if state.finishing {
                    return Ok(Some(sums));
                }
                state = shared.wait(state);
            }
        };
        if at == layout.extent(index).start {
            checkpoints.push(sums.clone());
        }
        let range = gzip::framed(at, end);
        buffer.resize(usize::try_from(range.end - range.start).unwrap_or(usize::MAX), 0);
        shared.read_raw(range.start, &mut buffer)?;
        sums.update(&buffer);
        for piece in gzip::split(at, end, &buffer) {
            sums.crc.update(piece.data);
        }
        at = end;
        if range.end >= sent + WRITE_BACK {
            shared.start_write_back(sent..range.end);
            sent = range.end;
        }
        if at == layout.extent(index).end {
            index += 1;
        }
    }
}
