//! Manifests and indexes as raw bytes with a parsed view: bytes that have a digest are never written again.

use super::{Arch, Digest, media_type};

/// The largest manifest that is read, 4 MiB: what the distribution spec asks registries to accept.
pub const MAX_MANIFEST: u64 = 4 << 20;

/// A descriptor (OCI image-spec v1.1, descriptor.md), with the fields that we use.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the content is.
    #[serde(default)]
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// For a child of an index, what it runs on.
    #[serde(default)]
    pub platform: Option<Platform>,
}

/// What a child of an index runs on (OCI image-spec v1.1, image-index.md).
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Platform {
    /// Go's GOARCH, or `unknown` for an attestation.
    #[serde(default)]
    pub architecture: String,
    /// Go's GOOS.
    #[serde(default)]
    pub os: String,
    /// The CPU variant, such as `v8`.
    #[serde(default)]
    pub variant: Option<String>,
}

impl Platform {
    /// How well it serves a Linux host of `arch`: lower is better, `None` not at all.
    #[must_use]
    pub fn fitness(&self, arch: Arch) -> Option<u8> {
        if self.os != "linux" || self.architecture != arch.as_str() {
            return None;
        }
        match (arch, self.variant.as_deref().filter(|variant| !variant.is_empty())) {
            (Arch::Arm64, None | Some("v8")) | (Arch::Arm, Some("v7")) => Some(0),
            (Arch::Arm, None | Some("v6")) => Some(1),
            (Arch::Arm, Some("v5")) => Some(2),
            (Arch::Arm64 | Arch::Arm, Some(_)) => None,
            (_, None) => Some(0),
            (Arch::Amd64, Some("v1")) => Some(1),
            (_, Some(_)) => None,
        }
    }
}

/// An index or an image manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// An index with its children in their order.
    Index(Vec<Descriptor>),
    /// An image manifest.
    Manifest {
        /// The image configuration.
        config: Descriptor,
        /// The layers, lowest first.
        layers: Vec<Descriptor>,
    },
}

/// A manifest of either kind: its exact bytes, their digest and what they say.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The bytes as they came.
    pub bytes: bytes::Bytes,
    /// Their digest.
    pub digest: Digest,
    /// `mediaType` of the document, or the one it was served with.
    pub media_type: String,
    /// What the bytes say.
    pub view: View,
}

/// Why bytes are no manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// No JSON of the expected shape.
    #[error("not an image manifest or index")]
    Json(#[from] serde_json::Error),
    /// Neither kind, such as Docker's schema 1.
    #[error("unsupported manifest type `{0}`")]
    MediaType(String),
    /// The document names another type than the one it was served with.
    #[error("the manifest says it is `{document}` but was served as `{served}`")]
    Contradiction {
        /// What the document says.
        document: String,
        /// What the header or descriptor says.
        served: String,
    },
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    schema_version: Option<u64>,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    manifests: Option<Vec<Descriptor>>,
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Option<Vec<Descriptor>>,
}

impl Manifest {
    /// Parses `bytes`; `served` is the type of the `Content-Type` header or of the parent's descriptor.
    ///
    /// The document's own `mediaType` must agree with it (OCI image-spec v1.1 security note on type confusion),
    /// and a document that is both an index and a manifest is refused.
    pub fn parse(bytes: bytes::Bytes, served: Option<&str>) -> Result<Self, ManifestError> {
        let document: Document = serde_json::from_slice(&bytes)?;
        let served = served.filter(|t| media_type::is_index(t) || media_type::is_manifest(t));
        let media_type = match (document.media_type, served) {
            (Some(document), Some(served)) if document != served => {
                return Err(ManifestError::Contradiction { document, served: served.to_owned() });
            }
            (Some(own), _) => own,
            (None, Some(served)) => served.to_owned(),
            // It names its type in the header alone, as one of several.
            (None, None) if document.schema_version == Some(1) => media_type::DOCKER_SCHEMA_1.to_owned(),
            (None, None) if document.manifests.is_some() => media_type::OCI_INDEX.to_owned(),
            (None, None) => media_type::OCI_MANIFEST.to_owned(),
        };
        let view = match (document.manifests, document.config, document.layers) {
            (Some(children), None, None) if media_type::is_index(&media_type) => View::Index(children),
            (None, Some(config), Some(layers)) if media_type::is_manifest(&media_type) => {
                View::Manifest { config, layers }
            }
            _ => return Err(ManifestError::MediaType(media_type.chars().take(120).collect())),
        };
        Ok(Self { digest: Digest::of(&bytes), bytes, media_type, view })
    }

