//! The names of repositories.

use std::str::FromStr;

use url::Url;

/// `owner/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    pub(super) owner: String,
    pub(super) name: String,
}

/// A text that is no `owner/name`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a GitHub repository: expected `owner/name`")]
pub struct NotRepository(String);

impl FromStr for Repository {
    type Err = NotRepository;

    fn from_str(text: &str) -> Result<Self, NotRepository> {
        let good = |part: &str| {
            !part.is_empty()
                && part.len() <= 100
                && !matches!(part, "." | "..")
                && part.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'))
        };
        match text.split_once('/') {
            Some((owner, name)) if good(owner) && good(name) => {
                Ok(Self { owner: owner.to_owned(), name: name.to_owned() })
            }
            _ => Err(NotRepository(text.chars().take(120).collect())),
        }
    }
}

impl std::fmt::Display for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// The repository's name where it answered, if that is another one.
pub(super) fn renamed(asked: &Repository, answered: &Url) -> Option<Repository> {
    let mut parts = answered.path().rsplit('/');
    let (name, owner) = (parts.next()?, parts.next()?);
    let now: Repository = format!("{owner}/{name}").parse().ok()?;
    (!now.to_string().eq_ignore_ascii_case(&asked.to_string())).then_some(now)
}
