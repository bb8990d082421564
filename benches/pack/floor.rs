//! The floor: fetch each blob once, hash it, write it once at its offset. Nothing that does the job can do less.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Mutex;

use bundler::oci::{Hasher, media_type};
use serde::Deserialize;

use crate::Result;
use crate::corpus::{Blob, Corpus};

/// How much is read at once: 256 KiB stay in a core's cache for hashing and writing.
const BUFFER: usize = 256 << 10;

/// Writes all blobs of the corpus to `output`, one after the other in digest order.
///
/// With `names` it asks as a real registry wants it: manifests as such, and each under an image that has it.
pub(crate) fn run(
    corpus: &Path,
    address: SocketAddr,
    output: &Path,
    connections: usize,
    sync: bool,
    names: bool,
) -> Result<()> {
    let corpus = Corpus::open(corpus)?;
    let names = if names { paths(&corpus)? } else { BTreeMap::new() };
    let mut end = 0;
    let mut places = Vec::new();
    for blob in &corpus.contents.blobs {
        let path = names.get(&blob.digest).cloned().unwrap_or_else(|| format!("x/blobs/{}", blob.digest));
        places.push((blob, path, end));
        end += blob.size;
    }
    let file = File::create(output)?;
    file.set_len(end)?;
    let queue = Mutex::new(places.into_iter());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..connections)
            .map(|_| scope.spawn(|| worker(&queue, address, &file).map_err(|e| e.to_string())))
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a worker panicked".to_owned())?)
    })?;
    if sync {
        file.sync_all()?;
    }
    Ok(())
}

/// Where images have their manifests and blobs, by digest.
fn paths(corpus: &Corpus) -> Result<BTreeMap<String, String>> {
    let mut paths = BTreeMap::new();
    for image in &corpus.contents.images {
        for digest in [&image.index, &image.manifest.digest] {
            paths.insert(digest.clone(), format!("{}/manifests/{digest}", image.name));
        }
        let manifest = std::fs::read(corpus.directory.join("blobs").join(image.manifest.hex()))?;
        let manifest: Manifest = serde_json::from_slice(&manifest)?;
        for Descriptor { digest } in manifest.layers.into_iter().chain([manifest.config]) {
            let path = format!("{}/blobs/{digest}", image.name);
            paths.insert(digest, path);
        }
    }
    Ok(paths)
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
}

/// A blob, its path below `/v2/` and its place in the output.
type Job<'a> = (&'a Blob, String, u64);

fn worker<'a>(queue: &Mutex<impl Iterator<Item = Job<'a>>>, address: SocketAddr, file: &File) -> Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; BUFFER];
    loop {
        let next = queue.lock().map_err(|_| "a worker panicked")?.next();
        let Some((blob, path, offset)) = next else { return Ok(()) };
        let digest = &blob.digest;
        let accept = format!("Accept: {}\r\nAccept: {}", media_type::OCI_INDEX, media_type::OCI_MANIFEST);
        stream.write_all(format!("GET /v2/{path} HTTP/1.1\r\nHost: {address}\r\n{accept}\r\n\r\n").as_bytes())?;
        let mut filled = 0;
        let body = loop {
            filled += some(&mut stream, &mut buffer[filled..])?;
            if let Some(end) = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
        };
        if !buffer.starts_with(b"HTTP/1.1 200 ") {
            return Err(format!("the registry has no {path}").into());
        }
        buffer.copy_within(body..filled, 0);
        filled -= body;
        let (mut hasher, mut at) = (Hasher::new(), 0);
        loop {
            hasher.update(&buffer[..filled]);
            file.write_all_at(&buffer[..filled], offset + at)?;
            at += filled as u64;
            if at >= blob.size {
                break;
            }
            filled = some(&mut stream, &mut buffer)?;
        }
        if hasher.finish().to_string() != *digest {
            return Err(format!("{digest} has other bytes").into());
        }
    }
}

fn some(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    match stream.read(buffer)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        length => Ok(length),
    }
}
