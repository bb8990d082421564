//! A Helm repository's `index.yaml`, parsed for one chart (Helm, "The Chart Repository Guide").
//!
//! A real index has 20 MB and sixty charts, of which one is wanted. Its block of lines is cut out first
//! and parsed alone. JSON, and a small index in a style that the cut does not know, are parsed whole.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use url::Url;

use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::Digest;
use crate::yaml::{self, Place, YamlError};

/// The largest index that is read, 64 MiB: three times the largest that is known.
pub const MAX_INDEX: usize = 64 << 20;

/// One version of a chart as the index lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The chart's name.
    pub name: String,
    /// The version's own text.
    pub version: String,
    /// The version of what it installs, as written.
    pub app_version: Option<String>,
    /// The range of Kubernetes versions that it wants.
    pub kube_version: Option<String>,
    /// When the entry says it was made; some repositories stamp all entries anew at each build.
    pub created: Option<jiff::Timestamp>,
    /// Whether upstream gave the chart up.
    pub deprecated: bool,
    /// Where the archive is, in order, made absolute; may be `oci://`.
    pub urls: Vec<Url>,
    digests: Vec<String>,
}

/// Why an index gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// More bytes than any index has.
    #[error("the index of {repository} has {size} bytes; at most {MAX_INDEX} are read")]
    TooLarge {
        /// The repository.
        repository: String,
        /// Its size.
        size: usize,
    },
    /// It is not what an index is.
    #[error(transparent)]
    Malformed(#[from] YamlError),
    /// It has no chart of that name.
    #[error("{repository} has no chart `{chart}`")]
    NoChart {
        /// The repository.
        repository: String,
        /// The name that was asked for.
        chart: String,
        /// The name that is closest to it.
        nearest: Option<String>,
    },
    /// One version is listed with different contents.
    #[error("the index lists {name} {version} more than once with different digests: {}", .digests.join(" and "))]
    Conflict {
        /// The chart.
        name: String,
        /// The version.
        version: String,
        /// The digests, in the index's order.
        digests: Vec<String>,
    },
    /// A digest that is none.
    #[error("the index gives {name} {version} the digest `{digest}`, which is no sha256")]
    BadDigest {
        /// The chart.
        name: String,
        /// The version.
        version: String,
        /// The text.
        digest: String,
    },
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        Exit::Source
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Malformed(_) => {
                Some("is this the URL of a Helm repository? its index is `URL/index.yaml`".to_owned())
            }
            Self::NoChart { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::Conflict { .. } | Self::BadDigest { .. } => {
                Some("narrow `version` in the component to pass over this entry, and tell upstream".to_owned())
            }
            Self::TooLarge { .. } | Self::NoChart { nearest: None, .. } => None,
        }
    }
}

impl Entry {
    /// The archive's sha256 as published; none where the index gives none.
    ///
    /// Asked of the chosen entry only: a mistake in an old entry must not cost the whole chart.
    pub fn digest(&self) -> Result<Option<Digest>, Error> {
        let (name, version) = (self.name.clone(), self.version.clone());
        match self.digests.as_slice() {
            [] => Ok(None),
            [text] => {
                let hex = text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
                let digest = format!("sha256:{hex}").parse();
                digest.map(Some).map_err(|_| Error::BadDigest { name, version, digest: text.clone() })
            }
            digests => Err(Error::Conflict { name, version, digests: digests.to_vec() }),
        }
    }
}

impl Entry {
    /// Takes in a further entry of the same version.
    fn absorb(&mut self, urls: Vec<Url>, digest: Option<String>) {
        self.urls.extend(urls);
        self.digests.extend(digest.filter(|new| !self.digests.iter().any(|known| same_digest(known, new))));
    }
}

fn same_digest(a: &str, b: &str) -> bool {
    let bare = |text: &str| text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
    bare(a) == bare(b)
}

