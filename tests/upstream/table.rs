//! `world.yaml`: what the upstream has.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The whole table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    pub(crate) github: BTreeMap<String, Repository>,
    pub(crate) files: Vec<File>,
    pub(crate) helm: Vec<HelmRepository>,
    pub(crate) registries: BTreeMap<String, Registry>,
    pub(crate) images: Vec<Image>,
}

/// A repository on GitHub.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Repository {
    /// The form of the tags that have a release.
    pub(crate) tag: String,
    /// Whether its tags are objects of their own.
    #[serde(default)]
    pub(crate) annotated: bool,
}

/// A download.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) url: String,
    /// The repository whose tags it follows.
    pub(crate) of: String,
    /// The only architectures that it is for.
    #[serde(default = "both")]
    pub(crate) arch: Vec<String>,
    #[serde(default)]
    pub(crate) size: usize,
    /// The members of a `tar.gz`.
    #[serde(default)]
    pub(crate) archive: Vec<String>,
    /// The chart of charts/ that it is.
    #[serde(default)]
    pub(crate) chart: Option<String>,
    #[serde(default)]
    pub(crate) text: Option<String>,
    #[serde(default)]
    pub(crate) sums: Option<Sums>,
    /// The files beside it that `sums` is over.
    #[serde(default)]
    pub(crate) over: Vec<String>,
}

fn both() -> Vec<String> {
    vec!["amd64".to_owned(), "arm64".to_owned()]
}

/// The publishers' forms of checksum files.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sums {
    /// `HEX  NAME`
    Gnu,
    /// `HEX NAME`, which `sha256sum -c` does not take.
    OneBlank,
    /// `HEX *NAME`
    Binary,
    /// `HEX  dist/NAME`
    Dist,
    /// `HEX`
    Bare,
    /// The same with SHA-512.
    BareSha512,
    /// `SHA256 (NAME) = HEX`, for every algorithm.
    Bsd,
    /// `NAME  HEX  HEX …`, one for every algorithm in the order of another file.
    Rhash,
    /// That other file.
    RhashOrder,
}

/// A Helm repository.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HelmRepository {
    pub(crate) url: String,
    /// The repository whose tags and releases its charts have.
    pub(crate) of: String,
    /// The tag of a chart's version.
    pub(crate) tag: String,
    /// The charts, where the tags don't name one.
    #[serde(default)]
    pub(crate) charts: Vec<String>,
    #[serde(default)]
    pub(crate) urls: Urls,
    /// Whether every entry has the day of the last build.
    #[serde(default)]
    pub(crate) stamped: bool,
    /// Whether every entry stands there two times.
    #[serde(default)]
    pub(crate) twice: bool,
    /// Charts that say so of themselves.
    #[serde(default)]
    pub(crate) deprecated: Vec<String>,
}

/// How an index names its archives.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Urls {
    #[default]
    Absolute,
    Relative,
}

/// How a registry behaves.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Registry {
    /// Whether it wants a token for every pull.
    #[serde(default)]
    pub(crate) token: bool,
    #[serde(default)]
    pub(crate) redirect: Redirect,
}

/// What a registry has on another host.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Redirect {
    #[default]
    None,
    Blobs,
    All,
}

/// An image repository.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Image {
    pub(crate) name: String,
    /// The repository whose versions it follows.
    #[serde(default)]
    pub(crate) of: String,
    /// What a version is called here.
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    #[serde(default)]
    pub(crate) kind: ImageKind,
    /// For a chart in a registry, its name.
    #[serde(default)]
    pub(crate) chart: Option<String>,
    #[serde(default)]
    pub(crate) layers: Layers,
    /// Whether arm64 says that it is v8.
    #[serde(default)]
    pub(crate) variant: bool,
    /// The size of the layer that is its own, for each platform.
    #[serde(default = "usual_size")]
    pub(crate) size: usize,
}

fn usual_size() -> usize {
    1_000_000
}

/// What stands behind a tag.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ImageKind {
    #[default]
    Oci,
    DockerList,
    DockerManifest,
    Chart,
}

/// How layers are compressed.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Layers {
    #[default]
    Gzip,
    Zstd,
}
