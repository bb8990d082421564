//! The configuration: what differs from machine to machine, never what is in a bundle.

mod mirrors;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

pub use mirrors::{DOCKER_HUB_API, Endpoint, Mirrors};

use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::yaml::{self, Place, Spanned, YamlError};

/// Connections to one host when the configuration says nothing: across a slow link twice as many halve the time up to
/// here; 32 gain a quarter and take 79 MB of memory (docs/benchmarks.md).
const DEFAULT_CONNECTIONS: usize = 16;
/// More connections to one host only get a client throttled, and each costs a file descriptor.
const MAX_CONNECTIONS: u64 = 64;

/// More attempts only hide that a place does not work.
const MAX_ATTEMPTS: u64 = 20;
/// When a silent server may be given up: soon enough to be of use, and not while a busy link still delivers.
const IDLE_TIMEOUTS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3600));
/// The wait before a second attempt; it doubles, so that a longer one would be an hour in the end.
const RETRY_WAITS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(60));

/// What `config.yaml` holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where to ask instead of the original.
    pub mirrors: Mirrors,
    /// Never ask the original.
    pub mirror_only: bool,
    /// Connections to one host at a time, from 1 to 64.
    pub max_connections_per_host: usize,
    /// Attempts for one request at one place, from 1 to 20; the client's own number where nothing is said.
    pub attempts: Option<u32>,
    /// How long a server may say nothing.
    pub idle_timeout: Option<Duration>,
    /// The wait before a second attempt.
    pub retry_wait: Option<Duration>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mirrors: Mirrors::default(),
            mirror_only: false,
            max_connections_per_host: DEFAULT_CONNECTIONS,
            attempts: None,
            idle_timeout: None,
            retry_wait: None,
        }
    }
}

/// Why a configuration cannot be used. Every one ends with exit code 2, before any network.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is wrong at a place.
    #[error(transparent)]
    File(#[from] YamlError),
    /// The file cannot be read.
    #[error("cannot read the configuration `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint.clone(),
            Self::Read { .. } => Some("`--config FILE` or `BUNDLER_CONFIG` names the configuration".to_owned()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    mirrors: mirrors::Entries,
    #[serde(default)]
    mirror_only: bool,
    #[serde(default)]
    max_connections_per_host: Option<Spanned<u64>>,
    #[serde(default)]
    attempts: Option<Spanned<u64>>,
    #[serde(default)]
    idle_timeout: Option<Spanned<String>>,
    #[serde(default)]
    retry_wait: Option<Spanned<String>>,
}

impl Config {
    /// Reads the configuration that `--config`, `BUNDLER_CONFIG` or the default location names.
    ///
    /// A file that was named must exist; without one in the default location the defaults hold.
    pub fn load(explicit: Option<&Path>) -> Result<Self, Error> {
        let Some(location) = locate(explicit, |name| std::env::var_os(name)) else { return Ok(Self::default()) };
        match yaml::read_any(&location.path) {
            Ok(bytes) => {
                let file = location.path.to_string_lossy();
                Ok(Self::parse(&file, yaml::text(&file, &bytes)?)?)
            }
            Err(source) if source.kind() == std::io::ErrorKind::NotFound && !location.named => Ok(Self::default()),
            Err(source) => Err(Error::Read { path: location.path, source }),
        }
    }

    /// Parses the text of a configuration; `file` only names it in errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, YamlError> {
        // A file of comments alone is no mistake.
        let file_model: Option<File> = yaml::parse(file, text)?;
        let Some(model) = file_model else { return Ok(Self::default()) };
        let connections = number(file, "max_connections_per_host", model.max_connections_per_host, MAX_CONNECTIONS)?;
        let attempts = number(file, "attempts", model.attempts, MAX_ATTEMPTS)?;
        Ok(Self {
            mirrors: Mirrors::parse(file, model.mirrors)?,
            mirror_only: model.mirror_only,
            max_connections_per_host: connections.map_or(DEFAULT_CONNECTIONS, |number| number as usize),
            attempts,
            idle_timeout: duration(file, "idle_timeout", model.idle_timeout, IDLE_TIMEOUTS)?,
            retry_wait: duration(file, "retry_wait", model.retry_wait, RETRY_WAITS)?,
        })
    }
}

/// A number from 1 to `most`.
fn number(file: &str, name: &str, number: Option<Spanned<u64>>, most: u64) -> Result<Option<u32>, YamlError> {
    let Some(number) = number else { return Ok(None) };
    match u32::try_from(number.value) {
        Ok(value) if (1..=most).contains(&number.value) => Ok(Some(value)),
        _ => Err(YamlError {
            file: file.to_owned(),
            place: Place::from(&number),
            message: format!("`{name}` cannot be {}", number.value),
            hint: Some(format!("write a number from 1 to {most}")),
        }),
    }
}

