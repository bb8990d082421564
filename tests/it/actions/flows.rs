//! `resolve.yml`, the action as a stranger uses it, and the linters.

use std::fs;

use super::runner::Event;
use super::{commit, root, small_fork};
use crate::support;
use crate::upstream::Upstream;

#[test]
fn a_weekly_resolve_keeps_one_pull_request() {
    let upstream = Upstream::start();
    let Some(mut github) = small_fork(&upstream) else { return };
    super::resolve(&github, &["--as-of", "2026-03-01", "yq"]);
    commit(&github, "An older yq");

    let run = github.run("resolve.yml", &Event::on_main("schedule"));
    assert_eq!(run.legs["check"], "skipped");
    assert_eq!(run.legs["resolve"], "success", "{}", run.log);
    let request = || -> serde_json::Value {
        serde_json::from_str(&fs::read_to_string(github.sandbox.path("state/pr.json")).unwrap()).unwrap()
    };
    let first = request();
    assert_eq!(first["labels"][0]["name"], "minor", "{first}");
    assert!(first["body"].as_str().unwrap().contains("| `yq` | "), "{first}");
    assert!(run.summary.contains("| `yq` | "), "{}", run.summary);
    let branch = github.git(&["log", "-1", "--format=%s", "resolve"]);
    assert_eq!(branch, "Update the lock (minor)");
    let run = github.run("resolve.yml", &Event::on_main("schedule"));
    assert_eq!(run.legs["resolve"], "success", "{}", run.log);
    assert_eq!(request()["edits"], 1);

    // What could be resolved is proposed also when something could not, and the run still fails.
    let broken = github.repository().join("manifests/components/runc/component.yaml");
    let text = fs::read_to_string(&broken).unwrap();
    fs::write(&broken, text.replace("github: opencontainers/runc", "github: opencontainers/nowhere")).unwrap();
    commit(&github, "Break a component");
    let run = github.run("resolve.yml", &Event::on_main("workflow_dispatch"));
    assert_eq!(run.legs["resolve"], "failure", "{}", run.log);
    assert_eq!(request()["edits"], 2);
    assert!(
        run.summary.contains("Not everything could be resolved") && run.summary.contains("runc"),
        "{}",
        run.summary
    );

    github.rights = "read";
    let run = github.run("resolve.yml", &Event::on_main("schedule"));
    assert!(run.legs["resolve"] == "failure", "{}", run.log);
    assert_eq!(request()["edits"], 2, "nothing was half done");
}

#[test]
fn a_forks_pull_request_is_checked_without_secrets() {
    let upstream = Upstream::start();
    let Some(github) = small_fork(&upstream) else { return };
    let event = Event::on_main("pull_request");
    // No secret, and a token that may write nothing.
    let lock = github.repository().join("bundle.lock.yaml");
    let text = fs::read_to_string(&lock).unwrap();
    let run = github.run("resolve.yml", &event);
    assert_eq!(run.legs["resolve"], "skipped");
    assert_eq!(run.legs["check"], "success", "{}", run.log);
    assert!(run.summary.contains("The lock fits the catalog."), "{}", run.summary);

    fs::write(&lock, text.replace("version: \"4.53", "version: \"4.52")).unwrap();
    commit(&github, "Edit the lock by hand");
    let run = github.run("resolve.yml", &event);
    assert_eq!(run.legs["check"], "failure", "{}", run.log);
    assert!(run.summary.contains("## The lock is stale") && run.summary.contains("yq"), "{}", run.summary);

    fs::write(&lock, "schema: 1\n").unwrap();
    commit(&github, "Break the lock");
    let run = github.run("resolve.yml", &event);
    assert_eq!(run.legs["check"], "failure", "{}", run.log);
    assert!(run.summary.contains("## The catalog could not be checked"), "{}", run.summary);
}

#[test]
fn actionlint_finds_nothing() {
    let Some(actionlint) = support::tool("actionlint") else { return };
    let mut command = std::process::Command::new(actionlint);
    support::output_of(command.current_dir(root()));
}

#[test]
fn zizmor_finds_nothing() {
    let Some(zizmor) = support::tool("zizmor") else { return };
    let mut command = std::process::Command::new(zizmor);
    support::output_of(command.current_dir(root()).args(["--offline", "--min-severity", "low", ".github"]));
}
