//! Responses to conditional requests on disk, by the original URL: what a server need not send again.
//!
//! An entry is a line of JSON (the headers that matter and the body's sha256) and the body. An entry that is not
//! intact counts as none. No request header and no credential is ever in it; the URL is only a part of the key's hash.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, HeaderName, LAST_MODIFIED, LINK};
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::oci::Digest;

/// The headers that are kept: the validators, what the body is, and the next page.
const KEPT: [HeaderName; 4] = [ETAG, LAST_MODIFIED, CONTENT_TYPE, LINK];
/// More than the kept headers of any real response.
const MAX_HEAD: usize = 16 << 10;

/// The directory of the entries.
#[derive(Clone, Debug)]
pub(super) struct Cache(PathBuf);

/// A response that was kept.
#[derive(Clone, Debug)]
pub struct Cached {
    /// The body.
    pub bytes: Bytes,
    /// The headers that were kept.
    pub headers: HeaderMap,
    /// How long ago the server last confirmed it.
    pub age: Duration,
}

#[derive(Serialize, Deserialize)]
struct HeadLine {
    sha256: Digest,
    headers: BTreeMap<String, String>,
}

impl Cache {
    pub(super) fn new(cache_dir: &Path) -> Self {
        Self(cache_dir.join("http"))
    }

    fn path(&self, url: &Url, accept: Option<&str>) -> PathBuf {
        self.0.join(Digest::of(format!("{url}\n{}", accept.unwrap_or_default()).as_bytes()).hex())
    }

    /// The entry, if there is one, it is intact and its body is within `limit`.
    pub(super) fn get(&self, url: &Url, accept: Option<&str>, limit: u64) -> Option<Cached> {
        let path = self.path(url, accept);
        let metadata = std::fs::metadata(&path).ok()?;
        if metadata.len() > limit.saturating_add(MAX_HEAD as u64) {
            return None;
        }
        let entry = Bytes::from(std::fs::read(&path).ok()?);
        let end = entry.iter().take(MAX_HEAD).position(|byte| *byte == b'\n')?;
        let head: HeadLine = serde_json::from_slice(&entry[..end]).ok()?;
        let bytes = entry.slice(end + 1..);
        if bytes.len() as u64 > limit || Digest::of(&bytes) != head.sha256 {
            return None;
        }
        let mut headers = HeaderMap::new();
        for (name, value) in head.headers {
            let name = KEPT.into_iter().find(|kept| kept.as_str() == name)?;
            headers.append(name, HeaderValue::try_from(value).ok()?);
        }
        let age = SystemTime::now().duration_since(metadata.modified().ok()?).unwrap_or_default();
        Some(Cached { bytes, headers, age })
    }

    /// Keeps a response that has a validator. A cache that cannot be written only costs a request the next time.
    pub(super) fn put(&self, url: &Url, accept: Option<&str>, headers: &HeaderMap, bytes: &Bytes) {
        if !headers.contains_key(ETAG) && !headers.contains_key(LAST_MODIFIED) {
            return;
        }
        let text = |name: &HeaderName| Some((name.to_string(), headers.get(name)?.to_str().ok()?.to_owned()));
        let head = HeadLine { sha256: Digest::of(bytes), headers: KEPT.iter().filter_map(text).collect() };
        let Ok(mut line) = serde_json::to_vec(&head) else { return };
        if line.len() < MAX_HEAD {
            line.push(b'\n');
            let _ = self.write(&self.path(url, accept), &line, bytes);
        }
    }

    fn write(&self, path: &Path, head: &[u8], bytes: &[u8]) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.0)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
        file.write_all(head)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    }

    /// Notes that the server confirmed the entry now.
    pub(super) fn confirm(&self, url: &Url, accept: Option<&str>) {
        if let Ok(file) = std::fs::File::open(self.path(url, accept)) {
            let _ = file.set_modified(SystemTime::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_is_not_intact_counts_as_none() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path());
        let url = Url::parse("https://example.com/index.yaml?secret=1").unwrap();
        let headers = HeaderMap::from_iter([(ETAG, HeaderValue::from_static("\"a\""))]);
        assert!(cache.get(&url, None, 10).is_none());
        cache.put(&url, None, &headers, &Bytes::from("body"));
        let cached = cache.get(&url, None, 10).unwrap();
        assert_eq!((&cached.bytes[..], &cached.headers), (&b"body"[..], &headers));
        assert!(cache.get(&url, Some("text/html"), 10).is_none(), "another Accept is another entry");
        assert!(cache.get(&url, None, 3).is_none(), "larger than is read");

        let path = cache.path(&url, None);
        let entry = std::fs::read_to_string(&path).unwrap();
        assert!(!entry.contains("secret"));
        let cut = &entry[..entry.len() - 1];
        for broken in [cut, "", "\n", "{}\nbody", &entry.replace("etag", "set-cookie"), &entry.replace("body", "Body")]
        {
            std::fs::write(&path, broken).unwrap();
            assert!(cache.get(&url, None, 10).is_none(), "{broken:?}");
        }
    }

    #[test]
    fn keeps_nothing_that_cannot_be_asked_for_again() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path());
        let url = Url::parse("https://example.com/").unwrap();
        cache.put(&url, None, &HeaderMap::new(), &Bytes::from("body"));
        assert!(cache.get(&url, None, 10).is_none());
        // A directory that is a file: nothing is kept, and nothing fails.
        std::fs::write(directory.path().join("file"), "").unwrap();
        let headers = HeaderMap::from_iter([(ETAG, HeaderValue::from_static("\"a\""))]);
        Cache::new(&directory.path().join("file")).put(&url, None, &headers, &Bytes::from("body"));
    }
}
