//! What a URL asks for: distribution-spec v1.1 ("Endpoints"), the Helm repository, the files and the page.

use percent_encoding::percent_decode_str;

/// What a path asks for. Nothing here is a path of the file system: names are looked up in what the bundles list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/`: the page for people.
    Page,
    /// `/v2/`: whether this is a registry.
    Version,
    /// `/v2/_catalog`.
    Catalog,
    /// `/v2/<name>/manifests/<tag-or-digest>`.
    Manifest { name: String, reference: String },
    /// `/v2/<name>/blobs/<digest>`.
    Blob { name: String, digest: String },
    /// `/v2/<name>/tags/list`.
    Tags { name: String },
    /// `/v2/<name>/referrers/<digest>`.
    Referrers { name: String, digest: String },
    /// `/index.yaml`: the index of the Helm repository.
    Index,
    /// What a bundle may have under this path, without the first slash.
    Named(String),
    /// Nothing that a registry has.
    Unknown,
}

impl Route {
    /// Parses the path of a URL; `None` when its percent-encoding is no UTF-8.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let path = percent_decode_str(path).decode_utf8().ok()?;
        let Some(rest) = path.strip_prefix("/v2") else {
            let relative = path.strip_prefix('/').unwrap_or_default();
            return Some(match relative {
                "" => Self::Page,
                "index.yaml" => Self::Index,
                _ => Self::Named(relative.to_owned()),
            });
        };
        let Some(rest) = rest.strip_prefix('/') else {
            return Some(if rest.is_empty() { Self::Version } else { Self::Named(format!("v2{rest}")) });
        };
        Some(match rest {
            "" => Self::Version,
            "_catalog" => Self::Catalog,
            _ => Self::named(rest).unwrap_or(Self::Unknown),
        })
    }

    /// A name may have parts called `manifests` or `blobs`, so the last one counts.
    fn named(rest: &str) -> Option<Self> {
        if let Some(name) = rest.strip_suffix("/tags/list") {
            return Some(Self::Tags { name: name.to_owned() });
        }
        let (before, last) = rest.rsplit_once('/')?;
        let (name, kind) = before.rsplit_once('/')?;
        let (name, last) = (name.to_owned(), last.to_owned());
        match kind {
            "manifests" => Some(Self::Manifest { name, reference: last }),
            "blobs" => Some(Self::Blob { name, digest: last }),
            "referrers" => Some(Self::Referrers { name, digest: last }),
            _ => None,
        }
    }

    /// Whether it is part of the distribution specification.
    pub(super) const fn is_registry(&self) -> bool {
        !matches!(self, Self::Page | Self::Index | Self::Named(_))
    }
}

/// The parameters of a URL that mean something here; the first of equal ones counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// The registry that containerd asks a mirror for.
    pub(super) ns: Option<String>,
    /// How many to list.
    pub(super) n: Option<String>,
    /// After which to go on.
    pub(super) last: Option<String>,
    /// The filter of the referrers.
    pub(super) artifact_type: Option<String>,
    /// The language of the page.
    pub(super) lang: Option<String>,
}

impl Query {
    pub(super) fn parse(query: Option<&str>) -> Self {
        let mut parsed = Self::default();
        for (key, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let field = match &*key {
                "ns" => &mut parsed.ns,
                "n" => &mut parsed.n,
                "last" => &mut parsed.last,
                "artifactType" => &mut parsed.artifact_type,
                "lang" => &mut parsed.lang,
                _ => continue,
            };
            field.get_or_insert_with(|| value.into_owned());
        }
        parsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_specification() {
        let parse = |path: &str| Route::parse(path).unwrap();
        let name = || "library/web".to_owned();
        assert_eq!(parse("/"), Route::Page);
        assert_eq!(parse("/v2"), Route::Version);
        assert_eq!(parse("/v2/"), Route::Version);
        assert_eq!(parse("/v2/_catalog"), Route::Catalog);
        assert_eq!(parse("/v2/library/web/tags/list"), Route::Tags { name: name() });
        let manifest = Route::Manifest { name: name(), reference: "1".to_owned() };
        assert_eq!(parse("/v2/library/web/manifests/1"), manifest);
        let blob = Route::Blob { name: name(), digest: "sha256:ab".to_owned() };
        assert_eq!(parse("/v2/library/web/blobs/sha256:ab"), blob);
        assert_eq!(parse("/v2/library/web/blobs/sha256%3Aab"), blob);
        let referrers = Route::Referrers { name: name(), digest: "sha256:ab".to_owned() };
        assert_eq!(parse("/v2/library/web/referrers/sha256:ab"), referrers);
        let nested = Route::Manifest { name: "x/manifests/y".to_owned(), reference: "z".to_owned() };
        assert_eq!(parse("/v2/x/manifests/y/manifests/z"), nested);
        assert_eq!(parse("/index.yaml"), Route::Index);
        assert_eq!(parse("/files/arm64/k3s"), Route::Named("files/arm64/k3s".to_owned()));
        assert_eq!(parse("/charts/a-1%2Bb.tgz"), Route::Named("charts/a-1+b.tgz".to_owned()));
    }

    #[test]
    fn anything_else_is_looked_up_or_nothing() {
        for path in ["v3/", "etc/passwd", "../etc", "/", "v2x", "README.txt"] {
            assert_eq!(Route::parse(&format!("/{path}")), Some(Route::Named(path.to_owned())));
        }
        for path in ["*", ""] {
            assert_eq!(Route::parse(path), Some(Route::Page));
        }
        for path in ["/v2/x", "/v2//", "/v2/x/blobs/uploads/", "/v2/manifests/x", "/v2/../../etc/passwd"] {
            assert_eq!(Route::parse(path), Some(Route::Unknown), "{path}");
        }
        assert_eq!(Route::parse("/%ff%fe"), None);
    }

    #[test]
    fn parameters_are_decoded() {
        let query = Query::parse(Some("ns=registry.k8s.io%3A443&n=5&last=a+b&n=6&other=1"));
        assert_eq!(query.ns.as_deref(), Some("registry.k8s.io:443"));
        assert_eq!(query.n.as_deref(), Some("5"));
        assert_eq!(query.last.as_deref(), Some("a b"));
        assert_eq!(Query::parse(None), Query::default());
    }
}
