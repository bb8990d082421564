//! The official conformance program, where its source is given: `DISTRIBUTION_SPEC=DIR`, a checkout of
//! opencontainers/distribution-spec. Its own module is not to be had from the Go proxy.

use std::path::PathBuf;

use bundler::oci::Arch;

use super::served::{Parts, Site};
use crate::support::{self, output_of};

#[test]
fn the_official_program_finds_pull_and_discovery_right() {
    let Some(source) = std::env::var_os("DISTRIBUTION_SPEC").map(PathBuf::from) else {
        return support::unasked("DISTRIBUTION_SPEC=DIR, a checkout of opencontainers/distribution-spec");
    };
    let Some(go) = support::program("go") else { return };
    let site = Site::new(&[Arch::Amd64]);
    let sandbox = &site.sample.sandbox;
    let program = sandbox.path("conformance");
    // With the caches of whoever runs the tests: its modules come from there.
    let mut build = std::process::Command::new(go);
    build.args(["build", "-buildvcs=false", "-o"]).arg(&program).arg(".").current_dir(source.join("conformance"));
    output_of(&mut build);

    let web = Parts::of(&site.sample, "docker.io/library/web:1", Arch::Amd64);
    let all = |digests: &[bundler::oci::Digest]| digests.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let mut command = sandbox.command(&program);
    command.env("OCI_REGISTRY", &site.served.address).env("OCI_TLS", "disabled").env("OCI_RESULTS_DIR", "results");
    command.env("OCI_REPO1", "docker.io/library/web").env("OCI_VERSION", "1.1");
    // Of manifests whose content it was not given it looks at no header, so that part is in `specification` only.
    command.env("OCI_API_BLOBS_DIGEST_HEADER", "true");
    for api in
        ["PUSH", "BLOBS_ATOMIC", "BLOBS_DELETE", "BLOBS_MOUNT_ANONYMOUS", "BLOBS_UPLOAD_CANCEL", "MANIFESTS_ATOMIC"]
    {
        command.env(format!("OCI_API_{api}"), "false");
    }
    for api in ["MANIFESTS_DELETE", "MANIFESTS_TAG_PARAM", "TAGS_ATOMIC", "TAGS_DELETE"] {
        command.env(format!("OCI_API_{api}"), "false");
    }
    command.env("OCI_RO_DATA_TAGS", "1").env("OCI_RO_DATA_MANIFESTS", all(&[web.digest, web.manifest]));
    command.env("OCI_RO_DATA_BLOBS", all(&web.layers)).env("OCI_RO_DATA_REFERRERS", all(&[web.digest]));
    // Without a push the program of 2026-07 stumbles over its own YAML report, after it has printed the result.
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    for part in [
        "OCI Conformance Result: Pass",
        "read-only/tag-list: Pass",
        "read-only/pull: Pass",
        "read-only/head: Pass",
        "read-only/referrers: Pass",
        "missing-manifest: Pass",
        "invalid-digest-format/manifest-get: Pass",
    ] {
        assert!(said.contains(part), "{part}: {said}{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(!said.contains(": FAIL"), "{said}");
}
