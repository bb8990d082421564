//! The other places: k3s's directory, an OCI layout, and what docker and podman are given.

use std::os::unix::fs::PermissionsExt as _;

use bundler::bundle::model;
use bundler::oci::Arch;

use super::{Containerd, Sample, done, host, names, own_layer, refused, rewrite};
use crate::support::{self, Sandbox, output_of};

fn load(sandbox: &Sandbox, into: &str, bundle: &str) -> assert_cmd::Command {
    let mut command = sandbox.bundler();
    command.args(["load", bundle, "--into", into]);
    command
}

/// Loads into a program of this name that the script is.
fn load_with(sandbox: &Sandbox, program: &str, script: &str, bundle: &str) -> assert_cmd::Command {
    let own = sandbox.write(format!("bin/{program}"), script);
    std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = load(sandbox, program, bundle);
    command.env("PATH", format!("{}:{}", sandbox.path("bin").display(), std::env::var("PATH").unwrap()));
    command
}

#[test]
fn the_file_for_k3s_is_imported_and_replaced_by_the_next_version() {
    let Some(containerd) = Containerd::start() else { return };
    let sample = Sample::new(&[host()]);
    let sandbox = &sample.sandbox;
    let first = done(&mut load(sandbox, "k3s-dir=images", "b.tar.gz"));
    assert!(first["sent"]["bytes"].as_u64().unwrap() > 0);
    let file = sandbox.path("images/bundler-demo@1.0.0.tar");
    output_of(&mut containerd.ctr(sandbox, &["images", "import", file.to_str().unwrap()]));
    containerd.assert_has(sandbox, &names(&sample), host());
    let again = done(&mut load(sandbox, "k3s-dir=images", "b.tar.gz"));
    assert_eq!(again["sent"]["bytes"], 0);

    let next = sandbox.path("next.tar.gz");
    rewrite(&sample, &next, "1.1.0", |name| name.contains("x/list"), |_, _| {});
    done(load(sandbox, "k3s-dir=images", "next.tar.gz").arg("--prune"));
    let files = || -> Vec<_> {
        let entries = std::fs::read_dir(sandbox.path("images")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(files(), ["bundler-demo@1.1.0.tar"]);
    let said = refused(&mut load(sandbox, "k3s-dir=images", "b.tar.gz"), 1);
    assert!(said.contains("demo 1.1.0 is loaded"), "{said}");
    let gone = done(sandbox.bundler().args(["unload", "demo@1.1.0", "--into", "k3s-dir=images"]));
    assert_eq!(gone["removed"].as_array().unwrap().len(), 1);
    assert!(files().is_empty());
}

#[test]
fn skopeo_reads_the_layout_and_another_bundle_joins_it() {
    let Some(skopeo) = support::program("skopeo") else { return };
    let sample = Sample::new(&[host()]);
    let sandbox = &sample.sandbox;
    done(&mut load(sandbox, "oci-layout:site", "b.tar.gz"));
    let again = done(&mut load(sandbox, "oci-layout:site", "b.tar.gz"));
    assert_eq!(again["sent"]["blobs"], 0);
    assert!(again["images"].as_array().unwrap().iter().all(|image| image["state"] == "present"), "{again:#}");
    let index: serde_json::Value =
        serde_json::from_slice(&std::fs::read(sandbox.path("site/index.json")).unwrap()).unwrap();
    assert_eq!(index["manifests"].as_array().unwrap().len(), names(&sample).len());
    for name in names(&sample).keys().filter(|name| !name.contains("list") && !name.contains("single")) {
        let source = format!("oci:site:{name}");
        let text = output_of(sandbox.command(&skopeo).args(["inspect", "--no-tags", &source]));
        let inspected: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(inspected["Architecture"], host().as_str(), "{name}");
    }
    // A directory of something else is left alone.
    sandbox.write("other/notes.txt", "mine");
    let said = refused(&mut load(sandbox, "oci-layout:other", "b.tar.gz"), 2);
    assert!(said.contains("other things than an OCI image layout"), "{said}");
    assert!(!sandbox.path("other/blobs").exists());
}

#[test]
fn what_a_power_cut_left_goes_and_what_somebody_writes_stays() {
    let sample = Sample::new(&[host()]);
    let sandbox = &sample.sandbox;
    // The second layout has been written once, the first only begun.
    let left = [("k3s-dir=images", "images"), ("oci-layout:site", "site"), ("oci-layout:site", "site/blobs/sha256")];
    for (into, directory) in left {
        let [old, held] =
            ["old", "held"].map(|name| sandbox.write(format!("{directory}/.bundler-{name}.part"), "half"));
        let holder = std::fs::File::open(&held).unwrap();
        rustix::fs::flock(&holder, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
        done(load(sandbox, into, "b.tar.gz").arg("--dry-run"));
        assert!(old.exists(), "{into}");
        done(&mut load(sandbox, into, "b.tar.gz"));
        assert!(!old.exists() && held.exists(), "{into}");
    }
}

#[test]
fn a_layout_is_looked_at_before_it_is_written() {
    let sample = Sample::new(&[host()]);
    let sandbox = &sample.sandbox;
    done(&mut load(sandbox, "oci-layout:site", "b.tar.gz"));
    // What another program left half of, under the blob's name.
    let blob = sandbox.path("site").join(model::blob_path(own_layer(&sample)));
    let content = std::fs::read(&blob).unwrap();
    std::fs::write(&blob, &content[1..]).unwrap();
    assert_eq!(done(&mut load(sandbox, "oci-layout:site", "b.tar.gz"))["sent"]["blobs"], 1);
    assert_eq!(std::fs::read(&blob).unwrap(), content);

    let said = refused(load(sandbox, "oci-layout:site", "b.tar.gz").arg("--prune"), 2);
    assert!(said.contains("an OCI layout cannot tell what came from a bundle"), "{said}");
    let index = std::fs::File::options().write(true).open(sandbox.path("site/index.json")).unwrap();
    index.set_len((64 << 20) + 1).unwrap();
    let said = refused(&mut load(sandbox, "oci-layout:site", "b.tar.gz"), 2);
    assert!(said.contains("index.json`: it is larger than 64 MiB"), "{said}");
}

#[test]
fn a_damaged_blob_gets_to_no_place() {
    let sample = Sample::new(&[host()]);
    let sandbox = &sample.sandbox;
    let layer = own_layer(&sample);
    // What it was given whole it has.
    let script = "#!/bin/sh\ncase \"$1\" in\nload) cat >half.tar && mv half.tar loaded.tar;;\n*) exit 1;;\nesac\n";
    for (flips, said) in [(true, "of the bundle has sha256 "), (false, " bytes instead of ")] {
        rewrite(
            &sample,
            &sandbox.path("bad.tar.gz"),
            "1.0.0",
            |_| true,
            |path, bytes| {
                if path == model::blob_path(layer) {
                    if flips { *bytes.last_mut().unwrap() ^= 1 } else { bytes.push(0) }
                }
            },
        );
        for (place, left) in [
            ("k3s-dir=k3s", "k3s/bundler-demo@1.0.0.tar".to_owned()),
            ("oci-layout:site", format!("site/{}", model::blob_path(layer))),
            ("oci-layout:site", "site/index.json".to_owned()),
            ("docker", "loaded.tar".to_owned()),
            ("podman", "loaded.tar".to_owned()),
        ] {
            let text = match place {
                "docker" | "podman" => refused(&mut load_with(sandbox, place, script, "bad.tar.gz"), 4),
                place => refused(&mut load(sandbox, place, "bad.tar.gz"), 4),
            };
            assert!(text.contains("`quay.io/x/list:v2.0` is damaged"), "{place}: {text}");
            assert!(text.contains(&layer.to_string()) && text.contains(said), "{place}: {text}");
            assert!(!sandbox.path(&left).exists(), "{place}: {left}");
        }
    }
}

#[test]
fn what_docker_says_and_what_it_has_afterwards_counts() {
    let sample = Sample::new(&[host()]);
    let sandbox = &sample.sandbox;
    let full = "#!/bin/sh\ncase \"$1\" in\nload) cat >/dev/null; echo no space left >&2; exit 7;;\n*) exit 1;;\nesac\n";
    let said = refused(&mut load_with(sandbox, "docker", full, "b.tar.gz"), 3);
    assert!(said.contains("`docker load` ended with") && said.contains("no space left"), "{said}");
    let forgets = "#!/bin/sh\ncase \"$1\" in\nload) cat >/dev/null;;\n*) exit 1;;\nesac\n";
    let said = refused(&mut load_with(sandbox, "docker", forgets, "b.tar.gz"), 4);
    assert!(said.contains("is not as it was loaded") && said.contains("not there"), "{said}");
    let said = refused(load_with(sandbox, "docker", forgets, "b.tar.gz").args(["--arch", "riscv64"]), 2);
    assert!(said.contains("the bundle has nothing for riscv64"), "{said}");

    let several = Sample::new(&[Arch::Amd64, Arch::Arm64]);
    let mut both = load_with(&several.sandbox, "docker", forgets, "b.tar.gz");
    let said = refused(both.args(["--arch", "amd64", "--arch", "arm64"]), 2);
    assert!(said.contains("docker takes the images of one architecture at a time"), "{said}");
}

#[test]
fn docker_and_podman_are_given_what_they_lack_and_asked_afterwards() {
    let Some(skopeo) = support::program("skopeo") else { return };
    let sample = Sample::new(&[host()]);
    let sandbox = &sample.sandbox;
    // It keeps the stream, and knows afterwards what it said that it lacked.
    let script = "#!/bin/sh\ncase \"$1\" in\nload) cat >loaded.tar;;\nimage) tar -xOf loaded.tar manifest.json 2>/dev/null \
                  | python3 -c 'import json,sys\nfor i in json.load(sys.stdin):\n  c=i[\"Config\"].split(\"/\")[-1]\n  \
                  if sys.argv[1] in i[\"RepoTags\"]+[\"sha256:\"+c]: print(\"sha256:\"+c); sys.exit(0)\nsys.exit(1)' \"$5\";;\nesac\n";
    for program in ["docker", "podman"] {
        let run = || load_with(sandbox, program, script, "b.tar.gz");
        let first = done(&mut run());
        assert!(first["images"].as_array().unwrap().iter().all(|image| image["state"] == "loaded"), "{first:#}");
        for name in sample.names.keys().filter(|name| !name.contains('@')) {
            let source = format!("docker-archive:loaded.tar:{name}");
            let text = output_of(sandbox.command(&skopeo).args(["inspect", "--no-tags", &source]));
            let inspected: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(inspected["Architecture"], host().as_str(), "{name}");
        }
        let second = done(&mut run());
        assert_eq!(second["sent"]["blobs"], 0, "{second:#}");
        std::fs::remove_file(sandbox.path("loaded.tar")).unwrap();
        let said = refused(run().arg("--prune"), 2);
        assert!(said.contains(&format!("{program} cannot tell what came from a bundle")), "{said}");
    }
}

#[test]
fn the_real_podman_takes_what_it_lacks() {
    let Some(podman) = support::program("podman") else { return };
    if output_of(std::process::Command::new("id").arg("-u")) != "0\n" {
        return support::skip("root, to unpack with podman").unwrap_or_default();
    }
    let sample = Sample::new(&[host()]);
    let sandbox = &sample.sandbox;
    // A store of its own; not in the sandbox, because its paths have a bound.
    let store = tempfile::tempdir().unwrap();
    let path = |name: &str| store.path().join(name).display().to_string();
    let script = format!(
        "#!/bin/sh\nexec {} --root {} --runroot {} --tmpdir {} --storage-driver vfs --cgroup-manager cgroupfs \
         --events-backend file \"$@\"\n",
        podman.display(),
        path("root"),
        path("run"),
        path("tmp")
    );
    let own = sandbox.path("bin/podman");
    let run = |arguments: &[&str]| done(load_with(sandbox, "podman", &script, "b.tar.gz").args(arguments));
    let first = run(&["--image", "quay.io/x/list"]);
    assert_eq!((&first["images"].as_array().unwrap().len(), &first["images"][0]["state"]), (&1, &"loaded".into()));
    let rest = run(&[]);
    let states: Vec<_> = rest["images"].as_array().unwrap().iter().map(|image| image["state"].clone()).collect();
    assert_eq!(states.iter().filter(|state| **state == "present").count(), 1, "only what it lacks: {rest:#}");
    for name in sample.names.keys().filter(|name| !name.contains('@')) {
        let text = output_of(sandbox.command(&own).args(["image", "inspect", "--format", "{{.Architecture}}", name]));
        assert_eq!(text.trim_end(), host().as_str(), "{name}");
    }
    let mounted = output_of(sandbox.command(&own).args(["image", "mount", "docker.io/library/web:1"]));
    let release = std::fs::read_to_string(std::path::Path::new(mounted.trim_end()).join("etc/os-release")).unwrap();
    assert_eq!(release, "ID=demo\n");
    output_of(sandbox.command(&own).args(["image", "unmount", "--all"]));
    let again = run(&[]);
    assert_eq!(again["sent"]["blobs"], 0, "{again:#}");
    assert!(again["images"].as_array().unwrap().iter().all(|image| image["state"] == "present"), "{again:#}");
}
