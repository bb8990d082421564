//! The client against servers that fail in the ways of real ones.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::error::Diagnostic as _;
use crate::event::{Event, Reporter};
use crate::exit::Exit;
use crate::source::testing::{Authority, Reply, Server, Waits, closed, http as client, options, redirect, reply};

mod parts;
mod redirects;

const ORIGINAL: &str = "https://example.test";

/// A client whose `https://example.test` is this server alone.
fn mirror(server: &Server) -> String {
    format!("mirror_only: true\nmirrors: {{'{ORIGINAL}': ['{}']}}\n", server.url)
}

fn original(path: &str) -> Url {
    Url::parse(ORIGINAL).unwrap().join(path).unwrap()
}

/// The warnings that were told.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Reporter for Told {
    fn report(&self, event: Event<'_>) {
        if let Event::Warning(text) = event {
            self.0.lock().unwrap().push(text.to_owned());
        }
    }
}

/// Gives the replies one after the other, the last one for ever.
fn script(replies: Vec<Reply>) -> impl Fn(&crate::source::testing::Request) -> Reply + Send + Sync + 'static {
    let next = AtomicUsize::new(0);
    move |_| replies[next.fetch_add(1, Ordering::SeqCst).min(replies.len() - 1)].clone()
}

async fn collect(download: &mut Download) -> Result<Vec<u8>, Error> {
    let mut all = Vec::new();
    while let Some(chunk) = download.chunk().await? {
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}

#[tokio::test]
async fn reads_a_document() {
    let server = Server::start(|_| reply(200, &[("x-a", "b")], "body")).await;
    let body = client(&mirror(&server)).get(&original("/a?b=c"), Get::new(4)).await.unwrap();
    assert_eq!((&body.bytes[..], body.cached), (&b"body"[..], false));
    assert_eq!((body.headers["x-a"].as_bytes(), body.url), (&b"b"[..], original("/a?b=c")));
    let seen = &server.seen()[0];
    assert_eq!(seen.target, "/a?b=c");
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
    assert!(seen.header("user-agent").unwrap().starts_with("bundler/"));
    assert_eq!(seen.authorization(), None);
}

#[tokio::test]
async fn repeats_what_passes() {
    for fault in [
        reply(500, &[], ""),
        reply(503, &[], ""),
        reply(522, &[], ""),
        Reply::Reset,
        Reply::Bytes(b"HTTP/1.1 200 x\r\ncontent-length: 9\r\n\r\nab".into()),
    ] {
        let server = Server::start(script(vec![fault.clone(), fault, reply(200, &[], "body")])).await;
        let waits = Waits::default();
        let http = Http::new(HttpOptions { sleep: waits.sleep(), ..options(&mirror(&server)) }).unwrap();
        let body = http.get(&original("/"), Get::new(10)).await.unwrap();
        assert_eq!(&body.bytes[..], b"body");
        assert_eq!((server.count("/"), waits.all().len()), (3, 2));
    }
}

#[tokio::test]
async fn gives_up_at_last() {
    let server = Server::start(|_| reply(503, &[], r#"{"message":"over\u0007loaded"}"#)).await;
    let error = client(&mirror(&server)).get(&original("/a?token=secret"), Get::new(10)).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Source);
    assert_eq!(error.to_string(), format!("`{}a` answered 503 Service Unavailable: overloaded", server.url));
    assert_eq!(server.count("/a"), 3);
}

#[tokio::test]
async fn waits_as_long_as_the_server_asks() {
    let server = Server::start(script(vec![reply(429, &[("retry-after", "7")], ""), reply(200, &[], "")])).await;
    let waits = Waits::default();
    let http = Http::new(HttpOptions { sleep: waits.sleep(), ..options(&mirror(&server)) }).unwrap();
    http.get(&original("/"), Get::new(0)).await.unwrap();
    assert_eq!(waits.all(), [Duration::from_secs(7)]);
}

#[tokio::test]
async fn does_not_repeat_what_stays() {
    for status in [400, 403, 404, 410, 501, 525] {
        let server = Server::start(move |_| reply(status, &[], "")).await;
        let error = client(&mirror(&server)).get(&original("/"), Get::new(0)).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert_eq!(server.count("/"), 1);
    }
}

#[tokio::test]
async fn a_silent_server_is_an_error() {
    let head = b"HTTP/1.1 200 x\r\ncontent-length: 9\r\n\r\nab".to_vec();
    for fault in [Reply::Hang, Reply::HangAfter(head)] {
        let server = Server::start(move |_| fault.clone()).await;
        let waits = Waits::default();
        let mut options = HttpOptions { sleep: waits.sleep(), ..options(&mirror(&server)) };
        options.timeouts.idle = Duration::from_millis(50);
        let http = Http::new(options).unwrap();
        let url = original("/");
        let answer = tokio::time::timeout(Duration::from_secs(60), http.get(&url, Get::new(10)));
        let error = answer.await.expect("it does not wait for ever").unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
        assert!(error.is_transient());
        // Not the server's count: on a busy machine it may never hear of an attempt.
        assert_eq!(waits.all().len(), 2);
    }
}

#[tokio::test]
async fn a_body_has_a_limit() {
    let chunked = Reply::Bytes(b"HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n".into());
    for large in [reply(200, &[], "12345"), chunked] {
        let server = Server::start(move |_| large.clone()).await;
        let http = client(&mirror(&server));
        let error = http.get(&original("/"), Get::new(4)).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge { limit: 4, .. }), "{error:?}");
        assert_eq!(server.count("/"), 1);
        assert_eq!(http.get(&original("/"), Get::new(5)).await.unwrap().bytes.len(), 5);
    }
    // Nor is more read of GitHub's answers than any has.
    let server = Server::start(|_| reply(200, &[], vec![b' '; 9 << 20])).await;
    let request = http::Request::get(original("/").as_str()).body(Bytes::new()).unwrap();
    let error = client(&mirror(&server)).execute(request).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
    // One that is announced as too long is not waited for.
    let server = Server::start(|_| Reply::HangAfter(b"HTTP/1.1 200 x\r\ncontent-length: 5\r\n\r\n".into())).await;
    let error = client(&mirror(&server)).get(&original("/"), Get::new(4)).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 4, .. }), "{error:?}");
}

