//! Decompressing an archive that somebody recompressed (RFC 1951, RFC 1952) from its start, or from any place that was
//! remembered on the way: the decompressor's state and the 32 KiB before it are all that going on takes.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use miniz_oxide::inflate::TINFLStatus as Status;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::super::volume::Volume;
use super::Fault;
use super::error::ENDED;

/// How far back a copy can reach, 32 KiB (RFC 1951 §2).
const WINDOW: usize = 32 << 10;
/// Where output goes round and round, 64 KiB: a power of two, and twice the window, so that half of it is new each time.
const RING: usize = 2 * WINDOW;
/// How much of the archive is read at once.
const INPUT: usize = 64 << 10;
/// The longest gzip header that is read, 64 KiB: a name and a comment have a few bytes.
const MAX_HEADER: u64 = 64 << 10;

/// What gives a tar from front to end.
pub(super) trait Forward {
    /// The place in the tar of the next byte.
    fn at(&self) -> u64;

    /// The next bytes that are there, at most `limit`; none at the end.
    fn next(&mut self, limit: u64) -> Result<&[u8], Fault>;

    /// Fills `bytes` from the tar at `at`, which is not before the next byte.
    fn read(&mut self, at: u64, bytes: &mut [u8]) -> Result<(), Fault> {
        while self.at() < at {
            if self.next(at - self.at())?.is_empty() {
                return Err(ended(self.at()));
            }
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let found = self.next(rest.len() as u64)?;
            if found.is_empty() {
                return Err(ended(self.at()));
            }
            let (now, later) = std::mem::take(&mut rest).split_at_mut(found.len());
            now.copy_from_slice(found);
            rest = later;
        }
        Ok(())
    }
}

/// What a decompressor knows of what it read; it has nothing that a person could read.
#[derive(Clone, Default)]
struct State(Box<DecompressorOxide>);

impl std::fmt::Debug for State {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("State").finish_non_exhaustive()
    }
}

/// A decompressor and where it stands.
#[derive(Debug)]
pub(super) struct Decoder {
    volume: Arc<Volume>,
    state: State,
    ring: Box<[u8]>,
    /// The bytes of `ring` that nobody took yet.
    ready: Range<usize>,
    input: Vec<u8>,
    /// How much of `input` the decompressor took.
    taken: usize,
    /// The place in the archive of the first byte that it did not take.
    offset: u64,
    /// The place in the tar of the first byte that nobody took.
    at: u64,
    ended: bool,
}

/// A place to go on from.
#[derive(Debug)]
pub(super) struct Point {
    /// Where it is in the tar.
    pub(super) at: u64,
    offset: u64,
    state: State,
    window: Box<[u8]>,
}

impl Decoder {
    /// Begins after the gzip header, which is `header` bytes long.
    pub(super) fn new(volume: &Arc<Volume>, header: u64) -> Self {
        Self {
            volume: Arc::clone(volume),
            state: State::default(),
            ring: vec![0; RING].into(),
            ready: 0..0,
            input: Vec::new(),
            taken: 0,
            offset: header,
            at: 0,
            ended: false,
        }
    }

    /// Goes on from a point.
    pub(super) fn from(volume: &Arc<Volume>, point: &Point) -> Self {
        let mut decoder = Self { state: point.state.clone(), at: point.at, ..Self::new(volume, point.offset) };
        decoder.ring[..WINDOW].copy_from_slice(&point.window);
        decoder.ready = WINDOW..WINDOW;
        decoder
    }

    /// Remembers this place. Only while nothing is ready.
    pub(super) fn point(&self) -> Point {
        debug_assert!(self.ready.is_empty(), "what is ready would be skipped");
        let end = self.ready.end;
        let mut window = vec![0; WINDOW].into_boxed_slice();
        let (old, new) = window.split_at_mut(WINDOW.saturating_sub(end));
        new.copy_from_slice(&self.ring[end.saturating_sub(WINDOW)..end]);
        old.copy_from_slice(&self.ring[RING - old.len()..]);
        Point { at: self.at, offset: self.offset, state: self.state.clone(), window }
    }

    /// Whether nothing is ready.
    pub(super) fn is_drained(&self) -> bool {
        self.ready.is_empty()
    }

