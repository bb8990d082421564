//! What reads bytes from outside, fed with anything: each target demands more than "it does not panic".
//!
//! `fuzz/fuzz_targets/` gives these to libFuzzer; `runner` gives them to `cargo test` on any toolchain.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a target that cannot go on has found something")]

mod archives;
mod documents;
mod names;
#[cfg(test)]
mod runner;
mod upstream;

/// A target: it panics when a promise does not hold.
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of its corpus in `tests/data/fuzz/` too.
pub const TARGETS: [(&str, Target); 24] = [
    ("bundle", archives::bundle),
    ("bundle_yaml", documents::bundle_yaml),
    ("catalog", documents::catalog),
    ("challenge", upstream::challenge),
    ("chart_archive", archives::chart_archive),
    ("checksum_file", upstream::checksum_file),
    ("component", documents::component),
    ("config", documents::config),
    ("constraint", names::constraint),
    ("content_range", upstream::content_range),
    ("git_refs", upstream::git_refs),
    ("helm_index", upstream::helm_index),
    ("link", upstream::link),
    ("lock", documents::lock),
    ("manifest", upstream::manifest),
    ("manifests", documents::manifests),
    ("member", archives::member),
    ("pattern", names::pattern),
    ("reference", names::reference),
    ("retry_after", upstream::retry_after),
    ("sums", archives::sums),
    ("tar_header", archives::tar_header),
    ("version", names::version),
    ("yaml_place", documents::yaml_place),
];

/// Runs the target `name`.
///
/// # Panics
/// When a promise does not hold, or there is no such target.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a known target");
    target(data);
}

/// A message as it is shown cannot speak to the terminal; the one thing that may is our own colour of `error:`.
fn shown(message: &str) {
    let shown = crate::ui::diagnostic::chain(message, None, None);
    plain(shown.split_once(' ').map_or("", |(_, message)| message));
}

fn plain(text: &str) {
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "control characters: {text:?}");
}

/// The text of a document target; what is not UTF-8 never reaches a parser of text.
fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}
