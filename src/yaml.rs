//! The one place that knows the YAML library: reading with the place of every error, and writing.

mod mend;
mod place;
mod problems;

use std::borrow::Cow;
use std::fmt;
use std::io::Read as _;
use std::path::Path;

pub use place::{keys_of, place_of};
pub use problems::Problems;
pub(crate) use problems::Report;
use serde::Serialize;
use serde::de::DeserializeOwned;
pub use serde_saphyr::Spanned;

/// The largest YAML file of ours that is read, 8 MiB: the lock of a thousand images has less than 2.
pub const MAX_YAML: usize = 8 << 20;
/// What is said of a larger one.
const TOO_LARGE: &str = "the file is larger than 8 MiB, more than is ever read";
/// What git puts before the first side of a merge conflict.
const CONFLICT: &str = "<<<<<<< ";

/// A place in a text file; both count from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line, from 1; 0 where the library knows none.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
}

impl<T> From<&Spanned<T>> for Place {
    fn from(spanned: &Spanned<T>) -> Self {
        spanned.referenced.into()
    }
}

impl From<serde_saphyr::Location> for Place {
    fn from(location: serde_saphyr::Location) -> Self {
        Self { line: location.line(), column: location.column() }
    }
}

/// What is wrong with a YAML file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlError {
    /// The file's path as it was given.
    pub file: String,
    /// Where in the file.
    pub place: Place,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do, such as the nearest known field.
    pub hint: Option<String>,
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.place.line > 0 {
            write!(f, ":{}:{}", self.place.line, self.place.column)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for YamlError {}

impl YamlError {
    /// An error at a place, without a hint.
    ///
    /// A message quotes what it found: control characters are escaped, so that a file cannot speak to a terminal.
    #[must_use]
    pub fn new(file: &str, place: Place, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if message.contains(char::is_control) {
            let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
            message = message.chars().map(escape).collect();
        }
        Self { file: file.to_owned(), place, message, hint: None }
    }

    /// The same error with a hint.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// Parses one YAML document; `file` only names it in errors.
///
/// Aliases, depth and size are bounded by the library's budget, so a YAML bomb is an error.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, YamlError> {
    if text.len() > MAX_YAML {
        return Err(YamlError::new(file, Place::default(), TOO_LARGE));
    }
    let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| locate(file, text, &error))
}

/// Reads a regular file's bytes, stopping one past [`MAX_YAML`] so that [`text`] can refuse a larger one.
///
/// A pipe or a device is refused before it is opened: reading it might never end.
pub fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "not a regular file"));
    }
    read_any(path)
}

/// The same of a file that may be a pipe, such as the shell's `<(…)`.
pub fn read_any(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_YAML as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text of a file's bytes; what is no UTF-8 is an error with its place.
pub fn text<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, YamlError> {
    if bytes.len() > MAX_YAML {
        return Err(YamlError::new(file, Place::default(), TOO_LARGE));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = good.matches('\n').count() as u64 + 1;
        let column = good.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
        YamlError::new(file, Place { line, column }, "the file is not UTF-8 text")
    })
}

/// The largest YAML text of other people that is parsed, 16 MiB: parsing takes up to fifteen times as much memory,
/// and the largest known, one chart's part of an index, has 5.
pub const MAX_FOREIGN: usize = 16 << 20;

/// Parses one document that others wrote, such as a rendered manifest: more of it than of ours, and as
/// leniently as Kubernetes' own reader, for which the last of two equal keys counts.
pub fn parse_foreign<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, YamlError> {
    parse_mended(file, text).map(|(value, _)| value)
}

/// The same with the text that was read: where the library takes less than Kubernetes' reader, it is not quite the one
/// that was given.
pub fn parse_mended<'t, T: DeserializeOwned>(file: &str, text: &'t str) -> Result<(T, Cow<'t, str>), YamlError> {
    let mut text = Cow::Borrowed(text);
    let mut mender = mend::Mender::default();
    loop {
        match parse_exactly(file, &text) {
            Ok(value) => return Ok((value, text)),
            Err(error) => text = Cow::Owned(mender.mend(&text, &error).ok_or(error)?),
        }
    }
}

