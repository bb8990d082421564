//! The socket: connections in bounded number, each bounded in time, and a stop that lets answers end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, header};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::body::Payload;
use super::site::{Asked, Site};
use super::stall::Stalling;
use super::trust::Fault;
use super::{Access, Limits};

/// The largest head of a request, 32 KiB: tokens of registries have up to 16. A larger one is answered with 431. hyper
/// queues as much of an answer that its client does not take.
const MAX_HEAD: usize = 32 << 10;
/// How long accepting rests when it fails, which is when there are too many open files.
const REST: Duration = Duration::from_millis(100);

/// Serves until the token is cancelled, then lets the answers that are on their way end within a time.
pub(super) async fn run(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    site: Arc<Site>,
    limits: Limits,
    stop: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        // Clients beyond the bound wait in the kernel's queue.
        let slot = tokio::select! {
            () = stop.cancelled() => break,
            slot = slots.clone().acquire_owned() => slot,
        };
        let Ok(slot) = slot else { break };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, peer)) => {
                connections.spawn(connection(socket, peer, tls.clone(), site.clone(), limits, stop.clone(), slot));
            }
            Err(_) => tokio::time::sleep(REST).await,
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let ended = timeout(limits.grace, async { while connections.join_next().await.is_some() {} }).await;
    if ended.is_err() {
        connections.shutdown().await;
    }
}

async fn connection(
    socket: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    site: Arc<Site>,
    limits: Limits,
    stop: CancellationToken,
    _slot: OwnedSemaphorePermit,
) {
    // Answers are written whole; to wait for more would only delay them.
    let _ = socket.set_nodelay(true);
    match tls {
        None => requests(socket, peer, site, limits, stop).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(limits.head, tls.accept(socket)).await {
                requests(stream, peer, site, limits, stop).await;
            }
        }
    }
}

/// The requests of one connection, one after the other.
async fn requests(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    site: Arc<Site>,
    limits: Limits,
    stop: CancellationToken,
) {
    let service = service_fn(|request: Request<Incoming>| {
        let site = site.clone();
        async move { Ok::<_, Infallible>(answer(&site, request, peer).await) }
    });
    let mut http = http1::Builder::new();
    // From the end of the last answer to the end of the next head: slow heads and idle connections end alike.
    http.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(MAX_HEAD);
    let mut connection = pin!(http.serve_connection(TokioIo::new(Stalling::new(stream, limits.stall)), service));
    tokio::select! {
        // What went wrong is in the access log as far as it was an answer.
        _ = &mut connection => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn answer(site: &Arc<Site>, request: Request<Incoming>, peer: SocketAddr) -> Response<Logged> {
    let start = Instant::now();
    let (parts, _) = request.into_parts();
    let asked = Asked {
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        method: parts.method,
        headers: parts.headers,
    };
    let answer = site.answer(&asked).await;
    let status = answer.status().as_u16();
    let agent = asked.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).map(str::to_owned);
    let access =
        Access { peer, method: asked.method, path: asked.path, query: asked.query, agent, status, ..Access::new(peer) };
    answer.map(|payload| Logged { payload, access, start, site: site.clone() })
}

/// A body that tells of itself when it was sent or given up.
struct Logged {
    payload: Payload,
    access: Access,
    start: Instant,
    site: Arc<Site>,
}

impl Body for Logged {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let frame = Pin::new(&mut self.payload).poll_frame(context);
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                self.access.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            Poll::Ready(Some(Err(fault))) => self.access.cut = Some(fault.to_string()),
            _ => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.payload.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.payload.size_hint()
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        if self.access.cut.is_none() && self.access.method != http::Method::HEAD && !self.payload.is_end_stream() {
            self.access.cut = Some("the client went away".to_owned());
        }
        self.access.duration = self.start.elapsed();
        self.site.log.access(&self.access);
    }
}
