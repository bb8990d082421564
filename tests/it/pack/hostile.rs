//! Servers that mean harm, or behave as if they did.

use bundler::oci::Digest;
use serde_json::json;

use super::site::{HOST, Site};
use crate::support::{Asked, Fault, Proxy, Registry};
use crate::upstream::Upstream;
use crate::upstream::image::{DOCKER_LIST, OCI_INDEX, OCI_MANIFEST};

const ARGUMENTS: [&str; 4] = ["--arch", "arm64", "--component", "agent"];
const QUICK: &str = "attempts: 3\nretry_wait: 1ms\n";
/// The largest manifest that is read.
const MAX_MANIFEST: u64 = 4 << 20;

fn moved(to: String) -> Fault {
    Fault::Answer(307, vec![("location", to)], Vec::new())
}

#[test]
fn redirects_in_a_circle_end() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    let proxy = Proxy::alone(|asked| moved(format!("{}x", asked.target)));
    site.mirrors(&[&proxy.url()], QUICK);
    let text = site.refused(&ARGUMENTS, 3);
    assert!(text.contains("images.example/agent:v1.0.0") && text.contains("redirects more than 5 times"), "{text}");
    assert!(text.contains(&proxy.url()), "{text}");
    assert_eq!(proxy.asked().len(), 6, "a circle is no fault that passes");
}

#[test]
fn a_manifest_without_end_is_not_read_to_its_end() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    let kind = || ("content-type", DOCKER_LIST.to_owned());
    let proxy = Proxy::alone(move |_| Fault::Answer(200, vec![kind()], vec![b' '; 10 << 20]));
    site.mirrors(&[&proxy.url()], QUICK);
    let said = |text: String| {
        for part in ["images.example/agent:v1.0.0", &proxy.url(), &format!("more than {MAX_MANIFEST} bytes")] {
            assert!(text.contains(part), "{part}: {text}");
        }
    };
    said(site.refused(&ARGUMENTS, 3));
    assert_eq!(proxy.asked().len(), 1, "it is not asked for again");
    proxy.rule(move |_| Fault::Endless(200, vec![kind()]));
    said(site.refused(&ARGUMENTS, 3));
    // What the sockets hold comes on top.
    assert!(proxy.given() < 3 * MAX_MANIFEST + (48 << 20), "{}", proxy.given());
    // Nor is what a server says of its refusal.
    proxy.rule(move |_| Fault::Endless(404, vec![kind()]));
    let given = proxy.given();
    assert!(site.refused(&ARGUMENTS, 3).contains("404"));
    assert!(proxy.given() - given < 48 << 20, "{}", proxy.given());
}

#[test]
fn an_index_that_lists_itself_or_another_index_is_refused() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    let reference = format!("{HOST}/agent:v1.0.0").parse().unwrap();
    let index = |kind: &str, digest: Digest, size: usize| {
        let platform = json!({"architecture": "arm64", "os": "linux"});
        let child = json!({"mediaType": kind, "digest": digest.to_string(), "size": size, "platform": platform});
        json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child]}).to_string().into_bytes()
    };
    let inner = index(OCI_MANIFEST, Digest::of(b"x"), 1);
    // The child is an index and says so; it is one and says that it is none; or it is the index itself, which no
    // digest allows, so that its bytes are wrong.
    for (kind, itself, code, said) in [
        (OCI_INDEX, false, 4, "is no image manifest"),
        (OCI_MANIFEST, false, 3, "cannot be used"),
        (OCI_MANIFEST, true, 4, "wrong bytes"),
    ] {
        let outer = index(kind, Digest::of(&inner), inner.len());
        site.change(|lock| {
            let image = lock.images.get_mut(&reference).unwrap();
            (image.digest, image.media_type) = (Digest::of(&outer), Some(OCI_INDEX.to_owned()));
            image.platforms.clear();
        });
        let inner = if itself { outer.clone() } else { inner.clone() };
        let root = Digest::of(&outer).hex();
        let proxy = Proxy::alone(move |asked| {
            let (kind, body) = if asked.target.contains(&root) { (OCI_INDEX, &outer) } else { (kind, &inner) };
            Fault::Answer(200, vec![("content-type", kind.to_owned())], body.clone())
        });
        site.mirrors(&[&proxy.url()], QUICK);
        let text = site.refused(&[&ARGUMENTS[..], &["--no-store"]].concat(), code);
        assert!(text.contains("images.example/agent:v1.0.0") && text.contains(said), "{said}: {text}");
        assert!(proxy.asked().len() <= 2, "nobody goes deeper: {:?}", proxy.asked());
    }
}

