//! Why one component could not be resolved; the others go on.

use crate::catalog::names::TemplateError;
use crate::chart;
use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::{Arch, Digest, ReferenceError};
use crate::source::{self, checksum, github, helm};

use super::choice::{Age, Refusal};

/// Why one component could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// GitHub gave no answer.
    #[error(transparent)]
    GitHub(#[from] github::Error),
    /// A registry, a Helm repository or a download failed.
    #[error(transparent)]
    Source(#[from] source::Error),
    /// The index of a Helm repository tells nothing.
    #[error(transparent)]
    Index(#[from] helm::Error),
    /// A chart cannot be read or rendered, or its images cannot be carried.
    #[error("chart `{chart}`{}", .kubernetes.as_ref().map(|k| format!(" on Kubernetes {k}")).unwrap_or_default())]
    Chart {
        /// The chart's name.
        chart: String,
        /// On which other Kubernetes than the platform's first, if that is where it failed.
        kubernetes: Option<String>,
        /// Why.
        source: Box<chart::Error>,
    },
    /// There is no Helm that could render charts.
    #[error(transparent)]
    Helm(Box<chart::Error>),
    /// A manifest of the component's own cannot be read.
    #[error("the component's own manifests cannot be read")]
    Resource {
        /// Why.
        source: Box<chart::images::Error>,
    },
    /// The images cannot be carried.
    #[error("{}", images(.0))]
    Images(Vec<chart::images::Error>),
    /// The checksum file does not tell the checksum.
    #[error("the checksum of `{file}` is not in `{url}`")]
    Checksum {
        /// The file's URL.
        file: String,
        /// The checksum file's URL.
        url: String,
        /// Why.
        source: checksum::Error,
    },
    /// A text of the component has a placeholder that stands for nothing.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A text of the component that is not what it should be.
    #[error("`{field}` of the component cannot be used: {problem}")]
    Field {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The source has no version that may be taken.
    #[error("no version of `{of}` can be taken{}", refusals(.refused, *.candidates))]
    NoVersion {
        /// The repository or chart.
        of: String,
        /// How many candidates fit pattern and constraint.
        candidates: usize,
        /// Why the first of them were passed over, in their order.
        refused: Vec<String>,
    },
    /// A candidate ends the search.
    #[error("no version of `{of}` can be taken")]
    Refused {
        /// The repository or chart.
        of: String,
        /// Why.
        source: Box<Refusal>,
    },
    /// A chart, file or image without one of the promised architectures.
    #[error("`{artifact}` has nothing for {arch}{}", instead(.present))]
    MissingArch {
        /// The image's reference or the file's name.
        artifact: String,
        /// The architecture.
        arch: Arch,
        /// What it has.
        present: Vec<String>,
    },
    /// A registry has nothing of that name.
    #[error("there is no image `{reference}`")]
    NoImage {
        /// The reference.
        reference: String,
    },
    /// No image of that name.
    #[error("`{text}`, found in {found}, is no image")]
    NotImage {
        /// Where it was found.
        found: String,
        /// The text.
        text: String,
        /// Why.
        source: ReferenceError,
    },
    /// A manifest without the parts of an image.
    #[error("`{reference}` is no image that can be carried: {problem}")]
    BadImage {
        /// The reference.
        reference: String,
        /// What is wrong with it.
        problem: String,
    },
    /// GitHub shows no digest of an asset.
    #[error("GitHub shows no digest of the release's file `{url}`")]
    NoAssetDigest {
        /// The file's URL.
        url: String,
    },
    /// A download that is not what its publisher says.
    #[error("`{url}` is not what its publisher says: expected {expected}, found {found}")]
    Mismatch {
        /// The URL.
        url: String,
        /// What the publisher says.
        expected: String,
        /// What came.
        found: String,
    },
    /// A URL of the lock that has other bytes now.
    #[error("`{url}` has other bytes than the locked ones: {locked} was locked, {found} is published now")]
    Replaced {
        /// The URL.
        url: String,
        /// What the lock has.
        locked: Digest,
        /// What is published now.
        found: Digest,
        /// How long it has to be so.
        min_age: Age,
    },
    /// An archive without the member that is shipped.
    #[error("cannot take `{member}` out of `{url}`: {problem}")]
    Member {
        /// The archive's URL.
        url: String,
        /// The member.
        member: String,
        /// Why.
        problem: String,
    },
    /// The archive's own name or version is not that of the chart that was asked for.
    #[error("the archive of chart `{chart}` {version} says it is `{found_name}` {found_version}")]
    OtherChart {
        /// The chart that was asked for.
        chart: String,
        /// Its version.
        version: String,
        /// What the archive says.
        found_name: String,
        /// What the archive says.
        found_version: String,
    },
    /// A chart in a registry without a chart layer.
    #[error("`{reference}` is no Helm chart")]
    NotChart {
        /// The reference.
        reference: String,
    },
    /// No signature of whom the catalog names.
    #[error("no good signature of `{what}`: {problem}")]
    Signature {
        /// The image by its digest, or the component.
        what: String,
        /// What cosign says.
        problem: String,
    },
    /// A disk error.
    #[error("cannot write `{path}`")]
    Disk {
        /// The file or directory.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A hold on a version that the source does not have.
    #[error("`{of}` has no version {version}, which is held")]
    HeldMissing {
        /// The repository or chart.
        of: String,
        /// The version.
        version: String,
    },
}

impl Failure {
    /// The chart's failure with its name.
    pub(super) fn chart(name: &str, source: impl Into<chart::Error>) -> Self {
        Self::Chart { chart: name.to_owned(), kubernetes: None, source: Box::new(source.into()) }
    }

    /// Wrong bytes where the publisher's digest is known.
    pub(super) fn mismatch(url: &str, expected: Digest, found: Digest) -> Self {
        Self::Mismatch { url: url.to_owned(), expected: expected.to_string(), found: found.to_string() }
    }

    /// What the lock says about a component that was never resolved: nothing that changes from run to run.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Field { .. } | Self::Template(_) => "the component cannot be used",
            Self::NoVersion { .. } | Self::Refused { .. } | Self::HeldMissing { .. } => "no version can be taken",
            Self::MissingArch { .. } => "an architecture is missing",
            Self::NoImage { .. } => "there is no such image",
            Self::Images(_) | Self::Resource { .. } | Self::NotImage { .. } | Self::BadImage { .. } => {
                "an image cannot be locked"
            }
            Self::Checksum { .. } | Self::NoAssetDigest { .. } => "no digest known",
            Self::Mismatch { .. } | Self::Replaced { .. } | Self::Member { .. } => {
                "a download is not what its publisher says"
            }
            Self::Chart { .. } | Self::Helm(_) | Self::OtherChart { .. } | Self::NotChart { .. } => {
                "a chart cannot be used"
            }
            Self::GitHub(_) | Self::Source(_) | Self::Index(_) => "its source failed",
            Self::Signature { .. } => "a signature is not good",
            Self::Disk { .. } => "the disk failed",
        }
    }
}

/// All that is wrong with the images of a component, a line each.
fn images(errors: &[chart::images::Error]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn refusals(refused: &[String], candidates: usize) -> String {
    match (candidates, refused) {
        (0, _) => ": no release fits its tag pattern and constraint".to_owned(),
        (_, []) => String::new(),
        (_, refused) => format!(": {}", refused.join("; ")),
    }
}

fn instead(present: &[String]) -> String {
    if present.is_empty() { String::new() } else { format!("; it has {}", present.join(", ")) }
}

impl Diagnostic for Failure {
    fn exit(&self) -> Exit {
        match self {
            Self::GitHub(error) => error.exit(),
            Self::Source(error) => error.exit(),
            Self::Chart { source, .. } | Self::Helm(source) => source.exit(),
            Self::Mismatch { .. } => Exit::Mismatch,
            Self::Signature { .. } => Exit::No,
            Self::Disk { .. } => Exit::Disk,
            _ => Exit::Source,
        }
    }

    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::GitHub(error) => return error.hint(),
            Self::Source(error) => match error.hint() {
                None if error.status().is_some_and(|status| status.as_u16() == 404) => {
                    "check the names and URLs of the component: there is nothing in that place"
                }
                hint => return hint,
            },
            Self::Index(error) => return error.hint(),
            Self::Chart { source, .. } | Self::Helm(source) => return source.hint(),
            Self::Resource { source } => return source.hint(),
            Self::Images(errors) => return errors.first()?.hint(),
            Self::Checksum { source, .. } => source.hint(),
            Self::Refused { source, .. } if matches!(**source, Refusal::Undated { .. }) => {
                "write `min_age: 0d` in the component to take it at any age"
            }
            Self::NoVersion { candidates: 0, .. } => "check `source.tag` and `version` in the component",
            Self::NoVersion { .. } | Self::Refused { .. } => {
                "widen `version`, or change `min_age` or `compatibility` in the component"
            }
            Self::HeldMissing { .. } => "change or remove `hold` in the component",
            Self::MissingArch { .. } => {
                "choose another version or image, or take the architecture out of `platform.architectures`"
            }
            Self::NotImage { .. } | Self::BadImage { .. } | Self::NoImage { .. } => {
                "correct it in the component or its values, or list it under `ignored_images` with a reason"
            }
            Self::NoAssetDigest { .. } => "use `checksum.url`, or `checksum.unpublished` with a reason",
            Self::Mismatch { .. } => "do not use it before you know why; the publisher may have replaced it",
            Self::Replaced { min_age, .. } => {
                return Some(format!(
                    "find out why its publisher replaced it; it is taken when it has been so for {min_age}, or with `min_age: 0d` now"
                ));
            }
            Self::Signature { .. } => {
                "find out who published it before you use it; `verify` in the component says whom to trust"
            }
            Self::Member { .. } => "check `extract` in the component",
            Self::OtherChart { .. } | Self::NotChart { .. } => "check `chart` in the component",
            Self::Template(_) => {
                "known are {version}, {tag}, {arch}, {app_version}, {kubernetes} and {kubeedge}, each where it has a value"
            }
            Self::Field { .. } | Self::Disk { .. } => return None,
        };
        Some(text.to_owned())
    }
}
