//! The main job on the project's own catalog: resolve, pack, verify, against the embedded upstream.

use std::path::{Path, PathBuf};

use crate::support::{self, Sandbox};
use crate::upstream::Upstream;

/// The day as of which everything here is chosen; the histories end a week before it.
const AS_OF: &str = "2026-08-28";

fn manifests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests")
}

fn resolve(sandbox: &Sandbox, helm: &Path, lock: &str) {
    let mut bundler = sandbox.bundler();
    bundler.args(["resolve", "--skip-signatures", "--as-of", AS_OF, "--lock", lock, "--catalog"]).arg(manifests());
    bundler.arg("--helm").arg(helm).assert().success();
}

fn pack(sandbox: &Sandbox, arch: &str, output: &str, more: &[&str]) -> Vec<u8> {
    let mut bundler = sandbox.bundler();
    bundler.args(["pack", "--arch", arch, "--lock", "bundle.lock.yaml", "--output", output, "--catalog"]);
    bundler.arg(manifests()).args(more).assert().success();
    sandbox.bundler().args(["verify", output]).assert().success();
    std::fs::read(sandbox.path(output)).unwrap()
}

/// The bill of materials names every image, and the licence of every component.
fn bill_is_valid(sandbox: &Sandbox, bundle: &str) {
    let Some(mut validator) = support::bill_validator() else { return };
    let text = support::output_of(sandbox.command("tar").args(["xzOf", bundle, "sbom.cdx.json"]));
    support::output_of(validator.arg(sandbox.write("sbom.json", &text)));
    let bill: serde_json::Value = serde_json::from_str(&text).unwrap();
    let components = bill["components"].as_array().unwrap();
    let unlicensed: Vec<_> =
        components.iter().filter(|c| c["type"] == "application" && c["licenses"].is_null()).collect();
    assert!(unlicensed.is_empty(), "{unlicensed:#?}");
    let purls: Vec<_> = components.iter().filter_map(|component| component["purl"].as_str()).collect();
    for purl in ["pkg:github/k3s-io/k3s@v1.36.4%2Bk3s1?", "pkg:generic/loki@18.11.0?", "pkg:oci/prometheus@sha256:"] {
        assert!(purls.iter().any(|found| found.starts_with(purl)), "{purl} is not in {purls:#?}");
    }
}

#[test]
fn the_catalog_is_resolved_packed_and_verified_the_same_twice() {
    let Some(helm) = support::helm() else { return };
    let upstream = Upstream::start();
    let first = Sandbox::new();
    first.config(&upstream.config());
    resolve(&first, &helm, "bundle.lock.yaml");
    let lock = std::fs::read_to_string(first.path("bundle.lock.yaml")).unwrap();
    assert!(upstream.counted() < 60, "somebody without a token has 60 requests: {:?}", upstream.requests());

    // The choices that a person makes who reads the histories of that day.
    for chosen in [
        "kube-prometheus-stack-88.5.3.tgz",
        "loki-18.11.0.tgz",
        "jaeger-4.11.1.tgz",
        "docker.io/jaegertracing/jaeger:2.20.0",
        "prometheus-blackbox-exporter-11.17.2.tgz",
        "metrics-server-3.13.1.tgz",
        "docker.io/kubeedge/cloudcore:v1.23.1",
        "docker.io/kubeedge/edgemesh-agent:v1.17.0",
        "https://raw.githubusercontent.com/kubeedge/edgemesh/v1.17.0/build/helm/edgemesh.tgz",
        "alloy-1.11.1.tgz",
        "fluent-bit-0.58.1.tgz",
        "istiod-1.30.3.tgz",
        "oci://ghcr.io/kube-logging/helm-charts/logging-operator:6.7.0",
        "opentelemetry-collector-0.170.0.tgz",
        "opentelemetry-operator-0.122.0.tgz",
        "prometheus-pushgateway-3.8.0.tgz",
        "cni-plugins-linux-arm64-v1.9.1.tgz",
        "crictl-v1.36.0-linux-amd64.tar.gz",
        "keadm-v1.23.1-linux-arm64.tar.gz",
        "nerdctl-2.3.5-linux-arm64.tar.gz",
        "node_exporter-1.12.1.linux-arm64.tar.gz",
        "runc/releases/download/v1.5.1/runc.arm64",
        "docker.io/library/eclipse-mosquitto:2.1.2-alpine",
        "helm-v4.2.4-linux-arm64.tar.gz",
        "v1.36.4%2Bk3s1/k3s-arm64",
        "yq/releases/download/v4.53.6/",
        "containerd-2.3.4-linux-amd64.tar.gz",
        // Seen only in custom resources and in an operator's arguments.
        "quay.io/prometheus/prometheus:v3.14.0-distroless",
        "quay.io/prometheus/alertmanager:v0.34.0",
        "quay.io/prometheus-operator/prometheus-config-reloader:v0.93.1",
        "ghcr.io/jkroepke/kube-webhook-certgen:1.8.7",
        // Injected into pods, and started by an operator.
        "registry.istio.io/release/proxyv2:1.30.3",
        "ghcr.io/kube-logging/logging-operator/fluentd:6.7.0-full",
    ] {
        assert!(lock.contains(chosen), "{chosen} is not in\n{lock}");
    }
    assert!(!lock.contains("unresolved:"), "{lock}");
    assert!(!lock.contains("127.0.0.1"), "a lock names the originals");

    // Nothing changed: nothing that counts is asked, and nothing is written differently.
    let counted = upstream.counted();
    resolve(&first, &helm, "bundle.lock.yaml");
    assert_eq!(upstream.counted(), counted);
    assert_eq!(std::fs::read_to_string(first.path("bundle.lock.yaml")).unwrap(), lock);

    // Somebody else, with nothing cached and mirrors at other addresses, gets the same lock and the same bundles.
    let (elsewhere, second) = (Upstream::start(), Sandbox::new());
    second.config(&elsewhere.config());
    resolve(&second, &helm, "bundle.lock.yaml");
    assert_eq!(std::fs::read_to_string(second.path("bundle.lock.yaml")).unwrap(), lock);
    for arch in ["arm64", "amd64"] {
        let cold = pack(&first, arch, "cold.tar.gz", &["--jobs", "1"]);
        let warm = pack(&first, arch, "warm.tar.gz", &[]);
        assert!(cold == warm, "{arch}: what was cached changes the bundle");
        let other = pack(&second, arch, "other.tar.gz", &["--jobs", "7", "--no-store"]);
        assert!(cold == other, "{arch}: the number of jobs or the store changes the bundle");
        bill_is_valid(&first, "cold.tar.gz");
    }
}
