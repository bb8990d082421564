//! Wrong catalogs and locks: exit code 2 before any network, and a message that names file, line and column.

use crate::support::Sandbox;

/// A catalog of one component with the lock that fits it; the network is never needed to read them.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.config("mirror_only: true\n");
    sandbox.write(
        "manifests/catalog.yaml",
        "schema: 1\nname: tools\nversion: 0.1.0\nplatform: {kubernetes: \"1.36\", architectures: [arm64]}\n\
         profiles:\n  site: [tool]\n",
    );
    sandbox.write(
        "manifests/components/tool/component.yaml",
        "name: tool\nsource: {github: example/tool, tag: \"v{version}\"}\nimages: [\"ghcr.io/example/tool:{version}\"]\n",
    );
    sandbox.write(
        "bundle.lock.yaml",
        "schema: 1\nbundle: {name: tools, version: 0.1.0, kubernetes: \"1.36\", architectures: [arm64]}\n\
         profiles: {site: [tool]}\ncomponents: {}\nunresolved:\n\
         - {component: tool, artifact: \"ghcr.io/example/tool:1\", reason: no digest known}\n",
    );
    sandbox
}

fn replace(sandbox: &Sandbox, file: &str, from: &str, to: &str) {
    let text = std::fs::read_to_string(sandbox.path(file)).unwrap();
    assert!(text.contains(from), "{file}: {text}");
    sandbox.write(file, text.replacen(from, to, 1));
}

/// Runs `bundler ARGUMENTS`; gives its exit code and stderr.
fn run(sandbox: &Sandbox, arguments: &[&str]) -> (i32, String) {
    let output = sandbox.bundler().args(arguments).output().unwrap();
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn all_mistakes_of_a_catalog_are_told_at_once() {
    let sandbox = sandbox();
    replace(&sandbox, "manifests/catalog.yaml", "site: [tool]", "site: [tol]");
    replace(&sandbox, "manifests/components/tool/component.yaml", "images:", "version: \">2, <1\"\nimages:");
    let expected = "\
error: 2 mistakes
  manifests/catalog.yaml:6:10: profile `site` names component `tol`, which does not exist (did you mean `tool`?)
  manifests/components/tool/component.yaml:3:10: no version can meet `>2, <1`
";
    for arguments in [&["resolve"][..], &["resolve", "--check"], &["pack", "--arch", "arm64"]] {
        assert_eq!(run(&sandbox, arguments), (2, expected.to_owned()), "{arguments:?}");
    }
}

#[test]
fn an_unknown_field_comes_with_the_nearest_known_one() {
    let sandbox = sandbox();
    replace(&sandbox, "manifests/components/tool/component.yaml", "images:", "imagse:");
    let expected = "\
error: manifests/components/tool/component.yaml:3:1: unknown field `imagse`

hint: did you mean `images`?
";
    assert_eq!(run(&sandbox, &["resolve"]), (2, expected.to_owned()));
}

#[test]
fn a_newer_lock_is_called_newer() {
    let sandbox = sandbox();
    replace(&sandbox, "bundle.lock.yaml", "schema: 1", "schema: 2\nnew: field");
    let expected = "\
error: `bundle.lock.yaml` has schema 2, this program reads up to 1

hint: use the version of bundler that wrote it, or a newer one
";
    for arguments in [&["resolve"][..], &["pack", "--arch", "arm64"]] {
        assert_eq!(run(&sandbox, arguments), (2, expected.to_owned()), "{arguments:?}");
    }
}

#[test]
fn a_hand_edit_of_a_lock_is_caught_and_the_file_left_alone() {
    let sandbox = sandbox();
    replace(&sandbox, "bundle.lock.yaml", "site: [tool]", "site: [tool, other]");
    let before = std::fs::read(sandbox.path("bundle.lock.yaml")).unwrap();
    let (code, stderr) = run(&sandbox, &["pack", "--arch", "arm64"]);
    assert_eq!(code, 2, "{stderr}");
    let expected = "error: bundle.lock.yaml:3:25: profile `site` names component `other`, which is not in the lock\n";
    assert!(stderr.starts_with(expected), "{stderr}");
    assert_eq!(std::fs::read(sandbox.path("bundle.lock.yaml")).unwrap(), before);
    assert_eq!(std::fs::read_dir(sandbox.work()).unwrap().count(), 2, "nothing was written");
}
