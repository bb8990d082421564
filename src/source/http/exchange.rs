//! One request to one place: connections per host, redirects, and what is carried along them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, COOKIE, LOCATION, PROXY_AUTHORIZATION};
use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use reqwest::RequestBuilder;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use url::Url;

use super::{Http, retry};
use crate::source::error::{Error, Refusal, shown};

/// More redirects than any registry or download host uses; a longer chain is a circle.
const MAX_REDIRECTS: usize = 5;
/// As much of a refusal's body as GitHub's or a registry's JSON needs.
const MAX_REFUSAL: usize = 64 << 10;

/// How many bytes of a blob a server takes in a second when it has them, 4 MiB: it may hash them all again, or copy them
/// to where they stay, which takes Artifactory minutes for a few gigabytes.
const TAKING_IN: u64 = 4 << 20;

/// Which of the clients carries a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Line {
    /// Small documents, HTTP/2 where the server has it.
    Api,
    /// Blobs, HTTP/1.1, a connection each.
    Blobs,
    /// Blobs that are sent, the same.
    Uploads,
}

/// A request without its place.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) line: Line,
    /// How long the answer may take on the line of uploads; the others have a limit of their own.
    pub(crate) patience: Option<Duration>,
}

impl Call {
    pub(crate) fn get(line: Line) -> Self {
        Self { method: Method::GET, headers: HeaderMap::new(), body: Bytes::new(), line, patience: None }
    }

    pub(crate) fn head() -> Self {
        Self { method: Method::HEAD, ..Self::get(Line::Api) }
    }
}

/// What proves who we are; never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Authorization {
    /// A user's name and password.
    Basic(String, String),
    /// A token.
    Bearer(String),
}

/// A response whose body is still to be read; holds its place among the host's connections.
pub(crate) struct Answer {
    pub(crate) response: reqwest::Response,
    /// Where it came from in the end.
    pub(crate) url: Url,
    /// A redirect led to another scheme, host or port.
    pub(crate) elsewhere: bool,
    pub(crate) permit: OwnedSemaphorePermit,
}

/// The connections to each host that may be open at once.
pub(super) struct Connections {
    limit: usize,
    hosts: Mutex<HashMap<(Line, String), Arc<Semaphore>>>,
}

impl Connections {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, hosts: Mutex::default() }
    }

    async fn take(&self, line: Line, url: &Url) -> OwnedSemaphorePermit {
        let host = Arc::clone(
            self.hosts
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry((line, url.authority().to_owned()))
                .or_insert_with(|| Arc::new(Semaphore::new(self.limit))),
        );
        #[expect(clippy::expect_used, reason = "the semaphores are never closed")]
        host.acquire_owned().await.expect("an open semaphore")
    }
}

