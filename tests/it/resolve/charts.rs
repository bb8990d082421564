//! Charts of a repository that the tests write.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bundler::chart::Artifact;
use bundler::lock::model::From;
use bundler::oci::Digest;

use super::{Bench, DAY};
use crate::support;

/// The files of a host `https://charts.test`, served on loopback.
pub(super) struct Repository {
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) index: String,
}

/// One version of a chart.
pub(super) struct Chart<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    /// Further lines of its `Chart.yaml` that the index repeats.
    pub(super) metadata: &'a str,
    /// Path and text.
    pub(super) files: &'a [(&'a str, &'a str)],
    pub(super) created: &'a str,
    /// What the index says instead of the archive's digest.
    pub(super) digest: Option<String>,
}

impl Default for Chart<'_> {
    fn default() -> Self {
        Self { name: "app", version: "1.0.0", metadata: "", files: &[], created: "2026-01-01T00:00:00Z", digest: None }
    }
}

impl Repository {
    pub(super) fn new(charts: &[Chart<'_>]) -> Self {
        let mut repository = Self { files: BTreeMap::new(), index: "apiVersion: v1\nentries:\n".to_owned() };
        for (position, chart) in charts.iter().enumerate() {
            let Chart { name, version, metadata, files, created, digest } = chart;
            let about = format!("name: {name}\nversion: {version}\nappVersion: \"7.{position}\"\n{metadata}");
            let manifest = format!("apiVersion: v2\n{about}");
            let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
            for (path, text) in [("Chart.yaml", manifest.as_str())].iter().chain(files.iter()) {
                let mut header = tar::Header::new_gnu();
                header.set_size(text.len() as u64);
                header.set_mode(0o644);
                builder.append_data(&mut header, format!("{name}/{path}"), text.as_bytes()).unwrap();
            }
            let archive = builder.into_inner().unwrap().finish().unwrap();
            if position == 0 || charts[position - 1].name != *name {
                let _ = writeln!(repository.index, "  {name}:");
            }
            let digest = digest.clone().unwrap_or_else(|| Digest::of(&archive).hex());
            let mut lines = about.lines().map(|line| format!("    {line}\n")).collect::<String>();
            lines.replace_range(..4, "  - ");
            let _ = write!(repository.index, "{lines}    created: \"{created}\"\n    digest: {digest}\n");
            let _ = writeln!(repository.index, "    urls: [archives/{name}-{version}.tgz]");
            repository.files.insert(format!("/archives/{name}-{version}.tgz"), archive);
        }
        repository
    }

    /// Has the archives in a registry `oci.test` too, below `charts/`.
    fn in_registry(mut self) -> Self {
        let mut tags: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for archive in self.files.values().cloned().collect::<Vec<_>>() {
            let size = archive.len() as u64;
            let artifact = Artifact::new("Chart.yaml", &archive[..], Digest::of(&archive), size).unwrap();
            let name = format!("charts/{}", artifact.name);
            for reference in [artifact.tag(), Digest::of(&artifact.manifest).to_string()] {
                self.files.insert(format!("/v2/{name}/manifests/{reference}"), artifact.manifest.to_vec());
            }
            for blob in [artifact.config.to_vec(), archive] {
                self.files.insert(format!("/v2/{name}/blobs/{}", Digest::of(&blob)), blob);
            }
            tags.entry(name).or_default().push(artifact.tag());
        }
        for (name, tags) in tags {
            let list = serde_json::json!({"name": name, "tags": tags}).to_string();
            self.files.insert(format!("/v2/{name}/tags/list"), list.into_bytes());
        }
        self
    }

    /// Serves the files for the rest of the test and adds the mirrors to the configuration.
    pub(super) fn serve(mut self, bench: &Bench) -> tokio::runtime::Runtime {
        self.files.insert("/index.yaml".to_owned(), self.index.into_bytes());
        let files = std::sync::Arc::new(self.files);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let config = bench.upstream.config();
        let here = listener.local_addr().unwrap();
        bench
            .sandbox
            .config(&format!("{config}  https://charts.test: [\"http://{here}\"]\n  oci.test: [\"http://{here}\"]\n"));
        let app = axum::Router::new().fallback(async move |uri: axum::http::Uri| {
            let file = files.get(uri.path()).cloned();
            file.map_or((axum::http::StatusCode::NOT_FOUND, Vec::new()), |file| (axum::http::StatusCode::OK, file))
        });
        runtime.spawn(async move { axum::serve(listener, app).await.unwrap() });
        runtime
    }
}

/// A component with charts of that host.
pub(super) fn component(name: &str, more: &str) -> String {
    format!(
        "name: {name}\nchart: {{repository: \"https://charts.test\", name: {name}, release: {{name: {name}, namespace: {name}}}}}\n{more}"
    )
}

pub(super) const POD: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: pod}
spec: {containers: [{name: main, image: "{{ .Values.image }}"}]}
"#;
pub(super) const IMAGE: &str = "image: quay.io/prometheus/alertmanager:v0.33.1\n";

