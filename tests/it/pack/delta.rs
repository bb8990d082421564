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
    let base = pack(&["--component", "app", "--output", "base.tar.gz"]);
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
        let base = format!("he rest is in demo 1.0.0 with SHA256SUMS {}", base["sums_sha256"].as_str().unwrap());
        assert!(output.status.success() && text.contains("delta") && text.contains(&base), "{text}");
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
    let refused = |arguments: &[&str], said: &str| {
        let text = site.refused(&[&["--arch", "arm64"], arguments].concat(), 2);
        assert!(text.contains(said), "{text}");
    };
    refused(&["--have", "/dev/zero"], "/dev/zero: the file is larger than 8 MiB");
    refused(&["--add-file", "files/zero=/dev/zero"], "not a regular file");
    // Without its base a delta is worth nothing, so it never takes its place.
    let before = std::fs::read(site.sandbox.path("base.tar.gz")).unwrap();
    for base in ["base.tar.gz", "./manifests/../base.tar.gz"] {
        let mut command = site.sandbox.bundler();
        let output =
            command.args(["pack", "--arch", "arm64", "--base", base, "--output", "base.tar.gz"]).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && text.contains("`base.tar.gz` is the base"), "{text}");
        assert!(std::fs::read(site.sandbox.path("base.tar.gz")).unwrap() == before);
    }
    // The default name says what it is.
    let named = pack(&["--base", "base.tar.gz"]);
    assert_eq!(named["path"], "./demo-1.0.0-delta-linux-arm64.tar.gz");
}

#[test]
fn the_lock_of_the_base_is_enough() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let lock = site.sandbox.path("old.lock.yaml");
    std::fs::copy(site.sandbox.path("bundle.lock.yaml"), &lock).unwrap();
    let pack = |arguments: &[&str]| site.pack(&[&["--arch", "arm64"], arguments].concat());
    pack(&["--output", "base.tar.gz"]);
    let full = pack(&["--bundle-version", "1.1.0", "--output", "full.tar.gz"]);
    let bundle = pack(&["--bundle-version", "1.1.0", "--base", "base.tar.gz", "--output", "bundle.tar.gz"]);
    let delta = pack(&["--bundle-version", "1.1.0", "--base", "old.lock.yaml", "--output", "delta.tar.gz"]);
    // The base says that it holds the same: only how it is named differs.
    let size = |packed: &serde_json::Value| packed["size"].as_u64().unwrap();
    assert!(size(&delta).abs_diff(size(&bundle)) < 2048 && size(&delta) * 100 < size(&full), "{delta:#} {bundle:#}");
    let inspect = |name: &str| support::output_of(site.sandbox.bundler_command().args(["verify", name]));
    let text = inspect("delta.tar.gz");
    assert!(text.contains("the rest is in demo 1.0.0; --base BASE checks that too"), "{text}");
    let apply = |base: &str| {
        let mut command = site.sandbox.bundler();
        let output = command.args(["apply", base, "delta.tar.gz", "-o", "again.tar.gz"]).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(apply("base.tar.gz").0, 0);
    let read = |name: &str| std::fs::read(site.sandbox.path(name)).unwrap();
    assert!(read("again.tar.gz") == read("full.tar.gz"));
    // A base that lacks something is named with what it lacks.
    pack(&["--component", "helm", "--output", "small.tar.gz"]);
    let (exit, text) = apply("small.tar.gz");
    assert!(exit == 4 && text.contains("`small.tar.gz` does not hold `blobs/sha256/"), "{exit} {text}");

    // An image of the old lock that is nowhere any more is told, and packed again.
    let text = std::fs::read_to_string(&lock).unwrap();
    let gone = site.image("sidecar").root().digest;
    site.sandbox.write("old.lock.yaml", text.replace(&gone.to_string(), &format!("sha256:{}", "0".repeat(64))));
    let arguments = ["pack", "--arch", "arm64", "--base", "old.lock.yaml", "--output", "more.tar.gz"];
    let output = site.sandbox.bundler().args(arguments).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("/sidecar:v1.0.0 of the base is not known"), "{said}");
    let (layer, _) = site.layer("sidecar");
    let listed = support::output_of(site.sandbox.command("tar").args(["tzf", "more.tar.gz"]));
    assert!(listed.contains(&layer.hex()) && !listed.contains(&site.layer("app").0.hex()), "{listed}");
    // A lock for another architecture, and what is neither lock nor bundle.
    site.sandbox.write("text", "no lock");
    let text = site.refused(&["--arch", "arm64", "--base", "text"], 2);
    assert!(text.contains("text:1:"), "{text}");
}

#[test]
fn a_delta_is_verified_with_its_base() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let pack = |arguments: &[&str]| site.pack(&[&["--arch", "arm64"], arguments].concat());
    pack(&["--output", "base.tar.gz", "--split-size", "20MB"]);
    pack(&["--bundle-version", "1.1.0", "--output", "full.tar.gz"]);
    pack(&["--bundle-version", "1.1.0", "--base", "base.tar.gz", "--output", "delta.tar.gz"]);
    let verify = |base: &str| {
        let arguments = ["verify", "--format", "json", "delta.tar.gz", "--base", base];
        let output = site.sandbox.bundler().args(arguments).output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code().unwrap(), report, String::from_utf8(output.stderr).unwrap())
    };
    let (exit, report, _) = verify("base.tar.gz");
    assert!(exit == 0 && report["with_base"] == true, "{report:#}");
    let (exit, _, text) = verify("full.tar.gz");
    assert!(exit == 2 && text.contains("`full.tar.gz` is not the base of `delta.tar.gz`"), "{exit} {text}");
    let (exit, _, text) = verify("delta.tar.gz");
    assert!(exit == 2 && text.contains("a delta and no full bundle"), "{exit} {text}");

    // A changed byte of what is left out.
    let part = site.sandbox.path("base.tar.gz.part-002");
    let good = std::fs::read(&part).unwrap();
    let mut bytes = good.clone();
    bytes[10_000_000] ^= 1;
    std::fs::write(&part, bytes).unwrap();
    let (exit, report, _) = verify("base.tar.gz");
    let layer = bundler::bundle::model::blob_path(site.layer("app").0);
    assert!(exit == 1 && report["findings"][0]["member"] == layer, "{report:#}");
    std::fs::write(&part, good).unwrap();

    // Applied to parts: those that `pack` would have written.
    pack(&["--bundle-version", "1.1.0", "--output", "parts.tar.gz", "--split-size", "15MB"]);
    let mut command = site.sandbox.bundler();
    let arguments = ["apply", "base.tar.gz.part-001", "delta.tar.gz", "-o", "out/parts.tar.gz", "--split-size", "15MB"];
    std::fs::create_dir(site.sandbox.path("out")).unwrap();
    let output = command.args(arguments).args(["--format", "json"]).assert().success();
    let applied: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert_eq!(applied["parts"][0], "out/parts.tar.gz.part-001");
    let files = site.files("out");
    assert_eq!(files.len(), applied["parts"].as_array().unwrap().len() + 1);
    for name in files {
        let read = |path: String| std::fs::read(site.sandbox.path(path)).unwrap();
        assert!(read(format!("out/{name}")) == read(name.clone()), "{name}");
    }
    let arguments = ["apply", "base.tar.gz", "delta.tar.gz", "-o", "x", "--split-size", "1"];
    site.sandbox.bundler().args(arguments).assert().code(2);
}
