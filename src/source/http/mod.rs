//! The HTTP client of all sources: mirrors, retries, redirects, offline, conditional cache.
//!
//! One client for small documents, which may speak HTTP/2, and two for blobs that come and go over HTTP/1.1, because
//! HTTP/2 would put all streams to a host on one connection. Nothing is decompressed: what has a digest is kept as served.

mod cache;
mod client;
pub(crate) mod download;
mod exchange;
mod journey;
mod options;
pub(crate) mod retry;
#[cfg(test)]
mod tests;
mod trust;

use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use url::Url;

use super::error::{Error, shown};
pub use cache::Cached;
pub use download::Download;
pub(crate) use exchange::{Answer, Authorization, Call, Line};
pub use options::{HttpOptions, Proxies, Sleep, Timeouts};
pub use retry::Retry;

/// The largest answer of GitHub's that is read, 8 MiB: a release with a thousand assets has 2.
const MAX_API: u64 = 8 << 20;

/// The client; clones share connections, tokens and limits.
#[derive(Clone)]
pub struct Http(Arc<Inner>);

/// What a GET of a small document is asked to do.
#[derive(Clone, Debug)]
pub struct Get<'a> {
    /// The most bytes that are read; more is an error.
    pub limit: u64,
    /// The `Accept` header.
    pub accept: Option<&'a str>,
    /// Ask with `If-None-Match` or `If-Modified-Since` and keep the response in the cache.
    pub conditional: bool,
    /// Further headers.
    pub headers: HeaderMap,
}

impl Get<'_> {
    /// A plain GET of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self { limit, accept: None, conditional: false, headers: HeaderMap::new() }
    }
}

/// A small response, whole in memory.
#[derive(Clone, Debug)]
pub struct Body {
    /// The bytes as they were served.
    pub bytes: Bytes,
    /// The headers; of a cached response, those that were kept.
    pub headers: HeaderMap,
    /// Where the redirects ended, by its original: a mirror's URL never appears here.
    pub url: Url,
    /// The server said that the cached copy is still right.
    pub cached: bool,
}

/// The answer to a HEAD request.
#[derive(Clone, Debug)]
pub struct Head {
    /// `Content-Length`.
    pub length: Option<u64>,
    /// All headers.
    pub headers: HeaderMap,
    /// Where the redirects ended, by its original.
    pub url: Url,
}

struct Inner {
    config: crate::config::Config,
    /// None where the network may not be used.
    clients: Option<client::Clients>,
    cache: Option<cache::Cache>,
    github_api: Url,
    github_token: Option<String>,
    credential_files: Vec<std::path::PathBuf>,
    retry: Retry,
    idle: std::time::Duration,
    sleep: Sleep,
    reporter: Arc<dyn crate::event::Reporter>,
    connections: exchange::Connections,
    /// Could not be reached, did not answer in time, or their bytes did not come; they are asked last.
    silent: journey::Hosts,
    /// Refused something; it was told.
    refusing: journey::Hosts,
}

