//! The charts, in the form that `helm push` gives them.

use bytes::Bytes;

use super::blobs::{Content, Wanted};
use super::report::{Form, Mapped, State};
use super::target::Place;
use super::{Error, Leaf, Pusher};
use crate::bundle::set::Shipped;
use crate::chart::{Artifact, artifact};
use crate::event::Event;
use crate::oci::manifest::{Manifest, View};
use crate::oci::{Digest, Hasher};

/// A chart with its place at the registry.
pub(super) struct Chart {
    pub(super) path: String,
    pub(super) place: Place,
    pub(super) leaf: Leaf,
    is_present: bool,
}

impl Chart {
    /// What is not at the registry.
    pub(super) fn missing(&self) -> Option<&Leaf> {
        (!self.is_present).then_some(&self.leaf)
    }
}

impl Pusher {
    /// Reads a chart, whose archive is held against its digest before anything is made of it.
    pub(super) fn read_chart(&self, path: &str) -> Result<Chart, Error> {
        let unreadable = |source| Error::Chart { path: path.to_owned(), source };
        let Shipped { blob, digest, .. } = self.set.shipped()[path];
        let mut hasher = Hashing(Hasher::new());
        std::io::copy(&mut self.set.reader(blob), &mut hasher).map_err(|e| unreadable(artifact::Error::Read(e)))?;
        let found = hasher.0.finish();
        if digest.is_some_and(|digest| digest != found) {
            let bundle = self.set.bundles()[blob.bundle].bundle.path().to_owned();
            return Err(Error::Damaged { what: path.to_owned(), path: bundle, member: path.to_owned(), found });
        }
        let artifact = Artifact::new(path, self.set.reader(blob), found, blob.size).map_err(unreadable)?;
        let manifest = Manifest::parse(artifact.manifest.clone(), None)
            .map_err(|source| unreadable(artifact::Error::Read(std::io::Error::other(source))))?;
        let config = Wanted {
            digest: Digest::of(&artifact.config),
            size: artifact.config.len() as u64,
            content: Some(Content::Made(Bytes::clone(&artifact.config))),
        };
        let layer = Wanted { digest: found, size: blob.size, content: Some(Content::Held(blob)) };
        debug_assert!(matches!(manifest.view, View::Manifest { .. }));
        let place = self.target.chart(path, &artifact.name, &artifact.tag(), manifest.digest)?;
        let leaf = Leaf { manifest, blobs: vec![config, layer] };
        Ok(Chart { path: path.to_owned(), place, leaf, is_present: false })
    }

    pub(super) async fn look_for_chart(&self, chart: Chart) -> Result<Chart, Error> {
        let there = self.present(&chart.path, &chart.place, &chart.place.name).await?;
        let is_present = there == Some(chart.leaf.manifest.digest);
        if is_present {
            self.note(&chart.place, &chart.leaf).await;
        }
        Ok(Chart { is_present, ..chart })
    }

    pub(super) async fn push_chart(&self, chart: Chart) -> Result<Mapped, Error> {
        let Chart { path, place, leaf, is_present } = chart;
        if !is_present {
            self.push_leaf(&path, &place, &leaf, &place.name).await?;
        }
        self.reporter.report(Event::Item(&path));
        Ok(Mapped {
            name: path,
            at: place.reference,
            digest: leaf.manifest.digest,
            instead_of: None,
            form: Form::AsIs,
            architectures: Vec::new(),
            attached: 0,
            state: State::of(is_present, self.dry_run),
        })
    }
}

struct Hashing(Hasher);

impl std::io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
