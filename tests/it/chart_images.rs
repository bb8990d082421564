//! `bundler images --chart`: the command's contract, and archives that want to do harm.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::{self, Sandbox};

/// Packs members as they are, whatever their names and kinds.
fn archive(sandbox: &Sandbox, members: &[(&str, &str)]) -> PathBuf {
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, text) in members {
        let mut header = tar::Header::new_gnu();
        let target = text.strip_prefix("-> ");
        header.set_entry_type(if target.is_some() { tar::EntryType::Symlink } else { tar::EntryType::Regular });
        // The library refuses such names, so they are written as bytes.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        if let Some(target) = target {
            header.set_link_name(target).unwrap();
        }
        let bytes = if target.is_some() { &[][..] } else { text.as_bytes() };
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, bytes).unwrap();
    }
    let path = sandbox.path("chart.tgz");
    std::fs::write(&path, builder.into_inner().unwrap().finish().unwrap()).unwrap();
    path
}

fn images(sandbox: &Sandbox, chart: &Path, arguments: &[&str]) -> Output {
    sandbox.bundler().args(["images", "--chart"]).arg(chart).args(arguments).output().unwrap()
}

const ABOUT: &str = "apiVersion: v2\nname: app\nversion: 1.0.0\n";

const TEMPLATE: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  replicas: {{ if kindIs "string" .Values.replicas }}{{ fail "a text" }}{{ end }}{{ .Values.replicas }}
  template:
    spec:
      containers:
      - name: main
        image: "busybox:{{ .Values.tag }}"
        args: [--helper-image, "x/helper:{{ .Capabilities.KubeVersion.Minor }}"]
{{- if gt (int .Values.replicas) 1 }}
      - {name: second, image: "x/second:1"}
{{- end }}
"#;

#[test]
fn the_json_is_the_contract() {
    if support::helm().is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    let values = "replicas: 1\ntag: '8'\n";
    let chart = archive(
        &sandbox,
        &[("app/Chart.yaml", ABOUT), ("app/values.yaml", values), ("app/templates/a.yaml", TEMPLATE)],
    );
    sandbox.write("more.yaml", "tag: '1.20'\n");
    let arguments = ["--values", "more.yaml", "--set", "replicas=2", "--kube-version", "1.34.2", "--format", "json"];
    let output = images(&sandbox, &chart, &arguments);
    assert!(output.status.success(), "{output:?}");
    let place = |path: &str| format!("app/templates/a.yaml: Deployment app: spec.template.spec.containers{path}");
    let expected = serde_json::json!([
        {"schema": 1, "image": "busybox:1.20", "found": [{"kind": "pod", "where": place("[0].image")}]},
        {"schema": 1, "image": "x/helper:34", "found": [{"kind": "argument", "where": place("[0].args[1]")}]},
        {"schema": 1, "image": "x/second:1", "found": [{"kind": "pod", "where": place("[1].image")}]},
    ]);
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap(), expected);

    let plain = images(&sandbox, &chart, &[]);
    assert!(String::from_utf8_lossy(&plain.stdout).starts_with("busybox:8\nx/helper:"), "{plain:?}");
    let both = sandbox.bundler().args(["images", "app", "--chart"]).arg(&chart).output().unwrap();
    assert_eq!(both.status.code(), Some(2), "{both:?}");
    let alone = sandbox.bundler().args(["images", "--set", "a=b"]).output().unwrap();
    assert_eq!(alone.status.code(), Some(2), "{alone:?}");
}

#[test]
fn archives_that_want_to_do_harm() {
    if support::helm().is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    let about = ("app/Chart.yaml", ABOUT);
    let large = "0".repeat(6 << 20);
    for (members, message) in [
        (vec![about, ("app/../../out.yaml", "x")], "app/../../out.yaml"),
        (vec![about, ("/out.yaml", "x")], "/out.yaml"),
        (vec![about, ("app/templates/x.yaml", "-> /etc/passwd")], "symbolic link"),
        (vec![about, about], "Chart.yaml"),
        (vec![about, ("other/Chart.yaml", ABOUT)], "two top directories"),
        (vec![about, ("app/values.yaml", &large)], "`values.yaml` of"),
        (vec![("app/values.yaml", "a: 1")], "Chart.yaml"),
        (vec![about, ("app/templates/x.yaml", "{{ .Values.a.b }}\n")], "app/templates/x.yaml:1:"),
        (vec![about, ("app/values.yaml", "a: [\n")], "values.yaml"),
        (vec![("app/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\nkubeVersion: '<1.20'\n")], "kubeVersion"),
    ] {
        let path = archive(&sandbox, &members);
        let output = images(&sandbox, &path, &[]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{message}: {text}");
        assert!(text.starts_with("error: ") && text.contains(message), "{message}: {text}");
        assert!(output.stdout.is_empty(), "{message}");
    }
    std::fs::write(sandbox.path("text.tgz"), "no archive").unwrap();
    assert_eq!(images(&sandbox, Path::new("text.tgz"), &[]).status.code(), Some(3));
    assert_eq!(images(&sandbox, Path::new("absent.tgz"), &[]).status.code(), Some(2));
    assert_eq!(images(&sandbox, Path::new("."), &[]).status.code().map(|code| code != 0), Some(true));
}
