//! The pure plan: which artifacts and blobs a selection of the lock needs, and where each blob comes from.

mod blobs;
mod selection;
#[cfg(test)]
mod tests;

use std::fmt;

pub use blobs::{Artifact, Blob, Download, Images, Source, collect};
pub use selection::{Plan, Selection, before, plan};

use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::{Arch, Digest};

/// Why a selection of a lock cannot be packed; every one is found before any blob is fetched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No architecture was asked for.
    #[error("no architecture is selected")]
    NoArch,
    /// The lock is not for this architecture.
    #[error("the lock is not for {arch}")]
    Arch {
        /// What was asked for.
        arch: Arch,
        /// What the lock is for.
        known: Vec<Arch>,
    },
    /// The lock has no such profile or component.
    #[error("the lock has no {what} `{name}`")]
    Unknown {
        /// `profile` or `component`.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// What the lock has.
        known: Vec<String>,
    },
    /// A component that none of the selected profiles carries.
    #[error("component `{component}` is in none of the selected profiles")]
    Outside {
        /// What was asked for.
        component: String,
    },
    /// Catalog and lock tell different things.
    #[error("the lock is stale:{}", lines(.differences))]
    Stale {
        /// Each difference, one line.
        differences: Vec<String>,
    },
    /// The selection holds artifacts without a digest.
    #[error("{} of this selection {} unresolved:{}", count(.missing.len(), "artifact"),
        if .missing.len() == 1 { "is" } else { "are" }, lines(.missing))]
    Unresolved {
        /// Each artifact with its component and reason.
        missing: Vec<Missing>,
    },
    /// Two documents give one blob two sizes.
    #[error("{blob} has {first} bytes according to {first_artifact}, but {second} according to {second_artifact}")]
    TwoSizes {
        /// The blob.
        blob: Digest,
        /// One size.
        first: u64,
        /// Who says so.
        first_artifact: Box<Artifact>,
        /// The other size.
        second: u64,
        /// Who says so.
        second_artifact: Box<Artifact>,
    },
    /// An artifact's URL cannot be used.
    #[error("{artifact}: `{url}` is not a URL that can be fetched")]
    Url {
        /// The chart or file.
        artifact: Box<Artifact>,
        /// Its URL in the lock.
        url: String,
    },
}

/// Something that the selection wants but that has no digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The component that wants it.
    pub component: String,
    /// An image's reference, or a chart's or a file's name.
    pub artifact: String,
    /// Why it has none.
    pub reason: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.component, self.artifact, self.reason)
    }
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::NoArch | Self::Arch { .. } | Self::Unknown { .. } | Self::Outside { .. } | Self::Url { .. } => {
                Exit::Usage
            }
            Self::Stale { .. } | Self::Unresolved { .. } => Exit::No,
            Self::TwoSizes { .. } => Exit::Mismatch,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoArch => Some("name one with `--arch`, such as `--arch arm64`".to_owned()),
            Self::Arch { known, .. } => {
                let known: Vec<_> = known.iter().map(|arch| arch.as_str()).collect();
                Some(format!("it is for {}; `platform.architectures` of the catalog names them", known.join(", ")))
            }
            Self::Unknown { name, known, .. } => {
                let near = known.iter().map(|k| (strsim::damerau_levenshtein(name, k), k)).min();
                match near {
                    Some((distance, near)) if distance <= 1 + name.len() / 3 => Some(format!("did you mean `{near}`?")),
                    _ => Some(format!("it has {}", known.join(", "))),
                }
            }
            Self::Outside { component } => {
                Some(format!("leave `--profile` out, or add `{component}` to a profile in `catalog.yaml`"))
            }
            Self::Stale { .. } => Some("run `bundler resolve` and commit the lock that it writes".to_owned()),
            Self::Unresolved { missing } => {
                let mut components: Vec<_> = missing.iter().map(|m| m.component.as_str()).collect();
                components.sort_unstable();
                components.dedup();
                Some(format!("run `bundler resolve {}` where the sources can be reached", components.join(" ")))
            }
            Self::TwoSizes { .. } => Some("one of the two images is broken at its publisher".to_owned()),
            Self::Url { .. } => Some("charts come from https:// or oci://, files from https://".to_owned()),
        }
    }
}

/// The items as indented lines, each on its own.
fn lines<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(|item| format!("\n  {item}")).collect()
}

fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}
