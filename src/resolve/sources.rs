//! The sources of one run: the clients, and what is asked once for all components.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use url::Url;

use super::Failure;
use super::choice::Age;
use crate::oci::manifest::View;
use crate::oci::{Arch, Digest, Reference, media_type};
use crate::source::kept::Kept;
use crate::source::once::Once;
use crate::source::{self, Get, Http, Registry, github::GitHub, helm};

/// The largest image or chart configuration that is read, 1 MiB: those of images with long histories have 100 KiB.
pub(super) const MAX_CONFIG: u64 = 1 << 20;

/// How long bytes wait that took the place of others.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// The moment of the choice.
    pub(super) as_of: Timestamp,
    /// How old they must be.
    pub(super) min_age: Age,
}

impl Patience {
    /// Whether what has been as it is `since` then is old enough.
    pub(super) fn is_over(self, since: Timestamp) -> bool {
        self.min_age.is_zero() || self.as_of.duration_since(since) >= self.min_age.duration()
    }
}

/// What a chart in a registry says about itself, as far as the choice needs it: its configuration is its `Chart.yaml` as
/// JSON (Helm, "Use OCI-based registries").
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AboutChart {
    /// The range of Kubernetes versions that it wants.
    pub(super) kube_version: Option<String>,
    /// Whether upstream gave it up.
    pub(super) deprecated: Option<bool>,
}

/// The clients of one run.
pub(super) struct Sources {
    pub(super) http: Http,
    pub(super) registry: Registry,
    pub(super) github: GitHub,
    /// What was learned about bytes with a digest, and what offline runs need.
    pub(super) kept: Kept,
    /// The directory for archives that are kept by digest, and for temporary files.
    pub(super) directory: PathBuf,
    pub(super) offline: bool,
    pub(super) now: Timestamp,
    documents: Once<Bytes>,
    tags: Once<Arc<Vec<String>>>,
}

impl Sources {
    pub(super) fn new(
        http: Http,
        cache_dir: PathBuf,
        now: Timestamp,
        offline: bool,
    ) -> Result<Self, crate::source::github::Error> {
        Ok(Self {
            registry: Registry::new(http.clone()),
            github: GitHub::new(http.clone(), Some(cache_dir.clone()), now, offline)?,
            http,
            kept: Kept::new(Some(cache_dir.join("resolve"))),
            directory: cache_dir,
            offline,
            now,
            documents: Once::default(),
            tags: Once::default(),
        })
    }

    /// A small text, asked for with a condition and taken from the cache when there is no network.
    pub(super) async fn document(&self, url: &Url, limit: u64) -> Result<Bytes, source::Error> {
        let ask = async {
            match self.http.get(url, Get { conditional: true, ..Get::new(limit) }).await {
                Err(error @ source::Error::Offline { .. }) => {
                    self.http.cached(url, None, limit).map(|cached| cached.bytes).ok_or(error)
                }
                answer => Ok(answer?.bytes),
            }
        };
        self.documents.get(url.as_str(), ask).await
    }

    /// The entries of a chart in a Helm repository.
    pub(super) async fn index(&self, repository: &Url, chart: &str) -> Result<Vec<helm::Entry>, Failure> {
        let url = helm::index_url(repository);
        let bytes = self.document(&url, helm::MAX_INDEX).await?;
        let malformed = || source::Error::Malformed { url: url.to_string(), reason: "no UTF-8 text".to_owned() };
        let text = std::str::from_utf8(&bytes).map_err(|_| malformed())?;
        Ok(helm::parse(text, repository, chart)?)
    }

    /// The tags of a repository in a registry.
    pub(super) async fn registry_tags(&self, repository: &Reference) -> Result<Arc<Vec<String>>, Failure> {
        let ask = async {
            let tags = self.remembered(&format!("tags {}", repository.name()), self.registry.tags(repository)).await?;
            Ok::<_, Failure>(Arc::new(tags))
        };
        self.tags.get(&repository.name(), ask).await
    }

