//! Image references, normalised as containerd and Docker do (distribution/reference):
//! `busybox:8` is `docker.io/library/busybox:8`.

use std::fmt;
use std::str::FromStr;

use super::Digest;

/// The longest repository name that the distribution spec allows, with its registry.
const MAX_NAME: usize = 255;
/// The longest tag (distribution-spec v1.1, "Pulling manifests").
const MAX_TAG: usize = 128;
/// Tags that are moved by habit; the others are names of versions.
const FLOATING_TAGS: [&str; 9] = ["canary", "dev", "develop", "edge", "latest", "main", "master", "nightly", "stable"];

/// A full image reference: `registry/repository[:tag][@digest]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Why a text is no image reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an image reference: {reason}")]
pub struct ReferenceError {
    text: String,
    reason: &'static str,
}

impl Reference {
    /// Builds a reference from its parts, checking each as [`FromStr`] does.
    pub fn new(
        registry: &str,
        repository: &str,
        tag: Option<&str>,
        digest: Option<Digest>,
    ) -> Result<Self, ReferenceError> {
        let mut text = format!("{registry}/{repository}");
        if let Some(tag) = tag {
            text = format!("{text}:{tag}");
        }
        if let Some(digest) = digest {
            text = format!("{text}@{digest}");
        }
        text.parse()
    }

    /// The registry's host with its port if it has one; `docker.io` for Docker Hub.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository within the registry, such as `library/busybox`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, if it names one.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if it is pinned by one.
    #[must_use]
    pub const fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// `registry/repository`, without tag and digest.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// Whether the name is another image tomorrow: no digest, and no tag or one that upstreams move.
    #[must_use]
    pub fn is_floating(&self) -> bool {
        self.digest.is_none() && self.tag.as_deref().is_none_or(|tag| FLOATING_TAGS.contains(&tag))
    }

    /// The same name pinned by `digest` alone, as the CRI looks up pinned images.
    #[must_use]
    pub fn pinned(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    /// The same name with another tag and no digest.
    pub fn with_tag(&self, tag: &str) -> Result<Self, ReferenceError> {
        Self::new(&self.registry, &self.repository, Some(tag), None)
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let error = |reason| ReferenceError { text: text.chars().take(200).collect(), reason };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                (rest, Some(digest.parse().map_err(|_| error("the digest is not `sha256:` and 64 hex digits"))?))
            }
            None => (text, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        if let Some(tag) = tag
            && !valid_tag(tag)
        {
            return Err(error("the tag has characters that no tag may have, or is longer than 128"));
        }
        let (registry, repository) = match name.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest.to_owned()),
            _ => ("docker.io", name.to_owned()),
        };
        let registry = if registry == "index.docker.io" { "docker.io" } else { registry };
        let repository = if registry == "docker.io" && !repository.contains('/') {
            format!("library/{repository}")
        } else {
            repository
        };
        if !valid_registry(registry) {
            return Err(error("the registry is not a host name with an optional port"));
        }
        if !repository.split('/').all(valid_component) {
            return Err(error("a repository has lower-case letters, digits and single separators only"));
        }
        if registry.len() + 1 + repository.len() > MAX_NAME {
            return Err(error("the name is longer than 255 characters"));
        }
        Ok(Self { registry: registry.to_owned(), repository, tag: tag.map(str::to_owned), digest })
    }
}

/// Whether `tag` is `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}` (distribution-spec v1.1).
#[must_use]
pub fn valid_tag(tag: &str) -> bool {
    let word = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    tag.len() <= MAX_TAG
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|c| word(c) || c == b'.' || c == b'-')
}

fn valid_registry(registry: &str) -> bool {
    let (host, port) = match registry.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (registry, None),
    };
    let ipv6 = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let host_good = match ipv6 {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.split('.').all(|label| {
                    !label.is_empty()
                        && !label.starts_with('-')
                        && !label.ends_with('-')
                        && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
                })
        }
    };
    host_good && port.is_none_or(|p| !p.is_empty() && p.len() <= 5 && p.parse::<u16>().is_ok())
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` (distribution-spec v1.1).
fn valid_component(component: &str) -> bool {
    let alphanumeric = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let bytes = component.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    alphanumeric(*first)
        && alphanumeric(*last)
        && bytes
            .split(|c| alphanumeric(*c))
            .filter(|separator| !separator.is_empty())
            .all(|separator| matches!(separator, b"." | b"_" | b"__") || separator.iter().all(|c| *c == b'-'))
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl serde::Serialize for Reference {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Reference {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises_as_containerd_does() {
        for (text, expected) in [
            ("busybox:8", "docker.io/library/busybox:8"),
            ("busybox", "docker.io/library/busybox"),
            ("index.docker.io/busybox:1", "docker.io/library/busybox:1"),
            ("grafana/loki:3.7.6", "docker.io/grafana/loki:3.7.6"),
            ("localhost/x:1", "localhost/x:1"),
            ("127.0.0.1:5000/a/b__c:v1", "127.0.0.1:5000/a/b__c:v1"),
            ("host:5000/a", "host:5000/a"),
            ("[::1]:5000/a:1", "[::1]:5000/a:1"),
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn knows_floating_names() {
        let floating = |text: &str| text.parse::<Reference>().unwrap().is_floating();
        assert!(floating("busybox") && floating("busybox:latest") && floating("localhost:5000/a/main:main"));
        let digest = Digest::of(b"");
        assert!(!floating("busybox:8") && !floating(&format!("busybox@{digest}")));
        assert!(!floating(&format!("busybox:latest@{digest}")));
    }

    #[test]
    fn refuses_what_is_no_reference() {
        for text in [
            "",
            ":",
            "/",
            "a//b",
            "A/b",
            "a:../../x",
            "a:",
            "a@sha256:1",
            "a@",
            "a b",
            "a/../b",
            "-a",
            "a-",
            "a..b",
            "http://a/b",
            "x.y:99999/a",
            "a:b:c",
            "{{ .image }}",
            "a_-b",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
        assert!("a".repeat(300).parse::<Reference>().is_err());
    }
}
