//! OCI registries (distribution-spec v1.1, "Pull"): manifests, tags and blobs; writing to them is [`upload`]'s.

mod location;
pub mod referrers;
pub(crate) mod tags;
#[cfg(test)]
mod tests;
pub mod upload;

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use url::Url;

use self::location::{Locations, Where};
use super::auth::{self, Access};
use super::error::{Error, server_message, shown};
use super::http::{Answer, Body, Call, Download, Http, Line, download};
use crate::config::Endpoint;
use crate::oci::manifest::{MAX_MANIFEST, Manifest};
use crate::oci::{Digest, Reference, media_type};

/// Every kind of manifest that is understood, in one header: some registries read only the first.
const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// The client of all registries; clones share tokens and redirect targets.
#[derive(Clone)]
pub struct Registry {
    http: Http,
    access: Arc<Access>,
    locations: Arc<Locations>,
}

/// What HEAD tells of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestHead {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type.
    pub media_type: String,
}

impl Registry {
    /// A client that asks through `http`.
    #[must_use]
    pub fn new(http: Http) -> Self {
        Self { http, access: Arc::default(), locations: Arc::default() }
    }

    /// Where an image is, for programs that ask registries themselves: mirrors first.
    #[must_use]
    pub fn places(&self, reference: &Reference) -> Vec<Endpoint> {
        self.endpoints(reference, &format!("manifests/{}", manifest_name(reference)))
    }

    /// The manifest that `reference` names by digest, else by tag, else by `latest`.
    ///
    /// Its bytes must have the digest of the reference and the one that the registry states.
    pub async fn manifest(&self, reference: &Reference) -> Result<Manifest, Error> {
        let mut call = Call::get(Line::Api);
        accept(&mut call.headers);
        let rest = format!("manifests/{}", manifest_name(reference));
        let mut journey = self.http.journey(&original(reference, &rest)?, self.endpoints(reference, &rest))?;
        loop {
            let once = async {
                let answer = self.ask(&call, journey.here()).await?;
                let body = self.http.read(answer, MAX_MANIFEST).await?;
                checked(reference, body)
            };
            match once.await {
                Ok(manifest) => return Ok(manifest),
                Err(error) => journey.after(error).await?,
            }
        }
    }

    /// What a registry has under `reference`, without its bytes; `None` when it has nothing.
    ///
    /// Costs nothing of Docker Hub's limit, which counts GETs.
    pub async fn head(&self, reference: &Reference) -> Result<Option<ManifestHead>, Error> {
        let mut call = Call::head();
        accept(&mut call.headers);
        let rest = format!("manifests/{}", manifest_name(reference));
        let mut journey = self.http.journey(&original(reference, &rest)?, self.endpoints(reference, &rest))?;
        let answer = loop {
            match self.ask(&call, journey.here()).await {
                Ok(answer) => break answer,
                Err(error) => match journey.after(error).await {
                    Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => return Ok(None),
                    Err(error) if error.refuses_head() => return self.head_by_get(reference).await,
                    other => other?,
                },
            }
        };
        let headers = answer.response.headers();
        let known = |name: &String| media_type::is_index(name) || media_type::is_manifest(name);
        let stated = (stated_digest(headers), download::content_length(headers), content_type(headers).filter(known));
        let origin = shown(&answer.url);
        drop(answer);
        let (Some(digest), Some(size), Some(media_type)) = stated else {
            return self.head_by_get(reference).await;
        };
        match reference.digest() {
            Some(expected) if expected != digest => {
                Err(Error::Mismatch { what: reference.to_string(), origin, expected, found: digest })
            }
            _ => Ok(Some(ManifestHead { digest, size, media_type })),
        }
    }

