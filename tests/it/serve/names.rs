//! The names under which images answer, several bundles as one, files, charts and the page.

use std::path::Path;

use bundler::oci::{Arch, Digest};

use super::served::{Parts, Served, Site, blob_path, unpacked};
use crate::bundle_programs::Sample;

#[test]
fn an_image_answers_under_its_names() {
    let site = Site::new(&[Arch::Arm64]);
    for (name, digest) in &site.sample.names {
        let (repository, reference) = match name.split_once('@') {
            Some((name, digest)) => {
                (name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(name, |n| n.0), digest)
            }
            None => name.rsplit_once(':').unwrap(),
        };
        let (registry, path) = repository.split_once('/').unwrap();
        for target in [
            format!("/v2/{path}/manifests/{reference}?ns={registry}"),
            format!("/v2/{path}/manifests/{reference}"),
            format!("/v2/{registry}/{path}/manifests/{reference}"),
            format!("/v2/{registry}/{path}/manifests/{reference}?ns={registry}"),
        ] {
            let reply = site.served.head(&target);
            assert_eq!(
                (reply.status, reply.header("docker-content-digest")),
                (200, digest.to_string().as_str()),
                "{target}"
            );
        }
        let other = site.served.get(&format!("/v2/{path}/manifests/{reference}?ns=registry.example"));
        assert_eq!((other.status, other.code().as_str()), (404, "NAME_UNKNOWN"), "{name}");
    }
    let line = site.served.logged("ns=registry.example");
    assert!(line.contains("\"GET /v2/") && line.contains(" 404 "), "{line}");
}

#[test]
fn an_absent_child_is_404_and_says_which_bundle_has_it() {
    let site = Site::new(&[Arch::Arm64]);
    let get = |digest| site.served.get(&format!("/v2/library/web/manifests/{digest}?ns=docker.io"));
    // The lock has arm64 only, as the bundle.
    let absent = Parts::of(&site.sample, "docker.io/library/web:1", Arch::Amd64).manifest;
    let reply = get(absent);
    assert_eq!((reply.status, reply.code().as_str()), (404, "MANIFEST_UNKNOWN"));
    assert!(reply.text().contains("linux/amd64") && reply.text().contains("demo 1.0.0"), "{}", reply.text());
    let reply = get(Parts::of(&site.sample, "docker.io/library/web:1", Arch::S390x).manifest);
    assert!(reply.text().contains("linux/s390x"), "{}", reply.text());
    let reply = get(Parts::of(&site.sample, "docker.io/library/web:1", Arch::Arm64).manifest);
    assert_eq!(reply.status, 200);
}

#[test]
fn two_architectures_are_one_registry() {
    let (arm, amd) = (Sample::indexed(&[Arch::Arm64]), Sample::indexed(&[Arch::Amd64]));
    let both = Served::start(&[&arm.path(), &amd.path()], &[]);
    let index = Parts::of(&arm, "docker.io/library/web:1", Arch::Arm64);
    assert_eq!(both.get("/v2/library/web/manifests/1").body, index.bytes);
    for (arch, sample) in [(Arch::Arm64, &arm), (Arch::Amd64, &amd)] {
        let parts = Parts::of(sample, "docker.io/library/web:1", arch);
        assert_eq!(both.get(&format!("/v2/library/web/manifests/{}", parts.manifest)).status, 200, "{arch}");
        for layer in parts.layers {
            let reply = both.get(&format!("/v2/library/web/blobs/{layer}"));
            assert!(reply.body == sample.members[&blob_path(layer)], "{arch}");
        }
        assert_eq!(both.get(&format!("/files/{arch}/tool")).body, sample.members["files/tool"]);
    }
}

#[test]
fn files_and_charts_are_there_by_name() {
    let site = Site::new(&[Arch::Arm64]);
    for path in ["files/tool", "charts/page-0.1.0.tgz", "charts/page-1.2.3+site.1.tgz"] {
        for target in [format!("/{path}"), format!("/{}", path.replace('+', "%2B"))] {
            let reply = site.served.get(&target);
            assert_eq!((reply.status, &reply.body), (200, &site.sample.members[path]), "{target}");
        }
        let part = site.served.ask(&format!("/{path}"), &[("Range", "bytes=1-3")]);
        assert_eq!((part.status, &part.body[..]), (206, &site.sample.members[path][1..4]));
    }
    for target in ["/blobs/", "/files/", "/files", "/charts/", "/components", "/components/"] {
        assert_eq!(site.served.get(target).status, 404, "{target}");
    }
}

