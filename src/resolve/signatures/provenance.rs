//! Provenance files of charts: fetched from beside the archive, checked by Helm.

use bytes::Bytes;
use reqwest::StatusCode;
use url::Url;

use super::Signatures;
use crate::chart::{Error, Helm, helm};
use crate::oci::manifest::View;
use crate::oci::{Digest, Reference, media_type};
use crate::resolve::Failure;
use crate::resolve::charts::Fetched;

/// The largest provenance file that is read, 1 MiB: it holds the chart's `Chart.yaml`, a checksum and a signature.
const MAX_PROVENANCE: u64 = 1 << 20;

impl Signatures<'_> {
    /// Asks Helm whether somebody on the keyring signed the chart.
    pub(super) async fn chart(&self, helm: &Helm, chart: &Fetched, keyring: &[u8]) -> Result<(), Failure> {
        let question = format!("provenance {} {}", chart.sha256, Digest::of(keyring));
        if self.sources.kept.read(&question) == Some(true) {
            return Ok(());
        }
        let about = &chart.archive.chart;
        let bad = |problem: String| Failure::Signature { what: chart.url.clone(), problem };
        let provenance = self.provenance(&chart.url).await?;
        let provenance = provenance.ok_or_else(|| bad("it has no provenance file".to_owned()))?;
        match helm.verify(&about.name, &about.version, &chart.path, &provenance, keyring).await {
            Ok(()) => {
                self.sources.kept.write(&question, &true);
                Ok(())
            }
            Err(helm::Error::Unverified { message }) => Err(bad(message)),
            Err(error) => Err(Failure::Helm(Box::new(Error::from(error)))),
        }
    }

    /// The provenance file of the chart at a URL, if there is one.
    async fn provenance(&self, chart: &str) -> Result<Option<Bytes>, Failure> {
        if let Some(reference) = chart.strip_prefix("oci://") {
            let reference: Reference = reference.parse().map_err(|source| Failure::NotImage {
                found: "the lock".to_owned(),
                text: chart.to_owned(),
                source,
            })?;
            let manifest = self.sources.registry.manifest(&reference).await?;
            let View::Manifest { layers, .. } = &manifest.view else { return Ok(None) };
            let layer = layers.iter().find(|layer| layer.media_type == media_type::HELM_PROVENANCE_LAYER);
            let Some(layer) = layer else { return Ok(None) };
            return Ok(Some(self.sources.registry.blob(&reference, &layer.digest, MAX_PROVENANCE).await?));
        }
        let mut url = Url::parse(chart)
            .map_err(|error| Failure::Field { field: "chart.repository", problem: error.to_string() })?;
        url.set_path(&format!("{}.prov", url.path()));
        match self.sources.document(&url, MAX_PROVENANCE).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
