//! The catalogue has every message of the operator's commands, and no other.
//!
//! The sources are read as tokens: every string of several words is either in the catalogue or in `english.txt`, which
//! says what stays English. So a message that somebody adds cannot be forgotten.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use bundler::ui::words;
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// What the operator's commands run, and so can speak: everything on the way from a bundle to a site.
///
/// Left out is what `serve` answers to programs and shows on its page, and what only a maintainer's commands reach.
const SCOPE: [&str; 32] = [
    "src/apply.rs",
    "src/bundle",
    "src/chart/artifact.rs",
    "src/cli/run.rs",
    "src/cli/serve.rs",
    "src/config",
    "src/inspect",
    "src/load",
    "src/lock/mod.rs",
    "src/lock/read.rs",
    "src/lock/rules",
    "src/lock/rules.rs",
    "src/name.rs",
    "src/oci",
    "src/push",
    "src/serve/auth.rs",
    "src/serve/mod.rs",
    "src/serve/tls.rs",
    "src/sign",
    "src/sign.rs",
    "src/source/auth",
    "src/source/error.rs",
    "src/source/http",
    "src/source/registry",
    "src/verify",
    "src/yaml",
    "src/yaml.rs",
    "src/ui/diagnostic.rs",
    "src/ui/mod.rs",
    "src/ui/progress.rs",
    "src/ui/table.rs",
    "src/size.rs",
];

/// The reports of the operator's commands: besides strings of several words, the titles of their tables.
const REPORTS: [&str; 6] = [
    "src/ui/inspected.rs",
    "src/ui/loaded.rs",
    "src/ui/packed.rs",
    "src/ui/pushed.rs",
    "src/ui/served.rs",
    "src/ui/verified.rs",
];

/// What is put together from pieces that are no messages by themselves, and where.
const COMPOSED: [&str; 5] = [
    // The place before a message, in `YamlError`; and the hint behind it, in `Problems`.
    "{}: {}",
    "{}:{}:{}: {}",
    "{} ({})",
    // When a key is valid, in `sign::check`.
    "before {}",
    "after {}",
];

/// The failures of the system that a site meets (errno(3), by their numbers on Linux).
const SYSTEM: [i32; 16] = [1, 2, 5, 13, 20, 21, 24, 27, 28, 30, 32, 98, 99, 104, 111, 122];

/// What the sources say.
#[derive(Default)]
struct Said {
    /// Every string, with `{}` at its places.
    strings: BTreeSet<String>,
    /// The templates of `say!`, with the names that they are given.
    templates: Vec<(String, BTreeSet<String>)>,
    /// What is counted.
    counted: BTreeSet<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files below the scope whose words are for other files and for nobody's screen.
const WRITTEN: [&str; 2] = ["src/bundle/contents/readme.rs", "src/push/nodes.rs"];

fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            sources(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs")
        && !path.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs")))
    {
        found.push(path.to_owned());
    }
}

fn said(scope: &[&str]) -> Said {
    let mut paths = Vec::new();
    for path in scope {
        let path = root().join(path);
        assert!(path.exists(), "{} is gone: mend the scope", path.display());
        sources(&path, &mut paths);
    }
    paths.retain(|path| !WRITTEN.iter().any(|written| path.ends_with(written)));
    let mut said = Said::default();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        read(TokenStream::from_str(&text).unwrap(), &mut said);
    }
    said
}

