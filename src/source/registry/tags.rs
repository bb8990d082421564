//! The tags of a repository, page by page (distribution-spec v1.1, "Listing Tags").

use http::HeaderMap;
use http::header::LINK;
use serde::Deserialize;
use url::Url;

use super::Registry;
use crate::config::Endpoint;
use crate::oci::Reference;
use crate::oci::reference::valid_tag;
use crate::source::error::{Error, shown};
use crate::source::http::{Call, Line};

/// The largest page, 4 MiB: thirty thousand of the longest tags.
const MAX_PAGE: u64 = 4 << 20;
/// Tags that are asked for at once; registries give less when they like.
const PAGE_SIZE: usize = 1000;
/// The most tags that are kept: ten times what the busiest repositories have.
const MAX_TAGS: usize = 200_000;
/// The most pages that are followed; with a hundred tags a page more than any repository has.
const MAX_PAGES: usize = 500;

#[derive(Deserialize)]
struct Page {
    /// `null` where a repository has none.
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Registry {
    /// All tags of the repository, sorted.
    pub async fn tags(&self, reference: &Reference) -> Result<Vec<String>, Error> {
        let rest = format!("tags/list?n={PAGE_SIZE}");
        let original = super::original(reference, &rest)?;
        let mut journey = self.http.journey(&original, self.endpoints(reference, &rest))?;
        loop {
            match self.pages(journey.here()).await {
                Ok(mut tags) => {
                    tags.sort_unstable();
                    tags.dedup();
                    return Ok(tags);
                }
                Err(error) => journey.after(error).await?,
            }
        }
    }

    /// All pages from one place; they have to agree with each other, so no other place can go on.
    async fn pages(&self, first: &Endpoint) -> Result<Vec<String>, Error> {
        let mut place = first.clone();
        let mut tags = Vec::new();
        for _ in 0..MAX_PAGES {
            let answer = self.ask(&Call::get(Line::Api), &place).await?;
            let body = self.http.read(answer, MAX_PAGE).await?;
            let page: Page = serde_json::from_slice(&body.bytes)
                .map_err(|_| Error::Malformed { url: shown(&place.url), reason: "no list of tags".to_owned() })?;
            // What no tag may be cannot be asked for.
            tags.extend(page.tags.unwrap_or_default().into_iter().filter(|tag| valid_tag(tag)));
            if tags.len() > MAX_TAGS {
                let reason = format!("more than {MAX_TAGS} tags");
                return Err(Error::Malformed { url: shown(&first.url), reason });
            }
            match next(&place.url, &body.headers)? {
                Some(url) => place.url = url,
                None => return Ok(tags),
            }
        }
        Err(Error::Malformed { url: shown(&first.url), reason: format!("more than {MAX_PAGES} pages of tags") })
    }
}

/// The next page by `Link: <…>; rel="next"` (RFC 8288), on the same host.
pub(crate) fn next(at: &Url, headers: &HeaderMap) -> Result<Option<Url>, Error> {
    let Some(link) = headers.get_all(LINK).iter().filter_map(|value| next_link(value.to_str().ok()?)).next() else {
        return Ok(None);
    };
    let malformed = |reason: &str| Error::Malformed { url: shown(at), reason: reason.to_owned() };
    let url = at.join(link).map_err(|_| malformed("a next page that is no URL"))?;
    if url.origin() != at.origin() {
        return Err(malformed("a next page on another host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(malformed("a next page with a user name"));
    }
    if url == *at {
        return Err(malformed("a next page that is the same one"));
    }
    Ok(Some(url))
}

/// The target of the link whose relation is `next`.
fn next_link(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        let parameters = after.split_once('<').map_or(after, |(parameters, _)| parameters);
        let is_next =
            parameters.split([';', ',']).filter_map(|parameter| parameter.split_once('=')).any(|(key, value)| {
                key.trim().eq_ignore_ascii_case("rel")
                    && value.trim().trim_matches('"').split(' ').any(|rel| rel == "next")
            });
        if is_next {
            return Some(target);
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_next_page() {
        assert_eq!(next_link(r#"</v2/a/tags/list?last=x&n=1>; rel="next""#), Some("/v2/a/tags/list?last=x&n=1"));
        assert_eq!(next_link(r#"<a>; rel="prev", <b>; title=x; rel=next"#), Some("b"));
        for none in ["", "<a>", "<a; rel=next", "<a>; rel=\"nextish\"", "a; rel=next"] {
            assert_eq!(next_link(none), None, "{none}");
        }
    }

    #[test]
    fn stays_on_the_host() {
        let at = Url::parse("https://quay.io/v2/a/tags/list?n=2").unwrap();
        let next = |link: &str| {
            let headers = HeaderMap::from_iter([(LINK, format!("<{link}>; rel=\"next\"").parse().unwrap())]);
            next(&at, &headers).map(|url| url.map(String::from))
        };
        assert_eq!(next("?n=2&last=b").unwrap().as_deref(), Some("https://quay.io/v2/a/tags/list?n=2&last=b"));
        assert_eq!(next("https://quay.io/v2/x").unwrap().as_deref(), Some("https://quay.io/v2/x"));
        for refused in [
            "https://evil.example/v2/a",
            "http://quay.io/v2/a",
            "//evil.example/",
            "https://quay.io:444/",
            "?n=2",
            "https://user:secret@quay.io/v2/a",
        ] {
            assert!(next(refused).is_err(), "{refused}");
        }
    }
}
