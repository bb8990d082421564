//! Names that become file names, Kubernetes names or parts of URLs.

/// The longest name of ours: with a version and an architecture it must stay a file name of 255 bytes.
const MAX_NAME: usize = 63;

/// What [`is_name`] accepts, for messages.
pub(crate) const RULE: &str = "use up to 63 letters, digits, `.`, `_` and `-`, beginning with a letter or a digit";

/// Whether `text` is a safe name of a bundle, profile, component or file.
pub(crate) fn is_name(text: &str) -> bool {
    is_word(text, "._-") && text.len() <= MAX_NAME
}

/// Whether `text` is a version that can stand in a file name.
pub(crate) fn is_version(text: &str) -> bool {
    is_word(text, "._-+") && text.len() <= MAX_NAME
}

/// Whether `text` is one part of a path in a bundle on any system.
pub(crate) fn is_plain(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
        && text.len() <= 255
        && !text.contains(['/', '\\', ':'])
        && !text.contains(char::is_control)
}

/// Whether `text` is a relative path that stays below where it starts.
pub(crate) fn is_plain_path(text: &str) -> bool {
    text.split('/').all(is_plain)
}

/// Whether `text` is a DNS label (RFC 1123, §2.1) of at most `max` characters, as Kubernetes wants it.
pub(crate) fn is_label(text: &str, max: usize) -> bool {
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    !text.is_empty() && text.len() <= max && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_word(text: &str, others: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !text.contains("..")
        && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_names_that_lead_elsewhere() {
        for text in
            ["", ".", "..", "a/b", "../a", "a..b", "-a", ".a", "a b", "a\n", "a\0", "é", "a\\b", &"a".repeat(64)]
        {
            assert!(!is_name(text), "{text:?}");
        }
        for text in ["a", "k3s-airgap-images.tar.zst", "K8s_1"] {
            assert!(is_name(text), "{text:?}");
        }
        assert!(is_version("1.36.4+k3s1") && !is_version("1/2"));
        assert!(is_plain_path("linux-amd64/helm") && !is_plain_path("/helm") && !is_plain_path("a/../b"));
        assert!(is_label("kube-system", 63) && !is_label("Kube", 63) && !is_label("a-", 63) && !is_label("abc", 2));
    }
}
