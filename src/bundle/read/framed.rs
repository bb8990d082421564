//! Reading a canonical archive, checking the header of each block that is passed.

use std::io::{self, IoSliceMut};
use std::sync::Arc;

use super::super::volume::Volume;
use super::super::{gzip, tar};
use super::Fault;

/// How much is read at once, 1 MiB: large enough for the system calls not to count.
const CHUNK: u64 = 1 << 20;

/// An archive whose size, first and last bytes are as this program writes them.
#[derive(Debug)]
pub(crate) struct Archive {
    volume: Arc<Volume>,
    tar_size: u64,
}

impl Archive {
    /// Recognises an archive in canonical form from its ends; `None` when it is anything else.
    pub(super) fn recognise(volume: &Arc<Volume>) -> io::Result<Option<Self>> {
        let Some(tar_size) = gzip::tar_size(volume.size()) else { return Ok(None) };
        if tar_size < tar::END || !tar_size.is_multiple_of(tar::RECORD) {
            return Ok(None);
        }
        let mut header = [0; 10];
        volume.read_exact_at(&mut header, 0)?;
        if header != gzip::HEADER {
            return Ok(None);
        }
        let last = (tar_size - 1) / gzip::BLOCK * gzip::BLOCK;
        for start in [0, last] {
            let mut header = [0; 5];
            volume.read_exact_at(&mut header, gzip::file_offset(start) - gzip::BLOCK_HEADER)?;
            if header != gzip::block_header(start, tar_size) {
                return Ok(None);
            }
        }
        Ok(Some(Self { volume: Arc::clone(volume), tar_size }))
    }

    /// The size of the archive in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.volume.size()
    }

    /// The size of the tar in bytes.
    pub(crate) const fn tar_size(&self) -> u64 {
        self.tar_size
    }

    /// The crc32 and size that the archive ends with.
    pub(crate) fn trailer(&self) -> io::Result<[u8; 8]> {
        let mut trailer = [0; 8];
        self.volume.read_exact_at(&mut trailer, gzip::file_size(self.tar_size) - gzip::TRAILER)?;
        Ok(trailer)
    }

    /// Fills `bytes` from the tar at `at`; the disk's bytes go there at once, the headers among them aside.
    pub(crate) fn read(&self, at: u64, bytes: &mut [u8]) -> Result<(), Fault> {
        let end = at + bytes.len() as u64;
        self.within(end)?;
        let mut rest = bytes;
        let mut start = at;
        while start < end {
            let next = end.min(start + CHUNK);
            let pieces: Vec<_> = gzip::pieces(start, next).collect();
            let mut headers = vec![[0; gzip::BLOCK_HEADER as usize]; pieces.len()];
            let mut buffers = Vec::with_capacity(2 * pieces.len());
            for (piece, header) in pieces.iter().zip(&mut headers) {
                if piece.start.is_multiple_of(gzip::BLOCK) {
                    buffers.push(IoSliceMut::new(header));
                }
                let (now, later) = std::mem::take(&mut rest).split_at_mut((piece.end - piece.start) as usize);
                buffers.push(IoSliceMut::new(now));
                rest = later;
            }
            let offset = gzip::framed(start, next).start;
            self.volume.read_exact_vectored_at(&mut buffers, offset).map_err(Fault::Disk)?;
            drop(buffers);
            let mut began = pieces.iter().zip(&headers).filter(|(piece, _)| piece.start.is_multiple_of(gzip::BLOCK));
            began.try_for_each(|(piece, header)| self.is_header(piece.start, header))?;
            start = next;
        }
        Ok(())
    }

    /// Gives the tar's bytes `start..end` piece by piece, in their order and without copying them.
    pub(crate) fn visit(
        &self,
        start: u64,
        end: u64,
        buffer: &mut Vec<u8>,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), Fault> {
        self.within(end)?;
        let mut at = start;
        while at < end {
            let next = end.min(at + CHUNK);
            let range = gzip::framed(at, next);
            buffer.resize((range.end - range.start) as usize, 0);
            self.volume.read_exact_at(buffer, range.start).map_err(Fault::Disk)?;
            for piece in gzip::split(at, next, buffer) {
                piece.header.map_or(Ok(()), |header| self.is_header(piece.start, header))?;
                each(piece.data);
            }
            at = next;
        }
        Ok(())
    }

    fn within(&self, end: u64) -> Result<(), Fault> {
        if end <= self.tar_size {
            return Ok(());
        }
        Err(Fault::Damaged { at: end, reason: "beyond the end of the tar".to_owned() })
    }

    /// Holds the header of the block that begins at `start` against what was written.
    fn is_header(&self, start: u64, header: &[u8]) -> Result<(), Fault> {
        if header == gzip::block_header(start, self.tar_size) {
            return Ok(());
        }
        let reason = "the header of a deflate block is not as it was written".to_owned();
        Err(Fault::Damaged { at: start, reason })
    }
}
