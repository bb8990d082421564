//! Charts are rendered together: what one defines switches on templates of another.

use super::charts::{Chart, IMAGE, POD, Repository, component};
use super::{Bench, DAY, EARLIER};
use crate::support;
use crate::upstream::faults::Effect;

/// The definition of `Thing` in a group.
fn definition(group: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: things.{group}}}\n\
         spec: {{group: {group}, names: {{kind: Thing, plural: things}}, versions: [{{name: v1, served: true}}]}}\n"
    )
}

#[test]
fn what_one_chart_defines_switches_on_what_another_renders() {
    if support::helm().is_none() {
        return;
    }
    let (in_crds, in_templates) = (definition("a.test"), definition("b.test"));
    let operator = [("crds/a.yaml", in_crds.as_str()), ("templates/b.yaml", in_templates.as_str())];
    let guarded = format!(
        "{{{{- if and (.Capabilities.APIVersions.Has \"a.test/v1\") (.Capabilities.APIVersions.Has \"b.test/v1/Thing\") }}}}{POD}{{{{- end }}}}"
    );
    let app = [("templates/pod.yaml", guarded.as_str()), ("values.yaml", IMAGE)];
    let charts =
        [Chart { files: &app, ..Chart::default() }, Chart { name: "operator", files: &operator, ..Chart::default() }];
    let (one, other) = (component("app", "min_age: 0d\n"), component("operator", "min_age: 0d\n"));
    let bench = Bench::new(&[&one, &other]);
    let _server = Repository::new(&charts).serve(&bench);
    bench.good(DAY);
    let lock = bench.lock_text();
    assert_eq!(bench.lock().components["app"].images.len(), 1, "{lock}");
    // The same when only the one is resolved: the other's chart is the locked one.
    let run = bench.resolve(&["app", "--as-of", DAY]);
    assert_eq!((run.code, bench.lock_text()), (Some(0), lock), "{run:?}");
}

#[test]
fn of_charts_that_are_locked_in_part_each_keeps_its_own_values() {
    if support::helm().is_none() {
        return;
    }
    let defines = format!("{{{{- if .Values.define }}}}\n{}{{{{- end }}}}\n", definition("a.test"));
    let second = [("templates/a.yaml", defines.as_str())];
    let guarded = format!("{{{{- if .Capabilities.APIVersions.Has \"a.test/v1\" }}}}{POD}{{{{- end }}}}");
    let app = [("templates/pod.yaml", guarded.as_str()), ("values.yaml", IMAGE)];
    let charts = [
        Chart { files: &app, ..Chart::default() },
        Chart { name: "first", ..Chart::default() },
        Chart { name: "second", files: &second, ..Chart::default() },
    ];
    let of = |name: &str, set: &str| {
        format!(
            "  - {{repository: \"https://charts.test\", name: {name}, set: {set}, release: {{name: {name}, namespace: x}}}}\n"
        )
    };
    let pair = format!(
        "name: pair\nmin_age: 0d\ncharts:\n{}{}",
        of("first", "{define: \"false\"}"),
        of("second", "{define: \"true\"}")
    );
    let bench = Bench::new(&[&component("app", "min_age: 0d\n"), &pair]);
    let _server = Repository::new(&charts).serve(&bench);
    bench.good(DAY);
    let mut lock = bench.lock();
    assert_eq!(lock.components["app"].images.len(), 1);
    lock.components.get_mut("pair").unwrap().charts.remove("first");
    bench.sandbox.write("bundle.lock.yaml", bundler::lock::to_text(&lock));
    let run = bench.resolve(&["app", "--as-of", DAY]);
    assert_eq!((run.code, bench.lock().components["app"].images.len()), (Some(0), 1), "{run:?}");
}

#[test]
fn charts_are_rendered_for_the_kubernetes_that_the_lock_keeps() {
    if support::helm().is_none() {
        return;
    }
    // As charts do that take a `kubectl` of the cluster's own version.
    let guarded = format!("{{{{- if contains \"1.36.1\" .Capabilities.KubeVersion.Version }}}}{POD}{{{{- end }}}}");
    let files = [("templates/pod.yaml", guarded.as_str()), ("values.yaml", IMAGE)];
    let download = "https://github.com/k3s-io/k3s/releases/download/{tag}";
    let k3s = format!(
        "name: k3s\nsource: {{github: k3s-io/k3s, tag: \"v{{version}}\", kind: releases}}\nversion: \"{{kubernetes}}.*\"\n\
         files:\n  - name: k3s\n    url: {{amd64: \"{download}/k3s\", arm64: \"{download}/k3s-{{arch}}\"}}\n    \
         checksum: {{url: \"{download}/sha256sum-{{arch}}.txt\"}}\n"
    );
    let bench = Bench::new(&[&component("app", "min_age: 0d\n"), &k3s]);
    let _server = Repository::new(&[Chart { files: &files, ..Chart::default() }]).serve(&bench);
    bench.good(EARLIER);
    let (locked, version) = (bench.lock_text(), bench.version("k3s"));
    assert_eq!((version.as_str(), bench.lock().components["app"].images.len()), ("1.36.1+k3s1", 1));
    // A newer one is there, and cannot be had: neither its tags nor its files.
    for target in ["github.com/k3s-io/k3s", "sha256sum-amd64.txt"] {
        bench.upstream.fault(target, None, Effect::Status(404));
        let run = bench.resolve(&["--as-of", DAY]);
        assert_eq!((run.code, bench.lock_text()), (Some(3), locked.clone()), "{target}: {run:?}");
        bench.upstream.heal();
    }
    bench.good(DAY);
    assert!(bench.lock().components["app"].images.is_empty());
}
