//! Files that are downloaded, and where their checksums are.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::oci::Arch;
use crate::yaml::Spanned;

/// A text, or one a map by architecture.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum PerArch {
    /// The same for every architecture; `{arch}` in it is filled in.
    One(String),
    /// One for each architecture.
    Each(BTreeMap<Arch, String>),
}

impl PerArch {
    /// The text for `arch`, if there is one.
    #[must_use]
    pub fn get(&self, arch: Arch) -> Option<&str> {
        match self {
            Self::One(text) => Some(text),
            Self::Each(map) => map.get(&arch).map(String::as_str),
        }
    }
}

impl<'de> Deserialize<'de> for PerArch {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = PerArch;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text, or a map by architecture")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<PerArch, E> {
                Ok(PerArch::One(text.to_owned()))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<PerArch, A::Error> {
                Deserialize::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(PerArch::Each)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A file that is downloaded.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its name in the bundle; no two files of a catalog share one.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// Where it is; `{version}`, `{tag}` and `{arch}` are filled in, percent-encoded.
    pub url: PerArch,
    /// Where its checksum is published.
    #[schemars(with = "Checksum")]
    pub checksum: Spanned<Checksum>,
    /// The member of the archive that is carried instead of the archive.
    #[serde(default)]
    pub extract: Option<PerArch>,
}

/// Where a file's checksum is published: exactly one of `url`, `github_asset` and `unpublished`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Checksum {
    /// A checksum file in any of the usual forms.
    #[serde(default)]
    pub url: Option<PerArch>,
    /// The digest that GitHub shows for a release's asset.
    #[serde(default)]
    pub github_asset: Option<bool>,
    /// Nothing is published, with the reason: the sha256 is that of the download.
    #[serde(default)]
    pub unpublished: Option<String>,
    /// The entry of the checksum file, when it is not the file's own name.
    #[serde(default)]
    pub entry: Option<PerArch>,
    /// The algorithm of the checksum file; `sha256` unless said.
    #[serde(default)]
    pub algorithm: Option<Algorithm>,
}

/// The algorithm of a checksum file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512: the file is downloaded to compute its sha256.
    Sha512,
}
