//! Stored gzip (RFC 1952, RFC 1951 §3.2.4): one member of uncompressed deflate blocks, so that the
//! place of every byte of the tar in the archive can be calculated.

/// The bytes in every deflate block but the last: the most that a stored block can hold.
pub const BLOCK: u64 = 65_535;
/// The length of a stored block's header.
pub const BLOCK_HEADER: u64 = 5;
/// The gzip header: deflate, no name, no time, unknown system.
pub const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// The length of the trailer: crc32 and size.
pub const TRAILER: u64 = 8;

/// The place in the archive of byte `n` of the tar.
#[must_use]
pub const fn file_offset(n: u64) -> u64 {
    HEADER.len() as u64 + BLOCK_HEADER * (n / BLOCK + 1) + n
}

/// The size of the archive of a tar of `tar_size` bytes.
#[must_use]
pub const fn file_size(tar_size: u64) -> u64 {
    let blocks = tar_size.div_ceil(BLOCK);
    let blocks = if blocks == 0 { 1 } else { blocks };
    HEADER.len() as u64 + BLOCK_HEADER * blocks + tar_size + TRAILER
}

/// The size of the tar in a canonical archive of `file_size` bytes; `None` when no tar gives that size.
#[must_use]
pub const fn tar_size(file_size: u64) -> Option<u64> {
    let Some(framed) = file_size.checked_sub(HEADER.len() as u64 + TRAILER) else { return None };
    let whole = framed / (BLOCK + BLOCK_HEADER);
    let rest = framed % (BLOCK + BLOCK_HEADER);
    match rest {
        0 if whole > 0 => Some(whole * BLOCK),
        BLOCK_HEADER if whole == 0 => Some(0),
        0..=BLOCK_HEADER => None,
        _ => Some(whole * BLOCK + rest - BLOCK_HEADER),
    }
}

/// The header of the block that begins at `start`, a multiple of [`BLOCK`], of a tar of `tar_size` bytes.
#[must_use]
pub fn block_header(start: u64, tar_size: u64) -> [u8; 5] {
    let left = tar_size.saturating_sub(start);
    let length = u16::try_from(left).unwrap_or(u16::MAX);
    let last = u8::from(left <= BLOCK);
    let [low, high] = length.to_le_bytes();
    [last, low, high, !low, !high]
}

/// The trailer: crc32 of the tar and its size modulo 2^32.
#[must_use]
pub fn trailer(crc: u32, tar_size: u64) -> [u8; 8] {
    let mut trailer = [0; 8];
    trailer[..4].copy_from_slice(&crc.to_le_bytes());
    trailer[4..].copy_from_slice(&tar_size.to_le_bytes()[..4]);
    trailer
}

/// The part of the archive that holds the tar's bytes `start..end`, with the headers of the blocks
/// that begin there. Neighbouring ranges of the tar have neighbouring parts.
///
/// # Panics
/// When the range is empty.
#[must_use]
pub const fn framed(start: u64, end: u64) -> std::ops::Range<u64> {
    assert!(start < end, "an empty range has no place");
    let first = file_offset(start);
    let first = if start.is_multiple_of(BLOCK) { first - BLOCK_HEADER } else { first };
    first..file_offset(end - 1) + 1
}

/// Splits `start..end` of the tar where blocks begin.
pub fn pieces(start: u64, end: u64) -> impl Iterator<Item = std::ops::Range<u64>> {
    let mut at = start;
    std::iter::from_fn(move || {
        (at < end).then(|| {
            let from = at;
            at = end.min((at / BLOCK + 1) * BLOCK);
            from..at
        })
    })
}

/// A part of the tar within one block, as it stands in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Where it is in the tar.
    pub start: u64,
    /// The block's header, when the block begins here.
    pub header: Option<&'a [u8]>,
    /// The bytes of the tar.
    pub data: &'a [u8],
}

