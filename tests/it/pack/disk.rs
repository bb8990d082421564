//! Packing on a disk that is full, read-only or not alone.

use std::process::{Output, Stdio};

use super::site::Site;
use crate::support::{Disk, Meter, Registry};
use crate::upstream::Upstream;

const ARGUMENTS: [&str; 8] = ["pack", "--format", "json", "--arch", "arm64", "--cache-dir", "disk/cache", "--output"];
const OUTPUT: &str = "disk/out/x.tar.gz";

/// How often the disk fills up, at how many different moments of a pack.
const MOMENTS: u64 = 20;

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn names(directory: &std::path::Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn sha256(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(output));
    let packed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    packed["sha256"].as_str().unwrap().to_owned()
}

#[test]
fn a_disk_that_fills_up_at_any_moment_ends_with_7_and_loses_nothing() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    site.streamed();
    let meter = Meter::new();
    site.through(&meter, &registry, &upstream);
    let Some(disk) = Disk::new(&site.sandbox, "disk", 160) else { return };
    let pack = |arguments: &[&str]| {
        let mut command = disk.bundler(&site.sandbox);
        command.args(ARGUMENTS).arg(OUTPUT).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let (out, cache) = (disk.path("out"), disk.path("cache"));
    std::fs::create_dir(&out).unwrap();
    meter.stop_at(u64::MAX);
    let expected = sha256(&pack(&[]).output().unwrap());
    let total = meter.count();

    for moment in 0..MOMENTS {
        let arguments: &[&str] = if moment % 3 == 0 { &["--no-store"] } else { &[] };
        std::fs::remove_dir_all(&out).unwrap();
        std::fs::create_dir(&out).unwrap();
        let _ = std::fs::remove_dir_all(&cache);
        let at = total * moment / MOMENTS;
        let told = format!("at byte {at} of {total} {arguments:?}");
        meter.stop_at(at);
        let child = pack(arguments).spawn().unwrap();
        assert!(meter.wait(&child), "{told}: {}", text(&child.wait_with_output().unwrap()));
        let filler = disk.fill();
        meter.go_on();
        let output = child.wait_with_output().unwrap();
        let said = text(&output);
        assert_eq!(output.status.code(), Some(7), "{told}: {said}");
        assert!(said.contains("`disk/") && said.contains("\"hint\":"), "{told}: {said}");
        assert!(names(&out).is_empty(), "{told}: {:?}", names(&out));
        std::fs::remove_file(filler).unwrap();
        assert_good(&cache, &told);
        assert_eq!(sha256(&pack(arguments).output().unwrap()), expected, "{told}");
        assert_eq!(names(&out), ["x.tar.gz", "x.tar.gz.sha256"], "{told}");
        assert_good(&cache, &told);
        let verified = disk.bundler(&site.sandbox).args(["verify", OUTPUT]).output().unwrap();
        assert!(verified.status.success(), "{told}: {}", text(&verified));
    }
}

#[test]
fn a_store_that_can_only_be_read_is_read() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let Some(disk) = Disk::new(&site.sandbox, "disk", 160) else { return };
    let pack = |output: &str, arguments: &[&str]| {
        disk.bundler(&site.sandbox).args(ARGUMENTS).arg(output).args(arguments).output().unwrap()
    };
    let said = "`disk/cache` cannot be written: what is fetched is not kept";
    let cache = disk.path("cache");

    // Nothing is there, and nothing can be.
    disk.set_read_only(&site.sandbox, true);
    let cold = pack("cold.tar.gz", &[]);
    let expected = sha256(&cold);
    assert!(text(&cold).contains(said), "{}", text(&cold));
    assert!(!cache.exists());
    let refused = pack("disk/x.tar.gz", &[]);
    assert_eq!(refused.status.code(), Some(7), "{}", text(&refused));
    assert!(text(&refused).contains("disk/") && text(&refused).contains("--output"), "{}", text(&refused));

    // All is there.
    disk.set_read_only(&site.sandbox, false);
    assert_eq!(sha256(&pack("filled.tar.gz", &[])), expected);
    disk.set_read_only(&site.sandbox, true);
    for arguments in [&["--offline"][..], &["--offline", "--no-store"]] {
        let warm = pack("warm.tar.gz", arguments);
        assert_eq!(sha256(&warm), expected);
        assert_eq!(text(&warm).contains(said), arguments.len() == 1, "{}", text(&warm));
    }

    // Some is there, and some of that is damaged.
    disk.set_read_only(&site.sandbox, false);
    let mut entries = blobs(&cache);
    entries.sort_by_key(|entry| entry.metadata().unwrap().len());
    let (largest, second) = (entries.pop().unwrap(), entries.pop().unwrap());
    std::fs::write(&largest, "damaged").unwrap();
    std::fs::remove_file(second).unwrap();
    disk.set_read_only(&site.sandbox, true);
    let mended = pack("mended.tar.gz", &[]);
    assert_eq!(sha256(&mended), expected);
    assert_eq!(text(&mended).matches("damaged in the store").count(), 1, "{}", text(&mended));
    assert_eq!(std::fs::read(&largest).unwrap(), b"damaged");
    site.sandbox.bundler().args(["verify", "mended.tar.gz"]).assert().success();
    let leftovers: Vec<_> = site.files(".").into_iter().filter(|name| name.starts_with('.')).collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

