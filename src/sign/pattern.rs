//! OpenSSH's lists of patterns (ssh_config(5), PATTERNS).

/// Whether a comma-separated list matches: one of its patterns does, and no negated one (`!pattern`).
pub(super) fn list_matches(list: &str, text: &str) -> bool {
    let mut found = false;
    for pattern in list.split(',') {
        match pattern.strip_prefix('!') {
            Some(negated) if matches(negated.as_bytes(), text.as_bytes()) => return false,
            Some(_) => {}
            None => found |= matches(pattern.as_bytes(), text.as_bytes()),
        }
    }
    found
}

/// Whether a pattern matches all of a text: `*` is any run of bytes, `?` one byte. Linear but for the last `*`.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_openssh_s() {
        for (list, text, expected) in [
            ("release@example.com", "release@example.com", true),
            ("release@example.com", "Release@example.com", false),
            ("*@example.com", "a@example.com", true),
            ("*@example.com", "a@example.com.evil", false),
            ("?@x,b@y", "b@y", true),
            ("*@x,!root@x", "root@x", false),
            ("!root@x,*@x", "root@x", false),
            ("!root@x", "a@x", false),
            ("a*b*c", "aXbXbYc", true),
            ("a*b*c", "aXbXbY", false),
            ("*", "", true),
            ("", "", true),
            ("?", "", false),
        ] {
            assert_eq!(list_matches(list, text), expected, "{list} {text}");
        }
        let long = "a".repeat(20_000);
        assert!(!list_matches("*a*a*a*a*a*b", &long));
    }
}
