//! What has to be said of the catalog as a whole: its platform, and what its profiles weigh.

use super::rules::Reader;
use super::{Failure, Notice};
use crate::catalog::model::{Platform, Warning};
use crate::catalog::scalar;
use crate::lock::{Lock, weight};
use crate::size;
use crate::version::Version;

/// The Kubernetes versions of `platform.also`, with three numbers as Helm wants them.
pub(super) fn also(platform: &Platform) -> Result<Vec<Version>, crate::version::VersionError> {
    let whole = |text: &str| if text.split('.').count() == 2 { format!("{text}.0") } else { text.to_owned() };
    platform.also.iter().map(|also| whole(&also.value).parse()).collect()
}

/// What KubeEdge's own matrix says against the platform.
pub(super) fn matrix(reader: &Reader<'_>) -> Result<Option<Notice>, Failure> {
    let platform = &reader.catalog.file.platform;
    let (Some(matrix), Some(kubeedge)) = (&platform.matrix, &platform.kubeedge) else { return Ok(None) };
    let read = |text: &str| {
        let problem = |error: crate::version::VersionError| error.to_string();
        text.parse::<Version>().map_err(|error| Failure::Field { field: "platform", problem: problem(error) })
    };
    let edge = read(&kubeedge.value)?;
    let mut tested = Vec::new();
    for row in &matrix.rows {
        if reader.constraint("platform.matrix", &row.kubeedge.value)?.matches(&edge) {
            tested.push(reader.constraint("platform.matrix", &row.kubernetes.value)?);
        }
    }
    let mut untested = Vec::new();
    for kubernetes in std::iter::once(&platform.kubernetes).chain(&platform.also) {
        let version = read(&kubernetes.value)?;
        if !tested.iter().any(|constraint| constraint.matches(&version)) {
            untested.push(kubernetes.value.as_str());
        }
    }
    let (source, untested) = (&matrix.source.value, untested.join(" or "));
    let text = if tested.is_empty() {
        format!("no row of KubeEdge's own matrix names {} ({source})", kubeedge.value)
    } else if untested.is_empty() {
        return Ok(None);
    } else {
        let tested: Vec<_> = tested.iter().map(ToString::to_string).collect();
        let tested = tested.join(" or ");
        format!(
            "KubeEdge {} is tested with Kubernetes {tested} by its project, not with {untested} ({source})",
            kubeedge.value
        )
    };
    Ok(Some(reader.notice(None, Warning::Platform, text, true)))
}

/// The profiles that weigh more than their budget, by the sizes that are known.
pub(super) fn budgets(reader: &Reader<'_>, lock: &Lock) -> Vec<Notice> {
    let mut notices = Vec::new();
    for (name, profile) in &reader.catalog.file.profiles {
        // The catalog's rules have refused a text that is no size.
        let Some(budget) = profile.value.budget().and_then(|budget| scalar::bytes(&budget.value)) else { continue };
        let Some(components) = lock.profiles.get(name) else { continue };
        for arch in &lock.bundle.architectures {
            let weight = weight::of(lock, components.iter().map(String::as_str), *arch);
            if weight.known > budget {
                let text = format!(
                    "profile `{name}` has {} for {arch}, and its budget is {}; the largest are {}",
                    size::bytes(weight.known),
                    size::bytes(budget),
                    weight.largest()
                );
                notices.push(reader.notice(None, Warning::Budget, text, true));
            }
        }
    }
    notices
}