impl Http {
    /// Sends `call` to `url` and follows redirects; any final status is an answer.
    ///
    /// `authorization` goes to the scheme, host and port of `url` only, whatever redirects say.
    pub(crate) async fn exchange(
        &self,
        call: &Call,
        url: &Url,
        authorization: Option<&Authorization>,
    ) -> Result<Answer, Error> {
        let Some(clients) = &self.0.clients else { return Err(Error::Offline { url: shown(url) }) };
        let mut at = url.clone();
        let mut elsewhere = false;
        // Which credentials go where is decided here alone.
        let mut headers = call.headers.clone();
        for name in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
            headers.remove(name);
        }
        for _ in 0..=MAX_REDIRECTS {
            let permit = self.0.connections.take(call.line, &at).await;
            let client = match call.line {
                Line::Api => &clients.api,
                Line::Blobs => &clients.blobs,
                Line::Uploads => &clients.uploads,
            };
            let mut request = client
                .request(call.method.clone(), at.clone())
                .headers(headers.clone())
                .header(ACCEPT_ENCODING, "identity");
            if !call.body.is_empty() || matches!(call.method, Method::POST | Method::PUT) {
                // An empty one too, with its length: some servers refuse a request that does not say it.
                request = request.body(call.body.clone());
            }
            if let Some(patience) = call.patience {
                request = request.timeout(patience);
            }
            request = authorized(request, authorization.filter(|_| !elsewhere));
            let response = request.send().await.map_err(|source| Error::from_client(&at, source))?;
            let Some(target) = redirect(&at, &call.method, response.status(), response.headers())? else {
                return Ok(Answer { response, url: at, elsewhere, permit });
            };
            elsewhere |= target.origin() != url.origin();
            at = self.mirrored(&at, target)?;
            elsewhere |= at.origin() != url.origin();
        }
        Err(Error::TooManyRedirects { url: shown(url), limit: MAX_REDIRECTS })
    }

    /// Sends a body of `length` bytes as it comes; any status is an answer, and redirects are not followed.
    ///
    /// However long it takes, it is given up only when nothing of the body was taken for as long as a server may be
    /// silent, or no answer came after it for as long as [`Http::taking_in`] allows for `size` bytes.
    pub(crate) async fn send(
        &self,
        call: &Call,
        url: &Url,
        authorization: Option<&Authorization>,
        (length, size): (u64, u64),
        body: mpsc::Receiver<Bytes>,
    ) -> Result<Answer, Error> {
        let Some(clients) = &self.0.clients else { return Err(Error::Offline { url: shown(url) }) };
        let permit = self.0.connections.take(call.line, url).await;
        let moved = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&moved);
        let body = stream::unfold((body, counted), async |(mut body, counted)| {
            let piece = body.recv().await?;
            counted.fetch_add(piece.len() as u64, Ordering::Relaxed);
            Some((Ok::<_, std::convert::Infallible>(piece), (body, counted)))
        });
        let request = clients
            .uploads
            .request(call.method.clone(), url.clone())
            .headers(call.headers.clone())
            .header(CONTENT_LENGTH, length)
            .body(reqwest::Body::wrap_stream(body));
        let mut sending = std::pin::pin!(authorized(request, authorization).send());
        loop {
            let before = moved.load(Ordering::Relaxed);
            let patience = if before >= length { self.taking_in(size) } else { self.0.idle };
            match tokio::time::timeout(patience, &mut sending).await {
                Ok(Ok(response)) => return Ok(Answer { response, url: url.clone(), elsewhere: false, permit }),
                Ok(Err(source)) => return Err(Error::from_client(url, source)),
                Err(_) if moved.load(Ordering::Relaxed) == before => return Err(Error::Stuck { url: shown(url) }),
                Err(_) => {}
            }
        }
    }

    /// How long a server may be silent that has `size` bytes of a blob and puts them in their place.
    pub(crate) fn taking_in(&self, size: u64) -> Duration {
        self.0.idle.saturating_add(Duration::from_secs(size / TAKING_IN))
    }

    /// Where a redirect leads: to what has a mirror, to the mirror, unless it is the mirror that points at its original.
    ///
    /// From https to plain http it leads only where a mirror's URL says so, such as that of a store behind a registry.
    fn mirrored(&self, from: &Url, target: Url) -> Result<Url, Error> {
        let refused = |reason| Err(Error::Redirect { url: shown(from), target: shown(&target), reason });
        match self.config().mirrors.of(&target).into_iter().next() {
            Some(mirror) if mirror != *from => Ok(mirror),
            Some(_) if self.config().mirror_only => refused("only mirrors may be asked"),
            _ if (from.scheme(), target.scheme()) == ("https", "http") => {
                refused("from https to plain http is not followed")
            }
            _ => Ok(target),
        }
    }

    /// Turns an answer that is no success into an error that says what the server said.
    pub(crate) async fn success(&self, answer: Answer) -> Result<Answer, Error> {
        let status = answer.response.status();
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return Ok(answer);
        }
        let Answer { mut response, url, permit, .. } = answer;
        let headers = response.headers().clone();
        let mut body = Vec::new();
        // What cannot be read of a refusal changes nothing about it.
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() >= MAX_REFUSAL {
                body.truncate(MAX_REFUSAL);
                break;
            }
        }
        drop(permit);
        let retry_after = retry::retry_after(&headers, Timestamp::now());
        let refusal = Box::new(Refusal { status, headers, body: body.into(), retry_after });
        Err(Error::Status { url: shown(&url), refusal })
    }
}

fn authorized(request: RequestBuilder, authorization: Option<&Authorization>) -> RequestBuilder {
    match authorization {
        None => request,
        Some(Authorization::Basic(user, password)) => request.basic_auth(user, Some(password)),
        Some(Authorization::Bearer(token)) => request.bearer_auth(token),
    }
}

/// Where a response sends us on, if it does and if we go there.
fn redirect(from: &Url, method: &Method, status: StatusCode, headers: &HeaderMap) -> Result<Option<Url>, Error> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = headers.get(LOCATION) else { return Ok(None) };
    let malformed =
        || Error::Malformed { url: shown(from), reason: "a redirect to something that is no URL".to_owned() };
    let mut target = location.to_str().ok().and_then(|text| from.join(text).ok()).ok_or_else(malformed)?;
    let refused = |reason| Err(Error::Redirect { url: shown(from), target: shown(&target), reason });
    if !matches!(target.scheme(), "http" | "https") {
        return refused("only http and https are followed");
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        if !matches!(status.as_u16(), 307 | 308) {
            return refused("the request would lose its body");
        }
        // A body can hold a refresh token.
        if target.origin() != from.origin() {
            return refused("a body is not sent on to another host");
        }
    }
    // The user name of a redirect is no credential of ours.
    if target.set_username("").is_err() || target.set_password(None).is_err() {
        return Err(malformed());
    }
    target.set_fragment(None);
    Ok(Some(target))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn a_host_has_so_many_connections() {
        let connections = Connections::new(2);
        let url = |text: &str| Url::parse(text).unwrap();
        let take = |line, text: &str| connections.take(line, &url(text)).now_or_never();
        let first = take(Line::Blobs, "https://a.test/1");
        let _second = take(Line::Blobs, "https://a.test/2").unwrap();
        assert!(take(Line::Blobs, "https://a.test/3").is_none());
        assert!(take(Line::Blobs, "https://b.test/").is_some());
        assert!(take(Line::Blobs, "https://a.test:444/").is_some());
        assert!(take(Line::Api, "https://a.test/").is_some());
        drop(first);
        assert!(take(Line::Blobs, "https://a.test/3").is_some());
    }
}
