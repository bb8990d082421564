//! The tags of a git repository over the smart HTTP protocol, version 2 (gitprotocol-v2, `ls-refs`): one small
//! answer even from a repository with ten thousand tags, and GitHub's rate limit does not count it.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::HeaderMap;
use url::Url;

use super::{Get, Http};

/// The largest list of references that is read, 32 MiB: a hundred thousand tags in 150 bytes each are half of it.
const MAX_REFS: u64 = 32 << 20;
/// The largest advertisement that is read: a server of protocol 0 sends every reference in it.
const MAX_ADVERTISEMENT: u64 = MAX_REFS;

/// A tag as a repository has it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tag {
    /// The object that the tag names: an annotated tag's own object, else the commit.
    pub id: String,
    /// The commit behind an annotated tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peeled: Option<String>,
}

impl Tag {
    /// The commit that the tag ends at.
    #[must_use]
    pub fn commit(&self) -> &str {
        self.peeled.as_deref().unwrap_or(&self.id)
    }
}

/// A repository's tags by name.
pub type Tags = BTreeMap<String, Tag>;

/// Why a repository's tags cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request failed.
    #[error("cannot list the tags of `{repository}`")]
    Request {
        /// The repository's URL.
        repository: String,
        /// Why.
        source: Box<super::Error>,
    },
    /// The server sent something else.
    #[error("cannot list the tags of `{repository}`: {problem}")]
    Protocol {
        /// The repository's URL.
        repository: String,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// What is wrong with a server's answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not the pkt-line framing (gitprotocol-common, "pkt-line Format").
    #[error("the answer is not in git's line format")]
    Framing,
    /// The answer ends within a line.
    #[error("the answer ends early")]
    Truncated,
    /// The server reports an error.
    #[error("the server says: {0}")]
    Server(String),
    /// A line that is no reference.
    #[error("the answer has a line that is no reference")]
    Reference,
}

/// A repository's tags and its URL after redirects.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The tags with the prefix, by name without `refs/tags/`.
    pub tags: Tags,
    /// Where the repository answered: another `owner/name` than asked for when it was renamed.
    pub url: Url,
}

/// Lists the tags of the repository at `url` (without `.git`) whose names begin with `prefix`.
pub async fn tags(http: &Http, url: &Url, prefix: &str) -> Result<Listing, Error> {
    let request = |source: super::Error| Error::Request { repository: url.to_string(), source: Box::new(source) };
    let protocol = |problem| Error::Protocol { repository: url.to_string(), problem };
    let base = format!("{}.git", url.as_str().trim_end_matches('/'));
    let mut version = HeaderMap::new();
    version.insert("git-protocol", http::HeaderValue::from_static("version=2"));

    let discover = format!("{base}/info/refs?service=git-upload-pack");
    let discover = Url::parse(&discover).map_err(|_| protocol(Problem::Framing))?;
    let get = Get { headers: version.clone(), ..Get::new(MAX_ADVERTISEMENT) };
    let body = http.get(&discover, get).await.map_err(request)?;
    let answered = repository_of(&body.url).unwrap_or_else(|| url.clone());
    if let Some(tags) = advertisement(&body.bytes, prefix).map_err(protocol)? {
        return Ok(Listing { tags, url: answered });
    }
    let target = Url::parse(&format!("{}.git/git-upload-pack", answered.as_str().trim_end_matches('/')))
        .map_err(|_| protocol(Problem::Framing))?;
    version.insert(http::header::ACCEPT, http::HeaderValue::from_static("application/x-git-upload-pack-result"));
    let body = http
        .post(&target, "application/x-git-upload-pack-request", Bytes::from(ls_refs(prefix)), version, MAX_REFS)
        .await
        .map_err(request)?;
    Ok(Listing { tags: refs(&body.bytes, prefix).map_err(protocol)?, url: answered })
}

/// `https://host/owner/name` of the URL of an `info/refs`.
fn repository_of(url: &Url) -> Option<Url> {
    let mut repository = url.clone();
    repository.set_query(None);
    let path = url.path().strip_suffix("/info/refs")?;
    repository.set_path(path.strip_suffix(".git").unwrap_or(path));
    Some(repository)
}

/// One packet (gitprotocol-common): a line, or one of the markers.
#[derive(Debug, PartialEq, Eq)]
enum Packet<'a> {
    Line(&'a [u8]),
    Flush,
    /// `0001` and `0002`: they end a section, never a list of references.
    Delimiter,
}

