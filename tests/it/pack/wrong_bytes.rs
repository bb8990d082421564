//! Bytes from a registry that are not the ones that the lock names.

use bundler::oci::Digest;

use super::site::Site;
use crate::support::{Fault, Proxy, Registry};
use crate::upstream::Upstream;

const ARGUMENTS: [&str; 4] = ["--arch", "arm64", "--component", "agent"];

/// Packs with each fault of what `target` names, which must end with 4 and leave nothing; then without.
fn refuses(site: &Site, proxy: &Proxy, target: &str, wanted: Digest, cases: &[(&str, Fault)]) {
    for (case, fault) in cases {
        for store in [&["--no-store"][..], &[]] {
            let (target, wrong) = (target.to_owned(), fault.clone());
            proxy.rule(move |asked| if asked.target.contains(&target) { wrong.clone() } else { Fault::None });
            let text = site.refused(&[&ARGUMENTS[..], store].concat(), 4);
            for part in ["images.example/agent:v1.0.0", &proxy.url(), &wanted.to_string()] {
                assert!(text.contains(part), "{case}: {part}: {text}");
            }
            if !matches!(fault, Fault::Short(_) | Fault::Long(_)) {
                let found = text.split_once(&format!("expected {wanted}, found sha256:"));
                assert!(found.is_some_and(|(_, found)| !found.starts_with(&wanted.hex())), "{case}: {text}");
            }
            let kept = site.files("../cache/bundler/partial");
            assert!(!kept.contains(&wanted.hex()), "{case}: {kept:?}");
            let blob = site.sandbox.cache().join("blobs/sha256").join(&wanted.hex()[..2]).join(wanted.hex());
            assert!(!blob.exists(), "{case}: the wrong blob is in the store");
            assert!(site.files(".").iter().all(|name| !name.starts_with('.')), "{case}: {:?}", site.files("."));
        }
    }
    proxy.heal();
    let packed = site.pack(&ARGUMENTS);
    site.sandbox.bundler().arg("verify").arg(packed["path"].as_str().unwrap()).assert().success();
}

#[test]
fn a_layer_that_differs_anywhere_is_refused_and_not_kept() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let proxy = Proxy::before(&registry.url(), |_| Fault::None);
    site.mirrors(&[&proxy.url()], "");
    let (digest, size) = site.layer("agent");
    let cases = [
        ("the first byte", Fault::Corrupt(0)),
        ("a byte in the middle", Fault::Corrupt(size / 2)),
        ("the last byte", Fault::Corrupt(size - 1)),
        ("the halves in the wrong order", Fault::Reorder(0)),
        ("a short body", Fault::Short(size - 1)),
        ("no body", Fault::Short(0)),
        ("a longer body", Fault::Long(b"x")),
    ];
    refuses(&site, &proxy, &format!("/blobs/{digest}"), digest, &cases);
}

#[test]
fn a_manifest_that_differs_anywhere_is_refused_and_not_kept() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let proxy = Proxy::before(&registry.url(), |_| Fault::None);
    site.mirrors(&[&proxy.url()], "");
    let lie = Digest::of(b"a lie").to_string();
    for manifest in [site.manifest("agent"), site.image("agent").root()] {
        let size = manifest.bytes.len();
        let cases = [
            ("the first byte", Fault::Corrupt(0)),
            ("a byte in the middle", Fault::Corrupt(size / 2)),
            ("the last byte", Fault::Corrupt(size - 1)),
            ("a short body", Fault::Short(size - 1)),
            ("a longer body", Fault::Long(b"\n")),
        ];
        refuses(&site, &proxy, &format!("/manifests/{}", manifest.digest), manifest.digest, &cases);
        std::fs::remove_dir_all(site.sandbox.cache()).unwrap();
    }
    // Right bytes under a header that says otherwise: one of both is wrong, and nobody knows which.
    let manifest = site.manifest("agent").digest;
    proxy.rule(move |asked| match asked.target.contains(&manifest.hex()) {
        true => Fault::Header("docker-content-digest", lie.clone()),
        false => Fault::None,
    });
    let text = site.refused(&ARGUMENTS, 4);
    for part in ["images.example/agent:v1.0.0", &proxy.url(), &manifest.hex(), &Digest::of(b"a lie").hex()] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_blob_that_changes_between_two_ranges_is_refused() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let (digest, size) = site.layer("app");
    let target = format!("/blobs/{digest}");
    let proxy = Proxy::before(&registry.url(), move |asked| match asked.target.contains(&target) {
        // All ranges but the first one come from other content.
        true if asked.start() > 0 => Fault::Corrupt(asked.start() + 1),
        _ => Fault::None,
    });
    site.mirrors(&[&proxy.url()], "");
    let arguments = ["--arch", "arm64", "--component", "app"];
    let text = site.refused(&arguments, 4);
    assert!(proxy.count(&digest.hex()) > 1 && size > 32 << 20, "it came in ranges");
    for part in ["images.example/app:v1.0.0", &proxy.url(), &digest.to_string()] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Another size than before, in the middle of it.
    let target = format!("/blobs/{digest}");
    proxy.rule(move |asked| match asked.target.contains(&target) {
        true if asked.start() > 0 => {
            let range = format!("bytes {0}-{0}/{1}", asked.start(), asked.start() + 1);
            Fault::Answer(206, vec![("content-range", range)], b"x".to_vec())
        }
        _ => Fault::None,
    });
    let text = site.refused(&arguments, 4);
    assert!(text.contains("images.example/app:v1.0.0") && text.contains(&digest.to_string()), "{text}");
    proxy.heal();
    site.pack(&arguments);
}
