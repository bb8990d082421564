//! Putting the lock together: new entries, and old ones where nothing new is known.

use std::collections::BTreeMap;

use super::Failure;
use crate::catalog::{self, Catalog};
use crate::lock::{Lock, model};
use crate::oci::{Digest, Reference};

/// A component that was resolved.
pub(super) struct Done {
    pub(super) component: model::Component,
    pub(super) images: BTreeMap<Reference, model::Image>,
}

/// The digest over a component's own files.
pub(super) fn inputs(catalog: &Catalog, name: &str) -> Digest {
    catalog::inputs_digest(catalog.inputs.get(name).unwrap_or(&BTreeMap::new()))
}

/// The new lock. Components that were not resolved keep their old entry; those that failed and never had one are
/// listed as unresolved.
pub(super) fn lock(
    catalog: &Catalog,
    before: Option<&Lock>,
    mut done: BTreeMap<String, Done>,
    failures: &BTreeMap<String, Failure>,
) -> Lock {
    let file = &catalog.file;
    let mut architectures = file.platform.architectures.clone();
    architectures.sort();
    architectures.dedup();
    let profiles = file.profiles.iter().map(|(name, profile)| {
        let mut components: Vec<String> = profile.value.components().iter().map(|c| c.value.clone()).collect();
        components.sort();
        components.dedup();
        (name.clone(), components)
    });
    let mut lock = Lock {
        schema: model::SCHEMA,
        bundle: model::Bundle {
            name: file.name.value.clone(),
            version: file.version.value.clone(),
            kubernetes: file.platform.kubernetes.value.clone(),
            kubeedge: file.platform.kubeedge.as_ref().map(|v| v.value.clone()),
            architectures,
            installers: catalog.installers_digest(),
        },
        profiles: profiles.collect(),
        components: BTreeMap::new(),
        images: BTreeMap::new(),
        unresolved: Vec::new(),
    };
    for name in catalog.components.keys() {
        match done.remove(name) {
            Some(done) => {
                lock.images.extend(done.images);
                lock.components.insert(name.clone(), done.component);
            }
            None => keep(&mut lock, before, name, failures.get(name)),
        }
    }
    lock.unresolved.sort();
    lock
}

/// Takes over what the old lock has of a component, as far as it still fits, and says what is missing.
fn keep(lock: &mut Lock, before: Option<&Lock>, name: &str, failure: Option<&Failure>) {
    let open = before.iter().flat_map(|before| &before.unresolved).filter(|open| open.component == name);
    let mut open: Vec<_> = open.cloned().collect();
    let missing = |reason: String| model::Unresolved { component: name.to_owned(), artifact: name.to_owned(), reason };
    if let Some((before, old)) = before.and_then(|before| Some((before, before.components.get(name)?))) {
        let wanted = &lock.bundle.architectures;
        let mut component = old.clone();
        component.files.values_mut().for_each(|by_arch| by_arch.retain(|arch, _| wanted.contains(arch)));
        let images = old.images.iter().filter_map(|reference| Some((reference, before.images.get(reference)?)));
        for (reference, image) in images {
            let mut image = image.clone();
            image.platforms.retain(|arch, _| wanted.contains(arch));
            image.keep_attached();
            lock.images.entry(reference.clone()).or_insert(image);
        }
        let new = wanted.iter().find(|arch| !before.bundle.architectures.contains(arch));
        let carries = !component.files.is_empty() || !component.images.is_empty();
        open.extend(new.filter(|_| carries).map(|arch| missing(format!("not resolved for {arch} yet"))));
        lock.components.insert(name.to_owned(), component);
    } else if open.is_empty() {
        open.push(missing(failure.map_or("not resolved yet", Failure::reason).to_owned()));
    }
    // Of a component that no profile and no entry names there is nothing to say.
    let named = lock.components.contains_key(name) || lock.profiles.values().flatten().any(|known| known == name);
    for open in open.into_iter().filter(|_| named) {
        if !lock.unresolved.iter().any(|known| known.component == open.component && known.artifact == open.artifact) {
            lock.unresolved.push(open);
        }
    }
}
