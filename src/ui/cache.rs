//! What `bundler cache` says.

use super::table::Align::{Left, Right};
use super::table::table;
use super::{count, line};
use crate::size;
use crate::store::{Checked, Collected, Contents, Weight};

/// What the cache weighs, part by part.
#[must_use]
pub fn contents(contents: &Contents) -> String {
    let row = |name: &str, weight: &Weight| vec![name.to_owned(), weight.files.to_string(), size::bytes(weight.bytes)];
    let rows = [
        row("blobs", &contents.blobs),
        row("half blobs", &contents.partial),
        row("answers of sources, programs", &contents.other),
    ];
    let header = [("CONTENT", Left), ("FILES", Right), ("SIZE", Right)];
    format!("{}\n{}", line(&contents.path.display().to_string()), table(&header, &rows))
}

/// What was removed, or would be.
#[must_use]
pub fn collected(collected: &Collected, dry_run: bool) -> String {
    let what = if dry_run { "would be removed" } else { "removed" };
    format!("{what}: {}; kept: {}\n", weight(&collected.removed), weight(&collected.kept))
}

/// What hashing found.
#[must_use]
pub fn checked(checked: &Checked) -> String {
    let mut text = String::new();
    for path in &checked.damaged {
        text.push_str(&format!("damaged: {}\n", line(&path.display().to_string())));
    }
    text.push_str(&format!("good: {}\n", weight(&checked.good)));
    text
}

fn weight(weight: &Weight) -> String {
    format!("{}, {}", count(usize::try_from(weight.files).unwrap_or(usize::MAX), "file"), size::bytes(weight.bytes))
}