/// Parses the entries of `chart`, in the index's order, one for each version.
///
/// Of several entries of one version the first counts, its URLs before those of the others; where only a
/// later one has a digest it is taken, and two different digests are an error of [`Entry::digest`].
/// Entries without a version are passed over, as Helm does.
pub fn parse(text: &str, repository: &Url, chart: &str) -> Result<Vec<Entry>, Error> {
    if text.len() > MAX_INDEX {
        return Err(Error::TooLarge { repository: repository.to_string(), size: text.len() });
    }
    let file = index_url(repository).to_string();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let cut = if text.trim_start().starts_with('{') { Cut::Unknown } else { cut(text, chart) };
    let found = match cut {
        Cut::Block { line, text } => Ok(read_block(&file, line, text)?.unwrap_or_default()),
        Cut::Absent(names) => Err(names.into_iter().map(str::to_owned).collect()),
        Cut::Unknown => read_whole(&file, text, chart)?,
    };
    entries(found, repository, chart)
}

/// The same without cutting, for the comparison of the two.
#[cfg(any(test, fuzzing))]
pub(crate) fn parse_whole(text: &str, repository: &Url, chart: &str) -> Result<Vec<Entry>, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    entries(read_whole(index_url(repository).as_str(), text, chart)?, repository, chart)
}

/// The versions of a chart, or the names of the charts that there are instead.
type Found = Result<Vec<Option<RawEntry>>, Vec<String>>;

fn entries(found: Found, repository: &Url, chart: &str) -> Result<Vec<Entry>, Error> {
    let no_chart = |names: Vec<String>| Error::NoChart {
        repository: repository.to_string(),
        chart: chart.to_owned(),
        nearest: nearest(chart, &names),
    };
    Ok(merge(found.map_err(no_chart)?, repository, chart))
}

fn read_whole(file: &str, text: &str, chart: &str) -> Result<Found, YamlError> {
    // JSON is YAML, but its own parser is ten times faster.
    let whole = match text.trim_start().starts_with('{') {
        true => read_json(file, text).or_else(|_| yaml::parse_foreign(file, text))?,
        false => yaml::parse_foreign::<Whole>(file, text)?,
    };
    let mut entries = whole.entries.unwrap_or_default();
    Ok(entries.remove(chart).map(Option::unwrap_or_default).ok_or_else(|| entries.into_keys().collect()))
}

/// The URL of the index of a repository, `URL/index.yaml`; a query stays where it is.
#[must_use]
pub fn index_url(repository: &Url) -> Url {
    let mut url = repository.clone();
    url.set_path(&format!("{}/index.yaml", repository.path().trim_end_matches('/')));
    url
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEntry {
    version: Option<String>,
    app_version: Option<String>,
    kube_version: Option<String>,
    created: Option<String>,
    deprecated: Option<bool>,
    digest: Option<String>,
    urls: Option<Vec<String>>,
}

/// A chart's versions; an empty list and an empty item are read as nothing, as Helm does.
type Versions = Option<Vec<Option<RawEntry>>>;

/// The whole index, for the styles that [`cut`] does not know.
struct Whole {
    entries: Option<BTreeMap<String, Versions>>,
}

/// By hand, because a derived one would take a list for the fields in their order, and a document without `entries`
/// for an index without charts.
impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> serde::de::Visitor<'de> for Reader {
            type Value = Whole;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the index of a Helm repository, a map with `entries`")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Whole, A::Error> {
                let mut whole = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key == "entries" {
                        whole = Some(Whole { entries: map.next_value()? });
                    } else {
                        map.next_value::<serde::de::IgnoredAny>()?;
                    }
                }
                whole.ok_or_else(|| serde::de::Error::missing_field("entries"))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

