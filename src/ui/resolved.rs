//! What `bundler resolve` says at its end.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::{count, diagnostic, line};
use crate::error::Diagnostic;
use crate::lock::model::Unresolved;
use crate::resolve::{Change, Failure, Resolved};

/// Failures and warnings, for stderr.
#[must_use]
pub fn notes(resolved: &Resolved) -> Vec<String> {
    let mut notes = warnings(resolved);
    notes.extend(failures(&resolved.failures, "was not resolved"));
    notes
}

/// The warnings alone. An accepted one is said only where something still depends on it.
#[must_use]
pub fn warnings(resolved: &Resolved) -> Vec<String> {
    let warnings = resolved.warnings.iter().filter(|warning| warning.accepted.is_none());
    let shown = warnings.map(|warning| {
        let of = warning.component.as_ref().map(|component| format!("{component}: ")).unwrap_or_default();
        diagnostic::warning(&format!("{of}{}", warning.text))
    });
    shown.collect()
}

/// The failures of components, each with what became of it, and what can be done about them.
pub(super) fn failures(failures: &BTreeMap<String, Failure>, what: &str) -> Vec<String> {
    let told = failures
        .iter()
        .map(|(component, failure)| diagnostic::chain(&format!("{component} {what}"), Some(failure), None));
    // Many failures of one kind have one remedy.
    let hints: BTreeSet<String> = failures.values().filter_map(Diagnostic::hint).collect();
    let hints = hints.into_iter().map(|hint| format!("\n{}", diagnostic::hint(&hint)));
    told.chain(hints).collect()
}

/// What changed, and what the lock is now; `current` when the file was already right.
#[must_use]
pub fn summary(resolved: &Resolved, file: &str, current: bool) -> String {
    let mut text = String::new();
    for change in &resolved.changes {
        text.push_str(&format!("{}\n", line(&change.to_string())));
    }
    let lock = &resolved.lock;
    let (components, images) = (count(lock.components.len(), "component"), count(lock.images.len(), "image"));
    let state = if current { "is unchanged" } else { "written" };
    text.push_str(&format!("{file} {state}: {components}, {images}"));
    if !resolved.failures.is_empty() {
        text.push_str(&format!(", {} not resolved", count(resolved.failures.len(), "component")));
    }
    if !lock.unresolved.is_empty() {
        text.push_str(&format!(", {} unresolved", count(lock.unresolved.len(), "artifact")));
    }
    text.push('\n');
    text
}

/// What a run learned.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Json<'a> {
    /// Whether the lock's file was already right.
    current: bool,
    /// The components whose version is another one.
    changes: &'a [Change],
    /// The components that could not be resolved, each with what failed and what caused it.
    failures: BTreeMap<&'a str, Vec<String>>,
    /// What the reader should know.
    warnings: Vec<Warning<'a>>,
    /// What the lock wants and has no digest for.
    unresolved: &'a [Unresolved],
    /// Requests that GitHub may count.
    counted_requests: u64,
}

/// What the reader should know about a component or the catalog.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Notice")]
struct Warning<'a> {
    /// The component; none where it is about the catalog.
    component: Option<&'a str>,
    /// Its kind, which is also the name under which a catalog accepts it.
    what: crate::catalog::model::Warning,
    /// What is to be known.
    text: &'a str,
    /// The reason for which the catalog accepts it; none where it does not.
    accepted: Option<&'a str>,
    /// Whether `--check` ends with 1 for it.
    fails_check: bool,
}

impl<'a> Json<'a> {
    /// Borrows what it shows.
    #[must_use]
    pub fn new(resolved: &'a Resolved, current: bool) -> Self {
        let warning = |notice: &'a crate::resolve::Notice| Warning {
            component: notice.component.as_deref(),
            what: notice.what,
            text: &notice.text,
            accepted: notice.accepted.as_deref(),
            fails_check: notice.fails_check,
        };
        Self {
            current,
            changes: &resolved.changes,
            failures: resolved.failures.iter().map(|(name, f)| (name.as_str(), diagnostic::messages(f))).collect(),
            warnings: resolved.warnings.iter().map(warning).collect(),
            unresolved: &resolved.lock.unresolved,
            counted_requests: resolved.counted,
        }
    }
}
