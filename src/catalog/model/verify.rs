//! `verify`: who signs what upstream publishes.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::yaml::Spanned;

/// Whose signatures upstream's artifacts carry.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// Of the images: checked by the cosign program.
    #[serde(default)]
    #[schemars(with = "Option<Signers>")]
    pub cosign: Option<Spanned<Signers>>,
    /// Of the charts: the provenance files beside them, checked by Helm.
    #[serde(default)]
    pub provenance: Option<Provenance>,
}

impl Verify {
    /// Who signs the images.
    #[must_use]
    pub fn signers(&self) -> &[Cosign] {
        match self.cosign.as_ref().map(|signers| &signers.value) {
            None => &[],
            Some(Signers::One(one)) => std::slice::from_ref(&**one),
            Some(Signers::Many(many)) => many,
        }
    }

    /// The files with public keys that it names.
    pub fn keys(&self) -> impl Iterator<Item = &Spanned<String>> {
        let keyring = self.provenance.iter().map(|provenance| &provenance.keyring);
        self.signers().iter().filter_map(|signer| signer.key.as_ref()).chain(keyring)
    }
}

/// One signer of images, or several of different images.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Signers {
    /// All images that are signed have this one.
    One(Box<Cosign>),
    /// Each signs some of the images.
    Many(Vec<Cosign>),
}

// Written by hand: an untagged enum would lose the place and the reason of an error.
impl<'de> Deserialize<'de> for Signers {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Signers;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a signer, or a list of them")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, seq: A) -> Result<Signers, A::Error> {
                Deserialize::deserialize(serde::de::value::SeqAccessDeserializer::new(seq)).map(Signers::Many)
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Signers, A::Error> {
                Deserialize::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Signers::One)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Who signs with cosign: `identity` and `issuer` of a keyless certificate, or a public `key`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cosign {
    /// The certificate's identity; `{version}`, `{tag}` and `{app_version}` are filled in.
    #[serde(default)]
    pub identity: Option<String>,
    /// The certificate's OIDC issuer.
    #[serde(default)]
    pub issuer: Option<String>,
    /// A public key in PEM, a file beside `component.yaml`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub key: Option<Spanned<String>>,
    /// `false` where signatures made with the key are in no transparency log.
    #[serde(default)]
    pub transparency_log: Option<bool>,
    /// Only images of these repositories, or below those that end in `/`; all when empty.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub images: Vec<Spanned<String>>,
}

/// Who signs charts: `helm package --sign` writes a provenance file beside each.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The public OpenPGP keys of whom is trusted, armoured or not, a file beside `component.yaml`.
    #[schemars(with = "String")]
    pub keyring: Spanned<String>,
}