/// What the scan for a chart's lines came to.
enum Cut<'a> {
    /// The chart's lines with its key, the first of which is line `line` (from 0) of the index.
    Block { line: usize, text: &'a str },
    /// All charts of an index in the usual style; the wanted one is not among them.
    Absent(Vec<&'a str>),
    /// A style that the scan does not know.
    Unknown,
}

/// Cuts the lines of one chart out of an index in block style, going by indentation alone.
///
/// In block style whatever belongs to a key is indented deeper than it, save the dashes of a list.
fn cut<'a>(text: &'a str, chart: &str) -> Cut<'a> {
    let mut names = Vec::new();
    let mut inside = false;
    let mut indent = None;
    let mut start = None;
    let mut block = None;
    let mut offset = 0;
    let mut before = "";
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let begin = offset;
        offset += line.len();
        let content = line.trim_end();
        let body = content.trim_start_matches(' ');
        let depth = content.len() - body.len();
        if body.is_empty() || body.starts_with('#') {
            continue;
        }
        // Deeper than the charts' keys it is in a chart's text.
        if body.starts_with('\t') && depth <= indent.unwrap_or(0) {
            return Cut::Unknown;
        }
        if !inside {
            inside = depth == 0 && plain_key(body) == Some("entries");
            continue;
        }
        let at = *indent.get_or_insert(depth);
        // A collection in braces may go on at any depth, for readers that do not mind.
        let open = std::mem::replace(&mut before, content).ends_with(['{', '[', ',']);
        if depth <= at && (open || body.starts_with([',', '}', ']'])) {
            return Cut::Unknown;
        }
        // The dash of a list without a key before it is for the full parse to refuse.
        let keyed = start.is_some() || !names.is_empty();
        let dash = body == "-" || body.starts_with("- ");
        if depth > at || (depth == at && at > 0 && keyed && dash) {
            continue;
        }
        if let Some((line, from)) = start.take() {
            block = Some(Cut::Block { line, text: &text[from..begin] });
        }
        if depth < at || at == 0 {
            // The next top-level key: the charts are over. A second `entries` is for the full parse to decide on.
            let again = || text[begin..].lines().any(|line| !is_other_than("entries", line));
            let over = depth == 0 && at > 0 && !again();
            return if over { block.unwrap_or(Cut::Absent(names)) } else { Cut::Unknown };
        }
        match plain_key(body) {
            // A second list of the same chart: the full parse decides which counts.
            Some(name) if name == chart && block.is_some() => return Cut::Unknown,
            Some(name) if name == chart => start = Some((number, begin)),
            Some(name) => names.push(name),
            // Its value is on the same line, or its key is written in another way.
            None if block.is_some() && is_other_than(chart, body) => {}
            None => return Cut::Unknown,
        }
    }
    match (start, block) {
        (Some((line, from)), _) => Cut::Block { line, text: &text[from..] },
        (None, Some(block)) => block,
        (None, None) if indent.is_some() => Cut::Absent(names),
        (None, None) => Cut::Unknown,
    }
}

/// Whether a line surely has no key `name` at its beginning, because it has another one there or none at all.
fn is_other_than(name: &str, line: &str) -> bool {
    let no_key = line.trim_end().is_empty() || line.starts_with([' ', '#']) || line.starts_with("- ");
    let key = plain_key(line).or_else(|| line.split_once(": ").and_then(|(key, _)| plain(key)));
    no_key || key.is_some_and(|key| key != name)
}

/// The key of a line `name:`, also in quotes without escapes; none where more than a comment is after the colon.
fn plain_key(body: &str) -> Option<&str> {
    plain(body.split(" #").next().unwrap_or_default().trim_end().strip_suffix(':')?)
}

/// A key without its quotes, if nothing in it could mean something else.
fn plain(key: &str) -> Option<&str> {
    let quoted = ['"', '\''].iter().find_map(|q| key.strip_prefix(*q)?.strip_suffix(*q));
    let key = quoted.unwrap_or(key);
    key.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c)).then_some(key)
}

