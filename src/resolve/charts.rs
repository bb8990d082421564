//! Chart archives: fetched once, checked, and kept by their digest.

use std::path::PathBuf;

use bytes::Bytes;
use url::Url;

use super::Failure;
use super::sources::Sources;
use super::versions::{ChartChoice, Location};
use crate::chart::{Archive, archive};
use crate::lock::model as lock;
use crate::oci::manifest::View;
use crate::oci::{Digest, Reference, media_type};

/// The largest chart archive that is read, 32 MiB: the largest known has 1.
const MAX_CHART: u64 = 32 << 20;

/// A chart archive at hand.
pub(super) struct Fetched {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// What it says.
    pub(super) archive: Archive,
    /// Where it came from.
    pub(super) url: String,
    pub(super) sha256: Digest,
    pub(super) size: u64,
    pub(super) from: lock::From,
}

/// Fetches the chosen archive of the chart called `name`, unless it was kept.
pub(super) async fn fetch(sources: &Sources, name: &str, choice: &ChartChoice) -> Result<Fetched, Failure> {
    let fetched = match &choice.location {
        Location::Registry(reference) => from_registry(sources, name, reference).await?,
        Location::Urls(urls) => from_urls(sources, name, urls, choice.digest).await?,
    };
    let found = &fetched.archive.chart;
    let version = choice.version.as_deref().unwrap_or(&found.version);
    if found.name != name || found.version.trim_start_matches('v') != version.trim_start_matches('v') {
        return Err(Failure::OtherChart {
            chart: name.to_owned(),
            version: version.to_owned(),
            found_name: found.name.clone(),
            found_version: found.version.clone(),
        });
    }
    Ok(fetched)
}

/// Fetches the archive that a lock names, for what it defines.
pub(super) async fn locked(sources: &Sources, name: &str, chart: &lock::Chart) -> Result<Fetched, Failure> {
    let urls = Url::parse(&chart.url)
        .map(|url| vec![url])
        .map_err(|error| Failure::Field { field: "chart.url of the lock", problem: error.to_string() })?;
    from_urls(sources, name, &urls, Some(chart.sha256)).await
}

async fn from_urls(sources: &Sources, name: &str, urls: &[Url], digest: Option<Digest>) -> Result<Fetched, Failure> {
    let Some(first) = urls.first() else {
        let problem = format!("the index names no URL of chart `{name}`");
        return Err(Failure::Field { field: "chart.repository", problem });
    };
    if first.scheme() == "oci" {
        let text = first.as_str().trim_start_matches("oci://");
        let found = "the index of the Helm repository".to_owned();
        let reference = text.parse();
        let reference = reference.map_err(|source| Failure::NotImage { found, text: text.to_owned(), source })?;
        let fetched = from_registry(sources, name, &reference).await?;
        return match digest {
            Some(digest) if digest != fetched.sha256 => Err(Failure::mismatch(first.as_str(), digest, fetched.sha256)),
            _ => Ok(fetched),
        };
    }
    let bytes = match digest.and_then(|digest| kept(sources, digest)) {
        Some(bytes) => bytes,
        None => any(sources, urls).await?,
    };
    let found = Digest::of(&bytes);
    if let Some(digest) = digest.filter(|digest| *digest != found) {
        return Err(Failure::mismatch(first.as_str(), digest, found));
    }
    let from = if digest.is_some() { lock::From::HelmIndex } else { lock::From::Download };
    whole(sources, name, &bytes, first.to_string(), from)
}

/// The bytes from the first URL that has them.
async fn any(sources: &Sources, urls: &[Url]) -> Result<Bytes, Failure> {
    let mut failed = None;
    for url in urls {
        match sources.document(url, MAX_CHART).await {
            Ok(bytes) => return Ok(bytes),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    Err(failed.map_or_else(|| Failure::Field { field: "chart", problem: "it has no URL".to_owned() }, Failure::from))
}

async fn from_registry(sources: &Sources, name: &str, reference: &Reference) -> Result<Fetched, Failure> {
    let question = format!("chart {reference}");
    let layer = sources.remembered(&question, async {
        let manifest = sources.registry.manifest(reference).await?;
        let View::Manifest { layers, .. } = &manifest.view else { return Ok(None) };
        Ok(layers.iter().find(|layer| layer.media_type == media_type::HELM_CHART_LAYER).map(|layer| layer.digest))
    });
    let digest: Option<Digest> = layer.await?;
    let digest = digest.ok_or_else(|| Failure::NotChart { reference: reference.to_string() })?;
    let bytes = match kept(sources, digest) {
        Some(bytes) => bytes,
        None => sources.registry.blob(reference, &digest, MAX_CHART).await?,
    };
    whole(sources, name, &bytes, format!("oci://{reference}"), lock::From::Oci)
}

fn path(sources: &Sources, digest: Digest) -> PathBuf {
    sources.directory.join("charts").join(format!("{}.tgz", digest.hex()))
}

/// A kept archive, when it is still what it was.
fn kept(sources: &Sources, digest: Digest) -> Option<Bytes> {
    let bytes = Bytes::from(std::fs::read(path(sources, digest)).ok()?);
    (Digest::of(&bytes) == digest).then_some(bytes)
}

/// Reads the archive and keeps it.
fn whole(sources: &Sources, name: &str, bytes: &Bytes, url: String, from: lock::From) -> Result<Fetched, Failure> {
    let archive = archive::read(&bytes[..]).map_err(|error| Failure::chart(name, error))?;
    let sha256 = Digest::of(bytes);
    let path = path(sources, sha256);
    if kept(sources, sha256).is_none() {
        keep(&path, bytes).map_err(|source| Failure::Disk { path: path.display().to_string(), source })?;
    }
    Ok(Fetched { path, archive, url, sha256, size: bytes.len() as u64, from })
}

/// Writes a file whole or not at all.
fn keep(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let directory = path.parent().unwrap_or(path);
    std::fs::create_dir_all(directory)?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}
