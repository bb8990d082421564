//! Package URLs (ECMA-427): names of packages that scanners and vulnerability databases understand.

use std::collections::BTreeMap;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::oci::Digest;

/// What is encoded (ECMA-427, "Character encoding"): all but letters, digits, `.`, `-`, `_`, `~` and the colon.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~').remove(b':');
/// In the value of a qualifier a slash stands for itself, as in the examples of the types.
const VALUE: &AsciiSet = &ENCODED.remove(b'/');

/// A package URL that is being put together.
#[derive(Clone, Debug)]
pub(super) struct Purl {
    kind: &'static str,
    /// Namespace and name.
    path: Vec<String>,
    version: Option<String>,
    /// By name, as they are written.
    qualifiers: BTreeMap<&'static str, String>,
}

impl Purl {
    fn new(kind: &'static str, path: Vec<String>, version: Option<String>) -> Self {
        Self { kind, path, version, qualifiers: BTreeMap::new() }
    }

    /// An image by the last part of its repository and the digest of its manifest.
    pub(super) fn oci(name: &str, digest: Digest) -> Self {
        Self::new("oci", vec![name.to_lowercase()], Some(digest.to_string()))
    }

    /// What no other type names.
    pub(super) fn generic(name: &str, version: Option<&str>) -> Self {
        Self::new("generic", vec![name.to_owned()], version.map(str::to_owned))
    }

    /// What a URL gives: the repository and tag of a release on GitHub, else something generic.
    pub(super) fn of_download(name: &str, version: &str, url: &str) -> Self {
        match github_release(url) {
            Some((owner, repository, tag)) => {
                let tag = percent_decode_str(tag).decode_utf8_lossy().into_owned();
                Self::new("github", vec![owner.to_lowercase(), repository.to_lowercase()], Some(tag))
            }
            None => Self::generic(name, Some(version)),
        }
    }

    pub(super) fn with(mut self, key: &'static str, value: &str) -> Self {
        self.qualifiers.insert(key, value.to_owned());
        self
    }
}

/// Owner, repository and tag of `https://github.com/OWNER/REPOSITORY/releases/download/TAG/ASSET`.
fn github_release(url: &str) -> Option<(&str, &str, &str)> {
    let parts: Vec<_> = url.strip_prefix("https://github.com/")?.split('/').collect();
    match parts[..] {
        [owner, repository, "releases", "download", tag, _] => Some((owner, repository, tag)),
        _ => None,
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}", self.kind)?;
        for part in &self.path {
            write!(f, "/{}", utf8_percent_encode(part, ENCODED))?;
        }
        if let Some(version) = &self.version {
            write!(f, "@{}", utf8_percent_encode(version, ENCODED))?;
        }
        for (index, (key, value)) in self.qualifiers.iter().enumerate() {
            let mark = if index == 0 { '?' } else { '&' };
            write!(f, "{mark}{key}={}", utf8_percent_encode(value, VALUE))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_the_types_say() {
        let digest = Digest::of(b"");
        let image = Purl::oci("Loki", digest).with("tag", "3.7.6").with("repository_url", "docker.io:443/grafana/loki");
        assert_eq!(
            image.to_string(),
            format!("pkg:oci/loki@{digest}?repository_url=docker.io:443/grafana/loki&tag=3.7.6")
        );
        let url = "https://github.com/K3s-io/k3s/releases/download/v1.36.4%2Bk3s1/k3s";
        assert_eq!(Purl::of_download("k3s", "1.36.4", url).to_string(), "pkg:github/k3s-io/k3s@v1.36.4%2Bk3s1");
        let url = "https://get.helm.sh/helm.tar.gz?a=b&c=#d";
        assert_eq!(
            Purl::of_download("a chart", "1+2@é", url).with("download_url", url).to_string(),
            "pkg:generic/a%20chart@1%2B2%40%C3%A9?download_url=https://get.helm.sh/helm.tar.gz%3Fa%3Db%26c%3D%23d"
        );
    }

    #[test]
    fn only_a_release_is_github() {
        for other in [
            "https://github.com/a/b/archive/v1.tar.gz",
            "https://github.com/a/b/releases/download/v1/x/y",
            "http://github.com/a/b/releases/download/v1/x",
            "https://github.com.example/a/b/releases/download/v1/x",
        ] {
            assert_eq!(Purl::of_download("x", "1", other).to_string(), "pkg:generic/x@1", "{other}");
        }
    }
}
