//! Against a server that does to each request what the test says.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use proptest::prelude::*;

use super::work::segments;
use super::*;
use crate::bundle::contents::tests::Sample;
use crate::bundle::write::Writer;
use crate::bundle::{Layout, Member};
use crate::config::Config;
use crate::error::Diagnostic as _;
use crate::event::Silent;
use crate::exit::Exit;
use crate::oci::{Arch, Digest};
use crate::plan::{Download, Source};
use crate::source::HttpOptions;
use crate::source::http::{Sleep, Timeouts};
use crate::store::SEGMENT;

mod members;

/// What the server does to one request.
enum Reply {
    Good,
    /// The whole, with status 200.
    IgnoreRange,
    /// So many bytes of the body, then the connection ends.
    Cut(usize),
    /// So many bytes of the body, then nothing more.
    Hang(usize),
    /// These bytes, one after the other, as the whole body, of unannounced length.
    Unannounced(Vec<Bytes>),
    Status(u16),
    /// As good, but from other content.
    Of(Bytes),
}

/// Answers the `n`th request, which begins at `start`.
type Script = Box<dyn Fn(usize, u64) -> Reply + Send + Sync>;

struct Server {
    address: String,
    /// Where the range of each request begins; `None` for the whole.
    requests: Arc<Mutex<Vec<Option<u64>>>>,
}

async fn serve(content: Bytes, script: Script) -> Server {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let requests: Arc<Mutex<Vec<_>>> = Arc::default();
    let (log, script, count) = (Arc::clone(&requests), Arc::new(script), Arc::new(AtomicUsize::new(0)));
    let app = axum::Router::new().fallback(move |headers: HeaderMap| {
        let (log, script, count, content) = (log.clone(), script.clone(), count.clone(), content.clone());
        async move {
            let range = headers.get("range").map(|value| {
                let (start, end) = value.to_str().unwrap().strip_prefix("bytes=").unwrap().split_once('-').unwrap();
                (start.parse().unwrap(), end.parse::<u64>().map_or(u64::MAX, |end| end + 1))
            });
            log.lock().unwrap().push(range.map(|(start, _)| start));
            let reply = script(count.fetch_add(1, Ordering::Relaxed), range.map_or(0, |(start, _): (u64, u64)| start));
            answer(&content, range, reply)
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    Server { address, requests }
}

fn answer(content: &Bytes, range: Option<(u64, u64)>, reply: Reply) -> Response {
    let content = if let Reply::Of(other) = &reply { other } else { content };
    let size = content.len() as u64;
    if let Reply::Status(status) = reply {
        return Response::builder().status(status).header("retry-after", "1").body(Body::empty()).unwrap();
    }
    if let Reply::Unannounced(pieces) = reply {
        return Response::new(Body::from_stream(stream::iter(pieces).map(Ok::<_, std::io::Error>)));
    }
    let mut response = Response::builder();
    let body = match range.filter(|_| !matches!(reply, Reply::IgnoreRange)) {
        Some((start, _)) if start >= size => return Response::builder().status(416).body(Body::empty()).unwrap(),
        Some((start, end)) => {
            let end = end.min(size);
            response = response.status(206).header("content-range", format!("bytes {start}-{}/{size}", end - 1));
            content.slice(usize::try_from(start).unwrap()..usize::try_from(end).unwrap())
        }
        None => content.clone(),
    };
    response = response.header("content-length", body.len());
    let part = |bytes: usize| Ok::<_, std::io::Error>(body.slice(..bytes.min(body.len())));
    let body = match reply {
        Reply::Cut(bytes) => {
            let end = stream::once(async {
                tokio::task::yield_now().await;
                Err(std::io::Error::other("cut"))
            });
            Body::from_stream(stream::iter([part(bytes)]).chain(end))
        }
        Reply::Hang(bytes) => Body::from_stream(stream::iter([part(bytes)]).chain(stream::pending())),
        _ => Body::from(body),
    };
    response.body(body).unwrap()
}

/// Bytes that no two places share.
fn content(size: u64) -> Bytes {
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap() + 8);
    let mut value = 0_u64;
    while (bytes.len() as u64) < size {
        value = value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&value.to_be_bytes());
    }
    bytes.truncate(usize::try_from(size).unwrap());
    bytes.into()
}

fn artifact() -> Artifact {
    Artifact::Chart { component: "c".to_owned(), name: "c".to_owned() }
}

fn source() -> Source {
    Source::Url("https://files.example/c.tgz".parse().unwrap())
}

fn other_source() -> Source {
    Source::Url("https://files.example/copy/c.tgz".parse().unwrap())
}

fn fetcher(server: &Server, cache: &Path, keep: bool) -> Fetcher<'static> {
    fetcher_with(&format!("https://files.example: ['{}']", server.address), cache, keep)
}

