//! Reading an archive that somebody recompressed: in order, and again from the start to go back.

use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;

use flate2::bufread::GzDecoder;

use super::super::volume::{Cursor, Volume};
use super::{Error, Fault};

/// The most zeros after the end of a tar, 1 MiB: tar programs fill up to 10 KiB, tapes had 1 MiB.
const MAX_FILL: u64 = 1 << 20;

/// A decompressor and where it stands in the tar.
#[derive(Debug)]
pub(super) struct Stream {
    volume: Arc<Volume>,
    decoder: GzDecoder<BufReader<Cursor>>,
    at: u64,
}

impl Stream {
    /// Opens a gzip file, whose name is for messages.
    pub(super) fn open(path: &Path, volume: &Arc<Volume>) -> Result<Self, Error> {
        let disk = |source| Error::Disk { path: path.to_owned(), source };
        let mut reader = reader(volume);
        if !reader.fill_buf().map_err(disk)?.starts_with(&[0x1f, 0x8b]) {
            return Err(Error::NotBundle { path: path.to_owned(), reason: "it is not in gzip form" });
        }
        Ok(Self { volume: Arc::clone(volume), decoder: GzDecoder::new(reader), at: 0 })
    }

    /// The size of the archive in bytes.
    pub(super) fn archive_size(&self) -> u64 {
        self.volume.size()
    }

    /// Fills `bytes` from the tar at `at`.
    pub(super) fn read(&mut self, at: u64, bytes: &mut [u8]) -> Result<(), Fault> {
        if at < self.at {
            self.decoder = GzDecoder::new(reader(&self.volume));
            self.at = 0;
        }
        let skipped = io::copy(&mut (&mut self.decoder).take(at - self.at), &mut io::sink());
        self.at += skipped.map_err(|error| fault(self.at, error))?;
        if self.at < at {
            return Err(fault(self.at, io::ErrorKind::UnexpectedEof.into()));
        }
        self.decoder.read_exact(bytes).map_err(|error| fault(self.at, error))?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Reads to the end of the gzip member, which has its checksum, and counts the bytes of the file after it.
    pub(super) fn drain(&mut self) -> Result<u64, Fault> {
        let mut rest = (&mut self.decoder).take(MAX_FILL + 1);
        let mut buffer = [0; 8192];
        let mut filled = 0;
        loop {
            let length = rest.read(&mut buffer).map_err(|error| fault(self.at + filled, error))?;
            if length == 0 {
                break;
            }
            if buffer[..length].iter().any(|byte| *byte != 0) {
                return Err(Fault::Damaged {
                    at: self.at + filled,
                    reason: "bytes after the end of the tar".to_owned(),
                });
            }
            filled += length as u64;
        }
        if filled > MAX_FILL {
            return Err(Fault::Damaged { at: self.at, reason: "more than 1 MiB of zeros after its end".to_owned() });
        }
        self.at += filled;
        io::copy(self.decoder.get_mut(), &mut io::sink()).map_err(Fault::Disk)
    }
}

fn reader(volume: &Arc<Volume>) -> BufReader<Cursor> {
    BufReader::with_capacity(1 << 18, Cursor::new(Arc::clone(volume)))
}

/// Tells damage from a failing disk.
fn fault(at: u64, error: io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Fault::Damaged { at, reason: error.to_string() },
        io::ErrorKind::UnexpectedEof => Fault::Damaged { at, reason: "the archive ends here".to_owned() },
        _ => Fault::Disk(error),
    }
}
