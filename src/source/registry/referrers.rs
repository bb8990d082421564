//! What is attached to a manifest: the list of referrers, and cosign's tags.

use http::HeaderValue;
use http::header::ACCEPT;

use super::upload::Repository;
use super::{Registry, original, tags};
use crate::config::Endpoint;
use crate::oci::manifest::Manifest;
use crate::oci::referrers::{self, COSIGN_SUFFIXES, Referrer, cosign_tag, fallback_tag};
use crate::oci::{Digest, Reference, media_type};
use crate::source::error::{Error, shown};
use crate::source::http::{Call, Line};

/// The largest page of referrers, 4 MiB: what the distribution spec asks registries to accept of a manifest.
const MAX_PAGE: u64 = 4 << 20;
/// The most pages that are followed.
const MAX_PAGES: usize = 50;
/// The most referrers that are kept: an image that is attested in every nightly build has a few hundred.
const MAX_REFERRERS: usize = 2000;

/// Something that a registry says is attached to a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The digest of its manifest.
    pub digest: Digest,
    /// Cosign's tag, if it is found by one.
    pub tag: Option<String>,
}

impl Registry {
    /// What is attached to the manifest `subject` of a repository, by the list of referrers and by cosign's tags.
    pub async fn attached(&self, reference: &Reference, subject: Digest) -> Result<Vec<Found>, Error> {
        let listed = self.referrers(reference, subject).await?;
        let mut found: Vec<_> = listed.iter().map(|entry| Found { digest: entry.digest, tag: None }).collect();
        for suffix in COSIGN_SUFFIXES {
            let tag = cosign_tag(subject, suffix);
            if let Some(head) = self.head(&tagged(reference, &tag)?).await? {
                found.push(Found { digest: head.digest, tag: Some(tag) });
            }
        }
        Ok(found)
    }

    /// The list of referrers of a manifest: of the first place that lists any, else under a tag, where registries without
    /// the API have it (distribution-spec v1.1, "Unavailable Referrers API").
    ///
    /// An empty list of a mirror says nothing: those that fetch what they are asked for answer with it for an image whose
    /// original has signatures. One of the original says little: what was attached before it had the API may be under
    /// the tag still.
    async fn referrers(&self, reference: &Reference, subject: Digest) -> Result<Vec<Referrer>, Error> {
        let rest = format!("referrers/{subject}");
        let mut journey = self.http.journey(&original(reference, &rest)?, self.endpoints(reference, &rest))?;
        let tag = fallback_tag(subject);
        loop {
            let said = |what: &str| format!("`{}` {what}", shown(&journey.here().url));
            let why = match self.referrer_pages(journey.here()).await {
                Ok(Some(listed)) if !listed.is_empty() => return Ok(listed),
                Ok(Some(_)) => said("lists nothing"),
                Ok(None) => said("answered with no list"),
                Err(error) => match journey.after(error).await {
                    Ok(()) => continue,
                    Err(error) if has_no_api(&error) => error.to_string(),
                    Err(error) => return Err(error),
                },
            };
            if !journey.go_on(&why, &format!("for the tag `{tag}`")) {
                return self.fallback(reference, &tag).await;
            }
        }
    }

    /// All pages from one place; `None` where it answers with something else, as some proxies do.
    async fn referrer_pages(&self, first: &Endpoint) -> Result<Option<Vec<Referrer>>, Error> {
        let mut call = Call::get(Line::Api);
        call.headers.insert(ACCEPT, HeaderValue::from_static(media_type::OCI_INDEX));
        let mut place = first.clone();
        let mut listed = Vec::new();
        for _ in 0..MAX_PAGES {
            let answer = self.ask(&call, &place).await?;
            let body = self.http.read(answer, MAX_PAGE).await?;
            let Some(page) = referrers::parse_list(&body.bytes) else { return Ok(None) };
            listed.extend(page);
            if listed.len() > MAX_REFERRERS {
                break;
            }
            match tags::next(&place.url, &body.headers)? {
                Some(url) => place.url = url,
                None => return Ok(Some(listed)),
            }
        }
        let reason = format!("more than {MAX_REFERRERS} referrers or {MAX_PAGES} pages of them");
        Err(Error::Malformed { url: shown(&first.url), reason })
    }

    /// Sees to it that `referrers` are in the list of `subject`, which is the client's work where a registry does not
    /// keep it (distribution-spec v1.1, "Pushing Manifests with Subject").
    pub async fn list_referrers(
        &self,
        repository: &Repository,
        subject: Digest,
        referrers: Vec<Referrer>,
    ) -> Result<(), Error> {
        let mut call = Call::get(Line::Api);
        call.headers.insert(ACCEPT, HeaderValue::from_static(media_type::OCI_INDEX));
        if self.list_at(&call, &repository.place(&format!("referrers/{subject}"))?).await?.is_some() {
            return Ok(());
        }
        let tag = fallback_tag(subject);
        let there = self.list_at(&call, &repository.place(&format!("manifests/{tag}"))?).await?.unwrap_or_default();
        let mut all = there.clone();
        all.extend(referrers.into_iter().filter(|own| there.iter().all(|known| known.digest != own.digest)));
        if all.len() == there.len() {
            return Ok(());
        }
        let what = || format!("{}:{tag}", repository.name);
        let list = Manifest::parse(referrers::list(all).into(), None)
            .map_err(|source| Error::Manifest { reference: what(), source })?;
        self.put_manifest(repository, &tag, &list).await
    }

    /// A list at a place; `None` where there is none.
    async fn list_at(&self, call: &Call, place: &Endpoint) -> Result<Option<Vec<Referrer>>, Error> {
        match self.found(call, place).await {
            Ok(Some(answer)) => Ok(referrers::parse_list(&self.http.read(answer, MAX_PAGE).await?.bytes)),
            Ok(None) => Ok(None),
            Err(error) if has_no_api(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn fallback(&self, reference: &Reference, tag: &str) -> Result<Vec<Referrer>, Error> {
        let tagged = tagged(reference, tag)?;
        // HEAD first, because Docker Hub counts GETs and most images have none.
        let Some(head) = self.head(&tagged).await? else { return Ok(Vec::new()) };
        if !media_type::is_index(&head.media_type) {
            return Ok(Vec::new());
        }
        let list = self.manifest(&tagged.pinned(head.digest)).await?;
        Ok(referrers::parse_list(&list.bytes).unwrap_or_default())
    }
}

fn tagged(reference: &Reference, tag: &str) -> Result<Reference, Error> {
    let malformed = |error: crate::oci::ReferenceError| Error::Malformed {
        url: format!("{}:{tag}", reference.name()),
        reason: error.to_string(),
    };
    reference.with_tag(tag).map_err(malformed)
}

/// Whether a registry does not know the question, rather than being busy.
///
/// One that wants other credentials for it than for the image does not know it either; if it means them, it wants them
/// for the tag too.
fn has_no_api(error: &Error) -> bool {
    matches!(error, Error::Credentials { .. })
        || error.status().is_some_and(|status| matches!(status.as_u16(), 400 | 403 | 404 | 405 | 406 | 415 | 501))
}
