//! Container images as registries hold them: layers, configurations, manifests and indexes in their exact bytes.

use std::io::Write as _;

use bundler::oci::Digest;
use bytes::Bytes;
use serde_json::{Value, json};

pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// What an image runs on: architecture, variant.
pub(crate) type Platform = (&'static str, Option<&'static str>);

/// The media types of a whole image.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An OCI index with an attestation beside each platform's manifest, as BuildKit writes it.
    Oci,
    /// A Docker manifest list.
    DockerList,
    /// A single Docker schema-2 manifest: its one platform has no index around it.
    DockerManifest,
}

/// How a layer is compressed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Zstd,
}

/// A compressed layer.
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) compression: Compression,
    pub(crate) bytes: Bytes,
    /// The digest of the tar inside.
    pub(crate) diff_id: Digest,
}

impl Layer {
    /// Compresses a tar, quickly rather than well.
    pub(crate) fn new(tar: &[u8], compression: Compression) -> Self {
        let bytes = match compression {
            Compression::Gzip => {
                let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                gzip.write_all(tar).expect("memory takes it");
                gzip.finish().expect("memory takes it")
            }
            Compression::Zstd => zstd::encode_all(tar, 1).expect("memory takes it"),
        };
        Self { compression, bytes: bytes.into(), diff_id: Digest::of(tar) }
    }
}

/// A manifest or index with its media type.
#[derive(Clone)]
pub(crate) struct Manifest {
    pub(crate) media_type: &'static str,
    pub(crate) digest: Digest,
    pub(crate) bytes: Bytes,
    /// What it runs on, for a child of an index that is no attestation.
    pub(crate) platform: Option<Platform>,
    /// The sum of its layers' sizes.
    pub(crate) layers_size: u64,
}

/// An image with everything below it.
#[derive(Clone)]
pub(crate) struct Image {
    /// Children first, the root last.
    pub(crate) manifests: Vec<Manifest>,
    /// Layers and configurations.
    pub(crate) blobs: Vec<Bytes>,
}

impl Image {
    /// Builds an image whose layers on each platform are given.
    pub(crate) fn build(kind: Kind, platforms: &[(Platform, Vec<Layer>)]) -> Self {
        let mut image = Self { manifests: Vec::new(), blobs: Vec::new() };
        for (platform, layers) in platforms {
            image.add_platform(kind, *platform, layers);
        }
        if kind == Kind::Oci {
            image.add_attestations();
        }
        if kind != Kind::DockerManifest {
            image.add_index(kind);
        }
        image
    }

