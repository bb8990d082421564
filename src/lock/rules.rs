//! What a lock has to keep to beyond its shape: what `resolve` writes always does, so these are a hand's mistakes.

mod artifacts;

use std::collections::BTreeSet;

use super::Lock;
use super::model::Unresolved;
use crate::name::{self, is_name, is_version};
use crate::oci::Reference;
use crate::yaml::{self, Report, YamlError};

/// All that is wrong with a lock; `file` and `text` are what it was read from.
pub(super) fn check(file: &str, text: &str, lock: &Lock) -> Vec<YamlError> {
    let mut report = Report::new(file, text);
    bundle(lock, &mut report);
    profiles(lock, &mut report);
    components(lock, &mut report);
    images(lock, text, &mut report);
    unresolved(lock, &mut report);
    report.finish()
}

fn bundle(lock: &Lock, report: &mut Report<'_>) {
    let bundle = &lock.bundle;
    if !is_name(&bundle.name) {
        let message = format!("`{}` cannot name a bundle", bundle.name);
        report.wrong_at(&["bundle", "name"], message, name::RULE.to_owned());
    }
    if !is_version(&bundle.version) {
        report.wrong_at(&["bundle", "version"], format!("`{}` cannot be a bundle's version", bundle.version), None);
    }
    let path = ["bundle", "architectures"];
    if bundle.architectures.is_empty() {
        report.wrong_at(&path, "no architecture", None);
    }
    let mut seen = BTreeSet::new();
    if let Some(arch) = bundle.architectures.iter().find(|arch| !seen.insert(**arch)) {
        report.wrong_at(&path, format!("architecture `{arch}` a second time"), None);
    }
}

fn profiles(lock: &Lock, report: &mut Report<'_>) {
    let known: Vec<&str> = lock.components.keys().map(String::as_str).collect();
    for (profile, components) in &lock.profiles {
        if !is_name(profile) {
            let message = format!("`{profile}` cannot name a profile");
            report.wrong_at(&["profiles", profile], message, name::RULE.to_owned());
        }
        let mut seen = BTreeSet::new();
        for (i, component) in components.iter().enumerate() {
            let path = ["profiles", profile, &i.to_string()];
            let unknown = || lock.unresolved.iter().any(|missing| &missing.component == component);
            if !seen.insert(component) {
                report.wrong_at(&path, format!("component `{component}` a second time in this profile"), None);
            } else if !lock.components.contains_key(component) && !unknown() {
                let message = format!("profile `{profile}` names component `{component}`, which is not in the lock");
                report.wrong_at(&path, message, yaml::nearest(component, &known));
            }
        }
    }
}

fn components(lock: &Lock, report: &mut Report<'_>) {
    let mut files = BTreeSet::new();
    for (name, component) in &lock.components {
        let path = ["components", name.as_str()];
        if !is_name(name) {
            report.wrong_at(&path, format!("`{name}` cannot name a component"), name::RULE.to_owned());
        }
        let texts = [Some(&component.version), component.tag.as_ref(), component.app_version.as_ref()];
        for (field, text) in ["version", "tag", "app_version"].into_iter().zip(texts) {
            if text.is_some_and(|text| !is_word(text)) {
                report.wrong_at(&[path[0], path[1], field], "a version is one word", None);
            }
        }
        artifacts::charts(name, component, report);
        artifacts::files(name, component, lock, report);
        for file in component.files.keys() {
            if !files.insert(file) {
                let message = format!("another component has a file `{file}` too, and a bundle has one place for it");
                report.wrong_at(&[path[0], path[1], "files", file], message, None);
            }
        }
        let mut seen = BTreeSet::new();
        for (i, image) in component.images.iter().enumerate() {
            let path = [path[0], path[1], "images", &i.to_string()];
            let missing = || !lock.unresolved.iter().any(|missing| missing.component == *name && missing.is(image));
            if !seen.insert(image) {
                report.wrong_at(&path, format!("image `{image}` a second time"), None);
            } else if !lock.images.contains_key(image) && missing() {
                let message = format!("image `{image}` has no entry under `images` or `unresolved`");
                report.wrong_at(&path, message, again());
            }
        }
    }
}

fn images(lock: &Lock, text: &str, report: &mut Report<'_>) {
    let used: BTreeSet<&Reference> = lock.components.values().flat_map(|component| &component.images).collect();
    for (reference, image) in &lock.images {
        let name = reference.to_string();
        if !used.contains(reference) {
            report.wrong_at(&["images", &name], format!("no component uses image `{name}`"), again());
        }
        artifacts::image(reference, image, &lock.bundle.architectures, report);
    }
    // Two spellings of one name would be one entry without a word: the last one.
    for (key, place) in yaml::keys_of(text, "images") {
        if let Ok(reference) = key.parse::<Reference>()
            && reference.to_string() != key
        {
            report.wrong(place, format!("image `{key}` is not written in full"), format!("write `{reference}`"));
        }
    }
}

fn unresolved(lock: &Lock, report: &mut Report<'_>) {
    let mut seen = BTreeSet::new();
    for (i, missing) in lock.unresolved.iter().enumerate() {
        let path = ["unresolved", &i.to_string()];
        if !seen.insert((&missing.component, &missing.artifact)) {
            report.wrong_at(&path, format!("`{}` a second time", missing.artifact), None);
        }
        if missing.artifact.is_empty() || missing.reason.trim().is_empty() {
            report.wrong_at(&path, "what is unresolved has a name and a reason", None);
        }
        if !lock.profiles.values().flatten().chain(lock.components.keys()).any(|name| *name == missing.component) {
            report.wrong_at(&path, format!("component `{}` is not in the lock", missing.component), again());
        }
    }
}

impl Unresolved {
    /// Whether it speaks of this image, in whatever way its name is written.
    fn is(&self, image: &Reference) -> bool {
        self.artifact.parse::<Reference>().is_ok_and(|artifact| artifact == *image)
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= crate::version::MAX_VERSION && text.bytes().all(|c| c.is_ascii_graphic())
}

/// What repairs a lock that does not fit together.
fn again() -> String {
    "run `bundler resolve` again".to_owned()
}
