//! Members of archives, and what is learned of a download.

use super::*;

/// A `.tar.gz` with a program in it.
fn packed(program: &[u8]) -> Bytes {
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(program.len() as u64);
    tar.append_data(&mut header, "linux-arm64/helm", program).unwrap();
    let mut encoder = tar.into_inner().unwrap();
    encoder.flush().unwrap();
    encoder.finish().unwrap().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_what_the_lock_says() {
    let program = content(100_000);
    let archive = packed(&program);
    let server = serve(archive.clone(), Box::new(|_, _| Reply::Good)).await;
    let cache = tempfile::tempdir().unwrap();
    let fetcher = fetcher(&server, cache.path(), true);
    let digest = Digest::of(&archive);
    let download = Download { artifact: artifact(), source: source(), digest, size: None, member: None };
    let source = Source::Member { archive: Box::new(download), path: "linux-arm64/helm".to_owned() };
    assert!(fetch_from(&fetcher, &program, vec![source.clone()]).await.unwrap() == program);

    let error = fetch_from(&fetcher, &content(99), vec![source.clone()]).await.unwrap_err();
    assert!(matches!(error, Error::Mismatch { found, .. } if found == Digest::of(&program)), "{error:?}");
    assert!(error.to_string().contains("linux-arm64/helm in https://files.example/c.tgz"), "{error}");

    let writer = Writer::create(
        &cache.path().join("b.tar.gz"),
        Layout::new(vec![Member::blob("a", Digest::of(&program), 99_999)]).unwrap(),
    );
    let writer = writer.unwrap();
    let blob = Blob { digest: Digest::of(&program), size: 99_999, sources: vec![source], artifacts: vec![artifact()] };
    let error = fetcher.run(vec![Job { blob, slots: vec![writer.slot(0)] }]).await.unwrap_err();
    assert!(matches!(error, Error::Size { expected: 99_999, .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_lock_lacks_is_learned_from_the_download() {
    let program = content(100_000);
    let archive = packed(&program);
    let script: Script = Box::new(|n, _| if n == 0 { Reply::Cut(70_000) } else { Reply::Good });
    let server = serve(archive.clone(), script).await;
    let cache = tempfile::tempdir().unwrap();
    let fetcher = fetcher(&server, cache.path(), true);
    let member = |path: &str| crate::lock::model::Member { path: path.to_owned(), sha256: None, size: None };
    let download = |path: Option<&str>, digest| Download {
        artifact: artifact(),
        source: source(),
        digest,
        size: None,
        member: path.map(member),
    };
    let digest = Digest::of(&archive);
    let whole = fetcher.learn(&download(None, digest)).await.unwrap();
    assert_eq!((whole.digest, whole.size), (digest, archive.len() as u64));
    let carried = fetcher.learn(&download(Some("linux-arm64/helm"), digest)).await.unwrap();
    assert_eq!((carried.digest, carried.size), (Digest::of(&program), 100_000));
    assert_eq!(fetcher.store.read(carried.digest, 1 << 20).unwrap().unwrap(), program);
    let error = fetcher.learn(&download(Some("linux-arm64/kubectl"), digest)).await.unwrap_err();
    assert!(matches!(error, Error::NoMember { .. }), "{error:?}");
    let error = fetcher.learn(&download(None, Digest::of(b"other"))).await.unwrap_err();
    assert!(matches!(error, Error::Mismatch { .. }), "{error:?}");
    // What an earlier run kept of the archive is not believed.
    std::fs::write(fetcher.store.path(digest), &archive[1..]).unwrap();
    assert_eq!(fetcher.learn(&download(None, digest)).await.unwrap().size, archive.len() as u64);
}
