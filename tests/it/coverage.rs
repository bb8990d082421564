//! `docs/coverage.md`: what was asked for, row by row, against the catalog.

use std::collections::BTreeSet;
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

#[test]
fn every_row_that_was_asked_for_names_components_of_the_catalog() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/coverage.md")).unwrap();
    let directories = std::fs::read_dir(root.join("manifests/components")).unwrap();
    let components: BTreeSet<String> =
        directories.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();

    let mut rows = Vec::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let is_row = |id: &str| id.len() == 3 && id[1..].bytes().all(|digit| digit.is_ascii_digit());
        let [id, asked, today, carriers] = cells[..] else { continue };
        if !line.starts_with('|') || !is_row(id) {
            continue;
        }
        assert!(!asked.is_empty() && !today.is_empty(), "{line}");
        let named: Vec<&str> = code(carriers).collect();
        assert!(carriers == "—" || !named.is_empty(), "{line}");
        for name in named {
            assert!(components.contains(name), "the catalog has no `{name}`: {line}");
        }
        rows.push(id.to_owned());
    }
    let expected =
        ROWS.iter().flat_map(|(letter, first, last)| (*first..=*last).map(move |n| format!("{letter}{n:02}")));
    let (mut expected, mut found) = (expected.collect::<Vec<_>>(), rows);
    expected.sort();
    found.sort();
    assert_eq!(found, expected);

    let named: BTreeSet<&str> = code(&text).collect();
    let silent: Vec<_> = components.iter().filter(|component| !named.contains(component.as_str())).collect();
    assert!(silent.is_empty(), "nothing says why these are carried: {silent:?}");
}
