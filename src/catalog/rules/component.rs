//! The rules of a component's versions: source, charts, constraints, dates.

use std::collections::BTreeSet;

use url::Url;

use super::platform::{accepted, min_age};
use crate::catalog::Component;
use crate::catalog::model::{Chart, Platform, Source};
use crate::catalog::{scalar, template};
use crate::name::{self, is_label, is_name};
use crate::oci::Reference;
use crate::version::{self, Constraint, Hold, Pattern};
use crate::yaml::Report;
use crate::yaml::{Place, Spanned};

/// Helm's limit on a release's name, so that names made from it fit a DNS label.
const MAX_RELEASE: usize = 53;
/// The placeholders of a chart's `set`.
const VALUE: [&str; 5] = ["version", "tag", "app_version", "kubernetes", "kubeedge"];
/// Kubernetes' limit on a namespace's name (RFC 1123, §2.1).
const MAX_NAMESPACE: usize = 63;

pub(super) fn check(component: &Component, platform: &Platform, report: &mut Report<'_>) {
    if !is_name(&component.name.value) {
        let message = format!("`{}` cannot name a component", component.name.value);
        report.wrong(&component.name, message, name::RULE.to_owned());
    }
    let upstream = component.source.is_some() || component.all_charts().next().is_some();
    if !upstream && !component.is_own() {
        let hint = "add a `source` or a `chart`; only manifests of our own (`resources`) do without".to_owned();
        report.wrong(&component.name, "nothing gives this component a version", hint);
    }
    if let Some(source) = &component.source {
        check_source(source, report);
    }
    let constraint = component.version.as_ref().and_then(|version| {
        if component.source.is_none() {
            let hint = "a chart has its own `version`, below `chart`".to_owned();
            report.wrong(version, "`version` narrows the versions of a `source`, and there is none", hint);
        }
        check_constraint(version, platform, report)
    });
    check_charts(component, platform, report);
    check_hold(component, constraint, platform, report);
    for row in &component.compatibility {
        check_constraint(&row.versions, platform, report);
        if row.kubernetes.is_none() && row.kubeedge.is_none() {
            let hint = "add `kubernetes` or `kubeedge`".to_owned();
            report.wrong(&row.versions, "a row of compatibility without a platform says nothing", hint);
        }
        for on in row.kubernetes.iter().chain(&row.kubeedge) {
            check_constraint(on, platform, report);
        }
    }
    for row in &component.end_of_life {
        check_constraint(&row.versions, platform, report);
        check_date(&row.date, report);
    }
    accepted(&component.accepted, false, report);
    if let Some(verify) = &component.verify {
        super::verify::check(verify, report);
    }
    if let Some(age) = &component.min_age {
        min_age(age, report);
    }
    for (arch, text) in &component.arch {
        if !is_name(text) {
            report.wrong_at(&["arch", arch.as_str()], format!("`{text}` cannot name an architecture"), None);
        }
    }
}

