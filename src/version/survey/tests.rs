use proptest::prelude::*;

use super::*;

fn survey(tags: &[&str], names: &[&str]) -> Survey {
    Survey::of(tags.iter().map(|tag| (*tag).to_owned()).collect(), names)
}

fn guessed(survey: &Survey) -> Option<String> {
    survey.guess().map(|family| family.pattern.to_string())
}

fn fit(survey: &Survey) -> Fit {
    survey.fit(&survey.guess().unwrap().pattern)
}

/// A real history, from what the tests of the choice use.
fn history(name: &str) -> Vec<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let place = ["data/tags", "upstream/tags"].map(|place| root.join(place).join(format!("{name}.tsv")));
    let text = place.iter().find_map(|path| std::fs::read_to_string(path).ok()).unwrap_or_else(|| panic!("{name}"));
    let tags = text.lines().filter(|line| !line.starts_with('#'));
    tags.map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

/// The repository's name is what `add` knows without being told.
#[test]
fn real_repositories_have_the_patterns_that_the_catalog_uses() {
    for (name, expected) in [
        ("containerd__containerd", "v{version}"),
        ("containerd__nerdctl", "v{version}"),
        ("containernetworking__plugins", "v{version}"),
        ("eclipse-mosquitto__mosquitto", "v{version}"),
        ("feiyu563__PrometheusAlert", "v{version}"),
        ("fluent__fluent-bit", "v{version}"),
        ("grafana__alloy", "v{version}"),
        ("grafana__loki", "v{version}"),
        ("helm__helm", "v{version}"),
        ("istio__istio", "{version}"),
        ("jaegertracing__jaeger", "v{version}"),
        ("jkroepke__kube-webhook-certgen", "v{version}"),
        ("k3s-io__k3s", "v{version}"),
        ("kiwigrid__k8s-sidecar", "{version}"),
        ("kube-logging__logging-operator", "{version}"),
        ("kubeedge__edgemesh", "v{version}"),
        ("kubeedge__kubeedge", "v{version}"),
        ("kubegems__alertproxy", "v{version}"),
        ("kubernetes-sigs__cri-tools", "v{version}"),
        ("kubernetes-sigs__metrics-server", "v{version}"),
        ("kubernetes__kube-state-metrics", "v{version}"),
        ("mikefarah__yq", "v{version}"),
        ("open-telemetry__opentelemetry-collector-releases", "v{version}"),
        ("open-telemetry__opentelemetry-operator", "v{version}"),
        ("opencontainers__runc", "v{version}"),
        ("prometheus-operator__kube-prometheus", "v{version}"),
        ("prometheus-operator__prometheus-operator", "v{version}"),
        ("prometheus__alertmanager", "v{version}"),
        ("prometheus__blackbox_exporter", "v{version}"),
        ("prometheus__node_exporter", "v{version}"),
        ("prometheus__prometheus", "v{version}"),
        ("prometheus__pushgateway", "v{version}"),
        ("resmoio__kubernetes-event-exporter", "v{version}"),
        ("timonwong__prometheus-webhook-dingtalk", "v{version}"),
    ] {
        let repository = name.split("__").nth(1).unwrap();
        assert_eq!(guessed(&Survey::of(history(name), &[repository])).as_deref(), Some(expected), "{name}");
    }
}

#[test]
fn a_repository_of_many_things_is_guessed_by_name_alone() {
    for (name, thing, expected) in [
        ("bitnami__charts", "redis", "redis/{version}"),
        ("fluent__helm-charts", "fluent-bit", "fluent-bit-{version}"),
        ("grafana-community__helm-charts", "grafana", "grafana-{version}"),
        ("grafana__helm-charts", "mimir-distributed", "mimir-distributed-{version}"),
        ("jaegertracing__helm-charts", "jaeger", "jaeger-{version}"),
        ("kube-logging__helm-charts", "logging-operator", "logging-operator-{version}"),
        ("open-telemetry__opentelemetry-helm-charts", "opentelemetry-operator", "opentelemetry-operator-{version}"),
        ("prometheus-community__helm-charts", "kube-prometheus-stack", "kube-prometheus-stack-{version}"),
        ("prometheus-community__helm-charts", "prometheus", "prometheus-{version}"),
    ] {
        let tags = history(name);
        assert_eq!(guessed(&Survey::of(tags.clone(), &[thing])).as_deref(), Some(expected), "{name}");
        let unnamed = Survey::of(tags, &["helm-charts"]);
        assert_eq!(guessed(&unnamed), None, "{name}: nothing says which");
        assert!(unnamed.families().len() > 1);
    }
}

