//! What is attached to an image: whose list counts, and where one ends.

use super::*;

/// A registry of which `subject` has these referrers by its API, if it has one, and these under the tag.
async fn referring(api: Option<&'static str>, status: u16, tagged: Option<String>) -> Server {
    Server::start(move |request| {
        let index = |body: &str| reply(200, &[("content-type", media_type::OCI_INDEX)], body);
        let cosign = [".sig", ".att", ".sbom"].iter().any(|end| request.path().ends_with(end));
        match (request.path(), api, &tagged) {
            (path, Some(list), _) if path.contains("/referrers/") => reply(status, &[], list),
            (path, _, Some(list)) if path.contains("/manifests/") && !cosign => index(list),
            _ => reply(404, &[], ""),
        }
    })
    .await
}

/// A list of one referrer.
fn list_of(digest: Digest) -> String {
    format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{}","digest":"{digest}","size":2}}]}}"#,
        media_type::OCI_MANIFEST
    )
}

#[tokio::test]
async fn no_list_of_a_mirror_hides_what_the_registry_lists() {
    let (subject, signature) = (Digest::of(b"image"), Digest::of(b"signature"));
    let list: &'static str = list_of(signature).leak();
    let empty = r#"{"schemaVersion":2,"manifests":[]}"#;
    let there = vec![referrers::Found { digest: signature, tag: None }];
    for (status, of_mirror) in [(200, empty), (200, "<html>welcome</html>"), (405, ""), (400, ""), (403, ""), (404, "")]
    {
        let mirror = referring(Some(of_mirror), status, None).await;
        for (of_registry, tagged) in [(Some(list), None), (Some(empty), Some(list)), (None, Some(list))] {
            let registry = referring(of_registry, 200, tagged.map(str::to_owned)).await;
            let config = format!("mirror_only: true\nmirrors: {{quay.io: ['{}', '{}']}}\n", mirror.url, registry.url);
            let told = Arc::new(Told::default());
            let options = HttpOptions { reporter: told.clone(), ..options(&config) };
            let found = Registry::new(Http::new(options).unwrap()).attached(&image(""), subject).await.unwrap();
            assert_eq!(found, there, "{status} {of_mirror}, then {of_registry:?} {tagged:?}");
            let told = told.0.lock().unwrap();
            let next = format!("; asking `{}`", registry.url(&format!("v2/org/app/referrers/{subject}")));
            let hop = told.iter().find(|text| text.ends_with(&next)).expect("who is asked next is told");
            assert!(hop.contains(&mirror.host()), "{hop}");
            let tag = format!("; asking for the tag `sha256-{}`", subject.hex());
            assert_eq!(told.iter().any(|text| text.ends_with(&tag)), tagged.is_some(), "{told:?}");
        }
    }
}

#[tokio::test]
async fn a_list_of_a_mirror_is_enough() {
    let (subject, signature) = (Digest::of(b"image"), Digest::of(b"signature"));
    let mirror = referring(Some(list_of(signature).leak()), 200, None).await;
    let registry = referring(Some(list_of(Digest::of(b"other")).leak()), 200, None).await;
    let config = format!("mirror_only: true\nmirrors: {{quay.io: ['{}', '{}']}}\n", mirror.url, registry.url);
    let found = Registry::new(http(&config)).attached(&image(""), subject).await.unwrap();
    assert_eq!(found, [referrers::Found { digest: signature, tag: None }]);
    assert_eq!(registry.count(&format!("/v2/org/app/referrers/{subject}")), 0);
}

#[tokio::test]
async fn referrers_do_not_go_on_for_ever() {
    let subject = Digest::of(b"image");
    let too_many = "more than 2000 referrers or 50 pages";
    // Always another page; and one page of more than anybody has.
    let page = list_of(Digest::of(b"signature"));
    let pages = AtomicUsize::new(0);
    let endless = Server::start(move |request| match pages.fetch_add(1, Ordering::Relaxed) {
        // It ends by itself, so that who reads on gives no error.
        asked @ ..60 if request.path().contains("/referrers/") => {
            reply(200, &[("link", format!("<?page={asked}>; rel=\"next\"").as_str())], &page)
        }
        _ => reply(200, &[], &page),
    })
    .await;
    let entry = |n: usize| {
        let digest = Digest::of(n.to_string().as_bytes());
        format!(r#"{{"mediaType":"{}","digest":"{digest}","size":2}}"#, media_type::OCI_MANIFEST)
    };
    let list = (0..2001).map(entry).collect::<Vec<_>>().join(",");
    let list = format!(r#"{{"schemaVersion":2,"manifests":[{list}]}}"#);
    let large = Server::start(move |_| reply(200, &[], &list)).await;
    for server in [endless, large] {
        let error = registry(&server).attached(&image(""), subject).await.unwrap_err();
        assert!(matches!(&error, Error::Malformed { reason, .. } if reason.starts_with(too_many)), "{error:?}");
        assert!(server.seen().len() <= 50);
    }
}
