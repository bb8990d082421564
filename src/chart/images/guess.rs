//! Telling an image reference from everything else that looks like one.
//!
//! How much a text has to show depends on its place: in a pod's `image` it is one whatever it looks like,
//! under a key that speaks of an image a tag is enough, and anywhere else only a full reference counts.

use crate::oci::Reference;

/// How much the place of a text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trust {
    /// Any text: `cluster:requests:rate5m`, `kubernetes.io/role:NoSchedule` and `host:80` stand here too.
    Anywhere,
    /// A key that speaks of an image among other things: `IMAGE_SIDECAR`.
    Hinted,
    /// A key that names an image: `image`, `natsImage`, `RELATED_IMAGE_PROXY`.
    Named,
}

/// Whether `text` at a place of this trust is an image reference.
pub(super) fn is_image(text: &str, trust: Trust) -> bool {
    if text.contains("://") {
        return false;
    }
    let Ok(reference) = text.parse::<Reference>() else { return false };
    if reference.digest().is_some() {
        return true;
    }
    let (first, rest) = text.split_once('/').unwrap_or((text, ""));
    let nested = !rest.is_empty();
    let host = nested && (first.contains(['.', ':']) || first == "localhost");
    let pulled = host && plausible_host(first) && !label_domain(first);
    match (reference.tag(), trust) {
        // `host.domain:5000` parses as an image with a tag.
        (Some(tag), Trust::Named) => nested || !(first.contains('.') && digits(tag)),
        (Some(tag), Trust::Hinted) => pulled || (nested && !host && tag_like(tag)),
        (Some(tag), Trust::Anywhere) if host => {
            pulled && !other_path(reference.repository()) && (tag_like(tag) || registry(first))
        }
        (Some(tag), Trust::Anywhere) => {
            nested && !MEDIA_TYPES.contains(&first) && !other_path(reference.repository()) && version_like(tag)
        }
        (None, Trust::Named) => pulled && !file(rest),
        (None, _) => false,
    }
}

/// Whether `text` is a registry, with or without the first part of a repository: what other keys' names are put behind.
pub(super) fn is_registry(text: &str) -> bool {
    let host = text.split('/').next().unwrap_or_default();
    let reference = format!("{}/x", text.trim_end_matches('/')).parse::<Reference>();
    plausible_host(host) && !label_domain(host) && reference.is_ok_and(|r| r.digest().is_none())
}

/// The first parts of media types, such as `image/svg`.
const MEDIA_TYPES: [&str; 6] = ["application", "audio", "image", "multipart", "text", "video"];

/// A host that one would pull from: with a domain, a port, or this machine.
fn plausible_host(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    let ending = name.rsplit('.').next().unwrap_or_default();
    let domain = name.contains('.')
        && (name.bytes().all(|c| c.is_ascii_digit() || c == b'.') || ending.bytes().any(|c| c.is_ascii_alphabetic()));
    domain || host.contains(':') || host == "localhost"
}

/// Domains of labels, taints and API groups, and those of source code; nothing is pulled from them.
fn label_domain(host: &str) -> bool {
    const DOMAINS: [&str; 12] = [
        "kubernetes.io",
        "k8s.io",
        "x-k8s.io",
        "helm.sh",
        "istio.io",
        "argoproj.io",
        "coreos.com",
        "cattle.io",
        "github.com",
        "gitlab.com",
        "bitbucket.org",
        "golang.org",
    ];
    let below = |domain: &&str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    DOMAINS.iter().any(below) && !registry(host) && !host.contains("gcr.")
}

/// Whether a host is a registry by its name, so that any tag may follow.
fn registry(host: &str) -> bool {
    const REGISTRIES: [&str; 10] = [
        "docker.io",
        "quay.io",
        "ghcr.io",
        "gcr.io",
        "nvcr.io",
        "public.ecr.aws",
        "mcr.microsoft.com",
        "azurecr.io",
        "pkg.dev",
        "amazonaws.com",
    ];
    let below = |domain: &&str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    REGISTRIES.iter().any(below) || ["registry.", "docker.", "cr."].iter().any(|first| host.starts_with(first))
}

/// In running text a tag has a digit, or is one of the words that float.
fn tag_like(tag: &str) -> bool {
    tag.bytes().any(|c| c.is_ascii_digit())
        || matches!(tag, "latest" | "stable" | "main" | "master" | "edge" | "nightly")
}

/// `1.2`, `v3.14.0-distroless`, `8.0.1`: digits, a dot, digits.
fn version_like(tag: &str) -> bool {
    let mut parts = tag.strip_prefix('v').unwrap_or(tag).splitn(3, ['.', '-', '_']);
    parts.next().is_some_and(digits)
        && tag.contains('.')
        && parts.next().is_some_and(|p| p.starts_with(|c: char| c.is_ascii_digit()))
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}

/// Whether a path ends like a file or like an API version, such as `apps/v1`.
fn other_path(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    let number = last.strip_prefix('v').and_then(|version| version.split(['a', 'b']).next());
    file(path) || number.is_some_and(digits)
}

