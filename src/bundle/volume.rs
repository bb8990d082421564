//! An archive in one file or cut into parts, read and written as one by position.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

/// Files that follow each other.
#[derive(Debug)]
pub(crate) struct Volume {
    pieces: Vec<Piece>,
}

/// A file and the bytes of the archive that it holds.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) file: File,
    pub(crate) range: Range<u64>,
}

impl Volume {
    /// Puts files of these sizes one after the other.
    pub(crate) fn new(files: impl IntoIterator<Item = (File, u64)>) -> Self {
        let mut at = 0_u64;
        let pieces = files.into_iter().map(|(file, size)| {
            let range = at..at.saturating_add(size);
            at = range.end;
            Piece { file, range }
        });
        Self { pieces: pieces.collect() }
    }

    /// The size of all in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.pieces.last().map_or(0, |piece| piece.range.end)
    }

    /// The files in their order.
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The files that hold bytes of `range`, each with those bytes.
    pub(crate) fn overlaps(&self, range: Range<u64>) -> impl Iterator<Item = (&Piece, Range<u64>)> {
        let first = self.pieces.partition_point(|piece| piece.range.end <= range.start);
        let within = self.pieces[first..].iter().take_while({
            let end = range.end;
            move |piece| piece.range.start < end
        });
        within.map(move |piece| (piece, piece.range.start.max(range.start)..piece.range.end.min(range.end)))
    }

    /// Fills `bytes` from `offset`.
    pub(crate) fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let end = self.end(bytes.len(), offset).ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut rest = bytes;
        for (piece, range) in self.overlaps(offset..end) {
            let (now, later) = std::mem::take(&mut rest).split_at_mut((range.end - range.start) as usize);
            piece.file.read_exact_at(now, range.start - piece.range.start)?;
            rest = later;
        }
        Ok(())
    }

    /// As [`Volume::read_exact_at`] for several buffers; the standard library's is not stable yet.
    pub(crate) fn read_exact_vectored_at(&self, mut buffers: &mut [IoSliceMut<'_>], mut offset: u64) -> io::Result<()> {
        // Passes over empty ones: a read into nothing but these gives 0 bytes, as one at the end of a file does.
        IoSliceMut::advance_slices(&mut buffers, 0);
        let length = buffers.iter().map(|buffer| buffer.len()).sum();
        let end = self.end(length, offset).ok_or(io::ErrorKind::UnexpectedEof)?;
        let Some((piece, range)) = self.overlaps(offset..end).next() else { return Ok(()) };
        if range.end < end {
            // Over the end of a file, which happens once a file.
            for buffer in buffers {
                self.read_exact_at(buffer, offset)?;
                offset += buffer.len() as u64;
            }
            return Ok(());
        }
        offset -= piece.range.start;
        while !buffers.is_empty() {
            match rustix::io::preadv(&piece.file, buffers, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => {
                    offset += read as u64;
                    IoSliceMut::advance_slices(&mut buffers, read);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Writes `bytes` at `offset`.
    pub(crate) fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let end = self.end(bytes.len(), offset).ok_or(io::ErrorKind::WriteZero)?;
        let mut rest = bytes;
        for (piece, range) in self.overlaps(offset..end) {
            let (now, later) = rest.split_at((range.end - range.start) as usize);
            piece.file.write_all_at(now, range.start - piece.range.start)?;
            rest = later;
        }
        Ok(())
    }

    /// As [`Volume::write_all_at`] for several buffers; the standard library's is not stable yet.
    pub(crate) fn write_all_vectored_at(&self, mut buffers: &mut [IoSlice<'_>], mut offset: u64) -> io::Result<()> {
        // Passes over empty ones: a write of nothing but these writes 0 bytes, as one to a full disk does.
        IoSlice::advance_slices(&mut buffers, 0);
        let length = buffers.iter().map(|buffer| buffer.len()).sum();
        let end = self.end(length, offset).ok_or(io::ErrorKind::WriteZero)?;
        let Some((piece, range)) = self.overlaps(offset..end).next() else { return Ok(()) };
        if range.end < end {
            // Over the end of a file, which happens once a file.
            for buffer in buffers {
                self.write_all_at(buffer, offset)?;
                offset += buffer.len() as u64;
            }
            return Ok(());
        }
        offset -= piece.range.start;
        while !buffers.is_empty() {
            match rustix::io::pwritev(&piece.file, buffers, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    offset += written as u64;
                    IoSlice::advance_slices(&mut buffers, written);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The end of `length` bytes at `offset`, where they are within.
    fn end(&self, length: usize, offset: u64) -> Option<u64> {
        offset.checked_add(length as u64).filter(|end| *end <= self.size())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_that_shrank_is_told() {
        let volume = Volume::new([(tempfile::tempfile().unwrap(), 6)]);
        volume.pieces()[0].file.set_len(4).unwrap();
        let (mut one, mut other) = ([0; 3], [0; 3]);
        let mut into = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut other)];
        let error = volume.read_exact_vectored_at(&mut into, 0).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn nothing_is_written_of_nothing() {
        let volume = Volume::new([(tempfile::tempfile().unwrap(), 6)]);
        for at in [0, 1, 6] {
            volume.write_all_vectored_at(&mut [IoSlice::new(b""), IoSlice::new(b"")], at).unwrap();
        }
        assert_eq!(volume.pieces()[0].file.metadata().unwrap().len(), 0);
    }

    proptest! {
        #[test]
        fn any_files_are_one(
            sizes in prop::collection::vec(0_u64..40, 1..12),
            writes in prop::collection::vec((0_u64..400, 0_usize..90, 0_usize..90, any::<u8>()), 0..30),
        ) {
            let volume = Volume::new(sizes.iter().map(|size| (tempfile::tempfile().unwrap(), *size)));
            let size = sizes.iter().sum::<u64>();
            prop_assert_eq!(volume.size(), size);
            for piece in volume.pieces() {
                piece.file.set_len(piece.range.end - piece.range.start).unwrap();
            }
            let mut expected = vec![0; usize::try_from(size).unwrap()];
            for (at, first, second, byte) in writes {
                let bytes: Vec<u8> = (0..first + second).map(|i| byte.wrapping_add(u8::try_from(i).unwrap())).collect();
                let mut buffers = [IoSlice::new(&bytes[..first]), IoSlice::new(&bytes[first..])];
                let from = usize::try_from(at).unwrap();
                if from + bytes.len() > expected.len() {
                    prop_assert!(volume.write_all_at(&bytes, at).is_err());
                    prop_assert!(volume.write_all_vectored_at(&mut buffers, at).is_err());
                    let (mut one, mut other) = (vec![0; first], vec![0; second]);
                    let mut into = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut other)];
                    prop_assert!(volume.read_exact_vectored_at(&mut into, at).is_err());
                    prop_assert!(volume.read_exact_at(&mut vec![0; bytes.len()], at).is_err());
                    continue;
                }
                expected[from..from + bytes.len()].copy_from_slice(&bytes);
                match byte % 2 {
                    0 => volume.write_all_at(&bytes, at).unwrap(),
                    _ => volume.write_all_vectored_at(&mut buffers, at).unwrap(),
                }
                let mut back = vec![0; bytes.len()];
                volume.read_exact_at(&mut back, at).unwrap();
                prop_assert_eq!(&back, &bytes);
                back.fill(!byte);
                let (one, other) = back.split_at_mut(first);
                let mut into = [IoSliceMut::new(one), IoSliceMut::new(other)];
                volume.read_exact_vectored_at(&mut into, at).unwrap();
                prop_assert_eq!(back, bytes);
            }
            let mut all = vec![0; expected.len()];
            volume.read_exact_at(&mut all, 0).unwrap();
            prop_assert_eq!(all, expected);
        }
    }
}
