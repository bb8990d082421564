//! Real images: Debian's own packages of Prometheus and its exporters, for both architectures.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use bundler::oci::Digest;

use crate::upstream::image::{Compression, Image, Kind, Layer, Platform, tar};

/// Where `make tools` puts the packages, and where the registry's storage made of them is kept.
const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools");
/// Part of the storage's name; a change of the images below needs another one.
const SHAPE: &str = "1";

/// A reference in the registry with what a lock says of it.
#[derive(Clone)]
pub(crate) struct DebianImage {
    /// The original's full name, such as `quay.io/prometheus/prometheus:v2.42.0`; the registry has it without the host.
    pub(crate) reference: String,
    /// The index, or the only manifest.
    pub(crate) digest: Digest,
    pub(crate) media_type: String,
    /// Architecture, digest and size of the manifest, sum of its layers.
    pub(crate) platforms: Vec<(String, Digest, u64, u64)>,
}

const AMD64: Platform = ("amd64", None);
const ARM64: Platform = ("arm64", None);
const ARM64_V8: Platform = ("arm64", Some("v8"));
const S390X: Platform = ("s390x", None);

/// package, reference, form, compression of the layers, platforms
type Row = (&'static str, &'static str, Kind, Compression, &'static [Platform]);

/// Between them they have what real images have.
const ROWS: &[Row] = &[
    ("prometheus", "quay.io/prometheus/prometheus:v2.42.0", Kind::Oci, Compression::Gzip, &[AMD64, ARM64, S390X]),
    (
        "prometheus-node-exporter",
        "quay.io/prometheus/node-exporter:v1.5.0",
        Kind::Oci,
        Compression::Zstd,
        &[AMD64, ARM64, S390X],
    ),
    (
        "prometheus-blackbox-exporter",
        "quay.io/prometheus/blackbox-exporter:v0.23.0",
        Kind::DockerList,
        Compression::Gzip,
        &[AMD64, ARM64_V8, S390X],
    ),
    (
        "prometheus-alertmanager",
        "quay.io/prometheus/alertmanager:v0.25.0",
        Kind::Oci,
        Compression::Gzip,
        &[AMD64, ARM64_V8, S390X],
    ),
    (
        "prometheus-alertmanager",
        "quay.io/prometheus/alertmanager-amd64:v0.25.0",
        Kind::DockerManifest,
        Compression::Gzip,
        &[AMD64],
    ),
];

/// The images that [`super::Registry::debian`] has.
pub(crate) fn debian_images() -> Option<Vec<DebianImage>> {
    Some(prepared()?.1.clone())
}

/// The registry's storage with the images.
pub(super) fn storage() -> Option<PathBuf> {
    Some(prepared()?.0.clone())
}

fn prepared() -> Option<&'static (PathBuf, Vec<DebianImage>)> {
    static PREPARED: OnceLock<Option<(PathBuf, Vec<DebianImage>)>> = OnceLock::new();
    if !Path::new(TOOLS).join("debs/complete").is_file() {
        return super::skip("the packages of the test images");
    }
    PREPARED.get_or_init(prepare).as_ref()
}

/// Builds the images and pushes them once for many runs of the tests.
fn prepare() -> Option<(PathBuf, Vec<DebianImage>)> {
    super::program("dpkg-deb")?;
    super::program("docker-registry")?;
    let storage = Path::new(TOOLS).join(format!("debian-images-{SHAPE}"));
    let lock = std::fs::File::create(Path::new(TOOLS).join("debian-images.lock")).unwrap();
    lock.lock().unwrap();
    let list = storage.join("images.json");
    if list.is_file() {
        return Some((storage.clone(), read_list(&std::fs::read(list).unwrap())));
    }
    let _ = std::fs::remove_dir_all(&storage);
    let registry = super::Registry::filling(&storage)?;
    let images: Vec<_> = ROWS.iter().map(|row| (row.1, build(row))).collect();
    for (reference, image) in &images {
        registry.push(reference, image);
    }
    std::fs::write(&list, write_list(&images)).unwrap();
    Some((storage.clone(), read_list(&std::fs::read(list).unwrap())))
}

fn build(&(package, _, kind, compression, platforms): &Row) -> Image {
    let base = tar(&[("etc/os-release", 0o644, b"PRETTY_NAME=\"Debian GNU/Linux\"\nID=debian\n")]);
    let base = Layer::new(&base, Compression::Gzip);
    let platforms: Vec<_> = platforms
        .iter()
        .map(|&platform| {
            let content = match platform.0 {
                "s390x" => tar(&[("usr/bin/true", 0o755, b"#!/bin/sh\n")]),
                architecture => package_tree(package, architecture),
            };
            (platform, vec![base.clone(), Layer::new(&content, compression)])
        })
        .collect();
    Image::build(kind, &platforms)
}

/// The files of a package as a tar.
fn package_tree(package: &str, architecture: &str) -> Vec<u8> {
    let debs = Path::new(TOOLS).join("debs");
    let (start, end) = (format!("{package}_"), format!("_{architecture}.deb"));
    let name = std::fs::read_dir(&debs)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .find(|name| name.starts_with(&start) && name.ends_with(&end))
        .unwrap_or_else(|| panic!("no {package} for {architecture} in {}", debs.display()));
    let output = Command::new("dpkg-deb").arg("--fsys-tarfile").arg(debs.join(name)).output().unwrap();
    assert!(output.status.success(), "dpkg-deb: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn write_list(images: &[(&str, Image)]) -> String {
    let list: Vec<_> = images
        .iter()
        .map(|(reference, image)| {
            let platforms: Vec<_> = image
                .manifests
                .iter()
                .filter_map(|m| Some((m.platform?.0, m.digest.to_string(), m.bytes.len(), m.layers_size)))
                .collect();
            let root = image.root();
            serde_json::json!({
                "reference": reference,
                "digest": root.digest.to_string(),
                "media_type": root.media_type,
                "platforms": platforms,
            })
        })
        .collect();
    serde_json::to_string_pretty(&list).unwrap()
}

fn read_list(bytes: &[u8]) -> Vec<DebianImage> {
    let list: Vec<serde_json::Value> = serde_json::from_slice(bytes).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    list.iter()
        .map(|image| DebianImage {
            reference: text(&image["reference"]),
            digest: text(&image["digest"]).parse().unwrap(),
            media_type: text(&image["media_type"]),
            platforms: image["platforms"]
                .as_array()
                .unwrap()
                .iter()
                .map(|p| (text(&p[0]), text(&p[1]).parse().unwrap(), p[2].as_u64().unwrap(), p[3].as_u64().unwrap()))
                .collect(),
        })
        .collect()
}
