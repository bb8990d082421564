//! What `bundler diff` says, for people and for the body of a pull request.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::markdown::code;
use super::table::Align::{Left, Right};
use super::table::table;
use crate::inspect::Comparison;
use crate::lock::diff::{Bytes, ComponentDiff, Diff, ImageDiff, ImageStep, Step};
use crate::oci::Arch;
use crate::size;

/// Tables for a terminal.
#[must_use]
pub fn text(comparison: &Comparison) -> String {
    let diff = &comparison.diff;
    if diff.is_empty() {
        return "no difference\n".to_owned();
    }
    let mut text = String::new();
    for (image, (old, new)) in diff.moved() {
        let _ = writeln!(text, "MOVED {image}: an unchanged tag has other bytes\n  was {old}\n  is  {new}");
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(text, "{}", summary(comparison));
    for line in platform(diff) {
        let _ = writeln!(text, "{line}");
    }
    if !diff.components.is_empty() {
        let row = |component: &ComponentDiff| {
            let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "-".to_owned());
            let fetch = fetch(&component.fetch).unwrap_or_else(|| "-".to_owned());
            let (old, new) = (version(&component.old), version(&component.new));
            vec![component.component.clone(), old, new, component.step.name().to_owned(), fetch]
        };
        let rows: Vec<_> = diff.components.iter().map(row).collect();
        let header = [("COMPONENT", Left), ("OLD", Left), ("NEW", Left), ("STEP", Left), ("FETCH", Right)];
        let _ = write!(text, "\n{}", table(&header, &rows));
    }
    let images = diff.components.iter().flat_map(|c| c.images.iter().map(|image| (c.component.as_str(), image)));
    let row = |(component, image): (&str, &ImageDiff)| {
        let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".to_owned());
        let what = image_step(image.kind).to_owned();
        vec![image.repository.clone(), side(&image.old), side(&image.new), what, component.to_owned()]
    };
    let rows: Vec<_> = images.map(row).collect();
    if !rows.is_empty() {
        let header = [("IMAGE", Left), ("OLD", Left), ("NEW", Left), ("STEP", Left), ("COMPONENT", Left)];
        let _ = write!(text, "\n{}", table(&header, &rows));
    }
    let mut pages = String::new();
    for component in &diff.components {
        for page in component.notes.iter().chain(&component.compare) {
            let _ = writeln!(pages, "{}: {page}", component.component);
        }
    }
    if !pages.is_empty() {
        let _ = write!(text, "\n{pages}");
    }
    text
}

/// The body of a pull request.
#[must_use]
pub fn markdown(comparison: &Comparison) -> String {
    let diff = &comparison.diff;
    if diff.is_empty() {
        return "No difference.\n".to_owned();
    }
    let mut text = String::new();
    let moved = diff.moved();
    if !moved.is_empty() {
        text.push_str("> [!CAUTION]\n> **An unchanged tag has other bytes.** Somebody pushed over a release; find out why before you merge.\n>\n");
        for (image, (old, new)) in moved {
            let _ =
                writeln!(text, "> - {}: {} is now {}", code(&image), code(&old.to_string()), code(&new.to_string()));
        }
        text.push('\n');
    }
    let _ = writeln!(text, "{}", summary(comparison));
    for line in platform(diff) {
        let _ = writeln!(text, "- {line}");
    }
    if !diff.components.is_empty() {
        text.push_str("\n| Component | Old | New | Step | To fetch | Upstream |\n|---|---|---|---|---:|---|\n");
    }
    for component in &diff.components {
        let version = |version: &Option<String>| version.as_deref().map_or_else(|| "–".to_owned(), code);
        let step = match component.step {
            step @ (Step::Major | Step::Older | Step::Removed) => format!("**{}**", step.name()),
            step => step.name().to_owned(),
        };
        let link = |name: &str, url: &Option<String>| url.as_ref().map(|url| format!("[{name}]({url})"));
        let links: Vec<_> =
            link("notes", &component.notes).into_iter().chain(link("compare", &component.compare)).collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {step} | {} | {} |",
            code(&component.component),
            version(&component.old),
            version(&component.new),
            fetch(&component.fetch).unwrap_or_else(|| "–".to_owned()),
            links.join(" · "),
        );
    }
    let images: usize = diff.components.iter().map(|component| component.images.len()).sum();
    if images > 0 {
        let _ = write!(text, "\n<details><summary>{}</summary>\n\n", changed_images(images));
        for component in &diff.components {
            for image in &component.images {
                let _ = writeln!(text, "- {}", image_line(&component.component, image));
            }
        }
        text.push_str("\n</details>\n");
    }
    let bytes = diff.components.iter().filter(|component| !component.changed.is_empty());
    for component in bytes {
        let names: Vec<_> = component.changed.iter().map(|name| code(name)).collect();
        let _ =
            writeln!(text, "\n{} has other bytes under one version: {}.", code(&component.component), names.join(", "));
    }
    text
}

