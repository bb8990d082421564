//! GitHub: tags through git, which is not counted, and releases and commits through the REST API, which is.
//!
//! The API lets 60 requests an hour through without a token. So a release is asked for by its tag, one at a time,
//! kept on disk, and asked for again only when something could have changed.

mod about;
mod repository;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use jiff::{SignedDuration, Timestamp};
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::service::middleware::extra_headers::ExtraHeadersLayer;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use serde::{Deserialize, Serialize};
use url::Url;

pub use about::About;
pub use repository::{NotRepository, Repository};

use self::repository::renamed;
use super::Http;
use super::git::{self, Tags};
use super::kept::Kept;
use super::once::Once;
use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::Digest;

/// How long an answer is used without asking again where asking costs: a release can be withdrawn, or get its
/// pre-release flag, without any change of a tag.
const TRUSTED: SignedDuration = SignedDuration::from_hours(24);

/// The same for a repository: a few days more or less do not matter for what is archived.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A release, with what we ask of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its tag.
    pub tag_name: String,
    /// Not published yet.
    #[serde(default)]
    pub draft: bool,
    /// Marked as a pre-release.
    #[serde(default)]
    pub prerelease: bool,
    /// When it was published; a draft has none.
    #[serde(default)]
    pub published_at: Option<Timestamp>,
    /// Its files.
    #[serde(default)]
    pub assets: Vec<Asset>,
}

/// A file of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Its name.
    pub name: String,
    /// Where it is downloaded.
    pub browser_download_url: String,
    /// Its size in bytes.
    pub size: u64,
    /// `sha256:…`, which GitHub computes at the upload; older assets have none.
    #[serde(default)]
    pub digest: Option<String>,
}

impl Asset {
    /// Its digest, when GitHub has a sha256 of it.
    #[must_use]
    pub fn sha256(&self) -> Option<Digest> {
        self.digest.as_deref()?.parse().ok()
    }
}

/// The tags of a repository with one prefix.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The tags by name.
    pub tags: Arc<Tags>,
    /// When a tag was seen to name another commit than before, by the tag.
    pub moved: Arc<std::collections::BTreeMap<String, Timestamp>>,
    /// A digest over all of them: the same while nothing changed.
    pub fingerprint: Digest,
    /// What the repository is called now, when that is not what was asked for.
    pub renamed: Option<Repository>,
}

/// Why GitHub gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tags could not be listed.
    #[error(transparent)]
    Tags(#[from] git::Error),
    /// The request failed.
    #[error("cannot ask GitHub for {what}")]
    Request {
        /// What was asked for.
        what: String,
        /// Why.
        source: Box<super::Error>,
    },
    /// Another answer than a success.
    #[error("GitHub answered {status} for {what}{}", if message.is_empty() { String::new() } else { format!(": {message}") })]
    Status {
        /// What was asked for.
        what: String,
        /// The status.
        status: StatusCode,
        /// What GitHub says about it.
        message: String,
    },
    /// An answer that cannot be read.
    #[error("cannot read GitHub's answer for {what}: {problem}")]
    Answer {
        /// What was asked for.
        what: String,
        /// What is wrong.
        problem: String,
    },
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Tags(git::Error::Request { source, .. }) | Self::Request { source, .. } => source.exit(),
            _ => Exit::Source,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            // GitHub says 401 for what is not there, as for what is not public.
            Self::Tags(git::Error::Request { source, .. })
                if source.status().is_some_and(|status| matches!(status.as_u16(), 401 | 404)) =>
            {
                Some("check that the repository of `source.github` exists and is public".to_owned())
            }
            Self::Tags(git::Error::Request { source, .. }) | Self::Request { source, .. } => source.hint(),
            Self::Tags(_) | Self::Status { .. } => {
                Some("check `source.github` and, for another server, `GITHUB_API_URL`".to_owned())
            }
            Self::Answer { .. } => None,
        }
    }
}

/// A GitHub server.
pub struct GitHub {
    http: Http,
    crab: Octocrab,
    /// Where its repositories are: `https://github.com`.
    web: Url,
    token: bool,
    kept: Kept,
    now: Timestamp,
    offline: bool,
    asked: Arc<AtomicU64>,
    listings: Once<Listing>,
    releases: Once<Option<Arc<Release>>>,
    commits: Once<Timestamp>,
}

/// A kept answer about a release or a commit; `answer` is none where GitHub said 404.
#[derive(Debug, Serialize, Deserialize)]
struct KeptAnswer {
    asked: Timestamp,
    /// What the tags were like at that time.
    fingerprint: Digest,
    answer: Option<serde_json::Value>,
}

/// The kept tags of a repository.
#[derive(Debug, Default, Serialize, Deserialize)]
struct KeptTags {
    tags: Tags,
    #[serde(default)]
    moved: std::collections::BTreeMap<String, Timestamp>,
}

