//! What changed: versions by component, and the lock's lines.

use crate::lock::Lock;

/// A component whose version is another one than before.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Change {
    /// The component.
    pub component: String,
    /// Its version in the old lock; none where it was not there.
    pub before: Option<String>,
    /// Its version in the new lock; none where it is gone.
    pub after: Option<String>,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "{} {before} -> {after}", self.component),
            (None, Some(after)) => write!(f, "{} {after} is new", self.component),
            (Some(before), None) => write!(f, "{} {before} is gone", self.component),
            (None, None) => f.write_str(&self.component),
        }
    }
}

/// The components whose version changed, by name.
pub(super) fn changes(before: Option<&Lock>, after: &Lock) -> Vec<Change> {
    let version = |lock: Option<&Lock>, name: &str| Some(lock?.components.get(name)?.version.clone());
    let names = before.iter().flat_map(|lock| lock.components.keys()).chain(after.components.keys());
    let names: std::collections::BTreeSet<&String> = names.collect();
    names
        .into_iter()
        .map(|name| Change {
            component: name.clone(),
            before: version(before, name),
            after: version(Some(after), name),
        })
        .filter(|change| change.before != change.after)
        .collect()
}

/// The unified diff from the old lock's text to the new one's; empty when they are the same.
#[must_use]
pub fn diff(file: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    similar::TextDiff::from_lines(before, after).unified_diff().header(file, &format!("{file} (resolved)")).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_changed() {
        assert_eq!(diff("l", "a\n", "a\n"), "");
        insta::assert_snapshot!(diff("bundle.lock.yaml", "a: 1\nb: 2\n", "a: 1\nb: 3\n"), @r"
        --- bundle.lock.yaml
        +++ bundle.lock.yaml (resolved)
        @@ -1,2 +1,2 @@
         a: 1
        -b: 2
        +b: 3
        ");
        let change = |before: Option<&str>, after: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            Change { component: "x".to_owned(), before: own(before), after: own(after) }.to_string()
        };
        assert_eq!(change(Some("1"), Some("2")), "x 1 -> 2");
        assert_eq!(change(None, Some("2")), "x 2 is new");
        assert_eq!(change(Some("1"), None), "x 1 is gone");
    }
}
