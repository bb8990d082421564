//! What the client is told from outside; environment, time and waiting are arguments.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use url::Url;

use super::Retry;
use crate::config::Config;
use crate::event::{Reporter, Silent};
use crate::source::Error;

/// How the client behaves.
#[derive(Clone)]
pub struct HttpOptions {
    /// Mirrors and connections.
    pub config: Config,
    /// Certificates in PEM that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Every need of the network is an error.
    pub offline: bool,
    /// The program's cache; conditional requests keep their responses in its `http` directory.
    pub cache_dir: Option<PathBuf>,
    /// The base of GitHub's API; GitHub Enterprise has its own.
    pub github_api: Option<Url>,
    /// Sent to the host of `github_api`, or to the mirror that is configured for it, and nowhere else.
    pub github_token: Option<String>,
    /// Files in the form of docker's `config.json` that are searched for credentials, in this order.
    pub credential_files: Vec<PathBuf>,
    /// Proxies; loopback addresses never go through one.
    pub proxies: Proxies,
    /// When a server counts as silent.
    pub timeouts: Timeouts,
    /// How often and how patiently a request is repeated.
    pub retry: Retry,
    /// Waits between attempts.
    pub sleep: Sleep,
    /// Is told of waits and of mirrors that fail.
    pub reporter: Arc<dyn Reporter>,
}

/// Proxies as the usual variables give them; `NO_PROXY` is understood as docker does, but that a port counts for no less
/// than its host.
#[derive(Clone, Default)]
pub struct Proxies {
    /// `HTTPS_PROXY`.
    pub https: Option<String>,
    /// `HTTP_PROXY`.
    pub http: Option<String>,
    /// `ALL_PROXY`, where the scheme's own is not set.
    pub all: Option<String>,
    /// `NO_PROXY`.
    pub none_for: Option<String>,
}

/// When a server counts as silent. There is no limit for a whole response: a blob may take an hour.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a connection to stand, TLS included.
    pub connect: Duration,
    /// Between two reads, and until the headers come.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(15), idle: Duration::from_secs(60) }
    }
}

/// Waits for a duration.
#[derive(Clone)]
pub struct Sleep(Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>);

impl Sleep {
    /// Waits in another way than by the clock.
    pub fn new(sleep: impl Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(sleep))
    }

    /// Waits for `duration`.
    pub(super) async fn wait(&self, duration: Duration) {
        (self.0)(duration).await;
    }
}

impl Default for Sleep {
    fn default() -> Self {
        Self::new(|duration| Box::pin(tokio::time::sleep(duration)))
    }
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            config: Config::default(),
            ca_file: None,
            offline: false,
            cache_dir: None,
            github_api: None,
            github_token: None,
            credential_files: Vec::new(),
            proxies: Proxies::default(),
            timeouts: Timeouts::default(),
            retry: Retry::default(),
            sleep: Sleep::default(),
            reporter: Arc::new(Silent),
        }
    }
}

impl HttpOptions {
    /// Takes the proxies, `GITHUB_TOKEN`, `GITHUB_API_URL` and the places of credentials from the environment.
    ///
    /// Empty variables count as unset.
    pub fn with_environment(self, variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let either = |upper: &str| set(upper).or_else(|| set(&upper.to_ascii_lowercase()));
        let github_api = set("GITHUB_API_URL").map(|text| github_api(&text)).transpose()?;
        Ok(Self {
            github_api,
            github_token: set("GITHUB_TOKEN").map(|token| token.trim().to_owned()),
            credential_files: credential_files(&set),
            proxies: Proxies {
                https: either("HTTPS_PROXY"),
                http: either("HTTP_PROXY"),
                all: either("ALL_PROXY"),
                none_for: either("NO_PROXY"),
            },
            ..self
        })
    }
}

/// Where docker and podman keep credentials; podman's are those of containers-auth.json(5).
fn credential_files(set: &impl Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let below = |name: &str, rest: &str| set(name).map(|directory| PathBuf::from(directory).join(rest));
    let own = set("REGISTRY_AUTH_FILE").map(PathBuf::from);
    let docker = below("DOCKER_CONFIG", "config.json").or_else(|| below("HOME", ".docker/config.json"));
    let session = below("XDG_RUNTIME_DIR", "containers/auth.json");
    let lasting =
        below("XDG_CONFIG_HOME", "containers/auth.json").or_else(|| below("HOME", ".config/containers/auth.json"));
    own.into_iter().chain(docker).chain(session).chain(lasting).collect()
}

fn github_api(text: &str) -> Result<Url, Error> {
    let error = |reason| Error::Variable { name: "GITHUB_API_URL", reason };
    let url = Url::parse(text).map_err(|_| error("is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(error("is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(error("holds credentials; they belong into `GITHUB_TOKEN`"));
    }
    Ok(url)
}

impl fmt::Debug for HttpOptions {
    /// Without the token and the proxies' passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("config", &self.config)
            .field("ca_file", &self.ca_file)
            .field("offline", &self.offline)
            .field("cache_dir", &self.cache_dir)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}
