//! GitHub: the parts of its REST API that list and date releases, and its web host's downloads.

use std::sync::atomic::{AtomicU64, Ordering};

use bundler::oci::Digest;
use serde_json::{Value, json};

use super::answer::{Answer, Request};
use super::history::Tag;
use super::world::World;

/// What GitHub counts for somebody without a token in an hour.
const ANONYMOUS_LIMIT: u64 = 60;
/// What it counts for a token.
const TOKEN_LIMIT: u64 = 5000;

/// The counters of the rate limit.
#[derive(Default)]
pub(crate) struct RateLimit {
    used: AtomicU64,
}

impl RateLimit {
    /// How many requests counted.
    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Uses everything up, or gives everything back.
    pub(crate) fn set(&self, used: u64) {
        self.used.store(used, Ordering::Relaxed);
    }
}

/// Answers `api.github.com/…`; without a token a 304 counts as well.
pub(crate) fn api(world: &World, limit: &RateLimit, request: &Request, path: &str) -> Answer {
    let token = request.header("authorization").is_some();
    let allowed = if token { TOKEN_LIMIT } else { ANONYMOUS_LIMIT };
    let used = limit.used();
    if used >= allowed {
        let message = "API rate limit exceeded for 127.0.0.1.";
        return limited(Answer::json(403, &json!({"message": message})), allowed, used);
    }
    let answer = match find(world, request, path) {
        Some((value, headers)) => {
            let body = bytes::Bytes::from(value.to_string());
            let tag = format!("W/\"{}\"", Digest::of(&body).hex());
            let mut answer = Answer::new(200, "application/json; charset=utf-8", body).with("etag", tag);
            answer.headers.extend(headers);
            answer
        }
        None => Answer::json(404, &json!({"message": "Not Found", "status": "404"})),
    };
    let free = token && answer.clone().conditional(request).status == 304;
    let used = if free { used } else { limit.used.fetch_add(1, Ordering::Relaxed) + 1 };
    limited(answer, allowed, used)
}

fn limited(answer: Answer, allowed: u64, used: u64) -> Answer {
    let reset = jiff::Timestamp::now().as_second() + 1800;
    answer
        .with("x-ratelimit-limit", allowed.to_string())
        .with("x-ratelimit-remaining", allowed.saturating_sub(used).to_string())
        .with("x-ratelimit-used", used.to_string())
        .with("x-ratelimit-reset", reset.to_string())
}

