//! What `resolve` warns of, what of it `--check` fails over, and how a catalog accepts it.

use super::charts::{Chart, IMAGE, POD, Repository, component};
use super::{Bench, DAY, EDGEMESH, YQ};
use crate::support;

/// Adds lines to the catalog, below `platform` or at its end.
fn with(bench: &Bench, platform: &str, end: &str) {
    let file = bench.sandbox.path("manifests/catalog.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("architectures:", &format!("{platform}architectures:"));
    std::fs::write(file, format!("{text}{end}")).unwrap();
}

fn check(bench: &Bench, day: &str) -> (Option<i32>, String) {
    let run = bench.resolve(&["--as-of", day, "--check"]);
    (run.code, run.stderr)
}

#[test]
fn kubeedges_own_matrix_is_told_with_its_source_and_can_be_accepted() {
    let matrix = "matrix: {source: \"https://matrix.test/kubeedge\", rows: [{kubeedge: \"1.23.*\", kubernetes: \">=1.30, <1.33\"}]}, ";
    let bench = Bench::new(&[YQ]);
    with(&bench, matrix, "");
    let run = bench.good(DAY);
    let warning = "warning: KubeEdge 1.23 is tested with Kubernetes >=1.30, <1.33 by its project, not with 1.36 (https://matrix.test/kubeedge)";
    assert!(run.stderr.contains(warning), "{run:?}");
    assert_eq!(check(&bench, DAY).0, Some(1));

    let accepted = "accepted: [{what: platform, reason: all that it names has ended, until: 2026-08-22}]\n";
    bench.catalog("[amd64, arm64]", &[YQ]);
    with(&bench, matrix, accepted);
    assert_eq!(check(&bench, DAY), (Some(0), "resolving 1 component\n  yq\n".to_owned()));
    let run = bench.resolve(&["--as-of", DAY, "-v"]);
    assert!(
        run.stderr.contains("accepted: KubeEdge 1.23 is tested")
            && run.stderr.contains("(all that it names has ended)"),
        "{run:?}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&bench.resolve(&["--as-of", DAY, "--format", "json"]).stdout).unwrap();
    assert_eq!(json["warnings"][0]["what"], "platform");
    assert_eq!(json["warnings"][0]["component"], serde_json::Value::Null);
    assert_eq!(json["warnings"][0]["accepted"], "all that it names has ended");

    let (code, text) = check(&bench, "2026-08-23");
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("(this was accepted until 2026-08-22)"), "{text}");
    // An older Kubernetes that the matrix names is none of the untested ones.
    bench.catalog("[amd64, arm64]", &[YQ]);
    with(&bench, &format!("also: [\"1.32\", \"1.34\"], {matrix}"), "");
    assert!(check(&bench, DAY).1.contains("not with 1.36 or 1.34 ("), "{:?}", check(&bench, DAY));
}

#[test]
fn an_older_kubernetes_has_to_take_the_charts_and_brings_its_images() {
    if support::helm().is_none() {
        return;
    }
    let old = "{{- if semverCompare \"<1.35.0-0\" .Capabilities.KubeVersion.Version }}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: old}\n\
               spec: {containers: [{name: main, image: \"quay.io/prometheus/blackbox-exporter:v0.28.0\"}]}\n{{- end }}\n";
    let files = [("templates/pod.yaml", POD), ("templates/old.yaml", old), ("values.yaml", IMAGE)];
    let version = |version, metadata| Chart { version, metadata, files: &files, ..Chart::default() };
    let charts = [version("1.1.0", "kubeVersion: \">=1.35.0-0\"\n"), version("1.0.0", "kubeVersion: \">=1.34.0-0\"\n")];
    let bench = Bench::new(&[&component("app", "min_age: 0d\n")]);
    let _server = Repository::new(&charts).serve(&bench);
    bench.good(DAY);
    assert_eq!((bench.version("app"), bench.lock().images.len()), ("1.1.0".to_owned(), 1));
    with(&bench, "also: [\"1.34\"], ", "");
    let run = bench.resolve(&["--as-of", DAY, "-v"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("1.1.0 wants Kubernetes >=1.35.0-0, the platform has also 1.34.0"), "{run:?}");
    assert_eq!((bench.version("app"), bench.lock().images.len()), ("1.0.0".to_owned(), 2));
    // What only the older one cannot render is told with it.
    let fails = [(
        "templates/x.yaml",
        "{{- if semverCompare \"<1.35.0-0\" .Capabilities.KubeVersion.Version }}{{ fail \"too old\" }}{{ end }}",
    )];
    let _server = Repository::new(&[Chart { files: &fails, ..Chart::default() }]).serve(&bench);
    let run = bench.resolve(&["--as-of", DAY]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("chart `app` on Kubernetes 1.34.0") && run.stderr.contains("too old"), "{run:?}");
}

#[test]
fn upstreams_list_of_images_is_held_against_the_catalog() {
    let agent =
        EDGEMESH.trim_start().lines().filter(|line| !line.starts_with("images:")).collect::<Vec<_>>().join("\n");
    let list = |more: &str| {
        format!(
            "{agent}\nimages: [\"docker.io/kubeedge/edgemesh-agent:v1.16.0\", \"docker.io/kubeedge/cloudcore:v1.20.0\"]\n\
             image_list: {{url: \"https://charts.test/images.txt\"{more}}}\n"
        )
    };
    let bench = Bench::new(&[&list(", carry: false")]);
    let mut repository = Repository::new(&[]);
    let listed = "docker.io/kubeedge/edgemesh-agent:v1.17.0\n# none\n\nkubeedge/admission:v1.20.0\n";
    repository.files.insert("/images.txt".to_owned(), listed.as_bytes().to_vec());
    let _server = repository.serve(&bench);
    let run = bench.good(DAY);
    for text in [
        "docker.io/kubeedge/edgemesh-agent:v1.16.0 is declared, and upstream's list of images has docker.io/kubeedge/edgemesh-agent:v1.17.0 instead",
        "docker.io/kubeedge/cloudcore:v1.20.0 is declared, and upstream's list of images does not have it",
        "docker.io/kubeedge/edgemesh-agent:v1.17.0 is in upstream's list of images and not carried",
        "docker.io/kubeedge/admission:v1.20.0 is in upstream's list of images and not carried",
    ] {
        assert!(run.stderr.contains(text), "{text}: {run:?}");
    }
    assert_eq!((check(&bench, DAY).0, bench.lock().images.len()), (Some(1), 2));

    // Carried, all of the list is there but what is ignored, which then matches something.
    let ignored = "ignored_images: [{image: docker.io/kubeedge/admission, reason: a test}]\n\
                   accepted: [{what: image_list, reason: a test}, {what: unmaintained, reason: a test}]\n";
    let both = list("").replace("accepted:", "# ") + ignored;
    bench.catalog("[amd64, arm64]", &[&both]);
    let run = bench.good(DAY);
    assert!(!run.stderr.contains("warning"), "{run:?}");
    assert_eq!((check(&bench, DAY).0, bench.lock().images.len()), (Some(0), 3));
}

#[test]
fn a_profile_over_its_budget_is_told_as_soon_as_sizes_are_known() {
    let bench = Bench::new(&[YQ, EDGEMESH]);
    let file = bench.sandbox.path("manifests/catalog.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let budget = |budget: &str, end: &str| {
        std::fs::write(&file, format!("{text}  edge: {{components: [yq, edgemesh], budget: {budget}}}\n{end}"))
            .unwrap();
    };
    budget("1MB", "");
    let run = bench.good(DAY);
    for arch in ["amd64", "arm64"] {
        let start = format!(
            "profile `edge` has 1.2 MB for {arch}, and its budget is 1.0 MB; the largest are docker.io/kubeedge/edgemesh-agent:v1.17.0 (1.2 MB), yq ("
        );
        assert!(run.stderr.contains(&start), "{start}: {run:?}");
    }
    assert_eq!(check(&bench, DAY).0, Some(1));
    budget("1MB", "accepted: [{what: budget, reason: a test}]\n");
    assert_eq!(check(&bench, DAY).0, Some(0));
    budget("350MB", "");
    assert_eq!(check(&bench, DAY).0, Some(0));
}

#[test]
fn an_archived_or_relicensed_repository_fails_the_check() {
    let own = format!("{YQ}licence: MIT\nend_of_life: [{{versions: \"*\", date: 2030-01-01, successor: yq 5}}]\n");
    let bench = Bench::new(&[&own]);
    bench.upstream.world().set_licence("mikefarah/yq", "MIT");
    bench.good(DAY);
    assert_eq!(check(&bench, DAY).0, Some(0));
    let cost = bench.upstream.counted();
    bench.upstream.world().archive("mikefarah/yq");
    bench.upstream.world().set_licence("mikefarah/yq", "NOASSERTION");
    // What was learned this week is not asked again where asking is counted.
    assert_eq!((check(&bench, DAY).0, bench.upstream.counted()), (Some(0), cost));
    let output = bench.sandbox.bundler().env("GITHUB_TOKEN", "x").args(["resolve", "--as-of", DAY, "--check"]).output();
    let output = output.unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    for text in [
        "yq: mikefarah/yq is archived on GitHub, last changed 2026-08-",
        "; its successor is yq 5",
        "yq: GitHub sees no licence that it knows in mikefarah/yq, and `licence` of the component says MIT",
    ] {
        assert!(stderr.contains(text), "{text}: {stderr}");
    }
    let accepted =
        "accepted: [{what: archived, reason: a test}, {what: relicensed, reason: a test, until: 2026-09-01}]\n";
    bench.catalog("[amd64, arm64]", &[&format!("{own}{accepted}")]);
    bench.good(DAY);
    assert_eq!(check(&bench, DAY).0, Some(0));
    let (code, text) = check(&bench, "2026-09-02");
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("sees no licence") && !text.contains("archived"), "{text}");
}

#[test]
fn an_unanswered_question_about_a_repository_fails_nothing() {
    let bench = Bench::new(&[YQ]);
    bench.good(DAY);
    let cost = bench.upstream.counted();
    let bench = Bench::new(&[YQ]);
    bench.upstream.set_counted(60 - (cost - 1));
    let run = bench.good(DAY);
    assert!(run.stderr.contains("whether mikefarah/yq is archived or has another licence is not known"), "{run:?}");
}
