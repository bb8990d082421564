//! What is there against what the bundle says: `SHA256SUMS`, `bundle.yaml` and the lists of images.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::report::{Finding, Kind, Report};
use crate::bundle::contents::images::{self, Images};
use crate::bundle::model::{self, BundleFile};
use crate::bundle::read::Bundle;
use crate::bundle::sums;
use crate::lock::model::Image;
use crate::name;
use crate::oci::manifest::{MAX_MANIFEST, Manifest, View};
use crate::oci::{Digest, Reference};

/// The largest list of images that is read, 16 MiB: a thousand images have less than one.
const MAX_LIST: u64 = 16 << 20;
/// The sum of all manifests that are kept, 256 MiB: those of a thousand images have less than 20.
const MAX_DOCUMENTS: u64 = 256 << 20;

/// Checks a bundle whose members have these digests.
pub(super) fn check(bundle: &Bundle, digests: &[Option<Digest>], report: &mut Report) {
    let mut check = Check { bundle, digests, report };
    check.sums();
    check.blob_names();
    let about = match bundle.about() {
        Ok(about) => about,
        Err(error) => {
            let kind = if bundle.find(model::BUNDLE_YAML).is_some() { Kind::Content } else { Kind::Missing };
            check.add(Finding::from_error(kind, Some(model::BUNDLE_YAML), &error));
            return;
        }
    };
    check.report.name = Some(about.name.clone());
    check.report.version = Some(about.version.clone());
    check.report.profiles.clone_from(&about.profiles);
    check.report.architectures.clone_from(&about.architectures);
    check.report.images = about.lock.images.len();
    check.lock(&about);
    let mut expected = check.carried(&about);
    check.images(&about, &mut expected);
    check.extra(&about, &expected);
}

struct Check<'a> {
    bundle: &'a Bundle,
    digests: &'a [Option<Digest>],
    report: &'a mut Report,
}