#[test]
fn all_else_but_the_layout_is_there_by_name_too() {
    let site = Site::new(&[Arch::Arm64]);
    let page = site.served.get("/").text();
    let mut documents = 0;
    for (path, bytes) in &site.sample.members {
        let url = format!("/{}", path.replace('配', "%E9%85%8D").replace('置', "%E7%BD%AE"));
        let link = format!("href=\"{url}\"");
        let reply = site.served.get(&url);
        if path.starts_with("blobs/") || ["index.json", "manifest.json", "oci-layout"].contains(&path.as_str()) {
            assert_eq!((reply.status, page.contains(&link)), (404, false), "{path}");
        } else if !path.starts_with("charts/") && !path.starts_with("files/") {
            assert_eq!((reply.status, &reply.body), (200, bytes), "{path}");
            assert_eq!(reply.header("docker-content-digest"), Digest::of(bytes).to_string());
            assert!(page.contains(&link) && page.contains(&Digest::of(bytes).hex()), "{path}: {page}");
            assert_eq!(site.served.head(&url).length(), bytes.len());
            documents += 1;
        }
    }
    // bundle.yaml, SHA256SUMS, README.txt, install.sh, a component's file and sbom.cdx.json.
    assert_eq!(documents, 6, "{:?}", site.sample.members.keys());
    assert!(site.served.get("/README.txt").header("content-type").starts_with("text/plain"));
    assert!(site.served.get("/sbom.cdx.json").header("content-type") == "application/json");
}

#[test]
fn what_two_bundles_differ_in_is_there_for_each() {
    let (arm, amd) = (Sample::indexed(&[Arch::Arm64]), Sample::indexed(&[Arch::Amd64]));
    let both = Served::start(&[&arm.path(), &amd.path()], &[]);
    assert_eq!(both.get("/SHA256SUMS").status, 404);
    let page = both.get("/?lang=en").text();
    assert!(page.contains("below bundles/N/"), "{page}");
    for (number, sample) in [(1, &arm), (2, &amd)] {
        for path in ["SHA256SUMS", "bundle.yaml"] {
            let path_of_each = format!("/bundles/{number}/{path}");
            assert!(both.get(&path_of_each).body == sample.members[path], "{path_of_each}");
            assert!(page.contains(&format!("href=\"{path_of_each}\"")), "{path_of_each}: {page}");
        }
    }
    // What they have in common is there once.
    assert_eq!(both.get("/install.sh").body, arm.members["install.sh"]);
    assert_eq!(both.get("/bundles/1/install.sh").status, 404);
}

#[test]
fn an_unpacked_bundle_is_served_too() {
    let sample = Sample::new(&[Arch::Arm64]);
    let served = Served::start(&[&unpacked(&sample)], &[]);
    let web = Parts::of(&sample, "docker.io/library/web:1", Arch::Arm64);
    assert_eq!(served.get("/v2/library/web/manifests/1").body, web.bytes);
    for layer in web.layers {
        assert!(served.get(&format!("/v2/library/web/blobs/{layer}")).body == sample.members[&blob_path(layer)]);
    }
}

#[test]
fn two_versions_are_refused() {
    let sample = Sample::new(&[Arch::Arm64]);
    let other = sample.sandbox.path("none.tar.gz");
    std::fs::write(&other, b"nothing").unwrap();
    let refused = |bundles: &[&Path]| {
        let output = sample.sandbox.bundler().arg("serve").args(bundles).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = refused(&[&sample.path(), &other]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("none.tar.gz"), "{text}");
    assert_eq!(refused(&[]).0, Some(2));
}

#[test]
fn the_page_has_what_is_inside_in_both_languages() {
    let site = Site::new(&[Arch::Arm64]);
    let english = site.served.ask("/", &[("Accept-Language", "en-GB")]);
    let chinese = site.served.ask("/", &[("Accept-Language", "zh-CN,zh;q=0.9")]);
    assert_eq!((english.status, english.header("content-language")), (200, "en"));
    assert_eq!((chinese.status, chinese.header("content-language")), (200, "zh-CN"));
    assert!(chinese.text().contains("离线包") && english.text().contains("Offline bundles"));
    for page in [english, chinese] {
        assert!(page.header("content-security-policy").contains("default-src 'none'"));
        let text = page.text();
        for part in [
            "demo 1.0.0",
            "docker.io/library/web:1",
            "/etc/containerd/certs.d/registry.k8s.io/hosts.toml",
            "helm pull site/page --version 0.1.0",
            "href=\"/files/tool\"",
            "href=\"/charts/page-1.2.3%2Bsite.1.tgz\"",
            &format!("curl -fO http://{}/files/tool", site.served.address),
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    assert_eq!(site.served.ask("/?lang=zh", &[("Accept-Language", "en")]).header("content-language"), "zh-CN");
    // A host that is none is not repeated.
    let hostile = super::client::exchange(
        &site.served.address,
        b"GET / HTTP/1.1\r\nHost: x\"><script>\r\nConnection: close\r\n\r\n",
    );
    assert!(!String::from_utf8_lossy(&hostile).contains("<script"));
}
