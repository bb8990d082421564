//! The one member of an archive that is carried: tar, plain or in gzip.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom, Write};

use flate2::bufread::MultiGzDecoder;

use crate::bundle::contents::Carried;
use crate::oci::Hasher;

/// The largest member that is unpacked, 4 GiB: a program has a tenth of it.
const MAX_MEMBER: u64 = 4 << 30;
/// How much of an archive is unpacked at most to find the member, 16 GiB: what claims more is a bomb.
const MAX_UNPACKED: u64 = 16 << 30;
/// The first bytes of gzip (RFC 1952, §2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Copies the file `path` of `archive` to `output`; `None` when there is no such file.
pub(super) fn member(archive: File, path: &str, output: &mut impl Write) -> io::Result<Option<Carried>> {
    let mut archive = BufReader::with_capacity(256 << 10, archive);
    let mut start = [0; 2];
    let gzip = archive.read_exact(&mut start).is_ok() && start == GZIP;
    archive.seek(SeekFrom::Start(0))?;
    if gzip { find(MultiGzDecoder::new(archive), path, output) } else { find(archive, path, output) }
}

fn find(tar: impl Read, path: &str, output: &mut impl Write) -> io::Result<Option<Carried>> {
    let mut archive = tar::Archive::new(tar.take(MAX_UNPACKED));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path_bytes();
        let name = name.strip_prefix(b"./").unwrap_or(&name);
        if name != path.trim_start_matches("./").as_bytes() || !entry.header().entry_type().is_file() {
            continue;
        }
        if entry.size() > MAX_MEMBER {
            return Err(io::Error::other(format!("it has {} bytes; at most {MAX_MEMBER} are read", entry.size())));
        }
        let (mut hasher, mut size) = (Hasher::new(), 0);
        let mut buffer = vec![0; 256 << 10];
        loop {
            let n = entry.read(&mut buffer)?;
            if n == 0 {
                break;
            }
            hasher.update(&buffer[..n]);
            output.write_all(&buffer[..n])?;
            size += n as u64;
        }
        if size != entry.size() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        return Ok(Some(Carried { digest: hasher.finish(), size }));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Digest;

    fn tar(path: &str, kind: tar::EntryType, content: &[u8]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, kind, content) in [("first", tar::EntryType::Regular, &b"x"[..]), (path, kind, content)] {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_entry_type(kind);
            header.set_mode(0o755);
            builder.append_data(&mut header, name, content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn unpack(bytes: &[u8], path: &str) -> io::Result<Option<(Carried, Vec<u8>)>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        let mut output = Vec::new();
        Ok(member(file, path, &mut output)?.map(|carried| (carried, output)))
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn finds_the_member() {
        let content = b"\x7fELF program".to_vec();
        let plain = tar("./linux-arm64/helm", tar::EntryType::Regular, &content);
        for archive in [plain.clone(), gzip(&plain)] {
            let (carried, bytes) = unpack(&archive, "linux-arm64/helm").unwrap().unwrap();
            assert_eq!(carried, Carried { digest: Digest::of(&content), size: content.len() as u64 });
            assert_eq!(bytes, content);
            assert!(unpack(&archive, "linux-amd64/helm").unwrap().is_none());
        }
    }

    #[test]
    fn takes_nothing_else() {
        let link = tar("helm", tar::EntryType::Directory, b"");
        assert!(unpack(&link, "helm").unwrap().is_none());
        assert!(unpack(b"no archive at all, but longer than one tar record".repeat(30).as_slice(), "helm").is_err());
        let whole = tar("helm", tar::EntryType::Regular, &[7; 5000]);
        assert!(unpack(&whole[..3000], "helm").is_err());
        let cut = gzip(&whole);
        assert!(unpack(&cut[..cut.len() / 2], "helm").is_err());
        assert!(unpack(b"", "helm").unwrap().is_none());
    }
}
