//! Walking a structure that no schema describes: custom resources and what is inside ConfigMaps.

use std::collections::HashMap;

use super::document::Node;
use super::guess::{Trust, is_image, is_registry, trust_of, words};
use super::text;
use super::{Kind, Sink};
use crate::oci::Reference;

/// How deep texts within texts are read: a ConfigMap with JSON with a template is three.
const MAX_TEXTS: usize = 4;

/// Registry and tag that hold for everything below, as in `global: {hub: …, tag: …}`.
#[derive(Clone, Debug, Default)]
struct Context {
    hub: Option<String>,
    tag: Option<String>,
    /// What Istio appends to every tag of a bare name, such as `distroless`.
    variant: Option<String>,
    /// Versions of products by their names: `linkerdVersion: …` is that of `linkerd`.
    products: HashMap<String, String>,
}

/// Walks `node`; `path` is where it stands in its object.
pub(super) fn walk(node: &Node, path: &str, kind: Kind, sink: &mut Sink<'_>) {
    Walk { kind, texts: 0, sink }.node(node, path, "", &Context::default());
}

struct Walk<'a, 's> {
    kind: Kind,
    texts: usize,
    sink: &'a mut Sink<'s>,
}

impl Walk<'_, '_> {
    fn node(&mut self, node: &Node, path: &str, key: &str, context: &Context) {
        match node {
            Node::Null => {}
            // What people read may name an image that nothing runs.
            Node::Scalar(_) if matches!(key, "description" | "summary" | "message" | "title" | "help") => {}
            Node::Scalar(text) => self.scalar(text, path, trust_of(key), self.kind),
            Node::List(list) if is_containers(key, list) => {
                for (position, container) in list.iter().enumerate() {
                    self.container(container, &format!("{path}[{position}]"), context);
                }
            }
            Node::List(list) if is_environment(list) => {
                let kind = if self.kind == Kind::CustomResource { Kind::Environment } else { self.kind };
                environment(list, path, kind, self.sink);
            }
            Node::List(list) if is_arguments(key, list) => {
                let kind = if self.kind == Kind::CustomResource { Kind::Argument } else { self.kind };
                arguments(list, path, kind, self.sink);
            }
            Node::List(list) => {
                for (position, item) in list.iter().enumerate() {
                    self.node(item, &format!("{path}[{position}]"), key, context);
                }
            }
            Node::Map(map) => self.map(map, path, key, context),
        }
    }

    /// A pod's container inside a custom resource: its `image` is one whatever it looks like.
    fn container(&mut self, container: &Node, path: &str, context: &Context) {
        let Node::Map(map) = container else { return };
        let image = container
            .get("image")
            .and_then(Node::text)
            .filter(|i| self.kind == Kind::CustomResource && !i.contains("{{"));
        let Some(image) = image else { return self.map(map, path, "", context) };
        self.sink.pod_image(self.kind, image, &join(path, "image"));
        for (key, value) in map.iter().filter(|(key, _)| key != "image") {
            self.node(value, &join(path, key), key, context);
        }
    }

    fn map(&mut self, map: &[(String, Node)], path: &str, key: &str, context: &Context) {
        let mut context = inherit(map, context);
        let products = map.iter().filter_map(|(key, value)| Some((key.strip_suffix("Version")?, value.text()?.trim())));
        context.products.extend(products.map(|(product, version)| (product.to_owned(), version.to_owned())));
        let context = &context;
        let parts = Parts::new(map, key, context);
        for (name, value) in map {
            match value.text().and_then(|text| parts.compose(name, text)) {
                Some(image) => self.sink.push(self.kind, &image, &join(path, name)),
                None => self.node(value, &join(path, name), name, context),
            }
        }
    }

    fn scalar(&mut self, text: &str, path: &str, trust: Trust, kind: Kind) {
        let text = text.trim();
        // A text in which no reference can stand costs nothing more.
        if !text.contains([':', '@', '/']) {
            return;
        }
        if !text.contains([' ', '\n', '\t', '"', '=', ',', '{']) {
            if is_image(text, trust) {
                self.sink.push(kind, text, path);
            }
            return;
        }
        if self.texts < MAX_TEXTS
            && let Some(node) = structure(text)
        {
            self.texts += 1;
            self.node(&node, path, "", &Context::default());
            self.texts -= 1;
            return;
        }
        for (line, image) in text::scan(text, trust) {
            let place = if text.contains('\n') { format!("{path}, line {line}") } else { path.to_owned() };
            self.sink.push(kind, &image, &place);
        }
    }
}

/// Reads a text as YAML or JSON when it speaks of images and is a map or a list.
fn structure(text: &str) -> Option<Node> {
    let structured = text.starts_with(['{', '[']) || text.contains(":\n") || text.contains(": ");
    let lower = text.to_ascii_lowercase();
    if !structured || !["image", "repositor", "hub"].iter().any(|word| lower.contains(word)) {
        return None;
    }
    let mut documents = super::document::documents(text);
    let first = documents.next()?;
    let node = match documents.next() {
        None => Node::parse("", first.text).ok()?,
        Some(second) => {
            let all = [first, second].into_iter().chain(documents);
            Node::List(all.map(|d| Node::parse("", d.text).ok()).collect::<Option<_>>()?)
        }
    };
    matches!(node, Node::Map(_) | Node::List(_)).then_some(node)
}

