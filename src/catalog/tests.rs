//! Wrong catalogs: each mistake is told with its file, line and column.

use std::fs;
use std::path::Path;

use super::{Error, read, warnings};
use crate::error::Diagnostic as _;
use crate::exit::Exit;

mod places;

const CATALOG: &str = "\
schema: 1
name: observability
version: 1.4.0
platform: {kubernetes: \"1.36\", kubeedge: \"1.23\", architectures: [amd64, arm64]}
profiles:
  site: [helm]
";

const HELM: &str = "\
name: helm
source: {github: helm/helm, tag: \"v{version}\", kind: releases}
version: \">=4, <5\"
files:
  - name: helm
    url: \"https://get.helm.sh/helm-v{version}-linux-{arch}.tar.gz\"
    checksum: {url: \"https://get.helm.sh/helm-v{version}-linux-{arch}.tar.gz.sha256sum\"}
    extract: \"linux-{arch}/helm\"
";

const LOKI: &str = "\
name: loki
chart:
  repository: https://grafana-community.github.io/helm-charts
  name: loki
  version: \">=18, <19\"
  release: {name: loki, namespace: monitoring}
";

const CLOUDCORE: &str = "\
name: cloudcore
source: {github: kubeedge/kubeedge, tag: \"v{version}\", kind: releases}
version: \"{kubeedge}.*\"
images: [\"docker.io/kubeedge/cloudcore:v{version}\"]
";

/// A catalog of the given files in a directory of its own.
fn write(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("components")).unwrap();
    for (path, bytes) in files {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    directory
}

/// The failure of a catalog, its directory cut from the message, with the hint in parentheses.
fn failure(directory: &Path) -> String {
    let error = read(directory).expect_err("a wrong catalog");
    assert_eq!(error.exit(), Exit::Usage);
    let mut text = error.to_string().replace(&format!("{}/", directory.display()), "");
    if let Error::Read { source, .. } = &error {
        text += &format!(": {source}");
    }
    match error.hint() {
        Some(hint) => format!("{text} ({hint})"),
        None => text,
    }
}

fn failure_of(files: &[(&str, &[u8])]) -> String {
    failure(write(files).path())
}

/// The failure when `component` has `from` replaced by `to`.
fn changed(component: &str, from: &str, to: &str) -> String {
    assert!(component.contains(from), "`{from}` is not in the component");
    let name = component.lines().next().and_then(|line| line.strip_prefix("name: ")).unwrap();
    let path = format!("components/{name}/component.yaml");
    let mut files = vec![("catalog.yaml", CATALOG.as_bytes()), ("components/helm/component.yaml", HELM.as_bytes())];
    let text = component.replacen(from, to, 1);
    files.push((&path, text.as_bytes()));
    failure_of(&files)
}

fn changed_catalog(from: &str, to: &str) -> String {
    assert!(CATALOG.contains(from), "`{from}` is not in the catalog");
    let text = CATALOG.replacen(from, to, 1);
    failure_of(&[("catalog.yaml", text.as_bytes()), ("components/helm/component.yaml", HELM.as_bytes())])
}

#[test]
fn takes_what_is_right() {
    let directory = write(&[
        ("catalog.yaml", CATALOG.as_bytes()),
        ("components/helm/component.yaml", HELM.as_bytes()),
        ("components/loki/component.yaml", LOKI.as_bytes()),
        ("components/cloudcore/component.yaml", CLOUDCORE.as_bytes()),
        ("components/README.md", b"not a component"),
        ("components/.git/x", b"hidden"),
    ]);
    let catalog = read(directory.path()).unwrap();
    assert_eq!(catalog.components.keys().collect::<Vec<_>>(), ["cloudcore", "helm", "loki"]);
    assert_eq!(warnings(&catalog).len(), 2);
    assert_eq!(warnings(&catalog)[1], "component `loki` is in no profile, so no bundle carries it");
}

#[test]
fn a_signer_is_named_as_a_whole() {
    let signed = |verify: &str| changed(HELM, "source:", &format!("verify: {verify}\nsource:"));
    for (verify, expected) in [
        ("{}", "it names no signer (add `cosign` or `provenance`)"),
        ("{provenance: {keyring: ring.asc}}", "`ring.asc` does not exist beside `component.yaml`"),
        (
            "{cosign: [{key: component.yaml}, {key: component.yaml}]}",
            "which images each of several signers signs is not said (add `images` to each)",
        ),
        ("{cosign: {}}", "a signer is either an identity or a key (name `identity` and `issuer`, or a `key`)"),
        (
            "{cosign: {identity: a@example.org}}",
            "an identity counts only with its issuer, and an issuer only with an identity (name both)",
        ),
        (
            "{cosign: {identity: \"{arch}\", issuer: https://x.test}}",
            "`{arch}` in `{arch}` means nothing here (known here: `{version}`, `{tag}`, `{app_version}`)",
        ),
        ("{cosign: {identity: a, issuer: x}}", "`x` is not a URL"),
        ("{cosign: {key: cosign.pub}}", "`cosign.pub` does not exist beside `component.yaml`"),
        (
            "{cosign: {identity: a, issuer: https://x.test, transparency_log: false}}",
            "only signatures made with a key can do without the transparency log",
        ),
        ("{cosign: {identity: a, issuer: https://x.test, images: [\"a/b:1\"]}}", "`a/b:1` is no repository of images"),
    ] {
        let failure = signed(verify);
        let place = failure.split_once("component.yaml:").unwrap().1;
        assert!(place.starts_with("2:") && place.contains(expected), "{verify}: {failure}");
    }
}

#[test]
fn refuses_files_that_share_a_name() {
    let other = HELM.replace("name: helm\ns", "name: other\ns");
    let failure = failure_of(&[
        ("catalog.yaml", CATALOG.as_bytes()),
        ("components/helm/component.yaml", HELM.as_bytes()),
        ("components/other/component.yaml", other.as_bytes()),
    ]);
    assert!(
        failure.starts_with("components/other/component.yaml:5:11: component `helm` has a file `helm` too"),
        "{failure}"
    );
}

#[test]
fn refuses_links_that_lead_outside() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    let loki = LOKI.replace("chart:", "resources: [resources/]\nchart:\n  values: values.yaml");
    let directory = write(&[
        ("catalog.yaml", CATALOG.as_bytes()),
        ("components/helm/component.yaml", HELM.as_bytes()),
        ("components/loki/component.yaml", loki.as_bytes()),
        ("components/loki/resources/a.yaml", b"a: 1"),
        ("components/loki/resources/deep/b.yaml", b"b: 1"),
        ("components/loki/resources/.hidden", b"left by an editor"),
    ]);
    let own = directory.path().join("components/loki");
    std::os::unix::fs::symlink(secret.path(), own.join("values.yaml")).unwrap();
    let failed = failure(directory.path());
    assert!(failed.contains(":4:11: `values.yaml` leads outside the component's directory"), "{failed}");

    fs::remove_file(own.join("values.yaml")).unwrap();
    std::os::unix::fs::symlink("resources/a.yaml", own.join("values.yaml")).unwrap();
    let catalog = read(directory.path()).unwrap();
    let paths: Vec<_> = catalog.inputs["loki"].keys().collect();
    assert_eq!(paths, ["component.yaml", "resources/a.yaml", "resources/deep/b.yaml", "values.yaml"]);

    std::os::unix::fs::symlink("/etc", own.join("resources/etc")).unwrap();
    assert!(failure(directory.path()).contains("leads outside"));
    fs::remove_file(own.join("resources/etc")).unwrap();
    std::os::unix::fs::symlink("..", own.join("resources/loop")).unwrap();
    assert!(failure(directory.path()).contains("directories deep"));
}

#[test]
fn bounds_what_a_component_brings() {
    let loki = LOKI.replace("chart:", "resources: [resources]\nchart:");
    let names: Vec<_> = (0..1001).map(|i| format!("components/loki/resources/{i}.yaml")).collect();
    let mut files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"a: 1"[..])).collect();
    files.extend([
        ("catalog.yaml", CATALOG.as_bytes()),
        ("components/helm/component.yaml", HELM.as_bytes()),
        ("components/loki/component.yaml", loki.as_bytes()),
    ]);
    let failure = failure_of(&files);
    let over = ":2:13: `resources` brings the component over 1000 files or 64 MiB";
    assert!(failure.contains(over), "{failure}");
    // Nine files of the largest size.
    files.retain(|(name, _)| !name.contains("resources/") || name.ends_with("/1.yaml"));
    let directory = write(&files);
    let resources = directory.path().join("components/loki/resources");
    for name in 1..=9 {
        let file = fs::File::create(resources.join(format!("{name}.yaml"))).unwrap();
        file.set_len(crate::yaml::MAX_YAML as u64).unwrap();
    }
    let failed = self::failure(directory.path());
    assert!(failed.contains(over), "{failed}");

    // A name that is a path on some systems.
    fs::remove_dir_all(&resources).unwrap();
    fs::create_dir(&resources).unwrap();
    fs::write(resources.join("C:a.yaml"), "a: 1").unwrap();
    let failed = self::failure(directory.path());
    assert!(failed.contains("`resources` holds \"C:a.yaml\", a name that no bundle can carry"), "{failed}");
}

#[test]
fn refuses_hostile_files() {
    let bomb = format!(
        "a: &a [x]\n{}",
        ('b'..='z').fold(String::new(), |text, c| {
            let before = char::from(c as u8 - 1);
            text + &format!("{c}: &{c} [{}]\n", vec![format!("*{before}"); 9].join(", "))
        })
    );
    let huge = vec![b'#'; 100 << 20];
    let nested = "[".repeat(100_000);
    let cases: [(&[u8], &str); 6] = [
        (bomb.as_bytes(), "catalog.yaml:"),
        (&huge, "catalog.yaml: the file is larger than 8 MiB"),
        (nested.as_bytes(), "catalog.yaml:"),
        (b"schema: 1\nname: \xff\n", "catalog.yaml:2:7: the file is not UTF-8 text"),
        (b"", "catalog.yaml:1:1: the file is empty"),
        (b"schema: 1\n---\nschema: 1\n", "catalog.yaml:3:1: a second document begins here"),
    ];
    for (bytes, expected) in cases {
        let failure = failure_of(&[("catalog.yaml", bytes), ("components/helm/component.yaml", HELM.as_bytes())]);
        assert!(failure.starts_with(expected), "{failure}");
        assert!(failure.len() < 400, "{failure}");
    }
}

#[test]
fn says_what_cannot_be_read() {
    let failed = failure(&write(&[]).path().join("none"));
    assert!(failed.starts_with("cannot read `"), "{failed}");
    assert!(failed.contains("`--catalog DIR` names the directory"), "{failed}");
    let directory = write(&[("catalog.yaml", CATALOG.as_bytes()), ("components/helm/values.yaml", b"")]);
    let failed = failure(directory.path());
    assert!(failed.starts_with("cannot read `components/helm/component.yaml`"), "{failed}");
    assert!(failed.contains("holds a `component.yaml`"), "{failed}");
    let directory = write(&[("catalog.yaml/x", b"")]);
    assert!(failure(directory.path()).contains("not a regular file"));
}
