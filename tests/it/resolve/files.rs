//! Files and images: where digests come from, and what is wrong with them.

use bundler::lock::model::From;
use bundler::oci::{Arch, Digest};

use super::{Bench, DAY, EDGEMESH};
use crate::upstream::Upstream;
use crate::upstream::faults::Effect;

const HELM: &str = r#"
name: helm
source: {github: helm/helm, tag: "v{version}", kind: releases}
version: ">=4, <5"
files:
  - name: helm
    url: "https://get.helm.sh/helm-v{version}-linux-{arch}.tar.gz"
    checksum: {url: "https://get.helm.sh/helm-v{version}-linux-{arch}.tar.gz.sha256"}
    extract: "linux-{arch}/helm"
"#;

/// A component with one file in a form of checksums.
fn component(name: &str, repository: &str, url: &str, checksum: &str) -> String {
    format!(
        "name: {name}\nsource: {{github: {repository}, tag: \"v{{version}}\", kind: releases}}\n\
         files:\n  - name: {name}\n    url: \"https://github.com/{repository}/releases/download/{{tag}}/{url}\"\n    checksum: {checksum}\n"
    )
}

#[test]
fn every_form_of_checksums_gives_the_digest_of_the_bytes() {
    let yq = "https://github.com/mikefarah/yq/releases/download/{tag}";
    let components = [
        component("rhash", "mikefarah/yq", "yq_linux_{arch}", &format!("{{url: \"{yq}/checksums\"}}")),
        component("bsd", "mikefarah/yq", "yq_linux_{arch}", &format!("{{url: \"{yq}/checksums-bsd\"}}")),
        component("asset", "mikefarah/yq", "yq_linux_{arch}", "{github_asset: true}"),
        component("none", "mikefarah/yq", "yq_linux_{arch}", "{unpublished: a test}"),
        component(
            "sha512",
            "kubeedge/kubeedge",
            "keadm-{tag}-linux-{arch}.tar.gz",
            "{url: \"https://github.com/kubeedge/kubeedge/releases/download/{tag}/checksum_keadm-{tag}-linux-{arch}.tar.gz.txt\", algorithm: sha512}",
        ),
        component(
            "binary",
            "jaegertracing/jaeger",
            "jaeger-{version}-linux-{arch}.tar.gz",
            "{url: \"https://github.com/jaegertracing/jaeger/releases/download/{tag}/jaeger-{version}.sha256sum.txt\"}",
        ),
        component(
            "dist",
            "grafana/loki",
            "logcli-linux-{arch}.zip",
            "{url: \"https://github.com/grafana/loki/releases/download/{tag}/SHA256SUMS\"}",
        ),
        HELM.to_owned(),
    ];
    let components: Vec<&str> = components.iter().map(String::as_str).collect();
    let bench = Bench::new(&components);
    bench.good(DAY);
    let lock = bench.lock();
    for (name, from) in [
        ("rhash", From::ChecksumFile),
        ("bsd", From::ChecksumFile),
        ("asset", From::GithubAsset),
        ("none", From::Download),
        ("sha512", From::ChecksumFile),
        ("binary", From::ChecksumFile),
        ("dist", From::ChecksumFile),
        ("helm", From::ChecksumFile),
    ] {
        for (arch, file) in &lock.components[name].files[name] {
            let bytes = bench.upstream.world().file(&file.url.replace("%2B", "+")).unwrap();
            assert_eq!(file.sha256, Digest::of(&bytes), "{name} {arch}");
            assert_eq!((file.size, file.from), (Some(bytes.len() as u64), from), "{name} {arch}");
        }
    }
    let member = lock.components["helm"].files["helm"][&Arch::Arm64].member.clone().unwrap();
    assert_eq!((member.path.as_str(), member.size), ("linux-arm64/helm", Some(1_500_000)));
    assert_eq!(
        lock.components["rhash"].files["rhash"][&Arch::Amd64].sha256,
        lock.components["bsd"].files["bsd"][&Arch::Amd64].sha256
    );
}

#[test]
fn a_download_that_is_not_what_its_publisher_says_stops_it() {
    let bench = Bench::new(&[HELM]);
    // Past the end of the checksum file, so that only the archive is hit.
    bench.upstream.fault("get.helm.sh/helm-v4.2.4-linux-arm64.tar.gz", None, Effect::Corrupt(5000));
    let run = bench.resolve(&["--as-of", DAY]);
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(
        run.stderr.contains("helm-v4.2.4-linux-arm64.tar.gz") && run.stderr.contains("expected sha256:"),
        "{run:?}"
    );
    bench.upstream.heal();
    bench.good(DAY);
}

#[test]
fn a_download_that_breaks_off_is_begun_anew_and_at_last_somewhere_else() {
    let archive = "get.helm.sh/helm-v4.2.4-linux-arm64.tar.gz";
    let bench = Bench::new(&[HELM]);
    let config = format!("retry_wait: 1ms\n{}", bench.upstream.config());
    bench.sandbox.config(&config);
    // Its checksum file is whole all the same, and counts as one of them.
    bench.upstream.fault(archive, Some(5), Effect::Cut(5000));
    bench.good(DAY);
    let (lock, other) = (bench.lock_text(), Upstream::start());
    std::fs::remove_file(bench.lock_file()).unwrap();
    std::fs::remove_dir_all(bench.sandbox.cache()).unwrap();
    let here = format!("\"{}/get.helm.sh\"", bench.upstream.url());
    bench.sandbox.config(&config.replace(&here, &format!("{here}, \"{}/get.helm.sh\"", other.url())));
    bench.upstream.fault(archive, None, Effect::Cut(5000));
    let run = bench.good(DAY);
    assert!(run.stderr.contains("asking another place than"), "{run:?}");
    assert_eq!(bench.lock_text(), lock);
}

