//! The one member of a downloaded archive that is carried: tar, plain or in gzip.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, Write};

use flate2::bufread::MultiGzDecoder;

use crate::oci::{Digest, Hasher};

/// The largest member that is unpacked, 4 GiB: a program has a tenth of it.
const MAX_MEMBER: u64 = 4 << 30;
/// How much of an archive is unpacked at most to find the member, 16 GiB: what claims more is a bomb.
const MAX_UNPACKED: u64 = 16 << 30;
/// How much is unpacked at once.
const BUFFER: usize = 256 << 10;

/// What was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// The digest of the member's bytes.
    pub(crate) digest: Digest,
    /// Their size.
    pub(crate) size: u64,
}

/// Copies the file `path` of `archive` to `output`; `None` when there is no such member.
///
/// # Errors
/// A form that is not read, an archive that ends early, a member that is no regular file or too large.
pub(crate) fn copy(archive: File, path: &str, output: &mut impl Write) -> io::Result<Option<Member>> {
    let mut archive = BufReader::with_capacity(BUFFER, archive);
    archive.rewind()?;
    let mut magic = [0; 4];
    archive.read_exact(&mut magic).map_err(|_| io::Error::other("it is no archive"))?;
    archive.rewind()?;
    let unread = |form: &str| Err(io::Error::other(format!("it is {form}; only tar and tar.gz are read")));
    match magic {
        // RFC 1952, section 2.3.1.
        [0x1f, 0x8b, ..] => find(MultiGzDecoder::new(archive), MAX_UNPACKED, path, output),
        [0x28, 0xb5, 0x2f, 0xfd] => unread("compressed with zstd"),
        [0xfd, b'7', b'z', b'X'] => unread("compressed with xz"),
        [b'P', b'K', 3, 4] => unread("a zip archive"),
        _ => find(archive, MAX_UNPACKED, path, output),
    }
}

fn find(tar: impl Read, most: u64, path: &str, output: &mut impl Write) -> io::Result<Option<Member>> {
    let mut archive = tar::Archive::new(tar.take(most));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path_bytes();
        let name = name.strip_prefix(b"./").unwrap_or(&name);
        if name != path.trim_start_matches("./").as_bytes() {
            continue;
        }
        if !entry.header().entry_type().is_file() {
            return Err(io::Error::other("it is no regular file there"));
        }
        if entry.size() > MAX_MEMBER {
            return Err(io::Error::other(format!("it has {} bytes; at most {MAX_MEMBER} are read", entry.size())));
        }
        let (mut hasher, mut size, mut buffer) = (Hasher::new(), 0, vec![0; BUFFER]);
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
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends within it"));
        }
        return Ok(Some(Member { digest: hasher.finish(), size }));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn unpack(bytes: &[u8], path: &str) -> Result<Option<(Member, Vec<u8>)>, String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let mut output = Vec::new();
        let found = copy(file, path, &mut output).map_err(|error| error.to_string())?;
        Ok(found.map(|member| (member, output)))
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
            let (member, bytes) = unpack(&archive, "linux-arm64/helm").unwrap().unwrap();
            assert_eq!(member, Member { digest: Digest::of(&content), size: content.len() as u64 });
            assert_eq!(bytes, content);
            assert!(unpack(&archive, "linux-amd64/helm").unwrap().is_none());
        }
    }

    #[test]
    fn takes_nothing_else() {
        for kind in [tar::EntryType::Directory, tar::EntryType::Symlink, tar::EntryType::Fifo] {
            assert!(unpack(&tar("helm", kind, b""), "helm").unwrap_err().contains("regular file"), "{kind:?}");
        }
        assert!(unpack(b"<!DOCTYPE html>".repeat(100).as_slice(), "helm").is_err());
        assert!(unpack(b"", "helm").is_err());
        for (magic, form) in [(&b"PK\x03\x04____"[..], "zip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ", "xz")] {
            assert!(unpack(magic, "helm").unwrap_err().contains(form), "{form}");
        }
        let whole = tar("helm", tar::EntryType::Regular, &[7; 5000]);
        assert!(unpack(&whole[..3000], "helm").is_err());
        let cut = gzip(&whole);
        assert!(unpack(&cut[..cut.len() / 2], "helm").is_err());
    }

    #[test]
    fn no_more_is_unpacked_than_any_download_has() {
        let content = [7; 5000];
        let whole = tar("helm", tar::EntryType::Regular, &content);
        let found = |most| find(whole.as_slice(), most, "helm", &mut io::sink()).is_ok_and(|member| member.is_some());
        assert!(found(whole.len() as u64));
        // Behind another member of a block, and before the end of the tar.
        assert!(!found(3 * 512 + content.len() as u64 - 1));
        let mut header = tar::Header::new_gnu();
        header.set_path("helm").unwrap();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(MAX_MEMBER + 1);
        header.set_cksum();
        assert!(unpack(header.as_bytes(), "helm").unwrap_err().contains("at most"));
    }
}
