//! Checking a signature as `ssh-keygen -Y verify` does.

use std::path::Path;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, PublicKey, SshSig};

use super::pattern::list_matches;
use super::signers::{self, Signers};
use super::{Error, NAMESPACE};

/// Whom a site trusts to sign.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The list of allowed signers.
    pub signers: Signers,
    /// The name that has to have signed.
    pub identity: String,
    /// Keys that are not trusted any more.
    pub revoked: Vec<PublicKey>,
    /// The time at which the signature has to be good.
    pub now: Timestamp,
}

/// A signature that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Signature {
    /// The fingerprint of the key that signed, as `ssh-keygen -l` shows it.
    pub key: String,
    /// The name that it is trusted as; none where nobody asked.
    pub identity: Option<String>,
}

/// Why a signature is not good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no signature.
    #[error("it is no SSH signature: {0}")]
    Malformed(String),
    /// It was made for something else.
    #[error("it was made in the namespace `{0}`, not in `{NAMESPACE}`")]
    Namespace(String),
    /// The key is of a kind that is not checked.
    #[error("a signature of the kind {0} is not checked")]
    Kind(String),
    /// The key has not signed these bytes.
    #[error("it is not a signature of these bytes by the key {0}")]
    Bytes(String),
    /// The key is revoked.
    #[error("the key {0} is revoked")]
    Revoked(String),
    /// The key is not on the list under this name.
    #[error("the key {key} is not allowed to sign as `{identity}`")]
    Unknown {
        /// The fingerprint.
        key: String,
        /// The name.
        identity: String,
    },
    /// The key is on the list, but not for bundles.
    #[error("the key {0} is not allowed to sign bundles")]
    NotForBundles(String),
    /// The key is on the list, but for another time.
    #[error("the key {key} is not valid {when}")]
    Time {
        /// The fingerprint.
        key: String,
        /// Not yet, or no more.
        when: String,
    },
}

impl Trust {
    /// Reads the lists.
    pub fn read(signers: &Path, identity: &str, revoked: Option<&Path>, now: Timestamp) -> Result<Self, Error> {
        let revoked = revoked.map(signers::revoked).transpose()?.unwrap_or_default();
        Ok(Self { signers: Signers::read(signers)?, identity: identity.to_owned(), revoked, now })
    }

    /// Holds a signature of `message` against the lists.
    pub fn check(&self, message: &[u8], signature: &str) -> Result<Signature, Refusal> {
        let signature = parse(signature)?;
        let key = fingerprint(signature.public_key());
        if signature.namespace() != NAMESPACE {
            return Err(Refusal::Namespace(signature.namespace().to_owned()));
        }
        verify(&signature, message, &key)?;
        if self.revoked.iter().any(|revoked| revoked.key_data() == signature.public_key()) {
            return Err(Refusal::Revoked(key));
        }
        self.allowed(signature.public_key(), &key)?;
        Ok(Signature { key, identity: Some(self.identity.clone()) })
    }

    /// One line has to allow key, name, namespace and time; of several the first that fails least says why.
    fn allowed(&self, data: &KeyData, key: &str) -> Result<(), Refusal> {
        let mut refusal = Refusal::Unknown { key: key.to_owned(), identity: self.identity.clone() };
        let lines = self.signers.0.iter().filter(|line| line.key.key_data() == data);
        for line in lines.filter(|line| list_matches(&line.principals, &self.identity)) {
            let when =
                |what: &str, time: Timestamp| Refusal::Time { key: key.to_owned(), when: format!("{what} {time}") };
            match (line.valid_after, line.valid_before) {
                _ if line.namespaces.as_ref().is_some_and(|list| !list_matches(list, NAMESPACE)) => {
                    if matches!(refusal, Refusal::Unknown { .. }) {
                        refusal = Refusal::NotForBundles(key.to_owned());
                    }
                }
                (Some(after), _) if self.now < after => refusal = when("before", after),
                (_, Some(before)) if self.now > before => refusal = when("after", before),
                _ => return Ok(()),
            }
        }
        Err(refusal)
    }
}

/// The key that a signature names, without any check of it.
pub fn signer(signature: &str) -> Result<Signature, Refusal> {
    Ok(Signature { key: fingerprint(parse(signature)?.public_key()), identity: None })
}

fn parse(signature: &str) -> Result<SshSig, Refusal> {
    SshSig::from_pem(signature).map_err(|error| Refusal::Malformed(error.to_string()))
}

fn fingerprint(key: &KeyData) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

fn verify(signature: &SshSig, message: &[u8], key: &str) -> Result<(), Refusal> {
    let bytes = || Refusal::Bytes(key.to_owned());
    match signature.public_key() {
        KeyData::Rsa(public) => {
            // The crate `rsa` has RUSTSEC-2023-0071, so that one is checked by ring; SHA-1 (`ssh-rsa`) by nobody.
            let algorithm = match signature.signature().algorithm() {
                Algorithm::Rsa { hash: Some(HashAlg::Sha512) } => &ring::signature::RSA_PKCS1_2048_8192_SHA512,
                Algorithm::Rsa { hash: Some(HashAlg::Sha256) } => &ring::signature::RSA_PKCS1_2048_8192_SHA256,
                other => return Err(Refusal::Kind(other.to_string())),
            };
            let (n, e) = (public.n.as_positive_bytes(), public.e.as_positive_bytes());
            let (Some(n), Some(e)) = (n, e) else { return Err(bytes()) };
            let signed = SshSig::signed_data(NAMESPACE, signature.hash_alg(), message).map_err(|_| bytes())?;
            let public = ring::signature::RsaPublicKeyComponents { n, e };
            public.verify(algorithm, &signed, signature.signature_bytes()).map_err(|_| bytes())
        }
        KeyData::Ed25519(_) | KeyData::Ecdsa(_) | KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_) => {
            let public = PublicKey::new(signature.public_key().clone(), "");
            public.verify(NAMESPACE, message, signature).map_err(|_| bytes())
        }
        other => Err(Refusal::Kind(other.algorithm().to_string())),
    }
}
