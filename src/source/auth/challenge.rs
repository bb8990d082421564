//! `WWW-Authenticate` (RFC 9110, §11.6.1): what a registry wants before it answers.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// More challenges than any server sends.
const MAX_CHALLENGES: usize = 16;
/// More parameters than any challenge has.
const MAX_PARAMETERS: usize = 32;

/// One way to prove who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// The scheme in lower case, such as `bearer`.
    pub(crate) scheme: String,
    /// The parameters, names in lower case.
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// The first parameter of this name that is not empty.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }
}

/// All challenges of a response; what follows something unreadable is left out.
pub(crate) fn challenges(headers: &HeaderMap) -> Vec<Challenge> {
    let mut all = Vec::new();
    for value in headers.get_all(WWW_AUTHENTICATE) {
        if let Ok(text) = value.to_str() {
            parse(text, &mut all);
        }
    }
    all
}

/// A header holds challenges between commas, and so are the parameters of one: a word that `=` does not follow
/// starts the next.
fn parse(text: &str, all: &mut Vec<Challenge>) {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = token(rest);
        if word.is_empty() {
            return;
        }
        let value = after.trim_start().strip_prefix('=').filter(|_| !all.is_empty());
        if let (Some(value), Some(challenge)) = (value, all.last_mut()) {
            let Some((value, after)) = parameter_value(value.trim_start()) else { return };
            if challenge.parameters.len() == MAX_PARAMETERS {
                return;
            }
            challenge.parameters.push((word.to_ascii_lowercase(), value));
            rest = after;
        } else {
            if all.len() == MAX_CHALLENGES {
                return;
            }
            all.push(Challenge { scheme: word.to_ascii_lowercase(), parameters: Vec::new() });
            rest = after;
        }
    }
}

/// The longest token (RFC 9110, §5.6.2) at the start, and what follows it.
fn token(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)));
    text.split_at(end.unwrap_or(text.len()))
}

/// A quoted string or everything up to the next comma or space (registries forget quotes around URLs).
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(text: &str) -> Vec<Challenge> {
        let mut all = Vec::new();
        parse(text, &mut all);
        all
    }

    #[test]
    fn reads_what_registries_send() {
        let hub = all(
            r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/busybox:pull,push""#,
        );
        assert_eq!(hub.len(), 1);
        assert_eq!(hub[0].scheme, "bearer");
        assert_eq!(hub[0].parameter("realm"), Some("https://auth.docker.io/token"));
        assert_eq!(hub[0].parameter("scope"), Some("repository:library/busybox:pull,push"));
        let loose = all("bearer Realm=https://x.example/token , SERVICE = \"a \\\"b\\\"\"");
        assert_eq!(loose[0].parameter("realm"), Some("https://x.example/token"));
        assert_eq!(loose[0].parameter("service"), Some("a \"b\""));
    }

    #[test]
    fn reads_several_challenges() {
        let several = all(r#"Negotiate, Basic realm="a, Bearer b", Bearer realm="c", error="invalid_token""#);
        let schemes: Vec<_> = several.iter().map(|challenge| challenge.scheme.as_str()).collect();
        assert_eq!(schemes, ["negotiate", "basic", "bearer"]);
        assert_eq!(several[1].parameter("realm"), Some("a, Bearer b"));
        assert_eq!(several[2].parameter("error"), Some("invalid_token"));
    }

    #[test]
    fn hostile_text_is_bounded() {
        assert_eq!(all(r#"Bearer realm="never closed"#), [Challenge { scheme: "bearer".into(), parameters: vec![] }]);
        assert!(all("").is_empty());
        assert!(all("=x").is_empty());
        assert!(all("\"").is_empty());
        assert_eq!(all(&"a ".repeat(1000)).len(), MAX_CHALLENGES);
        assert_eq!(all(&format!("Bearer {}", "a=b,".repeat(1000)))[0].parameters.len(), MAX_PARAMETERS);
        assert_eq!(all(r#"Bearer realm="\"#)[0].parameter("realm"), None);
        assert_eq!(all(r#"Bearer realm="""#)[0].parameter("realm"), None);
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "[ -~\u{e9}]{0,200}") {
            prop_assert!(all(&text).len() <= MAX_CHALLENGES);
        }
    }
}
