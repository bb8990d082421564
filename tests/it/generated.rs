//! What is made from the program stands in the tree as the program makes it now; `make generated` writes it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bundler::cli::Cli;
use clap::{Command, CommandFactory as _};
use serde_json::Value;

use crate::support::Sandbox;

mod markdown;

/// Directories with nothing in them but generated files.
const DIRECTORIES: [&str; 5] = ["schema", "schema/reports", "completions", "man", "docs/reference"];

/// The schemas of files that somebody writes or reads; all others are those of reports.
const FILES: [&str; 3] = ["catalog", "component", "lock"];

const CATALOG: &str = "<!-- Written by `make generated` from src/catalog/model.rs. -->

# Fields of the catalog

Every field of the files that [the catalog](../catalog.md) is made of, from the model that reads them. Fields in bold have to
be there; any other field is an error.
";

const LOCK: &str = "<!-- Written by `make generated` from src/lock/model.rs. -->

# Fields of the lock

Every field of [the lock](../lock.md), from the model that reads and writes it. Fields in bold are always there; any other
field is an error.
";

const REPORTS: &str = "<!-- Written by `make generated` from the types that the commands print. -->

# Reports

What each command writes to stdout with `--format json`, and a failure to stderr. Fields in bold are always there. The JSON
Schemas are in [schema/reports/](../../schema/reports/), and `bundler schema NAME` prints them.

`schema` is the version of a report, 1 for all. Within it fields may come, and none goes or changes its meaning, so a program
ignores what it does not know. A list, of which there are those of `bundler images`, has it in each item. What cannot be kept
gets the next number, and the [changelog](../../CHANGELOG.md) says how to go on. The report of a command that ends with 1,
such as `verify` of a bundle that is not good, is a report like any other. `bundler serve` writes its report as one line.

The lines of `--progress json` and the log of `serve` are on stderr, are for people with tools, and have no schema.
";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn stdout(arguments: &[&str]) -> String {
    let output = Sandbox::new().bundler().args(arguments).assert().success().get_output().stdout.clone();
    String::from_utf8(output).unwrap()
}

/// The program's command with those below it, as paths of names without the program's own.
fn commands(command: &Command, path: &[String], found: &mut Vec<(Vec<String>, Command)>) {
    found.push((path.to_vec(), command.clone()));
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        commands(below, &[path, &[below.get_name().to_owned()]].concat(), found);
    }
}

fn all_commands() -> Vec<(Vec<String>, Command)> {
    let mut program = Cli::command();
    program.build();
    let mut found = Vec::new();
    commands(&program, &[], &mut found);
    found
}