#[tokio::test]
async fn asks_mirrors_in_their_order() {
    let missing = Server::start(|_| reply(404, &[], "")).await;
    let broken = Server::start(|_| reply(500, &[], "")).await;
    let good = Server::start(|_| reply(200, &[], "good")).await;
    let dead = closed();
    let config = format!(
        "mirror_only: true\nmirrors: {{'{ORIGINAL}': ['{dead}', '{}', '{}', '{}']}}\n",
        missing.url, broken.url, good.url
    );
    let waits = Waits::default();
    let http = Http::new(HttpOptions { sleep: waits.sleep(), ..options(&config) }).unwrap();
    for _ in 0..2 {
        assert_eq!(&http.get(&original("/"), Get::new(9)).await.unwrap().bytes[..], b"good");
    }
    assert_eq!((missing.count("/"), broken.count("/"), good.count("/")), (2, 4, 2));
    assert_eq!(waits.all().len(), 3, "the second time nobody waits for the mirror that cannot be reached");
}

#[tokio::test]
async fn a_mirror_that_does_not_answer_in_time_is_waited_for_once() {
    let hang = || Reply::HangAfter(b"HTTP/1.1 200 x\r\ncontent-length: 9\r\n\r\nab".into());
    for fault in [Reply::Hang, hang(), reply(504, &[], ""), reply(408, &[], "")] {
        let mirror = Server::start(move |_| fault.clone()).await;
        let good = Server::start(|_| reply(200, &[], "good")).await;
        let config = format!("mirror_only: true\nmirrors: {{'{ORIGINAL}': ['{}', '{}']}}\n", mirror.url, good.url);
        let waits = Waits::default();
        let mut options = HttpOptions { sleep: waits.sleep(), ..options(&config) };
        options.timeouts.idle = Duration::from_millis(500);
        let http = Http::new(options).unwrap();
        for path in ["/a", "/b", "/c"] {
            let url = original(path);
            let body = tokio::time::timeout(Duration::from_secs(60), http.get(&url, Get::new(9))).await;
            assert_eq!(&body.expect("it does not wait for ever").unwrap().bytes[..], b"good");
        }
        assert_eq!(waits.all().len(), 1, "one wait between the two attempts at it, for the first document alone");
    }
}

