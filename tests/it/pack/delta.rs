//! `pack --base` and `--have`, and `apply`.

use super::site::Site;
use crate::support::{self, Registry};
use crate::upstream::Upstream;

#[test]
fn a_delta_gives_the_published_bundle() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let pack = |arguments: &[&str]| site.pack(&[&["--arch", "arm64"], arguments].concat());
    pack(&["--component", "app", "--output", "base.tar.gz"]);
    let full = pack(&["--output", "full.tar.gz"]);
    let bytes = std::fs::read(site.sandbox.path("full.tar.gz")).unwrap();
    let delta = pack(&["--base", "base.tar.gz", "--output", "delta.tar.gz"]);
    assert_eq!(delta["sums_sha256"], full["sums_sha256"]);
    assert!(delta["size"].as_u64().unwrap() + (40 << 20) < full["size"].as_u64().unwrap());
    let apply = |base: &str, delta: &str| {
        let mut command = site.sandbox.bundler();
        let output = command.args(["apply", "--format", "json", base, delta, "-o", "again.tar.gz"]).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(apply("base.tar.gz", "delta.tar.gz").0, 0);
    assert!(std::fs::read(site.sandbox.path("again.tar.gz")).unwrap() == bytes);
    let (exit, text) = apply("full.tar.gz", "delta.tar.gz");
    assert!(exit == 2 && text.contains("is not the base of `delta.tar.gz`"), "{exit} {text}");
    for command in ["verify", "inspect"] {
        let output = site.sandbox.bundler().args([command, "delta.tar.gz"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains("delta"), "{text}");
    }

    // A list of digests instead of a bundle, and parts.
    let list = support::output_of(site.sandbox.command("tar").args(["xzOf", "base.tar.gz", "SHA256SUMS"]));
    let digests: String = list.lines().map(|line| format!("{}\n", &line[..64])).collect();
    site.sandbox.write("have", digests);
    pack(&["--have", "have", "--split-size", "1MB", "--output", "parts.tar.gz"]);
    assert_eq!(apply("base.tar.gz", "parts.tar.gz").0, 0);
    assert!(std::fs::read(site.sandbox.path("again.tar.gz")).unwrap() == bytes);
    site.sandbox.write("have", "no digest\n");
    let output = site.sandbox.bundler().args(["pack", "--arch", "arm64", "--have", "have"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    // The default name says what it is.
    let named = pack(&["--base", "base.tar.gz"]);
    assert_eq!(named["path"], "./demo-1.0.0-delta-linux-arm64.tar.gz");
}
