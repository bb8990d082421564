//! The pull side of OCI registries (OCI distribution-spec v1.1), each with the habits of its original.

use std::sync::atomic::{AtomicU32, Ordering};

use bundler::oci::Digest;
use serde_json::json;

use super::answer::{Answer, Request};
use super::table::Redirect;
use super::world::World;

/// What registries hand out and forget: tokens, and addresses of blobs.
#[derive(Default)]
pub(crate) struct Passes {
    tokens: AtomicU32,
    redirects: AtomicU32,
}

impl Passes {
    /// Makes every token of before worthless.
    pub(crate) fn expire_tokens(&self) {
        self.tokens.fetch_add(1, Ordering::Relaxed);
    }

    /// Makes every address of a blob of before worthless.
    pub(crate) fn expire_redirects(&self) {
        self.redirects.fetch_add(1, Ordering::Relaxed);
    }

    fn token(&self, scope: &str) -> String {
        Digest::of(format!("token {} {scope}", self.tokens.load(Ordering::Relaxed)).as_bytes()).hex()
    }

    fn signature(&self, target: &str) -> String {
        Digest::of(format!("address {} {target}", self.redirects.load(Ordering::Relaxed)).as_bytes()).hex()
    }
}

/// Answers `token?scope=repository:<name>:pull`.
pub(crate) fn token(passes: &Passes, request: &Request) -> Answer {
    match request.query("scope") {
        Some(scope) if scope.ends_with(":pull") => {
            Answer::json(200, &json!({"token": passes.token(scope), "expires_in": 300}))
        }
        _ => Answer::json(400, &json!({"details": "a scope to pull is needed"})),
    }
}

/// Answers a request to a registry. `here` and `storage` are the upstream's own addresses.
pub(crate) fn serve(world: &World, passes: &Passes, request: &Request, here: &str, storage: &str) -> Answer {
    let target = request.target.trim_end_matches('/');
    let (registry, _) = target.split_once('/').unwrap_or((target, ""));
    let row = world.table.registries.get(registry).copied().unwrap_or_default();
    let Some((name, kind, reference)) = parts(target) else {
        // The first question of skopeo and containerd, for whichever registry they mean.
        let challenge = format!("Bearer realm=\"{here}/token\",service=\"upstream\"");
        return error(401, "UNAUTHORIZED", "authentication required").with("www-authenticate", challenge);
    };
    if row.token {
        let scope = format!("repository:{name}:pull");
        let wanted = format!("Bearer {}", passes.token(&scope));
        if request.header("authorization") != Some(wanted.as_str()) {
            let challenge = format!("Bearer realm=\"{here}/token\",service=\"{registry}\",scope=\"{scope}\"");
            return error(401, "UNAUTHORIZED", "authentication required").with("www-authenticate", challenge);
        }
    }
    if row.redirect == Redirect::All && kind != "tags" {
        return Answer::redirect(307, format!("{storage}/v2/{target}"));
    }
    match kind {
        "tags" => tags(world, request, name),
        "blobs" if row.redirect == Redirect::Blobs => match reference.parse() {
            Ok(digest) if world.blob(name, digest).is_some() => {
                let signature = passes.signature(reference);
                Answer::redirect(307, format!("{storage}/{reference}?signature={signature}"))
            }
            _ => unknown_blob(),
        },
        _ => object(world, name, kind, reference),
    }
}

/// Answers a request to the host behind the registries.
pub(crate) fn serve_storage(world: &World, passes: &Passes, request: &Request) -> Answer {
    // Like S3: credentials of the registry that a client carries here are an error, not ignored.
    if request.header("authorization").is_some() {
        return Answer::new(400, "application/xml", "<Error><Code>InvalidArgument</Code></Error>");
    }
    let target = request.target.strip_prefix("storage/").unwrap_or_default();
    if request.registry {
        return parts(target)
            .map_or_else(Answer::not_found, |(name, kind, reference)| object(world, name, kind, reference));
    }
    if let Ok(digest) = target.parse() {
        if request.query("signature") != Some(passes.signature(target).as_str()) {
            return Answer::new(403, "application/xml", "<Error><Code>AccessDenied</Code></Error>");
        }
        return world.stored(digest).map_or_else(Answer::not_found, |b| Answer::content("application/octet-stream", b));
    }
    world
        .file(&format!("https://{target}"))
        .map_or_else(Answer::not_found, |b| Answer::content("application/octet-stream", b))
}

/// The repository (with its registry), what is asked of it, and the reference.
fn parts(target: &str) -> Option<(&str, &'static str, &str)> {
    if let Some(name) = target.strip_suffix("/tags/list") {
        return Some((name, "tags", ""));
    }
    ["manifests", "blobs", "referrers"].into_iter().find_map(|kind| {
        let (name, reference) = target.rsplit_once(&format!("/{kind}/"))?;
        Some((name, kind, reference))
    })
}

fn object(world: &World, name: &str, kind: &str, reference: &str) -> Answer {
    if kind == "referrers" {
        // Nothing is attached to what is here, and none of these registries has the API.
        return Answer::not_found();
    }
    if kind == "blobs" {
        let blob = reference.parse().ok().and_then(|digest| world.blob(name, digest));
        return blob.map_or_else(unknown_blob, |bytes| {
            Answer::content("application/octet-stream", bytes).with("docker-content-digest", reference)
        });
    }
    let found = match reference.parse::<Digest>() {
        Ok(digest) => world.manifest(name, digest).map(|(media_type, bytes)| (media_type, digest, bytes)),
        Err(_) => world.manifest_by_tag(name, reference),
    };
    let Some((media_type, digest, bytes)) = found else {
        return error(404, "MANIFEST_UNKNOWN", "manifest unknown");
    };
    let mut answer = Answer::new(200, media_type, bytes).with("etag", format!("\"{digest}\""));
    answer = answer.with("docker-content-digest", digest.to_string());
    if name.starts_with("docker.io/") {
        answer = answer.with("ratelimit-limit", "100;w=21600").with("ratelimit-remaining", "99;w=21600");
    }
    answer
}

/// The tags in lexical order, in pages.
fn tags(world: &World, request: &Request, name: &str) -> Answer {
    const USUAL_PAGE: usize = 100;
    const LARGEST_PAGE: usize = 1000;
    let Some(mut tags) = world.image_tags(name) else { return error(404, "NAME_UNKNOWN", "repository name not known") };
    tags.sort();
    tags.dedup();
    if let Some(last) = request.query("last") {
        tags.retain(|tag| tag.as_str() > last);
    }
    let asked = request.query("n").and_then(|n| n.parse().ok()).unwrap_or(USUAL_PAGE);
    let size = asked.clamp(1, LARGEST_PAGE);
    let more = tags.len() > size;
    tags.truncate(size);
    let answer = Answer::json(200, &json!({"name": name, "tags": tags}));
    match tags.last() {
        Some(last) if more => answer.with("link", format!("</v2/{name}/tags/list?last={last}&n={size}>; rel=\"next\"")),
        _ => answer,
    }
}

fn unknown_blob() -> Answer {
    error(404, "BLOB_UNKNOWN", "blob unknown to registry")
}

fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!({"errors": [{"code": code, "message": message}]}))
}