    /// An answer that is kept for runs without a network; with one it is always asked anew.
    pub(super) async fn remembered<T: serde::Serialize + serde::de::DeserializeOwned>(
        &self,
        question: &str,
        ask: impl Future<Output = Result<T, source::Error>>,
    ) -> Result<T, source::Error> {
        match ask.await {
            Ok(answer) => {
                self.kept.write(question, &answer);
                Ok(answer)
            }
            Err(error) if self.offline => self.kept.read(question).ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// When something was first seen as it is now: the time of the first run that asks.
    pub(super) fn first_seen(&self, what: &str, digest: Digest) -> Timestamp {
        let question = format!("first seen {what} {digest}");
        self.kept.read(&question).unwrap_or_else(|| {
            self.kept.write(&question, &self.now);
            self.now
        })
    }

    /// Checks that a URL of the lock still has the locked bytes, or has had the other ones long enough.
    pub(super) fn unreplaced(
        &self,
        url: &str,
        locked: Digest,
        found: Digest,
        patience: Patience,
    ) -> Result<(), Failure> {
        if locked == found || patience.is_over(self.first_seen(url, found)) {
            return Ok(());
        }
        Err(Failure::Replaced { url: url.to_owned(), locked, found, min_age: patience.min_age })
    }

    /// When an image or chart in a registry was made, as far as it says so itself.
    pub(super) async fn created(&self, reference: &Reference, arch: Arch) -> Result<Option<Timestamp>, source::Error> {
        let Some(digest) = self.digest(reference).await? else { return Ok(None) };
        let question = format!("created {}@{digest} {arch}", reference.name());
        if let Some(created) = self.kept.read(&question) {
            return Ok(created);
        }
        let mut manifest = self.registry.manifest(&reference.pinned(digest)).await?;
        if let Some(child) = manifest.child(arch) {
            manifest = self.registry.manifest(&reference.pinned(child.digest)).await?;
        }
        let created = match (annotated(&manifest.bytes), &manifest.view) {
            (None, View::Manifest { config, .. }) => {
                configured(&self.registry.blob(reference, &config.digest, MAX_CONFIG).await?)
            }
            (annotated, _) => annotated,
        };
        self.kept.write(&question, &created);
        Ok(created)
    }

    /// What a chart in a registry says about itself; nothing where it is no chart, which is told when it is fetched.
    pub(super) async fn about_chart(&self, reference: &Reference) -> Result<AboutChart, source::Error> {
        let Some(digest) = self.digest(reference).await? else { return Ok(AboutChart::default()) };
        let question = format!("about chart {}@{digest}", reference.name());
        if let Some(about) = self.kept.read(&question) {
            return Ok(about);
        }
        let manifest = self.registry.manifest(&reference.pinned(digest)).await?;
        let config = match &manifest.view {
            View::Manifest { config, .. } if config.media_type == media_type::HELM_CONFIG => config.digest,
            _ => return Ok(AboutChart::default()),
        };
        let bytes = self.registry.blob(reference, &config, MAX_CONFIG).await?;
        let about = serde_json::from_slice(&bytes).unwrap_or_default();
        self.kept.write(&question, &about);
        Ok(about)
    }

    /// The digest that a registry has under a reference; none when it has nothing.
    pub(super) async fn digest(&self, reference: &Reference) -> Result<Option<Digest>, source::Error> {
        let ask = async { Ok(self.registry.head(reference).await?.map(|head| head.digest)) };
        self.remembered(&format!("digest {reference}"), ask).await
    }
}

/// `org.opencontainers.image.created` of a manifest's annotations (OCI image-spec v1.1, annotations.md).
fn annotated(manifest: &[u8]) -> Option<Timestamp> {
    let json: serde_json::Value = serde_json::from_slice(manifest).ok()?;
    json.get("annotations")?.get("org.opencontainers.image.created")?.as_str()?.parse().ok()
}

/// `created` of an image's configuration (OCI image-spec v1.1, config.md).
fn configured(config: &[u8]) -> Option<Timestamp> {
    let json: serde_json::Value = serde_json::from_slice(config).ok()?;
    json.get("created")?.as_str()?.parse().ok()
}
