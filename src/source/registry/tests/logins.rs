//! Logging in: tokens, passwords, and answers that are no tokens.

use super::*;

#[tokio::test]
async fn buys_one_anonymous_token_for_all() {
    let server = Server::start(|request| with_tokens(request, 1, manifest)).await;
    let registry = registry(&server);
    let reference = image(":1");
    let all = join_all((0..8).map(|_| registry.manifest(&reference))).await;
    for manifest in all {
        assert_eq!(manifest.unwrap().digest, manifest_digest());
    }
    assert_eq!(server.count("/token"), 1);
    let asked = server.seen().into_iter().find(|request| request.path() == "/token").unwrap();
    assert_eq!(asked.target, "/token?service=s+v&scope=repository%3Aorg%2Fapp%3Apull");
    assert_eq!(asked.authorization(), None);
    let seen = server.seen().into_iter().find(|request| request.path() == "/v2/org/app/manifests/1").unwrap();
    for kind in
        ["oci.image.index", "docker.distribution.manifest.list", "oci.image.manifest", "distribution.manifest.v2"]
    {
        assert!(seen.header("accept").unwrap().contains(kind));
    }
}

#[tokio::test]
async fn logs_in_again_when_a_token_ends() {
    let good = Arc::new(AtomicUsize::new(1));
    let now = Arc::clone(&good);
    let server = Server::start(move |request| with_tokens(request, now.load(Ordering::SeqCst), manifest)).await;
    let registry = registry(&server);
    registry.manifest(&image(":1")).await.unwrap();
    good.store(2, Ordering::SeqCst);
    registry.manifest(&image(":1")).await.unwrap();
    registry.manifest(&image(":1")).await.unwrap();
    assert_eq!(server.count("/token"), 2);
}

#[tokio::test]
async fn a_token_server_that_fails_is_asked_again_but_not_for_ever() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |request| match request.path() {
        "/token" if asked.fetch_add(1, Ordering::SeqCst) < 2 => reply(503, &[], ""),
        _ => with_tokens(request, 1, manifest),
    })
    .await;
    registry(&server).manifest(&image(":1")).await.unwrap();
    assert_eq!(server.count("/token"), 3);
    let server = Server::start(|request| match request.path() {
        "/token" => reply(503, &[], ""),
        _ => with_tokens(request, 1, manifest),
    })
    .await;
    let error = registry(&server).manifest(&image(":1")).await.unwrap_err();
    assert_eq!((error.exit(), server.count("/token")), (Exit::Source, 3), "{error:?}");
}

