//! JSON Schemas as Markdown: a table for each object and each list of words, in the words of the model's doc comments.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bundler::oci::Arch;
use serde_json::Value;

/// A page of schemas; a definition that several of them share stands once.
pub(super) struct Page {
    text: String,
    described: BTreeMap<String, Value>,
    /// In a report a field may be null; in a file that somebody writes it is left out.
    nulls: bool,
}

/// The headings of a schema's definitions, by their names.
type Headings = BTreeMap<String, String>;

impl Page {
    /// Begins a page of files that somebody writes.
    pub(super) fn of_files(introduction: &str) -> Self {
        Self { text: introduction.to_owned(), described: BTreeMap::new(), nulls: false }
    }

    /// Begins a page of reports.
    pub(super) fn of_reports(introduction: &str) -> Self {
        Self { nulls: true, ..Self::of_files(introduction) }
    }

    /// Adds a section for a schema, and one for each of its definitions.
    pub(super) fn add(&mut self, heading: &str, schema: &Value) {
        let none = serde_json::Map::new();
        let definitions = schema["$defs"].as_object().unwrap_or(&none);
        let mut headings = Headings::new();
        let mut new = Vec::new();
        for (name, definition) in definitions {
            let known = self.described.get(name);
            let own = if known.is_some_and(|known| known != definition) {
                format!("{name} of {}", heading.trim_start_matches("bundler "))
            } else {
                name.clone()
            };
            if self.described.insert(own.clone(), definition.clone()).is_none() {
                new.push((own.clone(), definition));
            }
            headings.insert(name.clone(), own);
        }
        self.section(2, heading, schema, &headings);
        new.into_iter().for_each(|(own, definition)| self.section(3, &own, definition, &headings));
    }

    /// The page.
    pub(super) fn text(self) -> String {
        self.text
    }

    fn section(&mut self, level: usize, heading: &str, schema: &Value, headings: &Headings) {
        let _ = write!(self.text, "\n{} {heading}\n", "#".repeat(level));
        if let Some(description) = schema["description"].as_str() {
            let _ = write!(self.text, "\n{}\n", one_line(description));
        }
        let words = words(schema);
        if let Some(words) = words.as_ref().filter(|words| words.iter().all(|(_, meaning)| meaning.is_empty())) {
            let words: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            let _ = write!(self.text, "\n{}\n", words.join(", "));
        } else if let Some(words) = words {
            self.text.push_str("\n| value | meaning |\n|---|---|\n");
            for (word, meaning) in words {
                let _ = writeln!(self.text, "| `{word}` | {} |", cell(meaning));
            }
        } else if let Some(properties) = schema["properties"].as_object().filter(|_| !is_by_arch(schema)) {
            self.fields(properties, schema, headings);
        } else if let Some(ways) = schema["anyOf"].as_array() {
            self.text.push('\n');
            for way in ways {
                let meaning = way["description"].as_str().map(|text| format!(": {}", one_line(text)));
                let _ = writeln!(self.text, "- {}{}", self.kind(way, headings), meaning.unwrap_or_default());
            }
        } else {
            let _ = write!(self.text, "\nA {}.\n", self.kind(schema, headings));
        }
    }

    fn fields(&mut self, properties: &serde_json::Map<String, Value>, schema: &Value, headings: &Headings) {
        let required = schema["required"].as_array();
        let is_required = |name: &str| required.is_some_and(|required| required.iter().any(|other| other == name));
        let mut fields: Vec<_> = properties.iter().collect();
        // Within these they are sorted, as the schema has them.
        fields.sort_by_key(|(name, _)| (*name != "schema", !is_required(name)));
        self.text.push_str("\n| field | is | meaning |\n|---|---|---|\n");
        for (name, field) in fields {
            let mark = if is_required(name) { "**" } else { "" };
            let meaning = field["description"].as_str().unwrap_or_default();
            let _ = writeln!(
                self.text,
                "| {mark}`{name}`{mark} | {} | {} |",
                cell(&self.kind(field, headings)),
                cell(meaning)
            );
        }
    }

    /// What a value is, in a few words.
    fn kind(&self, schema: &Value, headings: &Headings) -> String {
        let any = |ways: &[&Value]| {
            let ways: Vec<_> = ways.iter().map(|way| self.kind(way, headings)).collect();
            ways.join(" or ")
        };
        if let Some(reference) = schema["$ref"].as_str() {
            let heading = &headings[reference.trim_start_matches("#/$defs/")];
            return format!("[{heading}](#{})", heading.to_lowercase().replace(' ', "-"));
        }
        if let Some(words) = words(schema) {
            return words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(" or ");
        }
        if let Some(ways) = schema["anyOf"].as_array() {
            return any(&ways.iter().filter(|way| self.nulls || way["type"] != "null").collect::<Vec<_>>());
        }
        if let Some(types) = schema["type"].as_array() {
            let one = |kind: &Value| {
                let mut schema = schema.clone();
                schema["type"] = kind.clone();
                schema
            };
            let ways: Vec<_> = types.iter().filter(|kind| self.nulls || *kind != "null").map(one).collect();
            return any(&ways.iter().collect::<Vec<_>>());
        }
        match schema["type"].as_str() {
            Some("array") => format!("list of {}", self.kind(&schema["items"], headings)),
            Some("object") if is_by_arch(schema) => {
                let one = schema["properties"].as_object().and_then(|properties| properties.values().next());
                format!("map by architecture of {}", self.kind(one.unwrap(), headings))
            }
            Some("object") => format!("map of {}", self.kind(&schema["additionalProperties"], headings)),
            Some("string") if schema["pattern"].as_str().is_some_and(|p| p.starts_with("^sha256:")) => {
                "`sha256:HEX`".to_owned()
            }
            Some(name) => name.to_owned(),
            None => panic!("nothing tells what this is: {schema:#}"),
        }
    }
}

/// The words that a value may be, with what they mean.
fn words(schema: &Value) -> Option<Vec<(String, &str)>> {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if let Some(value) = schema.get("const") {
        return Some(vec![(word(value), schema["description"].as_str().unwrap_or_default())]);
    }
    if let Some(values) = schema["enum"].as_array() {
        return Some(values.iter().map(|value| (word(value), "")).collect());
    }
    let ways = schema["oneOf"].as_array()?;
    let words: Option<Vec<_>> = ways.iter().map(words).collect();
    Some(words?.concat())
}

/// Whether an object has a field for each architecture.
fn is_by_arch(schema: &Value) -> bool {
    let properties = schema["properties"].as_object();
    properties.is_some_and(|all| Arch::ALL.iter().all(|arch| all.contains_key(arch.as_str())))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}
