//! Which names an expression of PromQL or LogQL mentions. Whether it is one is for promtool and the grammar to say.

use std::collections::BTreeSet;

/// What an expression mentions.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Names {
    pub(in super::super) metrics: BTreeSet<String>,
    /// Labels of matchers, and of `by`, `on` and their like.
    pub(in super::super) labels: BTreeSet<String>,
}

const GROUPING: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
const OPERATORS: [&str; 6] = ["and", "or", "unless", "bool", "offset", "atan2"];

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Text,
    Duration,
    Sign(char),
}

fn tokens(expression: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '"' | '`' => {
                let mut escaped = false;
                let end = rest[1..].find(|c| {
                    let ends = c == first && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                });
                tokens.push(Token::Text);
                end.unwrap() + 2
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"_:".contains(c)).unwrap_or(rest.len());
                tokens.push(Token::Name(rest[..end].to_owned()));
                end
            }
            c if c.is_ascii_digit() => {
                tokens.push(Token::Duration);
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len())
            }
            c => {
                if !c.is_whitespace() {
                    tokens.push(Token::Sign(c));
                }
                c.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    tokens
}

pub(in super::super) fn names(expression: &str) -> Names {
    let tokens = tokens(expression);
    let mut names = Names::default();
    let mut list = None;
    for (at, token) in tokens.iter().enumerate() {
        match (token, list) {
            (Token::Sign('{'), None) => list = Some('}'),
            (Token::Sign(sign), Some(end)) if *sign == end => list = None,
            (Token::Name(name), Some(_)) => drop(names.labels.insert(name.clone())),
            (Token::Name(name), None) => {
                let next = tokens.get(at + 1);
                let opens = next == Some(&Token::Sign('('));
                // `sum by (…) (…)`
                let called =
                    opens || matches!(next, Some(Token::Name(next)) if ["by", "without"].contains(&next.as_str()));
                if opens && GROUPING.contains(&name.as_str()) {
                    list = Some(')');
                } else if !called && !OPERATORS.contains(&name.as_str()) && !GROUPING.contains(&name.as_str()) {
                    names.metrics.insert(name.clone());
                }
            }
            _ => {}
        }
    }
    names
}

#[test]
fn names_are_told_from_functions_operators_and_texts() {
    let expression = r#"1 - avg by (node) (rate(a:b{mode="id\"le x",job!~"y"}[5m])) * on (n) group_left () c unless vector(0) > bool 3e9"#;
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let expected = Names { metrics: set(&["a:b", "c"]), labels: set(&["node", "mode", "job", "n"]) };
    assert_eq!(names(expression), expected);
    assert_eq!(names(r#"{app="x",node=~`a`} |= "level""#).labels, set(&["app", "node"]));
}
