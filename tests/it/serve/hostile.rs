//! Clients that want to do harm, with low bounds and without a clock.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use bundler::oci::Arch;
use bundler::serve::{Access, Limits, Log, Notice, Options, Server};
use tokio_util::sync::CancellationToken;

use super::client::{Reply, exchange, request};
use super::served::{Parts, Site, blob_path};
use crate::bundle_programs::Sample;
use crate::support::Secrets;

/// How long a server may take to do something: none here needs a tenth of it.
const PATIENCE: Duration = Duration::from_secs(60);
/// A bound that no test meets.
const FOR_EVER: Duration = Duration::from_secs(100_000);

/// What nobody looks at.
struct Nowhere;

impl Log for Nowhere {
    fn access(&self, _: &Access) {}

    fn notice(&self, notice: Notice<'_>) {
        panic!("{notice:?}");
    }
}

/// A server in this process, for bounds that the command line does not have.
struct Bounded {
    sample: Sample,
    address: SocketAddr,
    stop: CancellationToken,
    /// Hangs up when the server has ended.
    ended: Receiver<SocketAddr>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Bounded {
    fn start(limits: Limits) -> Self {
        Self::listen(limits, |_| None)
    }

    fn listen(limits: Limits, tls: impl Fn(&Sample) -> Option<(PathBuf, PathBuf)>) -> Self {
        let sample = Sample::new(&[Arch::Arm64]);
        let options = Options {
            bundles: vec![sample.path()],
            listen: "127.0.0.1:0".parse().unwrap(),
            tls: tls(&sample),
            htpasswd: None,
            limits,
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let (sender, address) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::bind(&options, Arc::new(Nowhere)).await.unwrap();
                sender.send(server.address()).unwrap();
                server.run(stopped).await.unwrap();
            });
        });
        Self { sample, address: address.recv().unwrap(), stop, ended: address, thread: Some(thread) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn is_well(&self) {
        assert_eq!(request(&self.address.to_string(), "GET", "/v2/", &[]).status, 200);
    }
}

impl Drop for Bounded {
    fn drop(&mut self) {
        self.stop.cancel();
        // A test that failed does not wait for what may never end.
        if !std::thread::panicking() {
            self.thread.take().unwrap().join().unwrap();
        }
    }
}

/// Reads to the end, however the connection ends.
fn drain(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("{error}"),
    }
    bytes
}

#[test]
fn a_slow_head_ends_the_connection() {
    let bounded = Bounded::start(Limits { head: Duration::from_millis(50), ..Limits::default() });
    // Nothing, a part of a head, and an idle connection after an answer.
    for start in ["", "GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Slow: ", "GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let mut stream = bounded.connect();
        stream.write_all(start.as_bytes()).unwrap();
        let answer = drain(&mut stream);
        assert_eq!(answer.starts_with(b"HTTP/1.1 200"), start.ends_with("\r\n\r\n"), "{start:?}");
    }
    bounded.is_well();
}

#[test]
fn a_slow_handshake_ends_the_connection() {
    let tls = |sample: &Sample| {
        let Secrets { certificate, key, .. } = Secrets::write(&sample.sandbox.path("."));
        Some((certificate, key))
    };
    let bounded = Bounded::listen(Limits { head: Duration::from_millis(50), ..Limits::default() }, tls);
    // Nothing, and a record that announces more than comes.
    for start in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let mut stream = bounded.connect();
        stream.write_all(start).unwrap();
        assert!(drain(&mut stream).is_empty(), "{start:?}");
    }
}

#[test]
fn a_client_that_takes_nothing_is_cut_off() {
    let bounded = Bounded::start(Limits { stall: Duration::from_millis(50), ..Limits::default() });
    let layer = *Parts::of(&bounded.sample, "docker.io/library/web:1", Arch::Arm64).layers.last().unwrap();
    let mut stream = bounded.connect();
    // Asks and never reads: the server stops to read too when it cannot write, and gives up.
    let one = format!("GET /v2/library/web/blobs/{layer} HTTP/1.1\r\nHost: x\r\n\r\n");
    let error = loop {
        if let Err(error) = stream.write_all(one.as_bytes()) {
            break error;
        }
    };
    let ended = [std::io::ErrorKind::ConnectionReset, std::io::ErrorKind::BrokenPipe];
    assert!(ended.contains(&error.kind()), "{error}");
    bounded.is_well();
}

#[test]
fn more_connections_than_the_bound_wait_for_their_turn() {
    let limits = Limits { connections: 4, head: Duration::from_millis(200), ..Limits::default() };
    let bounded = Bounded::start(limits);
    let mut idle: Vec<_> = (0..1000).map(|_| bounded.connect()).collect();
    // All of them are closed in their turn, and whoever asks is answered.
    bounded.is_well();
    for stream in &mut idle {
        stream.shutdown(std::net::Shutdown::Write).unwrap();
    }
    for mut stream in idle {
        assert!(drain(&mut stream).is_empty());
    }
}

