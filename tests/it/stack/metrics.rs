//! Metrics: what Prometheus is told, and what it is kept away from.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use serde_json::{Value, json};

use super::render::{find, real, stack};
use super::servers::Listening;
use crate::support::{self, Sandbox};

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

#[test]
fn the_tunnel_is_a_view_for_who_asks_and_no_right_of_prometheus() {
    let Some(stack) = stack() else { return };
    let tunnel = stack.find("ScrapeConfig", "edge-tunnel");
    assert!(tunnel.file.starts_with("on-demand/"), "nobody applies it unasked: {}", tunnel.file);
    assert_eq!(tunnel.at("/spec/jobName"), "kubelet-tunnel", "what edges push has the job kubelet");
    let jobs = stack.all("ScrapeConfig").filter(|object| object.at("/spec/scheme") == "HTTPS").count();
    assert_eq!(jobs, 1, "two jobs through the tunnel would fetch everything twice");
    let role = stack.find("ClusterRole", "kps-prometheus").value.to_string();
    assert!(!role.contains("nodes/proxy"), "it would reach into every pod: {role}");
    let own = stack.find("ClusterRole", "edge-tunnel");
    assert_eq!(own.at("/rules"), &json!([{"apiGroups": [""], "resources": ["nodes/proxy"], "verbs": ["get"]}]));
}

#[test]
fn cloudcore_is_read_at_the_port_that_its_pod_does_not_declare() {
    let Some(stack) = stack() else { return };
    let monitor = stack.find("PodMonitor", "cloudcore");
    assert_eq!(monitor.at("/spec/namespaceSelector/matchNames"), &json!(["kubeedge"]));
    let relabelings = monitor.at("/spec/podMetricsEndpoints/0/relabelings").as_array().unwrap();
    let of = |label: &str| relabelings.iter().find(|r| r["targetLabel"] == label).map(|r| r["replacement"].clone());
    assert_eq!((of("__address__"), of("job")), (Some(json!("$1:9091")), Some(json!("cloudcore"))));
}

#[test]
fn metrics_server_takes_edges_and_asks_them_half_as_often() {
    let Some(stack) = stack() else { return };
    let server = stack.find("Deployment", "metrics-server");
    let arguments = server.at("/spec/template/spec/containers/0/args").as_array().unwrap();
    let resolutions: Vec<_> =
        arguments.iter().filter_map(|a| a.as_str()?.strip_prefix("--metric-resolution=")).collect();
    assert_eq!(resolutions.last(), Some(&"30s"), "the last one counts: {arguments:?}");
    assert!(arguments.contains(&json!("--kubelet-insecure-tls")), "{arguments:?}");
    let Some(stack) = real() else { return };
    let two = stack.with("metrics-server", "replicas: 2\npodDisruptionBudget: {enabled: true, minAvailable: 1}\n");
    assert_eq!(find(&two, "Deployment", "metrics-server").at("/spec/replicas"), 2);
    assert_eq!(find(&two, "PodDisruptionBudget", "metrics-server").at("/spec/minAvailable"), 1);
}

/// The settings of blackbox-exporter, as its chart hands them over.
fn blackbox(sandbox: &Sandbox) -> Option<Listening> {
    let program = support::monitoring("prometheus-blackbox-exporter")?;
    let text = stack()?.find("ConfigMap", "blackbox-exporter").at("/data/blackbox.yaml").as_str().unwrap();
    let file = sandbox.write("blackbox.yaml", text);
    let options = [format!("--config.file={}", file.display()), "--web.listen-address=127.0.0.1:0".to_owned()];
    let options: Vec<&OsStr> = options.iter().map(AsRef::as_ref).collect();
    Some(Listening::start(&program, &options))
}

