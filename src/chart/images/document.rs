//! Cutting Helm's output into documents, and reading one without losing how a scalar was written.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::yaml::{self, Spanned, YamlError};

/// One YAML document of a rendered chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Document<'a> {
    /// The template that gave it, from Helm's `# Source:` line; empty where there is none.
    pub template: &'a str,
    /// The line of the whole text on which it begins, from 1.
    pub line: u64,
    /// Its text.
    pub text: &'a str,
}

/// Cuts a text at its `---` lines; empty documents are left out.
///
/// A document without a `# Source:` line of its own comes from the template of the one before it: a file
/// in `crds/` is printed as it is, with all of its documents.
pub fn documents(text: &str) -> impl Iterator<Item = Document<'_>> {
    let mut template = "";
    cut(text).filter_map(move |(line, text)| {
        let source =
            text.lines().take_while(|l| l.is_empty() || l.starts_with('#')).find_map(|l| l.strip_prefix("# Source: "));
        template = source.unwrap_or(template).trim_end();
        let empty = text.lines().all(|l| l.trim().is_empty() || l.trim_start().starts_with('#'));
        (!empty).then_some(Document { template, line, text })
    })
}

fn cut(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let mut rest = Some(text);
    let mut line = 1;
    std::iter::from_fn(move || {
        let text = rest?;
        let (mut offset, mut count) = (0, 0);
        for part in text.split_inclusive('\n') {
            count += 1;
            let marker = part.trim_end();
            if marker == "---" || marker.strip_prefix("--- ").is_some_and(|m| m.trim_start().starts_with('#')) {
                let document = (line, &text[..offset]);
                rest = Some(&text[offset + part.len()..]);
                line += count;
                return Some(document);
            }
            offset += part.len();
        }
        rest = None;
        Some((line, text))
    })
}

/// Untyped YAML or JSON. A scalar keeps the text that stands in the file: `1.20` is no number here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Null,
    Scalar(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Node {
    /// Reads one document; `file` only names it in errors.
    pub(super) fn parse(file: &str, text: &str) -> Result<Self, YamlError> {
        let (raw, text) = yaml::parse_mended::<Spanned<Raw>>(file, text)?;
        Ok(raw.value.resolve(&text, raw.referenced))
    }

    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(map) = self else { return None };
        map.iter().find(|(k, _)| k == key).map(|(_, value)| value)
    }

    /// Follows a path of keys.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Scalar(text) = self { Some(text) } else { None }
    }

    pub(super) fn list(&self) -> &[Self] {
        if let Self::List(list) = self { list } else { &[] }
    }
}

/// What the YAML library gives; the places are needed to look a plain scalar's text up.
enum Raw {
    Null,
    /// A number or a truth value; `n` and `1.20` are texts to whoever wrote them.
    Plain,
    Text(String),
    List(Vec<Spanned<Self>>),
    Map(Vec<(String, Spanned<Self>)>),
}

impl Raw {
    fn resolve(self, source: &str, place: serde_saphyr::Location) -> Node {
        let each = |raw: Spanned<Self>| raw.value.resolve(source, raw.referenced);
        match self {
            Self::Null => Node::Null,
            Self::Text(text) => Node::Scalar(text),
            Self::Plain => {
                let span = place.span();
                let bounds = span.byte_offset().zip(span.byte_len());
                let text = bounds.and_then(|(from, length)| source.get(from as usize..(from + length) as usize));
                Node::Scalar(text.unwrap_or_default().trim().to_owned())
            }
            Self::List(list) => Node::List(list.into_iter().map(each).collect()),
            Self::Map(map) => Node::Map(map.into_iter().map(|(key, raw)| (key, each(raw))).collect()),
        }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Raw;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("YAML")
            }

            fn visit_unit<E>(self) -> Result<Raw, E> {
                Ok(Raw::Null)
            }

            fn visit_none<E>(self) -> Result<Raw, E> {
                Ok(Raw::Null)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
                Ok(Raw::Plain)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
                Ok(Raw::Plain)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
                Ok(Raw::Plain)
            }

            fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
                Ok(Raw::Plain)
            }

            fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
                Ok(Raw::Plain)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
                Ok(Raw::Plain)
            }

            fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
                Ok(Raw::Text(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Raw, E> {
                Ok(Raw::Text(text))
            }

            fn visit_bytes<E>(self, _: &[u8]) -> Result<Raw, E> {
                Ok(Raw::Null)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = seq.next_element()? {
                    list.push(item);
                }
                Ok(Raw::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
                let mut map = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    map.push(entry);
                }
                Ok(Raw::Map(map))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_know_their_template_and_line() {
        let text = "---\n# Source: a/crds/x.yaml\nkind: A\n---\nkind: B\n--- # again\n# only a comment\n---\n# Source: a/templates/y.yaml\n\nkind: C\ntext: |\n  ---\n";
        let all: Vec<_> = documents(text).map(|d| (d.template, d.line, d.text.lines().last().unwrap())).collect();
        assert_eq!(
            all,
            [("a/crds/x.yaml", 2, "kind: A"), ("a/crds/x.yaml", 5, "kind: B"), ("a/templates/y.yaml", 9, "  ---")]
        );
    }

    #[test]
    fn a_number_keeps_its_text() {
        let node = Node::parse(
            "x",
            "é: 1.20\nb: [8, 010, 0x1F, 1e3]\nc: {d: 1_0, e: ~, f: yes, g: !!str 7}\nh: &a 1.10\ni: *a\n",
        )
        .unwrap();
        let text = |path: &[&str]| node.at(path).unwrap().text().map(str::to_owned);
        assert_eq!(text(&["é"]).as_deref(), Some("1.20"));
        let list: Vec<_> = node.get("b").unwrap().list().iter().map(|n| n.text().unwrap()).collect();
        assert_eq!(list, ["8", "010", "0x1F", "1e3"]);
        assert_eq!(text(&["c", "d"]).as_deref(), Some("1_0"));
        assert_eq!(text(&["c", "e"]), None);
        assert_eq!(text(&["c", "g"]).as_deref(), Some("7"));
        assert_eq!(text(&["h"]).as_deref(), Some("1.10"));
        let json = Node::parse("x", "{\"a\": 1.30, \"b\": [true, null]}").unwrap();
        assert_eq!(json.get("a").unwrap().text(), Some("1.30"));
    }
}
