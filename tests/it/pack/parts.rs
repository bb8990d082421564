//! `pack --split-size`, and the commands that read what it writes.

use bundler::oci::Digest;

use super::site::Site;
use crate::support::{self, Registry};
use crate::upstream::Upstream;

const ARGUMENTS: [&str; 4] = ["--arch", "arm64", "--output", "b.tar.gz"];

#[test]
fn parts_are_written_checked_and_read() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let whole = site.pack(&ARGUMENTS);
    let bytes = std::fs::read(site.sandbox.path("b.tar.gz")).unwrap();
    let sizes = [("10MB", 10_000_000), ("1MiB", 1 << 20), ("20.5MB", 20_500_000)];
    for (arguments, (text, size)) in [&[][..], &["--no-store"], &["--offline"]].into_iter().zip(sizes) {
        let packed = site.pack(&[&ARGUMENTS[..], &["--split-size", text], arguments].concat());
        assert_eq!((&packed["sha256"], &packed["size"]), (&whole["sha256"], &whole["size"]));
        let parts: Vec<_> = packed["parts"].as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect();
        assert_eq!(parts.len(), bytes.len().div_ceil(size), "{text}");
        assert_eq!(parts[1], "b.tar.gz.part-002");
        let read = |part: &&str| std::fs::read(site.sandbox.path(part)).unwrap();
        assert!(parts.iter().flat_map(read).collect::<Vec<_>>() == bytes);
        // Nothing but the parts and their sums; the whole one was replaced.
        let files: Vec<_> = site.files(".").into_iter().filter(|name| name.contains("b.tar.gz")).collect();
        assert_eq!(files, [&parts[..], &["b.tar.gz.sha256"]].concat());
        let sums = support::output_of(site.sandbox.command("sha256sum").args(["-c", "b.tar.gz.sha256"]));
        assert_eq!(sums.lines().filter(|line| line.ends_with(": OK")).count(), parts.len());
        // `cat` and tar, which know nothing of us.
        let listed =
            support::output_of(site.sandbox.command("sh").args(["-c", "cat b.tar.gz.part-* | gzip -dc | tar tf -"]));
        assert!(listed.starts_with("bundle.yaml\nSHA256SUMS\n"));

        for way in [&parts[..1], &parts[..], &["b.tar.gz"]] {
            site.sandbox.bundler().arg("verify").args(way).assert().success();
            let output = site.sandbox.bundler().args(["inspect", "--format", "json"]).args(way).output().unwrap();
            let inspected: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!((&inspected["parts"], &inspected["size"]), (&parts.len().into(), &whole["size"]));
        }
        let text = site.sandbox.bundler().args(["inspect", "b.tar.gz"]).output().unwrap().stdout;
        assert!(String::from_utf8(text).unwrap().contains(&format!("in {} parts", parts.len())));
        site.sandbox.bundler().args(["diff", parts[0], parts[1]]).assert().success();
    }

    // Parts are an earlier bundle too, also by the directory that holds them.
    let packed =
        site.pack(&["--arch", "arm64", "--no-store", "--offline", "--output", "n.tar.gz", "--from", "b.tar.gz"]);
    assert_eq!((&packed["sha256"], &packed["fetched"]), (&whole["sha256"], &0.into()));

    // What fits into one part is one file, and the parts of before are gone.
    let packed = site.pack(&[&ARGUMENTS[..], &["--split-size", "1GB"]].concat());
    assert!(packed.get("parts").is_none());
    let files: Vec<_> = site.files(".").into_iter().filter(|name| name.contains("b.tar.gz")).collect();
    assert_eq!(files, ["b.tar.gz", "b.tar.gz.sha256"]);
    assert_eq!(Digest::of(&std::fs::read(site.sandbox.path("b.tar.gz")).unwrap()).to_string(), whole["sha256"]);
}

#[test]
fn sizes_that_serve_nobody_are_refused_before_anything_is_fetched() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    for (size, message) in [
        ("1", "expected a size"),
        ("0.1kB", "at least 1000000 bytes"),
        ("999kB", "at least 1000000 bytes"),
        ("x", "2000MB"),
    ] {
        let mut command = site.sandbox.bundler();
        let output = command.args(["pack", "--split-size", size]).args(ARGUMENTS).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && text.contains(message), "{size}: {text}");
    }
}

#[test]
fn a_part_that_is_missing_or_wrong_is_named() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    site.pack(&[&ARGUMENTS[..], &["--split-size", "10MB"]].concat());
    let run = |arguments: &[&str]| {
        let output = site.sandbox.bundler().args(arguments).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap() + &String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), text)
    };
    let path = |number: usize| site.sandbox.path(format!("b.tar.gz.part-00{number}"));
    std::fs::rename(path(2), site.sandbox.path("away")).unwrap();
    let (exit, text) = run(&["inspect", "b.tar.gz.part-001"]);
    assert!(exit == 2 && text.contains("b.tar.gz.part-002` is missing"), "{exit} {text}");
    let (exit, text) = run(&["verify", "b.tar.gz.part-001"]);
    assert!(exit == 1 && text.contains("b.tar.gz.part-002` is missing"), "{exit} {text}");
    std::fs::rename(path(3), path(2)).unwrap();
    std::fs::rename(site.sandbox.path("away"), path(3)).unwrap();
    let (exit, text) = run(&["inspect", "b.tar.gz.part-001"]);
    assert!(exit == 4 && text.contains("b.tar.gz.part-002` does not go on"), "{exit} {text}");
    let (exit, text) = run(&["verify", "b.tar.gz.part-001"]);
    assert!(exit == 1 && text.contains("b.tar.gz.part-002: it has the bytes of `b.tar.gz.part-003`"), "{exit} {text}");
    let (exit, text) = run(&["verify", "b.tar.gz.part-001", "manifests/catalog.yaml"]);
    assert!(exit == 2 && text.contains("not the parts of one archive"), "{exit} {text}");
}