/// The help of a command; what every command takes stands once, with the program.
fn help(path: &[String], command: &Command) -> String {
    let command = command.clone().term_width(100).mut_args(|argument| {
        let everywhere = argument.get_help_heading() == Some("Global options")
            || matches!(argument.get_id().as_str(), "help" | "version");
        let hidden = everywhere && !path.is_empty();
        argument.hide(hidden)
    });
    let text = command.clone().render_long_help().to_string();
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// The reference of the command line, as Markdown.
fn reference() -> String {
    let mut text =
        "<!-- Written by `make generated` from src/cli. -->\n\n# Command line\n\nThe help of the program and of each \
                    command. The global options are taken by all.\n"
            .to_owned();
    for (path, command) in all_commands() {
        let name = [&["bundler".to_owned()], path.as_slice()].concat().join(" ");
        text.push_str(&format!("\n## {name}\n\n```text\n{}```\n", help(&path, &command)));
    }
    text
}

/// The schemas by the names that `bundler schema` takes.
fn schemas() -> BTreeMap<String, Value> {
    let program = Cli::command();
    let command = program.find_subcommand("schema").unwrap();
    let names = command.get_positionals().next().unwrap().get_possible_values();
    let schema = |name: &str| serde_json::from_str(&stdout(&["schema", name])).unwrap();
    names.iter().map(|name| (name.get_name().to_owned(), schema(name.get_name()))).collect()
}

/// The schemas of reports, by name.
pub(crate) fn reports() -> BTreeMap<String, Value> {
    schemas().into_iter().filter(|(name, _)| !FILES.contains(&name.as_str())).collect()
}

/// The references of catalog, lock and reports, as Markdown.
fn fields(schemas: &BTreeMap<String, Value>) -> [(String, String); 3] {
    let mut catalog = markdown::Page::of_files(CATALOG);
    catalog.add("catalog.yaml", &schemas["catalog"]);
    catalog.add("component.yaml", &schemas["component"]);
    let mut lock = markdown::Page::of_files(LOCK);
    lock.add("bundle.lock.yaml", &schemas["lock"]);
    let mut reports = markdown::Page::of_reports(REPORTS);
    for (_, schema) in schemas.iter().filter(|(name, _)| !FILES.contains(&name.as_str())) {
        reports.add(schema["title"].as_str().unwrap(), schema);
    }
    [("catalog", catalog), ("lock", lock), ("reports", reports)]
        .map(|(name, page)| (format!("docs/reference/{name}.md"), page.text()))
}

/// Each generated file's path below the root, and its text.
fn generated() -> BTreeMap<String, String> {
    let mut files = BTreeMap::from([("docs/reference/cli.md".to_owned(), reference())]);
    let schemas = schemas();
    for name in schemas.keys() {
        let directory = if FILES.contains(&name.as_str()) { "schema" } else { "schema/reports" };
        files.insert(format!("{directory}/{name}.json"), stdout(&["schema", name]));
    }
    files.extend(fields(&schemas));
    for (shell, name) in [("bash", "bundler.bash"), ("zsh", "_bundler"), ("fish", "bundler.fish")] {
        files.insert(format!("completions/{name}"), stdout(&["completions", shell]));
    }
    for (path, _) in all_commands() {
        let name = [&["bundler".to_owned()], path.as_slice()].concat().join("-");
        let arguments: Vec<&str> = ["man"].into_iter().chain(path.iter().map(String::as_str)).collect();
        files.insert(format!("man/{name}.1"), stdout(&arguments));
    }
    files
}

#[test]
fn generated_files_are_what_the_program_makes() {
    let files = generated();
    if std::env::var("BUNDLER_UPDATE").as_deref() == Ok("1") {
        for directory in DIRECTORIES.map(|name| root().join(name)) {
            if directory.exists() {
                fs::remove_dir_all(&directory).unwrap();
            }
            fs::create_dir_all(directory).unwrap();
        }
        files.iter().for_each(|(path, text)| fs::write(root().join(path), text).unwrap());
    }
    let mut wrong: Vec<String> = files
        .iter()
        .filter(|(path, text)| fs::read_to_string(root().join(path)).ok().as_ref() != Some(text))
        .map(|(path, _)| path.clone())
        .collect();
    for directory in DIRECTORIES {
        let entries = fs::read_dir(root().join(directory)).into_iter().flatten().map(Result::unwrap);
        for entry in entries.filter(|entry| entry.path().is_file()) {
            let path = format!("{directory}/{}", entry.file_name().to_str().unwrap());
            if !files.contains_key(&path) {
                wrong.push(path);
            }
        }
    }
    assert!(wrong.is_empty(), "not what the program makes, run `make generated`: {wrong:#?}");
}

#[test]
fn every_command_has_examples_and_the_program_takes_them() {
    for (path, command) in all_commands().into_iter().filter(|(path, _)| path.len() == 1) {
        let examples = command.get_after_help().unwrap_or_else(|| panic!("{path:?} has no examples")).to_string();
        let lines: Vec<&str> = examples.lines().skip(1).collect();
        assert!(!lines.is_empty(), "{path:?}: {examples}");
        for line in lines {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(words[..2], ["bundler", &path[0]], "{line}");
            Cli::command().try_get_matches_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }
}

#[test]
fn our_own_manifests_name_their_schema() {
    let manifests = root().join("manifests");
    let mut files = vec![(manifests.join("catalog.yaml"), "../schema/catalog.json")];
    for entry in fs::read_dir(manifests.join("components")).unwrap() {
        files.push((entry.unwrap().path().join("component.yaml"), "../../../schema/component.json"));
    }
    for (file, schema) in files {
        let text = fs::read_to_string(&file).unwrap();
        let line = format!("# yaml-language-server: $schema={schema}");
        assert!(text.lines().any(|other| other == line), "{}: `{line}` is missing", file.display());
        assert!(file.parent().unwrap().join(schema).is_file(), "{}: {schema}", file.display());
    }
}
