//! Logs: the store and its rules, the agents of edges, of the cloud and of hosts outside, and events.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use bundler::yaml;
use serde_json::{Value, json};

use super::fluent_bit::Config;
use super::render::{Object, Stack, find, real, stack};
use crate::support::{self, Sandbox};

const EDGE: &str = "node-role.kubernetes.io/edge";
/// The labels of streams. Each has few values: what has many is structured metadata.
const LABELS: [&str; 9] = ["app", "container", "job", "location", "namespace", "node", "pod", "type", "reason"];

/// A YAML text as JSON.
pub(crate) fn read(text: &str) -> Value {
    yaml::parse_foreign("text", text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The text of a ConfigMap, as YAML.
pub(crate) fn config(objects: &[Object], name: &str, key: &str) -> Value {
    read(find(objects, "ConfigMap", name).at("/data")[key].as_str().unwrap_or_else(|| panic!("{name} has no {key}")))
}

/// The objects of one component.
pub(crate) fn of(stack: &Stack, component: &str) -> Vec<Object> {
    stack.of(component).cloned().collect()
}

/// Asserts that a URL inside the cluster names a Service that is there, with that port, and returns its path.
pub(crate) fn served(stack: &Stack, url: &str) -> String {
    let (host, path) = url.split_once("://").map_or((url, ""), |(_, rest)| rest.split_once('/').unwrap_or((rest, "")));
    let (name, port) = host.split_once(':').unwrap_or_else(|| panic!("{url} has no port"));
    let (service, namespace) = name.split_once('.').unwrap_or_else(|| panic!("{url} has no namespace"));
    assert!(namespace == "monitoring.svc" || namespace == "monitoring.svc.cluster.local", "{url}");
    // Prometheus and Alertmanager have theirs in the real chart only.
    if stack.real || !service.starts_with("kps-") {
        let ports = stack.find("Service", service).at("/spec/ports").as_array().unwrap();
        let port: u64 = port.parse().unwrap();
        assert!(ports.iter().any(|each| each["port"] == port), "{url}: {service} has {ports:?}");
    }
    path.to_owned()
}

fn agent(stack: &Stack) -> (Object, Config) {
    let objects = of(stack, "fluent-bit");
    let text = find(&objects, "ConfigMap", "fluent-bit").at("/data")["fluent-bit.yaml"].as_str().unwrap().to_owned();
    (find(&objects, "DaemonSet", "fluent-bit").clone(), Config::read(&text))
}

/// The names of labels in a setting such as `location=edge, node=${NODE_NAME}, pod=$pod`.
fn label_names(setting: &Value) -> BTreeSet<String> {
    let text = setting.as_str().unwrap();
    text.split(',').map(|pair| pair.split('=').next().unwrap().trim().to_owned()).collect()
}

fn assert_few(labels: impl IntoIterator<Item = String>) {
    for label in labels {
        assert!(LABELS.contains(&label.as_str()), "{label} is no label of streams: is its number of values bounded?");
    }
}

#[test]
fn loki_keeps_a_month_and_takes_what_edges_send_late() {
    let Some(stack) = stack() else { return };
    let objects = of(stack, "loki");
    let config = config(&objects, "loki", "config.yaml");
    let schema = &config["schema_config"]["configs"];
    let newest = schema.as_array().unwrap().last().unwrap();
    assert_eq!((&newest["store"], &newest["schema"]), (&json!("tsdb"), &json!("v13")), "{schema}");
    // Without the compactor nothing is ever deleted, whatever the limit says.
    assert_eq!(config["compactor"]["retention_enabled"], true);
    assert_eq!(config["compactor"]["delete_request_store"], "filesystem");
    let limits = &config["limits_config"];
    assert_eq!(limits["retention_period"], "720h");
    assert_eq!(limits["max_query_lookback"], limits["retention_period"]);
    assert_eq!(limits["reject_old_samples_max_age"], "168h");
    assert_eq!(limits["shard_streams"]["time_sharding_enabled"], true, "else what is an hour behind is refused");
    assert_eq!(limits["max_line_size_truncate"], true);
    assert_eq!(limits["allow_structured_metadata"], true);
    assert_eq!(config["analytics"]["reporting_enabled"], false);
    let store = find(&objects, "StatefulSet", "loki");
    assert_eq!(store.at("/spec/replicas"), 1);
    assert_eq!(store.at("/spec/volumeClaimTemplates/0/spec/resources/requests/storage"), "20Gi");

    let longer = stack
        .with("loki", "loki: {limits_config: {retention_period: 168h}}\nsingleBinary: {persistence: {size: 5Gi}}\n");
    let limits = self::config(&longer, "loki", "config.yaml")["limits_config"].clone();
    assert_eq!((&limits["retention_period"], &limits["reject_old_samples_max_age"]), (&json!("168h"), &json!("168h")));
}

#[test]
fn rules_on_logs_reach_the_ruler_and_the_ruler_reaches_both() {
    let Some(stack) = stack() else { return };
    let objects = of(stack, "loki");
    let config = config(&objects, "loki", "config.yaml");
    let ruler = &config["ruler"];
    served(stack, ruler["alertmanager_url"].as_str().unwrap());
    assert_eq!(ruler["remote_write"]["enabled"], true);
    let client = ruler["remote_write"]["clients"]["prometheus"]["url"].as_str().unwrap();
    assert_eq!(served(stack, client), "api/v1/write");
    let prometheus = stack.find("Prometheus", "kps-prometheus");
    assert_eq!(prometheus.at("/spec/enableRemoteWriteReceiver"), true);

    // The directory of the sidecar is that of the only tenant, below the directory of the ruler.
    let containers = find(&objects, "StatefulSet", "loki").at("/spec/template/spec/containers").as_array().unwrap();
    let sidecar = containers.iter().find(|container| container["name"] == "loki-sc-rules").unwrap();
    let environment = |name: &str| {
        let variables = sidecar["env"].as_array().unwrap();
        variables.iter().find(|variable| variable["name"] == name).unwrap()["value"].as_str().unwrap().to_owned()
    };
    let directory = ruler["storage"]["local"]["directory"].as_str().unwrap();
    assert_eq!(config["auth_enabled"], false);
    assert_eq!(environment("FOLDER"), format!("{directory}/fake"));
    let rules = find(&objects, "ConfigMap", "loki-rules");
    assert!(rules.at("/metadata/labels").get(environment("LABEL")).is_some(), "the sidecar passes it over");
}

#[test]
fn every_rule_on_logs_is_logql_with_a_severity_and_words() {
    let Some(stack) = stack() else { return };
    let groups = config(&of(stack, "loki"), "loki-rules", "observability.yaml");
    let rules: Vec<&Value> =
        groups["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    assert!(rules.len() >= 8, "{}", rules.len());
    let expressions: Vec<String> = rules.iter().map(|rule| rule["expr"].as_str().unwrap().to_owned()).collect();
    let Some(failures) = support::logql_failures(&expressions) else { return };
    for (rule, failure) in rules.iter().zip(failures) {
        assert_eq!(failure, None, "{rule}");
        if rule.get("record").is_some() {
            assert!(rule["record"].as_str().unwrap().contains(':'), "{rule}");
            continue;
        }
        let severity = rule["labels"]["severity"].as_str().unwrap_or_default();
        assert!(["critical", "warning", "info"].contains(&severity), "{rule}");
        for word in ["summary", "description"] {
            assert!(rule["annotations"][word].as_str().is_some_and(|text| !text.is_empty()), "{rule}");
        }
    }
    let wrong = ["sum by (node) (rate({app=\"edgecore\"} |~ [5m]))".to_owned()];
    assert!(support::logql_failures(&wrong).unwrap()[0].is_some());
}

#[test]
fn the_agent_of_edges_is_on_edges_only_and_small() {
    let Some(stack) = stack() else { return };
    let (daemon, config) = agent(stack);
    let pod = daemon.pod_spec().unwrap();
    let terms = &pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"];
    assert_eq!(terms[0]["matchExpressions"][0], json!({"key": EDGE, "operator": "Exists"}), "{terms}");
    assert_eq!(pod["tolerations"], json!([{"operator": "Exists"}]));
    assert_eq!(pod["hostNetwork"], true);
    assert_eq!(pod["automountServiceAccountToken"], false, "an edge has no API");
    assert!(!stack.of("fluent-bit").any(|object| object.kind().starts_with("ClusterRole")));
    assert_eq!(pod["containers"][0]["resources"]["limits"], json!({"cpu": "100m", "memory": "64Mi"}));
    assert_eq!(pod["containers"][1]["resources"]["limits"], json!({"cpu": "50m", "memory": "32Mi"}));
    // On the host's network it must not be reachable from outside, but for traces of the edge's own pods.
    assert_eq!(config.service()["http_listen"], "127.0.0.1");
    for probe in ["livenessProbe", "readinessProbe"] {
        assert_eq!(pod["containers"][0][probe]["httpGet"]["host"], "127.0.0.1", "{probe}");
    }
    assert!(pod["containers"][1]["args"].to_string().contains("--web.listen-address=127.0.0.1:9115"));

    // Both images are those of the cloud's own releases.
    let prober = stack.find("Deployment", "blackbox-exporter").pod_spec().unwrap()["containers"][0]["image"].clone();
    if stack.locked.contains("prometheus-blackbox-exporter") {
        assert_eq!(pod["containers"][1]["image"], prober);
    }
    let locked = &stack.lock.components["prometheus-blackbox-exporter"].images;
    let image = pod["containers"][1]["image"].as_str().unwrap();
    assert!(
        locked.iter().any(|locked| locked.to_string() == image),
        "{image} is not the prober of the cloud: {locked:?}"
    );
}

#[test]
fn the_agent_of_edges_is_configured_as_its_plugins_want() {
    let Some(stack) = stack() else { return };
    let (daemon, config) = agent(stack);
    assert_eq!(config.problems(), Vec::<String>::new());
    let pod = daemon.pod_spec().unwrap();
    let container = &pod["containers"][0];
    assert_eq!(container["args"], json!(["--config=/fluent-bit/etc/conf/fluent-bit.yaml"]));
    // What it reads of its environment is what the pod has, from the Secret of the site or the node's name.
    let given = container["env"].as_array().unwrap();
    let names: BTreeSet<String> = given.iter().map(|variable| variable["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(config.variables(), names);
    for variable in given.iter().filter(|variable| variable["name"] != "NODE_NAME") {
        assert_eq!(variable.pointer("/valueFrom/secretKeyRef/name").unwrap(), "edge-push", "{variable}");
    }

    // Everything that it keeps is on the host, and each part of it has a bound.
    let mounts: Vec<&Value> = container["volumeMounts"].as_array().unwrap().iter().collect();
    let mounted = |path: &str| mounts.iter().any(|mount| path.starts_with(mount["mountPath"].as_str().unwrap()));
    let buffer = pod["volumes"].as_array().unwrap().iter().find(|volume| volume["name"] == "buffer").unwrap();
    assert_eq!(buffer["hostPath"]["path"], "/var/lib/fluent-bit");
    assert!(config.service()["storage.path"].as_str().unwrap().starts_with("/var/lib/fluent-bit/"));
    for input in config.all("inputs") {
        assert_eq!(input["storage.type"], "filesystem", "{}", input["tag"]);
        for key in ["path", "db", "path.procfs", "path.sysfs"] {
            if let Some(path) = input[key].as_str() {
                assert!(mounted(path), "{path} is nowhere in the container");
            }
        }
    }
    for output in config.all("outputs") {
        assert!(output["storage.total_limit_size"].as_str().is_some_and(|size| size.ends_with('M')), "{output}");
        assert_eq!((&output["tls"], &output["tls.verify"]), (&json!(true), &json!(true)), "{output}");
        assert!(mounted(output["tls.ca_file"].as_str().unwrap()), "{output}");
        assert_eq!((&output["host"], &output["port"]), (&json!("${CLOUD_HOST}"), &json!("${CLOUD_PORT}")));
        assert!(output["http_user"] == "${CLOUD_USER}" && output["http_passwd"] == "${CLOUD_PASSWORD}", "{output}");
    }
    let sandbox = Sandbox::new();
    let text = find(&of(stack, "fluent-bit"), "ConfigMap", "fluent-bit").at("/data")["fluent-bit.yaml"].clone();
    Config::try_with_the_program(&sandbox.write("fluent-bit.yaml", text.as_str().unwrap()));
}

#[test]
fn logs_of_edges_arrive_with_few_labels_and_edgecore_has_its_own() {
    let Some(stack) = stack() else { return };
    let (_, config) = agent(stack);
    let outputs = config.named("outputs", "loki");
    assert_eq!(outputs.len(), 2);
    for output in &outputs {
        assert_eq!(output["uri"], "/loki/api/v1/push");
        let labels = label_names(&output["labels"]);
        assert!(labels.contains("node") && labels.contains("location"), "{labels:?}");
        assert_few(labels);
    }
    assert!(label_names(&outputs[1]["labels"]).contains("app"));
    let units = config.named("inputs", "systemd")[0]["systemd_filter"].to_string();
    assert!(units.contains("edgecore.service") && units.contains("containerd.service"), "{units}");
    let pods = config.named("inputs", "tail")[0];
    assert_eq!(pods["multiline.parser"], "cri");
    assert!(pods["exclude_path"].as_str().unwrap().contains("_fluent-bit-"), "its own lines would make more of them");
}

#[test]
fn metrics_of_edges_carry_the_labels_that_rules_and_boards_ask_for() {
    let Some(stack) = stack() else { return };
    let (_, config) = agent(stack);
    let mut jobs = BTreeSet::new();
    for output in config.named("outputs", "prometheus_remote_write") {
        assert_eq!(output["uri"], "/api/v1/write");
        let labels: Vec<&str> = output["add_label"].as_array().unwrap().iter().map(|l| l.as_str().unwrap()).collect();
        for wanted in ["node ${NODE_NAME}", "instance ${NODE_NAME}", "location edge"] {
            assert!(labels.contains(&wanted), "{labels:?}");
        }
        jobs.extend(labels.iter().filter_map(|label| label.strip_prefix("job ")));
    }
    assert_eq!(jobs, ["edge-link", "fluent-bit", "kubelet", "node-exporter"].into());

    // The links from the edge's end: to each port that an edge needs, to the way in, and by ICMP for what is lost.
    let probes = find(&of(stack, "fluent-bit"), "ConfigMap", "fluent-bit").at("/data")["blackbox.yaml"].clone();
    let modules = read(probes.as_str().unwrap())["modules"].clone();
    let mut links = BTreeSet::new();
    for input in config.named("inputs", "prometheus_scrape").iter().filter(|input| input["tag"] == "metrics.link") {
        let path = input["metrics_path"].as_str().unwrap();
        let (module, target) = path.strip_prefix("/probe?module=").unwrap().split_once("&target=").unwrap();
        assert!(modules.get(module).is_some(), "{path}");
        let label = input.pointer("/processors/metrics/1/upsert").unwrap().as_str().unwrap().to_owned();
        links.insert((label, target.to_owned()));
    }
    let wanted = [
        ("link certificates", "${CLOUD_ADDRESS}:10002"),
        ("link cloudhub", "${CLOUD_ADDRESS}:10000"),
        ("link icmp", "${CLOUD_ADDRESS}"),
        ("link push", "${CLOUD_HOST}:${CLOUD_PORT}"),
        ("link tunnel", "${CLOUD_ADDRESS}:10004"),
    ];
    assert_eq!(links, wanted.map(|(label, target)| (label.to_owned(), target.to_owned())).into());
}

#[test]
fn a_site_gives_the_agent_of_edges_room_and_rhythm() {
    let Some(stack) = stack() else { return };
    let objects = stack.with("fluent-bit", "buffer: {logs: 32M}\ninterval: 300\n");
    let text = find(&objects, "ConfigMap", "fluent-bit").at("/data")["fluent-bit.yaml"].as_str().unwrap().to_owned();
    let config = Config::read(&text);
    assert!(config.named("outputs", "loki").iter().all(|output| output["storage.total_limit_size"] == "32M"));
    assert!(config.named("inputs", "prometheus_scrape").iter().all(|input| input["scrape_interval"] == "300s"));
    assert_eq!(config.named("outputs", "opentelemetry")[0]["storage.total_limit_size"], "64M");
}

#[test]
fn a_host_outside_the_cluster_sends_the_same_from_docker() {
    let Some(stack) = stack() else { return };
    let text = stack.text("fluent-bit", "host/fluent-bit.yaml");
    let config = Config::read(text);
    assert_eq!(config.problems(), Vec::<String>::new());
    config.named("outputs", "loki").iter().for_each(|output| assert_few(label_names(&output["labels"])));
    let daemon = read(stack.text("fluent-bit", "host/daemon.json"));
    assert_eq!(daemon["log-opts"]["tag"], "{{.Name}}", "the name of a container is its label");

    let unit = stack.text("fluent-bit", "host/fluent-bit.service");
    for variable in config.variables() {
        assert!(unit.contains(&format!("{variable}=")), "{variable} is not said to belong into agent.env");
    }
    for path in [
        "/etc/observability",
        "/var/lib/docker/containers",
        "/var/log/journal",
        "/run/log/journal",
        "/var/lib/fluent-bit",
    ] {
        assert!(unit.contains(&format!("--volume {path}:{path}")), "{path}");
    }
    assert!(unit.contains("--volume /:/host:ro") && unit.contains("--pull never") && unit.contains("--memory 64m"));
    Config::try_with_the_program(&Sandbox::new().write("fluent-bit.yaml", text));
}

/// What Alloy's own parser says of a configuration: its components, and what is wrong.
fn parse(text: &str) -> Option<(Vec<String>, Vec<String>)> {
    let mut child = std::process::Command::new(support::kept_program("alloy-syntax")?)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let list = |key: &str| report[key].as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()).collect();
    Some((list("components"), list("errors")))
}

/// The names that relabelling and stages give to labels of streams.
fn labels_of(text: &str) -> BTreeSet<String> {
    let targets = text.lines().filter_map(|line| line.trim().strip_prefix("target_label")?.split('"').nth(1));
    targets.filter(|label| !label.starts_with("__")).map(str::to_owned).collect()
}

#[test]
fn alloy_reads_pods_units_and_events_of_the_cloud() {
    let Some(stack) = stack() else { return };
    let objects = of(stack, "alloy");
    let text = find(&objects, "ConfigMap", "alloy").at("/data/config.alloy").as_str().unwrap();
    let Some((components, errors)) = parse(text) else { return };
    assert_eq!(errors, Vec::<String>::new());
    for wanted in ["loki.source.file.pods", "loki.source.journal.units", "loki.source.kubernetes_events.cluster"] {
        assert!(components.iter().any(|component| component == wanted), "{wanted}: {components:?}");
    }
    assert_few(labels_of(text));
    let url = text.lines().find_map(|line| line.trim().strip_prefix("url")?.split('"').nth(1)).unwrap();
    assert_eq!(served(stack, url), "loki/api/v1/push");
    assert!(text.contains("max_backoff_retries = 0"), "the default drops a batch");
    // One of the agents reads the events, not each of them.
    let arguments = find(&objects, "DaemonSet", "alloy").at("/spec/template/spec/containers/0/args").to_string();
    assert!(arguments.contains("--cluster.enabled=true") && arguments.contains("--disable-reporting"), "{arguments}");
    let rights = find(&objects, "ClusterRole", "alloy").at("/rules").clone();
    assert!(rights.to_string().contains("\"events\"") && !rights.to_string().contains("secrets"), "{rights}");
}

#[test]
fn alloy_can_take_the_place_of_fluent_bit_on_an_edge() {
    let Some(stack) = stack() else { return };
    let objects = stack.with("alloy", stack.text("alloy", "options/edge.yaml"));
    let daemon = find(&objects, "DaemonSet", "alloy");
    let pod = daemon.pod_spec().unwrap();
    let terms = |pod: &Value| {
        let required = &pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
        required["nodeSelectorTerms"][0]["matchExpressions"].clone()
    };
    // Never both on one node.
    let chosen = json!({"key": "observability.bundler/edge-agent", "operator": "In", "values": ["alloy"]});
    assert_eq!(terms(pod), json!([{"key": EDGE, "operator": "Exists"}, chosen]));
    let mut other = chosen;
    other["operator"] = json!("NotIn");
    let (fluent_bit, config) = agent(stack);
    assert_eq!(terms(fluent_bit.pod_spec().unwrap())[1], other);

    assert_eq!(pod["containers"][0]["resources"]["limits"]["memory"], "256Mi");
    assert!(!objects.iter().any(|object| object.kind().starts_with("ClusterRole")), "an edge has no API");
    let text = find(&objects, "ConfigMap", "alloy").at("/data/config.alloy").as_str().unwrap();
    let Some((_, errors)) = parse(text) else { return };
    assert_eq!(errors, Vec::<String>::new());
    let sections: String = text.split("prometheus.exporter").next().unwrap().to_owned();
    assert_few(labels_of(&sections));
    // The same environment, paths, jobs and links.
    let names = |pod: &Value| -> BTreeSet<String> {
        let variables = pod["containers"][0]["env"].as_array().unwrap().iter();
        variables.map(|v| v["name"].as_str().unwrap().to_owned()).filter(|name| name.starts_with("CLOUD_")).collect()
    };
    assert_eq!(names(pod), names(fluent_bit.pod_spec().unwrap()));
    for output in config.all("outputs") {
        let path = output["uri"].as_str().unwrap_or("\" + sys.env(\"CLOUD_PORT\")");
        assert!(text.contains(path), "{path}");
    }
    for link in ["certificates", "cloudhub", "icmp", "push", "tunnel"] {
        assert!(text.contains(&format!("labels  = {{link = \"{link}\"}}")), "{link}");
    }
    assert!(text.contains("max_backoff_retries = 0") && text.contains("max_elapsed_time = \"0s\""));
    for mount in ["/host", "/var/log", "/run/log/journal", "/var/lib/alloy", "/edge-push"] {
        let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
        assert!(mounts.iter().any(|found| found["mountPath"] == mount), "{mount}");
    }
}

#[test]
fn what_is_wrong_with_alloys_configuration_is_found() {
    let Some((_, errors)) = parse("loki.write \"a\" {") else { return };
    assert_eq!(errors.len(), 1);
    let (_, errors) = parse("loki.process \"a\" { forward_to = [loki.write.b.receiver] }\n").unwrap();
    assert_eq!(errors, ["no component has loki.write.b.receiver"]);
}

/// The fields of a value that its schema does not have.
fn unknown(schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    if schema.get("x-kubernetes-preserve-unknown-fields") == Some(&json!(true)) {
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let place = format!("{place}.{key}");
                match schema["properties"].get(key).or_else(|| schema.get("additionalProperties")) {
                    Some(schema) => unknown(schema, value, &place, found),
                    None => found.push(place),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| unknown(&schema["items"], value, place, found)),
        _ => {}
    }
}

#[test]
fn flows_of_the_logging_operator_fit_its_definitions() {
    let Some(stack) = real() else { return };
    let output = stack.find("ClusterOutput", "loki");
    served(stack, output.at("/spec/loki/url").as_str().unwrap());
    assert_few(output.at("/spec/loki/labels").as_object().unwrap().keys().cloned());
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/flows.yaml")).unwrap();
    let flows: Vec<Value> = text.split("\n---\n").map(read).collect();
    assert_eq!(flows.len(), 2);
    let definition = &stack.definitions["logging.banzaicloud.io/Flow"];
    let versions = definition["spec"]["versions"].as_array().unwrap();
    for flow in flows {
        let version = flow["apiVersion"].as_str().unwrap().strip_prefix("logging.banzaicloud.io/").unwrap();
        let served = versions.iter().find(|each| each["name"] == version && each["served"] == true).unwrap();
        let schema = &served["schema"]["openAPIV3Schema"]["properties"]["spec"];
        let mut found = Vec::new();
        unknown(schema, &flow["spec"], "Flow", &mut found);
        assert_eq!(found, Vec::<String>::new());
        unknown(schema, &json!({"nothing": 1}), "Flow", &mut found);
        assert_eq!(found, ["Flow.nothing"]);
        assert_eq!(flow["spec"]["globalOutputRefs"], json!([output.name()]));
    }
}
