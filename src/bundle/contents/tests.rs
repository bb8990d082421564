use std::path::Path;

use serde_json::{Value, json};

use super::super::write::Writer;
use super::super::{Layout, model};
use super::*;
use crate::lock::attached::Attached;
use crate::oci::{Arch, Reference, media_type};

/// The parts of a bundle and the bytes that a registry would give for them.
pub(crate) struct Sample {
    pub(crate) parts: Parts,
    pub(crate) blobs: BTreeMap<Digest, Vec<u8>>,
}

impl Sample {
    /// An image with an index of three platforms and an attestation, one by tag and digest, one without
    /// an index; a chart, and a program for each architecture.
    pub(crate) fn new(archs: &[Arch]) -> Self {
        let mut sample = Self { parts: parts(archs), blobs: BTreeMap::new() };
        let web = sample.index("web");
        let pinned = sample.index("pinned");
        let single = sample.manifest("single", "amd64", media_type::DOCKER_MANIFEST);
        sample.image("docker.io/library/web:1", web, media_type::OCI_INDEX);
        let reference = format!("registry.k8s.io:443/sig/pinned:v3@{pinned}");
        sample.image(&reference, pinned, media_type::OCI_INDEX);
        sample.image("quay.io/x/single:2", single, media_type::DOCKER_MANIFEST);
        let chart = sample.blob(b"a chart's bytes".to_vec());
        let archive = Digest::of(b"an archive that is not carried");
        let program = sample.blob(b"#!/bin/sh\necho program\n".to_vec());
        let mut yaml = format!(
            "version: 4.2.4\ninputs: {chart}\nchart: {{url: 'https://x.y/c.tgz', sha256: {}, size: 15, from: helm-index}}\n\
             images: ['docker.io/library/web:1', 'quay.io/x/single:2', '{reference}']\nfiles: {{tool: {{",
            chart.hex()
        );
        for arch in [Arch::Amd64, Arch::Arm64] {
            yaml += &format!(
                "{arch}: {{url: 'https://x.y/t', sha256: {}, from: download, member: {{path: t, sha256: {}, size: 23}}}}, ",
                archive.hex(),
                program.hex()
            );
        }
        let component = crate::yaml::parse("test", &(yaml + "}}")).unwrap();
        sample.parts.bundle.lock.components.insert("tool".to_owned(), component);
        let added = sample.blob(b"added".to_vec());
        sample.parts.bundle.added = vec![model::Added { path: "files/notes.txt".to_owned(), digest: added, size: 5 }];
        let values = Bytes::from_static(b"a: 1\n");
        sample.parts.component_files =
            BTreeMap::from([("tool".to_owned(), BTreeMap::from([("values.yaml".to_owned(), values)]))]);
        sample.parts.installers = BTreeMap::from([
            ("lib/common.sh".to_owned(), Bytes::from_static(b"# common\n")),
            ("install.sh".to_owned(), Bytes::from_static(b"#!/bin/sh\n")),
        ]);
        sample
    }

    pub(crate) fn blob(&mut self, bytes: Vec<u8>) -> Digest {
        let digest = Digest::of(&bytes);
        self.blobs.insert(digest, bytes);
        digest
    }

    fn image(&mut self, reference: &str, digest: Digest, media_type: &str) {
        let image = crate::lock::model::Image {
            digest,
            media_type: Some(media_type.to_owned()),
            platforms: BTreeMap::new(),
            attached: Vec::new(),
        };
        self.parts.bundle.lock.images.insert(reference.parse().unwrap(), image);
    }

    fn document(&mut self, value: &Value) -> Digest {
        let manifest = Manifest::parse(value.to_string().into(), None).unwrap();
        let digest = manifest.digest;
        self.parts.manifests.insert(digest, manifest);
        digest
    }

    fn manifest(&mut self, name: &str, arch: &str, media_type: &str) -> Digest {
        let config = json!({"architecture": arch, "os": "linux", "name": name}).to_string().into_bytes();
        let own = format!("layer of {name} for {arch} ").repeat(4000).into_bytes();
        let layers = [b"shared layer".to_vec(), own];
        let descriptor = |media_type: &str, bytes: &[u8]| json!({"mediaType": media_type, "digest": Digest::of(bytes), "size": bytes.len()});
        let value = json!({
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
            "layers": layers.iter().map(|l| descriptor("application/vnd.oci.image.layer.v1.tar", l)).collect::<Vec<_>>(),
        });
        self.blob(config);
        for layer in layers {
            self.blob(layer);
        }
        self.document(&value)
    }

