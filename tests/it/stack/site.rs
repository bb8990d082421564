//! The profile `site`: a small board that is a cluster of its own, behind a metered link.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::fluent_bit::Config;
use super::logs::{of, read};
use super::render::{Object, Stack, find, stack};
use crate::support::{self, Sandbox};

const COMPONENT: &str = "site-alerts";

fn reader(stack: &Stack) -> Config {
    let objects = of(stack, COMPONENT);
    Config::read(find(&objects, "ConfigMap", "site-alerts-reader").at("/data")["fluent-bit.yaml"].as_str().unwrap())
}

fn channels(stack: &Stack) -> (Object, Vec<(String, Value)>) {
    let objects = of(stack, COMPONENT);
    let map = find(&objects, "ConfigMap", "site-alerts-channels").clone();
    let data = map.at("/data").as_object().unwrap();
    let files = data.iter().filter(|(name, _)| name.ends_with(".yaml"));
    let files = files.map(|(name, text)| (name.trim_end_matches(".yaml").to_owned(), read(text.as_str().unwrap())));
    let files = files.collect();
    (map, files)
}

/// The memory of a setting such as `48Mi`.
fn mebibytes(value: &Value) -> u64 {
    value.as_str().unwrap().strip_suffix("Mi").unwrap().parse().unwrap()
}

#[test]
fn the_profile_stores_nothing_and_fits_into_two_gigabytes() {
    let Some(stack) = stack() else { return };
    let profile = &stack.lock.profiles["site"];
    assert!(profile.iter().any(|component| component == COMPONENT), "{profile:?}");
    for heavy in ["kube-prometheus-stack", "loki", "jaeger", "alloy", "kubernetes-event-exporter"] {
        assert!(!profile.iter().any(|component| component == heavy), "{heavy}");
    }
    let pods: Vec<Object> = of(stack, COMPONENT).into_iter().filter(|object| object.pod_spec().is_some()).collect();
    let [pod] = pods.try_into().unwrap();
    assert_eq!((pod.at("/spec/replicas"), pod.at("/spec/strategy/type")), (&json!(1), &json!("Recreate")));
    let pod = pod.pod_spec().unwrap();
    let containers = pod["containers"].as_array().unwrap();
    let limit: u64 = containers.iter().map(|container| mebibytes(&container["resources"]["limits"]["memory"])).sum();
    assert!(limit <= 128, "{limit} MiB");
    assert!(!pod["volumes"].to_string().contains("hostPath"), "{}", pod["volumes"]);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    for container in containers {
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true, "{}", container["name"]);
    }
    // All that it may ask the API for.
    let rights = stack.find("ClusterRole", COMPONENT).at("/rules").clone();
    assert_eq!(rights, json!([{"apiGroups": [""], "resources": ["events"], "verbs": ["get", "list", "watch"]}]));

    // The same images as the cloud's, so that a site that has both bundles carries none twice.
    let images: BTreeSet<String> = containers.iter().map(|each| each["image"].as_str().unwrap().to_owned()).collect();
    let locked = |component: &str| stack.lock.components[component].images.iter().map(ToString::to_string);
    let cloud: BTreeSet<String> = locked("fluent-bit").chain(locked("kube-prometheus-stack")).collect();
    assert!(images.is_subset(&cloud), "{images:?}");
    assert_eq!(images, locked(COMPONENT).collect());
}

