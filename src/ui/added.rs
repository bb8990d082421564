//! What `bundler add` says: the tags that it saw, the question for a pattern, and what was added.

use super::{count, line};
use crate::add::{Added, Seen};
use crate::size;
use crate::version::Pattern;

/// What `pattern` takes of the tags and what it leaves out, for stderr.
#[must_use]
pub fn seen(seen: &Seen, pattern: &Pattern) -> String {
    let survey = seen.survey();
    let fit = survey.fit(pattern);
    let mut text = format!("{} has {}\n", seen.what(), count(survey.tags(), "tag"));
    let more = if fit.releases > fit.highest.len() { ", …" } else { "" };
    text += &format!("  `{pattern}` takes {}: {}{more}", fit.releases, line(&fit.highest.join(", ")));
    for kind in &fit.left_out {
        let (what, example) = (line(&kind.what), line(&kind.example));
        text += &format!("\n  left out, {what}: {}, such as {example}", kind.count);
    }
    text
}

/// The question for a pattern; `guess` is what a plain Enter takes.
#[must_use]
pub fn question(seen: &Seen) -> String {
    let mut text = String::new();
    if seen.offered().len() > 1 {
        for (number, family) in (1..).zip(seen.offered()) {
            let pattern = family.pattern.to_string();
            let releases = count(family.releases, "release");
            text += &format!("  {number} `{}`: {releases}, up to {}\n", line(&pattern), line(family.newest.as_str()));
        }
    }
    text += match (seen.pattern().is_some(), seen.offered().len() > 1) {
        (true, true) => "Take that pattern? [Y/n, a number, or another pattern] ",
        (true, false) => "Take that pattern? [Y/n, or another pattern] ",
        (false, _) => "Which pattern? [a number, another pattern, or n] ",
    };
    text
}

/// What was found, in one line.
#[must_use]
pub fn found(added: &Added) -> String {
    let mut things = Vec::new();
    for (number, what) in [(added.charts.len(), "chart"), (added.images.len(), "image"), (added.files.len(), "file")] {
        if number > 0 {
            things.push(count(number, what));
        }
    }
    let app = added.app_version.as_deref().filter(|app| app.trim_start_matches('v') != added.version);
    let app = app.map(|app| format!(" (app version {})", line(app))).unwrap_or_default();
    let weights = added.bytes.iter().map(|(arch, bytes)| format!("{} for {arch}", size::bytes(*bytes)));
    let weights: Vec<String> = weights.collect();
    format!("{} {}{app}: {}; {}\n", added.component, line(&added.version), things.join(", "), weights.join(", "))
}

/// What was written, and what to do now.
#[must_use]
pub fn written(added: &Added) -> String {
    let profiles = match added.profiles.as_slice() {
        [] => "; it is in no profile yet, so no bundle carries it".to_owned(),
        profiles => format!(", in profile {}", profiles.join(", ")),
    };
    format!("{}{} written{profiles}\nNow run `bundler resolve`.\n", found(added), added.file.display())
}
