//! Writing to an OCI registry (distribution-spec v1.1, "Push"): blobs, mounts, manifests.
//!
//! What is written goes to the registry itself, whatever mirrors there are to read from it.

use std::ops::Range;

use bytes::Bytes;
use http::header::{CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::sync::mpsc;
use url::Url;

use super::{Registry, accept, stated_digest};
use crate::config::Endpoint;
use crate::oci::Digest;
use crate::oci::manifest::{MAX_MANIFEST, Manifest};
use crate::source::auth;
use crate::source::error::{Error, shown};
use crate::source::http::{Answer, Call, Line};

/// A repository that is written to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    /// Scheme, host and port of its registry.
    pub registry: Url,
    /// Its name there.
    pub name: String,
}

/// An upload that a registry began.
#[derive(Clone, Debug)]
pub struct Upload {
    place: Endpoint,
}

/// What a registry answers to the wish to send a blob.
#[derive(Debug)]
pub enum Begun {
    /// It has it in the other repository and took it from there.
    Mounted,
    /// It wants the bytes.
    Upload(Upload),
}

impl Registry {
    /// The digest of the manifest that a tag or a digest names; `None` when the registry has none.
    pub async fn present(&self, repository: &Repository, name: &str) -> Result<Option<Digest>, Error> {
        let mut call = Call::head();
        accept(&mut call.headers);
        let place = repository.place(&format!("manifests/{name}"))?;
        match self.found(&call, &place).await {
            Ok(None) => return Ok(None),
            Ok(Some(answer)) => {
                if let Some(digest) = stated_digest(answer.response.headers()) {
                    return Ok(Some(digest));
                }
            }
            Err(error) if error.refuses_head() => {}
            Err(error) => return Err(error),
        }
        // Only the bytes tell.
        let call = Call { method: Method::GET, ..call };
        let Some(answer) = self.found(&call, &place).await? else { return Ok(None) };
        Ok(Some(Digest::of(&self.http.read(answer, MAX_MANIFEST).await?.bytes)))
    }

