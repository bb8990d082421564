//! The registry: repositories, tags, manifests and blobs, as the OCI distribution specification wants them.

use std::sync::Arc;

use http::StatusCode;
use serde_json::json;

use super::answer::{self, Answer, Code};
use super::charts::CHARTS;
use super::names::{self, Repository, Unnamed};
use super::route::Query;
use super::site::{Asked, OCTETS, Site};
use super::trust::{self, Content, Fault};
use crate::bundle::model;
use crate::bundle::set;
use crate::oci::manifest::{Descriptor, Manifest, View};
use crate::oci::referrers::{self, Referrer};
use crate::oci::{Arch, Digest, media_type};

impl Site {
    pub(super) async fn catalog(self: &Arc<Self>, query: &Query) -> Answer {
        let mut names = self.names.list(query.ns.as_deref());
        if query.ns.is_none() {
            names.extend(self.charts().await.iter().map(|chart| format!("{CHARTS}{}", chart.name)));
        }
        self.list(names.iter().map(String::as_str), query, "/v2/_catalog", |page| json!({"repositories": page}))
    }

    pub(super) async fn tags(self: &Arc<Self>, name: &str, query: &Query) -> Answer {
        let form = |page: &[&str]| json!({"name": name, "tags": page});
        let path = format!("/v2/{name}/tags/list");
        if let (Some(chart), None) = (name.strip_prefix(CHARTS), &query.ns) {
            let mut tags: Vec<_> = self.charts().await.versions(chart).map(|chart| chart.tag.clone()).collect();
            tags.sort();
            if !tags.is_empty() {
                return self.list(tags.iter().map(String::as_str), query, &path, form);
            }
        }
        match self.names.find(name, query.ns.as_deref()) {
            Ok(repository) => self.list(repository.tags.keys().map(String::as_str), query, &path, form),
            Err(unnamed) => unknown_name(name, &unnamed),
        }
    }

