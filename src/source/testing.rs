//! Small servers on loopback that answer, and fail, as a test tells them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::Url;

use super::http::{Http, HttpOptions, Retry, Sleep, Timeouts};
use crate::config::Config;

/// A request as a server saw it; header names in lower case.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(super) fn authorization(&self) -> Option<&str> {
        self.header("authorization")
    }

    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }
}

/// What a server does with a request.
#[derive(Clone)]
pub(super) enum Reply {
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// The same after a while.
    Late(Duration, Vec<u8>),
    /// Resets the connection.
    Reset,
    /// Keeps the connection open and says nothing.
    Hang,
    /// Sends these bytes, then keeps the connection open and says nothing more.
    HangAfter(Vec<u8>),
}

/// A whole response with its `Content-Length`.
pub(super) fn reply(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let mut head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    Reply::Bytes([head.as_bytes(), b"\r\n", body].concat())
}

pub(super) fn redirect(to: impl AsRef<str>) -> Reply {
    reply(307, &[("location", to.as_ref())], "")
}

/// A server until it is dropped.
pub(super) struct Server {
    pub(super) url: Url,
    seen: Arc<Mutex<Vec<Request>>>,
    _tasks: JoinSet<()>,
}

type Handler = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

impl Server {
    /// Answers each request as `handler` says.
    pub(super) async fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(Arc::new(handler), None).await
    }

    /// The same behind TLS with a certificate for `registry.test` and `127.0.0.1`.
    pub(super) async fn start_tls(
        authority: &Authority,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Arc::new(handler), Some(authority.acceptor())).await
    }

    async fn listen(handler: Handler, tls: Option<tokio_rustls::TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = Url::parse(&format!("{scheme}://{}", listener.local_addr().unwrap())).unwrap();
        let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
        let mut tasks = JoinSet::new();
        let log = Arc::clone(&seen);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (handler, log, tls) = (Arc::clone(&handler), Arc::clone(&log), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => serve(stream, &*handler, &log).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &*handler, &log).await;
                            }
                        }
                    }
                });
            }
        });
        Self { url, seen, _tasks: tasks }
    }

    /// All requests until now.
    pub(super) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// How often a path was asked for.
    pub(super) fn count(&self, path: &str) -> usize {
        self.seen().iter().filter(|request| request.path() == path).count()
    }

    pub(super) fn url(&self, path: &str) -> Url {
        self.url.join(path).unwrap()
    }

    /// Host and port, as references name a registry.
    pub(super) fn host(&self) -> String {
        self.url.authority().to_owned()
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin {
    /// Makes the end of the connection a reset.
    fn reset(&self);
}

impl Stream for TcpStream {
    fn reset(&self) {
        self.set_zero_linger().unwrap();
    }
}

impl Stream for tokio_rustls::server::TlsStream<TcpStream> {
    fn reset(&self) {
        self.get_ref().0.reset();
    }
}

async fn serve(
    mut stream: impl Stream,
    handler: &(dyn Fn(&Request) -> Reply + Send + Sync),
    log: &Mutex<Vec<Request>>,
) {
    let Some(request) = read(&mut stream).await else { return };
    log.lock().unwrap().push(request.clone());
    match handler(&request) {
        Reply::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Reply::Late(after, bytes) => {
            tokio::time::sleep(after).await;
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Reply::Reset => stream.reset(),
        Reply::Hang => std::future::pending().await,
        Reply::HangAfter(bytes) => {
            let _ = stream.write_all(&bytes).await;
            std::future::pending().await
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Request> {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        text.push(stream.read_u8().await.ok()?);
    }
    let text = String::from_utf8(text).unwrap();
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ').map(str::to_owned);
    let mut request = Request { method: first.next()?, target: first.next()?, ..Request::default() };
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        request.headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; request.header("content-length").map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    request.body = String::from_utf8(body).unwrap();
    Some(request)
}

/// A private CA.
pub(super) struct Authority {
    pub(super) pem: String,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    /// What its server shows instead of a certificate that it signed.
    own: Option<(CertificateDer<'static>, Vec<u8>)>,
}

impl Authority {
    pub(super) fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(vec![]).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let pem = parameters.self_signed(&key).unwrap().pem();
        Self { pem, issuer: rcgen::Issuer::new(parameters, key), own: None }
    }

    /// Authority and server in one, as `openssl req -x509` makes it, for a name and these years.
    pub(super) fn alone(name: &str, years: std::ops::Range<i32>) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        parameters.not_before = rcgen::date_time_ymd(years.start, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(years.end, 1, 1);
        let certificate = parameters.self_signed(&key).unwrap();
        let own = Some((certificate.der().clone(), key.serialize_der()));
        Self { pem: certificate.pem(), issuer: rcgen::Issuer::new(parameters, key), own }
    }

    fn acceptor(&self) -> tokio_rustls::TlsAcceptor {
        let (certificate, key) = self.own.clone().unwrap_or_else(|| {
            let key = rcgen::KeyPair::generate().unwrap();
            let names = vec!["registry.test".to_owned(), "127.0.0.1".to_owned()];
            let certificate = rcgen::CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer).unwrap();
            (certificate.der().clone(), key.serialize_der())
        });
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], rustls::pki_types::PrivateKeyDer::Pkcs8(key.into()))
            .unwrap();
        tokio_rustls::TlsAcceptor::from(Arc::new(config))
    }

    /// Writes the certificate for `--ca-file`.
    pub(super) fn write(&self, directory: &Path) -> std::path::PathBuf {
        let path = directory.join("ca.pem");
        std::fs::write(&path, &self.pem).unwrap();
        path
    }
}

/// The waits that a client asked for; none of them takes any time.
#[derive(Clone, Default)]
pub(super) struct Waits(Arc<Mutex<Vec<Duration>>>);

impl Waits {
    pub(super) fn sleep(&self) -> Sleep {
        let waits = Arc::clone(&self.0);
        Sleep::new(move |duration| {
            waits.lock().unwrap().push(duration);
            futures_util::future::ready(()).boxed()
        })
    }

    pub(super) fn all(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }
}

/// Options for a configuration in YAML, with three attempts and waits that take no time.
pub(super) fn options(config: &str) -> HttpOptions {
    HttpOptions {
        config: Config::parse("config.yaml", config).unwrap(),
        retry: Retry { attempts: 3, ..Retry::default() },
        sleep: Waits::default().sleep(),
        timeouts: Timeouts { connect: Duration::from_secs(20), idle: Duration::from_secs(20) },
        ..HttpOptions::default()
    }
}

pub(super) fn http(config: &str) -> Http {
    Http::new(options(config)).unwrap()
}

/// A port of loopback that nobody listens on.
pub(super) fn closed() -> Url {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap()
}