impl Check<'_> {
    fn add(&mut self, finding: Finding) {
        self.report.add(finding);
    }

    /// Every member is listed with its digest, in the order of the archive, and nothing else.
    fn sums(&mut self) {
        let bytes = match self.bundle.read(model::SUMS, sums::MAX_SIZE) {
            Ok(bytes) => bytes,
            Err(error) => return self.add(Finding::from_error(Kind::Missing, Some(model::SUMS), &error)),
        };
        let wrong = |message: String| Finding::new(Kind::Content, message).at(model::SUMS);
        let list = match std::str::from_utf8(&bytes).map(sums::parse) {
            Ok(Ok(list)) => list,
            Ok(Err(error)) => return self.add(wrong(error.to_string())),
            Err(_) => return self.add(wrong("it is not UTF-8".to_owned())),
        };
        for (path, expected) in &list {
            match self.bundle.find(path).map(|index| self.digests[index]) {
                None => self.add(Finding::new(Kind::Missing, "listed in SHA256SUMS, but not there").at(*path)),
                Some(Some(found)) if found != *expected => {
                    let finding = Finding::new(Kind::Digest, "not the bytes that SHA256SUMS lists");
                    self.add(finding.at(*path).differs(expected, found));
                }
                Some(_) => {}
            }
        }
        let listed: BTreeSet<_> = list.iter().map(|(path, _)| *path).collect();
        for member in self.bundle.members() {
            if !matches!(member.path.as_str(), model::SUMS | model::SUMS_SIG) && !listed.contains(member.path.as_str())
            {
                self.add(Finding::new(Kind::Extra, "not listed in SHA256SUMS").at(&member.path));
            }
        }
        if !list.iter().map(|(path, _)| model::order(path)).is_sorted() {
            self.add(wrong("its lines are not in the order of the bundle".to_owned()));
        }
    }

    /// Every blob has the digest that is its name.
    fn blob_names(&mut self) {
        for (index, member) in self.bundle.members().iter().enumerate() {
            let Some(name) = member.path.strip_prefix(model::BLOBS) else { continue };
            match (Digest::from_hex(name), self.digests[index]) {
                (Err(_), _) => self.add(Finding::new(Kind::Extra, "its name is no sha256").at(&member.path)),
                (Ok(expected), Some(found)) if expected != found => {
                    let finding = Finding::new(Kind::Digest, "not the bytes that its name says");
                    self.add(finding.at(&member.path).differs(expected, found));
                }
                (Ok(_), _) => {}
            }
        }
    }

    /// The selected part of the lock fits itself.
    fn lock(&mut self, about: &BundleFile) {
        let wrong = |message: &str| Finding::new(Kind::Content, message).at(model::BUNDLE_YAML);
        let used: BTreeSet<_> = about.lock.components.values().flat_map(|component| &component.images).collect();
        for reference in &used {
            if !about.lock.images.contains_key(reference) {
                self.add(wrong("a component runs an image that the lock does not have").differs(reference, "nothing"));
            }
        }
        for reference in about.lock.images.keys().filter(|reference| !used.contains(reference)) {
            self.add(wrong("the lock has an image that no component runs").differs("nothing", reference));
        }
        for unresolved in &about.lock.unresolved {
            self.add(wrong("something is unresolved").differs("nothing", &unresolved.artifact));
        }
        // They become parts of file names and labels on the site.
        for (what, text, good) in [
            ("name", &about.name, name::is_name(&about.name)),
            ("version", &about.version, name::is_version(&about.version)),
        ] {
            if !good {
                self.add(wrong(&format!("its {what} is none that a bundle can have")).differs("a plain word", text));
            }
        }
        if about.architectures.is_empty() {
            self.add(wrong("no architecture is named"));
        }
        if !about.architectures.is_sorted() || !about.profiles.is_sorted() {
            self.add(wrong("architectures or profiles are not sorted"));
        }
    }

    /// Charts and files are there with the lock's digests and sizes; gives the paths of all.
    fn carried(&mut self, about: &BundleFile) -> BTreeSet<String> {
        let mut expected: BTreeSet<_> = [
            model::BUNDLE_YAML,
            model::SUMS,
            model::SUMS_SIG,
            model::README,
            model::SBOM,
            model::OCI_LAYOUT,
            model::INDEX,
        ]
        .into_iter()
        .map(str::to_owned)
        .collect();
        for chart in about.charts() {
            self.file(&chart.path, chart.digest, chart.size);
            self.report.charts += usize::from(expected.insert(chart.path));
        }
        for file in about.files() {
            self.file(&file.path, file.digest, file.size);
            self.report.files += usize::from(expected.insert(file.path));
        }
        for added in &about.added {
            self.file(&added.path, Some(added.digest), Some(added.size));
            self.report.files += usize::from(expected.insert(added.path.clone()));
        }
        for path in [model::README, model::SBOM, model::OCI_LAYOUT, model::INDEX] {
            self.file(path, None, None);
        }
        if about.architectures.len() == 1 {
            expected.insert(model::MANIFEST.to_owned());
            self.file(model::MANIFEST, None, None);
        }
        expected
    }

    /// One file is there, with the digest and the size that are known of it.
    fn file(&mut self, path: &str, digest: Option<Digest>, size: Option<u64>) {
        let Some(index) = self.bundle.find(path) else {
            return self.add(Finding::new(Kind::Missing, "bundle.yaml needs it, but it is not there").at(path));
        };
        if let (Some(expected), Some(found)) = (digest, self.digests[index])
            && expected != found
        {
            self.add(Finding::new(Kind::Digest, "not what bundle.yaml names").at(path).differs(expected, found));
        }
        let found = self.bundle.members()[index].size;
        if let Some(expected) = size.filter(|expected| *expected != found) {
            self.add(
                Finding::new(Kind::Digest, "not the size that bundle.yaml names").at(path).differs(expected, found),
            );
        }
    }

    /// Every image is whole: its documents, configurations and layers; and the lists name all of them and no other.
    fn images(&mut self, about: &BundleFile, expected: &mut BTreeSet<String>) {
        let before = self.report.findings.len() + self.report.more;
        let mut documents = BTreeMap::new();
        let mut budget = MAX_DOCUMENTS;
        for (reference, image) in &about.lock.images {
            self.load(reference, image.digest, image.media_type.as_deref(), &mut documents, &mut budget);
            for attached in &image.attached {
                self.load(reference, attached.digest, Some(&attached.media_type), &mut documents, &mut budget);
            }
            let Some(top) = documents.get(&image.digest) else { continue };
            let children: Vec<_> = about
                .architectures
                .iter()
                .filter_map(|arch| top.child(*arch))
                .map(|child| (child.digest, child.media_type.clone()))
                .collect();
            for (digest, media_type) in children {
                self.load(reference, digest, Some(&media_type), &mut documents, &mut budget);
            }
        }
        for (reference, image) in &about.lock.images {
            expected.insert(model::blob_path(image.digest));
            self.image(about, reference, image, &documents, expected);
        }
        self.list(model::OCI_LAYOUT, images::LAYOUT.as_bytes());
        // A list can only be told from documents that are whole.
        if self.report.findings.len() + self.report.more == before
            && let Ok(images) = Images::of(about, &documents)
        {
            self.index(&images);
            if about.architectures.len() == 1 {
                self.list(model::MANIFEST, &images.manifest_json());
            }
        }
    }

    /// Reads a manifest or an index whose bytes have the digest of its name.
    fn load(
        &mut self,
        reference: &Reference,
        digest: Digest,
        media_type: Option<&str>,
        documents: &mut BTreeMap<Digest, Manifest>,
        budget: &mut u64,
    ) {
        let path = model::blob_path(digest);
        let hashed = self.bundle.find(&path).and_then(|index| self.digests[index]);
        // One that is missing or damaged is told by `image` and `blob_names`.
        if documents.contains_key(&digest) || hashed != Some(digest) {
            return;
        }
        let bytes = match self.bundle.read(&path, MAX_MANIFEST.min(*budget)) {
            Ok(bytes) => bytes,
            Err(error) => return self.add(Finding::from_error(Kind::Content, Some(&path), &error)),
        };
        *budget -= bytes.len() as u64;
        match Manifest::parse(bytes.into(), media_type) {
            Ok(manifest) => drop(documents.insert(digest, manifest)),
            Err(error) => {
                let mut finding = Finding::from_error(Kind::Content, Some(&path), &error);
                finding.message = format!("of `{reference}`: {}", finding.message);
                self.add(finding);
            }
        }
    }

    /// One image for every architecture of the bundle.
    fn image(
        &mut self,
        about: &BundleFile,
        reference: &Reference,
        image: &Image,
        documents: &BTreeMap<Digest, Manifest>,
        expected: &mut BTreeSet<String>,
    ) {
        let name = reference.to_string();
        let top = match images::top(reference, image, documents) {
            Ok(top) => top,
            Err(error) => return self.add(Finding::from_error(kind(&error), Some(&name), &error)),
        };
        for arch in &about.architectures {
            if let (View::Index(_), Some(child)) = (&top.view, top.child(*arch)) {
                expected.insert(model::blob_path(child.digest));
            }
            let manifest = match images::child(reference, image, top, *arch, documents) {
                Ok(manifest) => manifest,
                Err(error) => {
                    self.add(Finding::from_error(kind(&error), Some(&name), &error));
                    continue;
                }
            };
            self.parts(&name, &format!("a blob of `{name}` for linux/{arch}"), manifest, expected);
        }
        for attached in &image.attached {
            expected.insert(model::blob_path(attached.digest));
            match images::attached(reference, attached, documents) {
                Ok(manifest) => {
                    let what = format!("a blob of the {} of `{name}`", attached.kind().name());
                    self.parts(&name, &what, manifest, expected);
                }
                Err(error) => self.add(Finding::from_error(kind(&error), Some(&name), &error)),
            }
        }
    }

    /// What a manifest of an image names is there.
    fn parts(&mut self, name: &str, what: &str, manifest: &Manifest, expected: &mut BTreeSet<String>) {
        for part in images::parts(manifest) {
            let path = model::blob_path(part.digest);
            match self.bundle.find(&path).map(|index| self.bundle.members()[index].size) {
                None => self.add(Finding::new(Kind::Missing, what).at(&path)),
                Some(size) if size != part.size => {
                    let finding = Finding::new(Kind::Content, format!("not the size that `{name}` names"));
                    self.add(finding.at(&path).differs(part.size, size));
                }
                Some(_) => {}
            }
            expected.insert(path);
        }
    }

    /// `index.json` names every image of the lock, and nothing else.
    fn index(&mut self, images: &Images<'_>) {
        let Some(found) = self.json(model::INDEX) else { return };
        let expected: Value = serde_json::from_slice(&images.index_json()).unwrap_or_default();
        if found == expected {
            return;
        }
        let (expected, found) = (descriptors(&expected), descriptors(&found));
        let mut told = false;
        for (name, descriptor) in &expected {
            let finding = match found.get(name) {
                None => Finding::new(Kind::Missing, "an image that is not in index.json").at(name),
                Some(found) if found != descriptor => {
                    let digest = |value: &Value| value["digest"].as_str().unwrap_or("another").to_owned();
                    let finding = Finding::new(Kind::Content, "index.json has another descriptor for it").at(name);
                    finding.differs(digest(descriptor), digest(found))
                }
                Some(_) => continue,
            };
            self.add(finding);
            told = true;
        }
        for name in found.keys().filter(|name| !expected.contains_key(*name)) {
            self.add(Finding::new(Kind::Extra, "an image of index.json that the lock does not have").at(name));
            told = true;
        }
        if !told {
            let message = "it says something else than the lock, or something twice";
            self.add(Finding::new(Kind::Content, message).at(model::INDEX));
        }
    }

    /// A JSON file says what it has to, whatever its spaces.
    fn list(&mut self, path: &str, expected: &[u8]) {
        let expected: Value = serde_json::from_slice(expected).unwrap_or_default();
        if self.json(path).is_some_and(|found| found != expected) {
            self.add(Finding::new(Kind::Content, "it does not say what the images are").at(path));
        }
    }

    /// Reads a JSON file; one that is missing is told by `file`.
    fn json(&mut self, path: &str) -> Option<Value> {
        self.bundle.find(path)?;
        let bytes = match self.bundle.read(path, MAX_LIST) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.add(Finding::from_error(Kind::Content, Some(path), &error));
                return None;
            }
        };
        serde_json::from_slice(&bytes)
            .map_err(|error| self.add(Finding::new(Kind::Content, format!("it is no JSON: {error}")).at(path)))
            .ok()
    }

    /// Nothing is there that neither the lock nor the bundle's form has.
    fn extra(&mut self, about: &BundleFile, expected: &BTreeSet<String>) {
        for member in self.bundle.members() {
            let path = member.path.as_str();
            let component = path.strip_prefix("components/").and_then(|rest| rest.split_once('/'));
            let known = expected.contains(path)
                || model::is_installer(path)
                || component.is_some_and(|(name, _)| about.lock.components.contains_key(name));
            if !known {
                self.add(Finding::new(Kind::Extra, "nothing in bundle.yaml needs it").at(path));
            }
        }
    }
}

fn kind(error: &images::Error) -> Kind {
    match error {
        images::Error::Missing { .. } | images::Error::NoPlatform { .. } => Kind::Missing,
        images::Error::Digest { .. } => Kind::Digest,
        images::Error::Size { .. } | images::Error::Kind { .. } | images::Error::Subject { .. } => Kind::Content,
    }
}

/// The descriptors of an index by the name that they carry; the last of equal names.
fn descriptors(index: &Value) -> BTreeMap<String, Value> {
    let name = |descriptor: &Value| match descriptor["annotations"][images::REF_NAME].as_str() {
        Some(name) => name.to_owned(),
        None => "(an image without a name)".to_owned(),
    };
    let list = index["manifests"].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|descriptor| (name(descriptor), descriptor.clone())).collect()
}
