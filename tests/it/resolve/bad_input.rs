//! Charts and values that are wrong or hostile: a clear error, and the other components resolved all the same.

use super::charts::{Chart, IMAGE, POD, Repository, component};
use super::{Bench, DAY, Run, YQ};
use crate::support::{self, Fault, Proxy};

/// Resolves a chart `app` beside yq; the chart's component has to fail and yq to be locked.
fn refused(charts: &[Chart<'_>], more: &str, prepare: impl FnOnce(&Bench, &mut Repository)) -> Run {
    refused_by(charts, more, prepare, |bench| bench.resolve(&["--as-of", DAY]))
}

fn refused_by(
    charts: &[Chart<'_>],
    more: &str,
    prepare: impl FnOnce(&Bench, &mut Repository),
    resolve: impl FnOnce(&Bench) -> Run,
) -> Run {
    let app = component("app", &format!("min_age: 0d\n{more}"));
    let bench = Bench::new(&[&app, YQ]);
    let mut repository = Repository::new(charts);
    prepare(&bench, &mut repository);
    let _server = repository.serve(&bench);
    let run = resolve(&bench);
    assert_eq!(run.code, Some(3), "{run:?}");
    let lock = bench.lock();
    assert_eq!(lock.components.keys().collect::<Vec<_>>(), ["yq"], "the other one is resolved");
    assert_eq!(lock.unresolved.len(), 1);
    assert!(run.stderr.contains("error: app was not resolved"), "{run:?}");
    run
}

/// Gives the chart's component a values file.
fn with_values(values: &'static str) -> impl FnOnce(&Bench, &mut Repository) {
    move |bench: &Bench, _: &mut Repository| {
        let file = bench.sandbox.path("manifests/components/app/component.yaml");
        let text = std::fs::read_to_string(&file)
            .unwrap()
            .replace("name: app, release", "name: app, values: values.yaml, release");
        std::fs::write(file, text).unwrap();
        bench.sandbox.write("manifests/components/app/values.yaml", values);
    }
}

fn says(run: &Run, parts: &[&str]) {
    for part in parts {
        assert!(run.stderr.contains(part), "{part}: {run:?}");
    }
}

#[test]
fn values_that_break_the_render_are_told_with_file_and_line() {
    if support::helm().is_none() {
        return;
    }
    let template = "kind: Pod\nmetadata:\n  name: {{ required \"a name is needed\" .Values.name }}\n";
    let files = [("templates/pod.yaml", template), ("values.yaml", "name: x\n")];
    let chart = || [Chart { files: &files, ..Chart::default() }];
    let run = refused(&chart(), "", with_values("name: \"\"\n"));
    says(&run, &["app/templates/pod.yaml:3:", "a name is needed", "hint: `values` and `set` of the component"]);
    let run = refused(&chart(), "", with_values("name: x\nmore: [\n"));
    says(&run, &["manifests/components/app/values.yaml", "line "]);
}

#[test]
fn a_chart_without_the_held_version_says_so() {
    let run = refused(&[Chart::default()], "hold: {version: 9.9.9, reason: a test}\n", |_, _| {});
    says(&run, &["`chart app` has no version 9.9.9, which is held", "hint: change or remove `hold`"]);
}

#[test]
fn a_repository_that_is_not_there_is_told_with_where_to_look() {
    let run = refused(&[Chart::default()], "", |bench, _| {
        let file = bench.sandbox.path("manifests/components/app/component.yaml");
        let text =
            std::fs::read_to_string(&file).unwrap().replace("https://charts.test", "https://charts.test/nowhere");
        std::fs::write(file, text).unwrap();
    });
    says(&run, &["/nowhere/index.yaml` answered 404", "hint: check the names and URLs of the component"]);
}

#[test]
fn a_kube_version_that_excludes_the_platform_is_told() {
    let chart = Chart { metadata: "kubeVersion: \"<1.30.0-0\"\n", ..Chart::default() };
    let run = refused(&[chart], "", |_, _| {});
    says(&run, &["1.0.0 wants Kubernetes <1.30.0-0, the platform has 1.36.0"]);
    if support::helm().is_none() {
        return;
    }
    // Where the index is silent, Helm speaks.
    let chart = Chart { metadata: "kubeVersion: \"<1.30.0-0\"\n", ..Chart::default() };
    let run = refused(&[chart], "", |_, repository| {
        repository.index = repository
            .index
            .lines()
            .filter(|line| !line.contains("kubeVersion"))
            .map(|line| format!("{line}\n"))
            .collect();
    });
    says(&run, &["chart requires kubeVersion: <1.30.0-0", "hint: the chart excludes the Kubernetes of the platform"]);
}

#[test]
fn an_image_that_is_a_template_is_told_with_its_place() {
    if support::helm().is_none() {
        return;
    }
    let files = [("templates/pod.yaml", POD), ("values.yaml", "image: \"quay.io/x/y:{{ .Values.tag }}\"\n")];
    let run = refused(&[Chart { files: &files, ..Chart::default() }], "", |_, _| {});
    says(&run, &["`quay.io/x/y:{{ .Values.tag }}` is no image reference", "Pod pod: spec.containers[0].image"]);
    // Of a value that is ours, the file and line are told.
    let set = "image: quay.io/prometheus/alertmanager:v0.33.1\n";
    let files = [("templates/pod.yaml", POD), ("values.yaml", set)];
    let own = with_values("# ours\nimage: \"quay.io/x/y:{{ .Values.tag }}\"\n");
    let run = refused(&[Chart { files: &files, ..Chart::default() }], "", own);
    says(&run, &["Pod pod: spec.containers[0].image", "written in manifests/components/app/values.yaml:2"]);
}

#[test]
fn a_render_that_needs_a_cluster_is_told() {
    if support::helm().is_none() {
        return;
    }
    let template = "{{- $secret := lookup \"v1\" \"Secret\" \"x\" \"y\" }}\nkind: Pod\nmetadata: {name: {{ $secret.data.name | b64dec }}}\n";
    let run = refused(&[Chart { files: &[("templates/pod.yaml", template)], ..Chart::default() }], "", |_, _| {});
    says(&run, &["app/templates/pod.yaml:3:"]);
}

/// A gzip of a tar with these members: name, type, link and content.
fn archive(members: &[(&str, tar::EntryType, &str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, kind, link, content) in members {
        let mut header = tar::Header::new_gnu();
        // As bytes: the library itself would refuse `..`.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        if !link.is_empty() {
            header.set_link_name(link).unwrap();
        }
        header.set_cksum();
        builder.append(&header, content.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

#[test]
fn hostile_archives_are_refused_and_leave_nothing_behind() {
    use tar::EntryType::{Regular, Symlink};
    let about = "apiVersion: v2\nname: app\nversion: 1.0.0\n";
    let chart = ("app/Chart.yaml", Regular, "", about);
    let cases = [
        (archive(&[chart, ("app/../../outside", Regular, "", "x")]), "which leads out of the chart"),
        (archive(&[chart, ("/outside", Regular, "", "x")]), "outside"),
        (archive(&[chart, ("app/templates", Symlink, "/etc", "")]), "that is a symbolic link"),
        (archive(&[chart, ("app/Chart.yaml", Regular, "", about)]), "two members named `Chart.yaml`"),
        (archive(&[chart, ("other/Chart.yaml", Regular, "", about)]), "two top directories, `app` and `other`"),
        (zeros(about), "2147483648 bytes"),
    ];
    for (bytes, expected) in cases {
        let index = |_: &Bench, repository: &mut Repository| {
            let mut index = String::new();
            for line in repository.index.lines().filter(|line| !line.contains("digest:")) {
                index.push_str(line);
                index.push('\n');
            }
            repository.index = index;
            repository.files.insert("/archives/app-1.0.0.tgz".to_owned(), bytes);
        };
        let run =
            refused_by(&[Chart::default()], "", index, |bench| bench.resolve_within(200 << 10, &["--as-of", DAY]));
        says(&run, &["chart `app`", expected]);
    }
}

/// A chart with a file of 2 GiB of zeros in 2 MB: gzip members, one after the other, are one stream.
fn zeros(about: &str) -> Vec<u8> {
    use std::io::Write as _;
    const PART: usize = 16 << 20;
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let header = |name: &str, size: u64| {
        let mut header = tar::Header::new_gnu();
        header.set_path(name).unwrap();
        header.set_size(size);
        header.set_mode(0o644);
        header.set_cksum();
        header.as_bytes().to_vec()
    };
    let mut head = header("app/Chart.yaml", about.len() as u64);
    head.extend(about.as_bytes());
    head.resize(head.len().next_multiple_of(512), 0);
    head.extend(header("app/zeros", 2 << 30));
    let part = gzip(&vec![0; PART]);
    let mut archive = gzip(&head);
    for _ in 0..(2 << 30) / PART {
        archive.extend(&part);
    }
    archive
}

#[test]
fn a_tag_that_is_a_path_is_no_version() {
    let bench = Bench::new(&[YQ]);
    let id = "a".repeat(40);
    let tags = [
        "../../x",
        "v../../x",
        "v4.99.0/../../x",
        "v4.99.0-../../x",
        "v4.99.0+../../x",
        "v4.99.0%2f..%2fx",
        "v4.99.0?x=y",
        "v4.99.0#x",
        "v4.53.3",
    ];
    let line = |tag: &&str| format!("{:04x}{id} refs/tags/{tag}\n", 4 + id.len() + " refs/tags/\n".len() + tag.len());
    let answer = tags.iter().map(line).collect::<String>() + "0000";
    let kind = ("content-type", "application/x-git-upload-pack-result".to_owned());
    let proxy = Proxy::before(bench.upstream.url(), move |asked| {
        let is_list = asked.method == "POST" && asked.target.ends_with("/git-upload-pack");
        if is_list { Fault::Answer(200, vec![kind.clone()], answer.clone().into_bytes()) } else { Fault::None }
    });
    bench.sandbox.config(&bench.upstream.config().replace(bench.upstream.url(), &proxy.url()));
    bench.good(DAY);
    assert_eq!(bench.version("yq"), "4.53.3", "the only one that is a version");
    assert_eq!(proxy.count("git-upload-pack"), 2, "they were listed: {:?}", proxy.asked());
    for asked in proxy.asked() {
        assert!(!asked.target.contains("..") && !asked.target.contains("4.99"), "{asked:?}");
    }
}

#[test]
fn a_good_chart_beside_them_would_be_taken() {
    if support::helm().is_none() {
        return;
    }
    let files = [("templates/pod.yaml", POD), ("values.yaml", IMAGE)];
    let bench = Bench::new(&[&component("app", "min_age: 0d\n"), YQ]);
    let _server = Repository::new(&[Chart { files: &files, ..Chart::default() }]).serve(&bench);
    bench.good(DAY);
}
