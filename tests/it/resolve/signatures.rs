//! Signatures of upstream's images, checked by the real cosign.

use std::io::Write as _;

use super::{Bench, DAY, EDGEMESH};
use crate::support::Registry;
use crate::upstream::image::{Compression, Image, Kind, Layer, tar};

/// The real cosign, which no package of Debian has: on PATH, or where `go install` with GOBIN puts it here.
pub(super) fn cosign() -> Option<std::path::PathBuf> {
    let kept = std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/bin/cosign"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|directory| directory.join("cosign")).chain([kept]);
    let found = places.find(|place| place.is_file());
    if found.is_none() {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: signatures need cosign (go install github.com/sigstore/cosign/v2/cmd/cosign@latest)"
        );
    }
    found
}

/// Has the bench take Docker Hub's images from a registry.
pub(super) fn docker_hub_is_at(bench: &Bench, url: &str) {
    let upstream = bench.upstream.config();
    let config: String = upstream
        .lines()
        .map(|line| match line.trim_start().starts_with("docker.io:") {
            true => format!("  docker.io: [\"{url}\"]\n"),
            false => format!("{line}\n"),
        })
        .collect();
    bench.sandbox.config(&config);
}

fn signed(verify: &str) -> String {
    format!("{}verify: {{cosign: {verify}}}\n", EDGEMESH.trim_start())
}

fn without_program(bench: &Bench, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = bench.sandbox.bundler();
    let output =
        command.env("PATH", bench.sandbox.path("empty")).args(["resolve", "--as-of", DAY]).args(arguments).output();
    let output = output.unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn without_the_program_it_says_so_and_goes_on_unless_signatures_are_required() {
    let bench = Bench::new(&[&signed("{identity: a@example.org, issuer: \"https://example.org\"}")]);
    let (code, text) = without_program(&bench, &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("edgemesh: its signatures are not checked: there is no `cosign` program"), "{text}");
    assert!(bench.lock().components["edgemesh"].verified.is_none());
    let asked = bench.upstream.requests().len();
    let (code, text) = without_program(&bench, &["--require-signatures"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("error: signatures are required, and there is no `cosign` program"), "{text}");
    assert_eq!(bench.upstream.requests().len(), asked, "before any network");
}

#[test]
fn a_signature_is_checked_and_the_lock_says_so() {
    let (Some(cosign), Some(registry)) = (cosign(), Registry::plain()) else { return };
    let bench = Bench::new(&[EDGEMESH]);
    let layer = Layer::new(&tar(&[("bin/agent", 0o755, b"agent")]), Compression::Gzip);
    let image = Image::build(Kind::Oci, &[(("amd64", None), vec![layer.clone()]), (("arm64", None), vec![layer])]);
    registry.push("docker.io/kubeedge/edgemesh-agent:v1.17.0", &image);
    docker_hub_is_at(&bench, &registry.url());
    let own = |arguments: &[&str]| {
        let mut command = bench.sandbox.command(&cosign);
        crate::support::output_of(command.env("COSIGN_PASSWORD", "").args(arguments));
    };
    own(&["generate-key-pair", "--output-key-prefix", "good"]);
    own(&["generate-key-pair", "--output-key-prefix", "other"]);
    let directory = cosign.parent().unwrap().to_owned();
    let resolve = |arguments: &[&str]| {
        let path = std::env::join_paths([directory.clone()]).unwrap();
        let mut command = bench.sandbox.bundler();
        let output = command.env("PATH", path).args(["resolve", "--as-of", DAY]).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let trust = |key: &str| {
        bench.catalog("[amd64, arm64]", &[&signed("{key: cosign.pub, transparency_log: false}")]);
        let key = std::fs::read(bench.sandbox.path(format!("{key}.pub"))).unwrap();
        bench.sandbox.write("manifests/components/edgemesh/cosign.pub", key);
    };
    trust("good");
    let (code, text) = resolve(&["--require-signatures"]);
    assert_eq!(code, Some(1), "nobody signed it yet: {text}");
    assert!(text.contains("no good signature of `docker.io/kubeedge/edgemesh-agent@sha256:"), "{text}");

    let reference = format!("{}/kubeedge/edgemesh-agent@{}", registry.address(), image.root().digest);
    own(&["sign", "--yes", "--key", "good.key", "--tlog-upload=false", "--allow-http-registry=true", &reference]);
    let (code, text) = resolve(&["--require-signatures"]);
    assert_eq!(code, Some(0), "{text}");
    let verified = bench.lock().components["edgemesh"].verified.clone().unwrap();
    assert_eq!(verified.images.len(), 1);
    let key = std::fs::read(bench.sandbox.path("good.pub")).unwrap();
    assert_eq!(verified.key, Some(bundler::oci::Digest::of(&key)));
    // A machine without the program leaves the lock as it is, and says nothing.
    let (code, text) = without_program(&bench, &["--check"]);
    assert_eq!((code, text.as_str()), (Some(0), "resolving 1 component\n"));

    trust("other");
    let (code, text) = resolve(&[]);
    assert_eq!(code, Some(1), "another key: {text}");
    assert!(text.contains("no good signature of"), "{text}");
}
