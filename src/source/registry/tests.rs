//! The client against registries that log in, redirect, page and fail.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;

use super::*;
use crate::error::Diagnostic as _;
use crate::event::{Event, Reporter};
use crate::exit::Exit;
use crate::oci::manifest::View;
use crate::source::http::HttpOptions;
use crate::source::testing::{Authority, Reply, Request, Server, http, options, redirect, reply};

mod attached;
mod logins;

/// The details and warnings that were told.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Reporter for Told {
    fn report(&self, event: Event<'_>) {
        if let Event::Detail(text) | Event::Warning(text) = event {
            self.0.lock().unwrap().push(text.to_owned());
        }
    }
}

const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0},"layers":[]}"#;

fn image(text: &str) -> Reference {
    format!("quay.io/org/app{text}").parse().unwrap()
}

fn manifest_digest() -> Digest {
    Digest::of(MANIFEST.as_bytes())
}

/// A configuration whose `quay.io` is this server alone.
fn mirror(server: &Server) -> String {
    format!("mirror_only: true\nmirrors: {{quay.io: ['{}']}}\n", server.url)
}

fn registry(server: &Server) -> Registry {
    Registry::new(http(&mirror(server)))
}

/// A registry whose user logged in to `server` with this entry of `config.json`; keeps its directory.
fn logged_in(server: &Server, entry: &str) -> (Registry, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    std::fs::write(&path, format!(r#"{{"auths":{{"{}":{entry}}}}}"#, server.host())).unwrap();
    (with_config(&mirror(server), path), directory)
}

fn with_config(config: &str, docker: PathBuf) -> Registry {
    Registry::new(Http::new(HttpOptions { credential_files: vec![docker], ..options(config) }).unwrap())
}

fn manifest() -> Reply {
    reply(200, &[("content-type", "application/vnd.oci.image.manifest.v1+json; charset=utf-8")], MANIFEST)
}

fn unauthorized(challenge: &str) -> Reply {
    reply(
        401,
        &[("www-authenticate", challenge)],
        r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#,
    )
}

/// What a registry with a token server at `/token` on the same host answers to who has the token `t<number>`.
fn with_tokens(request: &Request, good: usize, content: impl Fn() -> Reply) -> Reply {
    if request.path() == "/token" {
        return reply(200, &[], format!(r#"{{"token":"t{good}","expires_in":300}}"#));
    }
    if request.authorization() == Some(&format!("Bearer t{good}")) {
        return content();
    }
    let host = request.header("host").unwrap();
    unauthorized(&format!(r#"Bearer realm="http://{host}/token",service="s v",scope="repository:org/app:pull""#))
}

#[tokio::test]
async fn token_servers_write_their_answer_in_many_ways() {
    for answer in [
        r#"{"token":"t1","access_token":""}"#,
        r#"{"token":"","access_token":"t1","expires_in":300}"#,
        r#"{"token":null,"access_token":"t1","expires_in":null}"#,
        r#"{"token":"t1","expires_in":"300"}"#,
        r#"{"token":"t1","expires_in":300.0,"issued_at":"2026-01-01T00:00:00Z"}"#,
        r#"{"token":"t1","expires_in":-1}"#,
    ] {
        let server = Server::start(move |request| match request.path() {
            "/token" => reply(200, &[], answer),
            _ => with_tokens(request, 1, manifest),
        })
        .await;
        let found = registry(&server).manifest(&image(":1")).await;
        assert_eq!(found.unwrap_or_else(|error| panic!("{answer}: {error:?}")).digest, manifest_digest());
    }
}

#[tokio::test]
async fn manifests_have_the_right_bytes() {
    let server = Server::start(|_| manifest()).await;
    let registry = registry(&server);
    let manifest = registry.manifest(&image(&format!(":1@{}", manifest_digest()))).await.unwrap();
    assert!(matches!(&manifest.view, View::Manifest { config, .. } if config.media_type.contains("helm")));
    assert_eq!(&manifest.bytes[..], MANIFEST.as_bytes());
    assert_eq!(server.count(&format!("/v2/org/app/manifests/{}", manifest_digest())), 1, "asked by digest");
    let other = Digest::of(b"other");
    let error = registry.manifest(&image(&format!("@{other}"))).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Mismatch);
    for digest in [other, manifest_digest()] {
        assert!(error.to_string().contains(&digest.to_string()), "{error}");
    }
}

#[tokio::test]
async fn the_stated_digest_must_be_true() {
    let other = Digest::of(b"other").to_string();
    let server = Server::start(move |_| reply(200, &[("docker-content-digest", &other)], MANIFEST)).await;
    assert_eq!(registry(&server).manifest(&image(":1")).await.unwrap_err().exit(), Exit::Mismatch);
    let pinned = image(&format!("@{}", manifest_digest()));
    let type_of = "application/vnd.oci.image.manifest.v1+json";
    let other = Digest::of(b"other").to_string();
    let server =
        Server::start(move |_| reply(200, &[("docker-content-digest", &other), ("content-type", type_of)], "")).await;
    assert_eq!(registry(&server).head(&pinned).await.unwrap_err().exit(), Exit::Mismatch);
}

#[tokio::test]
async fn a_manifest_has_a_limit_and_a_form() {
    let server = Server::start(|_| reply(200, &[], vec![b' '; (MAX_MANIFEST + 1) as usize])).await;
    let error = registry(&server).manifest(&image(":1")).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
    let server = Server::start(|_| reply(200, &[("content-type", "text/html")], "<html>log in</html>")).await;
    let error = registry(&server).manifest(&image(":1")).await.unwrap_err();
    assert_eq!(
        (error.exit(), error.to_string()),
        (Exit::Source, "the manifest of `quay.io/org/app:1` cannot be used".into())
    );
}

#[tokio::test]
async fn head_tells_without_a_get() {
    let digest = manifest_digest().to_string();
    let server = Server::start(move |request| match request.path() {
        "/v2/org/app/manifests/1" => reply(
            200,
            &[("docker-content-digest", &digest), ("content-type", "application/vnd.oci.image.manifest.v1+json")],
            MANIFEST,
        ),
        "/v2/org/app/manifests/old" => manifest(),
        _ => reply(404, &[], r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#),
    })
    .await;
    let registry = registry(&server);
    let head = registry.head(&image(":1")).await.unwrap().unwrap();
    assert_eq!((head.digest, head.size), (manifest_digest(), MANIFEST.len() as u64));
    assert!(server.seen().iter().all(|request| request.method == "HEAD"));
    assert_eq!(registry.head(&image(":old")).await.unwrap().unwrap(), head, "without a stated digest the bytes tell");
    assert_eq!(registry.head(&image(":none")).await.unwrap(), None);
    let error = registry.manifest(&image(":none")).await.unwrap_err();
    assert!(error.to_string().ends_with("answered 404 Not Found: MANIFEST_UNKNOWN"), "{error}");
}

#[tokio::test]
async fn a_registry_without_head_is_asked_by_get() {
    for status in [400, 405, 501] {
        let server = Server::start(move |request| match (request.method.as_str(), request.path()) {
            ("HEAD", _) => reply(status, &[], ""),
            (_, "/v2/org/app/manifests/1") => manifest(),
            _ => reply(404, &[], ""),
        })
        .await;
        let (registry, to) =
            (registry(&server), upload::Repository { registry: server.url("/"), name: "org/app".into() });
        let head = registry.head(&image(":1")).await.unwrap().unwrap();
        assert_eq!((head.digest, head.size), (manifest_digest(), MANIFEST.len() as u64), "{status}");
        assert_eq!(registry.head(&image(":none")).await.unwrap(), None);
        assert_eq!(registry.present(&to, "1").await.unwrap(), Some(manifest_digest()));
        assert_eq!(registry.present(&to, "none").await.unwrap(), None);
        assert!(!registry.has_blob(&to, Digest::of(b"")).await.unwrap(), "whoever has no HEAD gets the blob");
    }
    // A store behind it signs URLs for GET alone.
    let store = Server::start(|request| if request.method == "HEAD" { reply(403, &[], "") } else { manifest() }).await;
    let there = store.url("/manifest");
    let server = Server::start(move |_| redirect(&there)).await;
    assert_eq!(registry(&server).head(&image(":1")).await.unwrap().unwrap().digest, manifest_digest());
}

#[tokio::test]
async fn a_registry_gets_the_time_to_put_a_large_blob_in_its_place() {
    const SIZE: usize = 16 << 20;
    let silent = Duration::from_millis(300);
    let server = Server::start(move |request| match request.method.as_str() {
        "POST" => reply(202, &[("location", "/upload")], ""),
        method => {
            let status = if method == "PATCH" { 202 } else { 201 };
            let Reply::Bytes(answer) = reply(status, &[("location", "/upload")], "") else { unreachable!() };
            Reply::Late(3 * silent, answer)
        }
    })
    .await;
    let mut options = options(&mirror(&server));
    options.timeouts.idle = silent;
    let registry = Registry::new(Http::new(options).unwrap());
    let to = upload::Repository { registry: server.url("/"), name: "org/app".into() };
    let digest = Digest::of(b"");
    let upload::Begun::Upload(mut upload) = registry.begin(&to, digest, None).await.unwrap() else {
        panic!("no upload")
    };
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let sending = tokio::spawn(async move { sender.send(Bytes::from(vec![b'x'; SIZE])).await });
    assert!(registry.append(&mut upload, 0..SIZE as u64, receiver, true).await.unwrap());
    sending.await.unwrap().unwrap();
    registry.finish(&upload, digest, SIZE as u64, Bytes::new()).await.unwrap();
    // A small one has nothing to take time.
    let error = registry.finish(&upload, digest, 1000, Bytes::new()).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn reads_all_pages_of_tags() {
    let server = Server::start(|request| match request.target.as_str() {
        "/v2/org/app/tags/list?n=1000" => reply(
            200,
            &[("link", r#"</v2/org/app/tags/list?last=b&n=1000>; rel="next""#)],
            r#"{"tags":["b","../x","a"]}"#,
        ),
        "/v2/org/app/tags/list?last=b&n=1000" => reply(200, &[], r#"{"tags":["c","b"]}"#),
        _ => reply(200, &[], r#"{"name":"x","tags":null}"#),
    })
    .await;
    let registry = registry(&server);
    assert_eq!(registry.tags(&image("")).await.unwrap(), ["a", "b", "c"]);
    assert!(registry.tags(&"quay.io/org/none".parse().unwrap()).await.unwrap().is_empty());
}

#[tokio::test]
async fn tags_do_not_lead_elsewhere_or_on_for_ever() {
    let elsewhere = Server::start(|_| reply(200, &[], r#"{"tags":["x"]}"#)).await;
    let link = format!(r#"<{}>; rel="next""#, elsewhere.url("/v2/org/app/tags/list"));
    let server = Server::start(move |_| reply(200, &[("link", &link)], r#"{"tags":["a"]}"#)).await;
    let error = registry(&server).tags(&image("")).await.unwrap_err();
    assert!(error.to_string().contains("another host"), "{error}");
    assert!(elsewhere.seen().is_empty());

    let number = AtomicUsize::new(0);
    let server = Server::start(move |_| {
        let link = format!(r#"<?last={}>; rel="next""#, number.fetch_add(1, Ordering::SeqCst));
        reply(200, &[("link", &link)], r#"{"tags":["a"]}"#)
    })
    .await;
    let error = registry(&server).tags(&image("")).await.unwrap_err();
    assert_eq!((error.exit(), server.seen().len()), (Exit::Source, 500), "{error:?}");
    let many = format!(r#"{{"tags":["1"{}]}}"#, r#","1""#.repeat(200_000));
    for body in ["", "7", "{", r#"{"tags":7}"#, &many] {
        let sent = body.to_owned();
        let server = Server::start(move |_| reply(200, &[], &sent)).await;
        assert!(registry(&server).tags(&image("")).await.is_err(), "{body}");
    }
}

#[tokio::test]
async fn blobs_are_checked() {
    let server = Server::start(|_| reply(200, &[], "blob")).await;
    let registry = registry(&server);
    assert_eq!(&registry.blob(&image(":1"), &Digest::of(b"blob"), 4).await.unwrap()[..], b"blob");
    let error = registry.blob(&image(":1"), &Digest::of(b"other"), 4).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Mismatch);
    assert!(matches!(registry.blob(&image(":1"), &Digest::of(b"blob"), 3).await, Err(Error::TooLarge { .. })));
}

#[tokio::test]
async fn segments_share_a_redirect_until_it_expires() {
    let expired = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&expired);
    let cdn = Server::start(move |request| match request.target.as_str() {
        "/blob?signed=1" if now.load(Ordering::SeqCst) => reply(403, &[], "expired"),
        _ if request.header("range") == Some("bytes=0-1") => reply(206, &[("content-range", "bytes 0-1/4")], "bl"),
        _ => reply(206, &[("content-range", "bytes 2-3/4")], "ob"),
    })
    .await;
    let (target, signed) = (cdn.url("/blob"), AtomicUsize::new(0));
    let server = Server::start(move |request| {
        with_tokens(request, 1, || redirect(format!("{target}?signed={}", signed.fetch_add(1, Ordering::SeqCst) + 1)))
    })
    .await;
    let registry = registry(&server);
    let digest = Digest::of(b"blob");
    let reference = image(":1");
    let path = format!("/v2/org/app/blobs/{digest}");
    let segments =
        join_all([0..2, 2..4, 0..2, 2..4].map(|range| registry.open_blob(&reference, &digest, Some(range)))).await;
    for (segment, expected) in segments.into_iter().zip(["bl", "ob", "bl", "ob"]) {
        let mut segment = segment.unwrap();
        assert_eq!(segment.total(), Some(4));
        assert_eq!(segment.chunk().await.unwrap().unwrap(), expected);
    }
    assert_eq!(server.count(&path), 2, "once without a token, once with it");
    expired.store(true, Ordering::SeqCst);
    let segments =
        join_all([0..2, 2..4, 0..2, 2..4].map(|range| registry.open_blob(&reference, &digest, Some(range)))).await;
    assert!(segments.iter().all(Result::is_ok));
    assert_eq!(server.count(&path), 3, "one of them asks for all");
    assert_eq!(cdn.seen().last().unwrap().target, "/blob?signed=2");
    assert!(cdn.seen().iter().all(|request| request.authorization().is_none()), "no token for another host");
}

#[tokio::test]
async fn what_another_host_wants_is_not_bought_for_the_registry() {
    let tokens = Server::start(|_| reply(200, &[], r#"{"token":"t1"}"#)).await;
    let realm = tokens.url("/token");
    let cdn = Server::start(move |_| unauthorized(&format!(r#"Bearer realm="{realm}""#))).await;
    let target = cdn.url("/blob");
    let server = Server::start(move |_| redirect(&target)).await;
    let (registry, _directory) = logged_in(&server, r#"{"auth":"dXNlcjpwYXNz"}"#);
    let error = registry.open_blob(&image(":1"), &Digest::of(b"blob"), None).await.err().unwrap();
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED), "the registry itself refused nothing: {error:?}");
    assert_eq!((cdn.seen().len(), tokens.seen().len()), (1, 0));
    assert!(cdn.seen().iter().all(|request| request.authorization().is_none()));
}

#[tokio::test]
async fn a_registry_that_serves_blobs_itself_serves_every_segment() {
    let server = Server::start(|request| with_tokens(request, 1, || reply(200, &[], "blob"))).await;
    let registry = registry(&server);
    for _ in 0..2 {
        let mut whole = registry.open_blob(&image(":1"), &Digest::of(b"blob"), Some(2..4)).await.unwrap();
        assert_eq!((whole.offset(), whole.total()), (0, Some(4)), "the range was ignored, and the caller can tell");
        assert_eq!(whole.chunk().await.unwrap().unwrap(), "blob");
    }
    assert_eq!(server.count("/token"), 1);
}

#[tokio::test]
async fn a_mirror_has_its_own_name_for_a_repository() {
    let server = Server::start(|request| match request.path() {
        "/token" => reply(200, &[], r#"{"token":"t1"}"#),
        "/v2/proxy/hub/library/busybox/manifests/8" if request.authorization().is_some() => manifest(),
        _ => {
            let host = request.header("host").unwrap();
            unauthorized(&format!(r#"Bearer realm="http://{host}/token""#))
        }
    })
    .await;
    let config = format!("mirror_only: true\nmirrors: {{docker.io: ['{}proxy/hub']}}\n", server.url);
    let registry = Registry::new(http(&config));
    registry.manifest(&"busybox:8".parse().unwrap()).await.unwrap();
    let asked = server.seen().into_iter().find(|request| request.path() == "/token").unwrap();
    assert_eq!(asked.target, "/token?scope=repository%3Aproxy%2Fhub%2Flibrary%2Fbusybox%3Apull");
}

#[tokio::test]
async fn the_next_mirror_serves_what_the_first_lacks() {
    let empty = Server::start(|_| reply(404, &[], "")).await;
    let full = Server::start(|request| match request.path() {
        path if path.contains("/blobs/") => reply(200, &[], "blob"),
        _ => manifest(),
    })
    .await;
    let config = format!("mirror_only: true\nmirrors: {{quay.io: ['{}', '{}']}}\n", empty.url, full.url);
    let registry = Registry::new(http(&config));
    assert_eq!(registry.manifest(&image(":1")).await.unwrap().digest, manifest_digest());
    let digest = Digest::of(b"blob");
    assert_eq!(&registry.blob(&image(":1"), &digest, 9).await.unwrap()[..], b"blob");
    assert_eq!(registry.open_blob(&image(":1"), &digest, None).await.unwrap().total(), Some(4));
}

#[tokio::test]
async fn the_next_mirror_serves_what_the_first_does_not_allow() {
    let denied = || reply(403, &[], r#"{"errors":[{"code":"DENIED","message":"this image is not in the allowlist"}]}"#);
    // It says so itself, or its token server does; or where it redirects to.
    let strict = Server::start(move |_| denied()).await;
    let tokens = Server::start(move |request| match request.path() {
        "/token" => denied(),
        _ => with_tokens(request, 1, manifest),
    })
    .await;
    let store = Server::start(move |_| denied()).await;
    let (there, digest) = (store.url("/blob"), Digest::of(b"blob"));
    let away = Server::start(move |_| redirect(&there)).await;
    let full = Server::start(|request| match request.path() {
        path if path.contains("/blobs/") => reply(200, &[], "blob"),
        _ => manifest(),
    })
    .await;
    for first in [strict, tokens, away] {
        let mirrors = |list: &[&Server]| {
            let urls: Vec<_> = list.iter().map(|server| server.url.to_string()).collect();
            Registry::new(http(&format!("mirror_only: true\nmirrors: {{quay.io: {urls:?}}}\n")))
        };
        let registry = mirrors(&[&first, &full]);
        assert_eq!(registry.manifest(&image(":1")).await.unwrap().digest, manifest_digest());
        assert_eq!(registry.head(&image(":1")).await.unwrap().unwrap().digest, manifest_digest());
        assert_eq!(&registry.blob(&image(":1"), &digest, 9).await.unwrap()[..], b"blob");
        assert_eq!(registry.open_blob(&image(":1"), &digest, None).await.unwrap().total(), Some(4));
        // Alone it is the end.
        let error = mirrors(&[&first]).manifest(&image(":1")).await.unwrap_err();
        assert!(error.to_string().contains("this image is not in the allowlist"), "{error}");
    }
}

#[tokio::test]
async fn offline_asks_no_registry() {
    let server = Server::start(|_| manifest()).await;
    let registry = Registry::new(Http::new(HttpOptions { offline: true, ..options(&mirror(&server)) }).unwrap());
    let digest = Digest::of(b"blob");
    for error in [
        registry.manifest(&image(":1")).await.err(),
        registry.head(&image(":1")).await.err(),
        registry.tags(&image("")).await.err(),
        registry.blob(&image(":1"), &digest, 9).await.err(),
        registry.open_blob(&image(":1"), &digest, None).await.err(),
    ] {
        let error = error.unwrap();
        assert_eq!(error.exit(), Exit::Offline);
        assert!(error.to_string().contains("quay.io/v2/org/app/"), "{error}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn every_operation_can_move_between_threads() {
    fn moves<T: Send>(value: T) -> T {
        value
    }
    let server = Server::start(|_| reply(404, &[], "")).await;
    let registry = registry(&server);
    let (reference, digest) = (image(":1"), Digest::of(b""));
    assert!(moves(registry.manifest(&reference)).await.is_err());
    assert!(moves(registry.head(&reference)).await.unwrap().is_none());
    assert!(moves(registry.tags(&reference)).await.is_err());
    assert!(moves(registry.blob(&reference, &digest, 1)).await.is_err());
    assert!(moves(registry.open_blob(&reference, &digest, None)).await.is_err());
}
