//! Which images of the bundles are loaded, and everything that they are made of.

use std::collections::{BTreeMap, BTreeSet};

use super::{Error, Mark};
use crate::bundle::contents::images;
use crate::bundle::set::{Choice, Image, Set};
use crate::oci::manifest::{Descriptor, Manifest, View};
use crate::oci::{Arch, Digest, Reference};

/// The architectures that a place wants when the user names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Archs {
    /// That of this machine, since nothing else runs here.
    Host,
    /// All, since the images are only kept.
    All,
}

/// An image to be loaded, with its documents.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) reference: Reference,
    /// Its index, or its manifest when it has no index.
    pub(super) top: Manifest,
    /// The manifest of each chosen architecture; the top itself when that is no index.
    pub(super) manifests: BTreeMap<Arch, Manifest>,
    /// The bundles that it is from.
    pub(super) marks: BTreeSet<Mark>,
}

impl Wanted {
    /// The names that it is found by: those of the bundle's layout, and always `repository@digest`.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let pinned = self.reference.pinned(self.top.digest).to_string();
        images::names(&self.reference).chain([pinned]).collect()
    }

    /// The configurations and layers of its manifests, each once.
    pub(super) fn contents(&self) -> BTreeMap<Digest, &Descriptor> {
        self.manifests.values().flat_map(images::parts).map(|part| (part.digest, part)).collect()
    }

    /// The digest of the configuration that this machine uses, which is the image's id in the CRI.
    pub(super) fn id(&self) -> Option<Digest> {
        match &self.manifests.get(&Arch::host()?)?.view {
            View::Manifest { config, .. } => Some(config.digest),
            View::Index(_) => None,
        }
    }

    /// Its manifests and then its index.
    pub(super) fn documents(&self) -> impl Iterator<Item = &Manifest> {
        let index = matches!(self.top.view, View::Index(_)).then_some(&self.top);
        self.manifests.values().chain(index)
    }
}

/// Finds the images, sorted by reference, and reads their documents; what is not whole is an error.
///
/// `asked` are the architectures that the user named, none for what the place wants.
pub(super) fn choose(set: &Set, choice: &Choice, asked: &[Arch], default: Archs) -> Result<Vec<Wanted>, Error> {
    let archs = archs(set, asked, default)?;
    let mut wanted = Vec::new();
    for reference in set.choose(choice)?.images {
        let image = &set.images()[&reference];
        let archs: BTreeSet<_> = image.architectures.intersection(&archs).copied().collect();
        if !archs.is_empty() {
            wanted.push(read(set, &reference, image, &archs)?);
        }
    }
    if wanted.is_empty() { Err(Error::Nothing) } else { Ok(wanted) }
}

fn archs(set: &Set, asked: &[Arch], default: Archs) -> Result<BTreeSet<Arch>, Error> {
    let carried: BTreeSet<Arch> =
        set.bundles().iter().flat_map(|opened| &opened.about.architectures).copied().collect();
    if let Some(arch) = asked.iter().find(|arch| !carried.contains(arch)) {
        return Err(Error::NoArch { arch: *arch, carried: carried.into_iter().collect() });
    }
    match (default, Arch::host()) {
        _ if !asked.is_empty() => Ok(asked.iter().copied().collect()),
        (Archs::Host, Some(host)) if carried.contains(&host) => Ok(BTreeSet::from([host])),
        (Archs::Host, Some(host)) => Err(Error::Foreign { carried: carried.into_iter().collect(), host }),
        (Archs::Host, None) | (Archs::All, _) => Ok(carried),
    }
}

fn read(set: &Set, reference: &Reference, image: &Image, archs: &BTreeSet<Arch>) -> Result<Wanted, Error> {
    let document = |digest| -> Result<Manifest, Error> {
        set.manifest(digest)?.ok_or_else(|| Error::Incomplete { reference: reference.to_string(), digest })
    };
    let top = document(image.digest)?;
    let mut manifests = BTreeMap::new();
    for arch in archs {
        let manifest = match (&top.view, top.child(*arch)) {
            (View::Manifest { .. }, _) => top.clone(),
            (View::Index(_), Some(child)) => document(child.digest)?,
            (View::Index(_), None) => continue,
        };
        for part in images::parts(&manifest) {
            let blob = set.blob(part.digest);
            let blob =
                blob.ok_or_else(|| Error::Incomplete { reference: reference.to_string(), digest: part.digest })?;
            if blob.size != part.size {
                let (expected, found) = (part.size, blob.size);
                return Err(Error::Size { reference: reference.to_string(), digest: part.digest, expected, found });
            }
        }
        manifests.insert(*arch, manifest);
    }
    if manifests.is_empty() {
        return Err(Error::Incomplete { reference: reference.to_string(), digest: image.digest });
    }
    let from = set.bundles().iter().filter(|opened| opened.about.lock.images.contains_key(reference));
    let marks = from.map(|opened| Mark::of(&opened.about)).collect::<Result<_, _>>()?;
    Ok(Wanted { reference: reference.clone(), top, manifests, marks })
}
