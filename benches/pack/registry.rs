//! A registry that only reads, in a process of its own so that its work is not counted as a contender's.
//!
//! As fast as the machine allows: blobs go from the page cache to the socket by `sendfile`. Every answer's head is one
//! write, and `TCP_NODELAY` is set, or clients would wait for delayed acknowledgements.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Result;
use crate::corpus::{Corpus, TAG};

/// How much a slow connection sends at a time, 64 KiB: 3 ms of it at 20 MB/s.
const PIECE: u64 = 64 << 10;
/// The largest request, 64 KiB: real ones have less than 2.
const MAX_REQUEST: usize = 64 << 10;

/// What lies between client and registry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    /// Before each answer.
    pub(crate) delay: Duration,
    /// Bytes a second on each connection; 0 for as fast as it goes.
    pub(crate) rate: u64,
}

/// Serves until stdin ends; prints the address first.
pub(crate) fn run(corpus: &Path, link: Link) -> Result<()> {
    let corpus = Arc::new(Corpus::open(corpus)?);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut stdout = io::stdout();
    writeln!(stdout, "{}", listener.local_addr()?)?;
    stdout.flush()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let corpus = Arc::clone(&corpus);
            // A connection that breaks is the client's to report.
            std::thread::spawn(move || serve(&stream, &corpus, link));
        }
    });
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// What of a request matters here.
struct Request {
    head: bool,
    path: String,
    range: Option<String>,
}

fn serve(mut stream: &TcpStream, corpus: &Corpus, link: Link) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut pending = Vec::new();
    while let Some(request) = read(stream, &mut pending)? {
        std::thread::sleep(link.delay);
        let Some((path, media_type)) = find(corpus, &request.path)? else {
            let status = if request.path == "/v2/" { "200 OK" } else { "404 Not Found" };
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{{}}")?;
            continue;
        };
        let file = File::open(&path)?;
        let size = file.metadata()?.len();
        let digest = path.file_name().unwrap_or_default().to_string_lossy();
        let common =
            format!("Content-Type: {media_type}\r\nDocker-Content-Digest: sha256:{digest}\r\nAccept-Ranges: bytes");
        let (head, bytes) = match request.range.as_deref().and_then(|range| part(range, size)) {
            Some(bytes) => {
                let Range { start, end } = bytes;
                let range = format!("Content-Range: bytes {start}-{}/{size}", end - 1);
                (format!("HTTP/1.1 206 Partial Content\r\n{range}\r\nContent-Length: {}", end - start), bytes)
            }
            None => (format!("HTTP/1.1 200 OK\r\nContent-Length: {size}"), 0..size),
        };
        stream.write_all(format!("{head}\r\n{common}\r\n\r\n").as_bytes())?;
        if !request.head {
            send(stream, &file, bytes, link.rate)?;
        }
    }
    Ok(())
}

/// Reads one request; `None` when the client hung up.
fn read(mut stream: &TcpStream, pending: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let end = loop {
        if let Some(end) = pending.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        let mut bytes = [0; 4096];
        let length = stream.read(&mut bytes)?;
        if length == 0 || pending.len() > MAX_REQUEST {
            return Ok(None);
        }
        pending.extend_from_slice(&bytes[..length]);
        if !pending[0].is_ascii_uppercase() {
            // TLS: clients that try it first would wait for seconds if they were not told.
            stream.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n")?;
            return Ok(None);
        }
    };
    let text = String::from_utf8_lossy(&pending[..end]).into_owned();
    pending.drain(..end + 4);
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let head = words.next() == Some("HEAD");
    let path = words.next().unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
    let range = lines.filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("range"));
    Ok(Some(Request { head, path, range: range.map(|(_, value)| value.trim().to_owned()) }))
}

/// The file that a path names, and its media type.
fn find(corpus: &Corpus, path: &str) -> io::Result<Option<(PathBuf, String)>> {
    let blob = |digest: &str| {
        let hex = digest.strip_prefix("sha256:").filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        Some(corpus.directory.join("blobs").join(hex)).filter(|path| path.is_file())
    };
    let Some((repository, rest)) = path.strip_prefix("/v2/").and_then(|path| path.split_once('/')) else {
        return Ok(None);
    };
    if let Some(digest) = rest.strip_prefix("blobs/") {
        return Ok(blob(digest).map(|path| (path, "application/octet-stream".to_owned())));
    }
    let Some(reference) = rest.strip_prefix("manifests/") else { return Ok(None) };
    let image = corpus.contents.images.iter().find(|image| image.name == repository);
    let digest = if reference == TAG { image.map_or(reference, |image| &image.index) } else { reference };
    let Some(path) = blob(digest) else { return Ok(None) };
    let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    Ok(Some((path, manifest["mediaType"].as_str().unwrap_or_default().to_owned())))
}

/// The part that `bytes=5-9` or `bytes=5-` asks for.
fn part(range: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let start = first.parse().ok()?;
    let end = if last.is_empty() { size } else { last.parse::<u64>().ok()?.checked_add(1)?.min(size) };
    (start < end).then_some(start..end)
}

fn send(stream: &TcpStream, file: &File, bytes: Range<u64>, rate: u64) -> io::Result<()> {
    let began = Instant::now();
    let mut at = bytes.start;
    while at < bytes.end {
        let most = if rate == 0 { bytes.end - at } else { PIECE.min(bytes.end - at) };
        let sent = rustix::fs::sendfile(stream, file, Some(&mut at), usize::try_from(most).unwrap_or(usize::MAX))?;
        if sent == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(nanoseconds) = (u128::from(at - bytes.start) * 1_000_000_000).checked_div(rate.into()) {
            let due = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
            std::thread::sleep(due.saturating_sub(began.elapsed()));
        }
    }
    Ok(())
}
