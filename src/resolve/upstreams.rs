//! Whether the repositories of components are alive, and still under the licence that the catalog names.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;

use super::Notice;
use super::rules::Reader;
use super::sources::Sources;
use crate::catalog::model::{Component, Warning};
use crate::event::{Event, Reporter};
use crate::source::github::{self, About, Repository};
use crate::version::Version;

/// Asks about the repository of each component, `versions` being those that were chosen.
///
/// These are the last questions of a run: without a token GitHub counts each, and versions matter more. So one that is
/// not answered fails nothing.
pub(super) async fn ask(
    sources: &Sources,
    reader: &Reader<'_>,
    versions: &BTreeMap<String, String>,
    reporter: &dyn Reporter,
    jobs: usize,
) -> Vec<Notice> {
    let asks = versions.iter().filter_map(|(name, version)| {
        let component = &reader.catalog.components[name];
        let repository: Repository = component.source.as_ref()?.value.github.as_ref()?.parse().ok()?;
        Some(async move { (component, version, sources.github.about(&repository).await, repository) })
    });
    let answers: Vec<_> = futures_util::stream::iter(asks).buffered(jobs).collect().await;
    let mut notices = Vec::new();
    let mut failed: Vec<(Repository, github::Error)> = Vec::new();
    for (component, version, answer, repository) in answers {
        match answer {
            Ok(Some(about)) => notices.extend(judge(reader, component, version, &repository, &about)),
            Ok(None) => {}
            Err(error) => failed.push((repository, error)),
        }
    }
    if let Some((first, error)) = failed.first() {
        let others = if failed.len() == 1 { String::new() } else { format!(" and {} others", failed.len() - 1) };
        let text = format!("whether {first}{others} is archived or has another licence is not known: {error}");
        // Offline it is no news that something cannot be asked.
        reporter.report(if sources.offline { Event::Detail(&text) } else { Event::Warning(&text) });
    }
    notices
}

fn judge(
    reader: &Reader<'_>,
    component: &Component,
    version: &str,
    repository: &Repository,
    about: &About,
) -> Vec<Notice> {
    let notice = |what, text| reader.notice(Some(&component.name.value), what, text, true);
    let mut notices = Vec::new();
    if about.archived {
        let since = about.pushed_at.map(|at| format!(", last changed {}", at.strftime("%Y-%m-%d"))).unwrap_or_default();
        let successor = successor(reader, component, version).map(|s| format!("; its successor is {s}"));
        let text = format!("{repository} is archived on GitHub{since}{}", successor.unwrap_or_default());
        notices.push(notice(Warning::Archived, text));
    }
    if let (Some(ours), Some(theirs)) = (&component.licence, &about.licence)
        && is_other(ours, theirs)
    {
        let seen = if theirs == UNKNOWN { "no licence that it knows" } else { theirs };
        notices.push(notice(
            Warning::Relicensed,
            format!("GitHub sees {seen} in {repository}, and `licence` of the component says {ours}"),
        ));
    }
    notices
}

/// The successor that a row about the end of this version names.
fn successor<'c>(reader: &Reader<'_>, component: &'c Component, version: &str) -> Option<&'c str> {
    let version: Version = version.parse().ok()?;
    let mut rows = component.end_of_life.iter().filter(|row| row.successor.is_some());
    let row = rows.find(|row| {
        reader.constraint("end_of_life", &row.versions.value).is_ok_and(|constraint| constraint.matches(&version))
    });
    row?.successor.as_deref()
}

/// What GitHub says of a licence that is in none of its forms: several in one file, or one that is not open.
const UNKNOWN: &str = "NOASSERTION";

/// Whether the licence that GitHub sees is none of those in an SPDX expression.
fn is_other(expression: &str, seen: &str) -> bool {
    // GitHub has no words for "only" and "or later".
    let plain = |id: &str| {
        let id = id.trim_end_matches('+');
        let id = id.strip_suffix("-only").or_else(|| id.strip_suffix("-or-later")).unwrap_or(id);
        id.to_ascii_lowercase()
    };
    let words = expression.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')'));
    let ids: Vec<&str> = words.filter(|word| !word.is_empty() && !matches!(*word, "OR" | "AND" | "WITH")).collect();
    if seen == UNKNOWN {
        return matches!(ids.as_slice(), [one] if !one.starts_with("LicenseRef-"));
    }
    !ids.iter().any(|id| plain(id) == plain(seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_another_licence_from_another_spelling() {
        for (ours, theirs) in [
            ("MIT", "MIT"),
            ("AGPL-3.0-only", "AGPL-3.0"),
            ("GPL-2.0-or-later", "GPL-2.0"),
            ("EPL-2.0 OR BSD-3-Clause", "EPL-2.0"),
            ("(EPL-2.0 OR BSD-3-Clause)", UNKNOWN),
            ("LicenseRef-Vendor", UNKNOWN),
        ] {
            assert!(!is_other(ours, theirs), "{ours} {theirs}");
        }
        // A licence that is not open any more is one that GitHub does not know.
        for (ours, theirs) in [("Apache-2.0", "AGPL-3.0"), ("Apache-2.0", UNKNOWN), ("EPL-2.0 OR MIT", "BSD-3-Clause")]
        {
            assert!(is_other(ours, theirs), "{ours} {theirs}");
        }
    }
}
