//! Answers in the forms of the distribution specification.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::body::Payload;
use super::trust::Fault;
use crate::oci::Digest;

/// The digest of what is answered (distribution-spec v1.1, "Pulling manifests").
const DOCKER_CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// What tells older clients that this is a registry.
const API_VERSION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("docker-distribution-api-version"), HeaderValue::from_static("registry/2.0"));
/// Which filters of the referrers were applied.
const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

/// An answer to a client.
pub(super) type Answer = Response<Payload>;

/// The codes of the specification ("Error Codes") that occur here, and two for what it does not foresee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    BlobUnknown,
    DigestInvalid,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    Unauthorized,
    Unsupported,
    /// Another page of a list than there can be; docker's registry has the same code.
    PaginationNumberInvalid,
    /// The disk failed.
    Unavailable,
    /// No such path outside of the registry.
    NotFound,
}

impl Code {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::BlobUnknown => "BLOB_UNKNOWN",
            Self::DigestInvalid => "DIGEST_INVALID",
            Self::ManifestInvalid => "MANIFEST_INVALID",
            Self::ManifestUnknown => "MANIFEST_UNKNOWN",
            Self::NameInvalid => "NAME_INVALID",
            Self::NameUnknown => "NAME_UNKNOWN",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Unsupported => "UNSUPPORTED",
            Self::PaginationNumberInvalid => "PAGINATION_NUMBER_INVALID",
            Self::Unavailable => "UNAVAILABLE",
            Self::NotFound => "NOT_FOUND",
        }
    }
}

/// Bytes of a media type with this status.
pub(super) fn bytes(status: StatusCode, media_type: &str, bytes: impl Into<Bytes>) -> Answer {
    let bytes = bytes.into();
    let mut answer = Response::new(Payload::Memory(bytes.clone()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    put(headers, header::CONTENT_TYPE, media_type);
    headers.insert(header::CONTENT_LENGTH, bytes.len().into());
    answer
}

/// A JSON document.
pub(super) fn json(media_type: &str, value: &Value) -> Answer {
    bytes(StatusCode::OK, media_type, value.to_string())
}

/// A document with a digest of its own.
pub(super) fn document(media_type: &str, digest: Digest, document: Bytes) -> Answer {
    with_digest(bytes(StatusCode::OK, media_type, document), digest)
}

/// A failure, with what to do about it in the message.
pub(super) fn error(status: StatusCode, code: Code, message: impl Into<String>) -> Answer {
    let body = json!({"errors": [{"code": code.as_str(), "message": message.into()}]});
    bytes(status, "application/json", body.to_string())
}

/// What cannot be given out.
pub(super) fn fault(fault: &Fault) -> Answer {
    let code = match fault {
        Fault::Damaged => Code::DigestInvalid,
        Fault::Changed | Fault::Unreadable(_) => Code::Unavailable,
    };
    error(StatusCode::INTERNAL_SERVER_ERROR, code, fault.to_string())
}

/// The demand for a password.
pub(super) fn unauthorized() -> Answer {
    let mut answer = error(StatusCode::UNAUTHORIZED, Code::Unauthorized, "a user and a password are wanted");
    put(answer.headers_mut(), header::WWW_AUTHENTICATE, "Basic realm=\"bundler\", charset=\"UTF-8\"");
    answer
}

/// Everything but reading.
pub(super) fn read_only() -> Answer {
    let mut answer = error(StatusCode::METHOD_NOT_ALLOWED, Code::Unsupported, "this is read-only: use GET or HEAD");
    put(answer.headers_mut(), header::ALLOW, "GET, HEAD");
    // A body that nobody reads may follow.
    put(answer.headers_mut(), header::CONNECTION, "close");
    answer
}

/// Adds the digest, also as the entity tag: equal digests are equal bytes.
pub(super) fn with_digest(mut answer: Answer, digest: Digest) -> Answer {
    let headers = answer.headers_mut();
    put(headers, DOCKER_CONTENT_DIGEST, &digest.to_string());
    put(headers, header::ETAG, &etag(digest));
    answer
}

/// The entity tag of bytes with this digest.
pub(super) fn etag(digest: Digest) -> String {
    format!("\"{digest}\"")
}

/// Leaves out bytes that the client has already (RFC 9110 §13.1.2), as a cache in front of this server asks after its copy.
pub(super) fn unless_known(answer: Answer, known: Option<&str>) -> Answer {
    let has = |tag: &HeaderValue| {
        let mut known = known.unwrap_or_default().split(',').map(str::trim);
        known.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known).as_bytes() == tag.as_bytes())
    };
    if !answer.headers().get(header::ETAG).is_some_and(has) {
        return answer;
    }
    let (mut head, _) = answer.into_parts();
    head.status = StatusCode::NOT_MODIFIED;
    for about_bytes in [header::CONTENT_LENGTH, header::CONTENT_RANGE, header::CONTENT_TYPE] {
        head.headers.remove(about_bytes);
    }
    Response::from_parts(head, Payload::empty())
}

/// Says where the next page is.
pub(super) fn with_next(mut answer: Answer, url: &str) -> Answer {
    put(answer.headers_mut(), header::LINK, &format!("<{url}>; rel=\"next\""));
    answer
}

/// Says that a filter was applied.
pub(super) fn with_filter(mut answer: Answer, filter: &'static str) -> Answer {
    put(answer.headers_mut(), FILTERS_APPLIED, filter);
    answer
}

/// Says that this is a registry.
pub(super) fn of_registry(mut answer: Answer) -> Answer {
    let (name, value) = API_VERSION;
    answer.headers_mut().insert(name, value);
    answer
}

/// Sets a header; a value that is none, which no value of ours is, is left out.
pub(super) fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
