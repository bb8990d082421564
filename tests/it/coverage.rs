//! `docs/coverage.md`, in both languages: what was asked for, row by row, against the catalog.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The rows by letter, from the first number to the last.
const ROWS: [(char, u32, u32); 14] = [
    ('A', 1, 17),
    ('B', 1, 22),
    ('M', 1, 28),
    ('T', 1, 27),
    ('L', 1, 27),
    ('F', 1, 21),
    ('G', 1, 9),
    ('H', 1, 22),
    ('I', 1, 16),
    ('J', 1, 15),
    ('K', 1, 7),
    ('V', 0, 14),
    ('W', 1, 6),
    ('X', 1, 3),
];

/// The texts between backticks.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// A row of the documents.
struct Row<'a> {
    components: Vec<&'a str>,
    files: Vec<&'a str>,
    /// Names of tests; beside them there may be words.
    proof: &'a str,
}

/// The names of a cell, which is a dash or has some.
fn named(cell: &str) -> Vec<&str> {
    let named: Vec<&str> = code(cell).collect();
    assert!(cell == "—" || !named.is_empty(), "{cell}");
    named
}

/// The rows of a document.
fn rows(text: &str) -> BTreeMap<String, Row<'_>> {
    let mut rows = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, asked, today, components, files, proof] = cells[..] else { panic!("{line}") };
        if id.len() != 3 || !id.bytes().skip(1).all(|digit| digit.is_ascii_digit()) {
            continue;
        }
        assert!(!asked.is_empty() && !today.is_empty() && !proof.is_empty(), "{line}");
        let row = Row { components: named(components), files: named(files), proof };
        assert!(rows.insert(id.to_owned(), row).is_none(), "a second time: {line}");
    }
    rows
}

/// Whether there is such a test: `file.bats` of the installers, or a module or function of this program.
fn is_test(root: &Path, name: &str) -> bool {
    if name.ends_with(".bats") {
        return root.join("tests/install").join(name).is_file();
    }
    let (mut directory, mut file) = (root.join("tests/it"), root.join("tests/it/main.rs"));
    for part in name.split("::") {
        let module = [directory.join(format!("{part}.rs")), directory.join(part).join("mod.rs")];
        if let Some(module) = module.into_iter().find(|module| module.is_file()) {
            (directory, file) = (directory.join(part), module);
        } else {
            let text = std::fs::read_to_string(&file).unwrap();
            return text.contains(&format!("fn {part}()")) && name.ends_with(part);
        }
    }
    true
}

#[test]
fn every_row_that_was_asked_for_names_components_of_the_catalog() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directories = std::fs::read_dir(root.join("manifests/components")).unwrap();
    let components: BTreeSet<String> =
        directories.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let [text, chinese] =
        ["coverage.md", "coverage.zh-CN.md"].map(|name| std::fs::read_to_string(root.join("docs").join(name)).unwrap());
    let (found, other) = (rows(&text), rows(&chinese));
    let names = |rows: &BTreeMap<String, Row<'_>>| -> Vec<String> {
        let all = rows.iter().map(|(id, row)| {
            format!("{id} {:?} {:?} {:?}", row.components, row.files, code(row.proof).collect::<Vec<_>>())
        });
        all.collect()
    };
    assert_eq!(names(&found), names(&other), "both languages say the same");

    let expected =
        ROWS.iter().flat_map(|(letter, first, last)| (*first..=*last).map(move |n| format!("{letter}{n:02}")));
    assert_eq!(found.keys().cloned().collect::<BTreeSet<_>>(), expected.collect());
    for (id, row) in &found {
        let unknown: Vec<_> = row.components.iter().filter(|name| !components.contains(**name)).collect();
        assert!(unknown.is_empty(), "{id}: the catalog has no {unknown:?}");
    }
    let named: BTreeSet<&str> = code(&text).collect();
    let silent: Vec<_> = components.iter().filter(|component| !named.contains(component.as_str())).collect();
    assert!(silent.is_empty(), "nothing says why these are carried: {silent:?}");
}

#[test]
fn every_row_names_files_and_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/coverage.md")).unwrap();
    let (mut missing, mut open) = (Vec::new(), Vec::new());
    for (id, row) in rows(&text) {
        for file in &row.files {
            let places = ["", "manifests/components", "manifests"].map(|place| root.join(place).join(file));
            if !places.iter().any(|place| place.exists()) {
                missing.push(format!("{id}: no file {file}"));
            }
        }
        let tests = code(row.proof).filter(|name| *name != "verify");
        missing.extend(tests.filter(|name| !is_test(root, name)).map(|name| format!("{id}: no test {name}")));
        // What is delivered is proven or says why not; a record is its own reason.
        let record = row.files.iter().all(|file| file.starts_with("docs/decisions/"));
        if row.proof == "—" && !record {
            open.push(id);
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(open.is_empty(), "neither a test nor a reason: {open:?}");
}

#[test]
fn every_component_says_why_it_is_here_and_until_when_it_is_kept_as_it_is() {
    let catalog = bundler::catalog::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests")).unwrap();
    let carried: BTreeSet<&str> =
        catalog.file.profiles.values().flat_map(|p| p.value.components()).map(|name| name.value.as_str()).collect();
    for (name, component) in &catalog.components {
        let description = component.description.as_deref().unwrap_or_default();
        assert!((10..=120).contains(&description.len()) && !description.contains('\n'), "{name}: {description}");
        assert!(component.licence.is_some(), "{name} has no licence");
        assert!(carried.contains(name.as_str()), "{name} is in no profile");
        assert!(component.hold.iter().all(|hold| hold.until.is_some()), "{name} is held for ever");
        assert!(component.accepted.iter().all(|known| known.until.is_some()), "{name} is accepted for ever");
        for chart in component.all_charts() {
            // What only brings custom resources has nothing to say.
            assert!(chart.value.values.is_some() || chart.value.name == "base", "{name} is installed as it comes");
        }
    }
}