    /// A Helm chart as `helm push` writes it.
    pub(crate) fn chart(name: &str, version: &str, created: &str, archive: Bytes) -> Self {
        let config = Bytes::from(json!({"apiVersion": "v2", "name": name, "version": version}).to_string());
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": descriptor("application/vnd.cncf.helm.config.v1+json", &config),
            "layers": [descriptor("application/vnd.cncf.helm.chart.content.v1.tar+gzip", &archive)],
            "annotations": {
                "org.opencontainers.image.created": created,
                "org.opencontainers.image.title": name,
                "org.opencontainers.image.version": version,
            },
        });
        let mut image = Self { manifests: Vec::new(), blobs: vec![config, archive] };
        image.add_manifest(OCI_MANIFEST, &manifest, None, 0);
        image
    }

    /// The index, or the only manifest.
    pub(crate) fn root(&self) -> &Manifest {
        self.manifests.last().expect("an image has a manifest")
    }

    fn add_platform(&mut self, kind: Kind, platform: Platform, layers: &[Layer]) {
        let (architecture, variant) = platform;
        let mut config = json!({
            "architecture": architecture,
            "os": "linux",
            "config": {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], "WorkingDir": "/"},
            "rootfs": {"type": "layers", "diff_ids": layers.iter().map(|l| l.diff_id.to_string()).collect::<Vec<_>>()},
            "created": "2026-08-01T00:00:00Z",
        });
        if let Some(variant) = variant {
            config["variant"] = variant.into();
        }
        let config = Bytes::from(config.to_string());
        let (manifest_type, config_type) = match kind {
            Kind::Oci => (OCI_MANIFEST, "application/vnd.oci.image.config.v1+json"),
            Kind::DockerList | Kind::DockerManifest => {
                (DOCKER_MANIFEST, "application/vnd.docker.container.image.v1+json")
            }
        };
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": descriptor(config_type, &config),
            "layers": layers.iter().map(|layer| descriptor(layer_type(kind, layer.compression), &layer.bytes)).collect::<Vec<_>>(),
        });
        self.blobs.push(config);
        self.blobs.extend(layers.iter().map(|layer| layer.bytes.clone()));
        let layers_size = layers.iter().map(|layer| layer.bytes.len() as u64).sum();
        self.add_manifest(manifest_type, &manifest, Some(platform), layers_size);
    }

    /// What `docker buildx` puts beside every platform: provenance, on the platform `unknown/unknown`.
    fn add_attestations(&mut self) {
        for subject in self.manifests.clone() {
            let statement = Bytes::from(
                json!({
                    "_type": "https://in-toto.io/Statement/v0.1",
                    "predicateType": "https://slsa.dev/provenance/v0.2",
                    "subject": [{"name": "image", "digest": {"sha256": subject.digest.hex()}}],
                })
                .to_string(),
            );
            let config = Bytes::from(
                json!({
                    "architecture": "unknown", "os": "unknown", "config": {},
                    "rootfs": {"type": "layers", "diff_ids": [Digest::of(&statement).to_string()]},
                })
                .to_string(),
            );
            let manifest = json!({
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
                "layers": [descriptor("application/vnd.in-toto+json", &statement)],
            });
            self.blobs.extend([config, statement]);
            self.add_manifest(OCI_MANIFEST, &manifest, None, 0);
        }
    }

    fn add_index(&mut self, kind: Kind) {
        let media_type = if kind == Kind::Oci { OCI_INDEX } else { DOCKER_LIST };
        let subjects: Vec<_> = self.manifests.iter().filter(|m| m.platform.is_some()).map(|m| m.digest).collect();
        let mut attested = subjects.iter();
        let children: Vec<_> = self
            .manifests
            .iter()
            .map(|manifest| {
                let mut child = descriptor(manifest.media_type, &manifest.bytes);
                if let Some((architecture, variant)) = manifest.platform {
                    child["platform"] = json!({"architecture": architecture, "os": "linux"});
                    if let Some(variant) = variant {
                        child["platform"]["variant"] = variant.into();
                    }
                } else {
                    child["platform"] = json!({"architecture": "unknown", "os": "unknown"});
                    child["annotations"] = json!({
                        "vnd.docker.reference.type": "attestation-manifest",
                        "vnd.docker.reference.digest": attested.next().map(Digest::to_string),
                    });
                }
                child
            })
            .collect();
        let index = json!({"schemaVersion": 2, "mediaType": media_type, "manifests": children});
        self.add_manifest(media_type, &index, None, 0);
    }

    fn add_manifest(
        &mut self,
        media_type: &'static str,
        content: &Value,
        platform: Option<Platform>,
        layers_size: u64,
    ) {
        let bytes = Bytes::from(content.to_string());
        self.manifests.push(Manifest { media_type, digest: Digest::of(&bytes), bytes, platform, layers_size });
    }
}

fn layer_type(kind: Kind, compression: Compression) -> &'static str {
    match (kind, compression) {
        (Kind::Oci, Compression::Gzip) => "application/vnd.oci.image.layer.v1.tar+gzip",
        (_, Compression::Zstd) => "application/vnd.oci.image.layer.v1.tar+zstd",
        (_, Compression::Gzip) => "application/vnd.docker.image.rootfs.diff.tar.gzip",
    }
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": Digest::of(bytes).to_string(), "size": bytes.len()})
}

/// A tar of regular files (path, mode, content), the same bytes for the same files.
pub(crate) fn tar(files: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, mode, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_mode(*mode);
        header.set_size(content.len() as u64);
        header.set_mtime(0);
        tar.append_data(&mut header, path, *content).expect("memory takes it");
    }
    tar.into_inner().expect("memory takes it")
}
