//! Locking what upstream attached to an image: signatures, attestations and bills of materials.
//!
//! They are locked as they are and not checked here: that is for `verify.cosign` of the catalog, and for a policy on
//! the site, which has them with `pack --with-signatures`.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use http::StatusCode;

use super::Failure;
use super::images::Images;
use crate::event::Event;
use crate::lock::attached::Attached;
use crate::lock::model::Image;
use crate::oci::manifest::View;
use crate::oci::referrers::{self, Referrer};
use crate::oci::{Digest, Reference};
use crate::source::{self, registry::referrers::Found};

/// The most bytes that one attached thing may name, 64 MiB: a signature has kilobytes, a large bill of materials ten
/// megabytes, and anything can be attached by whoever may push.
const MAX_CONTENT: u64 = 64 << 20;
/// How many manifests of one image are asked about at once.
const AT_ONCE: usize = 4;

impl Images<'_> {
    /// What is attached to an image and to its platforms, sorted.
    pub(super) async fn attached(&self, reference: &Reference, image: &Image) -> Result<Vec<Attached>, Failure> {
        let platforms = image.platforms.values().map(|platform| platform.digest);
        let subjects: BTreeSet<Digest> = platforms.chain([image.digest]).collect();
        let asks: Vec<_> = subjects.into_iter().map(|subject| self.attached_to(reference, subject)).collect();
        let attached: Result<Vec<_>, _> = stream::iter(asks).buffered(AT_ONCE).try_collect().await;
        let mut attached: Vec<Attached> = match attached {
            Ok(attached) => attached.into_iter().flatten().collect(),
            // Nobody asked while there was a network: the lock knows best.
            Err(source::Error::Offline { .. }) if self.is_locked(reference, image) => {
                self.locked[reference].attached.clone()
            }
            Err(error) => return Err(error.into()),
        };
        attached.sort();
        attached.dedup();
        Ok(attached)
    }

    fn is_locked(&self, reference: &Reference, image: &Image) -> bool {
        self.locked.get(reference).is_some_and(|locked| locked.digest == image.digest)
    }

    async fn attached_to(&self, reference: &Reference, to: Digest) -> Result<Vec<Attached>, source::Error> {
        let ask = async {
            let mut attached = Vec::new();
            for Found { digest, tag } in self.sources.registry.attached(reference, to).await? {
                let described = self.describe_attached(reference, to, digest, tag.is_some()).await?;
                attached.extend(described.map(|described| Attached { tag, ..described }));
            }
            Ok(attached)
        };
        self.sources.remembered(&format!("attached to {}@{to}", reference.name()), ask).await
    }

    /// The lock's entry of one thing, as a referrer; `None` for what is no signature or cannot be carried.
    async fn describe_attached(
        &self,
        reference: &Reference,
        to: Digest,
        digest: Digest,
        is_tagged: bool,
    ) -> Result<Option<Attached>, source::Error> {
        let question = format!("what is attached to {}@{to}: {digest} {is_tagged}", reference.name());
        if let Some(known) = self.sources.kept.read(&question) {
            return Ok(known);
        }
        let left_out = |reason: &str| {
            let text = format!("{digest}, attached to {reference}, is left out: {reason}");
            self.reporter.report(Event::Warning(&text));
            Ok(None)
        };
        let manifest = match self.sources.registry.manifest(&reference.pinned(digest)).await {
            Ok(manifest) => manifest,
            Err(source::Error::Manifest { .. }) => return left_out("it is no image manifest"),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => return left_out("the registry lost it"),
            Err(error) => return Err(error),
        };
        let View::Manifest { config, layers } = &manifest.view else { return left_out("it is an index") };
        let content = layers.iter().map(|layer| layer.size).try_fold(config.size, u64::checked_add);
        let Some(content_size) = content.filter(|size| *size <= MAX_CONTENT) else {
            return left_out("it has more than 64 MiB");
        };
        if !is_tagged && referrers::subject(&manifest) != Some(to) {
            return left_out("it does not say itself what it is attached to");
        }
        let Referrer { media_type, size, artifact_type, .. } = Referrer::of(&manifest);
        let artifact_type = artifact_type.filter(|_| !is_tagged);
        let attached = Some(Attached { to, tag: None, artifact_type, digest, media_type, size, content_size });
        self.sources.kept.write(&question, &attached);
        Ok(attached)
    }
}
