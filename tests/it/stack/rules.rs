//! Every alert of ours fires when it should and stays quiet when it should not, by promtool's own evaluation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::boards::{promql, series};
use super::render::{Stack, stack};
use crate::support::{self, Sandbox};

const KUBE_STATE_METRICS: &str = "https://github.com/kubernetes/kube-state-metrics/tree/v2.20.0/docs/metrics/workload";

/// Series that rules read and boards do not, and where upstream documents them.
const ELSEWHERE: [(&str, &str); 8] = [
    ("fluentbit_storage_fs_chunks", "https://docs.fluentbit.io/manual/administration/monitoring"),
    ("kube_deployment_spec_replicas", KUBE_STATE_METRICS),
    ("kube_deployment_status_replicas_available", KUBE_STATE_METRICS),
    ("kube_statefulset_replicas", KUBE_STATE_METRICS),
    ("kube_statefulset_status_replicas_ready", KUBE_STATE_METRICS),
    ("loki_write_dropped_entries_total", "https://grafana.com/docs/alloy/v1.18/reference/components/loki/loki.write/"),
    ("push_time_seconds", "https://github.com/prometheus/pushgateway/tree/v1.11.3#about-timestamps"),
    ("scrape_samples_scraped", "https://prometheus.io/docs/concepts/jobs_instances/"),
];

/// The cases, a file for each PrometheusRule by its name.
fn cases() -> BTreeMap<String, String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack-rules");
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap()))
        .collect()
}

/// Writes each of our PrometheusRules as the file of rules that the operator makes of it.
fn write_rules(stack: &Stack, sandbox: &Sandbox) -> BTreeMap<String, PathBuf> {
    let own = stack.all("PrometheusRule").filter(|object| object.own);
    own.map(|object| {
        let name = object.name().to_owned();
        let file = sandbox.write(format!("{name}.yaml"), object.at("/spec").to_string());
        (name, file)
    })
    .collect()
}

fn rules(stack: &Stack) -> impl Iterator<Item = &Value> {
    let groups = stack.all("PrometheusRule").filter(|o| o.own).flat_map(|o| o.at("/spec/groups").as_array().unwrap());
    groups.flat_map(|group| group["rules"].as_array().unwrap())
}

#[test]
fn each_alert_fires_and_stays_quiet() {
    let (Some(stack), Some(promtool)) = (stack(), support::monitoring("promtool")) else { return };
    let sandbox = Sandbox::new();
    let files = write_rules(stack, &sandbox);
    assert!(files.len() >= 4, "{files:?}");
    support::output_of(sandbox.command(&promtool).args(["check", "rules"]).args(files.values()));
    for (name, text) in cases() {
        let file = sandbox.write(format!("{name}.test.yaml"), text);
        support::output_of(sandbox.command(&promtool).args(["test", "rules"]).arg(file));
    }
}

#[test]
fn each_alert_has_a_case_of_both_kinds() {
    let Some(stack) = stack() else { return };
    let alerts: BTreeSet<&str> = rules(stack).filter_map(|rule| rule["alert"].as_str()).collect();
    let (mut fires, mut quiet) = (BTreeSet::new(), BTreeSet::new());
    for (name, text) in cases() {
        let cases: Value = bundler::yaml::parse(&name, &text).unwrap();
        for case in cases["tests"].as_array().unwrap() {
            // A quiet alert without anything to look at would prove nothing.
            assert!(!case["input_series"].as_array().unwrap().is_empty(), "{case}");
            for expected in case["promql_expr_test"].as_array().unwrap() {
                let expression = expected["expr"].as_str().unwrap();
                let alert = expression.strip_prefix(r#"ALERTS{alertname=""#).and_then(|rest| rest.split('"').next());
                let alert = alert.unwrap_or_else(|| panic!("{expression}")).to_owned();
                let kind = if expected["exp_samples"].as_array().unwrap().is_empty() { &mut quiet } else { &mut fires };
                kind.insert(alert);
            }
        }
    }
    let of = |set: &BTreeSet<String>| alerts.iter().filter(|alert| !set.contains(**alert)).copied().collect::<Vec<_>>();
    assert_eq!((of(&fires), of(&quiet)), (Vec::new(), Vec::new()), "alerts without a case: that fires, that is quiet");
}

#[test]
fn each_alert_says_what_it_is_and_how_bad() {
    let Some(stack) = stack() else { return };
    let mut names = BTreeSet::new();
    for rule in rules(stack).filter(|rule| rule["alert"].is_string()) {
        let severity = rule.pointer("/labels/severity").and_then(Value::as_str).unwrap_or_default();
        assert!(["critical", "warning", "info"].contains(&severity), "{rule}");
        for annotation in ["summary", "description"] {
            let text = rule["annotations"][annotation].as_str().unwrap_or_default();
            assert!(text.len() > 20, "{rule}");
        }
        assert!(names.insert(rule["alert"].as_str().unwrap()), "there are two of {}", rule["alert"]);
    }
    // A name that the chart's own rules have would be two alerts in one.
    let others = stack.all("PrometheusRule").filter(|object| !object.own);
    let others =
        others.flat_map(|o| o.at("/spec/groups").as_array().unwrap()).flat_map(|g| g["rules"].as_array().unwrap());
    let taken: Vec<_> = others.filter_map(|rule| rule["alert"].as_str()).filter(|name| names.contains(name)).collect();
    assert!(taken.is_empty(), "{taken:?}");
}

#[test]
fn each_rule_reads_series_that_exist() {
    let Some(stack) = stack() else { return };
    let mut known: BTreeSet<String> = series::read().into_iter().flat_map(|s| s.series).map(|s| s.name).collect();
    known.extend(rules(stack).filter_map(|rule| Some(rule["record"].as_str()?.to_owned())));
    let boards = known.clone();
    known.extend(ELSEWHERE.iter().map(|(name, _)| (*name).to_owned()));
    let mut read = BTreeSet::new();
    for rule in rules(stack) {
        let metrics = promql::names(rule["expr"].as_str().unwrap()).metrics;
        let unknown: Vec<_> = metrics.difference(&known).collect();
        assert!(unknown.is_empty(), "{rule}: {unknown:?}");
        read.extend(metrics);
    }
    for (name, source) in ELSEWHERE {
        assert!(read.contains(name) && !boards.contains(name), "{name} needs no source here: {source}");
    }
}

#[test]
fn the_guide_names_each_alert_in_both_languages() {
    let Some(stack) = stack() else { return };
    for guide in ["docs/stack.md", "docs/stack.zh-CN.md"] {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(guide)).unwrap();
        let silent: Vec<_> = rules(stack)
            .filter_map(|rule| rule["alert"].as_str())
            .filter(|name| !text.contains(&format!("`{name}`")))
            .collect();
        assert!(silent.is_empty(), "{guide} does not name {silent:?}");
    }
}
