//! Names, digests, pins and marks in containerd; what stays, what goes and what is refused.

use super::{
    Containerd, Sample, blobs, collect_garbage, done, foreign, host, listed, load, names, output_of, own_layer,
    refused, rewrite, unload,
};
use bundler::bundle::model;
use bundler::oci::Arch;

const PIN: &str = "io.cri-containerd.pinned=pinned";

#[test]
fn a_first_load_brings_everything_and_a_second_sends_nothing() {
    let Some(containerd) = Containerd::start() else { return };
    let sample = Sample::new(&[host()]);
    let sandbox = &sample.sandbox;
    let rehearsed = done(&mut load(sandbox, &containerd, &["b.tar.gz", "--dry-run"]));
    assert!(listed(sandbox, &containerd).is_empty() && blobs(sandbox, &containerd) == 0);
    let first = done(&mut load(sandbox, &containerd, &["b.tar.gz"]));
    assert_eq!(first["sent"], rehearsed["sent"]);
    assert_eq!(first["images"].as_array().unwrap().len(), 5);
    assert!(first["images"].as_array().unwrap().iter().all(|image| image["state"] == "loaded"), "{first:#}");

    let expected = names(&sample);
    let found = listed(sandbox, &containerd);
    for (name, digest) in &expected {
        let (found, labels) = &found[name];
        assert_eq!(found, digest, "{name}");
        assert!(labels.contains(PIN) && labels.contains("bundler.bundle/demo@1.0.0=loaded"), "{name}: {labels}");
        let platform = format!("linux/{}", host());
        output_of(&mut containerd.ctr(sandbox, &["images", "export", "--platform", &platform, "/dev/null", name]));
    }
    // The CRI finds an image by the digest of its configuration too; nothing else is there.
    let others: Vec<_> = found.keys().filter(|name| !expected.contains_key(*name)).collect();
    assert!(others.len() == 5 && others.iter().all(|name| name.starts_with("sha256:")), "{others:?}");
    assert!(found.keys().any(|name| name.starts_with("docker.io/library/web@sha256:")));

    // Nothing holds it but the names.
    let before = blobs(sandbox, &containerd);
    collect_garbage(sandbox, &containerd);
    assert_eq!(blobs(sandbox, &containerd), before);
    assert_eq!(output_of(&mut containerd.ctr(sandbox, &["leases", "ls", "-q"])), "");
    let second = done(&mut load(sandbox, &containerd, &["b.tar.gz"]));
    assert_eq!((&second["sent"]["blobs"], &second["sent"]["bytes"]), (&0.into(), &0.into()));
    assert!(second["images"].as_array().unwrap().iter().all(|image| image["state"] == "present"), "{second:#}");
}

#[test]
fn a_container_starts_from_a_loaded_image() {
    let Some(containerd) = Containerd::start() else { return };
    let sample = Sample::new(&[host()]);
    let sandbox = &sample.sandbox;
    done(&mut load(sandbox, &containerd, &["b.tar.gz"]));
    // What the kubelet does with an image that nobody unpacked.
    let target = sandbox.path("mounted");
    std::fs::create_dir(&target).unwrap();
    let name = "docker.io/library/web:1";
    output_of(
        &mut containerd.ctr(sandbox, &["images", "mount", "--snapshotter", "native", name, target.to_str().unwrap()]),
    );
    assert_eq!(std::fs::read_to_string(target.join("etc/os-release")).unwrap(), "ID=demo\n");
    output_of(&mut containerd.ctr(sandbox, &["images", "unmount", target.to_str().unwrap()]));
}

#[test]
fn a_bundle_for_another_machine_is_loaded_when_it_is_meant() {
    let Some(containerd) = Containerd::start() else { return };
    let sample = Sample::new(&[foreign()]);
    let sandbox = &sample.sandbox;
    let said = refused(&mut load(sandbox, &containerd, &["b.tar.gz"]), 2);
    assert!(said.contains(&format!("the bundle is for {}, this machine is {}", foreign(), host())), "{said}");
    assert!(said.contains(&format!("--arch {}", foreign())), "{said}");
    let mut command = load(sandbox, &containerd, &["b.tar.gz", "--arch", foreign().as_str()]);
    let output = command.assert().success().get_output().clone();
    assert!(String::from_utf8(output.stderr).unwrap().contains("do not run on this machine"));
    containerd.assert_has(sandbox, &names(&sample), foreign());
    collect_garbage(sandbox, &containerd);
    containerd.assert_has(sandbox, &names(&sample), foreign());
}

