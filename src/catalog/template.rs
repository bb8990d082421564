//! Texts with placeholders such as `v{version}`. Every brace belongs to one: a typo is told, not shipped.

/// A placeholder that has no value where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{{{name}}}` stands for nothing here")]
pub struct Unknown {
    /// Its name without the braces; where a brace is never closed, all that follows it.
    pub name: String,
}

/// Replaces each placeholder by what `value` gives for its name. What is filled in is not filled again.
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
    let (before, after) = text.split_once('{')?;
    let (name, after) = after.split_once('}').unwrap_or((after, ""));
    Some((before, name, after))
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
        assert_eq!(filled("plain}").unwrap(), "plain}");
        assert_eq!(placeholders("a{arch}/{version}"), ["arch", "version"]);
        assert_eq!(fill("{version}", |_| Some("{version}".to_owned())).unwrap(), "{version}");
    }

    #[test]
    fn names_what_stands_for_nothing() {
        for (text, name) in
            [("{arch}", "arch"), ("{Version}", "Version"), ("x{y", "y"), ("{{version}}", "{version"), ("{", "")]
        {
            assert_eq!(filled(text).unwrap_err(), Unknown { name: name.to_owned() });
            assert_eq!(placeholders(text)[0], name);
        }
    }
}
