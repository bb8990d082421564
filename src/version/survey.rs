//! What the tags of a repository say together: which patterns they have, and which of them the versions are.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Pattern, Version, guess};

/// Words before a version that name no thing: `release-1.2`.
const VERSIONS: [&str; 4] = ["rel", "release", "ver", "version"];
/// The first number of no version but of a date or a count: years of versions such as `2026.7.1` are below.
const NO_VERSION: u64 = 3000;
/// The constraint that leaves those out.
const BELOW: &str = "<3000";
/// How many tags are shown of what a pattern takes.
const EXAMPLES: usize = 3;
/// How many other patterns are shown one by one.
const MAX_PATTERNS: usize = 5;

/// What a pattern is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    /// Of the repository: nothing but a `v` stands before the version.
    Repository,
    /// Of the thing that is looked for, by its name.
    Named,
    /// Of any of the things that the repository has.
    Thing,
}

/// The tags of one pattern.
#[derive(Clone, Debug)]
pub struct Family {
    /// The pattern.
    pub pattern: Pattern,
    /// The highest release among them.
    pub newest: Version,
    /// How many releases there are.
    pub releases: usize,
    of: Of,
}

/// What a pattern takes of a repository's tags, and what it leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// How many tags are releases of the pattern.
    pub releases: usize,
    /// The tags of the highest ones, highest first.
    pub highest: Vec<String>,
    /// A constraint that is needed because some numbers are dates and no versions.
    pub bound: Option<&'static str>,
    /// What is left out, in kinds.
    pub left_out: Vec<LeftOut>,
}

/// Tags of one kind that a pattern leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// What they are: `of v{version}`, `pre-releases and builds`.
    pub what: String,
    /// How many there are.
    pub count: usize,
    /// One of them.
    pub example: String,
}

/// The tags of a repository, and the patterns that their versions have.
#[derive(Clone, Debug)]
pub struct Survey {
    tags: Vec<String>,
    families: Vec<Family>,
}

impl Survey {
    /// Looks at `tags`; `names` are those of the thing that is looked for.
    #[must_use]
    pub fn of(tags: Vec<String>, names: &[&str]) -> Self {
        let mut found: BTreeMap<String, Family> = BTreeMap::new();
        for guess in tags.iter().filter_map(|tag| guess(tag)).filter(|guess| !guess.held) {
            let text = guess.pattern.to_string();
            let newest = guess.version;
            let family = found.entry(text).or_insert_with(|| Family {
                of: of(&guess.pattern, names),
                pattern: guess.pattern,
                newest: newest.clone(),
                releases: 0,
            });
            family.releases += 1;
            // Where some are versions, those that are dates are not the newest.
            if (!is_date(&newest), &newest) > (!is_date(&family.newest), &family.newest) {
                family.newest = newest;
            }
        }
        let mut families: Vec<Family> = found.into_values().collect();
        families.sort_by(better);
        Self { tags, families }
    }

