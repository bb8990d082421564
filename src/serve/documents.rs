//! What bundles carry beside images, charts and files: the installer, values, resources, checksums and lists.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::bundle::read::Bundle;
use crate::bundle::set::{Blob, Set};
use crate::bundle::{model, sums};
use crate::oci::Digest;

/// Where the documents are that each of several bundles has in its own form, behind the bundle's number from 1.
const EACH: &str = "bundles/";

/// A document by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) blob: Blob,
    /// Its digest; none where the bundle's checksums do not name it, so that nobody could say whether it is good.
    pub(super) digest: Option<Digest>,
}

/// All documents, and what the bundles' checksums say of every member.
#[derive(Debug, Default)]
pub(super) struct Documents {
    documents: BTreeMap<String, Document>,
    sums: HashMap<(usize, usize), Digest>,
}

impl Documents {
    /// Reads the checksums of a set; a list that is damaged gives none.
    pub(super) fn read(set: &Set) -> Self {
        let mut sums = HashMap::new();
        let mut found = BTreeMap::<&str, Vec<Document>>::new();
        for (index, opened) in set.bundles().iter().enumerate() {
            sums.extend(digests(&opened.bundle).into_iter().map(|(member, digest)| ((index, member), digest)));
            for (member, entry) in opened.bundle.members().iter().enumerate() {
                if is_document(&entry.path) {
                    let blob = Blob { bundle: index, member, size: entry.size };
                    let digest = sums.get(&(index, member)).copied();
                    found.entry(&entry.path).or_default().push(Document { blob, digest });
                }
            }
        }
        let mut documents = BTreeMap::new();
        for (path, each) in found {
            let forms: BTreeSet<_> = each.iter().map(|document| (document.digest, document.blob.size)).collect();
            // What all bundles have in one form is there once, what they differ in is there for each.
            if forms.len() == 1 {
                documents.insert(path.to_owned(), each[0]);
            } else {
                let name = |document: &Document| format!("{EACH}{}/{path}", document.blob.bundle + 1);
                documents.extend(each.iter().map(|document| (name(document), *document)));
            }
        }
        Self { documents, sums }
    }

    /// What has this path.
    pub(super) fn get(&self, path: &str) -> Option<Document> {
        self.documents.get(path).copied()
    }

    /// All by path.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Document)> {
        self.documents.iter().map(|(path, document)| (path.as_str(), *document))
    }

    /// The digest that a bundle's checksums give to a member.
    pub(super) fn sum(&self, blob: Blob) -> Option<Digest> {
        self.sums.get(&(blob.bundle, blob.member)).copied()
    }
}

/// The type of bytes by their name: what a browser may show is plain text, nothing is a page.
pub(super) fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, suffix)| suffix) {
        Some("tgz") => "application/gzip",
        Some("json") => "application/json",
        Some("txt" | "yaml" | "sh" | "env" | "tsv") => "text/plain; charset=utf-8",
        None if path.ends_with(model::SUMS) => "text/plain; charset=utf-8",
        _ => super::site::OCTETS,
    }
}

/// Charts, files and images have doors of their own, and the lists of one bundle's images describe no registry.
fn is_document(path: &str) -> bool {
    let elsewhere = ["charts/", model::FILES, "blobs/"];
    !elsewhere.iter().any(|folder| path.starts_with(folder))
        && ![model::OCI_LAYOUT, model::INDEX, model::MANIFEST].contains(&path)
}

/// The digests of a bundle's members by its `SHA256SUMS`, and of those checksums themselves and their signature, of
/// which only a signature can say whether they are good.
fn digests(bundle: &Bundle) -> Vec<(usize, Digest)> {
    let read = |path| bundle.read(path, sums::MAX_SIZE).ok();
    let Some(list) = read(model::SUMS) else { return Vec::new() };
    let text = std::str::from_utf8(&list).unwrap_or_default();
    let lines = sums::parse(text).unwrap_or_default();
    let own =
        [(model::SUMS, Some(Digest::of(&list))), (model::SUMS_SIG, read(model::SUMS_SIG).map(|s| Digest::of(&s)))];
    let own = own.into_iter().filter_map(|(path, digest)| Some((path, digest?)));
    lines.into_iter().chain(own).filter_map(|(path, digest)| Some((bundle.find(path)?, digest))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_stays_inside() {
        for path in ["README.txt", "SHA256SUMS", "SHA256SUMS.sig", "lib/common.sh", "components/x/values.yaml"] {
            assert!(is_document(path), "{path}");
        }
        for path in ["oci-layout", "index.json", "manifest.json", "blobs/sha256/ab", "charts/x.tgz", "files/k3s"] {
            assert!(!is_document(path), "{path}");
        }
    }

    #[test]
    fn nothing_is_a_page() {
        assert_eq!(media_type("bundles/1/SHA256SUMS"), "text/plain; charset=utf-8");
        assert_eq!(media_type("components/x/resources/a.yaml"), "text/plain; charset=utf-8");
        assert_eq!(media_type("sbom.cdx.json"), "application/json");
        assert_eq!(media_type("charts/x-1.tgz"), "application/gzip");
        for path in ["components/x/page.html", "SHA256SUMS.sig", "components/x/logo.svg", "files/k3s"] {
            assert_eq!(media_type(path), "application/octet-stream", "{path}");
        }
    }
}
