//! The OCI distribution specification v1.1, "Pull" and "Content Discovery": a test a sentence.

use std::sync::OnceLock;

use bundler::oci::{Arch, Digest};
use serde_json::Value;

use super::client::request;
use super::served::{Parts, Served, Site, blob_path};

const NAME: &str = "docker.io/library/web";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

fn site() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(|| Site::new(&[Arch::Amd64]))
}

fn served() -> &'static Served {
    &site().served
}

fn web() -> Parts {
    Parts::of(&site().sample, "docker.io/library/web:1", Arch::Amd64)
}

fn manifest_url(reference: impl std::fmt::Display) -> String {
    format!("/v2/{NAME}/manifests/{reference}")
}

fn blob_url(digest: impl std::fmt::Display) -> String {
    format!("/v2/{NAME}/blobs/{digest}")
}

/// Bytes that nobody has.
fn nothing() -> Digest {
    Digest::of(b"in no bundle")
}

#[test]
fn end_1_a_registry_answers_200_at_v2() {
    for path in ["/v2/", "/v2"] {
        let reply = served().get(path);
        assert_eq!((reply.status, reply.header("docker-distribution-api-version")), (200, "registry/2.0"), "{path}");
    }
}

#[test]
fn a_manifest_is_pulled_by_digest_and_by_tag() {
    let web = web();
    for reference in ["1".to_owned(), web.digest.to_string()] {
        let reply = served().get(&manifest_url(reference));
        assert_eq!((reply.status, &reply.body), (200, &web.bytes));
    }
    let child = served().get(&manifest_url(web.manifest));
    assert_eq!((child.status, child.header("content-type")), (200, OCI_MANIFEST));
    assert_eq!(child.body, site().sample.members[&blob_path(web.manifest)]);
}

#[test]
fn content_type_is_that_of_the_manifest_without_parameters() {
    for (name, tag, expected) in [(NAME, "1", OCI_INDEX), ("quay.io/x/list", "v2.0", DOCKER_LIST)] {
        let reply = served().get(&format!("/v2/{name}/manifests/{tag}"));
        assert_eq!(reply.header("content-type"), expected);
        assert_eq!(reply.json()["mediaType"], expected);
    }
}

#[test]
fn a_client_that_accepts_other_types_gets_the_manifest_as_it_is() {
    let reply = served().ask(&manifest_url("1"), &[("Accept", OCI_MANIFEST)]);
    assert_eq!((reply.status, reply.header("content-type")), (200, OCI_INDEX));
}

#[test]
fn a_manifest_comes_with_its_digest() {
    let web = web();
    for reference in ["1".to_owned(), web.digest.to_string()] {
        let reply = served().get(&manifest_url(reference));
        assert_eq!(reply.header("docker-content-digest"), web.digest.to_string());
        assert_eq!(Digest::of(&reply.body), web.digest);
    }
}

#[test]
fn a_manifest_that_is_not_found_is_404() {
    for reference in ["2".to_owned(), nothing().to_string(), ".INVALID".to_owned(), "x".repeat(200)] {
        let reply = served().get(&manifest_url(&reference));
        assert_eq!((reply.status, reply.code().as_str()), (404, "MANIFEST_UNKNOWN"), "{reference}");
    }
    // Of another algorithm, which the specification has too.
    let reply = served().get(&manifest_url(format!("sha512:{}", "a".repeat(128))));
    assert_eq!((reply.status, reply.code().as_str()), (404, "MANIFEST_UNKNOWN"));
}

#[test]
fn an_attempt_to_pull_from_a_nonexistent_repository_is_404() {
    for path in ["manifests/1".to_owned(), format!("blobs/{}", nothing()), "tags/list".to_owned()] {
        let reply = served().get(&format!("/v2/no/such/repository/{path}"));
        assert_eq!((reply.status, reply.code().as_str()), (404, "NAME_UNKNOWN"), "{path}");
    }
}

#[test]
fn a_blob_is_no_manifest() {
    let reply = served().get(&manifest_url(web().layers[0]));
    assert_eq!((reply.status, reply.code().as_str()), (404, "MANIFEST_UNKNOWN"));
}

#[test]
fn a_blob_is_pulled_with_its_digest() {
    for layer in web().layers {
        let reply = served().get(&blob_url(layer));
        assert_eq!((reply.status, reply.header("docker-content-digest")), (200, layer.to_string().as_str()));
        assert_eq!(reply.body, site().sample.members[&blob_path(layer)]);
        assert_eq!(reply.length(), reply.body.len());
    }
}

#[test]
fn a_blob_that_is_not_found_is_404() {
    for digest in [nothing().to_string(), format!("sha512:{}", "a".repeat(128))] {
        let reply = served().get(&blob_url(&digest));
        assert_eq!((reply.status, reply.code().as_str()), (404, "BLOB_UNKNOWN"), "{digest}");
    }
}

