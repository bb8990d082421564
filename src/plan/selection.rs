//! Narrowing a lock to what was selected, after checking that it still fits the catalog.

use std::collections::{BTreeMap, BTreeSet};

use super::{Error, Missing};
use crate::catalog::{self, Catalog};
use crate::lock::Lock;
use crate::oci::Arch;

/// What the user wants of a lock; empty lists of profiles or components mean all.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The architectures.
    pub archs: Vec<Arch>,
    /// The profiles.
    pub profiles: Vec<String>,
    /// The components within those profiles.
    pub components: Vec<String>,
    /// Whether what upstream attached to images is carried: signatures and attestations.
    pub signatures: bool,
}

/// A selection of a lock in which every artifact has a digest.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The selected part of the lock, in the lock's own schema.
    pub lock: Lock,
    /// Whether single components were selected, so that no profile is whole.
    pub partial: bool,
}

impl Plan {
    /// The selected architectures, sorted.
    #[must_use]
    pub fn archs(&self) -> &[Arch] {
        &self.lock.bundle.architectures
    }
}

/// Checks `lock` against `catalog` and narrows it to `selection`.
pub fn plan(lock: &Lock, catalog: &Catalog, selection: &Selection) -> Result<Plan, Error> {
    let archs = archs(lock, &selection.archs)?;
    let components = components(lock, selection)?;
    let differences = differences(lock, catalog, &components);
    if !differences.is_empty() {
        return Err(Error::Stale { differences });
    }
    let mut narrowed = narrow(lock, &components, &archs, selection.signatures);
    if !selection.profiles.is_empty() {
        narrowed.profiles.retain(|name, _| selection.profiles.contains(name));
    }
    let missing = missing(lock, &narrowed, &components);
    if !missing.is_empty() {
        return Err(Error::Unresolved { missing: missing.into_iter().collect() });
    }
    Ok(Plan { lock: narrowed, partial: !selection.components.is_empty() })
}

/// What a bundle of the same selection had by an older lock; what that lock does not know, it did not have.
#[must_use]
pub fn before(lock: &Lock, selection: &Selection) -> Plan {
    let profiles = lock.profiles.iter();
    let profiles = profiles.filter(|(name, _)| selection.profiles.is_empty() || selection.profiles.contains(name));
    let wanted = |name: &&String| selection.components.is_empty() || selection.components.contains(name);
    let components = profiles.flat_map(|(_, members)| members).filter(wanted).cloned().collect();
    let archs: BTreeSet<Arch> = selection.archs.iter().copied().collect();
    let archs: Vec<_> = archs.into_iter().filter(|arch| lock.bundle.architectures.contains(arch)).collect();
    Plan { lock: narrow(lock, &components, &archs, selection.signatures), partial: !selection.components.is_empty() }
}

fn archs(lock: &Lock, wanted: &[Arch]) -> Result<Vec<Arch>, Error> {
    let archs: BTreeSet<Arch> = wanted.iter().copied().collect();
    if archs.is_empty() {
        return Err(Error::NoArch);
    }
    let known = &lock.bundle.architectures;
    match archs.iter().find(|arch| !known.contains(arch)) {
        Some(arch) => Err(Error::Arch { arch: *arch, known: known.clone() }),
        None => Ok(archs.into_iter().collect()),
    }
}

/// The names of the selected components.
fn components(lock: &Lock, selection: &Selection) -> Result<BTreeSet<String>, Error> {
    let mut carried = BTreeSet::new();
    let all: Vec<String> = lock.profiles.keys().cloned().collect();
    let profiles = if selection.profiles.is_empty() { &all } else { &selection.profiles };
    for profile in profiles {
        let Some(members) = lock.profiles.get(profile) else {
            return Err(Error::Unknown { what: "profile", name: profile.clone(), known: all });
        };
        carried.extend(members.iter().cloned());
    }
    if selection.components.is_empty() {
        return Ok(carried);
    }
    for component in &selection.components {
        if !carried.contains(component) {
            // What only `unresolved` names is known too; it fails later with its reason.
            let known: Vec<String> = lock.profiles.values().flatten().cloned().collect();
            if known.contains(component) || lock.components.contains_key(component) {
                return Err(Error::Outside { component: component.clone() });
            }
            return Err(Error::Unknown { what: "component", name: component.clone(), known });
        }
    }
    Ok(selection.components.iter().cloned().collect())
}

