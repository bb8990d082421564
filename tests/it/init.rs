//! `bundler init`: starter catalogs from inputs in their formats' real shapes, and from hostile ones.

use std::fmt::Write as _;
use std::path::Path;

use bundler::catalog::{self, Catalog};

use crate::support::Sandbox;
use crate::upstream::Upstream;

const LIST: &str = "\u{feff}# what we run\r\n\
docker.io/library/eclipse-mosquitto:2.0.18-alpine\r\n\
quay.io/prometheus/alertmanager:v0.28.0 # alerts\n\
quay.io/prometheus/alertmanager:v0.31.0\n\
rancher/klipper-helm:v0.9.8-build20250709\n\
\n\
nginx\n\
redis:latest\n\
busybox@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\
ghcr.io/a/agent:v1.2.3\nghcr.io/b/agent:v1.2.3\n";

const HAULER: &str = r#"
apiVersion: content.hauler.cattle.io/v1
kind: Images
metadata:
  name: images
  annotations: {hauler.dev/platform: linux/amd64}
spec:
  images:
    - name: ghcr.io/hauler-dev/library/busybox:1.36.1
      platform: linux/amd64
---
apiVersion: content.hauler.cattle.io/v1alpha1
kind: Charts
metadata: {name: charts}
spec:
  charts:
    - {name: rancher, repoURL: "https://releases.rancher.com/server-charts/stable", version: 2.8.5}
    - {name: hauler-helm, repoURL: oci://ghcr.io/hauler-dev}
    - {name: secret, repoURL: "https://me:hunter2@charts.example.com", version: 1.0.0}
---
apiVersion: content.hauler.cattle.io/v1
kind: Files
metadata: {name: files}
spec:
  files:
    - {path: "https://github.com/mikefarah/yq/releases/download/v4.44.1/yq_linux_amd64"}
    - {path: "https://github.com/mikefarah/yq/releases/download/v4.44.1/yq_linux_arm64"}
    - {path: "https://me:hunter2@get.example.com/install.sh", name: install.sh}
---
apiVersion: collection.hauler.cattle.io/v1alpha1
kind: K3s
metadata: {name: k3s}
spec: {version: v1.30.0+k3s1}
"#;

const HELMFILE: &str = r#"[
{"name":"loki","namespace":"logs","enabled":true,"installed":true,"labels":"tier:logs","chart":"grafana/loki","version":"6.6.2"},
{"name":"off","namespace":"","enabled":false,"installed":true,"labels":"","chart":"grafana/off","version":""},
{"name":"own","namespace":"x","enabled":true,"installed":true,"labels":"","chart":"./charts/own","version":""},
{"name":"podinfo","namespace":"","enabled":true,"installed":true,"labels":"","chart":"stefan/podinfo","version":"~6.5"},
{"name":"x","namespace":"","enabled":true,"installed":true,"labels":"","chart":"nobody/x","version":"1.0.0"}]"#;

const PODS: &str = r#"{"apiVersion":"v1","kind":"List","metadata":{"resourceVersion":""},"items":[
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"kube-system"},"spec":{
 "initContainers":[{"name":"i","image":"busybox:1.36"}],
 "containers":[{"name":"c","image":"registry.k8s.io/coredns/coredns:v1.11.1","env":[{"name":"A","value":"b"}]}],
 "ephemeralContainers":[{"name":"e","image":"nicolaka/netshoot:v0.13"}]},
 "status":{"containerStatuses":[{"image":"sha256:1234"}]}},
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"bad"},"spec":{"containers":[{"name":"c","image":"Bad\u001b[2J:1"}]}}]}"#;

struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

