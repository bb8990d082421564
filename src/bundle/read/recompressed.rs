//! Reading an archive that somebody recompressed, at any place: one pass from front to end remembers places to go on
//! from, and a read decompresses from the nearest one before it.

use std::sync::{Arc, Mutex, PoisonError};

use super::super::gzip;
use super::super::volume::Volume;
use super::Fault;
use super::inflate::{self, Decoder, Forward, Point};

/// The most places that are remembered, 256: each takes 44 KiB, so that all take 11 MiB whatever the archive's size.
const MAX_POINTS: usize = 256;
/// How far places are from each other at first, 4 MiB of the tar; twice as far when there are too many.
const SPACING: u64 = 4 << 20;
/// The most decompressors that wait for the next read to go on where the last one ended, 16: each takes 140 KiB.
const MAX_IDLE: usize = 16;
/// The most zeros after the end of a tar, 1 MiB: tar programs fill up to 10 KiB, tapes had 1 MiB.
const MAX_FILL: u64 = 1 << 20;
/// The most that an archive may grow when it is larger than [`FREE`]: what is in a bundle is compressed already, and text
/// alone shrinks to a tenth.
const MAX_GROWTH: u64 = 100;
/// What any archive may have, 64 MiB.
const FREE: u64 = 64 << 20;

#[cfg(test)]
mod tests;

/// The first pass over an archive.
#[derive(Debug)]
pub(super) struct Reader {
    volume: Arc<Volume>,
    header: u64,
    decoder: Decoder,
    points: Vec<Point>,
    spacing: u64,
    crc: crc32fast::Hasher,
}

/// An archive that was read from front to end, whose checksum is right and after which nothing follows.
#[derive(Debug)]
pub(super) struct Archive {
    volume: Arc<Volume>,
    header: u64,
    /// By their places in the tar.
    points: Vec<Point>,
    /// Those that were used last are at the end.
    idle: Mutex<Vec<Decoder>>,
}

impl Reader {
    /// Begins to read; `None` when it is no gzip file.
    pub(super) fn open(volume: &Arc<Volume>) -> Result<Option<Self>, Fault> {
        Self::with(volume, SPACING)
    }

    fn with(volume: &Arc<Volume>, spacing: u64) -> Result<Option<Self>, Fault> {
        let Some(header) = inflate::header(volume)? else { return Ok(None) };
        Ok(Some(Self {
            volume: Arc::clone(volume),
            header,
            decoder: Decoder::new(volume, header),
            points: Vec::new(),
            spacing,
            crc: crc32fast::Hasher::new(),
        }))
    }

    /// Reads to the end: zeros, the checksum, and nothing more. How many bytes follow, where some do.
    pub(super) fn finish(mut self) -> Result<Result<Archive, u64>, Fault> {
        let mut filled = 0;
        loop {
            let at = self.decoder.at();
            let bytes = self.next(u64::MAX)?;
            if bytes.is_empty() {
                break;
            }
            filled += bytes.len() as u64;
            if bytes.iter().any(|byte| *byte != 0) {
                return Err(Fault::Damaged { at, reason: "bytes after the end of the tar".to_owned() });
            }
            if filled > MAX_FILL {
                return Err(Fault::Damaged { at, reason: "more than 1 MiB of zeros after its end".to_owned() });
            }
        }
        let (at, offset) = (self.decoder.at(), self.decoder.offset());
        let found = inflate::trailer(&self.volume, offset, at)?;
        if found != gzip::trailer(self.crc.finalize(), at) {
            let reason = "the checksum at its end is not that of its bytes".to_owned();
            return Err(Fault::Damaged { at, reason });
        }
        match self.volume.size() - offset - gzip::TRAILER {
            0 => {
                let Self { volume, header, points, .. } = self;
                Ok(Ok(Archive { volume, header, points, idle: Mutex::default() }))
            }
            trailing => Ok(Err(trailing)),
        }
    }
}

impl Forward for Reader {
    fn at(&self) -> u64 {
        self.decoder.at()
    }

    fn next(&mut self, limit: u64) -> Result<&[u8], Fault> {
        let at = self.decoder.at();
        if at > FREE && at / MAX_GROWTH > self.volume.size() {
            return Err(Fault::Damaged { at, reason: "it grows to more than a hundred times its size".to_owned() });
        }
        let last = self.points.last().map_or(0, |point| point.at);
        if at >= last + self.spacing && self.decoder.is_drained() {
            if self.points.len() == MAX_POINTS {
                let mut index = 0;
                self.points.retain(|_| {
                    index += 1;
                    index % 2 == 0
                });
                self.spacing *= 2;
            } else {
                self.points.push(self.decoder.point());
            }
        }
        let bytes = self.decoder.next(limit)?;
        self.crc.update(bytes);
        Ok(bytes)
    }
}

impl Archive {
    /// The size of the archive in bytes.
    pub(super) fn size(&self) -> u64 {
        self.volume.size()
    }

    /// Fills `bytes` from the tar at `at`.
    pub(super) fn read(&self, at: u64, bytes: &mut [u8]) -> Result<(), Fault> {
        let mut decoder = self.before(at);
        decoder.read(at, bytes)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() == MAX_IDLE {
            idle.remove(0);
        }
        idle.push(decoder);
        Ok(())
    }

    /// A decompressor that stands at `at`, or as near before it as there is one.
    fn before(&self, at: u64) -> Decoder {
        let point = self.points[..self.points.partition_point(|point| point.at <= at)].last();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let nearest = idle.iter().enumerate().filter(|(_, decoder)| decoder.at() <= at);
        let nearest = nearest.max_by_key(|(_, decoder)| decoder.at());
        match (nearest.map(|(index, decoder)| (index, decoder.at())), point) {
            (Some((index, stands)), point) if point.is_none_or(|point| stands >= point.at) => idle.remove(index),
            (_, Some(point)) => Decoder::from(&self.volume, point),
            (_, None) => Decoder::new(&self.volume, self.header),
        }
    }
}
