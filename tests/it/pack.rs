//! `bundler pack` against a real registry, and against the embedded upstream when something has to go wrong.

mod crash;
mod delta;
mod disk;
mod earlier;
mod faults;
mod hostile;
mod logins;
mod parts;
mod random_faults;
mod sbom;
mod servers;
mod signed;
mod site;
mod upkeep;
mod wrong_bytes;

use std::collections::BTreeSet;

use bundler::oci::Digest;

use self::site::Site;
use crate::support::{self, Registry};
use crate::upstream::Upstream;

#[test]
fn one_lock_gives_one_bundle_however_it_is_packed() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let mut sums = BTreeSet::new();
    let mut pack = |name: &str, arguments: &[&str]| {
        let output = format!("{name}.tar.gz");
        let mut all = vec!["--arch", "arm64", "--output", &output];
        all.extend(arguments);
        let packed = site.pack(&all);
        let archive = std::fs::read(site.sandbox.path(&output)).unwrap();
        assert_eq!(packed["sha256"], Digest::of(&archive).to_string(), "{name}");
        assert_eq!(packed["size"], archive.len(), "{name}");
        sums.insert(packed["sha256"].to_string());
        packed["fetched"].as_u64().unwrap()
    };
    let cold = pack("no-store-1", &["--no-store", "--jobs", "1"]);
    assert!(cold > 40 << 20, "{cold}");
    assert!(!site.sandbox.cache().join("blobs").exists(), "nothing was kept");
    assert_eq!(pack("no-store", &["--no-store"]), cold);
    assert_eq!(pack("cold", &["--jobs", "16"]), cold);
    assert_eq!(pack("warm", &["--jobs", "3"]), 0);
    assert_eq!(pack("offline", &["--offline"]), 0);
    assert_eq!(pack("warm-no-store", &["--no-store", "--offline"]), 0);
    assert_eq!(sums.len(), 1, "{sums:?}");

    let sum = support::output_of(site.sandbox.command("sha256sum").args(["-c", "warm.tar.gz.sha256"]));
    assert_eq!(sum, "warm.tar.gz: OK\n");
    site.sandbox.bundler().args(["verify", "warm.tar.gz"]).assert().success();
    let leftovers: Vec<_> = site.files(".").into_iter().filter(|name| name.starts_with('.')).collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

#[test]
fn selections_have_names_and_carry_what_they_say() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let tool = site.sandbox.write("tool", "#!/bin/sh\n");
    let add = format!("files/tool={}", tool.display());
    for (arguments, name, images, files) in [
        (&["--arch", "arm64"][..], "demo-1.0.0-linux-arm64.tar.gz", 3, 2),
        (&["--arch", "amd64", "--arch", "arm64"], "demo-1.0.0-linux-amd64_arm64.tar.gz", 3, 4),
        (&["--arch", "arm64", "--profile", "edge"], "demo-1.0.0-edge-linux-arm64.tar.gz", 1, 0),
        (
            &["--arch", "arm64", "--component", "app", "--bundle-version", "2"],
            "demo-2-partial-linux-arm64.tar.gz",
            2,
            0,
        ),
        (
            &["--arch", "arm64", "--component", "helm", "--add-file", &add],
            "demo-1.0.0-partial-linux-arm64.tar.gz",
            0,
            3,
        ),
    ] {
        let mut all = arguments.to_vec();
        all.extend(["--output", "out/"]);
        let packed = site.pack(&all);
        assert_eq!(packed["path"], format!("out/{name}"));
        assert_eq!((&packed["images"], &packed["files"]), (&images.into(), &files.into()), "{name}");
        site.sandbox.bundler().args(["verify", &format!("out/{name}")]).assert().success();
    }
    let list = support::output_of(site.sandbox.command("tar").args([
        "tzvf",
        "out/demo-1.0.0-partial-linux-arm64.tar.gz",
        "--numeric-owner",
    ]));
    let line = |path: &str| list.lines().find(|line| line.ends_with(path)).unwrap_or_else(|| panic!("{path}: {list}"));
    assert!(line(" files/tool").starts_with("-rwxr-xr-x 0/0"), "{list}");
    assert!(line(" files/helm").starts_with("-rwxr-xr-x 0/0"), "{list}");
}

