use super::*;
use crate::yaml::parse;

/// A lock of components in flow style; `{sha}` of a digit is 64 of it.
pub(crate) fn lock(version: &str, components: &str, images: &str) -> Lock {
    let names: Vec<_> = components
        .lines()
        .map(str::trim)
        .filter_map(|line| line.split_once(": {"))
        .map(|(name, _)| name.to_owned())
        .collect();
    let text = format!(
        "schema: 1\nbundle: {{name: observability, version: {version}, kubernetes: '1.36', kubeedge: '1.23', architectures: [amd64, arm64]}}\n\
         profiles: {{cloud: [{}]}}\ncomponents:\n{components}images:\n{images}",
        names.join(", ")
    );
    let mut digits = text;
    for digit in "0123456789abcdef".chars() {
        digits = digits.replace(&format!("sha:{digit}"), &digit.to_string().repeat(64));
    }
    parse("lock", &digits).unwrap()
}

pub(crate) fn old() -> Lock {
    lock(
        "1.4.0",
        "  helm: {version: 4.2.3, tag: v4.2.3, source: 'https://github.com/helm/helm', inputs: 'sha256:sha:1', files: {helm: {amd64: {url: 'https://x.y/1', sha256: sha:a, size: 100, from: download}}}}\n\
         \x20 loki: {version: 18.10.0, inputs: 'sha256:sha:2', chart: {url: 'https://github.com/g/h/releases/download/loki-18.10.0/l.tgz', sha256: sha:b, size: 10, from: helm-index}, images: ['docker.io/grafana/loki:3.7.5', 'docker.io/library/memcached:1.6']}\n\
         \x20 old: {version: 1.0.0, inputs: 'sha256:sha:3', images: ['quay.io/x/old:1']}\n\
         \x20 same: {version: 1.0.0, inputs: 'sha256:sha:4', images: ['docker.io/library/redis:8']}\n\
         \x20 values: {version: 2.0.0, inputs: 'sha256:sha:5'}\n",
        "  docker.io/grafana/loki:3.7.5: {digest: 'sha256:sha:6', platforms: {amd64: {digest: 'sha256:sha:7', size: 1, layers_size: 500}}}\n\
         \x20 docker.io/library/memcached:1.6: {digest: 'sha256:sha:8'}\n\
         \x20 docker.io/library/redis:8: {digest: 'sha256:sha:9', platforms: {amd64: {digest: 'sha256:sha:9', size: 1, layers_size: 70}}}\n\
         \x20 quay.io/x/old:1: {digest: 'sha256:sha:c'}\n",
    )
}

pub(crate) fn new() -> Lock {
    lock(
        "1.5.0",
        "  helm: {version: 4.3.0, tag: v4.3.0, source: 'https://github.com/helm/helm', inputs: 'sha256:sha:1', files: {helm: {amd64: {url: 'https://x.y/2', sha256: sha:d, size: 120, from: download}}}}\n\
         \x20 loki: {version: 19.0.0, inputs: 'sha256:sha:2', chart: {url: 'https://github.com/g/h/releases/download/loki-19.0.0/l.tgz', sha256: sha:e, size: 11, from: helm-index}, images: ['docker.io/grafana/loki:3.8.0', 'docker.io/library/memcached:1.6', 'docker.io/kiwigrid/k8s-sidecar:2.0']}\n\
         \x20 same: {version: 1.0.0, inputs: 'sha256:sha:4', images: ['docker.io/library/redis:8']}\n\
         \x20 tool: {version: '1', inputs: 'sha256:sha:5', images: ['docker.io/library/redis:8']}\n\
         \x20 values: {version: 2.0.0, inputs: 'sha256:sha:6'}\n",
        "  docker.io/grafana/loki:3.8.0: {digest: 'sha256:sha:0', platforms: {amd64: {digest: 'sha256:sha:1', size: 1, layers_size: 600}}}\n\
         \x20 docker.io/kiwigrid/k8s-sidecar:2.0: {digest: 'sha256:sha:3'}\n\
         \x20 docker.io/library/memcached:1.6: {digest: 'sha256:sha:8'}\n\
         \x20 docker.io/library/redis:8: {digest: 'sha256:sha:2', platforms: {amd64: {digest: 'sha256:sha:2', size: 1, layers_size: 90}}}\n",
    )
}

#[test]
fn a_lock_does_not_differ_from_itself() {
    assert!(diff(&old(), &old()).is_empty());
    assert!(!diff(&old(), &new()).is_empty());
}

#[test]
fn each_component_takes_its_step() {
    let diff = diff(&old(), &new());
    let steps: Vec<_> = diff.components.iter().map(|c| (c.component.as_str(), c.step)).collect();
    let expected = [
        ("helm", Step::Minor),
        ("loki", Step::Major),
        ("old", Step::Removed),
        ("same", Step::Digest),
        ("tool", Step::Added),
        ("values", Step::OwnFiles),
    ];
    assert_eq!(steps, expected);
    assert_eq!(diff.biggest(), Some(Step::Major));
}

