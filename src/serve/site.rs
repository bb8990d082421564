//! What is served: the bundles as one, their names, what is known to be good, and the answer to each request.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use bytes::Bytes;
use http::header::{self, HeaderMap};
use http::{Method, Response, StatusCode};
use serde_json::json;
use tokio::sync::{OnceCell, Semaphore};

use super::answer::{self, Answer, Code};
use super::auth::Htpasswd;
use super::body::{HELD, Payload, Stream};
use super::charts::{CHARTS, Charts};
use super::names::{self, Names, Repository, Unnamed};
use super::page;
use super::range::{self, Wanted};
use super::route::{Query, Route};
use super::trust::{self, Content, Fault, Stamp, Trust};
use super::{Log, Notice};
use crate::bundle::set::{self, Set};
use crate::bundle::{model, sums};
use crate::oci::manifest::{Descriptor, Manifest, View};
use crate::oci::{Arch, Digest, media_type};

/// How many blobs are hashed at once before their first range is answered: the disk is the limit, not the cores.
const HASHING: usize = 2;
/// How many pieces are read at once: enough to keep a disk busy, and threads are memory.
const READING: usize = 8;
/// Bytes of which nothing more is said.
const OCTETS: &str = "application/octet-stream";

/// The part of a request that the answer depends on.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) headers: HeaderMap,
}

impl Asked {
    fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What is served.
pub(super) struct Site {
    pub(super) set: Set,
    pub(super) names: Names,
    pub(super) log: Arc<dyn Log>,
    /// How many blobs are on their way.
    pub(super) active: AtomicUsize,
    /// Permits to read a piece.
    pub(super) reading: Semaphore,
    /// `https` or `http`.
    pub(super) scheme: &'static str,
    users: Option<Arc<Htpasswd>>,
    trust: Trust,
    hashing: Semaphore,
    charts: OnceCell<Charts>,
    sums: OnceCell<HashMap<(usize, usize), Digest>>,
}

impl Site {
    pub(super) fn new(set: Set, users: Option<Htpasswd>, scheme: &'static str, log: Arc<dyn Log>) -> Self {
        Self {
            names: Names::of(&set),
            set,
            log,
            active: AtomicUsize::new(0),
            reading: Semaphore::new(READING),
            scheme,
            users: users.map(Arc::new),
            trust: Trust::default(),
            hashing: Semaphore::new(HASHING),
            charts: OnceCell::new(),
            sums: OnceCell::new(),
        }
    }

    /// How often something turned out to be damaged.
    pub(super) fn damaged(&self) -> usize {
        self.trust.damaged()
    }

    /// Whether a user and a password are wanted.
    pub(super) const fn wants_password(&self) -> bool {
        self.users.is_some()
    }

    /// Remembers whether bytes are good, and tells about those that are not.
    pub(super) fn judge(&self, content: Content, stamp: Stamp, good: bool) {
        if self.trust.record(content.blob, stamp, good) {
            let bundle = &self.set.bundles()[content.blob.bundle].bundle;
            self.log
                .notice(Notice::Damaged { bundle: bundle.path(), member: &bundle.members()[content.blob.member].path });
        }
    }

    /// Answers one request.
    pub(super) async fn answer(self: &Arc<Self>, asked: &Asked) -> Answer {
        if let Some(users) = &self.users
            && !users.allows(asked.header(header::AUTHORIZATION)).await
        {
            return answer::of_registry(answer::unauthorized());
        }
        let route = Route::parse(&asked.path);
        let registry = route.as_ref().is_some_and(Route::is_registry);
        let answer = if asked.method == Method::GET || asked.method == Method::HEAD {
            match route {
                Some(route) => self.route(route, asked).await,
                None => answer::error(StatusCode::BAD_REQUEST, Code::NameInvalid, "the path is no UTF-8"),
            }
        } else {
            answer::read_only()
        };
        if registry { answer::of_registry(answer) } else { answer }
    }

    async fn route(self: &Arc<Self>, route: Route, asked: &Asked) -> Answer {
        let query = Query::parse(asked.query.as_deref());
        let ns = query.ns.as_deref();
        match route {
            Route::Page => page::answer(self, self.charts().await, asked, &query),
            Route::Version => answer::json("application/json", &json!({})),
            Route::Catalog => self.catalog(&query).await,
            Route::Manifest { name, reference } => self.manifest(name, query.ns, reference).await,
            Route::Blob { name, digest } => self.blob(&name, ns, &digest, asked).await,
            Route::Tags { name } => self.tags(&name, &query).await,
            Route::Referrers { digest, .. } => referrers(&digest, &query),
            Route::Index => answer::bytes(StatusCode::OK, "application/yaml", self.charts().await.index()),
            Route::Shipped(path) => self.shipped(&path, asked).await,
            Route::Unknown { registry: true } => {
                answer::error(StatusCode::NOT_FOUND, Code::Unsupported, "the registry has no such endpoint")
            }
            Route::Unknown { registry: false } => {
                answer::error(StatusCode::NOT_FOUND, Code::NotFound, "nothing is here; `/` lists what is inside")
            }
        }
    }

