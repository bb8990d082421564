//! Why nothing was added. Nothing was written then.

use std::path::PathBuf;

use crate::catalog;
use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::ReferenceError;
use crate::resolve::Failure;
use crate::resolve::choice::Refusal;
use crate::source::{self, github};
use crate::yaml::{Place, YamlError};

/// Why nothing was added.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no catalog to add to.
    #[error("there is no catalog in `{}`", directory.display())]
    NoCatalog {
        /// The directory.
        directory: PathBuf,
    },
    /// The catalog cannot be read.
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
    /// An image that is no reference.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// An image by its digest.
    #[error("`{reference}` is one image: a digest alone has no version, and no newer ones")]
    Digest {
        /// The reference.
        reference: String,
    },
    /// An image by a tag that is no version's.
    #[error("the tag of `{reference}` names no version")]
    NoVersionInTag {
        /// The reference.
        reference: String,
        /// The same without its tag.
        repository: String,
    },
    /// A text that is no URL of what it should be.
    #[error("`{text}` is no URL that begins with {schemes}")]
    Url {
        /// The text, without what may be credentials.
        text: String,
        /// The schemes that there are.
        schemes: String,
    },
    /// A URL with a password.
    #[error("the URL on {host} holds credentials, which would end up in the catalog")]
    CredentialsInUrl {
        /// Its host.
        host: String,
    },
    /// A chart's repository without the chart.
    #[error("which chart of `{place}` is not said")]
    NoChartName {
        /// The repository.
        place: String,
    },
    /// A chart in a registry with its tag.
    #[error("the version of chart `{name}` is not part of its reference")]
    ChartVersion {
        /// The chart.
        name: String,
        /// The tag or digest.
        version: String,
    },
    /// No repository on GitHub.
    #[error(transparent)]
    Repository(#[from] github::NotRepository),
    /// A file that is no asset of a release.
    #[error("the file on {host} is of no release on GitHub, so nobody lists its newer versions")]
    NotReleased {
        /// Its host.
        host: String,
    },
    /// A name that no component can have.
    #[error("`{name}` cannot name a component")]
    Name {
        /// The name.
        name: String,
    },
    /// The component is there already.
    #[error("component `{name}` is in the catalog already: {}{}", file.display(), at(*place))]
    Exists {
        /// Its name.
        name: String,
        /// Its file, or what is in its place.
        file: PathBuf,
        /// Where in the file.
        place: Place,
    },
    /// A profile that is not there, or that cannot be edited.
    #[error(transparent)]
    Profile(YamlError),
    /// The tags of an image cannot be listed.
    #[error("cannot list the tags of `{what}`")]
    Tags {
        /// The repository.
        what: String,
        /// Why.
        source: Box<source::Error>,
    },
    /// GitHub gave no answer.
    #[error(transparent)]
    GitHub(Box<github::Error>),
    /// Nothing is a release.
    #[error("`{what}` has no release: {}", tags_there(*count, tags))]
    NoRelease {
        /// The repository.
        what: String,
        /// How many tags it has.
        count: usize,
        /// Some of them.
        tags: Vec<String>,
    },
    /// A pattern that no release has.
    #[error("no release of `{what}` has the tag pattern `{pattern}`")]
    NothingFits {
        /// The repository.
        what: String,
        /// The pattern.
        pattern: String,
        /// One that some have.
        instead: String,
    },
    /// A range without any release.
    #[error("no release of `{what}` is in `{within}`: its highest are {}", highest.join(", "))]
    NoVersionWithin {
        /// The repository.
        what: String,
        /// The range.
        within: String,
        /// The highest releases.
        highest: Vec<String>,
    },
    /// Several patterns are as likely.
    #[error("`{what}` has releases of {count} things: {}", list(patterns, *count))]
    WhichPattern {
        /// The repository.
        what: String,
        /// Their patterns, or the first of them.
        patterns: Vec<String>,
        /// How many there are.
        count: usize,
    },
    /// No release has files.
    #[error("no release of `{what}` with the tag pattern `{pattern}` has files")]
    NoFiles {
        /// The repository.
        what: String,
        /// The pattern.
        pattern: String,
    },
    /// Several files of a release, or none, can be meant.
    #[error("which file of {what} is not said: {}", files.join(", "))]
    WhichFile {
        /// The release.
        what: String,
        /// Its files.
        files: Vec<String>,
    },
    /// A file that the release does not have.
    #[error("{what} has no file `{file}`")]
    NoAsset {
        /// The release.
        what: String,
        /// The name.
        file: String,
        /// What it has.
        nearest: Option<String>,
    },
    /// A file that is not there for every architecture.
    #[error("{what} has `{file}`, but not one for each of {architectures}")]
    MissingArch {
        /// The release.
        what: String,
        /// The file.
        file: String,
        /// The architectures of the catalog.
        architectures: String,
    },
    /// A file without any checksum.
    #[error("{what} publishes no checksum of `{file}`")]
    NoChecksum {
        /// The release.
        what: String,
        /// The file.
        file: String,
    },
    /// The component breaks the catalog's rules.
    #[error("the component does not fit the catalog")]
    Unsound(#[source] catalog::Error),
    /// What was written does not resolve.
    #[error("`{name}` was not added, because it does not resolve")]
    NotResolved {
        /// The component.
        name: String,
        /// Why, if it failed by itself.
        source: Option<Box<Failure>>,
    },
    /// Somebody was asked and said no.
    #[error("nothing was added")]
    Declined,
    /// The catalog cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The place.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Error {
    pub(super) fn tags(what: &str, source: source::Error) -> Self {
        Self::Tags { what: what.to_owned(), source: Box::new(source) }
    }
}

fn at(place: Place) -> String {
    if place.line > 0 { format!(":{}:{}", place.line, place.column) } else { String::new() }
}

fn tags_there(count: usize, tags: &[String]) -> String {
    match (count, tags) {
        (0, _) => "it has no tag at all".to_owned(),
        _ if count > tags.len() => format!("none of its {count} tags is a version, such as {}", tags.join(", ")),
        _ => format!("none of its tags is a version: {}", tags.join(", ")),
    }
}

fn list(patterns: &[String], count: usize) -> String {
    let named: Vec<_> = patterns.iter().map(|pattern| format!("`{pattern}`")).collect();
    let more = if count > patterns.len() { ", …" } else { "" };
    format!("{}{more}", named.join(", "))
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Tags { source, .. } => source.exit(),
            Self::GitHub(error) => error.exit(),
            Self::NoRelease { .. } | Self::NoFiles { .. } | Self::NoChecksum { .. } => Exit::Source,
            Self::NotResolved { source, .. } => source.as_ref().map_or(Exit::No, |source| source.exit()),
            Self::Declined => Exit::No,
            Self::Write { .. } => Exit::Disk,
            _ => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NoCatalog { .. } => {
                "`bundler init` begins one in `manifests/`; `--catalog DIR` names another directory"
            }
            Self::Catalog(error) | Self::Unsound(error) => return error.hint(),
            Self::Digest { .. } => "name the repository: its newest version is chosen, and its digest is locked",
            Self::NoVersionInTag { repository, .. } => {
                return Some(format!("leave the tag out: of `{repository}` the newest version is chosen"));
            }
            Self::CredentialsInUrl { host } => {
                return Some(format!("leave them out; `docker login {host}` keeps those of a registry"));
            }
            Self::Url { .. } => {
                "write `add chart URL NAME`, `add file github:OWNER/NAME FILE`, or `add image NAME` for what is neither"
            }
            Self::NoChartName { .. } => "write `add chart https://… NAME`, or `add chart oci://REGISTRY/PATH/NAME`",
            Self::ChartVersion { version, .. } => return Some(format!("write `--version {version}` instead")),
            Self::Repository(_) => "write `github:OWNER/NAME`",
            Self::NotReleased { .. } => {
                "write `github:OWNER/NAME` where it is released there too, or a component by hand: `files` in docs/catalog.md"
            }
            Self::Name { .. } => "choose one with `--name`: letters, digits, `.`, `_` and `-`, 63 at most",
            Self::Exists { name, .. } => {
                return Some(format!(
                    "`bundler resolve {name}` takes its newest version; `--name` adds it a second time under another name"
                ));
            }
            Self::Profile(error) => return error.hint.clone(),
            Self::Tags { what, source } => {
                let missing = source.status().is_some_and(|status| status.as_u16() == 404);
                let spelled =
                    || format!("check the name `{what}`: the registry has no such repository, or does not show it");
                return if missing { Some(spelled()) } else { source.hint() };
            }
            Self::GitHub(error) => match error.hint() {
                Some(hint) => return Some(hint.replace("of `source.github` ", "")),
                None => return None,
            },
            Self::NoRelease { .. } => {
                "`--pattern` takes others, such as `v{version}-build1`; a pre-release is never chosen"
            }
            Self::NothingFits { instead, .. } => return Some(format!("`--pattern '{instead}'` has some")),
            Self::NoVersionWithin { .. } => "widen `--version`",
            Self::WhichPattern { .. } => {
                "say which with `--pattern`, or with `--name` where a thing's tags begin with its name"
            }
            Self::NoFiles { .. } => "look at its releases on GitHub; files that are elsewhere need a component by hand",
            Self::WhichFile { .. } => "name one of them after the repository; the other architectures' are found by it",
            Self::NoAsset { nearest, .. } => return nearest.clone(),
            Self::MissingArch { .. } => "take the architecture out of `platform.architectures`, or choose another file",
            Self::NoChecksum { .. } => {
                "write the component by hand, with `checksum: {unpublished: REASON}`, if you trust the download"
            }
            Self::NotResolved { source, .. } => return not_resolved(source.as_deref()?),
            Self::Reference(_) | Self::Declined | Self::Write { .. } => return None,
        };
        Some(text.to_owned())
    }
}

/// What can be done on the command line where the component itself is not written yet.
fn not_resolved(source: &Failure) -> Option<String> {
    let text = match source {
        Failure::NoVersion { candidates: 0, .. } => "check `--version`: no release is in it",
        Failure::Refused { source, .. } if matches!(**source, Refusal::Undated { .. }) => {
            "`--min-age 0d` takes it at any age"
        }
        Failure::NoVersion { .. } | Failure::Refused { .. } => {
            "widen `--version`, or take a younger one with `--min-age 0d`"
        }
        Failure::Chart { .. } | Failure::Images(_) => {
            "give the chart's values with `--values FILE`; or write it by hand: `--dry-run` prints what to begin with"
        }
        _ => return source.hint(),
    };
    Some(text.to_owned())
}
