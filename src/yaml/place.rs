//! Finding the place of something in a document's text, for errors about what a model has lost the place of.

use std::fmt;

use super::{Place, Spanned};

/// Where a key or a list's item is in a document, named by its path, such as `["files", "0", "url"]`.
///
/// Only errors need it, so nothing is kept from reading; what is not there has the place of what it should be in.
#[must_use]
pub fn place_of(text: &str, path: &[&str]) -> Place {
    Skeleton::of(text).place(path)
}

/// A document's keys and items with their places, for the places of many things in it.
pub(super) struct Skeleton(Option<Spanned<Node>>);

impl Skeleton {
    pub(super) fn of(text: &str) -> Self {
        Self(skeleton(text))
    }

    pub(super) fn place(&self, path: &[&str]) -> Place {
        self.0.as_ref().map_or_else(Place::default, |root| walk(&root.value, path))
    }
}

fn walk(root: &Node, path: &[&str]) -> Place {
    let (mut node, mut place) = (root, Place::default());
    for step in path {
        let next = match node {
            Node::Map(entries) => {
                entries.iter().find(|(key, _)| key.value == *step).map(|(key, value)| (key.into(), value))
            }
            Node::List(items) => step.parse().ok().and_then(|i: usize| items.get(i)).map(|item| (item.into(), item)),
            Node::Scalar => None,
        };
        let Some((at, below)) = next else { break };
        (place, node) = (at, &below.value);
    }
    place
}

/// The keys of a map with their places, in the file's order and as they are written there.
#[must_use]
pub fn keys_of(text: &str, key: &str) -> Vec<(String, Place)> {
    let Some(Node::Map(root)) = skeleton(text).map(|root| root.value) else { return Vec::new() };
    let Some(Node::Map(entries)) = root.into_iter().find(|(k, _)| k.value == key).map(|(_, v)| v.value) else {
        return Vec::new();
    };
    entries
        .into_iter()
        .map(|(key, _)| {
            let place = Place::from(&key);
            (key.value, place)
        })
        .collect()
}

fn skeleton(text: &str) -> Option<Spanned<Node>> {
    // `1e999` may be a version, and would be refused as a number.
    let policy = serde_saphyr::options::NonFiniteFloatPolicy::PassThrough;
    let options = serde_saphyr::options! { non_finite_float_policy: policy };
    serde_saphyr::from_str_with_options(text, options).ok()
}

/// A document's nodes: keys and items with their places.
enum Node {
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
    List(Vec<Spanned<Node>>),
    Scalar,
}

impl<'de> serde::Deserialize<'de> for Node {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("YAML")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Node::Map(entries))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Node::List(items))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_str<E>(self, _: &str) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Scalar)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a: 1\nfiles:\n  - name: k3s\n    url: {amd64: x, arm64: 1e999}\n  - name: yq\n";

    #[test]
    fn finds_places() {
        let at = |path: &[&str]| {
            let place = place_of(TEXT, path);
            (place.line, place.column)
        };
        assert_eq!(at(&["files"]), (2, 1));
        assert_eq!(at(&["files", "0", "url", "arm64"]), (4, 21));
        assert_eq!(at(&["files", "1", "name"]), (5, 5));
        assert_eq!(at(&["files", "1", "missing", "x"]), (5, 5));
        assert_eq!(at(&[]), (0, 0));
        assert_eq!(place_of("{", &["a"]), Place::default());
    }

    #[test]
    fn lists_keys_as_they_are_written() {
        let keys = keys_of("images:\n  b:1: x\n  \"a:1\": y\n", "images");
        let keys: Vec<_> = keys.iter().map(|(key, place)| (key.as_str(), place.line)).collect();
        assert_eq!(keys, [("b:1", 2), ("a:1", 3)]);
        assert_eq!(keys_of("images: 1", "images"), []);
    }
}
