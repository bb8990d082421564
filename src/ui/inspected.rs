//! The report of `bundler inspect` for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::markdown::code;
use super::table::Align::{self, Left, Right};
use super::table::table;
use super::words::{self, say};
use super::{and, count, line};
use crate::bundle::read::Form;
use crate::inspect::{Artifact, Component, Image, Inspection, Kind, Profile};
use crate::lock::attached;
use crate::oci::Arch;
use crate::size::bytes;

/// Tables of profiles, components, images, charts and files.
#[must_use]
pub fn text(inspection: &Inspection) -> String {
    let mut text = head(inspection);
    let archs: Vec<_> = inspection.architectures.iter().map(|arch| arch.to_string().to_uppercase()).collect();
    let sizes = || archs.iter().map(|arch| (arch.as_str(), Right));
    section(&mut text, &columns(&[("PROFILE", Left), ("COMPONENTS", Right)], sizes()), profiles(inspection));
    let component =
        [("COMPONENT", Left), ("VERSION", Left), ("APP", Left), ("CHARTS", Right), ("IMAGES", Right), ("FILES", Right)];
    section(&mut text, &columns(&component, sizes()), components(inspection));
    let has_attached = inspection.images.iter().any(|image| !image.attached.is_empty());
    let attached = has_attached.then_some(("ATTACHED", Left));
    section(
        &mut text,
        &columns(&[("IMAGE", Left), ("DIGEST", Left)], sizes().chain(attached)),
        images(inspection, has_attached),
    );
    let artifacts = &[("ARCH", Left), ("SIZE", Right), ("DIGEST", Left), ("FROM", Left)];
    section(&mut text, &columns(&[("CHART", Left)], artifacts[1..].iter().copied()), charts(inspection));
    section(&mut text, &columns(&[("FILE", Left)], artifacts.iter().copied()), files(inspection));
    let unresolved = inspection.unresolved.iter();
    section(
        &mut text,
        &[("UNRESOLVED", Left), ("COMPONENT", Left), ("REASON", Left)],
        unresolved.map(|u| vec![u.artifact.clone(), u.component.clone(), u.reason.clone()]).collect(),
    );
    text
}

/// What a release or the summary of a job says of a bundle.
#[must_use]
pub fn markdown(inspection: &Inspection) -> String {
    let mut head = head(inspection);
    head.truncate(head.trim_end().len());
    let mut text = format!("## {}\n", head.replace('\n', "\n\n"));
    if let Some(digest) = inspection.archive_sha256 {
        let _ = writeln!(text, "\nsha256 {}", code(&digest.hex()));
    }
    let archs = inspection.architectures.iter();
    let (titles, lines): (String, String) = archs.map(|arch| (format!(" {arch} |"), " ---: |")).unzip();
    let mut table = |first: &str, rows: Vec<Vec<String>>| {
        let columns = first.matches('|').count();
        let _ = writeln!(text, "\n| {first}{titles}\n|{}{lines}", " --- |".repeat(columns));
        for row in rows {
            let _ = writeln!(text, "| {} |", row.iter().map(|cell| code(cell)).collect::<Vec<_>>().join(" | "));
        }
    };
    table("Profile | Components |", profiles(inspection));
    table("Component | Version | App | Charts | Images | Files |", components(inspection));
    for unresolved in &inspection.unresolved {
        let (artifact, component) = (code(&unresolved.artifact), code(&unresolved.component));
        let _ = writeln!(text, "\nUnresolved: {artifact} of {component}: {}", code(&unresolved.reason));
    }
    text
}

fn head(inspection: &Inspection) -> String {
    let architectures = and(inspection.architectures.iter().map(|arch| format!("linux/{arch}")));
    let kind = match (inspection.kind, inspection.form) {
        (Kind::Lock, _) => say!("lock"),
        (Kind::Bundle, Some(Form::Delta)) => say!("delta"),
        (Kind::Bundle, Some(Form::Unpacked)) => say!("unpacked bundle"),
        (Kind::Bundle, Some(Form::Recompressed)) => say!("recompressed bundle"),
        (Kind::Bundle, _) => say!("bundle"),
    };
    let (name, version) = (line(&inspection.name), line(&inspection.version));
    let text = say!("{name} {version}, {kind} for {architectures}", name, version, kind, architectures);
    let mut text = match (inspection.size.map(bytes), inspection.parts.map(|parts| count(parts, "part"))) {
        (Some(size), Some(parts)) => {
            say!("{bundle}, {size} in {parts}", bundle = text, size, parts)
        }
        (Some(size), None) => say!("{bundle}, {size}", bundle = text, size),
        (None, _) => text,
    };
    let _ = write!(text, "\nKubernetes {}", line(&inspection.kubernetes));
    if let Some(kubeedge) = &inspection.kubeedge {
        let _ = write!(text, ", KubeEdge {}", line(kubeedge));
    }
    text.push('\n');
    if let Some(digest) = inspection.sums_sha256 {
        let _ = writeln!(text, "SHA256SUMS {digest}");
    }
    if let Some(base) = &inspection.base {
        let base = words::of(base);
        let _ = writeln!(text, "{}", say!("The rest is in {base}", base = line(&base)));
    }
    text
}