/// Parses the cut lines; places in errors are those of the whole index.
fn read_block(file: &str, line: usize, text: &str) -> Result<Versions, YamlError> {
    let block: BTreeMap<String, Versions> = yaml::parse_foreign(file, text).map_err(|mut error| {
        if error.place.line > 0 {
            error.place.line += line as u64;
        }
        error
    })?;
    Ok(block.into_values().next().flatten())
}

fn read_json(file: &str, text: &str) -> Result<Whole, YamlError> {
    serde_json::from_str(text).map_err(|error| {
        let place = Place { line: error.line() as u64, column: error.column() as u64 };
        YamlError::new(file, place, error.to_string())
    })
}

fn merge(raw: Vec<Option<RawEntry>>, repository: &Url, chart: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::with_capacity(raw.len());
    let mut by_version = HashMap::new();
    for raw in raw.into_iter().flatten() {
        let Some(version) = raw.version.filter(|v| !v.is_empty()) else { continue };
        let urls = raw.urls.unwrap_or_default().iter().filter_map(|url| absolute(repository, url)).collect();
        let digest = raw.digest.filter(|d| !d.is_empty());
        let next = entries.len();
        let at = *by_version.entry(version.clone()).or_insert(next);
        match entries.get_mut(at) {
            Some(known) => known.absorb(urls, digest),
            None => entries.push(Entry {
                name: chart.to_owned(),
                version,
                app_version: raw.app_version,
                kube_version: raw.kube_version,
                created: raw.created.and_then(|text| text.parse().ok()),
                deprecated: raw.deprecated.unwrap_or_default(),
                urls,
                digests: digest.into_iter().collect(),
            }),
        }
    }
    entries
}

/// Resolves a URL of an entry as Helm does: below the repository's own path, whose query it keeps.
fn absolute(repository: &Url, url: &str) -> Option<Url> {
    match Url::parse(url) {
        Ok(url) => Some(url),
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            let mut base = repository.clone();
            base.set_path(&format!("{}/", repository.path().trim_end_matches('/')));
            let mut joined = base.join(url).ok()?;
            if joined.query().is_none() {
                joined.set_query(repository.query());
            }
            Some(joined)
        }
        Err(_) => None,
    }
}