#[test]
fn a_step_is_told_from_the_numbers() {
    for (old, new, step) in [
        ("1.2.3", "1.2.4", Step::Patch),
        ("1.2.3.4", "1.2.3.5", Step::Patch),
        ("1.36.4+k3s1", "1.36.4+k3s2", Step::Patch),
        ("1.2", "1.3", Step::Minor),
        ("v1.9", "v2.0", Step::Major),
        ("2.0.0", "1.9.9", Step::Older),
        ("2026-01", "latest", Step::Other),
    ] {
        assert_eq!(Step::between(old, new), step, "{old} -> {new}");
    }
}

#[test]
fn images_are_paired_by_repository() {
    let diff = diff(&old(), &new());
    let loki = &diff.components[1];
    let images: Vec<_> = loki.images.iter().map(|i| (i.repository.as_str(), i.kind)).collect();
    let expected =
        [("docker.io/grafana/loki", ImageStep::Updated), ("docker.io/kiwigrid/k8s-sidecar", ImageStep::Added)];
    assert_eq!(images, expected);
    assert_eq!((loki.images[0].old.as_deref(), loki.images[0].new.as_deref()), (Some("3.7.5"), Some("3.8.0")));
}

#[test]
fn a_digest_under_an_unchanged_tag_is_moved_once() {
    let diff = diff(&old(), &new());
    let moved = diff.moved();
    assert_eq!(moved.keys().collect::<Vec<_>>(), ["docker.io/library/redis:8"]);
    let seeded =
        lock("1", "  a: {version: '1', inputs: 'sha256:sha:4', images: ['docker.io/library/redis:8']}\n", "  {}\n");
    let resolved = new();
    assert!(super::diff(&seeded, &resolved).moved().is_empty(), "what had no digest did not move");
}

#[test]
fn other_signatures_of_the_same_bytes_are_a_difference() {
    let signed = |digit: char| {
        let mut lock = old();
        let reference = "docker.io/library/redis:8".parse().unwrap();
        let image = lock.images.get_mut(&reference).unwrap();
        let digest = format!("sha256:{}", digit.to_string().repeat(64)).parse().unwrap();
        let (tag, artifact_type) = (Some("sha256-9.sig".to_owned()), None);
        let media_type = "application/vnd.oci.image.manifest.v1+json".to_owned();
        let attached = super::super::attached::Attached {
            to: image.digest,
            tag,
            artifact_type,
            digest,
            media_type,
            size: 1,
            content_size: 1,
        };
        image.attached = vec![attached];
        lock
    };
    assert!(diff(&signed('d'), &signed('d')).is_empty());
    for (old, new) in [(old(), signed('d')), (signed('d'), signed('e')), (signed('d'), old())] {
        let diff = diff(&old, &new);
        let [component] = diff.components.as_slice() else { panic!("{diff:#?}") };
        assert_eq!((component.component.as_str(), component.step), ("same", Step::Attached));
        assert_eq!(component.images.iter().map(|image| image.kind).collect::<Vec<_>>(), [ImageStep::Attached]);
        assert!(diff.moved().is_empty());
    }
    let mut own = signed('e');
    own.components.get_mut("same").unwrap().inputs = Digest::of(b"other");
    assert_eq!(diff(&signed('d'), &own).components[0].step, Step::OwnFiles);
}

#[test]
fn bytes_are_counted_once_and_unknown_ones_told() {
    let diff = diff(&old(), &new());
    // helm 120, loki's chart 11, loki 601, redis 91 once though two components run it; the sidecar is unknown.
    assert_eq!(diff.fetch[&Arch::Amd64], Bytes { known: 120 + 11 + 601 + 91, unknown: 1 });
    assert_eq!(diff.fetch[&Arch::Arm64], Bytes { known: 11, unknown: 1 });
    assert_eq!(diff.components[0].fetch[&Arch::Amd64], Bytes { known: 120, unknown: 0 });
}

#[test]
fn upstreams_pages_follow_from_source_or_download() {
    let diff = diff(&old(), &new());
    let (helm, loki) = (&diff.components[0], &diff.components[1]);
    assert_eq!(helm.notes.as_deref(), Some("https://github.com/helm/helm/releases/tag/v4.3.0"));
    assert_eq!(helm.compare.as_deref(), Some("https://github.com/helm/helm/compare/v4.2.3...v4.3.0"));
    assert_eq!(loki.compare.as_deref(), Some("https://github.com/g/h/compare/loki-18.10.0...loki-19.0.0"));
    assert_eq!(diff.components[5].notes, None, "nothing of upstream's changed");
}