/// Whether a path ends like a file rather than a repository.
fn file(path: &str) -> bool {
    const ENDINGS: [&str; 18] = [
        ".png", ".svg", ".jpg", ".jpeg", ".gif", ".ico", ".webp", ".yaml", ".yml", ".json", ".sh", ".tar", ".img",
        ".iso", ".go", ".py", ".js", ".md",
    ];
    ENDINGS.iter().any(|end| path.ends_with(end))
}

/// What a key says about its value; keys come as `natsImage`, `nats_image`, `NATS-IMAGE` or `nats.image`.
pub(super) fn trust_of(key: &str) -> Trust {
    // These turn an image's key into one about something else.
    const OTHER: [&str; 30] = [
        "pull",
        "policy",
        "policies",
        "secret",
        "secrets",
        "tag",
        "tags",
        "registry",
        "registries",
        "prefix",
        "id",
        "size",
        "format",
        "type",
        "stream",
        "cache",
        "gc",
        "digest",
        "sha",
        "credentials",
        "user",
        "locality",
        "pulls",
        "threshold",
        "repository",
        "repo",
        "version",
        "variant",
        "suffix",
        "enabled",
    ];
    let words = words(key);
    let Some(image) = words.iter().rposition(|w| matches!(w.as_str(), "image" | "images" | "img")) else {
        return Trust::Anywhere;
    };
    if words.iter().any(|w| OTHER.contains(&w.as_str())) {
        return Trust::Anywhere;
    }
    let after = &words[image + 1..];
    let naming = |w: &String| {
        matches!(w.as_str(), "ref" | "reference" | "name" | "uri" | "url" | "full" | "default" | "override")
    };
    let related = words.first().is_some_and(|w| w == "related");
    if after.iter().all(naming) || related { Trust::Named } else { Trust::Hinted }
}

/// The words of a key in lower case.
pub(super) fn words(key: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut lower = false;
    let mut open = false;
    for c in key.chars() {
        if !c.is_ascii_alphanumeric() {
            open = false;
            continue;
        }
        if !open || (lower && c.is_ascii_uppercase()) {
            words.push(String::new());
        }
        (open, lower) = (true, !c.is_ascii_uppercase());
        if let Some(word) = words.last_mut() {
            word.push(c.to_ascii_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_reference_counts_anywhere() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for text in [
            "quay.io/prometheus/prometheus:v3.14.0-distroless",
            "registry.k8s.io/pause:3.10",
            "127.0.0.1:5000/a/b:8",
            "localhost/x:1",
            "host:5000/a:latest",
            "grafana/loki:3.7.6",
            &format!("busybox@{digest}"),
            &format!("ghcr.io/a/b:v1@{digest}"),
        ] {
            assert!(is_image(text, Trust::Anywhere), "{text}");
        }
    }

    #[test]
    fn what_looks_like_one_does_not() {
        for text in [
            "cluster:namespace:pod_cpu:active",
            "node:node_cpu:rate5m",
            "s3:ObjectCreated:*",
            "s3:objectcreated",
            "deployments/scale",
            "node-role.kubernetes.io/control-plane:NoSchedule",
            "node.kubernetes.io/unreachable:v1",
            "jaeger-collector:4317",
            "loki.monitoring.svc.cluster.local:3100",
            "loki.monitoring.svc.cluster.local:3100/loki/api/v1/push",
            "https://example.com:443/a:1",
            "/etc/config/file.yaml",
            "/data:ro",
            "projects/foo:bar",
            "{{ .image }}",
            "auto",
            "1.20",
            "12:30",
            "apps/v1",
            "key:value",
            "",
        ] {
            assert!(!is_image(text, Trust::Anywhere), "{text}");
        }
    }

    #[test]
    fn a_named_key_needs_a_tag_or_a_registry() {
        for text in ["busybox:8", "nginx:1.20", "quay.io/org/name", "org/name:tag"] {
            assert!(is_image(text, Trust::Named), "{text}");
        }
        for text in ["auto", "nginx", "registry.example.org:5000", "{{ x }}:1", "example.org/logo.png", "Ubuntu:22"] {
            assert!(!is_image(text, Trust::Named), "{text}");
        }
    }

    #[test]
    fn keys_speak_of_images() {
        for key in [
            "image",
            "natsImage",
            "RELATED_IMAGE_KAFKA_3",
            "thanos-default-base-image",
            "image.ref",
            "KAFKA_IMAGES",
            "imageName",
        ] {
            assert_eq!(trust_of(key), Trust::Named, "{key}");
        }
        for key in ["IMAGE_SIDECAR", "imageForSidecar"] {
            assert_eq!(trust_of(key), Trust::Hinted, "{key}");
        }
        for key in ["imagePullPolicy", "image-tag", "imagine", "imageRegistry", "reloader", "IMAGE_PULL_SECRETS", ""] {
            assert_eq!(trust_of(key), Trust::Anywhere, "{key}");
        }
    }
}
