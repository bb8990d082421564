//! `SECURITY.md` promises nothing that no test holds.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

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

/// Every Rust file below `directories`: the parts of its path below the root, and its text.
fn sources(directories: &[&str]) -> Vec<(BTreeSet<String>, PathBuf, String)> {
    let mut paths = Vec::new();
    directories.iter().for_each(|directory| files(&root().join(directory), &mut paths));
    let source = |path: PathBuf| {
        let below = path.strip_prefix(root()).unwrap().with_extension("");
        let parts = below.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        let text = fs::read_to_string(&path).unwrap();
        (parts, path, text)
    };
    paths.into_iter().map(source).collect()
}

#[test]
fn every_test_that_security_md_names_exists() {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| threat")).collect();
    assert!(rows.len() >= 20, "the table is not found: {}", rows.len());
    let sources = sources(&["src", "tests", "fuzz"]);
    let mut missing = Vec::new();
    for row in rows {
        let tests: Vec<&str> =
            row.trim_end_matches(" |").rsplit(" | ").next().unwrap().split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "a promise without a test: {row}");
        for test in tests {
            let mut modules: Vec<&str> = test.split("::").collect();
            let name = modules.pop().unwrap();
            // A test's function, right below its attribute, in a file whose path has all of the modules.
            let is_there = sources.iter().any(|(parts, _, text)| {
                modules.iter().all(|module| *module == "tests" || parts.contains(*module))
                    && text.split("#[test]").skip(1).chain(text.split("#[tokio::test").skip(1)).any(|after| {
                        let head = after.split('{').next().unwrap();
                        head.contains(&format!("fn {name}("))
                    })
            });
            if !is_there {
                missing.push(test);
            }
        }
    }
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}

#[test]
fn every_file_that_security_md_names_as_a_guard_exists() {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ")).filter_map(|row| row.split(" | ").nth(2));
    let named = rows.flat_map(|guard| guard.split('`').skip(1).step_by(2)).filter(|name| name.contains('/'));
    let named: BTreeSet<&str> = named.collect();
    assert!(named.len() > 20, "the guards are not found: {named:?}");
    let is_there = |name: &&str| ["src", "."].iter().any(|below| root().join(below).join(name).exists());
    let missing: Vec<_> = named.iter().filter(|name| !is_there(name)).collect();
    assert!(missing.is_empty(), "no such files: {missing:?}");
}

#[test]
fn there_is_no_unsafe_code() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"deny\""));
    let word = concat!("uns", "afe");
    for (_, path, text) in sources(&["src"]) {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            let opens = [" {", " fn", " impl", "_code)"].iter().any(|next| line.contains(&format!("{word}{next}")));
            assert!(!opens, "{}: {line}", path.display());
        }
    }
}

/// The names of the crates that `Cargo.toml` lists in a section.
fn direct(section: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let lines = manifest.lines().skip_while(|line| *line != section).skip(1).take_while(|line| !line.starts_with('['));
    let name = |line: &str| Some(line.split_once(" = ")?.0.trim().to_owned());
    lines.filter(|line| !line.starts_with([' ', '#'])).filter_map(name).collect()
}

#[test]
fn every_crate_that_we_depend_on_has_its_line_and_version() {
    let list = fs::read_to_string(root().join("docs/decisions/0006-dependencies.md")).unwrap();
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let rows = list.lines().filter(|line| line.starts_with("| "));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split(" | ").collect()).collect();
    let words = |text: &str| text.trim_start_matches("| ").split(", ").map(str::to_owned).collect::<Vec<_>>();
    let crates = direct("[dependencies]");
    assert!(crates.len() > 30, "the dependencies are not found: {crates:?}");
    for name in crates {
        let row = rows.iter().find(|row| words(row[0]).contains(&name)).unwrap_or_else(|| panic!("{name} has no line"));
        let known = |version: &String| lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n"));
        assert!(words(row[2]).iter().any(known), "{name} has another version than {}", row[2]);
    }
    for name in direct("[dev-dependencies]") {
        assert!(list.contains(&name), "{name} is nowhere");
    }
}