#[tokio::test]
async fn sends_a_password_as_basic() {
    let server = Server::start(|request| match request.authorization() {
        Some("Basic dXNlcjpwYXNz") => manifest(),
        _ => unauthorized(r#"Basic realm="registry""#),
    })
    .await;
    let (registry, _directory) = logged_in(&server, r#"{"auth":"dXNlcjpwYXNz"}"#);
    registry.manifest(&image(":1")).await.unwrap();

    let (registry, _directory) = logged_in(&server, r#"{"auth":"dXNlcjp3cm9uZ3NlY3JldA=="}"#);
    let error = registry.manifest(&image(":1")).await.unwrap_err();
    let text = format!("{error} {error:?} {:?}", error.hint());
    assert_eq!(error.exit(), Exit::Credentials);
    assert!(text.contains("authentication required") && text.contains("config.json"), "{text}");
    assert!(text.contains(&server.host()) && !text.contains("wrongsecret") && !text.contains("dXNlcj"), "{text}");

    let error = super::tests::registry(&server).manifest(&image(":1")).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Credentials, "nobody logged in: {error:?}");
}

#[tokio::test]
async fn a_password_or_refresh_token_buys_a_token() {
    let server = Server::start(|request| {
        let known =
            request.authorization() == Some("Basic dXNlcjpwYXNz") || request.body.contains("refresh_token=r%2F1");
        match request.path() {
            "/token" if !known => reply(401, &[], r#"{"details":"incorrect username or password"}"#),
            "/token" => reply(200, &[], r#"{"access_token":"t1"}"#),
            _ => with_tokens(request, 1, manifest),
        }
    })
    .await;
    let (registry, _directory) = logged_in(&server, r#"{"auth":"dXNlcjpwYXNz"}"#);
    registry.manifest(&image(":1")).await.unwrap();
    let (registry, _directory) = logged_in(&server, r#"{"identitytoken":"r/1"}"#);
    registry.manifest(&image(":1")).await.unwrap();
    let post = server.seen().into_iter().find(|request| request.method == "POST").unwrap();
    assert_eq!(
        post.body,
        "grant_type=refresh_token&client_id=bundler&service=s+v&scope=repository%3Aorg%2Fapp%3Apull&refresh_token=r%2F1"
    );
    let (registry, _directory) = logged_in(&server, r#"{"auth":"dXNlcjp3cm9uZ3NlY3JldA=="}"#);
    let error = registry.manifest(&image(":1")).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Credentials);
    assert!(error.to_string().contains("incorrect username or password"), "{error}");
}

#[tokio::test]
async fn a_plain_token_server_elsewhere_gets_no_password() {
    let elsewhere = Server::start(|_| reply(200, &[], r#"{"token":"t1"}"#)).await;
    // Another name of loopback is another host.
    let realm = elsewhere.url("/token").to_string().replace("127.0.0.1", "user:pass@localhost");
    let challenge = format!(r#"Bearer realm="{realm}""#);
    let said = challenge.clone();
    let server = Server::start(move |request| match request.authorization() {
        Some("Bearer t1") => manifest(),
        _ => unauthorized(&challenge),
    })
    .await;
    let (registry, _directory) = logged_in(&server, r#"{"auth":"dXNlcjpwYXNz"}"#);
    registry.manifest(&image(":1")).await.unwrap();
    assert_eq!(elsewhere.seen().len(), 1);
    assert_eq!(elsewhere.seen()[0].authorization(), None);

    // A registry with TLS may not send us to a plain one at all.
    let authority = Authority::new();
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start_tls(&authority, move |_| unauthorized(&said)).await;
    let options = HttpOptions { ca_file: Some(authority.write(directory.path())), ..options(&mirror(&server)) };
    let error = Registry::new(Http::new(options).unwrap()).manifest(&image(":1")).await.unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
    assert_eq!(elsewhere.seen().len(), 1);
}

#[tokio::test]
async fn hostile_answers_to_a_login_are_errors() {
    for challenge in [
        "",
        "Bearer",
        r#"Bearer realm="""#,
        r#"Bearer realm="nonsense""#,
        r#"Bearer realm="ftp://x.test/""#,
        "Negotiate",
        "\"\"\"",
        "Basic",
    ] {
        let server = Server::start(move |_| unauthorized(challenge)).await;
        let error = registry(&server).manifest(&image(":1")).await.unwrap_err();
        assert!(matches!(error.exit(), Exit::Credentials | Exit::Source), "{challenge}: {error:?}");
        assert_eq!(server.seen().len(), 1);
    }
    for token in ["", "[]", "{}", r#"{"token":""}"#, r#"{"token":"a\r\nb"}"#, r#"{"token":7}"#, r#"{"token":"wrong"}"#]
    {
        let server = Server::start(move |request| match request.path() {
            "/token" => reply(200, &[], token),
            _ => with_tokens(request, 1, manifest),
        })
        .await;
        let error = registry(&server).manifest(&image(":1")).await.unwrap_err();
        match token {
            r#"{"token":"wrong"}"# => assert_eq!(error.exit(), Exit::Credentials, "{error:?}"),
            _ => assert!(matches!(error, Error::Malformed { .. }), "{token}: {error:?}"),
        }
    }
    // A token that would be good, in an answer that is too long.
    let server = Server::start(|request| match request.path() {
        "/token" => reply(200, &[], format!(r#"{{"token":"t1","padding":"{}"}}"#, "x".repeat(1 << 20))),
        _ => with_tokens(request, 1, manifest),
    })
    .await;
    let error = registry(&server).manifest(&image(":1")).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
}
