//! `release.yml` from a tag to a published release, and everything that must keep it from publishing.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::runner::{Event, GitHub, Run};
use super::{commit, fork, small_fork, tag};
use crate::support;
use crate::upstream::Upstream;

fn assets(github: &GitHub, tag: &str) -> PathBuf {
    github.sandbox.path("releases").join(tag).join("assets")
}

fn names(github: &GitHub, tag: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(assets(github, tag)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn published(github: &GitHub) -> Vec<String> {
    let releases = fs::read_dir(github.sandbox.path("releases")).unwrap().map(|entry| entry.unwrap());
    let out = releases.filter(|release| fs::read_to_string(release.path().join("draft")).unwrap() == "false\n");
    out.map(|release| release.file_name().into_string().unwrap()).collect()
}

/// A key in the file of `ssh-keygen`, as the secret of the environment holds it.
fn key(github: &GitHub) -> String {
    let path = github.sandbox.path("key");
    let mut keygen = github.sandbox.command("ssh-keygen");
    support::output_of(keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "release", "-f"]).arg(&path));
    fs::read_to_string(path).unwrap()
}

#[track_caller]
fn refused(run: &Run, leg: &str, said: &str) {
    assert_eq!(run.legs.get(leg), Some(&"failure"), "{:?}\n{}", run.legs, run.log);
    assert!(run.log.contains(said), "{said} is not in\n{}", run.log);
}

#[test]
fn a_tag_becomes_a_release_and_the_next_one_comes_from_the_cache() {
    let upstream = Upstream::start();
    let Some(mut github) = fork(&upstream) else { return };
    let key = key(&github);
    github.secrets.insert("BUNDLE_SIGN_KEY".to_owned(), key.clone());

    let first = tag(&github, "0.1.0");
    let run = github.run("release.yml", &Event::tag(&first));
    assert!(run.green(), "{:?}\n{}", run.legs, run.log);
    assert_eq!(published(&github), [&*first]);
    let mut expected = BTreeSet::from(["SHA256SUMS".to_owned()]);
    for platform in ["linux-amd64", "linux-arm64", "macos-arm64"] {
        expected.extend(["", ".sha256"].map(|end| format!("bundler-0.1.0-{platform}{end}")));
    }
    for leg in ["amd64", "arm64"].iter().flat_map(|arch| ["cloud", "edge", "site"].map(|p| format!("{p}-linux-{arch}")))
    {
        let ends = [".tar.gz", ".tar.gz.sha256", ".tar.gz.sha256.sig", ".html", ".cdx.json"];
        expected.extend(ends.map(|end| format!("observability-0.1.0-{leg}{end}")));
    }
    assert_eq!(names(&github, &first), expected);
    // The legs of the profiles found everything in the entry of their architecture.
    for (leg, steps) in run.outputs.iter().filter(|(leg, _)| leg.starts_with("bundle")) {
        assert_eq!(steps["bundle"]["outputs"]["fetched"], "0", "{leg}");
    }
    assert!(
        !key.lines().any(|line| run.log.replace(&format!("::add-mask::{line}"), "").contains(line)),
        "the key is not said"
    );
    assert!(run.summary.contains("## observability 0.1.0, bundle for linux/arm64"), "{}", run.summary);
    assert!(run.summary.contains("| `loki` | `18.11.0` |"), "{}", run.summary);
    let attested = fs::read_to_string(github.sandbox.path("state/attested")).unwrap();
    let unattested = expected.iter().filter(|name| *name != "SHA256SUMS" && !attested.contains(&format!("  {name}\n")));
    assert_eq!(unattested.collect::<Vec<_>>(), Vec::<&String>::new());
    // The program of its own arch is in each bundle.
    let bundle = assets(&github, &first).join("observability-0.1.0-edge-linux-arm64.tar.gz");
    let members = support::output_of(github.sandbox.command("tar").arg("tzf").arg(&bundle));
    assert!(members.lines().any(|member| member == "files/bundler"), "{members}");

    // The second release: one component's own file changed, nothing of it is at an upstream.
    let component = github.repository().join("manifests/components/yq/component.yaml");
    let text = fs::read_to_string(&component).unwrap();
    fs::write(&component, format!("# Read again.\n{text}")).unwrap();
    super::resolve(&github, &["--as-of", super::AS_OF]);
    commit(&github, "Change a comment");
    let second = tag(&github, "0.2.0");
    let run = github.run("release.yml", &Event::tag(&second));
    assert!(run.green(), "{:?}\n{}", run.legs, run.log);
    assert_eq!(published(&github).len(), 2);
    for (leg, steps) in run.outputs.iter().filter(|(leg, _)| leg.starts_with("bundle")) {
        assert_eq!(steps["bundle"]["outputs"]["fetched"], "0", "{leg}");
    }
    let assets = names(&github, &second);
    assert!(assets.contains("observability-0.2.0-edge-delta-linux-arm64.tar.gz"), "{assets:?}");
    assert!(run.summary.contains("% of the whole."), "{}", run.summary);
    let notes = fs::read_to_string(github.sandbox.path("releases/v0.2.0/notes")).unwrap();
    assert!(notes.starts_with("## Since v0.1.0\n") && notes.contains("`yq`"), "{notes}");

    // A release that is out never changes.
    let run = github.run("release.yml", &Event::tag(&second));
    refused(&run, "draft", "v0.2.0 is published already");
    assert_eq!(names(&github, &second), assets);
}