/// The packets of a complete answer; ends at the first thing that is none.
struct Packets<'a>(&'a [u8]);

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = match self.0.split_at_checked(4) {
            Some(split) => split,
            None if self.0.is_empty() => return None,
            None => return self.end(Problem::Truncated),
        };
        let digits = length.iter().all(u8::is_ascii_hexdigit).then(|| std::str::from_utf8(length).ok()).flatten();
        match digits.and_then(|digits| usize::from_str_radix(digits, 16).ok()) {
            Some(0) => {
                self.0 = rest;
                Some(Ok(Packet::Flush))
            }
            Some(1 | 2) => {
                self.0 = rest;
                Some(Ok(Packet::Delimiter))
            }
            Some(length) if length >= 4 => match rest.split_at_checked(length - 4) {
                Some((line, rest)) => {
                    self.0 = rest;
                    let line = line.strip_suffix(b"\n").unwrap_or(line);
                    match line.strip_prefix(b"ERR ") {
                        Some(message) => self.end(Problem::Server(shorten(message))),
                        None => Some(Ok(Packet::Line(line))),
                    }
                }
                None => self.end(Problem::Truncated),
            },
            _ => self.end(Problem::Framing),
        }
    }
}

impl<'a> Packets<'a> {
    fn end(&mut self, problem: Problem) -> Option<Result<Packet<'a>, Problem>> {
        self.0 = &[];
        Some(Err(problem))
    }
}

/// Keeps a server's message to one harmless line.
fn shorten(message: &[u8]) -> String {
    String::from_utf8_lossy(message).chars().filter(|c| !c.is_control()).take(200).collect()
}

/// The request of `ls-refs` for the tags with a prefix.
fn ls_refs(prefix: &str) -> Vec<u8> {
    let mut body = Vec::new();
    let mut line = |text: &str| {
        body.extend_from_slice(format!("{:04x}{text}", text.len() + 4).as_bytes());
    };
    line("command=ls-refs\n");
    line(concat!("agent=bundler/", env!("CARGO_PKG_VERSION"), "\n"));
    body.extend_from_slice(b"0001");
    let mut line = |text: &str| {
        body.extend_from_slice(format!("{:04x}{text}", text.len() + 4).as_bytes());
    };
    line("peel\n");
    line(&format!("ref-prefix refs/tags/{prefix}\n"));
    body.extend_from_slice(b"0000");
    body
}

/// Reads the answer of `ls-refs`: `<id> <name>[ peeled:<id>]…` a line, to the flush.
pub(crate) fn refs(answer: &[u8], prefix: &str) -> Result<Tags, Problem> {
    let mut tags = Tags::new();
    for packet in Packets(answer) {
        match packet? {
            Packet::Flush => return Ok(tags),
            Packet::Delimiter => return Err(Problem::Framing),
            Packet::Line(line) => {
                let line = std::str::from_utf8(line).map_err(|_| Problem::Reference)?;
                let mut words = line.split(' ');
                let id = words.next().filter(|id| is_id(id)).ok_or(Problem::Reference)?;
                let name = words.next().ok_or(Problem::Reference)?;
                let peeled = words.find_map(|word| word.strip_prefix("peeled:"));
                if peeled.is_some_and(|peeled| !is_id(peeled)) {
                    return Err(Problem::Reference);
                }
                if let Some(tag) = tag_name(name, prefix) {
                    tags.insert(tag, Tag { id: id.to_owned(), peeled: peeled.map(str::to_owned) });
                }
            }
        }
    }
    Err(Problem::Truncated)
}

/// Reads the advertisement: none when the server speaks version 2, else its references (versions 0 and 1:
/// `<id> <name>\0<capabilities>` first, then `<id> <name>`, annotated tags followed by `<id> <name>^{}`).
pub(crate) fn advertisement(answer: &[u8], prefix: &str) -> Result<Option<Tags>, Problem> {
    let mut tags = Tags::new();
    let mut started = false;
    for packet in Packets(answer) {
        match packet? {
            Packet::Line(line) if line.starts_with(b"# service=") => {}
            Packet::Line(b"version 2") => return Ok(None),
            Packet::Line(b"version 1") => {}
            // The flush after the service line comes before anything else.
            Packet::Flush if !started => {}
            Packet::Flush => return Ok(Some(tags)),
            Packet::Delimiter => return Err(Problem::Framing),
            Packet::Line(line) => {
                started = true;
                let line = line.split(|c| *c == 0).next().unwrap_or_default();
                let line = std::str::from_utf8(line).map_err(|_| Problem::Reference)?;
                let (id, name) = line.split_once(' ').filter(|(id, _)| is_id(id)).ok_or(Problem::Reference)?;
                let (name, peeled) = name.strip_suffix("^{}").map_or((name, false), |name| (name, true));
                let Some(tag) = tag_name(name, prefix) else { continue };
                if peeled {
                    tags.get_mut(&tag).ok_or(Problem::Reference)?.peeled = Some(id.to_owned());
                } else {
                    tags.insert(tag, Tag { id: id.to_owned(), peeled: None });
                }
            }
        }
    }
    Err(Problem::Truncated)
}

