//! Traces and the mesh: the collector, Jaeger, the way from edges, what an application sets, and Istio beside EdgeMesh.

use std::collections::BTreeSet;
use std::path::Path;

use bundler::chart::{archive, crd};
use serde_json::{Value, json};

use super::fluent_bit::Config;
use super::logs::{config, of, read, served};
use super::render::{Stack, find, real, stack};

fn names(value: &Value) -> BTreeSet<String> {
    value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

fn list(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|each| each.as_str().unwrap()).collect()
}

/// What is wrong with the pipelines of a collector: parts that nobody made, parts that nobody uses, and their order.
fn problems(config: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let connectors = names(&config["connectors"]);
    let mut used = BTreeSet::new();
    for (name, pipeline) in config["service"]["pipelines"].as_object().unwrap() {
        for section in ["receivers", "processors", "exporters"] {
            for part in list(&pipeline[section]) {
                let known =
                    config[section].get(part).is_some() || (section != "processors" && connectors.contains(part));
                if !known {
                    problems.push(format!("{name} wants {part} of {section}"));
                }
                used.insert((section, part.to_owned()));
            }
        }
        let processors = list(&pipeline["processors"]);
        if processors.first() != Some(&"memory_limiter") || processors.last() != Some(&"batch") {
            problems
                .push(format!("{name} does not begin with the limit of memory and end with batches: {processors:?}"));
        }
    }
    for section in ["receivers", "processors", "exporters"] {
        for part in names(&config[section]) {
            if !used.contains(&(section, part.clone())) {
                problems.push(format!("{part} of {section} is in no pipeline"));
            }
        }
    }
    for connector in connectors {
        if !["receivers", "exporters"].iter().all(|side| used.contains(&(side, connector.clone()))) {
            problems.push(format!("{connector} does not join two pipelines"));
        }
    }
    let extensions: BTreeSet<String> = list(&config["service"]["extensions"]).into_iter().map(str::to_owned).collect();
    if extensions != names(&config["extensions"]) {
        problems.push(format!("{extensions:?} of {:?}", names(&config["extensions"])));
    }
    problems
}

#[test]
fn what_is_wrong_with_a_collector_is_found() {
    let config = read(
        "receivers: {otlp: {}, zipkin: {}}\nprocessors: {batch: {}}\nexporters: {jaeger: {}}\nconnectors: {spans: {}}\n\
         service:\n  extensions: [health]\n  pipelines:\n    traces: {receivers: [otlp], processors: [batch], exporters: [otlp]}\n",
    );
    let problems = problems(&config);
    for part in [
        "traces wants otlp of exporters",
        "does not begin",
        "zipkin of receivers is in no",
        "spans does not join",
        "health",
    ] {
        assert!(problems.iter().any(|problem| problem.contains(part)), "{part}: {problems:?}");
    }
}

#[test]
fn the_collector_takes_spans_to_jaeger_and_makes_metrics_of_them() {
    let Some(stack) = stack() else { return };
    let objects = of(stack, "opentelemetry-collector");
    let config = config(&objects, "opentelemetry-collector", "relay");
    assert_eq!(problems(&config), Vec::<String>::new());
    served(stack, config["exporters"]["otlp_grpc/jaeger"]["endpoint"].as_str().unwrap());
    let service = find(&objects, "Service", "opentelemetry-collector").at("/spec/ports").as_array().unwrap().clone();
    let open = |port: u64| service.iter().any(|each| each["port"] == port);
    let receivers = &config["receivers"];
    for endpoint in [
        &receivers["otlp"]["protocols"]["grpc"],
        &receivers["otlp"]["protocols"]["http"],
        &receivers["otlp/edge"]["protocols"]["http"],
        &config["exporters"]["prometheus"],
    ] {
        let port = endpoint["endpoint"].as_str().unwrap().rsplit(':').next().unwrap();
        assert!(open(port.parse().unwrap()), "{port} is not in the Service: {service:?}");
    }
    // Prometheus scrapes both ports, and the labels of applications are their own.
    let endpoints = find(&objects, "ServiceMonitor", "opentelemetry-collector").at("/spec/endpoints").clone();
    assert_eq!(endpoints, json!([{"port": "metrics"}, {"port": "otlp-metrics", "honorLabels": true}]));

    // The names of pods come from the API, and for spans of edges never from the address of the proxy before it.
    let rights = find(&objects, "ClusterRole", "opentelemetry-collector").at("/rules").to_string();
    assert!(rights.contains("\"pods\"") && rights.contains("\"replicasets\""), "{rights}");
    let processors = &config["processors"];
    assert!(processors["k8s_attributes"]["pod_association"].to_string().contains("connection"));
    assert!(!processors["k8s_attributes/edge"]["pod_association"].to_string().contains("connection"));
    let edge = &config["service"]["pipelines"]["traces/edge"];
    assert!(list(&edge["processors"]).contains(&"k8s_attributes/edge") && list(&edge["receivers"]) == ["otlp/edge"]);
    assert_eq!(
        processors["resource/edge"]["attributes"],
        json!([{"key": "location", "value": "edge", "action": "upsert"}])
    );

    // Grafana's links from a trace to its metrics and back.
    let spans = &config["connectors"]["span_metrics"];
    assert_eq!(spans["exemplars"]["enabled"], true);
    assert_eq!(config["exporters"]["prometheus"]["enable_open_metrics"], true);
    assert!(spans["aggregation_cardinality_limit"].as_u64().is_some_and(|limit| limit <= 10_000));
}