#[test]
fn every_probe_asks_for_a_module_that_blackbox_has() {
    let Some(stack) = stack() else { return };
    let text = stack.find("ConfigMap", "blackbox-exporter").at("/data/blackbox.yaml").as_str().unwrap();
    let settings: Value = bundler::yaml::parse("blackbox.yaml", text).unwrap();
    let modules = settings["modules"].as_object().unwrap();
    let kinds: BTreeSet<&str> = modules.values().map(|module| module["prober"].as_str().unwrap()).collect();
    assert!(kinds.is_superset(&BTreeSet::from(["http", "icmp", "tcp"])), "{kinds:?}");
    let mut jobs = BTreeSet::new();
    for probe in stack.all("Probe") {
        assert!(modules.contains_key(probe.at("/spec/module").as_str().unwrap()), "{}", probe.place());
        assert_eq!(probe.at("/spec/prober/url"), "blackbox-exporter.monitoring.svc:9115", "{}", probe.place());
        jobs.insert(probe.at("/spec/jobName").as_str().unwrap());
    }
    assert!(jobs.is_superset(&BTreeSet::from(["certificates", "cloudcore-ports"])), "{jobs:?}");
}

#[test]
fn the_probes_tell_what_answers_from_what_does_not() {
    let sandbox = Sandbox::new();
    let Some(blackbox) = blackbox(&sandbox) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let open = listener.local_addr().unwrap();
    let app = axum::Router::new().fallback(async || axum::http::StatusCode::UNAUTHORIZED);
    runtime.spawn(async move { axum::serve(listener, app).await.unwrap() });
    // Nobody else gets it as long as it is held, and nobody listens on it.
    let held = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let closed = held.local_addr().unwrap();
    let web = format!("http://{open}/");
    let open = open.to_string();
    let cases = [
        ("tcp_connect", open.as_str(), "1"),
        ("tcp_connect", &closed.to_string(), "0"),
        ("http_up", &web, "1"), // it asks for a password, so it is there
        ("http_2xx", &web, "0"),
        ("tls_expiry", &open, "0"), // it speaks no TLS
    ];
    for (module, target, success) in cases {
        let mut curl = sandbox.command("curl");
        curl.args(["--silent", "--fail", "--get", &format!("{}/probe", blackbox.url())]);
        curl.args(["--data-urlencode", &format!("module={module}"), "--data-urlencode", &format!("target={target}")]);
        let text = support::output_of(&mut curl);
        let found = text.lines().find_map(|line| line.strip_prefix("probe_success "));
        assert_eq!(found, Some(success), "{module} {target}: {text}");
        assert!(text.contains("probe_duration_seconds "), "{text}");
    }
}

#[test]
fn what_a_job_pushes_stays_until_its_group_is_deleted() {
    let Some(stack) = stack() else { return };
    let Some(program) = support::monitoring("prometheus-pushgateway") else { return };
    if stack.real {
        let monitor = stack.find("ServiceMonitor", "pushgateway");
        assert_eq!(monitor.at("/spec/endpoints/0/honorLabels"), true, "a job says itself who it is");
    }
    let sandbox = Sandbox::new();
    let gateway = Listening::start(&program, &["--web.listen-address=127.0.0.1:0".as_ref()]);
    let metrics =
        || support::output_of(sandbox.command("curl").args(["--silent", &format!("{}/metrics", gateway.url())]));
    // The lines of the guide.
    let group = format!("{}/metrics/job/backup/node/edge-1", gateway.url());
    let result = sandbox.write("result", "backup_bytes 1234\n");
    let data = format!("@{}", result.display());
    support::output_of(sandbox.command("curl").args(["--fail", "--silent", "--data-binary", &data, &group]));
    let text = metrics();
    assert!(text.contains(r#"backup_bytes{instance="",job="backup",node="edge-1"} 1234"#), "{text}");
    assert!(text.contains(r#"push_time_seconds{instance="",job="backup",node="edge-1"}"#), "{text}");
    support::output_of(sandbox.command("curl").args(["--fail", "--silent", "--request", "DELETE", &group]));
    assert!(!metrics().contains("backup_bytes"));
}