#[test]
fn events_wait_in_k3s_as_long_as_alertmanager_tries() {
    let Some(stack) = stack() else { return };
    let reader = reader(stack);
    assert_eq!(reader.problems(), Vec::<String>::new());
    let events = reader.named("inputs", "kubernetes_events")[0];
    // With a database it would pass over what happens again.
    assert!(events.get("db").is_none());
    let k3s = read(stack.text(COMPONENT, "host/config.yaml"));
    let kept = k3s["kube-apiserver-arg"].as_array().unwrap().iter();
    let kept = kept.filter_map(|argument| argument.as_str()?.strip_prefix("event-ttl=")).next().unwrap();
    assert_eq!(events["kube_retention_time"], kept);
    let (_, channels) = channels(stack);
    assert_eq!(channels.len(), 4);
    let first = &channels[0].1;
    for (name, config) in &channels {
        assert_eq!(config["global"]["resolve_timeout"], kept, "{name}: an alert ends before it was sent");
        assert_eq!(config["route"], first["route"], "{name}");
        let webhook = &config["receivers"][0]["webhook_configs"][0];
        assert_eq!(webhook["url_file"], format!("/etc/alert-channels/{name}-url"));
        assert_eq!(webhook["send_resolved"], false, "{name}: an event has no end");
        assert_eq!(webhook["http_config"]["proxy_from_environment"], true, "{name}");
    }
    // What one container sends to, the other one listens on; the file that it reads is the channel's.
    let output = reader.named("outputs", "http")[0];
    assert_eq!((&output["host"], &output["uri"]), (&json!("127.0.0.1"), &json!("/api/v2/alerts")));
    let pod = stack.find("Deployment", COMPONENT).pod_spec().unwrap();
    let alertmanager = &pod["containers"][1];
    assert_eq!(alertmanager["readinessProbe"]["httpGet"]["port"], output["port"]);
    assert!(alertmanager["args"].to_string().contains("--config.file=/etc/site-alerts/$(CHANNEL).yaml"));
    let channel = &alertmanager["env"][0];
    assert_eq!(channel["name"], "CHANNEL");
    assert_eq!(
        channel.pointer("/valueFrom/secretKeyRef").unwrap(),
        &json!({"name": "alert-channels", "key": "channel"})
    );
    Config::try_with_the_program(&Sandbox::new().write(
        "reader.yaml",
        find(&of(stack, COMPONENT), "ConfigMap", "site-alerts-reader").at("/data")["fluent-bit.yaml"].as_str().unwrap(),
    ));
}

#[test]
fn alertmanager_takes_each_channel() {
    let Some(stack) = stack() else { return };
    let Some(amtool) = support::kept_program("amtool") else { return };
    let sandbox = Sandbox::new();
    let (map, channels) = channels(stack);
    let templates = sandbox.write("site.tmpl", map.at("/data")["site.tmpl"].as_str().unwrap());
    for (name, _) in channels {
        let text = map.at("/data")[format!("{name}.yaml")].as_str().unwrap().to_owned();
        let text = text.replace("/etc/site-alerts/*.tmpl", templates.to_str().unwrap());
        let file = sandbox.write(format!("{name}.yaml"), &text);
        let checked = support::output_of(sandbox.command(&amtool).arg("check-config").arg(&file));
        assert!(checked.contains("1 templates"), "{checked}");
        let mut route = sandbox.command(&amtool);
        route.args(["config", "routes", "test", "--verify.receivers=channel", "alertname=BackOff", "severity=warning"]);
        support::output_of(route.arg("--config.file").arg(&file));
    }
}

/// The program that makes alerts of events, with the events that Kubernetes writes: old and new ones, of pods and nodes.
#[test]
fn a_warning_becomes_an_alert_and_nothing_else_does() {
    let Some(stack) = stack() else { return };
    let Some(lua) = support::program("luajit") else { return };
    let reader = reader(stack);
    let code = reader.named("filters", "lua")[0]["code"].as_str().unwrap().to_owned();
    let tests = r#"
        local function of(event)
          local code, time, alert = alert("events", 7, event)
          return code, alert
        end
        local code, alert = of {
          type = "Warning", reason = "BackOff", message = "back-off", count = 7,
          involvedObject = {kind = "Pod", namespace = "default", name = "web-1"},
          source = {component = "kubelet", host = "pi"}, firstTimestamp = "2026-11-21T09:00:00Z",
        }
        assert(code == 2)
        local labels, annotations = alert.labels, alert.annotations
        assert(labels.alertname == "BackOff" and labels.kind == "Pod" and labels.name == "web-1" and labels.node == "pi")
        assert(labels.namespace == "default" and labels.severity == "warning")
        assert(annotations.summary == "back-off" and annotations.count == "7" and annotations.component == "kubelet")
        assert(alert.startsAt == "2026-11-21T09:00:00Z")

        -- An event of events.k8s.io has no host, no count and another time.
        code, alert = of {
          type = "Warning", reason = "NodeNotReady", involvedObject = {kind = "Node", name = "pi"},
          reportingComponent = "node-controller", eventTime = "2026-11-21T09:00:00.123456Z",
        }
        assert(code == 2 and alert.labels.node == "pi" and alert.labels.namespace == "" and alert.annotations.count == "1")
        assert(alert.startsAt == "2026-11-21T09:00:00.123456Z" and alert.annotations.component == "node-controller")

        assert(of {type = "Normal", reason = "Pulled"} == -1)
        assert(of {} == -1)
        print("ran")
    "#;
    let sandbox = Sandbox::new();
    let file = sandbox.write("alert.lua", format!("{code}\n{tests}"));
    assert_eq!(support::output_of(sandbox.command(&lua).arg(&file)).trim(), "ran");
}