#[test]
fn a_chart_is_locked_with_its_images() {
    if support::helm().is_none() {
        return;
    }
    let files = [("templates/pod.yaml", POD), ("values.yaml", IMAGE)];
    let young = Chart { version: "1.1.0", files: &files, created: "2026-08-21T00:00:00Z", ..Chart::default() };
    let good = Chart { files: &files, ..Chart::default() };
    let wants_more = Chart { version: "1.0.1", metadata: "kubeVersion: \">=1.40.0-0\"\n", ..Chart::default() };
    // A third one, so that no day is that of half of the entries.
    let old = Chart { version: "0.9.0", created: "2025-01-01T00:00:00Z", ..Chart::default() };
    let older = Chart { version: "0.8.0", created: "2024-01-01T00:00:00Z", ..Chart::default() };
    let bench = Bench::new(&[&component("app", "")]);
    let _server = Repository::new(&[young, wants_more, good, old, older]).serve(&bench);
    let run = bench.resolve(&["-v", "--as-of", DAY]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("1.1.0 was released 2026-08-21"), "{run:?}");
    assert!(run.stderr.contains("1.0.1 wants Kubernetes >=1.40.0-0"), "{run:?}");
    let app = &bench.lock().components["app"];
    assert_eq!((app.version.as_str(), app.app_version.as_deref()), ("1.0.0", Some("7.2")));
    let chart = app.chart.as_ref().unwrap();
    assert_eq!((chart.url.as_str(), chart.from), ("https://charts.test/archives/app-1.0.0.tgz", From::HelmIndex));
    assert_eq!(
        app.images.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["quay.io/prometheus/alertmanager:v0.33.1"]
    );
    assert_eq!(bench.upstream.counted(), 0);
}

#[test]
fn a_chart_with_and_without_a_v_is_taken_in_its_highest_version() {
    if support::helm().is_none() {
        return;
    }
    // As NVIDIA's gpu-operator has it: 1.8.2 was followed by v1.9.0.
    let version = |version| Chart { version, ..Chart::default() };
    let charts = [version("0.40.0-dev"), version("v0.33.1"), version("v0.9.0"), version("0.8.2"), version("0.8.1")];
    let of_source = "name: other\nmin_age: 0d\nsource: {helm: \"https://charts.test\", chart: app}\n\
        images: [\"quay.io/prometheus/alertmanager:v{version}\"]\n";
    let bench = Bench::new(&[&component("app", "min_age: 0d\n"), of_source]);
    let _server = Repository::new(&charts).serve(&bench);
    bench.good(DAY);
    let app = &bench.lock().components["app"];
    let url = &app.chart.as_ref().unwrap().url;
    assert_eq!((app.version.as_str(), url.as_str()), ("v0.33.1", "https://charts.test/archives/app-v0.33.1.tgz"));
    assert_eq!(bench.version("other"), "0.33.1", "where it names an image the `v` is written");
    // What was written without it is still there for who wants it.
    bench.catalog("[amd64, arm64]", &[&component("app", "hold: {version: \"<0.9\", reason: a test}\nmin_age: 0d\n")]);
    bench.good(DAY);
    assert_eq!(bench.version("app"), "0.8.2");
}

