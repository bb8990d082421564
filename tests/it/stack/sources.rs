//! Grafana: its data sources, the links between them, and that it asks nobody outside.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::render::{find, real};

/// The data sources by their fixed names, as Grafana reads them.
fn sources() -> Option<BTreeMap<String, Value>> {
    let map = real()?.find("ConfigMap", "kps-grafana-datasource");
    let text = map.at("/data/datasource.yaml").as_str().unwrap();
    let file: Value = bundler::yaml::parse_foreign("datasource.yaml", text).unwrap();
    let sources = file["datasources"].as_array().unwrap().iter();
    Some(sources.map(|source| (source["uid"].as_str().unwrap().to_owned(), source.clone())).collect())
}

#[test]
fn the_data_sources_of_the_boards_are_there_and_lead_to_services_that_are() {
    let (Some(sources), Some(stack)) = (sources(), real()) else { return };
    assert_eq!(sources.keys().collect::<Vec<_>>(), ["alertmanager", "jaeger", "loki", "prometheus"]);
    for (uid, source) in &sources {
        assert_eq!(source["type"], **uid);
        let url: url::Url = source["url"].as_str().unwrap().parse().unwrap();
        let host: Vec<&str> = url.host_str().unwrap().split('.').collect();
        assert_eq!(host[1], "monitoring", "{url}");
        let service = find(&stack.objects, "Service", host[0]);
        let ports = service.at("/spec/ports").as_array().unwrap();
        assert!(ports.iter().any(|port| port["port"].as_u64() == url.port().map(u64::from)), "{url}");
    }
}

#[test]
fn a_trace_leads_to_its_logs_and_metrics_and_both_lead_to_it() {
    let Some(sources) = sources() else { return };
    let field = &sources["loki"]["jsonData"]["derivedFields"][0];
    assert_eq!(field["datasourceUid"], "jaeger");
    // Structured metadata is matched as a label; Grafana reads `$$` as one `$`.
    assert_eq!((&field["matcherType"], &field["matcherRegex"]), (&json!("label"), &json!("trace_id")));
    assert_eq!(field["url"], "$${__value.raw}");
    let jaeger = &sources["jaeger"]["jsonData"];
    assert_eq!(jaeger["tracesToLogsV2"]["datasourceUid"], "loki");
    assert_eq!(jaeger["tracesToLogsV2"]["query"], r#"{$${__tags}} | trace_id="$${__trace.traceId}""#);
    let tags = jaeger["tracesToLogsV2"]["tags"].as_array().unwrap();
    assert_eq!(tags.iter().map(|tag| &tag["value"]).collect::<Vec<_>>(), ["namespace", "pod", "node"]);
    assert_eq!(jaeger["tracesToMetrics"]["datasourceUid"], "prometheus");
    for query in jaeger["tracesToMetrics"]["queries"].as_array().unwrap() {
        assert!(query["query"].as_str().unwrap().contains("{$$__tags}"), "{query}");
    }
    let exemplars = &sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"][0];
    assert_eq!((&exemplars["datasourceUid"], &exemplars["name"]), (&json!("jaeger"), &json!("trace_id")));
}

#[test]
fn grafana_asks_nobody_outside_and_keeps_its_own_below_its_prefix() {
    let Some(stack) = real() else { return };
    let ini = stack.find("ConfigMap", "kube-prometheus-stack-grafana").at("/data/grafana.ini").as_str().unwrap();
    for line in [
        "preinstall_disabled = true",
        "plugin_admin_enabled = false",
        "public_key_retrieval_disabled = true",
        "check_for_updates = false",
        "check_for_plugin_updates = false",
        "reporting_enabled = false",
        "news_feed_enabled = false",
        "disable_gravatar = true",
        "external_enabled = false",
        "root_url = https://%(domain)s/grafana/",
    ] {
        assert!(ini.lines().any(|written| written == line), "{line}");
    }
    let grafana = stack.find("Deployment", "kube-prometheus-stack-grafana");
    assert_eq!(grafana.at("/spec/strategy/type"), "Recreate", "two pods cannot share its volume");
    let pod = grafana.pod_spec().unwrap().to_string();
    assert!(pod.contains(r#""secretKeyRef":{"key":"admin-password","name":"grafana-admin"}"#), "{pod}");
    assert!(pod.contains(r#"{"name":"FOLDER_ANNOTATION","value":"grafana_folder"}"#), "{pod}");
}
