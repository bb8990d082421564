//! The floor: fetch each blob once, hash it, write it once at its offset. Nothing that does the job can do less.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Mutex;

use bundler::oci::Hasher;

use crate::Result;
use crate::corpus::{Blob, Corpus};

/// How much is read at once: 256 KiB stay in a core's cache for hashing and writing.
const BUFFER: usize = 256 << 10;

/// Writes all blobs of the corpus to `output`, one after the other in digest order.
pub(crate) fn run(corpus: &Path, address: SocketAddr, output: &Path, connections: usize, sync: bool) -> Result<()> {
    let corpus = Corpus::open(corpus)?;
    let mut end = 0;
    let mut places = Vec::new();
    for blob in &corpus.contents.blobs {
        places.push((blob, end));
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

fn worker<'a>(queue: &Mutex<impl Iterator<Item = (&'a Blob, u64)>>, address: SocketAddr, file: &File) -> Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; BUFFER];
    loop {
        let next = queue.lock().map_err(|_| "a worker panicked")?.next();
        let Some((blob, offset)) = next else { return Ok(()) };
        let digest = &blob.digest;
        stream.write_all(format!("GET /v2/x/blobs/{digest} HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes())?;
        let mut filled = 0;
        let body = loop {
            filled += some(&mut stream, &mut buffer[filled..])?;
            if let Some(end) = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
        };
        if !buffer.starts_with(b"HTTP/1.1 200 ") {
            return Err(format!("the registry has no {digest}").into());
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