fn parse_exactly<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, YamlError> {
    if text.len() > MAX_FOREIGN {
        let message = format!("a YAML text of {} bytes; at most {MAX_FOREIGN} are read", text.len());
        return Err(YamlError::new(file, Place::default(), message));
    }
    let options = serde_saphyr::options! {
        with_snippet: false,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        // A node needs at least two bytes, so the text's own bound keeps these finite.
        budget: serde_saphyr::budget! { max_events: MAX_FOREIGN, max_nodes: MAX_FOREIGN / 2 },
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| locate(file, text, &error))
}

/// Writes a value; maps are written in the order of their iteration.
///
/// Every scalar stays on one line: a folded URL could not be searched for, and would make diffs noisy.
///
/// # Panics
/// Never for our models: the serializer fails only for shapes that YAML cannot hold, which no model has.
#[must_use]
#[expect(clippy::expect_used, reason = "our models hold nothing that YAML cannot")]
pub fn to_string<T: Serialize>(value: &T) -> String {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(value, options).expect("the models serialise to YAML")
}

fn locate(file: &str, text: &str, error: &serde_saphyr::Error) -> YamlError {
    if let Some(line) = text.lines().position(|line| line.starts_with(CONFLICT)) {
        let place = Place { line: line as u64 + 1, column: 1 };
        return YamlError::new(file, place, "a merge conflict begins here")
            .with_hint("keep one side of it, and of a lock then run `bundler resolve`");
    }
    let error = error.without_snippet();
    let place = error.location().map(Place::from).unwrap_or_default();
    let (message, hint) = match error {
        serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => {
            (format!("unknown field `{field}`"), nearest(field, expected))
        }
        serde_saphyr::Error::SerdeUnknownVariant { variant, expected, .. } => {
            (format!("unknown value `{variant}`"), nearest(variant, expected))
        }
        other => match beyond(other).or_else(|| plainly(other, text)) {
            Some((what, hint)) => (what, hint.map(str::to_owned)),
            None => (first_line(&other.render_with_formatter(&serde_saphyr::UserMessageFormatter)), None),
        },
    };
    YamlError { hint, ..YamlError::new(file, place, message) }
}

/// What the library says in the words of parsers, in those of who writes the file.
fn plainly(error: &serde_saphyr::Error, text: &str) -> Option<(String, Option<&'static str>)> {
    use serde_saphyr::Error as E;
    let nothing = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let (message, hint) = match error {
        E::Eof { .. } if text.lines().all(nothing) => ("the file is empty", None),
        E::Eof { .. } => ("the file ends too early", None),
        E::Unexpected { expected: "mapping start", .. } => {
            ("a mapping is expected here", Some("write it as lines of `field: value`"))
        }
        E::Unexpected { expected: "sequence start", .. } => {
            ("a list is expected here", Some("write it as `[a, b]`, or each item on a line after `- `"))
        }
        E::Unexpected { expected: "string scalar" | "scalar", .. } | E::NullIntoString { .. } => {
            ("a text is expected here", None)
        }
        E::InvalidScalar { ty, .. } if ty.starts_with('u') => ("a whole number is expected here, 0 or more", None),
        E::InvalidBooleanStrict { .. } => ("`true` or `false` is expected here", None),
        E::DuplicateMappingKey { key: Some(key), .. } => return Some((format!("`{key}` is here a second time"), None)),
        E::MultipleDocuments { .. } => ("a second document begins here, and one is expected", None),
        E::Message { msg, .. } | E::ExternalMessage { msg, .. }
            if ["found a tab", "tabs disallowed", "tab cannot"].iter().any(|said| msg.contains(said)) =>
        {
            ("there is a tab in the indentation", Some("indent with spaces"))
        }
        _ => return None,
    };
    Some((message.to_owned(), hint))
}

/// What a text has more of than the library's budget allows, where that is what is wrong with it.
fn beyond(error: &serde_saphyr::Error) -> Option<(String, Option<&'static str>)> {
    use serde_saphyr::Error as E;
    use serde_saphyr::budget::BudgetBreach as Breach;
    let message = match error {
        E::AliasError { error, .. } => return beyond(error),
        E::Budget { breach: Breach::Depth { .. }, .. } => "the text is nested deeper than is ever read",
        E::Budget {
            breach:
                Breach::Aliases { .. }
                | Breach::Anchors { .. }
                | Breach::AliasAnchorRatio { .. }
                | Breach::RecordedAnchorEvents { .. }
                | Breach::RecordedAnchorBytes { .. }
                | Breach::MergeKeys { .. },
            ..
        }
        | E::AliasReplayCounterOverflow { .. }
        | E::AliasReplayLimitExceeded { .. }
        | E::AliasExpansionLimitExceeded { .. }
        | E::AliasReplayStackDepthExceeded { .. } => "the aliases of the text stand for more than is ever read",
        E::Budget { .. } => "the text has more values than are ever read",
        _ => return None,
    };
    Some((message.to_owned(), None))
}

