//! Custom resources against the schemas of the charts' own definitions. Built-in kinds are checked by a real API server.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::render::real;
use crate::support::{self, Sandbox};

/// Writes the schema of every served version where kubeconform looks for it.
fn write_schemas(sandbox: &Sandbox, definition: &Value) {
    let group = definition.pointer("/spec/group").and_then(Value::as_str).unwrap();
    let kind = definition.pointer("/spec/names/kind").and_then(Value::as_str).unwrap().to_lowercase();
    for version in definition.pointer("/spec/versions").and_then(Value::as_array).unwrap() {
        let Some(schema) = version.pointer("/schema/openAPIV3Schema") else { continue };
        let mut schema = schema.clone();
        close(&mut schema, true);
        let name = version["name"].as_str().unwrap();
        sandbox.write(format!("schemas/{group}/{kind}_{name}.json"), schema.to_string());
    }
}

/// Makes an unknown field an error, as `kubectl apply` does, and reads Kubernetes' own words as JSON Schema's.
fn close(schema: &mut Value, root: bool) {
    match schema {
        Value::Array(list) => list.iter_mut().for_each(|each| close(each, false)),
        Value::Object(map) => {
            let open = map.get("x-kubernetes-preserve-unknown-fields") == Some(&json!(true));
            if map.get("x-kubernetes-int-or-string") == Some(&json!(true)) {
                map.insert("type".into(), json!(["integer", "string"]));
                map.remove("anyOf");
            }
            // Go's regular expressions and the server's formats are not those of the validator.
            map.remove("format");
            if !open && !root && map.get("properties").is_some_and(Value::is_object) {
                map.entry("additionalProperties").or_insert(json!(false));
            }
            map.values_mut().for_each(|each| close(each, false));
        }
        _ => {}
    }
}

#[test]
fn every_custom_resource_fits_the_definition_that_its_chart_brings() {
    let Some(stack) = real() else { return };
    let Some(kubeconform) = support::tool("kubeconform") else { return };
    let sandbox = Sandbox::new();
    stack.definitions.values().for_each(|definition| write_schemas(&sandbox, definition));
    let groups: BTreeSet<&str> = stack.definitions.keys().filter_map(|key| key.split('/').next()).collect();
    let mut files = Vec::new();
    for object in &stack.objects {
        let group =
            object.at("/apiVersion").as_str().and_then(|version| version.split_once('/')).map(|(group, _)| group);
        if group.is_some_and(|group| groups.contains(group)) {
            let name = format!("objects/{}-{}.json", files.len(), object.place().replace(['/', ' '], "_"));
            files.push(sandbox.write(name, object.value.to_string()));
        }
    }
    assert!(files.len() > 30, "{}", files.len());
    let schemas = sandbox.path("schemas/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json");
    let mut command = sandbox.command(&kubeconform);
    command.args(["-summary", "-output", "pretty", "-schema-location"]).arg(&schemas).args(&files);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));

    // It does find what is wrong.
    let mut wrong = stack.find("Prometheus", "kps-prometheus").value.clone();
    wrong["spec"]["retentionsize"] = json!("1GiB");
    let wrong = sandbox.write("wrong.json", wrong.to_string());
    let output = sandbox.command(&kubeconform).arg("-schema-location").arg(&schemas).arg(&wrong).output().unwrap();
    assert!(!output.status.success() && text(&output.stdout).contains("retentionsize"), "{}", text(&output.stdout));
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
