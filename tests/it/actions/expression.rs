//! The part of GitHub's expression language that the workflows use.
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/expressions>

use serde_json::Value;

/// Replaces each `${{ … }}` of a text.
pub(super) fn fill(text: &str, contexts: &Value) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").expect("an expression ends");
        filled.push_str(before);
        filled.push_str(&string(&evaluate(expression, contexts)));
        rest = after;
    }
    filled + rest
}

/// Whether a condition holds; one without a status function holds only while nothing failed.
pub(super) fn holds(condition: Option<&Value>, contexts: &Value) -> bool {
    let success = contexts["job"]["status"] == "success";
    let Some(condition) = condition else { return success };
    let Value::String(text) = condition else { return success && truth(condition) };
    let text = text.trim().trim_start_matches("${{").trim_end_matches("}}");
    let asks = ["always()", "failure()", "success()"].iter().any(|function| text.contains(function));
    (asks || success) && truth(&evaluate(text, contexts))
}

fn evaluate(text: &str, contexts: &Value) -> Value {
    let mut parser = Parser { rest: text, contexts };
    let value = parser.or();
    assert_eq!(parser.rest.trim(), "", "{text}");
    value
}

/// A value in a text.
pub(super) fn string(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn truth(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && *value != "" && *value != 0
}

struct Parser<'a> {
    rest: &'a str,
    contexts: &'a Value,
}

impl Parser<'_> {
    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start();
        let found = rest.starts_with(token);
        if found {
            self.rest = &rest[token.len()..];
        }
        found
    }

    fn or(&mut self) -> Value {
        let mut value = self.and();
        while self.eat("||") {
            let other = self.and();
            value = if truth(&value) { value } else { other };
        }
        value
    }

    fn and(&mut self) -> Value {
        let mut value = self.equality();
        while self.eat("&&") {
            let other = self.equality();
            value = if truth(&value) { other } else { value };
        }
        value
    }

    fn equality(&mut self) -> Value {
        let value = self.primary();
        if self.eat("==") {
            return Value::Bool(string(&value) == string(&self.primary()));
        }
        if self.eat("!=") {
            return Value::Bool(string(&value) != string(&self.primary()));
        }
        value
    }

    fn primary(&mut self) -> Value {
        if self.eat("(") {
            let value = self.or();
            assert!(self.eat(")"), "{}", self.rest);
            return value;
        }
        if self.eat("!") {
            let value = self.primary();
            return Value::Bool(!truth(&value));
        }
        if self.eat("'") {
            let (text, rest) = self.rest.split_once('\'').expect("a text ends");
            self.rest = rest;
            return Value::String(text.to_owned());
        }
        let rest = self.rest.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"_-.".contains(c)).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        self.rest = rest;
        if self.eat("(") {
            assert!(self.eat(")"), "{name} with arguments");
            let success = self.contexts["job"]["status"] == "success";
            return Value::Bool(match name {
                "always" => true,
                "success" => success,
                "failure" => !success,
                other => panic!("{other}() is not known here"),
            });
        }
        match name {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            path => {
                let mut parts = path.split('.');
                let context = parts.next().filter(|part| !part.is_empty()).expect("a name");
                assert!(self.contexts.get(context).is_some(), "{context} is no context: {path}");
                parts.fold(&self.contexts[context], |value, part| &value[part]).clone()
            }
        }
    }
}

#[test]
fn expressions_are_what_github_says() {
    let contexts = serde_json::json!({
        "job": {"status": "success"}, "matrix": {"arch": "arm64"}, "steps": {"x": {"outputs": {"hit": "true"}}}, "inputs": {},
    });
    assert_eq!(fill("a-${{ matrix.arch == 'arm64' && 'arm' || 'x' }}-${{ inputs.none }}.", &contexts), "a-arm-.");
    let when = |text: &str| holds(Some(&Value::String(text.to_owned())), &contexts);
    assert!(when("steps.x.outputs.hit == 'true'") && !when("steps.x.outputs.hit != 'true'"));
    assert!(when("!inputs.none && (always() || failure())") && !when("${{ failure() }}"));
}