impl KeptTags {
    /// The tags as they are now, and when those that were here already and name another commit were seen to.
    fn update(self, tags: Tags, now: Timestamp) -> Self {
        let moved = tags
            .iter()
            .filter_map(|(name, tag)| {
                let before = self.tags.get(name)?;
                let at = if before.commit() == tag.commit() { *self.moved.get(name)? } else { now };
                Some((name.clone(), at))
            })
            .collect();
        Self { tags, moved }
    }
}

impl GitHub {
    /// Prepares a client of the server that `http` knows; must be called within a Tokio runtime.
    ///
    /// `now` is the time of this run. Answers are kept in `cache_dir`; `offline`, these have to do.
    pub fn new(http: Http, cache_dir: Option<PathBuf>, now: Timestamp, offline: bool) -> Result<Self, Error> {
        let api = http.github_api().clone();
        let base: http::Uri = api
            .as_str()
            .trim_end_matches('/')
            .parse()
            .map_err(|_| Error::Answer { what: "anything".to_owned(), problem: format!("`{api}` is no base URL") })?;
        let headers = vec![
            (header::ACCEPT, HeaderValue::from_static("application/vnd.github+json")),
            (header::HeaderName::from_static("x-github-api-version"), HeaderValue::from_static("2022-11-28")),
        ];
        let asked = Arc::new(AtomicU64::new(0));
        let (client, counter) = (http.clone(), Arc::clone(&asked));
        let service = tower::service_fn(move |request: http::Request<octocrab::OctoBody>| {
            let (http, counter) = (client.clone(), Arc::clone(&counter));
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await?.to_bytes();
                counter.fetch_add(1, Ordering::Relaxed);
                let response = http.execute(http::Request::from_parts(parts, body)).await?;
                Ok::<_, tower::BoxError>(response.map(Full::<Bytes>::new))
            }
        });
        let built = OctocrabBuilder::new_empty()
            .with_service(service)
            .with_layer(&BaseUriLayer::new(base))
            .with_layer(&ExtraHeadersLayer::new(Arc::new(headers)))
            .with_auth(AuthState::None)
            .build();
        let crab = match built {
            Ok(crab) => crab,
            Err(never) => match never {},
        };
        Ok(Self {
            web: web(&api),
            token: http.has_github_token(),
            http,
            crab,
            kept: Kept::new(cache_dir.map(|dir| dir.join("github"))),
            now,
            offline,
            asked,
            listings: Once::default(),
            releases: Once::default(),
            commits: Once::default(),
        })
    }

    /// How many requests that GitHub may count were sent.
    #[must_use]
    pub fn counted(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Where a repository is on the web, and for git.
    #[must_use]
    pub fn url(&self, repository: &Repository) -> Url {
        let mut url = self.web.clone();
        url.set_path(&format!("{}/{repository}", self.web.path().trim_end_matches('/')));
        url
    }

    /// The repository and the tag that a release's download URL on this server names.
    #[must_use]
    pub fn release_of(&self, download: &str) -> Option<(Repository, String)> {
        let path = download.strip_prefix(self.web.as_str().trim_end_matches('/'))?.strip_prefix('/')?;
        let mut parts = path.split('/');
        let repository = format!("{}/{}", parts.next()?, parts.next()?).parse().ok()?;
        if (parts.next()?, parts.next()?) != ("releases", "download") {
            return None;
        }
        let tag = percent_encoding::percent_decode_str(parts.next()?).decode_utf8().ok()?.into_owned();
        parts.next().map(|_| (repository, tag))
    }

    /// The tags whose names begin with `prefix`. Not counted by GitHub.
    pub async fn tags(&self, repository: &Repository, prefix: &str) -> Result<Listing, Error> {
        self.listings.get(&format!("{repository} {prefix}"), self.ask_tags(repository, prefix)).await
    }

    async fn ask_tags(&self, repository: &Repository, prefix: &str) -> Result<Listing, Error> {
        let url = self.url(repository);
        let question = format!("{url} tags {prefix}");
        let kept: Option<KeptTags> = self.kept.read(&question);
        let (kept, renamed) = match git::tags(&self.http, &url, prefix).await {
            Ok(listing) => {
                let kept = kept.unwrap_or_default().update(listing.tags, self.now);
                self.kept.write(&question, &kept);
                (kept, renamed(repository, &listing.url))
            }
            Err(error) => match kept {
                Some(kept) if self.offline => (kept, None),
                _ => return Err(error.into()),
            },
        };
        let text: String = kept.tags.iter().map(|(name, tag)| format!("{} {name}\n", tag.id)).collect();
        Ok(Listing {
            fingerprint: Digest::of(text.as_bytes()),
            tags: Arc::new(kept.tags),
            moved: Arc::new(kept.moved),
            renamed,
        })
    }

    /// The release of a tag, if it has one. `fingerprint` is the tags' of now.
    pub async fn release(
        &self,
        repository: &Repository,
        tag: &str,
        fingerprint: Digest,
    ) -> Result<Option<Arc<Release>>, Error> {
        let what = format!("the release `{tag}` of {repository}");
        let encoded = percent_encoding::utf8_percent_encode(tag, PATH);
        let route = format!("/repos/{repository}/releases/tags/{encoded}");
        let ask = async {
            let answer = self.ask(&what, &route, Freshness::While(fingerprint)).await?;
            answer.map(|value| parse(&what, value).map(Arc::new)).transpose()
        };
        self.releases.get(&route, ask).await
    }

    /// When a commit was made.
    pub async fn commit_date(&self, repository: &Repository, commit: &str) -> Result<Timestamp, Error> {
        #[derive(Deserialize)]
        struct Commit {
            committer: Committer,
        }
        #[derive(Deserialize)]
        struct Committer {
            date: Timestamp,
        }
        let what = format!("the commit {commit:.12} of {repository}");
        let route = format!("/repos/{repository}/git/commits/{commit}");
        let ask = async {
            let answer = self.ask(&what, &route, Freshness::Forever).await?;
            let value = answer.ok_or_else(|| Error::Status {
                what: what.clone(),
                status: StatusCode::NOT_FOUND,
                message: String::new(),
            })?;
            Ok(parse::<Commit>(&what, value)?.committer.date)
        };
        self.commits.get(&route, ask).await
    }

    /// Asks the API, or takes the kept answer where that is as good. None where GitHub says 404.
    async fn ask(&self, what: &str, route: &str, freshness: Freshness) -> Result<Option<serde_json::Value>, Error> {
        let question = format!("{} {route}", self.web);
        let kept: Option<KeptAnswer> = self.kept.read(&question);
        if let Some(kept) = &kept
            && (self.offline || self.is_fresh(kept, freshness))
        {
            return Ok(kept.answer.clone());
        }
        // Our client makes the request conditional and answers a 304 with the bytes of then.
        let response = self.crab._get(route).await.map_err(|error| failed(what, error))?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| failed(what, error))?.to_bytes();
        let answer = match parts.status {
            StatusCode::NOT_FOUND => None,
            status if status.is_success() => {
                let value = serde_json::from_slice(&body)
                    .map_err(|e| Error::Answer { what: what.to_owned(), problem: e.to_string() })?;
                Some(value)
            }
            status => return Err(refused(what, status, &body)),
        };
        let fingerprint = match freshness {
            Freshness::While(fingerprint) => fingerprint,
            Freshness::Forever | Freshness::Week => Digest::of(b""),
        };
        let kept = KeptAnswer { asked: self.now, fingerprint, answer };
        self.kept.write(&question, &kept);
        Ok(kept.answer)
    }

    /// Whether a kept answer does without asking.
    fn is_fresh(&self, kept: &KeptAnswer, freshness: Freshness) -> bool {
        match freshness {
            Freshness::Forever => kept.answer.is_some(),
            // With a token an unchanged answer is not counted, so the question costs nothing.
            Freshness::While(_) | Freshness::Week if self.token => false,
            Freshness::Week => {
                let age = self.now.duration_since(kept.asked);
                age < WEEK && age >= SignedDuration::ZERO
            }
            Freshness::While(fingerprint) => {
                let age = self.now.duration_since(kept.asked);
                kept.fingerprint == fingerprint && age < TRUSTED && age >= SignedDuration::ZERO
            }
        }
    }
}