fn fetcher_with(mirrors: &str, cache: &Path, keep: bool) -> Fetcher<'static> {
    let config = format!("mirror_only: true\nmirrors: {{{mirrors}}}\n");
    let http = Http::new(HttpOptions {
        config: Config::parse("config.yaml", &config).unwrap(),
        timeouts: Timeouts { idle: Duration::from_millis(300), ..Timeouts::default() },
        sleep: Sleep::new(|_| Box::pin(std::future::ready(()))),
        ..HttpOptions::default()
    });
    let http = http.unwrap();
    let store = Arc::new(Store::open(cache).unwrap());
    Fetcher {
        registry: Registry::new(http.clone()),
        http,
        workshop: Some(Arc::clone(&store)),
        store,
        earlier: Vec::new(),
        keep,
        reporter: &Silent,
        jobs: 4,
        fetched: AtomicU64::new(0),
        threads: Threads::default(),
    }
}

/// Fetches `wanted` into an archive and gives the bytes that it has there.
async fn fetch(fetcher: &Fetcher<'_>, wanted: &Bytes) -> Result<Vec<u8>, Error> {
    fetch_from(fetcher, wanted, vec![source()]).await
}

async fn fetch_from(fetcher: &Fetcher<'_>, wanted: &Bytes, sources: Vec<Source>) -> Result<Vec<u8>, Error> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("b.tar.gz");
    let (digest, size) = (Digest::of(wanted), wanted.len() as u64);
    let members = ["a", "b"].map(|name| Member::blob(name, digest, size));
    let writer = Writer::create(&path, Layout::new(members.into()).unwrap()).unwrap();
    let slots = vec![writer.slot(0), writer.slot(1)];
    let blob = Blob { digest, size, sources, artifacts: vec![artifact()] };
    fetcher.run(vec![Job { blob, slots }]).await?;
    writer.seal().unwrap().publish().unwrap();
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(&path).unwrap()));
    let mut copies = tar.entries().unwrap().map(|entry| {
        let mut bytes = Vec::new();
        entry.unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    });
    let first = copies.next().unwrap();
    assert!(copies.next().unwrap() == first, "both places have the same");
    Ok(first)
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_come_over_several_connections() {
    let content = content(3 * SEGMENT + 1000);
    let server = serve(content.clone(), Box::new(|_, _| Reply::Good)).await;
    let cache = tempfile::tempdir().unwrap();
    for keep in [false, true] {
        server.requests.lock().unwrap().clear();
        let fetcher = fetcher(&server, cache.path(), keep);
        assert!(fetch(&fetcher, &content).await.unwrap() == content);
        let mut requests = server.requests.lock().unwrap().clone();
        requests.sort();
        let starts: Vec<_> = requests.iter().map(|range| range.unwrap()).collect();
        assert_eq!(starts, [0, SEGMENT, 2 * SEGMENT, 3 * SEGMENT]);
        assert_eq!(fetcher.fetched.load(Ordering::Relaxed), content.len() as u64);
        assert_eq!(fetcher.store.size(Digest::of(&content)).is_some(), keep);
    }
    // Now the store has it.
    server.requests.lock().unwrap().clear();
    assert!(fetch(&fetcher(&server, cache.path(), true), &content).await.unwrap() == content);
    assert!(server.requests.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_does_wrong_is_mended() {
    let content = content(2 * SEGMENT + 1000);
    let scripts: Vec<(&str, Script)> = vec![
        ("ignores ranges", Box::new(|_, _| Reply::IgnoreRange)),
        ("ignores them at times", Box::new(|n, _| if n % 2 == 1 { Reply::IgnoreRange } else { Reply::Good })),
        ("cuts", Box::new(|n, _| if n < 6 { Reply::Cut(1_000_000 * n) } else { Reply::Good })),
        ("cuts and ignores", Box::new(|n, _| if n == 0 { Reply::Cut(70_000) } else { Reply::IgnoreRange })),
        ("hangs once", Box::new(|n, _| if n == 1 { Reply::Hang(300_000) } else { Reply::Good })),
        ("is busy", Box::new(|n, _| if n < 2 { Reply::Status(429) } else { Reply::Good })),
        ("refuses one part", Box::new(|n, _| if n == 1 { Reply::Status(416) } else { Reply::Good })),
        ("refuses the first part", Box::new(|n, _| if n == 0 { Reply::Status(416) } else { Reply::Good })),
        ("fails at times", Box::new(|n, _| if n % 3 == 0 { Reply::Status(503) } else { Reply::Good })),
        (
            "tells no length",
            Box::new({
                let content = content.clone();
                move |_, _| Reply::Unannounced(vec![content.clone()])
            }),
        ),
    ];
    for (name, script) in scripts {
        let server = serve(content.clone(), script).await;
        for keep in [false, true] {
            let cache = tempfile::tempdir().unwrap();
            let fetched = fetch(&fetcher(&server, cache.path(), keep), &content).await;
            assert!(fetched.unwrap_or_else(|error| panic!("{name}: {error:?}")) == content, "{name}");
        }
    }
    // Who gives the whole for the first segment is not asked for the others.
    let server = serve(content.clone(), Box::new(|_, _| Reply::IgnoreRange)).await;
    let cache = tempfile::tempdir().unwrap();
    assert!(fetch(&fetcher(&server, cache.path(), false), &content).await.unwrap() == content);
    assert_eq!(server.requests.lock().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_mended_is_named_and_not_kept() {
    let content = content(2 * SEGMENT + 1000);
    let mut other = content.to_vec();
    other[usize::try_from(SEGMENT).unwrap() + 5] ^= 1;
    let other = Bytes::from(other);
    let (short, long) = (content.slice(..1000), Bytes::from([&content[..], b"x"].concat()));
    let changed = {
        let other = other.clone();
        move |_, start| if start == 0 { Reply::Good } else { Reply::Of(other.clone()) }
    };
    let of = |bytes: &Bytes| -> Script {
        let bytes = bytes.clone();
        Box::new(move |_, _| Reply::Of(bytes.clone()))
    };
    let unannounced = |pieces: &[&Bytes]| -> Script {
        let pieces: Vec<Bytes> = pieces.iter().map(|piece| (*piece).clone()).collect();
        Box::new(move |_, _| Reply::Unannounced(pieces.clone()))
    };
    let scripts: Vec<(&str, Exit, Script)> = vec![
        ("another byte", Exit::Mismatch, of(&other)),
        ("changes between ranges", Exit::Mismatch, Box::new(changed)),
        ("is shorter", Exit::Mismatch, of(&short)),
        ("is longer", Exit::Mismatch, of(&long)),
        ("ends early", Exit::Mismatch, unannounced(&[&short])),
        ("has no more", Exit::Mismatch, {
            let short = short.clone();
            Box::new(move |n, _| if n == 0 { Reply::Unannounced(vec![short.clone()]) } else { Reply::Status(416) })
        }),
        ("goes on", Exit::Mismatch, unannounced(&[&long])),
        ("goes on behind the end", Exit::Mismatch, unannounced(&[&content, &short])),
        ("is gone", Exit::Source, Box::new(|_, _| Reply::Status(404))),
        // Not for ever, so that who would go on for ever is found out.
        ("cuts", Exit::Source, Box::new(|n, _| if n < 500 { Reply::Cut(10) } else { Reply::Good })),
        ("hangs", Exit::Source, Box::new(|n, _| if n < 500 { Reply::Hang(10) } else { Reply::Good })),
        ("is refused", Exit::Source, Box::new(|_, _| Reply::Status(403))),
    ];
    for (name, exit, script) in scripts {
        let server = serve(content.clone(), script).await;
        let cache = tempfile::tempdir().unwrap();
        let fetcher = fetcher(&server, cache.path(), true);
        let error = fetch(&fetcher, &content).await.unwrap_err();
        assert_eq!(error.exit(), exit, "{name}: {error:?}");
        let text = error.to_string();
        assert!(text.contains("chart c"), "{name}: {text}");
        if let Error::Mismatch { found, .. } = error {
            assert!(text.contains(&server.address) && text.contains(&Digest::of(&content).hex()), "{text}");
            assert_eq!(found, Digest::of(&other));
        }
        let left = std::fs::read_dir(cache.path().join("partial")).unwrap().count();
        assert!(left == 0 || exit == Exit::Source, "{name}: what has other bytes is not gone on with");
        assert_eq!(fetcher.store.size(Digest::of(&content)), None, "{name}");
        let requests = server.requests.lock().unwrap().len();
        assert!(requests <= 40, "{name}: the attempts are bounded, {requests}");
    }
}

#[test]
fn a_damaged_document_of_an_earlier_bundle_counts_as_none() {
    let sample = Sample::new(&[Arch::Arm64]);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("b.tar.gz");
    sample.write(&path);
    let digest = sample.parts.bundle.lock.images.values().next().unwrap().digest;
    let bytes = &sample.parts.manifests[&digest].bytes;
    let read = || Earlier::open(&path).unwrap().read(digest, 1 << 20);
    assert_eq!(read().as_ref(), Some(bytes));
    let mut archive = std::fs::read(&path).unwrap();
    let at = archive.windows(bytes.len()).position(|window| window == bytes).unwrap();
    archive[at + bytes.len() / 2] ^= 1;
    std::fs::write(&path, archive).unwrap();
    assert_eq!(read(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_run_goes_on_where_one_ended() {
    let content = content(2 * SEGMENT + 1000);
    let cache = tempfile::tempdir().unwrap();
    let broken =
        serve(content.clone(), Box::new(|n, _| if n < 3 { Reply::Cut(900_000) } else { Reply::Status(404) })).await;
    fetch(&fetcher(&broken, cache.path(), true), &content).await.unwrap_err();
    let good = serve(content.clone(), Box::new(|_, _| Reply::Good)).await;
    let second = fetcher(&good, cache.path(), true);
    assert!(fetch(&second, &content).await.unwrap() == content);
    let fetched = second.fetched.load(Ordering::Relaxed);
    assert!(fetched < content.len() as u64 - 800_000, "{fetched} of {} bytes came again", content.len());
    // A server that sends the whole when a part was asked for cannot spoil what was hashed already.
    let cache = tempfile::tempdir().unwrap();
    let broken =
        serve(content.clone(), Box::new(|n, _| if n < 3 { Reply::Cut(900_000) } else { Reply::Status(404) })).await;
    fetch(&fetcher(&broken, cache.path(), true), &content).await.unwrap_err();
    let whole = serve(content.clone(), Box::new(|_, _| Reply::IgnoreRange)).await;
    assert!(fetch(&fetcher(&whole, cache.path(), true), &content).await.unwrap() == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_run_left_wrong_is_fetched_again() {
    let content = content(SEGMENT + 1000);
    let digest = Digest::of(&content);
    let server = serve(content.clone(), Box::new(|_, _| Reply::Good)).await;
    let cache = tempfile::tempdir().unwrap();
    for damage in ["half", "whole"] {
        let fetcher = fetcher(&server, cache.path(), true);
        fetcher.store.remove(digest);
        let partial = fetcher.store.partial(digest, content.len() as u64).unwrap().unwrap();
        partial.write_at(0, &vec![1; content.len()]).unwrap();
        let end = if damage == "half" { 5_000 } else { content.len() as u64 };
        partial.note(&(0..end)).unwrap();
        drop(partial);
        assert!(fetch(&fetcher, &content).await.unwrap() == content, "{damage}");
    }
    // A damaged entry, of the same size and of another.
    for wrong in [vec![2; content.len()], b"short".to_vec()] {
        let fetcher = fetcher(&server, cache.path(), true);
        std::fs::write(fetcher.store.path(digest), wrong).unwrap();
        assert!(fetch(&fetcher, &content).await.unwrap() == content);
        assert_eq!(fetcher.store.read(digest, u64::MAX - 1).unwrap().unwrap(), content);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_size_in_the_lock_does_not_cost_the_store_a_good_blob() {
    let content = content(100_000);
    let digest = Digest::of(&content);
    let server = serve(content.clone(), Box::new(|_, _| Reply::Good)).await;
    let cache = tempfile::tempdir().unwrap();
    let fetcher = fetcher(&server, cache.path(), true);
    fetcher.store.write(digest, &content).unwrap();
    for size in [99_999, 100_001, 0] {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(vec![Member::blob("a", digest, size)]).unwrap();
        let writer = Writer::create(&directory.path().join("b.tar.gz"), layout).unwrap();
        let blob = Blob { digest, size, sources: vec![source()], artifacts: vec![artifact()] };
        let error = fetcher.run(vec![Job { blob, slots: vec![writer.slot(0)] }]).await.unwrap_err();
        assert!(matches!(error, Error::Size { found: Found::Exactly(100_000), .. }), "{size}: {error:?}");
        assert_eq!(error.exit(), Exit::Mismatch);
        assert!(error.to_string().contains("the store has 100000 bytes"), "{error}");
        assert!(error.hint().unwrap().contains("the size that lock or manifest say is wrong"), "{error:?}");
        assert_eq!(fetcher.store.read(digest, 200_000).unwrap().unwrap(), content, "{size}");
    }
    assert!(server.requests.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_another_process_fetches_is_not_waited_for() {
    let content = content(SEGMENT + 1000);
    let server = serve(content.clone(), Box::new(|_, _| Reply::Good)).await;
    let cache = tempfile::tempdir().unwrap();
    let other = Store::open(cache.path()).unwrap();
    let held = other.partial(Digest::of(&content), content.len() as u64).unwrap().unwrap();
    assert!(fetch(&fetcher(&server, cache.path(), true), &content).await.unwrap() == content);
    drop(held);
    let (first, second) = (fetcher(&server, cache.path(), true), fetcher(&server, cache.path(), true));
    let both = futures_util::future::join(fetch(&first, &content), fetch(&second, &content)).await;
    assert!(both.0.unwrap() == content && both.1.unwrap() == content);
    assert_eq!(other.size(Digest::of(&content)), Some(content.len() as u64));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_source_is_asked_when_the_first_does_not_answer() {
    let content = content(2 * SEGMENT + 1000);
    let cache = tempfile::tempdir().unwrap();
    for (first, exit) in [(404, None), (200, Some(Exit::Mismatch))] {
        let wrong = Bytes::from(vec![0; content.len()]);
        let script: Script = match first {
            404 => Box::new(|n, _| if n == 0 { Reply::Status(404) } else { Reply::Good }),
            _ => Box::new(move |_, _| Reply::Of(wrong.clone())),
        };
        let server = serve(content.clone(), script).await;
        let result = fetch_from(&fetcher(&server, cache.path(), false), &content, vec![source(), other_source()]).await;
        assert_eq!(result.as_ref().err().map(Error::exit), exit, "{result:?}");
        assert!(exit.is_some() || result.unwrap() == content);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_place_does_not_finish_comes_from_the_next() {
    let content = content(2 * SEGMENT + 1000);
    // It brings half a megabyte of the first segments, and nothing more.
    let stuck = || -> Script { Box::new(|n, _| if n < 2 { Reply::Cut(500_000) } else { Reply::Cut(10) }) };
    for mirrors in [
        "https://files.example/copy: ['GOOD/copy'], https://files.example: ['STUCK']",
        "https://files.example: ['STUCK', 'GOOD']",
    ] {
        for keep in [false, true] {
            let cache = tempfile::tempdir().unwrap();
            let first = serve(content.clone(), stuck()).await;
            let second = serve(content.clone(), Box::new(|_, _| Reply::Good)).await;
            let mirrors = mirrors.replace("STUCK", &first.address).replace("GOOD", &second.address);
            let fetcher = fetcher_with(&mirrors, cache.path(), keep);
            let fetched = fetch_from(&fetcher, &content, vec![source(), other_source()]).await;
            assert!(fetched.unwrap_or_else(|error| panic!("{mirrors}: {error:?}")) == content, "{mirrors}");
            let requests = second.requests.lock().unwrap().clone();
            assert!(!requests.contains(&Some(0)), "it goes on where the first ended: {requests:?}");
            // Five attempts for each of three segments, and the two that were cut.
            assert!(first.requests.lock().unwrap().len() <= 17, "the attempts are bounded");
        }
    }
    // Where all places are so, the first one's failure is told.
    let cache = tempfile::tempdir().unwrap();
    let (first, second) = (serve(content.clone(), stuck()).await, serve(content.clone(), stuck()).await);
    let mirrors = format!("https://files.example: ['{}', '{}']", first.address, second.address);
    let error = fetch(&fetcher_with(&mirrors, cache.path(), false), &content).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Source, "{error:?}");
    assert!(first.requests.lock().unwrap().len() + second.requests.lock().unwrap().len() <= 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_bytes_of_two_places_name_both() {
    let content = content(2 * SEGMENT + 1000);
    let cache = tempfile::tempdir().unwrap();
    let first = serve(content.clone(), Box::new(|_, _| Reply::Cut(10))).await;
    let second =
        serve(content.clone(), Box::new(|_, _| Reply::Of(Bytes::from(vec![0; 2 * SEGMENT as usize + 1000])))).await;
    let mirrors = format!(
        "https://files.example/copy: ['{}/copy'], https://files.example: ['{}']",
        second.address, first.address
    );
    let fetcher = fetcher_with(&mirrors, cache.path(), true);
    let error = fetch_from(&fetcher, &content, vec![source(), other_source()]).await.unwrap_err();
    let text = error.to_string();
    assert_eq!(error.exit(), Exit::Mismatch, "{error:?}");
    assert!(text.contains(&first.address) && text.contains(&second.address), "{text}");
    assert_eq!(fetcher.store.size(Digest::of(&content)), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_blobs_are_blobs() {
    let server = serve(Bytes::new(), Box::new(|_, _| Reply::Good)).await;
    let cache = tempfile::tempdir().unwrap();
    for keep in [false, true] {
        assert!(fetch(&fetcher(&server, cache.path(), keep), &Bytes::new()).await.unwrap().is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What has arrived and what is asked for are together the blob, without an overlap.
    #[test]
    fn segments_are_what_is_missing(
        (size, parts) in (0..6 * SEGMENT).prop_flat_map(|size| {
            (Just(size), prop::collection::vec(prop_oneof![Just(0), Just(SEGMENT), 0..SEGMENT], 6))
        }),
    ) {
        // As a partial blob tells it: at most one range a segment, from its start, none of them empty.
        let arrived = parts.iter().zip(0_u64..).map(|(length, index)| {
            let start = (index * SEGMENT).min(size);
            start..(start + length).min(size)
        });
        let arrived: Vec<_> = arrived.filter(|range| !range.is_empty()).collect();
        let missing = segments(size, &arrived);
        for range in &missing {
            prop_assert!(!range.is_empty() && range.start / SEGMENT == (range.end - 1) / SEGMENT, "{range:?}");
        }
        prop_assert!(missing.is_sorted_by_key(|range| range.start));
        let mut all: Vec<_> = arrived.into_iter().chain(missing).collect();
        all.sort_by_key(|range| range.start);
        let mut at = 0;
        for range in all {
            prop_assert_eq!(range.start, at);
            at = range.end;
        }
        prop_assert_eq!(at, size);
    }
}
