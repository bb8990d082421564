//! Why a source could not be read. URLs are shown without user names, passwords and queries.

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use url::Url;

use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::Digest;
use crate::oci::manifest::ManifestError;

/// As much of a server's own message as is quoted.
const MAX_MESSAGE: usize = 200;

/// A failure of a registry, GitHub, a Helm repository or a download.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The network is needed and may not be used.
    #[error("`{url}` is needed, and the network may not be used")]
    Offline {
        /// What had to be asked.
        url: String,
    },
    /// Only mirrors may be asked and none is configured.
    #[error("no mirror is configured for `{url}`, and only mirrors may be asked")]
    NoMirror {
        /// What had to be asked.
        url: String,
    },
    /// A URL that is never asked, wherever it comes from.
    #[error("`{url}` is not asked: {reason}")]
    Refused {
        /// The URL.
        url: String,
        /// Which rule forbids it.
        reason: &'static str,
    },
    /// No connection, or it broke before the response was complete.
    #[error("cannot reach `{url}`")]
    Connection {
        /// What was asked.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The server said nothing for too long.
    #[error("`{url}` sent nothing for too long")]
    Timeout {
        /// What was asked.
        url: String,
        /// Which limit was hit.
        source: reqwest::Error,
    },
    /// The server took nothing for too long, or did not answer what it took.
    #[error("`{url}` took nothing for too long")]
    Stuck {
        /// Where something is sent to.
        url: String,
    },
    /// A response that is no success.
    #[error("`{url}` answered {}{}", .refusal.status, message(.refusal))]
    Status {
        /// What was asked.
        url: String,
        /// The response.
        refusal: Box<Refusal>,
    },
    /// GitHub's budget of requests is used up.
    #[error("the rate limit of `{host}` is used up{}", .reset.map(|t| format!(" until {t}")).unwrap_or_default())]
    RateLimited {
        /// The API's host.
        host: String,
        /// When it starts anew.
        reset: Option<jiff::Timestamp>,
        /// A token was sent, so the limit is the token's.
        with_token: bool,
    },
    /// A registry refused the credentials, or wanted some and had none.
    #[error("`{registry}` refused access to `{repository}`: {reason}")]
    Credentials {
        /// The registry's host.
        registry: String,
        /// What was asked for.
        repository: String,
        /// What the registry said, or what is missing.
        reason: String,
        /// Where credentials were looked for.
        looked: String,
    },
    /// The credentials of `config.json` cannot be used.
    #[error("cannot get the credentials of `{registry}` from {looked}: {reason}")]
    CredentialStore {
        /// The registry's host.
        registry: String,
        /// Where credentials were looked for.
        looked: String,
        /// What is wrong there.
        reason: String,
    },
    /// The body ended before all of it came.
    #[error("`{url}` ended {missing} bytes early")]
    Truncated {
        /// What was asked.
        url: String,
        /// How much was still to come.
        missing: u64,
    },
    /// More bytes than can be right.
    #[error("`{url}` has more than {limit} bytes")]
    TooLarge {
        /// What was asked.
        url: String,
        /// The most that is read.
        limit: u64,
    },
    /// More redirects than anybody needs, or a circle of them.
    #[error("`{url}` redirects more than {limit} times")]
    TooManyRedirects {
        /// What was asked.
        url: String,
        /// The most that are followed.
        limit: usize,
    },
    /// A redirect that is not followed.
    #[error("`{url}` redirects to `{target}`: {reason}")]
    Redirect {
        /// What was asked.
        url: String,
        /// Where it pointed.
        target: String,
        /// Which rule forbids it.
        reason: &'static str,
    },
    /// A response that cannot be understood.
    #[error("`{url}` answered with {reason}")]
    Malformed {
        /// What was asked.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Bytes that are not the ones asked for.
    #[error("`{what}`: wrong bytes from {origin}: expected {expected}, found {found}")]
    Mismatch {
        /// The artifact.
        what: String,
        /// Where they came from: the mirror or the end of the redirects.
        origin: String,
        /// The digest that was asked for.
        expected: Digest,
        /// The digest of what came.
        found: Digest,
    },
    /// A manifest that cannot be used.
    #[error("the manifest of `{reference}` cannot be used")]
    Manifest {
        /// The image or chart.
        reference: String,
        /// Why.
        source: ManifestError,
    },
    /// The certificates of `--ca-file` cannot be used.
    #[error("cannot use the certificates of `{}`: {reason}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An environment variable cannot be used; its value may be a secret.
    #[error("the environment variable `{name}` {reason}")]
    Variable {
        /// Its name.
        name: &'static str,
        /// What is wrong with its value.
        reason: &'static str,
    },
    /// The roots cannot be used.
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),
    /// The HTTP client cannot be built.
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
}

