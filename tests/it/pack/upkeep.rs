//! `bundler cache`: what a lock needs stays, and a running pack loses nothing.

use std::sync::Mutex;
use std::sync::mpsc;

use serde_json::Value;

use super::site::Site;
use crate::support::{Fault, Proxy, Registry};
use crate::upstream::Upstream;

fn cache(site: &Site, code: i32, arguments: &[&str]) -> (Value, String) {
    let mut command = site.sandbox.bundler();
    let output = command.args(["cache", "--format", "json"]).args(arguments).assert().code(code).get_output().clone();
    (serde_json::from_slice(&output.stdout).unwrap_or_default(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_a_lock_needs_is_kept_and_the_rest_goes() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    site.pack(&["--arch", "arm64", "--output", "b.tar.gz"]);
    // The lock does not know the digest of one program that was taken out of an archive; that one is made again.
    cache(&site, 0, &["gc", "--keep", "bundle.lock.yaml"]);
    let stray = site.sandbox.cache().join("blobs/sha256/00").join("0".repeat(64));
    std::fs::create_dir_all(stray.parent().unwrap()).unwrap();
    std::fs::write(&stray, "nobody needs this").unwrap();

    let before = cache(&site, 0, &["ls"]).0;
    let would = cache(&site, 0, &["gc", "--keep", "bundle.lock.yaml", "--dry-run"]).0;
    assert_eq!(would["removed"], serde_json::json!({"files": 1, "bytes": 17}));
    assert_eq!(cache(&site, 0, &["ls"]).0, before);
    // All was used today.
    let young = cache(&site, 0, &["gc", "--older-than", "1"]).0;
    assert_eq!(young["removed"]["files"], 0);
    let gone = cache(&site, 0, &["gc", "--keep", "bundle.lock.yaml"]).0;
    assert_eq!(gone, would);
    assert!(!stray.exists());
    assert_eq!(site.pack(&["--arch", "arm64", "--output", "b.tar.gz", "--offline"])["fetched"], 0);

    // What was last used long ago goes, whatever it is.
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(40 * 24 * 60 * 60);
    let blobs = std::fs::read_dir(site.sandbox.cache().join("blobs/sha256")).unwrap();
    for file in blobs.flat_map(|directory| std::fs::read_dir(directory.unwrap().path()).unwrap()) {
        std::fs::File::open(file.unwrap().path()).unwrap().set_modified(long_ago).unwrap();
    }
    site.pack(&["--arch", "arm64", "--component", "agent", "--output", "a.tar.gz", "--offline"]);
    let gone = cache(&site, 0, &["gc", "--older-than", "30"]).0;
    assert!(gone["removed"]["files"].as_u64().unwrap() > 0 && gone["kept"]["files"].as_u64().unwrap() >= 4, "{gone}");
    site.pack(&["--arch", "arm64", "--component", "agent", "--output", "a.tar.gz", "--offline"]);
}

#[test]
fn a_store_that_is_in_use_is_left_alone() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    site.pack(&["--arch", "arm64", "--output", "b.tar.gz"]);
    let other = bundler::store::Store::create(&site.sandbox.cache()).unwrap();
    let (_, stderr) = cache(&site, 7, &["gc", "--older-than", "0"]);
    assert!(stderr.contains("another process uses it"), "{stderr}");
    drop(other);
    let gone = cache(&site, 0, &["gc", "--older-than", "0"]).0;
    assert_eq!(gone["kept"]["files"], 0);
}

#[test]
fn nothing_is_taken_from_a_running_pack() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let (reached, is_reached) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    // The first blob waits in the middle of the pack, after the manifests are in the store.
    let gate = Mutex::new(Some((reached, may_go_on)));
    let proxy = Proxy::before(&registry.url(), move |asked| {
        let gate = if asked.target.contains("/blobs/") { gate.lock().unwrap().take() } else { None };
        if let Some((reached, may_go_on)) = gate {
            reached.send(()).unwrap();
            may_go_on.recv().unwrap();
        }
        Fault::None
    });
    site.mirror(&proxy.url());
    let mut pack = site.sandbox.bundler_command();
    let mut pack = pack.args(["pack", "-q", "--arch", "arm64", "--output", "b.tar.gz"]).spawn().unwrap();
    is_reached.recv().unwrap();
    for arguments in [&["gc", "--older-than", "0"][..], &["gc", "--keep", "bundle.lock.yaml"]] {
        let (_, stderr) = cache(&site, 7, arguments);
        assert!(stderr.contains("another process uses it"), "{stderr}");
    }
    go_on.send(()).unwrap();
    assert!(pack.wait().unwrap().success());
    site.assert_store_is_good("after the pack");
    assert_eq!(site.pack(&["--arch", "arm64", "--output", "b.tar.gz", "--offline"])["fetched"], 0);
    assert_eq!(cache(&site, 0, &["gc", "--older-than", "0"]).0["kept"]["files"], 0);
}

#[test]
fn damaged_blobs_are_named_and_removed() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    site.pack(&["--arch", "arm64", "--component", "agent", "--output", "b.tar.gz"]);
    assert_eq!(cache(&site, 0, &["verify"]).0["damaged"], serde_json::json!([]));
    let blob = bundler::store::Store::read_only(&site.sandbox.cache());
    let lock = bundler::lock::read(&site.sandbox.path("bundle.lock.yaml")).unwrap();
    let image = lock.images.iter().find(|(name, _)| name.repository() == "agent").unwrap().1;
    let path = blob.path(image.digest);
    std::fs::write(&path, "something else").unwrap();
    let checked = cache(&site, 1, &["verify"]).0;
    assert_eq!(checked["damaged"], serde_json::json!([path]));
    assert!(!path.exists());
    // Nothing there is not an error, and a command that says nothing about what to keep is.
    cache(&site, 0, &["ls", "--cache-dir", "nowhere"]);
    cache(&site, 2, &["gc"]);
}
