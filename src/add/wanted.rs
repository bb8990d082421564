//! What is to be added, as it is written on the command line.

use url::Url;

use super::Error;
use crate::name::is_name;
use crate::oci::Reference;
use crate::source::github::Repository;
use crate::version::guess;

/// A thing that a catalog can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// An image, by its repository and perhaps the tag of a version.
    Image {
        /// The repository; a tag says what tags look like, and the lowest version.
        reference: Reference,
    },
    /// A chart of a repository.
    Chart {
        /// `https://…` or `oci://registry/path`.
        repository: String,
        /// Its name there.
        name: String,
    },
    /// A file of the releases of a repository on GitHub.
    File {
        /// The repository.
        repository: Repository,
        /// The tag of a release, which says what tags look like, and the lowest version.
        tag: Option<String>,
        /// The asset's name in one of its releases.
        asset: Option<String>,
    },
}

impl Wanted {
    /// Reads `redis`, `quay.io/prometheus/alertmanager:v0.28.0`.
    ///
    /// # Errors
    /// No reference, or one that says nothing about versions.
    pub fn image(text: &str) -> Result<Self, Error> {
        let bare = text.strip_prefix("docker://").or_else(|| text.strip_prefix("oci://")).unwrap_or(text);
        let reference: Reference = bare.parse()?;
        if reference.digest().is_some() {
            return Err(Error::Digest { reference: reference.to_string() });
        }
        match reference.tag() {
            Some(tag) if guess(tag).is_none() => {
                Err(Error::NoVersionInTag { reference: reference.to_string(), repository: reference.name() })
            }
            _ => Ok(Self::Image { reference }),
        }
    }

    /// Reads the URL of a Helm repository and a chart's name, or an `oci://` reference that ends with the name.
    ///
    /// # Errors
    /// No such URL, or no name.
    pub fn chart(place: &str, name: Option<&str>) -> Result<Self, Error> {
        let url = url(place, &["https", "http", "oci"])?;
        let path = place.trim_end_matches('/');
        let (repository, name) = match name {
            Some(name) => (path.strip_suffix("/index.yaml").unwrap_or(path), name),
            None if url.scheme() == "oci" => path.rsplit_once('/').ok_or_else(|| no_name(place))?,
            None => return Err(no_name(place)),
        };
        if let Some((name, version)) = name.split_once([':', '@']) {
            return Err(Error::ChartVersion { name: name.to_owned(), version: version.to_owned() });
        }
        if !is_name(name) || repository.ends_with(['/', ':']) {
            return Err(no_name(place));
        }
        Ok(Self::Chart { repository: repository.to_owned(), name: name.to_owned() })
    }

    /// Reads `github:owner/name`, a repository's URL, or that of a release's asset.
    ///
    /// # Errors
    /// Anything else: nobody lists the newer ones of a plain file.
    pub fn file(place: &str, asset: Option<&str>) -> Result<Self, Error> {
        let own = |asset: Option<&str>| asset.map(str::to_owned);
        if let Some(repository) = place.strip_prefix("github:") {
            return Ok(Self::File { repository: repository.parse()?, tag: None, asset: own(asset) });
        }
        let url = url(place, &["https"])?;
        let path: Vec<&str> = url.path_segments().into_iter().flatten().filter(|part| !part.is_empty()).collect();
        let repository = |owner: &str, name: &str| format!("{owner}/{}", name.trim_end_matches(".git")).parse();
        match (url.host_str(), path.as_slice()) {
            (Some("github.com"), [owner, name] | [owner, name, "releases"]) => {
                Ok(Self::File { repository: repository(owner, name)?, tag: None, asset: own(asset) })
            }
            (Some("github.com"), [owner, name, "releases", "download", tag, file]) => {
                let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
                let (tag, file) = (decode(tag), asset.map_or_else(|| decode(file), str::to_owned));
                Ok(Self::File { repository: repository(owner, name)?, tag: Some(tag), asset: Some(file) })
            }
            (host, _) => Err(Error::NotReleased { host: host.unwrap_or_default().to_owned() }),
        }
    }

