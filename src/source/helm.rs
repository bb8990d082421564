//! A Helm repository's `index.yaml`, parsed for one chart (Helm, "The Chart Repository Guide").
//!
//! A real index has 20 MB and sixty charts, of which one is wanted. Its block of lines is cut out first
//! and parsed alone. JSON, and a small index in a style that the cut does not know, are parsed whole.

mod cut;

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use url::Url;

use self::cut::{Cut, cut};
use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::Digest;
use crate::yaml::{self, Place, YamlError};

/// The largest index that is read, 64 MiB: three times the largest that is known.
pub const MAX_INDEX: u64 = 64 << 20;

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
            Self::NoChart { nearest: None, .. } => None,
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
mod tests;
