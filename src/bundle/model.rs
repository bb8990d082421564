//! `bundle.yaml`: what a bundle says about itself, and the paths that follow from it.

use serde::{Deserialize, Serialize};

use crate::lock::Lock;
use crate::lock::model::{Chart, Component, File};
use crate::oci::{Arch, Digest};

/// The schema of `bundle.yaml` that this program writes.
pub const SCHEMA: u32 = 1;

/// `bundle.yaml`, the first member.
pub const BUNDLE_YAML: &str = "bundle.yaml";
/// The checksums of every other member, in the form of `sha256sum`.
pub const SUMS: &str = "SHA256SUMS";
/// The signature of [`SUMS`], the last member of a signed bundle.
pub const SUMS_SIG: &str = "SHA256SUMS.sig";
/// What to type, in plain text.
pub const README: &str = "README.txt";
/// What the bundle holds, for scanners and auditors (CycloneDX, ECMA-424).
pub const SBOM: &str = "sbom.cdx.json";
/// The marker of an OCI image layout (image-spec v1.1, image-layout.md).
pub const OCI_LAYOUT: &str = "oci-layout";
/// The index of that layout.
pub const INDEX: &str = "index.json";
/// Docker's own list of images, for `docker load`.
pub const MANIFEST: &str = "manifest.json";
/// Where files are.
pub const FILES: &str = "files/";
/// Where the layout's blobs are.
pub const BLOBS: &str = "blobs/sha256/";

/// `bundle.yaml`. It holds neither a time nor this program's version, so that equal inputs give equal bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleFile {
    /// The version of this format: 1.
    pub schema: u32,
    /// The bundle's name.
    pub name: String,
    /// The bundle's version.
    pub version: String,
    /// The profiles that were selected, sorted.
    pub profiles: Vec<String>,
    /// The architectures, sorted.
    pub architectures: Vec<Arch>,
    /// Files that the lock does not know, sorted by path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<Added>,
    /// The selected part of the lock.
    pub lock: Lock,
}

/// A file that the lock does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Added {
    /// Its path in the bundle, below `files/`.
    pub path: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// A chart or a file of the lock with its path in the bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipped<'a> {
    /// Its path in the bundle.
    pub path: String,
    /// The component that it belongs to.
    pub component: &'a str,
    /// Its own name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// Where it is fetched.
    pub url: &'a str,
    /// The architecture that it is for; none for a chart.
    pub arch: Option<Arch>,
    /// The digest of what its URL gives.
    pub download: Digest,
    /// The member of an archive that is carried instead of the archive.
    pub member: Option<&'a str>,
    /// The digest of what is carried; unknown only where a lock seeded by hand lacks that of an archive's member.
    pub digest: Option<Digest>,
    /// The size of what is carried, if the lock has it.
    pub size: Option<u64>,
}

impl BundleFile {
    /// The charts of the lock, by component and key.
    pub fn charts(&self) -> impl Iterator<Item = Shipped<'_>> {
        self.lock.components.iter().flat_map(|(name, component)| {
            let one = component.chart.iter().map(move |chart| (name, chart));
            one.chain(&component.charts).map(move |(key, chart)| Shipped {
                path: chart_path(key, component, chart),
                component: name,
                name: chart_name(key, chart),
                version: chart_version(component, chart),
                url: &chart.url,
                arch: None,
                download: chart.sha256,
                member: None,
                digest: Some(chart.sha256),
                size: chart.size,
            })
        })
    }

    /// The files of the lock for the bundle's architectures, by component, name and architecture.
    pub fn files(&self) -> impl Iterator<Item = Shipped<'_>> {
        self.lock.components.iter().flat_map(move |(component, locked)| {
            locked.files.iter().flat_map(move |(name, archs)| {
                archs.iter().filter(|(arch, _)| self.architectures.contains(arch)).map(move |(arch, file)| {
                    let (digest, size) = carried(file);
                    let path = self.file_path(name, *arch);
                    let member = file.member.as_ref().map(|member| member.path.as_str());
                    Shipped {
                        path,
                        component,
                        name,
                        version: &locked.version,
                        url: &file.url,
                        arch: Some(*arch),
                        download: file.sha256,
                        member,
                        digest,
                        size,
                    }
                })
            })
        })
    }

    /// The path of a file: `files/NAME`, or `files/ARCH/NAME` in a bundle of several architectures.
    #[must_use]
    pub fn file_path(&self, name: &str, arch: Arch) -> String {
        match self.architectures.len() {
            0 | 1 => format!("{FILES}{name}"),
            _ => format!("{FILES}{arch}/{name}"),
        }
    }
}