    fn index(&mut self, name: &str) -> Digest {
        let mut manifests = Vec::new();
        for arch in ["amd64", "arm64", "s390x"] {
            let digest = self.manifest(name, arch, media_type::OCI_MANIFEST);
            let size = self.parts.manifests[&digest].bytes.len();
            manifests.push(json!({"mediaType": media_type::OCI_MANIFEST, "digest": digest, "size": size,
                "platform": {"architecture": arch, "os": "linux"}}));
        }
        manifests.push(json!({"mediaType": media_type::OCI_MANIFEST, "digest": Digest::of(b"attestation"), "size": 9,
            "platform": {"architecture": "unknown", "os": "unknown"}}));
        self.document(&json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": manifests}))
    }

    /// Writes the bundle that the parts make.
    pub(crate) fn write(&self, path: &Path) {
        let members = assemble(&self.parts).unwrap();
        let writer = Writer::create(path, Layout::new(members).unwrap()).unwrap();
        for index in 0..writer.layout().members().len() {
            let slot = writer.slot(index);
            if let Content::Blob(digest) = slot.member().content {
                slot.write_at(0, &self.blobs[&digest]).unwrap();
            }
        }
        writer.seal().unwrap().publish().unwrap();
    }
}

fn parts(archs: &[Arch]) -> Parts {
    let archs = archs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let yaml = format!(
        "{{schema: 1, name: observability, version: 1.4.0, profiles: [edge], architectures: [{archs}], lock: {{schema: 1, \
         bundle: {{name: observability, version: 1.4.0, kubernetes: '1.36', architectures: [{archs}]}}, \
         profiles: {{edge: [tool]}}, components: {{}}}}}}"
    );
    Parts {
        bundle: crate::yaml::parse("test", &yaml).unwrap(),
        manifests: BTreeMap::new(),
        carried: BTreeMap::new(),
        component_files: BTreeMap::new(),
        installers: BTreeMap::new(),
        sbom: Bytes::from_static(b"{}\n"),
    }
}

fn inline<'a>(members: &'a [Member], path: &str) -> &'a str {
    match &members.iter().find(|member| member.path == path).unwrap().content {
        Content::Inline(bytes) => std::str::from_utf8(bytes).unwrap(),
        Content::Blob(_) => panic!("{path} is a blob"),
    }
}

#[test]
fn members_come_in_their_order() {
    let members = assemble(&Sample::new(&[Arch::Arm64]).parts).unwrap();
    let paths: Vec<_> = members.iter().map(|member| member.path.as_str()).collect();
    let (named, blobs) = paths.split_at(13);
    assert_eq!(
        named,
        [
            "bundle.yaml",
            "SHA256SUMS",
            "README.txt",
            "install.sh",
            "lib/common.sh",
            "charts/tool-4.2.4.tgz",
            "files/notes.txt",
            "files/tool",
            "components/tool/values.yaml",
            "sbom.cdx.json",
            "oci-layout",
            "index.json",
            "manifest.json",
        ]
    );
    assert!(paths.is_sorted_by_key(|path| model::order(path)));
    assert!(blobs.iter().all(|path| path.starts_with("blobs/sha256/")));
    // Two indexes with one child each, one manifest, and of each a configuration and a layer; one layer is shared.
    assert_eq!(blobs.len(), 2 * (2 + 2) + 3 + 1);
    let modes: Vec<_> = members.iter().filter(|m| m.mode == 0o755).map(|m| m.path.as_str()).collect();
    assert_eq!(modes, ["install.sh", "files/tool"]);
}

#[test]
fn checksums_cover_every_other_member() {
    let sample = Sample::new(&[Arch::Amd64, Arch::Arm64]);
    let members = assemble(&sample.parts).unwrap();
    let sums = sums::parse(inline(&members, "SHA256SUMS")).unwrap();
    let others: Vec<_> =
        members.iter().filter(|m| m.path != "SHA256SUMS").map(|m| (m.path.as_str(), digest(m))).collect();
    assert_eq!(sums, others);
    let paths: Vec<_> = sums.iter().map(|(path, _)| *path).collect();
    assert!(paths.contains(&"files/amd64/tool") && paths.contains(&"files/arm64/tool"));
    assert!(!paths.contains(&"manifest.json"));
}

