//! Redirects: where they may lead, and what goes along.

use super::*;

#[tokio::test]
async fn redirects_end() {
    let server = Server::start(|_| redirect("/again")).await;
    let error = client(&mirror(&server)).get(&original("/"), Get::new(0)).await.unwrap_err();
    assert!(matches!(error, Error::TooManyRedirects { limit: 5, .. }), "{error:?}");
    assert_eq!(server.seen().len(), 6);
    for location in ["file:///etc/passwd", "ftp://example.test/", "http://", "https://:x"] {
        let server = Server::start(move |_| redirect(location)).await;
        let error = client(&mirror(&server)).get(&original("/"), Get::new(0)).await.unwrap_err();
        assert_eq!((error.exit(), server.seen().len()), (Exit::Source, 1), "{error:?}");
    }
}

#[tokio::test]
async fn a_redirect_to_another_host_carries_no_token() {
    let other = Server::start(|_| reply(200, &[], "other")).await;
    let there = other.url("/there").to_string().replace("//", "//user:pass@");
    let server = Server::start(move |request| match request.path() {
        "/moved" => redirect("/here"),
        "/here" => reply(200, &[], "here"),
        _ => redirect(&there),
    })
    .await;
    let options = HttpOptions {
        github_api: Some(original("/")),
        github_token: Some("secret".to_owned()),
        ..options(&mirror(&server))
    };
    let http = Http::new(options).unwrap();
    let body = http.get(&original("/moved"), Get::new(9)).await.unwrap();
    assert_eq!((&body.bytes[..], body.url), (&b"here"[..], original("/here")));
    let tokens: Vec<_> = server.seen().iter().map(|request| request.authorization().map(str::to_owned)).collect();
    assert_eq!(tokens, [Some("Bearer secret".to_owned()), Some("Bearer secret".to_owned())]);
    let mut get = Get::new(9);
    get.headers.insert(http::header::AUTHORIZATION, HeaderValue::from_static("Bearer from-the-caller"));
    assert_eq!(&http.get(&original("/away"), get).await.unwrap().bytes[..], b"other");
    assert_eq!(server.seen()[2].authorization(), Some("Bearer secret"));
    assert_eq!(other.seen()[0].authorization(), None);
}

#[tokio::test]
async fn who_was_elsewhere_comes_back_without_a_token() {
    let home = Arc::new(std::sync::OnceLock::<Url>::new());
    let back = Arc::clone(&home);
    let other = Server::start(move |_| redirect(back.get().unwrap())).await;
    let there = other.url.to_string();
    let server = Server::start(move |request| match request.path() {
        "/away" => redirect(&there),
        _ => reply(200, &[], "home"),
    })
    .await;
    home.set(server.url("/home")).unwrap();
    let options = |config: &str| HttpOptions {
        github_api: Some(original("/")),
        github_token: Some("secret".to_owned()),
        ..options(config)
    };
    let http = Http::new(options(&mirror(&server))).unwrap();
    assert_eq!(&http.get(&original("/away"), Get::new(9)).await.unwrap().bytes[..], b"home");
    let tokens: Vec<_> = server.seen().iter().map(|request| request.authorization().is_some()).collect();
    assert_eq!(tokens, [true, false]);

    // Nor does the mirror of a mirror get what is for the first.
    let last = Server::start(|_| reply(200, &[], "last")).await;
    let first = Server::start(|_| redirect("/next")).await;
    let config = format!("mirrors:\n  {ORIGINAL}: ['{0}']\n  '{0}': ['{1}']\n", first.url, last.url);
    let http = Http::new(options(&config)).unwrap();
    assert_eq!(&http.get(&original("/x"), Get::new(9)).await.unwrap().bytes[..], b"last");
    assert!(first.seen()[0].authorization().is_some());
    assert_eq!(last.seen()[0].authorization(), None);
}

#[tokio::test]
async fn the_token_goes_to_the_api_alone() {
    let server = Server::start(|_| reply(200, &[], "")).await;
    let http = Http::new(HttpOptions {
        github_api: Some(original("/api/v3")),
        github_token: Some("secret".to_owned()),
        ..options(&mirror(&server))
    })
    .unwrap();
    for (path, has) in [("/api/v3/repos", true), ("/api/v3", true), ("/api/v31", false), ("/org/repo/x.tgz", false)] {
        http.get(&original(path), Get::new(0)).await.unwrap();
        assert_eq!(server.seen().last().unwrap().authorization().is_some(), has, "{path}");
    }
    let bad = HttpOptions { github_token: Some("a\nb".to_owned()), ..HttpOptions::default() };
    assert_eq!(Http::new(bad).err().unwrap().exit(), Exit::Usage);
}

#[tokio::test]
async fn a_redirect_to_what_has_a_mirror_goes_to_the_mirror() {
    let server = Server::start(|request| match request.path() {
        "/a/x" => redirect("https://assets.test/x"),
        "/b/x" => reply(200, &[], "asset"),
        _ => redirect("https://assets.test/loop"),
    })
    .await;
    let config =
        format!("mirror_only: true\nmirrors:\n  {ORIGINAL}: ['{0}a']\n  https://assets.test: ['{0}b']\n", server.url);
    let http = client(&config);
    assert_eq!(&http.get(&original("/x"), Get::new(9)).await.unwrap().bytes[..], b"asset");
    let error = http.get(&Url::parse("https://assets.test/loop").unwrap(), Get::new(9)).await.unwrap_err();
    assert!(matches!(error, Error::Redirect { .. }), "{error:?}");
}

#[tokio::test]
async fn a_body_stays_on_its_host() {
    let other = Server::start(|_| reply(200, &[], "")).await;
    let away = other.url("/").to_string();
    let server = Server::start(move |request| match request.path() {
        "/here" => redirect("/there"),
        "/there" => reply(200, &[], &request.body),
        "/lost" => reply(302, &[("location", "/there")], ""),
        _ => redirect(&away),
    })
    .await;
    let http = client(&mirror(&server));
    let post = async |path| http.post(&original(path), "text/plain", Bytes::from("body"), HeaderMap::new(), 9).await;
    assert_eq!(&post("/here").await.unwrap().bytes[..], b"body");
    for path in ["/lost", "/away"] {
        let error = post(path).await.unwrap_err();
        assert!(matches!(error, Error::Redirect { .. }), "{error:?}");
    }
    assert!(other.seen().is_empty());
}