/// Collects the strings of a piece of source, without its tests, comments, attributes and assertions.
fn read(tokens: TokenStream, said: &mut Said) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                let inner = matches!(tokens.get(at + 1), Some(TokenTree::Punct(p)) if p.as_char() == '!');
                at += 1 + usize::from(inner);
                if let Some(TokenTree::Group(group)) = tokens.get(at) {
                    let attribute = group.stream().to_string();
                    if attribute.starts_with("error") {
                        read(group.stream(), said);
                    } else if attribute.replace(' ', "") == "cfg(test)" {
                        at = end_of_item(&tokens, at);
                    }
                }
            }
            TokenTree::Ident(ident) => {
                let name = ident.to_string();
                let is_macro = matches!(tokens.get(at + 1), Some(TokenTree::Punct(p)) if p.as_char() == '!');
                let group = match tokens.get(at + 1 + usize::from(is_macro)) {
                    Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                        Some(group.stream())
                    }
                    _ => None,
                };
                match (name.as_str(), group) {
                    ("say", Some(arguments)) if is_macro => {
                        said.templates.push(template(arguments.clone()));
                        // Its values may have more to say.
                        read(arguments.into_iter().skip(1).collect(), said);
                        at += 2;
                    }
                    ("count", Some(arguments)) if !is_macro => {
                        said.counted.extend(arguments.clone().into_iter().filter_map(|token| string(&token)));
                        read(arguments, said);
                        at += 1;
                    }
                    ("assert" | "debug_assert" | "debug_assert_eq", Some(_)) if is_macro => at += 2,
                    ("expect", Some(_)) => at += 1,
                    _ => {}
                }
            }
            TokenTree::Group(group) => read(group.stream(), said),
            token => said.strings.extend(string(token).map(|text| skeleton(&text))),
        }
        at += 1;
    }
}

/// The last token of the item that an attribute stands before.
fn end_of_item(tokens: &[TokenTree], at: usize) -> usize {
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    };
    tokens[at..].iter().position(ends).map_or(tokens.len(), |length| at + length)
}

fn string(token: &TokenTree) -> Option<String> {
    let TokenTree::Literal(literal) = token else { return None };
    syn::parse_str::<syn::LitStr>(&literal.to_string()).ok().map(|string| string.value())
}

/// The template of `say!` and the names of its values.
fn template(arguments: TokenStream) -> (String, BTreeSet<String>) {
    let tokens: Vec<TokenTree> = arguments.into_iter().collect();
    let text = string(&tokens[0]).expect("say! begins with its template");
    let is = |token: &TokenTree, punct| matches!(token, TokenTree::Punct(p) if p.as_char() == punct);
    let names = (1..tokens.len()).filter_map(|at| match &tokens[at] {
        TokenTree::Ident(name)
            if is(&tokens[at - 1], ',') && tokens.get(at + 1).is_none_or(|next| is(next, '=') || is(next, ',')) =>
        {
            Some(name.to_string())
        }
        _ => None,
    });
    let names = names.collect();
    (text, names)
}

/// A template without the names of its places, which differ between the sources and the catalogue.
fn skeleton(template: &str) -> String {
    let mut text = String::new();
    let mut rest = template.trim();
    while let Some((literal, after)) = rest.split_once('{') {
        text.push_str(literal);
        match after.strip_prefix('{').map_or_else(|| after.split_once('}'), |_| None) {
            Some((_, after)) => {
                // Two places with nothing between them are one for who reads the message.
                if !text.ends_with("{}") || !literal.is_empty() {
                    text.push_str("{}");
                }
                rest = after;
            }
            None => {
                text.push('{');
                rest = after.strip_prefix('{').unwrap_or(after);
            }
        }
    }
    text + rest
}

/// Whether a string is a message: several words, one of them of letters alone.
fn is_prose(skeleton: &str) -> bool {
    let word = |word: &str| {
        let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
        word.len() > 1 && word.bytes().all(|c| c.is_ascii_lowercase())
    };
    skeleton.contains(' ') && skeleton.split(' ').any(word)
}