#[tokio::test]
async fn a_mirror_that_refuses_is_passed_over_but_not_in_silence() {
    for status in [401, 403] {
        let refusing = Server::start(move |_| reply(status, &[], r#"{"message":"not in the allowlist"}"#)).await;
        let good = Server::start(|_| reply(200, &[], "good")).await;
        let told = Arc::new(Told::default());
        let config = format!("mirrors: {{'{ORIGINAL}': ['{}', '{}']}}\n", refusing.url, good.url);
        let http = Http::new(HttpOptions { reporter: told.clone(), ..options(&config) }).unwrap();
        for path in ["/a", "/b"] {
            assert_eq!(&http.get(&original(path), Get::new(9)).await.unwrap().bytes[..], b"good");
            assert_eq!(refusing.count(path), 1, "it may serve other things");
        }
        let told = told.0.lock().unwrap();
        let [warning] = told.as_slice() else { panic!("one word about it is enough: {told:?}") };
        let (who, why) = (format!("`{}a` answered {status}", refusing.url), ": not in the allowlist; asking");
        assert!(warning.starts_with(&who) && warning.contains(why), "{warning}");
    }
}

#[tokio::test]
async fn who_refused_is_told_when_nobody_else_answers() {
    let refusing = Server::start(|_| reply(403, &[], "")).await;
    let empty = Server::start(|_| reply(404, &[], "")).await;
    for (last, status) in [(&closed(), 403), (&empty.url, 404)] {
        let http = client(&format!("mirror_only: true\nmirrors: {{'{ORIGINAL}': ['{}', '{last}']}}\n", refusing.url));
        let error = http.get(&original("/"), Get::new(9)).await.unwrap_err();
        assert_eq!(error.status().map(|status| status.as_u16()), Some(status), "{error:?}");
    }
}

#[tokio::test]
async fn offline_asks_nobody() {
    let server = Server::start(|_| reply(200, &[], "")).await;
    let options = HttpOptions { offline: true, ..options(&mirror(&server)) };
    let http = Http::new(options).unwrap();
    let url = original("/a?secret=1");
    let request = http::Request::get(url.as_str()).body(Bytes::new()).unwrap();
    for error in [
        http.get(&url, Get::new(9)).await.err(),
        http.head(&url).await.err(),
        http.open(&url, None).await.err(),
        http.post(&url, "text/plain", Bytes::new(), HeaderMap::new(), 9).await.err(),
        http.execute(request).await.err(),
    ] {
        let error = error.unwrap();
        assert_eq!(error.exit(), Exit::Offline);
        assert_eq!(error.to_string(), "`https://example.test/a` is needed, and the network may not be used");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn plain_http_is_spoken_only_where_it_is_written() {
    let server = Server::start(|_| reply(200, &[], "")).await;
    let url = server.url("/");
    let error = client("").get(&url, Get::new(0)).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    assert!(server.seen().is_empty());
    client(&format!("mirrors: {{'http://plain.test': ['{}']}}\n", server.url))
        .get(&Url::parse("http://plain.test/").unwrap(), Get::new(0))
        .await
        .unwrap();
    let error = client("mirror_only: true").get(&original("/"), Get::new(0)).await.unwrap_err();
    assert!(matches!(error, Error::NoMirror { .. }), "{error:?}");
    let error = client("").get(&Url::parse("ftp://example.test/").unwrap(), Get::new(0)).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    let error =
        client("").get(&Url::parse("https://user:secret@example.test/").unwrap(), Get::new(0)).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }) && !format!("{error} {error:?}").contains("secret"));
}

#[tokio::test]
async fn the_cache_saves_what_did_not_change() {
    let server = Server::start(|request| match request.header("if-none-match") {
        Some("\"1\"") => reply(304, &[], ""),
        _ => reply(200, &[("etag", "\"1\""), ("link", "<next>"), ("set-cookie", "secret")], "body"),
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let http = Http::new(HttpOptions {
        cache_dir: Some(directory.path().to_owned()),
        github_api: Some(original("/")),
        github_token: Some("token-secret".to_owned()),
        ..options(&mirror(&server))
    })
    .unwrap();
    let get = Get { conditional: true, accept: Some("text/plain"), ..Get::new(9) };
    assert!(http.cached(&original("/"), get.accept, 9).is_none());
    for cached in [false, true, true] {
        let body = http.get(&original("/"), get.clone()).await.unwrap();
        assert_eq!((&body.bytes[..], body.cached), (&b"body"[..], cached));
        assert_eq!(body.headers["link"], "<next>");
    }
    assert_eq!(&http.cached(&original("/"), get.accept, 9).unwrap().bytes[..], b"body");
    let request = http::Request::get(original("/").as_str()).header(ACCEPT, "text/plain").body(Bytes::new()).unwrap();
    let response = http.execute(request).await.unwrap();
    assert_eq!((response.status(), &response.body()[..]), (StatusCode::OK, &b"body"[..]));
    assert_eq!(server.seen().iter().filter(|request| request.header("if-none-match").is_some()).count(), 3);

    let entries: Vec<_> =
        std::fs::read_dir(directory.path().join("http")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(entries.len(), 1);
    assert!(!std::fs::read_to_string(&entries[0]).unwrap().contains("secret"));
    std::fs::write(&entries[0], "garbage").unwrap();
    assert!(!http.get(&original("/"), get).await.unwrap().cached, "a broken entry is asked for anew");
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_an_error() {
    let server = Server::start(|_| reply(304, &[], "")).await;
    let error = client(&mirror(&server)).get(&original("/"), Get::new(9)).await.unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
}

#[tokio::test]
async fn github_limits_are_said_clearly() {
    let server = Server::start(|_| {
        reply(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1767225600"), ("retry-after", "9")], "{}")
    })
    .await;
    let request = || http::Request::get(original("/").as_str()).body(Bytes::new()).unwrap();
    let github = |server: &Server| HttpOptions { github_api: Some(original("/")), ..options(&mirror(server)) };
    let error = Http::new(github(&server)).unwrap().execute(request()).await.unwrap_err();
    assert_eq!(error.to_string(), "the rate limit of `127.0.0.1` is used up until 2026-01-01T00:00:00Z");
    assert_eq!((error.exit(), server.count("/")), (Exit::Source, 1));
    assert!(error.hint().unwrap().contains("GITHUB_TOKEN"));

    // A registry or a chart repository that counts per minute is waited for, and says nothing about GitHub.
    let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1746136938"), ("retry-after", "9")];
    let server = Server::start(script(vec![reply(429, &headers, ""), reply(200, &[], "good")])).await;
    let waits = Waits::default();
    let http = Http::new(HttpOptions { sleep: waits.sleep(), ..options(&mirror(&server)) }).unwrap();
    assert_eq!(&http.get(&original("/"), Get::new(9)).await.unwrap().bytes[..], b"good");
    assert_eq!(waits.all(), [Duration::from_secs(9)]);

    let server = Server::start(|_| reply(404, &[], r#"{"message":"Not Found"}"#)).await;
    let response = client(&mirror(&server)).execute(request()).await.unwrap();
    assert_eq!((response.status().as_u16(), &response.body()[..]), (404, &br#"{"message":"Not Found"}"#[..]));
}

#[tokio::test]
async fn posts_as_git_does() {
    let server = Server::start(|request| reply(200, &[], &request.body)).await;
    let headers =
        HeaderMap::from_iter([(http::HeaderName::from_static("git-protocol"), HeaderValue::from_static("version=2"))]);
    let http = client(&mirror(&server));
    let body =
        http.post(&original("/x"), "application/x-git", Bytes::from("0014command=ls-refs"), headers, 99).await.unwrap();
    assert_eq!(&body.bytes[..], b"0014command=ls-refs");
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.header("git-protocol")), ("POST", Some("version=2")));
    assert_eq!(seen.header("content-type"), Some("application/x-git"));
}

#[tokio::test]
async fn a_private_ca_is_trusted_when_it_is_named() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority, |request| match request.path() {
        "/down" => redirect("http://127.0.0.1:1/"),
        _ => reply(200, &[], "body"),
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let config = mirror(&server);
    let ca_file = Some(authority.write(directory.path()));
    let http = Http::new(HttpOptions { ca_file, ..options(&config) }).unwrap();
    assert_eq!(&http.get(&original("/"), Get::new(9)).await.unwrap().bytes[..], b"body");
    assert_eq!(http.open(&original("/"), None).await.unwrap().total(), Some(4));
    let error = http.get(&original("/down"), Get::new(9)).await.unwrap_err();
    assert!(matches!(error, Error::Redirect { .. }), "{error:?}");

    assert!(error.hint().unwrap().contains("as its own mirror"), "{error:?}");

    let other = Some(Authority::new().write(directory.path()));
    let error = Http::new(HttpOptions { ca_file: other, ..options(&config) })
        .unwrap()
        .get(&original("/"), Get::new(9))
        .await
        .unwrap_err();
    assert!(!error.is_transient(), "{error:?}");
    assert!(error.hint().unwrap().contains("--ca-file"), "{error:?}");

    for text in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let path = directory.path().join("bad.pem");
        std::fs::write(&path, text).unwrap();
        let error = Http::new(HttpOptions { ca_file: Some(path), ..HttpOptions::default() }).err().unwrap();
        assert_eq!(error.exit(), Exit::Usage, "{text}: {error:?}");
    }
    let missing = HttpOptions { ca_file: Some("/nonexistent.pem".into()), ..HttpOptions::default() };
    assert!(Http::new(missing).err().unwrap().to_string().contains("/nonexistent.pem"));
}

#[tokio::test]
async fn a_server_that_is_its_own_authority_is_trusted_when_it_is_named() {
    let ask = async |shown: &Authority, named: &Authority| {
        let server = Server::start_tls(shown, |_| reply(200, &[], "body")).await;
        let directory = tempfile::tempdir().unwrap();
        let ca_file = Some(named.write(directory.path()));
        let http = Http::new(HttpOptions { ca_file, ..options(&mirror(&server)) }).unwrap();
        http.get(&original("/"), Get::new(9)).await
    };
    let alone = Authority::alone;
    let good = alone("127.0.0.1", 2020..2100);
    assert_eq!(&ask(&good, &good).await.unwrap().bytes[..], b"body");
    let twin = alone("127.0.0.1", 2020..2100);
    let elsewhere = alone("registry.test", 2020..2100);
    let [ended, to_come] = [2000..2020, 2090..2100].map(|years| alone("127.0.0.1", years));
    for (shown, named, said, hint) in [
        (&good, &twin, "CaUsedAsEndEntity", "--ca-file"),
        (&elsewhere, &elsewhere, "NotValidForName", "--ca-file"),
        (&ended, &ended, "Expired", "clock"),
        (&to_come, &to_come, "NotValidYet", "clock"),
    ] {
        let error = ask(shown, named).await.unwrap_err();
        assert!(error.is_certificate() && !error.is_transient(), "{said}: {error:?}");
        assert!(format!("{error:?}").contains(said) && error.hint().unwrap().contains(hint), "{said}: {error:?}");
    }
}

#[tokio::test]
async fn https_leads_to_plain_http_only_where_the_configuration_writes_it() {
    let store = Server::start(|_| reply(200, &[], "blob")).await;
    let (authority, directory) = (Authority::new(), tempfile::tempdir().unwrap());
    let there = store.url("/blob?signed=1").to_string();
    let server = Server::start_tls(&authority, move |_| redirect(&there)).await;
    let ca_file = Some(authority.write(directory.path()));
    let http = |more: &str| {
        let config = format!("mirror_only: true\nmirrors:\n  {ORIGINAL}: ['{}']\n{more}", server.url);
        Http::new(HttpOptions { ca_file: ca_file.clone(), ..options(&config) }).unwrap()
    };
    let error = http("").get(&original("/"), Get::new(9)).await.unwrap_err();
    assert!(matches!(error, Error::Redirect { .. }) && store.seen().is_empty(), "{error:?}");
    let http = http(&format!("  '{0}': ['{0}']\n", store.url));
    assert_eq!(&http.get(&original("/"), Get::new(9)).await.unwrap().bytes[..], b"blob");
    assert_eq!(store.seen()[0].target, "/blob?signed=1", "as it was signed");
}

#[tokio::test]
async fn proxies_serve_all_but_loopback() {
    let proxy = Server::start(|_| reply(502, &[], "")).await;
    let server = Server::start(|_| reply(200, &[], "")).await;
    let proxies = || Proxies { https: Some(proxy.url.to_string()), all: Some(closed().into()), ..Proxies::default() };
    let http = Http::new(HttpOptions { proxies: proxies(), ..options("") }).unwrap();
    assert!(http.get(&original("/"), Get::new(9)).await.is_err());
    assert_eq!(proxy.seen()[0].method, "CONNECT");
    assert_eq!(proxy.seen()[0].target, "example.test:443");
    // Loopback is asked itself.
    let http = Http::new(HttpOptions { proxies: proxies(), ..options(&mirror(&server)) }).unwrap();
    http.get(&original("/"), Get::new(0)).await.unwrap();
    let bad = HttpOptions {
        proxies: Proxies { https: Some("http://[".to_owned()), ..Proxies::default() },
        ..HttpOptions::default()
    };
    assert_eq!(
        Http::new(bad).err().unwrap().to_string(),
        "the environment variable `HTTPS_PROXY` is not the URL of a proxy"
    );
}

#[test]
fn takes_the_environment() {
    let set = |pairs: &'static [(&str, &str)]| {
        HttpOptions::default().with_environment(move |name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    };
    let files = |options: &HttpOptions| -> Vec<_> {
        options.credential_files.iter().map(|path| path.to_str().unwrap().to_owned()).collect()
    };
    let options = set(&[
        ("HOME", "/h"),
        ("https_proxy", "http://p:1"),
        ("NO_PROXY", "a"),
        ("GITHUB_TOKEN", " t\n"),
        ("GITHUB_API_URL", "http://127.0.0.1:1/api"),
    ])
    .unwrap();
    assert_eq!(files(&options), ["/h/.docker/config.json", "/h/.config/containers/auth.json"]);
    assert_eq!(options.proxies.https.as_deref(), Some("http://p:1"));
    assert_eq!(options.proxies.none_for.as_deref(), Some("a"));
    assert_eq!(options.github_token.as_deref(), Some("t"));
    assert_eq!(options.github_api.as_ref().unwrap().as_str(), "http://127.0.0.1:1/api");
    assert!(!format!("{options:?}").contains("http://p:1"));
    let options = set(&[("HOME", "/h"), ("DOCKER_CONFIG", "/d"), ("GITHUB_TOKEN", "")]).unwrap();
    assert_eq!(files(&options), ["/d/config.json", "/h/.config/containers/auth.json"]);
    assert_eq!(options.github_token, None);
    let options =
        set(&[("HOME", "/h"), ("REGISTRY_AUTH_FILE", "/a.json"), ("XDG_RUNTIME_DIR", "/r"), ("XDG_CONFIG_HOME", "/c")])
            .unwrap();
    let all = ["/a.json", "/h/.docker/config.json", "/r/containers/auth.json", "/c/containers/auth.json"];
    assert_eq!(files(&options), all);
    for bad in [&[("GITHUB_API_URL", "x")], &[("GITHUB_API_URL", "ftp://x")], &[("GITHUB_API_URL", "https://a:b@x")]] {
        assert_eq!(set(bad).err().unwrap().exit(), Exit::Usage);
    }
}