#[test]
fn the_index_names_every_image() {
    let sample = Sample::new(&[Arch::Arm64]);
    let members = assemble(&sample.parts).unwrap();
    let index: Value = serde_json::from_str(inline(&members, "index.json")).unwrap();
    let mut names = Vec::new();
    for descriptor in index["manifests"].as_array().unwrap() {
        let name = descriptor["annotations"][images::REF_NAME].as_str().unwrap();
        assert_eq!(descriptor["annotations"][images::CONTAINERD_NAME], name);
        let document = inline(&members, &descriptor["digest"].as_str().unwrap().replace("sha256:", "blobs/sha256/"));
        assert_eq!(descriptor["size"], document.len());
        names.push(name.to_owned());
    }
    let pinned = sample.parts.bundle.lock.images.keys().find_map(Reference::digest).unwrap();
    assert_eq!(
        names,
        [
            "docker.io/library/web:1".to_owned(),
            "quay.io/x/single:2".to_owned(),
            format!("registry.k8s.io:443/sig/pinned:v3@{pinned}"),
            format!("registry.k8s.io:443/sig/pinned@{pinned}"),
        ]
    );
    let saved: Value = serde_json::from_str(inline(&members, "manifest.json")).unwrap();
    let mut tags: Vec<_> = saved.as_array().unwrap().iter().map(|i| i["RepoTags"][0].as_str().unwrap()).collect();
    tags.sort_unstable();
    assert_eq!(tags, ["docker.io/library/web:1", "quay.io/x/single:2", "registry.k8s.io:443/sig/pinned:v3"]);
}

#[test]
fn order_and_repetition_of_the_parts_do_not_count() {
    let sample = Sample::new(&[Arch::Amd64, Arch::Arm64]);
    let mut other = sample.parts.clone();
    other.bundle.architectures = vec![Arch::Arm64, Arch::Amd64, Arch::Arm64];
    other.bundle.profiles = vec!["edge".to_owned(), "edge".to_owned()];
    assert_eq!(assemble(&sample.parts).unwrap(), assemble(&other).unwrap());
}

#[test]
fn bundle_yaml_says_what_the_lock_says() {
    let sample = Sample::new(&[Arch::Arm64]);
    let members = assemble(&sample.parts).unwrap();
    let back: BundleFile = crate::yaml::parse("bundle.yaml", inline(&members, "bundle.yaml")).unwrap();
    assert_eq!(back, sample.parts.bundle);
    let readme = inline(&members, "README.txt");
    assert!(readme.contains("ctr -n k8s.io images import --platform linux/arm64 -"), "{readme}");
}

#[test]
fn equal_parts_give_equal_archives() {
    let directory = tempfile::tempdir().unwrap();
    let archive = |name: &str| {
        let path = directory.path().join(name);
        Sample::new(&[Arch::Arm64]).write(&path);
        std::fs::read(path).unwrap()
    };
    assert!(archive("a.tar.gz") == archive("another-name.tar.gz"));
}

