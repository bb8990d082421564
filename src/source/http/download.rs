//! A response as a stream, whole or from some place on.

use std::ops::Range;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::sync::OwnedSemaphorePermit;
use url::Url;

use super::{Answer, Call, Line};
use crate::source::error::{Error, shown};

/// A body that is still coming; holds its place among the host's connections until it is dropped.
///
/// Do not open a second one for the same host while holding this one and waiting: the host's connections are bounded.
pub struct Download {
    response: reqwest::Response,
    _permit: OwnedSemaphorePermit,
    offset: u64,
    total: Option<u64>,
    /// Bytes of this response still to come, where it said how many.
    left: Option<u64>,
    url: Url,
    detour: Option<Url>,
}

impl Download {
    /// Reads status and headers; `asked` is the range of the request.
    pub(crate) fn new(answer: Answer, asked: Option<&Range<u64>>) -> Result<Self, Error> {
        let Answer { response, url, permit, .. } = answer;
        let length = content_length(response.headers());
        let malformed = |reason: &str| Error::Malformed { url: shown(&url), reason: reason.to_owned() };
        let (offset, total, left) = match (response.status(), asked) {
            (StatusCode::PARTIAL_CONTENT, Some(asked)) => {
                let range = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
                let range = range.and_then(content_range).ok_or_else(|| malformed("no usable Content-Range"))?;
                if range.bytes.start != asked.start || range.bytes.end > asked.end {
                    return Err(malformed("another range than the one asked for"));
                }
                (asked.start, range.total, Some(range.bytes.end - range.bytes.start))
            }
            (StatusCode::OK, _) => (0, length, length),
            _ => return Err(malformed("a status that no download has")),
        };
        Ok(Self { response, _permit: permit, offset, total, left, url, detour: None })
    }

    /// Notes the place that was asked, if there is another to ask when its bytes do not come.
    pub(crate) fn with_detour(self, detour: Option<Url>) -> Self {
        Self { detour, ..self }
    }

    /// The place that was asked, if there is another to ask.
    pub(crate) const fn detour(&self) -> Option<&Url> {
        self.detour.as_ref()
    }

    /// Where in the whole the first byte belongs: 0 when the server ignored the range that was asked for.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The size of the whole, where the server says it.
    #[must_use]
    pub const fn total(&self) -> Option<u64> {
        self.total
    }

    /// Where the bytes come from: the mirror or the end of the redirects.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next bytes; `None` at the end. A body that ends early is an error that [`Error::is_transient`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let chunk = self.response.chunk().await.map_err(|source| Error::from_client(&self.url, source))?;
        match (&mut self.left, &chunk) {
            (Some(left), Some(chunk)) => {
                *left = left.checked_sub(chunk.len() as u64).ok_or_else(|| Error::Malformed {
                    url: shown(&self.url),
                    reason: "more bytes than it announced".to_owned(),
                })?;
            }
            (Some(missing @ 1..), None) => return Err(Error::Truncated { url: shown(&self.url), missing: *missing }),
            _ => {}
        }
        Ok(chunk)
    }
}

/// The request for a body or a part of it.
pub(crate) fn call(range: Option<&Range<u64>>) -> Call {
    let mut call = Call::get(Line::Blobs);
    if let Some(Range { start, end }) = range {
        let text = match end {
            &u64::MAX => format!("bytes={start}-"),
            end => format!("bytes={start}-{}", end.saturating_sub(1)),
        };
        if let Ok(value) = HeaderValue::try_from(text) {
            call.headers.insert(RANGE, value);
        }
    }
    call
}

/// `Content-Length` as the server wrote it.
pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ContentRange {
    pub(crate) bytes: Range<u64>,
    pub(crate) total: Option<u64>,
}

/// `bytes 0-499/1234` (RFC 9110, §14.4).
pub(crate) fn content_range(text: &str) -> Option<ContentRange> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let bytes = first.trim().parse().ok()?..last.trim().parse::<u64>().ok()?.checked_add(1)?;
    let total = match total.trim() {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    (bytes.start < bytes.end && total.is_none_or(|total| bytes.end <= total)).then_some(ContentRange { bytes, total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_content_range() {
        assert_eq!(content_range("bytes 5-9/10"), Some(ContentRange { bytes: 5..10, total: Some(10) }));
        assert_eq!(content_range("bytes 0-0/*"), Some(ContentRange { bytes: 0..1, total: None }));
        for wrong in
            ["", "bytes */10", "bytes 9-5/10", "bytes 5-10/10", "bytes 0-18446744073709551615/*", "items 0-1/2"]
        {
            assert_eq!(content_range(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn asks_for_a_range() {
        let range = |range| call(range).headers.get(RANGE).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(range(Some(&(5..10))).as_deref(), Some("bytes=5-9"));
        assert_eq!(range(Some(&(5..u64::MAX))).as_deref(), Some("bytes=5-"));
        assert_eq!(range(None), None);
    }
}