    /// The place in the archive after the deflate stream, once that is at its end.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Decompresses up to where the ring ends.
    fn step(&mut self) -> Result<(), Fault> {
        if self.taken == self.input.len() {
            let left = self.volume.size().saturating_sub(self.offset);
            self.input.resize(usize::try_from(left).unwrap_or(usize::MAX).min(INPUT), 0);
            self.taken = 0;
            self.volume.read_exact_at(&mut self.input, self.offset).map_err(Fault::Disk)?;
        }
        let start = self.ready.end % RING;
        let more = self.offset + ((self.input.len() - self.taken) as u64) < self.volume.size();
        let flags = if more { TINFL_FLAG_HAS_MORE_INPUT } else { 0 };
        let (status, taken, given) =
            decompress(&mut self.state.0, &self.input[self.taken..], &mut self.ring, start, flags);
        self.taken += taken;
        self.offset += taken as u64;
        self.ready = start..start + given;
        match status {
            Status::Done => self.ended = true,
            Status::HasMoreOutput | Status::NeedsMoreInput => {}
            Status::FailedCannotMakeProgress => return Err(ended(self.at)),
            _ => {
                let reason = "its compressed bytes are not as anybody writes them".to_owned();
                return Err(Fault::Damaged { at: self.at, reason });
            }
        }
        Ok(())
    }
}

impl Forward for Decoder {
    fn at(&self) -> u64 {
        self.at
    }

    fn next(&mut self, limit: u64) -> Result<&[u8], Fault> {
        while self.ready.is_empty() && !self.ended {
            self.step()?;
        }
        let length = usize::try_from(limit).unwrap_or(usize::MAX).min(self.ready.len());
        let given = self.ready.start..self.ready.start + length;
        self.ready.start = given.end;
        self.at += length as u64;
        Ok(&self.ring[given])
    }
}

fn ended(at: u64) -> Fault {
    Fault::Damaged { at, reason: ENDED.to_owned() }
}

/// The length of the gzip header that an archive begins with; `None` when it has none (RFC 1952 §2.3).
pub(super) fn header(volume: &Volume) -> Result<Option<u64>, Fault> {
    const CHECKED: u8 = 1 << 1;
    const EXTRA: u8 = 1 << 2;
    const NAME: u8 = 1 << 3;
    const COMMENT: u8 = 1 << 4;
    let mut bytes = vec![0; usize::try_from(volume.size().min(MAX_HEADER)).unwrap_or_default()];
    volume.read_exact_at(&mut bytes, 0).map_err(Fault::Disk)?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(None);
    }
    let [_, _, 8, flags @ 0..=0x1f, _, _, _, _, _, _, rest @ ..] = bytes.as_slice() else {
        let reason = "its gzip header is cut or of no kind that is known".to_owned();
        return Err(Fault::Damaged { at: 0, reason });
    };
    let skip = || -> Option<&[u8]> {
        let text = |rest: &'_ [u8]| rest.iter().position(|byte| *byte == 0).map(|end| end + 1);
        let mut rest = rest;
        if flags & EXTRA != 0 {
            let length = u16::from_le_bytes([*rest.first()?, *rest.get(1)?]);
            rest = rest.get(2 + usize::from(length)..)?;
        }
        for flag in [NAME, COMMENT] {
            if flags & flag != 0 {
                rest = &rest[text(rest)?..];
            }
        }
        if flags & CHECKED != 0 { rest.get(2..) } else { Some(rest) }
    };
    match skip() {
        Some(rest) => Ok(Some((bytes.len() - rest.len()) as u64)),
        None => Err(Fault::Damaged { at: 0, reason: "its gzip header does not end within 64 KiB".to_owned() }),
    }
}

/// The crc32 and the size that follow the deflate stream, which ends at `offset`.
pub(super) fn trailer(volume: &Volume, offset: u64, at: u64) -> Result<[u8; 8], Fault> {
    let mut trailer = [0; 8];
    match volume.read_exact_at(&mut trailer, offset) {
        Ok(()) => Ok(trailer),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ended(at)),
        Err(error) => Err(Fault::Disk(error)),
    }
}