/// An object id: sha1 or sha256 in lower-case hex.
fn is_id(id: &str) -> bool {
    matches!(id.len(), 40 | 64) && id.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
}

/// The tag's name, when it has the prefix and nothing that git forbids (git-check-ref-format).
fn tag_name(name: &str, prefix: &str) -> Option<String> {
    let tag = name.strip_prefix("refs/tags/")?;
    let forbidden = |c: char| c.is_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\');
    let good = tag.starts_with(prefix) && !tag.is_empty() && tag.len() <= 250 && !tag.contains("..");
    (good && !tag.contains(forbidden)).then(|| tag.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn packets(lines: &[&str]) -> Vec<u8> {
        lines
            .iter()
            .flat_map(|line| {
                match *line {
                    "" => "0000".to_owned(),
                    line => format!("{:04x}{line}\n", line.len() + 5),
                }
                .into_bytes()
            })
            .collect()
    }

    #[test]
    fn asks_for_tags_with_a_prefix() {
        let request = String::from_utf8(ls_refs("v")).unwrap();
        assert!(request.starts_with("0014command=ls-refs\n"), "{request}");
        assert!(request.ends_with("00010009peel\n001bref-prefix refs/tags/v\n0000"), "{request}");
    }

    #[test]
    fn reads_the_answer_of_ls_refs() {
        let answer = packets(&[
            &format!("{A} refs/tags/v1"),
            &format!("{A} refs/tags/v2 peeled:{B}"),
            &format!("{A} refs/heads/main symref-target:refs/heads/x"),
            &format!("{A} refs/tags/other"),
            "",
        ]);
        let tags = refs(&answer, "v").unwrap();
        assert_eq!(tags.keys().collect::<Vec<_>>(), ["v1", "v2"]);
        assert_eq!((tags["v1"].commit(), tags["v2"].commit()), (A, B));
        assert_eq!(refs(b"0000", "v"), Ok(Tags::new()));
    }

    #[test]
    fn reads_the_advertisement_of_every_version() {
        let v2 = packets(&["# service=git-upload-pack", "", "version 2", "ls-refs=unborn", ""]);
        assert_eq!(advertisement(&v2, ""), Ok(None));
        assert_eq!(advertisement(&packets(&["version 2", ""]), ""), Ok(None));
        for version in [&[][..], &["version 1"][..]] {
            let mut lines = vec!["# service=git-upload-pack", ""];
            lines.extend(version);
            let head = format!("{A} HEAD\0multi_ack agent=git/2");
            let (v1, v2, peeled) =
                (format!("{A} refs/tags/v1"), format!("{A} refs/tags/v2"), format!("{B} refs/tags/v2^{{}}"));
            lines.extend([head.as_str(), &v1, &v2, &peeled, ""]);
            let tags = advertisement(&packets(&lines), "v").unwrap().unwrap();
            assert_eq!((tags.len(), tags["v2"].commit()), (2, B));
        }
    }

    #[test]
    fn refuses_hostile_answers() {
        let line = |text: &str| packets(&[text, ""]);
        for (answer, problem) in [
            (b"".to_vec(), Problem::Truncated),
            (b"00".to_vec(), Problem::Truncated),
            (b"ffff".to_vec(), Problem::Truncated),
            (b"0003".to_vec(), Problem::Framing),
            (b"+0a ".to_vec(), Problem::Framing),
            (b"<html>".to_vec(), Problem::Framing),
            (b"00010000".to_vec(), Problem::Framing),
            (packets(&[&format!("{A} refs/tags/v1")]), Problem::Truncated),
            (line("ERR access \u{1b}[31mdenied"), Problem::Server("access [31mdenied".to_owned())),
            (line("x refs/tags/v1"), Problem::Reference),
            (line(A), Problem::Reference),
            (line(&format!("{A} refs/tags/v1 peeled:../x")), Problem::Reference),
            (b"0005\xff0000".to_vec(), Problem::Reference),
        ] {
            assert_eq!(refs(&answer, ""), Err(problem), "{}", String::from_utf8_lossy(&answer));
        }
        let names = ["refs/tags/../../x", "refs/tags/a~b", "refs/tags/", "refs/tags/a:b", "refs/heads/v1"];
        for name in names {
            assert_eq!(refs(&line(&format!("{A} {name}")), ""), Ok(Tags::new()), "{name}");
        }
        let dangling = packets(&[&format!("{B} refs/tags/v2^{{}}"), ""]);
        assert_eq!(advertisement(&dangling, ""), Err(Problem::Reference));
    }

    #[test]
    fn finds_the_repository_behind_a_redirect() {
        let url = |text: &str| Url::parse(text).unwrap();
        let answered = repository_of(&url("https://github.com/new/name.git/info/refs?service=git-upload-pack"));
        assert_eq!(answered, Some(url("https://github.com/new/name")));
        assert_eq!(repository_of(&url("https://example.com/login")), None);
    }
}