fn check_source(source: &Spanned<Source>, report: &mut Report<'_>) {
    let place = Place::from(source);
    let source = &source.value;
    let given = [source.github.is_some(), source.helm.is_some(), source.oci.is_some()];
    if given.iter().filter(|given| **given).count() != 1 {
        report.wrong(place, "a source has exactly one of `github`, `helm` and `oci`", None);
        return;
    }
    if let Some(repository) = &source.github
        && !repository.split_once('/').is_some_and(|(owner, name)| is_name(owner) && is_name(name))
    {
        let message = format!("`{repository}` is not a repository on GitHub");
        report.wrong_at(&["source", "github"], message, "write `owner/name`".to_owned());
    }
    if let Some(url) = &source.helm {
        check_url(url, &["http", "https"], &["source", "helm"], report);
        if source.chart.is_none() {
            let message = "a Helm repository has many charts: which one gives the version?";
            report.wrong(place, message, "add `chart: NAME`".to_owned());
        }
    }
    if let Some(repository) = &source.oci {
        let text = repository.strip_prefix("oci://").unwrap_or(repository);
        match text.parse::<Reference>() {
            Ok(reference) if reference.tag().is_none() && reference.digest().is_none() => {}
            Ok(_) => {
                let message = format!("`{repository}` names one image, and a source needs the repository alone");
                report.wrong_at(&["source", "oci"], message, None);
            }
            Err(error) => report.wrong_at(&["source", "oci"], error.to_string(), None),
        }
    }
    if source.chart.is_some() && source.helm.is_none() {
        report.wrong_at(&["source", "chart"], "`chart` belongs to a source in a Helm repository", None);
    }
    if source.kind.is_some() && source.github.is_none() {
        report.wrong_at(&["source", "kind"], "`kind` belongs to a source on GitHub", None);
    }
    match &source.tag {
        Some(_) if source.helm.is_some() => {
            report.wrong_at(&["source", "tag"], "the versions of a Helm repository have no tag", None);
        }
        Some(tag) => {
            if let Err(error) = tag.parse::<Pattern>() {
                let hint = "write it with exactly one `{version}`, such as `v{version}`".to_owned();
                report.wrong_at(&["source", "tag"], error.to_string(), hint);
            }
        }
        None if source.helm.is_none() => {
            let hint = "add for instance `tag: \"v{version}\"`".to_owned();
            report.wrong(place, "which of the tags are versions is not said", hint);
        }
        None => {}
    }
}

fn check_charts(component: &Component, platform: &Platform, report: &mut Report<'_>) {
    if component.chart.is_some() && !component.charts.is_empty() {
        report.wrong_at(&["charts"], "either `chart` or `charts`, not both", None);
    }
    let (mut names, mut releases) = (BTreeSet::new(), BTreeSet::new());
    for chart in component.all_charts() {
        check_chart(chart, component.source.is_some(), platform, report);
        if !names.insert(&chart.value.name) {
            report.wrong(chart, format!("a second chart `{}`", chart.value.name), None);
        }
        let release = &chart.value.release;
        if !releases.insert((&release.namespace, &release.name)) {
            report.wrong(chart, format!("a second release `{}` in `{}`", release.name, release.namespace), None);
        }
    }
}

fn check_chart(spanned: &Spanned<Chart>, has_source: bool, platform: &Platform, report: &mut Report<'_>) {
    let place = Place::from(spanned);
    let chart = &spanned.value;
    if !is_name(&chart.name) {
        report.wrong(place, format!("`{}` cannot name a chart", chart.name), name::RULE.to_owned());
    }
    match (&chart.repository, &chart.url) {
        (Some(repository), None) => {
            if let Err(message) = url_problem(repository, &["https", "http", "oci"]) {
                report.wrong(place, message, None);
            }
        }
        (None, Some(url)) => {
            let names = template::placeholders(url);
            if let Some(unknown) = names.iter().find(|name| !matches!(**name, "version" | "tag")) {
                let hint = "`{version}` and `{tag}` are known in a chart's URL".to_owned();
                report.wrong(place, format!("`{{{unknown}}}` means nothing here"), hint);
            } else if !names.is_empty() && !has_source {
                let hint = "add a `source`".to_owned();
                report.wrong(place, "the chart's URL has the version of a source, and there is none", hint);
            }
            if let Err(message) = url_problem(url, &["https", "http"]) {
                report.wrong(place, message, None);
            }
        }
        _ => report.wrong(place, "a chart has exactly one of `repository` and `url`", None),
    }
    if let Some(version) = &chart.version {
        check_constraint(version, platform, report);
        if chart.url.is_some() {
            report.wrong(version, "the archive at a `url` has the version that it says itself", None);
        }
    }
    for (key, value) in &chart.set {
        let names = template::placeholders(value);
        if let Some(unknown) = names.iter().find(|name| !VALUE.contains(name)) {
            let hint = "`{version}`, `{tag}`, `{app_version}`, `{kubernetes}` and `{kubeedge}` are known in a value"
                .to_owned();
            report.wrong(place, format!("`{{{unknown}}}` means nothing in the value of `{key}`"), hint);
        }
    }
    let release = &chart.release;
    if !is_label(&release.name, MAX_RELEASE) || !is_label(&release.namespace, MAX_NAMESPACE) {
        let hint = "use lower-case letters, digits and `-`".to_owned();
        let message =
            format!("release `{}` in namespace `{}`: both are names in Kubernetes", release.name, release.namespace);
        report.wrong(place, message, hint);
    }
}