impl Http {
    /// Builds the clients; nothing is sent.
    pub fn new(options: HttpOptions) -> Result<Self, Error> {
        if options.github_token.as_ref().is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(Error::Variable { name: "GITHUB_TOKEN", reason: "has characters that no token has" });
        }
        Ok(Self(Arc::new(Inner {
            clients: if options.offline { None } else { Some(client::build(&options)?) },
            cache: options.cache_dir.as_deref().map(cache::Cache::new),
            github_api: options.github_api.unwrap_or_else(default_github_api),
            github_token: options.github_token,
            credential_files: options.credential_files,
            retry: options.retry,
            idle: options.timeouts.idle,
            sleep: options.sleep,
            reporter: options.reporter,
            connections: exchange::Connections::new(options.config.max_connections_per_host),
            silent: journey::Hosts::default(),
            refusing: journey::Hosts::default(),
            config: options.config,
        })))
    }

    /// The base of GitHub's API.
    #[must_use]
    pub fn github_api(&self) -> &Url {
        &self.0.github_api
    }

    /// Whether requests to GitHub's API carry a token.
    #[must_use]
    pub fn has_github_token(&self) -> bool {
        self.0.github_token.is_some()
    }

    pub(super) fn config(&self) -> &crate::config::Config {
        &self.0.config
    }

    pub(super) fn credential_files(&self) -> &[std::path::PathBuf] {
        &self.0.credential_files
    }

    /// A small document.
    pub async fn get(&self, url: &Url, get: Get<'_>) -> Result<Body, Error> {
        let mut call = Call { headers: get.headers, ..Call::get(Line::Api) };
        if let Some(accept) = get.accept {
            call.headers.insert(ACCEPT, header(accept, url)?);
        }
        if get.conditional {
            self.conditional(url, call, get.limit).await
        } else {
            self.small(url, &call, get.limit).await
        }
    }

    /// Status and headers of what a GET would serve.
    pub async fn head(&self, url: &Url) -> Result<Head, Error> {
        let call = Call::head();
        let mut journey = self.journey(url, self.urls(url)?)?;
        loop {
            match self.ask(&call, url, journey.here()).await {
                Ok(Answer { response, url: end, .. }) => {
                    let headers = response.headers().clone();
                    let length = download::content_length(&headers);
                    return Ok(Head { length, headers, url: self.end(url, journey.here(), end) });
                }
                Err(error) => journey.after(error).await?,
            }
        }
    }

    /// A POST that only reads, such as git's `ls-refs`; it is repeated like a GET.
    pub async fn post(
        &self,
        url: &Url,
        content_type: &str,
        body: Bytes,
        headers: HeaderMap,
        limit: u64,
    ) -> Result<Body, Error> {
        let mut call = Call { method: Method::POST, headers, body, ..Call::get(Line::Api) };
        call.headers.insert(CONTENT_TYPE, header(content_type, url)?);
        self.small(url, &call, limit).await
    }

    /// A body as a stream, whole or a range of it (to the end with `u64::MAX`), over a connection of its own.
    pub async fn open(&self, url: &Url, range: Option<Range<u64>>) -> Result<Download, Error> {
        let call = download::call(range.as_ref());
        let mut journey = self.journey(url, self.urls(url)?)?;
        loop {
            let answer = self.ask(&call, url, journey.here()).await;
            match answer.and_then(|answer| Download::new(answer, range.as_ref())) {
                Ok(download) => return Ok(download.with_detour(journey.detour())),
                Err(error) => journey.after(error).await?,
            }
        }
    }

    /// One request of another client (octocrab) with our mirrors, retries, redirects, token and cache.
    ///
    /// A GET is conditional where there is a cache. A refusal that no repetition changes, such as 404, is a response.
    pub async fn execute(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
        let (parts, body) = request.into_parts();
        let text = parts.uri.to_string();
        let url = Url::parse(&text).map_err(|_| Error::Malformed { url: text, reason: "no URL".to_owned() })?;
        let call = Call { method: parts.method, headers: parts.headers, body, ..Call::get(Line::Api) };
        let result = if call.method == Method::GET {
            self.conditional(&url, call, MAX_API).await
        } else {
            self.small(&url, &call, MAX_API).await
        };
        let (status, headers, bytes) = match result {
            Ok(body) => (StatusCode::OK, body.headers, body.bytes),
            Err(Error::Status { refusal, .. }) if refusal.status.is_client_error() => {
                (refusal.status, refusal.headers, refusal.body)
            }
            Err(error) => return Err(error),
        };
        let mut response = http::Response::new(bytes);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    /// What the cache holds for a conditional GET, without asking anybody.
    #[must_use]
    pub fn cached(&self, url: &Url, accept: Option<&str>, limit: u64) -> Option<Cached> {
        self.0.cache.as_ref()?.get(url, accept, limit)
    }

    async fn conditional(&self, url: &Url, mut call: Call, limit: u64) -> Result<Body, Error> {
        let Some(cache) = &self.0.cache else { return self.small(url, &call, limit).await };
        let accept = call.headers.get(ACCEPT).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let cached = cache.get(url, accept.as_deref(), limit);
        if let Some(cached) = &cached {
            if let Some(etag) = cached.headers.get(ETAG) {
                call.headers.insert(IF_NONE_MATCH, etag.clone());
            } else if let Some(date) = cached.headers.get(LAST_MODIFIED) {
                call.headers.insert(IF_MODIFIED_SINCE, date.clone());
            }
        }
        let mut journey = self.journey(url, self.urls(url)?)?;
        loop {
            match self.whole(&call, url, journey.here(), limit).await {
                Ok((status, body)) => {
                    if let Some(cached) = cached.filter(|_| status == StatusCode::NOT_MODIFIED) {
                        cache.confirm(url, accept.as_deref());
                        return Ok(Body { bytes: cached.bytes, headers: cached.headers, url: body.url, cached: true });
                    }
                    cache.put(url, accept.as_deref(), &body.headers, &body.bytes);
                    return Ok(body);
                }
                Err(error) => journey.after(error).await?,
            }
        }
    }

    async fn small(&self, url: &Url, call: &Call, limit: u64) -> Result<Body, Error> {
        let mut journey = self.journey(url, self.urls(url)?)?;
        loop {
            match self.whole(call, url, journey.here(), limit).await {
                Ok((_, body)) => return Ok(body),
                Err(error) => journey.after(error).await?,
            }
        }
    }

    async fn whole(&self, call: &Call, original: &Url, place: &Url, limit: u64) -> Result<(StatusCode, Body), Error> {
        let answer = self.ask(call, original, place).await?;
        let status = answer.response.status();
        let conditional = call.headers.contains_key(IF_NONE_MATCH) || call.headers.contains_key(IF_MODIFIED_SINCE);
        if status == StatusCode::NOT_MODIFIED && !conditional {
            let reason = "304 to a request without conditions".to_owned();
            return Err(Error::Malformed { url: shown(&answer.url), reason });
        }
        let mut body = self.read(answer, limit).await?;
        body.url = self.end(original, place, body.url);
        Ok((status, body))
    }

    /// Where redirects that began at `place` ended, in terms of originals.
    fn end(&self, original: &Url, place: &Url, end: Url) -> Url {
        if end == *place {
            return original.clone();
        }
        self.config().mirrors.original(&end).unwrap_or(end)
    }

    /// Asks one place for `original`; anything but a success is an error.
    async fn ask(&self, call: &Call, original: &Url, place: &Url) -> Result<Answer, Error> {
        let authorization = self.github_authorization(original);
        let answer = self.exchange(call, place, authorization.as_ref()).await?;
        self.success(answer).await.map_err(|error| match error {
            Error::Status { refusal, .. } if self.is_github_api(original) && retry::is_used_up(&refusal) => {
                let host = place.host_str().unwrap_or_default().to_owned();
                Error::RateLimited { host, reset: retry::reset(&refusal.headers), with_token: self.has_github_token() }
            }
            other => other,
        })
    }

    /// Reads a body of at most `limit` bytes.
    pub(crate) async fn read(&self, answer: Answer, limit: u64) -> Result<Body, Error> {
        let Answer { mut response, url, permit, .. } = answer;
        let too_large = || Error::TooLarge { url: shown(&url), limit };
        if download::content_length(response.headers()).is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let mut bytes = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|source| Error::from_client(&url, source))? {
            if (bytes.len() + chunk.len()) as u64 > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        drop(permit);
        Ok(Body { bytes: bytes.freeze(), headers: response.headers().clone(), url, cached: false })
    }

    /// The token, for what belongs to GitHub's API; it follows a mirror that the user configured for the API.
    fn github_authorization(&self, original: &Url) -> Option<Authorization> {
        let token = self.0.github_token.as_ref()?;
        self.is_github_api(original).then(|| Authorization::Bearer(token.clone()))
    }

    /// Whether a URL is under the API's base; on GitHub Enterprise the same host serves other things too.
    fn is_github_api(&self, url: &Url) -> bool {
        let api = &self.0.github_api;
        let rest = url.path().strip_prefix(api.path().trim_end_matches('/'));
        url.origin() == api.origin() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The places to ask for a URL; plain http and user names are refused where nobody configured them.
    fn urls(&self, url: &Url) -> Result<Vec<Url>, Error> {
        let refused = |reason| Err(Error::Refused { url: shown(url), reason });
        if !url.username().is_empty() || url.password().is_some() {
            return refused("it holds a user name or a password");
        }
        if !matches!(url.scheme(), "http" | "https") {
            return refused("it is neither http nor https");
        }
        let mut urls = self.0.config.urls(url);
        if url.scheme() == "http" && url.origin() != self.0.github_api.origin() {
            urls.retain(|place| place != url);
            if urls.is_empty() {
                return refused("it is plain http, and no mirror is configured for it");
            }
        }
        Ok(urls)
    }
}

fn header(text: &str, url: &Url) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(text)
        .map_err(|_| Error::Malformed { url: shown(url), reason: "a request header that cannot be sent".to_owned() })
}

#[expect(clippy::expect_used, reason = "a constant URL")]
fn default_github_api() -> Url {
    Url::parse("https://api.github.com").expect("a URL")
}