#[test]
fn one_output_has_one_writer() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    site.streamed();
    let meter = Meter::new();
    site.through(&meter, &registry, &upstream);
    let pack = |output: &str, arguments: &[&str]| {
        let mut command = site.sandbox.bundler_command();
        command.args(["pack", "--format", "json", "--arch", "arm64", "--output", output]).args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    meter.stop_at(u64::MAX);
    let expected = sha256(&pack("expected.tar.gz", &["--no-store"]).output().unwrap());
    for arguments in [&["--no-store"][..], &[]] {
        let _ = std::fs::remove_dir_all(site.sandbox.cache());
        meter.stop_at(20 << 20);
        let first = pack("x.tar.gz", arguments).spawn().unwrap();
        assert!(meter.wait(&first));
        // The second one reaches its sources by itself.
        site.mirror(&registry.url());
        let second = pack("x.tar.gz", arguments).output().unwrap();
        assert_eq!(second.status.code(), Some(7), "{}", text(&second));
        let said = "`x.tar.gz` is being written by another process";
        assert!(text(&second).contains(said) && text(&second).contains("--output"), "{}", text(&second));
        // Another output with the same store does not wait for the blob that the first one has half of.
        assert_eq!(sha256(&pack("y.tar.gz", arguments).output().unwrap()), expected);
        meter.go_on();
        assert_eq!(sha256(&first.wait_with_output().unwrap()), expected);
        for name in ["x.tar.gz", "y.tar.gz"] {
            site.sandbox.bundler().args(["verify", name]).assert().success();
        }
        let leftovers: Vec<_> = site.files(".").into_iter().filter(|name| name.starts_with('.')).collect();
        assert!(leftovers.is_empty(), "{leftovers:?}");
        site.through(&meter, &registry, &upstream);
    }
    site.assert_store_is_good("two writers");
}

#[test]
fn an_output_that_cannot_be_there_is_refused_before_anything_is_fetched() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    let ends = |code, output: &str, said: &str| {
        let mut command = site.sandbox.bundler();
        let output = command.args(["pack", "--arch", "arm64", "--component", "helm", "--output", output]);
        let output = output.output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", text(&output));
        assert!(text(&output).contains(said) && text(&output).contains("hint: "), "{}", text(&output));
    };
    let refused = |output: &str, said: &str| ends(7, output, said);
    std::fs::create_dir_all(site.sandbox.path("x.tar.gz.sha256")).unwrap();
    refused("x.tar.gz", "`x.tar.gz.sha256` is there already and is no regular file");
    refused("missing/x.tar.gz", "`missing`");
    site.sandbox.write("file", "");
    refused("file/x.tar.gz", "`file`");
    refused("/dev/null", "`/dev/null`");
    // A slip of the hand costs nobody a lock or a catalog.
    for file in ["bundle.lock.yaml", "manifests/catalog.yaml"] {
        let before = std::fs::read(site.sandbox.path(file)).unwrap();
        ends(2, file, &format!("`{file}` is there already and is no bundle"));
        assert!(std::fs::read(site.sandbox.path(file)).unwrap() == before, "{file}");
    }
    assert!(upstream.requests().is_empty(), "{:?}", upstream.requests());
    assert!(site.files(".").iter().all(|name| !name.starts_with('.')), "{:?}", site.files("."));
    // What a link leads to is not emptied.
    let precious = site.sandbox.write("precious", "kept");
    std::os::unix::fs::symlink(&precious, site.sandbox.path(".y.tar.gz.partial")).unwrap();
    refused("y.tar.gz", "`.y.tar.gz.partial`");
    assert_eq!(std::fs::read(precious).unwrap(), b"kept");
}

#[test]
fn what_is_no_blob_in_the_store_is_named_once() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.streamed();
    let arguments = ["--arch", "arm64", "--component", "helm"];
    site.pack(&arguments);
    let [blob] = &site.blobs()[..] else { panic!("{:?}", site.blobs()) };
    std::fs::remove_file(blob).unwrap();
    std::fs::create_dir(blob).unwrap();
    let name = blob.file_name().unwrap().to_str().unwrap();
    let told = |text: &str| assert_eq!(text.matches(name).count(), 1, "{text}");
    told(&site.refused(&arguments, 7));
    std::fs::remove_dir(blob).unwrap();
    // A pipe is not waited for.
    crate::support::output_of(site.sandbox.command("mkfifo").arg(blob));
    told(&site.refused(&arguments, 7));
    std::fs::remove_file(blob).unwrap();
    site.pack(&arguments);
}

#[test]
fn what_is_beside_a_bundle_is_not_waited_for() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.pack(&["--arch", "arm64", "--component", "helm", "--output", "x.tar.gz"]);
    let sums = site.sandbox.path("x.tar.gz.sha256");
    std::fs::remove_file(&sums).unwrap();
    for make in ["mkfifo", "mkdir"] {
        crate::support::output_of(site.sandbox.command(make).arg(&sums));
        let output = site.sandbox.bundler().args(["verify", "x.tar.gz"]).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{make}: {said}");
        assert!(said.contains("x.tar.gz.sha256"), "{make}: {said}");
        crate::support::output_of(site.sandbox.command("rm").arg("-r").arg(&sums));
    }
}

fn blobs(cache: &std::path::Path) -> Vec<std::path::PathBuf> {
    let list =
        |path: std::path::PathBuf| std::fs::read_dir(path).into_iter().flatten().map(|entry| entry.unwrap().path());
    list(cache.join("blobs/sha256")).flat_map(list).collect()
}

/// Every blob of the store has the bytes that its name says.
fn assert_good(cache: &std::path::Path, told: &str) {
    for blob in blobs(cache) {
        let name = blob.file_name().unwrap().to_str().unwrap();
        assert_eq!(bundler::oci::Digest::of(&std::fs::read(&blob).unwrap()).hex(), name, "{told}");
    }
}
