//! Why a candidate is passed over, in the words of the report.

use jiff::Timestamp;

use super::Age;
use super::dates::day;

/// Why a candidate is passed over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not published yet.
    #[error("{version} is a draft")]
    Draft {
        /// The candidate.
        version: String,
    },
    /// A pre-release by its version or by the publisher's flag.
    #[error("{version} is a pre-release{}", if *.flagged { " by its publisher's mark" } else { "" })]
    Prerelease {
        /// The candidate.
        version: String,
        /// Whether only the flag says so.
        flagged: bool,
    },
    /// Taken back by its publisher.
    #[error("{version} was withdrawn")]
    Withdrawn {
        /// The candidate.
        version: String,
    },
    /// No date, although the cool-down needs one.
    #[error("{version} has no date, so nothing tells whether it is {min_age} old")]
    Undated {
        /// The candidate.
        version: String,
        /// How old it must be.
        min_age: Age,
    },
    /// Published after the moment of the choice.
    #[error("{version} was released {}, after {}", day(*.date), day(*.as_of))]
    Later {
        /// The candidate.
        version: String,
        /// When it was published.
        date: Timestamp,
        /// The moment of the choice.
        as_of: Timestamp,
    },
    /// Too young.
    #[error("{version} was released {}, younger than {min_age}", day(*.date))]
    Young {
        /// The candidate.
        version: String,
        /// When it was published.
        date: Timestamp,
        /// How old it must be.
        min_age: Age,
    },
    /// Its tag moved a short time ago.
    #[error("the tag of {version} moved {}, less than {min_age} ago", day(*.moved))]
    Moved {
        /// The candidate.
        version: String,
        /// When the tag was seen elsewhere.
        moved: Timestamp,
        /// How old it must be.
        min_age: Age,
    },
    /// The chart's `kubeVersion` does not take the platform.
    #[error("{version} wants Kubernetes {range}, the platform has {present}")]
    KubeVersion {
        /// The candidate.
        version: String,
        /// Its `kubeVersion`.
        range: String,
        /// The platform's Kubernetes that is not in it.
        present: String,
    },
    /// The chart's `kubeVersion` is no range, which Helm refuses too.
    #[error("{version} has the kubeVersion `{range}`, which is no range")]
    KubeVersionUnreadable {
        /// The candidate.
        version: String,
        /// Its `kubeVersion`.
        range: String,
    },
    /// A compatibility row does not take the platform.
    #[error("{version} wants {what} {wanted} (compatibility of {versions}), the platform has {present}")]
    Incompatible {
        /// The candidate.
        version: String,
        /// `Kubernetes` or `KubeEdge`.
        what: &'static str,
        /// The row's versions.
        versions: String,
        /// What the row wants.
        wanted: String,
        /// What the platform has.
        present: String,
    },
}

impl Refusal {
    /// Whether the search ends here instead of going on to the next candidate: without a date, an older version
    /// would be taken for no reason that anybody sees.
    #[must_use]
    pub const fn ends_search(&self) -> bool {
        matches!(self, Self::Undated { .. })
    }
}