#[test]
fn an_archive_at_a_url_of_its_own_says_its_version() {
    if support::helm().is_none() {
        return;
    }
    // As EdgeMesh has it: a release of the source holds an archive whose version is never raised.
    let component = |chart: &str| {
        format!(
            "name: app\nsource: {{github: kubeedge/edgemesh, tag: \"v{{version}}\", kind: releases}}\nchart:\n  \
             url: \"https://charts.test/archives/app-0.1.0.tgz?at={{tag}}\"\n  name: {chart}\n  \
             set: {{image: \"docker.io/kubeedge/edgemesh-agent:v{{version}}\"}}\n  \
             release: {{name: app, namespace: app}}\n"
        )
    };
    let bench = Bench::new(&[&component("app")]);
    let files = [("templates/pod.yaml", POD), ("values.yaml", IMAGE)];
    let _server = Repository::new(&[Chart { version: "0.1.0", files: &files, ..Chart::default() }]).serve(&bench);
    bench.good(DAY);
    let app = &bench.lock().components["app"];
    let chart = app.chart.as_ref().unwrap();
    assert_eq!((app.version.as_str(), chart.version.as_deref()), ("1.17.0", Some("0.1.0")));
    assert_eq!((chart.url.rsplit_once('=').unwrap().1, chart.from), ("v1.17.0", From::Download));
    assert!(app.images.iter().any(|image| image.to_string() == "docker.io/kubeedge/edgemesh-agent:v1.17.0"));

    // The name has to be the one that the catalog says all the same.
    let bench = Bench::new(&[&component("other")]);
    let _server = Repository::new(&[Chart { version: "0.1.0", files: &files, ..Chart::default() }]).serve(&bench);
    let run = bench.resolve(&["--as-of", DAY]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("chart `other` 0.1.0 says it is `app` 0.1.0"), "{run:?}");
}

