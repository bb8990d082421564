//! Against a small GitHub on loopback, through the real client.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderMap as Headers;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::*;
use crate::source::HttpOptions;

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// What the server has, and how often its API was asked.
#[derive(Default)]
struct Server {
    tags: BTreeMap<&'static str, &'static str>,
    api: Vec<String>,
    limited: bool,
    status_304: u64,
}

type Shared = Arc<Mutex<Server>>;

fn packets(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{:04x}{line}\n", line.len() + 5)).collect::<String>() + "0000"
}

async fn discover(headers: Headers) -> Response {
    assert_eq!(headers["git-protocol"], "version=2");
    packets(&["version 2".to_owned(), "ls-refs".to_owned()]).into_response()
}

async fn ls_refs(State(server): State<Shared>, body: String) -> String {
    let server = server.lock().unwrap();
    let fits = |tag: &str| body.contains("ref-prefix refs/tags/v\n") && tag.starts_with('v');
    let tags = server.tags.iter().filter(|(tag, _)| fits(tag));
    packets(&tags.map(|(tag, id)| format!("{id} refs/tags/{tag}")).collect::<Vec<_>>())
}

async fn release(State(server): State<Shared>, Path(tag): Path<String>, headers: Headers) -> Response {
    let mut server = server.lock().unwrap();
    server.api.push(tag.clone());
    if server.limited {
        let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1790000000")];
        return (StatusCode::FORBIDDEN, headers, r#"{"message":"API rate limit exceeded"}"#).into_response();
    }
    if !server.tags.contains_key(tag.as_str()) || tag == "v3" {
        return (StatusCode::NOT_FOUND, r#"{"message":"Not Found"}"#).into_response();
    }
    if headers.get("if-none-match").is_some_and(|etag| etag == "\"1\"") {
        server.status_304 += 1;
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let json = serde_json::json!({
        "tag_name": tag, "draft": false, "prerelease": tag == "v2", "published_at": "2026-01-02T03:04:05Z",
        "assets": [{"name": "x", "browser_download_url": "https://h/x", "size": 3, "digest": format!("sha256:{}", "1".repeat(64))}],
    });
    ([("etag", "\"1\"")], json.to_string()).into_response()
}

async fn commit() -> &'static str {
    r#"{"committer":{"date":"2026-01-01T00:00:00+02:00"}}"#
}

async fn serve() -> (Url, Shared) {
    let server = Shared::default();
    server.lock().unwrap().tags = BTreeMap::from([("v1", A), ("v2", A), ("v3", A), ("other", A)]);
    let app = Router::new()
        .route("/o/r.git/info/refs", get(discover))
        .route("/o/r.git/git-upload-pack", post(ls_refs))
        .route("/api/v3/repos/o/r/releases/tags/{tag}", get(release))
        .route("/api/v3/repos/o/r/git/commits/{id}", get(commit))
        .with_state(Arc::clone(&server));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v3", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, server)
}

struct Run<'a> {
    cache: &'a std::path::Path,
    api: &'a Url,
    now: &'a str,
    token: Option<&'a str>,
    offline: bool,
}

impl Run<'_> {
    fn client(&self) -> GitHub {
        let options = HttpOptions {
            github_api: Some(self.api.clone()),
            github_token: self.token.map(str::to_owned),
            cache_dir: Some(self.cache.to_owned()),
            offline: self.offline,
            ..HttpOptions::default()
        };
        let http = Http::new(options).unwrap();
        GitHub::new(http, Some(self.cache.to_owned()), self.now.parse().unwrap(), self.offline).unwrap()
    }
}

fn repository() -> Repository {
    "o/r".parse().unwrap()
}

#[tokio::test]
async fn asks_again_only_when_something_could_have_changed() {
    let (api, server) = serve().await;
    let cache = tempfile::tempdir().unwrap();
    let first = Run { cache: cache.path(), api: &api, now: "2026-02-01T00:00:00Z", token: None, offline: false };
    let ask = async |run: &Run<'_>, tag: &str| {
        let client = run.client();
        let tags = client.tags(&repository(), "v").await.unwrap();
        (client.release(&repository(), tag, tags.fingerprint).await.unwrap(), client.counted())
    };
    let (release, counted) = ask(&first, "v1").await;
    let release = release.unwrap();
    assert_eq!((release.prerelease, release.published_at), (false, "2026-01-02T03:04:05Z".parse().ok()));
    assert_eq!(release.assets[0].sha256().unwrap().hex(), "1".repeat(64));
    assert_eq!(counted, 1);
    assert_eq!(ask(&first, "v3").await, (None, 1), "a tag without a release");

    // Nothing changed: nothing is asked, not even about what is not there.
    assert_eq!(ask(&first, "v1").await.1 + ask(&first, "v3").await.1, 0);
    // The tags changed, or a day went by: it is asked.
    server.lock().unwrap().tags.insert("v4", A);
    assert_eq!(ask(&first, "v1").await.1, 1);
    let next_day = Run { now: "2026-02-02T00:00:01Z", ..first };
    assert_eq!(ask(&next_day, "v1").await.1, 1);
    assert_eq!(ask(&next_day, "v1").await.1, 0);
    // With a token an unchanged answer is not counted, so it is always asked, with a condition.
    let before = server.lock().unwrap().status_304;
    let with_token = Run { token: Some("secret"), ..next_day };
    assert_eq!(ask(&with_token, "v1").await.1, 1);
    assert_eq!(server.lock().unwrap().status_304, before + 1);
}

