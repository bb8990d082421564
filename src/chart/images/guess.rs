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
    let parts: Vec<&str> = text.split('@').next().unwrap_or_default().split('/').collect();
    let nested = parts.len() > 1;
    let host = nested && (parts[0].contains(['.', ':']) || parts[0] == "localhost");
    if reference.digest().is_some() {
        return true;
    }
    match (reference.tag(), trust) {
        // `host.domain:5000` parses as an image with a tag.
        (Some(tag), Trust::Named) => nested || !(parts[0].contains('.') && digits(tag)),
        (Some(tag), Trust::Hinted) => nested && !label_domain(&reference, host) && tag_like(tag),
        (Some(tag), Trust::Anywhere) if host => {
            plausible_host(parts[0]) && !label_domain(&reference, host) && tag_like(tag)
        }
        (Some(tag), Trust::Anywhere) => nested && version_like(tag),
        (None, Trust::Named) => host && plausible_host(parts[0]) && !label_domain(&reference, host) && !file(&parts),
        (None, _) => false,
    }
}

/// A host that one would pull from: with a domain, a port, or this machine.
fn plausible_host(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    let ending = name.rsplit('.').next().unwrap_or_default();
    let domain = name.contains('.')
        && (name.bytes().all(|c| c.is_ascii_digit() || c == b'.') || ending.bytes().any(|c| c.is_ascii_alphabetic()));
    domain || host.contains(':') || host == "localhost"
}

/// `kubernetes.io/…` and the like are domains of labels, taints and API groups; nothing is pulled from them.
fn label_domain(reference: &Reference, host: bool) -> bool {
    let registry = reference.registry();
    let below = |domain: &str| registry == domain || registry.strip_suffix(domain).is_some_and(|r| r.ends_with('.'));
    host && (below("kubernetes.io") || below("k8s.io") || below("x-k8s.io"))
        && !registry.starts_with("registry.")
        && !registry.contains("gcr.")
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

/// Whether the last part ends like a file rather than a repository.
fn file(parts: &[&str]) -> bool {
    const ENDINGS: [&str; 14] = [
        ".png", ".svg", ".jpg", ".jpeg", ".gif", ".ico", ".webp", ".yaml", ".yml", ".json", ".sh", ".tar", ".img",
        ".iso",
    ];
    parts.last().is_some_and(|last| ENDINGS.iter().any(|end| last.ends_with(end)))
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
