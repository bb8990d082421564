//! The list of allowed signers (ssh-keygen(1), ALLOWED SIGNERS), and of revoked keys.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ssh_key::{Algorithm, PublicKey};

use super::Error;

/// The largest list that is read, 4 MiB: some ten thousand keys.
const MAX_LIST: u64 = 4 << 20;

/// Who may sign, for what and when.
#[derive(Clone, Debug, Default)]
pub struct Signers(pub(super) Vec<Signer>);

/// One line of the list.
#[derive(Clone, Debug)]
pub(super) struct Signer {
    /// Patterns of the names that sign with this key.
    pub(super) principals: String,
    /// Patterns of the namespaces that it is good for; none for all.
    pub(super) namespaces: Option<String>,
    pub(super) valid_after: Option<Timestamp>,
    pub(super) valid_before: Option<Timestamp>,
    pub(super) key: PublicKey,
}

impl Signers {
    /// Reads a list.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::parse(path, &text(path)?)
    }

    /// Parses a list; `path` is for messages.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        lines(path, text, line).map(Self)
    }
}

/// Reads a list of revoked public keys, one a line as in `id_ed25519.pub`.
pub(super) fn revoked(path: &Path) -> Result<Vec<PublicKey>, Error> {
    let text = text(path)?;
    lines(path, &text, |line| key(line).map_err(|reason| format!("{reason}; a KRL in its binary form is not read")))
}

fn text(path: &Path) -> Result<String, Error> {
    let read = |source| Error::Read { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(read)?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(file, MAX_LIST + 1), &mut bytes).map_err(read)?;
    let wrong = |reason: &str| Error::Line { path: path.to_owned(), line: 1, reason: reason.to_owned() };
    if bytes.len() as u64 > MAX_LIST {
        return Err(wrong("more than 4 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8; a KRL in its binary form is not read"))
}

fn lines<T>(path: &Path, text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, Error> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let wrong = |line| move |reason| Error::Line { path: path.to_owned(), line, reason };
    lines.map(|(at, line)| parse(line).map_err(wrong(at))).collect()
}

fn line(line: &str) -> Result<Signer, String> {
    let (principals, rest) = field(line)?;
    let principals = unquote(principals);
    if principals.is_empty() {
        return Err("it begins with no name".to_owned());
    }
    let (first, after) = field(rest)?;
    let (options, rest) = if Algorithm::new(first).is_ok() { ("", rest) } else { (first, after) };
    let key = key(rest)?;
    let mut signer = Signer { principals, namespaces: None, valid_after: None, valid_before: None, key };
    for option in split(options) {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(unquote(value))),
            None => (option, None),
        };
        match (name.to_ascii_lowercase().as_str(), value) {
            ("namespaces", Some(value)) => signer.namespaces = Some(value),
            ("valid-after", Some(value)) => signer.valid_after = Some(time(&value)?),
            ("valid-before", Some(value)) => signer.valid_before = Some(time(&value)?),
            ("cert-authority", None) => return Err("certificates are not checked; list the keys themselves".to_owned()),
            _ => return Err(format!("`{option}` is no option")),
        }
    }
    if signer.valid_after.zip(signer.valid_before).is_some_and(|(after, before)| after >= before) {
        return Err("valid-before is not after valid-after".to_owned());
    }
    Ok(signer)
}

fn key(text: &str) -> Result<PublicKey, String> {
    PublicKey::from_openssh(text).map_err(|error| format!("it has no public key ({error})"))
}

/// Splits off the first field, which ends at a blank outside of quotes.
fn field(text: &str) -> Result<(&str, &str), String> {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => return Ok((&text[..at], text[at..].trim_start())),
            _ => {}
        }
    }
    if quoted { Err("a quote has no end".to_owned()) } else { Ok((text, "")) }
}

/// Splits options at commas outside of quotes.
fn split(options: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let at_comma = move |c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    };
    options.split(at_comma).filter(|option| !option.is_empty())
}

fn unquote(text: &str) -> String {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).to_owned()
}

/// `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`; in UTC with a `Z` after it, else in the zone of this machine.
fn time(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("`{text}` is no time as YYYYMMDD[HHMM[SS]][Z]");
    let (digits, zone) = match text.strip_suffix(['Z', 'z']) {
        Some(digits) => (digits, TimeZone::UTC),
        None => (text, TimeZone::system()),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(digits.len(), 8 | 12 | 14) {
        return Err(wrong());
    }
    let part = |range: std::ops::Range<usize>| digits.get(range).map_or(0, |part| part.parse::<i16>().unwrap_or(-1));
    let small = |range| i8::try_from(part(range)).unwrap_or(-1);
    let civil = DateTime::new(part(0..4), small(4..6), small(6..8), small(8..10), small(10..12), small(12..14), 0);
    let zoned = civil.and_then(|civil| civil.to_zoned(zone));
    zoned.map(|zoned| zoned.timestamp()).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDIYxPyWUMfXmOZWMmZqEHxGFWPPOPmWQyGIeBMuITIB a comment";

    fn parse(text: &str) -> Result<Signers, String> {
        Signers::parse(Path::new("signers"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_line_has_names_options_and_a_key() {
        let text = format!(
            "# who\n\n*@example.com,!root@example.com {KEY}\n\"a b\" namespaces=\"git,bundler\",valid-after=\"20260101Z\",valid-before=20270101120000Z {KEY}\n"
        );
        let signers = parse(&text).unwrap().0;
        assert_eq!(signers[0].principals, "*@example.com,!root@example.com");
        assert_eq!((signers[0].namespaces.as_deref(), signers[0].valid_after), (None, None));
        assert_eq!(signers[1].principals, "a b");
        assert_eq!(signers[1].namespaces.as_deref(), Some("git,bundler"));
        assert_eq!(signers[1].valid_after, Some("2026-01-01T00:00:00Z".parse().unwrap()));
        assert_eq!(signers[1].valid_before, Some("2027-01-01T12:00:00Z".parse().unwrap()));
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (line, said) in [
            (format!("a@b cert-authority {KEY}"), "certificates are not checked"),
            (format!("a@b no-touch-required {KEY}"), "is no option"),
            (format!("a@b valid-after=20261301Z {KEY}"), "is no time"),
            (format!("a@b valid-after=2026 {KEY}"), "is no time"),
            (format!("a@b valid-after=20270101Z,valid-before=20260101Z {KEY}"), "is not after"),
            (format!("\"a@b {KEY}"), "a quote has no end"),
            ("a@b ssh-ed25519 AAAA".to_owned(), "no public key"),
            ("a@b".to_owned(), "no public key"),
            (KEY.to_owned(), "no public key"),
        ] {
            let error = parse(&format!("# a comment\n{line}\n")).unwrap_err();
            assert!(error.starts_with("signers:2: ") && error.contains(said), "{line}: {error}");
        }
    }
}