    fn list<'a>(
        &self,
        names: impl Iterator<Item = &'a str>,
        query: &Query,
        path: &str,
        form: impl FnOnce(&[&str]) -> serde_json::Value,
    ) -> Answer {
        let n = match query.n.as_deref().map(str::parse::<usize>) {
            None => None,
            Some(Ok(n)) => Some(n),
            Some(Err(_)) => {
                let message = "`n` is the number of names to list";
                return answer::error(StatusCode::BAD_REQUEST, Code::PaginationNumberInvalid, message);
            }
        };
        let (page, more) = names::page(names, n, query.last.as_deref());
        let answer = answer::json("application/json", &form(&page));
        match (page.last(), n) {
            (Some(last), Some(n)) if more => {
                let mut next = url::form_urlencoded::Serializer::new(format!("{path}?"));
                next.append_pair("n", &n.to_string()).append_pair("last", last);
                if let Some(ns) = &query.ns {
                    next.append_pair("ns", ns);
                }
                answer::with_next(answer, &next.finish())
            }
            _ => answer,
        }
    }

    pub(super) async fn manifest(self: &Arc<Self>, name: String, ns: Option<String>, wanted: String) -> Answer {
        if let (Some(chart), None) = (name.strip_prefix(CHARTS), &ns) {
            let charts = self.charts().await;
            let found =
                charts.versions(chart).find(|chart| chart.tag == wanted || chart.manifest.to_string() == wanted);
            if let Some(document) = found.and_then(|chart| Some((chart.manifest, charts.document(chart.manifest)?))) {
                return answer::document(media_type::OCI_MANIFEST, document.0, document.1.clone());
            }
        }
        let site = self.clone();
        let find = move || site.find_manifest(&name, ns.as_deref(), &wanted);
        tokio::task::spawn_blocking(find).await.unwrap_or_else(|_| answer::fault(&Fault::Changed))
    }

    fn find_manifest(&self, name: &str, ns: Option<&str>, wanted: &str) -> Answer {
        let repository = match self.names.find(name, ns) {
            Ok(repository) => repository,
            Err(unnamed) => return unknown_name(name, &unnamed),
        };
        let unknown = |message: String| answer::error(StatusCode::NOT_FOUND, Code::ManifestUnknown, message);
        let digest = match (wanted.contains(':'), wanted.parse::<Digest>()) {
            (true, Ok(digest)) => digest,
            (true, Err(_)) if other_algorithm(wanted) => return unknown(format!("no bundle has {}", short(wanted))),
            (true, Err(error)) => {
                return answer::error(StatusCode::BAD_REQUEST, Code::DigestInvalid, error.to_string());
            }
            (false, _) => match repository.tags.get(wanted) {
                Some(digest) => *digest,
                None => return unknown(format!("`{name}` has no tag `{}`: {}", short(wanted), tags(repository))),
            },
        };
        // Only what belongs to the repository: a layer is no manifest because it is asked for as one.
        let child = match self.child(repository, digest) {
            Ok(_) if repository.has(digest) => None,
            Ok(Some(child)) => Some(child),
            Ok(None) => return unknown(format!("no manifest {digest} in `{name}`")),
            Err(error) => return self.bad_manifest(&error),
        };
        match self.set.manifest(digest) {
            Ok(Some(manifest)) => answer::document(&manifest.media_type, digest, manifest.bytes),
            Ok(None) => unknown(self.absent(digest, child.as_ref())),
            Err(error) => self.bad_manifest(&error),
        }
    }

    /// The descriptor by which an index of the repository names a manifest.
    fn child(&self, repository: &Repository, digest: Digest) -> Result<Option<Descriptor>, set::Error> {
        if repository.has(digest) {
            return Ok(None);
        }
        for root in &repository.roots {
            if let Some(Manifest { view: View::Index(children), .. }) = self.set.manifest(*root)?
                && let Some(child) = children.into_iter().find(|child| child.digest == digest)
            {
                return Ok(Some(child));
            }
        }
        Ok(None)
    }

    /// What is attached to a manifest: a list that may be empty, as the specification wants it.
    pub(super) async fn referrers(self: &Arc<Self>, name: String, digest: String, query: Query) -> Answer {
        let subject = match digest.parse::<Digest>() {
            Ok(subject) => Some(subject),
            Err(_) if other_algorithm(&digest) => None,
            Err(_) => {
                let message = format!("`{}` is no digest", short(&digest));
                return answer::error(StatusCode::BAD_REQUEST, Code::DigestInvalid, message);
            }
        };
        let site = self.clone();
        let list = move || {
            let repository = site.names.find(&name, query.ns.as_deref()).ok();
            let mut listed = Vec::new();
            for digest in repository.iter().flat_map(|repository| repository.referrers(subject)) {
                match site.set.manifest(digest) {
                    Ok(manifest) => listed.extend(manifest.as_ref().map(Referrer::of)),
                    Err(error) => return site.bad_manifest(&error),
                }
            }
            listed.retain(|entry| query.artifact_type.is_none() || entry.artifact_type == query.artifact_type);
            let answer = answer::bytes(StatusCode::OK, media_type::OCI_INDEX, referrers::list(listed));
            if query.artifact_type.is_some() { answer::with_filter(answer, "artifactType") } else { answer }
        };
        tokio::task::spawn_blocking(list).await.unwrap_or_else(|_| answer::fault(&Fault::Changed))
    }

    /// Says which bundle would hold a manifest that an index names.
    fn absent(&self, digest: Digest, child: Option<&Descriptor>) -> String {
        let platform = child.and_then(|child| child.platform.as_ref());
        let Some(about) = self.set.bundles().first().map(|opened| &opened.about) else { return String::new() };
        let architectures = &about.lock.bundle.architectures;
        let fits = |arch: &&Arch| platform.is_some_and(|platform| platform.fitness(**arch).is_some());
        let of = format!("the bundle {} {}", about.name, about.version);
        match (Arch::ALL.iter().find(fits), platform) {
            (Some(arch), _) if architectures.contains(arch) => {
                format!("{digest} is for linux/{arch}, which is not served: {of} for {arch} holds it; serve it too")
            }
            (_, Some(platform)) if platform.os != "unknown" => {
                let made: Vec<_> = architectures.iter().map(|arch| arch.as_str()).collect();
                let name = format!("{}/{}", platform.os, platform.architecture);
                format!(
                    "{digest} is for {}, and {of} is made for linux/{} only",
                    short(&name),
                    made.join(" and linux/")
                )
            }
            _ => format!("{digest} is in none of the bundles: it is no image, such as a statement about its build"),
        }
    }

    fn bad_manifest(&self, error: &set::Error) -> Answer {
        match error {
            set::Error::Damaged { member, .. } => {
                let digest = member.strip_prefix(model::BLOBS).and_then(|hex| Digest::from_hex(hex).ok());
                let blob = digest.and_then(|digest| Some((digest, self.set.blob(digest)?)));
                if let Some((digest, blob)) = blob
                    && let Ok(stamp) = trust::stamp(&self.set, blob)
                {
                    self.judge(Content { blob, digest }, stamp, false);
                }
                answer::fault(&Fault::Damaged)
            }
            set::Error::Read(_) => {
                answer::error(StatusCode::INTERNAL_SERVER_ERROR, Code::Unavailable, error.to_string())
            }
            set::Error::Manifest { .. } | set::Error::Contradiction { .. } | set::Error::Unknown { .. } => {
                answer::error(StatusCode::INTERNAL_SERVER_ERROR, Code::ManifestInvalid, error.to_string())
            }
        }
    }

    pub(super) async fn blob(self: &Arc<Self>, name: &str, ns: Option<&str>, wanted: &str, asked: &Asked) -> Answer {
        let unknown = || answer::error(StatusCode::NOT_FOUND, Code::BlobUnknown, format!("no blob {}", short(wanted)));
        let digest = match wanted.parse::<Digest>() {
            Ok(digest) => digest,
            Err(_) if other_algorithm(wanted) => return unknown(),
            Err(error) => return answer::error(StatusCode::BAD_REQUEST, Code::DigestInvalid, error.to_string()),
        };
        if let (Some(chart), None) = (name.strip_prefix(CHARTS), ns) {
            let charts = self.charts().await;
            if let Some(chart) = charts.versions(chart).find(|chart| chart.content.digest == digest) {
                return self.content(chart.content, OCTETS, asked).await;
            }
            if let Some(document) = charts.document(digest).filter(|_| charts.versions(chart).next().is_some()) {
                return answer::document(OCTETS, digest, document.clone());
            }
        }
        if let Err(unnamed) = self.names.find(name, ns) {
            return unknown_name(name, &unnamed);
        }
        match self.set.blob(digest) {
            Some(blob) => self.content(Content { blob, digest }, OCTETS, asked).await,
            None => unknown(),
        }
    }
}

