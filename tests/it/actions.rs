//! The workflows and the action, without GitHub: every step of them runs as a hosted runner would run it, on the
//! project's own catalog, with the embedded upstream in place of the internet.

mod expression;
mod flows;
mod release;
mod runner;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::{self, Sandbox};
use crate::upstream::Upstream;
use runner::GitHub;

/// The day as of which everything here is chosen; the histories end a week before it.
const AS_OF: &str = "2026-08-28";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// A fork of the project with its own catalog, resolved, as it is on its branch `main`.
fn fork(upstream: &Upstream) -> Option<GitHub> {
    let github = repository(upstream)?;
    resolve(&github, &["--as-of", AS_OF]);
    commit(&github, "Begin");
    Some(github)
}

/// A fork with a catalog of two small components, resolved today: nothing in it ends or gets too old.
fn small_fork(upstream: &Upstream) -> Option<GitHub> {
    let github = repository(upstream)?;
    let manifests = github.repository().join("manifests");
    let catalog = "schema: 1\nname: observability\nversion: 0.1.0\n\
        platform: {kubernetes: \"1.36\", architectures: [amd64, arm64]}\n\
        profiles: {cloud: [runc, yq], edge: [runc, yq], site: [yq]}\n";
    fs::write(manifests.join("catalog.yaml"), catalog).unwrap();
    for component in fs::read_dir(manifests.join("components")).unwrap().map(|entry| entry.unwrap()) {
        if component.file_name() != "runc" && component.file_name() != "yq" {
            fs::remove_dir_all(component.path()).unwrap();
        }
    }
    resolve(&github, &[]);
    commit(&github, "Begin");
    Some(github)
}

fn repository(upstream: &Upstream) -> Option<GitHub> {
    let helm = support::helm()?;
    for program in ["git", "jq", "ssh-keygen"] {
        support::program(program)?;
    }
    let sandbox = Sandbox::new();
    sandbox.config(&upstream.config());
    let programs = sandbox.path("programs");
    runner::copy(&root().join("tests/it/actions/bin"), &programs);
    // What the embedded upstream has does not run, or runs these.
    for (program, path) in [("helm", helm), ("yq", support::tool("yq")?)] {
        std::os::unix::fs::symlink(path, programs.join(program)).unwrap();
    }
    let github = GitHub::new(sandbox, programs);
    let repository = github.repository();
    for directory in [".github", "manifests"] {
        runner::copy(&root().join(directory), &repository.join(directory));
    }
    // What the workflows' scripts take from the rest of the repository.
    fs::create_dir(repository.join("tests")).unwrap();
    for file in ["Cargo.toml", "LICENSE", "tests/helm.sh"] {
        fs::copy(root().join(file), repository.join(file)).unwrap();
    }
    let _ = fs::remove_file(repository.join("bundle.lock.yaml"));
    github.git(&["init", "--quiet", "--initial-branch=main"]);
    // A token that may only read cannot push either.
    let hook = "#!/bin/sh\n[ \"$GH_TOKEN\" = token-write ] || { echo 'Permission denied to github-actions[bot]' >&2; exit 1; }\n";
    let path = repository.join(".git/hooks/pre-receive");
    fs::write(&path, hook).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    Some(github)
}

fn resolve(github: &GitHub, more: &[&str]) {
    let mut bundler = github.sandbox.bundler();
    bundler.current_dir(github.repository()).arg("resolve").args(more).arg("--helm");
    bundler.arg(github.sandbox.path("programs/helm")).assert().success();
}

fn commit(github: &GitHub, message: &str) {
    github.git(&["add", "--all"]);
    github.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
}

fn tag(github: &GitHub, version: &str) -> String {
    let manifest = github.repository().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let own = text.lines().find(|line| line.starts_with("version = ")).unwrap().to_owned();
    fs::write(&manifest, text.replacen(&own, &format!("version = \"{version}\""), 1)).unwrap();
    commit(github, version);
    let tag = format!("v{version}");
    github.git(&["tag", &tag]);
    tag
}
