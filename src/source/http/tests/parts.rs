//! Downloads and parts of them: sizes, ranges, and bodies that end early.

use super::*;

#[tokio::test]
async fn head_tells_the_size() {
    let size = Reply::Bytes(b"HTTP/1.1 200 x\r\ncontent-length: 123456789\r\nconnection: close\r\n\r\n".into());
    let server = Server::start(move |request| if request.path() == "/a" { redirect("/b") } else { size.clone() }).await;
    let head = client(&mirror(&server)).head(&original("/a")).await.unwrap();
    assert_eq!((head.length, head.url), (Some(123_456_789), original("/b")));
    assert!(server.seen().iter().all(|request| request.method == "HEAD"));
}

#[tokio::test]
async fn opens_a_part() {
    let server = Server::start(|request| match request.header("range") {
        Some("bytes=2-4") => reply(206, &[("content-range", "bytes 2-4/6")], "cde"),
        Some("bytes=2-") => reply(206, &[("content-range", "bytes 2-5/6")], "cdef"),
        _ => reply(200, &[], "abcdef"),
    })
    .await;
    let http = client(&mirror(&server));
    for (range, offset, bytes) in
        [(Some(2..5), 2, "cde"), (Some(2..u64::MAX), 2, "cdef"), (Some(1..3), 0, "abcdef"), (None, 0, "abcdef")]
    {
        let mut download = http.open(&original("/"), range).await.unwrap();
        assert_eq!((download.offset(), download.total()), (offset, Some(6)));
        assert_eq!(collect(&mut download).await.unwrap(), bytes.as_bytes());
    }
}

#[tokio::test]
async fn a_part_is_the_part_that_was_asked_for() {
    for header in ["bytes 3-5/6", "bytes 2-5/6", "bytes */6", "2-4", ""] {
        let server = Server::start(move |_| reply(206, &[("content-range", header)], "cde")).await;
        let error = client(&mirror(&server)).open(&original("/"), Some(2..5)).await.err().unwrap();
        assert!(matches!(error, Error::Malformed { .. }), "{header}: {error:?}");
    }
    // 206 to a request without a range.
    let server = Server::start(|_| reply(206, &[("content-range", "bytes 0-2/6")], "abc")).await;
    assert!(client(&mirror(&server)).open(&original("/"), None).await.is_err());
}

#[tokio::test]
async fn a_body_that_ends_early_may_be_tried_again() {
    let short = "HTTP/1.1 206 x\r\ncontent-range: bytes 0-8/9\r\n";
    for rest in ["content-length: 9\r\n\r\nab", "transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "\r\nab"] {
        let reply = Reply::Bytes(format!("{short}{rest}").into());
        let server = Server::start(move |_| reply.clone()).await;
        let http = client(&mirror(&server));
        let mut download = http.open(&original("/"), Some(0..9)).await.unwrap();
        let error = collect(&mut download).await.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
        assert!(http.try_again(1, &error).await);
        assert!(!http.try_again(3, &error).await, "three attempts are all");
    }
    let long = format!("{short}transfer-encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n");
    let server = Server::start(move |_| Reply::Bytes(long.clone().into())).await;
    let mut download = client(&mirror(&server)).open(&original("/"), Some(0..9)).await.unwrap();
    let error = collect(&mut download).await.unwrap_err();
    assert!(!error.is_transient(), "{error:?}");
}
