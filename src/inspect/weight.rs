//! What profiles weigh. A lock knows the sizes of images; a bundle also which blobs images share.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::model::{Artifact, Blob, BlobKind, Inspection, Platform};
use crate::bundle::contents::images;
use crate::bundle::model::{self, BundleFile};
use crate::bundle::read::Bundle;
use crate::lock::model::{Component, Image};
use crate::lock::{Lock, weight};
use crate::oci::manifest::{MAX_MANIFEST, Manifest};
use crate::oci::{Arch, Digest, Reference};

/// What a component carries for an architecture: each thing by its name, with its size if that is known.
type Things = Vec<(Option<u64>, String)>;

/// Weighs the profiles by what the lock says of sizes.
pub(super) fn of_lock(lock: &Lock, inspection: &mut Inspection) {
    weigh(inspection, lock, |name, component, arch| {
        let things = weight::things(lock, name, component, arch);
        things.into_iter().map(|thing| (thing.size, thing.key)).collect()
    });
}

/// Takes sizes and digests from what a bundle carries, and weighs the profiles by it.
pub(super) fn of_bundle(bundle: &Bundle, about: &BundleFile, inspection: &mut Inspection) {
    let size = |path: &str| bundle.find(path).map(|index| bundle.members()[index].size);
    let mut blobs = HashMap::new();
    for (report, (reference, image)) in inspection.images.iter_mut().zip(&about.lock.images) {
        report.platforms.retain(|arch, _| about.architectures.contains(arch));
        for arch in &about.architectures {
            let Some((digest, carried)) = image_blobs(bundle, reference, image, *arch) else { continue };
            let blob = |(kind, digest)| Blob { kind, digest, size: size(&model::blob_path(digest)) };
            let carried: Vec<_> = carried.into_iter().map(blob).collect();
            blobs.insert((reference, *arch), carried.iter().map(|blob| blob.digest).collect::<Vec<_>>());
            let total = carried.iter().map(|blob| blob.size).sum();
            report.platforms.insert(*arch, Platform { digest: Some(digest), size: total, blobs: carried });
        }
    }
    for component in &mut inspection.components {
        component.files.retain(|file| file.arch.is_none_or(|arch| about.architectures.contains(&arch)));
        let charts = about.charts().filter(|chart| chart.component == component.name);
        component.charts.iter_mut().zip(charts).for_each(|(report, chart)| report.size = size(&chart.path));
        let files = about.files().filter(|file| file.component == component.name);
        component.files.iter_mut().zip(files).for_each(|(report, file)| report.size = size(&file.path));
    }
    inspection.added = about.added.iter().map(added).collect();
    weigh(inspection, &about.lock, |name, component, arch| {
        let mut things = Things::new();
        for image in &component.images {
            match blobs.get(&(image, arch)) {
                Some(carried) => {
                    things.extend(carried.iter().map(|blob| model::blob_path(*blob)).map(|p| (size(&p), p)))
                }
                None => things.push((None, image.to_string())),
            }
        }
        let shipped = about.charts().chain(about.files());
        let shipped = shipped.filter(|s| s.component == name && s.arch.is_none_or(|own| own == arch));
        things.extend(shipped.map(|shipped| (size(&shipped.path), shipped.path)));
        things
    });
}

fn added(added: &model::Added) -> Artifact {
    let (digest, size) = (Some(added.digest), Some(added.size));
    Artifact { name: added.path.clone(), arch: None, url: None, digest, size, from: None }
}

/// Sums the things of each profile and of each component, each thing once.
fn weigh(inspection: &mut Inspection, lock: &Lock, things: impl Fn(&str, &Component, Arch) -> Things) {
    let sum = |names: &[String], arch| -> Option<u64> {
        let components = names.iter().filter_map(|name| Some((name, lock.components.get(name)?)));
        let carried = components.flat_map(|(name, component)| things(name, component, arch));
        let once: BTreeMap<_, _> = carried.map(|(size, name)| (name, size)).collect();
        once.into_values().sum()
    };
    for arch in &inspection.architectures {
        for profile in &mut inspection.profiles {
            profile.sizes.insert(*arch, sum(&profile.components, *arch));
        }
        for component in &mut inspection.components {
            component.sizes.insert(*arch, sum(std::slice::from_ref(&component.name), *arch));
        }
    }
}

/// The manifest of an image for an architecture, and all its blobs, each once: documents, configuration and layers from
/// the lowest; `None` when the bundle is not whole.
fn image_blobs(
    bundle: &Bundle,
    reference: &Reference,
    image: &Image,
    arch: Arch,
) -> Option<(Digest, Vec<(BlobKind, Digest)>)> {
    let mut documents = BTreeMap::new();
    let top = document(bundle, image.digest)?;
    if let Some(child) = top.child(arch)
        && let Some(manifest) = document(bundle, child.digest)
    {
        documents.insert(manifest.digest, manifest);
    }
    let manifest = images::child(reference, image, &top, arch, &documents).ok()?;
    let mut blobs = vec![(BlobKind::Manifest, manifest.digest)];
    if top.digest != manifest.digest {
        blobs.insert(0, (BlobKind::Index, top.digest));
    }
    let kinds = std::iter::once(BlobKind::Config).chain(std::iter::repeat(BlobKind::Layer));
    blobs.extend(kinds.zip(images::parts(manifest).map(|part| part.digest)));
    let mut known = HashSet::new();
    blobs.retain(|(_, digest)| known.insert(*digest));
    Some((manifest.digest, blobs))
}

fn document(bundle: &Bundle, digest: Digest) -> Option<Manifest> {
    Manifest::parse(bundle.read(&model::blob_path(digest), MAX_MANIFEST).ok()?.into(), None).ok()
}