#[test]
fn of_several_architectures_only_this_machines_is_sent() {
    let Some(containerd) = Containerd::start() else { return };
    let sample = Sample::new(&[Arch::Amd64, Arch::Arm64]);
    let sandbox = &sample.sandbox;
    let own = done(&mut load(sandbox, &containerd, &["b.tar.gz"]));
    assert_eq!(own["images"][0]["architectures"], serde_json::json!([host()]));
    // The index is there already and now keeps another child too.
    let other = done(&mut load(sandbox, &containerd, &["b.tar.gz", "--arch", foreign().as_str()]));
    assert!(other["sent"]["blobs"].as_u64().unwrap() > 0 && other["present"].as_u64().unwrap() > 0, "{other:#}");
    let before = blobs(sandbox, &containerd);
    collect_garbage(sandbox, &containerd);
    assert_eq!(blobs(sandbox, &containerd), before);
    for arch in [host(), foreign()] {
        let platform = format!("linux/{arch}");
        let name = "quay.io/x/list:v2.0";
        output_of(&mut containerd.ctr(sandbox, &["images", "export", "--platform", &platform, "/dev/null", name]));
    }
}

#[test]
fn a_changed_byte_is_named_and_never_gets_a_name() {
    let Some(containerd) = Containerd::start() else { return };
    let sample = Sample::new(&[host()]);
    let sandbox = &sample.sandbox;
    let layer = own_layer(&sample);
    let changed = sandbox.path("changed.tar.gz");
    rewrite(
        &sample,
        &changed,
        "1.0.0",
        |_| true,
        |path, bytes| {
            if path == model::blob_path(layer) {
                *bytes.last_mut().unwrap() ^= 1;
            }
        },
    );
    let said = refused(&mut load(sandbox, &containerd, &["changed.tar.gz"]), 4);
    assert!(said.contains("`quay.io/x/list:v2.0` is damaged") && said.contains(&layer.to_string()), "{said}");
    let found = listed(sandbox, &containerd);
    assert!(!found.keys().any(|name| name.contains("x/list")), "{found:?}");
    // Good blobs may be half there; of the damaged one nothing stays.
    assert!(!output_of(&mut containerd.ctr(sandbox, &["content", "active"])).contains(&layer.hex()));
    // The good bundle goes on from there.
    done(&mut load(sandbox, &containerd, &["b.tar.gz"]));
    assert!(listed(sandbox, &containerd).contains_key("quay.io/x/list:v2.0"));

    rewrite(
        &sample,
        &changed,
        "1.0.0",
        |_| true,
        |path, bytes| {
            if path == model::blob_path(sample.names["ghcr.io/x/zstd:v3"]) {
                bytes.push(b' ');
            }
        },
    );
    let said = refused(&mut load(sandbox, &containerd, &["changed.tar.gz"]), 4);
    assert!(said.contains("is damaged: its sha256 is"), "{said}");
}