fn refused(what: &str, status: StatusCode, body: &[u8]) -> Error {
    #[derive(Deserialize)]
    struct Message {
        message: String,
    }
    let message = serde_json::from_slice::<Message>(body).map(|m| m.message).unwrap_or_default();
    let message = message.chars().filter(|c| !c.is_control()).take(200).collect();
    Error::Status { what: what.to_owned(), status, message }
}

/// How long an answer stays true.
#[derive(Clone, Copy)]
enum Freshness {
    /// A commit never changes.
    Forever,
    /// What a repository is like hardly ever does.
    Week,
    /// A release rarely does while the tags stay the same.
    While(Digest),
}

/// What has to be encoded in one part of a URL's path.
const PATH: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where a server's repositories are, from where its API is.
fn web(api: &Url) -> Url {
    let mut web = api.clone();
    let path = api.path().trim_end_matches('/');
    web.set_path(path.strip_suffix("/api/v3").unwrap_or(path));
    if let Some(host) = api.host_str().and_then(|host| host.strip_prefix("api."))
        && path.is_empty()
    {
        // A host that was part of a valid host stays valid; if not, the API's own is kept.
        let _ = web.set_host(Some(host));
    }
    web
}

fn parse<T: serde::de::DeserializeOwned>(what: &str, value: serde_json::Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|e| Error::Answer { what: what.to_owned(), problem: e.to_string() })
}

/// Takes our own error out of octocrab's, so that its kind is not lost.
fn failed(what: &str, error: octocrab::Error) -> Error {
    let what = what.to_owned();
    match error {
        octocrab::Error::Service { source, .. } => match source.downcast::<super::Error>() {
            Ok(source) => Error::Request { what, source },
            Err(other) => Error::Answer { what, problem: other.to_string() },
        },
        other => Error::Answer { what, problem: other.to_string() },
    }
}

#[cfg(test)]
mod tests;
