//! The lock as it is written; its shape is a contract, and the same type is read, written and carried in `bundle.yaml`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::attached::Attached;
use crate::oci::{Arch, Digest, Reference};

/// The schema that this program writes.
pub const SCHEMA: u32 = 1;

/// `bundle.lock.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "bundler lock")]
pub struct Lock {
    /// The version of this format: 1.
    pub schema: u32,
    /// The bundle and its platform.
    pub bundle: Bundle,
    /// The names of each profile's components, sorted.
    pub profiles: BTreeMap<String, Vec<String>>,
    /// What was chosen, by component.
    pub components: BTreeMap<String, Component>,
    /// Every image by its full reference, whoever uses it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, Image>")]
    pub images: BTreeMap<Reference, Image>,
    /// What is wanted but has no digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unresolved: Vec<Unresolved>,
}

/// The bundle and its platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The bundle's name.
    pub name: String,
    /// The bundle's version.
    pub version: String,
    /// The Kubernetes minor.
    pub kubernetes: String,
    /// The KubeEdge minor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeedge: Option<String>,
    /// The architectures, sorted.
    pub architectures: Vec<Arch>,
    /// The digest over the installers, where the catalog has such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installers: Option<Digest>,
}

/// One component's choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The version: of its source, else of its chart.
    pub version: String,
    /// The tag that has this version, where the source has tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The web address of the project that its source names, such as `https://github.com/kubeedge/edgemesh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The chart's `appVersion`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_version: Option<String>,
    /// The digest over the component's own files: `component.yaml`, values and resources.
    pub inputs: Digest,
    /// Its one chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart: Option<Chart>,
    /// Its charts by name, when there are several.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub charts: BTreeMap<String, Chart>,
    /// Its files by name and architecture.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, BTreeMap<Arch, File>>,
    /// The images that it runs, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub images: Vec<Reference>,
    /// Whose signatures its catalog entry asks for, and whether they were checked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<Signature>,
}

/// A signer: the identity and issuer of a certificate, or keys; and what it has to have signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Whether the signatures of exactly these locked digests were found good; a bad one would be no entry.
    pub checked: bool,
    /// The certificate's identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The certificate's OIDC issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The digest of the file with the public key or keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Digest>,
    /// The images, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub images: Vec<Reference>,
    /// The names of the charts, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charts: Vec<String>,
}

/// A locked chart archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// The chart's name, where it is not its component's or its key's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The chart's version, where it is not its component's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where it is fetched: `https://…` or `oci://registry/repository:tag`.
    pub url: String,
    /// The archive's sha256.
    #[serde(with = "bare_hex")]
    #[schemars(with = "String")]
    pub sha256: Digest,
    /// The archive's size in bytes; unknown only in a lock seeded by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Where the digest comes from.
    pub from: From,
}

/// A locked file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Where it is fetched.
    pub url: String,
    /// The sha256 of what the URL gives.
    #[serde(with = "bare_hex")]
    #[schemars(with = "String")]
    pub sha256: Digest,
    /// Its size in bytes; unknown only in a lock seeded by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Where the digest comes from.
    pub from: From,
    /// The archive's member that is shipped instead of the archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Member>,
}

/// The member of an archive that is shipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its path in the archive.
    pub path: String,
    /// Its own sha256; unknown only in a lock seeded by hand.
    #[serde(default, with = "bare_hex_option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub sha256: Option<Digest>,
    /// Its size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// Where a digest comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum From {
    /// GitHub's digest of a release's asset.
    GithubAsset,
    /// The publisher's checksum file.
    ChecksumFile,
    /// The `digest` of the Helm repository's index.
    HelmIndex,
    /// The chart layer's digest in a registry.
    Oci,
    /// Nothing is published: the sha256 of the download.
    Download,
}

/// A locked image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The digest of its index, or of its manifest when it has no index.
    pub digest: Digest,
    /// The media type of that document; unknown only in a lock seeded by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The manifest of each architecture.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub platforms: BTreeMap<Arch, Platform>,
    /// What upstream attached to it: signatures, attestations, bills of materials, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attached: Vec<Attached>,
}

/// The manifest of one architecture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// The manifest's digest.
    pub digest: Digest,
    /// The manifest's size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The sum of the sizes of config and layers, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers_size: Option<u64>,
}

/// Something that is wanted but has no digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unresolved {
    /// The component that wants it.
    pub component: String,
    /// An image's reference, a chart's or a file's name; the component's name when nothing is known.
    pub artifact: String,
    /// Why, without anything that changes from run to run.
    pub reason: String,
}

mod bare_hex {
    use super::Digest;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&digest.hex())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        Digest::from_hex(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

mod bare_hex_option {
    use super::{Digest, bare_hex};
    use serde::{Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde's `with` passes the field by reference")]
    pub(super) fn serialize<S: Serializer>(digest: &Option<Digest>, serializer: S) -> Result<S::Ok, S::Error> {
        match digest {
            Some(digest) => bare_hex::serialize(digest, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Digest>, D::Error> {
        bare_hex::deserialize(deserializer).map(Some)
    }
}