fn unknown_name(name: &str, unnamed: &Unnamed) -> Answer {
    let name = short(name);
    match unnamed {
        Unnamed::Ambiguous(registries) => {
            let message = format!(
                "`{name}` is a repository of {}: ask with `?ns={}` or for `{}/{name}`",
                registries.join(" and "),
                registries[0],
                registries[0]
            );
            answer::error(StatusCode::NOT_FOUND, Code::NameUnknown, message)
        }
        Unnamed::Unknown => {
            let message = format!("no bundle has a repository `{name}`; `/v2/_catalog` lists them");
            answer::error(StatusCode::NOT_FOUND, Code::NameUnknown, message)
        }
    }
}

/// The tags of a repository for a message.
fn tags(repository: &Repository) -> String {
    const SHOWN: usize = 5;
    let tags: Vec<_> = repository.tags.keys().take(SHOWN).map(String::as_str).collect();
    match (tags.is_empty(), repository.tags.len() > SHOWN) {
        (true, _) => "it is there by digest only".to_owned(),
        (false, true) => format!("it has {} and others", tags.join(", ")),
        (false, false) => format!("it has {}", tags.join(", ")),
    }
}

/// Whether a text is a digest of another algorithm (OCI image-spec v1.1, descriptor.md, "Digests").
fn other_algorithm(text: &str) -> bool {
    let Some((algorithm, encoded)) = text.split_once(':') else { return false };
    let word = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    algorithm != "sha256"
        && algorithm.split(['+', '.', '_', '-']).all(|part| !part.is_empty() && part.bytes().all(word))
        && !encoded.is_empty()
        && encoded.bytes().all(|c| c.is_ascii_alphanumeric() || b"=_-".contains(&c))
}

/// The beginning of what a client sent, for a message.
pub(super) fn short(text: &str) -> String {
    text.chars().take(100).collect()
}