#[test]
fn a_digest_that_is_none_is_400() {
    for digest in ["sha256:ABC", "sha256:", "nothing", &format!("sha256:{}", "A".repeat(64))] {
        let reply = served().get(&blob_url(digest));
        assert_eq!((reply.status, reply.code().as_str()), (400, "DIGEST_INVALID"), "{digest}");
    }
    let reply = served().get(&manifest_url("sha256:ABC"));
    assert_eq!((reply.status, reply.code().as_str()), (400, "DIGEST_INVALID"));
}

#[test]
fn range_is_supported() {
    let own = *web().layers.last().unwrap();
    let bytes = &site().sample.members[&blob_path(own)];
    let size = bytes.len();
    for (header, start, end) in [
        ("bytes=0-0".to_owned(), 0, 1),
        ("bytes=100-299999".to_owned(), 100, 300_000),
        (format!("bytes={}-", size - 5), size - 5, size),
        ("bytes=-7".to_owned(), size - 7, size),
        (format!("bytes=0-{}", u64::MAX), 0, size),
    ] {
        let reply = served().ask(&blob_url(own), &[("Range", &header)]);
        assert_eq!(reply.status, 206, "{header}");
        assert_eq!(reply.header("content-range"), format!("bytes {start}-{}/{size}", end - 1));
        assert!(reply.body == bytes[start..end], "{header}");
    }
    let reply = served().ask(&blob_url(own), &[("Range", &format!("bytes={size}-"))]);
    assert_eq!((reply.status, reply.header("content-range")), (416, format!("bytes */{size}").as_str()));
    assert_eq!(served().head(&blob_url(own)).header("accept-ranges"), "bytes");
}

#[test]
fn a_range_of_other_bytes_is_all_of_these() {
    let own = *web().layers.last().unwrap();
    let ask = |tag: &str| served().ask(&blob_url(own), &[("Range", "bytes=0-9"), ("If-Range", tag)]).status;
    assert_eq!(ask(&format!("\"{own}\"")), 206);
    assert_eq!(ask(&format!("\"{}\"", nothing())), 200);
    assert_eq!(ask("Sat, 21 Nov 2026 00:00:00 GMT"), 200);
}

/// RFC 9110 §13.1.2, which a cache in front of the server lives on.
#[test]
fn bytes_that_the_client_has_are_not_sent_again() {
    let own = *web().layers.last().unwrap();
    for url in [blob_url(own), manifest_url("1"), "/SHA256SUMS".to_owned()] {
        let reply = served().get(&url);
        let tag = reply.header("etag");
        for known in [tag, "*", &format!("W/{tag}"), &format!("\"other\", {tag}")] {
            let known = [("If-None-Match", known)];
            let asked = ["GET", "HEAD"].map(|method| request(&served().address, method, &url, &known));
            let part = served().ask(&url, &[known[0], ("Range", "bytes=0-9")]);
            for reply in asked.iter().chain([&part]) {
                assert_eq!((reply.status, reply.header("etag")), (304, tag), "{url} {known:?}");
                assert!(reply.body.is_empty() && !reply.headers.contains_key("content-length"), "{reply:?}");
            }
        }
        assert_eq!(served().ask(&url, &[("If-None-Match", "\"other\"")]).body, reply.body, "{url}");
    }
    assert_eq!(served().ask("/v2/", &[("If-None-Match", "*")]).status, 200);
    assert_eq!(served().ask(&blob_url(nothing()), &[("If-None-Match", "*")]).status, 404);
}

#[test]
fn head_of_what_exists_is_200_with_digest_and_length() {
    let web = web();
    let own = *web.layers.last().unwrap();
    for (url, digest) in
        [(manifest_url("1"), web.digest), (manifest_url(web.manifest), web.manifest), (blob_url(own), own)]
    {
        let reply = served().head(&url);
        assert_eq!((reply.status, reply.body.len()), (200, 0), "{url}");
        assert_eq!(reply.header("docker-content-digest"), digest.to_string());
        assert_eq!(reply.length(), site().sample.members[&blob_path(digest)].len());
    }
}

#[test]
fn head_of_what_does_not_exist_is_404() {
    for url in [manifest_url("2"), manifest_url(nothing()), blob_url(nothing())] {
        let reply = served().head(&url);
        assert_eq!((reply.status, reply.body.len()), (404, 0), "{url}");
    }
}

#[test]
fn push_is_not_supported_and_says_so() {
    for (method, path) in [
        ("POST", "blobs/uploads/".to_owned()),
        ("PUT", "manifests/1".to_owned()),
        ("PATCH", "blobs/uploads/x".to_owned()),
        ("DELETE", format!("blobs/{}", nothing())),
    ] {
        let reply = request(&served().address, method, &format!("/v2/{NAME}/{path}"), &[]);
        assert_eq!((reply.status, reply.code().as_str()), (405, "UNSUPPORTED"), "{method}");
        assert_eq!(reply.header("allow"), "GET, HEAD");
    }
}

