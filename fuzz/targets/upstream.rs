//! What registries, repositories and publishers send.

use http::header::{HeaderMap, HeaderValue, LINK, RETRY_AFTER, WWW_AUTHENTICATE};
use url::Url;

use crate::catalog::model::Algorithm;
use crate::oci::manifest::{Manifest, View};
use crate::oci::{Arch, Digest, media_type};
use crate::source::auth::challenge::challenges;
use crate::source::checksum::Checksums;
use crate::source::git;
use crate::source::helm;
use crate::source::http::download;
use crate::source::http::retry::retry_after as seconds;
use crate::source::registry::tags::next;

use super::{shown, text};

fn headers(name: http::HeaderName, data: &[u8]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(4) {
        headers.append(name.clone(), HeaderValue::from_bytes(line).ok()?);
    }
    Some(headers)
}

/// A repository's index: the chart's part alone says what the whole says, and each version stands once.
pub(super) fn helm_index(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let repository = Url::parse("https://example.org/charts?token=1").unwrap();
    let found = helm::parse(text, &repository, "loki");
    let whole = helm::parse_whole(text, &repository, "loki");
    match (&found, &whole) {
        (Ok(found), Ok(whole)) => assert_eq!(found, whole, "the cut loses something"),
        (Ok(_), Err(helm::Error::NoChart { .. })) => panic!("the cut finds what is not there"),
        (Err(helm::Error::NoChart { .. }), Ok(whole)) => panic!("the cut finds nothing of {whole:?}"),
        _ => {}
    }
    let entries = match found {
        Ok(entries) => entries,
        Err(error) => return shown(&error.to_string()),
    };
    let mut versions = std::collections::HashSet::new();
    for entry in &entries {
        assert!(!entry.version.is_empty() && versions.insert(&entry.version), "{entry:?}");
        if let Err(error) = entry.digest() {
            assert!(!error.to_string().is_empty());
        }
    }
}

/// An OCI manifest or index: its bytes stay as they came, and with its own type it reads the same.
pub(super) fn manifest(data: &[u8]) {
    let bytes = bytes::Bytes::copy_from_slice(data);
    for served in [None, Some(media_type::OCI_INDEX), Some(media_type::OCI_MANIFEST)] {
        let manifest = match Manifest::parse(bytes.clone(), served) {
            Ok(manifest) => manifest,
            Err(error) => {
                let _ = error.to_string();
                continue;
            }
        };
        assert_eq!((&manifest.bytes[..], manifest.digest), (data, Digest::of(data)));
        assert_eq!(media_type::is_index(&manifest.media_type), matches!(manifest.view, View::Index(_)));
        let again = Manifest::parse(bytes.clone(), Some(&manifest.media_type)).unwrap();
        assert_eq!(again.view, manifest.view);
        for arch in Arch::ALL {
            if let Some(child) = manifest.child(arch) {
                let platform = child.platform.as_ref().unwrap();
                assert!(platform.os == "linux" && platform.architecture == arch.as_str());
            }
        }
    }
}

/// A publisher's checksum file: what is picked stands in it, with the length of its algorithm.
pub(super) fn checksum_file(data: &[u8]) {
    let Some((wanted, rest)) = text(data).and_then(|text| text.split_once('\n')) else { return };
    let (order, text) = rest.split_once("\n===\n").map_or((None, rest), |(order, text)| (Some(order), text));
    let sums = Checksums::parse(text, order);
    let _ = sums.is_unordered();
    for (algorithm, digits) in [(Algorithm::Sha256, 64), (Algorithm::Sha512, 128)] {
        for chosen in [false, true] {
            match sums.pick(algorithm, wanted, chosen) {
                Ok(hex) => {
                    assert!(hex.len() == digits && hex.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')));
                    assert!(text.to_ascii_lowercase().contains(hex), "{hex} is nowhere");
                }
                Err(error) => {
                    shown(&error.to_string());
                    assert!(error.to_string().len() < 8192);
                }
            }
        }
    }
}

/// `WWW-Authenticate`: bounded, and made of what was sent.
pub(super) fn challenge(data: &[u8]) {
    let Some(headers) = headers(WWW_AUTHENTICATE, data) else { return };
    let all = challenges(&headers);
    assert!(all.len() <= 16);
    for challenge in &all {
        assert!(!challenge.scheme.is_empty() && !challenge.scheme.contains(char::is_uppercase));
        for name in ["realm", "service", "scope"] {
            assert!(challenge.parameter(name).is_none_or(|value| !value.is_empty() && value.len() <= data.len()));
        }
    }
}

/// `Content-Range`: what parses prints and parses to the same.
pub(super) fn content_range(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Some(range) = download::content_range(text) else { return };
    assert!(range.bytes.start < range.bytes.end && range.total.is_none_or(|total| range.bytes.end <= total));
    let total = range.total.map_or("*".to_owned(), |total| total.to_string());
    let printed = format!("bytes {}-{}/{total}", range.bytes.start, range.bytes.end - 1);
    assert_eq!(download::content_range(&printed), Some(range));
}

/// `Link`: a next page is another one on the same host.
pub(super) fn link(data: &[u8]) {
    let Some(headers) = headers(LINK, data) else { return };
    let at = Url::parse("https://quay.io/v2/a/tags/list?n=2").unwrap();
    match next(&at, &headers) {
        Ok(Some(url)) => assert!(url.origin() == at.origin() && url != at && url.username().is_empty(), "{url}"),
        Ok(None) => {}
        Err(error) => assert!(error.to_string().contains("next page")),
    }
}

/// `Retry-After`: never a negative wait, and never longer than the policy allows.
pub(super) fn retry_after(data: &[u8]) {
    let Some(headers) = headers(RETRY_AFTER, data) else { return };
    let now: jiff::Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
    let asked = seconds(&headers, now);
    let retry = crate::source::http::Retry::default();
    for failed in [0, 1, 5, u32::MAX] {
        assert!(retry.delay(failed, asked, data.len() as u64) <= retry.longest);
    }
}

/// The tags of a git repository: each has the prefix, an id of hex digits, and a name that git allows.
pub(super) fn git_refs(data: &[u8]) {
    let tags = [git::refs(data, "v").ok(), git::advertisement(data, "v").ok().flatten()];
    for (name, tag) in tags.into_iter().flatten().flatten() {
        assert!(name.starts_with('v') && name.len() <= 250 && !name.contains("..") && !name.contains(char::is_control));
        for id in [Some(&tag.id), tag.peeled.as_ref()].into_iter().flatten() {
            assert!(matches!(id.len(), 40 | 64) && id.bytes().all(|c| c.is_ascii_hexdigit()), "{id}");
        }
        assert_eq!(tag.commit(), tag.peeled.as_ref().unwrap_or(&tag.id));
    }
}
