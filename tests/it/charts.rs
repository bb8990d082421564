//! Charts that the tests write, rendered by real Helm.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use bundler::chart::helm::{Error as HelmError, Values};
use bundler::chart::images::{self, Discovery, Kind};
use bundler::chart::{self, Helm, Release, archive};
use bundler::error::Diagnostic;

use crate::support::{self, Sandbox};

/// Writes a chart and packs it as Helm does.
struct Chart<'a> {
    helm: &'a Path,
    sandbox: &'a Sandbox,
    name: &'a str,
}

impl Chart<'_> {
    fn file(&self, path: &str, text: &str) -> &Self {
        self.sandbox.write(format!("{}/{path}", self.name), text);
        self
    }

    fn package(&self) -> PathBuf {
        let mut command = self.sandbox.command(self.helm);
        support::output_of(command.args(["package", self.name]));
        self.sandbox.path(format!("{}-1.0.0.tgz", self.name))
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn release() -> Release {
    Release { name: "rel".into(), namespace: "ns".into(), kube_version: Some("1.36.4".into()), ..Release::default() }
}

fn set(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn discover(program: &Path, chart: &Path, release: &Release) -> Result<Discovery, chart::Error> {
    run(async {
        let helm = Helm::find(Some(program), None).await?;
        images::of_chart(&helm, chart, release).await
    })
}

/// `kind image` of every find, sorted.
fn finds(discovery: &Discovery) -> Vec<String> {
    let mut finds: Vec<_> = discovery.found.iter().map(|f| format!("{} {}", f.kind.name(), f.image)).collect();
    finds.sort();
    finds
}

fn pod(name: &str, container: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{containers: [{container}]}}\n")
}

/// Writes a shell script. Another process writes it, so that no child of a test beside it holds it open.
fn program(sandbox: &Sandbox, name: &str, script: &str) -> PathBuf {
    let path = sandbox.path(name);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod +x "$1""#, "sh"]).arg(&path).arg(script);
    support::output_of(&mut shell);
    path
}

#[test]
fn subcharts_aliases_hooks_capabilities_and_custom_resources() {
    let Some(helm) = support::helm() else { return };
    let sandbox = Sandbox::new();
    let chart = Chart { helm: &helm, sandbox: &sandbox, name: "demo" };
    let crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.org}\n\
               spec: {group: example.org, scope: Namespaced, names: {kind: Thing, plural: things}, \
               versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, default: {image: 'not/an:image'}}}}]}\n";
    chart
        .file(
            "Chart.yaml",
            "apiVersion: v2\nname: demo\nversion: 1.0.0\nappVersion: '2.0'\ndependencies:\n\
             - {name: sub, version: 1.0.0, condition: sub.enabled}\n\
             - {name: sub, version: 1.0.0, alias: twin}\n\
             - {name: extra, version: 1.0.0, condition: extra.enabled}\n",
        )
        .file("values.yaml", "image: {repository: reg.io:5000/a/main, tag: x}\nextra: {enabled: false}\ntwin: {tag: '8'}\n")
        .file("crds/thing.yaml", crd)
        .file("charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n")
        .file("charts/sub/values.yaml", "tag: '1.20'\n")
        .file("charts/sub/templates/pod.yaml", &pod("{{ .Chart.Name }}", "{name: c, image: 'busybox:{{ .Values.tag }}'}"))
        .file("charts/extra/Chart.yaml", "apiVersion: v2\nname: extra\nversion: 1.0.0\n")
        .file("charts/extra/templates/pod.yaml", &pod("extra", "{name: c, image: 'x/extra:1'}"))
        .file("templates/deployment.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: main}\nspec:\n  template:\n    spec:\n      containers:\n      - name: c\n        image: {{ .Values.image.repository }}:{{ .Values.image.tag }}\n        args: [--prometheus-config-reloader=quay.io/p/reloader:v1, --thanos-default-base-image=quay.io/t/thanos:v1]\n        env: [{name: RELATED_IMAGE_X, value: 'x/related:1'}]\n")
        .file("templates/hook.yaml", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: hook, annotations: {helm.sh/hook: pre-install}}\nspec: {template: {spec: {containers: [{name: c, image: 'x/hook:1'}]}}}\n")
        .file("templates/tests/test.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: test, annotations: {helm.sh/hook: test}}\nspec: {containers: [{name: c, image: bats}]}\n")
        .file("templates/thing.yaml", "{{ if .Capabilities.APIVersions.Has \"example.org/v1/Thing\" }}\napiVersion: example.org/v1\nkind: Thing\nmetadata: {name: thing}\nspec: {image: {repository: quay.io/x/thing, tag: v3}}\n{{ end }}\n")
        .file("templates/monitor.yaml", "{{ if .Capabilities.APIVersions.Has \"monitoring.example.org/v1\" }}\napiVersion: monitoring.example.org/v1\nkind: Prometheus\nmetadata: {name: p}\nspec: {image: 'quay.io/x/prometheus:v3'}\n{{ end }}\n")
        .file("templates/version.yaml", "{{ if semverCompare \">=1.36-0\" .Capabilities.KubeVersion.Version }}\n{{ end }}\n");
    let archive = chart.package();

    let mut release = release();
    release.set = set(&[("image.tag", "1.20")]);
    let without = discover(&helm, &archive, &release).unwrap();
    let expected = [
        "argument quay.io/p/reloader:v1",
        "argument quay.io/t/thanos:v1",
        "custom-resource quay.io/x/thing:v3",
        "environment x/related:1",
        "hook x/hook:1",
        "pod busybox:1.20",
        "pod busybox:8",
        "pod reg.io:5000/a/main:1.20",
        "test bats",
    ];
    assert_eq!(finds(&without), expected);

    release.api_versions = ["monitoring.example.org/v1".to_owned()].into();
    let with = discover(&helm, &archive, &release).unwrap();
    assert!(finds(&with).contains(&"custom-resource quay.io/x/prometheus:v3".to_owned()));
    let place = &with.found.iter().find(|f| f.kind == Kind::Hook).unwrap().place;
    assert_eq!(place.to_string(), "demo/templates/hook.yaml: Job hook: spec.template.spec.containers[0].image");

    release.set = set(&[("sub.enabled", "false"), ("extra.enabled", "true")]);
    let switched = finds(&discover(&helm, &archive, &release).unwrap());
    assert!(switched.contains(&"pod x/extra:1".to_owned()), "{switched:?}");
    assert!(!switched.contains(&"pod busybox:1.20".to_owned()), "`false` is no text: {switched:?}");

    let read = archive::read(std::fs::File::open(&archive).unwrap()).unwrap();
    assert_eq!(read.chart.app_version.as_deref(), Some("2.0"));
    assert_eq!(
        read.crds.iter().flat_map(|c| c.api_versions()).collect::<Vec<_>>(),
        ["example.org/v1", "example.org/v1/Thing"]
    );
}