/// What the catalog says otherwise than the lock, as far as the selection goes.
fn differences(lock: &Lock, catalog: &Catalog, components: &BTreeSet<String>) -> Vec<String> {
    let mut differences = Vec::new();
    let mut compare = |what: &str, locked: &str, wanted: &str| {
        if locked != wanted {
            differences.push(format!("{what} is {wanted} in the catalog, {locked} in the lock"));
        }
    };
    let (bundle, file) = (&lock.bundle, &catalog.file);
    let kubeedge = file.platform.kubeedge.as_ref().map_or("none", |version| version.value.as_str());
    let list = |archs: &[Arch]| {
        let sorted: BTreeSet<_> = archs.iter().map(|arch| arch.as_str()).collect();
        sorted.into_iter().collect::<Vec<_>>().join(", ")
    };
    compare("the bundle's name", &bundle.name, &file.name.value);
    compare("the bundle's version", &bundle.version, &file.version.value);
    compare("Kubernetes", &bundle.kubernetes, &file.platform.kubernetes.value);
    compare("KubeEdge", bundle.kubeedge.as_deref().unwrap_or("none"), kubeedge);
    compare("the list of architectures", &list(&bundle.architectures), &list(&file.platform.architectures));

    let locked: BTreeMap<&str, BTreeSet<&str>> = lock
        .profiles
        .iter()
        .map(|(name, members)| (name.as_str(), members.iter().map(String::as_str).collect()))
        .collect();
    let wanted: BTreeMap<&str, BTreeSet<&str>> = (file.profiles.iter())
        .map(|(name, profile)| {
            (name.as_str(), profile.value.components().iter().map(|member| member.value.as_str()).collect())
        })
        .collect();
    for name in locked.keys().chain(wanted.keys()).collect::<BTreeSet<_>>() {
        if locked.get(name) != wanted.get(name) {
            differences.push(format!("profile {name} has other components in the catalog than in the lock"));
        }
    }
    if bundle.installers != catalog.installers_digest() {
        differences.push("the installers changed since the lock was resolved".to_owned());
    }
    for name in components {
        let Some(inputs) = catalog.inputs.get(name) else {
            differences.push(format!("component {name} is not in the catalog"));
            continue;
        };
        // A component that failed to resolve may have no entry; `unresolved` tells why.
        if let Some(component) = lock.components.get(name)
            && component.inputs != catalog::inputs_digest(inputs)
        {
            differences.push(format!("the files of component {name} changed since it was resolved"));
        }
    }
    differences
}

fn narrow(lock: &Lock, components: &BTreeSet<String>, archs: &[Arch], signatures: bool) -> Lock {
    let mut narrowed = lock.clone();
    narrowed.bundle.architectures = archs.to_vec();
    narrowed.unresolved.clear();
    for members in narrowed.profiles.values_mut() {
        members.retain(|member| components.contains(member));
    }
    narrowed.profiles.retain(|_, members| !members.is_empty());
    narrowed.components.retain(|name, _| components.contains(name));
    for component in narrowed.components.values_mut() {
        for file in component.files.values_mut() {
            file.retain(|arch, _| archs.contains(arch));
        }
    }
    let used: BTreeSet<_> = narrowed.components.values().flat_map(|component| &component.images).collect();
    narrowed.images = lock.images.iter().filter(|(reference, _)| used.contains(reference)).map(clone_pair).collect();
    for image in narrowed.images.values_mut() {
        image.platforms.retain(|arch, _| archs.contains(arch));
        if signatures { image.keep_attached() } else { image.attached.clear() }
    }
    narrowed
}

fn clone_pair<K: Clone, V: Clone>((key, value): (&K, &V)) -> (K, V) {
    (key.clone(), value.clone())
}

/// What the selection wants without having a digest for it: what the lock says so of, and what a hand edit lost.
fn missing(lock: &Lock, narrowed: &Lock, components: &BTreeSet<String>) -> BTreeSet<Missing> {
    let mut missing: BTreeSet<Missing> = (lock.unresolved.iter())
        .filter(|entry| components.contains(&entry.component))
        .map(|entry| Missing {
            component: entry.component.clone(),
            artifact: entry.artifact.clone(),
            reason: entry.reason.clone(),
        })
        .collect();
    let named: BTreeSet<(String, String)> = missing.iter().map(|m| (m.component.clone(), m.artifact.clone())).collect();
    let mut add = |component: &str, artifact: String, reason: &str| {
        if !named.contains(&(component.to_owned(), artifact.clone())) {
            missing.insert(Missing { component: component.to_owned(), artifact, reason: reason.to_owned() });
        }
    };
    for name in components {
        let Some(component) = narrowed.components.get(name) else {
            if !named.iter().any(|(component, _)| component == name) {
                add(name, name.clone(), "the lock has no entry for it");
            }
            continue;
        };
        for reference in component.images.iter().filter(|reference| !narrowed.images.contains_key(reference)) {
            add(name, reference.to_string(), "the lock has no digest for it");
        }
        for (file, by_arch) in &component.files {
            for arch in narrowed.bundle.architectures.iter().filter(|arch| !by_arch.contains_key(arch)) {
                if !named.contains(&(name.clone(), file.clone())) {
                    add(name, format!("{file} for {arch}"), "the lock has no digest for it");
                }
            }
        }
    }
    missing
}
