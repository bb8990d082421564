//! A bundle in every form in which it may arrive: each command reads it as the one that was published.

mod deltas;
mod recompressed;

use std::path::PathBuf;

use bundler::oci::Digest;
use serde_json::Value;

use crate::bundle_programs::Sample;
use crate::bundle_programs::containerd::{Containerd, host};
use crate::load::{names, with_ids};
use crate::serve::served::Served;
use crate::support::{self, Registry, output_of};

/// What a command does, says on stdout as JSON and tells on stderr.
fn run(sample: &Sample, arguments: &[&str]) -> (i32, Value, String) {
    let output = sample.sandbox.bundler().args(["--format", "json"]).args(arguments).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap_or_default(), said)
}

fn done(sample: &Sample, arguments: &[&str]) -> (Value, String) {
    let (code, json, said) = run(sample, arguments);
    assert_eq!(code, 0, "{arguments:?}: {said}{json:#}");
    (json, said)
}

/// Serves the bundles, and holds every byte of it against the sample, from many clients at once.
fn assert_served(sample: &Sample, bundles: &[&str]) -> Served {
    let paths: Vec<PathBuf> = bundles.iter().map(|bundle| sample.sandbox.path(bundle)).collect();
    let served = Served::start(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>(), &[]);
    for (name, digest) in &sample.names {
        let reference: bundler::oci::Reference = name.parse().unwrap();
        let reply = served.get(&format!("/v2/{}/{}/manifests/{digest}", reference.registry(), reference.repository()));
        assert_eq!((reply.status, Digest::of(&reply.body)), (200, *digest), "{name}");
    }
    let blobs = || sample.members.iter().filter(|(path, _)| path.starts_with("blobs/"));
    std::thread::scope(|scope| {
        for (path, bytes) in blobs().chain(blobs()) {
            let served = &served;
            scope.spawn(move || {
                let target = format!("/v2/library/web/blobs/sha256:{}", &path["blobs/sha256/".len()..]);
                let reply = served.get(&target);
                assert!(reply.status == 200 && reply.body == *bytes, "{target}: {}", reply.status);
                let reply = served.ask(&target, &[("Range", "bytes=7-")]);
                assert!(reply.status == 206 && reply.body == bytes[7..], "{target}: {}", reply.status);
            });
        }
    });
    for (path, bytes) in &sample.members {
        if path.starts_with("files/") || path.starts_with("charts/") {
            assert!(served.get(&format!("/{path}")).body == *bytes, "{path}");
        }
    }
    assert!(served.get("/index.yaml").text().contains("1.2.3+site.1"));
    served
}

/// Loads the bundles into containerd and into a layout, and holds what is there against the sample; gives what was told.
fn assert_loaded(sample: &Sample, bundles: &[&str], layout: &str) -> String {
    let into = format!("oci-layout:{layout}");
    let (_, said) = done(sample, &[&["load"], bundles, &["--into", &into]].concat());
    for digest in names(sample).values() {
        let blob = std::fs::read(sample.sandbox.path(layout).join("blobs/sha256").join(digest.hex())).unwrap();
        assert_eq!(Digest::of(&blob), *digest);
    }
    if let Some(containerd) = Containerd::start() {
        let address = containerd.address();
        done(sample, &[&["load", "--address", address.to_str().unwrap()], bundles].concat());
        containerd.assert_has(&sample.sandbox, &with_ids(sample, &containerd), host());
    }
    said
}

/// Pushes the bundles and the published one, and finds the same at the registry; gives what was told.
fn assert_pushed(sample: &Sample, bundles: &[&str], published: &str) -> Option<String> {
    let registry = Registry::plain()?;
    let skopeo = support::program("skopeo")?;
    let push = |bundles: &[&str], place: &str| {
        let target = format!("{}/{place}", registry.url());
        let (pushed, said) = done(sample, &[&["push"], bundles, &[&target]].concat());
        let entries = |key: &str| pushed[key].as_array().unwrap().clone();
        let entries: Vec<_> = entries("images").into_iter().chain(entries("charts")).collect();
        assert_eq!(pushed["blobs"]["present"], 0, "{pushed:#}");
        (entries, said)
    };
    let (found, said) = push(bundles, "site");
    let (expected, _) = push(&[published], "published");
    assert!(found.len() > sample.members.keys().filter(|path| path.starts_with("charts/")).count());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!((&found["name"], &found["digest"]), (&expected["name"], &expected["digest"]));
        // Each byte is hashed by who takes it.
        let at = found["at"].as_str().unwrap().trim_start_matches("oci://");
        if found["name"].as_str().unwrap().contains(':') && !at.contains('@') {
            let mut copy = sample.sandbox.command(&skopeo);
            copy.args(["copy", "--src-tls-verify=false", &format!("docker://{at}")]);
            output_of(copy.arg(format!("dir:{}", sample.sandbox.path("taken").display())));
        }
    }
    Some(said)
}
