//! What a maintainer decided or knows about versions: kept ones, platforms, ends of support, accepted warnings.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::yaml::Spanned;

/// A version or a range of versions that is kept.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Exactly this version, or a constraint such as `<89`: of the source if there is one, else of the chart.
    #[schemars(with = "String")]
    pub version: Spanned<String>,
    /// Why.
    pub reason: String,
    /// Until when, as `YYYY-MM-DD`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub until: Option<Spanned<String>>,
}

/// Versions and the platforms that they run on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Compatibility {
    /// A constraint on the version.
    #[schemars(with = "String")]
    pub versions: Spanned<String>,
    /// A constraint on Kubernetes.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub kubernetes: Option<Spanned<String>>,
    /// A constraint on KubeEdge.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub kubeedge: Option<Spanned<String>>,
}

/// Versions and when they end.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndOfLife {
    /// A constraint on the version.
    #[schemars(with = "String")]
    pub versions: Spanned<String>,
    /// The day, as `YYYY-MM-DD`.
    #[schemars(with = "String")]
    pub date: Spanned<String>,
    /// What to use instead.
    #[serde(default)]
    pub successor: Option<String>,
}

/// A warning that is known and accepted.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// Which kind of warning.
    pub what: Warning,
    /// Why.
    pub reason: String,
    /// Until when, as `YYYY-MM-DD`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub until: Option<Spanned<String>>,
}

/// The kinds of warnings that a maintainer can accept; their names are a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// A row of `end_of_life` names the version, from 180 days before its day on.
    EndOfLife,
    /// The chart is marked as deprecated by upstream.
    Deprecated,
    /// The repository on GitHub is archived.
    Archived,
    /// The repository on GitHub has another name now.
    Renamed,
    /// GitHub sees another licence than `licence` says.
    Relicensed,
    /// The newest version of all is more than two years old.
    Unmaintained,
    /// No row of `compatibility` names the version; accepted, a row that excludes the platform is one too.
    Compatibility,
    /// The day `until` which a version is held is over.
    Hold,
    /// An image of `ignored_images` matches nothing.
    IgnoredImage,
    /// Upstream's list of images and the component's images are not the same.
    ImageList,
    /// Nobody checked what `verify` names.
    Signature,
    /// In `catalog.yaml`: KubeEdge's matrix does not name the platform's Kubernetes.
    Platform,
    /// In `catalog.yaml`: a profile weighs more than its budget.
    Budget,
}

impl Warning {
    /// Whether it is about the catalog as a whole, so that `catalog.yaml` accepts it and no component.
    #[must_use]
    pub const fn is_of_catalog(self) -> bool {
        matches!(self, Self::Platform | Self::Budget)
    }
}