    /// The child of an index that a Linux host of `arch` runs: the best fitting variant, the first of equals.
    #[must_use]
    pub fn child(&self, arch: Arch) -> Option<&Descriptor> {
        let View::Index(children) = &self.view else { return None };
        children
            .iter()
            .filter_map(|child| Some((child.platform.as_ref()?.fitness(arch)?, child)))
            .min_by_key(|(fitness, _)| *fitness)
            .map(|(_, child)| child)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(children: &str) -> Manifest {
        let text = format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{children}]}}"#, media_type::OCI_INDEX);
        Manifest::parse(text.into(), None).unwrap()
    }

    fn child(digit: char, platform: &str) -> String {
        let hex = digit.to_string().repeat(64);
        format!(
            r#"{{"mediaType":"{}","digest":"sha256:{hex}","size":1,"platform":{platform}}}"#,
            media_type::OCI_MANIFEST
        )
    }

    #[test]
    fn chooses_the_child_of_the_architecture() {
        let index = index(
            &[
                child('0', r#"{"architecture":"unknown","os":"unknown"}"#),
                child('1', r#"{"architecture":"arm","os":"linux","variant":"v6"}"#),
                child('2', r#"{"architecture":"arm","os":"linux","variant":"v7"}"#),
                child('3', r#"{"architecture":"arm64","os":"linux","variant":"v8"}"#),
                child('4', r#"{"architecture":"amd64","os":"windows"}"#),
                child('5', r#"{"architecture":"amd64","os":"linux"}"#),
            ]
            .join(","),
        );
        let hex = |arch| index.child(arch).map(|d| d.digest.hex().chars().next().unwrap());
        assert_eq!(hex(Arch::Arm), Some('2'));
        assert_eq!(hex(Arch::Arm64), Some('3'));
        assert_eq!(hex(Arch::Amd64), Some('5'));
        assert_eq!(hex(Arch::S390x), None);
    }

    #[test]
    fn a_variant_that_says_nothing_is_none() {
        let platform = |text: &str| serde_json::from_str::<Platform>(text).unwrap();
        for variant in ["", r#","variant":"""#, r#","variant":null"#] {
            let text = format!(r#"{{"architecture":"amd64","os":"linux"{variant}}}"#);
            assert_eq!(platform(&text).fitness(Arch::Amd64), Some(0), "{text}");
        }
        let better = platform(r#"{"architecture":"amd64","os":"linux","variant":"v3"}"#);
        assert_eq!(better.fitness(Arch::Amd64), None, "not every amd64 runs it");
    }

    #[test]
    fn names_what_it_does_not_read() {
        for (text, kind) in [
            (r#"{"schemaVersion":1,"name":"a","fsLayers":[],"signatures":[]}"#, media_type::DOCKER_SCHEMA_1),
            (
                r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.artifact.manifest.v1+json","blobs":[]}"#,
                "application/vnd.oci.artifact.manifest.v1+json",
            ),
        ] {
            for served in [None, Some("application/json"), Some(kind)] {
                let error = Manifest::parse(text.into(), served).unwrap_err();
                assert_eq!(error.to_string(), format!("unsupported manifest type `{kind}`"));
            }
        }
    }

    #[test]
    fn refuses_confusion() {
        let both = r#"{"manifests":[],"config":{"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0},"layers":[]}"#;
        assert!(Manifest::parse(both.into(), None).is_err());
        let index = r#"{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
        assert!(Manifest::parse(index.into(), Some(media_type::OCI_MANIFEST)).is_err());
        for text in [
            "",
            "[]",
            "{}",
            r#"{"schemaVersion":1,"mediaType":"application/vnd.docker.distribution.manifest.v1+prettyjws"}"#,
        ] {
            assert!(Manifest::parse(text.to_owned().into(), None).is_err(), "{text}");
        }
    }
}