    /// The charts, which are read when they are asked for the first time.
    async fn charts(self: &Arc<Self>) -> &Charts {
        let read = async || {
            let site = self.clone();
            let read = move || {
                Charts::read(&site.set, |path, content, error| {
                    if let (super::charts::Unlisted::Fault(Fault::Damaged), Ok(stamp)) =
                        (&error, trust::stamp(&site.set, content.blob))
                    {
                        site.judge(content, stamp, false);
                    }
                    site.log.notice(Notice::Chart { path, error: &error });
                })
            };
            tokio::task::spawn_blocking(read).await.unwrap_or_default()
        };
        self.charts.get_or_init(read).await
    }

    async fn catalog(self: &Arc<Self>, query: &Query) -> Answer {
        let mut names = self.names.list(query.ns.as_deref());
        if query.ns.is_none() {
            names.extend(self.charts().await.iter().map(|chart| format!("{CHARTS}{}", chart.name)));
        }
        self.list(names.iter().map(String::as_str), query, "/v2/_catalog", |page| json!({"repositories": page}))
    }

    async fn tags(self: &Arc<Self>, name: &str, query: &Query) -> Answer {
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

    async fn manifest(self: &Arc<Self>, name: String, ns: Option<String>, wanted: String) -> Answer {
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
            Ok(_) if repository.roots.contains(&digest) => None,
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
        if repository.roots.contains(&digest) {
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

    async fn blob(self: &Arc<Self>, name: &str, ns: Option<&str>, wanted: &str, asked: &Asked) -> Answer {
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

    async fn shipped(self: &Arc<Self>, path: &str, asked: &Asked) -> Answer {
        let Some(shipped) = self.set.shipped().get(path) else {
            return answer::error(StatusCode::NOT_FOUND, Code::NotFound, format!("no bundle has `{}`", short(path)));
        };
        let blob = shipped.blob;
        let digest = match shipped.digest {
            Some(digest) => Some(digest),
            None => self.sums().await.get(&(blob.bundle, blob.member)).copied(),
        };
        // Without a digest nobody could say whether it is good.
        let Some(digest) = digest else { return answer::fault(&Fault::Damaged) };
        let media_type = if path.ends_with(".tgz") { "application/gzip" } else { OCTETS };
        self.content(Content { blob, digest }, media_type, asked).await
    }

    /// The digests of all members, from the bundles' `SHA256SUMS`.
    async fn sums(self: &Arc<Self>) -> &HashMap<(usize, usize), Digest> {
        let read = async || {
            let site = self.clone();
            tokio::task::spawn_blocking(move || read_sums(&site.set)).await.unwrap_or_default()
        };
        self.sums.get_or_init(read).await
    }

    /// Bytes of a bundle, or the part of them that is asked for.
    async fn content(self: &Arc<Self>, content: Content, media_type: &str, asked: &Asked) -> Answer {
        let size = content.blob.size;
        let stamp = match trust::stamp(&self.set, content.blob) {
            Ok(stamp) => stamp,
            Err(fault) => return answer::fault(&fault),
        };
        if self.trust.verdict(content.blob, stamp) == Some(false) {
            return answer::fault(&Fault::Damaged);
        }
        let mut headers = HeaderMap::new();
        answer::put(&mut headers, header::CONTENT_TYPE, media_type);
        answer::put(&mut headers, header::ACCEPT_RANGES, "bytes");
        headers.insert(header::CONTENT_LENGTH, size.into());
        let finish = |status, payload, headers| {
            let mut answer = Response::new(payload);
            (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
            answer::with_digest(answer, content.digest)
        };
        if asked.method == Method::HEAD {
            return finish(StatusCode::OK, Payload::empty(), headers);
        }
        // Other bytes than the client has the beginning of: all of them (RFC 9110 §13.1.5).
        let same = asked.header(header::IF_RANGE).is_none_or(|tag| tag == answer::etag(content.digest));
        match range::parse(asked.header(header::RANGE).filter(|_| same), size) {
            Wanted::Whole if size <= HELD => match self.small(content, stamp).await {
                Ok(bytes) => finish(StatusCode::OK, Payload::Memory(bytes), headers),
                Err(fault) => answer::fault(&fault),
            },
            Wanted::Whole => {
                let stream = Stream::whole(self, content, stamp);
                finish(StatusCode::OK, Payload::Stream(stream), headers)
            }
            Wanted::Part(range) => {
                if let Err(fault) = self.ensure(content, stamp).await {
                    return answer::fault(&fault);
                }
                let place = format!("bytes {}-{}/{size}", range.start, range.end - 1);
                answer::put(&mut headers, header::CONTENT_RANGE, &place);
                headers.insert(header::CONTENT_LENGTH, (range.end - range.start).into());
                let stream = Stream::part(self, content, stamp, range);
                finish(StatusCode::PARTIAL_CONTENT, Payload::Stream(stream), headers)
            }
            Wanted::Unsatisfiable => {
                let place = format!("bytes */{size}");
                headers.insert(header::CONTENT_LENGTH, 0_u64.into());
                answer::put(&mut headers, header::CONTENT_RANGE, &place);
                finish(StatusCode::RANGE_NOT_SATISFIABLE, Payload::empty(), headers)
            }
        }
    }

    /// All of a small blob, which is checked before anything is said of it.
    async fn small(self: &Arc<Self>, content: Content, stamp: Stamp) -> Result<Bytes, Fault> {
        let site = self.clone();
        let read = move || {
            let mut bytes = vec![0; usize::try_from(content.blob.size).unwrap_or_default()];
            let read = trust::read_at(&site.set, content.blob, 0, &mut bytes);
            let good = match &read {
                Ok(()) => Digest::of(&bytes) == content.digest,
                Err(Fault::Damaged) => false,
                Err(fault) => return Err(fault.clone()),
            };
            site.judge(content, stamp, good);
            if good { Ok(bytes.into()) } else { Err(Fault::Damaged) }
        };
        tokio::task::spawn_blocking(read).await.unwrap_or(Err(Fault::Changed))
    }

    /// Hashes a blob unless that was done before; of many clients one does it.
    async fn ensure(self: &Arc<Self>, content: Content, stamp: Stamp) -> Result<(), Fault> {
        let verdict = |site: &Self| match site.trust.verdict(content.blob, stamp) {
            Some(true) => Some(Ok(())),
            Some(false) => Some(Err(Fault::Damaged)),
            None => None,
        };
        if let Some(verdict) = verdict(self) {
            return verdict;
        }
        let turn = self.trust.turn(content.blob);
        let _mine = turn.lock().await;
        if let Some(verdict) = verdict(self) {
            return verdict;
        }
        let Ok(_permit) = self.hashing.acquire().await else { return Err(Fault::Changed) };
        let site = self.clone();
        // It goes on when the client goes away: the next one needs the verdict too.
        let hash = move || {
            let good = trust::hash(&site.set, content)?;
            if trust::stamp(&site.set, content.blob)? != stamp {
                return Err(Fault::Changed);
            }
            site.judge(content, stamp, good);
            Ok(good)
        };
        match tokio::task::spawn_blocking(hash).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(Fault::Damaged),
            Ok(Err(fault)) => Err(fault),
            Err(_) => Err(Fault::Changed),
        }
    }
}

/// The digests in the lists of a set's bundles; a list that is damaged gives none.
fn read_sums(set: &Set) -> HashMap<(usize, usize), Digest> {
    let mut digests = HashMap::new();
    for (index, opened) in set.bundles().iter().enumerate() {
        let text = opened.bundle.read(model::SUMS, sums::MAX_SIZE).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(text) = text else { continue };
        let lines = sums::parse(&text).unwrap_or_default();
        digests
            .extend(lines.into_iter().filter_map(|(path, digest)| Some(((index, opened.bundle.find(path)?), digest))));
    }
    digests
}

/// No bundle carries anything that refers to an image, and the specification wants that said with an empty index.
fn referrers(digest: &str, query: &Query) -> Answer {
    if digest.parse::<Digest>().is_err() && !other_algorithm(digest) {
        let message = format!("`{}` is no digest", short(digest));
        return answer::error(StatusCode::BAD_REQUEST, Code::DigestInvalid, message);
    }
    let index = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": []});
    let answer = answer::json(media_type::OCI_INDEX, &index);
    if query.artifact_type.is_some() { answer::with_filter(answer, "artifactType") } else { answer }
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
fn short(text: &str) -> String {
    text.chars().take(100).collect()
}