/// Adds a table after an empty line, unless it has no rows.
fn section(text: &mut String, header: &[(&str, Align)], rows: Vec<Vec<String>>) {
    if !rows.is_empty() {
        text.push('\n');
        text.push_str(&table(header, &rows));
    }
}

fn columns<'a>(first: &[(&'a str, Align)], more: impl Iterator<Item = (&'a str, Align)>) -> Vec<(&'a str, Align)> {
    first.iter().copied().chain(more).collect()
}

fn profiles(inspection: &Inspection) -> Vec<Vec<String>> {
    let row = |profile: &Profile| {
        let cells = [profile.name.clone(), profile.components.len().to_string()];
        cells.into_iter().chain(sizes(inspection, &profile.sizes)).collect()
    };
    inspection.profiles.iter().map(row).collect()
}

fn components(inspection: &Inspection) -> Vec<Vec<String>> {
    let row = |component: &Component| {
        let mut names: Vec<_> = component.files.iter().map(|file| &file.name).collect();
        names.dedup();
        let count = |n: usize| if n == 0 { "-".to_owned() } else { n.to_string() };
        let cells = [
            component.name.clone(),
            component.version.clone(),
            component.app_version.clone().unwrap_or_else(|| "-".to_owned()),
            count(component.charts.len()),
            count(component.images.len()),
            count(names.len()),
        ];
        cells.into_iter().chain(sizes(inspection, &component.sizes)).collect()
    };
    inspection.components.iter().map(row).collect()
}

fn images(inspection: &Inspection, has_attached: bool) -> Vec<Vec<String>> {
    let row = |image: &Image| {
        // A lock that was seeded by hand may not know a platform that the image has.
        let sizes = inspection.architectures.iter().map(|arch| size(image.platforms.get(arch).and_then(|p| p.size)));
        let attached = has_attached.then(|| attached(image));
        [image.reference.clone(), image.digest.to_string()].into_iter().chain(sizes).chain(attached).collect()
    };
    inspection.images.iter().map(row).collect()
}

/// The kinds of what is attached to an image, such as `2 signatures, sbom`.
fn attached(image: &Image) -> String {
    let mut kinds = BTreeMap::<_, usize>::new();
    for attached in &image.attached {
        *kinds.entry(attached.kind).or_default() += 1;
    }
    let name = |(kind, number): (attached::Kind, usize)| match number {
        1 => kind.name().to_owned(),
        _ => format!("{number} {}", kind.name()),
    };
    match kinds.is_empty() {
        true => "-".to_owned(),
        false => kinds.into_iter().map(name).collect::<Vec<_>>().join(", "),
    }
}

fn charts(inspection: &Inspection) -> Vec<Vec<String>> {
    let charts = inspection.components.iter().flat_map(|component| &component.charts);
    let row = |chart: &Artifact| vec![chart.name.clone(), size(chart.size), digest(chart), origin(chart)];
    charts.map(row).collect()
}

fn files(inspection: &Inspection) -> Vec<Vec<String>> {
    let files = inspection.components.iter().flat_map(|component| &component.files).chain(&inspection.added);
    let row = |file: &Artifact| {
        let arch = file.arch.map_or("-", Arch::as_str).to_owned();
        vec![file.name.clone(), arch, size(file.size), digest(file), origin(file)]
    };
    files.map(row).collect()
}

/// A cell for each architecture.
fn sizes<'a>(
    inspection: &'a Inspection,
    by_arch: &'a BTreeMap<Arch, Option<u64>>,
) -> impl Iterator<Item = String> + 'a {
    inspection.architectures.iter().map(|arch| size(by_arch.get(arch).copied().flatten()))
}

fn size(size: Option<u64>) -> String {
    size.map_or_else(|| "?".to_owned(), bytes)
}

fn digest(artifact: &Artifact) -> String {
    artifact.digest.map_or_else(|| "?".to_owned(), |digest| digest.to_string())
}

fn origin(artifact: &Artifact) -> String {
    use crate::lock::model::From;
    let origin = match artifact.from {
        Some(From::GithubAsset) => "github-asset",
        Some(From::ChecksumFile) => "checksum-file",
        Some(From::HelmIndex) => "helm-index",
        Some(From::Oci) => "oci",
        Some(From::Download) => "download",
        None => "added",
    };
    origin.to_owned()
}
