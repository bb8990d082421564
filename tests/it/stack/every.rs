//! What holds for every component.

use std::collections::BTreeSet;

use bundler::chart::images::{self, Rule};
use bundler::oci::Reference;
use serde_json::Value;

use super::render::{Object, stack};

/// The label of edges; KubeEdge sets it with an empty value.
const EDGE: &str = "node-role.kubernetes.io/edge";
/// Components whose pods belong on edges, all of them or some.
const ON_EDGES: [&str; 2] = ["edgemesh", "fluent-bit"];
/// Kinds without a namespace that charts and our manifests have.
const CLUSTER: [&str; 16] = [
    "APIService",
    "ClusterLogging",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "FluentbitAgent",
    "GatewayClass",
    "IngressClass",
    "Logging",
    "MutatingWebhookConfiguration",
    "Namespace",
    "PersistentVolume",
    "PodSecurityPolicy",
    "PriorityClass",
    "StorageClass",
    "ValidatingWebhookConfiguration",
];

/// What is wrong, all at once.
fn none(problems: Vec<String>, what: &str) {
    assert!(problems.is_empty(), "{what}:\n{}", problems.join("\n"));
}

#[test]
fn every_image_is_in_the_lock() {
    let Some(stack) = stack() else { return };
    let carried: BTreeSet<String> = stack
        .lock
        .images
        .keys()
        .map(ToString::to_string)
        .chain(stack.lock.unresolved.iter().map(|unresolved| unresolved.artifact.clone()))
        .collect();
    let name = |image: &str| image.parse::<Reference>().map_or_else(|_| image.to_owned(), |r| r.name());
    let names: BTreeSet<String> = carried.iter().map(|image| name(image)).collect();
    let mut problems = Vec::new();
    for (component, found) in &stack.discovered {
        let ignored: Vec<_> = stack.catalog.components[component]
            .ignored_images
            .iter()
            .map(|image| Rule { image: &image.image.value, reason: &image.reason })
            .collect();
        let required = images::required(found, &[], &ignored, false).unwrap_or_else(|e| panic!("{component}: {e:?}"));
        for (image, origins) in &required.images {
            // Another version of the chart runs other tags, but never something else.
            let known = if stack.locked.contains(component) {
                carried.contains(&image.to_string())
            } else {
                names.contains(&image.name())
            };
            if !known {
                problems.push(format!("{component}: {image}: {}", origins[0]));
            }
        }
    }
    none(problems, "images that the lock does not carry");
}

/// Whether every node that these terms allow is none of the edges.
fn stays_in_the_cloud(pod: &Value) -> bool {
    let terms = pod.pointer("/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms");
    let excludes = |term: &Value| {
        let expressions = term["matchExpressions"].as_array();
        expressions.into_iter().flatten().any(|e| e["key"] == EDGE && e["operator"] == "DoesNotExist")
    };
    terms.and_then(Value::as_array).is_some_and(|terms| !terms.is_empty() && terms.iter().all(excludes))
}

fn pods() -> Option<Vec<(&'static Object, &'static Value)>> {
    let objects = stack()?.objects.iter().filter(|object| !object.is_test());
    Some(objects.filter_map(|object| Some((object, object.pod_spec()?))).collect())
}

#[test]
fn what_belongs_in_the_cloud_does_not_land_on_an_edge() {
    let Some(pods) = pods() else { return };
    assert!(pods.len() > 20, "{}", pods.len());
    let astray =
        pods.iter().filter(|(object, pod)| !ON_EDGES.contains(&object.component.as_str()) && !stays_in_the_cloud(pod));
    none(astray.map(|(object, _)| object.place()).collect(), "edges carry no taint, and nothing keeps these off");
}

#[test]
fn every_container_has_requests_and_a_limit_of_memory() {
    let (Some(stack), Some(pods)) = (stack(), pods()) else { return };
    let mut problems = Vec::new();
    // The small charts have no place for all of them.
    for (object, pod) in pods.into_iter().filter(|(object, _)| stack.real || object.own) {
        let lists = ["initContainers", "containers"].map(|list| pod[list].as_array().cloned().unwrap_or_default());
        let mut containers = lists.concat();
        if !["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"].contains(&object.kind()) {
            // The operator merges what is named here into the containers that it makes itself.
            containers = vec![serde_json::json!({"name": object.kind(), "resources": pod["resources"]})];
        }
        assert!(!containers.is_empty(), "{}", object.place());
        for container in containers {
            let resources = &container["resources"];
            for (pointer, what) in [
                ("/requests/cpu", "cpu request"),
                ("/requests/memory", "memory request"),
                ("/limits/memory", "memory limit"),
            ] {
                if resources.pointer(pointer).is_none() {
                    problems.push(format!("{}: {} has no {what}", object.place(), container["name"]));
                }
            }
        }
    }
    none(problems, "an edge site has no memory to guess with");
}

#[test]
fn every_object_is_in_the_namespace_of_its_release() {
    let Some(stack) = stack() else { return };
    let mut problems = Vec::new();
    for object in stack.objects.iter().filter(|object| !CLUSTER.contains(&object.kind())) {
        assert!(!object.kind().is_empty() && !object.name().is_empty(), "{}", object.place());
        assert!(object.value["apiVersion"].is_string(), "{}", object.place());
        // kubectl would put ours where it stands; charts leave it to Helm, and some look at kube-system.
        let right = match object.namespace() {
            None => !object.own,
            Some(namespace) => namespace == object.release || (!object.own && namespace == "kube-system"),
        };
        if !right {
            problems.push(format!("{}: {:?}, not {}", object.place(), object.namespace(), object.release));
        }
    }
    none(problems, "objects elsewhere");
}

#[test]
fn our_own_manifests_are_listed_to_be_applied() {
    let Some(stack) = stack() else { return };
    for (name, component) in &stack.catalog.components {
        let listed: Vec<_> = component.resources.iter().map(|r| r.value.trim_end_matches('/')).collect();
        for object in stack.of(name).filter(|object| object.own) {
            let directory = object.file.split('/').next().unwrap();
            assert!(listed.contains(&directory), "{}: `resources:` lists {listed:?}", object.place());
            let namespaced = !CLUSTER.contains(&object.kind());
            assert!(!namespaced || object.namespace().is_some(), "{} says no namespace", object.place());
        }
    }
}
