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

/// The rows of a document with what carries them.
fn rows(text: &str) -> BTreeMap<String, Vec<&str>> {
    let mut rows = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, asked, today, carriers] = cells[..] else { panic!("{line}") };
        if id.len() != 3 || !id.bytes().skip(1).all(|digit| digit.is_ascii_digit()) {
            continue;
        }
        assert!(!asked.is_empty() && !today.is_empty(), "{line}");
        let named: Vec<&str> = code(carriers).collect();
        assert!(carriers == "—" || !named.is_empty(), "{line}");
        assert!(rows.insert(id.to_owned(), named).is_none(), "a second time: {line}");
    }
    rows
}

#[test]
fn every_row_that_was_asked_for_names_components_of_the_catalog() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directories = std::fs::read_dir(root.join("manifests/components")).unwrap();
    let components: BTreeSet<String> =
        directories.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let [text, chinese] =
        ["coverage.md", "coverage.zh-CN.md"].map(|name| std::fs::read_to_string(root.join("docs").join(name)).unwrap());
    let found = rows(&text);
    assert_eq!(found, rows(&chinese), "both languages say the same");

    let expected =
        ROWS.iter().flat_map(|(letter, first, last)| (*first..=*last).map(move |n| format!("{letter}{n:02}")));
    assert_eq!(found.keys().cloned().collect::<BTreeSet<_>>(), expected.collect());
    for (id, named) in &found {
        let unknown: Vec<_> = named.iter().filter(|name| !components.contains(**name)).collect();
        assert!(unknown.is_empty(), "{id}: the catalog has no {unknown:?}");
    }
    let named: BTreeSet<&str> = code(&text).collect();
    let silent: Vec<_> = components.iter().filter(|component| !named.contains(component.as_str())).collect();
    assert!(silent.is_empty(), "nothing says why these are carried: {silent:?}");
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