#[test]
fn an_image_without_a_variant_is_the_plain_one() {
    let redis = ["latest", "8", "8.2", "8.2.2", "8.2.2-alpine", "8.2.2-bookworm", "8.4-rc1", "alpine", "7.4.6"];
    let redis = survey(&redis, &["redis"]);
    assert_eq!(guessed(&redis).as_deref(), Some("{version}"));
    let fit = fit(&redis);
    assert_eq!((fit.releases, fit.bound), (4, None));
    assert_eq!(fit.highest, ["8.2.2", "8.2", "8"]);
    let left_out: Vec<_> = fit.left_out.iter().map(|l| (l.what.as_str(), l.count, l.example.as_str())).collect();
    assert_eq!(
        left_out,
        [
            ("pre-releases and builds", 1, "8.4-rc1"),
            ("of `{version}-alpine`", 1, "8.2.2-alpine"),
            ("of `{version}-bookworm`", 1, "8.2.2-bookworm"),
            ("without a version", 2, "alpine"),
        ]
    );
    // Where only a variant has the newest, it is what is made today.
    let mosquitto = survey(&["2.0.21", "2.0.21-openssl", "2.0.22-alpine", "2.1.2-alpine"], &[]);
    assert_eq!(guessed(&mosquitto).as_deref(), Some("{version}-alpine"));
}

#[test]
fn dates_beside_versions_are_left_out_and_alone_they_are_the_versions() {
    let alpine = survey(&["3.22", "3.22.1", "20250108", "20260127", "edge"], &[]);
    let found = fit(&alpine);
    assert_eq!((found.releases, found.bound), (2, Some("<3000")));
    assert_eq!(found.highest, ["3.22.1", "3.22"]);
    assert_eq!(alpine.guess().unwrap().newest.as_str(), "3.22.1");
    assert!("<3000".parse::<crate::version::Constraint>().unwrap().matches(&"3.22.1".parse().unwrap()));
    let other = survey(&["v1.2.0", "20260127"], &[]);
    assert_eq!(guessed(&other).as_deref(), Some("v{version}"));
    let dates = fit(&survey(&["20250108", "20260127"], &[]));
    assert_eq!((dates.highest[0].as_str(), dates.bound), ("20260127", None));
    let years = fit(&survey(&["2026.7.1", "0.118.0"], &[]));
    assert_eq!((years.highest[0].as_str(), years.bound), ("2026.7.1", None));
}

#[test]
fn nothing_is_guessed_where_nothing_is_a_release() {
    for tags in [&[][..], &["latest", "main"], &["v1.0.0-rc.1"], &["7.4.0-debian-12-r5"], &["../../x"]] {
        let survey = survey(tags, &[]);
        assert!(survey.guess().is_none() && survey.families().is_empty(), "{tags:?}");
        assert_eq!(survey.tags(), tags.len());
    }
    assert_eq!(survey(&["a", "c", "b"], &[]).examples(), ["c", "b", "a"]);
}

#[test]
fn many_patterns_are_counted_together() {
    let tags: Vec<String> = (0..100_000).map(|number| format!("chart-x{number}y-1.{number}.0")).collect();
    let survey = Survey::of(tags, &[]);
    assert_eq!(survey.families().len(), 100_000);
    assert!(survey.guess().is_none());
    let fit = survey.fit(&survey.families()[0].pattern);
    assert_eq!(fit.left_out.len(), 6);
    assert_eq!(fit.left_out[5].what, "of 99994 other patterns");
}

proptest! {
    /// Every tag is told of once, and what is taken is what the choice of versions takes.
    #[test]
    fn each_tag_is_taken_or_left_out(
        tags in proptest::collection::vec(
            prop_oneof![
                "(v|release-|api/v|x-)?[0-9]{1,2}(\\.[0-9]{1,2}){0,4}(-alpine|-rc\\.1|\\+b1|-[a-z0-9]{1,4})?",
                "[0-9]{8}",
                "\\PC{0,12}",
            ],
            0..40,
        ),
    ) {
        let survey = Survey::of(tags.clone(), &["x"]);
        for family in survey.families() {
            let fit = survey.fit(&family.pattern);
            let left_out: usize = fit.left_out.iter().map(|left_out| left_out.count).sum();
            prop_assert_eq!(fit.releases + left_out, tags.len());
            prop_assert!(fit.releases >= 1);
            let below: Option<crate::version::Constraint> = fit.bound.map(|bound| bound.parse().unwrap());
            let taken: Vec<Version> = tags
                .iter()
                .filter_map(|tag| family.pattern.version(tag))
                .filter(|version| !version.is_prerelease())
                .filter(|version| below.as_ref().is_none_or(|below| below.matches(version)))
                .collect();
            prop_assert_eq!(taken.len(), fit.releases);
            let highest = family.pattern.version(&fit.highest[0]).unwrap();
            prop_assert_eq!(Some(&highest), taken.iter().max());
        }
    }
}