type Found = (Value, Vec<(&'static str, String)>);

fn find(world: &World, request: &Request, path: &str) -> Option<Found> {
    let path = path.strip_prefix("repos/")?;
    let (owner, rest) = path.split_once('/')?;
    let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let repository = format!("{owner}/{name}");
    world.table.github.get(&repository)?;
    let one = |value: Value| Some((value, Vec::new()));
    if let Some(tag) = rest.strip_prefix("releases/tags/") {
        let tag = world.histories.tags(&repository).iter().find(|known| known.name == tag)?;
        return one(release(world, &repository, tag, true)?);
    }
    if let Some(id) = rest.strip_prefix("git/commits/") {
        let tag = world.histories.tags(&repository).iter().find(|tag| commit(world, &repository, &tag.name) == id)?;
        let person = json!({"name": "A Maintainer", "email": "maintainer@example.com", "date": second(tag)});
        return one(json!({"sha": id, "author": person, "committer": person, "message": tag.name}));
    }
    match rest {
        "" => one(repository_itself(world, &repository)),
        "releases" => page(world, request, &repository, |tag| release(world, &repository, tag, false)),
        "tags" => page(world, request, &repository, |tag| {
            Some(json!({"name": tag.name, "commit": {"sha": commit(world, &repository, &tag.name)}}))
        }),
        _ => None,
    }
}

/// What the API tells of a repository, as far as anybody asks.
fn repository_itself(world: &World, name: &str) -> Value {
    let (archived, licence) = world.about(name);
    let licence = licence.map_or(Value::Null, |id| json!({"key": id.to_lowercase(), "name": id, "spdx_id": id}));
    let pushed = world.histories.tags(name).last().map(second);
    json!({"full_name": name, "archived": archived, "license": licence, "pushed_at": pushed, "default_branch": "main"})
}

/// One page of a list, newest first, with a link to the next.
fn page(world: &World, request: &Request, repository: &str, show: impl Fn(&Tag) -> Option<Value>) -> Option<Found> {
    let number = |name, usual: usize| request.query(name).map_or(Some(usual), |text| text.parse().ok());
    let (size, page) = (number("per_page", 30)?.clamp(1, 100), number("page", 1)?.max(1));
    let mut all = world.histories.tags(repository).iter().rev().filter_map(&show).skip((page - 1) * size);
    let items: Vec<_> = all.by_ref().take(size).collect();
    let mut headers = Vec::new();
    if all.next().is_some() {
        let path = request.target.split_once('/')?.1;
        let next = format!("<https://api.github.com/{path}?per_page={size}&page={}>; rel=\"next\"", page + 1);
        headers.push(("link", next));
    }
    Some((items.into(), headers))
}

/// A release; its assets only where it is asked for alone.
fn release(world: &World, repository: &str, tag: &Tag, with_assets: bool) -> Option<Value> {
    let prerelease = world.release(repository, &tag.name)?;
    let page = format!("https://github.com/{repository}/releases");
    let mut assets = Vec::new();
    if with_assets {
        let below = format!("{page}/download/{}/", tag.name);
        for download in world.downloads(repository, &tag.name, &below) {
            let bytes = world.file(&download.url)?;
            assets.push(asset(tag, download.name(), &download.url, &bytes));
        }
        for helm in world.table.helm.iter().filter(|helm| helm.of == repository) {
            for chart in world.charts(helm).filter(|chart| chart.tag.name == tag.name) {
                if let Some(bytes) = world.chart(&chart) {
                    let name = format!("{}-{}.tgz", chart.name, chart.version);
                    assets.push(asset(tag, &name, &format!("{below}{name}"), &bytes));
                }
            }
        }
        assets.dedup();
    }
    Some(json!({
        "id": id(&format!("{repository} {}", tag.name)),
        "url": format!("https://api.github.com/repos/{repository}/releases/{}", id(&tag.name)),
        "html_url": format!("{page}/tag/{}", tag.name),
        "assets_url": format!("https://api.github.com/repos/{repository}/releases/{}/assets", id(&tag.name)),
        "upload_url": format!("https://uploads.github.com/repos/{repository}/releases/{}/assets{{?name,label}}", id(&tag.name)),
        "tag_name": tag.name,
        "target_commitish": "main",
        "name": tag.name,
        "body": "Release notes.",
        "draft": false,
        "prerelease": prerelease,
        "created_at": second(tag),
        "published_at": second(tag),
        "assets": assets,
    }))
}

fn asset(tag: &Tag, name: &str, url: &str, bytes: &[u8]) -> Value {
    json!({
        "id": id(url),
        "name": name,
        "label": "",
        "state": "uploaded",
        "content_type": "application/octet-stream",
        "size": bytes.len(),
        "digest": Digest::of(bytes).to_string(),
        "download_count": 1,
        "created_at": second(tag),
        "updated_at": second(tag),
        "browser_download_url": url,
        "url": format!("https://api.github.com/assets/{}", id(url)),
    })
}

/// GitHub's dates are whole seconds in UTC.
fn second(tag: &Tag) -> String {
    tag.date.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn id(text: &str) -> u32 {
    let digest = Digest::of(text.as_bytes());
    digest.as_bytes()[..3].iter().fold(0, |id, byte| id << 8 | u32::from(*byte))
}

/// The commit of a tag.
pub(crate) fn commit(world: &World, repository: &str, tag: &str) -> String {
    object(world, "commit", repository, tag)
}

/// The object of an annotated tag, else the commit.
pub(crate) fn tag_object(world: &World, repository: &str, tag: &str) -> String {
    let annotated = world.table.github.get(repository).is_some_and(|repository| repository.annotated);
    object(world, if annotated { "tag" } else { "commit" }, repository, tag)
}

fn object(world: &World, kind: &str, repository: &str, tag: &str) -> String {
    let revision = world.revision(&format!("{repository}@{tag}"));
    let mut id = Digest::of(format!("{kind} {repository} {tag} {revision}").as_bytes()).hex();
    id.truncate(40);
    id
}