#[test]
fn values_files_in_order_and_single_values_stay_text() {
    let Some(helm) = support::helm() else { return };
    let sandbox = Sandbox::new();
    let chart = Chart { helm: &helm, sandbox: &sandbox, name: "values" };
    chart
        .file("Chart.yaml", "apiVersion: v2\nname: values\nversion: 1.0.0\n")
        .file("values.yaml", "a: '1'\nb: '1'\nc: '1'\n")
        .file("templates/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n{{ range $k, $v := .Values }}  {{ $k }}: {{ printf \"%T %v\" $v $v | quote }}\n{{ end }}");
    let archive = chart.package();
    let file = |name: &str, text: &str| Values { file: name.to_owned(), text: text.to_owned() };
    let mut release = release();
    release.values = vec![file("one.yaml", "b: '2'\nc: '2'\n"), file("two.yaml", "c: '3'\n")];
    release.set = set(&[("d", "1.20"), ("e", "8"), ("f", "true"), ("g", "{a,b}\\,c=d"), ("h", ""), ("a", "null")]);
    let text = run(async {
        let helm = Helm::find(Some(&helm), None).await.unwrap();
        helm.template(&archive, &release).await.unwrap()
    });
    let data = text.split_once("data:\n").unwrap().1;
    insta::assert_snapshot!(data, @r#"
      b: "string 2"
      c: "string 3"
      d: "string 1.20"
      e: "string 8"
      f: "bool true"
      g: "string {a,b}\\,c=d"
      h: "string "
    "#);
}

#[test]
fn a_failing_render_names_file_and_line() {
    let Some(helm) = support::helm() else { return };
    let sandbox = Sandbox::new();
    let chart = Chart { helm: &helm, sandbox: &sandbox, name: "broken" };
    chart
        .file("Chart.yaml", "apiVersion: v2\nname: broken\nversion: 1.0.0\nkubeVersion: '>=1.25.0-0 <1.40.0-0'\n")
        .file("templates/pod.yaml", "a: 1\nb: {{ required \"image.tag is needed\" .Values.tag }}\n");
    let archive = chart.package();
    let error = |release: &Release| discover(&helm, &archive, release).unwrap_err().to_string();
    let message = error(&release());
    assert!(message.starts_with("helm cannot render broken-1.0.0.tgz: "), "{message}");
    assert!(message.contains("broken/templates/pod.yaml:2:") && message.contains("image.tag is needed"), "{message}");

    let values = Values { file: "manifests/components/x/values.yaml".into(), text: "a: 1\nb: [\n".into() };
    let message = error(&Release { values: vec![values], ..release() });
    assert!(message.contains("manifests/components/x/values.yaml") && message.contains("line 2"), "{message}");
    assert!(!message.contains("/tmp"), "{message}");

    let old = discover(&helm, &archive, &Release { kube_version: Some("1.20.0".into()), ..release() }).unwrap_err();
    assert!(old.to_string().contains("kubeVersion: >=1.25.0-0 <1.40.0-0"), "{old}");
    assert!(old.hint().unwrap().contains("excludes the Kubernetes"), "{old}");

    std::fs::write(&archive, "no chart").unwrap();
    let broken = discover(&helm, &archive, &release()).unwrap_err();
    assert!(matches!(broken, chart::Error::Archive(_)), "{broken}");
}

#[test]
fn a_value_that_helm_does_not_fill_in_is_told() {
    let Some(helm) = support::helm() else { return };
    let sandbox = Sandbox::new();
    let chart = Chart { helm: &helm, sandbox: &sandbox, name: "tpl" };
    chart
        .file("Chart.yaml", "apiVersion: v2\nname: tpl\nversion: 1.0.0\n")
        .file("values.yaml", "image: 'x/y:{{ .Chart.Version }}'\n")
        .file("templates/pod.yaml", &pod("x", "{name: c, image: {{ .Values.image | quote }}}"))
        .file(
            "templates/lookup.yaml",
            "{{ if lookup \"v1\" \"Secret\" \"ns\" \"x\" }}{{ fail \"there is no cluster\" }}{{ end }}",
        );
    let found = discover(&helm, &chart.package(), &release()).unwrap();
    assert!(found.found.is_empty());
    let errors = images::required(&found, &[], &[], false).unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "`x/y:{{ .Chart.Version }}` is no image reference: tpl/templates/pod.yaml: Pod x: spec.containers[0].image"
    );
}

