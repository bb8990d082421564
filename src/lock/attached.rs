//! What upstream attached to an image: signatures, attestations and bills of materials, by digest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::Image;
use crate::oci::Digest;

/// Something that is attached to an image. Its bytes are upstream's; whether a signature is good is for a policy on the
/// site to say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attached {
    /// What it is attached to: the image's digest, or that of one of its platforms.
    pub to: Digest,
    /// Cosign's tag, such as `sha256-….sig`, where it is found by one; else it is a referrer, which names `to` itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// What a referrer says that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The digest of its manifest.
    pub digest: Digest,
    /// The media type of its manifest.
    pub media_type: String,
    /// The size of its manifest in bytes.
    pub size: u64,
    /// The sum of the sizes of what the manifest names, in bytes.
    pub content_size: u64,
}

/// What kind of thing is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[schemars(rename = "AttachedKind")]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A signature.
    Signature,
    /// A signed statement, such as how it was built.
    Attestation,
    /// A bill of materials.
    Sbom,
    /// Anything else.
    Other,
}

impl Kind {
    /// The name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Attestation => "attestation",
            Self::Sbom => "sbom",
            Self::Other => "other",
        }
    }
}

impl Attached {
    /// What it is, as far as its tag or its type tells.
    #[must_use]
    pub fn kind(&self) -> Kind {
        let has = |parts: &[&str]| {
            let artifact_type = self.artifact_type.as_deref().unwrap_or_default();
            parts.iter().any(|part| artifact_type.contains(part))
        };
        match self.tag.as_deref().and_then(|tag| tag.rsplit_once('.')) {
            Some((_, "sig")) => Kind::Signature,
            Some((_, "att")) => Kind::Attestation,
            Some((_, "sbom")) => Kind::Sbom,
            _ if has(&["in-toto", "attestation"]) => Kind::Attestation,
            _ if has(&["spdx", "cyclonedx", "sbom"]) => Kind::Sbom,
            // A bundle of Sigstore holds the one or the other, and does not say it here.
            _ if has(&["signature", "cosign", "sigstore"]) => Kind::Signature,
            _ => Kind::Other,
        }
    }
}

impl Image {
    /// Forgets what is attached to platforms that are not here (any more).
    pub fn keep_attached(&mut self) {
        let known = |to: Digest| to == self.digest || self.platforms.values().any(|platform| platform.digest == to);
        let attached = std::mem::take(&mut self.attached);
        self.attached = attached.into_iter().filter(|attached| known(attached.to)).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_told_by_tag_or_type() {
        let digest = Digest::of(b"");
        let kind = |tag: Option<&str>, artifact_type: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            let (tag, artifact_type) = (own(tag), own(artifact_type));
            let media_type = String::new();
            Attached { to: digest, tag, artifact_type, digest, media_type, size: 1, content_size: 1 }.kind()
        };
        assert_eq!(kind(Some("sha256-1.sig"), None), Kind::Signature);
        assert_eq!(kind(Some("sha256-1.att"), None), Kind::Attestation);
        assert_eq!(kind(Some("sha256-1.sbom"), None), Kind::Sbom);
        for (artifact_type, expected) in [
            ("application/vnd.cncf.notary.signature", Kind::Signature),
            ("application/vnd.dev.cosign.artifact.sig.v1+json", Kind::Signature),
            ("application/vnd.dev.sigstore.bundle.v0.3+json", Kind::Signature),
            ("application/vnd.in-toto+json", Kind::Attestation),
            ("application/spdx+json", Kind::Sbom),
            ("application/vnd.cyclonedx+json", Kind::Sbom),
            ("application/vnd.example.readme", Kind::Other),
        ] {
            assert_eq!(kind(None, Some(artifact_type)), expected, "{artifact_type}");
        }
        assert_eq!(kind(None, None), Kind::Other);
    }
}