#[test]
fn a_checksum_file_without_the_file_names_what_it_has() {
    let yq = "https://github.com/mikefarah/yq/releases/download/{tag}/checksums-bsd";
    let bench = Bench::new(&[&component(
        "yq",
        "mikefarah/yq",
        "yq_linux_{arch}",
        &format!("{{url: \"{yq}\", entry: yq_plan9}}"),
    )]);
    let run = bench.resolve(&["--as-of", DAY]);
    assert_eq!(run.code, Some(3), "{run:?}");
    for part in ["no sha256 entry for `yq_plan9`", "`yq_linux_amd64`", "checksum.entry"] {
        assert!(run.stderr.contains(part), "{part}: {run:?}");
    }
}

#[test]
fn a_missing_architecture_is_an_error_now() {
    let driver = r#"
name: driver
source: {github: grafana/loki, tag: "v{version}", kind: releases}
images: ["docker.io/grafana/loki-docker-driver:{version}-amd64"]
"#;
    let bench = Bench::new(&[driver]);
    let run = bench.resolve(&["--as-of", DAY]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("-amd64` has nothing for arm64; it has linux/amd64"), "{run:?}");
    // One that has no index is locked by its manifest.
    bench.catalog("[amd64]", &[driver]);
    bench.good(DAY);
    let image = bench.lock().images.into_values().next().unwrap();
    assert_eq!(image.platforms[&Arch::Amd64].digest, image.digest);
    // An index without it names what there is.
    bench.catalog("[amd64, riscv64]", &[EDGEMESH]);
    let run = bench.resolve(&["--as-of", DAY]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("has nothing for riscv64; it has linux/amd64, linux/arm/v7, linux/arm64"), "{run:?}");
}

#[test]
fn an_image_that_is_not_there_is_named() {
    let gone = EDGEMESH.replace("edgemesh-agent", "edgemesh-gone");
    let bench = Bench::new(&[&gone]);
    let run = bench.resolve(&["--as-of", DAY]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("docker.io/kubeedge/edgemesh-gone:v1.17.0"), "{run:?}");
    let floating = EDGEMESH.replace("v{version}\"]", "latest\"]");
    bench.catalog("[amd64, arm64]", &[&floating]);
    let run = bench.resolve(&["--as-of", DAY]);
    assert_ne!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("latest"), "{run:?}");
}

#[test]
fn an_image_whose_tag_moved_waits_anew() {
    let bench = Bench::new(&[EDGEMESH]);
    bench.good(DAY);
    let old = bench.lock_text();
    bench.upstream.world().move_tag("docker.io/kubeedge/edgemesh-agent:v1.17.0");
    let run = bench.good(DAY);
    assert!(run.stderr.contains("the tag of docker.io/kubeedge/edgemesh-agent:v1.17.0 moved"), "{run:?}");
    assert_eq!(bench.lock_text(), old, "the locked image stays");
}

#[test]
fn upstreams_own_list_counts_unless_a_file_carries_it() {
    let list = |more: &str| {
        format!(
            "name: k3s\nsource: {{github: k3s-io/k3s, tag: \"v{{version}}\", kind: releases}}\nversion: \"{{kubernetes}}.*\"\n\
             files:\n  - name: airgap\n    url: \"https://github.com/k3s-io/k3s/releases/download/{{tag}}/k3s-airgap-images-{{arch}}.tar.zst\"\n    \
             checksum: {{url: \"https://github.com/k3s-io/k3s/releases/download/{{tag}}/sha256sum-{{arch}}.txt\"}}\n\
             image_list: {{url: \"https://github.com/k3s-io/k3s/releases/download/{{tag}}/k3s-images.txt\"{more}}}\n"
        )
    };
    let bench = Bench::new(&[&list(", carried_by: airgap")]);
    bench.good(DAY);
    assert!(bench.lock().images.is_empty());
    bench.catalog("[amd64, arm64]", &[&list("")]);
    let run = bench.resolve(&["--as-of", DAY]);
    assert_eq!(run.code, Some(3), "the upstream has none of them: {run:?}");
    assert!(run.stderr.contains("docker.io/rancher/"), "{run:?}");
}

#[test]
fn the_components_own_manifests_are_walked_too() {
    let own = format!("{EDGEMESH}resources: [resources/]\n");
    let bench = Bench::new(&[&own]);
    let pod = |image: &str| {
        let pod =
            "apiVersion: v1\nkind: Pod\nmetadata: {name: own}\nspec: {containers: [{name: main, image: \"IMAGE\"}]}\n";
        bench.sandbox.write("manifests/components/edgemesh/resources/pod.yaml", pod.replace("IMAGE", image));
    };
    pod("quay.io/prometheus/alertmanager:v0.33.1");
    bench.good(DAY);
    let images = &bench.lock().components["edgemesh"].images;
    assert_eq!(images.len(), 2, "{images:?}");
    pod("quay.io/prometheus/alertmanager");
    let run = bench.resolve(&["--as-of", DAY]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("alertmanager has no tag") && run.stderr.contains("Pod own"), "{run:?}");
}
