//! The rules of `catalog.yaml`.

use std::collections::BTreeSet;

use super::component::{check_constraint, check_date, check_reason, check_url};
use crate::catalog::Catalog;
use crate::catalog::model::Accepted;
use crate::catalog::scalar;
use crate::name::{self, is_name, is_version};
use crate::version::Version;
use crate::yaml::Report;
use crate::yaml::{self, Place, Spanned};

pub(super) fn check(catalog: &Catalog, report: &mut Report<'_>) {
    let file = &catalog.file;
    if file.schema != crate::catalog::SCHEMA {
        report.wrong_at(&["schema"], format!("schema {} is not known", file.schema), "write `schema: 1`".to_owned());
    }
    if !is_name(&file.name.value) {
        report.wrong(&file.name, format!("`{}` cannot name a bundle", file.name.value), name::RULE.to_owned());
    }
    if !is_version(&file.version.value) {
        let hint = "write it as `1.4.0` or `1.4.0-rc.1`; it becomes part of a file name".to_owned();
        report.wrong(&file.version, format!("`{}` cannot be a bundle's version", file.version.value), hint);
    }
    platform(catalog, report);
    if let Some(age) = &file.policy.min_age {
        min_age(age, report);
    }
    profiles(catalog, report);
    accepted(&file.accepted, true, report);
}

/// The rules of accepted warnings, of the catalog or of a component.
pub(super) fn accepted(accepted: &[Accepted], of_catalog: bool, report: &mut Report<'_>) {
    for (i, accepted) in accepted.iter().enumerate() {
        let path = ["accepted", &i.to_string()];
        check_reason(&accepted.reason, &path, report);
        if let Some(until) = &accepted.until {
            check_date(until, report);
        }
        if accepted.what.is_of_catalog() != of_catalog {
            let (here, there) = ("a component", "`catalog.yaml`");
            let (here, there) = if of_catalog { (there, here) } else { (here, there) };
            let message = format!("{here} has no warning of this kind");
            report.wrong_at(&path, message, format!("it belongs to `accepted` of {there}"));
        }
    }
}

/// The rule of an age, of the policy or of a component.
pub(super) fn min_age(age: &Spanned<String>, report: &mut Report<'_>) {
    if scalar::days(&age.value).is_none() {
        report.wrong(age, format!("`{}` is not an age", age.value), "write days, such as `7d` or `0d`".to_owned());
    }
}

fn platform(catalog: &Catalog, report: &mut Report<'_>) {
    let platform = &catalog.file.platform;
    for (minor, example) in [(Some(&platform.kubernetes), "1.36"), (platform.kubeedge.as_ref(), "1.23")] {
        let Some(minor) = minor else { continue };
        let number = |part: &str| !part.is_empty() && part.len() < 6 && part.bytes().all(|c| c.is_ascii_digit());
        if !minor.value.split_once('.').is_some_and(|(major, minor)| number(major) && number(minor)) {
            let hint = format!("write major and minor in quotes, such as \"{example}\"");
            report.wrong(minor, format!("`{}` is not a minor version", minor.value), hint);
        }
    }
    for also in &platform.also {
        match also.value.parse::<Version>() {
            Ok(version) if matches!(also.value.split('.').count(), 2 | 3) && !version.is_prerelease() => {}
            _ => {
                let hint = "write it in quotes, such as \"1.34\" or \"1.34.2\"".to_owned();
                report.wrong(also, format!("`{}` is not a version of Kubernetes", also.value), hint);
            }
        }
    }
    if let Some(matrix) = &platform.matrix {
        check_url(&matrix.source.value, &["https", "http"], &["platform", "matrix", "source"], report);
        if platform.kubeedge.is_none() {
            report.wrong(&matrix.source, "a matrix of KubeEdge on a platform without it", None);
        }
        for row in &matrix.rows {
            check_constraint(&row.kubeedge, platform, report);
            check_constraint(&row.kubernetes, platform, report);
        }
    }
    let path = ["platform", "architectures"];
    if platform.architectures.is_empty() {
        report.wrong_at(&path, "no architecture", "write `architectures: [amd64, arm64]`".to_owned());
    }
    let mut seen = BTreeSet::new();
    for (i, arch) in platform.architectures.iter().enumerate() {
        if !seen.insert(arch) {
            report.wrong_at(&[path[0], path[1], &i.to_string()], format!("architecture `{arch}` a second time"), None);
        }
    }
    for (i, version) in platform.api_versions.iter().enumerate() {
        if version.is_empty() || version.contains(|c: char| c.is_whitespace() || c.is_control() || c == ',') {
            let hint = "write group and version, such as `monitoring.coreos.com/v1`".to_owned();
            let path = ["platform", "api_versions", &i.to_string()];
            report.wrong_at(&path, format!("`{version}` is not an API version"), hint);
        }
    }
}

fn profiles(catalog: &Catalog, report: &mut Report<'_>) {
    if catalog.file.profiles.is_empty() {
        let hint = "write for instance `profiles: {site: [helm, k3s]}`".to_owned();
        report.wrong_at(&["profiles"], "no profile, so there is nothing to pack", hint);
    }
    let known: Vec<&str> = catalog.components.keys().map(String::as_str).collect();
    for (name, profile) in &catalog.file.profiles {
        if !is_name(name) {
            let message = format!("`{name}` cannot name a profile");
            report.wrong_at(&["profiles", name], message, name::RULE.to_owned());
        }
        let components = profile.value.components();
        // A catalog that was just begun has nothing for any profile.
        if components.is_empty() && !catalog.components.is_empty() {
            report.wrong(Place::from(profile), format!("profile `{name}` has no component"), None);
        }
        let mut seen = BTreeSet::new();
        for component in components {
            if !seen.insert(&component.value) {
                report.wrong(component, format!("component `{}` a second time in this profile", component.value), None);
            } else if !catalog.components.contains_key(&component.value) {
                let message = format!("profile `{name}` names component `{}`, which does not exist", component.value);
                report.wrong(component, message, yaml::nearest(&component.value, &known));
            }
        }
        if let Some(budget) = profile.value.budget()
            && scalar::bytes(&budget.value).is_none_or(|bytes| bytes == 0)
        {
            let hint = "write it as `350MB` or `1.5GiB`".to_owned();
            report.wrong(budget, format!("`{}` is not a size", budget.value), hint);
        }
    }
}