    /// The same from the bytes: some registries say nothing of use to HEAD, or refuse it.
    async fn head_by_get(&self, reference: &Reference) -> Result<Option<ManifestHead>, Error> {
        match self.manifest(reference).await {
            Ok(Manifest { bytes, digest, media_type, .. }) => {
                Ok(Some(ManifestHead { digest, size: bytes.len() as u64, media_type }))
            }
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A blob of at most `limit` bytes, checked against its digest.
    pub async fn blob(&self, reference: &Reference, digest: &Digest, limit: u64) -> Result<Bytes, Error> {
        let rest = format!("blobs/{digest}");
        let call = Call::get(Line::Api);
        let mut journey = self.http.journey(&original(reference, &rest)?, self.endpoints(reference, &rest))?;
        loop {
            let once = async {
                let answer = self.ask(&call, journey.here()).await?;
                self.http.read(answer, limit).await
            };
            match once.await {
                Ok(body) => {
                    let found = Digest::of(&body.bytes);
                    if found != *digest {
                        let (what, origin) = (format!("{}@{digest}", reference.name()), shown(&body.url));
                        return Err(Error::Mismatch { what, origin, expected: *digest, found });
                    }
                    return Ok(body.bytes);
                }
                Err(error) => journey.after(error).await?,
            }
        }
    }

    /// A blob as a stream, whole or a range of it (to the end with `u64::MAX`); the caller checks its bytes.
    ///
    /// All who open parts of one blob share the place that the registry redirected the first one to.
    pub async fn open_blob(
        &self,
        reference: &Reference,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<Download, Error> {
        let rest = format!("blobs/{digest}");
        let call = download::call(range.as_ref());
        let original = original(reference, &rest)?;
        let place = self.locations.place(original.as_str());
        let mut failed = None;
        let mut known = loop {
            let known = place.lock().await;
            let Where::At(url, detour) = &*known else { break known };
            let avoided = detour.as_ref().is_some_and(|asked| self.http.passes_over(asked));
            if avoided || failed.as_ref() == Some(url) {
                break known;
            }
            let (url, detour) = (url.clone(), detour.clone());
            drop(known);
            if let Ok(download) = self.open_at(&call, &url, range.as_ref()).await {
                return Ok(download.with_detour(detour));
            }
            // Whatever is wrong there, such as an expired signature, the registry knows better; of all who found it
            // so, the first one asks.
            failed = Some(url);
        };
        if *known == Where::Here {
            drop(known);
            let (download, _) = self.open_here(&call, &original, reference, &rest, range.as_ref()).await?;
            return Ok(download);
        }
        // The others wait: what this one finds is theirs too.
        *known = Where::Unknown;
        let (download, redirected) = self.open_here(&call, &original, reference, &rest, range.as_ref()).await?;
        *known = redirected.map_or(Where::Here, |url| Where::At(url, download.detour().cloned()));
        Ok(download)
    }

    /// Opens the place that the registry redirected to earlier.
    async fn open_at(&self, call: &Call, place: &Url, range: Option<&Range<u64>>) -> Result<Download, Error> {
        let answer = self.http.success(self.http.exchange(call, place, None).await?).await?;
        Download::new(answer, range)
    }

    /// Opens through the registry; also says where it redirected to.
    async fn open_here(
        &self,
        call: &Call,
        original: &Url,
        reference: &Reference,
        rest: &str,
        range: Option<&Range<u64>>,
    ) -> Result<(Download, Option<Url>), Error> {
        let mut journey = self.http.journey(original, self.endpoints(reference, rest))?;
        loop {
            let once = async {
                let answer = self.ask(call, journey.here()).await?;
                let redirected = answer.elsewhere.then(|| answer.url.clone());
                Ok((Download::new(answer, range)?.with_detour(journey.detour()), redirected))
            };
            match once.await {
                Ok(opened) => return Ok(opened),
                Err(error) => journey.after(error).await?,
            }
        }
    }

    fn endpoints(&self, reference: &Reference, rest: &str) -> Vec<Endpoint> {
        self.http.config().endpoints(reference.registry(), reference.repository(), rest)
    }

    /// Asks one place, logging in where it wants that; anything but a success is an error.
    async fn ask(&self, call: &Call, place: &Endpoint) -> Result<Answer, Error> {
        let Endpoint { url, repository } = place;
        let mut used = self.access.known(url, repository).await;
        let mut answer = self.http.exchange(call, url, used.as_ref()).await?;
        if answer.response.status() == StatusCode::UNAUTHORIZED && !answer.elsewhere {
            let headers = answer.response.headers().clone();
            drop(answer);
            used = Some(self.access.renew(&self.http, url, repository, used.as_ref(), &headers).await?);
            answer = self.http.exchange(call, url, used.as_ref()).await?;
        }
        let elsewhere = answer.elsewhere;
        self.http.success(answer).await.map_err(|error| match error {
            Error::Status { refusal, .. }
                if !elsewhere && matches!(refusal.status.as_u16(), 401 | 403) && refusal.retry_after.is_none() =>
            {
                let said = server_message(&refusal.body).map(|text| format!(": {text}")).unwrap_or_default();
                auth::refused(&self.http, url, repository, format!("{}{said}", refusal.status))
            }
            other => other,
        })
    }
}

/// What a manifest is asked by.
fn manifest_name(reference: &Reference) -> String {
    match (reference.digest(), reference.tag()) {
        (Some(digest), _) => digest.to_string(),
        (None, Some(tag)) => tag.to_owned(),
        (None, None) => "latest".to_owned(),
    }
}

/// The URL that errors and the table of redirects know a request by.
fn original(reference: &Reference, rest: &str) -> Result<Url, Error> {
    let text = format!("https://{}/v2/{}/{rest}", reference.registry(), reference.repository());
    Url::parse(&text).map_err(|_| Error::Malformed { url: text, reason: "no URL".to_owned() })
}

fn accept(headers: &mut HeaderMap) {
    headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
}

/// `Docker-Content-Digest`, where it is a sha256.
fn stated_digest(headers: &HeaderMap) -> Option<Digest> {
    headers.get("docker-content-digest")?.to_str().ok()?.parse().ok()
}

/// `Content-Type` without its parameters.
fn content_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(text.split(';').next().unwrap_or_default().trim().to_owned())
}

/// Parses a manifest whose bytes are the ones that were asked for.
fn checked(reference: &Reference, body: Body) -> Result<Manifest, Error> {
    let found = Digest::of(&body.bytes);
    let expected = reference.digest().into_iter().chain(stated_digest(&body.headers));
    if let Some(expected) = expected.into_iter().find(|expected| *expected != found) {
        return Err(Error::Mismatch { what: reference.to_string(), origin: shown(&body.url), expected, found });
    }
    Manifest::parse(body.bytes, content_type(&body.headers).as_deref())
        .map_err(|source| Error::Manifest { reference: reference.to_string(), source })
}
