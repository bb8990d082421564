//! The map of the code holds: data goes one way, and the air-gapped side does not reach the network.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module after those that it may use. `error` gathers the errors of all and is used by all.
const ORDER: [&str; 33] = [
    "exit", "event", "name", "size", "version", "oci", "member", "yaml", "config", "catalog", "lock", "store",
    "bundle", "apply", "sbom", "sign", "plan", "chart", "source", "fetch", "resolve", "pack", "verify", "inspect",
    "load", "serve", "push", "init", "add", "ui", "cli", "lib", "main",
];

/// What reads a bundle on a site, and what it must not reach.
const OFFLINE: [&str; 7] = ["bundle", "apply", "sign", "verify", "inspect", "load", "serve"];
const NETWORK: [&str; 4] = ["source", "fetch", "resolve", "pack"];

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Each use of another module: the user, the used and the file.
fn uses() -> BTreeSet<(String, String, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&source, &mut paths);
    let mut uses = BTreeSet::new();
    for path in paths {
        let relative = path.strip_prefix(&source).unwrap();
        let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
        let user = first.trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(&path).unwrap();
        // Tests may use whatever they need to set their scene.
        let text = text.split("#[cfg(test)]\nmod ").next().unwrap();
        let is_test = relative.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs")));
        if is_test {
            continue;
        }
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            // `use crate::{a, b::c}` and `crate::a`.
            for rest in line.split("crate::").skip(1) {
                let names: Vec<&str> = match rest.strip_prefix('{') {
                    Some(list) => list.split(['}', ';']).next().unwrap().split(',').map(str::trim).collect(),
                    None => vec![rest],
                };
                for name in names {
                    let used: String = name.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                    if ORDER.contains(&used.as_str()) && used != user {
                        uses.insert((user.clone(), used, relative.display().to_string()));
                    }
                }
            }
        }
    }
    uses
}

#[test]
fn every_module_has_its_place() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(source).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".rs");
        assert!(name == "error" || ORDER.contains(&name), "{name} is not in the order of the modules");
    }
}

#[test]
fn no_module_uses_one_that_comes_later() {
    let place = |name: &str| ORDER.iter().position(|other| *other == name);
    let uses = uses();
    assert!(uses.len() > 50, "the uses are not found any more: {}", uses.len());
    let wrong: Vec<_> = uses.iter().filter(|(user, used, _)| user != "error" && place(user) < place(used)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn pushing_reaches_registries_and_nothing_else() {
    let wrong: Vec<_> = uses()
        .into_iter()
        .filter(|(user, used, _)| {
            user == "push" && ["fetch", "resolve", "pack", "plan", "store"].contains(&used.as_str())
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_reads_a_bundle_does_not_reach_the_network() {
    let wrong: Vec<_> = uses()
        .into_iter()
        .filter(|(user, used, _)| OFFLINE.contains(&user.as_str()) && NETWORK.contains(&used.as_str()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
