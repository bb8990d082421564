//! Downloads that `resolve` has to read: what nobody publishes a sha256 of, and archives that a member is taken from.

use std::fs::File;
use std::io::{self, Read, Seek as _, Write as _};

use flate2::read::MultiGzDecoder;
use sha2::Digest as _;
use url::Url;

use super::Failure;
use super::sources::Sources;
use crate::oci::{Digest, digest::Hasher};
use crate::source;

/// The largest file that is downloaded, 8 GiB: k3s' own images have 1.
const MAX_FILE: u64 = 8 << 30;
/// The most that an archive may unpack to, 16 GiB, so that a bomb ends.
const MAX_UNPACKED: u64 = 16 << 30;
/// How often a download that breaks off is begun anew.
const ATTEMPTS: usize = 3;

/// What a download turned out to be.
pub(super) struct Fetched {
    pub(super) sha256: Digest,
    /// In lower-case hex.
    pub(super) sha512: String,
    pub(super) size: u64,
}

/// Downloads to a nameless temporary file.
pub(super) async fn to_file(sources: &Sources, url: &Url) -> Result<(Fetched, File), Failure> {
    let disk = |source| Failure::Disk { path: sources.directory.display().to_string(), source };
    std::fs::create_dir_all(&sources.directory).map_err(disk)?;
    let mut attempt = 1;
    loop {
        let mut file = tempfile::tempfile_in(&sources.directory).map_err(disk)?;
        match stream(sources, url, &mut file).await {
            Ok(fetched) => return Ok((fetched, file)),
            Err(Failure::Source(error)) if error.is_transient() && attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

async fn stream(sources: &Sources, url: &Url, file: &mut File) -> Result<Fetched, Failure> {
    let disk = |source| Failure::Disk { path: sources.directory.display().to_string(), source };
    let mut download = sources.http.open(url, None).await?;
    let (mut sha256, mut sha512, mut size) = (Hasher::new(), sha2::Sha512::new(), 0_u64);
    while let Some(chunk) = download.chunk().await? {
        size += chunk.len() as u64;
        if size > MAX_FILE {
            return Err(source::Error::TooLarge { url: url.to_string(), limit: MAX_FILE }.into());
        }
        sha256.update(&chunk);
        sha512.update(&chunk);
        file.write_all(&chunk).map_err(disk)?;
    }
    let sha512 = sha512.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Fetched { sha256: sha256.finish(), sha512, size })
}

/// The sha256 and size of one member of a downloaded archive, which is copied to `into`.
pub(super) async fn member(
    file: File,
    url: &str,
    path: &str,
    into: impl io::Write + Send + 'static,
) -> Result<(Digest, u64), Failure> {
    let failed = |problem: String| Failure::Member { url: url.to_owned(), member: path.to_owned(), problem };
    let wanted = path.to_owned();
    match tokio::task::spawn_blocking(move || find(file, &wanted, into)).await {
        Ok(found) => found.map_err(|error| failed(error.to_string())),
        Err(_) => Err(failed("the archive cannot be read".to_owned())),
    }
}

fn find(mut file: File, path: &str, mut into: impl io::Write) -> io::Result<(Digest, u64)> {
    file.rewind()?;
    let mut magic = [0; 4];
    file.read_exact(&mut magic)?;
    file.rewind()?;
    let reader: Box<dyn Read> = match magic {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(io::BufReader::new(file))),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            return Err(io::Error::other("it is compressed with zstd; only tar and tar.gz are read"));
        }
        [0xfd, b'7', b'z', b'X'] => {
            return Err(io::Error::other("it is compressed with xz; only tar and tar.gz are read"));
        }
        [b'P', b'K', 3, 4] => return Err(io::Error::other("it is a zip archive; only tar and tar.gz are read")),
        _ => Box::new(io::BufReader::new(file)),
    };
    let mut archive = tar::Archive::new(reader.take(MAX_UNPACKED));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path_bytes().into_owned();
        if name.strip_prefix(b"./").unwrap_or(&name) != path.as_bytes() {
            continue;
        }
        if !entry.header().entry_type().is_file() {
            return Err(io::Error::other("it is no regular file there"));
        }
        let (mut hasher, mut size, mut buffer) = (Hasher::new(), 0_u64, vec![0; 64 << 10]);
        loop {
            let read = entry.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
            into.write_all(&buffer[..read])?;
            size += read as u64;
        }
        if size != entry.size() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends within it"));
        }
        return Ok((hasher.finish(), size));
    }
    Err(io::Error::other("the archive has no such member"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, content) in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o755);
            builder.append_data(&mut header, path, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn look(bytes: &[u8], path: &str) -> Result<(Digest, u64), String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        find(file, path, io::sink()).map_err(|error| error.to_string())
    }

    #[test]
    fn finds_a_member_in_either_form() {
        let tar = archive(&[("linux-amd64/LICENSE", b"x"), ("linux-amd64/helm", b"program")]);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&tar).unwrap();
        for bytes in [tar, gzip.finish().unwrap(), archive(&[("./linux-amd64/helm", b"program")])] {
            assert_eq!(look(&bytes, "linux-amd64/helm"), Ok((Digest::of(b"program"), 7)));
            assert!(look(&bytes, "helm").unwrap_err().contains("no such member"));
        }
    }

    #[test]
    fn refuses_what_is_no_archive_or_no_file() {
        let tar = archive(&[("a", &[7; 2000])]);
        assert!(look(&tar[..1500], "a").is_err());
        assert!(look(b"", "a").is_err());
        assert!(look(b"<!DOCTYPE html>", "a").is_err());
        assert!(look(b"PK\x03\x04____", "a").unwrap_err().contains("zip"));
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        builder.append_link(&mut header, "a", "/etc/passwd").unwrap();
        assert!(look(&builder.into_inner().unwrap(), "a").unwrap_err().contains("regular file"));
    }
}