#[test]
fn what_cannot_be_packed_is_said_before_anything_is_fetched() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.unresolved("late", "docker.io/example/late:v1", "no digest known");
    let refused = |arguments: &[&str], code: i32, said: &[&str]| {
        let text = site.refused(arguments, code);
        said.iter().for_each(|part| assert!(text.contains(part), "{part}: {text}"));
    };
    let unresolved = ["late: docker.io/example/late:v1 (no digest known)", "bundler resolve late"];
    refused(&["--arch", "arm64"], 1, &unresolved);
    refused(&["--arch", "arm64", "--profile", "edge"], 1, &unresolved);
    refused(&["--arch", "s390x"], 2, &["s390x", "amd64, arm64"]);
    refused(&["--arch", "arm64", "--profile", "egde"], 2, &["no profile `egde`", "did you mean `edge`"]);
    refused(&["--arch", "arm64", "--component", "hlem"], 2, &["no component `hlem`", "did you mean `helm`"]);
    refused(&["--arch", "arm64", "--component", "helm", "--profile", "edge"], 2, &["none of the selected profiles"]);
    refused(&["--arch", "arm64", "--component", "app", "--add-file", "files/x=missing"], 2, &["missing"]);
    refused(&["--arch", "arm64", "--component", "app", "--bundle-version", "1/2"], 2, &["1/2"]);
    site.sandbox.write("manifests/components/app/resources/x.yaml", "changed: true\n");
    refused(&["--arch", "arm64", "--component", "app"], 1, &["files of component app changed", "bundler resolve"]);
    assert!(upstream.requests().is_empty(), "{:?}", upstream.requests());
    assert!(site.files(".").iter().all(|name| !name.contains("tar.gz")), "{:?}", site.files("."));
}

#[test]
fn a_profile_keeps_to_its_budget() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    for (budget, kept) in [("5kB", false), ("1MB", true)] {
        let catalog = site.sandbox.path("manifests/catalog.yaml");
        let text = std::fs::read_to_string(&catalog).unwrap();
        let profiles = text.find("  edge:").unwrap();
        std::fs::write(&catalog, format!("{}  edge: {{components: [agent], budget: {budget}}}\n", &text[..profiles]))
            .unwrap();
        let arguments = ["--arch", "arm64", "--profile", "edge"];
        if kept {
            let packed = site.pack(&[&arguments[..], &["--profile", "edge"]].concat());
            assert_eq!(packed["path"], "./demo-1.0.0-edge-linux-arm64.tar.gz");
        } else {
            // Named twice it is still one profile.
            site.refused(&[&arguments[..], &["--profile", "edge"]].concat(), 1);
            let text = site.refused(&arguments, 1);
            for part in ["profile `edge`", "its budget is 5.0 kB", "the largest are ", "--allow-over-budget"] {
                assert!(text.contains(part), "{part}: {text}");
            }
            site.pack(&["--arch", "arm64", "--profile", "edge", "--allow-over-budget"]);
        }
    }
}

#[test]
fn credentials_of_docker_open_a_registry_behind_tls() {
    let Some(registry) = Registry::secured() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let ca = registry.ca().unwrap().to_str().unwrap().to_owned();
    let arguments = ["--arch", "arm64", "--component", "app", "--ca-file", &ca];
    let text = site.refused(&arguments, 5);
    assert!(text.contains("docker login"), "{text}");
    let text = site.refused(&arguments[..4], 3);
    assert!(text.contains("certificate"), "{text}");
    let docker = site.sandbox.home().join(".docker");
    std::fs::create_dir(&docker).unwrap();
    std::fs::write(docker.join("config.json"), registry.docker_config()).unwrap();
    let packed = site.pack(&arguments);
    site.sandbox.bundler().arg("verify").arg(packed["path"].as_str().unwrap()).assert().success();
}

#[test]
fn two_packs_at_once_share_a_store() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let start = |output: &str| {
        let mut command = site.sandbox.bundler_command();
        command.args(["pack", "-q", "--arch", "arm64", "--output", output]);
        command.stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    let running: Vec<_> = ["a.tar.gz", "b.tar.gz", "c.tar.gz"].map(start).into_iter().collect();
    for mut child in running {
        assert!(child.wait().unwrap().success());
    }
    let bytes = |name: &str| Digest::of(&std::fs::read(site.sandbox.path(name)).unwrap());
    assert!(bytes("a.tar.gz") == bytes("b.tar.gz") && bytes("b.tar.gz") == bytes("c.tar.gz"));
    let partial = site.sandbox.cache().join("partial");
    assert_eq!(std::fs::read_dir(partial).unwrap().count(), 0);
    assert_eq!(site.pack(&["--arch", "arm64", "--offline"])["fetched"], 0);
}

#[test]
fn a_store_that_lost_or_damaged_its_blobs_is_filled_again() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let first = site.pack(&["--arch", "arm64"]);
    let entries = site.blobs();
    for (number, entry) in entries.iter().enumerate() {
        match number % 3 {
            0 => std::fs::remove_file(entry).unwrap(),
            1 => std::fs::write(entry, "damaged").unwrap(),
            _ => {}
        }
    }
    let again = site.pack(&["--arch", "arm64"]);
    assert_eq!(again["sha256"], first["sha256"]);
    assert_eq!(site.blobs(), entries);
    for entry in entries {
        let name = entry.file_name().unwrap().to_str().unwrap();
        assert_eq!(Digest::of(&std::fs::read(&entry).unwrap()).hex(), name);
    }
}

#[test]
fn offline_names_what_is_missing() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    let text = site.refused(&["--arch", "arm64", "--component", "helm", "--offline"], 6);
    assert!(text.contains("get.helm.sh") && text.contains("without `--offline`"), "{text}");
    assert!(upstream.requests().is_empty());
}