#[test]
fn a_size_that_a_descriptor_lies_about_is_refused() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let reference = format!("{HOST}/agent:v1.0.0").parse().unwrap();
    let good = site.manifest("agent");
    let (layer, layer_size) = site.layer("agent");
    for (of_manifest, of_layer, code) in [(0, 0, 0), (1, 0, 4), (-1, 0, 4), (0, 1, 4), (0, -1, 4)] {
        let mut manifest: serde_json::Value = serde_json::from_slice(&good.bytes).unwrap();
        for descriptor in manifest["layers"].as_array_mut().unwrap() {
            if descriptor["digest"] == layer.to_string() {
                descriptor["size"] = json!(i64::try_from(layer_size).unwrap() + of_layer);
            }
        }
        let manifest = manifest.to_string().into_bytes();
        let digest = Digest::of(&manifest);
        let child = json!({
            "mediaType": good.media_type,
            "digest": digest.to_string(),
            "size": i64::try_from(manifest.len()).unwrap() + of_manifest,
            "platform": {"architecture": "arm64", "os": "linux"},
        });
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child]}).to_string().into_bytes();
        let root = Digest::of(&index);
        site.change(|lock| {
            let image = lock.images.get_mut(&reference).unwrap();
            (image.digest, image.media_type) = (root, Some(OCI_INDEX.to_owned()));
            image.platforms.clear();
        });
        let documents = [(root, OCI_INDEX, index), (digest, good.media_type, manifest)];
        let proxy = Proxy::before(&registry.url(), move |asked| {
            let mut known = documents.iter().filter(|(digest, ..)| asked.target.contains(&digest.hex()));
            let answer = |(_, kind, bytes): &(Digest, &'static str, Vec<u8>)| {
                Fault::Answer(200, vec![("content-type", (*kind).to_owned())], bytes.clone())
            };
            known.next().map_or(Fault::None, answer)
        });
        site.mirrors(&[&proxy.url()], QUICK);
        let arguments = [&ARGUMENTS[..], &["--no-store"]].concat();
        if code == 0 {
            site.pack(&arguments);
            continue;
        }
        let text = site.refused(&arguments, code);
        let wrong = if of_layer == 0 { digest } else { layer };
        for part in ["images.example/agent:v1.0.0", &wrong.to_string(), "bytes"] {
            assert!(text.contains(part), "{of_manifest} {of_layer}: {part}: {text}");
        }
    }
}

#[test]
fn an_image_for_another_architecture_is_refused() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let only = site.manifest("agent");
    site.change(|lock| {
        let image = lock.images.get_mut(&format!("{HOST}/agent:v1.0.0").parse().unwrap()).unwrap();
        (image.digest, image.media_type) = (only.digest, Some(only.media_type.to_owned()));
        image.platforms.clear();
    });
    // What says so is read to a bound.
    let manifest: serde_json::Value = serde_json::from_slice(&only.bytes).unwrap();
    let config = manifest["config"]["digest"].as_str().unwrap().to_owned();
    let proxy = Proxy::before(&registry.url(), move |asked| match asked.target.ends_with(&config) {
        true => Fault::Endless(200, Vec::new()),
        false => Fault::None,
    });
    site.mirrors(&[&proxy.url()], QUICK);
    let text = site.refused(&["--arch", "amd64", "--component", "agent"], 3);
    assert!(text.contains("more than 4194304 bytes"), "{text}");
    proxy.heal();
    let text = site.refused(&["--arch", "amd64", "--component", "agent"], 1);
    let said = "`images.example/agent:v1.0.0` has no image for linux/amd64: its only one is for linux/arm64";
    assert!(text.contains(said), "{text}");
    site.pack(&ARGUMENTS);
}

