//! The rules of charts, files and images.

use std::collections::BTreeSet;

use url::Url;

use super::again;
use crate::lock::Lock;
use crate::lock::model::{Chart, Component, File, Image};
use crate::name::{self, is_name, is_plain, is_plain_path};
use crate::oci::referrers::{COSIGN_SUFFIXES, cosign_tag};
use crate::oci::{Arch, Reference, media_type};
use crate::yaml::Report;

/// A chart is carried as `charts/NAME-VERSION.tgz`.
const PLAIN: &str = "a chart's version is part of a file name, so it has no `/`, `\\` or `:`";

pub(super) fn charts(name: &str, component: &Component, report: &mut Report<'_>) {
    if component.chart.is_some() && !component.charts.is_empty() {
        report.wrong_at(&["components", name, "charts"], "either `chart` or `charts`, not both", None);
    }
    let all = component.chart.iter().chain(component.charts.values());
    if !is_plain(&component.version) && all.into_iter().any(|chart| chart.version.is_none()) {
        report.wrong_at(&["components", name, "version"], PLAIN, None);
    }
    if let Some(locked) = &component.chart {
        chart(locked.name.as_deref().unwrap_or(name), locked, &["components", name, "chart"], report);
    }
    for (key, locked) in &component.charts {
        chart(locked.name.as_deref().unwrap_or(key), locked, &["components", name, "charts", key], report);
    }
}

fn chart(name: &str, chart: &Chart, path: &[&str], report: &mut Report<'_>) {
    if !is_name(name) {
        report.wrong_at(path, format!("`{name}` cannot name a chart"), name::RULE.to_owned());
    }
    if let Some(version) = &chart.version {
        if !super::is_word(version) {
            report.wrong_at(&[path, &["version"]].concat(), "a version is one word", None);
        } else if !is_plain(version) {
            report.wrong_at(&[path, &["version"]].concat(), PLAIN, None);
        }
    }
    let at = [path, &["url"]].concat();
    match chart.url.strip_prefix("oci://") {
        Some(text) => match text.parse::<Reference>() {
            Ok(reference) if reference.tag().is_some() || reference.digest().is_some() => {}
            Ok(_) => report.wrong_at(&at, "a chart in a registry has a tag: `oci://registry/repository:tag`", None),
            Err(error) => report.wrong_at(&at, error.to_string(), None),
        },
        None => url(&chart.url, &at, report),
    }
    size(chart.size, &[path, &["size"]].concat(), report);
}

pub(super) fn files(name: &str, component: &Component, lock: &Lock, report: &mut Report<'_>) {
    for (key, by_arch) in &component.files {
        let path = ["components", name, "files", key];
        if !is_name(key) {
            report.wrong_at(&path, format!("`{key}` cannot name a file"), name::RULE.to_owned());
        }
        let unresolved = lock.unresolved.iter().any(|missing| {
            missing.component == name && (missing.artifact == *key || missing.artifact == missing.component)
        });
        for arch in &lock.bundle.architectures {
            if !by_arch.contains_key(arch) && !unresolved {
                report.wrong_at(&path, format!("nothing for architecture {arch}"), again());
            }
        }
        for (arch, locked) in by_arch {
            let path = [&path[..], &[arch.as_str()]].concat();
            foreign(*arch, &lock.bundle.architectures, &path, report);
            file(locked, &path, report);
        }
    }
}

fn file(file: &File, path: &[&str], report: &mut Report<'_>) {
    url(&file.url, &[path, &["url"]].concat(), report);
    size(file.size, &[path, &["size"]].concat(), report);
    if let Some(member) = &file.member {
        let path = [path, &["member"]].concat();
        if !is_plain_path(&member.path) {
            let message = format!("`{}` is not a plain path in an archive", member.path);
            report.wrong_at(&[&path[..], &["path"]].concat(), message, None);
        }
        size(member.size, &[&path[..], &["size"]].concat(), report);
    }
}

pub(super) fn image(reference: &Reference, image: &Image, architectures: &[Arch], report: &mut Report<'_>) {
    let name = reference.to_string();
    let path = ["images", name.as_str()];
    if reference.tag().is_none() && reference.digest().is_none() {
        report.wrong_at(&path, format!("image `{name}` has neither tag nor digest"), None);
    }
    if reference.digest().is_some_and(|digest| digest != image.digest) {
        let message = format!("image `{name}` is locked to another digest, {}", image.digest);
        report.wrong_at(&["images", &name, "digest"], message, again());
    }
    let media_type = image.media_type.as_deref();
    if media_type.is_some_and(|media_type| !media_type::is_index(media_type) && !media_type::is_manifest(media_type)) {
        let message = "not a media type of an index or a manifest";
        report.wrong_at(&["images", &name, "media_type"], message, None);
    }
    for (arch, platform) in &image.platforms {
        let path = ["images", &name, "platforms", arch.as_str()];
        foreign(*arch, architectures, &path, report);
        if media_type.is_some_and(media_type::is_manifest) && platform.digest != image.digest {
            report.wrong_at(&path, format!("image `{name}` is one manifest, and this is another"), again());
        }
        size(platform.size, &[&path[..], &["size"]].concat(), report);
        size(platform.layers_size, &[&path[..], &["layers_size"]].concat(), report);
    }
    attached(image, &name, report);
}

fn attached(image: &Image, name: &str, report: &mut Report<'_>) {
    let subjects: Vec<_> = image.platforms.values().map(|platform| platform.digest).chain([image.digest]).collect();
    let mut seen = BTreeSet::new();
    for (i, attached) in image.attached.iter().enumerate() {
        let path = ["images", name, "attached", &i.to_string()];
        if !subjects.contains(&attached.to) {
            let message = format!("`{}` is no digest of image `{name}`", attached.to);
            report.wrong_at(&[&path[..], &["to"]].concat(), message, again());
        }
        let is_cosigns = |tag: &String| COSIGN_SUFFIXES.iter().any(|suffix| *tag == cosign_tag(attached.to, suffix));
        if let Some(tag) = attached.tag.as_ref().filter(|tag| !is_cosigns(tag)) {
            let message = format!("`{tag}` is not the tag of something that is attached to {}", attached.to);
            report.wrong_at(&[&path[..], &["tag"]].concat(), message, again());
        }
        if !media_type::is_manifest(&attached.media_type) {
            report.wrong_at(&[&path[..], &["media_type"]].concat(), "not a media type of a manifest", None);
        }
        if !seen.insert((attached.to, &attached.tag, attached.digest)) {
            report.wrong_at(&path, format!("`{}` a second time", attached.digest), None);
        }
        size(Some(attached.size), &[&path[..], &["size"]].concat(), report);
    }
}

fn foreign(arch: Arch, architectures: &[Arch], path: &[&str], report: &mut Report<'_>) {
    if !architectures.contains(&arch) {
        report.wrong_at(path, format!("architecture {arch} is not one of the bundle's"), again());
    }
}

fn size(size: Option<u64>, path: &[&str], report: &mut Report<'_>) {
    if size == Some(0) {
        report.wrong_at(path, "a size of 0 bytes", again());
    }
}

fn url(text: &str, path: &[&str], report: &mut Report<'_>) {
    match Url::parse(text) {
        Ok(url) if !matches!(url.scheme(), "https" | "http") => {
            report.wrong_at(
                path,
                format!("`{}://` is not how files are fetched", url.scheme()),
                "use https".to_owned(),
            );
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            report.wrong_at(path, "the URL holds credentials, which do not belong in a lock", None);
        }
        Ok(_) => {}
        Err(error) => report.wrong_at(path, format!("not a URL: {error}"), None),
    }
}
