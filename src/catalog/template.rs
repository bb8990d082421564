//! Texts with placeholders such as `v{version}`.
//!
//! A placeholder is a word of lower-case letters and `_` in braces; any other brace is itself,
//! so that `{a,b}`, a list in Helm's `--set`, stays as it is.

/// A placeholder that has no value here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{{{name}}}` means nothing here")]
pub struct Unknown {
    /// Its name, without the braces.
    pub name: String,
}

/// Replaces each placeholder by what `value` gives for its name.
///
/// # Errors
/// The first name for which `value` gives nothing.
pub fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, Unknown> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, name, after)) = next(rest) {
        filled.push_str(before);
        filled.push_str(&value(name).ok_or_else(|| Unknown { name: name.to_owned() })?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// The names of the placeholders in `text`, in their order.
#[must_use]
pub fn placeholders(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, name, after)) = next(rest) {
        names.push(name);
        rest = after;
    }
    names
}

/// What is before the first placeholder, its name and what is after it.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices('{').find_map(|(at, _)| {
        let (name, after) = text[at + 1..].split_once('}')?;
        let word = !name.is_empty() && name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
        word.then(|| (&text[..at], name, after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, Unknown> {
        fill(text, |name| (name == "version").then(|| "1.2".to_owned()))
    }

    #[test]
    fn fills_placeholders() {
        assert_eq!(filled("v{version}-{version}").unwrap(), "v1.2-1.2");
        assert_eq!(filled("plain").unwrap(), "plain");
        assert_eq!(placeholders("a{arch}/{version}"), ["arch", "version"]);
        assert_eq!(filled("{arch}").unwrap_err(), Unknown { name: "arch".to_owned() });
    }

    #[test]
    fn leaves_other_braces() {
        for text in ["{a,b}", "{", "}", "{}", "{{", "{A}", "}{", "{é}"] {
            assert_eq!(filled(text).unwrap(), text);
            assert_eq!(placeholders(text), [""; 0]);
        }
        assert_eq!(filled("{{version}}").unwrap(), "{1.2}");
        assert_eq!(filled("{a,{version}}").unwrap(), "{a,1.2}");
    }

    #[test]
    fn does_not_fill_what_it_filled() {
        assert_eq!(fill("{version}", |_| Some("{version}".to_owned())).unwrap(), "{version}");
    }
}
