//! Metrics: what Prometheus is told, and what it is kept away from.

use serde_json::json;

use super::render::{find, stack};

#[test]
fn prometheus_keeps_fifteen_days_and_takes_what_edges_push_late() {
    let Some(stack) = stack() else { return };
    let prometheus = stack.find("Prometheus", "kps-prometheus");
    assert_eq!(prometheus.at("/spec/retention"), "15d");
    assert_eq!(prometheus.at("/spec/retentionSize"), "18GiB");
    assert_eq!(prometheus.at("/spec/enableRemoteWriteReceiver"), true);
    assert_eq!(prometheus.at("/spec/tsdb/outOfOrderTimeWindow"), "24h");
    let volume = "/spec/storage/volumeClaimTemplate/spec/resources/requests/storage";
    assert_eq!(prometheus.at(volume), "20Gi", "more than retentionSize, which leaves the write-ahead log out");
    // An empty selector takes every object of its kind, whoever made it.
    for selector in ["rule", "serviceMonitor", "podMonitor", "probe", "scrapeConfig"] {
        assert_eq!(prometheus.at(&format!("/spec/{selector}Selector")), &json!({}), "{selector}");
    }
}

#[test]
fn what_k3s_runs_in_one_process_is_not_scraped_four_times() {
    let Some(stack) = stack() else { return };
    for part in ["kube-controller-manager", "kube-scheduler", "kube-proxy", "kube-etcd"] {
        let found = stack.all("ServiceMonitor").find(|object| object.name().ends_with(part));
        assert!(found.is_none(), "{:?}", found.map(|object| object.place()));
    }
}

#[test]
fn the_operator_leaves_kubelets_of_edges_out() {
    let Some(stack) = stack() else { return };
    let operator = stack.find("Deployment", "kps-operator");
    let arguments = operator.at("/spec/template/spec/containers/0/args").as_array().unwrap();
    assert!(arguments.contains(&json!("--kubelet-selector=!node-role.kubernetes.io/edge")), "{arguments:?}");
}

#[test]
fn a_site_gives_sizes_and_a_storage_class() {
    let Some(stack) = stack() else { return };
    let site = "prometheus: {prometheusSpec: {retention: 7d, retentionSize: 4GiB, storageSpec: {volumeClaimTemplate: \
                {spec: {storageClassName: fast, resources: {requests: {storage: 5Gi}}}}}}}\n";
    let objects = stack.with("kube-prometheus-stack", site);
    let prometheus = find(&objects, "Prometheus", "kps-prometheus");
    assert_eq!(prometheus.at("/spec/retention"), "7d");
    let claim = prometheus.at("/spec/storage/volumeClaimTemplate/spec");
    let wanted = json!({"storageClassName": "fast", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}});
    assert_eq!(claim, &wanted);
}