/// A hint with the known name that is closest to `given`, or with all of them; none when nothing is known.
#[must_use]
pub fn nearest(given: &str, known: &[&str]) -> Option<String> {
    let best = known.iter().map(|name| (strsim::damerau_levenshtein(given, name), name)).min()?;
    if best.0 <= 1 + given.len() / 3 {
        Some(format!("did you mean `{}`?", best.1))
    } else {
        Some(format!("known here: {}", known.join(", ")))
    }
}

/// The first line without the place, which stands before the message already.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.rsplit_once(" at line ") {
        Some((message, place)) if place.bytes().all(|c| c.is_ascii_digit() || b", column".contains(&c)) => message,
        _ => line,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_is_needed_to_refuse_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(4 * MAX_YAML as u64).unwrap();
        let bytes = read(file.path()).unwrap();
        assert_eq!(bytes.len(), MAX_YAML + 1);
        assert!(text("x", &bytes).unwrap_err().to_string().contains("larger than 8 MiB"));
        // Nor is it parsed by who has it from elsewhere.
        let comment = "#".repeat(MAX_YAML + 1);
        assert!(parse::<Option<u8>>("x", &comment).unwrap_err().to_string().contains("larger than 8 MiB"));
        assert_eq!(parse::<Option<u8>>("x", &comment[1..]), Ok(None));
        let foreign = "#".repeat(MAX_FOREIGN + 1);
        assert!(
            parse_foreign::<Option<u8>>("x", &foreign).unwrap_err().to_string().contains("at most 16777216 are read")
        );
    }

    #[test]
    fn what_is_wrong_is_told_in_the_words_of_who_writes_the_file() {
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "read by nobody: only what is refused matters")]
        struct Model {
            name: String,
            size: Option<u64>,
            list: Option<Vec<String>>,
            on: Option<bool>,
        }
        for (text, said, hint) in [
            ("", "x:1:1: the file is empty", ""),
            ("# nothing\n\n", ": the file is empty", ""),
            ("- a\n", "x:1:1: a mapping is expected here", "write it as lines of `field: value`"),
            ("hello", "x:1:1: a mapping is expected here", "write it as lines of `field: value`"),
            ("name: {a: b}", "x:1:7: a text is expected here", ""),
            ("name:", ": a text is expected here", ""),
            (
                "name: a\nlist: b",
                "x:2:7: a list is expected here",
                "write it as `[a, b]`, or each item on a line after `- `",
            ),
            ("name: a\nsize: -1", "x:2:7: a whole number is expected here, 0 or more", ""),
            ("name: a\nsize: many", "x:2:7: a whole number is expected here, 0 or more", ""),
            ("name: a\non: yes", "x:2:5: `true` or `false` is expected here", ""),
            ("name: a\nname: b", "x:2:1: `name` is here a second time", ""),
            ("name: a\n---\nname: b", "x:3:1: a second document begins here, and one is expected", ""),
            ("name: a\nlist:\n\t- b", ": there is a tab in the indentation", "indent with spaces"),
            ("name: a\nlist:\n  - b\n\t- c", ": there is a tab in the indentation", "indent with spaces"),
            (
                "name: a\n<<<<<<< HEAD\nsize: 1\n=======\nsize: 2\n>>>>>>> other\n",
                "x:2:1: a merge conflict begins here",
                "keep one side of it, and of a lock then run `bundler resolve`",
            ),
        ] {
            let error = parse::<Model>("x", text).unwrap_err();
            assert!(error.to_string().ends_with(said), "{text:?}: {error}");
            assert_eq!(error.hint.as_deref().unwrap_or_default(), hint, "{text:?}");
        }
    }

    #[test]
    fn a_bomb_is_refused_in_plain_words() {
        let mut aliases = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_owned();
        for level in 1..10 {
            let inner = vec![format!("*a{}", level - 1); 10].join(", ");
            aliases.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
        }
        for text in [aliases, "- 1\n".repeat(MAX_YAML / 4)] {
            let error = parse::<serde_json::Value>("x", &text).unwrap_err();
            assert!(error.message.ends_with(" ever read"), "{error}");
        }
    }
}