/// A response that is no success, with as much of its body as a message can need.
#[derive(Debug)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// The first bytes of its body.
    pub body: Bytes,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
}

impl Error {
    /// Sorts a failure of the client by what can be done about it.
    pub(crate) fn from_client(url: &Url, source: reqwest::Error) -> Self {
        let url = shown(url);
        let source = source.without_url();
        if source.is_timeout() { Self::Timeout { url, source } } else { Self::Connection { url, source } }
    }

    /// Whether the server's certificate is not trusted, which no second attempt changes.
    #[must_use]
    pub fn is_certificate(&self) -> bool {
        matches!(self, Self::Connection { source, .. } if is_certificate(source))
    }

    /// Whether the same request may well succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connection { source, .. } => !is_certificate(source) && !source.is_builder(),
            Self::Timeout { .. } | Self::Stuck { .. } | Self::Truncated { .. } => true,
            Self::Status { refusal, .. } => {
                // From 520 on are Cloudflare's, for a server behind it that it cannot reach.
                matches!(refusal.status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504 | 520..=524)
                    || (refusal.status == StatusCode::FORBIDDEN && refusal.retry_after.is_some())
            }
            _ => false,
        }
    }

    /// The status, where a server answered at all.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status { refusal, .. } => Some(refusal.status),
            _ => None,
        }
    }

    /// How long the server asks to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { refusal, .. } => refusal.retry_after,
            _ => None,
        }
    }

    /// Whether nobody is at this place, or nobody who answers in time.
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(self, Self::Connection { .. } | Self::Timeout { .. })
            || self.status().is_some_and(|status| matches!(status.as_u16(), 408 | 504))
    }

    /// Whether a place answered that it does not serve this, or not to us: public mirrors have lists of what they do.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::Credentials { .. } | Self::RateLimited { .. } => true,
            _ => self.status().is_some_and(|status| matches!(status.as_u16(), 401 | 403)),
        }
    }

    /// Whether a HEAD got an answer that a GET may well not get: there are registries without it, and places that they
    /// redirect to whose signed URLs are for GET alone.
    pub(crate) fn refuses_head(&self) -> bool {
        self.status().is_some_and(|status| matches!(status.as_u16(), 400 | 403 | 405 | 406 | 501))
    }

    /// Whether another mirror or the original may do better.
    pub(crate) fn falls_back(&self) -> bool {
        self.is_transient()
            || self.is_refusal()
            || matches!(self, Self::Connection { .. })
            || self.status().is_some_and(|s| s.is_server_error() || s == StatusCode::NOT_FOUND)
    }
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Offline { .. } => Exit::Offline,
            Self::Credentials { .. } | Self::CredentialStore { .. } => Exit::Credentials,
            Self::Mismatch { .. } => Exit::Mismatch,
            Self::NoMirror { .. } | Self::CaFile { .. } | Self::Variable { .. } | Self::Tls(_) | Self::Client(_) => {
                Exit::Usage
            }
            _ => Exit::Source,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Offline { .. } => "run it once without `--offline` to fill the store".to_owned(),
            Self::NoMirror { .. } => {
                "add it under `mirrors` in the configuration, or set `mirror_only: false`".to_owned()
            }
            Self::Redirect { url, target, .. } if url.starts_with("https:") && target.starts_with("http:") => {
                "where that is a store of your own, name it under `mirrors` by its `http://` URL, as its own mirror"
                    .to_owned()
            }
            Self::Refused { url, .. } if url.starts_with("http:") => {
                "plain http is spoken only to a mirror whose URL says `http://`".to_owned()
            }
            Self::Connection { source, .. } if is_date(source) => {
                "look at this machine's clock, then at the dates of the server's certificate".to_owned()
            }
            Self::Connection { source, .. } if is_certificate(source) => {
                "if the server has a private CA, name its certificate with `--ca-file`".to_owned()
            }
            Self::Connection { .. } | Self::Timeout { .. } | Self::Stuck { .. } => {
                "check the network, `HTTPS_PROXY` and `NO_PROXY`, or configure a mirror; the next run goes on"
                    .to_owned()
            }
            Self::RateLimited { with_token: false, .. } => {
                "set `GITHUB_TOKEN`: with a token GitHub allows 5000 requests an hour instead of 60".to_owned()
            }
            Self::RateLimited { .. } => "wait until then, or use another `GITHUB_TOKEN`".to_owned(),
            Self::Credentials { registry, looked, .. } => {
                format!("looked in {looked}; `docker login {registry}` writes them, and check that the name exists")
            }
            Self::CredentialStore { registry, .. } => format!("`docker login {registry}` writes them anew"),
            Self::Status { refusal, .. } if refusal.status == StatusCode::TOO_MANY_REQUESTS => {
                "wait, log in with `docker login`, or configure a mirror; the next run goes on".to_owned()
            }
            Self::Status { refusal, .. } if refusal.status == StatusCode::PAYLOAD_TOO_LARGE => {
                "a proxy before the registry bounds the size of a request, such as `client_max_body_size` of nginx"
                    .to_owned()
            }
            Self::Tls(_) => "install the system's `ca-certificates`, or name certificates with `--ca-file`".to_owned(),
            Self::Mismatch { .. } => {
                "what is served is not what was locked: do not use it before you know why".to_owned()
            }
            _ => return None,
        })
    }
}