/// The scalars of a map by the letters of their keys, for images that are written in several of them.
struct Parts<'a> {
    scalars: HashMap<String, &'a str>,
    /// The map is the value of a key that names an image.
    named: bool,
    context: &'a Context,
}

impl<'a> Parts<'a> {
    fn new(map: &'a [(String, Node)], key: &str, context: &'a Context) -> Self {
        let mut scalars = HashMap::new();
        for (key, value) in map {
            let text = value.text().map(str::trim).filter(|text| !text.is_empty());
            if let Some(text) = text {
                scalars.entry(words(key).concat()).or_insert(text);
            }
        }
        Self { scalars, named: trust_of(key) == Trust::Named, context }
    }

    /// The image that the key `name` with the value `text` is the repository of, as one reference.
    fn compose(&self, name: &str, text: &str) -> Option<String> {
        let key = words(name).concat();
        let text = text.trim();
        let (prefix, image) = ["imagerepository", "imagerepo", "imagename", "repository", "repo", "image", "name"]
            .iter()
            .find_map(|end| Some((key.strip_suffix(end)?, *end)))?;
        let own = image.starts_with("image");
        if text.is_empty() || text.contains("://") || (image == "name" && !self.named) {
            return None;
        }
        if matches!(image, "repository" | "repo") && self.scalars.contains_key(&format!("{prefix}image")) {
            // `repository: reg.io/org, image: name, version: 1`: the image's key puts them together.
            return None;
        }
        let first = text.split('/').next().unwrap_or_default();
        let has_host = text.contains('/') && first.contains(['.', ':']);
        let last = text.rsplit('/').next().unwrap_or_default();
        let whole = last.contains([':', '@']);
        let digest = self.one(prefix, own, &["imagedigest", "digest", "imagesha", "sha", "sha256"]);
        let tag = self.one(prefix, own, &["imagetag", "tag"]);
        let version = || self.one(prefix, own, &["imageversion", "version", "defaultimageversion"]);
        // A bare word is an image only together with a tag beside it, or a hub and a tag above it.
        let hub = self.one(prefix, own, &["imageregistry", "registry", "imagehub", "hub"]);
        let hub =
            hub.or_else(|| self.one(prefix, own, &["repository"]).filter(|_| image == "image" && !text.contains('/')));
        let hub = hub.or_else(|| self.context.hub.as_deref().filter(|_| own && !text.contains('/')));
        let inherited = self.context.tag.as_deref().filter(|_| own && hub.is_some());
        let tag = if whole { None } else { tag.or_else(|| version().filter(|_| own || self.named)).or(inherited) };
        // Where a version is asked for, a digest may be given.
        let (tag, digest) = if tag.is_some_and(|t| t.starts_with("sha256:")) { (None, tag) } else { (tag, digest) };
        // Left empty beside the image, it is that of the product: `linkerdVersion` for `cr.l5d.io/linkerd/debug`.
        let product = || self.context.products.get(text.rsplit('/').nth(1)?).map(String::as_str);
        let tag = tag.or_else(|| product().filter(|_| self.named && has_host && !whole && digest.is_none()));
        if !whole && tag.is_none() && digest.is_none() {
            return None;
        }
        let mut image = match hub {
            Some(hub) if !has_host => format!("{}/{text}", hub.trim_end_matches('/')),
            _ => text.to_owned(),
        };
        if let Some(tag) = tag {
            image = format!("{image}:{tag}");
            // The hub of the context, not a registry beside the image, is what a variant belongs to.
            let variant =
                self.context.variant.as_ref().filter(|v| {
                    own && hub.is_some() && hub == self.context.hub.as_deref() && !tag.ends_with(v.as_str())
                });
            if let Some(variant) = variant {
                image = format!("{image}-{variant}");
            }
        }
        if let Some(digest) = digest.filter(|_| !text.contains('@')) {
            let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
            image = format!("{image}@sha256:{hex}");
        }
        // Nothing was put together: the scalar stands for itself, under its own key's trust.
        let trust = if image == text { trust_of(name) } else { Trust::Named };
        is_image(&image, trust).then_some(image)
    }

    /// The image of a variable whose version has less of its name: `PRODUCT_SERVER_IMAGE` and `SERVER_VERSION`.
    fn with_shorter_name(&self, name: &str, text: &str) -> Option<String> {
        let text = text.trim();
        let bare = text.parse::<Reference>().is_ok_and(|r| r.tag().is_none() && r.digest().is_none());
        if !bare || !text.contains('/') || trust_of(name) != Trust::Named {
            return None;
        }
        let words = words(name);
        let before = words.iter().position(|word| word == "image")?;
        let ends = ["imagetag", "tag", "imageversion", "version"];
        let keys = (1..before).flat_map(|from| ends.map(|end| format!("{}{end}", words[from..before].concat())));
        let tag = keys.into_iter().find_map(|key| self.scalars.get(&key).copied())?;
        Some(format!("{text}:{tag}")).filter(|image| is_image(image, Trust::Named))
    }