#[test]
fn a_tag_that_is_a_path_leads_nowhere() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    let proxy = Proxy::alone(|_| Fault::Answer(404, Vec::new(), Vec::new()));
    site.mirrors(&[&proxy.url()], QUICK);
    let lock = std::fs::read_to_string(site.sandbox.path("bundle.lock.yaml")).unwrap();
    for tag in ["../../x", "..", "a/../../b", "v1?x=y", "%2e%2e"] {
        site.sandbox.write("bundle.lock.yaml", lock.replace("agent:v1.0.0", &format!("agent:{tag}")));
        let text = site.refused(&ARGUMENTS, 2);
        assert!(text.contains("bundle.lock.yaml:"), "{tag}: {text}");
    }
    site.sandbox.write("bundle.lock.yaml", lock);
    let name = "manifests/components/agent/component.yaml";
    let component = std::fs::read_to_string(site.sandbox.path(name)).unwrap();
    site.sandbox.write(name, component.replace("agent:v{version}", "agent:../../x"));
    let text = site.refused(&ARGUMENTS, 2);
    assert!(text.contains(&format!("{name}:3:")), "{text}");
    assert!(proxy.asked().is_empty(), "{:?}", proxy.asked());
}

#[test]
fn credentials_go_to_no_other_host() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let server = registry.url();
    // It gives the blobs and, as a token server, a token to anybody.
    let storage = Proxy::elsewhere(|_| Fault::Answer(200, Vec::new(), br#"{"token": "anybodys"}"#.to_vec()));
    let basic = r#"Basic realm="registry""#.to_owned();
    let wants = move |challenge: &str| Fault::Answer(401, vec![("www-authenticate", challenge.to_owned())], Vec::new());
    let logged_in = |asked: &Asked| asked.header("authorization").is_some_and(|sent| sent.starts_with("Basic "));
    let place = storage.url();
    let proxy = Proxy::before(&server, move |asked| match logged_in(asked) {
        false => wants(&basic),
        true if asked.target.contains("/blobs/") => moved(format!("{place}{}", asked.target)),
        true => Fault::None,
    });
    site.mirrors(&[&proxy.url()], QUICK);
    let secret = "Y2Fycmllcjpjb3JyZWN0IGhvcnNl";
    let docker = site.sandbox.home().join(".docker");
    std::fs::create_dir(&docker).unwrap();
    let hosts = [proxy.address(), storage.address()].map(|host| format!(r#""{host}": {{"auth": "{secret}"}}"#));
    std::fs::write(docker.join("config.json"), format!(r#"{{"auths": {{{}}}}}"#, hosts.join(","))).unwrap();
    let clean = |asked: Vec<Asked>, least: usize| {
        assert!(asked.len() >= least, "the other host was asked");
        for asked in asked {
            assert_eq!(asked.header("authorization"), None, "{asked:?}");
            assert!(!asked.target.contains(secret) && !asked.body.contains("carrier"), "{asked:?}");
        }
    };
    // A redirect to another host; its bytes are wrong, which is not what matters here.
    site.refused(&ARGUMENTS, 4);
    clean(storage.asked(), 1);

    // A token server on another host that speaks plain http.
    let realm = format!(r#"Bearer realm="{}/token",service="x""#, storage.url());
    proxy.rule(move |asked| match asked.header("authorization") {
        Some("Bearer anybodys") => Fault::None,
        _ => wants(&realm),
    });
    storage.rule(|_| Fault::Answer(200, Vec::new(), br#"{"token": "anybodys"}"#.to_vec()));
    site.pack(&[&ARGUMENTS[..], &["--no-store"]].concat());
    clean(storage.asked(), 1);

    // The same for one who has an identity token, which would be the body of a POST.
    let hosts = [proxy.address(), storage.address()].map(|host| format!(r#""{host}": {{"identitytoken": "carrier"}}"#));
    std::fs::write(docker.join("config.json"), format!(r#"{{"auths": {{{}}}}}"#, hosts.join(","))).unwrap();
    storage.rule(|_| Fault::Answer(200, Vec::new(), br#"{"token": "anybodys"}"#.to_vec()));
    site.pack(&[&ARGUMENTS[..], &["--no-store"]].concat());
    clean(storage.asked(), 1);
}