#[test]
fn what_no_bundle_needs_any_more_is_taken_away() {
    let Some(containerd) = Containerd::start() else { return };
    let sample = Sample::new(&[host()]);
    let sandbox = &sample.sandbox;
    // Somebody else's image, under a name that the bundle has too.
    containerd.import(sandbox, &sample.path(), &[]);
    let others = ["docker.io/library/web:1", "ghcr.io/x/zstd:v3"];
    for name in listed(sandbox, &containerd).keys().filter(|name| !others.contains(&name.as_str())) {
        output_of(&mut containerd.ctr(sandbox, &["images", "rm", "--sync", name]));
    }
    assert_eq!(listed(sandbox, &containerd).len(), 2);
    done(&mut load(sandbox, &containerd, &["b.tar.gz"]));
    assert!(listed(sandbox, &containerd)["docker.io/library/web:1"].1.contains(PIN));
    let whole = blobs(sandbox, &containerd);

    // The next version has two of the images.
    let next = sandbox.path("next.tar.gz");
    rewrite(&sample, &next, "1.1.0", |name| name.contains("x/list") || name.contains("x/pinned"), |_, _| {});
    let rehearsed = done(&mut load(sandbox, &containerd, &["next.tar.gz", "--prune", "--dry-run"]));
    done(&mut load(sandbox, &containerd, &["next.tar.gz"]));
    assert_eq!(blobs(sandbox, &containerd), whole);
    let said = refused(&mut load(sandbox, &containerd, &["b.tar.gz"]), 1);
    assert!(said.contains("demo 1.1.0 is loaded, which is newer than 1.0.0"), "{said}");
    assert!(said.contains("bundler unload demo@1.1.0"), "{said}");

    let pruned = done(&mut load(sandbox, &containerd, &["next.tar.gz", "--prune"]));
    assert_eq!(pruned["removed"], rehearsed["removed"]);
    assert_eq!(pruned["sent"]["blobs"], 0);
    let found = listed(sandbox, &containerd);
    assert!(found.keys().all(|name| !name.contains("single") && !name.contains("x/zstd@")), "{found:?}");
    assert!(found.contains_key("quay.io/x/list:v2.0"));
    for name in others {
        assert!(!found[name].1.contains("bundler") && !found[name].1.contains("pinned"), "{:?}", found[name]);
    }

    let gone = unload(sandbox, &containerd, &["next.tar.gz"]);
    assert!(gone["removed"].as_array().unwrap().len() >= 5, "{gone:#}");
    assert_eq!(listed(sandbox, &containerd).keys().collect::<Vec<_>>(), others);
    assert!(blobs(sandbox, &containerd) < whole);
    let again = unload(sandbox, &containerd, &["demo@1.1.0"]);
    assert_eq!((&again["removed"], &again["kept"]), (&serde_json::json!([]), &0.into()));
}

#[test]
fn an_older_bundle_wants_to_be_allowed_and_two_versions_share() {
    let Some(containerd) = Containerd::start() else { return };
    let sample = Sample::new(&[host()]);
    let sandbox = &sample.sandbox;
    let next = sandbox.path("next.tar.gz");
    rewrite(&sample, &next, "1.10.0", |name| !name.contains("x/zstd"), |_, _| {});
    done(&mut load(sandbox, &containerd, &["next.tar.gz"]));
    refused(&mut load(sandbox, &containerd, &["b.tar.gz"]), 1);
    let older = done(&mut load(sandbox, &containerd, &["b.tar.gz", "--allow-downgrade"]));
    assert_eq!(older["sent"]["blobs"], 4, "the index, the manifest, the configuration and a layer of one: {older:#}");
    // Either one alone keeps what both have.
    let gone = unload(sandbox, &containerd, &["next.tar.gz"]);
    assert_eq!(gone["removed"], serde_json::json!([]));
    let found = listed(sandbox, &containerd);
    assert!(names(&sample).keys().all(|name| found.contains_key(name)), "{found:?}");
}

#[test]
fn a_choice_narrows_and_a_wrong_name_is_told() {
    let Some(containerd) = Containerd::start() else { return };
    let sample = Sample::new(&[host()]);
    let sandbox = &sample.sandbox;
    let arguments =
        ["b.tar.gz", "--profile", "edge", "--component", "app", "--image", "quay.io/x/list", "--image", "web:1"];
    let loaded = done(&mut load(sandbox, &containerd, &arguments));
    let references: Vec<_> = loaded["images"].as_array().unwrap().iter().map(|image| &image["reference"]).collect();
    assert_eq!(references, ["docker.io/library/web:1", "quay.io/x/list:v2.0"]);
    assert_eq!(listed(sandbox, &containerd).keys().filter(|name| !name.starts_with("sha256:")).count(), 4);
    for (arguments, known) in [
        (["--profile", "cloud"], "hint: known here: edge"),
        (["--component", "web"], "hint: known here: app"),
        (["--image", "web:2"], "hint: did you mean `docker.io/library/web:1`?"),
        (["--arch", "s390x"], "the bundle has nothing for s390x"),
    ] {
        let mut command = load(sandbox, &containerd, &["b.tar.gz", arguments[0], arguments[1]]);
        let said = refused(&mut command, 2);
        assert!(said.contains(known), "{said}");
    }
    let nowhere = sandbox.path("nowhere").display().to_string();
    let said = refused(sandbox.bundler().args(["load", "b.tar.gz", "--address", &nowhere]), 2);
    assert!(said.contains("cannot reach containerd") && said.contains("--address"), "{said}");
    let said = refused(sandbox.bundler().args(["unload", "no/bundle"]), 2);
    assert!(said.contains("no/bundle"), "{said}");
}
