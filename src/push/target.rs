//! Where things go: the registry, and the name that each thing has there.

use std::str::FromStr;

use url::Url;

use super::Error;
use crate::config::DOCKER_HUB_API;
use crate::oci::{Digest, Reference};
use crate::source::registry::upload::Repository;

/// Where charts are below the prefix, as `helm push` to `oci://REGISTRY/PREFIX/charts` would put them.
pub const CHARTS: &str = "charts";

/// A registry with the path that all names there begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Scheme, host and port.
    registry: Url,
    /// Host and port as references have them.
    host: String,
    /// The path, without slashes at its ends; may be empty.
    prefix: String,
    /// Whether names keep the registry that they had.
    keep_registry: bool,
}

/// The name of one thing at the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The repository.
    pub(super) repository: Repository,
    /// The tag, else the digest.
    pub(super) name: String,
    /// The whole reference.
    pub(super) reference: String,
}

impl FromStr for Target {
    type Err = Error;

    /// `HOST[:PORT][/PREFIX]`, with `http://` where the registry speaks plain http.
    fn from_str(text: &str) -> Result<Self, Error> {
        // What is before an `@` may be a password.
        let shown = text.rsplit('@').next().unwrap_or_default().chars().take(200).collect::<String>();
        let error = |reason| Error::Target { text: shown.clone(), reason };
        if text.contains('@') {
            return Err(error("it holds a user name; credentials belong into docker's config.json"));
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme @ ("http" | "https"), rest)) => (scheme, rest),
            Some(_) => return Err(error("it is neither http nor https")),
            None => ("https", text),
        };
        let rest = rest.trim_end_matches('/');
        let (host, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        // A name after the prefix, because Docker Hub's have at least one directory.
        let name = if prefix.is_empty() { "a/a".to_owned() } else { format!("{prefix}/a") };
        let good = Reference::new(host, &name, None, None).is_ok_and(|reference| reference.repository() == name);
        if !good || !(host.contains(['.', ':']) || host == "localhost") {
            return Err(error("it is no host with an optional port and a path of lower-case names"));
        }
        let url = match host {
            "docker.io" | "index.docker.io" => Url::parse(DOCKER_HUB_API),
            _ => Url::parse(&format!("{scheme}://{host}")),
        };
        let registry = url.map_err(|_| error("it is no host with an optional port"))?;
        Ok(Self { registry, host: host.to_owned(), prefix: prefix.to_owned(), keep_registry: false })
    }
}

impl Target {
    /// The same, with names that keep the registry that they had.
    #[must_use]
    pub fn keeping_registry(self, keep_registry: bool) -> Self {
        Self { keep_registry, ..self }
    }

    /// Host, port and prefix: what `global.imageRegistry` is set to.
    #[must_use]
    pub fn name(&self) -> String {
        below(&self.host, &self.prefix)
    }

    /// The registry's URL.
    pub(super) fn url(&self) -> &str {
        self.registry.as_str().trim_end_matches('/')
    }

    /// Whether names keep the registry that they had.
    pub(super) const fn keeps_registry(&self) -> bool {
        self.keep_registry
    }

    /// The path that the repositories of an original registry are below.
    pub(super) fn path(&self, registry: &str) -> String {
        if self.keep_registry { below(&self.prefix, &component(registry)) } else { self.prefix.clone() }
    }

    /// The name of an image of which `digest` is the root.
    pub(super) fn image(&self, reference: &Reference, digest: Digest) -> Result<Place, Error> {
        let repository = below(&self.path(reference.registry()), reference.repository());
        self.place(&reference.to_string(), &repository, reference.tag(), digest)
    }

    /// The name of a chart.
    pub(super) fn chart(&self, path: &str, name: &str, tag: &str, digest: Digest) -> Result<Place, Error> {
        self.place(path, &below(&self.prefix, &format!("{CHARTS}/{name}")), Some(tag), digest)
    }

    fn place(&self, what: &str, repository: &str, tag: Option<&str>, digest: Digest) -> Result<Place, Error> {
        let pinned = tag.is_none().then_some(digest);
        let reference = Reference::new(&self.host, repository, tag, pinned)
            .map_err(|source| Error::Name { what: what.to_owned(), source })?;
        Ok(Place {
            repository: Repository { registry: self.registry.clone(), name: reference.repository().to_owned() },
            name: tag.map_or_else(|| digest.to_string(), str::to_owned),
            reference: reference.to_string(),
        })
    }
}

fn below(path: &str, name: &str) -> String {
    match (path.is_empty(), name.is_empty()) {
        (true, _) => name.to_owned(),
        (_, true) => path.to_owned(),
        _ => format!("{path}/{name}"),
    }
}

/// A registry as a part of a path, which has neither the `:` of a port nor capitals.
fn component(registry: &str) -> String {
    registry.to_ascii_lowercase().replace(':', "-").replace(['[', ']'], "").trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        text.parse().unwrap()
    }

    #[test]
    fn reads_where_to_push() {
        for (text, url, name) in [
            ("harbor.example", "https://harbor.example", "harbor.example"),
            ("harbor.example/site/edge/", "https://harbor.example", "harbor.example/site/edge"),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000", "127.0.0.1:5000"),
            ("https://[::1]:5000/x", "https://[::1]:5000", "[::1]:5000/x"),
            ("localhost/x", "https://localhost", "localhost/x"),
            ("docker.io/me", "https://registry-1.docker.io", "docker.io/me"),
        ] {
            assert_eq!((target(text).url(), target(text).name().as_str()), (url, name), "{text}");
        }
        for text in [
            "",
            "bundle.tar.gz/../x",
            "harbor",
            "ftp://harbor.example",
            "harbor.example/Site",
            "harbor.example/a//b",
            "harbor.example/a:1",
            "harbor.example/a?b",
            "http://",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
        let error = "https://user:secret@harbor.example".parse::<Target>().unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(error.to_string().contains("credentials belong into docker's config.json"), "{error}");
    }

    #[test]
    fn names_are_the_ones_that_mirrors_ask_for() {
        let digest = Digest::of(b"");
        let name = |target: &Target, text: &str| target.image(&text.parse().unwrap(), digest).unwrap().reference;
        let plain = target("harbor.example/site");
        assert_eq!(name(&plain, "busybox:8"), "harbor.example/site/library/busybox:8");
        assert_eq!(
            name(&plain, "quay.io/a/b:1@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            "harbor.example/site/a/b:1"
        );
        assert_eq!(name(&plain, &format!("quay.io/a/b@{digest}")), format!("harbor.example/site/a/b@{digest}"));
        let keeping = plain.keeping_registry(true);
        assert_eq!(name(&keeping, "busybox:8"), "harbor.example/site/docker.io/library/busybox:8");
        assert_eq!(name(&keeping, "127.0.0.1:5000/x:1"), "harbor.example/site/127.0.0.1-5000/x:1");
        let chart = target("harbor.example").chart("charts/a-1+b.tgz", "a", "1_b", digest).unwrap();
        assert_eq!(chart.reference, "harbor.example/charts/a:1_b");
        assert!(target("harbor.example").chart("charts/A-1.tgz", "A", "1", digest).is_err());
    }
}
