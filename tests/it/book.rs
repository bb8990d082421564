//! The documentation holds together: links and anchors lead somewhere, the book lists every page, and languages know of
//! each other. [`crate::docs`] runs what it shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::support;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a page says to other pages.
#[derive(Default)]
struct Page {
    links: Vec<String>,
    anchors: BTreeSet<String>,
}

fn markdown(directory: &Path, deep: bool, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if deep {
                markdown(&path, deep, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// GitHub's anchor of a heading: letters, digits, `-` and `_` in lower case, a `-` for each space.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn parse(text: &str) -> Page {
    let mut page = Page::default();
    let mut heading: Option<String> = None;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                page.links.push(dest_url.into_string())
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let name = anchor(&heading.take().unwrap_or_default());
                let count = seen.entry(name.clone()).or_default();
                page.anchors.insert(if *count == 0 { name } else { format!("{name}-{count}") });
                *count += 1;
            }
            Event::Text(text) | Event::Code(text) => {
                heading.iter_mut().for_each(|into| into.push_str(&text));
            }
            _ => {}
        }
    }
    page
}

fn pages() -> BTreeMap<PathBuf, Page> {
    let mut paths = Vec::new();
    markdown(root(), false, &mut paths);
    markdown(&root().join("docs"), true, &mut paths);
    markdown(&root().join(".github"), true, &mut paths);
    paths.into_iter().map(|path| (path.clone(), parse(&fs::read_to_string(path).unwrap()))).collect()
}

/// `link` as seen from `page`, without `.` and `..`.
fn target(page: &Path, link: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in page.parent().unwrap().join(link).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let mut wrong = Vec::new();
    let mut checked = 0;
    for (path, page) in &pages {
        for link in page.links.iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            checked += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { target(path, file) };
            let anchored = anchor.is_empty() || pages.get(&target).is_some_and(|page| page.anchors.contains(anchor));
            if !target.starts_with(root()) || !target.exists() || !anchored {
                wrong.push(format!("{}: {link}", path.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(checked > 100, "the links are not found: {checked}");
    assert!(wrong.is_empty(), "links to nowhere: {wrong:#?}");
}

#[test]
fn a_page_in_two_languages_links_to_its_other_half() {
    let pages = pages();
    let mut pairs = 0;
    for (chinese, page) in &pages {
        let name = chinese.file_name().unwrap().to_str().unwrap();
        let Some(stem) = name.strip_suffix(".zh-CN.md") else { continue };
        let english = chinese.with_file_name(format!("{stem}.md"));
        let other = pages.get(&english).unwrap_or_else(|| panic!("{} has no English half", chinese.display()));
        assert!(other.links.iter().any(|link| link == name), "{} does not link to {name}", english.display());
        let back = format!("{stem}.md");
        assert!(page.links.contains(&back), "{} does not link to {back}", chinese.display());
        pairs += 1;
    }
    assert!(pairs > 5, "the pairs are not found: {pairs}");
}

#[test]
fn the_book_is_built_without_a_warning() {
    let Some(mdbook) = support::tool("mdbook") else { return };
    let directory = tempfile::tempdir().unwrap();
    let mut build = std::process::Command::new(mdbook);
    let output = build.arg("build").arg(root().join("docs")).arg("--dest-dir").arg(directory.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let loud: Vec<_> = said.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect();
    assert!(loud.is_empty(), "{loud:#?}");
    assert!(directory.path().join("reference/reports.html").is_file(), "{said}");
}

#[test]
fn the_book_lists_every_page_once() {
    let docs = root().join("docs");
    let summary = docs.join("SUMMARY.md");
    let listed: Vec<PathBuf> =
        parse(&fs::read_to_string(&summary).unwrap()).links.iter().map(|link| target(&summary, link)).collect();
    let set: BTreeSet<PathBuf> = listed.iter().cloned().collect();
    assert_eq!(set.len(), listed.len(), "a page is listed twice");
    let mut there = Vec::new();
    markdown(&docs, true, &mut there);
    let there: BTreeSet<PathBuf> = there.into_iter().filter(|path| *path != summary).collect();
    let missing: Vec<_> = there.symmetric_difference(&set).collect();
    assert!(missing.is_empty(), "in the book and not there, or the other way round: {missing:#?}");
}

#[test]
fn the_map_for_newcomers_names_every_module() {
    let map = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".rs");
        assert!(map.contains(&format!("`{name}`")), "CONTRIBUTING.md does not say what `{name}` is for");
    }
}
