//! What one tag says about the tags beside it: `v1.2.3-alpine` is the version 1.2.3 of `v{version}-alpine`.

use super::{Pattern, Version};

/// Words after a version that name a variant and not a build; digits may follow, as in `alpine3.22`.
const BASES: [&str; 10] =
    ["alpine", "bookworm", "bullseye", "debian", "deb", "jammy", "noble", "trixie", "ubi", "ubuntu"];
/// Words after a version, or before it, that no release has.
const UNFINISHED: [&str; 9] = ["alpha", "beta", "canary", "dev", "nightly", "pre", "preview", "rc", "snapshot"];
/// Words before a number that is no version: `sha-1234567`.
const COMMITS: [&str; 6] = ["build", "commit", "git", "pr", "run", "sha"];
/// What stands between the words before a version; `/` is in git's tags only.
const SEPARATORS: [char; 4] = ['-', '_', '.', '/'];

/// A tag as a pattern and a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// The pattern that the tags of other versions have.
    pub pattern: Pattern,
    /// The version in it.
    pub version: Version,
    /// Whether what follows the version is a build or says that it is no release: other versions have another one.
    pub held: bool,
}

/// Reads a tag; none where it holds no version.
#[must_use]
pub fn guess(tag: &str) -> Option<Guess> {
    let (prefix, body) = tag.split_at(start(tag)?);
    let mut words = prefix.split(SEPARATORS).map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()));
    let last = words.clone().rfind(|word| !word.is_empty() && *word != "v").unwrap_or_default();
    if is_one_of(last, &COMMITS) || words.any(|word| is_one_of(word, &UNFINISHED)) {
        return None;
    }
    let end = body.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(body.len());
    let rest = &body[end..];
    // Build metadata is part of a version: `1.36.4+k3s1`.
    let rest = if rest.starts_with('+') { "" } else { rest };
    // `1234abc` is a commit; only words such as `rc3` follow a version without a dash.
    if !rest.is_empty() && !rest.starts_with('-') && !UNFINISHED.iter().any(|word| rest.starts_with(word)) {
        return None;
    }
    let pattern: Pattern = format!("{prefix}{{version}}{rest}").parse().ok()?;
    let version = pattern.version(tag)?;
    Some(Guess { pattern, version, held: !rest.is_empty() && !is_variant(rest) })
}

/// Where the version begins: at a digit that begins a word, or follows nothing but the `v` of one. The digits within a
/// word, such as that of `k8s-1.2`, begin nothing.
fn start(tag: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let word = &tag[from..];
        let digit = word.find(|c: char| c.is_ascii_digit())?;
        let before = word[..digit].strip_suffix('v').unwrap_or(&word[..digit]);
        if before.is_empty() || before.ends_with(SEPARATORS) {
            return Some(from + digit);
        }
        from += digit + word[digit..].find(['-', '_', '/'])? + 1;
    }
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|other| word.eq_ignore_ascii_case(other))
}

/// Whether what follows a version names a variant: `-alpine`, `-bookworm-slim`, `-ubi9`.
fn is_variant(rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix('-') else { return false };
    rest.split('-').all(|part| {
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let named = word.len() > 1 && word.bytes().all(|c| c.is_ascii_alphabetic());
        named && !is_one_of(word, &UNFINISHED) && (word == part || BASES.contains(&word))
    })
}

/// A constraint to begin with: what semver calls compatible; for a version that is a date, everything from there on.
#[must_use]
pub fn compatible(version: &Version) -> String {
    let parts = version.parts();
    let text = version.as_str().trim_start_matches('v');
    let end = text.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(text.len());
    let operator = if parts[0] >= 1000 || parts == [0; 4] { ">=" } else { "^" };
    format!("{operator}{}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(tag: &str) -> Option<String> {
        guess(tag).map(|guess| {
            let held = if guess.held { " held" } else { "" };
            format!("{} {}{held} {}", guess.pattern, guess.version, compatible(&guess.version))
        })
    }

    #[test]
    fn guesses_what_the_other_tags_look_like() {
        for (tag, expected) in [
            ("v1.2.3", "v{version} 1.2.3 ^1.2.3"),
            ("1.27", "{version} 1.27 ^1.27"),
            ("7", "{version} 7 ^7"),
            ("0.31.1", "{version} 0.31.1 ^0.31.1"),
            ("1.2.3-alpine", "{version}-alpine 1.2.3 ^1.2.3"),
            ("8.0-bookworm-slim", "{version}-bookworm-slim 8.0 ^8.0"),
            ("3.7-alpine3.22", "{version}-alpine3.22 3.7 ^3.7"),
            ("v3.14.0-distroless", "v{version}-distroless 3.14.0 ^3.14.0"),
            ("helm-chart/0.1.0", "helm-chart/{version} 0.1.0 ^0.1.0"),
            ("k8s-stack-0.80.1", "k8s-stack-{version} 0.80.1 ^0.80.1"),
            ("v1.36.4+k3s1", "v{version} 1.36.4+k3s1 ^1.36.4"),
            ("v1.36.0-rc1+k3s1", "v{version}-rc1+k3s1 1.36.0 held ^1.36.0"),
            ("jammy-5.0.3", "jammy-{version} 5.0.3 ^5.0.3"),
            ("helm-v3.1.0", "helm-v{version} 3.1.0 ^3.1.0"),
            ("20260727", "{version} 20260727 >=20260727"),
            ("v1.36.4-k3s1", "v{version}-k3s1 1.36.4 held ^1.36.4"),
            ("v0.13.3-build20260727", "v{version}-build20260727 0.13.3 held ^0.13.3"),
            ("3.6.6-0", "{version}-0 3.6.6 held ^3.6.6"),
            ("v2.0.0-rc.1", "v{version}-rc.1 2.0.0 held ^2.0.0"),
            ("2.1.0rc3", "{version}rc3 2.1.0 held ^2.1.0"),
            ("7.4.0-debian-12-r5", "{version}-debian-12-r5 7.4.0 held ^7.4.0"),
        ] {
            assert_eq!(guessed(tag).as_deref(), Some(expected), "{tag}");
        }
    }

    #[test]
    fn finds_no_version_where_there_is_none() {
        for tag in
            ["latest", "alpine", "sha-1234567", "1234abc", "master-20260101abc", "k8s1.2", "1.2.3.4.5", "1..2", "1_2"]
                .into_iter()
                .chain(["sha256-1234567", "nightly-api-1.2", "main-build-7", "../../x", "v", ""])
        {
            assert_eq!(guessed(tag), None, "{tag}");
        }
    }
}
