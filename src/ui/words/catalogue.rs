//! The catalogue: English templates with named places, and what they are in another language.
//!
//! A line of our own is looked up by its template. A message from below arrives as English text, because nothing there
//! knows of languages: it is recognised by the words between the places of a template, and what stands at the places is
//! put into the other language's template.

/// The most causes of a message that are looked for behind `: `; what follows them is shown as it is.
const MAX_CAUSES: usize = 8;
/// The longest line that is looked at, 8 KiB: ours are shorter, and what names of an archive make of one is shown as it is.
const MAX_LINE: usize = 8 << 10;
/// How deep messages stand in messages: an error of ours has no more, and a hostile name cannot use up the stack.
const MAX_DEPTH: usize = 8;
/// The fewest letters of its own by which a template alone tells a message.
const MIN_LETTERS: usize = 4;

/// The templates of a language.
#[derive(Debug)]
pub struct Catalogue {
    reports: Vec<Entry>,
    /// Those with the most words of their own first.
    messages: Vec<Entry>,
}

/// One template in both languages.
#[derive(Debug)]
pub struct Entry {
    /// The English template, such as ``cannot read `{path}` ``.
    pub english: &'static str,
    /// The same in the other language; `{@reason}` is a place whose text is a message too.
    pub other: &'static str,
    literals: Vec<&'static str>,
    names: Vec<&'static str>,
}

impl Catalogue {
    /// Reads a catalogue: under `[reports]` and `[messages]` a line of English, then an indented one of the other
    /// language; `#` begins a comment.
    ///
    /// # Errors
    /// The number of a line that is not so, and what is wrong with it.
    pub fn parse(text: &'static str) -> Result<Self, (usize, &'static str)> {
        let (mut reports, mut messages) = (Vec::new(), Vec::new());
        let mut section = None;
        let mut english = None;
        for (number, line) in (1..).zip(text.lines()) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match (english.take(), line.strip_prefix("  ")) {
                (None, None) if line == "[reports]" => section = Some(&mut reports),
                (None, None) if line == "[messages]" => section = Some(&mut messages),
                (None, None) => english = Some(line),
                (Some(english), Some(other)) => {
                    let entry = Entry::new(english, other).map_err(|wrong| (number, wrong))?;
                    section.as_mut().ok_or((number, "there is no section above it"))?.push(entry);
                }
                (None, Some(_)) => return Err((number, "an indented line follows an English one")),
                (Some(_), None) => return Err((number, "an English line is followed by an indented one")),
            }
        }
        if english.is_some() {
            return Err((text.lines().count(), "an English line is followed by an indented one"));
        }
        messages.sort_by_key(|entry| std::cmp::Reverse(entry.literals.concat().len()));
        Ok(Self { reports, messages })
    }

    /// The lines that `ui` puts together.
    #[must_use]
    pub fn reports(&self) -> &[Entry] {
        &self.reports
    }

    /// What comes from below.
    #[must_use]
    pub fn messages(&self) -> &[Entry] {
        &self.messages
    }

    /// What a template of our own is in the other language.
    #[must_use]
    pub fn template(&self, english: &str) -> Option<&'static str> {
        self.reports.iter().find(|entry| entry.english == english).map(|entry| entry.other)
    }

    /// A message in the other language, line by line; what is not recognised stays as it is.
    #[must_use]
    pub fn message(&self, english: &str) -> String {
        let line = |line: &str| {
            if line.len() > MAX_LINE {
                return line.to_owned();
            }
            let text = line.trim_start_matches(' ');
            let indent = &line[..line.len() - text.len()];
            format!("{indent}{}", self.recognise(text, MAX_DEPTH).unwrap_or_else(|| text.to_owned()))
        };
        english.split('\n').map(line).collect::<Vec<_>>().join("\n")
    }

    fn recognise(&self, text: &str, depth: usize) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        self.messages.iter().find_map(|entry| self.as_entry(entry, text, depth)).or_else(|| self.as_chain(text, depth))
    }

    fn as_entry(&self, entry: &Entry, text: &str, depth: usize) -> Option<String> {
        let found = entry.captures(text)?;
        let mut values = Vec::with_capacity(found.len());
        for (name, value) in entry.names.iter().zip(found) {
            let inner = entry.other.contains(&format!("{{@{name}}}")).then(|| self.recognise(value, depth));
            // A template of hardly any words fits almost anything: what it holds has to be ours.
            if matches!(inner, Some(None)) && entry.letters() < MIN_LETTERS {
                return None;
            }
            values.push((*name, inner.flatten().unwrap_or_else(|| value.to_owned())));
        }
        Some(fill(entry.other, &values))
    }

    /// A message with its causes behind it, as `verify` tells them.
    fn as_chain(&self, text: &str, depth: usize) -> Option<String> {
        text.match_indices(": ").take(MAX_CAUSES).find_map(|(at, separator)| {
            let (head, rest) = (&text[..at], &text[at + separator.len()..]);
            let head = self.messages.iter().find_map(|entry| self.as_entry(entry, head, depth))?;
            Some(format!("{head}：{}", self.recognise(rest, depth).unwrap_or_else(|| rest.to_owned())))
        })
    }
}

