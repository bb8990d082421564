//! Reports for programs: JSON that says the version of its schema first.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, json_schema};
use serde::Serialize;
use serde_json::{Map, Value};

/// The version of the schemas of reports. A field that comes is no new version; one that goes or changes its meaning is.
pub const SCHEMA: u32 = 1;

/// A report as it is written.
#[derive(Serialize)]
struct Versioned<'a, T> {
    schema: u32,
    #[serde(flatten)]
    report: &'a T,
}

/// A report with its version, indented for people; for objects only.
pub fn pretty<T: Serialize>(report: &T) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&Versioned { schema: SCHEMA, report })
}

/// A report that is a list: each of its items says the version.
pub fn list<T: Serialize>(items: &[T]) -> Result<String, serde_json::Error> {
    let items: Vec<_> = items.iter().map(|report| Versioned { schema: SCHEMA, report }).collect();
    serde_json::to_string_pretty(&items)
}

/// The same in one line, for streams.
pub fn line<T: Serialize>(report: &T) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Versioned { schema: SCHEMA, report })
}

/// The JSON Schema of a report; of a list it is each item that says the version, so that one read alone does too.
#[must_use]
pub fn schema<T: JsonSchema>(title: &str) -> Schema {
    let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    let item = schema.get("items").and_then(|items| items["$ref"].as_str()?.strip_prefix('#').map(str::to_owned));
    let object = match item {
        Some(item) => schema.pointer_mut(&item).and_then(Value::as_object_mut),
        None => schema.as_object_mut(),
    };
    object.map(say_version);
    schema
}

/// Adds the field to the schema of an object.
fn say_version(object: &mut Map<String, Value>) {
    let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) else { return };
    let version = json_schema!({ "description": "The version of this schema.", "type": "integer", "const": SCHEMA });
    properties.insert("schema".to_owned(), version.into());
    let required = object.entry("required").or_insert_with(|| Vec::<String>::new().into());
    if let Some(required) = required.as_array_mut() {
        required.insert(0, "schema".into());
    }
}
