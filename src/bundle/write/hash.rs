//! The archive's sha256 and the tar's crc32, read in order close behind the writers, from the page cache.

use std::io;

use super::super::gzip;
use super::state::Shared;
use crate::oci::Hasher;

/// How much is read at once, 1 MiB: large enough for the system calls not to count.
const CHUNK: u64 = 1 << 20;
/// How much is hashed before the disk is asked to write it, 16 MiB: large writes, and little left for the final sync.
const WRITE_BACK: u64 = 16 << 20;

/// The sums of all but the trailer, which holds one of them.
#[derive(Clone, Debug)]
pub(super) struct Hashed {
    pub(super) sha256: Hasher,
    pub(super) crc: u32,
}

/// Hashes the archive as it grows; `None` when the writer was dropped.
///
/// The sums at the start of each member are kept, so that a member that is written again, after a
/// transfer began anew, costs no more than what follows it. What is hashed starts on its way to the disk, so that
/// the sync at the end finds most of it there.
pub(super) fn follow(shared: &Shared) -> io::Result<Option<Hashed>> {
    let layout = shared.layout();
    let mut sha256 = Hasher::new();
    sha256.update(&gzip::HEADER);
    let mut crc = crc32fast::Hasher::new();
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
                        (sha256, crc) = checkpoint;
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
                    return Ok(Some(Hashed { sha256, crc: crc.finalize() }));
                }
                state = shared.wait(state);
            }
        };
        if at == layout.extent(index).start {
            checkpoints.push((sha256.clone(), crc.clone()));
        }
        let range = gzip::framed(at, end);
        buffer.resize(usize::try_from(range.end - range.start).unwrap_or(usize::MAX), 0);
        shared.read_raw(range.start, &mut buffer)?;
        sha256.update(&buffer);
        for piece in gzip::split(at, end, &buffer) {
            crc.update(piece.data);
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
