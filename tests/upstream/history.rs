//! The tags of the real repositories with their dates.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use jiff::Timestamp;

/// The histories of all repositories.
pub(crate) struct Histories {
    /// Tags by `owner/name`, oldest first.
    tags: BTreeMap<String, Vec<Tag>>,
    /// For a repository and a prefix, every day on which there was a new highest version, and that.
    highest: Mutex<BTreeMap<(String, String), Rising>>,
}

/// Versions, each higher than those before, with the day on which it came.
type Rising = Vec<(Timestamp, String)>;

/// A tag.
#[derive(Clone)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) date: Timestamp,
}

impl Histories {
    /// Reads `<owner>__<name>.tsv` of both directories; a second file adds to the first.
    pub(crate) fn read(directories: &[&Path]) -> Self {
        let mut histories: BTreeMap<String, Vec<Tag>> = BTreeMap::new();
        for directory in directories {
            let entries = std::fs::read_dir(directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display()));
            for entry in entries {
                let path = entry.expect("the directory can be read").path();
                if path.extension().is_none_or(|extension| extension != "tsv") {
                    continue;
                }
                let stem = path.file_stem().expect("it has an extension").to_string_lossy();
                let repository = stem.replacen("__", "/", 1);
                let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                histories.entry(repository).or_default().extend(text.lines().filter_map(|line| {
                    let (name, date) = line.split_once('\t')?;
                    Some(Tag { name: name.to_owned(), date: date.parse().ok()? })
                }));
            }
        }
        for tags in histories.values_mut() {
            tags.sort_by(|a, b| (a.date, &a.name).cmp(&(b.date, &b.name)));
        }
        Self { tags: histories, highest: Mutex::default() }
    }

    /// A repository's tags, oldest first.
    pub(crate) fn tags(&self, repository: &str) -> &[Tag] {
        self.tags.get(repository).map_or(&[], Vec::as_slice)
    }

    /// The versions under a tag form such as `v{version}`, oldest first: tag and version.
    pub(crate) fn versions<'a>(&'a self, repository: &str, form: &'a str) -> impl Iterator<Item = (&'a Tag, &'a str)> {
        self.tags(repository).iter().filter_map(move |tag| Some((tag, version(&tag.name, form)?)))
    }

    /// The highest version of three numbers that `repository` had at `date`, among the tags that begin with `prefix`.
    pub(crate) fn newest(&self, repository: &str, prefix: &str, date: Timestamp) -> Option<String> {
        let key = (repository.to_owned(), prefix.to_owned());
        let mut known = self.highest.lock().expect("nobody panics with it");
        let highest = known.entry(key).or_insert_with(|| self.rising(repository, prefix));
        let reached = highest.partition_point(|(since, _)| *since <= date);
        Some(highest[..reached].last()?.1.clone())
    }

    fn rising(&self, repository: &str, prefix: &str) -> Rising {
        let mut highest = [0; 3];
        let mut rising = Vec::new();
        for tag in self.tags(repository) {
            let Some(version) = tag.name.strip_prefix(prefix) else { continue };
            let version = version.strip_prefix('v').unwrap_or(version);
            if let Some(found) = numbers(version).filter(|found| *found > highest) {
                highest = found;
                rising.push((tag.date, version.to_owned()));
            }
        }
        rising
    }
}

/// The version in a tag of the form, which holds `{version}` once.
pub(crate) fn version<'a>(tag: &'a str, form: &str) -> Option<&'a str> {
    let (before, after) = form.split_once("{version}")?;
    let version = tag.strip_prefix(before)?.strip_suffix(after)?;
    version.starts_with(|c: char| c.is_ascii_digit()).then_some(version)
}

/// Splits `loki-18.11.0` under the form `{name}-{version}`.
pub(crate) fn name_and_version<'a>(tag: &'a str, form: &str) -> Option<(&'a str, &'a str)> {
    let between = form.strip_prefix("{name}")?.strip_suffix("{version}")?;
    tag.match_indices(between).find_map(|(at, _)| {
        let version = &tag[at + between.len()..];
        let core = version.split(['-', '+']).next()?;
        numbers(core).map(|_| (&tag[..at], version))
    })
}

/// Whether a text is numbers with dots between them, two at least: `1.7`, `1.2.3`.
pub(crate) fn is_version(text: &str) -> bool {
    text.contains('.') && text.split('.').all(|part| part.parse::<u64>().is_ok())
}

/// The three numbers of `1.2.3`.
pub(crate) fn numbers(version: &str) -> Option<[u64; 3]> {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}