#[test]
fn jaeger_keeps_a_week_on_a_volume() {
    let Some(stack) = stack() else { return };
    let objects = of(stack, "jaeger");
    let config = config(&objects, "user-config", "user-config.yaml");
    assert_eq!(problems(&config), Vec::<String>::new());
    let query = &config["extensions"]["jaeger_query"];
    assert_eq!(query["base_path"], "/jaeger");
    let backends = &config["extensions"]["jaeger_storage"]["backends"];
    for name in [&query["storage"]["traces"], &config["exporters"]["jaeger_storage_exporter"]["trace_storage"]] {
        assert!(backends.get(name.as_str().unwrap()).is_some(), "{name}: {backends}");
    }
    let badger = &backends["traces"]["badger"];
    assert_eq!((&badger["ephemeral"], &badger["ttl"]["spans"]), (&json!(false), &json!("168h")));

    let claim = find(&objects, "PersistentVolumeClaim", "jaeger-badger");
    assert_eq!(claim.at("/spec/resources/requests/storage"), "10Gi");
    assert_eq!(claim.at("/metadata/annotations/helm.sh~1resource-policy"), "keep");
    let pod = find(&objects, "Deployment", "jaeger").pod_spec().unwrap();
    let volume = pod["volumes"].as_array().unwrap().iter().find(|volume| volume["name"] == "badger").unwrap();
    assert_eq!(volume["persistentVolumeClaim"]["claimName"], claim.name());
    let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
    let at = mounts.iter().find(|mount| mount["name"] == "badger").unwrap()["mountPath"].as_str().unwrap();
    for directory in ["keys", "values"] {
        assert!(badger["directories"][directory].as_str().unwrap().starts_with(&format!("{at}/")), "{badger}");
    }

    let site = stack.with("jaeger", "persistence: {size: 50Gi, storageClass: fast}\n");
    let claim = find(&site, "PersistentVolumeClaim", "jaeger-badger").at("/spec").clone();
    assert_eq!(
        (&claim["storageClassName"], &claim["resources"]["requests"]["storage"]),
        (&json!("fast"), &json!("50Gi"))
    );
}

/// The agent of edges: where it listens for spans, and the path that it sends them to.
fn agent(stack: &Stack) -> (String, Value) {
    let objects = of(stack, "fluent-bit");
    let text = find(&objects, "ConfigMap", "fluent-bit").at("/data")["fluent-bit.yaml"].as_str().unwrap().to_owned();
    let config = Config::read(&text);
    let input = config.named("inputs", "opentelemetry")[0];
    assert_eq!(input["storage.type"], "filesystem", "spans wait on the disk");
    (input["port"].to_string(), config.named("outputs", "opentelemetry")[0].clone())
}