    /// The tags.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().map(String::as_str)
    }

    /// How many tags there are.
    #[must_use]
    pub fn tags(&self) -> usize {
        self.tags.len()
    }

    /// Some of the tags, the last in the order of their names first: where none is a version, they tell what there is.
    #[must_use]
    pub fn examples(&self) -> Vec<&str> {
        let mut tags: Vec<&str> = self.tags.iter().map(String::as_str).collect();
        tags.sort_unstable_by(|a, b| b.cmp(a));
        tags.truncate(EXAMPLES * 2);
        tags
    }

    /// The patterns, the likeliest first.
    #[must_use]
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// The pattern of the versions; none where several things are as likely.
    #[must_use]
    pub fn guess(&self) -> Option<&Family> {
        let first = self.families.first()?;
        let rival = self.families.get(1).filter(|second| second.of == first.of && first.of != Of::Repository);
        // `api-1.2` and `api-1.2-alpine` are of one thing.
        let same = rival.is_none_or(|second| second.pattern.prefix() == first.pattern.prefix());
        same.then_some(first)
    }

    /// What `pattern` takes and what it leaves out.
    #[must_use]
    pub fn fit(&self, pattern: &Pattern) -> Fit {
        let mut taken: Vec<(Version, &str)> = Vec::new();
        let mut others: BTreeMap<String, (usize, &str)> = BTreeMap::new();
        let (mut unfinished, mut nothing) = ((0, ""), (0, ""));
        for tag in self.tags.iter().map(String::as_str) {
            match (pattern.version(tag), guess(tag)) {
                (Some(version), _) if !version.is_prerelease() => taken.push((version, tag)),
                (_, Some(guess)) if !guess.held => {
                    count(others.entry(guess.pattern.to_string()).or_default(), tag);
                }
                (None, None) => count(&mut nothing, tag),
                _ => count(&mut unfinished, tag),
            }
        }
        let mut left_out = Vec::new();
        let mut note = |what: &str, (count, example): (usize, &str)| {
            if count > 0 {
                left_out.push(LeftOut { what: what.to_owned(), count, example: example.to_owned() });
            }
        };
        let bound = taken.iter().any(|(version, _)| !is_date(version)) && taken.iter().any(|(v, _)| is_date(v));
        if bound {
            let (dates, versions) = taken.into_iter().partition(|(version, _)| is_date(version));
            taken = versions;
            let dates: Vec<(Version, &str)> = dates;
            note("dates and counts", (dates.len(), dates.last().map_or("", |(_, tag)| tag)));
        }
        note("pre-releases and builds", unfinished);
        let mut others: Vec<_> = others.into_iter().collect();
        others.sort_by(|(a, (x, _)), (b, (y, _))| y.cmp(x).then_with(|| a.cmp(b)));
        let more = others.split_off(others.len().min(MAX_PATTERNS));
        for (pattern, kind) in &others {
            note(&format!("of `{pattern}`"), *kind);
        }
        let example = more.first().map_or("", |(_, (_, tag))| tag);
        let counted = more.iter().map(|(_, (count, _))| count).sum();
        note(&format!("of {} other patterns", more.len()), (counted, example));
        note("without a version", nothing);
        taken.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| y.len().cmp(&x.len())).then_with(|| x.cmp(y)));
        Fit {
            releases: taken.len(),
            highest: taken.iter().take(EXAMPLES).map(|(_, tag)| (*tag).to_owned()).collect(),
            bound: bound.then_some(BELOW),
            left_out,
        }
    }
}

/// One more of a kind, with the last one seen as its example.
fn count<'t>(kind: &mut (usize, &'t str), tag: &'t str) {
    *kind = (kind.0 + 1, tag);
}

/// The likelier one first: what is of the repository, of versions rather than dates, and has the highest; of variants of
/// one version the plain one, and then what there is most of.
fn better(a: &Family, b: &Family) -> Ordering {
    let plain = |family: &Family| family.pattern.tag("").len() - family.pattern.prefix().len();
    let first = a.of.cmp(&b.of).then_with(|| is_date(&a.newest).cmp(&is_date(&b.newest)));
    first
        .then_with(|| b.newest.precedence(&a.newest))
        .then_with(|| plain(a).cmp(&plain(b)))
        .then_with(|| b.releases.cmp(&a.releases))
        .then_with(|| a.pattern.to_string().cmp(&b.pattern.to_string()))
}

fn is_date(version: &Version) -> bool {
    version.parts()[0] >= NO_VERSION
}

/// What a pattern is of, by the words before its version.
fn of(pattern: &Pattern, names: &[&str]) -> Of {
    let prefix = pattern.prefix();
    let word = prefix.strip_suffix('v').unwrap_or(prefix).trim_end_matches(['-', '_', '.', '/']);
    let is = |name: &&str| word.eq_ignore_ascii_case(name);
    match word {
        "" => Of::Repository,
        _ if names.iter().any(is) || VERSIONS.iter().any(is) => Of::Named,
        _ => Of::Thing,
    }
}

#[cfg(test)]
mod tests;
