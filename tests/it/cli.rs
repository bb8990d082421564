//! What the program says about itself: help, version, schemas, completions, man pages, and how it refuses.

use crate::support::Sandbox;

fn stdout(arguments: &[&str]) -> String {
    let output = Sandbox::new().bundler().args(arguments).assert().success().get_output().stdout.clone();
    String::from_utf8(output).unwrap()
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(stdout(&["--version"]), format!("bundler {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn help_names_the_exit_codes() {
    let help = stdout(&["--help"]);
    for code in ["1  the answer is no", "4  bytes did not match", "130 interrupted"] {
        assert!(help.contains(code), "{code}: {help}");
    }
}

#[test]
fn schemas_are_json_schema_with_the_fields_of_the_files() {
    for (file, field) in [("catalog", "profiles"), ("component", "declared_images"), ("lock", "unresolved")] {
        let schema: serde_json::Value = serde_json::from_str(&stdout(&["schema", file])).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{file}");
        assert!(schema["properties"][field].is_object(), "{file}: {field}");
        assert_eq!(schema["additionalProperties"], false, "{file}");
    }
}

#[test]
fn every_shell_has_completions_and_every_subcommand_a_page() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = stdout(&["completions", shell]);
        assert!(script.contains("completions"), "{shell}");
    }
    for command in ["resolve", "pack", "verify", "inspect", "diff", "images", "schema"] {
        let page = stdout(&["man", command]);
        assert!(page.contains(&format!(".TH bundler-{command} 1")), "{command}: {page}");
    }
}

#[test]
fn global_options_stand_before_or_after_the_subcommand() {
    let before = stdout(&["--color", "never", "-q", "schema", "lock"]);
    assert_eq!(before, stdout(&["schema", "lock", "-q", "--color", "never"]));
}

#[test]
fn a_wrong_command_line_ends_with_2_and_says_what_is_known() {
    let cases: [(&[&str], &str); 7] = [
        (&["pak"], "tip: "),
        (&["inpsect"], "a similar subcommand exists: 'inspect'"),
        (&["pack"], "--arch"),
        (&["pack", "--arch", "x86"], "use one of amd64"),
        (&["schema", "lok"], "catalog, component, lock"),
        (&["man", "pak"], "there is no subcommand `pak`"),
        // What would be removed depends on what is kept.
        (&["cache", "gc", "--dry-run"], "<--keep <LOCK>|--older-than <DAYS>>"),
    ];
    for (arguments, said) in cases {
        let assert = Sandbox::new().bundler().args(arguments).assert().code(2).stdout("");
        let stderr = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_failure_is_one_line_of_json_when_asked_for() {
    let assert = Sandbox::new().bundler().args(["--format", "json", "man", "pak"]).assert().code(2);
    let failure: serde_json::Value = serde_json::from_slice(&assert.get_output().stderr).unwrap();
    assert_eq!(failure["exit"], 2);
    assert_eq!(failure["error"], "there is no subcommand `pak`");
}

#[test]
fn a_wrong_command_line_is_json_too_when_asked_for() {
    let cases: [(&[&str], &str, &str); 5] = [
        (
            &["--format", "json", "verify"],
            "the following required arguments were not provided: <BUNDLE|DIR>...",
            "Usage: bundler verify <BUNDLE|DIR>...",
        ),
        (&["pak", "--format=json"], "unrecognized subcommand 'pak'", "a similar subcommand exists: 'pack'"),
        (
            &["--format=json", "resolve", "--as-of", "tomorrow"],
            "invalid value 'tomorrow' for '--as-of <YYYY-MM-DD>': expected a day, such as 2026-08-28",
            "",
        ),
        (
            &["serve", "--listen", ":5000", "x", "--format", "json"],
            "invalid value ':5000' for '--listen <ADDR:PORT>': expected the address of an interface and a port, such as \
             0.0.0.0:5000 or [::]:5000",
            "",
        ),
        (&["--format=json", "man", "cache", "gg"], "there is no subcommand `gg`", "did you mean `gc`?"),
    ];
    for (arguments, error, hint) in cases {
        let assert = Sandbox::new().bundler().args(arguments).assert().code(2).stdout("");
        let failure: serde_json::Value = serde_json::from_slice(&assert.get_output().stderr).unwrap();
        assert_eq!(failure["error"], error, "{arguments:?}");
        assert_eq!(failure["hint"].as_str().unwrap_or_default(), hint, "{arguments:?}");
        assert_eq!(failure["exit"], 2, "{arguments:?}");
    }
    // Who asks for it of a program below, or of nobody, reads text; so does who asks for help.
    for arguments in [&["verify", "--format"][..], &["man", "--", "--format", "json"], &["--format=json", "--help"]] {
        let output = Sandbox::new().bundler().args(arguments).output().unwrap();
        assert!(serde_json::from_slice::<serde_json::Value>(&output.stderr).is_err(), "{arguments:?}");
    }
}

#[test]
fn an_empty_variable_is_none() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.bundler();
    command.env("BUNDLER_CACHE_DIR", "").env("BUNDLER_CONFIG", "").env("XDG_CACHE_HOME", sandbox.path("caches"));
    let assert = command.args(["cache", "ls"]).assert().success();
    let stdout = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    assert!(stdout.starts_with(&format!("{}\n", sandbox.path("caches/bundler").display())), "{stdout}");
    // The option itself names something.
    sandbox.bundler().args(["cache", "ls", "--cache-dir", ""]).assert().code(2);
}

#[test]
fn a_resolve_that_learns_nothing_leaves_the_lock_as_it_is() {
    let sandbox = Sandbox::new();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let before = std::fs::read(root.join("bundle.lock.yaml")).unwrap();
    let lock = sandbox.write("bundle.lock.yaml", &before);
    let mut command = sandbox.bundler();
    command.args(["--offline", "resolve", "helm", "yq", "--catalog"]).arg(root.join("manifests"));
    let assert = command.assert().code(6);
    let stderr = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert_eq!(stderr.matches("hint:").count(), 1, "{stderr}");
    assert!(stderr.contains("helm was not resolved") && stderr.contains("yq was not resolved"), "{stderr}");
    assert_eq!(std::fs::read(lock).unwrap(), before);
}