#[test]
fn one_more_than_the_bound_waits_until_another_has_ended() {
    let bounded = Bounded::start(Limits { connections: 1, head: FOR_EVER, ..Limits::default() });
    let mut first = bounded.connect();
    first.write_all(b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    first.read_exact(&mut [0]).unwrap();
    let mut second = bounded.connect();
    second.write_all(b"GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    // However long it would wait.
    second.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    second.read(&mut [0]).unwrap_err();
    drop(first);
    second.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(drain(&mut second).starts_with(b"HTTP/1.1 200"));
}

#[test]
fn a_stop_waits_only_so_long_for_a_client_that_takes_nothing() {
    let limits = Limits { grace: Duration::from_millis(50), stall: FOR_EVER, head: FOR_EVER, ..Limits::default() };
    let bounded = Bounded::start(limits);
    let layer = *Parts::of(&bounded.sample, "docker.io/library/web:1", Arch::Arm64).layers.last().unwrap();
    let one = format!("GET /v2/library/web/blobs/{layer} HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut stream = bounded.connect();
    // Until the server reads no more, because it cannot write.
    stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    while stream.write_all(one.as_bytes()).is_ok() {}
    bounded.stop.cancel();
    assert_eq!(bounded.ended.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected), "it has not ended");
}

#[test]
fn a_thousand_clients_at_once_are_served() {
    let site = Site::new(&[Arch::Arm64]);
    let layer = *Parts::of(&site.sample, "docker.io/library/web:1", Arch::Arm64).layers.last().unwrap();
    let target = format!("/v2/library/web/blobs/{layer}");
    let head = format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let ask = |_| {
        let mut stream = TcpStream::connect(&site.served.address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    let streams: Vec<_> = (0..1000).map(ask).collect();
    let expected = &site.sample.members[&blob_path(layer)];
    for mut stream in streams {
        let reply = Reply::parse(&drain(&mut stream));
        assert!(reply.status == 200 && reply.body == *expected);
    }
}

#[test]
fn silly_ranges_get_all_or_nothing() {
    let site = Site::new(&[Arch::Arm64]);
    let web = Parts::of(&site.sample, "docker.io/library/web:1", Arch::Arm64);
    for digest in web.layers {
        let target = format!("/v2/library/web/blobs/{digest}");
        let bytes = &site.sample.members[&blob_path(digest)];
        for header in [
            "bytes=",
            "bytes=-",
            "bytes=--5",
            "bytes=5-1",
            "bytes=a-z",
            "bytes=0-1,3-4",
            "bytes=0x0-0xf",
            "items=0-1",
            "bytes=0-1, 0-1, 0-1, 0-1",
            "bytes 0-1",
            "=",
            "bytes=-99999999999999999999999",
            "bytes=0-",
            &format!("bytes={}0-1", "0-1,".repeat(1000)),
        ] {
            let reply = site.served.ask(&target, &[("Range", header)]);
            assert!(matches!(reply.status, 200 | 206) && reply.body == *bytes, "{header}: {}", reply.status);
        }
        for header in ["bytes=99999999999999999999999-", "bytes=-0", "bytes=18446744073709551615-18446744073709551615"]
        {
            let reply = site.served.ask(&target, &[("Range", header)]);
            assert_eq!((reply.status, reply.body.len()), (416, 0), "{header}");
        }
    }
}

#[test]
fn no_path_leads_out() {
    let site = Site::new(&[Arch::Arm64]);
    let secret = site.sample.sandbox.write("secret", "do not read me");
    for target in [
        "/../secret",
        "/files/../secret",
        "/files/..%2fsecret",
        "/files/%2e%2e/secret",
        "/files/%2e%2e%2fsecret",
        "/files//secret",
        "/files/tool/../../secret",
        "/charts/../../secret",
        "/v2/../secret",
        "/v2/x/blobs/../../secret",
        "/v2/x/manifests/..%2f..%2fsecret",
        "/files/tool%00",
        "/files/tool%0a",
        "/files/./tool",
        "//files/tool",
        "/files\\tool",
        "/FILES/tool",
        "/files/tool/",
        "/%66iles/..%5c..%5csecret",
        "/files/%252e%252e/secret",
        &format!("/files{}", secret.display()),
        &format!("/files/{}", "../".repeat(50)),
    ] {
        let reply = site.served.get(target);
        assert!(matches!(reply.status, 400 | 404), "{target}: {}", reply.status);
        assert!(!reply.text().contains("do not read me"), "{target}");
    }
    // Percent-encoding itself is none of that.
    assert_eq!(site.served.get("/%66iles/t%6fol").status, 200);
}

#[test]
fn huge_and_broken_heads_are_refused() {
    let site = Site::new(&[Arch::Arm64]);
    let send = |text: String| exchange(&site.served.address, text.as_bytes());
    let status = |answer: &[u8]| (!answer.is_empty()).then(|| Reply::parse(answer).status);
    let head = "GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    assert_eq!(status(&send(format!("{head}X: {}\r\n\r\n", "x".repeat(1 << 20)))), Some(431));
    let many: String = (0..1000).map(|n| format!("X-{n}: 1\r\n")).collect();
    assert_eq!(status(&send(format!("{head}{many}\r\n"))), Some(431));
    let long = send(format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(1 << 17)));
    assert!(matches!(status(&long), Some(414 | 431)), "{:?}", status(&long));
    for broken in [
        "\0\0\0\0\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nA B: x\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ] {
        let answer = send(broken.to_owned());
        assert!(matches!(status(&answer), None | Some(400 | 505)), "{broken:?}: {}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(site.served.get("/v2/").status, 200);
}

#[test]
fn a_body_that_nobody_wants_is_not_read() {
    let site = Site::new(&[Arch::Arm64]);
    let head = "POST /v2/x/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\n";
    let reply = Reply::parse(&exchange(&site.served.address, head.as_bytes()));
    assert_eq!((reply.status, reply.header("connection")), (405, "close"));
}
