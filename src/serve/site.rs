//! What is served: the bundles as one, their names, what is known to be good, and the answer to each request.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use http::header::{self, HeaderMap};
use http::{Method, StatusCode};
use serde_json::json;
use tokio::sync::{OnceCell, Semaphore};

use super::answer::{self, Answer, Code};
use super::auth::Htpasswd;
use super::body::Spare;
use super::charts::{self, Charts};
use super::documents::{self, Documents};
use super::names::Names;
use super::page;
use super::registry::short;
use super::route::{Query, Route};
use super::trust::{self, Content, Fault, Stamp, Trust};
use super::{Log, Notice};
use crate::bundle::set::Set;

/// How many blobs are hashed at once before their first range is answered: the disk is the limit, not the cores.
const HASHING: usize = 2;
/// How many pieces are read at once: enough to keep a disk busy, and threads are memory.
const READING: usize = 8;
/// Bytes of which nothing more is said.
pub(super) const OCTETS: &str = "application/octet-stream";

/// The part of a request that the answer depends on.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) headers: HeaderMap,
}

impl Asked {
    pub(super) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What is served.
pub(super) struct Site {
    pub(super) set: Set,
    pub(super) names: Names,
    pub(super) log: Arc<dyn Log>,
    /// How many bytes of blobs are in memory on their way.
    pub(super) held: AtomicU64,
    /// Permits to read a piece.
    pub(super) reading: Arc<Semaphore>,
    /// Memory of pieces that were sent.
    pub(super) spare: Spare,
    /// `https` or `http`.
    pub(super) scheme: &'static str,
    users: Option<Arc<Htpasswd>>,
    pub(super) trust: Trust,
    /// Permits to hash a blob.
    pub(super) hashing: Semaphore,
    charts: OnceCell<Charts>,
    documents: OnceCell<Documents>,
}

impl Site {
    pub(super) fn new(set: Set, users: Option<Htpasswd>, scheme: &'static str, log: Arc<dyn Log>) -> Self {
        Self {
            names: Names::of(&set),
            set,
            log,
            held: AtomicU64::new(0),
            reading: Arc::new(Semaphore::new(READING)),
            spare: Spare::default(),
            scheme,
            users: users.map(Arc::new),
            trust: Trust::default(),
            hashing: Semaphore::new(HASHING),
            charts: OnceCell::new(),
            documents: OnceCell::new(),
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
                Some(route) => {
                    answer::unless_known(self.route(route, asked).await, asked.header(header::IF_NONE_MATCH))
                }
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
            Route::Page => page::answer(self, self.charts().await, self.documents().await, asked, &query),
            Route::Version => answer::json("application/json", &json!({})),
            Route::Catalog => self.catalog(&query).await,
            Route::Manifest { name, reference } => self.manifest(name, query.ns, reference).await,
            Route::Blob { name, digest } => self.blob(&name, ns, &digest, asked).await,
            Route::Tags { name } => self.tags(&name, &query).await,
            Route::Referrers { name, digest } => self.referrers(name, digest, query).await,
            Route::Index => answer::bytes(StatusCode::OK, "application/yaml", self.charts().await.index()),
            Route::Named(path) => self.named(&path, asked).await,
            Route::Unknown => {
                answer::error(StatusCode::NOT_FOUND, Code::Unsupported, "the registry has no such endpoint")
            }
        }
    }

    /// The charts, which are read when they are asked for the first time.
    pub(super) async fn charts(self: &Arc<Self>) -> &Charts {
        let read = async || {
            let site = self.clone();
            let read = move || {
                Charts::read(&site.set, |path, content, error| {
                    if let (charts::Unlisted::Fault(Fault::Damaged), Ok(stamp)) =
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

    async fn named(self: &Arc<Self>, path: &str, asked: &Asked) -> Answer {
        let (blob, digest) = match self.set.shipped().get(path) {
            Some(shipped) if shipped.digest.is_some() => (shipped.blob, shipped.digest),
            Some(shipped) => (shipped.blob, self.documents().await.sum(shipped.blob)),
            None => match self.documents().await.get(path) {
                Some(document) => (document.blob, document.digest),
                None => {
                    let message = format!("no bundle has `{}`; `/` lists what is inside", short(path));
                    return answer::error(StatusCode::NOT_FOUND, Code::NotFound, message);
                }
            },
        };
        // Without a digest nobody could say whether it is good.
        let Some(digest) = digest else { return answer::fault(&Fault::Damaged) };
        self.content(Content { blob, digest }, documents::media_type(path), asked).await
    }

    /// The documents and the checksums, which are read when they are asked for the first time.
    async fn documents(self: &Arc<Self>) -> &Documents {
        let read = async || {
            let site = self.clone();
            tokio::task::spawn_blocking(move || Documents::read(&site.set)).await.unwrap_or_default()
        };
        self.documents.get_or_init(read).await
    }
}
