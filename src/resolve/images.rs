//! Locking images: the index's digest, and each architecture's manifest with its sizes.

use std::collections::BTreeMap;

use super::Failure;
use super::choice;
use super::sources::{MAX_CONFIG, Patience, Sources};
use crate::event::{Event, Reporter};
use crate::lock::model as lock;
use crate::oci::manifest::{Descriptor, Manifest, Platform, View};
use crate::oci::{Arch, Reference};
use crate::source::once::Once;

/// Locks each image once, whoever uses it.
pub(super) struct Images<'a> {
    pub(super) sources: &'a Sources,
    pub(super) architectures: &'a [Arch],
    pub(super) reporter: &'a dyn Reporter,
    /// The images as the lock has them.
    pub(super) locked: &'a BTreeMap<Reference, lock::Image>,
    /// How old an image must be that took another one's tag.
    pub(super) patience: Patience,
    pub(super) done: Once<lock::Image>,
}

impl Images<'_> {
    /// The lock's entry of an image.
    pub(super) async fn lock(&self, reference: &Reference) -> Result<lock::Image, Failure> {
        let ask = async {
            let image = self.ask(reference).await?;
            let attached = self.attached(reference, &image).await?;
            Ok(lock::Image { attached, ..image })
        };
        self.done.get(&reference.to_string(), ask).await
    }

    async fn ask(&self, reference: &Reference) -> Result<lock::Image, Failure> {
        let locked = self.locked.get(reference).filter(|image| self.is_whole(image));
        // A digest names the same bytes for ever.
        if let (Some(locked), Some(digest)) = (locked, reference.digest())
            && locked.digest == digest
        {
            return Ok(locked.clone());
        }
        let digest = self.sources.digest(reference).await?;
        let digest = digest.ok_or_else(|| Failure::NoImage { reference: reference.to_string() })?;
        match locked {
            Some(locked) if locked.digest == digest => return Ok(locked.clone()),
            Some(locked) if self.stays(reference, locked, digest).await? => return Ok(locked.clone()),
            _ => {}
        }
        // What bytes with a digest say never changes, so it is asked once and for all.
        let names: Vec<&str> = self.architectures.iter().map(|arch| arch.as_str()).collect();
        let question = format!("image {}@{digest} {}", reference.name(), names.join(","));
        if let Some(image) = self.sources.kept.read(&question) {
            return Ok(image);
        }
        let manifest = self.sources.registry.manifest(&reference.pinned(digest)).await?;
        let image = self.describe(reference, &manifest).await?;
        self.sources.kept.write(&question, &image);
        Ok(image)
    }

    /// Whether a lock's entry says everything.
    fn is_whole(&self, image: &lock::Image) -> bool {
        let known = |arch| image.platforms.get(arch).is_some_and(|p| p.size.is_some() && p.layers_size.is_some());
        image.media_type.is_some()
            && self.architectures.iter().all(known)
            && image.platforms.len() == self.architectures.len()
    }

    /// Whether the locked image stays although its tag names another one now: while the new one is too young, and
    /// the old one can still be fetched.
    async fn stays(
        &self,
        reference: &Reference,
        locked: &lock::Image,
        digest: crate::oci::Digest,
    ) -> Result<bool, Failure> {
        let created = self.sources.created(&reference.pinned(digest), self.architectures[0]).await?;
        let seen = self.sources.first_seen(&reference.to_string(), digest);
        let since = created.and_then(choice::image_date).map_or(seen, |created| created.max(seen));
        let stays = !self.patience.is_over(since)
            && self.sources.registry.head(&reference.pinned(locked.digest)).await?.is_some();
        let text = if stays {
            format!(
                "the tag of {reference} moved; {} stays until the new image is {} old",
                locked.digest, self.patience.min_age
            )
        } else {
            format!("the tag of {reference} moved from {} to {digest}", locked.digest)
        };
        self.reporter.report(Event::Warning(&text));
        Ok(stays)
    }

    async fn describe(&self, reference: &Reference, manifest: &Manifest) -> Result<lock::Image, Failure> {
        let mut platforms = BTreeMap::new();
        match &manifest.view {
            View::Index(children) => {
                for arch in self.architectures {
                    let child = manifest.child(*arch).ok_or_else(|| missing(reference, *arch, &names(children)))?;
                    let own = self.sources.registry.manifest(&reference.pinned(child.digest)).await?;
                    let layers_size = Some(contents(reference, &own)?);
                    let platform = lock::Platform { digest: child.digest, size: Some(child.size), layers_size };
                    platforms.insert(*arch, platform);
                }
            }
            View::Manifest { config, .. } => {
                let bytes = self.sources.registry.blob(reference, &config.digest, MAX_CONFIG).await?;
                let runs_on: Platform = serde_json::from_slice(&bytes).map_err(|error| Failure::BadImage {
                    reference: reference.to_string(),
                    problem: format!("its configuration cannot be read: {error}"),
                })?;
                for arch in self.architectures {
                    if runs_on.fitness(*arch).is_none() {
                        return Err(missing(reference, *arch, &[name(&runs_on)]));
                    }
                    let platform = lock::Platform {
                        digest: manifest.digest,
                        size: Some(manifest.bytes.len() as u64),
                        layers_size: Some(contents(reference, manifest)?),
                    };
                    platforms.insert(*arch, platform);
                }
            }
        }
        Ok(lock::Image {
            digest: manifest.digest,
            media_type: Some(manifest.media_type.clone()),
            platforms,
            attached: Vec::new(),
        })
    }
}

/// The bytes of configuration and layers together.
fn contents(reference: &Reference, manifest: &Manifest) -> Result<u64, Failure> {
    let bad = |problem: &str| Failure::BadImage { reference: reference.to_string(), problem: problem.to_owned() };
    let View::Manifest { config, layers } = &manifest.view else {
        return Err(bad("an index within its index"));
    };
    let sizes = layers.iter().map(|layer| layer.size).try_fold(config.size, u64::checked_add);
    sizes.ok_or_else(|| bad("its layers have impossible sizes"))
}

fn missing(reference: &Reference, arch: Arch, present: &[String]) -> Failure {
    Failure::MissingArch { artifact: reference.to_string(), arch, present: present.to_vec() }
}

/// What the children of an index run on, attestations left out.
fn names(children: &[Descriptor]) -> Vec<String> {
    let known = |platform: &&Platform| platform.os != "unknown";
    let mut names: Vec<_> = children.iter().filter_map(|c| c.platform.as_ref()).filter(known).map(name).collect();
    names.dedup();
    names
}

fn name(platform: &Platform) -> String {
    let clean = |text: &str| text.chars().filter(|c| c.is_ascii_graphic()).take(40).collect::<String>();
    let variant = platform.variant.as_deref().map(|v| format!("/{}", clean(v))).unwrap_or_default();
    format!("{}/{}{variant}", clean(&platform.os), clean(&platform.architecture))
}