fn summary(comparison: &Comparison) -> String {
    let diff = &comparison.diff;
    let mut text = match diff.components.len() {
        0 => "no component differs".to_owned(),
        1 => "1 component differs".to_owned(),
        many => format!("{many} components differ"),
    };
    if let Some(fetch) = fetch(&diff.fetch) {
        let _ = write!(text, "; to fetch: {fetch}");
    }
    if let Some(bytes) = comparison.new_bytes {
        let _ = write!(text, "; not in the older bundle: {}", size::bytes(bytes));
    }
    text
}

fn platform(diff: &Diff) -> Vec<String> {
    let (old, new) = (&diff.old, &diff.new);
    let text = |version: &Option<String>| version.clone().unwrap_or_else(|| "none".to_owned());
    let pairs = [
        (diff.name.as_str(), old.version.clone(), new.version.clone()),
        ("Kubernetes", old.kubernetes.clone(), new.kubernetes.clone()),
        ("KubeEdge", text(&old.kubeedge), text(&new.kubeedge)),
    ];
    pairs.iter().filter(|(_, old, new)| old != new).map(|(what, old, new)| format!("{what} {old} -> {new}")).collect()
}

/// The bytes for each architecture; one figure where all need the same. `None` when there is nothing to fetch.
fn fetch(fetch: &BTreeMap<Arch, Bytes>) -> Option<String> {
    let bytes = |bytes: &Bytes| match bytes {
        Bytes { known: 0, unknown } => format!("{unknown} unknown"),
        Bytes { known, unknown: 0 } => size::bytes(*known),
        Bytes { known, unknown } => format!("{} + {unknown} unknown", size::bytes(*known)),
    };
    let needed: Vec<_> = fetch.iter().filter(|(_, bytes)| **bytes != Bytes::default()).collect();
    let (_, first) = needed.first()?;
    if needed.len() == fetch.len() && needed.iter().all(|(_, other)| other == first) {
        return Some(bytes(first));
    }
    Some(needed.iter().map(|(arch, sum)| format!("{} ({arch})", bytes(sum))).collect::<Vec<_>>().join(", "))
}

fn changed_images(number: usize) -> String {
    if number == 1 { "1 image differs".to_owned() } else { format!("{number} images differ") }
}

const fn image_step(kind: ImageStep) -> &'static str {
    match kind {
        ImageStep::Moved => "MOVED",
        ImageStep::Updated => "updated",
        ImageStep::Added => "added",
        ImageStep::Removed => "removed",
        ImageStep::Attached => "attached",
    }
}

fn image_line(component: &str, image: &ImageDiff) -> String {
    let label = |text: &Option<String>| code(text.as_deref().unwrap_or_default());
    let (repository, old, new) = (code(&image.repository), label(&image.old), label(&image.new));
    let what = match image.kind {
        ImageStep::Moved => format!("**moved** under {new}"),
        ImageStep::Updated => format!("{old} → {new}"),
        ImageStep::Added => format!("{new} added"),
        ImageStep::Removed => format!("{old} removed"),
        ImageStep::Attached => format!("{new}: other signatures or attestations are attached"),
    };
    format!("{repository} {what} ({})", code(component))
}

#[cfg(test)]
mod tests;