/// A URL as it may be shown: no user, no password, no query.
pub(crate) fn shown(url: &Url) -> String {
    let mut text = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
    if let Some(port) = url.port() {
        let _ = write!(text, ":{port}");
    }
    text.push_str(url.path());
    text
}

/// Whether TLS failed over the server's certificate, which no second attempt changes.
fn is_certificate(error: &reqwest::Error) -> bool {
    certificate(error).is_some()
}

/// Whether it failed over the certificate's dates: a clock that stood still is as likely as a certificate that ran out.
fn is_date(error: &reqwest::Error) -> bool {
    use rustls::CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
    matches!(certificate(error), Some(Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. }))
}

/// What was wrong with the server's certificate.
fn certificate(error: &reqwest::Error) -> Option<&rustls::CertificateError> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(rustls::Error::InvalidCertificate(wrong)) = error.downcast_ref() {
            return Some(wrong);
        }
        // An I/O error names what it wraps as itself, not as its source.
        cause = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// What the server itself says about its refusal: a registry's or GitHub's JSON.
fn message(refusal: &Refusal) -> String {
    server_message(&refusal.body).map(|text| format!(": {text}")).unwrap_or_default()
}

/// The message in a registry's (distribution-spec, "Error Codes"), GitHub's or a token server's JSON.
pub(crate) fn server_message(body: &[u8]) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(body).ok()?;
    let first = json.get("errors").and_then(|errors| errors.get(0)).unwrap_or(&json);
    let text = ["message", "details", "error_description", "code"].iter().find_map(|key| first.get(key)?.as_str())?;
    let text: String = text.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect();
    (!text.is_empty()).then_some(text)
}