#[tokio::test]
async fn one_question_is_asked_once() {
    let (api, server) = serve().await;
    let cache = tempfile::tempdir().unwrap();
    let run = Run { cache: cache.path(), api: &api, now: "2026-02-01T00:00:00Z", token: None, offline: false };
    let client = run.client();
    let (repository, zero) = (repository(), Digest::of(b""));
    let ask = || client.release(&repository, "v1", zero);
    let (a, b, c) = tokio::join!(ask(), ask(), ask());
    assert!(a.unwrap() == b.unwrap() && c.is_ok());
    assert_eq!(server.lock().unwrap().api, ["v1"]);
}

#[tokio::test]
async fn notices_that_a_tag_moved() {
    let (api, server) = serve().await;
    let cache = tempfile::tempdir().unwrap();
    let first = Run { cache: cache.path(), api: &api, now: "2026-02-01T00:00:00Z", token: None, offline: false };
    let moved = async |run: &Run<'_>| (*run.client().tags(&repository(), "v").await.unwrap().moved).clone();
    assert!(moved(&first).await.is_empty());
    server.lock().unwrap().tags.insert("v1", B);
    let second = Run { now: "2026-02-02T00:00:00Z", ..first };
    let expected = BTreeMap::from([("v1".to_owned(), second.now.parse().unwrap())]);
    assert_eq!(moved(&second).await, expected);
    // It stays known in the runs after.
    assert_eq!(moved(&Run { now: "2026-02-05T00:00:00Z", ..second }).await, expected);
}

#[tokio::test]
async fn works_offline_from_what_it_kept_and_says_when_it_cannot() {
    let (api, _server) = serve().await;
    let cache = tempfile::tempdir().unwrap();
    let online = Run { cache: cache.path(), api: &api, now: "2026-02-01T00:00:00Z", token: None, offline: false };
    let client = online.client();
    let tags = client.tags(&repository(), "v").await.unwrap();
    client.release(&repository(), "v1", tags.fingerprint).await.unwrap();
    let date = client.commit_date(&repository(), A).await.unwrap();
    assert_eq!(date, "2025-12-31T22:00:00Z".parse().unwrap());

    let client = Run { now: "2026-03-01T00:00:00Z", offline: true, ..online }.client();
    assert_eq!(client.tags(&repository(), "v").await.unwrap().tags, tags.tags);
    assert!(client.release(&repository(), "v1", tags.fingerprint).await.unwrap().is_some());
    assert_eq!(client.commit_date(&repository(), A).await.unwrap(), date);
    let cold = client.release(&repository(), "v2", tags.fingerprint).await.unwrap_err();
    assert_eq!(cold.exit(), Exit::Offline);
    let cold = client.tags(&"o/other".parse().unwrap(), "v").await.unwrap_err();
    assert_eq!(cold.exit(), Exit::Offline);
}

#[tokio::test]
async fn says_what_a_rate_limit_needs() {
    let (api, server) = serve().await;
    server.lock().unwrap().limited = true;
    let cache = tempfile::tempdir().unwrap();
    let run = Run { cache: cache.path(), api: &api, now: "2026-02-01T00:00:00Z", token: None, offline: false };
    let error = run.client().release(&repository(), "v1", Digest::of(b"")).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Source);
    assert!(error.hint().unwrap().contains("GITHUB_TOKEN"), "{error:?}");
}

#[test]
fn finds_the_repositories_of_an_api() {
    for (api, expected) in [
        ("https://api.github.com", "https://github.com/"),
        ("https://git.example.com/api/v3", "https://git.example.com/"),
        ("https://git.example.com/api/v3/", "https://git.example.com/"),
        ("https://api.octo.ghe.com/", "https://octo.ghe.com/"),
        ("http://127.0.0.1:8080/github", "http://127.0.0.1:8080/github"),
    ] {
        assert_eq!(web(&api.parse().unwrap()).as_str(), expected);
    }
}

#[test]
fn takes_only_owner_and_name() {
    assert_eq!("kubeedge/kubeedge".parse::<Repository>().unwrap().to_string(), "kubeedge/kubeedge");
    for text in ["", "a", "a/", "/b", "a/b/c", "../b", "a/..", "a b/c", "a/b?x", "https://github.com/a/b"] {
        assert!(text.parse::<Repository>().is_err(), "{text}");
    }
}

#[test]
fn sees_a_rename_behind_a_redirect() {
    let asked: Repository = "old/name".parse().unwrap();
    let now = |url: &str| renamed(&asked, &url.parse().unwrap()).map(|r| r.to_string());
    assert_eq!(now("https://github.com/new/name"), Some("new/name".to_owned()));
    assert_eq!(now("https://github.com/Old/Name"), None);
    assert_eq!(now("https://mirror.example/github.com/old/name"), None);
}
