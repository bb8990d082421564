//! The chosen images as one tar: an OCI image layout with `manifest.json`, which containerd, k3s, docker and podman
//! import. Every blob is hashed on its way.

use std::collections::BTreeSet;
use std::io::Write;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Error;
use super::choose::Wanted;
use crate::bundle::contents::images::{self, CONTAINERD_NAME, LAYOUT, REF_NAME};
use crate::bundle::model::{INDEX, MANIFEST, OCI_LAYOUT, blob_path};
use crate::bundle::set::{self, Blob, Set};
use crate::bundle::tar;
use crate::event::{Event, Reporter};
use crate::oci::{Digest, Hasher, Reference, media_type};

/// How much is read at once, 1 MiB: large enough for the system calls not to count.
const CHUNK: u64 = 1 << 20;

/// A blob of the chosen images with the first image that needs it.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) digest: Digest,
    pub(super) blob: Blob,
    pub(super) reference: Reference,
}

/// Documents, configurations and layers of images, each once and sorted by digest.
pub(super) fn parts(set: &Set, wanted: &[&Wanted]) -> Vec<Part> {
    let mut seen = BTreeSet::new();
    let mut parts = Vec::new();
    for image in wanted {
        let documents = image.documents().map(|document| document.digest);
        let digests: Vec<_> = documents.chain(image.contents().into_keys()).collect();
        for digest in digests.into_iter().filter(|digest| seen.insert(*digest)) {
            // `choose` has seen that it is there.
            let part = set.blob(digest).map(|blob| Part { digest, blob, reference: image.reference.clone() });
            parts.extend(part);
        }
    }
    parts.sort_by_key(|part| part.digest);
    parts
}

/// What failed while bytes were passed on.
#[derive(Debug)]
pub(super) enum Fault {
    /// The bundle.
    Bundle(Error),
    /// Who takes the bytes.
    Sink(std::io::Error),
}

impl Part {
    /// Passes the bytes on; an error when they are not what the digest says, after all were passed.
    pub(super) fn copy(
        &self,
        set: &Set,
        sink: &mut dyn Write,
        reporter: &dyn Reporter,
        cancel: &CancellationToken,
    ) -> Result<(), Fault> {
        let mut hasher = Hasher::new();
        let mut buffer = Vec::new();
        let mut at = 0;
        while at < self.blob.size {
            if cancel.is_cancelled() {
                return Err(Fault::Bundle(Error::Interrupted));
            }
            let length = CHUNK.min(self.blob.size - at);
            buffer.resize(length as usize, 0);
            let read = set.read_at(self.blob, at, &mut buffer);
            read.map_err(|error| Fault::Bundle(set::Error::from(error).into()))?;
            hasher.update(&buffer);
            sink.write_all(&buffer).map_err(Fault::Sink)?;
            reporter.report(Event::Bytes(length));
            at += length;
        }
        let found = hasher.finish();
        if found == self.digest {
            return Ok(());
        }
        let reference = self.reference.to_string();
        Err(Fault::Bundle(Error::Damaged { reference, digest: self.digest, found }))
    }
}

/// A tar that is not written yet.
pub(super) struct Archive<'a> {
    set: &'a Set,
    /// Everything before the blobs, as bytes of the tar.
    head: Vec<u8>,
    parts: Vec<Part>,
}

impl<'a> Archive<'a> {
    /// Lays the images out; equal images give equal bytes.
    pub(super) fn new(set: &'a Set, wanted: &[&Wanted]) -> Self {
        let mut head = Vec::new();
        add(&mut head, OCI_LAYOUT, LAYOUT.as_bytes());
        let index = json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_INDEX,
            "manifests": wanted.iter().flat_map(|image| descriptors(image)).collect::<Vec<_>>(),
        });
        add(&mut head, INDEX, &bytes(&index));
        if wanted.iter().all(|image| image.manifests.len() == 1) {
            let saved: Vec<_> = wanted.iter().flat_map(|image| saved(image)).collect();
            add(&mut head, MANIFEST, &bytes(&Value::from(saved)));
        }
        Self { set, head, parts: parts(set, wanted) }
    }

    /// Everything before the blobs: it names every one of them.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    pub(super) fn blobs(&self) -> usize {
        self.parts.len()
    }

    /// The bytes of the blobs.
    pub(super) fn weight(&self) -> u64 {
        self.parts.iter().map(|part| part.blob.size).sum()
    }

    /// The size of the tar.
    pub(super) fn size(&self) -> u64 {
        let part = |part: &Part| tar::RECORD + part.blob.size.next_multiple_of(tar::RECORD);
        self.head.len() as u64 + self.parts.iter().map(part).sum::<u64>() + tar::END
    }

    /// Writes the tar.
    pub(super) fn write(
        &self,
        sink: &mut dyn Write,
        reporter: &dyn Reporter,
        cancel: &CancellationToken,
    ) -> Result<(), Fault> {
        sink.write_all(&self.head).map_err(Fault::Sink)?;
        for part in &self.parts {
            sink.write_all(&header(&blob_path(part.digest), part.blob.size)).map_err(Fault::Sink)?;
            part.copy(self.set, sink, reporter, cancel)?;
            sink.write_all(&padding(part.blob.size)).map_err(Fault::Sink)?;
        }
        sink.write_all(&[0; tar::END as usize]).map_err(Fault::Sink)?;
        sink.flush().map_err(Fault::Sink)
    }
}

/// A descriptor for each name, as in a bundle's own `index.json`.
pub(super) fn descriptors(image: &Wanted) -> Vec<Value> {
    let descriptor = |name: String| {
        json!({
            "mediaType": image.top.media_type,
            "digest": image.top.digest,
            "size": image.top.bytes.len(),
            "annotations": { CONTAINERD_NAME: name, REF_NAME: name },
        })
    };
    image.names().into_iter().map(descriptor).collect()
}

/// The image as `docker save` lists it, which knows tags only.
fn saved(image: &Wanted) -> Option<Value> {
    let manifest = image.manifests.values().next()?;
    let mut paths = images::parts(manifest).map(|part| blob_path(part.digest));
    let config = paths.next()?;
    let tag = image.reference.tag().map(|tag| format!("{}:{tag}", image.reference.name()));
    let tags: Vec<_> = tag.into_iter().collect();
    Some(json!({ "Config": config, "RepoTags": tags, "Layers": paths.collect::<Vec<_>>() }))
}

/// The text of a JSON value.
pub(super) fn bytes(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

fn add(head: &mut Vec<u8>, path: &str, content: &[u8]) {
    let size = content.len() as u64;
    head.extend_from_slice(&header(path, size));
    head.extend_from_slice(content);
    head.extend_from_slice(&padding(size));
}

#[expect(clippy::expect_used, reason = "our own paths are short")]
fn header(path: &str, size: u64) -> [u8; 512] {
    tar::header(path, 0o644, size).expect("the path fits a header")
}

fn padding(size: u64) -> Vec<u8> {
    vec![0; (size.next_multiple_of(tar::RECORD) - size) as usize]
}
