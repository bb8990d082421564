//! `SHA256SUMS` as `sha256sum` writes and checks it: 64 hex digits, two spaces, the path.

use super::name;
use crate::oci::Digest;

/// The most files that are listed, 100 000: a bundle of all our components has some hundreds.
pub const MAX_FILES: usize = 100_000;

/// The largest list that is read, 32 MiB: 100 000 files with the longest names have less.
pub const MAX_SIZE: u64 = 32 << 20;

/// Why a text is no list of checksums of safe names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Error {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// One line of a list.
#[must_use]
pub fn line(digest: Digest, path: &str) -> String {
    format!("{}  {path}\n", digest.hex())
}

/// Parses a list, in its order.
pub fn parse(text: &str) -> Result<Vec<(&str, Digest)>, Error> {
    let mut files = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let error = |reason| Error { line: at + 1, reason };
        let line = line.strip_suffix('\n').ok_or_else(|| error("it has no end"))?;
        let (hex, path) = line.split_at_checked(64).ok_or_else(|| error("it is too short"))?;
        let digest = Digest::from_hex(hex).map_err(|_| error("it does not begin with a sha256"))?;
        let path = path.strip_prefix("  ").ok_or_else(|| error("two spaces have to follow the sha256"))?;
        name::check(path).map_err(error)?;
        if !seen.insert(path) {
            return Err(error("the path was listed before"));
        }
        if files.len() == MAX_FILES {
            return Err(error("more than 100000 files"));
        }
        files.push((path, digest));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let text = line(Digest::of(b"a"), "a") + &line(Digest::of(b"b"), "b c/d");
        assert_eq!(parse(&text), Ok(vec![("a", Digest::of(b"a")), ("b c/d", Digest::of(b"b"))]));
        assert_eq!(parse(""), Ok(vec![]));
    }

    #[test]
    fn refuses_what_could_mislead() {
        let hex = Digest::of(b"").hex();
        for text in [
            "x\n".to_owned(),
            format!("{hex}  a"),
            format!("{hex} *a\n"),
            format!("{hex} a\n"),
            format!("\\{hex}  a\n"),
            format!("{hex}  ../a\n"),
            format!("{hex}  /a\n"),
            format!("{hex}  a\n{hex}  a\n"),
            format!("{hex}  a\r\n"),
            format!("{}  a\n", hex.to_uppercase()),
            format!("{}é  a\n", &hex[..63]),
            "\n".to_owned(),
        ] {
            assert!(parse(&text).is_err(), "{text:?}");
        }
        let many: String = (0..=MAX_FILES).map(|n| format!("{hex}  {n}\n")).collect();
        assert!(parse(&many).unwrap_err().reason.contains("100000"));
    }
}