#[test]
fn bundles_in_parts_become_a_release_with_deltas() {
    let upstream = Upstream::start();
    let Some(github) = small_fork(&upstream) else { return };
    let workflow = github.repository().join(".github/workflows/release.yml");
    let text = fs::read_to_string(&workflow).unwrap();
    assert!(text.contains("split-size: 2000MB"));
    fs::write(workflow, text.replace("split-size: 2000MB", "split-size: 1MB")).unwrap();
    for version in ["0.1.0", "0.2.0"] {
        let release = tag(&github, version);
        let run = github.run("release.yml", &Event::tag(&release));
        assert!(run.green(), "{:?}\n{}", run.legs, run.log);
    }
    let names = names(&github, "v0.2.0");
    for part in ["cloud-linux-arm64.tar.gz.part-001", "cloud-delta-linux-arm64.tar.gz"] {
        assert!(names.contains(&format!("observability-0.2.0-{part}")), "{names:?}");
    }
}

#[test]
fn what_fails_publishes_nothing() {
    let upstream = Upstream::start();
    let Some(mut github) = small_fork(&upstream) else { return };

    for wrong in ["nightly", "v1.2", "v01.2.3", "v1.2.3+build", "v1.2.3;id"] {
        let run = github.run("release.yml", &Event::tag(wrong));
        refused(&run, "version", &format!("'{wrong}' is no version"));
        assert!(run.legs.iter().all(|(leg, status)| leg == "version" || *status == "skipped"), "{:?}", run.legs);
    }
    let by_hand = Event { inputs: json!({"version": "9.9.9"}), ..Event::on_main("workflow_dispatch") };
    refused(&github.run("release.yml", &by_hand), "program (linux-amd64, ubuntu-24.04)", "Cargo.toml says");

    let release = tag(&github, "0.1.0");
    github.secrets.insert("BUNDLE_SIGN_KEY".to_owned(), "no key at all".to_owned());
    let run = github.run("release.yml", &Event::tag(&release));
    refused(&run, "bundle (amd64, cloud)", "sign-key is no SSH private key without a passphrase");
    assert_eq!(run.legs["draft"], "skipped");
    github.secrets.clear();

    // The lock of another catalog.
    let catalog = github.repository().join("manifests/components/yq/component.yaml");
    let text = fs::read_to_string(&catalog).unwrap();
    fs::write(&catalog, format!("{text}# Changed.\n")).unwrap();
    let stale = tag(&github, "0.1.1");
    let run = github.run("release.yml", &Event::tag(&stale));
    refused(&run, "store (amd64)", "bundler pack ended with 1: the lock is stale");
    assert_eq!(run.legs["bundle (arm64, edge)"], "skipped");
    github.git(&["reset", "--quiet", "--hard", &release]);

    // One architecture's source is gone after the caches were saved, and a cache is damaged.
    let run = github.run("release.yml", &Event::tag(&release));
    assert!(run.green(), "{:?}\n{}", run.legs, run.log);
    fs::remove_dir_all(github.sandbox.path("releases").join(&release)).unwrap();
    let entry = fs::read_dir(github.sandbox.path("caches")).unwrap().map(|entry| entry.unwrap().path());
    let entry = entry.into_iter().find(|path| path.to_string_lossy().contains("bundler-store-arm64-")).unwrap();
    damage(&entry);
    let run = github.run("release.yml", &Event::tag(&release));
    assert!(run.green(), "{:?}\n{}", run.legs, run.log);
    fs::remove_dir_all(github.sandbox.path("releases").join(&release)).unwrap();
    drop(upstream);
    let run = github.run("release.yml", &Event::tag(&release));
    assert_eq!(run.legs["store (amd64)"], "success", "everything was in the cache\n{}", run.log);
    refused(&run, "store (arm64)", "bundler pack ended with 3");
    assert_eq!(published(&github), Vec::<String>::new());

    // A token that may only read.
    let upstream = Upstream::start();
    github.sandbox.config(&upstream.config());
    github.rights = "read";
    refused(&github.run("release.yml", &Event::tag(&release)), "draft", "the token needs contents: write");
    assert_eq!(published(&github), Vec::<String>::new());
}

/// Changes a byte of the largest blob of a store.
fn damage(store: &std::path::Path) {
    let mut largest = (0, PathBuf::new());
    let mut directories = vec![store.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap()) {
            let about = entry.metadata().unwrap();
            if about.is_dir() {
                directories.push(entry.path());
            } else if about.len() > largest.0 {
                largest = (about.len(), entry.path());
            }
        }
    }
    let mut bytes = fs::read(&largest.1).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let mut permissions = fs::metadata(&largest.1).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
    fs::set_permissions(&largest.1, permissions).unwrap();
    fs::write(&largest.1, bytes).unwrap();
}
