//! What is attached to a manifest, such as signatures and attestations (OCI distribution-spec v1.1, "Listing Referrers").

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::manifest::Manifest;
use super::{Digest, media_type};

/// The ends of the tags under which cosign keeps signatures, attestations and bills of materials.
pub const COSIGN_SUFFIXES: [&str; 3] = ["sig", "att", "sbom"];

/// The tag under which cosign keeps one kind of thing about a manifest: `sha256-HEX.sig`.
#[must_use]
pub fn cosign_tag(subject: Digest, suffix: &str) -> String {
    format!("{}.{suffix}", fallback_tag(subject))
}

/// The tag of the list where a registry has no API for it (distribution-spec v1.1, "Referrers Tag Schema").
#[must_use]
pub fn fallback_tag(subject: Digest) -> String {
    format!("sha256-{}", subject.hex())
}

/// The descriptor of an attached manifest, as lists have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Referrer {
    /// The media type of its manifest.
    pub media_type: String,
    /// The digest of its manifest.
    pub digest: Digest,
    /// The size of its manifest in bytes.
    pub size: u64,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// What its manifest says besides.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// For registries in Go, which write nothing as `null`.
fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The fields of a manifest that tell what it is attached to, and as what (image-spec v1.1, manifest.md).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    artifact_type: Option<String>,
    #[serde(default)]
    config: Option<Config>,
    #[serde(default)]
    subject: Option<Subject>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    #[serde(default)]
    media_type: Option<String>,
}

#[derive(Deserialize)]
struct Subject {
    digest: Digest,
}

impl Referrer {
    /// How lists have a manifest: with its own annotations, and where it names no type, with that of its configuration.
    #[must_use]
    pub fn of(manifest: &Manifest) -> Self {
        let document: Option<Document> = serde_json::from_slice(&manifest.bytes).ok();
        let document =
            document.unwrap_or(Document { artifact_type: None, config: None, subject: None, annotations: None });
        let own = document.artifact_type.filter(|own| !own.is_empty());
        Self {
            media_type: manifest.media_type.clone(),
            digest: manifest.digest,
            size: manifest.bytes.len() as u64,
            artifact_type: own.or_else(|| document.config?.media_type),
            annotations: document.annotations.unwrap_or_default(),
        }
    }
}

/// What a manifest is attached to by its `subject`.
#[must_use]
pub fn subject(manifest: &Manifest) -> Option<Digest> {
    serde_json::from_slice::<Document>(&manifest.bytes).ok()?.subject.map(|subject| subject.digest)
}

/// Reads a list; entries that are none, such as digests of another algorithm, are passed over.
#[must_use]
pub fn parse_list(bytes: &[u8]) -> Option<Vec<Referrer>> {
    let mut list: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    match list.get_mut("manifests")?.take() {
        serde_json::Value::Array(entries) => {
            Some(entries.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect())
        }
        serde_json::Value::Null => Some(Vec::new()),
        _ => None,
    }
}

/// Writes a list, sorted by digest.
#[must_use]
pub fn list(mut referrers: Vec<Referrer>) -> Vec<u8> {
    referrers.sort_by_key(|referrer| referrer.digest);
    referrers.dedup_by_key(|referrer| referrer.digest);
    serde_json::json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": referrers})
        .to_string()
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_listed_as_the_specification_says() {
        let subject = Digest::of(b"image");
        let manifest = |more: &str| {
            let text = format!(
                r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"a/config","digest":"{subject}","size":5}},
                "layers":[],"subject":{{"mediaType":"x","digest":"{subject}","size":5}},"annotations":{{"k":"v"}}{more}}}"#,
                media_type::OCI_MANIFEST
            );
            Manifest::parse(text.into(), None).unwrap()
        };
        let plain = manifest("");
        assert_eq!(super::subject(&plain), Some(subject));
        assert_eq!(Referrer::of(&plain).artifact_type.as_deref(), Some("a/config"));
        let typed = manifest(r#","artifactType":"a/signature""#);
        let listed = Referrer::of(&typed);
        assert_eq!((listed.artifact_type.as_deref(), listed.annotations["k"].as_str()), (Some("a/signature"), "v"));
        let bytes = list(vec![listed.clone(), Referrer::of(&plain), listed.clone()]);
        let mut read = parse_list(&bytes).unwrap();
        read.sort_by_key(|referrer| referrer.digest != listed.digest);
        assert_eq!(read, [listed, Referrer::of(&plain)]);
    }

    #[test]
    fn a_list_is_read_as_far_as_it_can_be() {
        for text in ["", "[]", "{}", "1", r#"{"manifests": 1}"#, "<html>"] {
            assert_eq!(parse_list(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse_list(br#"{"schemaVersion":2,"manifests":null}"#), Some(Vec::new()));
        let digest = Digest::of(b"");
        let text = format!(
            r#"{{"manifests":[1,{{"mediaType":"m","digest":"sha512:00","size":1}},
            {{"mediaType":"m","digest":"{digest}","size":1,"artifactType":null,"annotations":null}}]}}"#
        );
        let read = parse_list(text.as_bytes()).unwrap();
        assert_eq!(read.iter().map(|referrer| referrer.digest).collect::<Vec<_>>(), [digest]);
    }

    #[test]
    fn tags_are_those_of_cosign() {
        let tag = cosign_tag(Digest::of(b""), "sig");
        assert_eq!(tag, "sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.sig");
        assert!(crate::oci::reference::valid_tag(&tag));
    }
}
