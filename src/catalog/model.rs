//! The catalog's files as they are written; field names are a contract with users.
//!
//! Versions and constraints are text: a YAML reader would turn `1.20` into a number.

mod decided;
mod file;
mod profile;
mod verify;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::oci::{Arch, Digest};
use crate::yaml::Spanned;

pub use decided::{Accepted, Compatibility, EndOfLife, Hold, Warning};
pub use file::{Algorithm, Checksum, File, PerArch};
pub use profile::{FullProfile, Profile};
pub use verify::{Cosign, Provenance, Signers, Verify};

/// `catalog.yaml` with the components of `components/<name>/component.yaml`.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// The directory that holds `catalog.yaml`, as it was given.
    pub directory: std::path::PathBuf,
    /// `catalog.yaml`.
    pub file: CatalogFile,
    /// The components by name.
    pub components: BTreeMap<String, Component>,
    /// The bytes of each component's own files (`component.yaml`, values, resources) by path
    /// relative to the component's directory: what `inputs` in the lock is computed over.
    pub inputs: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    /// The bytes of the installers in `install/` by path in the bundle: `install.sh`, `site.env`, `lib/…`.
    pub installers: BTreeMap<String, Vec<u8>>,
}

impl Catalog {
    /// The digest over the installers as [`super::inputs_digest`] computes it, none where the catalog has none.
    #[must_use]
    pub fn installers_digest(&self) -> Option<Digest> {
        (!self.installers.is_empty()).then(|| super::inputs_digest(&self.installers))
    }
}

/// `catalog.yaml`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "bundler catalog")]
pub struct CatalogFile {
    /// The version of this format: 1.
    pub schema: u32,
    /// The bundle's name.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// The bundle's version.
    #[schemars(with = "String")]
    pub version: Spanned<String>,
    /// What the bundle has to run on.
    pub platform: Platform,
    /// Rules for choosing versions.
    #[serde(default)]
    pub policy: Policy,
    /// Where components are carried to, by profile name.
    #[schemars(with = "BTreeMap<String, Profile>")]
    pub profiles: BTreeMap<String, Spanned<Profile>>,
    /// Known warnings about the platform and the profiles that `--check` passes over.
    #[serde(default)]
    pub accepted: Vec<Accepted>,
}

/// What the bundle has to run on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// The Kubernetes minor that everything has to fit, in quotes: `"1.36"`.
    #[schemars(with = "String")]
    pub kubernetes: Spanned<String>,
    /// Other Kubernetes versions on which everything has to install too, such as `1.34` or `1.34.2`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub also: Vec<Spanned<String>>,
    /// The KubeEdge minor that everything has to fit, in quotes: `"1.23"`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub kubeedge: Option<Spanned<String>>,
    /// Which Kubernetes each KubeEdge was tested with by its project; what it does not name is a warning.
    #[serde(default)]
    pub matrix: Option<Matrix>,
    /// The architectures that every component must have.
    pub architectures: Vec<Arch>,
    /// API versions that charts are told of besides those of the catalog's own CRDs.
    #[serde(default)]
    pub api_versions: Vec<String>,
}

/// Upstream's own matrix of the two parts of a platform.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// Where upstream publishes it: a URL for the reader.
    #[schemars(with = "String")]
    pub source: Spanned<String>,
    /// What it says.
    pub rows: Vec<MatrixRow>,
}

/// Versions of KubeEdge and the Kubernetes that they were tested with.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatrixRow {
    /// A constraint on KubeEdge.
    #[schemars(with = "String")]
    pub kubeedge: Spanned<String>,
    /// A constraint on Kubernetes.
    #[schemars(with = "String")]
    pub kubernetes: Spanned<String>,
}

/// Rules for choosing versions.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// How old a release must be, such as `7d`; `0d` takes everything.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub min_age: Option<Spanned<String>>,
}

