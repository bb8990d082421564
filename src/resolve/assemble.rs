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
        },
        profiles: profiles.collect(),
        components: BTreeMap::new(),
        images: BTreeMap::new(),
        unresolved: Vec::new(),
    };
    for name in catalog.components.keys() {
        if let Some(done) = done.remove(name) {
            lock.images.extend(done.images);
            lock.components.insert(name.clone(), done.component);
            continue;
        }
        let old = before.and_then(|before| before.components.get(name));
        let mut known = false;
        if let (Some(before), Some(old)) = (before, old) {
            known = true;
            for reference in &old.images {
                if let Some(image) = before.images.get(reference) {
                    lock.images.entry(reference.clone()).or_insert_with(|| image.clone());
                }
            }
            lock.components.insert(name.clone(), old.clone());
        }
        let open = before.iter().flat_map(|before| &before.unresolved).filter(|open| open.component == *name);
        for open in open {
            known = true;
            lock.unresolved.push(open.clone());
        }
        if let (false, Some(failure)) = (known, failures.get(name)) {
            lock.unresolved.push(model::Unresolved {
                component: name.clone(),
                artifact: name.clone(),
                reason: failure.reason().to_owned(),
            });
        }
    }
    lock.unresolved.sort();
    lock
}
