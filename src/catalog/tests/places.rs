//! Mistakes in fields: each is told with its file, line and column, all of them at once.

use super::*;

#[test]
fn names_the_place_in_the_catalog() {
    let mut others = Vec::new();
    for (from, to, expected) in [
        (
            "schema: 1",
            "schema: 2",
            "catalog.yaml:1:9: schema 2 is newer than this program, which reads up to 1 (use a newer bundler)",
        ),
        ("schema: 1", "schema: 0", "catalog.yaml:1:1: schema 0 is not known (write `schema: 1`)"),
        (
            "schema: 1",
            "schema: 9\nnew_field: 1",
            "catalog.yaml:1:9: schema 9 is newer than this program, which reads up to 1 (use a newer bundler)",
        ),
        ("profiles:", "profile:", "catalog.yaml:5:1: unknown field `profile` (did you mean `profiles`?)"),
        (
            "[helm]",
            "[helm, hlem]",
            "catalog.yaml:6:16: profile `site` names component `hlem`, which does not exist (did you mean `helm`?)",
        ),
        ("[helm]", "[helm, helm]", "catalog.yaml:6:16: component `helm` a second time in this profile"),
        ("[helm]", "[]", "catalog.yaml:6:9: profile `site` has no component"),
        (
            "[helm]",
            "helm",
            "catalog.yaml:6:3: invalid type: string \"helm\", expected a list of component names, or a map with `components`",
        ),
        (
            "[helm]",
            "{components: [helm], budget: 350}",
            "catalog.yaml:6:38: `350` is not a size (write it as `350MB` or `1.5GiB`)",
        ),
        (
            "[helm]",
            "{components: [helm], budgte: 350MB}",
            "catalog.yaml:6:30: unknown field `budgte` (did you mean `budget`?)",
        ),
        ("site:", "../site:", "catalog.yaml:6:3: `../site` cannot name a profile"),
        ("observability", "a/b", "catalog.yaml:2:7: `a/b` cannot name a bundle"),
        ("1.4.0", "../1", "catalog.yaml:3:10: `../1` cannot be a bundle's version"),
        (
            "\"1.36\"",
            "1.36.4",
            "catalog.yaml:4:24: `1.36.4` is not a minor version (write major and minor in quotes, such as \"1.36\")",
        ),
        ("arm64]", "amd64]", "catalog.yaml:4:73: architecture `amd64` a second time"),
        ("[amd64, arm64]", "[]", "catalog.yaml:4:50: no architecture"),
        ("arm64]", "mips]", "catalog.yaml:4:73: "),
        ("\"1.36\"", "\"1.36\", also: [\"1.34-rc\"]", "catalog.yaml:4:39: `1.34-rc` is not a version of Kubernetes"),
        ("\"1.36\"", "\"1.36\", matrix: {source: x, rows: []}", "catalog.yaml:4:41: `x` is not a URL"),
        (
            "profiles:",
            "accepted: [{what: renamed, reason: x}]\nprofiles:",
            "catalog.yaml:5:12: `catalog.yaml` has no warning of this kind (it belongs to `accepted` of a component)",
        ),
        ("arm64]", "arm64], api_versions: [\"a b\"]", "catalog.yaml:4:96: `a b` is not an API version"),
        ("profiles:\n  site: [helm]", "profiles: {}", "catalog.yaml:5:1: no profile, so there is nothing to pack"),
        (
            "profiles:",
            "policy: {min_age: a week}\nprofiles:",
            "catalog.yaml:5:19: `a week` is not an age (write days, such as `7d` or `0d`)",
        ),
        ("name: observability", "name: a\nname: b", "catalog.yaml:3:1: `name` is here a second time"),
        ("name: observability", "name: *nothing", "catalog.yaml:2:7: "),
        ("name: observability", "name: [", "catalog.yaml:"),
    ] {
        let failure = changed_catalog(from, to);
        if !failure.starts_with(expected) {
            others.push(format!("for {to:?}\n  {failure}\nis not\n  {expected}"));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}

#[test]
fn names_the_place_in_a_component() {
    let mut others = Vec::new();
    for (component, from, to, expected) in [
        (
            HELM,
            "name: helm\ns",
            "name: hlem\ns",
            "component.yaml:1:7: component `hlem` is in a directory of another name",
        ),
        (
            HELM,
            "source: {github: helm/helm, tag: \"v{version}\", kind: releases}\n",
            "",
            "2:10: `version` narrows the versions of a `source`",
        ),
        (HELM, "helm/helm", "helm", "2:10: `helm` is not a repository on GitHub (write `owner/name`)"),
        (HELM, "helm/helm", "helm/../x", "2:10: `helm/../x` is not a repository on GitHub"),
        (
            HELM,
            "github: helm/helm",
            "github: helm/helm, oci: docker.io/library/redis",
            "2:9: a source has exactly one of `github`, `helm` and `oci`",
        ),
        (HELM, "github: helm/helm, ", "", "2:9: a source has exactly one of"),
        (
            HELM,
            "github: helm/helm",
            "oci: docker.io/library/redis:8",
            "2:10: `docker.io/library/redis:8` names one image",
        ),
        (HELM, "v{version}\", ", "v\", ", "2:29: `v` is not a tag pattern"),
        (HELM, "v{version}\", ", "{version}-{version}\", ", "2:29: `{version}-{version}` is not a tag pattern"),
        (HELM, "tag: \"v{version}\", ", "", "2:9: which of the tags are versions is not said"),
        (HELM, "kind: releases", "kind: release", "2:54: unknown value `release` (did you mean `releases`?)"),
        (HELM, ">=4, <5", ">=5, <4", "3:10: no version can meet `>=5, <4`"),
        (HELM, ">=4, <5", "four", "3:10: `four` is not a constraint"),
        (HELM, ">=4, <5", "{kubernets}.*", "3:10: `{kubernets}` means nothing in a constraint"),
        (HELM, "- name: helm", "- name: ../helm", "5:11: `../helm` cannot name a file"),
        (HELM, "- name: helm", "- name: \"he\\u001blm\"", "5:11: `he\\u{1b}lm` cannot name a file"),
        (
            HELM,
            "https://get.helm.sh/helm-v{version}-linux-{arch}.tar.gz\"\n",
            "ftp://x/{arch}\"\n",
            "6:5: `ftp://x/{arch}` is not a URL that begins with https:// or http://",
        ),
        (
            HELM,
            "https://get.helm.sh/helm-v{version}-linux-{arch}.tar.gz\"\n",
            "https://me:secret@x/{arch}\"\n",
            "6:5: the URL on x holds credentials",
        ),
        (HELM, "linux-{arch}.tar.gz\"\n", "linux-{arhc}.tar.gz\"\n", "6:5: `{arhc}` in `"),
        (
            HELM,
            "\"https://get.helm.sh/helm-v{version}-linux-{arch}.tar.gz\"\n",
            "{amd64: \"https://x/a\"}\n",
            "6:5: nothing for architecture arm64",
        ),
        (HELM, "checksum: {url", "checksum: {github_asset: true, url", "7:15: a checksum has exactly one of"),
        (
            HELM,
            "{url: \"https://get.helm.sh/helm-v{version}-linux-{arch}.tar.gz.sha256sum\"}",
            "{github_asset: true}",
            "7:15: GitHub shows digests of assets only",
        ),
        (
            HELM,
            "{url: \"https://get.helm.sh/helm-v{version}-linux-{arch}.tar.gz.sha256sum\"}",
            "{github_asset: false}",
            "7:15: `github_asset: false` leaves",
        ),
        (
            HELM,
            "{url: \"https://get.helm.sh/helm-v{version}-linux-{arch}.tar.gz.sha256sum\"}",
            "{unpublished: \" \"}",
            "7:5: the reason is empty",
        ),
        (
            HELM,
            "{url: \"https://get.helm.sh/helm-v{version}-linux-{arch}.tar.gz.sha256sum\"}",
            "{unpublished: none, algorithm: sha512}",
            "7:15: `entry` and `algorithm` belong",
        ),
        (HELM, "linux-{arch}/helm", "../../helm", "8:5: `../../helm` is not a plain path in an archive"),
        (
            HELM,
            "files:",
            "hold: {version: 3.1.0, reason: slow}\nfiles:",
            "4:17: version 3.1.0 is held, and the constraint `>=4, <5` does not take it",
        ),
        (
            HELM,
            "files:",
            "hold: {version: <4, reason: slow}\nfiles:",
            "4:17: version <4 is held, and the constraint `>=4, <5` does not take it",
        ),
        (HELM, "files:", "hold: {version: \"<4, >5\", reason: slow}\nfiles:", "4:17: no version can meet `<4, >5`"),
        (
            HELM,
            "files:",
            "hold: {version: 4.1.0, reason: slow, until: soon}\nfiles:",
            "4:45: `soon` is not a date (write it as YYYY-MM-DD)",
        ),
        (HELM, "files:", "end_of_life: [{versions: <4, date: 2026-11-31}]\nfiles:", "4:36: `2026-11-31` is not a date"),
        (
            HELM,
            "files:",
            "compatibility: [{versions: \">=4\"}]\nfiles:",
            "4:28: a row of compatibility without a platform",
        ),
        (
            HELM,
            "files:",
            "accepted: [{what: end_of_lif, reason: x}]\nfiles:",
            "4:19: unknown value `end_of_lif` (did you mean `end_of_life`?)",
        ),
        (HELM, "files:", "min_age: 7\nfiles:", "4:10: `7` is not an age"),
        (
            HELM,
            "files:",
            "image_list: {url: \"https://x/l\", carried_by: hlem}\nfiles:",
            "4:46: this component has no file `hlem` (did you mean `helm`?)",
        ),
        (HELM, "extract:", "extarct:", "8:5: unknown field `extarct` (did you mean `extract`?)"),
        (
            LOKI,
            "  repository: https://grafana-community.github.io/helm-charts\n",
            "",
            "3:3: a chart has exactly one of `repository` and `url`",
        ),
        (
            LOKI,
            "repository: https",
            "url: https://x/{version}.tgz\n  repository: https",
            "3:3: a chart has exactly one of",
        ),
        (
            LOKI,
            "repository: https://grafana-community.github.io/helm-charts",
            "url: https://x/loki.tgz",
            "5:12: the archive at a `url` has the version that it says itself",
        ),
        (
            LOKI,
            "repository: https://grafana-community.github.io/helm-charts",
            "url: \"https://x/{version}.tgz\"",
            "3:3: the chart's URL has the version of a source, and there is none",
        ),
        (
            LOKI,
            "namespace: monitoring",
            "namespace: Monitoring",
            "3:3: release `loki` in namespace `Monitoring`: both are names in Kubernetes",
        ),
        (
            LOKI,
            "  release",
            "  set: {image.tag: \"{versoin}\"}\n  release",
            "3:3: `{versoin}` means nothing in the value of `image.tag`",
        ),
        (
            LOKI,
            "chart:",
            "images: [\"docker.io/grafana/loki:3\"]\nchart:",
            "2:10: `images` is for components without a chart",
        ),
        (
            LOKI,
            "chart:",
            "declared_images: [{image: \"grafana/loki:latest\", reason: x}]\nchart:",
            "2:27: `grafana/loki:latest` moves",
        ),
        (
            LOKI,
            "chart:",
            "ignored_images: [{image: \"grafana/Loki\", reason: x}]\nchart:",
            "2:26: `grafana/Loki` is not an image reference",
        ),
        (
            LOKI,
            "chart:",
            "charts: []\nchart:\n  values: values.yaml",
            "4:11: `values.yaml` does not exist beside `component.yaml`",
        ),
        (
            LOKI,
            "chart:",
            "chart:\n  values: ../helm/component.yaml",
            "3:11: `../helm/component.yaml` is not a plain path",
        ),
        (LOKI, "chart:", "chart:\n  values: /etc/hostname", "3:11: `/etc/hostname` is not a plain path"),
        (LOKI, "chart:", "resources: [missing/]\nchart:", "2:13: `missing/` does not exist"),
        (CLOUDCORE, "cloudcore:v{version}", "cloudcore:v{app_version}", "4:10: `{app_version}` in `"),
        (CLOUDCORE, "cloudcore:v{version}", "cloudcore", "4:10: `docker.io/kubeedge/cloudcore` moves"),
        (
            CLOUDCORE,
            "cloudcore:v{version}",
            "CloudCore:v{version}",
            "4:10: `docker.io/kubeedge/CloudCore:v{version}` is not an image reference",
        ),
        (
            CLOUDCORE,
            "source: {github: kubeedge/kubeedge, tag: \"v{version}\", kind: releases}\nversion: \"{kubeedge}.*\"\n",
            "",
            "1:7: nothing gives this component a version",
        ),
    ] {
        let failure = changed(component, from, to);
        let expected = if expected.contains("component.yaml") {
            expected.to_owned()
        } else {
            format!("component.yaml:{expected}")
        };
        if !failure.contains(&expected) {
            others.push(format!("for {to:?}\n  {failure}\nis not\n  {expected}"));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}

#[test]
fn tells_every_mistake_at_once() {
    let helm = HELM.replace(">=4, <5", ">=5, <4").replace("- name: helm", "- name: a/b");
    let loki = LOKI.replace("18, <19", "four");
    let failure = failure_of(&[
        ("catalog.yaml", CATALOG.replace("[helm]", "[hlem]").as_bytes()),
        ("components/helm/component.yaml", helm.as_bytes()),
        ("components/loki/component.yaml", loki.as_bytes()),
    ]);
    let lines: Vec<_> = failure.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        lines,
        [
            "4 mistakes",
            "  catalog.yaml:6:10",
            "  components/helm/component.yaml:3:10",
            "  components/helm/component.yaml:5:11",
            "  components/loki/component.yaml:5:12",
        ],
        "{failure}"
    );
}

#[test]
fn bounds_the_list_of_mistakes() {
    let names = (0..50).map(|i| format!("none{i:02}")).collect::<Vec<_>>().join(", ");
    let text = CATALOG.replace("[helm]", &format!("[{names}]"));
    let failure = failure_of(&[("catalog.yaml", text.as_bytes()), ("components/helm/component.yaml", HELM.as_bytes())]);
    assert_eq!(failure.lines().count(), 22);
    assert!(failure.ends_with("  and 30 more"), "{failure}");
}
