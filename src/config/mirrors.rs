//! Mirrors: which URLs to ask for what the catalog and the lock name by its original.
//!
//! A key is a registry (`docker.io`, `127.0.0.1:5000`) or a URL prefix (`https://github.com`); the longest prefix wins.
//! Plain http is spoken only where a mirror's URL says so.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use url::Url;

use super::Config;
use crate::yaml::{Place, Spanned, YamlError};

/// Where the API of `docker.io` really lives.
pub const DOCKER_HUB_API: &str = "https://registry-1.docker.io";

/// The mirrors by what they stand for, each list in the order in which it is tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mirrors {
    registries: BTreeMap<String, Vec<Url>>,
    prefixes: BTreeMap<String, Vec<Url>>,
}

/// The mirrors as they are written, with the places of the keys.
#[derive(Default)]
pub(super) struct Entries(Vec<(Spanned<String>, Vec<Spanned<String>>)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("lists of mirrors by what they stand for")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Entries::default();
                while let Some(entry) = map.next_entry()? {
                    entries.0.push(entry);
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

/// One place that serves a request to a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The whole URL.
    pub url: Url,
    /// The repository under the name that this place knows it by.
    pub repository: String,
}

impl Mirrors {
    pub(super) fn parse(file: &str, entries: Entries) -> Result<Self, YamlError> {
        let mut mirrors = Self::default();
        for (key, values) in entries.0 {
            let (key_place, key) = (Place::from(&key), key.value);
            let error = |place, message: String, hint: &str| YamlError {
                file: file.to_owned(),
                place,
                message,
                hint: Some(hint.to_owned()),
            };
            let mut urls = Vec::new();
            for value in &values {
                let url = mirror_url(&value.value).map_err(|reason| {
                    error(value.into(), format!("the mirror of `{key}` {reason}"), "write it as `https://HOST/PATH`")
                })?;
                urls.push(url);
            }
            if key.contains("://") {
                let prefix = mirror_url(&key).map_err(|reason| {
                    error(key_place, format!("the mirrored URL `{key}` {reason}"), "write it as `https://HOST/PATH`")
                })?;
                mirrors.prefixes.insert(prefix_of(&prefix).to_owned(), urls);
            } else {
                let registry = registry_name(&key).ok_or_else(|| {
                    error(
                        key_place,
                        format!("`{key}` is neither a registry nor a URL prefix"),
                        "write a host such as `docker.io` or `127.0.0.1:5000`, or a URL with `https://`",
                    )
                })?;
                mirrors.registries.insert(registry, urls);
            }
        }
        Ok(mirrors)
    }

    /// The mirrors of `url`: those of the longest prefix that ends at a boundary of its path.
    #[must_use]
    pub fn of(&self, url: &Url) -> Vec<Url> {
        let longest = self
            .prefixes
            .iter()
            .filter_map(|(prefix, mirrors)| Some((prefix.len(), below(url, prefix)?, mirrors)))
            .max_by_key(|(length, ..)| *length);
        let Some((_, rest, mirrors)) = longest else { return Vec::new() };
        mirrors.iter().filter_map(|mirror| Url::parse(&format!("{}{rest}", prefix_of(mirror))).ok()).collect()
    }

    /// What the URL of a mirror stands for.
    #[must_use]
    pub fn original(&self, url: &Url) -> Option<Url> {
        let pairs =
            self.prefixes.iter().flat_map(|(prefix, mirrors)| mirrors.iter().map(move |m| (prefix, prefix_of(m))));
        let longest = pairs
            .filter_map(|(prefix, mirror)| Some((mirror.len(), prefix, below(url, mirror)?)))
            .max_by_key(|(length, ..)| *length);
        let (_, prefix, rest) = longest?;
        Url::parse(&format!("{prefix}{rest}")).ok()
    }
}

impl Config {
    /// The URLs to ask for `url`, in order: its mirrors, then itself unless only mirrors may be asked.
    #[must_use]
    pub fn urls(&self, url: &Url) -> Vec<Url> {
        let mut urls = self.mirrors.of(url);
        if !self.mirror_only {
            urls.push(url.clone());
        }
        urls
    }

    /// The places to ask for `rest` (such as `manifests/1.0`) of a repository, in order.
    ///
    /// A registry's own mirrors win over those of a URL prefix.
    #[must_use]
    pub fn endpoints(&self, registry: &str, repository: &str, rest: &str) -> Vec<Endpoint> {
        let original = original(registry, repository, rest);
        let mut endpoints = Vec::new();
        match self.mirrors.registries.get(registry) {
            Some(mirrors) => {
                for mirror in mirrors {
                    let path = mirror.path().trim_matches('/');
                    let repository =
                        if path.is_empty() { repository.to_owned() } else { format!("{path}/{repository}") };
                    if let Ok(url) = mirror.join(&format!("/v2/{repository}/{rest}")) {
                        endpoints.push(Endpoint { url, repository });
                    }
                }
            }
            None => {
                let mirrors = original.iter().flat_map(|url| self.mirrors.of(url));
                endpoints.extend(mirrors.map(|url| Endpoint { url, repository: repository.to_owned() }));
            }
        }
        if !self.mirror_only {
            endpoints.extend(original.map(|url| Endpoint { url, repository: repository.to_owned() }));
        }
        endpoints
    }
}

/// A URL as a prefix of others.
fn prefix_of(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}

/// What of `url` follows `prefix`, which has to end where a part of the URL ends.
fn below<'a>(url: &'a Url, prefix: &str) -> Option<&'a str> {
    let rest = url.as_str().strip_prefix(prefix)?;
    (rest.is_empty() || rest.starts_with(['/', '?', '#'])).then_some(rest)
}

