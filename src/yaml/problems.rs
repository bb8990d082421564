//! All that is wrong with a catalog or a lock, told at once: a maintainer repairs ten mistakes faster than ten times one.

use std::cell::OnceCell;
use std::fmt;

use super::place::Skeleton;
use super::{Place, YamlError};

/// The most mistakes that are shown: a screen of them is enough to start with.
const MAX_SHOWN: usize = 20;
/// The most mistakes of one file that are kept: more are no maintainer's, and each needs its place found.
const MAX_FOUND: usize = 1000;

/// One or more mistakes, in the order of files and places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<YamlError>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0.as_slice() {
            return only.fmt(f);
        }
        write!(f, "{} mistakes", self.0.len())?;
        for problem in self.0.iter().take(MAX_SHOWN) {
            write!(f, "\n  {problem}")?;
            if let Some(hint) = &problem.hint {
                write!(f, " ({hint})")?;
            }
        }
        match self.0.len().saturating_sub(MAX_SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

impl std::error::Error for Problems {}

impl Problems {
    /// Nothing, or all that was found.
    pub(crate) fn none_of(found: Vec<YamlError>) -> Result<(), Self> {
        if found.is_empty() { Ok(()) } else { Err(Self(found)) }
    }

    /// What to do, when there is one mistake; of several, each shows its own.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self.0.as_slice() {
            [only] => only.hint.clone(),
            _ => None,
        }
    }
}

/// Collects the mistakes of one file.
pub(crate) struct Report<'a> {
    file: &'a str,
    text: &'a str,
    /// The places in the text, found when the first is asked for: a file of mistakes would be parsed once for each.
    skeleton: OnceCell<Skeleton>,
    found: Vec<YamlError>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, skeleton: OnceCell::new(), found: Vec::new() }
    }

    /// Notes a mistake at a place.
    pub(crate) fn wrong(
        &mut self,
        place: impl Into<Place>,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        let hint = hint.into();
        if self.found.len() == MAX_FOUND {
            return;
        }
        self.found.push(YamlError { hint, ..YamlError::new(self.file, place.into(), message) });
    }

    /// Notes a mistake at what `path` names, where the model keeps no place.
    pub(crate) fn wrong_at(&mut self, path: &[&str], message: impl Into<String>, hint: impl Into<Option<String>>) {
        if self.found.len() < MAX_FOUND {
            let place = self.skeleton.get_or_init(|| Skeleton::of(self.text)).place(path);
            self.wrong(place, message, hint);
        }
    }

    /// The mistakes by their place.
    pub(crate) fn finish(mut self) -> Vec<YamlError> {
        self.found.sort_by_key(|problem| problem.place);
        self.found
    }
}
