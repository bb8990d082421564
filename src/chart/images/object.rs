//! What a Kubernetes object is, and where in it images stand.

use std::collections::HashSet;

use super::document::Node;
use super::walk::{arguments, environment, join, walk};
use super::{Discovery, Kind, Sink};

/// API groups whose objects run nothing by themselves, besides the ones in [`pod_spec`]. Everything else with a
/// domain in its group is a custom resource.
const BUILT_IN: [&str; 21] = [
    "",
    "apps",
    "batch",
    "autoscaling",
    "policy",
    "extensions",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Finds the images of one object, or of each object in a list of them.
pub(super) fn find(object: &Node, template: &str, discovery: &mut Discovery) {
    let text = |path: &[&str]| object.at(path).and_then(Node::text).unwrap_or_default();
    let (kind, version) = (text(&["kind"]), text(&["apiVersion"]));
    if kind.is_empty() {
        return;
    }
    if kind.ends_with("List")
        && let Some(items) = object.get("items")
    {
        for item in items.list() {
            find(item, template, discovery);
        }
        return;
    }
    let (name, namespace) = (text(&["metadata", "name"]), text(&["metadata", "namespace"]));
    let name = if name.is_empty() { text(&["metadata", "generateName"]) } else { name };
    let slash = if namespace.is_empty() { "" } else { "/" };
    let label = format!("{kind} {namespace}{slash}{name}");
    let hook = text(&["metadata", "annotations", "helm.sh/hook"]);
    let test = !hook.is_empty() && hook.split(',').all(|event| event.trim().starts_with("test"));
    let sink = &mut Sink { template, object: &label, test, seen: HashSet::new(), discovery };
    let run = if hook.is_empty() { Kind::Pod } else { Kind::Hook };

    let group = version.split_once('/').map_or("", |(group, _)| group);
    if let Some(path) = pod_spec(group, kind) {
        if let Some(spec) = object.at(path) {
            pod(spec, &path.join("."), run, sink);
        }
        let template = &path[..path.len() - 1];
        annotations(object, template, run, sink);
    } else if matches!((group, kind), ("", "ConfigMap" | "Secret")) {
        for part in ["data", "stringData"] {
            let Some(Node::Map(map)) = object.get(part) else { continue };
            let files = map.iter().filter(|(name, _)| !is_for_people(name)).cloned().collect::<Vec<_>>();
            let data = if kind == "Secret" && part == "data" { decoded(&files) } else { Node::Map(files) };
            walk(&data, part, Kind::ConfigMap, sink);
        }
    } else if !BUILT_IN.contains(&group) && kind != "CustomResourceDefinition" {
        let Node::Map(map) = object else { return };
        for (key, value) in
            map.iter().filter(|(key, _)| !matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "status"))
        {
            walk(value, key, Kind::CustomResource, sink);
        }
        annotations(object, &[], Kind::CustomResource, sink);
    }
}

/// Whether a file in a ConfigMap is there to be read by people: no program takes it as its configuration. Knative's habit
/// is to explain all settings under `_example`.
fn is_for_people(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let endings = [".md", ".example", "_example", ".sample", ".rst", "readme", "license", "notes.txt"];
    endings.iter().any(|end| name.ends_with(end))
}

/// A Secret's `data`, of which only what is text when decoded counts.
fn decoded(data: &[(String, Node)]) -> Node {
    let text = |value: &Node| String::from_utf8(base64(value.text()?)?).ok();
    Node::Map(data.iter().filter_map(|(key, value)| Some((key.clone(), Node::Scalar(text(value)?)))).collect())
}

/// Decodes RFC 4648's base64; none for anything else.
fn base64(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::with_capacity(text.len() / 4 * 3), 0u32, 0);
    for c in text.bytes().filter(|c| !c.is_ascii_whitespace() && *c != b'=') {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

/// The path of the pod's `spec` in the workloads that Kubernetes itself has.
fn pod_spec(group: &str, kind: &str) -> Option<&'static [&'static str]> {
    match (group, kind) {
        ("", "Pod") => Some(&["spec"]),
        ("", "PodTemplate") => Some(&["template", "spec"]),
        ("batch", "CronJob") => Some(&["spec", "jobTemplate", "spec", "template", "spec"]),
        ("apps" | "extensions", "Deployment" | "DaemonSet" | "StatefulSet" | "ReplicaSet")
        | ("batch", "Job")
        | ("", "ReplicationController") => Some(&["spec", "template", "spec"]),
        _ => None,
    }
}

fn pod(spec: &Node, path: &str, run: Kind, sink: &mut Sink<'_>) {
    for group in ["initContainers", "containers", "ephemeralContainers"] {
        for (position, container) in spec.get(group).map_or(&[][..], Node::list).iter().enumerate() {
            let path = format!("{path}.{group}[{position}]");
            if let Some(image) = container.get("image").and_then(Node::text) {
                sink.pod_image(run, image, &join(&path, "image"));
            }
            // A command and its arguments are one line: a flag at the end of the one has its value in the other.
            let of_kind = if run == Kind::Pod { [Kind::Argument, Kind::Environment] } else { [run, run] };
            for list in ["command", "args"] {
                let list_path = join(&path, list);
                arguments(container.get(list).map_or(&[][..], Node::list), &list_path, of_kind[0], sink);
            }
            environment(container.get("env").map_or(&[][..], Node::list), &join(&path, "env"), of_kind[1], sink);
        }
    }
    for (position, volume) in spec.get("volumes").map_or(&[][..], Node::list).iter().enumerate() {
        if let Some(image) = volume.at(&["image", "reference"]).and_then(Node::text) {
            sink.pod_image(run, image, &format!("{path}.volumes[{position}].image.reference"));
        }
    }
}

/// Annotations such as `sidecar.istio.io/proxyImage`, of the object and of its pods.
fn annotations(object: &Node, template: &[&str], run: Kind, sink: &mut Sink<'_>) {
    for owner in if template.is_empty() { vec![&[][..]] } else { vec![&[][..], template] } {
        let path: Vec<&str> = owner.iter().copied().chain(["metadata", "annotations"]).collect();
        let Some(Node::Map(map)) = object.at(&path) else { continue };
        for (key, value) in map {
            let Some(image) = value.text() else { continue };
            let trust = super::guess::trust_of(key.rsplit('/').next().unwrap_or_default());
            if trust > super::guess::Trust::Anywhere && super::guess::is_image(image, trust) {
                sink.push(run, image, &join(&path.join("."), key));
            }
        }
    }
}
