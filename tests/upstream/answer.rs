//! What a request asks and what it gets: conditional requests, ranges and HEAD are the same for everything.

use axum::http::{HeaderMap, Method};
use bundler::oci::Digest;
use bytes::Bytes;
use percent_encoding::percent_decode_str;

/// A request, without the upstream's own address.
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Host and path of the original, percent-decoded, such as `api.github.com/repos/helm/helm`; for a registry
    /// `docker.io/grafana/loki/manifests/3.7.6`, for the storage behind them `storage/…`.
    pub(crate) target: String,
    /// Whether it came in the form of a registry's API.
    pub(crate) registry: bool,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    /// Reads the parts of an HTTP request.
    pub(crate) fn new(method: Method, uri: &axum::http::Uri, headers: HeaderMap, body: Bytes, storage: bool) -> Self {
        let path = percent_decode_str(uri.path()).decode_utf8_lossy().into_owned();
        let path = path.trim_start_matches('/');
        let (registry, path) = path.strip_prefix("v2/").map_or((path == "v2", path), |rest| (true, rest));
        let target = if storage { format!("storage/{path}") } else { path.to_owned() };
        let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        Self { method, target, registry, query, headers, body }
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// An answer before it is sent.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self { status, headers: vec![("content-type", content_type.to_owned())], body: body.into() }
    }

    pub(crate) fn json(status: u16, value: &serde_json::Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", value.to_string())
    }

    /// Bytes that may be asked for again, and in part.
    pub(crate) fn content(content_type: &str, body: Bytes) -> Self {
        let tag = format!("\"{}\"", Digest::of(&body).hex());
        Self::new(200, content_type, body).with("etag", tag).with("accept-ranges", "bytes")
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "text/plain; charset=utf-8", "Not Found")
    }

    pub(crate) fn redirect(status: u16, location: String) -> Self {
        Self::new(status, "text/html", "").with("location", location)
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    /// Makes it the answer to the request's conditions, if it has any.
    pub(crate) fn conditional(self, request: &Request) -> Self {
        let Some(tag) = self.header("etag").filter(|_| self.status == 200) else { return self };
        let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let asked = request.header("if-none-match");
        if asked.is_some_and(|asked| asked.split(',').any(|one| weak(one) == weak(tag))) {
            let kept = ["etag", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "x-ratelimit-used"];
            let headers = self.headers.into_iter().filter(|(name, _)| kept.contains(name)).collect();
            return Self { status: 304, headers, body: Bytes::new() };
        }
        self
    }

    /// Makes it the answer to the request's range, if it has one.
    pub(crate) fn ranged(mut self, request: &Request) -> Self {
        if self.status != 200 || self.header("accept-ranges").is_none() {
            return self;
        }
        if request.header("if-range").is_some_and(|tag| Some(tag) != self.header("etag")) {
            return self;
        }
        let Some(range) = request.header("range").and_then(|range| range.strip_prefix("bytes=")) else { return self };
        let size = self.body.len();
        let Some((first, last)) = range.split_once('-') else { return self };
        let (first, end) = match (first.parse::<usize>(), last.parse::<usize>()) {
            (Ok(first), Ok(last)) => (first, (last + 1).min(size)),
            (Ok(first), Err(_)) => (first, size),
            (Err(_), Ok(suffix)) => (size.saturating_sub(suffix), size),
            (Err(_), Err(_)) => return self,
        };
        if first >= end {
            return Self::new(416, "text/plain", "").with("content-range", format!("bytes */{size}"));
        }
        self.body = self.body.slice(first..end);
        self.status = 206;
        self.with("content-range", format!("bytes {first}-{}/{size}", end - 1))
    }
}
