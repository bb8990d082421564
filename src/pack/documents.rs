//! The manifests of the selected images: from the store, else by digest from the registry.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::Deserialize;

use super::Error;
use crate::event::{Event, Reporter};
use crate::fetch::{self, Earlier};
use crate::lock::model::Image;
use crate::oci::manifest::{MAX_MANIFEST, Manifest, View};
use crate::oci::{Arch, Digest, Reference};
use crate::plan::{Artifact, Images, Plan};
use crate::source::Registry;
use crate::store::Store;

/// The largest image configuration that is read, 4 MiB: it has one entry a layer and a history.
const MAX_CONFIG: u64 = 4 << 20;

/// Reads documents of images.
pub(super) struct Documents<'a> {
    pub(super) registry: Registry,
    pub(super) store: Arc<Store>,
    /// Bundles that are asked before the registry.
    pub(super) earlier: &'a [Arc<Earlier>],
    /// Whether what is read is kept in the store.
    pub(super) keep: bool,
    /// How many images are asked for at once.
    pub(super) jobs: usize,
}

/// The field of an image configuration that tells what it runs on (OCI image-spec v1.1, config.md).
#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
}

impl Documents<'_> {
    /// Reads the index of each image, the manifest for each architecture of the plan, and those of what is attached.
    pub(super) async fn read(&self, plan: &Plan) -> Result<Images, crate::Error> {
        let images = plan.lock.images.iter().map(|(reference, image)| async move {
            let documents = self.image(reference, image, plan.archs()).await?;
            Ok::<_, crate::Error>((reference.clone(), documents))
        });
        // Collected first, since a stream of borrowing futures is not general enough for its combinators.
        let images: Vec<_> = images.collect();
        stream::iter(images).buffer_unordered(self.jobs.max(1)).try_collect().await
    }

    /// As [`Documents::read`] of an older plan, whose images may be gone: what cannot be read is told and left out.
    pub(super) async fn read_some(&self, plan: &Plan, reporter: &dyn Reporter) -> Images {
        let images = plan.lock.images.iter().map(|(reference, image)| async move {
            match self.image(reference, image, plan.archs()).await {
                Ok(documents) => Some((reference.clone(), documents)),
                Err(error) => {
                    let text = format!("{reference} of the base is not known, what it has is packed again: {error}");
                    reporter.report(Event::Warning(&text));
                    None
                }
            }
        });
        let images: Vec<_> = images.collect();
        stream::iter(images).buffer_unordered(self.jobs.max(1)).filter_map(async |found| found).collect().await
    }

    async fn image(&self, reference: &Reference, image: &Image, archs: &[Arch]) -> Result<Vec<Manifest>, crate::Error> {
        let top = self.document(reference, image.digest, image.media_type.as_deref()).await?;
        let mut documents: Vec<Manifest> = Vec::new();
        for arch in archs {
            // What has no such child, or another than the lock says, is refused when the bundle is put together.
            let manifest = match top.child(*arch) {
                Some(child) => self.document(reference, child.digest, Some(&child.media_type)).await?,
                None => {
                    self.check_arch(reference, image, &top, *arch).await?;
                    top.clone()
                }
            };
            check_sizes(reference, image, &manifest, *arch)?;
            if documents.iter().all(|known| known.digest != manifest.digest) {
                documents.push(manifest);
            }
        }
        if documents.iter().all(|known| known.digest != top.digest) {
            documents.push(top);
        }
        for attached in &image.attached {
            documents.push(self.document(reference, attached.digest, Some(&attached.media_type)).await?);
        }
        Ok(documents)
    }

    /// One document; its type is what lock or index say, so that it does not depend on where the bytes come from.
    async fn document(
        &self,
        reference: &Reference,
        digest: Digest,
        media_type: Option<&str>,
    ) -> Result<Manifest, crate::Error> {
        let bytes = match self.present(digest, MAX_MANIFEST)? {
            Some(bytes) => bytes,
            None => {
                let manifest = self.registry.manifest(&reference.pinned(digest)).await;
                let manifest = manifest.map_err(|source| source_error(reference, source))?;
                self.keep(digest, &manifest.bytes)?;
                manifest.bytes
            }
        };
        let parsed = Manifest::parse(bytes, media_type);
        Ok(parsed.map_err(|source| Error::Manifest { reference: reference.to_string(), source })?)
    }

    /// An image without an index says only in its configuration what it is for, unless the lock does.
    async fn check_arch(
        &self,
        reference: &Reference,
        image: &Image,
        top: &Manifest,
        arch: Arch,
    ) -> Result<(), crate::Error> {
        let View::Manifest { config, .. } = &top.view else { return Ok(()) };
        if image.platforms.contains_key(&arch) {
            return Ok(());
        }
        let bytes = match self.present(config.digest, MAX_CONFIG)? {
            Some(bytes) => bytes,
            None => {
                let bytes = self.registry.blob(reference, &config.digest, MAX_CONFIG).await;
                let bytes = bytes.map_err(|source| source_error(reference, source))?;
                self.keep(config.digest, &bytes)?;
                bytes
            }
        };
        let Config { os, architecture } = serde_json::from_slice(&bytes)
            .map_err(|error| Error::Manifest { reference: reference.to_string(), source: error.into() })?;
        if os == "linux" && architecture == arch.as_str() {
            return Ok(());
        }
        let found = format!("{os}/{architecture}").chars().take(40).collect();
        Err(Error::OtherArch { reference: reference.to_string(), arch, found }.into())
    }

    /// A document that the store or an earlier bundle has.
    fn present(&self, digest: Digest, limit: u64) -> Result<Option<Bytes>, crate::store::Error> {
        let stored = self.store.read(digest, limit)?;
        Ok(stored.or_else(|| self.earlier.iter().find_map(|earlier| earlier.read(digest, limit))))
    }

    fn keep(&self, digest: Digest, bytes: &Bytes) -> Result<(), crate::store::Error> {
        if self.keep { self.store.write(digest, bytes) } else { Ok(()) }
    }
}

fn source_error(reference: &Reference, source: crate::source::Error) -> crate::Error {
    fetch::Error::Source { artifact: Artifact::Image(reference.clone()).into(), source }.into()
}

/// Compares a manifest with the sizes that the lock has for it.
fn check_sizes(reference: &Reference, image: &Image, manifest: &Manifest, arch: Arch) -> Result<(), Error> {
    let Some(platform) = image.platforms.get(&arch) else { return Ok(()) };
    let View::Manifest { config, layers } = &manifest.view else { return Ok(()) };
    let layers_size = layers.iter().fold(config.size, |sum, layer| sum.saturating_add(layer.size));
    let size = manifest.bytes.len() as u64;
    for (what, locked, found) in
        [("the manifest", platform.size, size), ("the content", platform.layers_size, layers_size)]
    {
        if let Some(locked) = locked
            && locked != found
            && platform.digest == manifest.digest
        {
            return Err(Error::Size { reference: reference.to_string(), what, arch, locked, found });
        }
    }
    Ok(())
}
