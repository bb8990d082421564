//! The part of CycloneDX 1.6 that is written (ECMA-424, `bom-1.6.schema.json`).

use serde::Serialize;

use crate::oci::Digest;

/// The document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bom {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<String>,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
    dependencies: Vec<Dependency>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    compositions: Vec<Composition>,
}

#[derive(Debug, Serialize)]
pub(super) struct Metadata {
    pub(super) component: Component,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Component {
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    #[serde(rename = "mime-type", skip_serializing_if = "Option::is_none")]
    pub(super) mime_type: Option<&'static str>,
    #[serde(rename = "bom-ref")]
    pub(super) bom_ref: String,
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) licenses: Vec<Licence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) purl: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) external_references: Vec<Reference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) properties: Vec<Property>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Application,
    Container,
    File,
}

#[derive(Debug, Serialize)]
pub(super) struct Hash {
    alg: &'static str,
    content: String,
}

/// What the catalog declares: an SPDX expression, which a single identifier is too.
#[derive(Debug, Serialize)]
pub(super) struct Licence {
    expression: String,
    acknowledgement: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Reference {
    #[serde(rename = "type")]
    kind: &'static str,
    url: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
}

#[derive(Debug, Serialize)]
pub(super) struct Property {
    pub(super) name: &'static str,
    pub(super) value: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dependency {
    #[serde(rename = "ref")]
    pub(super) bom_ref: String,
    pub(super) depends_on: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Composition {
    aggregate: &'static str,
    assemblies: Vec<String>,
}

impl Bom {
    pub(super) fn new(
        metadata: Metadata,
        components: Vec<Component>,
        dependencies: Vec<Dependency>,
        composition: Option<Composition>,
    ) -> Self {
        Self {
            schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
            bom_format: "CycloneDX",
            spec_version: "1.6",
            serial_number: None,
            version: 1,
            metadata,
            components,
            dependencies,
            compositions: composition.into_iter().collect(),
        }
    }

    /// The JSON text, with a serial number made of all the rest, so that other documents can point here.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.serial_number = None;
        self.serial_number = Some(uuid(Digest::of(&json(&self))));
        json(&self)
    }
}

impl Component {
    /// A component without a reference yet.
    pub(super) fn new(kind: Kind, name: &str, version: Option<&str>) -> Self {
        Self {
            kind,
            mime_type: None,
            bom_ref: String::new(),
            name: name.to_owned(),
            version: version.map(str::to_owned),
            description: None,
            hashes: Vec::new(),
            licenses: Vec::new(),
            purl: None,
            external_references: Vec::new(),
            properties: Vec::new(),
        }
    }
}

impl Hash {
    pub(super) fn sha256(digest: Digest) -> Self {
        Self { alg: "SHA-256", content: digest.hex() }
    }
}

impl Licence {
    pub(super) fn declared(expression: String) -> Self {
        Self { expression, acknowledgement: "declared" }
    }
}

impl Reference {
    pub(super) fn vcs(url: &str) -> Self {
        Self { kind: "vcs", url: url.to_owned(), hashes: Vec::new() }
    }

    pub(super) fn carried(kind: &'static str, path: String, digest: Digest) -> Self {
        Self { kind, url: path, hashes: vec![Hash::sha256(digest)] }
    }

    pub(super) fn distribution(url: &str, digest: Digest) -> Self {
        Self { kind: "distribution", url: url.to_owned(), hashes: vec![Hash::sha256(digest)] }
    }
}

impl Composition {
    /// Says that more is inside of these than is listed.
    pub(super) fn incomplete(assemblies: Vec<String>) -> Option<Self> {
        (!assemblies.is_empty()).then_some(Self { aggregate: "incomplete", assemblies })
    }
}

/// A UUID of version 8 (RFC 9562, §5.8) with bits of a digest.
fn uuid(digest: Digest) -> String {
    let mut hex: Vec<char> = digest.hex().chars().take(32).collect();
    hex[12] = '8';
    hex[16] = match hex[16] {
        '0' | '4' | '8' | 'c' => '8',
        '1' | '5' | '9' | 'd' => '9',
        '2' | '6' | 'a' | 'e' => 'a',
        _ => 'b',
    };
    let part = |range: std::ops::Range<usize>| hex[range].iter().collect::<String>();
    format!("urn:uuid:{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}

#[expect(clippy::expect_used, reason = "these types have text keys only, so they always serialise")]
fn json(bom: &Bom) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(bom).expect("plain data serialises");
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_has_version_and_variant() {
        let hex = "00112233445566770899aabbccddeeff".repeat(2);
        let digest = Digest::from_hex(&hex).unwrap();
        assert_eq!(uuid(digest), "urn:uuid:00112233-4455-8677-8899-aabbccddeeff");
    }
}
