//! Reports for programs: JSON that says the version of its schema first.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, json_schema};
use serde::Serialize;

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

/// The same in one line, for streams.
pub fn line<T: Serialize>(report: &T) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Versioned { schema: SCHEMA, report })
}

/// The JSON Schema of a report; a list has no place for the version, and says what its items are.
#[must_use]
pub fn schema<T: JsonSchema>(title: &str) -> Schema {
    let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    if let Some(properties) = schema.get_mut("properties").and_then(|properties| properties.as_object_mut()) {
        let version =
            json_schema!({ "description": "The version of this schema.", "type": "integer", "const": SCHEMA });
        properties.insert("schema".to_owned(), version.into());
        let required = schema.ensure_object().entry("required").or_insert_with(|| Vec::<String>::new().into());
        if let Some(required) = required.as_array_mut() {
            required.insert(0, "schema".into());
        }
    }
    schema
}