/// What stays English: a line each, with `\n` for a line break; `#` begins a comment.
fn english() -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join("tests/it/words/english.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

fn is_title(text: &str) -> bool {
    text.len() > 1 && text.bytes().all(|c| c.is_ascii_uppercase() || c == b' ')
}

#[test]
fn every_message_is_in_the_catalogue_and_nothing_else() {
    let catalogue = words::chinese().unwrap();
    let (below, reports) = (said(&SCOPE), said(&REPORTS));
    assert!(below.strings.len() > 500 && reports.templates.len() > 20, "the strings are not found any more");
    let english = english();
    let one_line = |text: &str| text.replace('\n', "\\n");

    let messages: BTreeSet<String> = catalogue.messages().iter().map(|entry| skeleton(entry.english)).collect();
    assert_eq!(messages.len(), catalogue.messages().len(), "two messages of the catalogue are the same one");
    let is_known = |text: &str| messages.contains(text) || !text.contains("{}") && catalogue.message(text) != *text;
    let all: BTreeSet<&String> = below.strings.iter().chain(&reports.strings).collect();
    let missing: Vec<_> =
        all.iter().filter(|text| is_prose(text) && !is_known(text) && !english.contains(&one_line(text))).collect();
    assert!(missing.is_empty(), "neither in src/ui/words/zh.txt nor in tests/it/words/english.txt: {missing:#?}");

    let of_system = SYSTEM.map(|number| std::io::Error::from_raw_os_error(number).to_string());
    let of_system: BTreeSet<_> = of_system
        .iter()
        .map(|message| match message.split_once("(os error ") {
            Some((words, _)) => format!("{words}(os error {{}})"),
            None => message.clone(),
        })
        .collect();
    let unknown: Vec<_> = of_system.iter().filter(|text| !messages.contains(*text)).collect();
    assert!(unknown.is_empty(), "of the system and not in src/ui/words/zh.txt: {unknown:#?}");
    let is_said = |text: &String| {
        let covers = |string: &&String| !string.contains("{}") && matches(text, string);
        all.contains(text) || of_system.contains(text) || COMPOSED.contains(&text.as_str()) || all.iter().any(covers)
    };
    let left: Vec<_> = messages.iter().filter(|text| !is_said(text)).collect();
    assert!(left.is_empty(), "in src/ui/words/zh.txt, but nothing says it: {left:#?}");
    let left: Vec<_> = english.iter().filter(|text| !all.iter().any(|said| one_line(said) == **text)).collect();
    assert!(left.is_empty(), "in tests/it/words/english.txt, but nothing says it: {left:#?}");
}

/// Whether a text without places is made from a skeleton that has some.
fn matches(skeleton: &str, text: &str) -> bool {
    let Some((first, last)) = skeleton.split_once("{}") else { return false };
    !last.contains("{}") && first.len() > 3 && text.starts_with(first) && text.ends_with(last)
}

#[test]
fn every_line_of_a_report_is_in_the_catalogue_and_nothing_else() {
    let catalogue = words::chinese().unwrap();
    let (below, reports) = (said(&SCOPE), said(&REPORTS));
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    for (template, given) in below.templates.iter().chain(&reports.templates) {
        let places: BTreeSet<String> =
            template.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or_default().to_owned()).collect();
        // `format!` would take a variable that is not given; another language could not.
        assert_eq!(places, *given, "say!({template:?}) is not given its places by name");
        wanted.insert(template.clone());
    }
    let counted = below.counted.iter().chain(&reports.counted).filter(|thing| *thing != "line");
    wanted.extend(counted.map(|thing| format!("{{number}} {thing}s")));
    wanted.extend(reports.strings.iter().filter(|text| is_title(text)).cloned());
    let known: BTreeSet<String> = catalogue.reports().iter().map(|entry| entry.english.to_owned()).collect();
    assert_eq!(known.len(), catalogue.reports().len(), "two lines of the catalogue are the same one");
    let missing: Vec<_> = wanted.difference(&known).collect();
    assert!(missing.is_empty(), "not under [reports] of src/ui/words/zh.txt: {missing:#?}");
    let left: Vec<_> = known.difference(&wanted).collect();
    assert!(left.is_empty(), "under [reports] of src/ui/words/zh.txt, but nothing says it: {left:#?}");
}

#[test]
fn a_translation_has_no_english_sentence_left() {
    let catalogue = words::chinese().unwrap();
    let same: Vec<_> = catalogue
        .reports()
        .iter()
        .chain(catalogue.messages())
        .filter(|entry| entry.english == entry.other && is_prose(&skeleton(entry.english)))
        .map(|entry| entry.english)
        .collect();
    // Names of things that have no other name.
    assert_eq!(same, ["the OCI layout {directory}"; 0]);
}
