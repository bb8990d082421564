//! The one place that knows the YAML library: reading with the place of every error, and writing.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
pub use serde_saphyr::Spanned;

/// The largest YAML file of ours that is read, 8 MiB: the lock of a thousand images has less than 2.
pub const MAX_YAML: usize = 8 << 20;

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

/// Parses one YAML document; `file` only names it in errors.
///
/// Aliases, depth and size are bounded by the library's budget, so a YAML bomb is an error.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, YamlError> {
    if text.len() > MAX_YAML {
        return Err(YamlError {
            file: file.to_owned(),
            place: Place::default(),
            message: format!("the file has {} bytes; at most {MAX_YAML} are read", text.len()),
            hint: None,
        });
    }
    let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| locate(file, &error))
}

/// Writes a value; maps are written in the order of their iteration.
///
/// # Panics
/// Never for our models: the serializer fails only for shapes that YAML cannot hold, which no model has.
#[must_use]
#[expect(clippy::expect_used, reason = "our models hold nothing that YAML cannot")]
pub fn to_string<T: Serialize>(value: &T) -> String {
    serde_saphyr::to_string(value).expect("the models serialise to YAML")
}

fn locate(file: &str, error: &serde_saphyr::Error) -> YamlError {
    let error = error.without_snippet();
    let place = error.location().map(Place::from).unwrap_or_default();
    let (message, hint) = match error {
        serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => {
            (format!("unknown field `{field}`"), nearest(field, expected))
        }
        serde_saphyr::Error::SerdeUnknownVariant { variant, expected, .. } => {
            (format!("unknown value `{variant}`"), nearest(variant, expected))
        }
        other => (first_line(&other.to_string()), None),
    };
    YamlError { file: file.to_owned(), place, message, hint }
}

/// Suggests the known name that is closest to `given`, or lists them all.
fn nearest(given: &str, known: &[&str]) -> Option<String> {
    let best = known.iter().map(|name| (strsim::damerau_levenshtein(given, name), name)).min()?;
    if best.0 <= 1 + given.len() / 3 {
        Some(format!("did you mean `{}`?", best.1))
    } else {
        Some(format!("known here: {}", known.join(", ")))
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
