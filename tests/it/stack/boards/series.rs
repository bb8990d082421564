//! `tests/data/series.yaml`: the series of a small site, and where each name comes from.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// A source of series.
pub(in super::super) struct Source {
    /// Debian's program that has them.
    pub(super) live: Option<String>,
    /// Labels that the program does not set.
    pub(super) target: BTreeSet<String>,
    pub(in super::super) series: Vec<Series>,
}

/// One series.
pub(in super::super) struct Series {
    /// `name{label="value"}`.
    pub(super) text: String,
    pub(in super::super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    /// In promtool's notation.
    pub(super) values: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    live: Option<String>,
    upstream: Option<String>,
    #[serde(default)]
    target: BTreeSet<String>,
    series: BTreeMap<String, String>,
}

pub(in super::super) fn read() -> Vec<Source> {
    let file = super::root().join("tests/data/series.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let written: Vec<Written> = bundler::yaml::parse("tests/data/series.yaml", &text).unwrap();
    let sources = written.into_iter().map(|source| {
        let named = source.upstream.as_deref().is_some_and(|upstream| upstream.starts_with("https://"));
        assert!(named != source.live.is_some(), "either a program or an address");
        let series = source.series.into_iter().map(|(text, values)| {
            let (name, labels) = sample(&text);
            Series { text, name, labels, values }
        });
        Source { live: source.live, target: source.target, series: series.collect() }
    });
    sources.collect()
}

/// The name and labels of a line in the text format.
pub(super) fn sample(line: &str) -> (String, BTreeMap<String, String>) {
    let Some((name, rest)) = line.split_once('{') else {
        return (line.split(' ').next().unwrap().to_owned(), BTreeMap::new());
    };
    let mut labels = BTreeMap::new();
    let mut rest = rest;
    while let Some((label, more)) = rest.split_once("=\"") {
        let end = more.char_indices().find(|(at, c)| *c == '"' && !more[..*at].ends_with('\\')).unwrap().0;
        labels.insert(label.trim_start_matches(',').to_owned(), more[..end].to_owned());
        rest = &more[end + 1..];
        if rest.starts_with('}') {
            break;
        }
    }
    (name.to_owned(), labels)
}
