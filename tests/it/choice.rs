//! The choice of versions on the real tag histories of `tests/data/tags/`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use bundler::resolve::choice::{Age, Facts, Rules, end_of_day, judge, parse_day, rank};
use bundler::version::{Constraint, Pattern};
use jiff::Timestamp;

fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// The tags of a repository and the dates of their commits.
fn history(name: &str) -> Vec<(String, Timestamp)> {
    let text = std::fs::read_to_string(data().join("tags").join(format!("{name}.tsv"))).unwrap();
    let entry = |line: &str| {
        let (tag, date) = line.split_once('\t').unwrap();
        (tag.to_owned(), date.parse().unwrap())
    };
    text.lines().map(entry).collect()
}

/// The version that is chosen at the end of `day`.
fn choose(
    history: &[(String, Timestamp)],
    pattern: &Pattern,
    constraint: Option<&Constraint>,
    day: &str,
    min_age: &str,
) -> Option<String> {
    let rules = Rules {
        as_of: end_of_day(parse_day(day).unwrap()),
        min_age: min_age.parse::<Age>().unwrap(),
        kubernetes: "1.36.4".parse().unwrap(),
        also: Vec::new(),
        kubeedge: None,
        compatibility: Vec::new(),
        end_of_life: Vec::new(),
    };
    let ranked = rank(history.iter().map(|(tag, _)| tag), pattern, constraint, None);
    let chosen = ranked.into_iter().find(|candidate| {
        let date = history.iter().find(|(tag, _)| *tag == candidate.tag).map(|(_, date)| *date);
        judge(&Facts::new(candidate.version.clone(), date), &rules).is_ok()
    });
    chosen.map(|chosen| {
        assert_eq!(pattern.tag(chosen.version.as_str()), chosen.tag, "a version keeps its tag's own text");
        chosen.version.to_string()
    })
}

#[test]
fn every_history_gives_the_version_that_a_reader_expects() {
    let table = std::fs::read_to_string(data().join("choice.tsv")).unwrap();
    let mut rows = table.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(rows.next().unwrap().split('\t').count(), 8);

    let questions =
        [("2026-11-20", "0d"), ("2026-03-01", "0d"), ("2026-03-01", "7d"), ("2025-06-01", "0d"), ("2025-06-01", "7d")];
    let mut wrong = Vec::new();
    let mut asked = BTreeSet::new();
    for row in rows {
        let [name, pattern, constraint, expected @ ..] = &row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("`{row}` has too few columns");
        };
        assert_eq!(expected.len(), questions.len(), "{row}");
        asked.insert(format!("{name}.tsv"));
        let mut tags = history(name);
        let pattern = pattern.parse().unwrap();
        let constraint = (*constraint != "-").then(|| constraint.parse::<Constraint>().unwrap());
        for ((day, min_age), expected) in questions.iter().zip(expected) {
            let chosen = choose(&tags, &pattern, constraint.as_ref(), day, min_age);
            if chosen.as_deref().unwrap_or("-") != *expected {
                wrong.push(format!("{name} {pattern} as of {day}, {min_age}: {chosen:?}, expected {expected}"));
            }
            // A source lists its tags in any order.
            tags.reverse();
            assert_eq!(choose(&tags, &pattern, constraint.as_ref(), day, min_age), chosen, "{row}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let files =
        std::fs::read_dir(data().join("tags")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let histories: BTreeSet<_> = files.filter(|name| name.ends_with(".tsv")).collect();
    assert_eq!(asked, histories, "every history has its expectations");
}
