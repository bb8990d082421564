//! What Kubernetes' reader of YAML takes and the library does not, written so that both read the same.

use super::{Place, YamlError};

/// How much is read anew while a text is mended, 8 MiB: a place at a time, and each time all of it.
const MAX_REREAD: usize = 8 << 20;
/// What is put before a further line of a quoted text, more than anybody's manifests are indented; it is no part of the text.
const INDENT: usize = 64;

/// Mends one text, a place at a time.
pub(super) struct Mender {
    left: usize,
    /// How far the text is mended: what is wrong there still, or again, is wrong for every reader.
    mended: usize,
}

impl Default for Mender {
    fn default() -> Self {
        Self { left: MAX_REREAD, mended: 0 }
    }
}

impl Mender {
    /// The text without what `error` is about; none where that is wrong for every reader.
    pub(super) fn mend(&mut self, text: &str, error: &YamlError) -> Option<String> {
        let at = offset(text, error.place)?;
        self.left = self.left.checked_sub(text.len())?;
        let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let (at, blanks) = match error.message.as_str() {
            // `'{` and its further lines at the very left, as people paste JSON.
            "invalid indentation in multiline quoted scalar" => (line, INDENT),
            "comments must be separated from other tokens by whitespace" => (at, 1),
            _ => return None,
        };
        if at < self.mended {
            return None;
        }
        self.mended = at + blanks;
        Some([&text[..at], &" ".repeat(blanks), &text[at..]].concat())
    }
}

/// The byte at a place, whose column counts characters.
fn offset(text: &str, place: Place) -> Option<usize> {
    let (line, column) = (usize::try_from(place.line).ok()?.checked_sub(1)?, usize::try_from(place.column).ok()?);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let before = text[start..].chars().take(column.checked_sub(1)?).map(char::len_utf8).sum::<usize>();
    Some(start + before)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{parse, parse_foreign};
    use super::*;

    type Values = BTreeMap<String, serde_json::Value>;

    #[test]
    fn what_kubernetes_reads_is_read_alike() {
        // The values are those that Helm reads.
        for (text, expected) in [
            ("a: '{\n  \"x\": [\n1,\n\n2]\n}'\nb: z\n", "{ \"x\": [ 1,\n2] }"),
            ("c:\n  a: 1\na: \"x\n y\nz\"\nb: z\n", "x y z"),
            ("a: 'x'# said\nb: \"z\"# too\n", "x"),
            ("é: \"é\"# é\na: 'é\né'\nb: z\n", "é é"),
        ] {
            let values: Values = parse_foreign("x", text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((&values["a"], &values["b"]), (&expected.into(), &"z".into()), "{text}");
            assert!(parse::<Values>("x", text).is_err(), "ours has to be as YAML wants it: {text}");
        }
        let within: Values = parse_foreign("x", "list:\n- - deep: 'a\n\n  b'\n- c\n").unwrap();
        assert_eq!(within["list"], serde_json::json!([[{"deep": "a\nb"}], "c"]));
    }

    #[test]
    fn what_is_wrong_for_everybody_is_told_at_its_own_line() {
        let error = parse_foreign::<Values>("x", "a: 'x\ny'\nb: [\n").unwrap_err();
        assert_eq!(error.place.line, 3, "{error}");
        assert!(parse_foreign::<Values>("x", "a: 'x\ny\n").is_err());
    }

    #[test]
    fn mending_ends() {
        let text = format!("a: '{}'\n", "x\n".repeat(400));
        assert!(parse_foreign::<Values>("x", &text).is_ok());
        // To the library a carriage return begins a line, so that the blanks are put before another one.
        assert!(parse_foreign::<Values>("x", "a: '\n  x\ry'\n").is_err());
        let text = "a: '\nb'\n";
        let error = parse::<Values>("x", text).unwrap_err();
        let mut mender = Mender { left: 2 * text.len(), mended: 0 };
        assert_eq!(mender.mend(text, &error).unwrap(), format!("a: '\n{}b'\n", " ".repeat(INDENT)));
        assert_eq!(mender.mend(text, &error), None, "its second line was mended");
        let mut mender = Mender { left: text.len() - 1, mended: 0 };
        assert_eq!(mender.mend(text, &error), None, "it would be read once more");
    }
}