fn init(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let output = sandbox.bundler().arg("init").args(arguments).output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn good(sandbox: &Sandbox, arguments: &[&str]) -> (Catalog, String) {
    let run = init(sandbox, arguments);
    assert_eq!(run.code, 0, "{}", run.stderr);
    (catalog::read(&sandbox.path("manifests")).unwrap(), run.stderr)
}

fn names(catalog: &Catalog) -> Vec<&str> {
    catalog.components.keys().map(String::as_str).collect()
}

fn component(sandbox: &Sandbox, name: &str) -> String {
    std::fs::read_to_string(sandbox.path(format!("manifests/components/{name}/component.yaml"))).unwrap()
}

/// A run that has to fail with 2, and to leave nothing behind.
fn refused(sandbox: &Sandbox, arguments: &[&str], said: &[&str]) {
    let before = entries(&sandbox.work());
    let run = init(sandbox, arguments);
    assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
    assert_eq!(run.stdout, "");
    for said in said {
        assert!(run.stderr.contains(said), "{arguments:?}: {said}: {}", run.stderr);
    }
    assert!(run.stderr.len() < 4000 && !run.stderr.contains('\u{1b}'), "{:?}", run.stderr);
    assert_eq!(entries(&sandbox.work()), before);
}

fn entries(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_list_of_images_becomes_components() {
    let sandbox = Sandbox::new();
    sandbox.write("images.txt", LIST);
    let (catalog, told) = good(&sandbox, &["--images", "images.txt"]);
    assert_eq!(names(&catalog), ["agent", "alertmanager", "b-agent", "eclipse-mosquitto", "klipper-helm"]);
    assert_eq!(catalog.file.platform.kubernetes.value, "1.36");
    assert_eq!(catalog.file.platform.architectures.len(), 2);
    assert_eq!(
        component(&sandbox, "eclipse-mosquitto"),
        "# yaml-language-server: $schema=../../schema/component.json\n\
         name: eclipse-mosquitto\n\
         source: {oci: docker.io/library/eclipse-mosquitto, tag: \"{version}-alpine\"}\n\
         version: \"^2.0.18\"\nimages: [\"docker.io/library/eclipse-mosquitto:{tag}\"]\n"
    );
    assert!(component(&sandbox, "alertmanager").contains("\"^0.31.0\""));
    assert_eq!(catalog.components["klipper-helm"].hold.as_ref().unwrap().version.value, "0.9.8");
    for said in [
        "`docker.io/library/nginx` is left out: it has no tag",
        "`docker.io/library/redis:latest` is left out: its tag names no version",
        "a digest alone has no version",
        "`quay.io/prometheus/alertmanager:v0.28.0`: `quay.io/prometheus/alertmanager:v0.31.0` is carried",
        "klipper-helm: held at",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    assert_eq!(entries(&sandbox.work()), ["images.txt", "manifests"]);
}

#[test]
fn a_hauler_manifest_becomes_components() {
    let sandbox = Sandbox::new();
    sandbox.write("hauler.yaml", HAULER);
    let (catalog, told) = good(&sandbox, &["--hauler", "hauler.yaml", "--kubernetes", "1.34", "--arch", "arm64"]);
    assert_eq!(names(&catalog), ["busybox", "hauler-helm", "rancher", "yq"]);
    assert_eq!(catalog.file.platform.kubernetes.value, "1.34");
    let rancher = &catalog.components["rancher"].chart.as_ref().unwrap().value;
    assert_eq!(rancher.repository.as_deref(), Some("https://releases.rancher.com/server-charts/stable"));
    assert_eq!(rancher.version.as_ref().unwrap().value, "^2.8.5");
    let yq = component(&sandbox, "yq");
    assert!(yq.contains("releases/download/{tag}/yq_linux_{arch}\"") && yq.contains("  - name: yq\n"), "{yq}");
    for said in ["a document `K3s`", "file `install.sh` of get.example.com", "chart `secret` is left out"] {
        assert!(told.contains(said), "{said}: {told}");
    }
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn helmfile_and_a_cluster_together_become_one_catalog() {
    let sandbox = Sandbox::new();
    sandbox.write("releases.json", HELMFILE);
    sandbox.write("pods.json", PODS);
    let repositories = ["grafana=https://grafana.github.io/helm-charts/", "podinfo=oci://ghcr.io/stefanprodan/charts"];
    let inputs = ["--helmfile-list", "releases.json", "--pods", "pods.json"];
    let options = ["--repository", repositories[0], "--repository", repositories[1]];
    let (catalog, told) = good(&sandbox, &[inputs, options].concat());
    assert_eq!(names(&catalog), ["busybox", "coredns", "loki", "netshoot", "podinfo"]);
    let loki = &catalog.components["loki"].chart.as_ref().unwrap().value;
    assert_eq!((loki.release.name.as_str(), loki.release.namespace.as_str()), ("loki", "logs"));
    let podinfo = &catalog.components["podinfo"].chart.as_ref().unwrap().value;
    assert_eq!(podinfo.version.as_ref().unwrap().value, "~6.5");
    for said in ["add `--repository nobody=URL`", "`./charts/own`", "is not an image reference"] {
        assert!(told.contains(said), "{said}: {told}");
    }
    assert!(!told.contains('\u{1b}'), "{told:?}");
}

#[test]
fn charts_become_components_where_their_repository_is_said() {
    let sandbox = Sandbox::new();
    sandbox.write("charts/unpacked/Chart.yaml", "apiVersion: v2\nname: unpacked\nversion: 1.2.3\n");
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let text = b"apiVersion: v2\nname: packed\nversion: 0.4.0\n";
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    builder.append_data(&mut header, "packed/Chart.yaml", &text[..]).unwrap();
    sandbox.write("charts/packed-0.4.0.tgz", builder.into_inner().unwrap().finish().unwrap());
    sandbox.write("charts/README.md", "no chart");
    refused(&sandbox, &["--charts", "charts"], &["add `--repository packed=URL`", "nothing was found"]);
    let url = "https://charts.example.com";
    let (catalog, _) = good(&sandbox, &["--charts", "charts", "--repository", url]);
    assert_eq!(names(&catalog), ["packed", "unpacked"]);
    let chart = &catalog.components["packed"].chart.as_ref().unwrap().value;
    assert_eq!((chart.repository.as_deref(), chart.version.as_ref().unwrap().value.as_str()), (Some(url), "^0.4.0"));
}

#[test]
fn what_is_there_is_never_overwritten() {
    let sandbox = Sandbox::new();
    sandbox.write("images.txt", LIST);
    sandbox.write("manifests/catalog.yaml", "mine");
    refused(&sandbox, &["--images", "images.txt"], &["`manifests` exists already", "nothing is ever overwritten"]);
    assert_eq!(std::fs::read_to_string(sandbox.path("manifests/catalog.yaml")).unwrap(), "mine");
    let sandbox = Sandbox::new();
    sandbox.write("images.txt", LIST);
    std::os::unix::fs::symlink("nowhere", sandbox.path("manifests")).unwrap();
    refused(&sandbox, &["--images", "images.txt"], &["`manifests` exists already"]);
}

#[test]
fn hostile_inputs_are_refused_in_plain_words() {
    let sandbox = Sandbox::new();
    refused(&sandbox, &["--images", "none.txt"], &["cannot read `none.txt`"]);
    let huge = std::fs::File::create(sandbox.path("huge")).unwrap();
    huge.set_len(200 << 20).unwrap();
    refused(&sandbox, &["--images", "huge"], &["huge: the file is larger than 8 MiB"]);
    refused(&sandbox, &["--hauler", "huge"], &["huge: the file is larger than 8 MiB"]);
    refused(&sandbox, &["--pods", "huge"], &["`huge` is larger than"]);
    std::fs::remove_file(sandbox.path("huge")).unwrap();
    sandbox.write("bad.txt", "nginx:1.27\n../../x\nA\u{1b}[2J:1\n");
    refused(
        &sandbox,
        &["--images", "bad.txt"],
        &["2 mistakes", "bad.txt:2:1: `../../x`", "bad.txt:3:1: `A\\u{1b}[2J:1`"],
    );
    sandbox.write("binary", b"\xff\xfe");
    refused(&sandbox, &["--images", "binary"], &["binary:1:1: the file is not UTF-8 text"]);
    let mut bomb = "kind: Images\na0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_owned();
    for level in 1..10 {
        let _ = writeln!(bomb, "a{level}: &a{level} [{}]", vec![format!("*a{}", level - 1); 10].join(", "));
    }
    sandbox.write("bomb.yaml", format!("# one\n---\n{bomb}"));
    refused(&sandbox, &["--hauler", "bomb.yaml"], &["bomb.yaml:", " ever read"]);
    sandbox.write("many.yaml", "---\n".repeat(5000));
    refused(&sandbox, &["--hauler", "many.yaml"], &["5001 documents; at most 1000"]);
    sandbox.write("wrong.yaml", "kind: Images\n---\nkind: Images\nspec: {images: [x]}\n");
    refused(&sandbox, &["--hauler", "wrong.yaml"], &["wrong.yaml:4:"]);
    sandbox.write("deep.json", "[".repeat(1_000_000));
    refused(&sandbox, &["--pods", "deep.json"], &["`deep.json` is not what `kubectl get pods -A -o json` prints"]);
    refused(&sandbox, &["--helmfile-list", "deep.json"], &["is not what `helmfile list --output json` prints"]);
    sandbox.write("charts/x.tgz", "no archive");
    refused(&sandbox, &["--charts", "charts"], &["`charts/x.tgz` is no chart"]);
    sandbox.write("names/x/Chart.yaml", "name: ../../x\nversion: 1.0.0\n");
    refused(&sandbox, &["--charts", "names", "--repository", "https://x.test"], &["chart `../../x` is left out"]);
    sandbox.write("moving.txt", "nginx:latest\n");
    for arguments in [["--kubernetes", "new"], ["--name", "../x"], ["--repository", "x=file:///etc"]] {
        refused(&sandbox, &[&["--images", "moving.txt"], &arguments[..]].concat(), &[arguments[0]]);
    }
    refused(&sandbox, &["--images", "moving.txt"], &["nothing was found that a catalog can name"]);
}

#[test]
fn without_any_input_an_empty_catalog_is_begun() {
    let sandbox = Sandbox::new();
    let (catalog, _) = good(&sandbox, &["--name", "shop", "--arch", "arm64"]);
    assert_eq!((catalog.file.name.value.as_str(), catalog.components.len()), ("shop", 0));
    let manifests = sandbox.path("manifests");
    assert_eq!(entries(&manifests), ["catalog.yaml", "schema"]);
    let text = std::fs::read_to_string(manifests.join("catalog.yaml")).unwrap();
    assert!(text.starts_with("# yaml-language-server: $schema=schema/catalog.json\n"), "{text}");
    for name in ["catalog", "component"] {
        let printed = sandbox.bundler().args(["schema", name]).output().unwrap().stdout;
        let written = std::fs::read(manifests.join(format!("schema/{name}.json"))).unwrap();
        assert!(written == printed, "{name} is another schema than `bundler schema` prints");
    }
    refused(&sandbox, &[], &["`manifests` exists already"]);
    // It is one, and nobody carries an empty bundle to a site without having been told.
    for (arguments, said) in [
        (
            &["resolve"][..],
            "warning: the catalog has no component, so a bundle carries nothing: `bundler add` adds one\n",
        ),
        (&["pack", "--arch", "arm64"], "warning: the bundle carries nothing: the lock has no component\n"),
    ] {
        let output = sandbox.bundler().args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{output:?}");
    }
}

#[test]
fn ten_thousand_images_of_one_name_have_names_of_their_own() {
    let sandbox = Sandbox::new();
    let list: String = (0..10_000).map(|number| format!("registry.test/a{number}/x/app:v1.{number}\n")).collect();
    sandbox.write("images.txt", list);
    let (catalog, _) = good(&sandbox, &["--images", "images.txt"]);
    assert_eq!(catalog.components.len(), 10_000);
}

#[test]
fn a_starter_is_resolved_as_it_is() {
    let (upstream, sandbox) = (Upstream::start(), Sandbox::new());
    sandbox.config(&upstream.config());
    let list = "eclipse-mosquitto:2.0.18-alpine\nquay.io/prometheus/alertmanager:v0.28.0\n";
    sandbox.write("images.txt", list);
    let (before, _) = (upstream.requests().len(), good(&sandbox, &["--images", "images.txt"]));
    assert_eq!(upstream.requests().len(), before, "init reached the network");
    let output = sandbox.bundler().args(["resolve", "--as-of", "2026-08-22"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(sandbox.path("bundle.lock.yaml")).unwrap();
    let lock = bundler::lock::parse("bundle.lock.yaml", &text).unwrap();
    assert_eq!(lock.components.len(), 2);
    assert_ne!(lock.components["alertmanager"].version, "0.28.0", "a newer one is chosen");
}