/// The URL of the registry itself; `None` never happens for the parts of a parsed reference.
fn original(registry: &str, repository: &str, rest: &str) -> Option<Url> {
    let base = if registry == "docker.io" { DOCKER_HUB_API.to_owned() } else { format!("https://{registry}") };
    Url::parse(&format!("{base}/v2/{repository}/{rest}")).ok()
}

/// A URL that may stand in the configuration; what is wrong with it otherwise.
fn mirror_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "is not a URL")?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("is neither http nor https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds credentials; they belong into docker's config.json");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a query or a fragment");
    }
    Ok(url)
}

/// The registry's name as references spell it.
fn registry_name(key: &str) -> Option<String> {
    let reference = crate::oci::Reference::new(key, "library/name", None, None).ok()?;
    (reference.registry() == key || key == "index.docker.io").then(|| reference.registry().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::parse("c.yaml", text).unwrap()
    }

    fn urls(config: &Config, url: &str) -> Vec<String> {
        config.urls(&Url::parse(url).unwrap()).into_iter().map(String::from).collect()
    }

    fn endpoints(config: &Config, registry: &str) -> Vec<String> {
        config.endpoints(registry, "grafana/loki", "manifests/1").into_iter().map(|e| e.url.into()).collect()
    }

    #[test]
    fn the_longest_prefix_wins() {
        let config = config(
            "mirrors:\n  https://github.com: [https://proxy.example/https://github.com]\n  \
             https://github.com/k3s-io/: [https://k3s.example/x/, http://127.0.0.1:1]\n",
        );
        assert_eq!(
            urls(&config, "https://github.com/helm/helm?a=1"),
            ["https://proxy.example/https://github.com/helm/helm?a=1", "https://github.com/helm/helm?a=1"]
        );
        assert_eq!(
            urls(&config, "https://github.com/k3s-io/k3s"),
            ["https://k3s.example/x/k3s", "http://127.0.0.1:1/k3s", "https://github.com/k3s-io/k3s"]
        );
        assert_eq!(
            urls(&config, "https://github.com/k3s-iox"),
            ["https://proxy.example/https://github.com/k3s-iox", "https://github.com/k3s-iox"]
        );
        assert_eq!(urls(&config, "https://github.com.evil.example/"), ["https://github.com.evil.example/"]);
        assert_eq!(urls(&config, "https://github.com@evil.example/"), ["https://github.com@evil.example/"]);
    }

    #[test]
    fn knows_what_a_mirror_stands_for() {
        let config = config(
            "mirrors:\n  https://github.com: ['http://127.0.0.1:1/x', 'https://y.example']\n  \
             https://api.github.com: ['http://127.0.0.1:1/x/api/']\n",
        );
        let original = |url: &str| config.mirrors.original(&Url::parse(url).unwrap()).map(String::from);
        assert_eq!(original("http://127.0.0.1:1/x/a?b").as_deref(), Some("https://github.com/a?b"));
        assert_eq!(original("http://127.0.0.1:1/x/api/a").as_deref(), Some("https://api.github.com/a"));
        assert_eq!(original("https://y.example/a").as_deref(), Some("https://github.com/a"));
        assert_eq!(original("http://127.0.0.1:1/xy"), None);
    }

    #[test]
    fn a_registry_has_its_own_mirrors() {
        let config = config(
            "mirrors:\n  docker.io: [https://harbor.example/dockerhub/, http://127.0.0.1:5000]\n  \
             127.0.0.1:5000: [http://127.0.0.1:5000]\n  https://ghcr.io: [https://mirror.example/ghcr]\n",
        );
        assert_eq!(
            endpoints(&config, "docker.io"),
            [
                "https://harbor.example/v2/dockerhub/grafana/loki/manifests/1",
                "http://127.0.0.1:5000/v2/grafana/loki/manifests/1",
                "https://registry-1.docker.io/v2/grafana/loki/manifests/1",
            ]
        );
        assert_eq!(
            config.endpoints("docker.io", "grafana/loki", "x")[0].repository,
            "dockerhub/grafana/loki",
            "the scope of a token has the mirror's name"
        );
        assert_eq!(
            endpoints(&config, "127.0.0.1:5000"),
            ["http://127.0.0.1:5000/v2/grafana/loki/manifests/1", "https://127.0.0.1:5000/v2/grafana/loki/manifests/1"]
        );
        assert_eq!(
            endpoints(&config, "ghcr.io"),
            ["https://mirror.example/ghcr/v2/grafana/loki/manifests/1", "https://ghcr.io/v2/grafana/loki/manifests/1"]
        );
        assert_eq!(endpoints(&config, "quay.io"), ["https://quay.io/v2/grafana/loki/manifests/1"]);
    }

    #[test]
    fn mirror_only_leaves_the_original_out() {
        let config = config("mirror_only: true\nmirrors: {quay.io: [http://127.0.0.1:5000]}\n");
        assert_eq!(endpoints(&config, "quay.io"), ["http://127.0.0.1:5000/v2/grafana/loki/manifests/1"]);
        assert!(endpoints(&config, "ghcr.io").is_empty());
        assert!(urls(&config, "https://github.com/").is_empty());
    }

    #[test]
    fn refuses_what_is_no_mirror() {
        for (text, place) in [
            ("mirrors:\n  docker.io: [ftp://x.example]\n", (2, 15)),
            ("mirrors:\n  docker.io: [harbor.example]\n", (2, 15)),
            ("mirrors:\n  docker.io: ['https://user:secret@x.example']\n", (2, 15)),
            ("mirrors:\n  docker.io: ['https://x.example/?a=b']\n", (2, 15)),
            ("mirrors:\n  ftp://x: [https://x.example]\n", (2, 3)),
            ("mirrors:\n  docker.io/grafana: [https://x.example]\n", (2, 3)),
            ("mirrors:\n  ../x: []\n", (2, 3)),
        ] {
            let error = Config::parse("c.yaml", text).unwrap_err();
            assert_eq!((error.place.line, error.place.column), place, "{error}");
            assert!(!error.to_string().contains("secret"));
        }
    }
}
