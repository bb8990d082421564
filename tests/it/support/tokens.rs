//! A token server for docker-registry (distribution, "Token Authentication"): it signs what the registry believes.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, KeyPair, SigningKey as _};
use serde_json::json;

/// What the registry calls itself to the token server.
pub(crate) const SERVICE: &str = "registry.test";
/// Who signs.
pub(crate) const ISSUER: &str = "tokens.test";

/// The key of the token server and its certificate.
pub(crate) struct Tokens {
    key: KeyPair,
    certificate: rcgen::Certificate,
}

impl Tokens {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![ISSUER.to_owned()]).unwrap().self_signed(&key).unwrap();
        Self { key, certificate }
    }

    /// The certificate, for the registry's `rootcertbundle`.
    pub(crate) fn certificate(&self) -> String {
        self.certificate.pem()
    }

    /// A token to pull from `repository` that ends `life` seconds from now; a negative one ended already.
    pub(crate) fn token(&self, repository: &str, life: i64) -> String {
        let now = jiff::Timestamp::now().as_second();
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = part(json!({"typ": "JWT", "alg": "ES256", "x5c": [STANDARD.encode(self.certificate.der())]}));
        let claims = part(json!({
            "iss": ISSUER, "sub": "", "aud": SERVICE, "jti": "1",
            "iat": now - 7200, "nbf": now - 7200, "exp": now + life,
            "access": [{"type": "repository", "name": repository, "actions": ["pull"]}],
        }));
        let signed = format!("{head}.{claims}");
        let signature = self.key.sign(signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(raw(&signature)))
    }
}

/// An ECDSA signature of two 32-byte numbers (RFC 7518, §3.4) from its DER.
fn raw(der: &[u8]) -> Vec<u8> {
    let number = |at: usize| {
        let length = usize::from(der[at + 1]);
        (&der[at + 2..at + 2 + length], at + 2 + length)
    };
    let (r, next) = number(2);
    let (s, _) = number(next);
    let padded = |number: &[u8]| {
        let bare = &number[number.iter().take_while(|byte| **byte == 0).count()..];
        [vec![0; 32 - bare.len()], bare.to_vec()].concat()
    };
    [padded(r), padded(s)].concat()
}