#[test]
fn conflicting_images_and_floating_tags_say_where() {
    if support::helm().is_none() {
        return;
    }
    let pinned = |digit: &str| format!("quay.io/prometheus/alertmanager:v0.33.1@sha256:{}", digit.repeat(64));
    let pod = |name: &str, image: &str| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{containers: [{{name: main, image: \"{image}\"}}]}}\n"
        )
    };
    let conflict = [pod("one", &pinned("1")), pod("two", &pinned("2"))].concat();
    let floating = pod("three", "docker.io/library/busybox:latest");
    let charts = [
        Chart { files: &[("templates/pods.yaml", &conflict)], ..Chart::default() },
        Chart { name: "floats", files: &[("templates/pods.yaml", &floating)], ..Chart::default() },
    ];
    let components = [component("app", "min_age: 0d\n"), component("floats", "min_age: 0d\n")];
    let bench = Bench::new(&[&components[0], &components[1]]);
    let _server = Repository::new(&charts).serve(&bench);
    let run = bench.resolve(&["--as-of", DAY]);
    assert_eq!(run.code, Some(3), "{run:?}");
    for part in
        ["two digests", "Pod one: spec.containers[0].image", "Pod two", "`latest`", "Pod three", "ignored_images"]
    {
        assert!(run.stderr.contains(part), "{part}: {run:?}");
    }
    let ignored = "min_age: 0d\nignored_images: [{image: docker.io/library/busybox, reason: a test}]\n";
    bench.catalog("[amd64]", &[&component("floats", ignored)]);
    let _server = Repository::new(&charts).serve(&bench);
    bench.good(DAY);
    assert!(bench.lock().images.is_empty());
}

#[test]
fn declared_images_are_carried_and_must_not_contradict() {
    if support::helm().is_none() {
        return;
    }
    let files = [("templates/pod.yaml", POD), ("values.yaml", IMAGE)];
    let declared = |image: &str| {
        component("app", &format!("min_age: 0d\ndeclared_images: [{{image: \"{image}\", reason: a test}}]\n"))
    };
    let bench = Bench::new(&[&declared("quay.io/prometheus/blackbox-exporter:v0.28.0")]);
    let chart = || [Chart { files: &files, ..Chart::default() }];
    let _server = Repository::new(&chart()).serve(&bench);
    bench.good(DAY);
    assert_eq!(bench.lock().components["app"].images.len(), 2);
    bench.catalog("[amd64]", &[&declared("quay.io/prometheus/alertmanager:v{app_version}")]);
    let run = bench.resolve(&["--as-of", DAY]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("alertmanager:v7.0 is declared, but the chart runs"), "{run:?}");
    let unused = "min_age: 0d\nignored_images: [{image: docker.io/library/nothing, reason: a test}]\n";
    bench.catalog("[amd64]", &[&component("app", unused)]);
    let run = bench.good(DAY);
    assert!(run.stderr.contains("the ignored image docker.io/library/nothing matches nothing"), "{run:?}");
}

#[test]
fn an_archive_with_other_bytes_than_the_index_says_is_refused() {
    let files = [("templates/pod.yaml", POD), ("values.yaml", IMAGE)];
    let chart = Chart { files: &files, digest: Some("1".repeat(64)), ..Chart::default() };
    let bench = Bench::new(&[&component("app", "min_age: 0d\n")]);
    let _server = Repository::new(&[chart]).serve(&bench);
    let run = bench.resolve(&["--as-of", DAY]);
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(run.stderr.contains("https://charts.test/archives/app-1.0.0.tgz"), "{run:?}");
    assert!(run.stderr.contains(&format!("expected sha256:{}", "1".repeat(64))), "{run:?}");
}

#[test]
fn a_deprecated_chart_names_its_successor_and_fails_the_check() {
    if support::helm().is_none() {
        return;
    }
    let chart = Chart { metadata: "deprecated: true\n", ..Chart::default() };
    let end = "min_age: 0d\nend_of_life: [{versions: \"*\", date: 2026-08-01, successor: alloy}]\n";
    let bench = Bench::new(&[&component("app", end)]);
    let _server = Repository::new(&[chart]).serve(&bench);
    let run = bench.good(DAY);
    assert!(run.stderr.contains("1.0.0 is deprecated; its successor is alloy"), "{run:?}");
    assert_eq!(bench.resolve(&["--as-of", DAY, "--check"]).code, Some(1));
    let accepted =
        format!("{end}accepted: [{{what: deprecated, reason: a test}}, {{what: end_of_life, reason: a test}}]\n");
    bench.catalog("[amd64, arm64]", &[&component("app", &accepted)]);
    bench.good(DAY);
    assert_eq!(bench.resolve(&["--as-of", DAY, "--check"]).code, Some(0));
}

#[test]
fn without_a_date_it_asks_for_min_age() {
    let chart = Chart::default();
    let bench = Bench::new(&[&component("app", "")]);
    // One entry is all of the entries of its day: that date says nothing.
    let _server = Repository::new(&[chart]).serve(&bench);
    let run = bench.resolve(&["--as-of", DAY]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("1.0.0 has no date") && run.stderr.contains("min_age: 0d"), "{run:?}");
}

#[test]
fn an_index_that_stamps_all_entries_takes_the_date_of_the_release() {
    let files = [("templates/pod.yaml", POD), ("values.yaml", IMAGE)];
    let bench = Bench::new(&[
        "name: app\nsource: {helm: \"https://charts.test\", chart: app}\nimages: [\"quay.io/prometheus/alertmanager:v0.33.1\"]\n",
    ]);
    let version = |version| Chart { version, files: &files, created: "2026-08-22T00:00:00Z", ..Chart::default() };
    let mut repository = Repository::new(&[version("1.1.0"), version("1.0.0")]);
    // 4.53.4 was released three days before that day, 4.53.3 in June.
    for (version, tag) in [("1.1.0", "v4.53.4"), ("1.0.0", "v4.53.3")] {
        let release = format!("https://github.com/mikefarah/yq/releases/download/{tag}/app-{version}.tgz");
        repository.index = repository.index.replace(&format!("archives/app-{version}.tgz"), &release);
    }
    let _server = repository.serve(&bench);
    let run = bench.resolve(&["-v", "--as-of", DAY]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("1.1.0 was released 2026-08-19, younger than 7d"), "{run:?}");
    assert_eq!(bench.version("app"), "1.0.0");
    assert_eq!(bench.upstream.counted(), 2);
}

#[test]
fn bytes_that_were_replaced_under_their_name_wait() {
    let tool = |age: &str| {
        format!(
            "name: tool\nmin_age: {age}\nsource: {{github: mikefarah/yq, tag: \"v{{version}}\", kind: releases}}\n\
         files: [{{name: tool, url: \"https://charts.test/tool\", checksum: {{url: \"https://charts.test/sums\"}}}}]\n"
        )
    };
    let bench = Bench::new(&[&tool("7d")]);
    let serve = |bytes: &str| {
        let mut repository = Repository::new(&[]);
        repository.files.insert("/tool".to_owned(), bytes.as_bytes().to_vec());
        let sums = format!("{}  tool\n", Digest::of(bytes.as_bytes()).hex());
        repository.files.insert("/sums".to_owned(), sums.into_bytes());
        repository.serve(&bench)
    };
    let first = serve("one");
    bench.good(DAY);
    let old = bench.lock_text();
    drop(first);
    let _second = serve("two");
    let run = bench.resolve(&["--as-of", DAY]);
    assert_eq!((run.code, bench.lock_text()), (Some(3), old), "{run:?}");
    assert!(run.stderr.contains("`https://charts.test/tool` has other bytes than the locked ones"), "{run:?}");
    bench.catalog("[amd64, arm64]", &[&tool("0d")]);
    bench.good(DAY);
    assert!(bench.lock_text().contains(&Digest::of(b"two").hex()));
}

#[test]
fn charts_of_one_component_share_their_version() {
    if support::helm().is_none() {
        return;
    }
    let version = |name, version| Chart { name, version, ..Chart::default() };
    let charts = [
        version("base", "1.0.0"),
        version("base", "1.1.0"),
        version("base", "1.2.0"),
        version("gateway", "1.0.0"),
        version("gateway", "1.1.0"),
    ];
    let one = |name: &str| {
        format!("  - {{repository: \"https://charts.test\", name: {name}, release: {{name: {name}, namespace: x}}}}\n")
    };
    let mesh = format!("name: mesh\nmin_age: 0d\ncharts:\n{}{}", one("base"), one("gateway"));
    let bench = Bench::new(&[&mesh]);
    let _server = Repository::new(&charts).serve(&bench);
    bench.good(DAY);
    let mesh = &bench.lock().components["mesh"];
    assert_eq!(mesh.version, "1.1.0", "gateway has no 1.2.0");
    assert_eq!(mesh.charts.keys().collect::<Vec<_>>(), ["base", "gateway"]);
    assert!(mesh.charts.values().all(|chart| chart.version.is_none() && chart.name.is_none()));
}

#[test]
fn a_chart_in_a_registry_is_locked_by_its_layer() {
    if support::helm().is_none() {
        return;
    }
    let blackbox = "name: prometheus-blackbox-exporter\nmin_age: 0d\n\
        chart: {repository: \"oci://ghcr.io/prometheus-community/charts\", name: prometheus-blackbox-exporter, \
        version: \">=11, <12\", release: {name: x, namespace: x}}\n";
    let bench = Bench::new(&[blackbox]);
    bench.good(DAY);
    let component = &bench.lock().components["prometheus-blackbox-exporter"];
    let chart = component.chart.as_ref().unwrap();
    assert_eq!(chart.from, From::Oci);
    assert_eq!(
        chart.url,
        format!("oci://ghcr.io/prometheus-community/charts/prometheus-blackbox-exporter:{}", component.version)
    );
    assert!(!component.images.is_empty());
}

#[test]
fn a_chart_in_a_registry_that_wants_another_kubernetes_is_passed_over() {
    if support::helm().is_none() {
        return;
    }
    let version = |name, version, metadata| Chart { name, version, metadata, ..Chart::default() };
    let charts = [
        version("base", "1.2.0", "kubeVersion: \">=1.40.0-0\"\n"),
        version("base", "1.1.0", ""),
        version("base", "1.0.0", "deprecated: true\n"),
        version("gateway", "1.2.0", ""),
        version("gateway", "1.1.0", "kubeVersion: \"<1.36\"\n"),
        version("gateway", "1.0.0", ""),
    ];
    let chart = |name: &str| {
        format!("{{repository: \"oci://oci.test/charts\", name: {name}, release: {{name: {name}, namespace: x}}}}")
    };
    let base = format!("name: base\nmin_age: 0d\nchart: {}\n", chart("base"));
    let mesh = format!("name: mesh\nmin_age: 0d\ncharts: [{}, {}]\n", chart("base"), chart("gateway"));
    let bench = Bench::new(&[&base, &mesh]);
    let _server = Repository::new(&charts).in_registry().serve(&bench);
    let run = bench.resolve(&["-v", "--as-of", DAY]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("base: chart base: passed over: 1.2.0 wants Kubernetes >=1.40.0-0"), "{run:?}");
    assert!(run.stderr.contains("mesh: chart base: passed over: 1.1.0 wants Kubernetes <1.36"), "{run:?}");
    assert!(run.stderr.contains("mesh: 1.0.0 is deprecated"), "{run:?}");
    assert_eq!((bench.version("base"), bench.version("mesh")), ("1.1.0".to_owned(), "1.0.0".to_owned()));
    // What was learned is enough without a network.
    let old = bench.lock_text();
    let offline = bench.resolve(&["--offline", "--as-of", DAY]);
    assert_eq!((offline.code, bench.lock_text()), (Some(0), old), "{offline:?}");
}

#[test]
fn a_chart_that_does_not_render_is_told_by_its_name() {
    if support::helm().is_none() {
        return;
    }
    let files = [("templates/fails.yaml", "{{ fail \"set a password\" }}")];
    let bench = Bench::new(&[&component("app", "min_age: 0d\n")]);
    let _server = Repository::new(&[Chart { files: &files, ..Chart::default() }]).serve(&bench);
    let run = bench.resolve(&["--as-of", DAY]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("helm cannot render app: ") && run.stderr.contains("set a password"), "{run:?}");
}

#[test]
fn the_helm_of_the_lock_renders_where_there_is_none() {
    let Some(helm) = support::helm() else { return };
    let (arch, name) = match std::env::consts::ARCH {
        "aarch64" => ("arm64", "linux-arm64/helm"),
        _ => ("amd64", "linux-amd64/helm"),
    };
    // A program that runs the real one: what counts is where it comes from.
    let program = format!("#!/bin/sh\nexec '{}' \"$@\"\n", helm.display());
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(program.len() as u64);
    header.set_mode(0o755);
    builder.append_data(&mut header, name, program.as_bytes()).unwrap();
    let archive = builder.into_inner().unwrap().finish().unwrap();
    let sums = format!("{}  helm.tar.gz\n", Digest::of(&archive).hex());
    let files = [("templates/pod.yaml", POD), ("values.yaml", IMAGE)];
    let mut repository = Repository::new(&[Chart { files: &files, ..Chart::default() }]);
    repository.files.insert("/helm.tar.gz".to_owned(), archive);
    repository.files.insert("/sums".to_owned(), sums.into_bytes());
    let own = "name: helm\nsource: {github: helm/helm, tag: \"v{version}\", kind: releases}\nversion: \">=4, <5\"\n\
        files: [{name: helm, url: \"https://charts.test/helm.tar.gz\", checksum: {url: \"https://charts.test/sums\"}, extract: \"linux-{arch}/helm\"}]\n";
    let bench = Bench::new(&[own, &component("app", "min_age: 0d\n")]);
    bench.catalog(&format!("[{arch}]"), &[own, &component("app", "min_age: 0d\n")]);
    let _server = repository.serve(&bench);
    let resolve = |bench: &Bench| {
        let mut command = bench.sandbox.bundler();
        command.env("PATH", bench.sandbox.path("empty")).args(["resolve", "--as-of", DAY]).output().unwrap()
    };
    let output = resolve(&bench);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(bench.lock().components["app"].images.len(), 1);
    let cached = bench.sandbox.cache().join("programs");
    assert_eq!(std::fs::read_dir(&cached).unwrap().count(), 1);
    // Without that component there is nothing to render with, and the message says what to do.
    bench.catalog("[amd64]", &[&component("app", "min_age: 0d\n")]);
    std::fs::remove_file(bench.lock_file()).unwrap();
    let output = resolve(&bench);
    assert_ne!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--helm PATH"), "{output:?}");
}

/// Runs `bundler images` in the catalog's directory.
fn images(bench: &Bench, arguments: &[&str]) -> super::Run {
    let output = bench.sandbox.bundler().arg("images").args(arguments).output().unwrap();
    super::Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn every_image_of_the_catalog_says_where_it_was_found() {
    if support::helm().is_none() {
        return;
    }
    let files = [("templates/pod.yaml", POD), ("values.yaml", IMAGE)];
    let declared = component(
        "app",
        "min_age: 0d\ndeclared_images: [{image: \"docker.io/kubeedge/edgemesh-agent:v1.17.0\", reason: injected on demand}]\n",
    );
    let bench = Bench::new(&[&declared, super::EDGEMESH]);
    let _server = Repository::new(&[Chart { files: &files, ..Chart::default() }]).serve(&bench);
    let run = images(&bench, &["--why"]);
    assert_eq!(run.code, Some(2), "there is no lock: {run:?}");

    bench.good(DAY);
    let lock = bench.lock();
    let digest = |image: &str| lock.images[&image.parse().unwrap()].digest;
    let (agent, alert) = ("docker.io/kubeedge/edgemesh-agent:v1.17.0", "quay.io/prometheus/alertmanager:v0.33.1");
    // All that is needed was kept, so that nothing is asked again.
    let run = images(&bench, &["--why", "--offline"]);
    let expected = format!(
        "{agent}\n  digest: {}\n  app\n    declared: injected on demand\n  edgemesh\n    declared: an image of the component\n\
         {alert}\n  digest: {}\n  app\n    pod: app/templates/pod.yaml: Pod pod: spec.containers[0].image\n",
        digest(agent),
        digest(alert),
    );
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (Some(0), expected.as_str(), ""));
    let run = images(&bench, &["edgemesh", "--format", "json"]);
    let expected = serde_json::json!([{"schema": 1, "image": agent, "digest": digest(agent), "found": [
        {"component": "edgemesh", "kind": "declared", "where": "an image of the component"}
    ]}]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&run.stdout).unwrap(), expected, "{run:?}");
    assert_eq!(images(&bench, &["edgemesh"]).stdout, format!("{agent}\n"));

    let run = images(&bench, &["edgemseh"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("did you mean `edgemesh`?"), "{run:?}");
    // What changed since the lock was written has no digest in it.
    let other = component("app", "declared_images: [{image: \"quay.io/x/new:v1\", reason: new}]\n");
    bench.catalog("[amd64, arm64]", &[&other, super::EDGEMESH]);
    let run = images(&bench, &["app", "--why"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stdout.contains("quay.io/x/new:v1\n  digest: none in the lock\n"), "{run:?}");
    assert!(run.stderr.contains(&format!("app: {agent} is in the lock, but nothing wants it any more")), "{run:?}");
}
