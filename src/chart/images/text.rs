//! Finding images in running text: scripts, configuration in any language, templates, argument lists.

use super::guess::{Trust, is_image, trust_of};

/// The images in `text`, in order, with the number of the line from 1.
///
/// `trust` is what the place of the whole text says; a key or flag before a value (`image: x`, `"image": "x"`,
/// `--image=x`, `--image x`, also with the value on the next line) says more.
pub(super) fn scan(text: &str, trust: Trust) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut key = Trust::Anywhere;
    for (number, line) in text.lines().enumerate() {
        let body = line.trim_start();
        if body.starts_with('#') || body.starts_with("//") {
            continue;
        }
        for token in tokens(line) {
            match token.role {
                Role::Key => key = trust_of(token.text),
                Role::Value => {
                    if is_image(token.text, trust.max(key)) {
                        found.push((number + 1, token.text.to_owned()));
                    }
                    // A flag keeps its value even where it stands apart: `--image`, `x`.
                    key = if token.text.starts_with('-') { trust_of(token.text) } else { Trust::Anywhere };
                }
                Role::Torn => key = Trust::Anywhere,
            }
        }
    }
    found
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// A word before a colon or an equals sign.
    Key,
    /// Any other word.
    Value,
    /// A word that a template action touches, so that only a part of it stands here.
    Torn,
}

struct Token<'a> {
    text: &'a str,
    role: Role,
}

/// Cuts a line into words. Quotes, brackets, commas and spaces part them; so does `=`, which makes a key.
fn tokens(line: &str) -> Vec<Token<'_>> {
    const PARTING: &str = " \t\r\n,;()[]{}<>|`\"'=\\*";
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut start = 0;
    for (end, c) in line.char_indices().chain([(line.len(), ' ')]) {
        if !PARTING.contains(c) {
            continue;
        }
        let before = line[..start].chars().next_back();
        let word = &line[start..end];
        let torn = matches!(c, '{' | '*') || matches!(before, Some('}' | '*')) || word.contains('$');
        match word {
            // `"image": "x"`, or `image : x`.
            ":" => {
                if let Some(last) = tokens.last_mut() {
                    last.role = Role::Key;
                }
            }
            "" if c == '=' => {
                if let Some(last) = tokens.last_mut() {
                    last.role = Role::Key;
                }
            }
            // A dash of a list, or the sign of a folded text.
            _ if !word.contains(|c: char| c.is_ascii_alphanumeric()) => {}
            _ => {
                let (text, role) = match word.strip_suffix(':') {
                    Some(key) if !torn => (key, Role::Key),
                    _ if c == '=' => (word, Role::Key),
                    _ if torn => (word, Role::Torn),
                    _ => (word.trim_end_matches('.'), Role::Value),
                };
                tokens.push(Token { text, role });
            }
        }
        start = end + c.len_utf8();
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(text: &str) -> Vec<String> {
        scan(text, Trust::Anywhere).into_iter().map(|(_, image)| image).collect()
    }

    #[test]
    fn keys_and_flags_before_a_value() {
        for text in [
            "image: busybox:8",
            "- image: 'busybox:8'",
            "{\"image\": \"busybox:8\", \"x\": 1}",
            "natsImage = \"busybox:8\"",
            "--sidecar-image=busybox:8",
            "--sidecar-image busybox:8",
            "[\"--image\", \"busybox:8\"]",
            "image:\n  busybox:8",
            "image: >-\n\n    busybox:8",
            "export IMAGE=busybox:8; run",
        ] {
            assert_eq!(images(text), ["busybox:8"], "{text}");
        }
    }

    #[test]
    fn several_in_one_text() {
        let text = "4.0.0=quay.io/strimzi/kafka:0.47.0-kafka-4.0.0\n4.1.0 = quay.io/strimzi/kafka:0.47.0-kafka-4.1.0\n";
        assert_eq!(
            scan(text, Trust::Named),
            [
                (1, "quay.io/strimzi/kafka:0.47.0-kafka-4.0.0".to_owned()),
                (2, "quay.io/strimzi/kafka:0.47.0-kafka-4.1.0".to_owned())
            ]
        );
        assert_eq!(images("a,b:quay.io/x/y:1,docker.io/x/z@sha256:1"), Vec::<String>::new());
        assert_eq!(images("pull quay.io/x/y:1, then ghcr.io/x/z:2."), ["quay.io/x/y:1", "ghcr.io/x/z:2"]);
    }

    #[test]
    fn templates_and_comments_are_no_images() {
        for text in [
            "image: \"{{ .Values.hub }}/proxyv2:{{ .Values.tag }}\"",
            "image: quay.io/org/name{{ .suffix }}:v1",
            "image: {{ .registry }}quay.io/org/name:v1",
            "image: quay.io/org/name:${TAG}",
            "image: $(IMAGE)",
            "# image: quay.io/org/name:v1",
            "// quay.io/org/name:v1",
            "image: auto",
            "url: https://quay.io/org/name:8080",
            "listen: 0.0.0.0:9090",
            "sum by (job) (rate(http_requests_total:rate5m[5m]))",
            "image: \"*:latest\"",
            "images: quay.io/org/*:1",
        ] {
            assert_eq!(images(text), Vec::<String>::new(), "{text}");
        }
        assert_eq!(images("image: {{ .image | default \"quay.io/org/name:v1\" }}"), ["quay.io/org/name:v1"]);
    }
}
