//! The rules of what a component brings: images, files, lists of images.

use super::component::{check_reason, check_url};
use crate::catalog::Component;
use crate::catalog::model::{Checksum, File, PerArch, Platform};
use crate::catalog::template;
use crate::name::{self, is_name, is_plain_path};
use crate::oci::Reference;
use crate::yaml::Report;
use crate::yaml::Spanned;

/// The placeholders of a file's texts.
const FILE: [&str; 5] = ["version", "tag", "arch", "kubernetes", "kubeedge"];
/// The placeholders of an image of a component without a chart.
const IMAGE: [&str; 4] = ["version", "tag", "kubernetes", "kubeedge"];
/// The placeholders of an image beside a chart.
const CHART_IMAGE: [&str; 5] = ["version", "tag", "app_version", "kubernetes", "kubeedge"];

pub(super) fn check(component: &Component, platform: &Platform, report: &mut Report<'_>) {
    if component.all_charts().next().is_some()
        && let Some(image) = component.images.first()
    {
        let hint = "a render finds a chart's images; name others under `declared_images`, with a reason".to_owned();
        report.wrong(image, "`images` is for components without a chart", hint);
    }
    for image in &component.images {
        check_image(image, &IMAGE, Floating::Refused, report);
    }
    for (i, declared) in component.declared_images.iter().enumerate() {
        check_image(&declared.image, &CHART_IMAGE, Floating::Refused, report);
        check_reason(&declared.reason, &["declared_images", &i.to_string()], report);
    }
    for (i, ignored) in component.ignored_images.iter().enumerate() {
        check_image(&ignored.image, &CHART_IMAGE, Floating::Taken, report);
        check_reason(&ignored.reason, &["ignored_images", &i.to_string()], report);
    }
    for (i, file) in component.files.iter().enumerate() {
        check_file(file, &i.to_string(), platform, report);
    }
    if let Some(list) = &component.image_list {
        check_per_arch(&list.url, &FILE, &["image_list", "url"], platform, report);
        check_urls(&list.url, &["image_list", "url"], report);
        if let (Some(carrier), Some(_)) = (&list.carried_by, list.carry) {
            report.wrong(carrier, "what a file carries already is only compared", "leave `carry` out".to_owned());
        }
        if let Some(carrier) = &list.carried_by
            && !component.files.iter().any(|file| file.name.value == carrier.value)
        {
            let known: Vec<&str> = component.files.iter().map(|file| file.name.value.as_str()).collect();
            let hint = crate::yaml::nearest(&carrier.value, &known);
            report.wrong(carrier, format!("this component has no file `{}`", carrier.value), hint);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Floating {
    Refused,
    Taken,
}

fn check_image(image: &Spanned<String>, known: &[&str], floating: Floating, report: &mut Report<'_>) {
    let text = &image.value;
    if let Some(message) = unknown_placeholder(text, known) {
        return report.wrong(image, message, hint_of(known));
    }
    // A version's text is a valid tag and a valid part of a repository's name, as `1` is.
    let sample = template::fill(text, |_| Some("1".to_owned())).unwrap_or_default();
    match sample.parse::<Reference>() {
        Err(error) => report.wrong(image, error.to_string().replace(&sample, text), None),
        Ok(reference) if floating == Floating::Refused && reference.is_floating() => {
            let message = format!("`{text}` moves: the same name is another image tomorrow");
            report.wrong(image, message, "name a version, such as `:v{version}`, or a digest".to_owned());
        }
        Ok(_) => {}
    }
}

fn check_file(file: &File, index: &str, platform: &Platform, report: &mut Report<'_>) {
    if !is_name(&file.name.value) {
        let message = format!("`{}` cannot name a file", file.name.value);
        report.wrong(&file.name, message, name::RULE.to_owned());
    }
    let path = ["files", index, "url"];
    check_per_arch(&file.url, &FILE, &path, platform, report);
    check_urls(&file.url, &path, report);
    check_checksum(&file.checksum, &file.url, index, platform, report);
    if let Some(extract) = &file.extract {
        let path = ["files", index, "extract"];
        check_per_arch(extract, &FILE, &path, platform, report);
        for text in texts(extract) {
            if !is_plain_path(text) {
                let message = format!("`{text}` is not a plain path in an archive");
                report.wrong_at(&path, message, "write it as `linux-{arch}/helm`".to_owned());
            }
        }
    }
}

fn check_checksum(
    spanned: &Spanned<Checksum>,
    url: &PerArch,
    index: &str,
    platform: &Platform,
    report: &mut Report<'_>,
) {
    let checksum = &spanned.value;
    let ways = [checksum.url.is_some(), checksum.github_asset.is_some(), checksum.unpublished.is_some()];
    if ways.iter().filter(|way| **way).count() != 1 {
        let hint = "`{unpublished: REASON}` says that upstream publishes none".to_owned();
        report.wrong(spanned, "a checksum has exactly one of `url`, `github_asset` and `unpublished`", hint);
        return;
    }
    if let Some(list) = &checksum.url {
        let path = ["files", index, "checksum", "url"];
        check_per_arch(list, &FILE, &path, platform, report);
        check_urls(list, &path, report);
    } else if checksum.entry.is_some() || checksum.algorithm.is_some() {
        report.wrong(spanned, "`entry` and `algorithm` belong to a checksum file's `url`", None);
    }
    if let Some(entry) = &checksum.entry {
        check_per_arch(entry, &FILE, &["files", index, "checksum", "entry"], platform, report);
    }
    if checksum.github_asset == Some(false) {
        let hint = "write `true`, or another way".to_owned();
        report.wrong(spanned, "`github_asset: false` leaves the file without a checksum", hint);
    }
    let asset = |text: &str| text.starts_with("https://github.com/") && text.contains("/releases/download/");
    if checksum.github_asset == Some(true) && !texts(url).all(asset) {
        let message = "GitHub shows digests of assets only, and this file's URL is none";
        report.wrong(
            spanned,
            message,
            "an asset's URL is `https://github.com/OWNER/NAME/releases/download/…`".to_owned(),
        );
    }
    if let Some(reason) = &checksum.unpublished {
        check_reason(reason, &["files", index, "checksum"], report);
    }
}

/// Checks the placeholders of a text, and that each architecture of the platform has one.
fn check_per_arch(text: &PerArch, known: &[&str], path: &[&str], platform: &Platform, report: &mut Report<'_>) {
    for text in texts(text) {
        if let Some(message) = unknown_placeholder(text, known) {
            report.wrong_at(path, message, hint_of(known));
        }
    }
    for arch in &platform.architectures {
        if text.get(*arch).is_none() {
            let hint = "the catalog's `platform.architectures` promises it".to_owned();
            report.wrong_at(path, format!("nothing for architecture {arch}"), hint);
        }
    }
}

fn check_urls(urls: &PerArch, path: &[&str], report: &mut Report<'_>) {
    for url in texts(urls) {
        check_url(url, &["https", "http"], path, report);
    }
}

fn texts(text: &PerArch) -> impl Iterator<Item = &str> {
    let (one, each) = match text {
        PerArch::One(text) => (Some(text), None),
        PerArch::Each(map) => (None, Some(map.values())),
    };
    one.into_iter().chain(each.into_iter().flatten()).map(String::as_str)
}

fn unknown_placeholder(text: &str, known: &[&str]) -> Option<String> {
    let names = template::placeholders(text);
    let unknown = names.iter().find(|name| !known.contains(*name))?;
    Some(format!("`{{{unknown}}}` in `{text}` means nothing here"))
}

fn hint_of(known: &[&str]) -> String {
    format!("known here: {}", known.iter().map(|name| format!("`{{{name}}}`")).collect::<Vec<_>>().join(", "))
}