fn tags(target: &str) -> (Vec<String>, Option<String>) {
    let reply = served().get(target);
    assert_eq!(reply.status, 200, "{target}: {}", reply.text());
    let tags = reply.json()["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().to_owned()).collect();
    (tags, reply.headers.get("link").cloned())
}

#[test]
fn tags_are_listed_with_the_name() {
    let reply = served().get(&format!("/v2/{NAME}/tags/list"));
    assert_eq!((reply.status, reply.json()), (200, serde_json::json!({"name": NAME, "tags": ["1"]})));
    // The list may be empty where a repository has no tags.
    let (listed, _) = tags("/v2/registry.k8s.io/x/pinned/tags/list");
    assert_eq!(listed, ["v4"]);
}

#[test]
fn tags_are_in_order_and_n_gives_so_many() {
    let list = |query: &str| tags(&format!("/v2/charts/page/tags/list{query}"));
    let all = ["0.1.0", "1.2.3_site.1"];
    assert_eq!(list("").0, all);
    assert_eq!(list("?n=5"), (all.map(str::to_owned).to_vec(), None));
    let (first, link) = list("?n=1");
    assert_eq!(first, [all[0]]);
    let link = link.unwrap();
    let (url, relation) = link.strip_prefix('<').unwrap().split_once('>').unwrap();
    assert_eq!(relation, "; rel=\"next\"");
    assert_eq!(tags(url), (vec![all[1].to_owned()], None));
}

#[test]
fn n_of_zero_gives_an_empty_list_without_a_link() {
    assert_eq!(tags("/v2/charts/page/tags/list?n=0"), (Vec::new(), None));
}

#[test]
fn last_is_not_included() {
    assert_eq!(tags("/v2/charts/page/tags/list?last=0.1.0").0, ["1.2.3_site.1"]);
    assert_eq!(tags("/v2/charts/page/tags/list?n=1&last=0.1.0").0, ["1.2.3_site.1"]);
    assert_eq!(tags("/v2/charts/page/tags/list?last=1.2.3_site.1").0, [""; 0]);
    assert_eq!(tags("/v2/charts/page/tags/list?last=0.5").0, ["1.2.3_site.1"]);
}

#[test]
fn n_that_is_no_number_is_400() {
    for n in ["-1", "x", "", "99999999999999999999999"] {
        let reply = served().get(&format!("/v2/{NAME}/tags/list?n={n}"));
        assert_eq!((reply.status, reply.code().as_str()), (400, "PAGINATION_NUMBER_INVALID"), "{n}");
    }
}

fn referrers(target: &str) -> (u16, Value, Option<String>) {
    let reply = served().get(target);
    assert_eq!(reply.header("content-type"), OCI_INDEX);
    (reply.status, reply.json(), reply.headers.get("oci-filters-applied").cloned())
}

#[test]
fn no_referrers_are_an_empty_index() {
    for digest in [web().digest, nothing()] {
        let (status, index, filters) = referrers(&format!("/v2/{NAME}/referrers/{digest}"));
        assert_eq!((status, filters), (200, None));
        assert_eq!(index, serde_json::json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}));
    }
}

#[test]
fn a_filter_of_referrers_is_said_to_be_applied() {
    let (status, _, filters) = referrers(&format!("/v2/{NAME}/referrers/{}?artifactType=x/y", web().digest));
    assert_eq!((status, filters.as_deref()), (200, Some("artifactType")));
}

#[test]
fn referrers_of_an_invalid_digest_are_400() {
    let reply = served().get(&format!("/v2/{NAME}/referrers/sha256:xyz"));
    assert_eq!((reply.status, reply.code().as_str()), (400, "DIGEST_INVALID"));
}

#[test]
fn codes_are_upper_case_letters_and_underscores() {
    for target in ["/v2/x", "/v2/x/manifests/1", "/nothing", "/files/x", "/%ff"] {
        let reply = served().get(target);
        assert!(reply.code().bytes().all(|c| c.is_ascii_uppercase() || c == b'_'), "{target}: {}", reply.code());
    }
}

#[test]
fn the_catalog_lists_names_that_can_be_pulled() {
    let mut target = "/v2/_catalog?n=2".to_owned();
    let mut names = Vec::new();
    loop {
        let reply = served().get(&target);
        let json = reply.json();
        names.extend(json["repositories"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()));
        match reply.headers.get("link") {
            Some(link) => target = link[1..].split_once('>').unwrap().0.to_owned(),
            None => break,
        }
    }
    let expected = ["charts/page", NAME, "ghcr.io/x/zstd", "quay.io/x/list", "registry.k8s.io/x/pinned", "single"];
    assert_eq!(names, expected);
    for name in names {
        let (tags, _) = tags(&format!("/v2/{name}/tags/list"));
        assert_eq!(served().head(&format!("/v2/{name}/manifests/{}", tags[0])).status, 200, "{name}");
    }
}
