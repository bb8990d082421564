//! Which servers are trusted over TLS: those that an authority vouches for, and those whose own certificate was named.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;

/// What webpki says of a server that shows the certificate of an authority, after it looked at the dates and before
/// anything else. rustls passes it on as an error of another crate.
const SHOWS_AUTHORITY: &str = "CaUsedAsEndEntity";

/// The system's roots, and what the user named.
#[derive(Debug)]
pub(super) struct Trust {
    roots: Verifier,
    named: Vec<CertificateDer<'static>>,
}

impl Trust {
    pub(super) fn new(named: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        Ok(Self { roots: Verifier::new_with_extra_roots(named.clone(), provider)?, named })
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.roots.verify_server_cert(shown, between, name, ocsp, now) {
            // `openssl req -x509` makes a certificate that is authority and server in one, and sites use it so. Every
            // other client takes it when it is named; it stands for itself only, and for the names in it.
            Err(Error::InvalidCertificate(CertificateError::Other(reason)))
                if reason.0.to_string() == SHOWS_AUTHORITY && self.named.iter().any(|named| named == shown) =>
            {
                verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.roots.verify_tls12_signature(message, shown, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.roots.verify_tls13_signature(message, shown, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.roots.supported_verify_schemes()
    }
}
