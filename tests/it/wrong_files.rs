//! Wrong catalogs, locks and names of files: exit code 2 before any network, and a message that names the place and what
//! to do.

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
error: `bundle.lock.yaml` has schema 2, which a newer bundler wrote; this one reads up to 1

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

#[test]
fn a_merge_conflict_is_called_one() {
    let sandbox = sandbox();
    let sides = "<<<<<<< HEAD\nprofiles: {site: [tool]}\n=======\nprofiles: {site: []}\n>>>>>>> other";
    replace(&sandbox, "bundle.lock.yaml", "profiles: {site: [tool]}", sides);
    let expected = "\
error: bundle.lock.yaml:3:1: a merge conflict begins here

hint: keep one side of it, and of a lock then run `bundler resolve`
";
    for arguments in [&["resolve"][..], &["pack", "--arch", "arm64"], &["inspect", "bundle.lock.yaml"]] {
        assert_eq!(run(&sandbox, arguments), (2, expected.to_owned()), "{arguments:?}");
    }
}

/// Runs a wrong command, which must write nothing and end with `code`; gives stderr.
fn refused(sandbox: &Sandbox, arguments: &[&str], code: i32) -> String {
    let files = |sandbox: &Sandbox| {
        let list = sandbox.command("find").args([".", "-type", "f", "-printf", "%p %s\n"]).output().unwrap();
        String::from_utf8(list.stdout).unwrap()
    };
    let before = files(sandbox);
    let (found, stderr) = run(sandbox, arguments);
    assert_eq!(found, code, "{arguments:?}: {stderr}");
    assert_eq!(files(sandbox), before, "{arguments:?}");
    stderr
}

#[test]
fn what_is_not_there_is_told_with_what_could_be() {
    let sandbox = sandbox();
    sandbox.write("empty", "");
    sandbox.write("dist/tools.tar.gz", "an archive in a directory");
    let bundle = "hint: name an archive, its first part, or the directory that it was unpacked into";
    let lock = "hint: `bundler resolve` writes a lock, `bundle.lock.yaml` unless `--lock FILE` says otherwise";
    let no_hint = "";
    for (arguments, code, message, hint) in [
        (
            &["resolve", "--catalog", "nowhere"][..],
            2,
            "cannot read `nowhere/catalog.yaml`",
            "`bundler init` begins one",
        ),
        (&["resolve", "tols"], 2, "the catalog has no component `tols`", "hint: did you mean `tool`?"),
        (&["resolve", "else"], 2, "the catalog has no component `else`", "hint: known here: tool"),
        (
            &["resolve", "--lock", "nowhere/l.yaml"],
            7,
            "cannot write `nowhere/l.yaml`",
            "hint: create the directory, or",
        ),
        (&["pack", "--arch", "arm64", "--lock", "nowhere"], 2, "cannot read `nowhere`", lock),
        (&["cache", "gc", "--keep", "nowhere"], 2, "cannot read `nowhere`", lock),
        // Nothing says that these should be locks.
        (&["inspect", "nowhere"], 2, "cannot read `nowhere`", no_hint),
        (&["diff", "nowhere", "bundle.lock.yaml"], 2, "cannot read `nowhere`", no_hint),
        (&["inspect", "empty"], 2, "empty:1:1: the file is empty", no_hint),
        (
            &["inspect", "dist"],
            2,
            "`dist` is no bundle: the directory holds no unpacked bundle; if the archive is",
            bundle,
        ),
        (
            &["serve", "dist"],
            2,
            "`dist` is no bundle: the directory holds no unpacked bundle; if the archive is",
            bundle,
        ),
        (&["serve", "bundle.lock.yaml"], 2, "`bundle.lock.yaml` is no bundle: it is not in gzip form", bundle),
        (&["unload", "nowhere"], 2, "`nowhere` is neither a bundle nor NAME@VERSION of one", no_hint),
        (&["man", "pak"], 2, "there is no subcommand `pak`", "hint: did you mean `pack`?"),
        (
            &["add", "chart", "grafana"],
            2,
            "`grafana` is no URL that begins with https://, http://, oci://",
            "`add chart URL NAME`",
        ),
        (&["add", "file", "https://me:secret@x y"], 2, "`x y` is no URL", "`add file github:OWNER/NAME FILE`"),
    ] {
        let stderr = refused(&sandbox, arguments, code);
        assert!(stderr.starts_with(&format!("error: {message}")), "{arguments:?}: {stderr}");
        assert_eq!(stderr.contains("hint: "), !hint.is_empty(), "{arguments:?}: {stderr}");
        assert!(stderr.contains(hint), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("secret"), "{stderr}");
    }
    // An input without anything is another thing than one with nothing that a catalog can name.
    std::fs::rename(sandbox.path("manifests"), sandbox.path("elsewhere")).unwrap();
    let stderr = refused(&sandbox, &["init", "--images", "empty"], 2);
    assert!(stderr.contains("the inputs name nothing"), "{stderr}");
    sandbox.write("moving", "docker.io/library/nginx:latest\n");
    let stderr = refused(&sandbox, &["init", "--images", "moving"], 2);
    assert!(stderr.starts_with("warning: ") && stderr.contains("the warnings above say"), "{stderr}");
}