impl Entry {
    fn new(english: &'static str, other: &'static str) -> Result<Self, &'static str> {
        let (literals, names) = split(english)?;
        let places = |names: &[&'static str]| {
            let mut names: Vec<_> = names.iter().map(|name| name.trim_start_matches('@')).collect();
            names.sort_unstable();
            names
        };
        let (_, others) = split(other)?;
        if places(&names) != places(&others) {
            return Err("the two lines have different places");
        }
        if names.iter().enumerate().any(|(at, name)| name.starts_with('@') || names[..at].contains(name)) {
            return Err("a place of the English line stands twice, or begins with @");
        }
        Ok(Self { english, other, literals, names })
    }

    fn letters(&self) -> usize {
        self.literals.iter().flat_map(|literal| literal.chars()).filter(|c| c.is_alphabetic()).count()
    }

    /// What stands at the places of the template, if the text is made from it. What stands between backticks can hold
    /// none: a name that was chosen to look like another message is not taken apart, but shown as it is, in English.
    fn captures<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        let (first, rest) = self.literals.split_first()?;
        let Some((last, middle)) = rest.split_last() else { return (text == *first).then(Vec::new) };
        let mut left = text.strip_prefix(first)?.strip_suffix(last)?;
        let mut found = Vec::with_capacity(self.names.len());
        for literal in middle {
            let (before, after) = left.split_once(literal)?;
            found.push(before);
            left = after;
        }
        found.push(left);
        let quoted = |at: usize| self.literals[at].ends_with('`') && self.literals[at + 1].starts_with('`');
        let hostile = found.iter().enumerate().any(|(at, value)| quoted(at) && value.contains('`'));
        (!hostile).then_some(found)
    }
}

/// The words between the places of a template, and the names of the places.
fn split(template: &'static str) -> Result<(Vec<&'static str>, Vec<&'static str>), &'static str> {
    let (mut literals, mut names, mut rest) = (Vec::new(), Vec::new(), template);
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or("a place has no end")?;
        let plain = name.strip_prefix('@').unwrap_or(name);
        if plain.is_empty() || !plain.bytes().all(|c| c.is_ascii_lowercase() || c == b'_') {
            return Err("the name of a place has small letters only");
        }
        literals.push(literal);
        names.push(name);
        rest = after;
    }
    literals.push(rest);
    if literals.len() > 2 && literals[1..literals.len() - 1].contains(&"") {
        return Err("two places have nothing between them");
    }
    Ok((literals, names))
}

/// Puts values at the places of a template.
#[must_use]
pub fn fill(template: &str, values: &[(&str, String)]) -> String {
    let (mut text, mut rest) = (String::new(), template);
    while let Some((literal, after)) = rest.split_once('{') {
        text.push_str(literal);
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let name = name.trim_start_matches('@');
        text.push_str(values.iter().find(|(other, _)| *other == name).map_or(name, |(_, value)| value));
        rest = after;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# A comment
[messages]
cannot read `{path}`
  无法读取 `{path}`
`{member}` of `{path}` is damaged: {reason}
  `{path}` 中的 `{member}` 已损坏：{@reason}
{path}:{line}: {reason}
  {path}:{line}：{@reason}
it is too short
  太短
[reports]
{found} of {all}
  {all} 中的 {found}
";

    fn catalogue() -> Catalogue {
        Catalogue::parse(TEXT).unwrap()
    }

    #[test]
    fn a_message_keeps_its_facts() {
        for (english, other) in [
            ("cannot read `/a b`", "无法读取 `/a b`"),
            ("`x` of `/b` is damaged: it is too short", "`/b` 中的 `x` 已损坏：太短"),
            ("`x` of `/b` is damaged: os error 5", "`/b` 中的 `x` 已损坏：os error 5"),
            ("a:7: it is too short", "a:7：太短"),
            ("cannot read `a`: it is too short", "无法读取 `a`：太短"),
            ("cannot read `a`: who knows", "无法读取 `a`：who knows"),
            ("it is too short\n  it is too short", "太短\n  太短"),
        ] {
            assert_eq!(catalogue().message(english), other);
        }
        let template = catalogue().template("{found} of {all}").unwrap();
        assert_eq!(fill(template, &[("found", "{all}".to_owned()), ("all", "4".to_owned())]), "4 中的 {all}");
    }

    #[test]
    fn what_is_not_ours_stays_as_it_is() {
        for text in ["a:7: who knows", "it is", "http://host:80: refused", "", "cannot read `a` `b`", "3 of 4"] {
            assert_eq!(catalogue().message(text), text);
        }
    }

    #[test]
    fn a_name_cannot_make_a_message_another_one() {
        let text = "`a` of `b` is damaged: it is too short` of `c` is damaged: it is too short";
        assert!(catalogue().message(text).matches('`').count() == text.matches('`').count());
        // Between backticks there is one name, and no second message.
        let text = "cannot read `x` of `y`";
        assert_eq!(catalogue().message(text), text);
        let long = ": ".repeat(100_000);
        assert_eq!(catalogue().message(&long), long);
    }

    #[test]
    fn a_wrong_line_is_named() {
        assert!(Catalogue::parse("a\n  b\n").is_err(), "no section");
        for (text, line) in [
            ("a\nb\n", 2),
            ("  a\n", 1),
            ("a\n", 1),
            ("a {x}\n  b {y}\n", 2),
            ("a {x}\n  b\n", 2),
            ("a {x} {x}\n  b {x} {x}\n", 2),
            ("a {x\n  b {x\n", 2),
            ("a {x}{y}\n  b {x} {y}\n", 2),
            ("a {X}\n  b {X}\n", 2),
        ] {
            let text: &'static str = Box::leak(format!("[reports]\n{text}").into_boxed_str());
            assert_eq!(Catalogue::parse(text).map(|_| ()).map_err(|(line, _)| line), Err(line + 1), "{text}");
        }
    }
}