/// The path of a chart: `charts/NAME-VERSION.tgz`, as `helm package` names it.
#[must_use]
pub fn chart_path(key: &str, component: &Component, chart: &Chart) -> String {
    format!("charts/{}-{}.tgz", chart_name(key, chart), chart_version(component, chart))
}

fn chart_name<'a>(key: &'a str, chart: &'a Chart) -> &'a str {
    chart.name.as_deref().unwrap_or(key)
}

fn chart_version<'a>(component: &'a Component, chart: &'a Chart) -> &'a str {
    chart.version.as_deref().unwrap_or(&component.version)
}

/// The path of a blob of the image layout.
#[must_use]
pub fn blob_path(digest: Digest) -> String {
    format!("{BLOBS}{}", digest.hex())
}

/// Where a member stands in the archive: the sections in their order, sorted within.
#[must_use]
pub fn order(path: &str) -> (usize, &str) {
    const SECTIONS: [fn(&str) -> bool; 11] = [
        |path| path == BUNDLE_YAML,
        |path| path == SUMS,
        |path| path == README,
        is_installer,
        |path| path.starts_with("charts/"),
        |path| path.starts_with("files/"),
        |path| path.starts_with("components/"),
        |path| path == SBOM,
        |path| path == OCI_LAYOUT,
        |path| path == INDEX,
        |path| path == MANIFEST,
    ];
    let blobs = SECTIONS.len();
    match SECTIONS.iter().position(|is_in| is_in(path)) {
        Some(section) => (section, path),
        None if path == SUMS_SIG => (blobs + 1, path),
        None => (blobs, path),
    }
}

/// Whether this is the path of an installer: a script or its settings (`.env`) at the root, or anything below `lib/`.
#[must_use]
pub fn is_installer(path: &str) -> bool {
    path.starts_with("lib/") || (!path.contains('/') && (path.ends_with(".sh") || path.ends_with(".env")))
}

/// The permissions of a file: 0755 for what runs, that is without a suffix of data such as `.tar.gz`.
///
/// Seen from the name alone, since the bytes are not here when the archive is laid out; a part
/// that begins with a digit is a version and no suffix.
#[must_use]
pub fn file_mode(path: &str) -> u32 {
    let name = path.rsplit('/').next().unwrap_or(path);
    let suffix = name.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    let data = suffix.starts_with(|c: char| c.is_ascii_alphabetic()) && !matches!(suffix, "sh" | "bin" | "run");
    if data { 0o644 } else { 0o755 }
}

fn carried(file: &File) -> (Option<Digest>, Option<u64>) {
    match &file.member {
        Some(member) => (member.sha256, member.size),
        None => (Some(file.sha256), file.size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_run_and_data_does_not() {
        for name in ["files/k3s", "files/arm64/yq", "files/bundler-0.1.0", "files/get.sh", "files/linux-amd64"] {
            assert_eq!(file_mode(name), 0o755, "{name}");
        }
        for name in ["files/k3s-airgap.tar.zst", "files/cni.tgz", "files/v1.2/list.txt", "files/containerd-2.1.tar.gz"]
        {
            assert_eq!(file_mode(name), 0o644, "{name}");
        }
    }
}