fn check_hold(component: &Component, constraint: Option<Constraint>, platform: &Platform, report: &mut Report<'_>) {
    let Some(hold) = &component.hold else { return };
    check_reason(&hold.reason, &["hold"], report);
    if let Some(until) = &hold.until {
        check_date(until, report);
    }
    let filled = match fill_constraint(&hold.version, platform) {
        Ok(filled) => filled,
        Err(error) => return report.wrong(&hold.version, error.to_string(), None),
    };
    let held = match filled.parse::<Hold>() {
        Ok(Hold::Within(range)) if !range.is_satisfiable() => {
            return report.wrong(&hold.version, format!("no version can meet `{range}`"), None);
        }
        Ok(held) => held,
        Err(error) => {
            let hint = "write one version, or a constraint as `<89`".to_owned();
            return report.wrong(&hold.version, error.to_string(), hint);
        }
    };
    let of_chart = || {
        let version = component.all_charts().next().and_then(|chart| chart.value.version.as_ref())?;
        let filled = fill_constraint(version, platform).ok()?;
        filled.parse().ok()
    };
    let constraint = if component.source.is_some() { constraint } else { of_chart() };
    if let Some(constraint) = constraint
        && !held.fits(&constraint)
    {
        let message = format!("version {held} is held, and the constraint `{constraint}` does not take it");
        report.wrong(&hold.version, message, None);
    }
}

/// Checks a constraint and gives it, filled with the platform.
pub(super) fn check_constraint(
    text: &Spanned<String>,
    platform: &Platform,
    report: &mut Report<'_>,
) -> Option<Constraint> {
    let filled = fill_constraint(text, platform).map_err(|error| report.wrong(text, error.to_string(), None)).ok()?;
    let constraint = filled.parse::<Constraint>();
    match constraint {
        Ok(constraint) if constraint.is_satisfiable() => Some(constraint),
        Ok(constraint) => {
            report.wrong(text, format!("no version can meet `{constraint}`"), None);
            None
        }
        Err(error) => {
            report.wrong(text, error.to_string(), "write it as `>=2, <2.21` or `1.36.*`".to_owned());
            None
        }
    }
}

fn fill_constraint(text: &Spanned<String>, platform: &Platform) -> Result<String, version::FillError> {
    let kubeedge = platform.kubeedge.as_ref().map(|minor| minor.value.as_str());
    version::fill(&text.value, &platform.kubernetes.value, kubeedge)
}

pub(super) fn check_date(date: &Spanned<String>, report: &mut Report<'_>) {
    if scalar::date(&date.value).is_none() {
        let message = format!("`{}` is not a date", date.value);
        report.wrong(date, message, "write it as YYYY-MM-DD".to_owned());
    }
}

/// A reason is for the one who reads it in a year.
pub(super) fn check_reason(reason: &str, path: &[&str], report: &mut Report<'_>) {
    if reason.trim().is_empty() {
        report.wrong_at(path, "the reason is empty", "say why in a few words".to_owned());
    }
}

pub(super) fn check_url(url: &str, schemes: &[&str], path: &[&str], report: &mut Report<'_>) {
    if let Err(message) = url_problem(url, schemes) {
        report.wrong_at(path, message, None);
    }
}

/// What is wrong with a URL whose placeholders are not filled yet.
fn url_problem(text: &str, schemes: &[&str]) -> Result<(), String> {
    let sample = template::fill(text, |_| Some("1".to_owned())).map_err(|error| error.to_string())?;
    let other = || format!("`{text}` is not a URL that begins with {}://", schemes.join(":// or "));
    let url = Url::parse(&sample).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => other(),
        error => format!("`{text}` is not a URL: {error}"),
    })?;
    if !schemes.contains(&url.scheme()) || url.host_str().is_none_or(str::is_empty) {
        return Err(other());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "the URL on {} holds credentials, which would end up in the lock",
            url.host_str().unwrap_or_default()
        ));
    }
    Ok(())
}