    /// The first of `ends` after `prefix` that has a text; a key of another prefix is another image's.
    fn one(&self, prefix: &str, own: bool, ends: &[&str]) -> Option<&'a str> {
        // `baseImage: x` has its tag in `tag` as often as in `baseTag`.
        let prefixes =
            [prefix, ""].into_iter().take(if matches!(prefix, "base" | "default" | "container") { 2 } else { 1 });
        let candidates = prefixes.flat_map(|prefix| {
            ends.iter().flat_map(move |end| [format!("{prefix}{end}"), format!("{prefix}image{end}")])
        });
        candidates
            .filter(|key| own || !prefix.is_empty() || !key.starts_with("image"))
            .find_map(|key| self.scalars.get(&key).copied())
    }
}

/// What a map adds to the context: its own `hub` (or `base`) and `tag`, or those of a `global` map in it.
fn inherit(map: &[(String, Node)], context: &Context) -> Context {
    let get = |map: &[(String, Node)], name: &str| {
        let text = map.iter().find(|(key, _)| key == name)?.1.text()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let global = map
        .iter()
        .find(|(key, _)| key == "global")
        .and_then(|(_, value)| if let Node::Map(m) = value { Some(m) } else { None });
    for map in [Some(map), global.map(Vec::as_slice)].into_iter().flatten() {
        let base = || get(map, "base").filter(|base| is_registry(base));
        let hub = get(map, "hub").or_else(|| get(map, "imageRegistry")).or_else(base);
        if hub.is_some() {
            let tag = get(map, "tag").or_else(|| context.tag.clone());
            let variant = get(map, "variant").or_else(|| context.variant.clone());
            return Context { hub, tag, variant, products: context.products.clone() };
        }
    }
    // Names below it may differ and share its tag: one image for each operating system.
    match get(map, "tag").filter(|_| context.hub.is_some()) {
        Some(tag) => Context { tag: Some(tag), ..context.clone() },
        None => context.clone(),
    }
}

fn is_containers(key: &str, list: &[Node]) -> bool {
    matches!(key, "containers" | "initContainers" | "ephemeralContainers" | "sidecars")
        && list.iter().all(|item| item.get("name").is_some())
}

fn is_environment(list: &[Node]) -> bool {
    !list.is_empty()
        && list.iter().all(|item| {
            let Node::Map(map) = item else { return false };
            item.get("name").is_some() && map.iter().all(|(k, _)| matches!(k.as_str(), "name" | "value" | "valueFrom"))
        })
}

fn is_arguments(key: &str, list: &[Node]) -> bool {
    let key = key.to_ascii_lowercase();
    (key.ends_with("args") || key == "command") && list.iter().all(|item| item.text().is_some())
}

/// A container's arguments: each for itself, and a flag together with the value after it.
pub(super) fn arguments(list: &[Node], path: &str, kind: Kind, sink: &mut Sink<'_>) {
    let mut flag = Trust::Anywhere;
    for (position, argument) in list.iter().enumerate() {
        let Some(argument) = argument.text() else { continue };
        let path = format!("{path}[{position}]");
        for (line, image) in text::scan(argument, flag) {
            let place = if argument.contains('\n') { format!("{path}, line {line}") } else { path.clone() };
            sink.push(kind, &image, &place);
        }
        let alone = argument.starts_with('-') && !argument.contains(['=', ' ']);
        flag = if alone { trust_of(argument) } else { Trust::Anywhere };
    }
}

/// Environment variables, also a repository and its tag in two of them.
pub(super) fn environment(list: &[Node], path: &str, kind: Kind, sink: &mut Sink<'_>) {
    let scalars = |item: &Node| Some((item.get("name")?.text()?.to_owned(), item.get("value")?.clone()));
    let variables: Vec<(String, Node)> = list.iter().filter_map(scalars).collect();
    let context = Context::default();
    let parts = Parts::new(&variables, "", &context);
    for (position, item) in list.iter().enumerate() {
        let (Some(name), Some(value)) = (item.get("name").and_then(Node::text), item.get("value").and_then(Node::text))
        else {
            continue;
        };
        let path = format!("{path}[{position}].value ({name})");
        match parts.compose(name, value).or_else(|| parts.with_shorter_name(name, value)) {
            Some(image) => sink.push(kind, &image, &path),
            None => Walk { kind, texts: 0, sink }.scalar(value, &path, trust_of(name), kind),
        }
    }
}

pub(super) fn join(path: &str, key: &str) -> String {
    match (path.is_empty(), key.contains(['.', '/', ' '])) {
        (_, true) => format!("{path}[{key:?}]"),
        (true, false) => key.to_owned(),
        (false, false) => format!("{path}.{key}"),
    }
}