fn nearest(chart: &str, names: &[String]) -> Option<String> {
    let best = names.iter().map(|name| (strsim::damerau_levenshtein(chart, name), name)).min()?;
    (best.0 <= 1 + chart.len() / 3).then(|| best.1.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn repository() -> Url {
        "https://example.org/charts?token=1".parse().unwrap()
    }

    fn index() -> String {
        format!(
            r#"apiVersion: v1
entries:
  # the first
  alloy:
  - version: 9.9.9
    description: |
      a text that looks like the next key:
        loki:
    urls: [https://x.org/alloy-9.9.9.tgz]
  "loki":
  - apiVersion: v2
    appVersion: 1.20
    created: "2026-08-21T10:00:00.123456789Z"
    digest: {A}
    kubeVersion: '>=1.25.0-0'
    name: loki
    urls:
    - loki-18.11.0.tgz
    version: 18.11.0
  - version: 18.10.0
    deprecated: true
    urls: ["https://cdn.example.org/loki-18.10.0.tgz", "oci://ghcr.io/x/loki"]
  - version: 18.11.0
    digest: sha256:{B}
    urls: [other.tgz]
  - name: loki
  - version: 18.10.0
    digest: sha256:{A}
  minio:
  - version: 1.0.0
generated: "2026-08-21T10:00:00Z"
"#
        )
    }

    #[test]
    fn one_chart_of_many() {
        let entries = parse(&index(), &repository(), "loki").unwrap();
        let versions: Vec<_> = entries.iter().map(|e| e.version.as_str()).collect();
        assert_eq!(versions, ["18.11.0", "18.10.0"]);
        let (first, second) = (&entries[0], &entries[1]);
        assert_eq!(first.app_version.as_deref(), Some("1.20"));
        assert_eq!(first.kube_version.as_deref(), Some(">=1.25.0-0"));
        assert_eq!(first.created.unwrap().to_string(), "2026-08-21T10:00:00.123456789Z");
        assert_eq!(first.urls[0].as_str(), "https://example.org/charts/loki-18.11.0.tgz?token=1");
        assert!(!first.deprecated && second.deprecated);
        assert_eq!(
            second.urls.iter().map(Url::as_str).collect::<Vec<_>>(),
            ["https://cdn.example.org/loki-18.10.0.tgz", "oci://ghcr.io/x/loki"]
        );
    }

    #[test]
    fn two_contents_of_one_version_are_an_error_of_that_version_only() {
        let entries = parse(&index(), &repository(), "loki").unwrap();
        let error = entries[0].digest().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the index lists loki 18.11.0 more than once with different digests: {A} and sha256:{B}")
        );
        assert_eq!(entries[1].digest().unwrap().unwrap().to_string(), format!("sha256:{A}"));
        let alloy = parse(&index(), &repository(), "alloy").unwrap();
        assert_eq!(alloy[0].digest().unwrap(), None);
    }

    #[test]
    fn every_style_says_the_same() {
        let expected = parse(&index(), &repository(), "loki").unwrap();
        let value: serde_json::Value = yaml::parse_foreign("x", &index().replace("1.20", "'1.20'")).unwrap();
        let json = serde_json::to_string_pretty(&value).unwrap();
        let entries = value["entries"].to_string();
        for text in [
            json.clone(),
            format!("# JSON below\n{json}"),
            format!("entries: {entries}\n"),
            index().replace("entries:", "entries: # all of them"),
            index().replace("\"loki\":", "loki:   # this one"),
            index().replace("entries:", "entries: !!map"),
            index().replace("  alloy:", "  ? alloy\n  :"),
            format!("\u{feff}---\n{}", index().replace('\n', "\r\n")),
            index().split_once("generated").unwrap().0.to_owned(),
        ] {
            assert_eq!(parse(&text, &repository(), "loki").unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn a_chart_that_is_listed_twice_is_never_half_read() {
        let twice = index().replace("  minio:\n", "  minio: []\n  loki:\n  - version: 2.0.0\n  other:\n");
        let more = "entries:\n  loki:\n  - version: 2.0.0\n";
        for text in [
            twice.clone(),
            twice.replace("  loki:\n", "  'loki': # again\n"),
            index() + more,
            index() + &more.replace("entries", "\"entries\""),
            index().replace("generated:", &format!("{more}generated:")),
            // Where the second one is written in another way.
            twice.replace("  loki:\n  - version: 2.0.0\n", "  loki: [{version: 2.0.0}]\n"),
            twice.replace("  loki:\n  - version: 2.0.0\n", "  ? loki\n  : [{version: 2.0.0}]\n"),
            twice.replace("  loki:\n  - version: 2.0.0\n", "  \"lo\\x6bi\": [{version: 2.0.0}]\n"),
            index().replace("  minio:", "  minio: &x").replace("generated", "  loki: *x\ngenerated"),
            index() + "entries: {loki: [{version: 2.0.0}]}\n",
            // Where braces hold a line that looks like the next key.
            index().replace("  minio:\n", "  minio: &x\n  - {\nversion: 1.0.0}\n  loki: *x\n  other:\n"),
            index() + "? entries\n: {loki: [{version: 2.0.0}]}\n",
        ] {
            let versions = |found: Result<Vec<Entry>, Error>| {
                found.map(|entries| entries.into_iter().map(|entry| entry.version).collect::<Vec<_>>())
            };
            let whole = versions(parse_whole(&text, &repository(), "loki")).unwrap();
            assert_eq!(versions(parse(&text, &repository(), "loki")).unwrap(), whole, "{text}");
            assert!(whole.len() < 2, "the last one counts: {whole:?}");
        }
    }

    #[test]
    fn an_item_may_begin_below_its_dash() {
        let expected = parse(&index(), &repository(), "loki").unwrap();
        let text =
            index().replace("  - version", "  -\n    version").replace("  - apiVersion", "  - # v2\n    apiVersion");
        assert_eq!(parse(&text, &repository(), "loki").unwrap(), expected);
        assert!(matches!(cut(&text, "loki"), Cut::Block { .. }));
        let inline = index().replace("  minio:\n", "  minio: []\n  more:\n");
        assert!(matches!(cut(&inline, "loki"), Cut::Block { .. }), "another chart may have its value beside it");
    }

    #[test]
    fn a_tab_in_a_text_is_no_indentation() {
        let tab = index().replace("        loki:", "      \tloki:");
        assert_eq!(parse(&tab, &repository(), "minio").unwrap().len(), 1);
        assert!(matches!(cut(&tab, "minio"), Cut::Block { .. }), "a large index would not be read at all");
    }

    #[test]
    fn a_missing_chart_names_the_nearest() {
        for text in [index(), index().replace("entries:", "entries: !!map")] {
            let error = parse(&text, &repository(), "lokki").unwrap_err();
            assert_eq!(error.to_string(), "https://example.org/charts?token=1 has no chart `lokki`");
            assert_eq!(error.hint().unwrap(), "did you mean `loki`?");
        }
    }

    #[test]
    fn what_is_no_index_says_where() {
        let html = parse("<html><body>404</body></html>", &repository(), "loki").unwrap_err();
        assert!(html.to_string().starts_with("https://example.org/charts/index.yaml?token=1:1:1: "), "{html}");
        let torn = index().replace("deprecated: true", "deprecated: [");
        let error = parse(&torn, &repository(), "loki").unwrap_err();
        assert!(matches!(&error, Error::Malformed(e) if (20..=25).contains(&e.place.line)), "{error}");
    }

    #[test]
    fn what_is_no_index_is_not_called_an_index_without_the_chart() {
        for text in [
            "",
            "[]",
            "[{}]",
            "- {}\n",
            "- loki:\n  - version: 1.0.0\n",
            "{}",
            "apiVersion: v1\n",
            "message: Not Found\n",
            r#"{"message": "Not Found"}"#,
            r#"[{"loki": []}]"#,
            "entries:\n- loki\n",
            "entries:\n- loki:\n",
            "entries:\n  - loki:\n    - version: 1.0.0\n",
            "entries: []\n",
            "entries: loki\n",
            "entries:\n  loki: {}\n",
            "entries:\n  loki:\n    version: 1.0.0\n",
            "entries:\n  loki:\n  - 1.0.0\n",
        ] {
            let error = parse(text, &repository(), "loki").unwrap_err();
            assert!(matches!(error, Error::Malformed(_)), "{text:?}: {error}");
        }
        for text in ["entries: {}\n", "entries:\n", "entries: {other: []}\n", r#"{"entries": {}}"#] {
            let error = parse(text, &repository(), "loki").unwrap_err();
            assert!(matches!(error, Error::NoChart { .. }), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_digest_that_is_none_is_an_error() {
        let entries = parse("entries:\n  a:\n  - {version: 1.0.0, digest: latest}\n", &repository(), "a").unwrap();
        assert!(matches!(entries[0].digest(), Err(Error::BadDigest { .. })));
    }

    #[test]
    fn a_bomb_is_refused() {
        let mut text = "x: &a0 [1,1,1,1,1,1,1,1,1,1]\n".to_owned();
        for level in 1..12 {
            let (alias, name) = (format!("*a{},", level - 1).repeat(10), format!("a{level}"));
            text.push_str(&format!("y{level}: &{name} [{}]\n", alias.trim_end_matches(',')));
        }
        text.push_str("entries: *a11\n");
        assert!(matches!(parse(&text, &repository(), "a"), Err(Error::Malformed(_))));
    }
}