/// A duration such as `90s` or `500ms` within bounds.
fn duration(
    file: &str,
    name: &str,
    text: Option<Spanned<String>>,
    (least, most): (Duration, Duration),
) -> Result<Option<Duration>, YamlError> {
    let Some(text) = text else { return Ok(None) };
    let parsed = text.value.parse::<jiff::SignedDuration>().ok().and_then(|signed| Duration::try_from(signed).ok());
    match parsed {
        Some(duration) if (least..=most).contains(&duration) => Ok(Some(duration)),
        _ => Err(YamlError {
            file: file.to_owned(),
            place: Place::from(&text),
            message: format!("`{name}` cannot be `{}`", text.value),
            hint: Some(format!("write a duration from {least:?} to {most:?}, such as `90s` or `500ms`")),
        }),
    }
}

/// Where a configuration is looked for.
#[derive(Debug, PartialEq, Eq)]
struct Location {
    path: PathBuf,
    /// Somebody named it, so it has to exist.
    named: bool,
}

/// Chooses the file; a variable that is set but empty counts as unset, as the XDG specification demands.
fn locate(explicit: Option<&Path>, variable: impl Fn(&str) -> Option<OsString>) -> Option<Location> {
    let variable = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(path) = explicit.map(Path::to_owned).or_else(|| variable("BUNDLER_CONFIG")) {
        return Some(Location { path, named: true });
    }
    let directory = variable("XDG_CONFIG_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| variable("HOME").map(|home| home.join(".config")))?;
    Some(Location { path: directory.join("bundler/config.yaml"), named: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_fields_of_the_design() {
        let config = Config::parse(
            "config.yaml",
            "mirrors:\n  docker.io: [https://harbor.example.cn/dockerhub]\n  quay.io: [http://127.0.0.1:5000]\n  \
             https://api.github.com: [http://127.0.0.1:8080/github]\nmirror_only: true\nmax_connections_per_host: 3\n\
             attempts: 7\nidle_timeout: 1m 30s\nretry_wait: 250ms\n",
        )
        .unwrap();
        assert!(config.mirror_only);
        assert_eq!((config.max_connections_per_host, config.attempts), (3, Some(7)));
        assert_eq!(config.idle_timeout, Some(Duration::from_secs(90)));
        assert_eq!(config.retry_wait, Some(Duration::from_millis(250)));
        assert_ne!(config.mirrors, Mirrors::default());
        for empty in ["", "# nothing\n", "{}"] {
            assert_eq!(Config::parse("config.yaml", empty).unwrap(), Config::default(), "{empty:?}");
        }
    }

    #[test]
    fn names_the_place_of_what_is_wrong() {
        let error = Config::parse("c.yaml", "mirror_only: true\nmirors: {}\n").unwrap_err();
        assert_eq!(error.to_string(), "c.yaml:2:1: unknown field `mirors`");
        assert_eq!(error.hint.as_deref(), Some("did you mean `mirrors`?"));
        for wrong in ["max_connections_per_host: 0\n", "max_connections_per_host: 65\n"] {
            let error = Config::parse("c.yaml", wrong).unwrap_err();
            assert_eq!(error.place, Place { line: 1, column: 27 }, "{error}");
        }
        for wrong in ["60", "-1s", "0s", "2h", "soon", "''", "1 month"] {
            let error = Config::parse("c.yaml", &format!("idle_timeout: {wrong}\n")).unwrap_err();
            assert_eq!(error.place, Place { line: 1, column: 15 }, "{error}");
            assert!(error.hint.unwrap().ends_with("from 100ms to 3600s, such as `90s` or `500ms`"));
        }
        let error = Config::parse("c.yaml", "attempts: 21\n").unwrap_err();
        assert_eq!(error.hint.as_deref(), Some("write a number from 1 to 20"));
        let error = Config::parse("c.yaml", "mirrors:\n  a.io: []\n  a.io: []\n").unwrap_err();
        assert_eq!(error.place, Place { line: 3, column: 3 }, "{error}");
        for wrong in ["- 1\n", "mirror_only: maybe\n", "max_connections_per_host: -1\n", "mirrors: [a]\n", "{"] {
            assert!(Config::parse("c.yaml", wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn looks_where_the_design_says() {
        let environment = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        let path = |explicit, pairs| locate(explicit, environment(pairs)).map(|l| (l.path, l.named));
        let all = &[("BUNDLER_CONFIG", "/b.yaml"), ("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(path(Some(Path::new("e.yaml")), all), Some(("e.yaml".into(), true)));
        assert_eq!(path(None, all), Some(("/b.yaml".into(), true)));
        assert_eq!(path(None, &all[1..]), Some(("/x/bundler/config.yaml".into(), false)));
        assert_eq!(path(None, &all[2..]), Some(("/h/.config/bundler/config.yaml".into(), false)));
        assert_eq!(
            path(None, &[("BUNDLER_CONFIG", ""), ("XDG_CONFIG_HOME", "relative"), ("HOME", "/h")]),
            Some(("/h/.config/bundler/config.yaml".into(), false))
        );
        assert_eq!(path(None, &[]), None);
    }

    #[test]
    fn a_named_file_must_exist() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("config.yaml");
        let error = Config::load(Some(&missing)).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        std::fs::write(&missing, "mirror_only: true\n").unwrap();
        assert!(Config::load(Some(&missing)).unwrap().mirror_only);
    }
}