#[test]
fn an_application_finds_the_examples_right() {
    let Some(stack) = stack() else { return };
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/tracing.yaml")).unwrap();
    let documents: Vec<Value> = text.split("\n---\n").map(read).collect();
    let [cloud, edge] = documents.try_into().unwrap();
    let variables =
        |object: &Value| object.pointer("/spec/template/spec/containers/0/env").unwrap().as_array().unwrap().clone();
    for object in [&cloud, &edge] {
        // Kubernetes fills in only what stands before.
        let mut before = BTreeSet::new();
        for variable in variables(object) {
            for used in variable["value"].as_str().unwrap_or_default().split("$(").skip(1) {
                let used = used.split(')').next().unwrap();
                assert!(before.contains(used), "{used} is not set before {variable}");
            }
            before.insert(variable["name"].as_str().unwrap().to_owned());
        }
        let attributes =
            variables(object).iter().find(|v| v["name"] == "OTEL_RESOURCE_ATTRIBUTES").unwrap()["value"].to_string();
        assert!(attributes.contains("k8s.pod.uid=$(POD_UID)"), "the collector knows a pod by it: {attributes}");
    }
    let value = |object: &Value, name: &str| {
        variables(object).iter().find(|v| v["name"] == name).unwrap()["value"].as_str().unwrap().to_owned()
    };
    let operator = |object: &Value| {
        let terms = "/spec/template/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
        object.pointer(terms).unwrap()[0]["matchExpressions"][0]["operator"].clone()
    };
    assert_eq!((operator(&cloud), operator(&edge)), (json!("DoesNotExist"), json!("Exists")));
    served(stack, &value(&cloud, "OTEL_EXPORTER_OTLP_ENDPOINT"));
    let (port, output) = agent(stack);
    assert_eq!(value(&edge, "OTEL_EXPORTER_OTLP_ENDPOINT"), format!("http://$(NODE_ADDRESS):{port}"));
    let address = variables(&edge).into_iter().find(|v| v["name"] == "NODE_ADDRESS").unwrap();
    assert_eq!(address.pointer("/valueFrom/fieldRef/fieldPath").unwrap(), "status.hostIP");
    assert_eq!(output["traces_uri"], "/v1/traces");
    // Whichever agent the edge has.
    let other = stack.text("alloy", "options/edge.yaml");
    assert!(other.contains(&format!("endpoint = \"0.0.0.0:{port}\"")));
}

#[test]
fn the_mesh_traces_a_part_of_its_calls_and_stays_in_the_cloud() {
    let Some(stack) = stack() else { return };
    let mesh = config(&of(stack, "istio"), "istio", "mesh");
    let telemetry = stack.find("Telemetry", "mesh");
    // Only there it counts for the whole mesh.
    assert_eq!(telemetry.namespace(), Some("istio-system"));
    let tracing = telemetry.at("/spec/tracing/0");
    let sampling = tracing["randomSamplingPercentage"].as_f64().unwrap();
    assert!((5.0..=10.0).contains(&sampling), "{sampling}");
    let provider = &tracing["providers"][0]["name"];
    let providers = mesh["extensionProviders"].as_array().unwrap();
    let named =
        providers.iter().find(|each| each["name"] == *provider).unwrap_or_else(|| panic!("{provider}: {providers:?}"));
    let target = &named["opentelemetry"];
    served(stack, &format!("{}:{}", target["service"].as_str().unwrap(), target["port"]));

    let monitor = stack.find("PodMonitor", "istio-sidecars");
    assert_eq!(monitor.at("/spec/namespaceSelector/any"), true);
    assert_eq!(monitor.at("/spec/podMetricsEndpoints/0/path"), "/stats/prometheus");
    let injector =
        stack.of("istio").find(|object| object.name() == "istio-sidecar-injector" && object.kind() == "ConfigMap");
    let values = read(injector.unwrap().at("/data/values").as_str().unwrap());
    let resources = &values["global"]["proxy"]["resources"];
    assert_eq!((&resources["limits"]["memory"], &resources["requests"]["cpu"]), (&json!("128Mi"), &json!("10m")));
}

/// EdgeMesh's definitions are old ones of Istio under the same names, so Istio takes them over: what EdgeMesh reads must go on
/// being served.
#[test]
fn istios_definitions_serve_what_edgemesh_reads() {
    let Some(stack) = real() else { return };
    let directory =
        std::env::var_os("BUNDLER_CHARTS").map(|given| Path::new(&given).join("raw.githubusercontent.com")).unwrap();
    let file = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let chart =
        file.into_iter().find(|path| path.file_name().unwrap().to_string_lossy().starts_with("edgemesh-0")).unwrap();
    let archive = archive::open(&chart).unwrap();
    let wanted = crd::api_versions(&archive.crds);
    assert!(wanted.contains("networking.istio.io/v1alpha3/Gateway"), "{wanted:?}");
    let mut shared = 0;
    for api in wanted.iter().filter(|api| api.starts_with("networking.istio.io/") && api.matches('/').count() == 2) {
        let [group, version, kind] = api.split('/').collect::<Vec<_>>().try_into().unwrap();
        let definition = &stack.definitions[&format!("{group}/{kind}")];
        let versions = definition["spec"]["versions"].as_array().unwrap();
        assert!(versions.iter().any(|each| each["name"] == version && each["served"] == true), "{api}");
        shared += 1;
    }
    assert!(shared >= 3, "{wanted:?}");
}