#[test]
fn a_render_knows_nothing_of_the_user() {
    let Some(helm) = support::helm() else { return };
    let sandbox = Sandbox::new();
    let chart = Chart { helm: &helm, sandbox: &sandbox, name: "env" };
    chart
        .file("Chart.yaml", "apiVersion: v2\nname: env\nversion: 1.0.0\n")
        .file("templates/x.yaml", "kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\ndata: {dns: {{ getHostByName \"localhost\" | quote }}}\n");
    let archive = chart.package();
    // A program in Helm's place that prints what it was given.
    let script = r#"[ "$1" != version ] || exec echo v3.99.1-spy
        printf '%s\n' "$@" >&2
        env | cut -d= -f1 | grep -vx '_\|PWD\|OLDPWD\|SHLVL' | sort >&2
        exit 1"#;
    let spy = program(&sandbox, "spy", script);
    let error = run(async {
        let spy = Helm::find(Some(&spy), None).await.unwrap();
        assert_eq!(spy.version(), "3.99.1-spy");
        let mut release = release();
        release.set = set(&[("a.b", "1.20"), ("c", "false")]);
        release.api_versions = ["g/v1".to_owned()].into();
        spy.template(&archive, &release).await.unwrap_err()
    });
    let HelmError::Render { message, .. } = &error else { panic!("{error}") };
    let message = message.replace(&*sandbox.work().to_string_lossy(), "…");
    insta::assert_snapshot!(message, @r"
    template
    --include-crds
    --namespace
    ns
    --set-string
    a.b=1.20
    --set
    c=false
    --kube-version
    1.36.4
    --api-versions
    g/v1
    --
    rel
    …/env-1.0.0.tgz
    HELM_CACHE_HOME
    HELM_CONFIG_HOME
    HELM_DATA_HOME
    HELM_NO_PLUGINS
    HELM_PLUGINS
    HOME
    KUBECONFIG
    TMPDIR
    XDG_CACHE_HOME
    XDG_CONFIG_HOME
    XDG_DATA_HOME
    ");
    let rendered = run(async {
        let helm = Helm::find(Some(&helm), None).await.unwrap();
        helm.template(&archive, &release()).await.unwrap()
    });
    assert!(rendered.contains("data: {dns: \"\"}"), "no name is looked up: {rendered}");
}

#[test]
fn a_program_that_is_no_helm() {
    let sandbox = Sandbox::new();
    let find = |path: &Path| run(Helm::find(Some(path), None)).unwrap_err();
    let missing = find(&sandbox.path("nothing"));
    assert!(missing.to_string().starts_with("cannot find the `helm` program at `"), "{missing}");
    assert!(missing.hint().unwrap().contains("--helm PATH"));
    assert!(
        matches!(find(&program(&sandbox, "other", "echo hello")), HelmError::NotHelm { answer, .. } if answer == "hello")
    );
    assert!(matches!(find(&program(&sandbox, "old", "echo v2.17.0")), HelmError::TooOld { .. }));
    let empty = std::ffi::OsString::from(sandbox.path("work"));
    assert!(run(Helm::find(None, Some(&empty))).unwrap_err().is_missing());
    let endless = program(&sandbox, "endless", "exec yes");
    assert!(run(Helm::find(Some(&endless), None)).is_err());
    let renders = program(&sandbox, "renders", "[ \"$1\" = template ] || exec echo v4.2.4\nexec yes");
    let helm = run(Helm::find(Some(&renders), None)).unwrap();
    let error = run(helm.template(&sandbox.path("endless-1.tgz"), &release())).unwrap_err();
    assert_eq!(error.to_string(), "endless-1.tgz renders to more than 67108864 bytes");
}
