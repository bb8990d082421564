//! What `bundler resolve` says at its end.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{count, diagnostic, line};
use crate::error::Diagnostic;
use crate::lock::model::Unresolved;
use crate::resolve::{Change, Failure, Resolved};

/// Failures and warnings, for stderr. An accepted warning is said only where something still depends on it.
#[must_use]
pub fn notes(resolved: &Resolved) -> Vec<String> {
    let warnings = resolved.warnings.iter().filter(|warning| warning.accepted.is_none());
    let warnings = warnings.map(|warning| {
        let of = warning.component.as_ref().map(|component| format!("{component}: ")).unwrap_or_default();
        diagnostic::warning(&format!("{of}{}", warning.text))
    });
    warnings.chain(failures(&resolved.failures, "was not resolved")).collect()
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

/// The same for programs.
#[derive(Debug, Serialize)]
pub struct Json<'a> {
    /// Whether the lock's file was already right.
    current: bool,
    changes: &'a [Change],
    failures: BTreeMap<&'a str, Vec<String>>,
    warnings: Vec<Warning<'a>>,
    unresolved: &'a [Unresolved],
    /// Requests that GitHub may count.
    counted_requests: u64,
}

#[derive(Debug, Serialize)]
struct Warning<'a> {
    component: Option<&'a str>,
    what: crate::catalog::model::Warning,
    text: &'a str,
    accepted: Option<&'a str>,
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