    /// Whether a repository has a blob.
    pub async fn has_blob(&self, repository: &Repository, digest: Digest) -> Result<bool, Error> {
        let place = repository.place(&format!("blobs/{digest}"))?;
        match self.found(&Call::head(), &place).await {
            Ok(answer) => Ok(answer.is_some()),
            // One that does not tell gets it.
            Err(error) if error.refuses_head() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes a manifest under a tag or under its digest.
    pub async fn put_manifest(&self, repository: &Repository, name: &str, manifest: &Manifest) -> Result<(), Error> {
        let place = repository.place(&format!("manifests/{name}"))?;
        let content_type = HeaderValue::from_str(&manifest.media_type)
            .map_err(|_| malformed(&place.url, "a media type that cannot be sent"))?;
        let mut call = Call { method: Method::PUT, body: manifest.bytes.clone(), ..Call::get(Line::Api) };
        call.headers.insert(CONTENT_TYPE, content_type);
        let answer = self.patiently(&call, &place).await?;
        agrees(&answer, manifest.digest)
    }

    /// Begins to send a blob, or has the registry take it `from` another of its repositories.
    pub async fn begin(&self, repository: &Repository, digest: Digest, from: Option<&str>) -> Result<Begun, Error> {
        let mut place = repository.place("blobs/uploads/")?;
        if let Some(from) = from {
            place.url.query_pairs_mut().append_pair("mount", &digest.to_string()).append_pair("from", from);
        }
        let answer = self.ask(&Call { method: Method::POST, ..Call::get(Line::Api) }, &place).await?;
        match answer.response.status() {
            StatusCode::CREATED if from.is_some() => {
                agrees(&answer, digest)?;
                Ok(Begun::Mounted)
            }
            StatusCode::ACCEPTED => {
                let url = location(&answer)?;
                Ok(Begun::Upload(Upload { place: Endpoint { url, repository: place.repository } }))
            }
            _ => Err(malformed(&answer.url, "a status that no upload begins with")),
        }
    }

    /// Sends the bytes of `range` as they come. `false`: they were not taken because the token had ended, and a new one
    /// was bought, which is not done when it `has_to_be_good`; [`Registry::received`] says how to go on.
    pub async fn append(
        &self,
        upload: &mut Upload,
        range: Range<u64>,
        body: mpsc::Receiver<Bytes>,
        has_to_be_good: bool,
    ) -> Result<bool, Error> {
        let Endpoint { url, repository } = &upload.place;
        let mut call = Call { method: Method::PATCH, ..Call::get(Line::Uploads) };
        call.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        // As Docker does: a whole blob is a stream, only its rest is a chunk.
        if range.start > 0
            && let Ok(value) = HeaderValue::from_str(&format!("{}-{}", range.start, range.end.saturating_sub(1)))
        {
            call.headers.insert(CONTENT_RANGE, value);
        }
        let used = self.access.known(url, repository).await;
        let lengths = (range.end - range.start, range.end);
        let answer = self.http.send(&call, url, used.as_ref(), lengths, body).await?;
        if answer.response.status() == StatusCode::UNAUTHORIZED {
            if has_to_be_good {
                return Err(auth::refused(&self.http, url, repository, StatusCode::UNAUTHORIZED.to_string()));
            }
            let headers = answer.response.headers().clone();
            drop(answer);
            self.access.renew(&self.http, url, repository, used.as_ref(), &headers).await?;
            return Ok(false);
        }
        let answer = self.http.success(answer).await?;
        upload.goes_on(&answer)?;
        Ok(true)
    }

    /// How many bytes the registry has of an upload; `None` when it knows nothing of it any more.
    pub async fn received(&self, upload: &mut Upload) -> Result<Option<u64>, Error> {
        let Some(answer) = self.found(&Call::get(Line::Api), &upload.place).await? else { return Ok(None) };
        upload.goes_on(&answer)?;
        Ok(received(answer.response.headers()))
    }

    /// Ends an upload of `size` bytes with its last ones, if any are left; from then on the blob is there.
    pub async fn finish(&self, upload: &Upload, digest: Digest, size: u64, rest: Bytes) -> Result<(), Error> {
        let mut place = upload.place.clone();
        place.url.query_pairs_mut().append_pair("digest", &digest.to_string());
        let patience = Some(self.http.taking_in(size));
        let mut call = Call { method: Method::PUT, body: rest, patience, ..Call::get(Line::Uploads) };
        call.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        let answer = self.ask(&call, &place).await?;
        agrees(&answer, digest)
    }

    /// Gives an upload up. A registry that does not hear of it forgets it by itself one day.
    pub async fn cancel(&self, upload: &Upload) {
        let call = Call { method: Method::DELETE, ..Call::get(Line::Api) };
        drop(self.ask(&call, &upload.place).await);
    }

    pub(super) async fn found(&self, call: &Call, place: &Endpoint) -> Result<Option<Answer>, Error> {
        match self.patiently(call, place).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks one place as often as it is worth it.
    async fn patiently(&self, call: &Call, place: &Endpoint) -> Result<Answer, Error> {
        let mut journey = self.http.journey(&place.url, vec![place.clone()])?;
        loop {
            match self.ask(call, journey.here()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => journey.after(error).await?,
            }
        }
    }
}

impl Repository {
    pub(super) fn place(&self, rest: &str) -> Result<Endpoint, Error> {
        let url = self.registry.join(&format!("/v2/{}/{rest}", self.name));
        let url = url.map_err(|_| malformed(&self.registry, "a name that makes no URL"))?;
        Ok(Endpoint { url, repository: self.name.clone() })
    }
}

impl Upload {
    /// Each answer says where the next request goes.
    fn goes_on(&mut self, answer: &Answer) -> Result<(), Error> {
        if answer.response.headers().contains_key(LOCATION) {
            self.place.url = location(answer)?;
        }
        Ok(())
    }
}

fn malformed(url: &Url, reason: &str) -> Error {
    Error::Malformed { url: shown(url), reason: reason.to_owned() }
}

/// The registry found the digest that was meant, if it says which it found.
fn agrees(answer: &Answer, expected: Digest) -> Result<(), Error> {
    match stated_digest(answer.response.headers()) {
        Some(found) if found != expected => {
            let origin = shown(&answer.url);
            Err(Error::Mismatch { what: expected.to_string(), origin, expected, found })
        }
        _ => Ok(()),
    }
}

fn location(answer: &Answer) -> Result<Url, Error> {
    let text = answer.response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    next(&answer.url, text).map_err(|reason| malformed(&answer.url, reason))
}

/// Where an upload goes on. A registry behind a proxy that ends TLS may call itself plain http; it is not asked so.
fn next(from: &Url, location: Option<&str>) -> Result<Url, &'static str> {
    let none = "no place for the upload";
    let mut url = location.and_then(|text| from.join(text).ok()).ok_or(none)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a place for the upload that holds credentials");
    }
    if from.scheme() == "https" && url.scheme() == "http" {
        if url.host() != from.host() || url.set_scheme("https").is_err() || url.set_port(from.port()).is_err() {
            return Err("a place for the upload at plain http");
        }
    } else if !matches!(url.scheme(), "http" | "https") {
        return Err(none);
    }
    Ok(url)
}

/// `Range: 0-499` is 500 bytes. What says 0-0 may be one byte or none, so that nothing is built on it.
fn received(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(RANGE)?.to_str().ok()?.trim();
    let last: u64 = text.strip_prefix("bytes=").unwrap_or(text).strip_prefix("0-")?.parse().ok()?;
    if last == 0 { None } else { last.checked_add(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_goes_on_where_the_registry_says() {
        let next = |from: &str, to: &str| {
            let from = Url::parse(from).unwrap();
            next(&from, Some(to)).map(String::from)
        };
        let good = [
            ("https://r.example/v2/a/blobs/uploads/", "/v2/a/x?_state=1", "https://r.example/v2/a/x?_state=1"),
            ("https://r.example/v2/", "https://store.example/x", "https://store.example/x"),
            ("https://r.example:8443/v2/", "http://r.example/x", "https://r.example:8443/x"),
            ("http://127.0.0.1:5000/v2/", "http://127.0.0.1:5000/x", "http://127.0.0.1:5000/x"),
        ];
        for (from, to, expected) in good {
            assert_eq!(next(from, to).as_deref(), Ok(expected));
        }
        for to in ["http://store.example/x", "ftp://r.example/x", "https://user:secret@r.example/x", "http://["] {
            assert!(next("https://r.example/v2/", to).is_err(), "{to}");
        }
        assert!(super::next(&Url::parse("https://r.example/").unwrap(), None).is_err());
    }

    #[test]
    fn knows_what_was_received() {
        let received = |text: &str| received(&HeaderMap::from_iter([(RANGE, text.parse().unwrap())]));
        assert_eq!(received("0-499"), Some(500));
        assert_eq!(received("bytes=0-1"), Some(2));
        for text in ["0-0", "", "5-9", "0-", "0-x", "0-18446744073709551615"] {
            assert_eq!(received(text), None, "{text}");
        }
    }
}
