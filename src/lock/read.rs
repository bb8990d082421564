//! Reading a lock of any version that was ever written.

use std::path::Path;

use serde::Deserialize;

use super::{Error, Lock, model, rules};
use crate::yaml::{self, Problems, YamlError};

/// What to do with a lock that no version of this program wrote.
const REWRITE: &str = "run `bundler resolve` to write the lock anew";

/// The one field that every version has, read first so that a newer lock is called newer and not malformed.
#[derive(Deserialize)]
struct Version {
    schema: u32,
}

/// Parses a lock; `file` only names it in errors.
///
/// # Errors
/// A lock of a newer schema, or all that is wrong in it, each with its place.
pub fn parse(file: &str, text: &str) -> Result<Lock, Error> {
    let Version { schema } = yaml::parse(file, text)?;
    if schema == 0 {
        let place = yaml::place_of(text, &["schema"]);
        return Err(YamlError::new(file, place, "schema 0 is not known").with_hint(REWRITE).into());
    }
    if schema > model::SCHEMA {
        return Err(Error::Newer { path: file.to_owned(), found: schema, known: model::SCHEMA });
    }
    let lock = yaml::parse(file, text)?;
    Problems::none_of(rules::check(file, text, &lock))?;
    Ok(lock)
}

/// Reads a lock from a file.
///
/// # Errors
/// As [`parse`], or a file that cannot be read.
pub fn read(path: &Path) -> Result<Lock, Error> {
    parse(&path.display().to_string(), &read_text(path)?)
}

/// Reads a lock's text from a file.
///
/// # Errors
/// A file that cannot be read, is too large or is no text.
pub fn read_text(path: &Path) -> Result<String, Error> {
    let file = path.display().to_string();
    let bytes = yaml::read(path).map_err(|source| Error::Read { path: file.clone(), source })?;
    Ok(yaml::text(&file, &bytes)?.to_owned())
}