/// Takes the archive's bytes at [`framed`]`(start, end)` apart.
pub fn split(start: u64, end: u64, raw: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = raw;
    pieces(start, end).map(move |piece| {
        let mut header = None;
        if piece.start.is_multiple_of(BLOCK) {
            let (now, later) = rest.split_at(BLOCK_HEADER as usize);
            (header, rest) = (Some(now), later);
        }
        let (data, later) = rest.split_at((piece.end - piece.start) as usize);
        rest = later;
        Piece { start: piece.start, header, data }
    })
}

/// Compresses nothing: the whole archive of a tar that is in memory.
#[cfg(any(test, fuzzing))]
pub(crate) fn store(tar: &[u8]) -> Vec<u8> {
    let size = tar.len() as u64;
    let mut archive = HEADER.to_vec();
    if tar.is_empty() {
        archive.extend(block_header(0, 0));
    }
    for (start, block) in (0..).step_by(BLOCK as usize).zip(tar.chunks(BLOCK as usize)) {
        archive.extend(block_header(start, size));
        archive.extend(block);
    }
    archive.extend(trailer(crc32fast::hash(tar), size));
    archive
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use proptest::prelude::*;

    use super::*;

    fn check(tar: &[u8]) {
        let archive = store(tar);
        assert_eq!(archive.len() as u64, file_size(tar.len() as u64));
        assert_eq!(tar_size(archive.len() as u64), Some(tar.len() as u64));
        let mut back = Vec::new();
        let mut decoder = flate2::bufread::GzDecoder::new(archive.as_slice());
        decoder.read_to_end(&mut back).unwrap();
        assert_eq!(back, tar);
        assert!(decoder.into_inner().is_empty(), "bytes after the member");
        for n in [0, 1, tar.len() / 2, 65_534, 65_535, 65_536, tar.len().saturating_sub(1)] {
            if let Some(byte) = tar.get(n) {
                assert_eq!(archive[usize::try_from(file_offset(n as u64)).unwrap()], *byte);
            }
        }
    }

    #[test]
    fn other_readers_agree_at_the_limits() {
        for size in [0, 1, 65_534, 65_535, 65_536, 131_069, 131_070, 131_071, 655_350] {
            let tar: Vec<u8> = (0..size).map(|i: u32| i.to_le_bytes()[0] ^ i.to_le_bytes()[1]).collect();
            check(&tar);
        }
    }

    #[test]
    fn sizes_beyond_32_bits() {
        let size = (5 << 30) + 7;
        assert_eq!(trailer(0, size)[4..], 0x4000_0007_u32.to_le_bytes());
        assert_eq!(tar_size(file_size(size)), Some(size));
        assert_eq!(file_offset(size - 1) + 1 + TRAILER, file_size(size));
        assert_eq!(block_header(0, size), [0, 0xff, 0xff, 0, 0]);
        assert_eq!(block_header(size / BLOCK * BLOCK, size)[0], 1);
    }

    #[test]
    fn some_sizes_belong_to_no_archive() {
        for size in [0, 10, 17, 18, 22] {
            assert_eq!(tar_size(size), None, "{size}");
        }
        let full = file_size(BLOCK);
        for more in 1..=5 {
            assert_eq!(tar_size(full + more), None);
        }
        assert_eq!(tar_size(full + 6), Some(BLOCK + 1));
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(tar in prop::collection::vec(any::<u8>(), 0..200_000)) {
            check(&tar);
        }

        #[test]
        fn sizes_have_an_inverse(size in 0_u64..1 << 45) {
            prop_assert_eq!(tar_size(file_size(size)), Some(size));
        }

        #[test]
        fn parts_of_neighbours_are_neighbours(start in 0_u64..1 << 20, a in 1_u64..1 << 18, b in 1_u64..1 << 18) {
            prop_assert_eq!(framed(start, start + a).end, framed(start + a, start + a + b).start);
            let split: u64 = pieces(start, start + a).map(|p| p.end - p.start).sum();
            prop_assert_eq!(split, a);
        }
    }
}