    /// The name that its component has where none is given.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Image { reference } => reference.repository().rsplit('/').next().unwrap_or_default().to_owned(),
            Self::Chart { name, .. } => name.clone(),
            Self::File { repository, .. } => {
                let repository = repository.to_string();
                repository.split_once('/').map_or("", |(_, name)| name).to_lowercase()
            }
        }
    }
}

fn no_name(place: &str) -> Error {
    Error::NoChartName { place: place.to_owned() }
}

/// A URL of one of `schemes`, with a host and without credentials: these would end up in the catalog.
fn url(text: &str, schemes: &[&'static str]) -> Result<Url, Error> {
    let shown = text.rsplit('@').next().unwrap_or_default();
    let wrong = || Error::Url { text: shown.to_owned(), schemes: schemes.join("://, ") + "://" };
    let url = Url::parse(text).map_err(|_| wrong())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::CredentialsInUrl { host: url.host_str().unwrap_or_default().to_owned() });
    }
    let hosted = url.host_str().is_some_and(|host| !host.is_empty());
    if hosted && schemes.contains(&url.scheme()) { Ok(url) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        let image = |text: &str| match Wanted::image(text).unwrap() {
            Wanted::Image { reference } => reference.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(image("redis"), "docker.io/library/redis");
        assert_eq!(image("docker://quay.io/a/b:v1.2"), "quay.io/a/b:v1.2");
        let chart = |repository: &str, name: &str| Wanted::Chart { repository: repository.into(), name: name.into() };
        for (place, name, repository) in [
            ("https://charts.example.com/", Some("x"), "https://charts.example.com"),
            ("https://charts.example.com/a/index.yaml", Some("x"), "https://charts.example.com/a"),
            ("oci://ghcr.io/org/charts/x", None, "oci://ghcr.io/org/charts"),
            ("oci://ghcr.io/org/charts", Some("x"), "oci://ghcr.io/org/charts"),
        ] {
            assert_eq!(Wanted::chart(place, name).unwrap(), chart(repository, "x"), "{place}");
        }
        let file = |place: &str, asset: Option<&str>| match Wanted::file(place, asset).unwrap() {
            Wanted::File { repository, tag, asset } => (repository.to_string(), tag, asset),
            other => panic!("{other:?}"),
        };
        let repository = "mikefarah/yq".to_owned();
        for place in ["github:mikefarah/yq", "https://github.com/mikefarah/yq", "https://github.com/mikefarah/yq.git"] {
            assert_eq!(file(place, None), (repository.clone(), None, None));
        }
        let url = "https://github.com/k3s-io/k3s/releases/download/v1.30.0%2Bk3s1/k3s";
        let (repository, tag) = ("k3s-io/k3s".to_owned(), Some("v1.30.0+k3s1".to_owned()));
        assert_eq!(file(url, None), (repository, tag, Some("k3s".to_owned())));
    }

    #[test]
    fn refuses_what_it_cannot_add() {
        let digest = format!("redis@sha256:{}", "0".repeat(64));
        for (wrong, said) in [
            (Wanted::image("Redis"), "is not an image reference"),
            (Wanted::image("https://ghcr.io/x"), "is not an image reference"),
            (Wanted::image("redis:latest"), "names no version"),
            (Wanted::image(&digest), "a digest alone"),
            (Wanted::chart("https://charts.example.com", None), "which chart of"),
            (Wanted::chart("oci://ghcr.io", None), "which chart of"),
            (Wanted::chart("https://charts.example.com", Some("../x")), "which chart of"),
            (Wanted::chart("oci://ghcr.io/org/x:1.2.3", None), "the version of chart `x`"),
            (Wanted::chart("htps://charts.example.com", Some("x")), "begins with https://, http://, oci://"),
            (Wanted::chart("charts.example.com", Some("x")), "begins with"),
            (Wanted::chart("https://me:hunter2@charts.example.com", Some("x")), "holds credentials"),
            (Wanted::file("github:yq", None), "is not a GitHub repository"),
            (Wanted::file("https://get.example.com/x.tar.gz", None), "no release on GitHub"),
            (Wanted::file("https://github.com/a/b/raw/main/x", None), "no release on GitHub"),
            (Wanted::file("http://github.com/a/b", None), "begins with https://"),
        ] {
            let error = wrong.unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
            assert!(!error.contains("hunter2"));
        }
    }
}