/// `components/<name>/component.yaml`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "bundler component")]
pub struct Component {
    /// The component's name: that of its directory.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// Why it is here, in one line.
    #[serde(default)]
    pub description: Option<String>,
    /// Its licence as an SPDX expression.
    #[serde(default)]
    pub licence: Option<String>,
    /// Where its versions are listed, when that is not its chart's repository. A component of nothing but `resources` needs
    /// none: manifests of our own have the bundle's version.
    #[serde(default)]
    #[schemars(with = "Option<Source>")]
    pub source: Option<Spanned<Source>>,
    /// A constraint on the source's version, such as `>=2, <2.21`; `{kubernetes}` and `{kubeedge}` are the platform's.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub version: Option<Spanned<String>>,
    /// Its one chart.
    #[serde(default)]
    #[schemars(with = "Option<Chart>")]
    pub chart: Option<Spanned<Chart>>,
    /// Its charts, when there are several of one version.
    #[serde(default)]
    #[schemars(with = "Vec<Chart>")]
    pub charts: Vec<Spanned<Chart>>,
    /// Images of a component without a chart.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub images: Vec<Spanned<String>>,
    /// Images that a render cannot show, with the reason.
    #[serde(default)]
    pub declared_images: Vec<ReasonedImage>,
    /// Images that a render shows but nobody runs, with the reason; without a tag the whole repository.
    #[serde(default)]
    pub ignored_images: Vec<ReasonedImage>,
    /// Our own manifests, files or directories beside `component.yaml`: carried to the site, and searched for images.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub resources: Vec<Spanned<String>>,
    /// Binaries and other files.
    #[serde(default)]
    pub files: Vec<File>,
    /// Upstream's own list of images.
    #[serde(default)]
    pub image_list: Option<ImageList>,
    /// A version that is kept, with a reason, and a day after which `resolve --check` asks to decide anew.
    #[serde(default)]
    pub hold: Option<Hold>,
    /// Which versions run on which platform.
    #[serde(default)]
    pub compatibility: Vec<Compatibility>,
    /// Which versions end when.
    #[serde(default)]
    pub end_of_life: Vec<EndOfLife>,
    /// Known warnings that `--check` passes over.
    #[serde(default)]
    pub accepted: Vec<Accepted>,
    /// Whose signature upstream's artifacts carry.
    #[serde(default)]
    pub verify: Option<Verify>,
    /// Instead of the policy's `min_age`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub min_age: Option<Spanned<String>>,
    /// Upstream's names of architectures, for `{arch}`.
    #[serde(default)]
    pub arch: BTreeMap<Arch, String>,
}

impl Component {
    /// Whether it is manifests of our own and nothing of anybody else's: then its version is the bundle's.
    #[must_use]
    pub fn is_own(&self) -> bool {
        let others = self.source.is_some() || self.all_charts().next().is_some() || self.image_list.is_some();
        !others && self.images.is_empty() && self.files.is_empty() && !self.resources.is_empty()
    }

    /// Its charts, whether written as `chart` or `charts`.
    pub fn all_charts(&self) -> impl Iterator<Item = &Spanned<Chart>> {
        self.chart.iter().chain(&self.charts)
    }

    /// The files with public keys that its `verify` names.
    pub fn keys(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.verify.iter().flat_map(Verify::keys)
    }
}

/// Where versions are listed: exactly one of `github`, `helm` and `oci`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// `owner/repository` on GitHub.
    #[serde(default)]
    pub github: Option<String>,
    /// The URL of a Helm repository.
    #[serde(default)]
    pub helm: Option<String>,
    /// The chart's name in that Helm repository.
    #[serde(default)]
    pub chart: Option<String>,
    /// An image repository, such as `docker.io/library/redis`, or `oci://…`.
    #[serde(default)]
    pub oci: Option<String>,
    /// What tags look like, such as `v{version}`, with exactly one `{version}`. What does not fit is something else's.
    #[serde(default)]
    pub tag: Option<String>,
    /// For GitHub: whether releases or tags count.
    #[serde(default)]
    pub kind: Option<SourceKind>,
}

/// What counts as a version on GitHub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// Published releases.
    Releases,
    /// Every tag.
    Tags,
}

/// A Helm chart and how it is installed: exactly one of `repository` and `url`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// A Helm repository's URL, or `oci://registry/path`.
    #[serde(default)]
    pub repository: Option<String>,
    /// The archive's own URL, for charts in no repository; `{version}` and `{tag}` are the source's.
    #[serde(default)]
    pub url: Option<String>,
    /// The chart's name.
    pub name: String,
    /// A constraint on the chart's version.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub version: Option<Spanned<String>>,
    /// The values file beside `component.yaml`; the installer uses the same one.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub values: Option<Spanned<String>>,
    /// Single values for render and installer, such as `image.tag: "{version}"`.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// The release's name and namespace.
    pub release: Release,
}

/// A Helm release.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The release's name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
}

/// An image with the reason why it is declared or ignored.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonedImage {
    /// The reference; `{version}` and `{app_version}` are filled in.
    #[schemars(with = "String")]
    pub image: Spanned<String>,
    /// Why.
    pub reason: String,
}

/// Upstream's own list of images, one reference a line; without `carried_by` and `carry` all of them are carried.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageList {
    /// Where it is.
    pub url: PerArch,
    /// The file of this component that holds those images already.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub carried_by: Option<Spanned<String>>,
    /// `false` only compares: an image of the list that this component does not have is a warning.
    #[serde(default)]
    pub carry: Option<bool>,
}