#[test]
fn contradictions_are_errors() {
    let sample = || Sample::new(&[Arch::Arm64]).parts;
    let image = |error: Error| match error {
        Error::Image(error) => error,
        other => panic!("{other}"),
    };
    let web: Reference = "docker.io/library/web:1".parse().unwrap();

    let mut parts = sample();
    parts.bundle.architectures = vec![Arch::Riscv64];
    let error = image(assemble(&parts).unwrap_err());
    assert!(matches!(&error, images::Error::NoPlatform { arch: Arch::Riscv64, .. }), "{error}");
    assert_eq!(error.exit(), Exit::No);

    let mut parts = sample();
    let platform = crate::lock::model::Platform { digest: Digest::of(b"other"), size: None, layers_size: None };
    parts.bundle.lock.images.get_mut(&web).unwrap().platforms.insert(Arch::Arm64, platform);
    let error = image(assemble(&parts).unwrap_err());
    assert!(matches!(&error, images::Error::Digest { .. }), "{error}");
    assert_eq!(error.exit(), Exit::Mismatch);

    let mut parts = sample();
    let digest = parts.bundle.lock.images[&web].digest;
    parts.manifests.remove(&digest);
    assert!(matches!(image(assemble(&parts).unwrap_err()), images::Error::Missing { .. }));

    let mut parts = sample();
    let mut pinned = parts.bundle.lock.images.keys().find(|r| r.digest().is_some()).unwrap().clone();
    let locked = parts.bundle.lock.images.remove(&pinned).unwrap();
    pinned = pinned.pinned(Digest::of(b"moved"));
    parts.bundle.lock.images.insert(pinned, locked);
    assert!(matches!(image(assemble(&parts).unwrap_err()), images::Error::Digest { .. }));

    let mut two = Sample::new(&[Arch::Arm64]);
    let single: Reference = "quay.io/x/single:2".parse().unwrap();
    let bytes = &two.parts.manifests[&two.parts.bundle.lock.images[&single].digest].bytes;
    let mut manifest: Value = serde_json::from_slice(bytes).unwrap();
    manifest["layers"][0]["size"] = json!(13);
    let digest = two.document(&manifest);
    two.image("quay.io/x/two:1", digest, media_type::DOCKER_MANIFEST);
    let component = two.parts.bundle.lock.components.get_mut("tool").unwrap();
    component.images.push("quay.io/x/two:1".parse().unwrap());
    let error = image(assemble(&two.parts).unwrap_err());
    assert!(matches!(&error, images::Error::Size { expected: 12, found: 13, .. }), "{error}");

    let mut parts = sample();
    parts.bundle.added[0].path = "files/tool".to_owned();
    assert!(matches!(assemble(&parts), Err(Error::Conflict { .. })));

    let mut parts = sample();
    parts.bundle.added[0].path = "blobs/sha256/x".to_owned();
    assert!(matches!(assemble(&parts), Err(Error::Place { .. })));

    let mut parts = sample();
    parts.installers.insert("bundle.yaml".to_owned(), Bytes::new());
    assert!(matches!(assemble(&parts), Err(Error::Place { .. })));

    let mut parts = sample();
    parts.bundle.lock.components.get_mut("tool").unwrap().chart.as_mut().unwrap().size = None;
    assert!(matches!(assemble(&parts), Err(Error::Unknown(path)) if path == "charts/tool-4.2.4.tgz"));
    let download = Digest::of(b"a chart's bytes");
    parts.carried.insert((download, None), Carried { digest: download, size: 15 });
    assert!(assemble(&parts).is_ok());
}

#[test]
fn what_is_attached_is_what_the_lock_says() {
    let web: Reference = "docker.io/library/web:1".parse().unwrap();
    let to = Sample::new(&[Arch::Arm64]).parts.bundle.lock.images[&web].digest;
    let descriptor = |digest: Digest| json!({"mediaType": media_type::OCI_INDEX, "digest": digest, "size": 2});
    let signature = |subject: Digest| {
        json!({"schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "config": descriptor(Digest::of(b"{}")),
            "layers": [], "subject": descriptor(subject)})
    };
    let attach = |document: &Value, change: fn(&mut Attached)| {
        let mut sample = Sample::new(&[Arch::Arm64]);
        let digest = sample.document(document);
        let size = sample.parts.manifests[&digest].bytes.len() as u64;
        let media_type = media_type::OCI_MANIFEST.to_owned();
        let mut attached = Attached { to, tag: None, artifact_type: None, digest, media_type, size, content_size: 2 };
        change(&mut attached);
        sample.parts.bundle.lock.images.get_mut(&web).unwrap().attached.push(attached);
        match assemble(&sample.parts) {
            Ok(_) => None,
            Err(Error::Image(error)) => Some(error),
            Err(other) => panic!("{other}"),
        }
    };
    assert!(attach(&signature(to), |_| {}).is_none());
    let other = signature(Digest::of(b"another image"));
    assert!(matches!(attach(&other, |_| {}), Some(images::Error::Subject { .. })));
    // What has a tag of cosign's need not say it itself.
    assert!(attach(&other, |attached| attached.tag = Some("sha256-x.sig".to_owned())).is_none());
    assert!(matches!(attach(&signature(to), |attached| attached.size += 1), Some(images::Error::Size { .. })));
    let index = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": []});
    assert!(matches!(attach(&index, |_| {}), Some(images::Error::Kind { .. })));
    let missing = attach(&signature(to), |attached| attached.digest = Digest::of(b"missing"));
    assert!(matches!(missing, Some(images::Error::Missing { .. })));
}
